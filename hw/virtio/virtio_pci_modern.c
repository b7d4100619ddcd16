/*
 * virtio over PCI (virtio 1.3, 4.1.4): common configuration, ISR, the device's configuration and
 * notifications, each from a page of one BAR on; notifications at a port, too, if wanted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_pci_parts.h"

#include "util/log.h"

/* 4.1.4.3: common configuration */
enum {
    DEVICE_FEATURE_SELECT = 0x00, DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08, DRIVER_FEATURE = 0x0c,
    CONFIG_MSIX_VECTOR = 0x10, NUM_QUEUES = 0x12, DEVICE_STATUS = 0x14, CONFIG_GENERATION = 0x15,
    QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18, QUEUE_MSIX_VECTOR = 0x1a, QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e, QUEUE_DESC = 0x20, QUEUE_DRIVER = 0x28, QUEUE_DEVICE = 0x30,
    QUEUE_RESET = 0x3a,
};

static uint64_t notify_bytes(const VirtioPci *pci)
{
    return (uint64_t)VIRTIO_PCI_PAGE *
           (pci->has_page_per_queue ? MAX(virtio_pci_device(pci)->queue_count, 1) : 1);
}

uint64_t virtio_pci_modern_bytes(const VirtioPci *pci)
{
    uint64_t bytes = 4 * VIRTIO_PCI_PAGE;

    while (bytes < VIRTIO_PCI_NOTIFY * VIRTIO_PCI_PAGE + notify_bytes(pci)) {
        bytes *= 2;
    }
    return bytes;
}

/* --- the selected queue --- */

static uint32_t address_half(const VirtQueue *vq, uint64_t at)
{
    return virtqueue_address(vq, (at - QUEUE_DESC) / 8) >> (at & 4 ? 32 : 0);
}

static uint32_t read_queue(const VirtioPci *pci, VirtioDevice *vdev, uint64_t at)
{
    const VirtQueue *vq = virtio_queue(vdev, pci->queue_sel);

    switch (at) {
    case QUEUE_SIZE:
        return vq ? virtqueue_size(vq) : 0;
    case QUEUE_MSIX_VECTOR:
        return vq ? virtqueue_vector(vq) : VIRTIO_NO_VECTOR;
    case QUEUE_ENABLE:
        return vq && virtqueue_is_enabled(vq);
    case QUEUE_NOTIFY_OFF:
        return pci->queue_sel;
    case QUEUE_RESET:
        return 0; /* it is done at once */
    default:
        return vq ? address_half(vq, at) : 0;
    }
}

static void write_queue(VirtioPci *pci, VirtioDevice *vdev, uint64_t at, uint32_t value)
{
    VirtQueue *vq = virtio_queue(vdev, pci->queue_sel);

    if (!vq) {
        guest_error("%s: queue %u is not there", device_label(&pci->parent.parent),
                    pci->queue_sel);
        return;
    }
    switch (at) {
    case QUEUE_SIZE:
        virtqueue_set_size(vq, value);
        break;
    case QUEUE_MSIX_VECTOR:
        virtqueue_set_vector(vq, virtio_pci_valid_vector(pci, value));
        break;
    case QUEUE_ENABLE: /* a driver does not write 0 */
        if (value == 1) {
            virtqueue_enable(vq);
        } else {
            virtio_error(vdev, "queue %u: %u written to queue_enable", pci->queue_sel, value);
        }
        break;
    case QUEUE_RESET:
        if (value == 1 && virtio_has_feature(vdev, VIRTIO_F_RING_RESET)) {
            virtqueue_reset(vq);
        }
        break;
    default:
        virtqueue_set_address(vq, (at - QUEUE_DESC) / 8, at & 4 ? 1 : 0, value);
    }
}

/* --- common configuration --- */

static uint32_t read_features(const VirtioPci *pci, const VirtioDevice *vdev, uint64_t at)
{
    if (at == DEVICE_FEATURE) {
        return pci->device_features_sel > 1 ? 0 :
               virtio_offered_features(vdev, VIRTIO_MODERN) >> 32 * pci->device_features_sel;
    }
    return pci->driver_features_sel > 1 ? 0 : pci->driver_features[pci->driver_features_sel];
}

