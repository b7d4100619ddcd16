/*
 * See hw/iommu/iommu_spaces.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/iommu/iommu_spaces.h"

#include "hw/pci/pci_bus.h"

static guint key_hash(gconstpointer key)
{
    const IommuSpace *space = key;

    return g_direct_hash(space->bus) * 31 + space->devfn;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const IommuSpace *x = a, *y = b;

    return x->bus == y->bus && x->devfn == y->devfn;
}

void iommu_spaces_init(IommuSpaces *spaces, const IommuSpacesType *type, Object *unit,
                       PciBus *root, const IommuChanges *changes)
{
    *spaces = (IommuSpaces){ type, unit, root, changes, g_hash_table_new(key_hash, key_equal) };
}

/* --- one --- */

static void init_regions(IommuSpaces *spaces, IommuSpace *space)
{
    const char *name = spaces->type->name;
    MemoryRegion *system = memory_region_system();
    g_autofree char *root = g_strdup_printf("%s-%02x.%x", name, PCI_SLOT(space->devfn),
                                            PCI_FUNCTION(space->devfn));
    g_autofree char *bypass = g_strdup_printf("%s-bypass", name);
    g_autofree char *iommu = g_strdup_printf("%s-dma", name);

    memory_region_init(&space->root, spaces->unit, root, MEMORY_SIZE_WHOLE);
    memory_region_init_alias(&space->bypass, spaces->unit, bypass, system,
                             (MemoryWindow){ 0, system->size });
    iommu_region_init(&space->iommu, spaces->unit, spaces->type->region_ops, iommu,
                      MEMORY_SIZE_WHOLE);
    space->iommu.changes = spaces->changes;
    memory_region_set_enabled(&space->iommu.region, false);
    memory_region_add(&space->root, 0, &space->bypass);
    memory_region_add_overlap(&space->root, 0, &space->iommu.region, 1);
}

static IommuSpace *make_space(IommuSpaces *spaces, PciBus *bus, int devfn)
{
    IommuSpace *space = g_malloc0(spaces->type->space_bytes);

    space->bus = bus;
    space->devfn = devfn;
    init_regions(spaces, space);
    if (spaces->type->init) {
        spaces->type->init(space, spaces->unit);
    }
    address_space_init(&space->as, &space->root, space->root.name);
    g_hash_table_add(spaces->table, space);
    return space;
}

IommuSpace *iommu_space(IommuSpaces *spaces, PciBus *bus, int devfn)
{
    IommuSpace key = { .bus = bus, .devfn = devfn };
    IommuSpace *space = g_hash_table_lookup(spaces->table, &key);

    return space ? space : make_space(spaces, bus, devfn);
}

uint16_t iommu_space_id(const IommuSpace *space)
{
    return pci_bus_number(space->bus) << 8 | space->devfn;
}

void iommu_space_switch(IommuSpace *space, bool bypasses)
{
    memory_transaction_begin();
    memory_region_set_enabled(&space->bypass, bypasses);
    memory_region_set_enabled(&space->iommu.region, !bypasses);
    memory_transaction_commit();
}

static void free_space(const IommuSpacesType *type, IommuSpace *space)
{
    if (type->clear) {
        type->clear(space);
    }
    memory_region_remove(&space->root, &space->bypass);
    memory_region_remove(&space->root, &space->iommu.region);
    iommu_region_clear(&space->iommu);
    memory_region_clear(&space->bypass);
    memory_region_clear(&space->root);
    g_free(space);
}

/* --- all of them --- */

typedef struct Each {
    IommuSpaces *spaces;
    IommuSpaceFn *fn;
    void *opaque;
} Each;

static void each_function(void *opaque, PciDevice *dev)
{
    const Each *each = opaque;
    PciRequester who;
    void *unit;
    const PciIommuOps *ops = pci_device_iommu(dev, &who, &unit);

    if (ops == each->spaces->type->pci_ops && unit == each->spaces->unit) {
        each->fn(iommu_space(each->spaces, who.bus, who.devfn), dev, each->opaque);
    }
}

void iommu_spaces_each(IommuSpaces *spaces, IommuSpaceFn *fn, void *opaque)
{
    const GPtrArray *expanders = spaces->root->expanders;
    Each each = { spaces, fn, opaque };

    pci_bus_each(spaces->root, each_function, &each);
    for (guint i = 0; expanders && i < expanders->len; i++) {
        pci_bus_each(expanders->pdata[i], each_function, &each);
    }
}

void iommu_spaces_close(IommuSpaces *spaces)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, spaces->table);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        address_space_clear(&((IommuSpace *)key)->as);
    }
}

void iommu_spaces_clear(IommuSpaces *spaces)
{
    GHashTableIter iter;
    gpointer key;

    if (spaces->table) {
        g_hash_table_iter_init(&iter, spaces->table);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            free_space(spaces->type, key);
        }
        g_clear_pointer(&spaces->table, g_hash_table_unref);
    }
}
