/*
 * Shpc: a standard hot-plug controller (PCI Standard Hot-Plug Controller and Subsystem 1.0) in a
 * bridge: 31 slots, devices 1 to 31 of the bus behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_BRIDGE_SHPC_H
#define HW_PCI_BRIDGE_SHPC_H

#include "hw/core/hotplug.h"
#include "hw/pci/pci_bridge.h"

#define SHPC_SLOTS 31

typedef struct Shpc {
    PciBridge *bridge;
    MemoryRegion region;  /* BAR 0 */
    unsigned cap;
    uint16_t command, status;
    uint32_t control;     /* controller SERR-INT enable */
    uint32_t mode;        /* secondary bus speed and mode */
    uint32_t slots[SHPC_SLOTS];
    bool is_irq_up;
} Shpc;

/* What a bridge with one starts with. Its type names the functions and tables below. */
typedef struct ShpcBridge {
    PciBridge parent;
    Shpc shpc;
} ShpcBridge;
DECLARE_CAST(ShpcBridge, SHPC_BRIDGE)

/* In realize: capability, BAR 0, pin and handler of the bus; without it, all else does nothing. */
bool shpc_bridge_init(ShpcBridge *bridge, Error **errp);
void shpc_bridge_finalize(Object *obj);
void shpc_bridge_reset_hold(Device *dev);
uint32_t shpc_bridge_config_read(PciDevice *dev, unsigned at, unsigned bytes);
void shpc_bridge_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes);
void shpc_bridge_show_in_slot(PciDevice *bridge, const PciDevice *dev, bool is_there);
extern const VMState shpc_bridge_state;
extern const HotplugHandler shpc_bridge_handler;

#endif
