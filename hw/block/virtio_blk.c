/*
 * virtio-blk: a virtio block device (virtio 1.3, 5.2): features, configuration and life. Requests
 * are in virtio_blk_request.c.
 *
 * Requests are answered before a state is saved; those that wait for the VM to run, after an error,
 * keep it from being saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_blk.h"

#include "hw/core/disk_geometry.h"
#include "hw/virtio/virtio_pci.h"
#include "system/vcpu.h"

#define QUEUES_AUTO      UINT16_MAX
#define MIN_QUEUE_SIZE   3 /* header, data, status */
#define OTHER_PIECES     2 /* of a request: what is no data */
#define OLD_SEGMENTS     126
#define MOST_SECTORS     (INT32_MAX / BLOCK_SECTOR_BYTES)

/* Configuration, 5.2.4 */
enum {
    CONFIG_CAPACITY = 0, CONFIG_SEG_MAX = 12, CONFIG_CYLS = 16, CONFIG_HEADS = 18,
    CONFIG_SECS = 19, CONFIG_BLK_SIZE = 20, CONFIG_PHYSICAL_EXP = 24, CONFIG_MIN_IO = 26,
    CONFIG_OPT_IO = 28, CONFIG_WRITEBACK = 32, CONFIG_QUEUES = 34, CONFIG_MAX_DISCARD = 36,
    CONFIG_DISCARD_SEGS = 40, CONFIG_DISCARD_ALIGN = 44, CONFIG_MAX_ZEROES = 48,
    CONFIG_ZEROES_SEGS = 52, CONFIG_ZEROES_UNMAP = 56, CONFIG_BYTES = 60
};

/* --- configuration --- */

static uint32_t segments(const VirtioBlk *blk)
{
    return blk->has_adjusted_segments ? blk->queue_size - OTHER_PIECES : OLD_SEGMENTS;
}

static uint32_t discard_sectors(const VirtioBlk *blk)
{
    uint64_t bytes = blk->conf.discard_bytes;

    if (bytes == BLOCK_SIZE_UNSET || !blk->tells_discard_granularity) {
        bytes = blk->conf.logical_bytes;
    }
    return bytes / BLOCK_SECTOR_BYTES;
}

static void virtio_blk_config_read(VirtioDevice *vdev, uint8_t *config)
{
    const VirtioBlk *blk = VIRTIO_BLK(vdev);
    const BlockConf *conf = &blk->conf;
    const struct {
        unsigned at, bytes;
        uint64_t value;
    } fields[] = {
        { CONFIG_CAPACITY, 8, block_backend_bytes(conf->drive) / BLOCK_SECTOR_BYTES },
        { CONFIG_SEG_MAX, 4, segments(blk) },
        { CONFIG_CYLS, 2, blk->cyls },
        { CONFIG_HEADS, 1, blk->heads },
        { CONFIG_SECS, 1, blk->secs & ~(conf->logical_bytes / BLOCK_SECTOR_BYTES - 1) },
        { CONFIG_BLK_SIZE, 4, conf->logical_bytes },
        { CONFIG_PHYSICAL_EXP, 1, __builtin_ctzll(conf->physical_bytes / conf->logical_bytes) },
        { CONFIG_MIN_IO, 2, conf->min_io_bytes / conf->logical_bytes },
        { CONFIG_OPT_IO, 4, conf->opt_io_bytes / conf->logical_bytes },
        { CONFIG_WRITEBACK, 1, block_backend_has_write_cache(conf->drive) },
        { CONFIG_QUEUES, 2, blk->queue_count },
        { CONFIG_MAX_DISCARD, 4, blk->max_discard },
        { CONFIG_DISCARD_SEGS, 4, 1 },
        { CONFIG_DISCARD_ALIGN, 4, discard_sectors(blk) },
        { CONFIG_MAX_ZEROES, 4, blk->max_zeroes },
        { CONFIG_ZEROES_SEGS, 4, 1 },
        { CONFIG_ZEROES_UNMAP, 1, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        virtio_put(vdev, config + fields[i].at, fields[i].bytes, fields[i].value);
    }
}

static void set_write_cache(VirtioBlk *blk, bool is_on)
{
    blk->has_write_cache = is_on;
    block_backend_set_write_cache(blk->conf.drive, is_on);
}

/* Only the cache's mode can be written. */
static void virtio_blk_config_written(VirtioDevice *vdev, const uint8_t *config)
{
    if (virtio_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE)) {
        set_write_cache(VIRTIO_BLK(vdev), config[CONFIG_WRITEBACK] & 1);
    }
}

