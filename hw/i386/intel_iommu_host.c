/*
 * intel-iommu: passed-through devices in first-stage mode. The host's IOMMU walks the guest's
 * tables itself; here its bindings are kept in step with the guest's PASID tables, and what the
 * guest invalidates is passed on.
 *
 * A binding that the host refused stays as a failed one: that PASID's DMA is blocked, and the next
 * invalidation that covers it tries again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "trace.h"

typedef struct Binding {
    uint32_t pasid;
    uint64_t entry[8]; /* as the guest had it when it was attached */
    bool has_failed;
} Binding;

typedef struct VtdHost {
    HostIommuDevice *host; /* registered: referenced */
    GHashTable *bindings;  /* of Binding, owned, by pasid */
} VtdHost;

/* --- one binding --- */

static void report(const VtdSpace *space, const char *what, uint32_t pasid, const Error *err)
{
    warn_report("intel-iommu: %02x:%02x.%x PASID %u: %s: %s", vtd_space_sid(space) >> 8,
                PCI_SLOT(space->base.devfn), PCI_FUNCTION(space->base.devfn), pasid, what, error_text(err));
}

static HostFirstStage first_stage(const VtdContext *context)
{
    const uint64_t *entry = context->entry;

    return (HostFirstStage){
        .root = context->first_root,
        .address_bits = context->first_levels == 5 ? 57 : 48,
        .has_supervisor = context->allows_supervisor,
        .has_extended_access = context->has_extended_access,
        .has_write_protect = context->has_write_protect,
        .cache_disable = entry[1] >> 25 & 1,
        .extended_memory_type = entry[1] >> 26 & 1,
        .memory_type = entry[1] >> 27 & 7,
        .write_through = entry[1] >> 30 & 1,
        .cache_disable_page = entry[1] >> 31 & 1,
        .pat = entry[1] >> 32,
        .wants_faults = context->has_page_requests,
    };
}

static void detach(VtdSpace *space, uint32_t pasid)
{
    g_autoptr(Error) err = NULL;
    bool is_blocked = pasid || (space->unit->is_translating && space->unit->is_scalable_root);
    HostIommuDevice *host = space->host->host;

    trace_vtd_host_detach(vtd_space_sid(space), pasid);
    if (is_blocked ? !host_iommu_detach(host, pasid, &err) :
                     !host_iommu_attach_second(host, 0, &err)) {
        report(space, "detach", pasid, err);
    }
}

static Binding *find_binding(const VtdSpace *space, uint32_t pasid)
{
    return g_hash_table_lookup(space->host->bindings, GUINT_TO_POINTER(pasid));
}

static bool ask_host(VtdSpace *space, uint32_t pasid, const VtdContext *context, Error **errp)
{
    HostIommuDevice *host = space->host->host;
    HostFirstStage stage = first_stage(context);

    if (pasid && host->caps.has_host_pasids && !vtd_is_pasid_allocated(space->unit, pasid)) {
        return error_set(errp, "the host did not allocate it");
    }
    return context->mode == VTD_PASS_THROUGH ? host_iommu_attach_second(host, pasid, errp) :
                                               host_iommu_attach_first(host, pasid, &stage, errp);
}

bool vtd_find_binding(const VtdSpace *space, uint32_t pasid, bool *is_refused)
{
    const Binding *binding = find_binding(space, pasid);

    *is_refused = binding && binding->has_failed;
    return binding;
}

static void attach(VtdSpace *space, uint32_t pasid, const VtdContext *context)
{
    Binding *binding = find_binding(space, pasid);
    bool was_attached = binding && !binding->has_failed;
    g_autoptr(Error) err = NULL;

    if (!binding) {
        binding = g_new0(Binding, 1);
        binding->pasid = pasid;
        g_hash_table_insert(space->host->bindings, GUINT_TO_POINTER(pasid), binding);
    }
    memcpy(binding->entry, context->entry, sizeof(binding->entry));
    binding->has_failed = !ask_host(space, pasid, context, &err);
    trace_vtd_host_attach(vtd_space_sid(space), pasid, context->first_root, binding->has_failed);
    if (binding->has_failed) {
        report(space, "attach", pasid, err);
        if (was_attached || !pasid) { /* the old table may be anything by now */
            detach(space, pasid);
        }
    }
}

