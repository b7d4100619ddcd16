/*
 * The DMA controllers, by the 8237A's data sheet and the PC's page registers, with a device that
 * moves as much as it is told to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_dma.h"
#include "hw/isa/isa_test.h"
#include "system/dma.h"

typedef struct Source {
    IsaDma *dma;
    size_t step;          /* bytes it has ready */
    uint8_t bytes[256];
    unsigned calls, channel;
    size_t total;
} Source;

static Device *low, *high;
static Source source;

/* To memory what it has; of memory as much. */
static size_t transfer(void *opaque, unsigned channel, size_t done, size_t bytes)
{
    Source *s = opaque;
    size_t part = MIN(s->step, bytes - done);

    s->calls++;
    s->channel = channel;
    s->total = bytes;
    if (s->dma->direction(s->dma, channel) == ISA_DMA_TO_MEMORY) {
        s->dma->write(s->dma, channel, done, s->bytes, part);
    } else if (s->dma->direction(s->dma, channel) == ISA_DMA_FROM_MEMORY) {
        s->dma->read(s->dma, channel, done, s->bytes, part);
    }
    return done + part;
}

static Source *attach(unsigned channel, size_t step)
{
    source = (Source){ .dma = isa_dma_of(isa_test_bus(), channel), .step = step };
    for (unsigned i = 0; i < sizeof(source.bytes); i++) {
        source.bytes[i] = i + 1;
    }
    source.dma->attach(source.dma, channel, transfer, &source);
    return &source;
}

static void expect_memory(uint64_t addr, const char *hex)
{
    uint8_t bytes[16];
    g_autoptr(GString) got = g_string_new(NULL);

    dma_read(address_space_system(), addr, MEM_TX_NONE, bytes, strlen(hex) / 2);
    for (size_t i = 0; i < strlen(hex) / 2; i++) {
        g_string_append_printf(got, "%02x", bytes[i]);
    }
    g_assert_cmpstr(got->str, ==, hex);
}

static void clear_memory(void)
{
    uint8_t zeros[256] = { 0 };

    for (uint64_t at = 0; at < MiB; at += sizeof(zeros)) {
        dma_write(address_space_system(), at, MEM_TX_NONE, zeros, sizeof(zeros));
    }
}

static void out16(uint16_t port, uint16_t value)
{
    outb(port, value);
    outb(port, value >> 8);
}

static uint16_t in16(uint16_t port)
{
    uint16_t value = inb(port);

    return value | inb(port) << 8;
}

/* Channel 2, as a floppy's: 8 bytes at 0x123fe, `mode`. */
static void program(uint8_t mode, uint16_t count)
{
    outb(0x0a, 4 | 2);
    outb(0x0c, 0);
    outb(0x0b, mode | 2);
    out16(0x04, 0x23fe);
    out16(0x05, count - 1);
    outb(0x81, 1);
    outb(0x0a, 2);
}

static void start(void)
{
    clear_memory();
    device_reset(low);
    device_reset(high);
}

static void test_to_memory(void)
{
    Source *s = attach(2, 3);

    start();
    program(0x44, 8);
    s->dma->request(s->dma, 2, true);
    g_assert_cmpuint(s->calls, ==, 1);
    g_assert_cmpuint(s->channel, ==, 2);
    g_assert_cmpuint(s->total, ==, 8);
    expect_memory(0x123fc, "0000010203000000");
    g_assert_cmphex(in16(0x05), ==, 4);
    g_assert_cmphex(in16(0x04), ==, 0x2401);
    g_assert_cmphex(inb(0x08), ==, 0x40);
    s->step = 100;
    s->dma->request(s->dma, 2, true);
    s->dma->request(s->dma, 2, false);
    expect_memory(0x123fe, "0102030102030405");
    g_assert_cmphex(in16(0x05), ==, 0xffff);
    g_assert_cmphex(inb(0x08), ==, 0x04);
    g_assert_cmphex(inb(0x08), ==, 0x00);
    g_assert_cmphex(inb(0x0f), ==, 0x0f);
}

static void test_masked(void)
{
    Source *s = attach(2, 100);

    start();
    program(0x44, 8);
    outb(0x0a, 4 | 2);
    s->dma->request(s->dma, 2, true);
    g_assert_cmpuint(s->calls, ==, 0);
    outb(0x08, 4); /* the controller is off */
    outb(0x0e, 0);
    g_assert_cmpuint(s->calls, ==, 0);
    outb(0x08, 0);
    g_assert_cmpuint(s->calls, ==, 1);
    s->dma->request(s->dma, 2, false);
    /* Cascaded, it is not its own. */
    program(0xc0, 8);
    s->dma->request(s->dma, 2, true);
    g_assert_cmpuint(s->calls, ==, 1);
    s->dma->request(s->dma, 2, false);
    /* A guest's request stands for the device's, until the block's end. */
    program(0x44, 8);
    outb(0x09, 4 | 2);
    g_assert_cmpuint(s->calls, ==, 2);
    g_assert_cmphex(inb(0x08), ==, 0x04);
    outb(0x0d, 0);
    g_assert_cmphex(inb(0x0f), ==, 0x0f);
}

