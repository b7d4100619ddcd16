/*
 * Message signalled interrupts: MSI (PCI 3.0, 6.8.1) and MSI-X (6.8.2). A message is a write that
 * the function makes as a bus master. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_MSI_H
#define HW_PCI_MSI_H

#include "hw/pci/pci_device.h"

typedef struct MsiMessage {
    uint64_t addr;
    uint32_t data;
} MsiMessage;

/* As the function itself would send it. */
void pci_send_message(PciDevice *dev, MsiMessage message);

/* --- MSI (hw/pci/msi.c) --- */

typedef struct MsiSpec {
    unsigned at;       /* in configuration space; 0: anywhere */
    unsigned vectors;  /* 1, 2, 4, 8, 16 or 32 */
    bool is_64;        /* addresses of 64 bits */
    bool has_masks;    /* a mask bit per vector */
} MsiSpec;
bool msi_init(PciDevice *dev, const MsiSpec *spec, Error **errp);
bool msi_is_enabled(const PciDevice *dev);
/* How many vectors the guest gave the function. */
unsigned msi_vectors(const PciDevice *dev);
bool msi_is_masked(const PciDevice *dev, unsigned vector);
MsiMessage msi_message(const PciDevice *dev, unsigned vector);
/* Sends it, or remembers it while masked. */
void msi_notify(PciDevice *dev, unsigned vector);

/* --- MSI-X (hw/pci/msix.c) --- */

typedef struct MsixSpec {
    unsigned at;       /* in configuration space; 0: anywhere */
    unsigned vectors;  /* 1 to 2048 */
    MemoryRegion *table_region, *pba_region; /* containers, of BARs */
    uint8_t table_bar, pba_bar;
    uint32_t table_offset, pba_offset;       /* multiples of 8 */
} MsixSpec;
bool msix_init(PciDevice *dev, const MsixSpec *spec, Error **errp);
/*
 * The core frees it with the function. The same with a BAR of its own: table at 0, pending bits
 * behind it.
 */
bool msix_init_bar(PciDevice *dev, unsigned vectors, unsigned bar, Error **errp);
bool msix_is_enabled(const PciDevice *dev);
unsigned msix_vectors(const PciDevice *dev);
bool msix_is_masked(const PciDevice *dev, unsigned vector);
bool msix_is_pending(const PciDevice *dev, unsigned vector);
MsiMessage msix_message(const PciDevice *dev, unsigned vector);
void msix_notify(PciDevice *dev, unsigned vector);

/* Told when a vector becomes usable or not: who hands messages on to a host kernel. */
typedef struct MsixNotifier {
    void (*unmasked)(PciDevice *dev, unsigned vector, MsiMessage message);
    void (*masked)(PciDevice *dev, unsigned vector);
} MsixNotifier;
/* Borrowed; NULL takes it away. It is told at once of all that is unmasked (or was). */
void msix_set_notifier(PciDevice *dev, const MsixNotifier *notifier);

#endif
