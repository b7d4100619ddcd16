/*
 * VirtioIommu: a virtual IOMMU that drivers tell by requests what to map (virtio 1.3, 5.13). How its
 * parts see each other: requests come in through virtio_iommu.c, domains hold what is mapped, spaces
 * are what functions see as bus masters.
 *
 * Machine lock, but for the way of a DMA: that looks into the IOTLB and, if it is not there, into
 * domains under `lock`, on any thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_VIRTIO_IOMMU_H
#define HW_MISC_VIRTIO_IOMMU_H

#include "hw/iommu/iommu_spaces.h"
#include "hw/iommu/iotlb.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_iommu.h"
#include "hw/virtio/virtio.h"

/* Requests and how they end. */
enum { VIOMMU_ATTACH = 1, VIOMMU_DETACH, VIOMMU_MAP, VIOMMU_UNMAP, VIOMMU_PROBE, VIOMMU_TYPES };
enum { VIOMMU_OK, VIOMMU_IOERR, VIOMMU_UNSUPP, VIOMMU_DEVERR, VIOMMU_INVAL, VIOMMU_RANGE,
       VIOMMU_NOENT, VIOMMU_FAULT, VIOMMU_NOMEM };
enum { VIOMMU_MAP_READ = 1, VIOMMU_MAP_WRITE = 2, VIOMMU_MAP_MMIO = 4 };
/* Of a fault: the endpoint is in no domain; nothing is mapped, or not so. */
enum { VIOMMU_FAULT_NONE, VIOMMU_FAULT_DOMAIN, VIOMMU_FAULT_MAPPING, VIOMMU_FAULTS };
/* Of reserved memory. */
enum { VIOMMU_RESERVED, VIOMMU_MSI };

typedef struct ViommuReserved {
    uint64_t first, last;
    uint8_t subtype;
} ViommuReserved;
#define VIOMMU_MOST_RESERVED 16

typedef struct ViommuMapping {
    uint64_t first, last; /* virtual addresses, inclusive */
    uint64_t phys;
    uint32_t flags;
} ViommuMapping;
#define VIOMMU_MOST_MAPPINGS (1u << 20)

typedef struct ViommuDomain {
    uint32_t id;
    bool is_bypass;
    uint16_t tag;         /* in the IOTLB */
    unsigned endpoints;   /* attached; without one it is no more */
    GTree *mappings;      /* of ViommuMapping, owned, by address */
} ViommuDomain;

typedef struct ViommuEndpoint {
    uint32_t id;
    ViommuDomain *domain;
} ViommuEndpoint;

typedef struct VirtioIommu VirtioIommu;

/* What a function (or all behind a conventional bridge) sees. Kept while the device is. */
typedef struct ViommuSpace {
    IommuSpace base;
    VirtioIommu *unit;
    uint64_t tag; /* of the IOTLB, for an endpoint number: see virtio_iommu_space.c */
} ViommuSpace;

/* Of saved state: what domains hold, and who is in them. */
typedef struct ViommuSavedEndpoint {
    uint32_t id, domain;
    bool is_bypass;
} ViommuSavedEndpoint;
typedef struct ViommuSavedMapping {
    uint32_t domain;
    ViommuMapping mapping;
} ViommuSavedMapping;

struct VirtioIommu {
    VirtioDevice parent;
    /* properties */
    bool boot_bypass;
    Object *primary_bus;   /* PciBus */
    uint8_t address_bits;
    int granule;           /* index of ViommuGranule */
    ViommuReserved reserved[VIOMMU_MOST_RESERVED];
    unsigned reserved_count;
    bool is_reserved_set;
    /* state */
    bool bypass;           /* of endpoints in no domain */
    GHashTable *domains;   /* of ViommuDomain, owned, by id */
    GHashTable *endpoints; /* of ViommuEndpoint, owned, by id */
    uint32_t mapping_count;
    GMutex lock;           /* of the three: who changes them has the machine's, too */
    uint16_t next_tag;
    Iotlb *iotlb;
    IommuChanges changes;
    IommuSpaces spaces;    /* of ViommuSpace */
    PciBus *root;
    VirtQueue *requests, *events;
    uint64_t counts[VIOMMU_TYPES], faults[VIOMMU_FAULTS], lost_faults, walks;
    /* to be saved */
    ViommuSavedEndpoint *saved_endpoints;
    ViommuSavedMapping *saved_mappings;
    uint32_t saved_endpoint_count, saved_mapping_count;
};
DECLARE_CAST(VirtioIommu, VIRTIO_IOMMU)

uint64_t viommu_page_mask(const VirtioIommu *unit);
uint64_t viommu_last_address(const VirtioIommu *unit);
/* Tells the driver of a fault, if it has left a buffer for it. Any thread. */
void viommu_report_fault(VirtioIommu *unit, const IommuRequest *request, unsigned reason);
const char *viommu_request_name(unsigned type);

/* --- domains (virtio_iommu_domain.c); all but the last answer with a status --- */

void viommu_init_domains(VirtioIommu *unit);
void viommu_free_domains(VirtioIommu *unit);
/* No endpoint is in a domain any more. */
void viommu_detach_all(VirtioIommu *unit);
unsigned viommu_attach(VirtioIommu *unit, uint32_t domain, uint32_t endpoint, bool is_bypass);
unsigned viommu_detach(VirtioIommu *unit, uint32_t domain, uint32_t endpoint);
unsigned viommu_map(VirtioIommu *unit, uint32_t domain, const ViommuMapping *mapping);
unsigned viommu_unmap(VirtioIommu *unit, uint32_t domain, uint64_t first, uint64_t last);
/* The domain that an endpoint is in, or NULL. With `lock`. */
ViommuDomain *viommu_domain_of(VirtioIommu *unit, uint32_t endpoint);
/* For all mappings of a domain, or those that [first, last] touches, in order. */
typedef void ViommuMappingFn(const ViommuMapping *mapping, void *opaque);
void viommu_each_mapping(const ViommuDomain *domain, ViommuMappingFn *fn, void *opaque);
/* Where an address goes; false with the reason. With `lock`. */
bool viommu_look_up(VirtioIommu *unit, uint32_t endpoint, const IommuRequest *request,
                    IommuPage *page, unsigned *reason);

/* --- spaces (virtio_iommu_space.c) --- */

extern const PciIommuOps viommu_pci_ops;
extern const IommuSpacesType viommu_spaces_type;
static inline ViommuSpace *viommu_own_space(IommuSpace *base)
{
    return container_of(base, ViommuSpace, base);
}
/* Of an endpoint that is there; NULL. */
IommuSpace *viommu_space_of(VirtioIommu *unit, uint32_t endpoint);
/* Domains, or what bypasses, changed: where each goes. */
void viommu_switch_all(VirtioIommu *unit);
/* Listeners of the domain's endpoints hear of it. */
void viommu_tell(VirtioIommu *unit, const ViommuDomain *domain, const ViommuMapping *mapping,
                 IommuNotice notice);

/* --- for people (virtio_iommu_info.c) --- */

struct IommuInfo *viommu_describe(void *opaque);
struct IommuWalkInfo *viommu_walk(void *opaque, const PciRequester *who,
                                  const IommuRequest *request);

#endif
