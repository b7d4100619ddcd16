/*
 * A virtqueue's insides: what its two ring formats share. See hw/virtio/virtqueue.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTQUEUE_PARTS_H
#define HW_VIRTIO_VIRTQUEUE_PARTS_H

#include "hw/virtio/virtio_transport.h"
#include "system/memory_cache.h"

#define VIRTQUEUE_AREAS 3

/* What was pushed out of order, until its turn comes (IN_ORDER). */
typedef struct Completion {
    bool is_done;
    uint16_t id, descriptors;
    uint32_t written;
} Completion;

typedef struct RingFormat RingFormat;

struct VirtQueue {
    VirtioDevice *vdev;
    VirtQueueFn *kicked;
    DeviceWork *work;    /* NULL: kicks are served at once */
    uint16_t index;
    uint16_t max_size;
    /* as the driver set them */
    uint16_t size;
    uint16_t vector;
    uint32_t align;      /* legacy: of the device's part */
    uint64_t addr[VIRTQUEUE_AREAS];
    bool is_enabled;
    /* positions */
    uint16_t next;       /* split: counts on, as the ring's indices; packed: a place in the ring */
    bool next_wrap;      /* packed: the wrap counter there */
    uint16_t used;       /* descriptors (packed) or buffers (split) given back; counts on */
    uint16_t used_at;    /* packed: place of the next used descriptor */
    bool used_wrap;
    uint16_t notified;   /* `used` when the driver was last interrupted */
    bool is_kicks_off;
    bool was_kicked_early; /* before DRIVER_OK, which some drivers do for their first buffers */
    /* what is out */
    uint32_t popped, completed; /* buffers; count on */
    uint32_t epoch;      /* a reset makes another */
    Completion *order;   /* IN_ORDER: `size` of them, by number */
    /* where it is */
    const RingFormat *format;
    MemoryCache areas[VIRTQUEUE_AREAS];
    bool is_mapped;
};

/* A descriptor, read once. */
typedef struct VirtqDesc {
    uint64_t addr;
    uint32_t bytes;
    uint16_t flags;
    uint16_t next; /* split: of the chain; packed: the buffer's id */
} VirtqDesc;

/* What differs. `pop` fills id, descriptors and lists, and advances. */
struct RingFormat {
    uint64_t (*area_bytes)(const VirtQueue *vq, VirtQueueArea area);
    bool (*is_empty)(VirtQueue *vq);
    bool (*pop)(VirtQueue *vq, VirtQueueElement *elem);
    void (*unpop)(VirtQueue *vq, const VirtQueueElement *elem);
    void (*push)(VirtQueue *vq, const Completion *done);
    bool (*wants_interrupt)(VirtQueue *vq);
    void (*set_kicks)(VirtQueue *vq, bool is_on);
};
extern const RingFormat virtqueue_split, virtqueue_packed;

/* Integers in an area, in the ring's byte order. False: the device is broken now. */
bool virtqueue_load(VirtQueue *vq, VirtQueueArea area, uint64_t at, unsigned bytes,
                    uint64_t *value);
bool virtqueue_store(VirtQueue *vq, VirtQueueArea area, uint64_t at, unsigned bytes,
                     uint64_t value);
VirtqDesc virtqueue_parse_desc(const VirtioDevice *vdev, const uint8_t raw[VIRTQ_DESC_BYTES]);
bool virtqueue_load_desc(VirtQueue *vq, uint16_t n, VirtqDesc *desc);

/* Adds a descriptor that is no table to the buffer. False: the device is broken now. */
bool virtqueue_add_desc(VirtQueueElement *elem, const VirtqDesc *desc);
/*
 * Adds what a table of descriptors holds. Split tables are chains from row 0 on, packed ones are
 * read from top to bottom.
 */
bool virtqueue_add_table(VirtQueueElement *elem, const VirtqDesc *table, bool is_chain);
bool virtqueue_has_event_idx(const VirtQueue *vq);
/* `event` lies in [old, new), as counters that wrap. */
static inline bool virtqueue_event_passed(uint16_t event, uint16_t new, uint16_t old)
{
    return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

/* What all virtio devices have (virtio.c). */
extern const PropertyList virtio_device_properties;

/* --- virtio_query.c --- */

/* What a user's path names; NULL: it is no device of ours. */
VirtioDevice *virtio_query_device(const char *path, Error **errp);
VirtQueue *virtio_query_queue(const char *path, uint16_t queue, Error **errp);

/* --- between virtio.c and virtqueue.c --- */

extern const VMState virtqueue_state;
/* To its state after a reset. */
void virtqueue_clear(VirtQueue *vq);
void virtqueue_free(VirtQueue *vq);
/* The driver runs: what it notified before counts now. */
void virtqueue_serve_early_kick(VirtQueue *vq);
/* After a load: finds the rings again; false: what was loaded cannot be. */
bool virtqueue_reload(VirtQueue *vq, Error **errp);
/* Where rings and buffers are, for the chosen features. */
AddressSpace *virtio_dma_space(const VirtioDevice *vdev);
MemTxAttrs virtio_dma_attrs(const VirtioDevice *vdev);
/* Translated addresses change without a change of the map: nothing of them is kept. */
bool virtio_is_translated(const VirtioDevice *vdev);
/* To changes of the memory map, as long as rings are mapped. */
void virtio_listen(VirtioDevice *vdev, bool is_on);
void virtio_interrupt(VirtioDevice *vdev, uint8_t cause, uint16_t vector);

#endif
