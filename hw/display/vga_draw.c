/*
 * What a VGA shows: text with a cursor, 16 colours in planes, CGA's 4 colours, 256 colours, and
 * the direct colours of VBE modes; moved by panning and preset rows, split in two by line compare.
 * Lines whose memory did not change are not drawn again. Left out: blinking; bit 7 of a character's
 * attribute always is its background's, as with the peer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "system/memory_log.h"

#define FONT_BYTES    8192
#define FONT_GLYPH    32 /* bytes of a character in the font's plane */
#define ATTR_ON       BIT(5)

/* What there is to draw. */
typedef struct Picture {
    uint32_t width, height;
    uint32_t start, line_bytes;   /* in VRAM */
    uint32_t visible_bytes;       /* of a line, that are shown */
    unsigned rows, doubling;      /* lines of one line of memory; bit: each of them is there twice */
    unsigned preset;              /* row at which the first line of memory begins */
    uint32_t split;               /* the last line before memory is shown from its begin */
    unsigned pan;                 /* pixels of memory that are left of the picture */
    bool is_lower_still;          /* below the split nothing is panned */
    unsigned shift;               /* bits of x for one pixel of memory */
    void (*draw)(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels);
} Picture;

/* --- colours --- */

/* Six bits, the lowest of them again for the two below: full brightness is full, as with the peer. */
static uint8_t widen_dac(uint8_t value)
{
    return (value & 0x3f) << 2 | (value & 1) * 3;
}

static uint32_t dac_color(const Vga *vga, unsigned n)
{
    const uint8_t *c = &vga->dac[3 * (n & vga->pel_mask)];
    uint8_t rgb[3];

    for (unsigned i = 0; i < 3; i++) {
        rgb[i] = vga->is_dac_wide ? c[i] : widen_dac(c[i]);
    }
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2];
}

/* The 16 colours of attributes, by way of the palette registers. */
static unsigned attr_color(const Vga *vga, unsigned n)
{
    unsigned color = vga->attr[n & vga->attr[0x12] & 0xf];

    if (vga->attr[0x10] & 0x80) {
        color = (color & 0xf) | (vga->attr[0x14] & 3) << 4;
    } else {
        color &= 0x3f;
    }
    return color | (vga->attr[0x14] & 0xc) << 4;
}

static void update_palette(Vga *vga, bool is_direct)
{
    for (unsigned i = 0; i < 256; i++) {
        vga->palette[i] = dac_color(vga, is_direct ? i : attr_color(vga, i & 0xf));
    }
}

/* --- lines: `at` in VRAM, wrapped by the mask of its size --- */

static uint8_t vram(const Vga *vga, uint32_t at)
{
    return ((uint8_t *)memory_region_host((MemoryRegion *)&vga->vram))[at & (vga->vram_bytes - 1)];
}

static void draw_planes(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++) {
        uint32_t byte = at + (x / 8) * 4;
        unsigned bit = 7 - x % 8, color = 0;

        for (unsigned plane = 0; plane < 4; plane++) {
            color |= (vram(vga, byte + plane) >> bit & 1) << plane;
        }
        to[x] = vga->palette[color];
    }
}

/* Two bits of a pixel beside each other: first the even planes' eight, then the odd ones'. */
static void draw_cga(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++) {
        uint32_t byte = at + (x / 8) * 4 + x / 4 % 2;
        unsigned bit = 6 - x % 4 * 2;

        to[x] = vga->palette[(vram(vga, byte) >> bit & 3) | (vram(vga, byte + 2) >> bit & 3) << 2];
    }
}

static void draw_bytes(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++) {
        to[x] = vga->palette[vram(vga, at + x)];
    }
}

static unsigned pixel16(const Vga *vga, uint32_t at)
{
    unsigned first = vram(vga, at), second = vram(vga, at + 1);

    return vga->is_big_endian ? first << 8 | second : second << 8 | first;
}