/* A driver that knows no flush wants what it wrote to be durable. */
static void virtio_blk_status(VirtioDevice *vdev, uint8_t old)
{
    if (vdev->status & ~old & VIRTIO_STATUS_DRIVER_OK &&
        !virtio_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE)) {
        set_write_cache(VIRTIO_BLK(vdev), virtio_has_feature(vdev, VIRTIO_BLK_F_FLUSH));
    }
}

static uint64_t features(const VirtioBlk *blk)
{
    uint64_t bits = blk->wanted | BIT64(VIRTIO_BLK_F_SEG_MAX) | BIT64(VIRTIO_BLK_F_GEOMETRY) |
                    BIT64(VIRTIO_BLK_F_BLK_SIZE) | BIT64(VIRTIO_BLK_F_TOPOLOGY);

    if (block_backend_has_write_cache(blk->conf.drive) ||
        blk->wanted & BIT64(VIRTIO_BLK_F_CONFIG_WCE)) {
        bits |= BIT64(VIRTIO_BLK_F_FLUSH);
    }
    if (block_backend_is_read_only(blk->conf.drive)) {
        bits |= BIT64(VIRTIO_BLK_F_RO);
    }
    return blk->queue_count > 1 ? bits | BIT64(VIRTIO_BLK_F_MQ) : bits;
}

/* --- the host's drive --- */

static void drive_changed(void *opaque)
{
    virtio_config_changed(opaque);
}

static const BlockDeviceOps drive_ops = {
    .name = block_conf_device_name, .changed = drive_changed,
};

/* --- life --- */

static bool check_queues(VirtioBlk *blk, Error **errp)
{
    if (blk->queue_count == QUEUES_AUTO) {
        Device *owner = blk->parent.parent.bus->owner;

        blk->queue_count = object_is_a(owner, TYPE_VIRTIO_PCI) ?
                               MIN(vcpu_count(), VIRTIO_MAX_QUEUES) : 1;
        blk->queue_count = MAX(blk->queue_count, 1);
    }
    if (!blk->queue_count) {
        return error_set(errp, "num-queues property must be larger than 0");
    }
    if (blk->queue_count > VIRTIO_MAX_QUEUES) {
        return error_set(errp, "num-queues property must not be larger than %u",
                         VIRTIO_MAX_QUEUES);
    }
    if (blk->queue_size < MIN_QUEUE_SIZE || blk->queue_size > VIRTIO_MAX_QUEUE_SIZE ||
        (blk->queue_size & (blk->queue_size - 1))) {
        return error_set(errp, "invalid queue-size property (%u), must be a power of 2 (max %u)",
                         blk->queue_size, VIRTIO_MAX_QUEUE_SIZE);
    }
    return true;
}

static bool check_limits(const VirtioBlk *blk, Error **errp)
{
    if (blk->wanted & BIT64(VIRTIO_BLK_F_DISCARD) &&
        (!blk->max_discard || blk->max_discard > MOST_SECTORS)) {
        return error_set(errp, "invalid max-discard-sectors property (%" PRIu32 "), must be "
                         "between 1 and %u", blk->max_discard, (unsigned)MOST_SECTORS);
    }
    if (blk->wanted & BIT64(VIRTIO_BLK_F_WRITE_ZEROES) &&
        (!blk->max_zeroes || blk->max_zeroes > MOST_SECTORS)) {
        return error_set(errp, "invalid max-write-zeroes-sectors property (%" PRIu32 "), must be "
                         "between 1 and %u", blk->max_zeroes, (unsigned)MOST_SECTORS);
    }
    return true;
}

