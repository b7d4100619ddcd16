/*
 * virtio-gpu: resources, and what fills them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_gpu.h"

#define PIXEL_BYTES 4
#define LEAST_BYTES 4096 /* what one of any size counts for: there may not be too many */

/* Where a format has its colours: bytes of a pixel. */
static const struct GpuFormat {
    uint32_t id;
    uint8_t b, g, r, a;
    bool has_alpha;
} formats[] = {
    { 1, 0, 1, 2, 3, true },    /* B8G8R8A8 */
    { 2, 0, 1, 2, 3, false },   /* B8G8R8X8 */
    { 3, 3, 2, 1, 0, true },    /* A8R8G8B8 */
    { 4, 3, 2, 1, 0, false },   /* X8R8G8B8 */
    { 67, 2, 1, 0, 3, true },   /* R8G8B8A8 */
    { 68, 1, 2, 3, 0, false },  /* X8B8G8R8 */
    { 121, 1, 2, 3, 0, true },  /* A8B8G8R8 */
    { 134, 2, 1, 0, 3, false }, /* R8G8B8X8 */
};

static const struct GpuFormat *find_format(uint32_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (formats[i].id == id) {
            return &formats[i];
        }
    }
    return NULL;
}

GpuResource *gpu_resource(VirtioGpu *gpu, uint32_t id)
{
    for (uint32_t i = 0; i < gpu->resource_count; i++) {
        if (gpu->resources[i].id == id) {
            return &gpu->resources[i];
        }
    }
    return NULL;
}

static bool is_size(uint32_t pixels)
{
    return pixels && pixels <= GPU_MAX_PIXELS;
}

static uint64_t bytes_of(const GpuResource *resource)
{
    return (uint64_t)resource->width * resource->height * PIXEL_BYTES;
}

static uint64_t cost_of(const GpuResource *resource)
{
    return MAX(bytes_of(resource), LEAST_BYTES);
}

GpuAnswer gpu_resource_create(VirtioGpu *gpu, const GpuResource *wanted)
{
    uint64_t bytes = bytes_of(wanted);
    uint8_t *pixels;

    if (!wanted->id || gpu_resource(gpu, wanted->id)) {
        return GPU_ERR_RESOURCE;
    }
    if (!find_format(wanted->format) || !is_size(wanted->width) || !is_size(wanted->height)) {
        return GPU_ERR_PARAMETER;
    }
    if (gpu->host_bytes + cost_of(wanted) > gpu->max_host_bytes ||
        !(pixels = g_try_malloc0(bytes))) {
        return GPU_ERR_NO_MEMORY;
    }
    if (gpu->resource_count == gpu->resource_room) {
        gpu->resource_room = MAX(2 * gpu->resource_room, 16);
        gpu->resources = g_renew(GpuResource, gpu->resources, gpu->resource_room);
    }
    gpu->resources[gpu->resource_count] = *wanted;
    gpu->resources[gpu->resource_count].pixels = pixels;
    gpu->resources[gpu->resource_count++].pixel_bytes = bytes;
    gpu->host_bytes += cost_of(wanted);
    return GPU_OK;
}

static void clear(GpuResource *resource)
{
    gpu_resource_detach(resource);
    g_free(resource->pixels);
}

void gpu_resource_free(VirtioGpu *gpu, GpuResource *resource)
{
    gpu_resource_hide(gpu, resource);
    gpu->host_bytes -= cost_of(resource);
    clear(resource);
    *resource = gpu->resources[--gpu->resource_count];
}

void gpu_resources_clear(VirtioGpu *gpu)
{
    while (gpu->resource_count) {
        clear(&gpu->resources[--gpu->resource_count]);
    }
    g_clear_pointer(&gpu->resources, g_free);
    gpu->resource_room = 0;
    gpu->host_bytes = 0;
}

bool gpu_resource_has(const GpuResource *resource, GpuRect rect)
{
    return rect.x <= resource->width && rect.width <= resource->width - rect.x &&
           rect.y <= resource->height && rect.height <= resource->height - rect.y;
}

/* --- backing --- */

void gpu_resource_attach(VirtioGpu *gpu, GpuResource *resource, GpuBacking *backing,
                         uint32_t count)
{
    bool is_ok = true;

    resource->is_backed = true;
    resource->backing = backing;
    resource->backing_count = count;
    virtio_dma_list_init(&gpu->parent, &resource->list);
    for (uint32_t i = 0; is_ok && i < count; i++) {
        is_ok = dma_list_add(&resource->list, backing[i].addr, backing[i].bytes);
    }
    assert(is_ok); /* GPU_MAX_ENTRIES of 32 bits make no 64 */
}

void gpu_resource_detach(GpuResource *resource)
{
    if (resource->is_backed) {
        dma_list_clear(&resource->list);
    }
    g_clear_pointer(&resource->backing, g_free);
    resource->backing_count = 0;
    resource->is_backed = false;
}

/* Guest memory may fail, or end: then those pixels stay as they are. */
void gpu_resource_fill(GpuResource *resource, GpuRect rect, uint64_t offset)
{
    uint64_t stride = (uint64_t)resource->width * PIXEL_BYTES;
    uint64_t line = (uint64_t)rect.width * PIXEL_BYTES, lines = rect.height;

    if (rect.width == resource->width) {
        line *= lines;
        lines = lines != 0;
    }
    for (uint64_t n = 0; n < lines && offset < resource->list.bytes; n++, offset += stride) {
        uint8_t *to = resource->pixels + (rect.y + n) * stride + rect.x * PIXEL_BYTES;

        if (dma_list_read(&resource->list, (DmaSpan){ offset, line }, to, NULL) != MEM_TX_OK) {
            break;
        }
    }
}

/* --- colours --- */

bool gpu_resource_is_surface(const GpuResource *resource)
{
    return find_format(resource->format)->b == 0;
}

static void convert_line(const struct GpuFormat *format, const uint8_t *from, uint32_t *to,
                         uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++, from += PIXEL_BYTES) {
        uint32_t alpha = format->has_alpha ? from[format->a] : 0xff;

        to[x] = alpha << 24 | from[format->r] << 16 | from[format->g] << 8 | from[format->b];
    }
}

void gpu_resource_convert(const GpuResource *resource, GpuRect rect, uint32_t *to, size_t stride)
{
    for (uint32_t n = 0; n < rect.height; n++) {
        size_t at = ((size_t)(rect.y + n) * resource->width + rect.x) * PIXEL_BYTES;

        convert_line(find_format(resource->format), resource->pixels + at,
                     (uint32_t *)((uint8_t *)to + n * stride), rect.width);
    }
}

bool gpu_resource_adopt(VirtioGpu *gpu, GpuResource *resource)
{
    if (!resource->id || !find_format(resource->format) || !is_size(resource->width) ||
        !is_size(resource->height) || resource->pixel_bytes != bytes_of(resource) ||
        (!resource->is_backed && resource->backing_count)) {
        return false;
    }
    gpu->host_bytes += cost_of(resource);
    if (resource->is_backed) {
        gpu_resource_attach(gpu, resource, resource->backing, resource->backing_count);
    }
    return true;
}