static uint32_t widen(unsigned value, unsigned bits)
{
    return (value << (8 - bits) | value >> (2 * bits - 8)) & 0xff;
}

static void draw_15(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++) {
        unsigned v = pixel16(vga, at + 2 * x);

        to[x] = widen(v >> 10 & 31, 5) << 16 | widen(v >> 5 & 31, 5) << 8 | widen(v & 31, 5);
    }
}

static void draw_16(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++) {
        unsigned v = pixel16(vga, at + 2 * x);

        to[x] = widen(v >> 11 & 31, 5) << 16 | widen(v >> 5 & 63, 6) << 8 | widen(v & 31, 5);
    }
}

static uint32_t pixel_rgb(const Vga *vga, uint32_t at, bool is_red_first)
{
    uint32_t a = vram(vga, at), b = vram(vga, at + 1), c = vram(vga, at + 2);

    return is_red_first ? a << 16 | b << 8 | c : c << 16 | b << 8 | a;
}

static void draw_24(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++) {
        to[x] = pixel_rgb(vga, at + 3 * x, vga->is_big_endian);
    }
}

static void draw_32(const Vga *vga, uint32_t *to, uint32_t at, uint32_t pixels)
{
    for (uint32_t x = 0; x < pixels; x++) {
        to[x] = pixel_rgb(vga, at + 4 * x + vga->is_big_endian, vga->is_big_endian);
    }
}

/* --- graphics --- */

static uint32_t crtc_height(const Vga *vga)
{
    return (vga->crtc[0x12] | (vga->crtc[0x07] & 0x02) << 7 | (vga->crtc[0x07] & 0x40) << 3) + 1;
}

static uint32_t crtc_start(const Vga *vga)
{
    return ((vga->crtc[0x0c] << 8 | vga->crtc[0x0d]) + (vga->crtc[0x08] >> 5 & 3)) * 4;
}

static uint32_t crtc_split(const Vga *vga)
{
    return vga->crtc[0x18] | (vga->crtc[0x07] & 0x10) << 4 | (vga->crtc[0x09] & 0x40) << 3;
}

/* Cells of nine dots count from 8, which is none. */
static unsigned dots_panned(const Vga *vga, unsigned dots)
{
    unsigned value = vga->attr[0x13] & 0xf;

    return dots == 9 ? (value >= 8 ? 0 : value + 1) : value & 7;
}

static void describe_vbe(const Vga *vga, Picture *p)
{
    const uint16_t *vbe = vga->vbe;
    unsigned bits = vbe[VBE_BPP] == 15 ? 16 : vbe[VBE_BPP];

    *p = (Picture){
        .width = vbe[VBE_XRES], .height = vbe[VBE_YRES], .line_bytes = vbe_line_bytes(vga),
        .visible_bytes = vbe[VBE_XRES] * bits / 8, .rows = 1, .split = UINT32_MAX,
        .start = vbe[VBE_Y_OFFSET] * vbe_line_bytes(vga) + vbe[VBE_X_OFFSET] * bits / 8,
        .draw = vbe[VBE_BPP] == 4 ? draw_planes : vbe[VBE_BPP] == 8 ? draw_bytes :
                vbe[VBE_BPP] == 15 ? draw_15 : vbe[VBE_BPP] == 16 ? draw_16 :
                vbe[VBE_BPP] == 24 ? draw_24 : draw_32,
    };
}

static void describe_vga(const Vga *vga, Picture *p)
{
    bool is_256 = vga->gr[5] & 0x40, is_half = vga->seq[1] & 8;
    uint32_t width = (vga->crtc[0x01] + 1) * 8;

    *p = (Picture){
        .width = width << (is_half && !is_256), .height = crtc_height(vga), .start = crtc_start(vga),
        .line_bytes = vga->crtc[0x13] * 8, .visible_bytes = width / 2,
        .rows = (vga->crtc[0x09] & 0x1f) + 1, .doubling = vga->crtc[0x09] >> 7,
        .preset = vga->crtc[0x08] & 0x1f, .split = crtc_split(vga),
        .pan = dots_panned(vga, 8) >> is_256, .is_lower_still = vga->attr[0x10] & 0x20,
        .shift = is_half || is_256,
        .draw = is_256 ? draw_bytes : vga->gr[5] & 0x20 ? draw_cga : draw_planes,
    };
}

