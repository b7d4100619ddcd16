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
} Iommu;

static IommuEntry swap_pages(IommuRegion *region, uint64_t offset, IommuAccess access,
                             MemTxAttrs attrs)
{
    Iommu *iommu = container_of(region, Iommu, region);
    uint64_t page = offset / 4096;

    return (IommuEntry){
        .target = &iommu->fixture->as,
        .iova = offset & ~UINT64_C(4095),
        .translated = (page ^ 1) * 4096,
        .page_mask = 4095,
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
    Iommu iommu = { .fixture = f };
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn)                                                                              \
    g_test_add("/iommu-region/" name, Fixture, NULL, fixture_set_up, fn, fixture_tear_down)
    ADD("pages", test_iommu);
    return g_test_run();
}
