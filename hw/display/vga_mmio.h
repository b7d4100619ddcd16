/*
 * VgaMmio: the 4 KiB of BAR 2: EDID at 0, ports 0x3c0 to 0x3df at 0x400, dispi registers at 0x500,
 * byte order at 0x600. bochs-display has it too, with no ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_DISPLAY_VGA_MMIO_H
#define HW_DISPLAY_VGA_MMIO_H

#include "hw/display/edid.h"
#include "system/memory.h"

#define VGA_MMIO_BYTES 4096
#define VGA_MMIO_MAX_EDID 384

/* The registers of whoever has it. */
typedef struct VgaMmioOps {
    uint16_t (*read_vbe)(void *opaque, unsigned index);
    void (*write_vbe)(void *opaque, unsigned index, uint16_t value);
    bool (*get_big_endian)(void *opaque);
    void (*set_big_endian)(void *opaque, bool is_big);
    uint8_t (*read_port)(void *opaque, unsigned port); /* NULL: no ports */
    void (*write_port)(void *opaque, unsigned port, uint8_t value);
} VgaMmioOps;

typedef struct VgaMmio {
    const VgaMmioOps *ops;
    void *opaque;
    MemoryRegion region, edid_region, ports, vbe, extended;
    uint8_t edid[VGA_MMIO_MAX_EDID];
    /* properties */
    bool has_edid, has_extended;
    uint32_t xres, yres, xmax, ymax, refresh_rate;
} VgaMmio;

/* Rows for a table of properties. */
#define PROP_VGA_EDID(S, f)                                                                        \
    PROP_BOOL("edid", S, f.has_edid, .initial = true, .doc = "There is an EDID"),                  \
    PROP_U32("xres", S, f.xres, .doc = "Preferred width; 0: 1280"),                                \
    PROP_U32("yres", S, f.yres, .doc = "Preferred height; 0: 800"),                                \
    PROP_U32("xmax", S, f.xmax, .doc = "Widest mode in the EDID; 0: no limit"),                    \
    PROP_U32("ymax", S, f.ymax, .doc = "Highest mode in the EDID; 0: no limit"),                   \
    PROP_U32("refresh_rate", S, f.refresh_rate, .doc = "Millihertz; 0: 75000")

/* `name` is the container's; `edid_bytes` at most VGA_MMIO_MAX_EDID. */
void vga_mmio_init(VgaMmio *mmio, Object *owner, const char *name, size_t edid_bytes);
void vga_mmio_clear(VgaMmio *mmio);

#endif
