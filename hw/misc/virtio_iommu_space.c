/*
 * virtio-iommu: what functions see as bus masters. A space is memory as it is (its endpoint
 * bypasses), or the IOMMU region; messages to interrupt controllers go to memory as they are, where
 * reserved regions say so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_iommu.h"

#define HAS_TAG BIT64(63)

uint16_t viommu_space_id(const ViommuSpace *space)
{
    return pci_bus_number(space->bus) << 8 | space->devfn;
}

/* --- a DMA --- */

static const ViommuReserved *find_reserved(const VirtioIommu *unit, uint64_t addr)
{
    for (unsigned i = 0; i < unit->reserved_count; i++) {
        if (addr >= unit->reserved[i].first && addr <= unit->reserved[i].last) {
            return &unit->reserved[i];
        }
    }
    return NULL;
}

/* With an endpoint's domain goes its tag: the number may be another's by now. */
static bool find_kept(const ViommuSpace *space, const IommuRequest *request, IommuPage *page)
{
    uint64_t kept = __atomic_load_n(&space->tag, __ATOMIC_ACQUIRE);
    IotlbTag tag = { .domain = kept, .stage = IOTLB_SECOND };

    return kept & HAS_TAG && (kept >> 16 & 0xffff) == request->requester &&
           iotlb_find(space->unit->iotlb, tag, request->addr, page) &&
           page->access & (request->is_write ? IOMMU_WRITE : IOMMU_READ);
}

static bool look_up(ViommuSpace *space, const IommuRequest *request, IommuPage *page,
                    unsigned *reason)
{
    VirtioIommu *unit = space->unit;
    const ViommuDomain *domain;
    bool is_there;

    g_mutex_lock(&unit->lock);
    domain = viommu_domain_of(unit, request->requester);
    is_there = viommu_look_up(unit, request->requester, request, page, reason);
    if (is_there && domain && !domain->is_bypass && !request->is_debug) {
        IotlbTag tag = { .domain = domain->tag, .stage = IOTLB_SECOND };

        /* Who takes mappings away drops them here after it had the lock. */
        iotlb_insert(unit->iotlb, tag, iotlb_mark(unit->iotlb, tag), request->addr, page);
        __atomic_store_n(&space->tag, HAS_TAG | (uint64_t)request->requester << 16 | domain->tag,
                         __ATOMIC_RELEASE);
        unit->walks++;
    }
    g_mutex_unlock(&unit->lock);
    return is_there;
}

static bool translate(ViommuSpace *space, const IommuRequest *request, IommuPage *page,
                      unsigned *reason)
{
    const ViommuReserved *reserved = find_reserved(space->unit, request->addr);

    if (reserved) { /* what is not for messages is for nobody */
        *page = (IommuPage){ .addr = request->addr & ~UINT64_C(0xfff), .shift = 12,
                             .access = IOMMU_READ_WRITE };
        *reason = VIOMMU_FAULT_MAPPING;
        return reserved->subtype == VIOMMU_MSI;
    }
    return (!request->is_debug && find_kept(space, request, page)) ||
           look_up(space, request, page, reason);
}

/* `access` NONE only asks. */
static IommuEntry region_translate(IommuRegion *region, uint64_t offset, IommuAccess access,
                                   MemTxAttrs attrs)
{
    ViommuSpace *space = container_of(region, ViommuSpace, iommu);
    IommuRequest request = { .addr = offset, .requester = viommu_space_id(space),
                             .is_write = access & IOMMU_WRITE,
                             .is_debug = access == IOMMU_NONE || attrs.is_debug };
    IommuEntry entry = { .target = address_space_system(), .iova = offset, .page_mask = 0xfff };
    unsigned reason = VIOMMU_FAULT_NONE;
    IommuPage page;

    if (translate(space, &request, &page, &reason)) {
        entry.page_mask = BIT64(page.shift) - 1;
        entry.iova &= ~entry.page_mask;
        entry.translated = page.addr;
        entry.access = page.access;
    } else if (!request.is_debug) {
        viommu_report_fault(space->unit, &request, reason);
    }
    return entry;
}

