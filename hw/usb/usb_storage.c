/*
 * usb-storage: a disk behind Bulk-Only Transport (USB Mass Storage Class, Bulk-Only Transport 1.0).
 * Commands are those of the scsi-hd, or scsi-cd, that it makes for its drive. Data goes through a
 * buffer, so it is no matter how a host divides it, or that it stops in between and comes again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb.h"

#include "block/block_drive.h"
#include "hw/core/block_conf.h"
#include "hw/scsi/scsi.h"
#include "util/byte_order.h"
#include "util/log.h"

#define TYPE_USB_STORAGE "usb-storage"
#define ENDPOINT_IN      1
#define ENDPOINT_OUT     2
#define CBW_BYTES        31
#define CBW_SIGNATURE    0x43425355
#define CSW_BYTES        13
#define CSW_SIGNATURE    0x53425355
#define CBW_TO_HOST      0x80
#define TRANSFER_MOST    (32 * MiB) /* READ (10) has no more at 512 bytes a block */
enum { CSW_PASSED = 0, CSW_FAILED = 1, CSW_PHASE_ERROR = 2 };
enum { REQUEST_SENSE = 0x03 };
enum { GET_MAX_LUN = 0xfe, BULK_ONLY_RESET = 0xff };
#define CLASS_IN  (USB_TO_HOST | USB_KIND_CLASS | USB_TARGET_INTERFACE)
#define CLASS_OUT (USB_KIND_CLASS | USB_TARGET_INTERFACE)

typedef enum Phase { PHASE_COMMAND, PHASE_OUT, PHASE_IN, PHASE_STATUS, PHASES } Phase;

typedef struct UsbStorage {
    UsbDevice parent;
    /* properties, but for the boot index handed on to the disk */
    BlockConf conf;
    bool is_removable;
    /* state */
    Phase phase;
    uint32_t tag;
    uint32_t bytes;      /* of the data phase, as the host wants it */
    uint32_t filled;     /* of the buffer, by the host or the disk */
    uint32_t at;         /* that the host has of it */
    uint32_t residue;
    uint8_t lun, status; /* CSW_* */
    bool has_sense;      /* of the last command, for one that asks for it */
    uint8_t sense[SCSI_SENSE_BYTES];
    bool is_stuck;       /* until a reset: the host spoke nonsense */
    uint8_t *buffer;     /* `bytes` of it */
    /* of the process */
    ScsiBus *bus;
    Device *disk;
    ScsiRequest request;
    DmaList list;
    bool is_busy;        /* the disk has the request */
    UsbPacket *waiting;  /* for the disk */
} UsbStorage;
DECLARE_CAST(UsbStorage, USB_STORAGE)

/* --- commands --- */

static void free_buffer(UsbStorage *s)
{
    g_clear_pointer(&s->buffer, g_free);
    dma_list_clear(&s->list);
}

/* What the command moves, and what the host wants, need not agree (6.7). */
static uint8_t status_of(const UsbStorage *s)
{
    const ScsiRequest *request = &s->request;

    if (request->status != SCSI_GOOD) {
        return CSW_FAILED;
    }
    return request->wanted && !request->moved ? CSW_PHASE_ERROR : CSW_PASSED;
}

static UsbStatus give_data(UsbStorage *s, UsbPacket *packet);
static UsbStatus give_status(UsbStorage *s, UsbPacket *packet);

static void command_done(ScsiRequest *request)
{
    UsbStorage *s = container_of(request, UsbStorage, request);
    UsbPacket *packet = s->waiting;
    uint64_t moved = MIN(request->moved, s->bytes);

    s->is_busy = false;
    s->waiting = NULL;
    s->status = status_of(s);
    s->has_sense = request->status == SCSI_CHECK_CONDITION;
    memcpy(s->sense, request->sense, sizeof(s->sense));
    s->residue = s->bytes - (request->status == SCSI_GOOD ? moved : 0);
    if (s->phase == PHASE_IN) {
        s->filled = s->bytes - s->residue;
    }
    if (packet) {
        usb_complete(packet, s->phase == PHASE_IN ? give_data(s, packet) :
                                                    give_status(s, packet));
    }
}

