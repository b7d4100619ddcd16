/*
 * See hw/display/edid.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/edid.h"

#include "util/byte_order.h"

#define DESCRIPTOR_BYTES 18
#define STANDARD_SLOTS   8
#define LARGE_PIXELS     4096

/* Where a mode is announced: established timings (byte 35 to 37), else a standard slot, else a
 * bit of "additional standard timings 3". CTA: its video identification code. */
static const struct {
    uint16_t x, y;
    uint8_t byte, bit, xtra_byte, xtra_bit, vic;
} modes[] = {
    { 5120, 2160, .vic = 125 },
    { 4096, 2160, .vic = 101 },
    { 3840, 2160, .vic = 96 },
    { 2560, 1080, .vic = 89 },
    { 2048, 1152 },
    { 1920, 1080, .vic = 31 },
    { 3840, 2160, .vic = 97 },
    { 1920, 1200, .xtra_byte = 10, .xtra_bit = 0 },
    { 1600, 1200, .xtra_byte = 9, .xtra_bit = 2 },
    { 1680, 1050, .xtra_byte = 9, .xtra_bit = 5 },
    { 1440, 900, .xtra_byte = 8, .xtra_bit = 5 },
    { 1280, 1024, .xtra_byte = 7, .xtra_bit = 1 },
    { 1280, 960, .xtra_byte = 7, .xtra_bit = 3 },
    { 1280, 768, .xtra_byte = 7, .xtra_bit = 6 },
    { 1920, 1440, .xtra_byte = 11, .xtra_bit = 5 },
    { 1856, 1392, .xtra_byte = 10, .xtra_bit = 3 },
    { 1792, 1344, .xtra_byte = 10, .xtra_bit = 5 },
    { 1440, 1050, .xtra_byte = 8, .xtra_bit = 1 },
    { 1360, 768, .xtra_byte = 8, .xtra_bit = 7 },
    { 1024, 768, .byte = 36, .bit = 3 },
    { 800, 600, .byte = 35, .bit = 0 },
    { 640, 480, .byte = 35, .bit = 5 },
};

typedef struct Timing {
    uint32_t xfront, xsync, xblank, yfront, ysync, yblank;
    uint64_t clock; /* 10 kHz */
} Timing;

typedef struct Writer {
    uint8_t *base, *cta, *did; /* blocks; NULL: not there */
    uint8_t *next;             /* the next descriptor; NULL: no room */
} Writer;

static Timing timing_of(const EdidInfo *info)
{
    Timing t = {
        .xfront = info->prefx * 25 / 100, .xsync = info->prefx * 3 / 100,
        .xblank = info->prefx * 35 / 100, .yfront = info->prefy * 5 / 1000,
        .ysync = info->prefy * 5 / 1000, .yblank = info->prefy * 35 / 1000,
    };

    t.clock = (uint64_t)info->refresh_rate * (info->prefx + t.xblank) *
              (info->prefy + t.yblank) / 10000000;
    return t;
}

static void put_checksum(uint8_t *block)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < EDID_BLOCK_BYTES - 1; i++) {
        sum += block[i];
    }
    block[EDID_BLOCK_BYTES - 1] = -sum;
}

/* --- modes --- */

/* False: there is no slot. A mode whose shape cannot be told is lost with its turn. */
static bool put_standard(uint8_t *base, unsigned *used, uint32_t x, uint32_t y)
{
    static const struct { uint8_t x, y; } aspects[] = { { 16, 10 }, { 4, 3 }, { 5, 4 }, { 16, 9 } };

    if (*used >= STANDARD_SLOTS) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(aspects) && x / 8 - 31 <= 255; i++) {
        if (x * aspects[i].y == y * aspects[i].x) {
            base[38 + 2 * *used] = x / 8 - 31;
            base[39 + 2 * *used] = i << 6; /* 60 Hz */
            ++*used;
            break;
        }
    }
    return true;
}

