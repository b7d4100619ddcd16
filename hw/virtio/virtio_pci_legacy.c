/*
 * virtio over PCI for legacy drivers (virtio 1.3, 4.1.4.10): one block of ports, the device's
 * configuration right behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "virtio_pci_parts.h"

#include "util/log.h"

#define PAGE_SHIFT 12 /* of queue addresses */

enum {
    DEVICE_FEATURES = 0, DRIVER_FEATURES = 4, QUEUE_ADDRESS = 8, QUEUE_SIZE = 12, QUEUE_SELECT = 14,
    QUEUE_NOTIFY = 16, STATUS = 18, ISR = 19, HEADER_BYTES = 20,
    CONFIG_VECTOR = 20, QUEUE_VECTOR = 22, HEADER_BYTES_MSIX = 24, /* while MSI-X is enabled */
};

static unsigned header_bytes(const VirtioPci *pci)
{
    return msix_is_enabled(&pci->parent) ? HEADER_BYTES_MSIX : HEADER_BYTES;
}

uint64_t virtio_pci_legacy_bytes(const VirtioPci *pci)
{
    uint64_t least = HEADER_BYTES_MSIX + virtio_ops(virtio_pci_device(pci))->config_bytes;
    uint64_t bytes = 32;

    while (bytes < least) {
        bytes *= 2;
    }
    return bytes;
}

static uint32_t read_queue(const VirtQueue *vq, uint64_t at)
{
    switch (at) {
    case QUEUE_ADDRESS:
        return vq ? virtqueue_address(vq, VIRTQUEUE_DESC) >> PAGE_SHIFT : 0;
    case QUEUE_SIZE:
        return vq ? virtqueue_size(vq) : 0;
    default: /* QUEUE_VECTOR */
        return vq ? virtqueue_vector(vq) : VIRTIO_NO_VECTOR;
    }
}

uint32_t virtio_pci_legacy_read(VirtioPci *pci, uint64_t at, unsigned bytes)
{
    VirtioDevice *vdev = virtio_pci_device(pci);

    if (at >= header_bytes(pci)) {
        return virtio_config_read(vdev, at - header_bytes(pci), bytes);
    }
    switch (at) {
    case DEVICE_FEATURES:
        return virtio_offered_features(vdev, VIRTIO_LEGACY);
    case DRIVER_FEATURES:
        return vdev->driver_features;
    case QUEUE_ADDRESS:
    case QUEUE_SIZE:
    case QUEUE_VECTOR:
        return read_queue(virtio_queue(vdev, pci->queue_sel), at);
    case QUEUE_SELECT:
        return pci->queue_sel;
    case STATUS:
        return vdev->status;
    case ISR:
        return virtio_pci_take_isr(pci);
    case CONFIG_VECTOR:
        return vdev->config_vector;
    default:
        return 0;
    }
}

static void write_queue(VirtioPci *pci, VirtQueue *vq, uint64_t at, uint32_t value)
{
    if (!vq) {
        guest_error("%s: queue %u is not there", device_label(&pci->parent.parent),
                    pci->queue_sel);
    } else if (at == QUEUE_VECTOR) {
        virtqueue_set_vector(vq, virtio_pci_valid_vector(pci, value));
    } else if (value) {
        virtqueue_enable_legacy(vq, (uint64_t)value << PAGE_SHIFT);
    } else {
        virtio_pci_write_status(pci, 0);
    }
}

void virtio_pci_legacy_write(VirtioPci *pci, uint64_t at, uint32_t value, unsigned bytes)
{
    VirtioDevice *vdev = virtio_pci_device(pci);

    if (at >= header_bytes(pci)) {
        virtio_config_write(vdev, at - header_bytes(pci), bytes, value);
        return;
    }
    switch (at) {
    case DRIVER_FEATURES:
        virtio_choose_features(vdev, value, VIRTIO_LEGACY);
        break;
    case QUEUE_ADDRESS:
    case QUEUE_VECTOR:
        write_queue(pci, virtio_queue(vdev, pci->queue_sel), at, value);
        break;
    case QUEUE_SELECT:
        pci->queue_sel = value;
        break;
    case QUEUE_NOTIFY:
        virtio_pci_kick(pci, value & 0xffff);
        break;
    case STATUS:
        virtio_pci_write_status(pci, value);
        break;
    case CONFIG_VECTOR:
        vdev->config_vector = virtio_pci_valid_vector(pci, value);
        break;
    default:
        guest_error("%s: write to legacy register %" PRIu64, device_label(&pci->parent.parent),
                    at);
    }
}

static uint64_t region_read(void *opaque, uint64_t at, unsigned bytes)
{
    return virtio_pci_legacy_read(opaque, at, bytes);
}

static void region_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    virtio_pci_legacy_write(opaque, at, value, bytes);
}

const MemoryOps virtio_pci_legacy_ops = {
    .read = region_read, .write = region_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 4 },
};