static void start_command(UsbStorage *s)
{
    ScsiRequest *request = &s->request;
    ScsiDevice *disk = scsi_bus_find(s->bus, 0, 0, s->lun);
    DmaSpan all = { 0, s->bytes }, nothing = { 0, 0 };

    dma_list_init_host(&s->list, s->buffer, s->bytes);
    request->out = request->in = &s->list;
    request->out_span = s->phase == PHASE_OUT ? all : nothing;
    request->in_span = s->phase == PHASE_IN ? all : nothing;
    request->done = command_done;
    s->is_busy = true;
    s->phase = s->phase == PHASE_IN ? PHASE_IN : PHASE_STATUS;
    if (request->cdb[0] == REQUEST_SENSE && s->has_sense) {
        scsi_reply(request, s->sense, sizeof(s->sense), request->cdb[4]);
    } else {
        scsi_start(disk, s->lun, request);
    }
}

static bool is_valid(const uint8_t cbw[CBW_BYTES])
{
    return load_le32(cbw) == CBW_SIGNATURE && load_le32(cbw + 8) <= TRANSFER_MOST &&
           !(cbw[13] & 0xf0) && cbw[14] && cbw[14] <= SCSI_CDB_BYTES;
}

/* A command that makes no sense stops all until Bulk-Only Reset (5.3.4, 6.6.1). */
static UsbStatus refuse(UsbStorage *s)
{
    guest_error("usb-storage: not a command");
    s->is_stuck = true;
    usb_stall(&s->parent, ENDPOINT_IN, true);
    usb_stall(&s->parent, ENDPOINT_OUT, false);
    return USB_STALL;
}

static UsbStatus take_command(UsbStorage *s, UsbPacket *packet)
{
    uint8_t cbw[CBW_BYTES];

    if (usb_room(packet) != CBW_BYTES || usb_take(packet, cbw, CBW_BYTES) != CBW_BYTES ||
        !is_valid(cbw)) {
        return refuse(s);
    }
    free_buffer(s);
    s->tag = load_le32(cbw + 4);
    s->bytes = load_le32(cbw + 8);
    s->filled = s->at = 0;
    s->lun = cbw[13];
    s->request = (ScsiRequest){ 0 };
    memcpy(s->request.cdb, cbw + 15, cbw[14]);
    s->buffer = s->bytes ? g_try_malloc0(s->bytes) : NULL;
    if (s->bytes && !s->buffer) {
        return refuse(s);
    }
    s->phase = !s->bytes ? PHASE_STATUS : cbw[12] & CBW_TO_HOST ? PHASE_IN : PHASE_OUT;
    if (s->phase != PHASE_OUT) {
        start_command(s);
    }
    return USB_OK;
}

/* --- data and status --- */

static UsbStatus take_data(UsbStorage *s, UsbPacket *packet)
{
    uint32_t left = s->bytes - s->filled;

    if (usb_room(packet) > left) {
        return refuse(s);
    }
    s->filled += usb_take(packet, s->buffer + s->filled, left);
    if (s->filled == s->bytes) {
        start_command(s);
    }
    return USB_OK;
}

/* A host that wants more than there is gets a short packet, and then the status. */
static UsbStatus give_data(UsbStorage *s, UsbPacket *packet)
{
    bool is_short = usb_room(packet) > s->filled - s->at;

    s->at += usb_give(packet, s->buffer + s->at, s->filled - s->at);
    if (is_short || s->at == s->bytes) {
        s->phase = PHASE_STATUS;
    }
    return USB_OK;
}

static UsbStatus give_status(UsbStorage *s, UsbPacket *packet)
{
    uint8_t csw[CSW_BYTES];

    if (usb_room(packet) < CSW_BYTES) {
        return refuse(s);
    }
    store_le32(csw, CSW_SIGNATURE);
    store_le32(csw + 4, s->tag);
    store_le32(csw + 8, s->residue);
    csw[12] = s->status;
    usb_give(packet, csw, CSW_BYTES);
    free_buffer(s);
    s->bytes = s->filled = s->at = 0;
    s->phase = PHASE_COMMAND;
    return USB_OK;
}

static UsbStatus storage_out(UsbStorage *s, UsbPacket *packet)
{
    switch (s->phase) {
    case PHASE_COMMAND:
        return take_command(s, packet);
    case PHASE_OUT:
        return take_data(s, packet);
    default:
        return refuse(s);
    }
}

static UsbStatus storage_in(UsbStorage *s, UsbPacket *packet)
{
    if (s->phase == PHASE_COMMAND || s->phase == PHASE_OUT || s->waiting) {
        return refuse(s);
    }
    if (s->is_busy) {
        s->waiting = packet;
        return USB_LATER;
    }
    return s->phase == PHASE_IN ? give_data(s, packet) : give_status(s, packet);
}

static UsbStatus storage_data(UsbDevice *dev, UsbPacket *packet)
{
    return packet->is_in ? storage_in(USB_STORAGE(dev), packet) :
                           storage_out(USB_STORAGE(dev), packet);
}

