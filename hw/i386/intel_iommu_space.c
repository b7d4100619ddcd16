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
#define REGION_PRIORITY 1
#define FOLLOWS         (IOMMU_NOTICE_MAP | IOMMU_NOTICE_UNMAP)

uint16_t vtd_space_sid(const VtdSpace *space)
{
    return pci_bus_number(space->bus) << 8 | space->devfn;
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
    VtdSpace *space = container_of(region, VtdSpace, iommu);
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
    VtdSpace *space = container_of(region, VtdSpace, iommu);
    const IntelIommu *unit = space->unit;
    unsigned slot = PCI_SLOT(space->devfn), function = PCI_FUNCTION(space->devfn);
    unsigned bus = pci_bus_number(space->bus);

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

    if (space->bypass.is_enabled == passes && space->iommu.region.is_enabled != passes) {
        return;
    }
    trace_vtd_switch(vtd_space_sid(space), passes);
    memory_transaction_begin();
    memory_region_set_enabled(&space->bypass, passes);
    memory_region_set_enabled(&space->iommu.region, !passes);
    memory_transaction_commit();
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

static guint key_hash(gconstpointer key)
{
    const VtdSpace *space = key;

    return g_direct_hash(space->bus) * 31 + space->devfn;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const VtdSpace *x = a, *y = b;

    return x->bus == y->bus && x->devfn == y->devfn;
}

static void init_regions(VtdSpace *space)
{
    Object *owner = (Object *)space->unit;
    MemoryRegion *system = memory_region_system();

    memory_region_init(&space->root, owner, "vtd-root", MEMORY_SIZE_WHOLE);
    memory_region_init_alias(&space->bypass, owner, "vtd-nodmar", system,
                             (MemoryWindow){ 0, system->size });
    iommu_region_init(&space->iommu, owner, &region_ops, "vtd-dmar", MEMORY_SIZE_WHOLE);
    space->iommu.changes = &space->unit->changes;
    memory_region_init_io(&space->interrupts, owner, &vtd_interrupt_window_ops, "vtd-ir",
                          APIC_WINDOW_BYTES);
    memory_region_set_opaque(&space->interrupts, space);
    memory_region_set_enabled(&space->iommu.region, false);
    memory_region_add(&space->root, 0, &space->bypass);
    memory_region_add_overlap(&space->root, 0, &space->iommu.region, REGION_PRIORITY);
    memory_region_add_overlap(&space->root, APIC_WINDOW_ADDR, &space->interrupts,
                              WINDOW_PRIORITY);
}

static VtdSpace *make_space(IntelIommu *unit, PciBus *bus, int devfn)
{
    VtdSpace *space = g_new0(VtdSpace, 1);
    g_autofree char *name = g_strdup_printf("vtd-%02x.%x", PCI_SLOT(devfn), PCI_FUNCTION(devfn));

    space->unit = unit;
    space->bus = bus;
    space->devfn = devfn;
    space->notifiers = g_array_new(false, false, sizeof(VtdPageClient));
    g_mutex_init(&space->context_lock);
    init_regions(space);
    address_space_init(&space->as, &space->root, name);
    g_hash_table_add(unit->spaces, space);
    return space;
}

VtdSpace *vtd_space(IntelIommu *unit, PciBus *bus, int devfn)
{
    VtdSpace key = { .bus = bus, .devfn = devfn }, *space;

    if (!unit->spaces) {
        unit->spaces = g_hash_table_new(key_hash, key_equal);
    }
    space = g_hash_table_lookup(unit->spaces, &key);
    return space ? space : make_space(unit, bus, devfn);
}

static AddressSpace *give_space(void *opaque, PciBus *bus, int devfn)
{
    VtdSpace *space = vtd_space(opaque, bus, devfn);

    vtd_space_switch(space);
    return &space->as;
}

typedef struct EachDevice {
    IntelIommu *unit;
    VtdDeviceFn *fn;
    void *opaque;
} EachDevice;

static void each_function(void *opaque, PciDevice *dev)
{
    EachDevice *each = opaque;
    PciRequester who;
    void *unit;
    const PciIommuOps *ops = pci_device_iommu(dev, &who, &unit);

    if (ops == &vtd_pci_ops && unit == each->unit) {
        each->fn(vtd_space(unit, who.bus, who.devfn), dev, each->opaque);
    }
}

void vtd_each_device(IntelIommu *unit, VtdDeviceFn *fn, void *opaque)
{
    EachDevice each = { unit, fn, opaque };

    pci_bus_each(unit->root, each_function, &each);
    for (guint i = 0; unit->root->expanders && i < unit->root->expanders->len; i++) {
        pci_bus_each(unit->root->expanders->pdata[i], each_function, &each);
    }
}

typedef struct EachSpace {
    VtdSpaceFn *fn;
    void *opaque;
} EachSpace;

static void each_space(VtdSpace *space, const PciDevice *dev, void *opaque)
{
    const EachSpace *each = opaque;

    each->fn(space, each->opaque);
}

void vtd_each_space(IntelIommu *unit, VtdSpaceFn *fn, void *opaque)
{
    vtd_each_device(unit, each_space, &(EachSpace){ fn, opaque });
}

void vtd_each_follower(IntelIommu *unit, VtdSpaceFn *fn, void *opaque)
{
    if (unit->followers) {
        vtd_each_space(unit, fn, opaque);
    }
}

static void free_space(VtdSpace *space)
{
    memory_region_remove(&space->root, &space->bypass);
    memory_region_remove(&space->root, &space->iommu.region);
    memory_region_remove(&space->root, &space->interrupts);
    memory_region_clear(&space->interrupts);
    iommu_region_clear(&space->iommu);
    memory_region_clear(&space->bypass);
    memory_region_clear(&space->root);
    g_mutex_clear(&space->context_lock);
    g_array_unref(space->notifiers);
    g_clear_pointer(&space->shadow, g_tree_unref);
    g_free(space);
}

/* What DMA under way still sees of them holds the unit, which frees them when it is freed. */
void vtd_close_spaces(IntelIommu *unit)
{
    GHashTableIter iter;
    gpointer key;

    if (unit->spaces) {
        g_hash_table_iter_init(&iter, unit->spaces);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            address_space_clear(&((VtdSpace *)key)->as);
        }
    }
}

void vtd_free_spaces(IntelIommu *unit)
{
    GHashTableIter iter;
    gpointer key;

    if (unit->spaces) {
        g_hash_table_iter_init(&iter, unit->spaces);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            free_space(key);
        }
        g_clear_pointer(&unit->spaces, g_hash_table_unref);
    }
}

const PciIommuOps vtd_pci_ops = {
    .address_space = give_space,
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