/* --- in step --- */

static bool is_bindable(const VtdContext *context)
{
    return context->mode == VTD_FIRST || context->mode == VTD_PASS_THROUGH;
}

static bool read_binding(VtdSpace *space, uint32_t pasid, VtdContext *context, IommuFault *fault)
{
    if (!space->unit->is_translating || !space->unit->is_scalable_root) {
        *fault = (IommuFault){ VTD_SM_ROOT_NOT_PRESENT };
        return false;
    }
    return vtd_read_context(&(VtdLookup){ space->unit, vtd_space_sid(space),
                                          pasid ? pasid : VTD_NO_PASID }, context, fault) &&
           is_bindable(context);
}

typedef struct Sync {
    int domain;      /* -1: any */
    uint32_t pasid;  /* VTD_NO_PASID: any */
    VtdSpace *space;
} Sync;

static bool is_in_sync_range(const Sync *sync, uint32_t pasid, uint64_t domain_word)
{
    return (sync->pasid == VTD_NO_PASID || sync->pasid == pasid) &&
           (sync->domain < 0 || sync->domain == (uint16_t)domain_word);
}

/* Bindings whose entry is gone. */
static gboolean drop_gone(gpointer key, gpointer value, gpointer opaque)
{
    const Sync *sync = opaque;
    const Binding *binding = value;
    VtdContext context;
    IommuFault fault;

    if (!is_in_sync_range(sync, binding->pasid, binding->entry[1]) ||
        read_binding(sync->space, binding->pasid, &context, &fault)) {
        return false;
    }
    if (!binding->has_failed) {
        detach(sync->space, binding->pasid);
    }
    return true;
}

static void attach_if_changed(const Sync *sync, uint32_t pasid, const VtdContext *context)
{
    const Binding *binding = find_binding(sync->space, pasid);

    if (is_in_sync_range(sync, pasid, context->entry[1]) &&
        (!binding || binding->has_failed ||
         memcmp(binding->entry, context->entry, sizeof(binding->entry)))) {
        attach(sync->space, pasid, context);
    }
}

static bool attach_listed(VtdSpace *space, uint32_t pasid, const VtdContext *context,
                          IommuFault fault, void *opaque)
{
    if (pasid >> space->host->host->caps.pasid_bits) {
        return false;
    }
    if (!fault.code && is_bindable(context)) {
        attach_if_changed(opaque, pasid, context);
    }
    return true;
}

static void attach_one(const Sync *sync, uint32_t pasid)
{
    const HostIommuCaps *caps = &sync->space->host->host->caps;
    uint32_t limit = BIT(MIN(sync->space->unit->pasid_bits, caps->pasid_bits));
    VtdContext context;
    IommuFault fault;

    if (pasid < limit && (pasid || caps->translates_rid) &&
        read_binding(sync->space, pasid, &context, &fault)) {
        attach_if_changed(sync, pasid, &context);
    }
}

static void attach_new(Sync *sync)
{
    const IntelIommu *unit = sync->space->unit;

    if (sync->pasid != VTD_NO_PASID) {
        attach_one(sync, sync->pasid);
        return;
    }
    attach_one(sync, 0);
    if (unit->is_translating && unit->is_scalable_root) {
        vtd_each_pasid(sync->space, attach_listed, sync);
    }
}

static void sync_one(VtdSpace *space, void *opaque)
{
    Sync sync = *(const Sync *)opaque;

    if (space->host && space->unit->has_first_stage) {
        sync.space = space;
        rcu_lock();
        g_hash_table_foreach_remove(space->host->bindings, drop_gone, &sync);
        attach_new(&sync);
        rcu_unlock();
    }
}

