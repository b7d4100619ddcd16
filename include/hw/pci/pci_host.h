/*
 * PciHost: a host bridge: the root of a PCI hierarchy and the ways to its configuration space. A
 * board's bridge derives from it, makes the bus in realize and maps the regions it has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_HOST_H
#define HW_PCI_PCI_HOST_H

#include "hw/core/mmio_device.h"
#include "hw/pci/pci_bus.h"

#define TYPE_PCI_HOST  "pci-host-bridge"
#define TYPE_PCIE_HOST "pcie-host-bridge"

/* pci_hole.c: who answers reads of functions that are not there. */
typedef struct PciHole PciHole;

typedef struct PciHost {
    MmioDevice parent;
    PciBus *bus;                /* set by the derived realize */
    bool bypasses_iommu;        /* property */
    bool migrates_config_address;
    uint32_t config_address;    /* CONFIG_ADDRESS */
    MemoryRegion address_region, data_region; /* 4 bytes each: for ports 0xcf8 and 0xcfc */
    MemoryRegion ecam;          /* pci_host_map_ecam() */
    uint64_t ecam_base;         /* PCI_UNMAPPED: not mapped */
    uint64_t absent_reads, absent_writes; /* through `ecam`, of functions that are not there */
    PciHole *hole;              /* NULL: `ecam` answers all */
} PciHost;
DECLARE_CAST(PciHost, PCI_HOST)

/* Of 1, 2 or 4 bytes at a register of (bus, devfn); all ones when nobody answers. */
typedef struct PciConfigAddress {
    uint8_t bus, devfn;
    uint16_t at;
} PciConfigAddress;
uint32_t pci_host_config_read(PciHost *host, PciConfigAddress where, unsigned bytes);
void pci_host_config_write(PciHost *host, PciConfigAddress where, uint32_t value, unsigned bytes);

/*
 * Shows the configuration space of all buses (or as many as `bytes` hold, a multiple of 1 MiB) at
 * `base` of the system's memory; PCI_UNMAPPED takes it away.
 */
void pci_host_map_ecam(PciHost *host, uint64_t base, uint64_t bytes);
/*
 * From now on pages of `ecam` where nobody is read as ones without a call: they are no part of
 * absent_reads. What is there is seen at once when it comes, goes, or gets another number.
 */
void pci_host_start_hole(PciHost *host);
typedef struct PciHoleCounts {
    unsigned slots, pages;
    uint64_t updates;
} PciHoleCounts;
PciHoleCounts pci_host_hole_counts(const PciHost *host); /* zeros: there is none */
/*
 * How many bus numbers there can be behind it, from 0 on: of bridges and expanders, what bridges
 * reserve, what virtual functions need. All of them if a bridge may come later.
 */
unsigned pci_host_bus_count(const PciHost *host, bool is_plugged_later);
/* All of them, in the order of realize; borrowed. Free the array. */
GPtrArray *pci_hosts(void);

#endif
