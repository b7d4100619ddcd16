/*
 * A floppy controller with a drive, driven as a guest would: Intel 82078 data sheet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/fdc.h"
#include "hw/core/disk_test_medium.h"
#include "hw/isa/isa_test.h"

#define BASE 0x3f0
enum { DOR = BASE + 2, MSR = BASE + 4, FIFO = BASE + 5, DIR_PORT = BASE + 7 };
#define BUFFER 0x8000

typedef struct Fixture {
    Device *dma, *fdc, *floppy;
    TestMedium disk;
} Fixture;

static void set_up(Fixture *f, const void *unused)
{
    test_medium_init(&f->disk, 2880);
    f->dma = device_new("i8257");
    object_set_int(f->dma, "base", 0, NULL);
    object_set_int(f->dma, "page-base", 0x80, NULL);
    object_set_int(f->dma, "dshift", 0, NULL);
    isa_test_realize(f->dma);
    f->fdc = isa_test_add(TYPE_ISA_FDC);
    f->floppy = device_new(TYPE_FLOPPY);
    floppy_set_medium(f->floppy, &f->disk.parent);
    g_assert_true(device_realize_and_unref(f->floppy, bus_find("floppy-bus.0", NULL), NULL));
    device_reset(f->fdc);
}

static void tear_down(Fixture *f, const void *unused)
{
    device_delete(f->fdc);
    device_delete(f->dma);
    test_medium_clear(&f->disk);
}

static void send(const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_assert_cmphex(inb(MSR) & 0xc0, ==, 0x80);
        outb(FIFO, bytes[i]);
    }
}
#define SEND(...) send((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void expect(const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_assert_cmphex(inb(MSR), ==, 0xd0);
        g_assert_cmphex(inb(FIFO), ==, bytes[i]);
    }
    g_assert_cmphex(inb(MSR), ==, 0x80);
}
#define EXPECT(...)                                                                                \
    expect((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void test_reset(Fixture *f, const void *unused)
{
    g_assert_cmphex(inb(BASE + 1), ==, 0xc0);
    g_assert_cmphex(inb(DOR), ==, 0x0c);
    SEND(0x08);
    EXPECT(0x80); /* nothing to sense */
    outb(DOR, 0);
    g_assert_cmphex(inb(MSR), ==, 0);
    outb(DOR, 0x0c);
    g_assert_true(isa_test_irq(6));
    for (unsigned n = 0; n < 4; n++) {
        SEND(0x08);
        g_assert_false(isa_test_irq(6));
        EXPECT(0xc0 + n, 0);
    }
    SEND(0x08);
    EXPECT(0x80);
    outb(MSR, 0x80); /* DSR */
    g_assert_true(isa_test_irq(6));
}

static void test_answers(Fixture *f, const void *unused)
{
    SEND(0x10);
    EXPECT(0x90);
    SEND(0x18);
    EXPECT(0x41);
    SEND(0x0e);
    EXPECT(0, 0, 0, 0, 0, 1, 18, 0, 0x60, 0);
    SEND(0x13, 0, 0x57, 3);
    SEND(0x94);
    EXPECT(0x10);
    SEND(0x12, 0x84);
    SEND(0x03, 0xdf, 2);
    outb(DOR, 0);
    outb(DOR, 0x0c); /* a locked configuration stays */
    SEND(0x0e);
    EXPECT(0, 0, 0, 0, 0xdf, 2, 18, 0x80, 0x57, 3);
    SEND(0x14);
    EXPECT(0);
    SEND(0x04, 0x01);
    EXPECT(0x79);
    SEND(0x04, 0x04);
    EXPECT(0x3c);
    SEND(0x1f);
    EXPECT(0x80);
}

