/*
 * Pam: the Programmable Attribute Maps of Intel host bridges (82441FX data sheet 3.2.18, 3 Series
 * MCH 5.1.14 on): for 13 segments from 0xc0000 to 0xfffff, whether reads and writes go to DRAM or
 * to PCI. 0x80000-0x9ffff always is DRAM here.
 *
 * Writes to a segment that is read from DRAM only are dropped; on the bus they would reach a ROM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_PAM_H
#define HW_I386_PAM_H

#include "system/address_space.h"

#define PAM_SEGMENTS  13
#define PAM_REGISTERS 7

#define PAM_READ  BIT(0) /* reads go to DRAM */
#define PAM_WRITE BIT(1)
#define PAM_MODES 4

struct Pam;

typedef struct PamSegment {
    struct Pam *pam;
    uint32_t base;
    MemoryRegion modes[PAM_MODES]; /* one is enabled, by the two bits above */
} PamSegment;

typedef struct Pam {
    PamSegment segments[PAM_SEGMENTS];
    MemoryRegion *ram, *pci;
    AddressSpace ram_space, pci_space; /* made when a segment first needs both */
    bool has_spaces;
} Pam;

/* Over the system's memory; both regions are borrowed. All segments are PCI's. */
void pam_map(Pam *pam, Object *owner, MemoryRegion *ram, MemoryRegion *pci);
void pam_unmap(Pam *pam);
/* When no reader is left: in the owner's finalize. */
void pam_clear(Pam *pam);
/* As the seven registers say. */
void pam_update(Pam *pam, const uint8_t registers[PAM_REGISTERS]);

#endif