static void set_geometry(VirtioBlk *blk)
{
    uint8_t mbr[BLOCK_SECTOR_BYTES];
    uint64_t sectors = block_backend_bytes(blk->conf.drive) / BLOCK_SECTOR_BYTES;
    bool has_mbr = sectors && !block_backend_read(blk->conf.drive, 0, mbr, sizeof(mbr));
    DiskGeometry geometry;

    if (!blk->cyls && !blk->heads && !blk->secs) {
        disk_geometry_guess(sectors, has_mbr ? mbr : NULL, &geometry);
        blk->cyls = geometry.cyls;
        blk->heads = geometry.heads;
        blk->secs = geometry.secs;
    }
}

static bool check_geometry(const VirtioBlk *blk, Error **errp)
{
    if (!blk->cyls || blk->cyls > 65535) {
        return error_set(errp, "cyls must be between 1 and 65535");
    }
    if (!blk->heads || blk->heads > 255) {
        return error_set(errp, "heads must be between 1 and 255");
    }
    return (blk->secs && blk->secs <= 255) || error_set(errp, "secs must be between 1 and 255");
}

/* With the drive attached. */
static bool set_up(VirtioBlk *blk, Error **errp)
{
    VirtioDevice *vdev = &blk->parent;

    set_geometry(blk);
    if (!check_geometry(blk, errp) || !block_conf_check_sizes(&blk->conf, errp) ||
        !virtio_init_queues(vdev, blk->queue_count, errp)) {
        return false;
    }
    for (unsigned n = 0; n < blk->queue_count; n++) {
        virtqueue_init(vdev, n, blk->queue_size, virtio_blk_kicked);
    }
    blk->worker = device_worker_new(blk->iothread);
    virtio_set_worker(vdev, 0, blk->worker);
    blk->had_write_cache = block_backend_has_write_cache(blk->conf.drive);
    blk->has_write_cache = blk->had_write_cache;
    vdev->host_features |= features(blk);
    return true;
}

static bool virtio_blk_realize(Device *dev, Error **errp)
{
    VirtioBlk *blk = VIRTIO_BLK(dev);
    BlockConfUse use = { .ops = &drive_ops, .is_resizable = true };

    if (!blk->conf.drive) {
        return error_set(errp, "drive property not set");
    }
    if (!check_queues(blk, errp) || !check_limits(blk, errp)) {
        return false;
    }
    use.is_read_only = block_backend_is_read_only(blk->conf.drive);
    if (!block_conf_attach(&blk->conf, dev, &use, blk, errp)) {
        return false;
    }
    if (!set_up(blk, errp)) {
        block_conf_detach(&blk->conf);
        return false;
    }
    return true;
}

static void virtio_blk_unrealize(Device *dev)
{
    VirtioBlk *blk = VIRTIO_BLK(dev);

    virtio_set_worker(&blk->parent, 0, NULL);
    virtio_blk_drain(blk);
    g_clear_pointer(&blk->worker, device_worker_free);
    block_conf_release(&blk->conf);
}

static void virtio_blk_reset(Device *dev)
{
    VirtioBlk *blk = VIRTIO_BLK(dev);

    virtio_blk_drain(blk);
    set_write_cache(blk, blk->had_write_cache);
}

static void virtio_blk_queue_reset(VirtioDevice *vdev, VirtQueue *vq)
{
    virtio_blk_drain(VIRTIO_BLK(vdev));
}

static bool virtio_blk_pre_save(void *opaque, Error **errp)
{
    const VirtioBlk *blk = opaque;

    return !blk->in_flight || error_set(errp, "virtio-blk: %u requests wait after an error",
                                        blk->in_flight);
}

static bool virtio_blk_post_load(void *opaque, int version, Error **errp)
{
    VirtioBlk *blk = opaque;

    block_backend_set_write_cache(blk->conf.drive, blk->has_write_cache);
    return true;
}