static void storage_cancel(UsbDevice *dev, UsbPacket *packet)
{
    USB_STORAGE(dev)->waiting = NULL;
}

/* --- resets --- */

static void reset(UsbStorage *s)
{
    if (s->is_busy) {
        ScsiDevice *disk = s->request.dev;

        scsi_device_ops(disk)->drain(disk);
    }
    free_buffer(s);
    s->phase = PHASE_COMMAND;
    s->tag = s->bytes = s->filled = s->at = s->residue = 0;
    s->lun = s->status = 0;
    s->is_stuck = s->has_sense = false;
}

static void storage_bus_reset(UsbDevice *dev)
{
    reset(USB_STORAGE(dev));
}

/* What is stuck stays so until it is reset, whatever the host clears. */
static void storage_unstalled(UsbDevice *dev, uint8_t endpoint, bool is_in)
{
    if (USB_STORAGE(dev)->is_stuck) {
        usb_stall(dev, endpoint, is_in);
    }
}

static UsbStatus storage_control(UsbDevice *dev, UsbPacket *packet)
{
    static const uint8_t max_lun;

    switch (USB_REQUEST(packet->request.kind, packet->request.code)) {
    case USB_REQUEST(CLASS_IN, GET_MAX_LUN):
        return usb_reply(packet, &max_lun, 1);
    case USB_REQUEST(CLASS_OUT, BULK_ONLY_RESET):
        reset(USB_STORAGE(dev));
        return USB_OK;
    default:
        return USB_STALL;
    }
}

/* --- life --- */

static const ScsiBusOps scsi_ops = { .max_channel = 0, .max_target = 0, .max_lun = 0 };

/* Of the disk, by the same names. */
static const char *const handed_on[] = {
    "drive", "backend_defaults", "logical_block_size", "physical_block_size", "min_io_size",
    "opt_io_size", "discard_granularity", "write-cache", "share-rw", "account-invalid",
    "account-failed", "rerror", "werror", "removable",
};
#define HANDED_ON_TO_CD (ARRAY_SIZE(handed_on) - 1)

static bool set_up_disk(UsbStorage *s, Device *disk, Error **errp)
{
    size_t count = object_is_a(disk, "scsi-cd") ? HANDED_ON_TO_CD : ARRAY_SIZE(handed_on);

    for (size_t i = 0; i < count; i++) {
        g_autoptr(JsonObject) value = object_get(s, handed_on[i], errp);

        if (!value || !object_set(disk, handed_on[i], value, PROPERTY_TYPED, errp)) {
            return false;
        }
    }
    object_set_int(disk, "max_io_size", TRANSFER_MOST, NULL);
    return !s->parent.wanted_serial ||
           object_set_text(disk, "serial", s->parent.wanted_serial, errp);
}

static bool make_disk(UsbStorage *s, Error **errp)
{
    Device *disk = device_new(block_drive_is_cdrom(s->conf.drive) ? "scsi-cd" : "scsi-hd");

    object_add_child(&s->bus->parent.parent, "legacy[*]", disk, NULL);
    disk->is_part = true;
    s->disk = disk;
    if (set_up_disk(s, disk, errp)) {
        g_clear_pointer(&s->conf.drive, block_backend_unref); /* it is the disk's now */
        if (device_realize_and_unref(disk, &s->bus->parent, errp)) {
            return true;
        }
    } else {
        object_unref(disk);
    }
    object_unparent(disk);
    return false;
}

static bool storage_realize(Device *dev, Error **errp)
{
    UsbStorage *s = USB_STORAGE(dev);

    if (!s->conf.drive) {
        return error_set(errp, "drive property not set");
    }
    s->bus = scsi_bus_new(dev, dev->id, &scsi_ops, s);
    if (!make_disk(s, errp)) {
        scsi_bus_delete(s->bus);
        s->bus = NULL;
        return false;
    }
    return true;
}

static void storage_unrealize(Device *dev)
{
    UsbStorage *s = USB_STORAGE(dev);

    reset(s);
    scsi_bus_delete(s->bus);
    s->bus = NULL;
}

/* --- saved state: the disk has nothing of it, for what it has is waited for --- */

static bool has_data(void *opaque)
{
    const UsbStorage *s = opaque;

    return s->bytes;
}

static bool storage_pre_save(void *opaque, Error **errp)
{
    return !((const UsbStorage *)opaque)->is_busy ||
           error_set(errp, "usb-storage: a request waits after an error");
}

