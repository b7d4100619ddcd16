/*
 * Smram: the system management RAM at 0xa0000 of Intel host bridges and its control register
 * (82441FX data sheet 3.2.20; 3 Series MCH 5.1.22). To CPUs outside SMM the range is PCI's, where
 * the VGA frame buffer is, unless it is open.
 *
 * D_CLS (data accesses to the frame buffer from inside SMM) is kept and does nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_SMRAM_H
#define HW_I386_SMRAM_H

#include "hw/pci/pci_device.h"

#define SMRAM_BASE  0xa0000
#define SMRAM_BYTES 0x20000

#define SMRAM_D_OPEN     BIT(6)
#define SMRAM_D_CLS      BIT(5)
#define SMRAM_D_LCK      BIT(4)
#define SMRAM_G_SMRAME   BIT(3)
#define SMRAM_C_BASE_SEG 0x02

typedef struct Smram {
    MemoryRegion low;    /* DRAM at 0xa0000, in SMM */
    MemoryRegion legacy; /* PCI at 0xa0000, over DRAM */
    bool is_mapped;
} Smram;

/* Both regions are borrowed. */
void smram_map(Smram *smram, Object *owner, MemoryRegion *ram, MemoryRegion *pci);
void smram_unmap(Smram *smram);
void smram_clear(Smram *smram);
/*
 * The control register at `at` of the configuration space: reset, and what it says after it was
 * written or loaded. A locked one takes no writes; that is all of D_OPEN, D_CLS, D_LCK, G_SMRAME.
 */
void smram_reset_register(PciDevice *dev, unsigned at);
void smram_update(Smram *smram, PciDevice *dev, unsigned at);

#endif
