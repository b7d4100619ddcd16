/*
 * The window at 0xa0000: planes, latches, write and read modes (IBM PS/2 Hardware Interface
 * Technical Reference, Video Subsystem: graphics controller). The four planes lie byte beside
 * byte in VRAM: byte `a` of plane p is VRAM byte 4a+p. So chain 4 is VRAM as it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "system/memory_log.h"

#define SEQ_MAP_MASK 2
#define SEQ_MODE     4
#define SEQ_CHAIN4   BIT(3)
enum { GR_SET_RESET, GR_ENABLE_SET_RESET, GR_COMPARE, GR_ROTATE, GR_READ_MAP, GR_MODE, GR_MISC,
       GR_DONT_CARE, GR_BIT_MASK };
#define MODE_READ1   BIT(3)
#define MODE_ODD_EVEN BIT(4)
#define WINDOW_64K   0x10000
#define WINDOW_32K   0x8000
#define NOWHERE      UINT32_MAX

/* A bit per plane, as a mask of bytes. */
static uint32_t planes(unsigned bits)
{
    return (bits & 1 ? 0xffu : 0) | (bits & 2 ? 0xff00u : 0) | (bits & 4 ? 0xff0000u : 0) |
           (bits & 8 ? 0xff000000u : 0);
}

static uint32_t all_planes(uint8_t byte)
{
    return byte * 0x01010101u;
}

/* What the memory map makes of a window's offset, and the bank of a VBE mode. */
static uint32_t address_of(const Vga *vga, uint32_t at)
{
    uint32_t bank = vbe_is_enabled(vga) ? vga->vbe[VBE_BANK] * WINDOW_64K : 0;

    switch (vga->gr[GR_MISC] >> 2 & 3) {
    case 0:
        return at;
    case 1:
        return at < WINDOW_64K ? at + bank : NOWHERE;
    case 2:
        return at >= WINDOW_64K && at < WINDOW_64K + WINDOW_32K ? at - WINDOW_64K : NOWHERE;
    default:
        return at >= WINDOW_64K + WINDOW_32K ? at - WINDOW_64K - WINDOW_32K : NOWHERE;
    }
}

static uint8_t *host(Vga *vga)
{
    return memory_region_host(&vga->vram);
}

/* The byte of a plane that odd/even addressing reaches. */
static uint32_t odd_even(const Vga *vga, uint32_t addr, unsigned *plane)
{
    *plane = (vga->gr[GR_READ_MAP] & 2) | (addr & 1);
    return ((addr & ~1u) << 1) | *plane;
}

static uint8_t fetch(Vga *vga, uint32_t addr)
{
    return addr < vga->vram_bytes ? host(vga)[addr] : 0xff;
}

static uint8_t read_planes(Vga *vga, uint32_t addr)
{
    uint32_t differs;

    if (addr >= vga->vram_bytes / 4) {
        return 0xff;
    }
    vga->latch = load_le32(host(vga) + 4 * addr);
    if (!(vga->gr[GR_MODE] & MODE_READ1)) {
        return vga->latch >> 8 * (vga->gr[GR_READ_MAP] & 3);
    }
    differs = (vga->latch ^ planes(vga->gr[GR_COMPARE])) & planes(vga->gr[GR_DONT_CARE]);
    differs |= differs >> 16;
    differs |= differs >> 8;
    return ~differs;
}

uint8_t vga_window_read(Vga *vga, uint32_t at)
{
    uint32_t addr = address_of(vga, at);
    unsigned plane;

    if (addr == NOWHERE) {
        return 0xff;
    }
    if (vga->seq[SEQ_MODE] & SEQ_CHAIN4) {
        return fetch(vga, addr);
    }
    if (vga->gr[GR_MODE] & MODE_ODD_EVEN) {
        return fetch(vga, odd_even(vga, addr, &plane));
    }
    return read_planes(vga, addr);
}

static void store(Vga *vga, uint32_t addr, unsigned plane, uint8_t value)
{
    if (vga->seq[SEQ_MAP_MASK] & BIT(plane) && addr < vga->vram_bytes) {
        host(vga)[addr] = value;
        ram_block_mark_written(vga->vram.ram, addr, 1);
    }
}

static uint32_t combine(const Vga *vga, uint32_t value)
{
    switch (vga->gr[GR_ROTATE] >> 3 & 3) {
    case 1:
        return value & vga->latch;
    case 2:
        return value | vga->latch;
    case 3:
        return value ^ vga->latch;
    default:
        return value;
    }
}

static uint8_t rotate(const Vga *vga, uint8_t value)
{
    unsigned n = vga->gr[GR_ROTATE] & 7;

    return value >> n | value << (8 - n);
}

/* The four bytes that a write in planar modes makes. */
static uint32_t write_mode(const Vga *vga, uint8_t value)
{
    uint32_t set = planes(vga->gr[GR_SET_RESET]);
    uint32_t enable = planes(vga->gr[GR_ENABLE_SET_RESET]);
    uint32_t mask = all_planes(vga->gr[GR_BIT_MASK]);
    uint32_t data;

    switch (vga->gr[GR_MODE] & 3) {
    case 0:
        data = (all_planes(rotate(vga, value)) & ~enable) | (set & enable);
        break;
    case 1:
        return vga->latch;
    case 2:
        data = planes(value);
        break;
    default:
        mask &= all_planes(rotate(vga, value));
        data = set;
        break;
    }
    return (combine(vga, data) & mask) | (vga->latch & ~mask);
}

static void write_planes(Vga *vga, uint32_t addr, uint8_t value)
{
    uint32_t enabled = planes(vga->seq[SEQ_MAP_MASK]);
    uint8_t *to;

    if (addr >= vga->vram_bytes / 4) {
        return;
    }
    to = host(vga) + 4 * addr;
    store_le32(to, (load_le32(to) & ~enabled) | (write_mode(vga, value) & enabled));
    ram_block_mark_written(vga->vram.ram, 4 * addr, 4);
}

void vga_window_write(Vga *vga, uint32_t at, uint8_t value)
{
    uint32_t addr = address_of(vga, at);
    unsigned plane;

    if (addr == NOWHERE) {
        return;
    }
    if (vga->seq[SEQ_MODE] & SEQ_CHAIN4) {
        store(vga, addr, addr & 3, value);
    } else if (vga->gr[GR_MODE] & MODE_ODD_EVEN) {
        addr = odd_even(vga, addr, &plane);
        store(vga, addr, plane, value);
    } else {
        write_planes(vga, addr, value);
    }
}
