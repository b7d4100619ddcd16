/*
 * BlockDriver: what makes a block node of a kind; and what drivers ask of the graph.
 *
 * A driver's node begins with a BlockNode. Its requests are blocking functions that any number of
 * threads may be in at once; `submit` is for those that it can start, or pass on, without
 * blocking.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_DRIVER_H
#define BLOCK_DRIVER_H

#include "block/block_image.h"
#include "block/block_node.h"
#include "qapi/qapi-types-block-core.h"
#include "util/json.h"

/* More than this is not moved, or filled, in the thread that submits. */
#define BLOCK_AT_ONCE_BYTES (256 * KiB)

typedef struct BlockDriver {
    const char *name;
    BlockdevDriver kind;
    size_t size;         /* of a node */
    bool is_filter;      /* shows what its "file" shows */
    bool is_protocol;    /* a format may stand on it */
    bool has_backing;
    bool does_fua;       /* else the core flushes */
    /* How much the first bytes, or the name, look like it; 0: not at all, 100: surely. */
    int (*probe)(const uint8_t *head, size_t bytes, const char *filename);
    /* Sets `bytes` of the node. What fails leaves nothing but links, which the core frees. */
    bool (*open)(BlockNode *node, const BlockdevOptions *options, Error **errp);
    void (*close)(BlockNode *node);
    /* Options that may change while it is open, NULL-ended; NULL: none of its own. */
    const char *const *changeable;
    /* It has other flags and children than before, and these options; no request is under way.
     * False: it goes on as it was; else reopen_end() says whether the others could, too. */
    bool (*reopen)(BlockNode *node, const BlockdevOptions *options, Error **errp);
    void (*reopen_end)(BlockNode *node, bool is_done);
    /* Makes a new image; what was in its place is lost. */
    bool (*create)(const BlockdevCreateOptions *options, Error **errp);
    int (*io)(BlockNode *node, const BlockIo *io);
    /* False: it would block, and nothing was changed. */
    bool (*submit)(BlockNode *node, BlockRequest *request);
    int (*extent)(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent);
    bool (*resize)(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp);
    /* Users want these of the node; false leaves everything as it was. */
    bool (*set_perms)(BlockNode *node, unsigned perms, unsigned shared, Error **errp);
    /* What it wants of a child when it is asked for `*perms`; NULL: as is usual. */
    void (*child_perms)(BlockNode *node, const char *role, unsigned *perms, unsigned *shared);
    int64_t (*host_bytes)(BlockNode *node); /* what it takes on the host; negative: not known */
    void (*info)(BlockNode *node, BlockNodeInfo *info);
    bool (*set_backing)(BlockNode *node, const char *name, const char *format, Error **errp);
    int (*empty)(BlockNode *node);
    bool (*amend)(BlockNode *node, const BlockAmend *amend, Error **errp);
    uint64_t (*compressed_bytes)(BlockNode *node);
    /* Nobody writes any more: the image is as if it were closed. */
    int (*finish)(BlockNode *node);
    /* Another process had the image: what was read of it may not be so any more. */
    bool (*taken)(BlockNode *node, Error **errp);
    int (*check)(BlockNode *node, unsigned fixes, BlockCheck *result);
    int (*snapshot)(BlockNode *node, BlockSnapshotAct act, const char *id, const char *name);
    int (*snapshot_new)(BlockNode *node, const BlockSnapshotNew *new);
    /* A read or write of a machine's state, which has its own offsets; and its end. */
    int (*vm_state)(BlockNode *node, const BlockIo *io);
    int (*vm_state_drop)(BlockNode *node);
    void (*stats)(BlockNode *node, BlockStats *stats);
    /* Can a bitmap (block/bitmap.h) be kept in the image? NULL: none can. */
    bool (*bitmap_can_be_kept)(BlockNode *node, const char *name, uint64_t granularity,
                               Error **errp);
    /* Has the host copy between two of its files, without reading here; both are of this kind of
     * driver. -ENOTSUP: it cannot, and nothing was done. */
    int (*copy_range)(BlockNode *from, uint64_t from_at, BlockNode *to, uint64_t to_at,
                      uint64_t bytes);
    /* Something is about to happen to what it shows: what blkdebug waits for. Any thread. */
    void (*event)(BlockNode *node, BlkdebugEvent event);
    /* Somebody waits for its requests: none is held up, until it is told so as often again. */
    void (*hurry)(BlockNode *node, bool is_on);
} BlockDriver;

struct BlockNode {
    const BlockDriver *driver;
    char *name;
    unsigned refs;
    uint64_t bytes;          /* atomic: others read it while it changes */
    uint32_t alignment;
    char *filename;
    JsonObject *given;       /* its options, as its user says them */
    GPtrArray *children;     /* BlockLink, owned */
    GPtrArray *users;        /* BlockLink, borrowed */
    BlockNode *file, *backing; /* of the links of these roles, borrowed */
    unsigned perms, shared;  /* of all users */
    bool is_read_only, is_auto_read_only, is_shared, has_discard, is_direct, is_unsafe;
    bool is_clients;         /* made by a client, who holds a reference */
    bool is_turning_read_only; /* while it is opened anew */
    bool is_committing;      /* others may write to what is behind it */
    bool is_check;           /* opened to be looked at, in whatever state it is */
    BlockdevDetectZeroesOptions detect_zeroes;
    uint64_t highest_write;  /* atomic */
    struct BlockBitmaps *bitmaps; /* atomic; NULL: it never had any */
};

struct BlockLink {
    BlockNode *node, *owner; /* owner NULL: a drive, or a program */
    const char *role;
    char *user;
    unsigned perms, shared;
    bool is_inherited;       /* the node was made with its owner, and takes flags from it */
    void (*resized)(void *opaque);
    void *opaque;
};

