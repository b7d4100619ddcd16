/*
 * virtio-gpu: what its consoles show, and what users wish of them.
 *
 * A resource whose pixels are as a surface's is shown as it lies in memory; another is converted when
 * the driver says that it changed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_gpu.h"

#define EVENT_DISPLAY BIT(0)
#define BLANK_WIDTH   640
#define BLANK_HEIGHT  480

static GpuRect rect_of(const GpuScanout *scanout)
{
    return (GpuRect){ scanout->x, scanout->y, scanout->width, scanout->height };
}

/* `rect` of the resource, which the scanout shows. */
static void convert(const GpuScanout *scanout, const GpuResource *resource, Surface *surface,
                    GpuRect rect)
{
    if (!surface->is_borrowed) {
        gpu_resource_convert(resource, rect, surface_line(surface, rect.y - scanout->y) +
                             (rect.x - scanout->x), surface->stride);
    }
}

static void blank(const GpuHead *head)
{
    Surface *surface = surface_new(BLANK_WIDTH, BLANK_HEIGHT);

    if (surface) {
        console_set_surface(head->console, surface);
    }
    if (head->other_ops) {
        console_set_ops(head->console, head->other_ops, head->other);
    }
}

void gpu_scanout_show(VirtioGpu *gpu, unsigned n)
{
    const GpuScanout *scanout = &gpu->scanouts[n];
    GpuResource *resource = gpu_resource(gpu, scanout->resource_id);
    Console *console = gpu->heads[n].console;
    Surface *surface;

    if (!scanout->resource_id || !resource) {
        blank(&gpu->heads[n]);
        return;
    }
    if (gpu->heads[n].other_ops) {
        console_set_ops(console, &virtio_gpu_console_ops, &gpu->heads[n]);
    }
    if (gpu_resource_is_surface(resource)) {
        size_t at = ((size_t)scanout->y * resource->width + scanout->x) * sizeof(uint32_t);

        surface = surface_new_on(scanout->width, scanout->height,
                                 resource->width * sizeof(uint32_t), resource->pixels + at);
    } else {
        surface = surface_new(scanout->width, scanout->height);
    }
    if (surface) {
        convert(scanout, resource, surface, rect_of(scanout));
        console_set_surface(console, surface);
    }
}

static bool intersect(GpuRect a, GpuRect b, GpuRect *out)
{
    uint32_t x = MAX(a.x, b.x), y = MAX(a.y, b.y);
    uint32_t x_end = MIN(a.x + a.width, b.x + b.width);
    uint32_t y_end = MIN(a.y + a.height, b.y + b.height);

    *out = (GpuRect){ x, y, x_end - x, y_end - y };
    return x < x_end && y < y_end;
}

void gpu_resource_flush(VirtioGpu *gpu, const GpuResource *resource, GpuRect rect)
{
    for (uint32_t n = 0; n < gpu->scanout_count; n++) {
        const GpuScanout *scanout = &gpu->scanouts[n];
        Console *console = gpu->heads[n].console;
        GpuRect seen;

        if (scanout->resource_id == resource->id && intersect(rect, rect_of(scanout), &seen)) {
            convert(scanout, resource, console_surface(console), seen);
            console_changed(console, (SurfaceRect){ seen.x - scanout->x, seen.y - scanout->y,
                                                    seen.width, seen.height });
        }
    }
}

void gpu_scanout_show_cursor(VirtioGpu *gpu, unsigned n)
{
    const GpuScanout *scanout = &gpu->scanouts[n];
    const GpuResource *resource = scanout->cursor_id ? gpu_resource(gpu, scanout->cursor_id) : NULL;
    ConsoleCursor *cursor;

    if (!resource || resource->width > CONSOLE_CURSOR_MAX || resource->height > CONSOLE_CURSOR_MAX) {
        console_set_cursor(gpu->heads[n].console, NULL);
        return;
    }
    cursor = g_malloc(sizeof(*cursor) + resource->pixel_bytes);
    *cursor = (ConsoleCursor){ resource->width, resource->height, scanout->hot_x, scanout->hot_y };
    gpu_resource_convert(resource, (GpuRect){ 0, 0, resource->width, resource->height },
                         cursor->pixels, resource->width * sizeof(uint32_t));
    console_set_cursor(gpu->heads[n].console, cursor);
    g_free(cursor);
}

void gpu_resource_hide(VirtioGpu *gpu, const GpuResource *resource)
{
    for (uint32_t n = 0; n < gpu->scanout_count; n++) {
        if (gpu->scanouts[n].resource_id == resource->id) {
            gpu->scanouts[n].resource_id = 0;
            gpu_scanout_show(gpu, n);
        }
    }
}

/* --- what consoles ask for --- */

/* The driver says what changes, when it does. */
static void refresh(void *opaque)
{
}

static void invalidate(void *opaque)
{
    const GpuHead *head = opaque;
    const Surface *surface = console_surface(head->console);

    console_changed(head->console, (SurfaceRect){ 0, 0, surface->width, surface->height });
}

static void suggest_size(void *opaque, uint32_t width, uint32_t height)
{
    const GpuHead *head = opaque;
    GpuScanout *scanout = &head->gpu->scanouts[head->n];

    if (!width || !height || width > GPU_MAX_PIXELS || height > GPU_MAX_PIXELS) {
        return;
    }
    scanout->is_enabled = true;
    scanout->wanted_width = width;
    scanout->wanted_height = height;
    head->gpu->events |= EVENT_DISPLAY;
    virtio_config_changed(&head->gpu->parent);
}

const ConsoleOps virtio_gpu_console_ops = { refresh, invalidate, suggest_size };
