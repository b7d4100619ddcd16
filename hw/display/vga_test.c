/*
 * Standard VGA cards and bochs-display on PCI, driven as a guest would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/display/edid.h"
#include "hw/display/vga.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define DEVFN PCI_DEVFN(2, 0)
#define VRAM  0xe1000000u
#define MMIO  0xe3000000u

typedef struct Fixture {
    Device *card;
    Console *console;
} Fixture;

static void out8(uint32_t port, uint8_t value)
{
    address_space_store(address_space_io(), port, MEM_8, MEM_TX_NONE, value);
}

static uint8_t in8(uint32_t port)
{
    uint64_t value;

    address_space_load(address_space_io(), port, MEM_8, MEM_TX_NONE, &value);
    return value;
}

static void out16(uint32_t port, uint16_t value)
{
    address_space_store(address_space_io(), port, MEM_LE16, MEM_TX_NONE, value);
}

static uint16_t in16(uint32_t port)
{
    uint64_t value;

    address_space_load(address_space_io(), port, MEM_LE16, MEM_TX_NONE, &value);
    return value;
}

static void indexed(uint32_t port, uint8_t index, uint8_t value)
{
    out16(port, value << 8 | index);
}

static uint8_t get_indexed(uint32_t port, uint8_t index)
{
    out8(port, index);
    return in8(port + 1);
}

static void attribute(uint8_t index, uint8_t value)
{
    in8(0x3da);
    out8(0x3c0, index);
    out8(0x3c0, value);
}

static void vbe(unsigned index, uint16_t value)
{
    out16(0x1ce, index);
    out16(0x1d0, value);
}

static uint16_t get_vbe(unsigned index)
{
    out16(0x1ce, index);
    return in16(0x1cf);
}

static uint32_t pixel(Fixture *f, uint32_t x, uint32_t y)
{
    console_refresh(f->console);
    g_assert_cmpuint(x, <, console_surface(f->console)->width);
    g_assert_cmpuint(y, <, console_surface(f->console)->height);
    return surface_line(console_surface(f->console), y)[x] & 0xffffff;
}

static void set_up(Fixture *f, const void *driver)
{
    g_autofree char *text =
        g_strdup_printf("{'driver':'%s','addr':'2','romfile':''}", (const char *)driver);

    f->card = test_add(text, NULL);
    g_assert_nonnull(f->card);
    f->console = console_of(&f->card->parent, 0);
    g_assert_nonnull(f->console);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, VRAM);
    test_config_put(DEVFN, PCI_BAR0 + 8, MEM_LE32, MMIO);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

static void tear_down(Fixture *f, const void *driver)
{
    device_delete(f->card);
}

static void test_config(Fixture *f, const void *driver)
{
    bool is_vga = !strcmp(driver, "VGA");

    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x11111234);
    g_assert_cmphex(test_config_get(DEVFN, 8, MEM_LE32), ==, is_vga ? 0x03000002 : 0x03800002);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, PCI_BAR0, MEM_LE32), ==, 0xff000008);
    test_config_put(DEVFN, PCI_BAR0, MEM_LE32, VRAM);
    g_assert_cmphex(in8(0x3cc), ==, is_vga ? 0 : 0xff);
}

/* What sticks of all ones, as in the manual. */
static void test_masks(Fixture *f, const void *driver)
{
    static const uint8_t seq[] = { 3, 0x3d, 0xf, 0x3f, 0xe }, gr[] = { 15, 15, 15, 31, 3, 0x7b, 15,
                                                                      15, 0xff };

    out8(0x3c2, 0x67);
    g_assert_cmphex(in8(0x3cc), ==, 0x67);
    for (unsigned i = 0; i < ARRAY_SIZE(seq); i++) {
        indexed(0x3c4, i, 0xff);
        g_assert_cmphex(get_indexed(0x3c4, i), ==, seq[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(gr); i++) {
        indexed(0x3ce, i, 0xff);
        g_assert_cmphex(get_indexed(0x3ce, i), ==, gr[i]);
    }
    indexed(0x3d4, 0, 0x5f);
    indexed(0x3d4, 0x11, 0x80); /* protects 0 to 7, but for a bit */
    indexed(0x3d4, 0, 0);
    indexed(0x3d4, 7, 0xff);
    g_assert_cmphex(get_indexed(0x3d4, 0), ==, 0x5f);
    g_assert_cmphex(get_indexed(0x3d4, 7), ==, 0x10);
    g_assert_cmphex(in8(0x3b5), ==, 0xff); /* a colour adapter */
    attribute(0x10, 0xff);
    in8(0x3da);
    out8(0x3c0, 0x10);
    g_assert_cmphex(in8(0x3c1), ==, 0xef);
    g_assert_cmphex(in8(0x3da) ^ in8(0x3da), ==, 0x09);
}

static void test_dac(Fixture *f, const void *driver)
{
    out8(0x3c8, 7);
    for (unsigned i = 1; i <= 6; i++) {
        out8(0x3c9, i * 8);
    }
    g_assert_cmphex(in8(0x3c8), ==, 9);
    g_assert_cmphex(in8(0x3c7), ==, 0);
    out8(0x3c7, 8);
    g_assert_cmphex(in8(0x3c7), ==, 3);
    g_assert_cmphex(in8(0x3c9), ==, 32);
    g_assert_cmphex(in8(0x3c9), ==, 40);
    g_assert_cmphex(in8(0x3c9), ==, 48);
}

static void put(uint32_t at, uint8_t value)
{
    test_put(VGA_WINDOW_ADDR + at, MEM_8, value);
}

static uint8_t get(uint32_t at)
{
    return test_get(VGA_WINDOW_ADDR + at, MEM_8);
}

static void test_planes(Fixture *f, const void *driver)
{
    indexed(0x3ce, 6, 0x05); /* 64 KiB at 0xa0000 */
    indexed(0x3ce, 8, 0xff);
    indexed(0x3c4, 2, 0x05); /* planes 0 and 2 */
    put(1, 0xa5);
    g_assert_cmphex(test_get(VRAM + 4, MEM_LE32), ==, 0x00a500a5);
    indexed(0x3c4, 2, 0x0f);
    indexed(0x3ce, 4, 2);
    g_assert_cmphex(get(1), ==, 0xa5); /* fills the latch */
    indexed(0x3ce, 8, 0x0f);           /* only these bits, the rest from the latch */
    put(2, 0xff);
    g_assert_cmphex(test_get(VRAM + 8, MEM_LE32), ==, 0x0faf0fafu);
    indexed(0x3ce, 8, 0xff);
    indexed(0x3ce, 3, 0x18 | 4); /* xor, rotated by 4 */
    put(3, 0x0f);
    g_assert_cmphex(test_get(VRAM + 12, MEM_LE32), ==, 0xf055f055u);
    indexed(0x3ce, 3, 0);
    indexed(0x3ce, 5, 1); /* write mode 1: the latch */
    put(4, 0);
    g_assert_cmphex(test_get(VRAM + 16, MEM_LE32), ==, 0x00a500a5);
    indexed(0x3ce, 5, 2); /* 2: a colour */
    put(5, 0x09);
    g_assert_cmphex(test_get(VRAM + 20, MEM_LE32), ==, 0xff0000ffu);
    indexed(0x3ce, 5, 3); /* 3: set/reset under a mask */
    indexed(0x3ce, 0, 2);
    put(6, 0xf0);
    g_assert_cmphex(test_get(VRAM + 24, MEM_LE32), ==, 0x0005f005u);
    indexed(0x3ce, 5, 8); /* read mode 1: which pixels have colour 9 */
    indexed(0x3ce, 2, 9);
    indexed(0x3ce, 7, 15);
    g_assert_cmphex(get(5), ==, 0xff);
    g_assert_cmphex(get(6), ==, 0x00);
    g_assert_cmphex(get(0x10000), ==, 0xff); /* beyond the map */
}

/* 80 x 25, an "A" that is a box, a cursor, two colours. */
static void set_text_mode(void)
{
    static const uint8_t crtc[] = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x20,
                                    0x0f, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9,
                                    0xa3, 0xff };

    out8(0x3c2, 0x67);
    indexed(0x3c4, 1, 0x01);
    indexed(0x3c4, 4, 0x06);
    indexed(0x3c4, 2, 0x04); /* the font, to plane 2 */
    indexed(0x3ce, 5, 0);
    indexed(0x3ce, 6, 0x04);
    indexed(0x3ce, 8, 0xff);
    for (unsigned row = 0; row < 16; row++) {
        put('A' * 32 + row, row == 0 ? 0x81 : 0);
    }
    indexed(0x3c4, 2, 0x03);
    indexed(0x3c4, 4, 0x02);
    indexed(0x3ce, 5, 0x10);
    indexed(0x3ce, 6, 0x0e);
    for (unsigned i = 0; i < sizeof(crtc); i++) {
        indexed(0x3d4, i, crtc[i]);
    }
    for (unsigned i = 0; i < 16; i++) {
        attribute(i, i);
        out8(0x3c8, i);
        for (unsigned c = 0; c < 3; c++) {
            out8(0x3c9, i * 4 + c);
        }
    }
    attribute(0x10, 0x0c);
    attribute(0x12, 0x0f);
    in8(0x3da);
    out8(0x3c0, 0x20);
}

static uint32_t color(unsigned n)
{
    uint32_t rgb = 0;

    for (unsigned c = 0; c < 3; c++) {
        unsigned v = n * 4 + c;

        rgb = rgb << 8 | v << 2 | (v & 1) * 3;
    }
    return rgb;
}

static void test_text(Fixture *f, const void *driver)
{
    set_text_mode();
    put(0x18000 + 2 * (80 + 3), 'A'); /* line 1, column 3: colour 2 on 5 */
    put(0x18000 + 2 * (80 + 3) + 1, 0x52);
    g_assert_cmphex(get(0x18000 + 2 * (80 + 3)), ==, 'A');
    g_assert_cmphex(pixel(f, 24, 16), ==, color(2));
    g_assert_cmpuint(console_surface(f->console)->width, ==, 640);
    g_assert_cmpuint(console_surface(f->console)->height, ==, 400);
    g_assert_cmphex(pixel(f, 25, 16), ==, color(5));
    g_assert_cmphex(pixel(f, 31, 16), ==, color(2));
    g_assert_cmphex(pixel(f, 24, 17), ==, color(5));
    indexed(0x3d4, 0x0f, 83); /* the cursor goes there: rows 14 and 15 */
    indexed(0x3d4, 0x0a, 14);
    g_assert_cmphex(pixel(f, 26, 16 + 14), ==, color(2));
    g_assert_cmphex(pixel(f, 26, 16 + 13), ==, color(5));
    indexed(0x3d4, 0x0a, 0x20);
    g_assert_cmphex(pixel(f, 26, 16 + 14), ==, color(5));
    out8(0x3c0, 0); /* the palette is the CPU's: nothing is shown */
    in8(0x3da);
    out8(0x3c0, 0);
    g_assert_cmphex(pixel(f, 24, 16), ==, 0);
}

static void test_mode_13(Fixture *f, const void *driver)
{
    set_text_mode();
    indexed(0x3d4, 0x09, 0x41);
    indexed(0x3d4, 0x14, 0x40);
    indexed(0x3d4, 0x17, 0xa3);
    indexed(0x3c4, 2, 0x0f);
    indexed(0x3c4, 4, 0x0e); /* chain 4 */
    indexed(0x3ce, 5, 0x40);
    indexed(0x3ce, 6, 0x05);
    attribute(0x10, 0x41);
    in8(0x3da);
    out8(0x3c0, 0x20);
    put(320 + 7, 9);
    g_assert_cmphex(pixel(f, 14, 2), ==, color(9)); /* each pixel is two by two */
    g_assert_cmphex(pixel(f, 15, 3), ==, color(9));
    g_assert_cmphex(pixel(f, 16, 3), ==, color(0));
    g_assert_cmphex(test_get(VRAM + 327, MEM_8), ==, 9);
}

static void test_mode_12(Fixture *f, const void *driver)
{
    set_text_mode();
    indexed(0x3d4, 0x11, 0);
    indexed(0x3d4, 0x07, 0x3e);
    indexed(0x3d4, 0x09, 0x40);
    indexed(0x3d4, 0x12, 0xdf); /* 480 lines */
    indexed(0x3d4, 0x17, 0xe3);
    indexed(0x3c4, 2, 0x0f);
    indexed(0x3c4, 4, 0x06);
    indexed(0x3ce, 5, 2);
    indexed(0x3ce, 6, 0x05);
    indexed(0x3ce, 8, 0x40);
    in8(0x3da);
    out8(0x3c0, 0x20);
    put(80 * 2 + 1, 6);
    g_assert_cmphex(pixel(f, 9, 2), ==, color(6));
    g_assert_cmphex(pixel(f, 10, 2), ==, color(0));
    g_assert_cmpuint(console_surface(f->console)->height, ==, 480);
}

static void test_vbe(Fixture *f, const void *driver)
{
    g_assert_cmphex(get_vbe(VBE_ID), ==, 0xb0c5);
    g_assert_cmphex(get_vbe(VBE_VIDEO_MEMORY), ==, 256);
    vbe(VBE_ID, 0xb0c6);
    g_assert_cmphex(get_vbe(VBE_ID), ==, 0xb0c5);
    vbe(VBE_ENABLE, VBE_GET_CAPS);
    g_assert_cmpuint(get_vbe(VBE_XRES), ==, 16000);
    g_assert_cmpuint(get_vbe(VBE_YRES), ==, 12000);
    g_assert_cmpuint(get_vbe(VBE_BPP), ==, 32);
    vbe(VBE_ENABLE, 0);
    vbe(VBE_XRES, 1024);
    vbe(VBE_YRES, 768);
    vbe(VBE_BPP, 32);
    vbe(VBE_ENABLE, VBE_ENABLED | VBE_LFB);
    g_assert_cmpuint(get_vbe(VBE_VIRT_WIDTH), ==, 1024);
    g_assert_cmpuint(get_vbe(VBE_VIRT_HEIGHT), ==, 4096);
    vbe(VBE_VIRT_WIDTH, 2048);
    g_assert_cmpuint(get_vbe(VBE_VIRT_HEIGHT), ==, 2048);
    vbe(VBE_Y_OFFSET, 4000); /* not within */
    g_assert_cmpuint(get_vbe(VBE_Y_OFFSET), ==, 0);
    vbe(VBE_Y_OFFSET, 10);
    vbe(VBE_BANK, 300);
    g_assert_cmpuint(get_vbe(VBE_BANK), ==, 44);
    test_put(VRAM + (10 + 3) * 8192 + 4 * 5, MEM_LE32, 0xff123456);
    g_assert_cmphex(pixel(f, 5, 3), ==, 0x123456);
    test_put(VRAM + (10 + 3) * 8192 + 4 * 5, MEM_LE32, 0xff654321); /* seen by the dirty log */
    g_assert_cmphex(pixel(f, 5, 3), ==, 0x654321);
    vbe(VBE_XRES, 20000);
    g_assert_cmpuint(get_vbe(VBE_XRES), ==, 16000);
    vbe(VBE_ENABLE, 0);
    vbe(VBE_XRES, 641);
    vbe(VBE_YRES, 480);
    vbe(VBE_BPP, 16);
    vbe(VBE_ENABLE, VBE_ENABLED);
    g_assert_cmpuint(get_vbe(VBE_XRES), ==, 640);
    g_assert_cmpuint(get_vbe(VBE_VIRT_HEIGHT), ==, 13107);
    test_put(VRAM, MEM_LE16, 0xf81f);
    g_assert_cmphex(pixel(f, 0, 0), ==, 0xff00ff);
    test_put(VGA_WINDOW_ADDR, MEM_8, 0xe0); /* bank 0 of the window, chained */
    g_assert_cmphex(test_get(VRAM, MEM_LE16), ==, 0xf8e0);
}

static void test_mmio(Fixture *f, const void *driver)
{
    bool is_bochs = !strcmp(driver, "bochs-display");
    uint8_t want[384];

    edid_generate(want, is_bochs ? 256 : 384, &(EdidInfo){ 0 });
    for (unsigned i = 0; i < 256; i++) {
        g_assert_cmphex(test_get(MMIO + i, MEM_8), ==, want[i]);
    }
    g_assert_cmphex(test_get(MMIO + 8, MEM_LE32), ==, load_le32(want + 8));
    test_put(MMIO, MEM_LE32, 0x12345678);
    g_assert_cmphex(test_get(MMIO, MEM_LE32), ==, 0xffffff00);
    g_assert_cmphex(test_get(MMIO + 0x500, MEM_LE16), ==, 0xb0c5);
    g_assert_cmphex(test_get(MMIO + 0x600, MEM_LE32), ==, 8);
    g_assert_cmphex(test_get(MMIO + 0x604, MEM_LE32), ==, 0x1e1e1e1e);
    test_put(MMIO + 0x502, MEM_LE16, 640);
    test_put(MMIO + 0x504, MEM_LE16, 480);
    test_put(MMIO + 0x506, MEM_LE16, 32);
    test_put(MMIO + 0x508, MEM_LE16, VBE_ENABLED | VBE_LFB);
    test_put(VRAM + 640 * 4 + 8, MEM_LE32, 0x00112233);
    g_assert_cmphex(pixel(f, 2, 1), ==, 0x112233);
    g_assert_cmpuint(console_surface(f->console)->width, ==, 640);
    test_put(MMIO + 0x604, MEM_LE32, 0xbebebebe);
    g_assert_cmphex(pixel(f, 2, 1), ==, 0x221100);
    if (!is_bochs) {
        test_put(MMIO + 0x402, MEM_8, 0x67);
        g_assert_cmphex(test_get(MMIO + 0x40c, MEM_8), ==, 0x67);
    } else {
        test_put(MMIO + 0x508, MEM_LE16, 0);
        test_put(MMIO + 0x504, MEM_LE16, 60000); /* more than there is: the last picture stays */
        test_put(MMIO + 0x508, MEM_LE16, VBE_ENABLED);
        g_assert_cmphex(pixel(f, 2, 1), ==, 0x221100);
    }
}

/* All that a guest can read is the same after a migration, and so is the picture. */
static void test_state(Fixture *f, const void *driver)
{
    const VMState *state = device_type_state(f->card->parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;

    test_vbe(f, driver);
    g_assert_true(vmstate_save(state, f->card, &writer, NULL));
    device_reset(f->card);
    g_assert_cmpuint(get_vbe(VBE_ENABLE), ==, 0);
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, f->card, &reader, NULL));
    g_assert_cmpuint(get_vbe(VBE_XRES), ==, 640);
    test_put(VRAM, MEM_LE16, 0xf81f);
    g_assert_cmphex(pixel(f, 0, 0), ==, 0xff00ff);
}

#define ADD(name, driver, fn)                                                                      \
    g_test_add("/vga/" driver "/" name, Fixture, driver, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    ADD("config", "VGA", test_config);
    ADD("masks", "VGA", test_masks);
    ADD("dac", "VGA", test_dac);
    ADD("planes", "VGA", test_planes);
    ADD("text", "VGA", test_text);
    ADD("mode-13", "VGA", test_mode_13);
    ADD("mode-12", "VGA", test_mode_12);
    ADD("vbe", "VGA", test_vbe);
    ADD("mmio", "VGA", test_mmio);
    ADD("state", "VGA", test_state);
    ADD("config", "secondary-vga", test_config);
    ADD("mmio", "secondary-vga", test_mmio);
    ADD("config", "bochs-display", test_config);
    ADD("mmio", "bochs-display", test_mmio);
    status = g_test_run();
    machine_unlock();
    return status;
}
