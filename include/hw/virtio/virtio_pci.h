/*
 * virtio devices as PCI functions: a row for each kind of device gives three types of `-device`:
 * "virtio-rng-pci", and with one interface decided "-transitional" and "-non-transitional".
 *
 *     static const VirtioPciFamily virtio_rng_pci = {
 *         .name = "virtio-rng-pci", .device = &virtio_rng_type, .vectors = 2, ...
 *     };
 *     VIRTIO_PCI_FAMILY(virtio_rng_pci)
 *
 * They show the device's properties as their own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_PCI_H
#define HW_VIRTIO_VIRTIO_PCI_H

#include "hw/pci/pci_device.h"
#include "hw/virtio/virtio_transport.h"

#define TYPE_VIRTIO_PCI "virtio-pci"

typedef struct VirtioPciFamily {
    const char *name;
    const char *doc;
    const VirtioDeviceType *device; /* whose declared properties are shown */
    uint16_t class_id;
    uint16_t transitional_id;       /* device id for legacy drivers; 0: it has no legacy interface */
    uint32_t vectors;               /* of MSI-X, unless the user says; 0: one for each queue, one more */
    bool is_without_vectors;        /* none, unless the user says */
    uint32_t category;              /* DeviceCategory */
    const char *romfile;            /* NULL: none */
    bool is_not_hotpluggable;
} VirtioPciFamily;

/* Before main(). `family` is borrowed. */
void virtio_pci_register(const VirtioPciFamily *family);
#define VIRTIO_PCI_FAMILY(decl)                                                                    \
    static void CONSTRUCTOR register_family_##decl(void)                                           \
    {                                                                                              \
        virtio_pci_register(&(decl));                                                              \
    }

#endif