static bool storage_pre_load(void *opaque, Error **errp)
{
    UsbStorage *s = opaque;

    free_buffer(s);
    s->bytes = s->filled = s->at = 0;
    return true;
}

static bool storage_post_load(void *opaque, int version, Error **errp)
{
    const UsbStorage *s = opaque;
    bool has_phase = s->bytes ? s->phase != PHASE_COMMAND :
                                s->phase == PHASE_COMMAND || s->phase == PHASE_STATUS;

    return (has_phase && s->filled <= s->bytes && s->at <= s->filled) ||
           error_set(errp, "usb-storage: there is no such transfer");
}

static const VMField data_fields[] = {
    VM_U32(UsbStorage, filled), VM_U32(UsbStorage, at),
    VM_BYTES(UsbStorage, buffer, bytes, TRANSFER_MOST),
    VM_ARRAY(UsbStorage, request.cdb),
};
static const VMState data_state = VMSTATE_INIT(data_fields, .name = "usb_storage_data",
                                               .version = 1, .needed = has_data);
static const VMField storage_fields[] = {
    VM_ENUM(UsbStorage, phase, PHASES), VM_U32(UsbStorage, tag), VM_U32(UsbStorage, residue),
    VM_U8(UsbStorage, lun), VM_U8(UsbStorage, status), VM_BOOL(UsbStorage, has_sense),
    VM_BUFFER(UsbStorage, sense), VM_BOOL(UsbStorage, is_stuck),
};

static const Property storage_props[] = {
    PROP_BLOCK_CONF(UsbStorage, conf),
    PROP_BLOCK_ERRORS(UsbStorage, conf),
    PROP_BOOT_INDEX("bootindex", UsbStorage, conf.boot_index,
                    .opaque = (char *)"/channel@0/disk@0,0"),
    PROP_BOOL("removable", UsbStorage, is_removable, .doc = "Says that its medium can be removed"),
};

/* --- what it is --- */

enum { STRING_MANUFACTURER = 1, STRING_PRODUCT, STRING_SERIAL, STRING_FULL, STRING_HIGH,
       STRING_SUPER };
static const char *const strings[] = {
    "QEMU", "QEMU USB HARDDRIVE", "1", "Full speed config (usb 1.1)",
    "High speed config (usb 2.0)", "Super speed config (usb 3.0)",
};

#define AT_SPEED(name, version_, packet0, string_, packet, burst_)                                 \
    static const UsbInterfaceDescriptor name##_interfaces[] = {                                    \
        { .class_id = 8, .subclass = 6, .protocol = 0x50,                                          \
          USB_ENDPOINTS_OF({ 0x80 | ENDPOINT_IN, USB_BULK, (packet), 0, (burst_) },                \
                           { ENDPOINT_OUT, USB_BULK, (packet), 0, (burst_) }) },                   \
    };                                                                                             \
    static const UsbSpeedDescriptor name = {                                                       \
        .version = (version_), .packet_bytes = (packet0), .string = (string_),                     \
        .attributes = USB_SELF_POWERED, USB_INTERFACES_OF(name##_interfaces),                      \
    };
AT_SPEED(full, 0x0200, 8, STRING_FULL, 64, 0)
AT_SPEED(high, 0x0200, 64, STRING_HIGH, 512, 0)
AT_SPEED(super, 0x0300, 9, STRING_SUPER, 1024, 15)

static const UsbDescriptors descriptors = {
    .vendor = 0x46f4, .product = 0x0001,
    .manufacturer_string = STRING_MANUFACTURER, .product_string = STRING_PRODUCT,
    .serial_string = STRING_SERIAL, .strings = strings, .string_count = ARRAY_SIZE(strings),
    .speeds = { [USB_FULL] = &full, [USB_HIGH] = &high, [USB_SUPER] = &super },
};

static const UsbDeviceType usb_storage_type = {
    .name = TYPE_USB_STORAGE,
    .doc = "USB disk",
    .parent = TYPE_USB_DEVICE,
    .size = sizeof(UsbStorage),
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(storage_props),
    .vmstate = VMSTATE(storage_fields, .version = 1, .pre_save = storage_pre_save,
                       .pre_load = storage_pre_load, .post_load = storage_post_load,
                       .subsections = VM_SUBSECTIONS(&data_state)),
    .realize = storage_realize,
    .unrealize = storage_unrealize,
    .descriptors = &descriptors,
    .firmware_name = "storage",
    .control = storage_control,
    .data = storage_data,
    .cancel = storage_cancel,
    .bus_reset = storage_bus_reset,
    .unstalled = storage_unstalled,
};
DEVICE_TYPE(usb_storage_type)