static uint32_t common_read(VirtioPci *pci, VirtioDevice *vdev, uint64_t at)
{
    switch (at) {
    case DEVICE_FEATURE_SELECT:
        return pci->device_features_sel;
    case DRIVER_FEATURE_SELECT:
        return pci->driver_features_sel;
    case DEVICE_FEATURE:
    case DRIVER_FEATURE:
        return read_features(pci, vdev, at);
    case CONFIG_MSIX_VECTOR:
        return vdev->config_vector;
    case NUM_QUEUES:
        return vdev->queue_count;
    case DEVICE_STATUS:
        return vdev->status;
    case CONFIG_GENERATION:
        return vdev->generation & 0xff;
    case QUEUE_SELECT:
        return pci->queue_sel;
    case QUEUE_SIZE:
    case QUEUE_MSIX_VECTOR:
    case QUEUE_ENABLE:
    case QUEUE_NOTIFY_OFF:
    case QUEUE_RESET:
    case QUEUE_DESC:
    case QUEUE_DESC + 4:
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4:
        return read_queue(pci, vdev, at);
    default:
        return 0;
    }
}

static void write_status(VirtioPci *pci, VirtioDevice *vdev, uint8_t status)
{
    if ((status & VIRTIO_STATUS_FEATURES_OK) && !(vdev->status & VIRTIO_STATUS_FEATURES_OK)) {
        virtio_choose_features(vdev, (uint64_t)pci->driver_features[1] << 32 |
                               pci->driver_features[0], VIRTIO_MODERN);
    }
    virtio_pci_write_status(pci, status);
}

static void common_write(VirtioPci *pci, VirtioDevice *vdev, uint64_t at, uint32_t value)
{
    switch (at) {
    case DEVICE_FEATURE_SELECT:
        pci->device_features_sel = value;
        break;
    case DRIVER_FEATURE_SELECT:
        pci->driver_features_sel = value;
        break;
    case DRIVER_FEATURE:
        if (pci->driver_features_sel < ARRAY_SIZE(pci->driver_features)) {
            pci->driver_features[pci->driver_features_sel] = value;
        }
        break;
    case CONFIG_MSIX_VECTOR:
        vdev->config_vector = virtio_pci_valid_vector(pci, value);
        break;
    case DEVICE_STATUS:
        write_status(pci, vdev, value);
        break;
    case QUEUE_SELECT:
        pci->queue_sel = value;
        break;
    case QUEUE_SIZE:
    case QUEUE_MSIX_VECTOR:
    case QUEUE_ENABLE:
    case QUEUE_RESET:
    case QUEUE_DESC:
    case QUEUE_DESC + 4:
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4:
        write_queue(pci, vdev, at, value);
        break;
    default:
        guest_error("%s: write to common register 0x%" PRIx64, device_label(&pci->parent.parent),
                    at);
    }
}

/* --- the BAR --- */

uint32_t virtio_pci_modern_read(VirtioPci *pci, uint64_t at, unsigned bytes)
{
    VirtioDevice *vdev = virtio_pci_device(pci);
    uint64_t offset = at % VIRTIO_PCI_PAGE;

    switch (at / VIRTIO_PCI_PAGE) {
    case VIRTIO_PCI_COMMON:
        return common_read(pci, vdev, offset);
    case VIRTIO_PCI_ISR:
        return offset ? 0 : virtio_pci_take_isr(pci);
    case VIRTIO_PCI_DEVICE:
        return virtio_config_read(vdev, offset, bytes);
    default:
        return 0;
    }
}

/* The notification's value is the queue's number, with NOTIFICATION_DATA also where its ring is. */
void virtio_pci_modern_write(VirtioPci *pci, uint64_t at, uint32_t value, unsigned bytes)
{
    VirtioDevice *vdev = virtio_pci_device(pci);
    uint64_t offset = at % VIRTIO_PCI_PAGE;

    switch (at / VIRTIO_PCI_PAGE) {
    case VIRTIO_PCI_COMMON:
        common_write(pci, vdev, offset, value);
        break;
    case VIRTIO_PCI_ISR:
        break;
    case VIRTIO_PCI_DEVICE:
        virtio_config_write(vdev, offset, bytes, value);
        break;
    default:
        at -= VIRTIO_PCI_NOTIFY * VIRTIO_PCI_PAGE;
        virtio_pci_kick(pci, at / (pci->has_page_per_queue ? VIRTIO_PCI_PAGE : 4));
    }
}

static uint64_t region_read(void *opaque, uint64_t at, unsigned bytes)
{
    return virtio_pci_modern_read(opaque, at, bytes);
}

static void region_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    virtio_pci_modern_write(opaque, at, value, bytes);
}

const MemoryOps virtio_pci_modern_ops = {
    .read = region_read, .write = region_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 8 }, .impl = { .min = 1, .max = 4 },
};

/* --- the port: the value alone says which queue --- */

static uint64_t port_read(void *opaque, uint64_t at, unsigned bytes)
{
    return 0;
}

static void port_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    if (virtio_pci_device(opaque)) {
        virtio_pci_kick(opaque, value & 0xffff);
    }
}

const MemoryOps virtio_pci_port_ops = {
    .read = port_read, .write = port_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 4 },
};