static void put_modes(const Writer *to, const EdidInfo *info, uint8_t *xtra)
{
    unsigned used = 0;

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if ((info->maxx && modes[i].x > info->maxx) || (info->maxy && modes[i].y > info->maxy)) {
            continue;
        }
        if (modes[i].byte) {
            to->base[modes[i].byte] |= BIT(modes[i].bit);
        } else if (!put_standard(to->base, &used, modes[i].x, modes[i].y) && xtra &&
                   modes[i].xtra_byte) {
            xtra[modes[i].xtra_byte] |= BIT(modes[i].xtra_bit);
        }
        if (to->cta && modes[i].vic) {
            to->cta[5 + (to->cta[4] & 0x1f)] = modes[i].vic;
            to->cta[4]++;
        }
    }
    while (used < STANDARD_SLOTS) {
        to->base[38 + 2 * used] = to->base[39 + 2 * used] = 1;
        used++;
    }
}

/* --- descriptors --- */

/* The next place: four in the base block, then in the CTA block. NULL: none is left. */
static uint8_t *take_descriptor(Writer *to)
{
    uint8_t *taken = to->next;

    if (!taken) {
        return NULL;
    }
    to->next += DESCRIPTOR_BYTES;
    if (to->next == to->base + 126) {
        to->next = to->cta ? to->cta + to->cta[2] : NULL;
    } else if (to->cta && to->next > to->cta && to->next + DESCRIPTOR_BYTES >= to->cta + 127) {
        to->next = NULL;
    }
    return taken;
}

static void put_detailed(uint8_t *d, const EdidInfo *info)
{
    Timing t = timing_of(info);

    store_le16(d, t.clock);
    d[2] = info->prefx;
    d[3] = t.xblank;
    d[4] = (info->prefx >> 8 & 0xf) << 4 | (t.xblank >> 8 & 0xf);
    d[5] = info->prefy;
    d[6] = t.yblank;
    d[7] = (info->prefy >> 8 & 0xf) << 4 | (t.yblank >> 8 & 0xf);
    d[8] = t.xfront;
    d[9] = t.xsync;
    d[10] = (t.yfront & 0xf) << 4 | (t.ysync & 0xf);
    d[11] = (t.xfront >> 8 & 3) << 6 | (t.xsync >> 8 & 3) << 4 | (t.yfront >> 4 & 3) << 2 |
            (t.ysync >> 4 & 3);
    d[12] = info->width_mm;
    d[13] = info->height_mm;
    d[14] = (info->width_mm >> 8 & 0xf) << 4 | (info->height_mm >> 8 & 0xf);
    d[17] = 0x18; /* digital, separate sync */
}

static void put_tag(uint8_t *d, uint8_t tag)
{
    if (d) {
        d[3] = tag;
    }
}

static void put_ranges(uint8_t *d)
{
    static const uint8_t ranges[] = { 50, 125, 30, 160, 2550 / 10, 1, 0x0a };

    if (d) {
        put_tag(d, 0xfd);
        memcpy(d + 5, ranges, sizeof(ranges));
        memset(d + 12, ' ', 6);
    }
}

static void put_text(uint8_t *d, uint8_t tag, const char *text)
{
    size_t length = MIN(strlen(text), 12);

    if (d) {
        put_tag(d, tag);
        memset(d + 5, ' ', 13);
        memcpy(d + 5, text, length);
        d[5 + length] = '\n';
    }
}

static void put_descriptors(Writer *to, const EdidInfo *info, bool is_large)
{
    uint8_t *xtra;

    if (!is_large) {
        put_detailed(take_descriptor(to), info);
    }
    xtra = take_descriptor(to);
    put_tag(xtra, 0xf7);
    xtra[5] = 10;
    put_modes(to, info, xtra);
    if (to->cta) {
        to->cta[2] = 5 + (to->cta[4] & 0x1f);
    }
    put_ranges(take_descriptor(to));
    put_text(take_descriptor(to), 0xfc, info->name);
    if (info->serial) {
        put_text(take_descriptor(to), 0xff, info->serial);
    }
    while (to->next) {
        put_tag(take_descriptor(to), 0x10);
    }
}

