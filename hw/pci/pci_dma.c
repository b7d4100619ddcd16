/*
 * What a function sees as a bus master: the machine's memory, or what an IOMMU gives it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_iommu.h"
#include "hw/pci/pci_parts.h"

/* Readers may still look into it when the function is gone. */
typedef struct DmaSpace {
    AddressSpace as;
    RcuHead rcu;
} DmaSpace;

/* A conventional bridge answers for what is behind it, as function 0 of slot 0 (PCIe-to-PCI) or
 * as itself: transactions lose their number on a conventional bus. */
static void step_up(PciRequester *who)
{
    PciDevice *bridge = who->bus->bridge;

    if (!pci_bus_is_express(who->bus)) {
        who->devfn = pci_device_is_express(bridge) ? 0 : bridge->devfn;
        who->bus = pci_device_is_express(bridge) ? who->bus : pci_device_bus(bridge);
    }
}

/* An expander's root leaves to the board's what it does not have itself. */
static PciBus *next_bus(const PciBus *bus)
{
    return bus->bridge ? pci_device_bus(bus->bridge) : bus->main_root;
}

const PciIommuOps *pci_device_iommu(const PciDevice *dev, PciRequester *who, void **opaque)
{
    PciBus *bus = pci_device_bus(dev);

    *who = (PciRequester){ .bus = bus, .devfn = dev->devfn };
    if (pci_bus_root(bus)->bypasses_iommu) {
        return NULL;
    }
    for (; bus; bus = next_bus(bus)) {
        if (bus->iommu) {
            *opaque = bus->iommu_opaque;
            return bus->iommu;
        }
        if (bus->bridge) {
            if (who->bus == bus) {
                step_up(who);
            } else if (!pci_bus_is_express(bus)) {
                *who = (PciRequester){ .bus = bus };
                step_up(who);
            }
        }
    }
    return NULL;
}

static AddressSpace *iommu_space(PciDevice *dev)
{
    PciRequester who;
    void *opaque;
    const PciIommuOps *ops = pci_device_iommu(dev, &who, &opaque);

    return ops ? ops->address_space(opaque, who.bus, who.devfn) : address_space_system();
}

static void set_window(PciDevice *dev)
{
    MemoryRegion *target = iommu_space(dev)->root;

    memory_region_init_alias(&dev->dma_window, &dev->parent.parent, "bus master", target,
                             (MemoryWindow){ 0, target->size });
    memory_region_set_enabled(&dev->dma_window, false);
    memory_region_add(&dev->dma_root, 0, &dev->dma_window);
}

void pci_dma_init(PciDevice *dev)
{
    DmaSpace *space = g_new0(DmaSpace, 1);

    memory_region_init(&dev->dma_root, &dev->parent.parent, "bus master container",
                       MEMORY_SIZE_WHOLE);
    set_window(dev);
    address_space_init(&space->as, &dev->dma_root, object_type_name(dev));
    dev->dma_as = &space->as;
}

static void free_space(RcuHead *head)
{
    g_free(container_of(head, DmaSpace, rcu));
}

void pci_dma_stop(PciDevice *dev)
{
    address_space_clear(dev->dma_as);
    memory_region_remove(&dev->dma_root, &dev->dma_window);
}

void pci_dma_discard(PciDevice *dev)
{
    rcu_call(&container_of(dev->dma_as, DmaSpace, as)->rcu, free_space);
    dev->dma_as = NULL;
    memory_region_clear(&dev->dma_window);
    memory_region_clear(&dev->dma_root);
}

bool pci_may_request(const PciDevice *dev)
{
    return load_le16(dev->config + PCI_COMMAND) & PCI_COMMAND_MASTER && pci_device_is_powered(dev);
}

void pci_dma_update(PciDevice *dev)
{
    memory_region_set_enabled(&dev->dma_window, pci_may_request(dev));
}

void pci_dma_retarget(PciDevice *dev)
{
    memory_transaction_begin();
    memory_region_remove(&dev->dma_root, &dev->dma_window);
    memory_region_clear(&dev->dma_window);
    set_window(dev);
    pci_dma_update(dev);
    memory_transaction_commit();
}

static void retarget(void *opaque, PciDevice *dev)
{
    pci_dma_retarget(dev);
}

void pci_bus_set_iommu(PciBus *bus, const PciIommuOps *ops, void *opaque)
{
    bus->iommu = ops;
    bus->iommu_opaque = opaque;
    pci_bus_each_of_all(bus, retarget, NULL);
}