void vtd_sync_hosts(IntelIommu *unit, int domain, uint32_t pasid)
{
    Sync sync = { domain, pasid };

    vtd_each_follower(unit, sync_one, &sync);
}

void vtd_sync_host(VtdSpace *space)
{
    sync_one(space, &(Sync){ -1, VTD_NO_PASID });
}

static gboolean drop_binding(gpointer key, gpointer value, gpointer opaque)
{
    const Binding *binding = value;

    if (!binding->has_failed) {
        detach(opaque, binding->pasid);
    }
    return true;
}

static void detach_all(VtdSpace *space, void *opaque)
{
    if (space->host) {
        g_hash_table_foreach_remove(space->host->bindings, drop_binding, space);
    }
}

void vtd_detach_hosts(IntelIommu *unit)
{
    vtd_each_space(unit, detach_all, NULL);
}

static void unbind_one(VtdSpace *space, void *opaque)
{
    Binding *binding = space->host ? find_binding(space, *(uint32_t *)opaque) : NULL;

    if (binding) {
        drop_binding(NULL, binding, space);
        g_hash_table_remove(space->host->bindings, GUINT_TO_POINTER(binding->pasid));
    }
}

void vtd_unbind_pasid(IntelIommu *unit, uint32_t pasid)
{
    vtd_each_space(unit, unbind_one, &pasid);
}

/* --- invalidations --- */

static void flush_one(VtdSpace *space, void *opaque)
{
    const VtdRange *range = opaque;
    const Binding *binding = space->host ? find_binding(space, range->pasid) : NULL;
    HostFlush flush = { range->pasid, range->addr, range->pages ? range->pages : UINT64_MAX,
                        range->is_leaf };
    g_autoptr(Error) err = NULL;

    if (binding && !binding->has_failed && (uint16_t)binding->entry[1] == range->domain &&
        (binding->entry[0] >> 6 & 7) == VTD_FIRST &&
        !host_iommu_flush(space->host->host, &flush, &err)) {
        report(space, "flush", range->pasid, err);
    }
}

void vtd_flush_hosts(IntelIommu *unit, const VtdRange *range)
{
    vtd_each_follower(unit, flush_one, (void *)range);
}

void vtd_find_allocator(VtdSpace *space, void *found)
{
    if (space->host && space->host->host->caps.has_host_pasids && !*(HostIommuDevice **)found) {
        *(HostIommuDevice **)found = space->host->host;
    }
}

/* --- coming and going --- */

static const struct SharedBit {
    uint8_t bit;
    bool is_ecap;
    const char *name;
} shared_bits[] = {
    { VTD_CAP_FS1GP, false, "1 GiB first-stage pages" },
    { VTD_CAP_FS5LP, false, "5-level first-stage tables" },
    { VTD_ECAP_SRS, true, "supervisor requests" },
    { VTD_ECAP_EAFS, true, "extended accessed flags" },
    { VTD_ECAP_SMPWCS, true, "coherent walks of PASID tables" },
};

/* What guests were told there is must be there. */
static bool check_final(const IntelIommu *unit, const HostIommuCaps *caps, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared_bits); i++) {
        const struct SharedBit *s = &shared_bits[i];
        uint64_t own = s->is_ecap ? unit->ecap : unit->cap;
        uint64_t there = s->is_ecap ? caps->vtd.ecap : caps->vtd.cap;

        if (own >> s->bit & ~(there >> s->bit) & 1) {
            return error_set(errp, "the host's IOMMU has no %s", s->name);
        }
    }
    return !caps->pasid_bits || unit->pasid_bits <= caps->pasid_bits ||
           error_set(errp, "pasid-bits=%u is more than the host's %u", unit->pasid_bits,
                     caps->pasid_bits);
}

