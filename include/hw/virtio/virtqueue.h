/*
 * VirtQueue: buffers from a driver to its device and back, over split and packed rings (virtio 1.3,
 * 2.6 to 2.8), with indirect descriptors, event suppression and in-order use, as negotiated.
 *
 *     while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
 *         virtqueue_read(elem, 0, &header, sizeof(header));
 *         virtqueue_push(elem, virtqueue_write(elem, 0, answer, size));
 *     }
 *     virtqueue_notify(vq);
 *
 * What a driver puts into a ring is read once, checked, and only then used; what cannot be right
 * breaks the device (virtio_error()), and pop gives NULL from then on. A reset makes elements that are
 * still out harmless: pushing one only frees it.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTQUEUE_H
#define HW_VIRTIO_VIRTQUEUE_H

#include "hw/core/device_worker.h"
#include "hw/virtio/virtio.h"
#include "system/dma.h"

/* The driver says that there may be buffers. */
typedef void VirtQueueFn(VirtioDevice *vdev, VirtQueue *vq);

/*
 * A buffer: `out` is what the device reads, `in` what it writes. A device's own request starts with
 * one.
 */
typedef struct VirtQueueElement {
    VirtQueue *vq;
    DmaList out, in;
    /* The core's own. */
    uint32_t epoch;       /* of the queue when it was popped */
    uint32_t order;       /* its number among those popped */
    uint16_t id;          /* as the ring knows it */
    uint16_t descriptors; /* it takes in a packed ring */
} VirtQueueElement;

/* In realize, after virtio_init_queues(). `max_size` is at most VIRTIO_MAX_QUEUE_SIZE. */
VirtQueue *virtqueue_init(VirtioDevice *vdev, unsigned n, uint16_t max_size, VirtQueueFn *kicked);
/* Notifications of queues from `first` on are the worker's; NULL: no longer, as in unrealize. */
void virtio_set_worker(VirtioDevice *vdev, unsigned first, DeviceWorker *worker);
unsigned virtqueue_index(const VirtQueue *vq);
VirtioDevice *virtqueue_device(const VirtQueue *vq);

/* An empty list of the driver's memory, for what requests say is elsewhere in it. */
void virtio_dma_list_init(const VirtioDevice *vdev, DmaList *list);

/* The next buffer, `bytes` of zeros behind what it is; NULL: there is none. */
void *virtqueue_pop(VirtQueue *vq, size_t bytes);
/* Back to the driver: the first `written` bytes of `in` were changed. Frees it. */
void virtqueue_push(void *elem, uint32_t written);
/* Frees it; the driver never sees it again (its queue goes, or the device is broken). */
void virtqueue_drop(void *elem);
/* As if it had not been popped; it was the last one. Frees it. */
void virtqueue_unpop(void *elem);
bool virtqueue_is_empty(VirtQueue *vq);
/* How much the next buffer has room for; 0: there is none. Those without room are given back. */
uint64_t virtqueue_next_room(VirtQueue *vq);
/* Interrupts the driver for what was pushed, if it wants that. */
void virtqueue_notify(VirtQueue *vq);
/* Whether the driver is to kick for new buffers; look again after switching it on. */
void virtqueue_set_kicks(VirtQueue *vq, bool is_on);

/* From `offset` on; how many bytes there were. A failing access breaks the device. */
size_t virtqueue_read(void *elem, uint64_t offset, void *buf, size_t bytes);
size_t virtqueue_write(void *elem, uint64_t offset, const void *buf, size_t bytes);

#endif
