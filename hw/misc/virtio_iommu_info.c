/*
 * virtio-iommu: how it stands, and how it translates, for QMP's x-query-iommu and x-iommu-walk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_iommu.h"

#include "qapi/qapi-types-iommu.h"

static const char *const reasons[VIOMMU_FAULTS] = {
    "unknown", "endpoint is in no domain", "address is not mapped for this",
};

static IommuMode mode_of(VirtioIommu *unit, const ViommuDomain *domain)
{
    return domain ? domain->is_bypass ? IOMMU_MODE_PASS_THROUGH : IOMMU_MODE_SECOND :
           unit->bypass ? IOMMU_MODE_OFF : IOMMU_MODE_BLOCKED;
}

static IommuFaultInfo *fault_info(unsigned reason)
{
    IommuFaultInfo *out = g_new0(IommuFaultInfo, 1);

    out->code = reason;
    out->reason = g_strdup(reasons[reason]);
    out->recorded = true;
    return out;
}

static void add_device(IommuSpace *space, const PciDevice *dev, void *opaque)
{
    VirtioIommu *unit = viommu_own_space(space)->unit;
    const ViommuDomain *domain = viommu_domain_of(unit, iommu_space_id(space));
    IommuDeviceInfo *out = g_new0(IommuDeviceInfo, 1);
    IommuSpaceInfo *info = g_new0(IommuSpaceInfo, 1);

    out->id = dev->parent.id ? g_strdup(dev->parent.id) : object_path(dev);
    out->requester = iommu_space_id(space);
    out->spaces = g_new0(IommuSpaceInfoArray, 1);
    info->mode = mode_of(unit, domain);
    info->has_domain = domain;
    info->domain = domain ? domain->id : 0;
    if (info->mode == IOMMU_MODE_BLOCKED) {
        info->fault = fault_info(VIOMMU_FAULT_DOMAIN);
    }
    iommu_space_info_array_add(out->spaces, info);
    iommu_device_info_array_add(opaque, out);
}

static void add_hits(IommuSpace *space, const PciDevice *dev, void *opaque)
{
    *(uint64_t *)opaque += iommu_front_hits(&space->iommu);
}

static IommuCounters *counter_info(VirtioIommu *unit)
{
    IotlbCounters tlb = iotlb_counters(unit->iotlb);
    IommuCounters *out = g_new0(IommuCounters, 1);

    out->hits = tlb.hits;
    iommu_spaces_each(&unit->spaces, add_hits, &out->hits);
    out->misses = tlb.misses;
    out->walks = unit->walks;
    out->cached = iotlb_used(unit->iotlb);
    out->faults = g_new0(IommuFaultCountArray, 1);
    out->invalidations = g_new0(IommuCommandCountArray, 1);
    for (unsigned reason = 0; reason < VIOMMU_FAULTS; reason++) {
        if (unit->faults[reason]) {
            IommuFaultCount *count = g_new0(IommuFaultCount, 1);

            *count = (IommuFaultCount){ reason, g_strdup(reasons[reason]), unit->faults[reason] };
            iommu_fault_count_array_add(out->faults, count);
        }
    }
    for (unsigned type = 0; type < VIOMMU_TYPES; type++) {
        if (unit->counts[type]) {
            IommuCommandCount *count = g_new0(IommuCommandCount, 1);

            *count = (IommuCommandCount){ g_strdup(viommu_request_name(type)), unit->counts[type] };
            iommu_command_count_array_add(out->invalidations, count);
        }
    }
    return out;
}

IommuInfo *viommu_describe(void *opaque)
{
    VirtioIommu *unit = opaque;
    IommuInfo *out = g_new0(IommuInfo, 1);

    out->type = g_strdup("virtio-iommu");
    out->translating = !unit->bypass || g_hash_table_size(unit->endpoints);
    out->devices = g_new0(IommuDeviceInfoArray, 1);
    iommu_spaces_each(&unit->spaces, add_device, out->devices);
    out->counters = counter_info(unit);
    return out;
}

IommuWalkInfo *viommu_walk(void *opaque, const PciRequester *who, const IommuRequest *request)
{
    VirtioIommu *unit = opaque;
    uint32_t endpoint = iommu_space_id(iommu_space(&unit->spaces, who->bus, who->devfn));
    IommuWalkInfo *out = g_new0(IommuWalkInfo, 1);
    unsigned reason = VIOMMU_FAULT_NONE;
    IommuPage page;

    out->steps = g_new0(IommuWalkStepArray, 1);
    out->mode = mode_of(unit, viommu_domain_of(unit, endpoint));
    if (viommu_look_up(unit, endpoint, request, &page, &reason)) {
        out->page = g_new0(IommuWalkPage, 1);
        out->page->size = BIT64(page.shift);
        out->page->address = page.addr | (request->addr & (out->page->size - 1));
        out->page->read = page.access & IOMMU_READ;
        out->page->write = page.access & IOMMU_WRITE;
    } else {
        out->fault = fault_info(reason);
    }
    return out;
}
