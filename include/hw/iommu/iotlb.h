/*
 * Iotlb: translations of a virtual IOMMU that are kept. They are tagged by domain (VMID), address
 * space of it (PASID, ASID) and stage, and found by page, whatever its size.
 *
 * Its memory is fixed. Dropping everything, a domain, an address space, or what is nested in a
 * domain takes constant time; dropping pages takes time by their number alone. It may drop more
 * than it is told, and forgets when it is full; it never keeps what it was told to drop.
 *
 * Looking up takes no lock. All functions may be called from any thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IOMMU_IOTLB_H
#define HW_IOMMU_IOTLB_H

#include "hw/iommu/iommu_request.h"

typedef enum IotlbStage { IOTLB_SECOND, IOTLB_FIRST, IOTLB_NESTED } IotlbStage;
#define IOTLB_STAGES 3

/* Second-stage translations are alike for all address spaces: asid 0. */
typedef struct IotlbTag {
    uint16_t domain;
    uint32_t asid; /* up to 24 bits */
    IotlbStage stage;
} IotlbTag;

/* Taken before tables are read; what was dropped since keeps a page from being put in. */
typedef struct IotlbMark {
    uint64_t stamp, page_drops;
} IotlbMark;

typedef struct IotlbCounters {
    uint64_t hits, misses, inserts;
    uint64_t drops; /* calls */
} IotlbCounters;

typedef struct Iotlb Iotlb;

/* Room for about `pages` translations, at least 64. */
Iotlb *iotlb_new(size_t pages);
void iotlb_free(Iotlb *tlb);

bool iotlb_find(Iotlb *tlb, IotlbTag tag, IovaAddr addr, IommuPage *page);
IotlbMark iotlb_mark(const Iotlb *tlb, IotlbTag tag);
void iotlb_insert(Iotlb *tlb, IotlbTag tag, IotlbMark mark, IovaAddr addr, const IommuPage *page);

void iotlb_drop_all(Iotlb *tlb);
void iotlb_drop_domain(Iotlb *tlb, uint16_t domain);
/* First-stage and nested translations of an address space. */
void iotlb_drop_asid(Iotlb *tlb, uint16_t domain, uint32_t asid);
/* What went through the domain's second stage after a first one. */
void iotlb_drop_nested(Iotlb *tlb, uint16_t domain);
/* Pages that [addr, addr + bytes) touches, of each of the tags; bytes 0: 2^64. */
void iotlb_drop_pages(Iotlb *tlb, const IotlbTag *tags, unsigned count, IovaAddr addr,
                      uint64_t bytes);

/* Threads at once may lose counts of each other. */
IotlbCounters iotlb_counters(const Iotlb *tlb);
/* Entries that a look-up could find. For people: takes time by the size. */
size_t iotlb_used(Iotlb *tlb);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Iotlb, iotlb_free)

#endif
