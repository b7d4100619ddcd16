/*
 * Lists of pieces of memory: see block/driver.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

#define PART_PIECES 64

unsigned block_iov_part(const BlockIo *io, uint64_t skip, uint64_t bytes, struct iovec *part,
                        unsigned max)
{
    unsigned count = 0;

    for (unsigned i = 0; i < io->iov_count && bytes; i++) {
        uint64_t length = io->iov[i].iov_len;

        if (skip >= length) {
            skip -= length;
            continue;
        }
        if (count == max) {
            return 0;
        }
        length = MIN(length - skip, bytes);
        part[count++] = (struct iovec){ (char *)io->iov[i].iov_base + skip, length };
        bytes -= length;
        skip = 0;
    }
    return count;
}

typedef void PieceFn(char *piece, uint64_t bytes, void *opaque);

static void each_piece(const BlockIo *io, uint64_t skip, uint64_t bytes, PieceFn *fn, void *opaque)
{
    for (unsigned i = 0; i < io->iov_count && bytes; i++) {
        uint64_t length = io->iov[i].iov_len;

        if (skip >= length) {
            skip -= length;
            continue;
        }
        length = MIN(length - skip, bytes);
        fn((char *)io->iov[i].iov_base + skip, length, opaque);
        bytes -= length;
        skip = 0;
    }
}

static void copy_out(char *piece, uint64_t bytes, void *opaque)
{
    char **at = opaque;

    memcpy(*at, piece, bytes);
    *at += bytes;
}

static void copy_in(char *piece, uint64_t bytes, void *opaque)
{
    const char **at = opaque;

    memcpy(piece, *at, bytes);
    *at += bytes;
}

static void clear(char *piece, uint64_t bytes, void *opaque)
{
    memset(piece, 0, bytes);
}

void block_iov_to_buf(const BlockIo *io, uint64_t skip, void *buf, size_t bytes)
{
    each_piece(io, skip, bytes, copy_out, &buf);
}

void block_iov_from_buf(const BlockIo *io, uint64_t skip, const void *buf, size_t bytes)
{
    each_piece(io, skip, bytes, copy_in, &buf);
}

void block_iov_zero(const BlockIo *io, uint64_t skip, uint64_t bytes)
{
    each_piece(io, skip, bytes, clear, NULL);
}

bool block_is_zero(const void *buf, size_t bytes)
{
    const char *at = buf;

    /* Equal to itself one byte on, and the first is zero. */
    return !bytes || (!at[0] && !memcmp(at, at + 1, bytes - 1));
}

bool block_iov_is_zero(const BlockIo *io)
{
    for (unsigned i = 0; i < io->iov_count; i++) {
        if (!block_is_zero(io->iov[i].iov_base, io->iov[i].iov_len)) {
            return false;
        }
    }
    return true;
}

static int io_bounced(BlockNode *node, const BlockIo *io, uint64_t skip, BlockIo *part)
{
    g_autofree char *buf = g_try_malloc(part->bytes);
    struct iovec iov = { buf, part->bytes };
    int err;

    if (!buf) {
        return -ENOMEM;
    }
    part->iov = &iov;
    part->iov_count = 1;
    if (io->op == BLOCK_WRITE) {
        block_iov_to_buf(io, skip, buf, part->bytes);
    }
    err = block_io(node, part);
    if (!err && io->op == BLOCK_READ) {
        block_iov_from_buf(io, skip, buf, part->bytes);
    }
    return err;
}

int block_io_part(BlockNode *node, const BlockIo *io, uint64_t skip, uint64_t bytes,
                  uint64_t offset)
{
    struct iovec pieces[PART_PIECES];
    BlockIo part = { io->op, io->flags, offset, bytes, pieces, 0 };

    if (io->op != BLOCK_READ && io->op != BLOCK_WRITE) {
        return block_io(node, &part);
    }
    part.iov_count = block_iov_part(io, skip, bytes, pieces, PART_PIECES);
    return part.iov_count ? block_io(node, &part) : io_bounced(node, io, skip, &part);
}
