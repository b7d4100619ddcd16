/*
 * See hw/scsi/scsi.h. REPORT LUNS, and what a target says of units that it does not have (SPC-4,
 * 6.33; SAM-5, 5.11), are answered here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/scsi/scsi.h"

#include "hw/core/hotplug.h"
#include "util/byte_order.h"

#define ANY UINT32_MAX
enum { REQUEST_SENSE = 0x03, INQUIRY = 0x12, GET_CONFIGURATION = 0x46, GET_EVENT_STATUS = 0x4a,
       REPORT_LUNS = 0xa0 };
#define INQUIRY_BYTES   36
#define NO_SUCH_UNIT    0x7f
#define NOT_CONNECTED   0x3f /* unit 0, which speaks for its target */
#define FLAT_ADDRESSING 0x4000

/* --- who is there --- */

static ScsiDevice *find(const ScsiBus *bus, unsigned channel, unsigned id, unsigned lun)
{
    const GPtrArray *devices = bus->parent.devices;

    for (guint i = 0; i < devices->len; i++) {
        ScsiDevice *dev = devices->pdata[i];

        if (dev->channel == channel && dev->id == id && (lun == ANY || dev->lun == lun) &&
            dev->parent.is_realized) {
            return dev;
        }
    }
    return NULL;
}

ScsiDevice *scsi_bus_find(const ScsiBus *bus, unsigned channel, unsigned id, unsigned lun)
{
    ScsiDevice *dev = find(bus, channel, id, lun);

    return dev ? dev : find(bus, channel, id, ANY);
}

static bool choose_id(const ScsiBus *bus, ScsiDevice *dev, Error **errp)
{
    dev->lun = dev->lun == ANY ? 0 : dev->lun;
    for (unsigned id = 0; id <= bus->ops->max_target; id++) {
        if (!find(bus, dev->channel, id, dev->lun)) {
            dev->id = id;
            return true;
        }
    }
    return error_set(errp, "no free target");
}

static bool choose_lun(const ScsiBus *bus, ScsiDevice *dev, Error **errp)
{
    for (unsigned lun = 0; lun <= bus->ops->max_lun; lun++) {
        if (!find(bus, dev->channel, dev->id, lun)) {
            dev->lun = lun;
            return true;
        }
    }
    return error_set(errp, "no free lun");
}

static bool scsi_bus_check(Bus *parent, Device *device, Error **errp)
{
    ScsiBus *bus = SCSI_BUS(parent);
    ScsiDevice *dev = SCSI_DEVICE(device);
    const ScsiDevice *there;

    if (dev->channel > bus->ops->max_channel) {
        return error_set(errp, "bad scsi channel id: %" PRIu32, dev->channel);
    }
    if (dev->id != ANY && dev->id > bus->ops->max_target) {
        return error_set(errp, "bad scsi device id: %" PRIu32, dev->id);
    }
    if (dev->lun != ANY && dev->lun > bus->ops->max_lun) {
        return error_set(errp, "bad scsi device lun: %" PRIu32, dev->lun);
    }
    if (dev->id == ANY) {
        return choose_id(bus, dev, errp);
    }
    if (dev->lun == ANY) {
        return choose_lun(bus, dev, errp);
    }
    there = find(bus, dev->channel, dev->id, dev->lun);
    return !there || error_set(errp, "lun already used by '%s'",
                               there->parent.id ? there->parent.id : "");
}

/* --- requests --- */

void scsi_end(ScsiRequest *request)
{
    request->status = SCSI_GOOD;
    request->done(request);
}

void scsi_fail(ScsiRequest *request, ScsiSense sense)
{
    request->status = SCSI_CHECK_CONDITION;
    scsi_fill_sense(request->sense, sense);
    request->done(request);
}

