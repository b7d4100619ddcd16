/*
 * IommuFront: where in RAM the last pages went that were accessed through an IOMMU region, so that
 * neither its owner nor the map is asked again. What is kept counts while neither changed: the
 * owner counts its changes (IommuRegion.changes), the map its own.
 *
 * Inside rcu_lock(); no other lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_IOMMU_FRONT_H
#define SYSTEM_IOMMU_FRONT_H

#include "system/iommu_region.h"

/* Odd while the map changes. */
extern uint64_t memory_map_changes;

/* Taken before the owner is asked. */
typedef struct IommuStamp {
    uint64_t small, large, map; /* changes of the page, of pages of any size; of the map */
} IommuStamp;

IommuStamp iommu_front_stamp(const IommuRegion *iommu, uint64_t offset);
/* Found, *target is all that address_space_find() tells; else it means nothing. */
bool iommu_front_find(IommuRegion *iommu, uint64_t offset, MemTxAttrs attrs, bool is_write,
                      MemoryTarget *target);
/* What a page that was asked for is kept by. */
typedef struct IommuFrontKey {
    IommuStamp stamp;
    uint64_t offset; /* in the region */
    MemTxAttrs attrs;
    bool is_write;
    bool is_large;   /* part of a page of more than 4 KiB */
} IommuFrontKey;
void iommu_front_keep(IommuRegion *iommu, const IommuFrontKey *key, const MemoryTarget *target);
void iommu_front_free(IommuRegion *iommu);

#endif
