/*
 * See virtio_names.h. Names are those of Linux' headers, by which tools know them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_names.h"

#define NAMES(array) { (array), ARRAY_SIZE(array) }

static const VirtioBitName status_rows[] = {
    { 0, "VIRTIO_CONFIG_S_ACKNOWLEDGE: the guest has found it" },
    { 1, "VIRTIO_CONFIG_S_DRIVER: a driver is for it" },
    { 3, "VIRTIO_CONFIG_S_FEATURES_OK: features are agreed on" },
    { 2, "VIRTIO_CONFIG_S_DRIVER_OK: the driver runs it" },
    { 6, "VIRTIO_CONFIG_S_NEEDS_RESET: it is broken" },
    { 7, "VIRTIO_CONFIG_S_FAILED: the driver has given up" },
};
const VirtioBitNames virtio_status_names = NAMES(status_rows);

static const VirtioBitName common_rows[] = {
    { 24, "VIRTIO_F_NOTIFY_ON_EMPTY: legacy: an interrupt for an empty queue" },
    { 27, "VIRTIO_F_ANY_LAYOUT: legacy: buffers may be cut anywhere" },
    { 28, "VIRTIO_RING_F_INDIRECT_DESC: tables of descriptors" },
    { 29, "VIRTIO_RING_F_EVENT_IDX: each side says when it is to be told" },
    { 30, "VIRTIO_F_BAD_FEATURE: legacy: only broken drivers take it" },
    { 32, "VIRTIO_F_VERSION_1: the modern interface" },
    { 33, "VIRTIO_F_IOMMU_PLATFORM: memory as other devices access it" },
    { 34, "VIRTIO_F_RING_PACKED: packed rings" },
    { 35, "VIRTIO_F_IN_ORDER: buffers come back in their order" },
    { 36, "VIRTIO_F_ORDER_PLATFORM: memory is ordered as for other devices" },
    { 37, "VIRTIO_F_SR_IOV: virtual functions" },
    { 38, "VIRTIO_F_NOTIFICATION_DATA: notifications say where the ring is" },
    { 40, "VIRTIO_F_RING_RESET: queues can be reset one by one" },
};
const VirtioBitNames virtio_common_names = NAMES(common_rows);

static const VirtioBitName net_rows[] = {
    { 0, "VIRTIO_NET_F_CSUM: the device adds checksums" },
    { 1, "VIRTIO_NET_F_GUEST_CSUM: the driver takes packets without" },
    { 2, "VIRTIO_NET_F_CTRL_GUEST_OFFLOADS: offloads can be switched" },
    { 3, "VIRTIO_NET_F_MTU: the largest packet is told" },
    { 5, "VIRTIO_NET_F_MAC: the address is told" },
    { 6, "VIRTIO_NET_F_GSO: legacy: the device takes large packets" },
    { 7, "VIRTIO_NET_F_GUEST_TSO4: the driver takes large TCP packets" },
    { 8, "VIRTIO_NET_F_GUEST_TSO6: the same, IPv6" },
    { 9, "VIRTIO_NET_F_GUEST_ECN: the same, with ECN" },
    { 10, "VIRTIO_NET_F_GUEST_UFO: the driver takes large UDP packets" },
    { 11, "VIRTIO_NET_F_HOST_TSO4: the device takes large TCP packets" },
    { 12, "VIRTIO_NET_F_HOST_TSO6: the same, IPv6" },
    { 13, "VIRTIO_NET_F_HOST_ECN: the same, with ECN" },
    { 14, "VIRTIO_NET_F_HOST_UFO: the device takes large UDP packets" },
    { 15, "VIRTIO_NET_F_MRG_RXBUF: a packet may fill several buffers" },
    { 16, "VIRTIO_NET_F_STATUS: the link's state is told" },
    { 17, "VIRTIO_NET_F_CTRL_VQ: a queue of commands" },
    { 18, "VIRTIO_NET_F_CTRL_RX: modes of filters" },
    { 19, "VIRTIO_NET_F_CTRL_VLAN: a filter of VLANs" },
    { 20, "VIRTIO_NET_F_CTRL_RX_EXTRA: more modes of filters" },
    { 21, "VIRTIO_NET_F_GUEST_ANNOUNCE: the driver announces itself" },
    { 22, "VIRTIO_NET_F_MQ: several pairs of queues" },
    { 23, "VIRTIO_NET_F_CTRL_MAC_ADDR: the address can be set" },
    { 54, "VIRTIO_NET_F_GUEST_USO4: the driver takes UDP segments" },
    { 55, "VIRTIO_NET_F_GUEST_USO6: the same, IPv6" },
    { 56, "VIRTIO_NET_F_HOST_USO: the device takes UDP segments" },
    { 57, "VIRTIO_NET_F_HASH_REPORT: packets come with hashes" },
    { 60, "VIRTIO_NET_F_RSS: queues are chosen by hashes" },
    { 61, "VIRTIO_NET_F_RSC_EXT: merged segments are told" },
    { 62, "VIRTIO_NET_F_STANDBY: it stands by for another adapter" },
    { 63, "VIRTIO_NET_F_SPEED_DUPLEX: the link's speed is told" },
};
static const VirtioBitName blk_rows[] = {
    { 1, "VIRTIO_BLK_F_SIZE_MAX: the largest piece is told" },
    { 2, "VIRTIO_BLK_F_SEG_MAX: how many pieces is told" },
    { 4, "VIRTIO_BLK_F_GEOMETRY: the geometry is told" },
    { 5, "VIRTIO_BLK_F_RO: it cannot be written" },
    { 6, "VIRTIO_BLK_F_BLK_SIZE: the size of a block is told" },
    { 7, "VIRTIO_BLK_F_SCSI: legacy: SCSI commands" },
    { 9, "VIRTIO_BLK_F_FLUSH: its cache can be flushed" },
    { 10, "VIRTIO_BLK_F_TOPOLOGY: good sizes are told" },
    { 11, "VIRTIO_BLK_F_CONFIG_WCE: its cache can be switched" },
    { 12, "VIRTIO_BLK_F_MQ: several queues" },
    { 13, "VIRTIO_BLK_F_DISCARD: discard" },
    { 14, "VIRTIO_BLK_F_WRITE_ZEROES: write zeroes" },
    { 16, "VIRTIO_BLK_F_SECURE_ERASE: secure erase" },
    { 17, "VIRTIO_BLK_F_ZONED: zones" },
};
static const VirtioBitName console_rows[] = {
    { 0, "VIRTIO_CONSOLE_F_SIZE: the size of the screen is told" },
    { 1, "VIRTIO_CONSOLE_F_MULTIPORT: several ports" },
    { 2, "VIRTIO_CONSOLE_F_EMERG_WRITE: characters before it runs" },
};
static const VirtioBitName balloon_rows[] = {
    { 0, "VIRTIO_BALLOON_F_MUST_TELL_HOST: pages are told before they are used" },
    { 1, "VIRTIO_BALLOON_F_STATS_VQ: statistics" },
    { 2, "VIRTIO_BALLOON_F_DEFLATE_ON_OOM: the guest may take pages in need" },
    { 3, "VIRTIO_BALLOON_F_FREE_PAGE_HINT: free pages are told to migrations" },
    { 4, "VIRTIO_BALLOON_F_PAGE_POISON: what free pages hold is told" },
    { 5, "VIRTIO_BALLOON_F_REPORTING: free pages are told" },
};
static const VirtioBitName scsi_rows[] = {
    { 0, "VIRTIO_SCSI_F_INOUT: requests with data both ways" },
    { 1, "VIRTIO_SCSI_F_HOTPLUG: coming and going units are told" },
    { 2, "VIRTIO_SCSI_F_CHANGE: changed units are told" },
    { 3, "VIRTIO_SCSI_F_T10_PI: protection information" },
};
static const VirtioBitName gpu_rows[] = {
    { 0, "VIRTIO_GPU_F_VIRGL: 3D" },
    { 1, "VIRTIO_GPU_F_EDID: EDID of screens" },
    { 2, "VIRTIO_GPU_F_RESOURCE_UUID: resources are named to others" },
    { 3, "VIRTIO_GPU_F_RESOURCE_BLOB: resources in memory" },
    { 4, "VIRTIO_GPU_F_CONTEXT_INIT: kinds of contexts" },
};
static const VirtioBitName iommu_rows[] = {
    { 0, "VIRTIO_IOMMU_F_INPUT_RANGE: the range of addresses is told" },
    { 1, "VIRTIO_IOMMU_F_DOMAIN_RANGE: the range of domains is told" },
    { 2, "VIRTIO_IOMMU_F_MAP_UNMAP: maps and unmaps" },
    { 3, "VIRTIO_IOMMU_F_BYPASS: who is in no domain accesses memory" },
    { 4, "VIRTIO_IOMMU_F_PROBE: properties of endpoints" },
    { 5, "VIRTIO_IOMMU_F_MMIO: maps of MMIO" },
    { 6, "VIRTIO_IOMMU_F_BYPASS_CONFIG: the same, to be switched" },
};

static const struct {
    unsigned id;
    const char *name;
    VirtioBitNames features;
} kinds[] = {
    { VIRTIO_ID_NET, "net", NAMES(net_rows) },
    { VIRTIO_ID_BLOCK, "blk", NAMES(blk_rows) },
    { VIRTIO_ID_CONSOLE, "serial", NAMES(console_rows) },
    { VIRTIO_ID_RNG, "rng", { 0 } },
    { VIRTIO_ID_BALLOON, "balloon", NAMES(balloon_rows) },
    { VIRTIO_ID_SCSI, "scsi", NAMES(scsi_rows) },
    { VIRTIO_ID_GPU, "gpu", NAMES(gpu_rows) },
    { VIRTIO_ID_INPUT, "input", { 0 } },
    { VIRTIO_ID_IOMMU, "iommu", NAMES(iommu_rows) },
};

VirtioBitNames virtio_feature_names(unsigned virtio_id)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].id == virtio_id) {
            return kinds[i].features;
        }
    }
    return (VirtioBitNames){ 0 };
}

char *virtio_kind_name(unsigned virtio_id)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].id == virtio_id) {
            return g_strdup_printf("virtio-%s", kinds[i].name);
        }
    }
    return g_strdup_printf("virtio-%u", virtio_id);
}
