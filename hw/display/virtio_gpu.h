/*
 * virtio-gpu: what its files share. 2D only (virtio 1.3, 5.7): the driver makes resources (pictures in
 * the host's memory), fills them from its own, and puts them on scanouts (screens).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_DISPLAY_VIRTIO_GPU_H
#define HW_DISPLAY_VIRTIO_GPU_H

#include "hw/virtio/virtio_pci.h"
#include "hw/virtio/virtqueue.h"
#include "ui/console.h"

#define GPU_MAX_SCANOUTS 16
#define GPU_MAX_ENTRIES  16384 /* pieces of a resource's backing */
#define GPU_MAX_PIXELS   16384 /* of width and of height */

enum { GPU_F_EDID = 1 };

/* What is answered (5.7.6.7). */
typedef enum GpuAnswer {
    GPU_OK = 0x1100, GPU_OK_DISPLAY_INFO = 0x1101, GPU_OK_EDID = 0x1104,
    GPU_ERR_UNSPECIFIED = 0x1200, GPU_ERR_NO_MEMORY = 0x1201, GPU_ERR_SCANOUT = 0x1202,
    GPU_ERR_RESOURCE = 0x1203, GPU_ERR_PARAMETER = 0x1205,
} GpuAnswer;

/* A piece of guest memory. */
typedef struct GpuBacking {
    uint64_t addr;
    uint32_t bytes;
} GpuBacking;

typedef struct GpuResource {
    uint32_t id, format, width, height;
    uint8_t *pixels;     /* 4 bytes each, in its format, lines without gaps */
    uint32_t pixel_bytes;
    bool is_backed;
    GpuBacking *backing;
    uint32_t backing_count;
    DmaList list;        /* of the backing; without one: empty */
} GpuResource;

typedef struct GpuScanout {
    uint32_t resource_id;          /* 0: shows nothing */
    uint32_t x, y, width, height;  /* the part of the resource */
    uint32_t cursor_id, hot_x, hot_y; /* 0: no cursor */
    bool is_enabled;               /* somebody wants it */
    uint32_t wanted_width, wanted_height;
} GpuScanout;

typedef struct VirtioGpu VirtioGpu;

/* What a console is for: its number among the device's. */
typedef struct GpuHead {
    VirtioGpu *gpu;
    unsigned n;
    Console *console;
    /* Who draws it while no resource is shown; NULL: it is blank. */
    const ConsoleOps *other_ops;
    void *other;
} GpuHead;

struct VirtioGpu {
    VirtioDevice parent;
    VirtQueue *control, *cursor;
    GpuHead heads[GPU_MAX_SCANOUTS];
    /* properties */
    uint32_t scanout_count, first_width, first_height;
    uint64_t max_host_bytes;
    bool has_edid;
    /* state */
    uint32_t events;               /* of the configuration */
    GpuScanout scanouts[GPU_MAX_SCANOUTS];
    GpuResource *resources;
    uint32_t resource_count, resource_room;
    uint64_t host_bytes;           /* that the resources take */
};
DECLARE_CAST(VirtioGpu, VIRTIO_GPU)

typedef struct GpuRect {
    uint32_t x, y, width, height;
} GpuRect;

extern const VirtioDeviceType virtio_gpu_type;

#define VIRTIO_GPU_PROPS                                                                           \
    PROP_U32("max_outputs", VirtioGpu, scanout_count, .initial = 1, .doc = "How many screens"),    \
    PROP_SIZE("max_hostmem", VirtioGpu, max_host_bytes, .initial = 256 * MiB,                      \
              .doc = "Most memory of the host for pictures"),                                      \
    PROP_BOOL("edid", VirtioGpu, has_edid, .initial = true, .doc = "Screens describe themselves"), \
    PROP_U32("xres", VirtioGpu, first_width, .initial = 1280,                                      \
             .doc = "Width of a screen until a user wants another"),                               \
    PROP_U32("yres", VirtioGpu, first_height, .initial = 800, .doc = "The same of its height")

/* --- virtio_gpu_commands.c --- */
void virtio_gpu_run_control(VirtioDevice *vdev, VirtQueue *vq);
void virtio_gpu_run_cursor(VirtioDevice *vdev, VirtQueue *vq);

/* --- virtio_gpu_resource.c --- */
GpuResource *gpu_resource(VirtioGpu *gpu, uint32_t id); /* NULL: there is none */
GpuAnswer gpu_resource_create(VirtioGpu *gpu, const GpuResource *wanted);
void gpu_resource_free(VirtioGpu *gpu, GpuResource *resource);
void gpu_resources_clear(VirtioGpu *gpu);
/* The rectangle lies in the resource. */
bool gpu_resource_has(const GpuResource *resource, GpuRect rect);
/* Takes `backing` over. */
void gpu_resource_attach(VirtioGpu *gpu, GpuResource *resource, GpuBacking *backing,
                         uint32_t count);
void gpu_resource_detach(GpuResource *resource);
void gpu_resource_fill(GpuResource *resource, GpuRect rect, uint64_t offset);
/* As a8r8g8b8. */
void gpu_resource_convert(const GpuResource *resource, GpuRect rect, uint32_t *to, size_t stride);
/* Its lines are those of a surface. */
bool gpu_resource_is_surface(const GpuResource *resource);
/* As loaded: it is one, and counts. */
bool gpu_resource_adopt(VirtioGpu *gpu, GpuResource *resource);

/* --- virtio_gpu_screen.c --- */
extern const ConsoleOps virtio_gpu_console_ops;
/* The scanout's console shows what the scanout says. */
void gpu_scanout_show(VirtioGpu *gpu, unsigned n);
/* This part of a resource is to be seen. */
void gpu_resource_flush(VirtioGpu *gpu, const GpuResource *resource, GpuRect rect);
void gpu_scanout_show_cursor(VirtioGpu *gpu, unsigned n);
/* Nothing shows it any longer. */
void gpu_resource_hide(VirtioGpu *gpu, const GpuResource *resource);

#endif
