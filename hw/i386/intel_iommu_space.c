/*
 * intel-iommu: what functions see as bus masters, and how their DMA finds its page.
 *
 * A space is one of three things under the window of interrupts: memory as it is (remapping is
 * off, or the requester passes through), or the IOMMU region. Where PASIDs may come along it is
 * always the region, for one requester's PASIDs may go different ways.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "trace.h"

#define WINDOW_PRIORITY 2
#define FOLLOWS         (IOMMU_NOTICE_MAP | IOMMU_NOTICE_UNMAP)

uint16_t vtd_space_sid(const VtdSpace *space)
{
    return iommu_space_id(&space->base);
}

/* --- a DMA --- */

/* Does what is kept of a page say enough? */
static bool is_enough(const IommuPage *page, const IommuRequest *request)
{
    return !(page->is_privileged && !request->is_privileged) &&
           !request->is_execute &&
           (request->is_write ? page->access & IOMMU_WRITE && page->is_dirty :
                                page->access & IOMMU_READ);
}

static uint32_t pasid_of(const IommuRequest *request)
{
    return request->has_pasid ? request->pasid : VTD_NO_PASID;
}

static bool find_page(VtdSpace *space, IotlbTag tag, const IommuRequest *request, IommuPage *page)
{
    return iotlb_find(space->unit->iotlb, tag, request->addr, page) && is_enough(page, request);
}

static bool translate_page(VtdSpace *space, const VtdContext *context,
                           const IommuRequest *request, IommuPage *page, IommuFault *fault)
{
    IntelIommu *unit = space->unit;
    IotlbTag tag = vtd_tag(context, pasid_of(request));
    VtdWalk walk = { unit, context, request };
    IotlbMark mark;

    if (context->mode == VTD_PASS_THROUGH) {
        return vtd_walk(&walk, page, fault);
    }
    mark = iotlb_mark(unit->iotlb, tag);
    if (!request->is_debug) {
        unit->counters.walks++;
    }
    if (!vtd_walk(&walk, page, fault)) {
        return false;
    }
    if (!request->is_debug) {
        iotlb_insert(unit->iotlb, tag, mark, request->addr, page);
    }
    return true;
}

static bool is_in_window(IovaAddr addr)
{
    return addr >= APIC_WINDOW_ADDR && addr < APIC_WINDOW_ADDR + APIC_WINDOW_BYTES;
}

/* What need not be looked up: translated addresses, and who may send them. */
static bool take_translated(const VtdContext *context, const IommuRequest *request,
                            IommuPage *page, IommuFault *fault)
{
    if (!context->has_device_tlb) {
        *fault = (IommuFault){ context->is_scalable ? VTD_SM_NO_DEVICE_TLB : VTD_TYPE_BLOCKED,
                               context->is_fault_disabled };
        return false;
    }
    *page = (IommuPage){ .addr = request->addr & ~UINT64_C(0xfff), .shift = 12,
                         .access = IOMMU_READ_WRITE };
    return true;
}

static bool check_window(const VtdContext *context, IovaAddr addr, IommuFault *fault)
{
    if (is_in_window(addr)) { /* without PASID it does not come here */
        *fault = (IommuFault){ context->is_scalable ? VTD_SM_INTERRUPT : VTD_INTERRUPT_OUTPUT,
                               context->is_fault_disabled };
        return false;
    }
    return true;
}

/* Its context may make a request a privileged one. */
static IommuRequest with_context(const IommuRequest *request, const VtdContext *context)
{
    IommuRequest full = *request;

    full.is_privileged |= context->is_rid_privileged && !request->has_pasid;
    return full;
}

