/*
 * qemu-img: what its commands share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TOOLS_IMG_H
#define TOOLS_IMG_H

#include "block/block_image.h"
#include "qapi/qapi-types-block-core.h"

/* --- commands: they return the exit status --- */

typedef int ImgCommandFn(int argc, char **argv);

ImgCommandFn img_amend, img_bench, img_bitmap, img_check, img_commit, img_compare, img_convert, img_create,
    img_dd, img_info, img_map, img_measure, img_rebase, img_resize, img_snapshot;

/* Prints what there is, and ends the program. */
G_NORETURN void img_help(void);

/* --- options (img_options.c) --- */

typedef enum ImgKind {
    IMG_FLAG,   /* bool */
    IMG_UNFLAG, /* bool, which it clears */
    IMG_TEXT,   /* const char * */
    IMG_LIST,   /* char *, of all that were given, with commas between; g_free */
    IMG_SIZE,   /* uint64_t, with a suffix */
    IMG_NUMBER, /* uint64_t */
    IMG_ACT,    /* GPtrArray, which gets ImgAct (g_free): what is to be done, in order */
    IMG_ACT_TEXT, /* the same, and what with */
    IMG_OBJECT, /* "qom-type=..." or JSON: is made at once */
    IMG_REFUSED /* of the peer, and not of ours: an error */
} ImgKind;

typedef struct ImgOption {
    char letter;      /* 0: none */
    const char *name; /* NULL: none */
    ImgKind kind;
    void *value;
    const char *what; /* of numbers: what users are told that it is; NULL: the option */
} ImgOption;

typedef struct ImgAct {
    const char *name, *text; /* of the option; text NULL: none */
} ImgAct;

/* Reads options; *first is the first argument that is none. False: it was told why. */
bool img_options(int argc, char **argv, const ImgOption *options, size_t count, int *first);
/* "qemu-img: TEXT", and where there is help; returns 1. */
int img_usage(const char *fmt, ...) PRINTF(1, 2);
/* False: it was told why. */
bool img_size(const char *text, const char *what, uint64_t *bytes);

/* --- images (img_open.c) --- */

typedef struct ImgSource {
    const char *name, *format, *cache; /* cache NULL: writeback */
    bool has_source_cache;             /* cache is "-T": messages call it so */
    const char *aio;                   /* NULL: threads */
    const char *snapshot;              /* to be shown; NULL: none */
    bool is_options;                   /* name is "driver=..." */
    bool is_writable, is_shared, without_backing, is_check, is_quiet;
} ImgSource;

typedef struct ImgImage {
    BlockNode *node; /* NULL: it is not open */
    BlockLink *link;
    bool is_writethrough;
} ImgImage;

/* False: it was told why. */
bool img_open(ImgImage *image, const ImgSource *source);
/* The same; messages begin so instead of "Could not open". */
bool img_open_as(ImgImage *image, const ImgSource *source, const char *verb);
void img_close(ImgImage *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImgImage, img_close)
/* "none", "unsafe"...; NULL: writeback. */
bool img_cache_is_known(const char *cache);
/* Both of one image would contradict each other; false: it was told. */
bool img_source_check(const ImgSource *source);
/* "-o json", "human". */
bool img_output(const char *text, bool *is_json);
void img_print_json(json_object *value);
/* What a block node can do with zeroes; see block_io(). */
int img_zero(BlockNode *node, uint64_t offset, uint64_t bytes, unsigned flags);

/* --- new images (img_format.c) --- */

typedef struct ImgNew {
    const char *name, *format;
    const char *options;                 /* "-o"; NULL: none */
    const char *backing, *backing_format;
    uint64_t bytes;
    bool has_bytes, is_quiet, is_unsafe; /* is_unsafe: the backing file is not looked at */
    bool is_conversion; /* which messages say; it is the size that counts, and opens the backing file */
} ImgNew;

/* "-o help" was asked for: prints it. */
bool img_format_help(const char *format, const char *options);
/* Is it an option of new images of the format? */
bool img_format_knows(const char *format, const char *option);
/* False: it was told why. */
bool img_new(const ImgNew *new);
/* Options as a format reads them, `options` for `bytes`; NULL: it was told why. */
BlockdevCreateOptions *img_format_options(const ImgNew *new);
/* What is given as "-o KEY=..."; NULL: it is not. */
char *img_option_of(const char *options, const char *key);

/* --- copies (img_copy.c) --- */

typedef struct ImgCopy {
    ImgImage *sources;         /* one behind the other */
    size_t source_count;
    ImgImage *target;
    uint64_t bytes;            /* of the target */
    uint64_t sparse_bytes;     /* so many zeroes need not be written; 0: all are */
    uint64_t compressed_bytes; /* of a cluster; 0: not compressed */
    uint64_t rate;             /* bytes a second; 0: as fast as can be */
    unsigned workers;
    bool is_zero;              /* the target reads as zeroes */
    bool has_backing;          /* what a source does not have itself is left out */
    bool is_salvage, is_unordered, is_quiet;
    bool wants_offload;        /* the host may copy by itself */
} ImgCopy;

/* 0 or a negative errno, which was told. */
int img_copy(const ImgCopy *copy);

/* --- bitmaps (img_bitmap.c) --- */

/* Can those of an image go with a copy? False: it was told why not. */
bool img_bitmaps_check(BlockNode *from, bool skips_broken);
/* False: it was told why. */
bool img_bitmaps_copy(BlockNode *from, BlockNode *to);
/* What they take in an image with such clusters. */
uint64_t img_bitmaps_bytes(BlockNode *from, uint64_t cluster);

/* --- progress (img_progress.c) --- */

void img_progress_begin(bool is_on);
/* Any thread. */
void img_progress(uint64_t done, uint64_t all);
void img_progress_end(void);

/* --- sizes for people (img_info.c) --- */

char *img_size_text(uint64_t bytes);
void img_print_snapshots(const ImageInfo *info);

#endif
