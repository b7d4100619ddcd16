/*
 * BlockNode: an image, or something that stands before one, in a graph: a format on a file on the
 * host, with a backing file, filters between them. Who uses a node holds a BlockLink to it, which
 * says what it does and what it lets others do.
 *
 * The graph changes under the machine lock, while no request is under way in what changes.
 * Requests come in two forms. block_io() blocks the calling thread, whichever that is. A
 * BlockRequest is asynchronous: a driver starts it without blocking if it can, else a worker
 * thread does it the blocking way; either way it ends in the event loop that it names.
 *
 * A thread must not block in block_io() when requests that end in its own loop are under way on
 * the same node: they may have to end first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLOCK_NODE_H
#define BLOCK_BLOCK_NODE_H

#include <sys/uio.h>

#include "qom/error.h"
#include "util/event_loop.h"

typedef struct BlockNode BlockNode;
typedef struct BlockLink BlockLink;
typedef struct BlockRequest BlockRequest;
typedef struct BlockdevOptions BlockdevOptions;
typedef struct BlockdevRef BlockdevRef;

#define BLOCK_SECTOR_BYTES 512
#define BLOCK_MAX_BYTES    (INT64_MAX - GiB) /* of a node: sums with offsets do not overflow */
#define BLOCK_NAME_BYTES   31                /* of a node's name */

/* --- requests --- */

typedef enum BlockOp {
    BLOCK_READ, BLOCK_WRITE, BLOCK_ZERO, BLOCK_DISCARD, BLOCK_FLUSH, BLOCK_OPS
} BlockOp;

enum {
    BLOCK_FUA         = BIT(0), /* durable when it ends */
    BLOCK_MAY_UNMAP   = BIT(1), /* zeroes need not be stored */
    BLOCK_NO_FALLBACK = BIT(2), /* -ENOTSUP where zeroes would have to be written */
    BLOCK_COMPRESSED  = BIT(3), /* a write of whole clusters */
};

typedef struct BlockIo {
    BlockOp op;
    unsigned flags;
    uint64_t offset, bytes; /* FLUSH: none */
    const struct iovec *iov; /* READ, WRITE: `bytes` in all */
    unsigned iov_count;
} BlockIo;

/* 0 or a negative errno. Bounds are the caller's: see block_node_bytes(). */
int block_io(BlockNode *node, const BlockIo *io);
int block_read(BlockNode *node, uint64_t offset, void *buf, size_t bytes);
int block_write(BlockNode *node, uint64_t offset, const void *buf, size_t bytes);
int block_flush(BlockNode *node);

#define BLOCK_REQUEST_HOOKS 6

/* Whoever passes a request on may have a word when it ends. */
typedef void BlockRequestHook(BlockRequest *request, void *opaque, int error);

struct BlockRequest {
    BlockIo io;
    void (*done)(BlockRequest *request, int error); /* 0 or a negative errno; in `loop` */
    EventLoop *loop; /* borrowed */
    unsigned merged; /* of a drive: how many others of the guest's it carries */
    bool is_followed; /* when it ends: others that it carried, or was carried with, end next */
    /* private */
    BlockNode *node;
    struct BlockLoop *block_loop;
    struct {
        BlockRequestHook *fn;
        void *opaque;
    } hooks[BLOCK_REQUEST_HOOKS];
    unsigned hook_count;
    int result;
    BlockIo first;      /* the backend's: as the device gave it */
    int64_t start_ns;
    struct BlockBackend *backend;
    /* of who stands between it and its device (hw/core/device_worker.c) */
    void *worker;
    void *merge;        /* hw/core/block_batch.c */
    void (*returns)(BlockRequest *request, int error);
};

/* In `request->loop`, or with the machine lock when that is the main loop. May end it at once. */
void block_submit(BlockNode *node, BlockRequest *request);

/* Has the host copy, where both nodes show parts of its files as they are. Blocking, any thread.
 * -ENOTSUP: it cannot. */
int block_copy_range(BlockNode *from, uint64_t from_at, BlockNode *to, uint64_t to_at,
                     uint64_t bytes);

/* --- extents --- */

enum {
    BLOCK_EXTENT_DATA      = BIT(0), /* there may be other bytes than zeroes */
    BLOCK_EXTENT_ZERO      = BIT(1), /* reads as zeroes */
    BLOCK_EXTENT_ALLOCATED = BIT(2), /* it is this node's, not of the one behind */
    BLOCK_EXTENT_OFFSET    = BIT(3), /* `host_offset` in `host` holds the bytes as they are */
    BLOCK_EXTENT_COMPRESSED = BIT(4),
    BLOCK_EXTENT_END       = BIT(5), /* the node ends with it */
};

