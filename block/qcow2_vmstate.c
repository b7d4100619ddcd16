/*
 * The state of a machine in a qcow2 image: behind the guest's disk, from the next L2 table on. A
 * snapshot that is made then keeps it. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2_snapshot.h"

static unsigned table_bits(const BlockQcow2 *image)
{
    return image->cluster_bits + image->l2_bits;
}

static uint64_t first_byte(const BlockQcow2 *image)
{
    return ROUND_UP(image->header.bytes, BIT64(table_bits(image)));
}

/* With room for more than is asked for: it comes in pieces. */
static int make_room(BlockQcow2 *image, uint64_t end)
{
    uint64_t needed = ROUND_UP(end, BIT64(table_bits(image))) >> table_bits(image);
    int err;

    if (needed <= image->header.l1_entries) {
        return 0;
    }
    qcow2_enter_alone(image);
    err = qcow2_grow_l1(image, MAX(needed, image->header.l1_entries + image->cluster / 64));
    qcow2_leave_alone(image);
    return err;
}

int qcow2_vm_state(BlockNode *node, const BlockIo *io)
{
    BlockQcow2 *image = qcow2_of(node);
    BlockIo behind = *io;
    bool is_write = io->op == BLOCK_WRITE;
    int err;

    if (image->has_data_file) {
        return -ENOTSUP;
    }
    behind.offset += first_byte(image);
    err = is_write ? make_room(image, behind.offset + io->bytes) : 0;
    if (!is_write && behind.offset + io->bytes >
                         (uint64_t)image->header.l1_entries << table_bits(image)) {
        return -EIO;
    }
    block_event(image->parent.file, is_write ? BLKDEBUG_EVENT_VMSTATE_SAVE :
                                               BLKDEBUG_EVENT_VMSTATE_LOAD);
    return err ? err : qcow2_io(node, &behind);
}

int qcow2_vm_state_drop(BlockNode *node)
{
    BlockQcow2 *image = qcow2_of(node);
    uint64_t end = (uint64_t)image->header.l1_entries << table_bits(image);
    uint64_t first = first_byte(image);
    int err = 0;

    if (first < end) {
        qcow2_enter_alone(image);
        err = qcow2_drop(image, first, end);
        qcow2_leave_alone(image);
    }
    err = err ? err : qcow2_sync(image);
    return err ? err : qcow2_sync(image); /* counts that shrink */
}
