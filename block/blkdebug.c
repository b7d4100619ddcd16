/*
 * blkdebug: a filter whose requests fail when its rules say so, and that wants requests of other
 * sizes and places than what is below: what users need not see an image fail for.
 *
 * Left out: suspending requests at an event.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/blkdebug.h"

#include "block/gate.h"

typedef struct BlkdebugNode {
    BlockNode parent;
    BlkdebugRules rules;
    BlockGate gate;         /* read-modify-write is alone */
    uint64_t most;          /* bytes of a read or write */
    uint64_t zero_align, zero_most, discard_align, discard_most;
} BlkdebugNode;

/* --- limits --- */

static bool refuse(const char *name, int64_t value, Error **errp)
{
    return error_set(errp, "Cannot meet constraints with %s %" PRId64, name, value);
}

static bool take_align(BlkdebugNode *debug, const BlockdevOptionsBlkdebug *own, Error **errp)
{
    BlockNode *node = &debug->parent;

    if (own->has_align &&
        (!own->align || own->align >= INT_MAX || own->align & (own->align - 1) ||
         own->align < node->file->alignment)) {
        return refuse("align", own->align, errp);
    }
    node->alignment = own->align ? own->align : node->file->alignment;
    return true;
}

typedef struct Limit {
    const char *name;
    int64_t given;
    uint64_t *value, of; /* a multiple of this; absent: as it is */
} Limit;

static bool take_limits(BlkdebugNode *debug, const BlockdevOptionsBlkdebug *own, Error **errp)
{
    uint64_t align = debug->parent.alignment;
    const Limit limits[] = {
        { "max-transfer", own->max_transfer, &debug->most, align },
        { "opt-write-zero", own->opt_write_zero, &debug->zero_align, align },
        { "max-write-zero", own->max_write_zero, &debug->zero_most,
          MAX((uint64_t)MAX(own->opt_write_zero, 0), align) },
        { "opt-discard", own->opt_discard, &debug->discard_align, align },
        { "max-discard", own->max_discard, &debug->discard_most,
          MAX((uint64_t)MAX(own->opt_discard, 0), align) },
    };

    debug->zero_align = debug->discard_align = align;
    debug->most = debug->zero_most = debug->discard_most = ROUND_DOWN((uint64_t)INT64_MAX, align);
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        if (limits[i].given < 0 || limits[i].given % limits[i].of) {
            return refuse(limits[i].name, limits[i].given, errp);
        }
        if (limits[i].given) {
            *limits[i].value = limits[i].given;
        }
    }
    return true;
}

/* --- life --- */

static bool blkdebug_open(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    const BlockdevOptionsBlkdebug *own = &options->u.blkdebug;
    BlkdebugNode *debug = (BlkdebugNode *)node;

    if (!block_filter_open(node, own->image, errp) || !take_align(debug, own, errp) ||
        !take_limits(debug, own, errp) || !blkdebug_rules_init(&debug->rules, own, errp)) {
        return false;
    }
    block_gate_init(&debug->gate);
    if (!own->inject_error && !own->set_state) {
        node->filename = g_strdup_printf("blkdebug:%s:%s", own->config ? own->config : "",
                                         block_node_filename(node->file));
    }
    return true;
}

static void blkdebug_close(BlockNode *node)
{
    BlkdebugNode *debug = (BlkdebugNode *)node;

    blkdebug_rules_clear(&debug->rules);
    block_gate_clear(&debug->gate);
}

static void blkdebug_event(BlockNode *node, BlkdebugEvent event)
{
    blkdebug_rules_event(&((BlkdebugNode *)node)->rules, event);
}

/* --- requests --- */

static int check(BlkdebugNode *debug, const BlockIo *io)
{
    static const BlkdebugIOType types[] = {
        [BLOCK_READ] = BLKDEBUG_IO_TYPE_READ, [BLOCK_WRITE] = BLKDEBUG_IO_TYPE_WRITE,
        [BLOCK_ZERO] = BLKDEBUG_IO_TYPE_WRITE_ZEROES,
        [BLOCK_DISCARD] = BLKDEBUG_IO_TYPE_DISCARD, [BLOCK_FLUSH] = BLKDEBUG_IO_TYPE_FLUSH,
    };

    return blkdebug_rules_check(&debug->rules, types[io->op], io->offset, io->bytes);
}

