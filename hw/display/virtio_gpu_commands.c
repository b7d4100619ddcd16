/*
 * virtio-gpu: the commands of its two queues. Each is answered when it is done, which is at once; so
 * are fences.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/edid.h"
#include "virtio_gpu.h"

#define HEADER_BYTES  24
#define FLAG_FENCE    BIT(0)
#define FLAG_RING     BIT(1)
#define EDID_BYTES    1024
#define DISPLAY_BYTES 24
#define CURSOR_SIDE   64
#define LEAST_SIDE    16 /* of a scanout */

enum { CMD_UPDATE_CURSOR = 0x300, CMD_MOVE_CURSOR = 0x301 };

/* A command while it runs: what it says behind the header, and what is answered behind it. */
typedef struct GpuCommand {
    VirtioGpu *gpu;
    VirtQueueElement *elem;
    uint8_t body[48];
    uint8_t answer[8 + EDID_BYTES];
    size_t answer_bytes;
} GpuCommand;

static uint32_t word(const GpuCommand *c, unsigned at)
{
    return load_le32(c->body + at);
}

static GpuRect rect_at(const GpuCommand *c, unsigned at)
{
    return (GpuRect){ word(c, at), word(c, at + 4), word(c, at + 8), word(c, at + 12) };
}

/* --- screens --- */

static GpuAnswer get_display_info(GpuCommand *c)
{
    for (uint32_t n = 0; n < c->gpu->scanout_count; n++) {
        const GpuScanout *scanout = &c->gpu->scanouts[n];
        uint8_t *row = c->answer + n * DISPLAY_BYTES;

        store_le32(row + 8, scanout->wanted_width);
        store_le32(row + 12, scanout->wanted_height);
        store_le32(row + 16, scanout->is_enabled);
    }
    c->answer_bytes = GPU_MAX_SCANOUTS * DISPLAY_BYTES;
    return GPU_OK_DISPLAY_INFO;
}

static GpuAnswer get_edid(GpuCommand *c)
{
    uint32_t n = word(c, 0);
    EdidInfo info = { NULL };
    uint8_t edid[256]; /* of which the answer has room for more */

    if (!virtio_has_feature(&c->gpu->parent, GPU_F_EDID)) {
        return GPU_ERR_UNSPECIFIED;
    }
    if (n >= c->gpu->scanout_count) {
        return GPU_ERR_PARAMETER;
    }
    info.prefx = c->gpu->scanouts[n].wanted_width;
    info.prefy = c->gpu->scanouts[n].wanted_height;
    edid_generate(edid, sizeof(edid), &info);
    store_le32(c->answer, sizeof(edid));
    memcpy(c->answer + 8, edid, sizeof(edid));
    c->answer_bytes = 8 + EDID_BYTES;
    return GPU_OK_EDID;
}

static GpuAnswer set_scanout(GpuCommand *c)
{
    GpuRect rect = rect_at(c, 0);
    uint32_t n = word(c, 16), id = word(c, 20);
    const GpuResource *resource = id ? gpu_resource(c->gpu, id) : NULL;
    GpuScanout *scanout;

    if (n >= c->gpu->scanout_count) {
        return GPU_ERR_SCANOUT;
    }
    if (id && !resource) {
        return GPU_ERR_RESOURCE;
    }
    if (id && (rect.width < LEAST_SIDE || rect.height < LEAST_SIDE ||
               !gpu_resource_has(resource, rect))) {
        return GPU_ERR_PARAMETER;
    }
    scanout = &c->gpu->scanouts[n];
    scanout->resource_id = id;
    scanout->x = rect.x;
    scanout->y = rect.y;
    scanout->width = rect.width;
    scanout->height = rect.height;
    gpu_scanout_show(c->gpu, n);
    return GPU_OK;
}

static GpuAnswer flush(GpuCommand *c)
{
    GpuRect rect = rect_at(c, 0);
    const GpuResource *resource = gpu_resource(c->gpu, word(c, 16));

    if (!resource) {
        return GPU_ERR_RESOURCE;
    }
    if (!gpu_resource_has(resource, rect)) {
        return GPU_ERR_PARAMETER;
    }
    gpu_resource_flush(c->gpu, resource, rect);
    return GPU_OK;
}

/* --- resources --- */

static GpuAnswer create(GpuCommand *c)
{
    const GpuResource wanted = {
        .id = word(c, 0), .format = word(c, 4), .width = word(c, 8), .height = word(c, 12),
    };

    return gpu_resource_create(c->gpu, &wanted);
}

static GpuAnswer unref(GpuCommand *c)
{
    GpuResource *resource = gpu_resource(c->gpu, word(c, 0));

    if (!resource) {
        return GPU_ERR_RESOURCE;
    }
    gpu_resource_free(c->gpu, resource);
    return GPU_OK;
}

static GpuAnswer transfer(GpuCommand *c)
{
    GpuRect rect = rect_at(c, 0);
    GpuResource *resource = gpu_resource(c->gpu, word(c, 24));

    if (!resource) {
        return GPU_ERR_RESOURCE;
    }
    if (!resource->is_backed) {
        return GPU_ERR_UNSPECIFIED;
    }
    if (!gpu_resource_has(resource, rect)) {
        return GPU_ERR_PARAMETER;
    }
    gpu_resource_fill(resource, rect, load_le64(c->body + 16));
    return GPU_OK;
}

