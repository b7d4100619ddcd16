/*
 * Vga: the registers, memory and picture of an IBM VGA with Bochs' VBE extension ("dispi"), which
 * cards of all buses embed.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include "hw/core/device.h"
#include "ui/console.h"

#define VGA_WINDOW_ADDR  0xa0000
#define VGA_WINDOW_BYTES 0x20000
#define VGA_PORT_REGIONS 6
#define VGA_VBE_LFB_ADDR UINT64_C(0xe0000000) /* of cards without a BAR */

/* Dispi registers, and bits of ENABLE. */
enum {
    VBE_ID, VBE_XRES, VBE_YRES, VBE_BPP, VBE_ENABLE, VBE_BANK, VBE_VIRT_WIDTH, VBE_VIRT_HEIGHT,
    VBE_X_OFFSET, VBE_Y_OFFSET, VBE_VIDEO_MEMORY, VBE_REGISTERS
};
enum { VBE_ENABLED = 0x01, VBE_GET_CAPS = 0x02, VBE_8BIT_DAC = 0x20, VBE_LFB = 0x40,
       VBE_NO_CLEAR = 0x80 };
#define VBE_ID_FIRST 0xb0c0
#define VBE_ID_LAST  0xb0c5
#define VBE_MAX_XRES 16000
#define VBE_MAX_YRES 12000
#define VBE_MAX_BPP  32

typedef struct Vga {
    MemoryRegion vram, window;
    MemoryRegion ports[VGA_PORT_REGIONS];
    uint32_t vram_bytes;
    Console *console;
    bool is_big_endian;      /* of pixels wider than a byte */
    bool is_big_endian_default;
    /* registers */
    uint8_t seq_index, seq[8];
    uint8_t gr_index, gr[16];
    uint8_t crtc_index, crtc[256];
    uint8_t attr_index, attr[21];
    bool attr_is_data;       /* the flip-flop: 3c0 takes data next */
    uint8_t misc, feature, status1, pel_mask;
    uint8_t dac_state, dac_read, dac_write, dac_part, dac_latch[3];
    uint8_t dac[768];
    uint16_t vbe_index, vbe[VBE_REGISTERS];
    uint32_t latch;          /* four planes */
    bool is_dac_wide;        /* 8 bits a colour */
    /* the picture */
    bool is_stale;           /* a register changed: draw it all */
    uint32_t palette[256];
} Vga;

/* VRAM of `megabytes` (rounded to a power of two), regions, and a console unless it has one. */
bool vga_init(Vga *vga, Device *owner, uint32_t megabytes, Error **errp);
void vga_clear(Vga *vga);
void vga_reset(Vga *vga);
/* At 0x3b4 to 0x3da and 0x1ce of `io`; the window at 0xa0000 of `memory`. */
void vga_map(Vga *vga, MemoryRegion *memory, MemoryRegion *io);
void vga_unmap(Vga *vga, MemoryRegion *memory, MemoryRegion *io);

/* vga_registers.c: ports 0x3b0 to 0x3df */
uint8_t vga_port_read(Vga *vga, unsigned port);
void vga_port_write(Vga *vga, unsigned port, uint8_t value);

/* vga_memory.c: bytes of the window */
uint8_t vga_window_read(Vga *vga, uint32_t at);
void vga_window_write(Vga *vga, uint32_t at, uint8_t value);

/* vga_vbe.c */
uint16_t vbe_read(const Vga *vga, unsigned index);
void vbe_write(Vga *vga, unsigned index, uint16_t value);
static inline bool vbe_is_enabled(const Vga *vga)
{
    return vga->vbe[VBE_ENABLE] & VBE_ENABLED;
}
/* Bytes of a line of the virtual screen. */
uint32_t vbe_line_bytes(const Vga *vga);
/* What a guest loaded from elsewhere says, made to fit. */
void vbe_fix(Vga *vga);

/* vga_draw.c */
extern const ConsoleOps vga_console_ops;

extern const VMState vga_state;

#endif