/* Pieces of at most `most` bytes. */
static int split(BlkdebugNode *debug, const BlockIo *io, uint64_t most)
{
    int err = 0;

    for (uint64_t done = 0, bytes; done < io->bytes && !err; done += bytes) {
        BlockIo part = { io->op, io->flags, io->offset + done, 0, NULL, 0 };

        bytes = part.bytes = MIN(io->bytes - done, most);
        err = check(debug, &part);
        if (!err) {
            err = io->op == BLOCK_READ || io->op == BLOCK_WRITE ?
                      block_io_part(debug->parent.file, io, done, bytes, part.offset) :
                      block_io(debug->parent.file, &part);
        }
    }
    return err;
}

/* Whole blocks are read; a write changes its bytes in them. Alone. */
static int through_blocks(BlkdebugNode *debug, const BlockIo *io)
{
    BlockNode *node = &debug->parent;
    uint64_t first = ROUND_DOWN(io->offset, node->alignment), end = io->offset + io->bytes;
    uint64_t bytes = MIN(ROUND_UP(end, node->alignment), MAX(end, block_node_bytes(node))) - first;
    g_autofree char *blocks = g_try_malloc(bytes);
    struct iovec iov = { blocks, bytes };
    BlockIo whole = { BLOCK_READ, io->flags, first, bytes, &iov, 1 };
    int err;

    if (!blocks) {
        return -ENOMEM;
    }
    if (io->op == BLOCK_WRITE) {
        block_event(node, BLKDEBUG_EVENT_PWRITEV_RMW_HEAD);
    }
    err = split(debug, &whole, debug->most);
    if (err || io->op == BLOCK_READ) {
        block_iov_from_buf(io, 0, blocks + io->offset - first, err ? 0 : io->bytes);
        return err;
    }
    block_event(node, BLKDEBUG_EVENT_PWRITEV_RMW_AFTER_HEAD);
    block_iov_to_buf(io, 0, blocks + io->offset - first, io->bytes);
    whole.op = BLOCK_WRITE;
    return split(debug, &whole, debug->most);
}

static int read_or_write(BlkdebugNode *debug, const BlockIo *io)
{
    int err;

    if ((io->offset | io->bytes) & (debug->parent.alignment - 1)) {
        block_gate_enter_alone(&debug->gate);
        err = through_blocks(debug, io);
        block_gate_leave_alone(&debug->gate);
    } else {
        block_gate_enter(&debug->gate);
        err = split(debug, io, debug->most);
        block_gate_leave(&debug->gate);
    }
    return err;
}

static int blkdebug_io(BlockNode *node, const BlockIo *io)
{
    BlkdebugNode *debug = (BlkdebugNode *)node;
    int err;

    switch (io->op) {
    case BLOCK_READ:
    case BLOCK_WRITE:
        return read_or_write(debug, io);
    case BLOCK_ZERO:
        return (io->offset | io->bytes) % debug->zero_align ? -ENOTSUP :
                                                              split(debug, io, debug->zero_most);
    case BLOCK_DISCARD:
        return (io->offset | io->bytes) % debug->discard_align ? 0 :
                                                                 split(debug, io,
                                                                       debug->discard_most);
    default:
        err = check(debug, io);
        return err ? err : block_flush(node->file);
    }
}

static int blkdebug_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent)
{
    int err = blkdebug_rules_check(&((BlkdebugNode *)node)->rules, BLKDEBUG_IO_TYPE_BLOCK_STATUS,
                                   offset, bytes);

    return err ? err : block_filter_extent(node, offset, bytes, extent);
}

const BlockDriver block_blkdebug = {
    .name = "blkdebug", .kind = BLOCKDEV_DRIVER_BLKDEBUG, .size = sizeof(BlkdebugNode),
    .is_filter = true, .is_protocol = true, .open = blkdebug_open, .close = blkdebug_close,
    .io = blkdebug_io, .event = blkdebug_event, .extent = blkdebug_extent,
    .resize = block_filter_resize,
};