/* The memory of line y: modes compatible with older adapters interleave lines. */
static uint32_t line_address(const Vga *vga, const Picture *p, uint32_t y)
{
    bool is_lower = y > p->split;
    uint32_t row = is_lower ? (y - p->split - 1) >> p->doubling : (y >> p->doubling) + p->preset;
    uint32_t at = (is_lower ? 0 : p->start) + row / p->rows * p->line_bytes;
    unsigned scan = row % p->rows, bit = 14 + (vga->crtc[0x17] >> 6 & 1);

    if (vbe_is_enabled(vga)) {
        return at;
    }
    if (!(vga->crtc[0x17] & 1)) {
        at = (at & ~BIT(bit)) | (scan & 1) << bit;
    }
    if (!(vga->crtc[0x17] & 2)) {
        at = (at & ~BIT(15)) | (scan & 2) << 14;
    }
    return at;
}

/* What is panned out of a line is drawn beside it: at most a line's first eight pixels. */
static void draw_panned(const Vga *vga, const Picture *p, uint32_t *to, uint32_t at)
{
    uint32_t pixels = p->width >> p->shift;
    g_autofree uint32_t *line = g_new(uint32_t, pixels + p->pan);

    p->draw(vga, line, at, pixels + p->pan);
    memcpy(to, line + p->pan, pixels * sizeof(*to));
}

static void draw_line(const Vga *vga, const Picture *p, uint32_t y, uint32_t *to, uint32_t at)
{
    if (p->pan && !(y > p->split && p->is_lower_still)) {
        draw_panned(vga, p, to, at);
    } else {
        p->draw(vga, to, at, p->width >> p->shift);
    }
    for (uint32_t x = p->width; p->shift && x-- > 0;) {
        to[x] = to[x >> 1];
    }
}

typedef struct Drawn {
    uint32_t first, end; /* lines; equal: none */
} Drawn;

static bool is_dirty(Vga *vga, const DirtySnapshot *dirty, const Picture *p, uint32_t at)
{
    uint64_t offset = at & (vga->vram_bytes - 1), bytes = p->visible_bytes + (p->pan ? 8 : 0);

    return vga->is_stale || offset + bytes > vga->vram_bytes ||
           dirty_snapshot_has(dirty, (MemoryWindow){ offset, bytes });
}

/* Pixels that are as a surface's are shown where they lie: nothing is to be drawn. */
static bool is_direct(const Vga *vga, const Picture *p)
{
    return p->draw == draw_32 && !vga->is_big_endian && p->width && p->height &&
           p->start + (uint64_t)p->line_bytes * (p->height - 1) + p->visible_bytes <=
               vga->vram_bytes;
}

/* NULL: no memory. */
static Surface *surface_for(Vga *vga, const Picture *p)
{
    const Surface *old = console_surface(vga->console);
    uint8_t *bytes = (uint8_t *)memory_region_host(&vga->vram) + p->start;

    if (!is_direct(vga, p)) {
        return console_resize(vga->console, p->width, p->height);
    }
    if (!old->is_borrowed || old->bytes != bytes || old->width != p->width ||
        old->height != p->height || old->stride != p->line_bytes) {
        console_set_surface(vga->console,
                            surface_new_on(p->width, p->height, p->line_bytes, bytes));
        vga->is_stale = true;
    }
    return console_surface(vga->console);
}

