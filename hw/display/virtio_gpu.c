/*
 * virtio-gpu: a graphics adapter for virtio drivers, 2D: see virtio_gpu.h.
 *
 * Left out: 3D (virgl, contexts), blob resources, UUIDs of resources.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_gpu.h"

#define CONTROL_QUEUE 256
#define CURSOR_QUEUE  16
#define MAX_RESOURCE_BYTES UINT32_MAX

/* Events, events to clear, scanouts, capability sets. */
#define CONFIG_BYTES 16

static uint64_t gpu_features(VirtioDevice *vdev)
{
    return VIRTIO_GPU(vdev)->has_edid ? BIT64(GPU_F_EDID) : 0;
}

static void config_read(VirtioDevice *vdev, uint8_t *config)
{
    memset(config, 0, CONFIG_BYTES);
    virtio_put(vdev, config, 4, VIRTIO_GPU(vdev)->events);
    virtio_put(vdev, config + 8, 4, VIRTIO_GPU(vdev)->scanout_count);
}

static void config_written(VirtioDevice *vdev, const uint8_t *config)
{
    VIRTIO_GPU(vdev)->events &= ~virtio_get(vdev, config + 4, 4);
}

/* --- life --- */

/* The device users know: a function on PCI, or this one. */
static Object *named_device(VirtioGpu *gpu)
{
    Device *dev = &gpu->parent.parent;

    return dev->is_part ? (Object *)dev->bus->owner : &dev->parent;
}

static bool gpu_realize(Device *dev, Error **errp)
{
    VirtioGpu *gpu = VIRTIO_GPU(dev);

    if (!gpu->scanout_count || gpu->scanout_count > GPU_MAX_SCANOUTS) {
        return error_set(errp, "invalid max_outputs > %u", GPU_MAX_SCANOUTS);
    }
    if (!gpu->first_width || !gpu->first_height || gpu->first_width > GPU_MAX_PIXELS ||
        gpu->first_height > GPU_MAX_PIXELS) {
        return error_set(errp, "'xres' and 'yres' are 1 to %u", GPU_MAX_PIXELS);
    }
    if (!virtio_init_queues(&gpu->parent, 2, errp)) {
        return false;
    }
    gpu->control = virtqueue_init(&gpu->parent, 0, CONTROL_QUEUE, virtio_gpu_run_control);
    gpu->cursor = virtqueue_init(&gpu->parent, 1, CURSOR_QUEUE, virtio_gpu_run_cursor);
    for (unsigned n = 0; n < gpu->scanout_count; n++) {
        GpuHead *head = &gpu->heads[n];

        head->gpu = gpu;
        head->n = n;
        head->console = console_new(named_device(gpu), n, &virtio_gpu_console_ops, head);
    }
    /* The others are wanted when a user says so: suggest_size(). */
    gpu->scanouts[0].is_enabled = true;
    gpu->scanouts[0].wanted_width = gpu->first_width;
    gpu->scanouts[0].wanted_height = gpu->first_height;
    return true;
}

/* Surfaces may lie on resources: consoles go first. */
static void gpu_unrealize(Device *dev)
{
    VirtioGpu *gpu = VIRTIO_GPU(dev);

    for (unsigned n = 0; n < gpu->scanout_count; n++) {
        g_clear_pointer(&gpu->heads[n].console, console_free);
    }
    gpu_resources_clear(gpu);
}

static void show_all(VirtioGpu *gpu)
{
    for (unsigned n = 0; n < gpu->scanout_count; n++) {
        gpu_scanout_show(gpu, n);
        gpu_scanout_show_cursor(gpu, n);
    }
}

static void gpu_reset(Device *dev)
{
    VirtioGpu *gpu = VIRTIO_GPU(dev);

    for (unsigned n = 0; n < gpu->scanout_count; n++) {
        GpuScanout *scanout = &gpu->scanouts[n];

        if (scanout->resource_id) {
            scanout->resource_id = 0;
            gpu_scanout_show(gpu, n);
        }
        if (scanout->cursor_id) {
            scanout->cursor_id = 0;
            gpu_scanout_show_cursor(gpu, n);
        }
    }
    gpu_resources_clear(gpu);
    gpu->events = 0;
}

/* --- saved state --- */

static bool gpu_pre_load(void *opaque, Error **errp)
{
    gpu_reset(opaque);
    return true;
}

