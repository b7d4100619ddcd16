/*
 * Edid: what a monitor tells of itself: VESA E-EDID 1.4 with a CTA-861 block and, for large modes,
 * a DisplayID 1.3 block. As with QEMU's, the timings are made from ratios, not from CVT.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_DISPLAY_EDID_H
#define HW_DISPLAY_EDID_H

#define EDID_BLOCK_BYTES 128

typedef struct EdidInfo {
    const char *vendor;  /* three letters; NULL: "RHT" */
    const char *name;    /* NULL: "QEMU Monitor" */
    const char *serial;  /* NULL: none */
    uint32_t width_mm, height_mm; /* 0: 100 dots per inch */
    uint32_t prefx, prefy;        /* 0: 1280 x 800 */
    uint32_t maxx, maxy;          /* 0: no limit */
    uint32_t refresh_rate;        /* millihertz; 0: 75000 */
} EdidInfo;

/*
 * Fills `edid`, `bytes` of it (at least 128), with as many blocks as there is room for, zeros behind
 * them. Returns the bytes of the blocks.
 */
size_t edid_generate(uint8_t *edid, size_t bytes, const EdidInfo *info);

#endif