void scsi_reply(ScsiRequest *request, const uint8_t *data, uint64_t bytes, uint64_t allocated)
{
    size_t done = 0;
    DmaSpan span = request->in_span;

    request->wanted = MIN(bytes, allocated);
    span.bytes = MIN(span.bytes, request->wanted);
    if (span.bytes) {
        dma_list_write(request->in, span, data, &done);
    }
    request->moved = done;
    scsi_end(request);
}

static void report_luns(const ScsiDevice *dev, ScsiRequest *request)
{
    const ScsiBus *bus = SCSI_BUS(dev->parent.bus);
    g_autoptr(GByteArray) list = g_byte_array_new();
    uint32_t allocated = load_be32(request->cdb + 6);
    uint8_t entry[8] = { 0 };

    if (allocated < 16 || request->cdb[2] > 2) {
        scsi_fail(request, SCSI_INVALID_FIELD);
        return;
    }
    g_byte_array_append(list, entry, sizeof(entry));
    for (guint i = 0; request->cdb[2] != 1 && i < bus->parent.devices->len; i++) {
        const ScsiDevice *other = bus->parent.devices->pdata[i];

        if (other->channel == dev->channel && other->id == dev->id) {
            store_be16(entry, other->lun < 256 ? other->lun : FLAT_ADDRESSING | other->lun);
            g_byte_array_append(list, entry, sizeof(entry));
        }
    }
    store_be32(list->data, list->len - 8);
    scsi_reply(request, list->data, list->len, allocated);
}

/* No such unit: it may still be asked who it is. */
static void answer_for_none(unsigned lun, ScsiRequest *request)
{
    uint8_t data[INQUIRY_BYTES] = { lun ? NO_SUCH_UNIT : NOT_CONNECTED, 0, 5, 2,
                                    INQUIRY_BYTES - 5 };
    uint8_t sense[SCSI_SENSE_BYTES];

    switch (request->cdb[0]) {
    case INQUIRY:
        scsi_reply(request, data, sizeof(data), load_be16(request->cdb + 3));
        break;
    case REQUEST_SENSE:
        scsi_fill_sense(sense, SCSI_LUN_NOT_SUPPORTED);
        scsi_reply(request, sense, sizeof(sense), request->cdb[4]);
        break;
    default:
        scsi_fail(request, SCSI_LUN_NOT_SUPPORTED);
        break;
    }
}

/* What would have been told with the next command. */
static void request_sense(ScsiDevice *dev, ScsiRequest *request)
{
    uint8_t sense[SCSI_SENSE_BYTES];

    if (request->cdb[1] & 1) { /* as descriptors */
        scsi_fail(request, SCSI_INVALID_FIELD);
        return;
    }
    scsi_fill_sense(sense, dev->attention);
    dev->attention = SCSI_NO_SENSE;
    scsi_reply(request, sense, sizeof(sense), request->cdb[4]);
}

static bool hides_attention(uint8_t op)
{
    return op == INQUIRY || op == REPORT_LUNS || op == REQUEST_SENSE || op == GET_CONFIGURATION ||
           op == GET_EVENT_STATUS;
}

void scsi_start(ScsiDevice *dev, unsigned lun, ScsiRequest *request)
{
    ScsiSense attention = dev->attention;

    request->dev = dev;
    if (dev->lun != lun && request->cdb[0] != REPORT_LUNS) {
        answer_for_none(lun, request);
    } else if (attention.key && !hides_attention(request->cdb[0])) {
        dev->attention = SCSI_NO_SENSE;
        scsi_fail(request, attention);
    } else if (request->cdb[0] == REPORT_LUNS) {
        report_luns(dev, request);
    } else if (request->cdb[0] == REQUEST_SENSE) {
        request_sense(dev, request);
    } else {
        scsi_device_ops(dev)->start(dev, request);
    }
}

void scsi_device_reset(ScsiDevice *dev)
{
    const ScsiDeviceType *ops = scsi_device_ops(dev);

    ops->drain(dev);
    if (ops->forget) {
        ops->forget(dev);
    }
    dev->attention = SCSI_WAS_RESET;
}

