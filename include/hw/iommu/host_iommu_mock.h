/*
 * A HostIommuDevice for tests: it notes what it was asked, in words, and refuses when told to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IOMMU_HOST_IOMMU_MOCK_H
#define HW_IOMMU_HOST_IOMMU_MOCK_H

#include "hw/iommu/host_iommu.h"

typedef struct MockHostIommu {
    HostIommuDevice parent;
    GString *log;             /* the test's; " ; " stands between acts */
    const char *name;         /* what its acts begin with */
    bool refuses;             /* whatever it is asked */
    GuestAddr status;         /* flushes tell the 32-bit word there; 0: they do not */
    uint32_t next_pasid;      /* that alloc_pasid gives */
} MockHostIommu;
DECLARE_CAST(MockHostIommu, MOCK_HOST_IOMMU)

/* One that can do all that intel-iommu's tables ask for; change ->parent.caps before it is handed
 * over. Give it back by object_unref(). */
MockHostIommu *mock_host_iommu_new(const char *name, GString *log);

#endif