/* Behind the command: address, length and nothing, for each piece. NULL: not all of it is there. */
static GpuBacking *read_backing(GpuCommand *c, uint32_t count)
{
    size_t bytes = (size_t)count * 16;
    g_autofree uint8_t *rows = g_malloc(bytes);
    GpuBacking *backing;

    if (virtqueue_read(c->elem, HEADER_BYTES + 8, rows, bytes) != bytes) {
        return NULL;
    }
    backing = g_new(GpuBacking, MAX(count, 1));
    for (uint32_t i = 0; i < count; i++) {
        backing[i] = (GpuBacking){ load_le64(rows + 16 * i), load_le32(rows + 16 * i + 8) };
    }
    return backing;
}

static GpuAnswer attach_backing(GpuCommand *c)
{
    GpuResource *resource = gpu_resource(c->gpu, word(c, 0));
    uint32_t count = word(c, 4);
    GpuBacking *backing;

    if (!resource) {
        return GPU_ERR_RESOURCE;
    }
    if (resource->is_backed || count > GPU_MAX_ENTRIES) {
        return GPU_ERR_UNSPECIFIED;
    }
    backing = read_backing(c, count);
    if (!backing) {
        return GPU_ERR_UNSPECIFIED;
    }
    gpu_resource_attach(c->gpu, resource, backing, count);
    return GPU_OK;
}

static GpuAnswer detach_backing(GpuCommand *c)
{
    GpuResource *resource = gpu_resource(c->gpu, word(c, 0));

    if (!resource) {
        return GPU_ERR_RESOURCE;
    }
    if (!resource->is_backed) {
        return GPU_ERR_UNSPECIFIED;
    }
    gpu_resource_detach(resource);
    return GPU_OK;
}

/* --- the control queue --- */

static const struct {
    uint32_t type;
    size_t bytes; /* behind the header */
    GpuAnswer (*run)(GpuCommand *c);
} commands[] = {
    { 0x100, 0, get_display_info }, { 0x101, 16, create }, { 0x102, 8, unref },
    { 0x103, 24, set_scanout }, { 0x104, 24, flush }, { 0x105, 32, transfer },
    { 0x106, 8, attach_backing }, { 0x107, 8, detach_backing }, { 0x10a, 8, get_edid },
};

static GpuAnswer run(GpuCommand *c, uint32_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].type == type) {
            size_t got = virtqueue_read(c->elem, HEADER_BYTES, c->body, commands[i].bytes);

            return got == commands[i].bytes ? commands[i].run(c) : GPU_ERR_UNSPECIFIED;
        }
    }
    return GPU_ERR_UNSPECIFIED;
}

static void run_command(VirtioGpu *gpu, VirtQueueElement *elem)
{
    GpuCommand c = { .gpu = gpu, .elem = elem };
    uint8_t header[HEADER_BYTES] = { 0 }, answer[HEADER_BYTES] = { 0 };
    uint32_t flags;
    size_t written;

    virtqueue_read(elem, 0, header, sizeof(header));
    store_le32(answer, run(&c, load_le32(header)));
    flags = load_le32(header + 4) & (FLAG_FENCE | FLAG_RING);
    if (flags & FLAG_FENCE) {
        store_le32(answer + 4, flags);
        memcpy(answer + 8, header + 8, HEADER_BYTES - 8); /* fence, context, ring */
    }
    written = virtqueue_write(elem, 0, answer, sizeof(answer));
    written += virtqueue_write(elem, sizeof(answer), c.answer, c.answer_bytes);
    virtqueue_push(elem, written);
}

void virtio_gpu_run_control(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        run_command(VIRTIO_GPU(vdev), elem);
    }
    virtqueue_notify(vq);
}

/* --- the cursor queue: nothing is answered --- */

static void run_cursor(VirtioGpu *gpu, VirtQueueElement *elem)
{
    uint8_t message[56] = { 0 };
    uint32_t type, n, id;
    const GpuResource *resource;

    virtqueue_read(elem, 0, message, sizeof(message));
    type = load_le32(message);
    n = load_le32(message + 24);
    id = load_le32(message + 40);
    if (type != CMD_UPDATE_CURSOR || n >= gpu->scanout_count) {
        return; /* where it is moved to follows from the user's pointer */
    }
    resource = id ? gpu_resource(gpu, id) : NULL;
    if (id && (!resource || resource->width != CURSOR_SIDE || resource->height != CURSOR_SIDE)) {
        return;
    }
    gpu->scanouts[n].cursor_id = id;
    gpu->scanouts[n].hot_x = load_le32(message + 44);
    gpu->scanouts[n].hot_y = load_le32(message + 48);
    gpu_scanout_show_cursor(gpu, n);
}

void virtio_gpu_run_cursor(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        run_cursor(VIRTIO_GPU(vdev), elem);
        virtqueue_push(elem, 0);
    }
    virtqueue_notify(vq);
}
