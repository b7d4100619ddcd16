/*
 * The transport's side of virtio: a bus of one device, and what the registers of virtio-mmio,
 * virtio-pci and virtio-ccw do to it. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_TRANSPORT_H
#define HW_VIRTIO_VIRTIO_TRANSPORT_H

#include "hw/virtio/virtqueue.h"

#define TYPE_VIRTIO_BUS "virtio-bus"

/* A kind of transport; `transport` is the bus's owner. */
typedef struct VirtioBusType {
    struct BusType;
    /* An interrupt for VIRTIO_ISR_QUEUE or _CONFIG; `vector` as set by the driver. */
    void (*interrupt)(Device *transport, VirtioDevice *vdev, uint8_t cause, uint16_t vector);
    /* Where ACCESS_PLATFORM leads. NULL: the system's memory, as without it. */
    AddressSpace *(*dma_space)(Device *transport);
    MemTxAttrs (*dma_attrs)(Device *transport);
    /* Which queue its registers show. NULL: it has no such register. */
    uint16_t (*selected_queue)(const Device *transport);
} VirtioBusType;

/* The one that sits there, realized; or NULL. */
VirtioDevice *virtio_bus_device(const Bus *bus);

/* --- negotiation --- */

typedef enum VirtioInterface { VIRTIO_LEGACY, VIRTIO_MODERN } VirtioInterface;
uint64_t virtio_offered_features(const VirtioDevice *vdev, VirtioInterface interface);
/* Bits that were not offered are left out. No effect once FEATURES_OK is set. */
void virtio_choose_features(VirtioDevice *vdev, uint64_t chosen, VirtioInterface interface);
/* 0 resets the device. */
void virtio_write_status(VirtioDevice *vdev, uint8_t status);

/* --- configuration --- */

/* All ones where there is none. */
uint64_t virtio_config_read(VirtioDevice *vdev, uint64_t at, unsigned bytes);
void virtio_config_write(VirtioDevice *vdev, uint64_t at, unsigned bytes, uint64_t value);

/* --- queues --- */

/* NULL: the device has no such queue. */
VirtQueue *virtio_queue(VirtioDevice *vdev, unsigned n);

typedef enum VirtQueueArea { VIRTQUEUE_DESC, VIRTQUEUE_DRIVER, VIRTQUEUE_DEVICE } VirtQueueArea;
uint16_t virtqueue_max_size(const VirtQueue *vq);
uint16_t virtqueue_size(const VirtQueue *vq);
void virtqueue_set_size(VirtQueue *vq, uint16_t size);
uint64_t virtqueue_address(const VirtQueue *vq, VirtQueueArea area);
/* Half `half` (0: low) of an address; no effect on an enabled queue. */
void virtqueue_set_address(VirtQueue *vq, VirtQueueArea area, unsigned half, uint32_t value);
bool virtqueue_is_enabled(const VirtQueue *vq);
/* Checks size and addresses; what is wrong breaks the device. */
void virtqueue_enable(VirtQueue *vq);
void virtqueue_reset(VirtQueue *vq);
/* Legacy: all three parts from `addr` on, the device's at a multiple of the alignment (4096 at
 * first, another power of two where the transport has a register for it); enables. */
void virtqueue_set_legacy_align(VirtQueue *vq, uint32_t align);
void virtqueue_enable_legacy(VirtQueue *vq, uint64_t addr);
uint16_t virtqueue_vector(const VirtQueue *vq);
void virtqueue_set_vector(VirtQueue *vq, uint16_t vector);
/* The driver's notification. */
void virtqueue_kick(VirtQueue *vq);

#endif
