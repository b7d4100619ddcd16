/*
 * What the files of the PCI core share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_PARTS_H
#define HW_PCI_PCI_PARTS_H

#include "hw/pci/pci_bus.h"

/* "03.1", "3", or a number of slot and function. */
extern const PropertyKind property_pci_addr;
/* Subsections of the function's. */
extern const VMState pci_msix_state, pci_pcie_state, pci_pri_state;

void pci_config_init(PciDevice *dev);
void pci_config_clear(PciDevice *dev);
/* Every writable and every set-by-hardware bit to what it is after reset. */
void pci_config_reset(PciDevice *dev);
bool pci_rom_load(PciDevice *dev, Error **errp);
void pci_bars_unmap(PciDevice *dev);
void pci_dma_init(PciDevice *dev);
/* Nothing can be reached any more; what there was stays until pci_dma_discard(). */
void pci_dma_stop(PciDevice *dev);
void pci_dma_discard(PciDevice *dev);
/* May it send requests at all: as bus master, with power? */
bool pci_may_request(const PciDevice *dev);
void pci_dma_update(PciDevice *dev);
/* The IOMMU in front of it changed. */
void pci_dma_retarget(PciDevice *dev);
void pci_msi_reset(PciDevice *dev);
void pci_msi_written(PciDevice *dev, unsigned at, unsigned bytes);
void pci_msix_stop(PciDevice *dev);
void pci_msix_discard(PciDevice *dev);
void pci_msix_reset(PciDevice *dev);
void pci_msix_written(PciDevice *dev, unsigned at, unsigned bytes);
/* After a load: pending messages go where masks allow. */
void pci_msix_reload(PciDevice *dev);
/* PCI Express, all parts. */
void pci_pcie_written(PciDevice *dev, unsigned at, unsigned bytes);
void pci_pcie_reset(PciDevice *dev);
void pci_pcie_preload(PciDevice *dev);
void pci_pcie_reload(PciDevice *dev);
void pci_pcie_stop(PciDevice *dev);
void pci_pcie_discard(PciDevice *dev);
/* Where the physical function's registers put BAR n. */
uint64_t pcie_vf_bar_address(const PciDevice *vf, unsigned n);
/* The root whose interrupt lines and numbers are used: an expander's is the board's. */
PciBus *pci_bus_main_root(PciBus *bus);
/* Calls for all functions below a main root, expanders' included. */
void pci_bus_each_of_all(PciBus *main_root, void (*fn)(void *opaque, PciDevice *dev),
                         void *opaque);
/* Bus numbers behind `dev`, or what sits there, changed. */
void pci_bus_forget_numbers(const PciDevice *dev);
/* Functions came to the bus or went, or numbers changed. */
void pci_bus_layout_changed(PciBus *bus);
/* The host's part: its functions, or where configuration space is. */
struct PciHost;
void pci_hole_update(struct PciHost *host);
void pci_hole_move(struct PciHost *host);
void pci_hole_free(struct PciHost *host);
extern const MemoryOps pci_ecam_ops; /* of a PciHost */
/* What may appear by VF Enable: calls for each requester id, as numbers are now. */
void pcie_sriov_each_place(const PciDevice *pf, void (*fn)(void *opaque, unsigned place),
                           void *opaque);
/* Ports of a bridge by 10 bits of address (hw/pci/pci_bridge_ports.c): what passes is filled in when
 * it first matters. */
struct PciBridge;
void pci_bridge_init_ports(struct PciBridge *bridge);
void pci_bridge_fill_ports(struct PciBridge *bridge, unsigned which);
void pci_bridge_clear_ports(struct PciBridge *bridge);
bool pci_msi_or_msix_is_enabled(const PciDevice *dev);
/* `driving`: +1 or -1 for the pin of a device that changed. */
void pci_bus_intx_change(PciDevice *dev, int driving);

/* hw/pci/pci_firmware.c: the bus's answer to BusType.firmware_path. */
char *pci_bus_firmware_path(Bus *bus, Device *dev);

#endif
