/*
 * Packed virtqueues (virtio 1.3, 2.8): one ring of descriptors that driver and device write in
 * turn; two flags against a wrap counter say whose turn it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtqueue_parts.h"

/* Event suppression: a place with its wrap counter in bit 15, and flags. */
#define EVENT_PLACE 0
#define EVENT_FLAGS 2
#define EVENT_BYTES 4

#define DESC_LENGTH 8
#define DESC_ID     12
#define DESC_FLAGS  14

static uint64_t packed_area_bytes(const VirtQueue *vq, VirtQueueArea area)
{
    return area == VIRTQUEUE_DESC ? (uint64_t)vq->size * VIRTQ_DESC_BYTES : EVENT_BYTES;
}

static void advance(const VirtQueue *vq, uint16_t *place, bool *wrap, uint16_t count)
{
    *place += count;
    if (*place >= vq->size) {
        *place -= vq->size;
        *wrap = !*wrap;
    }
}

static bool is_available(uint16_t flags, bool wrap)
{
    return !!(flags & VIRTQ_DESC_F_AVAIL) == wrap && !!(flags & VIRTQ_DESC_F_USED) != wrap;
}

static bool packed_is_empty(VirtQueue *vq)
{
    uint64_t flags;

    return !virtqueue_load(vq, VIRTQUEUE_DESC,
                           (uint64_t)vq->next * VIRTQ_DESC_BYTES + DESC_FLAGS, 2, &flags) ||
           !is_available(flags, vq->next_wrap);
}

/* The id is in the last descriptor of a chain. */
static bool add_chain(VirtQueue *vq, VirtQueueElement *elem)
{
    uint16_t n = vq->next;
    bool wrap = vq->next_wrap;

    for (elem->descriptors = 1; elem->descriptors <= vq->size; elem->descriptors++) {
        VirtqDesc desc;

        if (!virtqueue_load_desc(vq, n, &desc)) {
            return false;
        }
        elem->id = desc.next;
        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            return virtqueue_add_table(elem, &desc, false);
        }
        if (!virtqueue_add_desc(elem, &desc)) {
            return false;
        }
        if (!(desc.flags & VIRTQ_DESC_F_NEXT)) {
            return true;
        }
        advance(vq, &n, &wrap, 1);
    }
    virtio_error(vq->vdev, "queue %u: a chain of descriptors without an end", vq->index);
    return false;
}

static void store_event(VirtQueue *vq)
{
    unsigned flags = vq->is_kicks_off ? RING_EVENT_FLAGS_DISABLE :
                     virtqueue_has_event_idx(vq) ? RING_EVENT_FLAGS_DESC :
                                                   RING_EVENT_FLAGS_ENABLE;

    if (flags == RING_EVENT_FLAGS_DESC) {
        virtqueue_store(vq, VIRTQUEUE_DEVICE, EVENT_PLACE, 2, vq->next | vq->next_wrap << 15);
        __atomic_thread_fence(__ATOMIC_RELEASE);
    }
    virtqueue_store(vq, VIRTQUEUE_DEVICE, EVENT_FLAGS, 2, flags);
}

static bool packed_pop(VirtQueue *vq, VirtQueueElement *elem)
{
    if (packed_is_empty(vq)) {
        return false;
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* the rest was written before the flags */
    if (!add_chain(vq, elem)) {
        return false;
    }
    advance(vq, &vq->next, &vq->next_wrap, elem->descriptors);
    if (virtqueue_has_event_idx(vq) && !vq->is_kicks_off) {
        store_event(vq);
    }
    return true;
}

static void packed_unpop(VirtQueue *vq, const VirtQueueElement *elem)
{
    if (vq->next < elem->descriptors) {
        vq->next += vq->size;
        vq->next_wrap = !vq->next_wrap;
    }
    vq->next -= elem->descriptors;
}

static void packed_push(VirtQueue *vq, const Completion *done)
{
    uint64_t at = (uint64_t)vq->used_at * VIRTQ_DESC_BYTES;
    uint16_t flags = (vq->used_wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0) |
                     (done->written ? VIRTQ_DESC_F_WRITE : 0);

    if (virtqueue_store(vq, VIRTQUEUE_DESC, at + DESC_ID, 2, done->id) &&
        virtqueue_store(vq, VIRTQUEUE_DESC, at + DESC_LENGTH, 4, done->written)) {
        __atomic_thread_fence(__ATOMIC_RELEASE);
        virtqueue_store(vq, VIRTQUEUE_DESC, at + DESC_FLAGS, 2, flags);
        vq->used += done->descriptors;
        advance(vq, &vq->used_at, &vq->used_wrap, done->descriptors);
    }
}

/* The driver's place, as `used` counts: on this lap of the ring or on the one before. */
static uint16_t event_count(const VirtQueue *vq, uint16_t place)
{
    uint16_t lap = vq->used - vq->used_at;

    if ((place >> 15) != vq->used_wrap) {
        lap -= vq->size;
    }
    return lap + (place & 0x7fff);
}

static bool packed_wants_interrupt(VirtQueue *vq)
{
    uint64_t flags, place;

    if (!virtqueue_load(vq, VIRTQUEUE_DRIVER, EVENT_FLAGS, 2, &flags)) {
        return false;
    }
    if ((flags & 3) != RING_EVENT_FLAGS_DESC || !virtqueue_has_event_idx(vq)) {
        return (flags & 3) != RING_EVENT_FLAGS_DISABLE;
    }
    return virtqueue_load(vq, VIRTQUEUE_DRIVER, EVENT_PLACE, 2, &place) &&
           virtqueue_event_passed(event_count(vq, place), vq->used, vq->notified);
}

static void packed_set_kicks(VirtQueue *vq, bool is_on)
{
    store_event(vq);
}

const RingFormat virtqueue_packed = {
    .area_bytes = packed_area_bytes,
    .is_empty = packed_is_empty,
    .pop = packed_pop,
    .unpop = packed_unpop,
    .push = packed_push,
    .wants_interrupt = packed_wants_interrupt,
    .set_kicks = packed_set_kicks,
};
