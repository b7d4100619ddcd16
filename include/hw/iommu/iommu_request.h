/*
 * What virtual IOMMUs are asked and what they answer, whatever their tables look like.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IOMMU_IOMMU_REQUEST_H
#define HW_IOMMU_IOMMU_REQUEST_H

#include "system/iommu_region.h"

/* What a transaction says of its address. */
typedef enum IommuAddressType {
    IOMMU_UNTRANSLATED,
    IOMMU_TRANSLATION_REQUEST, /* of a device with ATS: wants the translation, touches nothing */
    IOMMU_TRANSLATED,          /* it has the translation already */
} IommuAddressType;

typedef struct IommuRequest {
    IovaAddr addr;
    uint16_t requester; /* bus, device and function; a stream on other buses */
    uint32_t pasid;
    bool has_pasid;
    bool is_write, is_execute, is_privileged;
    bool no_write;      /* a translation request that will only read: leaves D bits alone */
    bool is_debug;      /* changes nothing, records nothing */
    IommuAddressType type;
} IommuRequest;

/* Where a page is, and what may be done there. */
typedef struct IommuPage {
    GuestAddr addr;    /* of the page */
    uint8_t shift;     /* its size: 1 << shift bytes */
    IommuAccess access;
    bool is_privileged; /* only for privileged requests */
    bool is_executable;
    bool is_dirty;     /* writes need no walk to set D */
} IommuPage;

/* A translation that failed. `code` is the architecture's; 0: there is none. */
typedef struct IommuFault {
    uint8_t code;
    bool is_suppressed; /* software asked not to hear of it */
} IommuFault;

#endif
