/*
 * bochs-display: a frame buffer with the dispi registers of a Bochs VBE card and nothing of a VGA.
 * Pixels have 32 bits; a mode that is none shows nothing new.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "hw/display/vga_mmio.h"
#include "hw/pci/pcie.h"
#include "system/memory_log.h"

#define BAR_VRAM     0
#define BAR_MMIO     2
#define EXPRESS_CAP  0x80
#define EDID_BYTES   256
#define MIN_PIXELS   64
#define MAX_VRAM     (512 * MiB)

typedef struct BochsMode {
    uint32_t width, height, stride;
    uint64_t offset;
} BochsMode;

typedef struct BochsDisplay {
    PciDevice parent;
    MemoryRegion vram;
    VgaMmio mmio;
    Console *console;
    uint64_t vram_bytes; /* property */
    bool is_big_endian_default;
    uint16_t vbe[VBE_REGISTERS]; /* registers */
    bool is_big_endian;
    bool is_stale;
    BochsMode shown;
} BochsDisplay;
DECLARE_CAST(BochsDisplay, BOCHS_DISPLAY)

/* --- registers --- */

static uint16_t read_vbe(void *opaque, unsigned index)
{
    BochsDisplay *d = BOCHS_DISPLAY(opaque);

    switch (index) {
    case VBE_ID:
        return VBE_ID_LAST;
    case VBE_VIDEO_MEMORY:
        return d->vram_bytes / (64 * KiB);
    default:
        return d->vbe[index];
    }
}

static void write_vbe(void *opaque, unsigned index, uint16_t value)
{
    BOCHS_DISPLAY(opaque)->vbe[index] = value;
}

static bool get_big_endian(void *opaque)
{
    return BOCHS_DISPLAY(opaque)->is_big_endian;
}

static void set_big_endian(void *opaque, bool is_big)
{
    BOCHS_DISPLAY(opaque)->is_big_endian = is_big;
    BOCHS_DISPLAY(opaque)->is_stale = true;
}

static const VgaMmioOps mmio_ops = { read_vbe, write_vbe, get_big_endian, set_big_endian };

/* --- the picture --- */

/* False: what the registers say is no mode. */
static bool get_mode(const BochsDisplay *d, BochsMode *mode)
{
    const uint16_t *vbe = d->vbe;
    uint32_t virtual = MAX(vbe[VBE_VIRT_WIDTH], vbe[VBE_XRES]);

    *mode = (BochsMode){ vbe[VBE_XRES], vbe[VBE_YRES], virtual * 4, 0 };
    mode->offset = vbe[VBE_X_OFFSET] * 4 + (uint64_t)vbe[VBE_Y_OFFSET] * mode->stride;
    return vbe[VBE_ENABLE] & VBE_ENABLED && vbe[VBE_BPP] == 32 && mode->width >= MIN_PIXELS &&
           mode->height >= MIN_PIXELS &&
           mode->offset + (uint64_t)mode->stride * mode->height <= d->vram_bytes;
}

static bool is_same(const BochsMode *a, const BochsMode *b)
{
    return a->width == b->width && a->height == b->height && a->stride == b->stride &&
           a->offset == b->offset;
}

static uint8_t *pixels(BochsDisplay *d)
{
    return (uint8_t *)memory_region_host(&d->vram) + d->shown.offset;
}

/* False: there is no memory for a surface. */
static bool show_mode(BochsDisplay *d, const BochsMode *mode)
{
    d->shown = *mode;
    d->is_stale = true;
    if (d->is_big_endian) {
        return console_resize(d->console, mode->width, mode->height);
    }
    console_set_surface(d->console,
                        surface_new_on(mode->width, mode->height, mode->stride, pixels(d)));
    return true;
}

/* A surface that is guest memory needs no drawing. */
static void draw_line(BochsDisplay *d, uint32_t y)
{
    Surface *surface = console_surface(d->console);
    const uint8_t *from = pixels(d) + (uint64_t)y * d->shown.stride;
    uint32_t *to = surface_line(surface, y);

    for (uint32_t x = 0; !surface->is_borrowed && x < surface->width; x++) {
        to[x] = load_be32(from + 4 * x);
    }
}

static void draw(BochsDisplay *d)
{
    MemoryWindow all = { d->shown.offset, (uint64_t)d->shown.stride * d->shown.height };
    g_autofree DirtySnapshot *dirty = memory_region_take_dirty(&d->vram, all, DIRTY_VGA);
    uint32_t first = 0, end = 0;

    for (uint32_t y = 0; y < d->shown.height; y++) {
        MemoryWindow line = { all.offset + (uint64_t)y * d->shown.stride, d->shown.width * 4 };

        if (d->is_stale || dirty_snapshot_has(dirty, line)) {
            draw_line(d, y);
            first = end ? first : y;
            end = y + 1;
        }
    }
    d->is_stale = false;
    if (end) {
        console_changed(d->console, (SurfaceRect){ 0, first, d->shown.width, end - first });
    }
}