static void draw_graphics(Vga *vga, const DirtySnapshot *dirty, Drawn *drawn)
{
    Picture p;
    Surface *surface;

    if (vbe_is_enabled(vga)) {
        describe_vbe(vga, &p);
    } else {
        describe_vga(vga, &p);
    }
    update_palette(vga, p.draw == draw_bytes);
    surface = surface_for(vga, &p);
    for (uint32_t y = 0; surface && y < p.height; y++) {
        uint32_t at = line_address(vga, &p, y);

        if (is_dirty(vga, dirty, &p, at)) {
            if (!surface->is_borrowed) {
                draw_line(vga, &p, y, surface_line(surface, y), at);
            }
            drawn->first = drawn->end ? drawn->first : y;
            drawn->end = y + 1;
        }
    }
}

/* --- text --- */

typedef struct Text {
    uint32_t columns, rows;
    unsigned cell_width, cell_height, dots; /* dots: 8 or 9 of a glyph */
    uint32_t fonts[2];                      /* in VRAM: attribute bit 3 picks one */
    uint32_t start, line_bytes;
    unsigned pan, preset;                   /* pixels and lines that are off the picture */
    uint32_t split;                         /* as a Picture's */
    bool is_lower_still;
    uint32_t cursor;                        /* cell's VRAM address; UINT32_MAX: not shown */
} Text;

static uint32_t cursor_address(const Vga *vga)
{
    bool is_off = vga->crtc[0x0a] & 0x20;

    return is_off ? UINT32_MAX : (vga->crtc[0x0e] << 8 | vga->crtc[0x0f]) * 4;
}

static void describe_text(const Vga *vga, Text *t)
{
    unsigned map = vga->seq[3];

    t->columns = vga->crtc[0x01] + 1;
    t->dots = vga->seq[1] & 1 ? 8 : 9;
    t->cell_width = vga->seq[1] & 8 ? 2 * t->dots : t->dots;
    t->cell_height = (vga->crtc[0x09] & 0x1f) + 1;
    t->rows = MAX(crtc_height(vga) / t->cell_height, 1);
    t->fonts[0] = ((map >> 4 & 1) | (map << 1 & 6)) * FONT_BYTES * 4;
    t->fonts[1] = ((map >> 5 & 1) | (map >> 1 & 6)) * FONT_BYTES * 4;
    t->start = crtc_start(vga);
    t->line_bytes = vga->crtc[0x13] * 8;
    t->pan = dots_panned(vga, t->dots) * t->cell_width / t->dots;
    t->preset = vga->crtc[0x08] & 0x1f;
    t->split = crtc_split(vga);
    t->is_lower_still = vga->attr[0x10] & 0x20;
    t->cursor = cursor_address(vga);
}

/*
 * Nine dots: the last is blank, or the eighth again in characters that draw boxes; the peer counts
 * the shades from B0 on to those.
 */
static unsigned glyph_row(const Vga *vga, const Text *t, unsigned character, unsigned attribute,
                          unsigned row)
{
    unsigned bits = vram(vga, t->fonts[attribute >> 3 & 1] + (character * FONT_GLYPH + row) * 4 + 2);
    bool is_box = character >= 0xb0 && character <= 0xdf && vga->attr[0x10] & 4;

    return t->dots == 8 ? bits : bits << 1 | (is_box ? bits & 1 : 0);
}

/* One line of a character. */
static unsigned cell_bits(const Vga *vga, const Text *t, uint32_t at, unsigned row)
{
    unsigned attribute = vram(vga, at + 1);
    unsigned first = vga->crtc[0x0a] & 0x1f, last = vga->crtc[0x0b] & 0x1f;
    bool is_underlined = (attribute & 7) == 1 && row == (vga->crtc[0x14] & 0x1f);

    if (is_underlined || (at == t->cursor && row >= first && row <= last)) {
        return UINT32_MAX;
    }
    return glyph_row(vga, t, vram(vga, at), attribute, row);
}

