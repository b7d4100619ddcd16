/*
 * virtio devices: negotiation, status, configuration, reset, saved state. See hw/virtio/virtio.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtqueue_parts.h"

#include "system/run_state.h"
#include "system/target.h"
#include "trace.h"
#include "util/log.h"

/* What only one of the interfaces has. */
#define LEGACY_ONLY (BIT64(VIRTIO_F_NOTIFY_ON_EMPTY) | BIT64(VIRTIO_F_ANY_LAYOUT))
#define LEGACY_MASK UINT64_C(0xffffffff)

static const VirtioBusType *transport(const VirtioDevice *vdev)
{
    return object_ops(vdev->parent.bus);
}

/* --- the device's side --- */

Endian virtio_endian(const VirtioDevice *vdev)
{
    const TargetInfo *target = virtio_is_legacy(vdev) ? target_info() : NULL;

    return target && target->is_big_endian ? ENDIAN_BIG : ENDIAN_LITTLE;
}

bool virtio_is_running(const VirtioDevice *vdev)
{
    return (vdev->status & VIRTIO_STATUS_DRIVER_OK) && !vdev->is_broken && !vdev->is_disabled;
}

bool virtio_is_live(const VirtioDevice *vdev)
{
    return vm_is_live() && virtio_is_running(vdev);
}

void virtio_interrupt(VirtioDevice *vdev, uint8_t cause, uint16_t vector)
{
    trace_virtio_interrupt(object_type_name(vdev), cause, vector);
    transport(vdev)->interrupt(vdev->parent.bus->owner, vdev, cause, vector);
}

void virtio_config_changed(VirtioDevice *vdev)
{
    vdev->generation++;
    if (vdev->status & VIRTIO_STATUS_DRIVER_OK) {
        /* As QEMU does it: who waits for a queue's bit looks at the configuration, too. */
        virtio_interrupt(vdev, VIRTIO_ISR_CONFIG | VIRTIO_ISR_QUEUE, vdev->config_vector);
    }
}

void virtio_error(VirtioDevice *vdev, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    guest_error("%s: %s", device_label(&vdev->parent), text);
    if (vdev->is_broken) {
        return;
    }
    vdev->is_broken = true;
    if (!virtio_is_legacy(vdev)) { /* others know no such bit */
        vdev->status |= VIRTIO_STATUS_NEEDS_RESET;
        virtio_config_changed(vdev);
    }
}

bool virtio_init_queues(VirtioDevice *vdev, unsigned count, Error **errp)
{
    if (count > VIRTIO_MAX_QUEUES) {
        return error_set(errp, "%u virtqueues are more than %d", count, VIRTIO_MAX_QUEUES);
    }
    vdev->queues = g_new0(VirtQueue, count);
    vdev->queue_count = count;
    return true;
}

/* --- where rings are --- */

bool virtio_is_translated(const VirtioDevice *vdev)
{
    return virtio_has_feature(vdev, VIRTIO_F_ACCESS_PLATFORM) && transport(vdev)->dma_space;
}

AddressSpace *virtio_dma_space(const VirtioDevice *vdev)
{
    return virtio_is_translated(vdev) ? transport(vdev)->dma_space(vdev->parent.bus->owner) :
                                        address_space_system();
}

MemTxAttrs virtio_dma_attrs(const VirtioDevice *vdev)
{
    return virtio_is_translated(vdev) && transport(vdev)->dma_attrs ?
           transport(vdev)->dma_attrs(vdev->parent.bus->owner) : MEM_TX_NONE;
}

static void map_changed(MemoryListener *listener)
{
    container_of(listener, VirtioDevice, listener)->is_map_stale = true;
}

static const MemoryListenerOps listener_ops = { .name = "virtio", .commit = map_changed };

/* Only while there are rings: an idle device costs a change of the map nothing. */
void virtio_listen(VirtioDevice *vdev, bool is_on)
{
    if (is_on && !vdev->is_listening) {
        memory_listener_register(&vdev->listener, &listener_ops, address_space_system());
    } else if (!is_on && vdev->is_listening) {
        memory_listener_unregister(&vdev->listener);
    }
    vdev->is_listening = is_on;
}

/* --- negotiation --- */

uint64_t virtio_offered_features(const VirtioDevice *vdev, VirtioInterface interface)
{
    return interface == VIRTIO_LEGACY ? (vdev->host_features & LEGACY_MASK) | BIT64(VIRTIO_F_BAD) :
                                        (vdev->host_features & ~LEGACY_ONLY) |
                                            BIT64(VIRTIO_F_VERSION_1);
}

void virtio_choose_features(VirtioDevice *vdev, uint64_t chosen, VirtioInterface interface)
{
    uint64_t offered = virtio_offered_features(vdev, interface);

    if (vdev->status & VIRTIO_STATUS_FEATURES_OK) {
        guest_error("%s: features chosen after FEATURES_OK", device_label(&vdev->parent));
        return;
    }
    if (chosen & ~offered) {
        guest_error("%s: features 0x%" PRIx64 " were not offered", device_label(&vdev->parent),
                    chosen & ~offered);
    }
    if (interface == VIRTIO_LEGACY && (chosen & BIT64(VIRTIO_F_BAD))) {
        guest_error("%s: the driver takes any feature", device_label(&vdev->parent));
        chosen &= ~BIT64(VIRTIO_F_BAD);
    }
    vdev->driver_features = chosen & offered;
}

