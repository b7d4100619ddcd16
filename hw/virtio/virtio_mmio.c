/*
 * virtio-mmio: virtio over memory-mapped registers (virtio 1.3, 4.2), version 2, or version 1 for
 * legacy drivers (force-legacy). A slot without a device answers with device id 0.
 *
 * There are no shared memory regions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"
#include "hw/virtio/virtio_transport.h"
#include "util/log.h"

#define TYPE_VIRTIO_MMIO     "virtio-mmio"
#define TYPE_VIRTIO_MMIO_BUS "virtio-mmio-bus"

#define REGION_BYTES  0x200
#define MAGIC_VALUE   0x74726976 /* "virt" */
#define VENDOR_VALUE  0x554d4551 /* "QEMU" */
#define MAX_PAGE_SHIFT 30

enum {
    MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010, DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SEL = 0x024,
    GUEST_PAGE_SIZE = 0x028, /* 1 */
    QUEUE_SEL = 0x030, QUEUE_NUM_MAX = 0x034, QUEUE_NUM = 0x038,
    QUEUE_ALIGN = 0x03c, QUEUE_PFN = 0x040, /* 1 */
    QUEUE_READY = 0x044, /* 2 */
    QUEUE_NOTIFY = 0x050, INTERRUPT_STATUS = 0x060, INTERRUPT_ACK = 0x064, STATUS = 0x070,
    QUEUE_DESC_LOW = 0x080, QUEUE_DESC_HIGH = 0x084, /* these and all below but CONFIG: 2 */
    QUEUE_DRIVER_LOW = 0x090, QUEUE_DRIVER_HIGH = 0x094,
    QUEUE_DEVICE_LOW = 0x0a0, QUEUE_DEVICE_HIGH = 0x0a4,
    SHM_SEL = 0x0ac, SHM_LEN_LOW = 0x0b0, SHM_LEN_HIGH = 0x0b4, SHM_BASE_LOW = 0x0b8,
    SHM_BASE_HIGH = 0x0bc, QUEUE_RESET = 0x0c0,
    CONFIG_GENERATION = 0x0fc, CONFIG = 0x100,
};

typedef struct VirtioMmio {
    MmioDevice parent;
    MemoryRegion region;
    IrqLine irq;
    Bus *bus;
    /* properties */
    bool is_legacy, shows_address, uses_ioeventfd;
    /* registers */
    uint32_t device_features_sel, driver_features_sel, queue_sel;
    uint32_t driver_features[2]; /* chosen, until FEATURES_OK makes them count */
    uint32_t page_shift;
} VirtioMmio;
DECLARE_CAST(VirtioMmio, VIRTIO_MMIO)

static void update_irq(VirtioMmio *mmio, const VirtioDevice *vdev)
{
    irq_set(&mmio->irq, vdev && vdev->isr);
}

static VirtioInterface interface(const VirtioMmio *mmio)
{
    return mmio->is_legacy ? VIRTIO_LEGACY : VIRTIO_MODERN;
}

/* --- which registers there are --- */

typedef enum { ALWAYS, ONLY_VERSION_1, ONLY_VERSION_2 } Presence;

static Presence presence(uint64_t at)
{
    switch (at) {
    case GUEST_PAGE_SIZE:
    case QUEUE_ALIGN:
    case QUEUE_PFN:
        return ONLY_VERSION_1;
    case QUEUE_READY:
        return ONLY_VERSION_2;
    default:
        return at >= QUEUE_DESC_LOW ? ONLY_VERSION_2 : ALWAYS;
    }
}

static bool exists(const VirtioMmio *mmio, uint64_t at, unsigned bytes, const char *what)
{
    Presence when = presence(at);

    if (bytes != 4 || when == (mmio->is_legacy ? ONLY_VERSION_2 : ONLY_VERSION_1)) {
        guest_error("virtio-mmio: %s of %u bytes at 0x%" PRIx64 ", version %d", what, bytes, at,
                    mmio->is_legacy ? 1 : 2);
        return false;
    }
    return true;
}

/* --- reads --- */