/* --- the bus --- */

static bool scsi_plug(Object *handler, Device *dev, Error **errp)
{
    ScsiBus *bus = SCSI_BUS(dev->bus);

    if (dev->is_hotplugged && bus->ops->plugged) {
        bus->ops->plugged(bus->opaque, SCSI_DEVICE(dev));
    }
    return true;
}

/* The guest is told, not asked. */
static bool scsi_unplug_request(Object *handler, Device *dev, Error **errp)
{
    hotplug_unplug(dev);
    return true;
}

static void scsi_unplug(Object *handler, Device *dev)
{
    ScsiBus *bus = SCSI_BUS(dev->bus);

    if (bus->ops->unplugged) {
        bus->ops->unplugged(bus->opaque, SCSI_DEVICE(dev));
    }
}

static const HotplugHandler scsi_hotplug = {
    .plug = scsi_plug, .unplug_request = scsi_unplug_request, .unplug = scsi_unplug,
};

ScsiBus *scsi_bus_new(Device *owner, const char *id, const ScsiBusOps *ops, void *opaque)
{
    g_autofree char *name = bus_free_name(id ? id : "scsi");
    ScsiBus *bus = SCSI_BUS(bus_new(TYPE_SCSI_BUS, owner, name));

    bus->ops = ops;
    bus->opaque = opaque;
    bus_set_hotplug_handler(&bus->parent, &bus->parent.parent);
    return bus;
}

void scsi_bus_delete(ScsiBus *bus)
{
    bus_set_hotplug_handler(&bus->parent, NULL); /* it would keep itself */
    object_unparent(bus);
}

static char *scsi_bus_firmware_path(Bus *bus, Device *device)
{
    const ScsiDevice *dev = SCSI_DEVICE(device);

    return g_strdup_printf("channel@%x/disk@%x,%x", dev->channel, dev->id, dev->lun);
}

static const BusType scsi_bus_type = {
    .name = TYPE_SCSI_BUS,
    .parent = TYPE_BUS,
    .doc = "Logical units of a SCSI host adapter",
    .size = sizeof(ScsiBus),
    .check = scsi_bus_check,
    .firmware_path = scsi_bus_firmware_path,
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &scsi_hotplug }, { 0 } },
};
BUS_TYPE(scsi_bus_type)

/* --- units --- */

static const Property scsi_device_props[] = {
    PROP_U32("channel", ScsiDevice, channel, .doc = "Channel of the adapter"),
    PROP_U32("scsi-id", ScsiDevice, id, .initial = ANY, .doc = "Target; 4294967295: a free one"),
    PROP_U32("lun", ScsiDevice, lun, .initial = ANY,
             .doc = "Logical unit of the target; 4294967295: a free one"),
};
static const VMField scsi_device_fields[] = {
    VM_U8(ScsiDevice, attention.key), VM_U8(ScsiDevice, attention.asc),
    VM_U8(ScsiDevice, attention.ascq),
};

static bool is_subscribed(void *opaque)
{
    return ((const ScsiDevice *)opaque)->subscribed;
}

static const VMField subscription_fields[] = { VM_U32(ScsiDevice, subscribed) };
static const VMState subscription_state =
    VMSTATE_INIT(subscription_fields, .name = "subscription", .version = 1,
                 .needed = is_subscribed);

static const ScsiDeviceType scsi_device_type = {
    .name = TYPE_SCSI_DEVICE,
    .doc = "A logical unit",
    .parent = TYPE_DEVICE,
    .size = sizeof(ScsiDevice),
    .is_abstract = true,
    .bus_type = TYPE_SCSI_BUS,
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(scsi_device_props),
    .vmstate = VMSTATE(scsi_device_fields, .version = 1,
                       .subsections = VM_SUBSECTIONS(&subscription_state)),
};
OBJECT_TYPE(scsi_device_type)
