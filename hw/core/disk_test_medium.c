/*
 * See hw/core/disk_test_medium.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/disk_test_medium.h"
#include "util/byte_order.h"

static void perform(TestMedium *medium, DiskRequest *request)
{
    uint8_t *at = medium->bytes + request->sector * DISK_SECTOR_BYTES;
    size_t bytes = request->sectors * DISK_SECTOR_BYTES;

    if (!medium->error) {
        switch (request->op) {
        case DISK_OP_READ:
            memcpy(request->buf, at, bytes);
            break;
        case DISK_OP_WRITE:
            memcpy(at, request->buf, bytes);
            break;
        case DISK_OP_FLUSH:
            medium->flushes++;
            break;
        case DISK_OP_DISCARD:
            medium->discards++;
            memset(at, 0, bytes);
            break;
        }
    }
    request->done(request, medium->error);
}

static void submit(DiskMedium *parent, DiskRequest *request)
{
    TestMedium *medium = container_of(parent, TestMedium, parent);

    if (request->op != DISK_OP_FLUSH) {
        g_assert_cmpuint(request->sector + request->sectors, <=, parent->sectors);
    }
    if (!medium->is_deferred) {
        perform(medium, request);
        return;
    }
    g_assert_cmpuint(medium->queued, <, TEST_MEDIUM_QUEUE);
    medium->queue[medium->queued++] = request;
}

static void cancel(DiskMedium *parent)
{
    container_of(parent, TestMedium, parent)->queued = 0;
}

static const DiskMediumOps ops = { .submit = submit, .cancel = cancel };

void test_medium_init(TestMedium *medium, uint64_t sectors)
{
    *medium = (TestMedium){ .parent = { &ops, sectors }, };
    medium->bytes = g_malloc0(sectors * DISK_SECTOR_BYTES);
    for (uint64_t n = 0; n < sectors; n++) {
        for (unsigned i = 0; i < DISK_SECTOR_BYTES; i += 4) {
            store_le32(medium->bytes + n * DISK_SECTOR_BYTES + i, n);
        }
    }
}

void test_medium_clear(TestMedium *medium)
{
    g_clear_pointer(&medium->bytes, g_free);
}

void test_medium_answer(TestMedium *medium)
{
    DiskRequest *queue[TEST_MEDIUM_QUEUE];
    unsigned count = medium->queued;

    memcpy(queue, medium->queue, sizeof(queue));
    medium->queued = 0;
    for (unsigned i = 0; i < count; i++) {
        perform(medium, queue[i]);
    }
}
