/*
 * PciDevice: one function on a PCI or PCI Express bus. Its type says who it is; realize adds BARs
 * and capabilities; the core answers configuration cycles, maps, resets and saves.
 *
 * All functions want the machine lock, but pci_device_dma_as() and what is done with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_DEVICE_H
#define HW_PCI_PCI_DEVICE_H

#include "hw/core/device.h"
#include "hw/pci/pci_regs.h"
#include "system/dma.h"

#define TYPE_PCI_DEVICE "pci-device"
/* Interfaces: where a device may sit. A type names one or both. */
#define TYPE_PCI_CONVENTIONAL "conventional-pci-device"
#define TYPE_PCI_EXPRESS      "pci-express-device"

#define PCI_BAR_COUNT 7 /* the last is the option ROM */
#define PCI_BAR_ROM   6
#define PCI_UNMAPPED  UINT64_MAX

typedef struct PciBus PciBus;
typedef struct PciDevice PciDevice;
typedef struct PciMsix PciMsix;
typedef struct PcieState PcieState;

/* PCI_BAR_IO, or PCI_BAR_64 and PCI_BAR_PREFETCH: as in the register's low bits. */
typedef struct PciBar {
    MemoryRegion *region; /* borrowed; NULL: there is none */
    uint64_t size;        /* bytes, a power of two */
    uint64_t addr;        /* on the bus; PCI_UNMAPPED: not seen */
    uint8_t type;
} PciBar;

/* Bytes of configuration space; a list ends with one of 0 bytes. */
typedef struct PciConfigRange {
    uint16_t at, bytes;
} PciConfigRange;

typedef struct PciDeviceType {
    struct DeviceType;
    uintptr_t vendor_id, device_id;
    uintptr_t class_id;              /* base and sub class */
    uintptr_t prog_if;
    uintptr_t revision;
    uintptr_t subsystem_vendor_id, subsystem_id; /* both 0: 1af4:1100, bridges have none */
    uintptr_t is_bridge;             /* header type 1 */
    const char *romfile;             /* the default of the property */
    /* What outlasts a guest's sleep (S3), as firmware that wakes it does not set it again. NULL: nothing. */
    const PciConfigRange *kept_asleep;
    /* NULL: pci_config_read_default(), pci_config_write_default(), which they call. */
    uint32_t (*config_read)(PciDevice *dev, unsigned at, unsigned bytes);
    void (*config_write)(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes);
} PciDeviceType;
#define PCI_DEVICE_TYPE(decl) OBJECT_TYPE(decl)

struct PciDevice {
    Device parent;
    /* properties */
    int32_t addr;      /* as asked for; -1: any */
    char *romfile;
    uint32_t romsize;  /* UINT32_MAX: what the file needs */
    uint32_t rombar;
    bool is_multifunction, has_dllla, has_extended_caps;
    char *failover_pair_id;
    uint32_t acpi_index;
    /* state */
    int devfn;         /* -1: on no bus */
    uint32_t config_size;
    uint8_t *config;   /* what a guest reads; little-endian */
    uint8_t *writable; /* bits a write replaces */
    uint8_t *clear_on_1;
    uint8_t *fixed;    /* bits that must be the same on both sides of a migration */
    uint8_t *used;     /* bytes taken by capabilities */
    uint8_t *loading;  /* the configuration while a load goes on; else NULL */
    uint8_t *initial;  /* as realize left it: what reset brings back */
    PciBar bars[PCI_BAR_COUNT];
    MemoryRegion rom;
    bool is_intx_up;   /* its own wish, whatever masks it */
    bool is_intx_sent; /* what the bus was told */
    uint8_t pm_cap, msi_cap, msix_cap, express_cap; /* offsets; 0: none */
    PciMsix *msix;
    PcieState *pcie;   /* hw/pci/pcie.h */
    bool is_without_power; /* its slot is off: nobody sees it */
    bool keeps_sticky; /* while a reset goes on that is not one of power */
    PciDevice *pf;     /* of a virtual function; borrowed */
    uint16_t vf_index;
    AddressSpace *dma_as;
    MemoryRegion dma_root, dma_window;
};
DECLARE_CAST(PciDevice, PCI_DEVICE)