/* 3.1.1 step 6, and rules of 6.1 that no device can do without. */
static bool accepts_features(VirtioDevice *vdev)
{
    const VirtioDeviceType *ops = virtio_ops(vdev);
    uint64_t must = BIT64(VIRTIO_F_VERSION_1) |
                    (vdev->host_features & BIT64(VIRTIO_F_ACCESS_PLATFORM));

    return (vdev->driver_features & must) == must &&
           (!ops->accepts || ops->accepts(vdev, vdev->driver_features));
}

void virtio_write_status(VirtioDevice *vdev, uint8_t status)
{
    const VirtioDeviceType *ops = virtio_ops(vdev);
    uint8_t old = vdev->status;

    trace_virtio_status(object_type_name(vdev), status);
    if (!status) {
        vdev->is_reset_by_driver = true;
        device_reset(&vdev->parent);
        vdev->is_reset_by_driver = false;
        return;
    }
    status |= old & VIRTIO_STATUS_NEEDS_RESET;
    if ((status & ~old & VIRTIO_STATUS_FEATURES_OK) && !accepts_features(vdev)) {
        guest_error("%s: features 0x%" PRIx64 " cannot be used", device_label(&vdev->parent),
                    vdev->driver_features);
        status &= ~VIRTIO_STATUS_FEATURES_OK;
    }
    vdev->status = status;
    if (ops->status_changed && status != old) {
        ops->status_changed(vdev, old);
    }
    for (uint32_t n = 0; (status & ~old & VIRTIO_STATUS_DRIVER_OK) && n < vdev->queue_count; n++) {
        virtqueue_serve_early_kick(&vdev->queues[n]);
    }
}

/* --- configuration --- */

static bool read_config(VirtioDevice *vdev, uint64_t at, unsigned bytes)
{
    const VirtioDeviceType *ops = virtio_ops(vdev);

    if (at > vdev->config_bytes || bytes > vdev->config_bytes - at) {
        return false;
    }
    ops->config_read(vdev, vdev->config);
    return true;
}

uint64_t virtio_config_read(VirtioDevice *vdev, uint64_t at, unsigned bytes)
{
    return read_config(vdev, at, bytes) ?
           load_bytes(vdev->config + at, bytes, virtio_endian(vdev)) :
           UINT64_MAX >> (64 - 8 * bytes);
}

void virtio_config_write(VirtioDevice *vdev, uint64_t at, unsigned bytes, uint64_t value)
{
    const VirtioDeviceType *ops = virtio_ops(vdev);

    if (read_config(vdev, at, bytes) && ops->config_written) {
        store_bytes(vdev->config + at, bytes, virtio_endian(vdev), value);
        ops->config_written(vdev, vdev->config);
    } else {
        guest_error("%s: write to its configuration at %" PRIu64, device_label(&vdev->parent), at);
    }
}

VirtQueue *virtio_queue(VirtioDevice *vdev, unsigned n)
{
    return n < vdev->queue_count && vdev->queues[n].max_size ? &vdev->queues[n] : NULL;
}

/* --- life --- */

static void virtio_reset_enter(Device *dev)
{
    VirtioDevice *vdev = VIRTIO_DEVICE(dev);

    for (uint32_t i = 0; i < vdev->queue_count; i++) {
        virtqueue_clear(&vdev->queues[i]);
    }
    vdev->driver_features = 0;
    vdev->status = vdev->isr = 0;
    vdev->config_vector = VIRTIO_NO_VECTOR;
    vdev->generation = 0;
    vdev->is_broken = vdev->is_map_stale = false;
}

static void virtio_reset_hold(Device *dev)
{
    virtio_listen(VIRTIO_DEVICE(dev), false);
}

static void run_state_changed(Notifier *notifier, void *data)
{
    VirtioDevice *vdev = container_of(notifier, VirtioDevice, run_state);

    virtio_ops(vdev)->run_changed(vdev);
}

static bool virtio_realize(Device *dev, Error **errp)
{
    VirtioDevice *vdev = VIRTIO_DEVICE(dev);
    const VirtioDeviceType *ops = virtio_ops(vdev);

    assert(!ops->config_bytes || ops->config_read);
    vdev->host_features = vdev->wanted_features | (ops->features ? ops->features(vdev) : 0);
    vdev->config_bytes = ops->config_bytes;
    vdev->config = g_malloc0(MAX(ops->config_bytes, 1));
    vdev->config_vector = VIRTIO_NO_VECTOR;
    if (ops->run_changed) {
        vdev->run_state.fn = run_state_changed;
        vm_add_state_notifier(&vdev->run_state);
    }
    return true;
}

