/*
 * See hw/display/vga.h: life, regions and saved state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "system/ram_block.h"

#define MAX_MEGABYTES 512
#define VBE_PORT      0x1ce

/* Ports, and how many; the last row is the dispi's index and data. */
static const struct {
    uint16_t at, count;
} ports[VGA_PORT_REGIONS] = {
    { 0x3b4, 2 }, { 0x3ba, 1 }, { 0x3c0, 16 }, { 0x3d4, 2 }, { 0x3da, 1 }, { VBE_PORT, 4 },
};

static uint64_t port_read(Vga *vga, unsigned port, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)vga_port_read(vga, port + i) << 8 * i;
    }
    return value;
}

#define PORT_OPS(n)                                                                                \
    static uint64_t port_read_##n(void *opaque, uint64_t at, unsigned bytes)                       \
    {                                                                                              \
        return port_read(opaque, ports[n].at + at, bytes);                                         \
    }                                                                                              \
    static void port_write_##n(void *opaque, uint64_t at, uint64_t value, unsigned bytes)          \
    {                                                                                              \
        vga_port_write(opaque, ports[n].at + at, value);                                           \
    }
PORT_OPS(0)
PORT_OPS(1)
PORT_OPS(2)
PORT_OPS(3)
PORT_OPS(4)

/* The data register is a word at the port behind the index, or the one behind that. */
static uint64_t vbe_port_read(void *opaque, uint64_t at, unsigned bytes)
{
    const Vga *vga = opaque;

    return at == 0 ? vga->vbe_index : vbe_read(vga, vga->vbe_index);
}

static void vbe_port_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Vga *vga = opaque;

    if (at == 0) {
        vga->vbe_index = value;
    } else {
        vbe_write(vga, vga->vbe_index, value);
    }
}

#define BYTE_PORTS(n)                                                                              \
    { .read = port_read_##n, .write = port_write_##n, .endian = ENDIAN_LITTLE,                     \
      .valid = { 1, 4, true }, .impl = { 1, 1 } }
static const MemoryOps port_ops[VGA_PORT_REGIONS] = {
    BYTE_PORTS(0), BYTE_PORTS(1), BYTE_PORTS(2), BYTE_PORTS(3), BYTE_PORTS(4),
    { .read = vbe_port_read, .write = vbe_port_write, .endian = ENDIAN_LITTLE,
      .valid = { 2, 2, true }, .impl = { 2, 2, true } },
};

static uint64_t window_read(void *opaque, uint64_t at, unsigned bytes)
{
    return vga_window_read(opaque, at);
}

static void window_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    vga_window_write(opaque, at, value);
}

static const MemoryOps window_ops = {
    .read = window_read, .write = window_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 8, true }, .impl = { 1, 1 },
};

static uint32_t power_of_2(uint32_t n)
{
    uint32_t power = 1;

    while (power < n) {
        power *= 2;
    }
    return power;
}

bool vga_init(Vga *vga, Device *owner, uint32_t megabytes, Error **errp)
{
    Object *obj = &owner->parent;

    vga->vram_bytes = power_of_2(CLAMP(megabytes, 1, MAX_MEGABYTES)) * MiB;
    if (!memory_region_init_ram(&vga->vram, obj, "vga.vram", vga->vram_bytes, errp)) {
        return false;
    }
    memory_region_set_log(&vga->vram, true, DIRTY_VGA);
    memory_region_init_io(&vga->window, obj, &window_ops, "vga-lowmem", VGA_WINDOW_BYTES);
    memory_region_set_opaque(&vga->window, vga);
    for (unsigned n = 0; n < VGA_PORT_REGIONS; n++) {
        bool is_vbe = ports[n].at == VBE_PORT;

        memory_region_init_io(&vga->ports[n], obj, &port_ops[n], is_vbe ? "vbe" : "vga",
                              ports[n].count);
        memory_region_set_opaque(&vga->ports[n], vga);
    }
    if (!vga->console) {
        vga->console = console_new(obj, 0, &vga_console_ops, vga);
    }
    vga_reset(vga);
    return true;
}

void vga_clear(Vga *vga)
{
    if (!vga->vram.ram) {
        return;
    }
    memory_region_clear(&vga->window);
    for (unsigned n = 0; n < VGA_PORT_REGIONS; n++) {
        memory_region_clear(&vga->ports[n]);
    }
    g_clear_pointer(&vga->console, console_free); /* its surface may lie there */
    memory_region_clear(&vga->vram);
}

void vga_map(Vga *vga, MemoryRegion *memory, MemoryRegion *io)
{
    memory_region_add_overlap(memory, VGA_WINDOW_ADDR, &vga->window, 1);
    for (unsigned n = 0; n < VGA_PORT_REGIONS; n++) {
        memory_region_add(io, ports[n].at, &vga->ports[n]);
    }
}

void vga_unmap(Vga *vga, MemoryRegion *memory, MemoryRegion *io)
{
    memory_region_remove(memory, &vga->window);
    for (unsigned n = 0; n < VGA_PORT_REGIONS; n++) {
        memory_region_remove(io, &vga->ports[n]);
    }
}

/* VRAM keeps what is in it, as memory does. */
void vga_reset(Vga *vga)
{
    size_t first = offsetof(Vga, seq_index), end = offsetof(Vga, is_stale);

    memset((char *)vga + first, 0, end - first);
    vga->pel_mask = 0xff;
    vga->vbe[VBE_ID] = VBE_ID_LAST;
    vga->vbe[VBE_VIDEO_MEMORY] = vga->vram_bytes / (64 * KiB);
    vga->is_big_endian = vga->is_big_endian_default;
    vga->is_stale = true;
}

static bool vga_post_load(void *opaque, int version, Error **errp)
{
    Vga *vga = opaque;

    if (vga->dac_part > 2 || vga->vbe[VBE_VIDEO_MEMORY] != vga->vram_bytes / (64 * KiB)) {
        return error_set(errp, "vga: the source has other memory, or no such state");
    }
    vga->vbe[VBE_BANK] &= vga->vram_bytes / (64 * KiB) - 1;
    vbe_fix(vga);
    vga->is_stale = true;
    return true;
}

static const VMField vga_fields[] = {
    VM_U8(Vga, seq_index), VM_ARRAY(Vga, seq), VM_U8(Vga, gr_index), VM_ARRAY(Vga, gr),
    VM_U8(Vga, crtc_index), VM_ARRAY(Vga, crtc), VM_U8(Vga, attr_index), VM_ARRAY(Vga, attr),
    VM_BOOL(Vga, attr_is_data), VM_U8(Vga, misc), VM_U8(Vga, feature), VM_U8(Vga, status1),
    VM_U8(Vga, pel_mask), VM_U8(Vga, dac_state), VM_U8(Vga, dac_read), VM_U8(Vga, dac_write),
    VM_U8(Vga, dac_part), VM_ARRAY(Vga, dac_latch), VM_ARRAY(Vga, dac), VM_U16(Vga, vbe_index),
    VM_ARRAY(Vga, vbe), VM_U32(Vga, latch), VM_BOOL(Vga, is_dac_wide), VM_BOOL(Vga, is_big_endian),
};
const VMState vga_state =
    VMSTATE_INIT(vga_fields, .name = "vga", .version = 1, .post_load = vga_post_load);
