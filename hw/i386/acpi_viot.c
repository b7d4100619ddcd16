/*
 * The VIOT table of a PC: its virtio IOMMU, and the buses whose functions are behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_build.h"
#include "hw/acpi/iommu_tables.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"

#define MOST_ROOTS 256

static void find_iommu(void *opaque, PciDevice *dev)
{
    PciDevice **found = opaque;

    if (object_is_a(dev, "virtio-iommu-pci-base")) {
        *found = dev;
    }
}

/* Its bridges' buses have numbers by now: firmware gave them. */
static void widen(void *opaque, PciDevice *dev)
{
    ViotRange *range = opaque;

    if (((const PciDeviceType *)pci_device_ops(dev))->is_bridge) {
        range->last = MAX(range->last, dev->config[PCI_SUBORDINATE_BUS] << 8 | 0xff);
    }
}

static ViotRange range_of(PciBus *root)
{
    uint16_t first = pci_bus_number(root) << 8;
    ViotRange range = { first, first | 0xff };

    pci_bus_each(root, widen, &range);
    return range;
}

void acpi_add_viot_table(AcpiTables *t, const AcpiBoard *board)
{
    const GPtrArray *others = board->root->expanders;
    ViotRange ranges[MOST_ROOTS];
    unsigned count = 0;
    PciDevice *iommu = NULL;

    pci_bus_each(board->root, find_iommu, &iommu);
    if (!iommu) {
        return;
    }
    if (!board->root->bypasses_iommu) {
        ranges[count++] = range_of(board->root);
    }
    for (guint i = 0; others && i < others->len && count < MOST_ROOTS; i++) {
        if (!((PciBus *)others->pdata[i])->bypasses_iommu) {
            ranges[count++] = range_of(others->pdata[i]);
        }
    }
    acpi_add_viot(t, pci_bus_number(pci_device_bus(iommu)) << 8 | iommu->devfn, ranges, count);
}
