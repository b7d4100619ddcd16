/*
 * The parts of virtio-pci: see hw/virtio/virtio_pci.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_PCI_PARTS_H
#define HW_VIRTIO_VIRTIO_PCI_PARTS_H

#include "hw/virtio/virtio_pci.h"

#define VIRTIO_PCI_BACKEND "virtio-backend" /* the child that is the device */

/* BARs. */
enum {
    VIRTIO_PCI_BAR_LEGACY = 0, VIRTIO_PCI_BAR_MSIX = 1, VIRTIO_PCI_BAR_PORT = 2,
    VIRTIO_PCI_BAR_MODERN = 4,
};

/* The modern BAR: a page for each structure, then one or more for notifications. */
#define VIRTIO_PCI_PAGE 0x1000
#define VIRTIO_PCI_PORT_BYTES 4
enum { VIRTIO_PCI_COMMON, VIRTIO_PCI_ISR, VIRTIO_PCI_DEVICE, VIRTIO_PCI_NOTIFY };

typedef struct VirtioPci {
    PciDevice parent;
    /* properties */
    int legacy_is_off;       /* OnOffAutoValue */
    bool modern_is_off, has_ioeventfd, has_page_per_queue, has_aer, has_ats, aligns_ats;
    bool is_conventional, has_flr, reports_errors, has_link_control, has_power_states;
    bool has_port;           /* notifications at a port, too */
    uint32_t vectors;        /* UINT32_MAX: the family's */
    /* state */
    Bus *bus;
    bool has_legacy, has_modern;
    MemoryRegion legacy, modern, port;
    uint8_t window_cap;      /* offset of the capability that reaches into BARs */
    uint32_t device_features_sel, driver_features_sel;
    uint32_t driver_features[2]; /* modern: chosen, until FEATURES_OK makes them count */
    uint16_t queue_sel;
} VirtioPci;
DECLARE_CAST(VirtioPci, VIRTIO_PCI)

/* A concrete type, as registration makes it. */
typedef struct VirtioPciType {
    struct PciDeviceType;
    const VirtioPciFamily *family;
    uintptr_t variant;       /* VirtioPciVariant */
} VirtioPciType;

/* What the type's name says of them. */
typedef enum VirtioPciVariant {
    VIRTIO_PCI_GENERIC, VIRTIO_PCI_TRANSITIONAL, VIRTIO_PCI_NON_TRANSITIONAL
} VirtioPciVariant;

static inline const VirtioPciType *virtio_pci_ops(const VirtioPci *pci)
{
    return object_ops(pci);
}

/* The device; NULL once it is unplugged. */
VirtioDevice *virtio_pci_device(const VirtioPci *pci);
/* Lets the driver see the status, in either interface. */
void virtio_pci_write_status(VirtioPci *pci, uint8_t status);
/* Reading it clears it and lowers the pin. */
uint8_t virtio_pci_take_isr(VirtioPci *pci);
/* What a driver may set: VIRTIO_NO_VECTOR if there is none of that number. */
uint16_t virtio_pci_valid_vector(const VirtioPci *pci, uint16_t vector);
void virtio_pci_kick(VirtioPci *pci, unsigned queue);

/* Registers of the interfaces: what the regions do, and the window in configuration space. */
uint32_t virtio_pci_modern_read(VirtioPci *pci, uint64_t at, unsigned bytes);
void virtio_pci_modern_write(VirtioPci *pci, uint64_t at, uint32_t value, unsigned bytes);
uint32_t virtio_pci_legacy_read(VirtioPci *pci, uint64_t at, unsigned bytes);
void virtio_pci_legacy_write(VirtioPci *pci, uint64_t at, uint32_t value, unsigned bytes);
uint64_t virtio_pci_modern_bytes(const VirtioPci *pci);
uint64_t virtio_pci_legacy_bytes(const VirtioPci *pci);
extern const MemoryOps virtio_pci_modern_ops, virtio_pci_legacy_ops, virtio_pci_port_ops;
/* Capabilities that say where the modern structures are (virtio_pci_caps.c). */
bool virtio_pci_add_caps(VirtioPci *pci, Error **errp);
/* Accesses to the window: true if [at, at + bytes) is its data. */
bool virtio_pci_window_touched(const VirtioPci *pci, unsigned at, unsigned bytes);
void virtio_pci_window_read(VirtioPci *pci);
void virtio_pci_window_write(VirtioPci *pci);

extern const VirtioPciType virtio_pci_base_type;
extern const Property virtio_pci_generic_props[2];

#endif