static uint32_t read_queue(const VirtioMmio *mmio, const VirtQueue *vq, uint64_t at)
{
    switch (at) {
    case QUEUE_NUM_MAX:
        return vq ? virtqueue_max_size(vq) : 0;
    case QUEUE_PFN:
        return vq ? virtqueue_address(vq, VIRTQUEUE_DESC) >> mmio->page_shift : 0;
    default: /* QUEUE_READY */
        return vq && virtqueue_is_enabled(vq);
    }
}

static uint32_t read_register(VirtioMmio *mmio, VirtioDevice *vdev, uint64_t at)
{
    switch (at) {
    case DEVICE_ID:
        return virtio_ops(vdev)->virtio_id;
    case DEVICE_FEATURES:
        return mmio->device_features_sel > 1 ? 0 :
               virtio_offered_features(vdev, interface(mmio)) >> 32 * mmio->device_features_sel;
    case QUEUE_NUM_MAX:
    case QUEUE_PFN:
    case QUEUE_READY:
        return read_queue(mmio, virtio_queue(vdev, mmio->queue_sel), at);
    case INTERRUPT_STATUS:
        return vdev->isr;
    case STATUS:
        return vdev->status;
    case SHM_LEN_LOW:
    case SHM_LEN_HIGH:
    case SHM_BASE_LOW:
    case SHM_BASE_HIGH:
        return UINT32_MAX;
    case QUEUE_RESET:
        return 0; /* it is done at once */
    case CONFIG_GENERATION:
        return vdev->generation;
    default:
        guest_error("virtio-mmio: read of register 0x%" PRIx64, at);
        return 0;
    }
}

static uint64_t virtio_mmio_read(void *opaque, uint64_t at, unsigned bytes)
{
    VirtioMmio *mmio = opaque;
    VirtioDevice *vdev = virtio_bus_device(mmio->bus);

    if (at >= CONFIG) {
        return vdev ? virtio_config_read(vdev, at - CONFIG, bytes) : 0;
    }
    if (!exists(mmio, at, bytes, "read")) {
        return 0;
    }
    switch (at) {
    case MAGIC:
        return MAGIC_VALUE;
    case VERSION:
        return mmio->is_legacy ? 1 : 2;
    case VENDOR_ID:
        return VENDOR_VALUE;
    default:
        return vdev ? read_register(mmio, vdev, at) : 0;
    }
}

/* --- writes --- */

static void reset_registers(VirtioMmio *mmio)
{
    mmio->device_features_sel = mmio->driver_features_sel = mmio->queue_sel = 0;
    mmio->driver_features[0] = mmio->driver_features[1] = 0;
}

static void write_status(VirtioMmio *mmio, VirtioDevice *vdev, uint32_t value)
{
    if (!mmio->is_legacy && (value & VIRTIO_STATUS_FEATURES_OK) &&
        !(vdev->status & VIRTIO_STATUS_FEATURES_OK)) {
        virtio_choose_features(vdev, (uint64_t)mmio->driver_features[1] << 32 |
                               mmio->driver_features[0], VIRTIO_MODERN);
    }
    virtio_write_status(vdev, value);
    if (!(value & 0xff)) {
        reset_registers(mmio);
        update_irq(mmio, vdev);
    }
}

static void write_driver_features(VirtioMmio *mmio, VirtioDevice *vdev, uint32_t value)
{
    if (mmio->driver_features_sel > 1) {
        guest_error("virtio-mmio: features of word %u", mmio->driver_features_sel);
        return;
    }
    mmio->driver_features[mmio->driver_features_sel] = value;
    if (mmio->is_legacy && !mmio->driver_features_sel) {
        virtio_choose_features(vdev, value, VIRTIO_LEGACY);
    }
}

static void write_page_size(VirtioMmio *mmio, uint32_t value)
{
    if (!value || (value & (value - 1)) || value > BIT(MAX_PAGE_SHIFT)) {
        guest_error("virtio-mmio: pages of %u bytes", value);
        return;
    }
    mmio->page_shift = g_bit_nth_lsf(value, -1);
}

static void write_pfn(VirtioMmio *mmio, VirtioDevice *vdev, VirtQueue *vq, uint32_t value)
{
    if (!value) {
        write_status(mmio, vdev, 0);
    } else {
        virtqueue_enable_legacy(vq, (uint64_t)value << mmio->page_shift);
    }
}