#define FEATURE(name_, bit_, ...) PROP_BIT64(name_, VirtioBlk, wanted, bit_, __VA_ARGS__)
static const Property virtio_blk_props[] = {
    PROP_BLOCK_CONF(VirtioBlk, conf),
    PROP_BLOCK_ERRORS(VirtioBlk, conf),
    PROP_BOOT_INDEX("bootindex", VirtioBlk, conf.boot_index, .opaque = (char *)"/disk@0,0"),
    PROP_U32("cyls", VirtioBlk, cyls, .doc = "Cylinders; 0: by size"),
    PROP_U32("heads", VirtioBlk, heads, .doc = "Heads"),
    PROP_U32("secs", VirtioBlk, secs, .doc = "Sectors of a track"),
    PROP_BLOCK_FIRMWARE_CHS(VirtioBlk, conf),
    PROP_LINK("iothread", VirtioBlk, iothread, TYPE_IOTHREAD,
              .doc = "Where requests are served; else in the main loop"),
    PROP_STR("serial", VirtioBlk, serial, .doc = "Serial number, 20 bytes of it"),
    FEATURE("config-wce", VIRTIO_BLK_F_CONFIG_WCE, .initial = true,
            .doc = "Lets the driver choose whether writes are cached"),
    FEATURE("discard", VIRTIO_BLK_F_DISCARD, .initial = true, .doc = "Offers to discard"),
    FEATURE("write-zeroes", VIRTIO_BLK_F_WRITE_ZEROES, .initial = true,
            .doc = "Offers to write zeroes"),
    PROP_U16("num-queues", VirtioBlk, queue_count, .initial = QUEUES_AUTO,
             .doc = "Queues; 65535: one for each CPU on PCI, else one"),
    PROP_U16("queue-size", VirtioBlk, queue_size, .initial = 256, .doc = "Places of a queue"),
    PROP_BOOL("seg-max-adjust", VirtioBlk, has_adjusted_segments, .initial = true,
              .doc = "As many pieces of data as a queue has room for"),
    PROP_BOOL("report-discard-granularity", VirtioBlk, tells_discard_granularity,
              .initial = true, .doc = "Tell discard_granularity"),
    PROP_BOOL("request-merging", VirtioBlk, merges, .initial = true,
              .doc = "Neighbours that come together are one request of the drive"),
    PROP_U32("max-discard-sectors", VirtioBlk, max_discard, .initial = MOST_SECTORS,
             .doc = "Most sectors that are discarded at a time"),
    PROP_U32("max-write-zeroes-sectors", VirtioBlk, max_zeroes, .initial = MOST_SECTORS,
             .doc = "Most sectors that are zeroed at a time"),
};
static const VMField virtio_blk_fields[] = { VM_BOOL(VirtioBlk, has_write_cache) };

static const VirtioDeviceType virtio_blk_type = {
    .name = "virtio-blk-device",
    .doc = "virtio block device",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioBlk),
    .category = DEVICE_CATEGORY_STORAGE,
    .virtio_id = VIRTIO_ID_BLOCK,
    .config_bytes = CONFIG_BYTES,
    .config_read = virtio_blk_config_read,
    .config_written = virtio_blk_config_written,
    .status_changed = virtio_blk_status,
    .queue_reset = virtio_blk_queue_reset,
    .properties = PROPERTIES(virtio_blk_props),
    .vmstate = VMSTATE(virtio_blk_fields, .version = 1, .pre_save = virtio_blk_pre_save,
                       .post_load = virtio_blk_post_load),
    .realize = virtio_blk_realize,
    .unrealize = virtio_blk_unrealize,
    .reset_hold = virtio_blk_reset,
};
VIRTIO_DEVICE_TYPE(virtio_blk_type)

static const VirtioPciFamily virtio_blk_pci = {
    .name = "virtio-blk-pci",
    .doc = "virtio block device on PCI",
    .device = &virtio_blk_type,
    .class_id = 0x0100,
    .transitional_id = 0x1001,
    .category = DEVICE_CATEGORY_STORAGE,
};
VIRTIO_PCI_FAMILY(virtio_blk_pci)
