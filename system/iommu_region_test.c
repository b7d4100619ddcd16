/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/iommu_region.h"

#include "system/dma.h"
#include "system/memory_fixture.h"

/* Page n of the region is page (n ^ 1) of the target; pages from 16 on are not mapped, odd ones
 * cannot be written. PASID 5 sees nothing. */
typedef struct Iommu {
    IommuRegion region;
    AddressSpace as;
    Fixture *fixture;
    unsigned asked;
    IommuChanges changes;
    uint64_t base, page_mask;
} Iommu;

static IommuEntry swap_pages(IommuRegion *region, uint64_t offset, IommuAccess access,
                             MemTxAttrs attrs)
{
    Iommu *iommu = container_of(region, Iommu, region);
    uint64_t page = offset / 4096;

    iommu->asked++;
    return (IommuEntry){
        .target = &iommu->fixture->as,
        .iova = offset & ~UINT64_C(4095),
        .translated = (page ^ 1) * 4096 + iommu->base,
        .page_mask = iommu->page_mask,
        .access = page >= 16 || attrs.pasid == 5 ? IOMMU_NONE
                  : page & 1 ? IOMMU_READ : IOMMU_READ_WRITE,
    };
}

static const IommuOps swap_ops = { .translate = swap_pages };

static void note(IommuNotifier *notifier, const IommuEntry *entry)
{
    g_assert_cmphex(entry->iova, >=, notifier->first);
    g_assert_cmphex(entry->iova + entry->page_mask, <=, notifier->last);
    notifier->notices += 0x100;
}

static void test_iommu(Fixture *f, const void *data)
{
    Iommu iommu = { .fixture = f, .page_mask = 4095 };
    IommuNotifier notifier = { .notices = IOMMU_NOTICE_MAP | IOMMU_NOTICE_UNMAP,
                               .first = 0x3000, .last = 0x20fff, .notify = note };
    MemTxAttrs other = dma_attrs_with_pasid(MEM_TX_NONE, 5);
    MemoryMap map;
    uint64_t value;

    iommu_region_init(&iommu.region, NULL, &swap_ops, "iommu", MEMORY_SIZE_WHOLE);
    address_space_init(&iommu.as, &iommu.region.region, "device");
    fixture_store(f, 0x1ffe, MEM_LE16, 0x1111);
    fixture_store(f, 0x0000, MEM_LE16, 0x2222);
    /* Over the border of two pages. */
    g_assert_cmpint(address_space_load(&iommu.as, 0xffe, MEM_LE32, MEM_TX_NONE, &value), ==,
                    MEM_TX_OK);
    g_assert_cmphex(value, ==, 0x22221111);
    g_assert_cmpint(address_space_store(&iommu.as, 0x1000, MEM_8, MEM_TX_NONE, 1), ==,
                    MEM_TX_ERROR);
    g_assert_cmpint(address_space_load(&iommu.as, 0xffe, MEM_LE16, other, &value), ==,
                    MEM_TX_ERROR);
    g_assert_cmpint(address_space_load(&iommu.as, 0x10000, MEM_LE16, MEM_TX_NONE, &value), ==,
                    MEM_TX_ERROR);
    g_assert_true(address_space_map_read(&map, &iommu.as, 0, 0x10000, MEM_TX_NONE));
    g_assert_cmpuint(map.bytes, ==, 4096);
    address_space_unmap(&map, 0);

    g_assert_true(iommu_notifier_register(&notifier, &iommu.region, NULL));
    iommu_notifier_replay(&notifier);
    g_assert_cmpuint(notifier.notices >> 8, ==, 13);
    /* All is unmapped, told within 3000-20fff: 3, 4-7, 8-f, 10-1f, 20. */
    iommu_region_notify(&iommu.region, IOMMU_NOTICE_UNMAP,
                        &(IommuEntry){ .page_mask = UINT64_MAX });
    g_assert_cmpuint(notifier.notices >> 8, ==, 13 + 5);
    iommu_notifier_unregister(&notifier);
    address_space_clear(&iommu.as);
    rcu_barrier_all();
    iommu_region_clear(&iommu.region);
}

/* What the device reads, and how often its IOMMU is asked for it. */
static void expect(Iommu *iommu, uint64_t addr, MemTxAttrs attrs, uint64_t wanted, unsigned asked)
{
    uint64_t value;

    iommu->asked = 0;
    g_assert_cmpint(address_space_load(&iommu->as, addr, MEM_LE16, attrs, &value), ==, MEM_TX_OK);
    g_assert_cmphex(value, ==, wanted);
    g_assert_cmpuint(iommu->asked, ==, asked);
}

