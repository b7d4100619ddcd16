/*
 * intel-iommu: how it stands, and how it translates, for QMP's x-query-iommu and x-iommu-walk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"
#include "qapi/qapi-types-iommu.h"

#define MOST_PASIDS 256 /* of a device, that are listed */

/* --- address spaces --- */

static IommuMode mode_name(VtdMode mode)
{
    static const IommuMode names[] = {
        [VTD_FIRST] = IOMMU_MODE_FIRST, [VTD_SECOND] = IOMMU_MODE_SECOND,
        [VTD_NESTED] = IOMMU_MODE_NESTED, [VTD_PASS_THROUGH] = IOMMU_MODE_PASS_THROUGH,
    };

    return names[mode];
}

static IommuFaultInfo *fault_info(IommuFault fault)
{
    IommuFaultInfo *out = g_new0(IommuFaultInfo, 1);

    out->code = fault.code;
    out->reason = g_strdup(vtd_fault_reason(fault.code));
    out->recorded = !fault.is_suppressed;
    return out;
}

static void fill_tables(IommuSpaceInfo *out, const VtdContext *context)
{
    bool has_first = context->mode == VTD_FIRST || context->mode == VTD_NESTED;
    bool has_second = context->mode == VTD_SECOND || context->mode == VTD_NESTED;

    out->mode = mode_name(context->mode);
    out->has_domain = true;
    out->domain = context->domain;
    out->has_first = out->has_first_levels = has_first;
    out->has_second = out->has_second_levels = has_second;
    if (has_first) {
        out->first = context->first_root;
        out->first_levels = context->first_levels;
    }
    if (has_second) {
        out->second = context->second_root;
        out->second_levels = context->second_levels;
    }
}

static void fill_host(const VtdSpace *space, IommuSpaceInfo *out)
{
    bool is_refused;

    if (space->host && vtd_find_binding(space, out->pasid, &is_refused)) {
        out->has_host = true;
        out->host = is_refused ? IOMMU_HOST_STATE_REFUSED : IOMMU_HOST_STATE_ATTACHED;
    }
}

static IommuSpaceInfo *space_info(const VtdSpace *space, uint32_t pasid, const VtdContext *context,
                                  IommuFault fault)
{
    IommuSpaceInfo *out = g_new0(IommuSpaceInfo, 1);

    out->has_pasid = pasid != VTD_NO_PASID;
    out->pasid = out->has_pasid ? pasid : 0;
    if (!space->unit->is_translating) {
        out->mode = IOMMU_MODE_OFF;
    } else if (fault.code) {
        out->mode = IOMMU_MODE_BLOCKED;
        out->fault = fault_info(fault);
    } else {
        fill_tables(out, context);
    }
    fill_host(space, out);
    return out;
}

/* Those whose entries are present, whatever is wrong with them. */
static bool add_pasid(VtdSpace *space, uint32_t pasid, const VtdContext *context,
                      IommuFault fault, void *opaque)
{
    IommuDeviceInfo *out = opaque;

    if (fault.code == VTD_SM_PASID_NOT_PRESENT) {
        return true;
    }
    if (out->spaces->count > MOST_PASIDS) {
        out->more = true;
        return false;
    }
    iommu_space_info_array_add(out->spaces, space_info(space, pasid, context, fault));
    return true;
}

/* --- devices --- */

static char *label(const PciDevice *dev)
{
    return dev->parent.id ? g_strdup(dev->parent.id) : object_path(dev);
}

static void add_device(IommuSpace *base, const PciDevice *dev, void *opaque)
{
    VtdSpace *space = vtd_space_of(base);
    IommuDeviceInfo *out = g_new0(IommuDeviceInfo, 1);
    VtdContext context = { 0 };
    IommuFault fault = { 0 };

    out->id = label(dev);
    out->requester = vtd_space_sid(space);
    out->spaces = g_new0(IommuSpaceInfoArray, 1);
    if (space->unit->is_translating) {
        vtd_read_context(&(VtdLookup){ space->unit, out->requester, VTD_NO_PASID }, &context,
                         &fault);
    }
    iommu_space_info_array_add(out->spaces, space_info(space, VTD_NO_PASID, &context, fault));
    out->ats = context.has_device_tlb;
    out->pri = context.has_page_requests;
    if (space->unit->is_translating && context.has_pasids) {
        vtd_each_pasid(space, add_pasid, out);
    }
    iommu_device_info_array_add(opaque, out);
}

/* --- the unit --- */

static IommuQueueInfo *queue_info(const uint32_t base[2], uint32_t head, uint32_t tail,
                                  uint8_t stopped)
{
    IommuQueueInfo *out = g_new0(IommuQueueInfo, 1);

    out->address = vtd_quad(base) & ~UINT64_C(0xfff);
    out->bytes = 4096u << (base[0] & 7);
    out->head = head;
    out->tail = tail;
    out->stopped = stopped;
    return out;
}

static void add_front_hits(VtdSpace *space, void *opaque)
{
    *(uint64_t *)opaque += iommu_front_hits(&space->base.iommu);
}

