/*
 * PCI Express: the capability of all functions, slots of ports with native hot-plug, and small
 * extended capabilities. Errors, ATS and SR-IOV have headers of their own.
 *
 * Reset, saved state and what guests write is the core's: a function only adds its capabilities in
 * realize. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCIE_H
#define HW_PCI_PCIE_H

#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie_regs.h"

typedef enum PcieType {
    PCIE_ENDPOINT = 0,
    PCIE_LEGACY_ENDPOINT = 1,
    PCIE_ROOT_PORT = 4,
    PCIE_UPSTREAM_PORT = 5,
    PCIE_DOWNSTREAM_PORT = 6,
    PCIE_TO_PCI_BRIDGE = 7,
    PCIE_ROOT_INTEGRATED = 9,
} PcieType;

/* --- the capability (hw/pci/pcie_cap.c) --- */

typedef struct PcieCapSpec {
    unsigned at;         /* 0: anywhere */
    PcieType type;
    uint8_t port;        /* of the link */
    uint8_t speed;       /* 1: 2.5 GT/s, 2: 5, 3: 8, 4: 16; 0: 1 */
    uint8_t width;       /* lanes; 0: 1 */
    bool has_flr, forwards_ari, has_prefixes, reports_errors;
    bool is_link_fixed;    /* nothing of the link can be set; else L0s, clock and synch, to no effect */
    bool is_version_1;   /* the short one, of endpoints: no second registers */
} PcieCapSpec;
bool pcie_cap_init(PciDevice *dev, const PcieCapSpec *spec, Error **errp);
/* As most devices have it: on a root bus it becomes integrated, with no link. Nothing on a
 * conventional bus. */
bool pcie_endpoint_cap_init(PciDevice *dev, unsigned at, Error **errp);
PcieType pcie_type(const PciDevice *dev);
/* Root ports and downstream ports: what is below a link. */
bool pcie_is_downstream_port(const PciDevice *dev);
/* False: a slot whose user said hotplug=off. */
bool pcie_takes_devices_later(const PciDevice *bridge);
/* Which MSI or MSI-X vector tells of hot-plug and power events. */
void pcie_set_event_vector(PciDevice *dev, uint8_t vector);

/* --- slots (hw/pci/pcie_slot.c): behind root and downstream ports --- */

typedef struct PcieSlotSpec {
    uint8_t chassis;
    uint16_t number;
    bool is_hotpluggable;    /* surprise included; without native hot-plug ACPI tells of it */
    bool has_native_hotplug;
    bool has_power_controller;
} PcieSlotSpec;
void pcie_slot_init(PciDevice *port, const PcieSlotSpec *spec);
/* UINT32_MAX: no slot; else chassis << 16 | number. */
uint32_t pcie_chassis_slot(const PciDevice *port);
/* The port is the handler of its bus; these are what a HotplugHandler does for it. */
bool pcie_slot_pre_plug(PciDevice *port, Device *dev, Error **errp);
bool pcie_slot_plug(PciDevice *port, Device *dev, Error **errp);
bool pcie_slot_unplug_request(PciDevice *port, Device *dev, Error **errp);
void pcie_slot_unplug(PciDevice *port, Device *dev);
/* Presence, link and power without an event: what pci_bridge_show_in_slot() does for a port. */
void pcie_slot_show(PciDevice *port, const PciDevice *dev, bool is_there);

/* --- small extended capabilities (hw/pci/pcie_ext.c) --- */

/* Of a port: source validation, translation blocking, redirection, upstream forwarding. */
bool pcie_acs_init(PciDevice *dev, unsigned at, Error **errp);
/* `next`: the next function of the device, 0: the last. */
bool pcie_ari_init(PciDevice *dev, unsigned at, uint8_t next, Error **errp);
bool pcie_dsn_init(PciDevice *dev, unsigned at, uint64_t serial, Error **errp);
/* Does the port in front let the function be one of 256 of its device? */
bool pcie_ari_is_forwarded(const PciDevice *dev);

#endif