static void write_queue(VirtioMmio *mmio, VirtioDevice *vdev, uint64_t at, uint32_t value)
{
    VirtQueue *vq = virtio_queue(vdev, mmio->queue_sel);
    unsigned high = at & 4 ? 1 : 0;

    if (!vq) {
        guest_error("virtio-mmio: queue %u is not there", mmio->queue_sel);
        return;
    }
    switch (at) {
    case QUEUE_NUM:
        virtqueue_set_size(vq, MIN(value, UINT16_MAX));
        break;
    case QUEUE_ALIGN:
        virtqueue_set_legacy_align(vq, value);
        break;
    case QUEUE_PFN:
        write_pfn(mmio, vdev, vq, value);
        break;
    case QUEUE_READY:
        (value & 1 ? virtqueue_enable : virtqueue_reset)(vq);
        break;
    case QUEUE_RESET:
        if (value == 1 && virtio_has_feature(vdev, VIRTIO_F_RING_RESET)) {
            virtqueue_reset(vq);
        }
        break;
    case QUEUE_DESC_LOW:
    case QUEUE_DESC_HIGH:
        virtqueue_set_address(vq, VIRTQUEUE_DESC, high, value);
        break;
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH:
        virtqueue_set_address(vq, VIRTQUEUE_DRIVER, high, value);
        break;
    default:
        virtqueue_set_address(vq, VIRTQUEUE_DEVICE, high, value);
    }
}

static void notify(VirtioDevice *vdev, uint32_t value)
{
    VirtQueue *vq = virtio_queue(vdev, value & 0xffff); /* above: where the ring is, a hint */

    if (vq) {
        virtqueue_kick(vq);
    } else {
        guest_error("virtio-mmio: notification of queue %u, which is not there", value & 0xffff);
    }
}

static void write_register(VirtioMmio *mmio, VirtioDevice *vdev, uint64_t at, uint32_t value)
{
    switch (at) {
    case DEVICE_FEATURES_SEL:
        mmio->device_features_sel = value;
        break;
    case DRIVER_FEATURES:
        write_driver_features(mmio, vdev, value);
        break;
    case DRIVER_FEATURES_SEL:
        mmio->driver_features_sel = value;
        break;
    case GUEST_PAGE_SIZE:
        write_page_size(mmio, value);
        break;
    case QUEUE_SEL:
        mmio->queue_sel = value;
        break;
    case QUEUE_NOTIFY:
        notify(vdev, value);
        break;
    case INTERRUPT_ACK:
        vdev->isr &= ~value;
        update_irq(mmio, vdev);
        break;
    case STATUS:
        write_status(mmio, vdev, value);
        break;
    case SHM_SEL:
        break; /* there is none to select */
    case QUEUE_NUM:
    case QUEUE_ALIGN:
    case QUEUE_PFN:
    case QUEUE_READY:
    case QUEUE_DESC_LOW:
    case QUEUE_DESC_HIGH:
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH:
    case QUEUE_DEVICE_LOW:
    case QUEUE_DEVICE_HIGH:
    case QUEUE_RESET:
        write_queue(mmio, vdev, at, value);
        break;
    default:
        guest_error("virtio-mmio: write to register 0x%" PRIx64, at);
    }
}

static void virtio_mmio_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    VirtioMmio *mmio = opaque;
    VirtioDevice *vdev = virtio_bus_device(mmio->bus);

    if (!vdev) {
        return;
    }
    if (at >= CONFIG) {
        virtio_config_write(vdev, at - CONFIG, bytes, value);
    } else if (exists(mmio, at, bytes, "write")) {
        write_register(mmio, vdev, at, value);
    }
}

static const MemoryOps virtio_mmio_ops = {
    .read = virtio_mmio_read, .write = virtio_mmio_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 8 }, .impl = { .min = 1, .max = 4 },
};

/* --- the bus --- */

static void virtio_mmio_interrupt(Device *dev, VirtioDevice *vdev, uint8_t cause, uint16_t vector)
{
    vdev->isr |= cause;
    update_irq(VIRTIO_MMIO(dev), vdev);
}

static char *virtio_mmio_address(Bus *bus, Device *dev)
{
    const VirtioMmio *mmio = VIRTIO_MMIO(bus->owner);

    return mmio->shows_address && mmio->parent.regions[0].addr != UINT64_MAX ?
           g_strdup_printf("virtio-mmio@%016" PRIx64, mmio->parent.regions[0].addr) : NULL;
}

