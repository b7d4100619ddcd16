/*
 * HostIommuDevice: the host's IOMMU behind one passed-through device, as a virtual IOMMU sees it:
 * what it can do, and whose tables translate the device's DMA. Who opens the device (hw/vfio)
 * makes it and hands it over by PciIommuOps.set_device; the virtual IOMMU holds a reference from
 * then until unset_device. It never knows whether the kernel's door is type1, type1 with nesting
 * or iommufd.
 *
 * All functions want the machine lock. A back end never calls the virtual IOMMU from inside one
 * of them. What fails sets *errp and has changed nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IOMMU_HOST_IOMMU_H
#define HW_IOMMU_HOST_IOMMU_H

#include "qom/object.h"
#include "system/memory_tx.h"

#define TYPE_HOST_IOMMU_DEVICE "host-iommu-device"

typedef struct HostIommuDevice HostIommuDevice;

typedef enum HostIommuType { HOST_IOMMU_NONE, HOST_IOMMU_VTD, HOST_IOMMU_SMMUV3 } HostIommuType;

/* What the host offers for this device; the maker's, constant from then on. */
typedef struct HostIommuCaps {
    HostIommuType type;
    uint8_t address_bits;      /* of IOVAs; at most 64 */
    uint8_t pasid_bits;        /* 0: no PASIDs */
    bool has_nesting;          /* attach_first is there */
    bool has_faults;           /* page requests can be forwarded */
    bool translates_rid;       /* a first stage for requests without PASID too */
    bool has_host_pasids;      /* PASIDs must come from alloc_pasid */
    struct {
        uint64_t cap, ecap;    /* registers of the unit; with type HOST_IOMMU_VTD */
    } vtd;
} HostIommuCaps;

/* A guest's first-stage table. */
typedef struct HostFirstStage {
    GuestAddr root;
    uint8_t address_bits;      /* 48 or 57 */
    bool has_supervisor;       /* SRE */
    bool has_extended_access;  /* EAFE */
    bool has_write_protect;    /* WPE */
    bool cache_disable, write_through, extended_memory_type; /* CD, PWT, EMTE */
    bool cache_disable_page;   /* PCD */
    uint8_t memory_type;       /* EMT */
    uint32_t pat;
    bool wants_faults;         /* page requests of this address space go to the guest */
} HostFirstStage;

typedef struct HostFlush {
    uint32_t pasid;
    uint64_t addr, pages;      /* of 4 KiB; UINT64_MAX: all of the address space */
    bool is_leaf;
} HostFlush;

/* What a device asks for through the host. */
typedef struct HostPageRequest {
    bool has_pasid, is_last, is_read, is_write, is_execute, is_privileged, has_private_data;
    uint32_t pasid;
    uint16_t group;
    uint64_t cookie;           /* the back end's, for the response */
    IovaAddr addr;
    uint64_t private_data[2];
} HostPageRequest;

typedef void HostPageRequestFn(void *opaque, HostIommuDevice *host, const HostPageRequest *request);

struct HostIommuDevice {
    Object parent;
    HostIommuCaps caps;
    HostPageRequestFn *page_requested; /* the virtual IOMMU's; NULL: nobody listens */
    void *opaque;
    bool is_registered;
};
DECLARE_CAST(HostIommuDevice, HOST_IOMMU_DEVICE)

/* What host_iommu_*() below ask; NULL: the back end cannot. pasid 0 is requests without one. */
typedef struct HostIommuDeviceType {
    struct ObjectType;
    bool (*attach_first)(HostIommuDevice *host, uint32_t pasid, const HostFirstStage *stage,
                         Error **errp);
    bool (*attach_second)(HostIommuDevice *host, uint32_t pasid, Error **errp);
    bool (*detach)(HostIommuDevice *host, uint32_t pasid, Error **errp);
    bool (*flush)(HostIommuDevice *host, const HostFlush *flush, Error **errp);
    bool (*respond)(HostIommuDevice *host, const HostPageRequest *request, uint8_t code,
                    Error **errp);
    bool (*alloc_pasid)(HostIommuDevice *host, uint32_t first, uint32_t last, uint32_t *pasid,
                        Error **errp);
    bool (*free_pasid)(HostIommuDevice *host, uint32_t pasid, Error **errp);
} HostIommuDeviceType;

/* The device's DMA in this address space goes through the guest's table, from now on: replaces,
 * in one step, what was there. */
bool host_iommu_attach_first(HostIommuDevice *host, uint32_t pasid, const HostFirstStage *stage,
                             Error **errp);
/* It goes to guest memory as it is. */
bool host_iommu_attach_second(HostIommuDevice *host, uint32_t pasid, Error **errp);
/* It is blocked. */
bool host_iommu_detach(HostIommuDevice *host, uint32_t pasid, Error **errp);
bool host_iommu_flush(HostIommuDevice *host, const HostFlush *flush, Error **errp);
bool host_iommu_respond(HostIommuDevice *host, const HostPageRequest *request, uint8_t code,
                        Error **errp);
bool host_iommu_alloc_pasid(HostIommuDevice *host, uint32_t first, uint32_t last, uint32_t *pasid,
                            Error **errp);
bool host_iommu_free_pasid(HostIommuDevice *host, uint32_t pasid, Error **errp);

/* The virtual IOMMU takes the device, with a reference, and gives it back. */
void host_iommu_register(HostIommuDevice *host, HostPageRequestFn *page_requested, void *opaque);
void host_iommu_unregister(HostIommuDevice *host);
/* For back ends: a device wants a page. False: nobody listens; answer it as invalid. */
bool host_iommu_page_requested(HostIommuDevice *host, const HostPageRequest *request);

#endif
