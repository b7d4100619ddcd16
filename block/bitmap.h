/*
 * BlockBitmap: which parts of a node were written, a bit for so many bytes. Nodes have any number
 * of them; those that are persistent are kept in the image when it is closed.
 *
 * Machine lock, but for what is marked "any thread".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BITMAP_H
#define BLOCK_BITMAP_H

#include "block/driver.h"

#define BLOCK_BITMAP_NAME_BYTES 1023
#define BLOCK_BITMAP_MIN_BITS   9 /* of a granularity */
#define BLOCK_BITMAP_MAX_BITS   31

typedef struct BlockBitmap {
    BlockNode *node;           /* borrowed */
    char *name;
    unsigned granularity_bits;
    bool is_persistent;
    bool is_inconsistent;      /* its writer did not close the image; it has no bits */
    /* The node's lock of bitmaps. */
    bool is_recording;
    bool is_changed;           /* since it was stored, or read */
    uint64_t *words;           /* the first bit is the least of the first */
    uint64_t bits, dirty;      /* how many there are, and are set */
} BlockBitmap;

/* In the order they were made; owned by the node. */
typedef struct BlockBitmaps {
    GMutex lock;
    GPtrArray *list;           /* BlockBitmap */
} BlockBitmaps;

/* NULL: the name or granularity is none, or taken, or there is no memory. It records. */
BlockBitmap *block_bitmap_add(BlockNode *node, const char *name, uint64_t granularity,
                              Error **errp);
/* Takes it off its node, or puts it there again. */
void block_bitmap_detach(BlockBitmap *bitmap);
void block_bitmap_attach(BlockBitmap *bitmap);
/* One that is detached; NULL is fine. */
void block_bitmap_free(BlockBitmap *bitmap);
BlockBitmap *block_bitmap_find(const BlockNode *node, const char *name);
/* NULL: there is none; the n-th of the node's. */
BlockBitmap *block_bitmap_nth(const BlockNode *node, guint n);
/* May it be changed, or read? */
bool block_bitmap_check(const BlockBitmap *bitmap, bool is_change, Error **errp);
void block_bitmap_set_recording(BlockBitmap *bitmap, bool is_on);
/* No bit is set then; returns the old words, freed by the caller, or NULL: no memory. */
uint64_t *block_bitmap_clear(BlockBitmap *bitmap);
/* The bits of `words`, which it takes over. */
void block_bitmap_restore(BlockBitmap *bitmap, uint64_t *words);
uint64_t *block_bitmap_copy(BlockBitmap *bitmap);
/* What is set in `from` is set in `to`, too; both nodes have as many bytes. */
void block_bitmap_merge(BlockBitmap *to, BlockBitmap *from);
/* Of so many bytes from there on. */
void block_bitmap_set(BlockBitmap *bitmap, uint64_t offset, uint64_t bytes);
size_t block_bitmap_words(uint64_t bits);
/* Of a node with so many bytes. */
uint64_t block_bitmap_bits(uint64_t bytes, unsigned granularity_bits);
/* What a client gets that does not say it. */
uint64_t block_bitmap_default_granularity(BlockNode *node);

/* --- for nodes --- */

/* Any thread: something was written there, or may have been. */
void block_bitmaps_note(BlockNode *node, uint64_t offset, uint64_t bytes);
/* The node has another size. */
void block_bitmaps_resize(BlockNode *node);
void block_bitmaps_free(BlockNode *node);

/* --- bitmap_command.c --- */

/* NULL: there are none. */
BlockDirtyInfoArray *block_bitmaps_info(BlockNode *node);

typedef struct BlockDirtyBitmap BlockDirtyBitmap;
typedef struct BlockDirtyBitmapAdd BlockDirtyBitmapAdd;
typedef struct BlockDirtyBitmapMerge BlockDirtyBitmapMerge;

typedef enum BlockBitmapAct {
    BLOCK_BITMAP_ADD, BLOCK_BITMAP_REMOVE, BLOCK_BITMAP_CLEAR, BLOCK_BITMAP_ENABLE,
    BLOCK_BITMAP_DISABLE, BLOCK_BITMAP_MERGE
} BlockBitmapAct;

/* What was done, so that it can be undone. */
typedef struct BlockBitmapStep {
    BlockBitmapAct act;
    BlockBitmap *bitmap;
    BlockNode *node;      /* referenced */
    uint64_t *words;      /* as they were: of CLEAR, MERGE */
    bool was_recording;
} BlockBitmapStep;

/* False: nothing was done. */
bool block_bitmap_add_step(BlockBitmapStep *step, const BlockDirtyBitmapAdd *args, Error **errp);
/* REMOVE, CLEAR, ENABLE, DISABLE. */
bool block_bitmap_step(BlockBitmapStep *step, BlockBitmapAct act, const BlockDirtyBitmap *args,
                       Error **errp);
bool block_bitmap_merge_step(BlockBitmapStep *step, const BlockDirtyBitmapMerge *args,
                             Error **errp);
void block_bitmap_step_undo(BlockBitmapStep *step);
/* Afterwards, also of one that was undone. */
void block_bitmap_step_clear(BlockBitmapStep *step);

#endif