static uint16_t mmio_selected_queue(const Device *dev)
{
    return VIRTIO_MMIO(dev)->queue_sel;
}

static const VirtioBusType virtio_mmio_bus_type = {
    .name = TYPE_VIRTIO_MMIO_BUS,
    .parent = TYPE_VIRTIO_BUS,
    .doc = "The place of a virtio-mmio slot",
    .device_address = virtio_mmio_address,
    .interrupt = virtio_mmio_interrupt,
    .selected_queue = mmio_selected_queue,
};
BUS_TYPE(virtio_mmio_bus_type)

/* The first number that no other slot has. */
static Bus *make_bus(Device *dev)
{
    for (unsigned n = 0;; n++) {
        g_autofree char *name = g_strdup_printf("virtio-mmio-bus.%u", n);

        if (!bus_find(name, TYPE_VIRTIO_MMIO_BUS)) {
            return bus_new(TYPE_VIRTIO_MMIO_BUS, dev, name);
        }
    }
}

/* --- life --- */

static bool virtio_mmio_realize(Device *dev, Error **errp)
{
    VirtioMmio *mmio = VIRTIO_MMIO(dev);

    if (!mmio->bus) {
        mmio->bus = make_bus(dev);
    }
    return true;
}

static void virtio_mmio_reset_enter(Device *dev)
{
    reset_registers(VIRTIO_MMIO(dev));
    VIRTIO_MMIO(dev)->page_shift = 0; /* drivers set it once, before they reset the device */
}

static void virtio_mmio_reset_exit(Device *dev)
{
    irq_lower(&VIRTIO_MMIO(dev)->irq);
}

static void virtio_mmio_init(Object *obj)
{
    VirtioMmio *mmio = VIRTIO_MMIO(obj);

    memory_region_init_io(&mmio->region, obj, &virtio_mmio_ops, "virtio-mmio", REGION_BYTES);
    mmio_device_add_region(&mmio->parent, &mmio->region);
}

static void virtio_mmio_finalize(Object *obj)
{
    memory_region_clear(&VIRTIO_MMIO(obj)->region);
}

static const Property virtio_mmio_props[] = {
    PROP_BOOL("format_transport_address", VirtioMmio, shows_address, .initial = true,
              .doc = "Its address is part of what its device is called in saved state"),
    PROP_BOOL("force-legacy", VirtioMmio, is_legacy, .initial = true,
              .doc = "Version 1 of the registers, for drivers before virtio 1.0"),
    PROP_BOOL("ioeventfd", VirtioMmio, uses_ioeventfd, .initial = true,
              .doc = "An accelerator may signal notifications itself"),
};
static const VMField virtio_mmio_fields[] = {
    VM_U32(VirtioMmio, device_features_sel), VM_U32(VirtioMmio, driver_features_sel),
    VM_U32(VirtioMmio, queue_sel), VM_ARRAY(VirtioMmio, driver_features),
    VM_U32(VirtioMmio, page_shift),
    VM_EQUAL(VirtioMmio, is_legacy),
};
static bool virtio_mmio_post_load(void *opaque, int version, Error **errp)
{
    VirtioMmio *mmio = opaque;

    if (mmio->page_shift > MAX_PAGE_SHIFT) {
        return error_set(errp, "pages of 2^%u bytes", mmio->page_shift);
    }
    return true;
}

static const IrqDef virtio_mmio_irqs[] = { IRQ_ROW_OUT("sysbus-irq", VirtioMmio, irq) };

static const DeviceType virtio_mmio_type = {
    .name = TYPE_VIRTIO_MMIO,
    .doc = "virtio over memory-mapped registers",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(VirtioMmio),
    .category = DEVICE_CATEGORY_MISC,
    .irqs = IRQS(virtio_mmio_irqs),
    .properties = PROPERTIES(virtio_mmio_props),
    .vmstate = VMSTATE(virtio_mmio_fields, .version = 1, .post_load = virtio_mmio_post_load),
    .init = virtio_mmio_init,
    .finalize = virtio_mmio_finalize,
    .realize = virtio_mmio_realize,
    .reset_enter = virtio_mmio_reset_enter,
    .reset_exit = virtio_mmio_reset_exit,
};
DEVICE_TYPE(virtio_mmio_type)
