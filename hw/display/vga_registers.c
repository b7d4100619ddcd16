/*
 * The VGA's registers (IBM PS/2 Hardware Interface Technical Reference, Video Subsystem). Retrace
 * has no length here: status register 1 shows it every second time it is read, which ends any
 * guest's wait for either level at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"

#define MISC_COLOR        BIT(0)
#define STATUS1_DISABLED  BIT(0)
#define STATUS1_RETRACE   BIT(3)
#define CRTC_END_RETRACE  0x11
#define CRTC_OVERFLOW     0x07
#define CRTC_PROTECT      BIT(7)
#define CRTC_LINE_COMPARE BIT(4) /* the one bit of 0x07 that is not protected */
#define DAC_READING       3

static const uint8_t seq_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff };
static const uint8_t gr_mask[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

static uint8_t attr_mask(unsigned index)
{
    static const uint8_t masks[] = { 0xef, 0xff, 0x3f, 0x0f, 0x0f };

    return index < 0x10 ? 0x3f : masks[index - 0x10];
}

/* Registers of the CRTC are at 0x3bx or 0x3dx, as the mode is monochrome or not. */
static bool is_elsewhere(const Vga *vga, unsigned port)
{
    bool is_color = vga->misc & MISC_COLOR;

    return (port >= 0x3b0 && port <= 0x3bf && is_color) ||
           (port >= 0x3d0 && port <= 0x3df && !is_color);
}

/* --- the palette --- */

static uint8_t read_dac(Vga *vga)
{
    uint8_t value = vga->dac[vga->dac_read * 3 + vga->dac_part];

    if (++vga->dac_part == 3) {
        vga->dac_part = 0;
        vga->dac_read++;
    }
    return value;
}

static void write_dac(Vga *vga, uint8_t value)
{
    vga->dac_latch[vga->dac_part] = value;
    if (++vga->dac_part == 3) {
        memcpy(&vga->dac[vga->dac_write * 3], vga->dac_latch, 3);
        vga->dac_part = 0;
        vga->dac_write++;
    }
}

/* --- attributes --- */

static void write_attr(Vga *vga, uint8_t value)
{
    unsigned index = vga->attr_index & 0x1f;

    if (!vga->attr_is_data) {
        vga->attr_index = value & 0x3f;
    } else if (index < sizeof(vga->attr)) {
        vga->attr[index] = value & attr_mask(index);
    }
    vga->attr_is_data = !vga->attr_is_data;
}

static uint8_t read_attr(const Vga *vga)
{
    unsigned index = vga->attr_index & 0x1f;

    return index < sizeof(vga->attr) ? vga->attr[index] : 0;
}

static uint8_t read_status1(Vga *vga)
{
    vga->attr_is_data = false;
    vga->status1 ^= STATUS1_RETRACE | STATUS1_DISABLED;
    return vga->status1;
}

/* --- the CRTC --- */

static void write_crtc(Vga *vga, uint8_t value)
{
    unsigned index = vga->crtc_index;

    if (vga->crtc[CRTC_END_RETRACE] & CRTC_PROTECT && index <= CRTC_OVERFLOW) {
        if (index == CRTC_OVERFLOW) {
            vga->crtc[index] = (vga->crtc[index] & ~CRTC_LINE_COMPARE) |
                               (value & CRTC_LINE_COMPARE);
        }
        return;
    }
    vga->crtc[index] = value;
}

/* --- all of them --- */

uint8_t vga_port_read(Vga *vga, unsigned port)
{
    if (is_elsewhere(vga, port)) {
        return 0xff;
    }
    switch (port) {
    case 0x3c0:
        return vga->attr_is_data ? 0 : vga->attr_index;
    case 0x3c1:
        return read_attr(vga);
    case 0x3c2: /* no interrupt, no switch */
        return 0;
    case 0x3c4:
        return vga->seq_index;
    case 0x3c5:
        return vga->seq_index < sizeof(vga->seq) ? vga->seq[vga->seq_index] : 0;
    case 0x3c6:
        return vga->pel_mask;
    case 0x3c7:
        return vga->dac_state;
    case 0x3c8:
        return vga->dac_write;
    case 0x3c9:
        return read_dac(vga);
    case 0x3ca:
        return vga->feature;
    case 0x3cc:
        return vga->misc;
    case 0x3ce:
        return vga->gr_index;
    case 0x3cf:
        return vga->gr_index < sizeof(vga->gr) ? vga->gr[vga->gr_index] : 0;
    case 0x3b4:
    case 0x3d4:
        return vga->crtc_index;
    case 0x3b5:
    case 0x3d5:
        return vga->crtc[vga->crtc_index];
    case 0x3ba:
    case 0x3da:
        return read_status1(vga);
    default:
        return 0;
    }
}

static void write_seq(Vga *vga, uint8_t value)
{
    if (vga->seq_index < sizeof(vga->seq)) {
        vga->seq[vga->seq_index] = value & seq_mask[vga->seq_index];
    }
}

static void write_gr(Vga *vga, uint8_t value)
{
    if (vga->gr_index < sizeof(vga->gr)) {
        vga->gr[vga->gr_index] = value & gr_mask[vga->gr_index];
    }
}

static void point_dac(Vga *vga, uint8_t value, bool is_read)
{
    *(is_read ? &vga->dac_read : &vga->dac_write) = value;
    vga->dac_part = 0;
    vga->dac_state = is_read ? DAC_READING : 0;
}

void vga_port_write(Vga *vga, unsigned port, uint8_t value)
{
    if (is_elsewhere(vga, port)) {
        return;
    }
    vga->is_stale = true;
    switch (port) {
    case 0x3c0:
        write_attr(vga, value);
        break;
    case 0x3c2:
        vga->misc = value & ~0x10;
        break;
    case 0x3c4:
        vga->seq_index = value;
        break;
    case 0x3c5:
        write_seq(vga, value);
        break;
    case 0x3c6:
        vga->pel_mask = value;
        break;
    case 0x3c7:
    case 0x3c8:
        point_dac(vga, value, port == 0x3c7);
        break;
    case 0x3c9:
        write_dac(vga, value);
        break;
    case 0x3ce:
        vga->gr_index = value;
        break;
    case 0x3cf:
        write_gr(vga, value);
        break;
    case 0x3b4:
    case 0x3d4:
        vga->crtc_index = value;
        break;
    case 0x3b5:
    case 0x3d5:
        write_crtc(vga, value);
        break;
    case 0x3ba:
    case 0x3da:
        vga->feature = value & 0x10;
        break;
    default:
        break;
    }
}
