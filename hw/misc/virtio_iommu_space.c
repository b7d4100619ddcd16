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
    ViommuSpace *space = container_of(region, ViommuSpace, base.iommu);
    IommuRequest request = { .addr = offset, .requester = iommu_space_id(&space->base),
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

static void tell_one(IommuSpace *base, const PciDevice *dev, void *opaque)
{
    ViommuSpace *space = viommu_own_space(base);
    const Tell *tell = opaque;

    if (base->iommu.notices &&
        viommu_domain_of(space->unit, iommu_space_id(&space->base)) == tell->domain) {
        notify_range(&base->iommu, tell->mapping, tell->notice);
    }
}

static bool is_listened_to(const VirtioIommu *unit)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, unit->spaces.table);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (((IommuSpace *)key)->iommu.notices) {
            return true;
        }
    }
    return false;
}

void viommu_tell(VirtioIommu *unit, const ViommuDomain *domain, const ViommuMapping *mapping,
                 IommuNotice notice)
{
    if (is_listened_to(unit)) {
        iommu_spaces_each(&unit->spaces, tell_one, &(Tell){ domain, mapping, notice });
    }
}

static void replay_mapping(const ViommuMapping *mapping, void *opaque)
{
    notify_range(opaque, mapping, IOMMU_NOTICE_MAP);
}

static void region_replay(IommuRegion *region, IommuNotifier *notifier)
{
    ViommuSpace *space = container_of(region, ViommuSpace, base.iommu);
    const ViommuDomain *domain = viommu_domain_of(space->unit, iommu_space_id(&space->base));

    if (domain) {
        viommu_each_mapping(domain, replay_mapping, region);
    }
}

static const IommuOps region_ops = { .translate = region_translate, .replay = region_replay };

/* --- which of the two --- */

static void switch_one(IommuSpace *base, const PciDevice *dev, void *opaque)
{
    ViommuSpace *space = viommu_own_space(base);
    const VirtioIommu *unit = space->unit;
    const ViommuDomain *domain = viommu_domain_of(space->unit, iommu_space_id(&space->base));
    bool bypasses = domain ? domain->is_bypass : unit->bypass;

    __atomic_store_n(&space->tag, 0, __ATOMIC_RELEASE);
    iommu_space_switch(base, bypasses);
}

void viommu_switch_all(VirtioIommu *unit)
{
    memory_transaction_begin();
    iommu_spaces_each(&unit->spaces, switch_one, NULL);
    memory_transaction_commit();
}

/* --- life --- */

static void init_space(IommuSpace *base, void *unit)
{
    viommu_own_space(base)->unit = unit;
}

static AddressSpace *give_space(void *opaque, PciBus *bus, int devfn)
{
    VirtioIommu *unit = opaque;
    IommuSpace *base = iommu_space(&unit->spaces, bus, devfn);

    switch_one(base, NULL, NULL);
    return &base->as;
}

typedef struct Find {
    uint32_t endpoint;
    IommuSpace *found;
} Find;

static void find_one(IommuSpace *base, const PciDevice *dev, void *opaque)
{
    Find *find = opaque;
    uint32_t own = pci_bus_number(pci_device_bus(dev)) << 8 | dev->devfn;

    if (find->endpoint == iommu_space_id(base) || find->endpoint == own) {
        find->found = base;
    }
}

/* By its own number, or by that which its requests have behind a conventional bridge. */
IommuSpace *viommu_space_of(VirtioIommu *unit, uint32_t endpoint)
{
    Find find = { endpoint };

    iommu_spaces_each(&unit->spaces, find_one, &find);
    return find.found;
}

const PciIommuOps viommu_pci_ops = {
    .address_space = give_space,
    .describe = viommu_describe,
    .walk = viommu_walk,
};

const IommuSpacesType viommu_spaces_type = {
    .name = "viommu", .space_bytes = sizeof(ViommuSpace), .region_ops = &region_ops,
    .pci_ops = &viommu_pci_ops, .init = init_space,
};
