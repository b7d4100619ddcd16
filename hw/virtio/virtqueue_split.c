/*
 * Split virtqueues (virtio 1.3, 2.7): a table of descriptors, a ring of heads that are available,
 * a ring of those that were used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtqueue_parts.h"

/* Both rings begin with flags and an index and end with the other side's event. */
#define RING_FLAGS 0
#define RING_INDEX 2
#define RING_ROWS  4
#define AVAIL_ROW_BYTES 2
#define USED_ROW_BYTES  8

static uint64_t split_area_bytes(const VirtQueue *vq, VirtQueueArea area)
{
    unsigned event_bytes = virtqueue_has_event_idx(vq) ? 2 : 0;

    switch (area) {
    case VIRTQUEUE_DESC:
        return (uint64_t)vq->size * VIRTQ_DESC_BYTES;
    case VIRTQUEUE_DRIVER:
        return RING_ROWS + AVAIL_ROW_BYTES * (uint64_t)vq->size + event_bytes;
    default:
        return RING_ROWS + USED_ROW_BYTES * (uint64_t)vq->size + event_bytes;
    }
}

/* How many heads wait; none, too, when the driver's index cannot be. */
static unsigned available(VirtQueue *vq)
{
    uint64_t index;
    uint16_t count;

    if (!virtqueue_load(vq, VIRTQUEUE_DRIVER, RING_INDEX, 2, &index)) {
        return 0;
    }
    count = index - vq->next;
    if (count > vq->size) {
        virtio_error(vq->vdev, "queue %u: available index %u is more than %u ahead of %u",
                     vq->index, (unsigned)index, vq->size, vq->next);
        return 0;
    }
    return count;
}

static bool split_is_empty(VirtQueue *vq)
{
    return !available(vq);
}

static bool add_chain(VirtQueue *vq, VirtQueueElement *elem)
{
    uint16_t n = elem->id;

    for (unsigned count = 0; count < vq->size; count++) {
        VirtqDesc desc;

        if (!virtqueue_load_desc(vq, n, &desc)) {
            return false;
        }
        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            return virtqueue_add_table(elem, &desc, true);
        }
        if (!virtqueue_add_desc(elem, &desc)) {
            return false;
        }
        if (!(desc.flags & VIRTQ_DESC_F_NEXT)) {
            return true;
        }
        n = desc.next;
        if (n >= vq->size) {
            virtio_error(vq->vdev, "queue %u: descriptor %u of %u", vq->index, n, vq->size);
            return false;
        }
    }
    virtio_error(vq->vdev, "queue %u: a chain of descriptors without an end", vq->index);
    return false;
}

static void show_event(VirtQueue *vq)
{
    if (virtqueue_has_event_idx(vq) && !vq->is_kicks_off) {
        virtqueue_store(vq, VIRTQUEUE_DEVICE, RING_ROWS + USED_ROW_BYTES * (uint64_t)vq->size, 2,
                        vq->next);
    }
}

static bool split_pop(VirtQueue *vq, VirtQueueElement *elem)
{
    uint64_t head;

    if (!available(vq)) {
        return false;
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* rows were written before the index */
    if (!virtqueue_load(vq, VIRTQUEUE_DRIVER,
                        RING_ROWS + AVAIL_ROW_BYTES * (uint64_t)(vq->next % vq->size), 2, &head)) {
        return false;
    }
    if (head >= vq->size) {
        virtio_error(vq->vdev, "queue %u: head %u of %u", vq->index, (unsigned)head, vq->size);
        return false;
    }
    elem->id = head;
    elem->descriptors = 1;
    if (!add_chain(vq, elem)) {
        return false;
    }
    vq->next++;
    show_event(vq);
    return true;
}

static void split_unpop(VirtQueue *vq, const VirtQueueElement *elem)
{
    vq->next--;
}

static void split_push(VirtQueue *vq, const Completion *done)
{
    uint64_t row = RING_ROWS + USED_ROW_BYTES * (uint64_t)(vq->used % vq->size);

    if (virtqueue_store(vq, VIRTQUEUE_DEVICE, row, 4, done->id) &&
        virtqueue_store(vq, VIRTQUEUE_DEVICE, row + 4, 4, done->written)) {
        __atomic_thread_fence(__ATOMIC_RELEASE);
        vq->used++;
        virtqueue_store(vq, VIRTQUEUE_DEVICE, RING_INDEX, 2, vq->used);
    }
}

static bool split_wants_interrupt(VirtQueue *vq)
{
    uint64_t flags, event;

    if (virtio_has_feature(vq->vdev, VIRTIO_F_NOTIFY_ON_EMPTY) && vq->popped == vq->completed &&
        split_is_empty(vq)) {
        return true;
    }
    if (vq->used == vq->notified) {
        return false;
    }
    if (!virtqueue_has_event_idx(vq)) {
        return virtqueue_load(vq, VIRTQUEUE_DRIVER, RING_FLAGS, 2, &flags) &&
               !(flags & VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
    return virtqueue_load(vq, VIRTQUEUE_DRIVER, RING_ROWS + AVAIL_ROW_BYTES * (uint64_t)vq->size,
                          2, &event) &&
           virtqueue_event_passed(event, vq->used, vq->notified);
}

static void split_set_kicks(VirtQueue *vq, bool is_on)
{
    if (virtqueue_has_event_idx(vq)) {
        show_event(vq); /* an event left behind is as good as none */
    } else {
        virtqueue_store(vq, VIRTQUEUE_DEVICE, RING_FLAGS, 2, is_on ? 0 : VIRTQ_USED_F_NO_NOTIFY);
    }
}

const RingFormat virtqueue_split = {
    .area_bytes = split_area_bytes,
    .is_empty = split_is_empty,
    .pop = split_pop,
    .unpop = split_unpop,
    .push = split_push,
    .wants_interrupt = split_wants_interrupt,
    .set_kicks = split_set_kicks,
};
