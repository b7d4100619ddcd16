/*
 * virtio-scsi: a virtio SCSI host adapter (virtio 1.3, 5.6): configuration and life. Left out:
 * commands with data both ways, protection information.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_scsi.h"

#include "hw/virtio/virtio_pci.h"
#include "system/vcpu.h"

#define QUEUES_AUTO    UINT32_MAX
#define FIXED_QUEUES   2 /* control, events */
#define MIN_QUEUE_SIZE 3 /* request, response, data */
#define OTHER_PIECES   2
#define OLD_SEGMENTS   126
#define MAX_SIZE       255 /* of sense data and commands, that a driver may choose */

/* Configuration, 5.6.4 */
enum {
    CONFIG_QUEUES = 0, CONFIG_SEG_MAX = 4, CONFIG_MAX_SECTORS = 8, CONFIG_COMMANDS = 12,
    CONFIG_EVENT_SIZE = 16, CONFIG_SENSE_SIZE = 20, CONFIG_CDB_SIZE = 24, CONFIG_MAX_CHANNEL = 28,
    CONFIG_MAX_TARGET = 30, CONFIG_MAX_LUN = 32, CONFIG_BYTES = 36
};
#define EVENT_BYTES 16

static void virtio_scsi_config_read(VirtioDevice *vdev, uint8_t *config)
{
    const VirtioScsi *s = VIRTIO_SCSI(vdev);
    const struct {
        unsigned at, bytes;
        uint32_t value;
    } fields[] = {
        { CONFIG_QUEUES, 4, s->queue_count },
        { CONFIG_SEG_MAX, 4, s->has_adjusted_segments ? s->queue_size - OTHER_PIECES :
                                                        OLD_SEGMENTS },
        { CONFIG_MAX_SECTORS, 4, s->max_sectors },
        { CONFIG_COMMANDS, 4, s->commands_per_lun },
        { CONFIG_EVENT_SIZE, 4, EVENT_BYTES },
        { CONFIG_SENSE_SIZE, 4, s->sense_bytes },
        { CONFIG_CDB_SIZE, 4, s->cdb_bytes },
        { CONFIG_MAX_CHANNEL, 2, 0 },
        { CONFIG_MAX_TARGET, 2, VIRTIO_SCSI_MAX_TARGET },
        { CONFIG_MAX_LUN, 4, VIRTIO_SCSI_MAX_LUN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        virtio_put(vdev, config + fields[i].at, fields[i].bytes, fields[i].value);
    }
}

static void virtio_scsi_config_written(VirtioDevice *vdev, const uint8_t *config)
{
    VirtioScsi *s = VIRTIO_SCSI(vdev);
    uint32_t sense = virtio_get(vdev, config + CONFIG_SENSE_SIZE, 4);
    uint32_t cdb = virtio_get(vdev, config + CONFIG_CDB_SIZE, 4);

    if (sense > MAX_SIZE || cdb > MAX_SIZE) {
        virtio_error(vdev, "virtio-scsi: sense data of %u bytes, commands of %u", sense, cdb);
    } else if (!s->commands) { /* layouts do not change under requests */
        s->sense_bytes = sense;
        s->cdb_bytes = cdb;
    }
}

/* --- life --- */

static bool check(VirtioScsi *s, Error **errp)
{
    if (s->queue_count == QUEUES_AUTO) {
        bool is_pci = object_is_a(s->parent.parent.bus->owner, TYPE_VIRTIO_PCI);

        s->queue_count = is_pci ? MIN(vcpu_count(), VIRTIO_MAX_QUEUES - FIXED_QUEUES) : 1;
        s->queue_count = MAX(s->queue_count, 1);
    }
    if (!s->queue_count || s->queue_count > VIRTIO_MAX_QUEUES - FIXED_QUEUES) {
        return error_set(errp, "Invalid number of queues (= %" PRIu32 "), must be a positive "
                         "integer less than %d.", s->queue_count,
                         VIRTIO_MAX_QUEUES - FIXED_QUEUES);
    }
    if (s->queue_size < MIN_QUEUE_SIZE || s->queue_size > VIRTIO_MAX_QUEUE_SIZE ||
        s->queue_size & (s->queue_size - 1)) {
        return error_set(errp, "invalid virtqueue_size property (= %" PRIu32 "), must be a power "
                         "of 2 (max %d)", s->queue_size, VIRTIO_MAX_QUEUE_SIZE);
    }
    return true;
}

static void reset_configuration(VirtioScsi *s)
{
    s->sense_bytes = VIRTIO_SCSI_SENSE_BYTES;
    s->cdb_bytes = VIRTIO_SCSI_CDB_BYTES;
    s->has_missed_events = false;
}

static bool virtio_scsi_realize(Device *dev, Error **errp)
{
    VirtioScsi *s = VIRTIO_SCSI(dev);
    const char *id = dev->id ? dev->id : dev->bus->owner->id; /* the PCI function's */

    if (!check(s, errp) || !virtio_init_queues(&s->parent, s->queue_count + FIXED_QUEUES, errp)) {
        return false;
    }
    s->control_vq = virtqueue_init(&s->parent, 0, s->queue_size, virtio_scsi_control);
    s->event_vq = virtqueue_init(&s->parent, 1, s->queue_size, virtio_scsi_events);
    for (unsigned n = 0; n < s->queue_count; n++) {
        virtqueue_init(&s->parent, FIXED_QUEUES + n, s->queue_size, virtio_scsi_commands);
    }
    s->parent.host_features |= s->wanted;
    s->bus = scsi_bus_new(dev, id, &virtio_scsi_bus_ops, s);
    s->bus->worker = device_worker_new(s->iothread);
    virtio_set_worker(&s->parent, FIXED_QUEUES, s->bus->worker);
    reset_configuration(s);
    return true;
}

static void drain(VirtioScsi *s)
{
    const GPtrArray *devices = s->bus->parent.devices;

    for (guint i = 0; i < devices->len; i++) {
        scsi_device_ops(devices->pdata[i])->drain(devices->pdata[i]);
    }
}

static void virtio_scsi_unrealize(Device *dev)
{
    VirtioScsi *s = VIRTIO_SCSI(dev);

    virtio_set_worker(&s->parent, FIXED_QUEUES, NULL);
    drain(s);
    g_clear_pointer(&s->bus->worker, device_worker_free);
    scsi_bus_delete(s->bus);
    s->bus = NULL;
}

static void virtio_scsi_reset(Device *dev)
{
    drain(VIRTIO_SCSI(dev));
    virtio_scsi_unsubscribe_all(VIRTIO_SCSI(dev));
    reset_configuration(VIRTIO_SCSI(dev));
}

static void virtio_scsi_queue_reset(VirtioDevice *vdev, VirtQueue *vq)
{
    drain(VIRTIO_SCSI(vdev));
}

static bool virtio_scsi_post_load(void *opaque, int version, Error **errp)
{
    const VirtioScsi *s = opaque;

    return (s->sense_bytes <= MAX_SIZE && s->cdb_bytes <= MAX_SIZE) ||
           error_set(errp, "virtio-scsi: sense data of %" PRIu32 " bytes, commands of %" PRIu32,
                     s->sense_bytes, s->cdb_bytes);
}

#define FEATURE(name_, bit_, ...) PROP_BIT64(name_, VirtioScsi, wanted, bit_, __VA_ARGS__)
static const Property virtio_scsi_props[] = {
    PROP_U32("num_queues", VirtioScsi, queue_count, .initial = QUEUES_AUTO,
             .doc = "Queues of commands; 4294967295: one for each CPU on PCI, else one"),
    PROP_U32("virtqueue_size", VirtioScsi, queue_size, .initial = 256,
             .doc = "Places of a queue"),
    PROP_LINK("iothread", VirtioScsi, iothread, TYPE_IOTHREAD,
              .doc = "Where commands are served; else in the main loop"),
    PROP_BOOL("seg_max_adjust", VirtioScsi, has_adjusted_segments, .initial = true,
              .doc = "As many pieces of data as a queue has room for"),
    PROP_U32("max_sectors", VirtioScsi, max_sectors, .initial = 0xffff,
             .doc = "Most sectors of a transfer, as drivers are told"),
    PROP_U32("cmd_per_lun", VirtioScsi, commands_per_lun, .initial = 128,
             .doc = "Most commands at a unit, as drivers are told"),
    FEATURE("hotplug", VIRTIO_SCSI_F_HOTPLUG, .initial = true,
            .doc = "Tells of units that come and go"),
    FEATURE("param_change", VIRTIO_SCSI_F_CHANGE, .initial = true,
            .doc = "Tells of new capacities"),
};
static const VMField virtio_scsi_fields[] = {
    VM_U32(VirtioScsi, sense_bytes), VM_U32(VirtioScsi, cdb_bytes),
    VM_BOOL(VirtioScsi, has_missed_events),
};

static const VirtioDeviceType virtio_scsi_type = {
    .name = "virtio-scsi-device",
    .doc = "virtio SCSI host adapter",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioScsi),
    .category = DEVICE_CATEGORY_STORAGE,
    .virtio_id = VIRTIO_ID_SCSI,
    .config_bytes = CONFIG_BYTES,
    .config_read = virtio_scsi_config_read,
    .config_written = virtio_scsi_config_written,
    .queue_reset = virtio_scsi_queue_reset,
    .properties = PROPERTIES(virtio_scsi_props),
    .vmstate = VMSTATE(virtio_scsi_fields, .version = 1, .post_load = virtio_scsi_post_load),
    .realize = virtio_scsi_realize,
    .unrealize = virtio_scsi_unrealize,
    .reset_hold = virtio_scsi_reset,
};
VIRTIO_DEVICE_TYPE(virtio_scsi_type)

static const VirtioPciFamily virtio_scsi_pci = {
    .name = "virtio-scsi-pci",
    .doc = "virtio SCSI host adapter on PCI",
    .device = &virtio_scsi_type,
    .class_id = 0x0100,
    .transitional_id = 0x1004,
    .category = DEVICE_CATEGORY_STORAGE,
};
VIRTIO_PCI_FAMILY(virtio_scsi_pci)