static void test_from_memory(void)
{
    Source *s = attach(2, 100);

    start();
    dma_write(address_space_system(), 0x123fe, MEM_TX_NONE, "abcdefgh", 8);
    program(0x58, 4); /* auto init */
    g_assert_true(s->dma->is_auto_init(s->dma, 2));
    s->dma->request(s->dma, 2, true);
    g_assert_cmpint(memcmp(s->bytes, "abcd\5", 5), ==, 0);
    g_assert_cmphex(in16(0x05), ==, 3);
    g_assert_cmphex(in16(0x04), ==, 0x23fe);
    s->dma->request(s->dma, 2, true);
    g_assert_cmpuint(s->calls, ==, 2);
    s->dma->request(s->dma, 2, false);
}

static void test_down_and_wrap(void)
{
    Source *s = attach(2, 100);

    start();
    program(0x64, 4);
    s->dma->request(s->dma, 2, true);
    expect_memory(0x123fa, "0004030201000000");
    s->dma->request(s->dma, 2, false);
    outb(0x0c, 0);
    outb(0x0b, 0x46);
    out16(0x04, 0xfffe);
    out16(0x05, 3);
    outb(0x0a, 2);
    s->dma->request(s->dma, 2, true);
    expect_memory(0x1fffe, "01020000");
    expect_memory(0x10000, "0304");
    s->dma->request(s->dma, 2, false);
}

static void test_words(void)
{
    Source *s = attach(5, 100);

    start();
    outb(0xd8, 0);
    outb(0xd6, 0x45);
    out16(0xc4, 0x0100);
    out16(0xc6, 1);
    outb(0x8b, 0x03); /* bit 0 does not count */
    outb(0xd4, 1);
    s->dma->request(s->dma, 5, true);
    g_assert_cmpuint(s->total, ==, 4);
    expect_memory(0x20200, "0102030400");
    g_assert_cmphex(inb(0xd0), ==, 0x22);
    s->dma->request(s->dma, 5, false);
    outb(0x481, 0x12);
    outb(0x87, 0x34);
    g_assert_cmphex(inb(0x481), ==, 0x12);
    g_assert_cmphex(inb(0x87), ==, 0x34);
    g_assert_cmphex(inb(0x81), ==, 0);
}

/* What it is asked for beyond the block is left out. */
static void test_limits(void)
{
    Source *s = attach(2, 100);
    uint8_t bytes[8];

    start();
    program(0x44, 4);
    s->dma->write(s->dma, 2, 2, s->bytes, 100);
    expect_memory(0x123fe, "0000010200000000");
    memset(bytes, 0x55, sizeof(bytes));
    s->dma->read(s->dma, 2, SIZE_MAX, bytes, sizeof(bytes));
    g_assert_cmphex(bytes[7], ==, 0);
    g_assert_null(isa_dma_of(isa_test_bus(), 8));
}

static void test_state(void)
{
    Source *s = attach(2, 3);

    start();
    program(0x44, 8);
    s->dma->request(s->dma, 2, true);
    isa_test_copy_state(low, low);
    g_assert_cmphex(in16(0x05), ==, 4);
    s->dma->request(s->dma, 2, false);
}

int main(int argc, char **argv)
{
    static MemoryRegion ram;

    isa_test_start(&argc, &argv);
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", MiB, NULL));
    memory_region_add(memory_region_system(), 0, &ram);
    low = isa_test_add("i8257");
    high = device_new("i8257");
    object_set_int(high, "base", 0xc0, NULL);
    object_set_int(high, "page-base", 0x88, NULL);
    object_set_int(high, "pageh-base", -1, NULL);
    g_assert_false(device_realize(high, &isa_test_bus()->parent, NULL));
    object_set_int(high, "dshift", 1, NULL);
    isa_test_realize(high);
    g_test_add_func("/i8257/to-memory", test_to_memory);
    g_test_add_func("/i8257/masked", test_masked);
    g_test_add_func("/i8257/from-memory", test_from_memory);
    g_test_add_func("/i8257/down-and-wrap", test_down_and_wrap);
    g_test_add_func("/i8257/words", test_words);
    g_test_add_func("/i8257/limits", test_limits);
    g_test_add_func("/i8257/state", test_state);
    return isa_test_run();
}