/* A line of the picture: from the memory at `at`, line `row` of its characters. */
static void draw_text_line(const Vga *vga, const Text *t, uint32_t *to, uint32_t at, unsigned row)
{
    uint32_t width = t->columns * t->cell_width, x = 0;

    for (uint32_t dot = t->pan; x < width; at += 4, dot = 0) {
        unsigned bits = cell_bits(vga, t, at, row), attribute = vram(vga, at + 1);
        uint32_t fore = vga->palette[attribute & 0xf], back = vga->palette[attribute >> 4];

        for (; dot < t->cell_width && x < width; dot++) {
            unsigned n = dot * t->dots / t->cell_width;

            to[x++] = bits >> (t->dots - 1 - n) & 1 ? fore : back;
        }
    }
}

static void draw_text(Vga *vga, const DirtySnapshot *dirty, Drawn *drawn)
{
    Text t;
    Surface *surface;

    describe_text(vga, &t);
    if (!vga->is_stale && !dirty_snapshot_has(dirty, (MemoryWindow){ 0, vga->vram_bytes })) {
        return;
    }
    update_palette(vga, false);
    surface = console_resize(vga->console, t.columns * t.cell_width, t.rows * t.cell_height);
    if (!surface) {
        return;
    }
    for (uint32_t y = 0; y < surface->height; y++) {
        bool is_lower = y > t.split;
        uint32_t row = is_lower ? y - t.split - 1 : y + t.preset;

        if (is_lower && t.is_lower_still) {
            t.pan = 0;
        }
        draw_text_line(vga, &t, surface_line(surface, y),
                       (is_lower ? 0 : t.start) + row / t.cell_height * t.line_bytes,
                       row % t.cell_height);
    }
    *drawn = (Drawn){ 0, surface->height };
}

static void draw_blank(Vga *vga, Drawn *drawn)
{
    Surface *old = console_surface(vga->console);
    Surface *surface = vga->is_stale ? console_resize(vga->console, old->width, old->height) : NULL;

    if (surface) {
        for (uint32_t y = 0; y < surface->height; y++) {
            memset(surface_line(surface, y), 0, (size_t)surface->width * 4);
        }
        *drawn = (Drawn){ 0, surface->height };
    }
}

static void vga_refresh(void *opaque)
{
    Vga *vga = opaque;
    g_autofree DirtySnapshot *dirty = memory_region_take_dirty(
        &vga->vram, (MemoryWindow){ 0, vga->vram_bytes }, DIRTY_VGA);
    Drawn drawn = { 0, 0 };

    if (vbe_is_enabled(vga)) {
        draw_graphics(vga, dirty, &drawn);
    } else if (!(vga->attr_index & ATTR_ON)) {
        draw_blank(vga, &drawn);
    } else if (vga->gr[6] & 1) {
        draw_graphics(vga, dirty, &drawn);
    } else {
        draw_text(vga, dirty, &drawn);
    }
    vga->is_stale = false;
    if (drawn.end) {
        console_changed(vga->console,
                        (SurfaceRect){ 0, drawn.first, console_surface(vga->console)->width,
                                       drawn.end - drawn.first });
    }
}

static void vga_invalidate(void *opaque)
{
    ((Vga *)opaque)->is_stale = true;
}

/* The characters themselves. */
static bool vga_text(void *opaque, ConsoleText *text)
{
    const Vga *vga = opaque;
    Text t;

    if (vbe_is_enabled(vga) || !(vga->attr_index & ATTR_ON) || vga->gr[6] & 1) {
        return false;
    }
    describe_text(vga, &t);
    *text = (ConsoleText){ t.columns, t.rows, -1, -1, g_new(uint16_t, t.columns * t.rows) };
    for (uint32_t i = 0; i < t.columns * t.rows; i++) {
        uint32_t at = t.start + i / t.columns * t.line_bytes + i % t.columns * 4;

        text->cells[i] = vram(vga, at) | vram(vga, at + 1) << 8;
        if (at == t.cursor) {
            text->cursor_x = i % t.columns;
            text->cursor_y = i / t.columns;
        }
    }
    return true;
}

const ConsoleOps vga_console_ops = { vga_refresh, vga_invalidate, .text = vga_text };
