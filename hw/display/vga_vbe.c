/*
 * Bochs' VBE extension: a mode is a few numbers, not a set of CRTC timings. Interface: "dispi" of
 * the Bochs project's VGABIOS documentation, ids 0xb0c0 to 0xb0c5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "system/memory_log.h"

#define BANK_BYTES 0x10000

static unsigned bits_per_pixel(const Vga *vga)
{
    return vga->vbe[VBE_BPP] == 15 ? 16 : vga->vbe[VBE_BPP];
}

uint32_t vbe_line_bytes(const Vga *vga)
{
    return vga->vbe[VBE_VIRT_WIDTH] * bits_per_pixel(vga) / 8;
}

static bool is_depth(unsigned bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static void fix_width(Vga *vga)
{
    uint16_t *vbe = vga->vbe;

    vbe[VBE_XRES] = CLAMP(vbe[VBE_XRES], 8, VBE_MAX_XRES) & ~7;
    vbe[VBE_VIRT_WIDTH] = CLAMP(vbe[VBE_VIRT_WIDTH] & ~7, vbe[VBE_XRES], VBE_MAX_XRES);
    if (vbe_line_bytes(vga) > vga->vram_bytes) {
        vbe[VBE_VIRT_WIDTH] = vbe[VBE_XRES];
    }
}

/* Whatever was written, the screen is within the virtual screen, and that within VRAM. */
void vbe_fix(Vga *vga)
{
    uint16_t *vbe = vga->vbe;
    uint32_t lines;

    if (!vbe_is_enabled(vga)) {
        return;
    }
    if (!is_depth(vbe[VBE_BPP])) {
        vbe[VBE_BPP] = 8;
    }
    fix_width(vga);
    lines = vga->vram_bytes / vbe_line_bytes(vga);
    vbe[VBE_YRES] = CLAMP(vbe[VBE_YRES], 1, MIN(lines, VBE_MAX_YRES));
    vbe[VBE_VIRT_HEIGHT] = MIN(lines, UINT16_MAX);
    if (vbe[VBE_X_OFFSET] + vbe[VBE_XRES] > vbe[VBE_VIRT_WIDTH]) {
        vbe[VBE_X_OFFSET] = 0;
    }
    if (vbe[VBE_Y_OFFSET] + vbe[VBE_YRES] > lines) {
        vbe[VBE_Y_OFFSET] = 0;
    }
}

/* The VGA's own registers follow, for guests that go on from there. */
static void set_linear_registers(Vga *vga)
{
    vga->gr[0x06] = (vga->gr[0x06] & ~0x0c) | 0x04 | 0x01; /* 64 KiB at 0xa0000, graphics */
    vga->crtc[0x17] |= 3;
    vga->crtc[0x13] = vbe_line_bytes(vga) >> 3;
    vga->crtc[0x01] = (vga->vbe[VBE_XRES] >> 3) - 1;
    vga->crtc[0x12] = vga->vbe[VBE_YRES] - 1;
    vga->crtc[0x07] = (vga->crtc[0x07] & ~0x42) | ((vga->vbe[VBE_YRES] - 1) >> 7 & 0x02) |
                      ((vga->vbe[VBE_YRES] - 1) >> 3 & 0x40);
    vga->crtc[0x18] = 0xff; /* no split */
    vga->crtc[0x07] |= 0x10;
    vga->crtc[0x09] = (vga->crtc[0x09] & ~0x9f) | 0x40;
    if (vga->vbe[VBE_BPP] == 4) {
        vga->seq[0x01] &= ~8;
        vga->gr[0x05] &= ~0x60;
    } else {
        vga->seq[0x04] |= 8; /* chain 4 */
        vga->seq[0x02] |= 0x0f;
        vga->gr[0x05] = (vga->gr[0x05] & ~0x60) | 0x40;
    }
}

static void enable(Vga *vga, uint16_t value)
{
    bool was_enabled = vbe_is_enabled(vga);

    vga->vbe[VBE_ENABLE] = value;
    vga->is_dac_wide = value & VBE_8BIT_DAC;
    if (!(value & VBE_ENABLED)) {
        vga->vbe[VBE_BANK] = 0;
        return;
    }
    if (was_enabled) {
        return;
    }
    vga->vbe[VBE_VIRT_WIDTH] = 0;
    vga->vbe[VBE_X_OFFSET] = vga->vbe[VBE_Y_OFFSET] = 0;
    vbe_fix(vga);
    set_linear_registers(vga);
    if (!(value & VBE_NO_CLEAR)) {
        uint64_t bytes = (uint64_t)vga->vbe[VBE_YRES] * vbe_line_bytes(vga);

        memset(memory_region_host(&vga->vram), 0, bytes);
        ram_block_mark_written(vga->vram.ram, 0, bytes);
    }
}

uint16_t vbe_read(const Vga *vga, unsigned index)
{
    if (vga->vbe[VBE_ENABLE] & VBE_GET_CAPS) {
        switch (index) {
        case VBE_XRES:
            return VBE_MAX_XRES;
        case VBE_YRES:
            return VBE_MAX_YRES;
        case VBE_BPP:
            return VBE_MAX_BPP;
        }
    }
    return index < VBE_REGISTERS ? vga->vbe[index] : 0;
}

void vbe_write(Vga *vga, unsigned index, uint16_t value)
{
    vga->is_stale = true;
    switch (index) {
    case VBE_ID:
        if (value >= VBE_ID_FIRST && value <= VBE_ID_LAST) {
            vga->vbe[VBE_ID] = value;
        }
        break;
    case VBE_BANK:
        vga->vbe[VBE_BANK] = value & (vga->vram_bytes / BANK_BYTES - 1);
        break;
    case VBE_ENABLE:
        enable(vga, value);
        break;
    case VBE_XRES:
    case VBE_YRES:
    case VBE_BPP:
    case VBE_VIRT_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        vga->vbe[index] = value;
        break;
    default: /* read-only */
        break;
    }
    vbe_fix(vga);
}