bool vtd_translate_watched(VtdSpace *space, const IommuRequest *request, const VtdWatch *watch,
                           IommuPage *page, VtdContext *context, IommuFault *fault)
{
    VtdLookup look = { space->unit, vtd_space_sid(space), pasid_of(request), watch };
    IommuRequest full;
    VtdWalk walk = { space->unit, context, &full, watch };

    if (!vtd_read_request_context(&look, context, fault) ||
        !check_window(context, request->addr, fault)) {
        return false;
    }
    full = with_context(request, context);
    return vtd_walk(&walk, page, fault);
}

bool vtd_translate(VtdSpace *space, const IommuRequest *request, IommuPage *page,
                   VtdContext *context, IommuFault *fault)
{
    bool may_be_kept = request->type == IOMMU_UNTRANSLATED && !request->is_debug &&
                       !is_in_window(request->addr);
    IommuRequest full;
    IotlbTag tag;

    if (may_be_kept && vtd_find_tag(space, pasid_of(request), &tag)) {
        if (find_page(space, tag, request, page)) {
            return true;
        }
        may_be_kept = false;
    }
    if (!vtd_find_context(space, pasid_of(request), context, fault) ||
        !check_window(context, request->addr, fault)) {
        return false;
    }
    full = with_context(request, context);
    if (may_be_kept && context->mode != VTD_PASS_THROUGH &&
        find_page(space, vtd_tag(context, pasid_of(request)), &full, page)) {
        return true;
    }
    return request->type == IOMMU_TRANSLATED ?
           take_translated(context, &full, page, fault) :
           translate_page(space, context, &full, page, fault);
}

/* `access` NONE only asks. */
static IommuEntry region_translate(IommuRegion *region, uint64_t offset, IommuAccess access,
                                   MemTxAttrs attrs)
{
    VtdSpace *space = container_of(region, VtdSpace, base.iommu);
    IommuRequest request = {
        .addr = offset, .requester = vtd_space_sid(space), .has_pasid = attrs.has_pasid,
        .pasid = attrs.pasid, .is_write = access & IOMMU_WRITE,
        .is_debug = access == IOMMU_NONE || attrs.is_debug,
        .type = attrs.is_translated ? IOMMU_TRANSLATED : IOMMU_UNTRANSLATED,
    };
    IommuEntry entry = { .target = address_space_system(), .iova = offset, .page_mask = 0xfff };
    VtdContext context;
    IommuPage page;
    IommuFault fault = { 0 };

    if (vtd_translate(space, &request, &page, &context, &fault)) {
        entry.page_mask = BIT64(page.shift) - 1;
        entry.iova &= ~entry.page_mask;
        entry.translated = page.addr;
        entry.access = page.access;
    } else if (!request.is_debug) {
        vtd_report_fault(space->unit, &request, fault);
    }
    return entry;
}

/* --- who listens --- */

static bool notices_changed(IommuRegion *region, unsigned old, unsigned new, Error **errp)
{
    VtdSpace *space = container_of(region, VtdSpace, base.iommu);
    const IntelIommu *unit = space->unit;
    unsigned slot = PCI_SLOT(space->base.devfn), function = PCI_FUNCTION(space->base.devfn);
    unsigned bus = pci_bus_number(space->base.bus);

    if (new & IOMMU_NOTICE_MAP && !unit->caching_mode) {
        return error_set(errp, "device %02x.%02x.%x requires caching mode", bus, slot, function);
    }
    if (new & IOMMU_NOTICE_DEVICE_IOTLB && !unit->device_iotlb) {
        return error_set(errp, "device %02x.%02x.%x requires device IOTLB mode", bus, slot,
                         function);
    }
    if (new && unit->snoop_control) {
        return error_set(errp, "device %02x.%02x.%x: snoop control not supported with vhost or "
                         "VFIO", bus, slot, function);
    }
    space->unit->followers += ((new & FOLLOWS) != 0) - ((old & FOLLOWS) != 0);
    return true;
}

static const IommuOps region_ops = {
    .translate = region_translate,
    .notices_changed = notices_changed,
    .replay = vtd_shadow_replay,
};

/* --- which of the three --- */