/* --- who listens --- */

/* As aligned powers of two, which is what pages are. */
static void notify_range(IommuRegion *region, const ViommuMapping *mapping, IommuNotice notice)
{
    uint64_t at = mapping->first;

    while (true) {
        uint64_t mask = 0xfff, next;

        while (mask != UINT64_MAX && !(at & (next = mask << 1 | 1)) && mapping->last - at >= next) {
            mask = next;
        }
        iommu_region_notify(region, notice, &(IommuEntry){
            .target = address_space_system(), .iova = at, .page_mask = mask,
            .translated = mapping->phys + (at - mapping->first),
            .access = notice == IOMMU_NOTICE_MAP ?
                      (IommuAccess)(mapping->flags & (VIOMMU_MAP_READ | VIOMMU_MAP_WRITE)) :
                      IOMMU_NONE });
        if (mapping->last - at <= mask) {
            break;
        }
        at += mask + 1;
    }
}

typedef struct Tell {
    const ViommuDomain *domain;
    const ViommuMapping *mapping;
    IommuNotice notice;
} Tell;

static void tell_one(ViommuSpace *space, const PciDevice *dev, void *opaque)
{
    const Tell *tell = opaque;

    if (space->iommu.notices &&
        viommu_domain_of(space->unit, viommu_space_id(space)) == tell->domain) {
        notify_range(&space->iommu, tell->mapping, tell->notice);
    }
}

static bool is_listened_to(const VirtioIommu *unit)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, unit->spaces);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (((ViommuSpace *)key)->iommu.notices) {
            return true;
        }
    }
    return false;
}

void viommu_tell(VirtioIommu *unit, const ViommuDomain *domain, const ViommuMapping *mapping,
                 IommuNotice notice)
{
    if (is_listened_to(unit)) {
        viommu_each_device(unit, tell_one, &(Tell){ domain, mapping, notice });
    }
}

static void replay_mapping(const ViommuMapping *mapping, void *opaque)
{
    notify_range(opaque, mapping, IOMMU_NOTICE_MAP);
}

static void region_replay(IommuRegion *region, IommuNotifier *notifier)
{
    ViommuSpace *space = container_of(region, ViommuSpace, iommu);
    const ViommuDomain *domain = viommu_domain_of(space->unit, viommu_space_id(space));

    if (domain) {
        viommu_each_mapping(domain, replay_mapping, region);
    }
}

static const IommuOps region_ops = { .translate = region_translate, .replay = region_replay };

/* --- which of the two --- */

static void switch_one(ViommuSpace *space, const PciDevice *dev, void *opaque)
{
    const VirtioIommu *unit = space->unit;
    const ViommuDomain *domain = viommu_domain_of(space->unit, viommu_space_id(space));
    bool bypasses = domain ? domain->is_bypass : unit->bypass;

    __atomic_store_n(&space->tag, 0, __ATOMIC_RELEASE);
    memory_region_set_enabled(&space->bypass, bypasses);
    memory_region_set_enabled(&space->iommu.region, !bypasses);
}

void viommu_switch_all(VirtioIommu *unit)
{
    memory_transaction_begin();
    viommu_each_device(unit, switch_one, NULL);
    memory_transaction_commit();
}

/* --- life --- */

static guint key_hash(gconstpointer key)
{
    const ViommuSpace *space = key;

    return g_direct_hash(space->bus) * 31 + space->devfn;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const ViommuSpace *x = a, *y = b;

    return x->bus == y->bus && x->devfn == y->devfn;
}

