/*
 * ramfb: a frame buffer in guest RAM, of which firmware tells through the file "etc/ramfb" of
 * fw_cfg: 28 bytes, big-endian: address (64 bits), format (fourcc), flags, width, height, stride.
 * What makes no sense is ignored: the last picture stays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"
#include "hw/nvram/fw_cfg.h"
#include "system/dma.h"
#include "ui/console.h"
#include "util/log.h"

#define FILE_NAME   "etc/ramfb"
#define FILE_BYTES  28
#define MIN_PIXELS  16
#define MAX_WIDTH   16000
#define MAX_HEIGHT  12000
#define FOURCC(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)

/* Formats of DRM that firmware uses, by where their colours are. */
static const struct {
    uint32_t fourcc;
    uint8_t bytes;
    bool is_red_low;
} formats[] = {
    { FOURCC('X', 'R', '2', '4'), 4, false }, { FOURCC('A', 'R', '2', '4'), 4, false },
    { FOURCC('X', 'B', '2', '4'), 4, true },  { FOURCC('A', 'B', '2', '4'), 4, true },
    { FOURCC('R', 'G', '2', '4'), 3, false }, { FOURCC('B', 'G', '2', '4'), 3, true },
    { FOURCC('R', 'G', '1', '6'), 2, false },
};

typedef struct Ramfb {
    MmioDevice parent;
    Console *console;
    uint8_t file[FILE_BYTES];
    bool is_migrated; /* property */
    uint64_t addr;    /* what is shown; width 0: nothing */
    uint32_t width, height, stride;
    unsigned format;
} Ramfb;
DECLARE_CAST(Ramfb, RAMFB)

static bool find_format(uint32_t fourcc, unsigned *format)
{
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        if (formats[i].fourcc == fourcc) {
            *format = i;
            return true;
        }
    }
    return false;
}

/* Is all of it RAM? */
static bool is_ram(uint64_t addr, uint64_t bytes)
{
    MemTxAttrs attrs = { .is_memory = true };

    return addr + bytes > addr &&
           address_space_accepts(address_space_system(), addr, attrs, bytes, false);
}

static void take_file(Ramfb *fb)
{
    uint64_t addr = load_be64(fb->file);
    uint32_t width = load_be32(fb->file + 16), height = load_be32(fb->file + 20);
    uint32_t stride = load_be32(fb->file + 24);
    unsigned format;

    if (!find_format(load_be32(fb->file + 8), &format) || width < MIN_PIXELS ||
        width > MAX_WIDTH || height < MIN_PIXELS || height > MAX_HEIGHT) {
        guest_error("ramfb: %u x %u of format 0x%08x cannot be shown", width, height,
                    load_be32(fb->file + 8));
        return;
    }
    stride = stride ? stride : width * formats[format].bytes;
    if (stride < width * formats[format].bytes || !is_ram(addr, (uint64_t)stride * height)) {
        guest_error("ramfb: no RAM for the picture at 0x%" PRIx64, addr);
        return;
    }
    fb->addr = addr;
    fb->width = width;
    fb->height = height;
    fb->stride = stride;
    fb->format = format;
}

static void file_written(void *opaque, size_t offset, size_t bytes)
{
    take_file(opaque);
}

/* --- the picture --- */

static uint32_t pixel(const Ramfb *fb, const uint8_t *at)
{
    unsigned v;

    if (formats[fb->format].bytes == 2) {
        v = load_le16(at);
        return (v >> 8 & 0xf8) << 16 | (v >> 3 & 0xfc) << 8 | (v << 3 & 0xf8);
    }
    return formats[fb->format].is_red_low ? at[0] << 16 | at[1] << 8 | at[2] :
                                            at[2] << 16 | at[1] << 8 | at[0];
}

static void draw_line(const Ramfb *fb, Surface *surface, uint32_t y, uint8_t *line)
{
    unsigned bytes = formats[fb->format].bytes;
    uint32_t *to = surface_line(surface, y);

    dma_read(address_space_system(), fb->addr + (uint64_t)y * fb->stride, MEM_TX_NONE, line,
             (size_t)fb->width * bytes);
    for (uint32_t x = 0; x < fb->width; x++) {
        to[x] = pixel(fb, line + x * bytes);
    }
}

static void ramfb_refresh(void *opaque)
{
    Ramfb *fb = opaque;
    g_autofree uint8_t *line = NULL;
    Surface *surface;

    if (!fb->width) {
        return;
    }
    surface = console_resize(fb->console, fb->width, fb->height);
    line = g_malloc((size_t)fb->width * 4);
    for (uint32_t y = 0; surface && y < fb->height; y++) {
        draw_line(fb, surface, y, line);
    }
    console_changed(fb->console, (SurfaceRect){ 0, 0, fb->width, fb->height });
}

/* Every refresh draws all of it. */
static void ramfb_invalidate(void *opaque)
{
}

static const ConsoleOps console_ops = { ramfb_refresh, ramfb_invalidate };

/* --- life --- */

static bool ramfb_realize(Device *dev, Error **errp)
{
    Ramfb *fb = RAMFB(dev);
    Device *fw_cfg = fw_cfg_find();
    FwCfgBlob blob = { .data = fb->file, .size = FILE_BYTES, .is_borrowed = true,
                       .is_writable = true, .written = file_written, .opaque = fb };

    if (!fw_cfg || !fw_cfg_has_dma(fw_cfg)) {
        return error_set(errp, "ramfb device requires fw_cfg with DMA");
    }
    if (!fw_cfg_add_file(fw_cfg, FILE_NAME, &blob, errp)) {
        return false;
    }
    fb->console = console_new(&dev->parent, 0, &console_ops, fb);
    return true;
}

static void ramfb_unrealize(Device *dev)
{
    g_clear_pointer(&RAMFB(dev)->console, console_free);
}

static void ramfb_reset(Device *dev)
{
    Ramfb *fb = RAMFB(dev);

    memset(fb->file, 0, FILE_BYTES);
    fb->addr = 0;
    fb->width = fb->height = fb->stride = 0;
    fb->format = 0;
}

static bool ramfb_post_load(void *opaque, int version, Error **errp)
{
    Ramfb *fb = opaque;

    fb->width = 0;
    if (load_be32(fb->file + 16)) {
        take_file(fb);
    }
    return true;
}

static bool is_migrated(void *opaque)
{
    return RAMFB(opaque)->is_migrated;
}

static const Property ramfb_props[] = {
    PROP_BOOL("x-migrate", Ramfb, is_migrated, .initial = true,
              .doc = "Tell the picture's place to the target of a migration"),
};
static const VMField ramfb_fields[] = { VM_ARRAY(Ramfb, file) };

static const DeviceType ramfb_type = {
    .name = "ramfb",
    .doc = "Frame buffer in RAM for firmware",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(Ramfb),
    .category = DEVICE_CATEGORY_DISPLAY,
    .access = DEVICE_ACCESS_USER,
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(ramfb_props),
    .vmstate = VMSTATE(ramfb_fields, .version = 1, .needed = is_migrated,
                       .post_load = ramfb_post_load),
    .realize = ramfb_realize,
    .unrealize = ramfb_unrealize,
    .reset_hold = ramfb_reset,
};
DEVICE_TYPE(ramfb_type)