static void bochs_refresh(void *opaque)
{
    BochsDisplay *d = opaque;
    BochsMode mode;

    if (!get_mode(d, &mode)) {
        return;
    }
    if ((is_same(&mode, &d->shown) && !d->is_stale) || show_mode(d, &mode)) {
        draw(d);
    } else {
        d->shown.width = 0;
    }
}

static void bochs_invalidate(void *opaque)
{
    BOCHS_DISPLAY(opaque)->is_stale = true;
}

static const ConsoleOps console_ops = { bochs_refresh, bochs_invalidate };

/* --- life --- */

static bool bochs_realize(Device *dev, Error **errp)
{
    BochsDisplay *d = BOCHS_DISPLAY(dev);
    uint64_t bytes = 4 * MiB;

    if (d->vram_bytes < bytes) {
        return error_set(errp, "bochs-display: video memory too small");
    }
    if (d->vram_bytes > MAX_VRAM) {
        return error_set(errp, "bochs-display: video memory too big");
    }
    while (bytes < d->vram_bytes) {
        bytes *= 2;
    }
    d->vram_bytes = bytes;
    if (!memory_region_init_ram(&d->vram, &dev->parent, "bochs-display-vram", bytes, errp)) {
        return false;
    }
    memory_region_set_log(&d->vram, true, DIRTY_VGA);
    d->mmio.ops = &mmio_ops;
    d->mmio.opaque = d;
    d->mmio.has_extended = true;
    vga_mmio_init(&d->mmio, &dev->parent, "bochs-display-mmio", EDID_BYTES);
    pci_add_bar(&d->parent, BAR_VRAM, PCI_BAR_PREFETCH, &d->vram);
    pci_add_bar(&d->parent, BAR_MMIO, 0, &d->mmio.region);
    d->console = console_new(&dev->parent, 0, &console_ops, d);
    return pcie_endpoint_cap_init(&d->parent, EXPRESS_CAP, errp);
}

/* A surface on its memory may not outlive it. */
static void bochs_unrealize(Device *dev)
{
    g_clear_pointer(&BOCHS_DISPLAY(dev)->console, console_free);
}

static void bochs_finalize(Object *obj)
{
    BochsDisplay *d = BOCHS_DISPLAY(obj);

    if (d->vram.ram) {
        vga_mmio_clear(&d->mmio);
        memory_region_clear(&d->vram);
    }
}

static void bochs_reset(Device *dev)
{
    BochsDisplay *d = BOCHS_DISPLAY(dev);

    memset(d->vbe, 0, sizeof(d->vbe));
    d->is_big_endian = d->is_big_endian_default;
    d->is_stale = true;
}

static bool bochs_post_load(void *opaque, int version, Error **errp)
{
    BOCHS_DISPLAY(opaque)->is_stale = true;
    return true;
}

static json_object *get_order(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(BOCHS_DISPLAY(obj)->is_big_endian);
}

static bool set_order(Object *obj, const Property *p, json_object *value, PropertyForm form,
                      Error **errp)
{
    bool is_big;

    if (!property_value_bool(p, value, form, &is_big, errp)) {
        return false;
    }
    BOCHS_DISPLAY(obj)->is_big_endian_default = is_big;
    set_big_endian(obj, is_big);
    return true;
}

static const Property bochs_props[] = {
    PROP_SIZE("vgamem", BochsDisplay, vram_bytes, .initial = 16 * MiB,
              .doc = "Video memory, rounded up to a power of two"),
    PROP_VGA_EDID(BochsDisplay, mmio),
    PROP_COMPUTED("big-endian-framebuffer", "bool", .get = get_order, .set = set_order,
                  .is_live = true, .doc = "Byte order of pixels"),
};
static const VMField bochs_fields[] = {
    VM_ARRAY(BochsDisplay, vbe), VM_BOOL(BochsDisplay, is_big_endian),
};

static const PciDeviceType bochs_type = {
    .name = "bochs-display",
    .doc = "Frame buffer with Bochs' VBE registers",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(BochsDisplay),
    .vendor_id = 0x1234, .device_id = 0x1111, .class_id = 0x0380, .revision = 2,
    .romfile = "vgabios-bochs-display.bin",
    .category = DEVICE_CATEGORY_DISPLAY,
    .properties = PROPERTIES(bochs_props),
    .vmstate = VMSTATE(bochs_fields, .version = 1, .post_load = bochs_post_load),
    .realize = bochs_realize,
    .unrealize = bochs_unrealize,
    .finalize = bochs_finalize,
    .reset_hold = bochs_reset,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(bochs_type)