static bool is_passed_through(VtdSpace *space)
{
    VtdContext context;
    IommuFault fault;
    bool is_there;

    if (!space->unit->is_translating) {
        return true;
    }
    rcu_lock();
    is_there = vtd_find_context(space, VTD_NO_PASID, &context, &fault);
    rcu_unlock();
    return is_there && context.mode == VTD_PASS_THROUGH &&
           !vtd_has(space->unit, VTD_ECAP_PASID);
}

void vtd_space_switch(VtdSpace *space)
{
    bool passes = is_passed_through(space);

    if (space->base.bypass.is_enabled != passes || space->base.iommu.region.is_enabled == passes) {
        trace_vtd_switch(vtd_space_sid(space), passes);
        iommu_space_switch(&space->base, passes);
    }
}

static void switch_one(VtdSpace *space, void *opaque)
{
    vtd_space_switch(space);
}

void vtd_switch_all(IntelIommu *unit)
{
    memory_transaction_begin();
    vtd_each_space(unit, switch_one, NULL);
    memory_transaction_commit();
}

/* --- life --- */

static void init_space(IommuSpace *base, void *unit)
{
    VtdSpace *space = vtd_space_of(base);

    space->unit = unit;
    space->notifiers = g_array_new(false, false, sizeof(VtdPageClient));
    g_mutex_init(&space->context_lock);
    memory_region_init_io(&space->interrupts, unit, &vtd_interrupt_window_ops, "vtd-ir",
                          APIC_WINDOW_BYTES);
    memory_region_set_opaque(&space->interrupts, space);
    memory_region_add_overlap(&base->root, APIC_WINDOW_ADDR, &space->interrupts, WINDOW_PRIORITY);
}

static void clear_space(IommuSpace *base)
{
    VtdSpace *space = vtd_space_of(base);

    memory_region_remove(&base->root, &space->interrupts);
    memory_region_clear(&space->interrupts);
    g_mutex_clear(&space->context_lock);
    g_array_unref(space->notifiers);
    g_clear_pointer(&space->shadow, g_tree_unref);
}

VtdSpace *vtd_space(IntelIommu *unit, PciBus *bus, int devfn)
{
    return vtd_space_of(iommu_space(&unit->spaces, bus, devfn));
}

static AddressSpace *give_space(void *opaque, PciBus *bus, int devfn)
{
    VtdSpace *space = vtd_space(opaque, bus, devfn);

    vtd_space_switch(space);
    return &space->base.as;
}

typedef struct EachSpace {
    VtdSpaceFn *fn;
    void *opaque;
} EachSpace;

static void each_space(IommuSpace *base, const PciDevice *dev, void *opaque)
{
    const EachSpace *each = opaque;

    each->fn(vtd_space_of(base), each->opaque);
}

void vtd_each_space(IntelIommu *unit, VtdSpaceFn *fn, void *opaque)
{
    iommu_spaces_each(&unit->spaces, each_space, &(EachSpace){ fn, opaque });
}

void vtd_each_follower(IntelIommu *unit, VtdSpaceFn *fn, void *opaque)
{
    if (unit->followers) {
        vtd_each_space(unit, fn, opaque);
    }
}

const PciIommuOps vtd_pci_ops = {
    .address_space = give_space,
    .flags = vtd_flags,
    .set_device = vtd_set_device,
    .unset_device = vtd_unset_device,
    .ats_translate = vtd_ats_translate,
    .has_ats = vtd_has_ats,
    .page_request = vtd_page_request,
    .may_request_pages = vtd_may_request_pages,
    .set_page_notifier = vtd_set_page_notifier,
    .describe = vtd_describe,
    .walk = vtd_show_walk,
};

const IommuSpacesType vtd_spaces_type = {
    .name = "vtd", .space_bytes = sizeof(VtdSpace), .region_ops = &region_ops,
    .pci_ops = &vtd_pci_ops, .init = init_space, .clear = clear_space,
};
