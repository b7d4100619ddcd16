/*
 * cpu-cluster: CPUs that a debugger shows as one inferior: those below it in the tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"

typedef struct CpuCluster {
    Device parent;
    uint32_t cluster_id;
} CpuCluster;

static const Property cpu_cluster_props[] = {
    PROP_U32("cluster-id", CpuCluster, cluster_id, .doc = "Number of the cluster"),
};

static const DeviceType cpu_cluster_type = {
    .name = "cpu-cluster",
    .doc = "CPUs that belong together",
    .size = sizeof(CpuCluster),
    .parent = TYPE_DEVICE,
    .category = DEVICE_CATEGORY_CPU,
    .access = DEVICE_ACCESS_BOARD,
    .properties = PROPERTIES(cpu_cluster_props),
};
DEVICE_TYPE(cpu_cluster_type)