static ViommuSpace *make_space(VirtioIommu *unit, PciBus *bus, int devfn)
{
    ViommuSpace *space = g_new0(ViommuSpace, 1);
    Object *owner = (Object *)unit;
    MemoryRegion *system = memory_region_system();
    g_autofree char *name = g_strdup_printf("viommu-%02x.%x", PCI_SLOT(devfn), PCI_FUNCTION(devfn));

    *space = (ViommuSpace){ .unit = unit, .bus = bus, .devfn = devfn };
    memory_region_init(&space->root, owner, "viommu-root", MEMORY_SIZE_WHOLE);
    memory_region_init_alias(&space->bypass, owner, "viommu-bypass", system,
                             (MemoryWindow){ 0, system->size });
    iommu_region_init(&space->iommu, owner, &region_ops, "viommu-dma", MEMORY_SIZE_WHOLE);
    space->iommu.changes = &unit->changes;
    memory_region_set_enabled(&space->iommu.region, false);
    memory_region_add(&space->root, 0, &space->bypass);
    memory_region_add_overlap(&space->root, 0, &space->iommu.region, 1);
    address_space_init(&space->as, &space->root, name);
    g_hash_table_add(unit->spaces, space);
    return space;
}

ViommuSpace *viommu_space(VirtioIommu *unit, PciBus *bus, int devfn)
{
    ViommuSpace key = { .bus = bus, .devfn = devfn }, *space;

    if (!unit->spaces) {
        unit->spaces = g_hash_table_new(key_hash, key_equal);
    }
    space = g_hash_table_lookup(unit->spaces, &key);
    return space ? space : make_space(unit, bus, devfn);
}

static AddressSpace *give_space(void *opaque, PciBus *bus, int devfn)
{
    ViommuSpace *space = viommu_space(opaque, bus, devfn);

    switch_one(space, NULL, NULL);
    return &space->as;
}

typedef struct EachDevice {
    VirtioIommu *unit;
    ViommuDeviceFn *fn;
    void *opaque;
} EachDevice;

static void each_function(void *opaque, PciDevice *dev)
{
    EachDevice *each = opaque;
    PciRequester who;
    void *unit;

    if (pci_device_iommu(dev, &who, &unit) == &viommu_pci_ops && unit == each->unit) {
        each->fn(viommu_space(each->unit, who.bus, who.devfn), dev, each->opaque);
    }
}

void viommu_each_device(VirtioIommu *unit, ViommuDeviceFn *fn, void *opaque)
{
    EachDevice each = { unit, fn, opaque };

    pci_bus_each(unit->root, each_function, &each);
    for (guint i = 0; unit->root->expanders && i < unit->root->expanders->len; i++) {
        pci_bus_each(unit->root->expanders->pdata[i], each_function, &each);
    }
}

typedef struct Find {
    uint32_t endpoint;
    ViommuSpace *found;
} Find;

static void find_one(ViommuSpace *space, const PciDevice *dev, void *opaque)
{
    Find *find = opaque;
    uint32_t own = pci_bus_number(pci_device_bus(dev)) << 8 | dev->devfn;

    if (find->endpoint == viommu_space_id(space) || find->endpoint == own) {
        find->found = space;
    }
}

/* By its own number, or by that which its requests have behind a conventional bridge. */
ViommuSpace *viommu_space_of(VirtioIommu *unit, uint32_t endpoint)
{
    Find find = { endpoint };

    viommu_each_device(unit, find_one, &find);
    return find.found;
}

static void free_space(ViommuSpace *space)
{
    memory_region_remove(&space->root, &space->bypass);
    memory_region_remove(&space->root, &space->iommu.region);
    iommu_region_clear(&space->iommu);
    memory_region_clear(&space->bypass);
    memory_region_clear(&space->root);
    g_free(space);
}

/* What DMA under way still sees of them holds the device, which frees them when it is freed. */
void viommu_close_spaces(VirtioIommu *unit)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, unit->spaces);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        address_space_clear(&((ViommuSpace *)key)->as);
    }
}

void viommu_free_spaces(VirtioIommu *unit)
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

const PciIommuOps viommu_pci_ops = {
    .address_space = give_space,
    .describe = viommu_describe,
    .walk = viommu_walk,
};