static void test_seek(Fixture *f, const void *unused)
{
    g_assert_cmphex(inb(DIR_PORT), ==, 0x80); /* a disk came */
    SEND(0x0f, 0, 5);
    g_assert_true(isa_test_irq(6));
    SEND(0x08);
    EXPECT(0x20, 5);
    g_assert_cmphex(inb(DIR_PORT), ==, 0);
    SEND(0xcf, 0, 3);
    SEND(0x08);
    EXPECT(0x20, 8);
    SEND(0x8f, 0, 2);
    SEND(0x08);
    EXPECT(0x20, 6);
    SEND(0x07, 0);
    SEND(0x08);
    EXPECT(0x20, 0);
    floppy_set_medium(f->floppy, NULL);
    g_assert_cmphex(inb(DIR_PORT), ==, 0x80);
    SEND(0x0f, 0, 9);
    SEND(0x08);
    EXPECT(0x20, 9);
    g_assert_cmphex(inb(DIR_PORT), ==, 0x80); /* no disk: it stays */
}

static void test_read_id(Fixture *f, const void *unused)
{
    SEND(0x0f, 0, 8);
    SEND(0x08);
    EXPECT(0x20, 8);
    SEND(0x4a, 4);
    g_assert_cmphex(inb(MSR), ==, 0x10);
    clock_qtest_step(NS_PER_SEC / 50);
    EXPECT(0x04, 0, 0, 8, 1, 1, 2);
    floppy_set_medium(f->floppy, NULL);
    SEND(0x4a, 0);
    clock_qtest_step(NS_PER_SEC / 50);
    EXPECT(0x40, 1, 0, 0, 0, 0, 0);
}

/* Channel 2: mode, address, page, count. */
static void set_dma(uint8_t mode, uint16_t bytes)
{
    outb(0x0c, 0);
    outb(0x0b, mode | 2);
    outb(0x04, BUFFER & 0xff);
    outb(0x04, BUFFER >> 8);
    outb(0x81, 0);
    outb(0x05, (bytes - 1) & 0xff);
    outb(0x05, (bytes - 1) >> 8);
    outb(0x0a, 2);
}

static uint32_t memory(uint32_t at)
{
    uint64_t value;

    address_space_load(address_space_system(), BUFFER + at, MEM_LE32, MEM_TX_NONE, &value);
    return value;
}

static void test_read_dma(Fixture *f, const void *unused)
{
    set_dma(0x44, 1024);
    SEND(0xe6, 0, 1, 0, 18, 2, 18, 0x1b, 0xff);
    g_assert_true(isa_test_irq(6));
    EXPECT(0x04, 0, 0, 1, 1, 2, 2); /* on the other side */
    g_assert_false(isa_test_irq(6));
    g_assert_cmpuint(memory(0), ==, 36 + 17);
    g_assert_cmpuint(memory(512), ==, 36 + 18);
    f->disk.is_deferred = true; /* the same, waiting for the disk */
    set_dma(0x44, 512);
    SEND(0xe6, 0, 0, 0, 3, 2, 18, 0x1b, 0xff);
    g_assert_cmphex(inb(MSR) & 0x90, ==, 0x10);
    test_medium_answer(&f->disk);
    EXPECT(0x00, 0, 0, 0, 0, 4, 2);
    g_assert_cmpuint(memory(0), ==, 2);
}

static void test_write_dma(Fixture *f, const void *unused)
{
    address_space_store(address_space_system(), BUFFER, MEM_LE32, MEM_TX_NONE, 0xfeedbeef);
    set_dma(0x48, 256); /* half a sector: zeros behind */
    SEND(0xc5, 0, 0, 0, 2, 2, 18, 0x1b, 0xff);
    EXPECT(0x00, 0, 0, 0, 0, 3, 2);
    g_assert_cmphex(load_le32(f->disk.bytes + 512), ==, 0xfeedbeef);
    g_assert_cmphex(load_le32(f->disk.bytes + 512 + 256), ==, 0);
    f->disk.parent.is_read_only = true;
    SEND(0xc5, 0, 0, 0, 2, 2, 18, 0x1b, 0xff);
    EXPECT(0x40, 0x02, 0, 0, 0, 2, 2);
}

