/*
 * IommuSpaces: what functions see as bus masters behind a virtual IOMMU. A space belongs to a function,
 * or to all behind a conventional bridge: it is memory as it is, or the unit's IOMMU region. It is
 * made when it is first asked for and kept while the unit is, whatever becomes of the function.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IOMMU_IOMMU_SPACES_H
#define HW_IOMMU_IOMMU_SPACES_H

#include "hw/pci/pci_iommu.h"

/* The first member of a unit's own struct. */
typedef struct IommuSpace {
    PciBus *bus;         /* of what asked last; alive while functions do DMA */
    int devfn;
    AddressSpace as;
    MemoryRegion root;   /* others may be laid over the two */
    MemoryRegion bypass;
    IommuRegion iommu;
} IommuSpace;

typedef struct IommuSpacesType {
    const char *name;    /* its regions' names begin with it */
    size_t space_bytes;
    const IommuOps *region_ops;
    const PciIommuOps *pci_ops;
    /* Of what the unit's struct has beyond. Optional. */
    void (*init)(IommuSpace *space, void *unit);
    void (*clear)(IommuSpace *space);
} IommuSpacesType;

typedef struct IommuSpaces {
    const IommuSpacesType *type;
    Object *unit;        /* which they are part of */
    PciBus *root;        /* borrowed; its expanders are behind the unit, too */
    const IommuChanges *changes;
    GHashTable *table;   /* of IommuSpace, owned, by bus and devfn */
} IommuSpaces;

/* The unit registers itself with `root` as the type's pci_ops say. */
void iommu_spaces_init(IommuSpaces *spaces, const IommuSpacesType *type, Object *unit,
                       PciBus *root, const IommuChanges *changes);
/* Nobody asks any more. What DMA under way still sees of them holds the unit, which ... */
void iommu_spaces_close(IommuSpaces *spaces);
/* ... frees them when it is freed itself; also when there was no init. */
void iommu_spaces_clear(IommuSpaces *spaces);

IommuSpace *iommu_space(IommuSpaces *spaces, PciBus *bus, int devfn);
/* Bus, device and function as requests have them. */
uint16_t iommu_space_id(const IommuSpace *space);
void iommu_space_switch(IommuSpace *space, bool bypasses);
/* For all functions that are there, each with the space it is in. */
typedef void IommuSpaceFn(IommuSpace *space, const PciDevice *dev, void *opaque);
void iommu_spaces_each(IommuSpaces *spaces, IommuSpaceFn *fn, void *opaque);

#endif