/* --- blocks --- */

static void put_base(uint8_t *base, const EdidInfo *info)
{
    static const uint8_t head[] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    static const uint8_t colours[] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };

    memcpy(base, head, sizeof(head));
    store_be16(base + 8, (info->vendor[0] - '@') << 10 | (info->vendor[1] - '@') << 5 |
                         (info->vendor[2] - '@'));
    store_le16(base + 10, 0x1234);
    store_le32(base + 12, info->serial ? strtoul(info->serial, NULL, 0) : 0);
    base[16] = 42;
    base[17] = 2014 - 1990;
    base[18] = 1;
    base[19] = 4;
    base[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
    base[21] = info->width_mm / 10;
    base[22] = info->height_mm / 10;
    base[23] = 220 - 100;
    base[24] = 0x06; /* sRGB, the first timing is preferred */
    memcpy(base + 25, colours, sizeof(colours));
}

static void put_display_id(uint8_t *did, const EdidInfo *info)
{
    Timing t = timing_of(info);
    const uint16_t values[] = { info->prefx, t.xblank, t.xfront, t.xsync,
                                info->prefy, t.yblank, t.yfront, t.ysync };
    static const uint8_t head[] = { 0x70, 0x13, 23, 3, 0, 3, 0, 20 };
    uint8_t sum = 0;

    memcpy(did, head, sizeof(head));
    store_le16(did + 8, t.clock);
    did[10] = t.clock >> 16;
    did[11] = 0x88; /* preferred, 16:9 */
    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        store_le16(did + 12 + 2 * i, values[i] - 1);
    }
    for (unsigned i = 1; i < 28; i++) {
        sum += did[i];
    }
    did[28] = -sum;
    put_checksum(did);
}

static EdidInfo complete(const EdidInfo *info)
{
    EdidInfo all = *info;

    all.vendor = info->vendor && strlen(info->vendor) == 3 ? info->vendor : "RHT";
    all.name = info->name ? info->name : "QEMU Monitor";
    if (!info->prefx || !info->prefy) {
        all.prefx = info->prefx ? info->prefx : 1280;
        all.prefy = info->prefy ? info->prefy : 800;
    }
    all.refresh_rate = info->refresh_rate ? info->refresh_rate : 75000;
    if (!info->width_mm || !info->height_mm) {
        all.width_mm = all.prefx * 254 / 10 / 100;
        all.height_mm = all.prefy * 254 / 10 / 100;
    }
    return all;
}

size_t edid_generate(uint8_t *edid, size_t bytes, const EdidInfo *given)
{
    EdidInfo info = complete(given);
    bool is_large = info.prefx >= LARGE_PIXELS || info.prefy >= LARGE_PIXELS ||
                    timing_of(&info).clock >= 65536;
    Writer to = { edid, NULL, NULL, edid + 54 };

    assert(bytes >= EDID_BLOCK_BYTES);
    memset(edid, 0, bytes);
    if (bytes >= 2 * EDID_BLOCK_BYTES) {
        to.cta = edid + EDID_BLOCK_BYTES;
        memcpy(to.cta, (uint8_t[]){ 2, 3, 5, 0, 0x40 }, 5);
    }
    if (bytes >= 3 * EDID_BLOCK_BYTES && is_large) {
        to.did = edid + 2 * EDID_BLOCK_BYTES;
        put_display_id(to.did, &info);
    }
    put_base(edid, &info);
    put_descriptors(&to, &info, is_large);
    edid[126] = !!to.cta + !!to.did;
    put_checksum(edid);
    if (to.cta) {
        put_checksum(to.cta);
    }
    return EDID_BLOCK_BYTES * (1 + edid[126]);
}
