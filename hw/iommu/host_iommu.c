/*
 * HostIommuDevice: see hw/iommu/host_iommu.h. The base type: what a back end lacks is refused here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/iommu/host_iommu.h"

#include "system/machine_lock.h"

static const HostIommuDeviceType *ops_of(const HostIommuDevice *host)
{
    machine_lock_assert_held();
    return object_ops(host);
}

static bool refuse(const HostIommuDevice *host, const char *what, Error **errp)
{
    return error_set(errp, "%s cannot %s", object_type_name(host), what);
}

bool host_iommu_attach_first(HostIommuDevice *host, uint32_t pasid, const HostFirstStage *stage,
                             Error **errp)
{
    const HostIommuDeviceType *ops = ops_of(host);

    return host->caps.has_nesting && ops->attach_first ?
           ops->attach_first(host, pasid, stage, errp) :
           refuse(host, "use a guest's first-stage table", errp);
}

bool host_iommu_attach_second(HostIommuDevice *host, uint32_t pasid, Error **errp)
{
    const HostIommuDeviceType *ops = ops_of(host);

    return ops->attach_second ? ops->attach_second(host, pasid, errp) :
                                refuse(host, "pass an address space through", errp);
}

bool host_iommu_detach(HostIommuDevice *host, uint32_t pasid, Error **errp)
{
    const HostIommuDeviceType *ops = ops_of(host);

    return ops->detach ? ops->detach(host, pasid, errp) :
                         refuse(host, "block an address space", errp);
}

bool host_iommu_flush(HostIommuDevice *host, const HostFlush *flush, Error **errp)
{
    const HostIommuDeviceType *ops = ops_of(host);

    return host->caps.has_nesting && ops->flush ? ops->flush(host, flush, errp) :
                                                  refuse(host, "flush a first stage", errp);
}

bool host_iommu_respond(HostIommuDevice *host, const HostPageRequest *request, uint8_t code,
                        Error **errp)
{
    const HostIommuDeviceType *ops = ops_of(host);

    return host->caps.has_faults && ops->respond ? ops->respond(host, request, code, errp) :
                                                   refuse(host, "answer page requests", errp);
}

bool host_iommu_alloc_pasid(HostIommuDevice *host, uint32_t first, uint32_t last, uint32_t *pasid,
                            Error **errp)
{
    const HostIommuDeviceType *ops = ops_of(host);

    return ops->alloc_pasid ? ops->alloc_pasid(host, first, last, pasid, errp) :
                              refuse(host, "allocate PASIDs", errp);
}

bool host_iommu_free_pasid(HostIommuDevice *host, uint32_t pasid, Error **errp)
{
    const HostIommuDeviceType *ops = ops_of(host);

    return ops->free_pasid ? ops->free_pasid(host, pasid, errp) :
                             refuse(host, "free PASIDs", errp);
}

void host_iommu_register(HostIommuDevice *host, HostPageRequestFn *page_requested, void *opaque)
{
    assert(!host->is_registered);
    object_ref(host);
    host->is_registered = true;
    host->page_requested = page_requested;
    host->opaque = opaque;
}

void host_iommu_unregister(HostIommuDevice *host)
{
    assert(host->is_registered);
    host->is_registered = false;
    host->page_requested = NULL;
    object_unref(host);
}

bool host_iommu_page_requested(HostIommuDevice *host, const HostPageRequest *request)
{
    machine_lock_assert_held();
    if (!host->page_requested) {
        return false;
    }
    host->page_requested(host->opaque, host, request);
    return true;
}

static const HostIommuDeviceType host_iommu_type = {
    .name = TYPE_HOST_IOMMU_DEVICE,
    .doc = "The host's IOMMU behind a passed-through device",
    .parent = TYPE_OBJECT,
    .size = sizeof(HostIommuDevice),
    .is_abstract = true,
};
OBJECT_TYPE(host_iommu_type)