static void test_read_pio(Fixture *f, const void *unused)
{
    outb(DOR, 0x04); /* no DMA */
    SEND(0xe6, 0, 0, 0, 1, 2, 1, 0x1b, 0);
    for (unsigned i = 0; i < 1024; i++) {
        g_assert_cmphex(inb(MSR), ==, 0xf0);
        g_assert_true(isa_test_irq(6));
        g_assert_cmphex(inb(FIFO), ==, i % 4 ? 0 : i < 512 ? 0 : 18);
    }
    g_assert_cmphex(inb(MSR), ==, 0xd0);
    g_assert_cmphex(inb(FIFO) & 0xc0, ==, 0);
    for (unsigned i = 0; i < 6; i++) {
        inb(FIFO);
    }
    g_assert_cmphex(inb(MSR), ==, 0x80);
}

static void test_scan_format_verify(Fixture *f, const void *unused)
{
    outb(DOR, 0x04);
    SEND(0x51, 0, 0, 0, 3, 2, 3, 0x1b, 1); /* SCAN EQUAL: sector 3 holds 2s */
    for (unsigned i = 0; i < 512; i++) {
        outb(FIFO, i % 8 == 0 ? 2 : i % 4 ? 0 : 0xff);
    }
    g_assert_cmphex(inb(FIFO), ==, 0);
    g_assert_cmphex(inb(FIFO), ==, 0);
    g_assert_cmphex(inb(FIFO), ==, 0x08); /* hit */
    for (unsigned i = 0; i < 4; i++) {
        inb(FIFO);
    }
    SEND(0x4d, 0, 2, 1, 0x1b, 0xf6); /* FORMAT: one sector */
    for (const char *entry = "\0\0\5\2"; entry; entry = NULL) {
        for (unsigned i = 0; i < 4; i++) {
            outb(FIFO, entry[i]);
        }
    }
    g_assert_cmphex(inb(FIFO), ==, 0);
    for (unsigned i = 0; i < 6; i++) {
        inb(FIFO);
    }
    g_assert_cmphex(load_le32(f->disk.bytes + 4 * 512), ==, 0xf6f6f6f6u);
    SEND(0x56, 0, 0, 0, 1, 2, 18, 0x1b, 0xff); /* VERIFY */
    g_assert_cmphex(inb(FIFO), ==, 0);
    for (unsigned i = 0; i < 6; i++) {
        inb(FIFO);
    }
    f->disk.error = EIO;
    SEND(0x56, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    EXPECT(0x40, 0x20, 0x20, 0, 0, 1, 2);
}

static void test_no_medium(Fixture *f, const void *unused)
{
    floppy_set_medium(f->floppy, NULL);
    SEND(0xe6, 0, 0, 0, 1, 2, 1, 0x1b, 0xff);
    g_assert_cmphex(inb(MSR), ==, 0xd0);
    EXPECT(0x40, 0x01, 0, 0, 0, 1, 2);
    g_assert_cmpint(fdc_drive_type(f->fdc, 0), ==, FDC_DRIVE_144);
    g_assert_cmpint(fdc_drive_type(f->fdc, 1), ==, FDC_DRIVE_NONE);
}

#define ADD(name, fn) g_test_add("/fdc/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    static MemoryRegion ram;

    isa_test_start(&argc, &argv);
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", MiB, NULL));
    memory_region_add(memory_region_system(), 0, &ram);
    ADD("reset", test_reset);
    ADD("answers", test_answers);
    ADD("seek", test_seek);
    ADD("read-id", test_read_id);
    ADD("read-dma", test_read_dma);
    ADD("write-dma", test_write_dma);
    ADD("read-pio", test_read_pio);
    ADD("scan-format-verify", test_scan_format_verify);
    ADD("no-medium", test_no_medium);
    return isa_test_run();
}
