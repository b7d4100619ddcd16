/*
 * What virtio's numbers are called: for people, and for tools that know names.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_NAMES_H
#define HW_VIRTIO_VIRTIO_NAMES_H

#include "hw/virtio/virtio_defs.h"

typedef struct VirtioBitName {
    uint8_t bit;
    const char *text; /* NAME: what it is */
} VirtioBitName;

typedef struct VirtioBitNames {
    const VirtioBitName *items;
    size_t count;
} VirtioBitNames;

extern const VirtioBitNames virtio_status_names, virtio_common_names;
/* Of a kind of device; without items if it has none. */
VirtioBitNames virtio_feature_names(unsigned virtio_id);
/* "virtio-blk"; "virtio-N" for those without a name. Free it. */
char *virtio_kind_name(unsigned virtio_id);

#endif
