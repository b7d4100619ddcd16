/*
 * intel-iommu: what an invalidation does, whether it came by the queue or by registers.
 *
 * Devices do DMA under the machine lock, as commands run: none is under way when a command is
 * complete, so that what was dropped is not used after its wait descriptor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "trace.h"

typedef struct Reshadow {
    const VtdRange *range; /* NULL: all */
    int domain;            /* -1: any */
} Reshadow;

/* Listeners of the second stage hear of what is different. */
static void reshadow_one(VtdSpace *space, void *opaque)
{
    const Reshadow *re = opaque;
    VtdContext context;
    IommuFault fault;
    bool is_there;

    if (!space->base.iommu.notices) {
        return;
    }
    rcu_lock();
    is_there = vtd_find_context(space, VTD_NO_PASID, &context, &fault);
    rcu_unlock();
    if (re->domain >= 0 && (!is_there || context.domain != re->domain)) {
        return;
    }
    if (re->range && re->range->pages) {
        vtd_shadow_update(space, re->range->addr,
                          re->range->addr + re->range->pages * 4096 - 1);
    } else {
        vtd_shadow_update(space, 0, UINT64_MAX);
    }
}

/* --- the IOTLB --- */

void vtd_drop_all(IntelIommu *unit)
{
    Reshadow re = { NULL, -1 };

    iotlb_drop_all(unit->iotlb);
    iommu_changes_add(&unit->changes);
    vtd_each_follower(unit, reshadow_one, &re);
}

void vtd_drop_domain(IntelIommu *unit, uint16_t domain)
{
    Reshadow re = { NULL, domain };

    iotlb_drop_domain(unit->iotlb, domain);
    iommu_changes_add(&unit->changes);
    vtd_each_follower(unit, reshadow_one, &re);
}

/* First-stage pages of the domain's requests without PASID go with those of the second. */
void vtd_drop_pages(IntelIommu *unit, const VtdRange *range)
{
    const IotlbTag tags[] = { { range->domain, 0, IOTLB_SECOND }, { range->domain, 0, IOTLB_FIRST } };
    Reshadow re = { range, range->domain };

    iotlb_drop_pages(unit->iotlb, tags, ARRAY_SIZE(tags), range->addr, range->pages * 4096);
    if (unit->has_nesting) { /* what came of first stages is anywhere */
        iotlb_drop_nested(unit->iotlb, range->domain);
        iommu_changes_add(&unit->changes);
    }
    iommu_changes_add_pages(&unit->changes, range->addr, range->pages * 4096);
    vtd_each_follower(unit, reshadow_one, &re);
}

void vtd_drop_pasid_pages(IntelIommu *unit, const VtdRange *range)
{
    const IotlbTag tags[] = { { range->domain, range->pasid, IOTLB_FIRST },
                              { range->domain, range->pasid, IOTLB_NESTED } };

    iotlb_drop_pages(unit->iotlb, tags, ARRAY_SIZE(tags), range->addr, range->pages * 4096);
    iommu_changes_add_pages(&unit->changes, range->addr, range->pages * 4096);
    vtd_flush_hosts(unit, range);
}

/* --- contexts --- */

void vtd_drop_contexts(IntelIommu *unit)
{
    Reshadow re = { NULL, -1 };

    vtd_forget_contexts(unit);
    vtd_switch_all(unit);
    vtd_sync_hosts(unit, -1, VTD_NO_PASID);
    vtd_each_follower(unit, reshadow_one, &re);
}

typedef struct DeviceDrop {
    uint16_t sid, mask;
} DeviceDrop;

static void drop_one(VtdSpace *space, void *opaque)
{
    const DeviceDrop *drop = opaque;
    Reshadow re = { NULL, -1 };

    if (!((vtd_space_sid(space) ^ drop->sid) & drop->mask)) {
        vtd_space_switch(space);
        vtd_sync_host(space);
        reshadow_one(space, &re);
    }
}

void vtd_drop_device_contexts(IntelIommu *unit, uint16_t sid, unsigned function_mask)
{
    static const uint16_t masks[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
    DeviceDrop drop = { sid, masks[function_mask & 3] };

    vtd_forget_contexts(unit);
    vtd_each_space(unit, drop_one, &drop);
}

/* --- device TLBs, interrupts --- */

typedef struct TlbDrop {
    uint16_t sid;
    IommuEntry entry;
} TlbDrop;

static void drop_tlb(VtdSpace *space, void *opaque)
{
    const TlbDrop *drop = opaque;

    if (vtd_space_sid(space) == drop->sid) {
        iommu_region_notify(&space->base.iommu, IOMMU_NOTICE_DEVICE_IOTLB, &drop->entry);
    }
}

void vtd_drop_device_tlb(IntelIommu *unit, uint16_t sid, uint32_t pasid, IovaAddr addr,
                         uint64_t bytes)
{
    TlbDrop drop = { sid, { .target = address_space_system(), .iova = addr,
                            .page_mask = bytes - 1, .has_pasid = pasid != VTD_NO_PASID,
                            .pasid = pasid == VTD_NO_PASID ? 0 : pasid } };

    trace_vtd_device_tlb(sid, pasid, addr, bytes);
    vtd_each_space(unit, drop_tlb, &drop);
}

void vtd_drop_irq_entries(IntelIommu *unit)
{
    apic_bus_tell_remap_changed();
}
