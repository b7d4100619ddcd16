/*
 * PciBus: up to 32 slots of 8 functions, the memory and I/O they are seen in, and where their
 * interrupts go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_BUS_H
#define HW_PCI_PCI_BUS_H

#include "hw/core/bus.h"
#include "hw/pci/pci_device.h"

#define TYPE_PCI_BUS  "PCI"
#define TYPE_PCIE_BUS "PCIE"

#define PCI_DEVFN_COUNT 256
#define PCI_SLOT_COUNT  32
#define PCI_BUS_COUNT   256
#define PCI_PIN_COUNT   4
#define PCI_NO_NUMA_NODE 128

struct PciIommuOps;

/* Where the interrupts of a root bus end. */
typedef struct PciIntxRouter {
    /* The board's line of pin (0 to 3) of a device on the root bus. */
    unsigned (*line)(void *opaque, const PciDevice *dev, unsigned pin);
    /* Its level, when it changes: up while any device drives it. */
    void (*set)(void *opaque, unsigned line, int level);
    unsigned line_count;
} PciIntxRouter;

struct PciBus {
    Bus parent;
    PciDevice *bridge;     /* that provides it, NULL: a root */
    uint8_t extension;     /* its number is that of the bridge's bus and so much: virtual functions */
    MemoryRegion *memory, *io; /* borrowed: BARs are put here */
    PciDevice *devices[PCI_DEVFN_COUNT]; /* borrowed */
    int first_devfn;       /* automatic places start here */
    uint32_t reserved_slots; /* bit per slot that takes no device */
    bool has_one_slot;     /* below a PCI Express port */
    uint8_t root_number;   /* of a root */
    const char *firmware_name; /* of a board's root: "pci@i0cf8"; NULL: firmware does not boot from it */
    PciBus **numbers;      /* roots: by number, what was found; NULL: look */
    bool bypasses_iommu;
    bool takes_only_bridges;
    PciBus *main_root;     /* of an expander's root: the board's, whose lines and IOMMU it uses */
    GPtrArray *expanders;  /* main roots: other roots reached through them; NULL: none */
    uint16_t numa_node;    /* of an expander's root; PCI_NO_NUMA_NODE: any */
    const PciIntxRouter *router; /* roots */
    void *router_opaque;
    unsigned *line_users;  /* per line, how many functions drive it */
    const struct PciIommuOps *iommu;
    void *iommu_opaque;
};
DECLARE_CAST(PciBus, PCI_BUS)

typedef struct PciBusSpaces {
    MemoryRegion *memory, *io;
} PciBusSpaces;

/* `owner` is a host bridge or, as a PciDevice with is_bridge, a bridge. */
PciBus *pci_bus_new(const char *type_name, Device *owner, const char *name, PciBusSpaces spaces);
bool pci_bus_is_express(const PciBus *bus);
uint8_t pci_bus_number(const PciBus *bus);
/*
 * Virtual functions may need numbers behind that of their bus, which is no root: the place of the
 * `n`th such number, 0 for the bus itself. It is made when it is first asked for.
 */
PciBus *pci_bus_extended(PciBus *bus, uint8_t n);
PciBus *pci_bus_root(PciBus *bus);
/*
 * `root`, with its number, is from now on found by configuration cycles of `main_root`, and uses
 * its interrupts and its IOMMU. Boards that describe their roots walk main_root->expanders.
 */
bool pci_bus_add_expander(PciBus *main_root, PciBus *root, Error **errp);
void pci_bus_remove_expander(PciBus *root);
/* `router` stays borrowed; NULL: interrupts end nowhere. */
void pci_bus_set_router(PciBus *root, const PciIntxRouter *router, void *opaque);
/* Routing changes: `change` is called with no line up, then all levels are sent again. */
void pci_bus_reroute(PciBus *root, void (*change)(void *opaque));
int pci_bus_line_level(const PciBus *root, unsigned line);
/* As a bridge does it: power stays on, so sticky bits do. */
void pci_bus_hot_reset(PciBus *bus);
/* By number, as configuration cycles find it; NULL: nobody answers. */
PciBus *pci_bus_find(PciBus *root, uint8_t number);
PciDevice *pci_find_device(PciBus *root, uint8_t number, uint8_t devfn);
/* The bus is in front of it, `dev` in all buses below too. */
void pci_bus_each(PciBus *bus, void (*fn)(void *opaque, PciDevice *dev), void *opaque);
/* "0000:00:1e.0:03.0": every bridge on the way. Free it. */
char *pci_device_path(const PciDevice *dev);

#endif
