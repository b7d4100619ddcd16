/*
 * virtio's PCI capabilities (virtio 1.3, 4.1.4): where each structure is, and the window through
 * which configuration space alone reaches into the BARs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_pci_parts.h"

#include "util/byte_order.h"

#define CAP_ID_VENDOR 0x09

/* struct virtio_pci_cap */
enum { CAP_LEN = 2, CFG_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_BYTES = 16 };
#define NOTIFY_MULTIPLIER   16 /* behind it, in that of notifications */
#define NOTIFY_CAP_BYTES    20
#define WINDOW_DATA         16 /* behind it, in the window's */
#define WINDOW_CAP_BYTES    20

enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4, CFG_PCI = 5 };

/* Its offset, or 0 with *errp set. */
static unsigned add_cap(VirtioPci *pci, uint8_t type, unsigned page, uint32_t length,
                        unsigned bytes, Error **errp)
{
    PciDevice *dev = &pci->parent;
    unsigned at = pci_add_capability(dev, CAP_ID_VENDOR, 0, bytes, errp);

    if (at) {
        dev->config[at + CAP_LEN] = bytes;
        dev->config[at + CFG_TYPE] = type;
        dev->config[at + CAP_BAR] = VIRTIO_PCI_BAR_MODERN;
        store_le32(dev->config + at + CAP_OFFSET, page * VIRTIO_PCI_PAGE);
        store_le32(dev->config + at + CAP_LENGTH, length);
    }
    return at;
}

static bool add_notify_cap(VirtioPci *pci, Error **errp)
{
    uint32_t length = virtio_pci_modern_bytes(pci) - VIRTIO_PCI_NOTIFY * VIRTIO_PCI_PAGE;
    unsigned at = add_cap(pci, CFG_NOTIFY, VIRTIO_PCI_NOTIFY, length, NOTIFY_CAP_BYTES, errp);

    if (at) {
        store_le32(pci->parent.config + at + NOTIFY_MULTIPLIER,
                   pci->has_page_per_queue ? VIRTIO_PCI_PAGE : 4);
    }
    return at;
}

/* Writes of all queues go to one place: the multiplier is 0. */
static bool add_port_cap(VirtioPci *pci, Error **errp)
{
    unsigned at;

    if (!pci->has_port) {
        return true;
    }
    at = add_cap(pci, CFG_NOTIFY, 0, VIRTIO_PCI_PORT_BYTES, NOTIFY_CAP_BYTES, errp);
    if (at) {
        pci->parent.config[at + CAP_BAR] = VIRTIO_PCI_BAR_PORT;
    }
    return at;
}

/* Bar, offset, length and data are the driver's to write. */
static bool add_window_cap(VirtioPci *pci, Error **errp)
{
    unsigned at = add_cap(pci, CFG_PCI, 0, 0, WINDOW_CAP_BYTES, errp);
    PciDevice *dev = &pci->parent;

    if (!at) {
        return false;
    }
    dev->config[at + CAP_BAR] = 0;
    dev->writable[at + CAP_BAR] = 0xff;
    dev->fixed[at + CAP_BAR] = 0;
    memset(dev->writable + at + CAP_OFFSET, 0xff, WINDOW_CAP_BYTES - CAP_OFFSET);
    memset(dev->fixed + at + CAP_OFFSET, 0, WINDOW_CAP_BYTES - CAP_OFFSET);
    pci->window_cap = at;
    return true;
}

bool virtio_pci_add_caps(VirtioPci *pci, Error **errp)
{
    return add_cap(pci, CFG_COMMON, VIRTIO_PCI_COMMON, VIRTIO_PCI_PAGE, CAP_BYTES, errp) &&
           add_cap(pci, CFG_ISR, VIRTIO_PCI_ISR, VIRTIO_PCI_PAGE, CAP_BYTES, errp) &&
           add_cap(pci, CFG_DEVICE, VIRTIO_PCI_DEVICE, VIRTIO_PCI_PAGE, CAP_BYTES, errp) &&
           add_notify_cap(pci, errp) && add_port_cap(pci, errp) && add_window_cap(pci, errp);
}

/* --- the window --- */

typedef struct Window {
    uint8_t bar;
    uint32_t offset, length;
    uint8_t *data;
} Window;

/* False: it shows nothing: 1, 2 or 4 bytes, aligned, of a BAR with an interface. */
static bool look(const VirtioPci *pci, Window *w)
{
    uint8_t *cap = pci->parent.config + pci->window_cap;
    uint64_t bytes;

    *w = (Window){ cap[CAP_BAR], load_le32(cap + CAP_OFFSET), load_le32(cap + CAP_LENGTH),
                   cap + WINDOW_DATA };
    bytes = w->bar == VIRTIO_PCI_BAR_MODERN && pci->has_modern ? virtio_pci_modern_bytes(pci) :
            w->bar == VIRTIO_PCI_BAR_LEGACY && pci->has_legacy ? virtio_pci_legacy_bytes(pci) : 0;
    return (w->length == 1 || w->length == 2 || w->length == 4) && w->offset % w->length == 0 &&
           w->offset < bytes && w->length <= bytes - w->offset;
}

bool virtio_pci_window_touched(const VirtioPci *pci, unsigned at, unsigned bytes)
{
    return pci->window_cap && virtio_pci_device(pci) &&
           pci_range_touches(at, bytes, pci->window_cap + WINDOW_DATA, 4);
}

void virtio_pci_window_read(VirtioPci *pci)
{
    Window w;

    if (look(pci, &w)) {
        store_bytes(w.data, w.length, ENDIAN_LITTLE,
                    w.bar == VIRTIO_PCI_BAR_MODERN ?
                    virtio_pci_modern_read(pci, w.offset, w.length) :
                    virtio_pci_legacy_read(pci, w.offset, w.length));
    }
}

void virtio_pci_window_write(VirtioPci *pci)
{
    uint32_t value;
    Window w;

    if (look(pci, &w)) {
        value = load_bytes(w.data, w.length, ENDIAN_LITTLE);
        if (w.bar == VIRTIO_PCI_BAR_MODERN) {
            virtio_pci_modern_write(pci, w.offset, value, w.length);
        } else {
            virtio_pci_legacy_write(pci, w.offset, value, w.length);
        }
    }
}
