/*
 * What is done to images, not through them: checking, snapshots, names of backing files. Programs
 * that work on images use it beside block/block_node.h.
 *
 * Machine lock; nothing is under way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLOCK_IMAGE_H
#define BLOCK_BLOCK_IMAGE_H

#include "block/block_node.h"
#include "util/json.h"

typedef struct ImageInfo ImageInfo;
typedef struct BlockdevCreateOptions BlockdevCreateOptions;

/* What an image says of itself, and those behind it. Freed by the caller. */
ImageInfo *block_image_info(BlockNode *node, bool with_chain);

/* Makes a new image; what was in its place is lost. */
bool block_create(const BlockdevCreateOptions *options, Error **errp);

/* Formats an image can have, with blanks between. Free it. */
char *block_formats_text(void);
bool block_format_is_known(const char *name);

/* Options that people type: of nodes below (but no backing file's), a "filename" alone means a file, or a device. */
void block_options_name_below(json_object *options);

/* --- names of backing files --- */

/* `name` as an image at `filename` means it, as a path from here. Free it; NULL: there is none. */
char *block_image_backing_path(const char *filename, const char *name, Error **errp);
/* What the image names from now on (NULL: nothing); the nodes stay as they are. */
bool block_image_set_backing(BlockNode *node, const char *name, const char *format, Error **errp);
/* All that it has of its own goes: what is behind shows. -ENOTSUP: it cannot. */
int block_image_empty(BlockNode *node);

/* Of `levels`, the uppermost first, what they have themselves goes to `base`, which is as long as
 * the first at least. A negative errno. */
typedef struct BlockCommit {
    BlockNode *const *levels;
    size_t count;
    BlockNode *base;
    void (*progress)(void *opaque, uint64_t done, uint64_t all, uint64_t copied); /* may be NULL */
    void *opaque;
} BlockCommit;
int block_commit(const BlockCommit *commit);

/* --- the format --- */

/* What a node's image can have changed; absent members stay. */
typedef struct BlockAmend {
    int version;               /* 2, 3; 0: as it is */
    int lazy_refcounts;        /* -1: as it is */
    unsigned refcount_bits;    /* 0: as it is */
    const char *data_file;     /* what it names; "": nothing; NULL: as it is */
    int data_file_raw;         /* -1: as it is */
} BlockAmend;
bool block_image_amend(BlockNode *node, const BlockAmend *amend, Error **errp);
/* Does the image read as zeroes where nothing was written since it was made? */
bool block_image_begins_with_zeroes(BlockNode *node);
/* Can it have compressed clusters; of how many bytes? 0: it cannot. */
uint64_t block_image_compressed_bytes(BlockNode *node);

/* Writes all that is cached, and bitmaps; the node may still be used. A negative errno. */
int block_image_finish(BlockNode *node);

/* --- another process's: a migration (handover.c) --- */

/* From the start on: images that are opened, and will be, are another's until they are taken. */
void block_images_expect(void);
/* Writes all, and lets go of all locks. No VM runs. On failure they are still ours. */
bool block_images_give(Error **errp);
/* They are ours again, and read anew. On failure they are still another's. */
bool block_images_take(Error **errp);
/* Any thread. */
bool block_images_are_elsewhere(void);
/* May a client have the node's image written, or the graph changed in front of it? */
bool block_images_check_ours(const BlockNode *node, Error **errp);
/* Now, or once they are taken: what a device that was loaded has to write. */
void block_images_when_ours(void (*fn)(void *opaque), void *opaque);

/* --- checking --- */

enum {
    BLOCK_FIX_LEAKS  = BIT(0),
    BLOCK_FIX_ERRORS = BIT(1),
};

typedef struct BlockCheck {
    uint64_t corruptions, leaks, errors; /* errors: it could not be looked at */
    uint64_t corruptions_fixed, leaks_fixed;
    uint64_t end;                        /* of what is used of the file */
    uint64_t clusters, allocated, fragmented, compressed;
} BlockCheck;

/* -ENOTSUP: the format has nothing to check. Details go to stderr. */
int block_image_check(BlockNode *node, unsigned fixes, BlockCheck *result);

/* --- bitmaps of what was written: made and changed by commands --- */

/* Freed by the caller; NULL: there are none. */
struct BlockDirtyInfoArray *block_image_bitmaps(BlockNode *node);
/* Can there be such that are kept in the image? */
bool block_image_keeps_bitmaps(BlockNode *node);

/* --- internal snapshots --- */

typedef enum BlockSnapshotAct {
    BLOCK_SNAPSHOT_CREATE, BLOCK_SNAPSHOT_APPLY, BLOCK_SNAPSHOT_DELETE,
    BLOCK_SNAPSHOT_SHOW, /* the node shows it; it must be read-only */
} BlockSnapshotAct;

/* By id, or by name; CREATE: a name. A negative errno. */
int block_image_snapshot(BlockNode *node, BlockSnapshotAct act, const char *id, const char *name);

typedef struct BlockSnapshotNew {
    const char *name;
    uint64_t vm_state_bytes; /* that were written before; 0: it is of the disk only */
    uint64_t vm_clock_ns;
} BlockSnapshotNew;

bool block_image_has_snapshots(BlockNode *node);
/* As CREATE. */
int block_image_snapshot_new(BlockNode *node, const BlockSnapshotNew *new);
/* The state of a machine, which a snapshot keeps, from its byte `offset` on. Any thread. */
int block_image_vm_state(BlockNode *node, bool is_write, uint64_t offset, void *buf, size_t bytes);
/* It is written, or was read: it is no longer the active disk's. */
int block_image_vm_state_drop(BlockNode *node);
/* By id, by name, or both; freed by the caller; NULL: there is none. */
struct SnapshotInfo *block_snapshot_find(BlockNode *node, const char *id, const char *name);

#endif