static inline const PciDeviceType *pci_device_ops(const PciDevice *dev)
{
    return object_ops(dev);
}

PciBus *pci_device_bus(const PciDevice *dev);
/* Bus, device, function as in a transaction; changes when a guest renumbers buses. */
uint16_t pci_device_requester_id(const PciDevice *dev);
bool pci_device_is_express(const PciDevice *dev);
/* Function level reset: the function alone (and what is behind it), sticky bits stay. */
void pci_device_function_reset(PciDevice *dev);
/* Of its slot. It is as after a reset then, and seen only while there is power. */
void pci_device_set_power(PciDevice *dev, bool is_on);

/* --- configuration space (hw/pci/pci_config.c) --- */

/* Of 1, 2 or 4 bytes that do not cross the space's end. */
uint32_t pci_config_read(PciDevice *dev, unsigned at, unsigned bytes);
void pci_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes);
uint32_t pci_config_read_default(PciDevice *dev, unsigned at, unsigned bytes);
void pci_config_write_default(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes);
/* Does [at, at+bytes) touch [first, first+count)? */
static inline bool pci_range_touches(unsigned at, unsigned bytes, unsigned first, unsigned count)
{
    return at < first + count && first < at + bytes;
}
/*
 * Takes `bytes` for a capability, at `at` (0: the first free place), all read-only zeros. Returns
 * its offset; 0 with *errp set if there is no room.
 */
unsigned pci_add_capability(PciDevice *dev, uint8_t id, unsigned at, unsigned bytes, Error **errp);
unsigned pci_find_capability(const PciDevice *dev, uint8_t id);
/* The same in extended space; the caller picks the place, chains are in order of adding. */
bool pcie_add_capability(PciDevice *dev, uint32_t id_and_version, unsigned at, unsigned bytes,
                         Error **errp);
unsigned pcie_find_capability(const PciDevice *dev, uint16_t id);
/* D0 to D3hot, with no soft reset and no PME. */
bool pci_add_pm_capability(PciDevice *dev, unsigned at, Error **errp);
bool pci_device_is_powered(const PciDevice *dev);

/* "Ethernet controller"; NULL: it has no name. */
const char *pci_class_name(uint16_t id);

/* --- BARs (hw/pci/pci_bar.c) --- */

/* `region` has a power of two of bytes (at least 16, I/O 4) and outlives the device's realize. */
void pci_add_bar(PciDevice *dev, unsigned n, uint8_t type, MemoryRegion *region);
/* Realize has put other ids into the configuration than the type has: so has its own option ROM. */
void pci_rom_adopt(PciDevice *dev);
/* Its region goes before the device does. */
void pci_take_bar(PciDevice *dev, unsigned n);
/* Maps and unmaps what the configuration says by now. */
void pci_update_mappings(PciDevice *dev);

/* --- interrupts (hw/pci/pci_intx.c) --- */

/* The level of the function's INTx pin; it must have one (PCI_INTERRUPT_PIN is not 0). */
void pci_intx_set(PciDevice *dev, bool is_up);
/* After something that masks it changed. */
void pci_intx_update(PciDevice *dev);

/* --- DMA (hw/pci/pci_dma.c) --- */

/* What the function sees as a bus master; nothing while PCI_COMMAND_MASTER is 0. */
static inline AddressSpace *pci_device_dma_as(PciDevice *dev)
{
    return dev->dma_as;
}
static inline MemTxAttrs pci_device_attrs(const PciDevice *dev)
{
    return (MemTxAttrs){ .requester_id = pci_device_requester_id(dev), .has_requester_id = true };
}
static inline MemTxResult pci_dma_read(PciDevice *dev, IovaAddr addr, void *buf, size_t bytes)
{
    return dma_read(dev->dma_as, addr, pci_device_attrs(dev), buf, bytes);
}
static inline MemTxResult pci_dma_write(PciDevice *dev, IovaAddr addr, const void *buf,
                                        size_t bytes)
{
    return dma_write(dev->dma_as, addr, pci_device_attrs(dev), buf, bytes);
}

#endif
