/*
 * Ivshmem: memory shared with other machines, as a PCI device; what its two kinds have in common.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_IVSHMEM_H
#define HW_MISC_IVSHMEM_H

#include "hw/pci/pci_device.h"
#include "system/migration_blocker.h"

#define TYPE_IVSHMEM "ivshmem-common"

#define IVSHMEM_BAR_REGISTERS 0
#define IVSHMEM_BAR_MSIX      1
#define IVSHMEM_BAR_MEMORY    2
#define IVSHMEM_DOORBELL      12

typedef struct Ivshmem {
    PciDevice parent;
    RegisterBank bank;
    int master;              /* property, OnOffAutoValue */
    bool is_master;          /* its memory goes with a migration */
    uint32_t id;             /* IVPOSITION */
    uint32_t mask, status;
    MigrationBlocker *blocker;
    MemoryRegion *memory;    /* what BAR 2 shows; borrowed */
} Ivshmem;
DECLARE_CAST(Ivshmem, IVSHMEM)

typedef struct IvshmemType {
    struct PciDeviceType;
    /* The guest rings `vector` of a peer; NULL: there are none. */
    void (*ring)(Ivshmem *shm, unsigned peer, unsigned vector);
} IvshmemType;

/* The last of realize: the memory is there, its name in the stream is the caller's. */
bool ivshmem_start(Ivshmem *shm, MemoryRegion *memory, Error **errp);
void ivshmem_stop(Ivshmem *shm);

#endif
