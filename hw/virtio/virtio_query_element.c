/*
 * x-query-virtio-queue-element: a buffer in a split ring. It only looks: what a driver got wrong is told,
 * and breaks nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_names.h"
#include "virtqueue_parts.h"

#include "qapi/qapi-commands-virtio.h"

/* Of both rings. */
#define RING_FLAGS 0
#define RING_INDEX 2
#define RING_ROWS  4

static bool peek(VirtQueue *vq, uint64_t addr, void *buf, size_t bytes, Error **errp)
{
    return dma_read(virtio_dma_space(vq->vdev), addr, virtio_dma_attrs(vq->vdev), buf, bytes) == MEM_TX_OK ||
           error_set(errp, "the queue's memory at 0x%" PRIx64 " cannot be read", addr);
}

static bool peek_word(VirtQueue *vq, VirtQueueArea area, uint64_t at, uint16_t *value, Error **errp)
{
    uint8_t raw[2];

    if (!peek(vq, vq->addr[area] + at, raw, sizeof(raw), errp)) {
        return false;
    }
    *value = virtio_get(vq->vdev, raw, sizeof(raw));
    return true;
}

static VirtioRingDesc *describe(const VirtqDesc *desc)
{
    static const char *const names[] = { "next", "write", "indirect" };
    VirtioRingDesc *row = g_new0(VirtioRingDesc, 1);

    row->addr = desc->addr;
    row->len = desc->bytes;
    row->flags = g_new0(StrArray, 1);
    for (unsigned bit = 0; bit < ARRAY_SIZE(names); bit++) {
        if (desc->flags & BIT(bit)) {
            str_array_add(row->flags, g_strdup(names[bit]));
        }
    }
    return row;
}

/* A table of descriptors: the queue's, or an indirect one. */
typedef struct Table {
    uint64_t addr;
    uint32_t rows;
    bool is_indirect;
} Table;

static bool enter(Table *table, const VirtqDesc *desc, Error **errp)
{
    uint32_t rows = desc->bytes / VIRTQ_DESC_BYTES;

    if (table->is_indirect || !rows || rows > VIRTIO_MAX_QUEUE_SIZE) {
        return error_set(errp, "an indirect table of %" PRIu32 " bytes %s", desc->bytes,
                         table->is_indirect ? "in another" : "cannot be");
    }
    *table = (Table){ desc->addr, rows, true };
    return true;
}

/* To its end, or as long as a chain can be. */
static bool collect(VirtQueue *vq, uint16_t head, GPtrArray *found, Error **errp)
{
    Table table = { vq->addr[VIRTQUEUE_DESC], vq->size };
    uint32_t n = head;

    while (found->len < table.rows) {
        uint8_t raw[VIRTQ_DESC_BYTES];
        VirtqDesc desc;

        if (n >= table.rows) {
            return error_set(errp, "descriptor %" PRIu32 " of %" PRIu32, n, table.rows);
        }
        if (!peek(vq, table.addr + (uint64_t)n * VIRTQ_DESC_BYTES, raw, sizeof(raw), errp)) {
            return false;
        }
        desc = virtqueue_parse_desc(vq->vdev, raw);
        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            if (!enter(&table, &desc, errp)) {
                return false;
            }
            n = 0;
            continue;
        }
        g_ptr_array_add(found, describe(&desc));
        if (!(desc.flags & VIRTQ_DESC_F_NEXT)) {
            return true;
        }
        n = desc.next;
    }
    return true;
}

/* The peer's order is the last one first. */
static bool add_descriptors(VirtQueue *vq, VirtioQueueElement *e, Error **errp)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    bool is_ok = collect(vq, e->index, found, errp);

    e->descs = g_new0(VirtioRingDescArray, 1);
    for (guint i = found->len; i > 0; i--) {
        virtio_ring_desc_array_add(e->descs, found->pdata[i - 1]);
    }
    return is_ok;
}

static bool fill(VirtQueue *vq, uint16_t place, VirtioQueueElement *e, Error **errp)
{
    e->name = virtio_kind_name(virtio_ops(vq->vdev)->virtio_id);
    e->avail = g_new0(VirtioRingAvail, 1);
    e->used = g_new0(VirtioRingUsed, 1);
    if (!peek_word(vq, VIRTQUEUE_DRIVER, RING_FLAGS, &e->avail->flags, errp) ||
        !peek_word(vq, VIRTQUEUE_DRIVER, RING_INDEX, &e->avail->idx, errp) ||
        !peek_word(vq, VIRTQUEUE_DRIVER, RING_ROWS + 2 * (place % vq->size), &e->avail->ring, errp) ||
        !peek_word(vq, VIRTQUEUE_DEVICE, RING_FLAGS, &e->used->flags, errp) ||
        !peek_word(vq, VIRTQUEUE_DEVICE, RING_INDEX, &e->used->idx, errp)) {
        return false;
    }
    e->index = e->avail->ring;
    return add_descriptors(vq, e, errp);
}

VirtioQueueElement *qmp_x_query_virtio_queue_element(const char *path, uint16_t queue, bool has_index,
                                                     uint16_t index, Error **errp)
{
    VirtQueue *vq = virtio_query_queue(path, queue, errp);
    VirtioQueueElement *e;

    if (!vq) {
        return NULL;
    }
    if (!vq->is_enabled || vq->format != &virtqueue_split) {
        error_set(errp, vq->is_enabled ? "Queue %u is packed: its buffers are in no such ring" :
                                         "Queue %u is not in use", queue);
        return NULL;
    }
    e = g_new0(VirtioQueueElement, 1);
    if (!fill(vq, has_index ? index : vq->next, e, errp)) {
        virtio_queue_element_free(e);
        return NULL;
    }
    return e;
}
