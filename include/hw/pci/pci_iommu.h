/*
 * PciIommuOps: what a virtual IOMMU does for the functions below a bus. Registered on the root bus
 * (or on one that an IOMMU covers alone); found by walking from a function to the root.
 *
 * A function behind a conventional bridge is seen under the bridge's number: hooks get the bus and
 * devfn after that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_IOMMU_H
#define HW_PCI_PCI_IOMMU_H

#include "hw/pci/pci_device.h"
#include "system/iommu_region.h"

struct HostIommuDevice;
struct IommuInfo;
struct IommuRequest;
struct IommuWalkInfo;

/* Who asks: the bus and devfn after aliases, and a process of it. */
typedef struct PciRequester {
    PciBus *bus;
    int devfn;
    bool has_pasid;
    uint32_t pasid;
} PciRequester;

typedef struct PciAtsRequest {
    IovaAddr addr;
    uint64_t bytes;
    bool is_privileged, is_execute, no_write;
} PciAtsRequest;

typedef struct PciPageRequest {
    IovaAddr addr;
    uint16_t group;      /* PRG index */
    bool is_last, is_privileged, is_execute, is_read, is_write;
} PciPageRequest;

/* Told how a page request group ended. */
typedef struct PciPageNotifier {
    void (*answered)(struct PciPageNotifier *notifier, uint16_t group, uint8_t response);
} PciPageNotifier;

enum {
    PCI_IOMMU_NESTING_PARENT = 1 << 0, /* an assigned device's stage 2 is to be a nesting parent */
    PCI_IOMMU_DIRTY_TRACKING = 1 << 1,
    PCI_IOMMU_PASID = 1 << 2,
    PCI_IOMMU_PASID_ATTACH = 1 << 3,
};

/* All but address_space may be NULL. */
typedef struct PciIommuOps {
    AddressSpace *(*address_space)(void *opaque, PciBus *bus, int devfn);
    /* Hands over a passed-through device; may refuse it. */
    bool (*set_device)(void *opaque, const PciRequester *who, struct HostIommuDevice *host,
                       Error **errp);
    void (*unset_device)(void *opaque, const PciRequester *who);
    uint64_t (*flags)(void *opaque);
    /* Fills at most `count` results; how many, or -1 if the request is not permitted. */
    int (*ats_translate)(void *opaque, const PciRequester *who, const PciAtsRequest *request,
                         IommuEntry *results, unsigned count);
    /* Does it answer translation requests at all? NULL: as ats_translate is there. */
    bool (*has_ats)(void *opaque);
    bool (*page_request)(void *opaque, const PciRequester *who, const PciPageRequest *request);
    /* Do tables let the requester ask for pages at all? Records nothing. */
    bool (*may_request_pages)(void *opaque, const PciRequester *who);
    bool (*set_page_notifier)(void *opaque, const PciRequester *who, PciPageNotifier *notifier);
    /* For people (hw/iommu/iommu_query.c): free what they return by the type's own function. */
    struct IommuInfo *(*describe)(void *opaque);
    struct IommuWalkInfo *(*walk)(void *opaque, const PciRequester *who,
                                  const struct IommuRequest *request);
} PciIommuOps;

/* For all functions below, those that are there and those to come. NULL takes it away. */
void pci_bus_set_iommu(PciBus *bus, const PciIommuOps *ops, void *opaque);
/* The ops that hold for the function, with its alias in *who; NULL: none (memory as it is). */
const PciIommuOps *pci_device_iommu(const PciDevice *dev, PciRequester *who, void **opaque);

#endif
