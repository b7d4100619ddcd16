/*
 * virtio-iommu: domains. One comes to be when the first endpoint is attached to it, and ends with the
 * last; its mappings lie beside each other and never overlap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_iommu.h"

#define PAGE_SHIFT 12

/* Those that touch are equal: a look-up finds what overlaps. */
static gint compare(gconstpointer a, gconstpointer b, gpointer unused)
{
    const ViommuMapping *x = a, *y = b;

    return x->last < y->first ? -1 : x->first > y->last;
}

static void free_domain(gpointer opaque)
{
    ViommuDomain *domain = opaque;

    g_tree_unref(domain->mappings);
    g_free(domain);
}

void viommu_init_domains(VirtioIommu *unit)
{
    g_mutex_init(&unit->lock);
    unit->domains = g_hash_table_new_full(NULL, NULL, NULL, free_domain);
    unit->endpoints = g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

void viommu_free_domains(VirtioIommu *unit)
{
    if (unit->domains) {
        g_clear_pointer(&unit->endpoints, g_hash_table_unref);
        g_clear_pointer(&unit->domains, g_hash_table_unref);
        g_mutex_clear(&unit->lock);
    }
}

static ViommuDomain *find_domain(VirtioIommu *unit, uint32_t id)
{
    return g_hash_table_lookup(unit->domains, GUINT_TO_POINTER(id));
}

/* Tags come again after 65536 domains. */
static ViommuDomain *new_domain(VirtioIommu *unit, uint32_t id, bool is_bypass)
{
    ViommuDomain *domain = g_new0(ViommuDomain, 1);

    domain->id = id;
    domain->is_bypass = is_bypass;
    domain->tag = unit->next_tag++;
    domain->mappings = g_tree_new_full(compare, NULL, g_free, NULL);
    iotlb_drop_domain(unit->iotlb, domain->tag);
    g_hash_table_insert(unit->domains, GUINT_TO_POINTER(id), domain);
    return domain;
}

ViommuDomain *viommu_domain_of(VirtioIommu *unit, uint32_t endpoint)
{
    const ViommuEndpoint *found = g_hash_table_lookup(unit->endpoints,
                                                      GUINT_TO_POINTER(endpoint));

    return found ? found->domain : NULL;
}

/* --- endpoints --- */

typedef struct EachMapping {
    ViommuMappingFn *fn;
    void *opaque;
} EachMapping;

static gboolean each_mapping(gpointer key, gpointer value, gpointer opaque)
{
    const EachMapping *each = opaque;

    each->fn(key, each->opaque);
    return false;
}

void viommu_each_mapping(const ViommuDomain *domain, ViommuMappingFn *fn, void *opaque)
{
    g_tree_foreach(domain->mappings, each_mapping, &(EachMapping){ fn, opaque });
}

typedef struct Tell {
    VirtioIommu *unit;
    const ViommuDomain *domain;
    IommuNotice notice;
} Tell;

static void tell(const ViommuMapping *mapping, void *opaque)
{
    const Tell *to = opaque;

    viommu_tell(to->unit, to->domain, mapping, to->notice);
}

static void tell_all(VirtioIommu *unit, const ViommuDomain *domain, IommuNotice notice)
{
    viommu_each_mapping(domain, tell, &(Tell){ unit, domain, notice });
}

static void leave_domain(VirtioIommu *unit, uint32_t endpoint)
{
    ViommuDomain *domain = viommu_domain_of(unit, endpoint);

    tell_all(unit, domain, IOMMU_NOTICE_UNMAP);
    g_mutex_lock(&unit->lock);
    g_hash_table_remove(unit->endpoints, GUINT_TO_POINTER(endpoint));
    if (!--domain->endpoints) {
        unit->mapping_count -= g_tree_nnodes(domain->mappings);
        iotlb_drop_domain(unit->iotlb, domain->tag);
        g_hash_table_remove(unit->domains, GUINT_TO_POINTER(domain->id));
    }
    g_mutex_unlock(&unit->lock);
}

void viommu_detach_all(VirtioIommu *unit)
{
    GHashTableIter iter;
    gpointer key;

    do {
        g_hash_table_iter_init(&iter, unit->endpoints);
        if (!g_hash_table_iter_next(&iter, &key, NULL)) {
            break;
        }
        leave_domain(unit, GPOINTER_TO_UINT(key));
    } while (true);
    iommu_changes_add(&unit->changes);
    viommu_switch_all(unit);
}

unsigned viommu_attach(VirtioIommu *unit, uint32_t id, uint32_t endpoint, bool is_bypass)
{
    ViommuDomain *domain = find_domain(unit, id);
    ViommuEndpoint *attached;

    if (!viommu_space_of(unit, endpoint)) {
        return VIOMMU_NOENT;
    }
    if (domain && domain->is_bypass != is_bypass) {
        return VIOMMU_INVAL;
    }
    if (domain && viommu_domain_of(unit, endpoint) == domain) {
        return VIOMMU_OK;
    }
    if (viommu_domain_of(unit, endpoint)) {
        leave_domain(unit, endpoint);
    }
    attached = g_new(ViommuEndpoint, 1);
    g_mutex_lock(&unit->lock);
    domain = domain ? domain : new_domain(unit, id, is_bypass);
    domain->endpoints++;
    *attached = (ViommuEndpoint){ endpoint, domain };
    g_hash_table_insert(unit->endpoints, GUINT_TO_POINTER(endpoint), attached);
    g_mutex_unlock(&unit->lock);
    iommu_changes_add(&unit->changes);
    viommu_switch_all(unit);
    tell_all(unit, domain, IOMMU_NOTICE_MAP);
    return VIOMMU_OK;
}

unsigned viommu_detach(VirtioIommu *unit, uint32_t id, uint32_t endpoint)
{
    const ViommuDomain *domain = viommu_domain_of(unit, endpoint);

    if (!viommu_space_of(unit, endpoint)) {
        return VIOMMU_NOENT;
    }
    if (!domain || domain->id != id) {
        return VIOMMU_INVAL;
    }
    leave_domain(unit, endpoint);
    iommu_changes_add(&unit->changes);
    viommu_switch_all(unit);
    return VIOMMU_OK;
}

/* --- mappings --- */

static bool is_reserved(const VirtioIommu *unit, const ViommuMapping *mapping)
{
    for (unsigned i = 0; i < unit->reserved_count; i++) {
        if (mapping->first <= unit->reserved[i].last && mapping->last >= unit->reserved[i].first) {
            return true;
        }
    }
    return false;
}

static unsigned check_mapping(const VirtioIommu *unit, const ViommuMapping *mapping)
{
    uint64_t inside = ~viommu_page_mask(unit);

    if (mapping->flags & ~(VIOMMU_MAP_READ | VIOMMU_MAP_WRITE | VIOMMU_MAP_MMIO) ||
        mapping->last < mapping->first) {
        return VIOMMU_INVAL;
    }
    if ((mapping->first | (mapping->last + 1) | mapping->phys) & inside ||
        mapping->last > viommu_last_address(unit) ||
        mapping->phys + (mapping->last - mapping->first) < mapping->phys) {
        return VIOMMU_RANGE;
    }
    return is_reserved(unit, mapping) ? VIOMMU_INVAL : VIOMMU_OK;
}

unsigned viommu_map(VirtioIommu *unit, uint32_t id, const ViommuMapping *mapping)
{
    ViommuDomain *domain = find_domain(unit, id);
    unsigned status = check_mapping(unit, mapping);

    if (!domain) {
        return VIOMMU_NOENT;
    }
    if (status) {
        return status;
    }
    if (domain->is_bypass || g_tree_lookup_extended(domain->mappings, mapping, NULL, NULL)) {
        return VIOMMU_INVAL;
    }
    if (unit->mapping_count == VIOMMU_MOST_MAPPINGS) {
        return VIOMMU_NOMEM;
    }
    g_mutex_lock(&unit->lock);
    g_tree_insert(domain->mappings, g_memdup2(mapping, sizeof(*mapping)), NULL);
    unit->mapping_count++;
    g_mutex_unlock(&unit->lock);
    viommu_tell(unit, domain, mapping, IOMMU_NOTICE_MAP);
    return VIOMMU_OK;
}

static void remove_mapping(VirtioIommu *unit, ViommuDomain *domain, ViommuMapping mapping)
{
    IotlbTag tag = { .domain = domain->tag, .stage = IOTLB_SECOND };

    g_mutex_lock(&unit->lock);
    g_tree_remove(domain->mappings, &mapping);
    unit->mapping_count--;
    g_mutex_unlock(&unit->lock);
    iotlb_drop_pages(unit->iotlb, &tag, 1, mapping.first, mapping.last - mapping.first + 1);
    iommu_changes_add_pages(&unit->changes, mapping.first, mapping.last - mapping.first + 1);
    viommu_tell(unit, domain, &mapping, IOMMU_NOTICE_UNMAP);
}

/* Does one reach over an end of the range? Only those at the ends can. */
static bool is_split(const ViommuDomain *domain, uint64_t first, uint64_t last)
{
    const uint64_t ends[2] = { first, last };

    for (unsigned i = 0; i < 2; i++) {
        ViommuMapping key = { ends[i], ends[i] };
        gpointer found;

        if (g_tree_lookup_extended(domain->mappings, &key, &found, NULL)) {
            const ViommuMapping *mapping = found;

            if (mapping->first < first || mapping->last > last) {
                return true;
            }
        }
    }
    return false;
}

unsigned viommu_unmap(VirtioIommu *unit, uint32_t id, uint64_t first, uint64_t last)
{
    ViommuDomain *domain = find_domain(unit, id);
    ViommuMapping range = { first, last };
    gpointer found;

    if (!domain) {
        return VIOMMU_NOENT;
    }
    if (domain->is_bypass || last < first) {
        return VIOMMU_INVAL;
    }
    if (is_split(domain, first, last)) {
        return VIOMMU_RANGE;
    }
    while (g_tree_lookup_extended(domain->mappings, &range, &found, NULL)) {
        remove_mapping(unit, domain, *(const ViommuMapping *)found);
    }
    return VIOMMU_OK;
}

/* --- an address --- */

/* The largest aligned page around it that the mapping holds as a whole. */
static uint8_t page_shift(const ViommuMapping *mapping, uint64_t addr)
{
    uint8_t shift = PAGE_SHIFT;

    while (shift < 63) {
        uint64_t mask = BIT64(shift + 1) - 1, page = addr & ~mask;

        if (page < mapping->first || (page | mask) > mapping->last ||
            (mapping->phys - mapping->first) & mask) {
            break;
        }
        shift++;
    }
    return shift;
}

static bool take_mapping(const ViommuMapping *mapping, const IommuRequest *request, IommuPage *page)
{
    uint8_t shift = page_shift(mapping, request->addr);
    uint64_t inside = BIT64(shift) - 1;

    *page = (IommuPage){
        .addr = (request->addr & ~inside) - mapping->first + mapping->phys, .shift = shift,
        .access = (IommuAccess)(mapping->flags & (VIOMMU_MAP_READ | VIOMMU_MAP_WRITE)),
        .is_executable = true, .is_dirty = true,
    };
    return page->access & (request->is_write ? IOMMU_WRITE : IOMMU_READ);
}

bool viommu_look_up(VirtioIommu *unit, uint32_t endpoint, const IommuRequest *request,
                    IommuPage *page, unsigned *reason)
{
    const ViommuDomain *domain = viommu_domain_of(unit, endpoint);
    ViommuMapping key = { request->addr, request->addr };
    gpointer found;

    if (domain ? domain->is_bypass : unit->bypass) {
        *page = (IommuPage){ .addr = request->addr & ~UINT64_C(0xfff), .shift = PAGE_SHIFT,
                             .access = IOMMU_READ_WRITE, .is_dirty = true };
        return true;
    }
    *reason = domain ? VIOMMU_FAULT_MAPPING : VIOMMU_FAULT_DOMAIN;
    return domain && g_tree_lookup_extended(domain->mappings, &key, &found, NULL) &&
           take_mapping(found, request, page);
}
