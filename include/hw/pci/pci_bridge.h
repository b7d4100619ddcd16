/*
 * PciBridge: a function that leads to another bus (header type 1). The base forwards what its
 * windows say and resets the bus; derived types add capabilities and slots.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_BRIDGE_H
#define HW_PCI_PCI_BRIDGE_H

#include "hw/pci/pci_bus.h"

#define TYPE_PCI_BRIDGE "base-pci-bridge"

typedef struct PciBridgeType {
    struct PciDeviceType;
    const char *secondary_type;    /* TYPE_PCI_BUS (if NULL) or TYPE_PCIE_BUS */
    uintptr_t is_express_port;     /* its sides are links: no parity, no 66 MHz */
    uintptr_t closes_on_reset;     /* windows are empty after reset, not at 0 */
    /* If it has slots: see pci_bridge_show_in_slot(). */
    void (*show_in_slot)(PciDevice *bridge, const PciDevice *dev, bool is_there);
} PciBridgeType;
#define PCI_BRIDGE_TYPE(decl) OBJECT_TYPE(decl)

typedef enum PciBridgeWindow {
    PCI_WINDOW_IO, PCI_WINDOW_MEMORY, PCI_WINDOW_PREFETCH,
    PCI_WINDOW_VGA_MEMORY, PCI_WINDOW_VGA_IO_LOW, PCI_WINDOW_VGA_IO_HIGH,
    PCI_WINDOW_IO_ISA, PCI_WINDOW_VGA_ALIASES, /* through PciBridge.ports */
    PCI_WINDOW_COUNT
} PciBridgeWindow;

/* Which ports pass, by the lowest 10 bits of their addresses (hw/pci/pci_bridge_ports.c). */
typedef enum PciBridgePorts {
    PCI_PORTS_ISA, /* what ISA enable lets through: the first 256 of each KiB */
    PCI_PORTS_VGA, /* VGA's, in each KiB */
    PCI_PORTS_COUNT
} PciBridgePorts;

typedef struct PciBridge {
    PciDevice parent;
    PciBus *bus;             /* the secondary one, while realized */
    MemoryRegion memory, io; /* what is behind */
    MemoryRegion windows[PCI_WINDOW_COUNT]; /* what shows of it in front */
    MemoryRegion ports[PCI_PORTS_COUNT];    /* of `io`, what such a decoder lets through */
    MemoryRegion *pieces[PCI_PORTS_COUNT];  /* of which they are made; NULL: not used yet */
    uint16_t old_control;
} PciBridge;
DECLARE_CAST(PciBridge, PCI_BRIDGE)

static inline const PciBridgeType *pci_bridge_ops(const PciBridge *bridge)
{
    return object_ops(bridge);
}

/*
 * For another handler of the bus behind (ACPI), when function 0 of a slot came or goes: the slot's
 * registers show it, presence and power, without an event. Nothing if the bridge has no slots.
 */
void pci_bridge_show_in_slot(PciDevice *bridge, const PciDevice *dev, bool is_there);

/* What a type with a config_write of its own calls from it. */
void pci_bridge_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes);

/* What the registers say, whatever PCI_COMMAND does; empty when base > limit. */
uint64_t pci_bridge_base(const PciDevice *dev, PciBridgeWindow window);
uint64_t pci_bridge_limit(const PciDevice *dev, PciBridgeWindow window);

/* Subsystem ids of a bridge; 8 bytes. */
bool pci_add_ssvid_capability(PciDevice *dev, unsigned at, uint16_t vendor, uint16_t id,
                              Error **errp);

/* What pci_add_reserve_capability() asks for; 0: nothing. */
uint32_t pci_bridge_reserved_buses(const PciDevice *bridge);
/* What firmware is asked to leave room for, by a vendor's capability; all ones: no wish. */
typedef struct PciReserve {
    uint32_t buses;
    uint64_t io, memory, prefetch_32, prefetch_64;
} PciReserve;
#define PROPS_PCI_RESERVE(S, f)                                                                    \
    PROP_U32("bus-reserve", S, f.buses, .initial = UINT32_MAX,                                     \
             .doc = "Bus numbers to leave free behind it"),                                        \
    PROP_SIZE("io-reserve", S, f.io, .initial = -1, .doc = "Bytes of I/O space behind it"),        \
    PROP_SIZE("mem-reserve", S, f.memory, .initial = -1, .doc = "Bytes of memory space"),          \
    PROP_SIZE("pref32-reserve", S, f.prefetch_32, .initial = -1,                                   \
              .doc = "Bytes of prefetchable memory below 4 GiB"),                                  \
    PROP_SIZE("pref64-reserve", S, f.prefetch_64, .initial = -1,                                   \
              .doc = "Bytes of prefetchable memory above 4 GiB")
/* Adds nothing if there is no wish. */
bool pci_add_reserve_capability(PciDevice *dev, unsigned at, const PciReserve *reserve,
                                Error **errp);

/* Slots a chassis knows by number: no two ports may have the same. */
bool pci_check_chassis_slot(const PciDevice *dev, uint8_t chassis, uint16_t slot, Error **errp);

#endif
