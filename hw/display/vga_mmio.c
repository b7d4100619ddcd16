/*
 * See hw/display/vga_mmio.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga_mmio.h"

#include "hw/display/vga.h"

#define DEFAULT_XRES     1280
#define DEFAULT_YRES     800
#define PORTS_AT         0x400
#define VBE_AT           0x500
#define EXTENDED_AT      0x600
#define EXTENDED_BYTES   8
#define ORDER_AT       4 /* in the extended registers; 0 is their size */
#define MARK_LITTLE      0x1e1e1e1e
#define MARK_BIG         0xbebebebe

static uint64_t edid_read(void *opaque, uint64_t at, unsigned bytes)
{
    return ((VgaMmio *)opaque)->edid[at];
}

static void edid_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
}

static const MemoryOps edid_ops = {
    .read = edid_read, .write = edid_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 1 },
};

static uint64_t ports_read(void *opaque, uint64_t at, unsigned bytes)
{
    VgaMmio *mmio = opaque;

    return mmio->ops->read_port(mmio->opaque, 0x3c0 + at);
}

static void ports_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    VgaMmio *mmio = opaque;

    mmio->ops->write_port(mmio->opaque, 0x3c0 + at, value);
}

static const MemoryOps ports_ops = {
    .read = ports_read, .write = ports_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 1 },
};

static uint64_t vbe_mmio_read(void *opaque, uint64_t at, unsigned bytes)
{
    VgaMmio *mmio = opaque;

    return mmio->ops->read_vbe(mmio->opaque, at / 2);
}

static void vbe_mmio_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    VgaMmio *mmio = opaque;

    mmio->ops->write_vbe(mmio->opaque, at / 2, value);
}

static const MemoryOps vbe_ops = {
    .read = vbe_mmio_read, .write = vbe_mmio_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 2, 2 },
};

static uint64_t extended_read(void *opaque, uint64_t at, unsigned bytes)
{
    VgaMmio *mmio = opaque;

    if (at != ORDER_AT) {
        return EXTENDED_BYTES;
    }
    return mmio->ops->get_big_endian(mmio->opaque) ? MARK_BIG : MARK_LITTLE;
}

static void extended_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    VgaMmio *mmio = opaque;

    if (at == ORDER_AT && (value == MARK_BIG || value == MARK_LITTLE)) {
        mmio->ops->set_big_endian(mmio->opaque, value == MARK_BIG);
    }
}

static const MemoryOps extended_ops = {
    .read = extended_read, .write = extended_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 4 }, .impl = { 4, 4 },
};

typedef struct Part {
    MemoryRegion *region;
    const MemoryOps *ops;
    const char *name;
    uint64_t at, size;
} Part;

static void add(VgaMmio *mmio, Part part)
{
    memory_region_init_io(part.region, mmio->region.owner, part.ops, part.name, part.size);
    memory_region_set_opaque(part.region, mmio);
    memory_region_add(&mmio->region, part.at, part.region);
}

static void add_edid(VgaMmio *mmio, size_t bytes)
{
    EdidInfo info;

    mmio->xres = mmio->xres ? mmio->xres : DEFAULT_XRES;
    mmio->yres = mmio->yres ? mmio->yres : DEFAULT_YRES;
    info = (EdidInfo){ .prefx = mmio->xres, .prefy = mmio->yres, .maxx = mmio->xmax,
                       .maxy = mmio->ymax, .refresh_rate = mmio->refresh_rate };
    edid_generate(mmio->edid, bytes, &info);
    add(mmio, (Part){ &mmio->edid_region, &edid_ops, "edid", 0, bytes });
}

void vga_mmio_init(VgaMmio *mmio, Object *owner, const char *name, size_t edid_bytes)
{
    memory_region_init(&mmio->region, owner, name, VGA_MMIO_BYTES);
    if (mmio->has_edid) {
        add_edid(mmio, edid_bytes);
    }
    if (mmio->ops->read_port) {
        add(mmio, (Part){ &mmio->ports, &ports_ops, "vga ioports remapped", PORTS_AT, 0x20 });
    }
    add(mmio, (Part){ &mmio->vbe, &vbe_ops, "bochs dispi interface", VBE_AT, VBE_REGISTERS * 2 });
    if (mmio->has_extended) {
        add(mmio, (Part){ &mmio->extended, &extended_ops, "qemu extended regs", EXTENDED_AT,
                          EXTENDED_BYTES });
    }
}

void vga_mmio_clear(VgaMmio *mmio)
{
    MemoryRegion *parts[] = { &mmio->edid_region, &mmio->ports, &mmio->vbe, &mmio->extended };

    if (!mmio->region.name) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        if (parts[i]->name) {
            memory_region_remove(&mmio->region, parts[i]);
            memory_region_clear(parts[i]);
        }
    }
    memory_region_clear(&mmio->region);
}