static inline void block_event(BlockNode *node, BlkdebugEvent event)
{
    if (node->driver->event) {
        node->driver->event(node, event);
    }
}

/* --- file_create.c --- */

bool block_file_create(const BlockdevCreateOptions *options, Error **errp);

/* --- drivers.c --- */

extern const BlockDriver block_blkdebug, block_copy_on_read, block_file, block_host_device,
    block_null_aio, block_null_co, block_qcow2, block_raw, block_throttle;
/* NULL-ended. */
extern const BlockDriver *const block_drivers[];
const BlockDriver *block_driver_of(BlockdevDriver kind);
const BlockDriver *block_driver_find(const char *name);
/* The format that these bytes look like, raw at least. */
const BlockDriver *block_driver_probe(const uint8_t *head, size_t bytes, const char *filename);

/* --- filter.c: of filters --- */

/* Opens what it stands before. */
bool block_filter_open(BlockNode *node, const BlockdevRef *file, Error **errp);
/* It stands before another node. */
void block_filter_renew(BlockNode *node);
int block_filter_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent);
bool block_filter_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp);

/* --- graph.c --- */

/* Opens or finds what `ref` says as a child of `node`. */
bool block_node_attach(BlockNode *node, const char *role, const BlockdevRef *ref, Error **errp);
/* Takes over the reference to `child`. */
bool block_node_attach_node(BlockNode *node, const char *role, BlockNode *child, Error **errp);
void block_node_detach(BlockNode *node, const char *role);
/* Would `child` stand above itself? */
bool block_node_check_cycle(const BlockNode *node, const char *role, const BlockNode *child,
                            Error **errp);
/* What `role` leads to from now on; borrowed; NULL: nothing. Permissions are the caller's to
 * refresh, as they are where a link goes over to another node. */
void block_node_set_child(BlockNode *node, const char *role, BlockNode *child);
void block_link_move(BlockLink *link, BlockNode *to);
/* Does the child take flags from the node? */
bool block_node_inherits(const BlockNode *node, const char *role);
void block_node_set_inherits(BlockNode *node, const char *role, bool is_on);
/* `given` and what a child's definition does not say but takes from the node. Free it. */
BlockdevOptions *block_node_inherit(const BlockNode *node, const char *role,
                                    const BlockdevOptions *given);
/* Read-only, caches and the like. */
bool block_check_flags(const BlockdevOptions *options, Error **errp);
void block_node_take_flags(BlockNode *node, const BlockdevOptions *options);
/* Tells users of the node. */
void block_node_set_bytes(BlockNode *node, uint64_t bytes);
void block_node_set_filename(BlockNode *node, const char *filename);

/* Nodes that this thread opens have is_check set. */
void block_open_as_check(bool is_on);

/* --- permissions.c --- */

/* The node, or what is around it, changed: it wants other things of its children. */
bool block_node_refresh_perms(BlockNode *node, Error **errp);
/* The same of several, at once. */
bool block_nodes_refresh_perms(BlockNode *const *nodes, size_t count, Error **errp);

/* --- reopen.c --- */

/* For an act that the node's user did not ask to be able to do; children that were made with it
 * follow. No request is under way. */
bool block_node_set_read_only(BlockNode *node, bool is_on, Error **errp);

/* --- snapshot.c --- */

/* Nothing is left to be written: it may stay as it is from now on. */
bool block_node_finish(BlockNode *node, Error **errp);
/* Users of `node` get `new`, which stands before it; no request is under way. */
bool block_node_replace(BlockNode *node, BlockNode *new, Error **errp);
/* `node` becomes what is behind `overlay`, and read-only; its users get the overlay. */
bool block_snapshot(BlockNode *node, BlockNode *overlay, Error **errp);
/* A new reference to a node that takes what would be written to `node`, and is forgotten with the
 * process. NULL: it cannot be had. */
BlockNode *block_snapshot_temporary(BlockNode *node, Error **errp);

/* --- request.c --- */

/* Passes on to `node`, in a worker if it has to; `fn` is called in the loop when it has ended, and ends
 * the request itself. False: no room for another, or a driver that knows none of this; nothing was changed. */
bool block_request_forward(BlockRequest *request, BlockNode *node, BlockRequestHook *fn,
                           void *opaque);
bool block_request_can_forward(const BlockRequest *request, const BlockNode *node);
/* In its loop. */
void block_request_end(BlockRequest *request, int error);
/* Any thread: block_request_end() will be called in its loop. */
void block_request_end_soon(BlockRequest *request, int error);
/* For what would wait in the loop: a worker calls `fn`, whose result the request ends with, in its loop. */
typedef int BlockRequestLast(void *opaque, int error);
void block_request_end_by(BlockRequest *request, BlockRequestLast *fn, void *opaque, int error);
/* A worker does it as `node` blocks. */
void block_request_block(BlockRequest *request, BlockNode *node);

/* --- iov.c --- */

/* `bytes` at `skip` of a list, as another list of at most `max` pieces; how many. */
unsigned block_iov_part(const BlockIo *io, uint64_t skip, uint64_t bytes, struct iovec *part,
                        unsigned max);
void block_iov_to_buf(const BlockIo *io, uint64_t skip, void *buf, size_t bytes);
void block_iov_from_buf(const BlockIo *io, uint64_t skip, const void *buf, size_t bytes);
void block_iov_zero(const BlockIo *io, uint64_t skip, uint64_t bytes);
bool block_iov_is_zero(const BlockIo *io);
bool block_is_zero(const void *buf, size_t bytes);
/* `io`'s bytes from `skip` on, to or from `offset` of `node`; blocking. */
int block_io_part(BlockNode *node, const BlockIo *io, uint64_t skip, uint64_t bytes,
                  uint64_t offset);

#endif