static void virtio_unrealize(Device *dev)
{
    VirtioDevice *vdev = VIRTIO_DEVICE(dev);

    notifier_remove(&vdev->run_state);
    virtio_listen(vdev, false);
    for (uint32_t i = 0; i < vdev->queue_count; i++) {
        virtqueue_free(&vdev->queues[i]);
    }
    g_clear_pointer(&vdev->queues, g_free);
    vdev->queue_count = 0;
    g_clear_pointer(&vdev->config, g_free);
}

/* --- saved state --- */

static bool virtio_post_load(void *opaque, int version, Error **errp)
{
    VirtioDevice *vdev = opaque;
    uint64_t offered = virtio_offered_features(vdev, VIRTIO_LEGACY) |
                       virtio_offered_features(vdev, VIRTIO_MODERN);

    if (vdev->driver_features & ~offered) {
        return error_set(errp, "the driver uses features 0x%" PRIx64 " that are not offered here",
                         vdev->driver_features & ~offered);
    }
    for (uint32_t i = 0; i < vdev->queue_count; i++) {
        if (!virtqueue_reload(&vdev->queues[i], errp)) {
            return false;
        }
    }
    return true;
}

static const VMField virtio_fields[] = {
    VM_U8(VirtioDevice, status), VM_U8(VirtioDevice, isr), VM_U64(VirtioDevice, driver_features),
    VM_U16(VirtioDevice, config_vector), VM_U32(VirtioDevice, generation),
    VM_BOOL(VirtioDevice, is_broken), VM_BOOL(VirtioDevice, is_disabled),
    VM_STRUCT_HELD(VirtioDevice, queues, queue_count, virtqueue_state),
};

#define FEATURE(name_, bit_, ...) PROP_BIT64(name_, VirtioDevice, wanted_features, bit_, __VA_ARGS__)
static const Property virtio_props[] = {
    FEATURE("indirect_desc", VIRTIO_F_INDIRECT_DESC, .initial = true,
            .doc = "Offers tables of descriptors"),
    FEATURE("event_idx", VIRTIO_F_EVENT_IDX, .initial = true,
            .doc = "Offers to say when the other side is to be told"),
    FEATURE("notify_on_empty", VIRTIO_F_NOTIFY_ON_EMPTY, .initial = true,
            .doc = "Offers legacy drivers an interrupt for an empty queue"),
    FEATURE("any_layout", VIRTIO_F_ANY_LAYOUT, .initial = true,
            .doc = "Takes buffers of legacy drivers however they are cut"),
    FEATURE("iommu_platform", VIRTIO_F_ACCESS_PLATFORM,
            .doc = "Accesses memory as other devices do, behind an IOMMU"),
    FEATURE("packed", VIRTIO_F_RING_PACKED, .doc = "Offers packed rings"),
    FEATURE("queue_reset", VIRTIO_F_RING_RESET, .initial = true,
            .doc = "Offers to reset single queues"),
    FEATURE("in_order", VIRTIO_F_IN_ORDER, .doc = "Gives buffers back in the order they came"),
    FEATURE("notification_data", VIRTIO_F_NOTIFICATION_DATA,
            .doc = "Takes notifications that say where the ring is"),
    PROP_BOOL("use-started", VirtioDevice, accepts_early_kicks, .initial = true,
              .doc = "Serves legacy drivers that do not wait for DRIVER_OK"),
    PROP_BOOL("use-disabled-flag", VirtioDevice, obeys_bus_master, .initial = true,
              .doc = "Stands still while it is no bus master"),
    PROP_BOOL("x-disable-legacy-check", VirtioDevice, skips_legacy_check,
              .doc = "Permits legacy interfaces to devices that have none"),
};

const PropertyList virtio_device_properties = PROPERTIES(virtio_props);

static const VirtioDeviceType virtio_type = {
    .name = TYPE_VIRTIO_DEVICE,
    .parent = TYPE_DEVICE,
    .doc = "A virtio device",
    .size = sizeof(VirtioDevice),
    .is_abstract = true,
    .bus_type = TYPE_VIRTIO_BUS,
    .access = DEVICE_ACCESS_USER,
    .properties = PROPERTIES(virtio_props),
    .vmstate = VMSTATE(virtio_fields, .version = 1, .post_load = virtio_post_load),
    .realize = virtio_realize,
    .unrealize = virtio_unrealize,
    .reset_enter = virtio_reset_enter,
    .reset_hold = virtio_reset_hold,
};
VIRTIO_DEVICE_TYPE(virtio_type)

/* --- the bus --- */

VirtioDevice *virtio_bus_device(const Bus *bus)
{
    Device *dev = bus->devices->len ? bus->devices->pdata[0] : NULL;

    return dev && dev->is_realized ? VIRTIO_DEVICE(dev) : NULL;
}

static const VirtioBusType virtio_bus_type = {
    .name = TYPE_VIRTIO_BUS,
    .parent = TYPE_BUS,
    .doc = "A virtio transport's one place",
    .is_abstract = true,
    .max_devices = 1,
};
BUS_TYPE(virtio_bus_type)
