/*
 * QMP's x-query-iommu and x-iommu-walk: for all virtual IOMMUs that PCI buses have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/iommu/iommu_request.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pci_iommu.h"
#include "qapi/qapi-commands-iommu.h"

/* One covers many buses. */
IommuInfoArray *qmp_x_query_iommu(Error **errp)
{
    g_autoptr(GPtrArray) hosts = pci_hosts(), seen = g_ptr_array_new();
    IommuInfoArray *list = g_new0(IommuInfoArray, 1);

    for (guint i = 0; i < hosts->len; i++) {
        const PciBus *bus = ((const PciHost *)hosts->pdata[i])->bus;

        if (bus && bus->iommu && bus->iommu->describe &&
            !g_ptr_array_find(seen, bus->iommu_opaque, NULL)) {
            g_ptr_array_add(seen, bus->iommu_opaque);
            iommu_info_array_add(list, bus->iommu->describe(bus->iommu_opaque));
        }
    }
    return list;
}

IommuWalkInfo *qmp_x_iommu_walk(const char *name, bool has_pasid, uint32_t pasid, uint64_t iova,
                                bool has_write, bool is_write, bool has_execute, bool is_execute,
                                bool has_privileged, bool is_privileged, Error **errp)
{
    Device *dev = device_find(name);
    IommuRequest request = { .addr = iova, .pasid = has_pasid ? pasid : 0, .has_pasid = has_pasid,
                             .is_write = has_write && is_write,
                             .is_execute = has_execute && is_execute,
                             .is_privileged = has_privileged && is_privileged, .is_debug = true };
    const PciIommuOps *ops;
    PciRequester who;
    void *opaque;

    if (!dev || !object_is_a(dev, TYPE_PCI_DEVICE)) {
        error_set(errp, "there is no PCI device '%s'", name);
        return NULL;
    }
    ops = pci_device_iommu(PCI_DEVICE(dev), &who, &opaque);
    if (!ops || !ops->walk) {
        error_set(errp, "'%s' is behind no IOMMU", name);
        return NULL;
    }
    if (has_pasid && pasid >> 20) {
        error_set(errp, "PASID %u has more than 20 bits", pasid);
        return NULL;
    }
    return ops->walk(opaque, &who, &request);
}