static IommuCounters *counter_info(IntelIommu *unit)
{
    const VtdCounters *own = &unit->counters;
    IotlbCounters tlb = iotlb_counters(unit->iotlb);
    IommuCounters *out = g_new0(IommuCounters, 1);

    out->hits = tlb.hits;
    vtd_each_space(unit, add_front_hits, &out->hits);
    out->misses = tlb.misses;
    out->walks = own->walks;
    out->cached = iotlb_used(unit->iotlb);
    out->page_requests = own->page_requests;
    out->page_responses = own->page_responses;
    out->interrupts = own->remapped;
    out->blocked_interrupts = own->blocked;
    out->faults = g_new0(IommuFaultCountArray, 1);
    out->invalidations = g_new0(IommuCommandCountArray, 1);
    for (unsigned code = 0; code < VTD_FAULT_CODES; code++) {
        if (own->faults[code]) {
            IommuFaultCount *count = g_new0(IommuFaultCount, 1);

            *count = (IommuFaultCount){ code, g_strdup(vtd_fault_reason(code)),
                                        own->faults[code] };
            iommu_fault_count_array_add(out->faults, count);
        }
    }
    for (unsigned type = 0; type < ARRAY_SIZE(own->invalidations); type++) {
        if (own->invalidations[type]) {
            IommuCommandCount *count = g_new0(IommuCommandCount, 1);

            *count = (IommuCommandCount){ g_strdup(vtd_descriptor_name(type)),
                                          own->invalidations[type] };
            iommu_command_count_array_add(out->invalidations, count);
        }
    }
    return out;
}

IommuInfo *vtd_describe(void *opaque)
{
    IntelIommu *unit = opaque;
    IommuInfo *out = g_new0(IommuInfo, 1);

    out->type = g_strdup(TYPE_INTEL_IOMMU);
    out->translating = unit->is_translating;
    out->tables = unit->root_table;
    out->scalable = unit->is_scalable_root;
    out->remapping = unit->gsts & BIT(VTD_IRE);
    out->interrupt_table = unit->irq_table;
    out->interrupt_entries = unit->irq_entries;
    if (unit->gsts & BIT(VTD_QIE)) {
        out->commands = queue_info(unit->iqa, unit->iqh, unit->iqt[0],
                                   unit->fsts & VTD_FSTS_IQE ? unit->iqercd[0] & 0xf : 0);
    }
    if (vtd_has(unit, VTD_ECAP_PRS)) {
        out->page_requests = queue_info(unit->pqa, unit->pqh[0], unit->pqt[0], unit->prs >> 1 & 1);
    }
    out->has_pending_fault = unit->frcd[3] >> 31;
    out->pending_fault = out->has_pending_fault ? unit->frcd[3] & 0xff : 0;
    out->devices = g_new0(IommuDeviceInfoArray, 1);
    rcu_lock();
    iommu_spaces_each(&unit->spaces, add_device, out->devices);
    rcu_unlock();
    out->counters = counter_info(unit);
    return out;
}

/* --- a walk --- */

static void add_step(void *opaque, VtdTable table, unsigned level, GuestAddr at,
                     const uint64_t *words, unsigned count)
{
    static const IommuTable names[] = {
        [VTD_TABLE_ROOT] = IOMMU_TABLE_ROOT, [VTD_TABLE_CONTEXT] = IOMMU_TABLE_CONTEXT,
        [VTD_TABLE_DIRECTORY] = IOMMU_TABLE_PASID_DIRECTORY,
        [VTD_TABLE_PASID] = IOMMU_TABLE_PASID, [VTD_TABLE_FIRST] = IOMMU_TABLE_FIRST,
        [VTD_TABLE_SECOND] = IOMMU_TABLE_SECOND,
    };
    IommuWalkInfo *out = opaque;
    IommuWalkStep *step = g_new0(IommuWalkStep, 1);

    step->table = names[table];
    step->has_level = level;
    step->level = level;
    step->address = at;
    step->entry = g_new0(Uint64Array, 1);
    for (unsigned i = 0; i < count; i++) {
        uint64_array_add(step->entry, words[i]);
    }
    iommu_walk_step_array_add(out->steps, step);
}

static void fill_page(IommuWalkInfo *out, IovaAddr addr, const IommuPage *page)
{
    out->page = g_new0(IommuWalkPage, 1);
    out->page->size = BIT64(page->shift);
    out->page->address = page->addr | (addr & (out->page->size - 1));
    out->page->read = page->access & IOMMU_READ;
    out->page->write = page->access & IOMMU_WRITE;
    out->page->privileged = page->is_privileged;
}

IommuWalkInfo *vtd_show_walk(void *opaque, const PciRequester *who, const IommuRequest *request)
{
    IntelIommu *unit = opaque;
    VtdSpace *space = vtd_space(unit, who->bus, who->devfn);
    IommuWalkInfo *out = g_new0(IommuWalkInfo, 1);
    VtdWatch watch = { add_step, out };
    IommuPage page = { .addr = request->addr & ~UINT64_C(0xfff), .shift = 12,
                       .access = IOMMU_READ_WRITE };
    IommuFault fault = { 0 };
    VtdContext context = { 0 };
    bool is_there = true;

    out->steps = g_new0(IommuWalkStepArray, 1);
    out->mode = IOMMU_MODE_OFF;
    if (unit->is_translating) {
        rcu_lock();
        is_there = vtd_translate_watched(space, request, &watch, &page, &context, &fault);
        rcu_unlock();
        out->mode = context.mode ? mode_name(context.mode) : IOMMU_MODE_BLOCKED;
    }
    if (is_there) {
        fill_page(out, request->addr, &page);
    } else {
        out->fault = fault_info(fault);
    }
    return out;
}