/* Until the machine is complete, what a host lacks is taken out of what guests are told. */
static void reduce_caps(IntelIommu *unit, const HostIommuCaps *caps)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared_bits); i++) {
        const struct SharedBit *s = &shared_bits[i];
        uint64_t bit = BIT64(s->bit);

        if (s->is_ecap) {
            unit->ecap &= caps->vtd.ecap | ~bit;
        } else {
            unit->cap &= caps->vtd.cap | ~bit;
        }
    }
    if (caps->pasid_bits && caps->pasid_bits < unit->pasid_bits) {
        unit->pasid_bits = caps->pasid_bits;
        unit->ecap = (unit->ecap & ~(UINT64_C(0x1f) << VTD_ECAP_PSS)) |
                     (uint64_t)(caps->pasid_bits - 1) << VTD_ECAP_PSS;
    }
}

static bool check_first_stage(const IntelIommu *unit, const PciRequester *who,
                              const HostIommuCaps *caps, Error **errp)
{
    if (!caps->has_nesting) {
        return error_set(errp, "first-stage translation needs a host with nesting: use iommufd");
    }
    if (caps->type != HOST_IOMMU_VTD) {
        return error_set(errp, "the host's IOMMU is not VT-d");
    }
    if (!(caps->vtd.ecap >> VTD_ECAP_NEST & 1)) {
        return error_set(errp, "the host's IOMMU does not nest");
    }
    if (unit->is_final && !check_final(unit, caps, errp)) {
        return false;
    }
    if (!pci_bus_is_express(who->bus)) {
        return error_set(errp, "a device behind a bridge to conventional PCI cannot be nested");
    }
    return !unit->has_svm || (caps->has_faults && caps->vtd.ecap >> VTD_ECAP_PRS & 1) ||
           error_set(errp, "svm needs a host that forwards page requests");
}

uint64_t vtd_flags(void *opaque)
{
    const IntelIommu *unit = opaque;

    return (unit->has_first_stage ? PCI_IOMMU_NESTING_PARENT | PCI_IOMMU_DIRTY_TRACKING : 0) |
           (unit->pasid_bits ? PCI_IOMMU_PASID : 0) |
           (unit->has_first_stage && unit->pasid_bits ? PCI_IOMMU_PASID_ATTACH : 0);
}

bool vtd_set_device(void *opaque, const PciRequester *who, HostIommuDevice *host, Error **errp)
{
    IntelIommu *unit = opaque;
    VtdSpace *space = vtd_space(unit, who->bus, who->devfn);

    if (space->host) {
        return error_set(errp, "Host IOMMU device already exists for this address");
    }
    if (!unit->caching_mode && unit->dma_translation) {
        return error_set(errp, "Device assignment is not allowed without enabling caching-mode=on "
                         "for Intel IOMMU.");
    }
    if (unit->address_bits > host->caps.address_bits) {
        return error_set(errp, "aw-bits %u > host aw-bits %u", unit->address_bits,
                         host->caps.address_bits);
    }
    if (unit->has_first_stage) {
        if (!check_first_stage(unit, who, &host->caps, errp)) {
            return false;
        }
        if (!unit->is_final) {
            reduce_caps(unit, &host->caps);
        }
    }
    space->host = g_new0(VtdHost, 1);
    space->unit->followers++;
    space->host->host = host;
    space->host->bindings = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    host_iommu_register(host, vtd_host_page_request, space);
    vtd_sync_host(space);
    return true;
}

void vtd_unset_device(void *opaque, const PciRequester *who)
{
    IntelIommu *unit = opaque;
    VtdSpace *space = vtd_space(unit, who->bus, who->devfn);
    VtdHost *own = space->host;

    if (!own) {
        return;
    }
    vtd_abort_page_requests(unit, own->host);
    detach_all(space, NULL);
    space->host = NULL;
    space->unit->followers--;
    g_hash_table_unref(own->bindings);
    host_iommu_unregister(own->host);
    g_free(own);
}