typedef struct BlockExtent {
    unsigned flags;
    uint64_t bytes; /* at least 1 */
    BlockNode *host;
    uint64_t host_offset;
} BlockExtent;

/* What is at `offset`, for up to `bytes`; blocking, any thread. */
int block_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent);
/* The same of the whole chain of backing files; *depth counts how far down (may be NULL). */
int block_extent_of_chain(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent,
                          unsigned *depth);

/* --- nodes --- */

/* Borrowed, or NULL. */
BlockNode *block_node_find(const char *name);
/* With the error users know. */
BlockNode *block_node_get(const char *name, Error **errp);
BlockNode *block_node_ref(BlockNode *node);
void block_node_unref(BlockNode *node); /* NULL is fine */
const char *block_node_name(const BlockNode *node);
/* Any thread. */
uint64_t block_node_bytes(const BlockNode *node);
bool block_node_is_read_only(const BlockNode *node);
/* What requests should be aligned to; a power of two. */
uint32_t block_node_alignment(const BlockNode *node);
/* The path, or "json:{...}" of what has none. Borrowed. */
const char *block_node_filename(const BlockNode *node);
/* What `role` ("file", "backing") leads to, or NULL. Borrowed. */
BlockNode *block_node_child(const BlockNode *node, const char *role);
/* The node below filters that has the data of its own; itself if it is no filter. */
BlockNode *block_node_skip_filters(BlockNode *node);
const char *block_node_driver(const BlockNode *node);

/* A new reference, or NULL with nothing left behind. Blocking. */
BlockNode *block_open(const BlockdevOptions *options, Error **errp);
/* What a `-drive file=` or a backing file says: a path, "json:{...}", "null-co://". */
typedef struct BlockOpenFile {
    const char *filename;
    const char *format;      /* NULL: what it looks like */
    const char *node_name;   /* NULL: one is made up */
    const char *aio;         /* of a file on the host; NULL: "threads" */
    bool is_read_only, is_auto_read_only, is_direct, is_unsafe, is_shared, has_discard;
    bool warns_of_raw;       /* a probed image may turn into another under a guest's hands */
    bool without_backing;
    bool is_check;           /* to be looked at, in whatever state it is */
} BlockOpenFile;
BlockNode *block_open_file(const BlockOpenFile *file, Error **errp);

/* Nodes that a client made stay until it deletes them. */
bool block_node_add(const BlockdevOptions *options, Error **errp);
bool block_node_delete(const char *name, Error **errp);

typedef enum BlockPrealloc {
    BLOCK_PREALLOC_OFF, BLOCK_PREALLOC_METADATA, BLOCK_PREALLOC_FALLOC, BLOCK_PREALLOC_FULL
} BlockPrealloc;
/* Blocking; nothing is under way. */
bool block_node_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp);

/* --- links --- */

enum {
    BLOCK_PERM_READ            = BIT(0), /* what is read is consistent */
    BLOCK_PERM_WRITE           = BIT(1),
    BLOCK_PERM_WRITE_UNCHANGED = BIT(2), /* writes that change nothing that can be read */
    BLOCK_PERM_RESIZE          = BIT(3),
    BLOCK_PERM_ALL             = BIT(4) - 1,
};

/*
 * Takes over a reference to `node`, also when it fails. `user` is for messages: who it is that
 * uses the node. NULL: somebody does not permit it.
 */
BlockLink *block_link_new(BlockNode *node, const char *user, unsigned perms, unsigned shared,
                          Error **errp);
void block_link_free(BlockLink *link); /* NULL is fine */
bool block_link_set_perms(BlockLink *link, unsigned perms, unsigned shared, Error **errp);
BlockNode *block_link_node(const BlockLink *link);
/* Called when the size of the node changes, with the machine lock; NULL: nobody is. */
void block_link_set_resized(BlockLink *link, void (*resized)(void *opaque), void *opaque);

/* All nodes, as they came. */
void block_node_each(void (*fn)(void *opaque, BlockNode *node), void *opaque);

/* Closes what clients made. No request is under way. */
void block_cleanup(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BlockNode, block_node_unref)

#endif