static bool check_scanouts(VirtioGpu *gpu)
{
    for (unsigned n = 0; n < gpu->scanout_count; n++) {
        const GpuScanout *s = &gpu->scanouts[n];
        const GpuResource *resource = gpu_resource(gpu, s->resource_id);

        if (s->resource_id &&
            (!resource || !s->width || !s->height ||
             !gpu_resource_has(resource, (GpuRect){ s->x, s->y, s->width, s->height }))) {
            return false;
        }
    }
    return true;
}

static bool gpu_post_load(void *opaque, int version, Error **errp)
{
    VirtioGpu *gpu = opaque;

    gpu->resource_room = gpu->resource_count;
    for (uint32_t i = 0; i < gpu->resource_count; i++) {
        if (!gpu_resource_adopt(gpu, &gpu->resources[i])) {
            return error_set(errp, "virtio-gpu: resource %u is none", gpu->resources[i].id);
        }
    }
    if (!check_scanouts(gpu)) {
        return error_set(errp, "virtio-gpu: a scanout shows what is not there");
    }
    show_all(gpu);
    return true;
}

static const VMField backing_fields[] = { VM_U64(GpuBacking, addr), VM_U32(GpuBacking, bytes) };
static const VMState backing_state = VMSTATE_INIT(backing_fields, .name = "backing", .version = 1);
static const VMField resource_fields[] = {
    VM_U32(GpuResource, id), VM_U32(GpuResource, format), VM_U32(GpuResource, width),
    VM_U32(GpuResource, height), VM_BOOL(GpuResource, is_backed),
    VM_BYTES(GpuResource, pixels, pixel_bytes, MAX_RESOURCE_BYTES),
    VM_STRUCT_ALLOCATED(GpuResource, backing, backing_count, GPU_MAX_ENTRIES, backing_state),
};
static const VMState resource_state =
    VMSTATE_INIT(resource_fields, .name = "resource", .version = 1);
static const VMField scanout_fields[] = {
    VM_U32(GpuScanout, resource_id), VM_U32(GpuScanout, x), VM_U32(GpuScanout, y),
    VM_U32(GpuScanout, width), VM_U32(GpuScanout, height), VM_U32(GpuScanout, cursor_id),
    VM_U32(GpuScanout, hot_x), VM_U32(GpuScanout, hot_y), VM_BOOL(GpuScanout, is_enabled),
    VM_U32(GpuScanout, wanted_width), VM_U32(GpuScanout, wanted_height),
};
static const VMState scanout_state = VMSTATE_INIT(scanout_fields, .name = "scanout", .version = 1);
static const VMField gpu_fields[] = {
    VM_EQUAL(VirtioGpu, scanout_count), VM_U32(VirtioGpu, events),
    VM_STRUCT_ALLOCATED(VirtioGpu, resources, resource_count, UINT16_MAX + 1, resource_state),
    VM_STRUCT_ARRAY(VirtioGpu, scanouts, scanout_state),
};

static const Property gpu_props[] = { VIRTIO_GPU_PROPS };

const VirtioDeviceType virtio_gpu_type = {
    .name = "virtio-gpu-device",
    .doc = "virtio graphics adapter",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioGpu),
    .category = DEVICE_CATEGORY_DISPLAY,
    .virtio_id = VIRTIO_ID_GPU,
    .config_bytes = CONFIG_BYTES,
    .features = gpu_features,
    .config_read = config_read,
    .config_written = config_written,
    .properties = PROPERTIES(gpu_props),
    .vmstate = VMSTATE(gpu_fields, .version = 1, .pre_load = gpu_pre_load,
                       .post_load = gpu_post_load),
    .realize = gpu_realize,
    .unrealize = gpu_unrealize,
    .reset_hold = gpu_reset,
};
VIRTIO_DEVICE_TYPE(virtio_gpu_type)

static const VirtioPciFamily virtio_gpu_pci = {
    .name = "virtio-gpu-pci",
    .doc = "virtio graphics adapter on PCI",
    .device = &virtio_gpu_type,
    .class_id = PCI_CLASS_DISPLAY_OTHER,
    .vectors = 3,
    .category = DEVICE_CATEGORY_DISPLAY,
};
VIRTIO_PCI_FAMILY(virtio_gpu_pci)