/* An owner that counts its changes is asked once for a page, a way of access and a requester. */
static void test_front(Fixture *f, const void *data)
{
    Iommu iommu = { .fixture = f, .page_mask = 4095 };
    MemTxAttrs other = dma_attrs_with_pasid(MEM_TX_NONE, 6), debug = { .is_debug = true };
    uint64_t value;

    iommu_region_init(&iommu.region, NULL, &swap_ops, "iommu", MEMORY_SIZE_WHOLE);
    iommu.region.changes = &iommu.changes;
    address_space_init(&iommu.as, &iommu.region.region, "device");
    fixture_store(f, 0x1010, MEM_LE16, 0x1111);
    fixture_store(f, 0x3010, MEM_LE16, 0x3333);
    expect(&iommu, 0x10, MEM_TX_NONE, 0x1111, 1);
    expect(&iommu, 0x10, MEM_TX_NONE, 0x1111, 0);
    expect(&iommu, 0x12, MEM_TX_NONE, 0, 0);
    expect(&iommu, 0x10, other, 0x1111, 1);
    expect(&iommu, 0x10, other, 0x1111, 0);
    expect(&iommu, 0x10, debug, 0x1111, 1);
    expect(&iommu, 0x2010, MEM_TX_NONE, 0x3333, 1);
    g_assert_cmpuint(iommu_front_hits(&iommu.region), ==, 3);
    /* Writing is another thing, and what is refused is not kept. */
    iommu.asked = 0;
    address_space_store(&iommu.as, 0x10, MEM_LE16, MEM_TX_NONE, 0x1112);
    address_space_store(&iommu.as, 0x10, MEM_LE16, MEM_TX_NONE, 0x1113);
    g_assert_cmpuint(iommu.asked, ==, 1);
    for (unsigned i = 1; i <= 2; i++) {
        g_assert_cmpint(address_space_load(&iommu.as, 0x10000, MEM_8, MEM_TX_NONE, &value), ==,
                        MEM_TX_ERROR);
        g_assert_cmpuint(iommu.asked, ==, 1 + i);
    }
    expect(&iommu, 0x10, MEM_TX_NONE, 0x1113, 0);
    /* Its translations change, then memory. */
    iommu.base = 0x2000;
    iommu_changes_add(&iommu.changes);
    expect(&iommu, 0x10, MEM_TX_NONE, 0x3333, 1);
    expect(&iommu, 0x10, MEM_TX_NONE, 0x3333, 0);
    memory_region_set_enabled(&f->ram, false);
    iommu.asked = 0;
    g_assert_cmpint(address_space_load(&iommu.as, 0x10, MEM_8, MEM_TX_NONE, &value), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmpuint(iommu.asked, ==, 1);
    memory_region_set_enabled(&f->ram, true);
    expect(&iommu, 0x10, MEM_TX_NONE, 0x3333, 1);
    address_space_clear(&iommu.as);
    rcu_barrier_all();
    iommu_region_clear(&iommu.region);
}

/* A page's change leaves what is kept of others, but for large pages, which may be part of the change. */
static void test_front_pages(Fixture *f, const void *data)
{
    Iommu iommu = { .fixture = f, .page_mask = 4095 };

    iommu_region_init(&iommu.region, NULL, &swap_ops, "iommu", MEMORY_SIZE_WHOLE);
    iommu.region.changes = &iommu.changes;
    address_space_init(&iommu.as, &iommu.region.region, "device");
    for (unsigned n = 0; n < 4; n++) {
        fixture_store(f, 4096 * n, MEM_LE16, n);
        expect(&iommu, 4096 * (n ^ 1), MEM_TX_NONE, n, 1);
    }
    iommu_changes_add_pages(&iommu.changes, 0x1000, 0x1001); /* pages 1 and 2 */
    expect(&iommu, 0x0000, MEM_TX_NONE, 1, 0);
    expect(&iommu, 0x1000, MEM_TX_NONE, 0, 1);
    expect(&iommu, 0x2000, MEM_TX_NONE, 3, 1);
    expect(&iommu, 0x3000, MEM_TX_NONE, 2, 0);
    /* Pages that share a count go together; many pages, or those beyond the end, are all. */
    iommu_changes_add_pages(&iommu.changes, UINT64_C(4096) * IOMMU_CHANGE_SLOTS, 1);
    expect(&iommu, 0x0000, MEM_TX_NONE, 1, 1);
    expect(&iommu, 0x1000, MEM_TX_NONE, 0, 0);
    iommu_changes_add_pages(&iommu.changes, 0x100000, 0x100000);
    expect(&iommu, 0x1000, MEM_TX_NONE, 0, 1);
    iommu_changes_add_pages(&iommu.changes, 0x100000, 0);
    expect(&iommu, 0x1000, MEM_TX_NONE, 0, 1);
    iommu_changes_add_pages(&iommu.changes, UINT64_MAX - 4095, 8192);
    expect(&iommu, 0x1000, MEM_TX_NONE, 0, 1);
    iommu.page_mask = 8191;
    iommu_changes_add(&iommu.changes);
    expect(&iommu, 0x2000, MEM_TX_NONE, 2, 1);
    expect(&iommu, 0x2000, MEM_TX_NONE, 2, 0);
    iommu_changes_add_pages(&iommu.changes, 0x3000, 4096);
    expect(&iommu, 0x2000, MEM_TX_NONE, 2, 1);
    address_space_clear(&iommu.as);
    rcu_barrier_all();
    iommu_region_clear(&iommu.region);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn)                                                                              \
    g_test_add("/iommu-region/" name, Fixture, NULL, fixture_set_up, fn, fixture_tear_down)
    ADD("pages", test_iommu);
    ADD("front", test_front);
    ADD("front-pages", test_front_pages);
    return g_test_run();
}
