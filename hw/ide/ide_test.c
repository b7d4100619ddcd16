/*
 * A PIIX3's IDE function with a disk and a CD drive, driven as a guest would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/disk_geometry.h"
#include "hw/core/disk_test_medium.h"
#include "hw/ide/ide_bus.h"
#include "hw/ide/ide_device.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define DEVFN    PCI_DEVFN(4, 1)
#define BM       0xc000
#define SECTORS  4096
#define BASE     0x1f0
#define CONTROL  0x3f6
#define CD_BASE  0x170
#define READY    (IDE_ST_DRDY | IDE_ST_DSC)

typedef struct Fixture {
    Device *ide, *disk, *cd;
    TestMedium medium, disc;
} Fixture;

static void out(uint32_t port, MemFormat format, uint32_t value)
{
    address_space_store(address_space_io(), port, format, MEM_TX_NONE, value);
}

static uint32_t in(uint32_t port, MemFormat format)
{
    uint64_t value;

    address_space_load(address_space_io(), port, format, MEM_TX_NONE, &value);
    return value;
}

static int irq(Fixture *f, unsigned n)
{
    return irq_level(device_irq_out(f->ide, NULL, n));
}

static Device *plug(const char *type, const char *bus, DiskMedium *medium)
{
    Device *dev = device_new(type);
    g_autoptr(Error) err = NULL;

    ide_device_set_medium(dev, medium);
    object_set_text(dev, "serial", "ab1", NULL);
    device_realize_and_unref(dev, bus_find(bus, TYPE_IDE_BUS), &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    device_reset(dev);
    return dev;
}

static void set_up(Fixture *f, const void *unused)
{
    test_medium_init(&f->medium, SECTORS);
    test_medium_init(&f->disc, 400);
    f->ide = test_add("{'driver':'piix3-ide','addr':'4.1'}", NULL);
    g_assert_nonnull(f->ide);
    f->disk = plug("ide-hd", "ide.0", &f->medium.parent);
    f->cd = plug("ide-cd", "ide.1", &f->disc.parent);
    test_config_put(DEVFN, PCI_BAR0 + 16, MEM_LE32, BM);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

static void tear_down(Fixture *f, const void *unused)
{
    device_delete(f->ide);
    test_medium_clear(&f->medium);
    test_medium_clear(&f->disc);
}

static void load_lba(uint32_t lba, unsigned count)
{
    out(BASE + IDE_COUNT, MEM_8, count);
    out(BASE + IDE_LBA_LOW, MEM_8, lba);
    out(BASE + IDE_LBA_MID, MEM_8, lba >> 8);
    out(BASE + IDE_LBA_HIGH, MEM_8, lba >> 16);
    out(BASE + IDE_DEVICE, MEM_8, 0xa0 | IDE_DEV_LBA | lba >> 24);
}

static void command(uint32_t lba, unsigned count, uint8_t code)
{
    load_lba(lba, count);
    out(BASE + IDE_COMMAND, MEM_8, code);
}

/* --- registers --- */

static void test_config(Fixture *f, const void *unused)
{
    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x70108086);
    g_assert_cmphex(test_config_get(DEVFN, 8, MEM_LE32), ==, 0x01018000);
    test_config_put(DEVFN, 0x40, MEM_LE32, 0x80008000);
    g_assert_cmphex(test_config_get(DEVFN, 0x40, MEM_LE32), ==, 0x80008000);
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 0);
    out(BM + 2, MEM_8, 0x60);
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 0x60);
    out(BM + 4, MEM_LE32, 0x12345677);
    g_assert_cmphex(in(BM + 4, MEM_LE32), ==, 0x12345674);
}

static void test_signature(Fixture *f, const void *unused)
{
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_cmphex(in(BASE + IDE_COUNT, MEM_8), ==, 1);
    g_assert_cmphex(in(CD_BASE + IDE_LBA_MID, MEM_8), ==, 0x14);
    g_assert_cmphex(in(CD_BASE + IDE_LBA_HIGH, MEM_8), ==, 0xeb);
    out(BASE + IDE_DEVICE, MEM_8, 0xb0); /* nobody is there */
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, 0);
    out(BASE + IDE_COMMAND, MEM_8, 0xec);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, 0);
    out(BASE + IDE_COMMAND, MEM_8, 0x90); /* diagnostics select drive 0 */
    g_assert_cmphex(in(BASE + IDE_DEVICE, MEM_8), ==, 0xa0);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, 1);
    g_assert_true(irq(f, 0));
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_false(irq(f, 0));
}

static void test_soft_reset(Fixture *f, const void *unused)
{
    command(5, 1, 0x20);
    out(CONTROL, MEM_8, IDE_CTL_SRST);
    g_assert_cmphex(in(CONTROL, MEM_8), ==, IDE_ST_BSY);
    out(CONTROL, MEM_8, 0);
    g_assert_cmphex(in(CONTROL, MEM_8), ==, READY);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, 1);
    g_assert_cmphex(in(BASE + IDE_LBA_LOW, MEM_8), ==, 1);
    g_assert_false(irq(f, 0));
    out(0x376, MEM_8, IDE_CTL_SRST);
    out(0x376, MEM_8, 0);
    g_assert_cmphex(in(CD_BASE + IDE_STATUS, MEM_8), ==, 0);
    g_assert_cmphex(in(CD_BASE + IDE_LBA_HIGH, MEM_8), ==, 0xeb);
}

/* The registers are two deep; HOB shows the older byte, and any write ends it. */
static void test_hob(Fixture *f, const void *unused)
{
    out(BASE + IDE_COUNT, MEM_8, 0x12);
    out(BASE + IDE_COUNT, MEM_8, 0x34);
    g_assert_cmphex(in(BASE + IDE_COUNT, MEM_8), ==, 0x34);
    out(CONTROL, MEM_8, IDE_CTL_HOB);
    g_assert_cmphex(in(BASE + IDE_COUNT, MEM_8), ==, 0x12);
    out(BASE + IDE_FEATURES, MEM_8, 0);
    g_assert_cmphex(in(BASE + IDE_COUNT, MEM_8), ==, 0x34);
}

static void test_nien(Fixture *f, const void *unused)
{
    out(CONTROL, MEM_8, IDE_CTL_NIEN);
    command(0, 0, 0xe7);
    g_assert_false(irq(f, 0));
    out(CONTROL, MEM_8, 0); /* it is still pending */
    g_assert_true(irq(f, 0));
    in(CONTROL, MEM_8);
    g_assert_true(irq(f, 0));
    in(BASE + IDE_STATUS, MEM_8);
    g_assert_false(irq(f, 0));
    g_assert_cmpuint(f->medium.flushes, ==, 1);
}

/* --- PIO --- */

static void read_words(uint32_t base, uint16_t *words)
{
    for (unsigned i = 0; i < 256; i++) {
        words[i] = in(base, MEM_LE16);
    }
}

static void test_identify(Fixture *f, const void *unused)
{
    uint16_t words[256];

    out(BASE + IDE_COMMAND, MEM_8, 0xec);
    g_assert_true(irq(f, 0));
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY | IDE_ST_DRQ);
    read_words(BASE, words);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_cmphex(words[0], ==, 0x0040);
    g_assert_cmpuint(words[1], ==, 4);
    g_assert_cmpuint(words[3], ==, 16);
    g_assert_cmpuint(words[6], ==, 63);
    g_assert_cmphex(words[10], ==, 'a' << 8 | 'b');
    g_assert_cmphex(words[11], ==, '1' << 8 | ' ');
    g_assert_cmphex(words[23], ==, '2' << 8 | '.');
    g_assert_cmphex(words[27], ==, 'Q' << 8 | 'E');
    g_assert_cmphex(words[47], ==, 0x8010);
    g_assert_cmpuint(words[60], ==, SECTORS);
    g_assert_cmpuint(words[100], ==, SECTORS);
    g_assert_cmphex(words[88], ==, 0x203f);
    g_assert_cmphex(words[85], ==, 0x4021);
    out(BASE + IDE_FEATURES, MEM_8, 0x82);
    out(BASE + IDE_COMMAND, MEM_8, 0xef);
    out(BASE + IDE_COMMAND, MEM_8, 0xec);
    read_words(BASE, words);
    g_assert_cmphex(words[85], ==, 0x4001);
    out(CD_BASE + IDE_COMMAND, MEM_8, 0xec); /* of a CD drive: aborted, with its signature */
    g_assert_cmphex(in(CD_BASE + IDE_STATUS, MEM_8), ==, READY | IDE_ST_ERR);
    g_assert_cmphex(in(CD_BASE + IDE_ERROR, MEM_8), ==, IDE_ER_ABRT);
    g_assert_cmphex(in(CD_BASE + IDE_LBA_MID, MEM_8), ==, 0x14);
    out(CD_BASE + IDE_COMMAND, MEM_8, 0xa1);
    read_words(CD_BASE, words);
    g_assert_cmphex(words[0], ==, 0x85c0);
}

static void test_read_pio(Fixture *f, const void *unused)
{
    command(7, 2, 0x20);
    for (unsigned n = 7; n < 9; n++) {
        g_assert_true(irq(f, 0));
        g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY | IDE_ST_DRQ);
        for (unsigned i = 0; i < 128; i++) {
            g_assert_cmpuint(in(BASE, MEM_LE32), ==, n);
        }
    }
    g_assert_false(irq(f, 0));
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_cmphex(in(BASE, MEM_LE16), ==, 0); /* there is no more */
}

static void test_write_pio(Fixture *f, const void *unused)
{
    command(9, 2, 0x30);
    g_assert_false(irq(f, 0)); /* not for the first block */
    for (unsigned i = 0; i < 512; i++) {
        g_assert_cmphex(in(CONTROL, MEM_8) & IDE_ST_DRQ, ==, IDE_ST_DRQ);
        out(BASE, MEM_LE16, 0x5500 + i);
    }
    g_assert_true(irq(f, 0));
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_cmphex(load_le16(f->medium.bytes + 9 * 512), ==, 0x5500);
    g_assert_cmphex(load_le16(f->medium.bytes + 11 * 512 - 2), ==, 0x56ff);
    g_assert_cmphex(load_le16(f->medium.bytes + 11 * 512), ==, 11);
}

static void test_multiple(Fixture *f, const void *unused)
{
    unsigned blocks = 0;

    command(0, 3, 0xc6);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8) & IDE_ST_ERR, ==, IDE_ST_ERR);
    command(0, 8, 0xc6);
    command(100, 20, 0xc4);
    for (unsigned i = 0; i < 20 * 128; i++) {
        blocks += irq(f, 0);
        in(BASE + IDE_STATUS, MEM_8);
        g_assert_cmpuint(in(BASE, MEM_LE32), ==, 100 + i / 128);
    }
    g_assert_cmpuint(blocks, ==, 3); /* 8, 8, 4 */
    command(0, 0, 0xc6);
    command(100, 20, 0xc4);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_ABRT);
}

static void test_chs(Fixture *f, const void *unused)
{
    out(BASE + IDE_COUNT, MEM_8, 1);
    out(BASE + IDE_LBA_LOW, MEM_8, 5);
    out(BASE + IDE_LBA_MID, MEM_8, 1);
    out(BASE + IDE_LBA_HIGH, MEM_8, 0);
    out(BASE + IDE_DEVICE, MEM_8, 0xa2);
    out(BASE + IDE_COMMAND, MEM_8, 0x20);
    g_assert_cmpuint(in(BASE, MEM_LE32), ==, (16 + 2) * 63 + 4);
    out(BASE + IDE_COMMAND, MEM_8, 0x08); /* busy: not taken */
    out(CONTROL, MEM_8, IDE_CTL_SRST);
    out(CONTROL, MEM_8, 0);
    out(BASE + IDE_LBA_LOW, MEM_8, 64); /* there are 63 */
    out(BASE + IDE_COMMAND, MEM_8, 0x20);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_IDNF | IDE_ER_ABRT);
    out(BASE + IDE_COUNT, MEM_8, 32); /* INITIALIZE DEVICE PARAMETERS: 32 sectors, 4 heads */
    out(BASE + IDE_DEVICE, MEM_8, 0xa3);
    out(BASE + IDE_COMMAND, MEM_8, 0x91);
    out(BASE + IDE_COUNT, MEM_8, 1);
    out(BASE + IDE_LBA_LOW, MEM_8, 1);
    out(BASE + IDE_LBA_MID, MEM_8, 1);
    out(BASE + IDE_LBA_HIGH, MEM_8, 0);
    out(BASE + IDE_DEVICE, MEM_8, 0xa1);
    out(BASE + IDE_COMMAND, MEM_8, 0x20);
    g_assert_cmpuint(in(BASE, MEM_LE32), ==, 5 * 32);
}

static void test_limits(Fixture *f, const void *unused)
{
    command(SECTORS - 1, 2, 0x20);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY | IDE_ST_ERR);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_IDNF | IDE_ER_ABRT);
    command(0, 0, 0xf8);
    g_assert_cmphex(in(BASE + IDE_LBA_LOW, MEM_8), ==, (SECTORS - 1) & 0xff);
    g_assert_cmphex(in(BASE + IDE_LBA_MID, MEM_8), ==, (SECTORS - 1) >> 8);
    command(0, 1, 0x55);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_ABRT);
    f->medium.error = EIO;
    command(3, 1, 0x20);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_UNC);
    g_assert_true(irq(f, 0));
    command(3, 4, 0x40);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_UNC);
    f->medium.error = 0;
    command(3, 4, 0x40);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    f->medium.parent.is_read_only = true;
    command(3, 1, 0x30);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_ABRT);
}

static void test_smart(Fixture *f, const void *unused)
{
    uint16_t words[256];
    uint8_t sum = 0;

    out(BASE + IDE_FEATURES, MEM_8, 0xda);
    command(0xc24f00, 0, 0xb0);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_cmphex(in(BASE + IDE_LBA_MID, MEM_8), ==, 0x4f);
    out(BASE + IDE_FEATURES, MEM_8, 0xd0);
    command(0xc24f00, 0, 0xb0);
    read_words(BASE, words);
    for (unsigned i = 0; i < 512; i++) {
        sum += words[i / 2] >> (i & 1) * 8;
    }
    g_assert_cmphex(sum, ==, 0);
    g_assert_cmphex(words[0], ==, 1);
    out(BASE + IDE_FEATURES, MEM_8, 0xd9);
    command(0xc24f00, 0, 0xb0);
    out(BASE + IDE_FEATURES, MEM_8, 0xd0);
    command(0xc24f00, 0, 0xb0);
    g_assert_cmphex(in(BASE + IDE_ERROR, MEM_8), ==, IDE_ER_ABRT);
}

/* --- DMA --- */

static void put_prd(unsigned n, uint32_t addr, uint32_t count)
{
    test_put(0x1000 + 8 * n, MEM_LE32, addr);
    test_put(0x1004 + 8 * n, MEM_LE32, count);
}

static void start_dma(uint8_t direction)
{
    out(BM, MEM_8, 0);
    out(BM + 2, MEM_8, 6);
    out(BM + 4, MEM_LE32, 0x1000);
    out(BM, MEM_8, direction | 1);
}

static void test_dma(Fixture *f, const void *unused)
{
    put_prd(0, 0x10000, 512);
    put_prd(1, 0x20000, 512 * 299 | BIT(31));
    test_put(0x1008 + 4, MEM_LE32, 0);
    put_prd(1, 0x20000, 0);             /* 64 KiB */
    put_prd(2, 0x40000, 0);
    put_prd(3, 0x60000, (299 * 512 - 0x20000) | BIT(31));
    /* LBA48: 300 sectors from 1000 */
    out(BASE + IDE_DEVICE, MEM_8, 0xa0 | IDE_DEV_LBA);
    out(BASE + IDE_COUNT, MEM_8, 300 >> 8);
    out(BASE + IDE_COUNT, MEM_8, 300 & 0xff);
    out(BASE + IDE_LBA_LOW, MEM_8, 0);
    out(BASE + IDE_LBA_LOW, MEM_8, 1000 & 0xff);
    out(BASE + IDE_LBA_MID, MEM_8, 0);
    out(BASE + IDE_LBA_MID, MEM_8, 1000 >> 8);
    out(BASE + IDE_LBA_HIGH, MEM_8, 0);
    out(BASE + IDE_LBA_HIGH, MEM_8, 0);
    out(BASE + IDE_COMMAND, MEM_8, 0x25);
    g_assert_cmphex(in(CONTROL, MEM_8) & IDE_ST_DRQ, ==, IDE_ST_DRQ);
    g_assert_false(irq(f, 0));
    start_dma(8);
    g_assert_true(irq(f, 0));
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 4); /* exact: not active, interrupt */
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_cmpuint(test_get(0x10000, MEM_LE32), ==, 1000);
    g_assert_cmpuint(test_get(0x20000, MEM_LE32), ==, 1001);
    g_assert_cmpuint(test_get(0x60000 + (298 - 256) * 512, MEM_LE32), ==, 1299);
    /* and back, elsewhere: 2 sectors, the engine first */
    put_prd(0, 0x20000, 1024 | BIT(31));
    start_dma(0);
    command(50, 2, 0xca);
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 4);
    g_assert_cmpuint(load_le32(f->medium.bytes + 51 * 512), ==, 1002);
}

static void test_dma_tables(Fixture *f, const void *unused)
{
    put_prd(0, 0x10000, 256 | BIT(31)); /* too short: no interrupt */
    command(1, 1, 0xc8);
    start_dma(8);
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 0);
    g_assert_cmphex(in(CONTROL, MEM_8), ==, READY);
    g_assert_false(irq(f, 0));
    out(BM, MEM_8, 0);
    put_prd(0, 0x10000, 4096 | BIT(31)); /* too long: still active */
    command(1, 1, 0xc8);
    start_dma(8);
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 5);
    out(BM, MEM_8, 0);
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 4);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_IO); /* no bus master: lost */
    test_put(0x10000, MEM_LE32, 0xdeadbeef);
    command(1, 1, 0xc8);
    start_dma(8);
    g_assert_cmphex(in(BM + 2, MEM_8), ==, 5);
    g_assert_cmphex(test_get(0x10000, MEM_LE32), ==, 0xdeadbeef);
}

static void test_trim(Fixture *f, const void *unused)
{
    test_put(0x10000, MEM_LE64, UINT64_C(2) << 48 | 20);
    test_put(0x10008, MEM_LE64, 0);
    test_put(0x10010, MEM_LE64, UINT64_C(1) << 48 | 30);
    put_prd(0, 0x10000, 512 | BIT(31));
    for (unsigned i = 24; i < 512; i += 8) {
        test_put(0x10000 + i, MEM_LE64, 0);
    }
    out(BASE + IDE_FEATURES, MEM_8, 1);
    load_lba(0, 0);
    out(BASE + IDE_COUNT, MEM_8, 0);
    out(BASE + IDE_COUNT, MEM_8, 1);
    out(BASE + IDE_COMMAND, MEM_8, 0x06);
    start_dma(0);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
    g_assert_cmpuint(f->medium.discards, ==, 2);
    g_assert_cmpuint(load_le32(f->medium.bytes + 21 * 512), ==, 0);
    g_assert_cmpuint(load_le32(f->medium.bytes + 22 * 512), ==, 22);
    test_put(0x10010, MEM_LE64, UINT64_C(1) << 48 | SECTORS);
    out(BM, MEM_8, 0);
    out(BASE + IDE_COMMAND, MEM_8, 0x06);
    start_dma(0);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY | IDE_ST_ERR);
}

/* The medium takes its time: busy, and a reset ends it. */
static void test_deferred(Fixture *f, const void *unused)
{
    f->medium.is_deferred = true;
    command(5, 1, 0x20);
    g_assert_cmphex(in(CONTROL, MEM_8), ==, IDE_ST_BSY | IDE_ST_DRDY);
    g_assert_false(irq(f, 0));
    out(BASE + IDE_COUNT, MEM_8, 9); /* not while busy */
    test_medium_answer(&f->medium);
    g_assert_true(irq(f, 0));
    g_assert_cmpuint(in(BASE, MEM_LE32), ==, 5);
    out(CONTROL, MEM_8, IDE_CTL_SRST);
    out(CONTROL, MEM_8, 0);
    command(6, 1, 0x20);
    g_assert_cmpuint(f->medium.queued, ==, 1);
    out(CONTROL, MEM_8, IDE_CTL_SRST);
    g_assert_cmpuint(f->medium.queued, ==, 0);
    out(CONTROL, MEM_8, 0);
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
}

/* A transfer goes on after a migration in the middle of a sector. */
static void test_state(Fixture *f, const void *unused)
{
    const VMState *state = device_type_state(f->disk->parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;

    command(5, 2, 0x20);
    in(BASE, MEM_LE32);
    g_assert_true(vmstate_save(state, f->disk, &writer, NULL));
    device_reset(f->disk);
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, f->disk, &reader, NULL));
    for (unsigned i = 1; i < 256; i++) {
        g_assert_cmpuint(in(BASE, MEM_LE32), ==, 5 + i / 128);
    }
    g_assert_cmphex(in(BASE + IDE_STATUS, MEM_8), ==, READY);
}

/* --- ATAPI --- */

static void packet(unsigned limit, const uint8_t bytes[12])
{
    out(CD_BASE + IDE_FEATURES, MEM_8, 0);
    out(CD_BASE + IDE_LBA_MID, MEM_8, limit);
    out(CD_BASE + IDE_LBA_HIGH, MEM_8, limit >> 8);
    out(CD_BASE + IDE_COMMAND, MEM_8, 0xa0);
    g_assert_cmphex(in(CD_BASE + IDE_COUNT, MEM_8), ==, 1);
    for (unsigned i = 0; i < 12; i += 2) {
        out(CD_BASE, MEM_LE16, load_le16(bytes + i));
    }
}

static void test_cd_read(Fixture *f, const void *unused)
{
    static const uint8_t capacity[12] = { 0x25 }, read[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 2 },
                         beyond[12] = { 0x28, 0, 0, 0, 0, 100, 0, 0, 1 };

    packet(0xfffe, capacity);
    g_assert_cmphex(in(CD_BASE, MEM_LE32), ==, GUINT32_SWAP_LE_BE(99));
    g_assert_cmphex(in(CD_BASE, MEM_LE32), ==, GUINT32_SWAP_LE_BE(2048));
    g_assert_true(irq(f, 1));
    packet(1024, read);
    for (unsigned block = 0; block < 4; block++) {
        g_assert_cmphex(in(CD_BASE + IDE_COUNT, MEM_8), ==, 2);
        g_assert_cmphex(in(CD_BASE + IDE_LBA_HIGH, MEM_8), ==, 4);
        g_assert_cmphex(in(CD_BASE + IDE_STATUS, MEM_8) & IDE_ST_DRQ, ==, IDE_ST_DRQ);
        for (unsigned i = 0; i < 256; i++) {
            g_assert_cmpuint(in(CD_BASE, MEM_LE32), ==, 12 + (block * 1024 + i * 4) / 512);
        }
    }
    g_assert_cmphex(in(CD_BASE + IDE_COUNT, MEM_8), ==, 3);
    g_assert_cmphex(in(CD_BASE + IDE_STATUS, MEM_8), ==, READY);
    packet(1024, beyond);
    g_assert_cmphex(in(CD_BASE + IDE_ERROR, MEM_8), ==, 0x50);
}

static void test_cd_empty(Fixture *f, const void *unused)
{
    static const uint8_t ready[12] = { 0 }, sense[12] = { 3, 0, 0, 0, 18 },
                         eject[12] = { 0x1b, 0, 0, 0, 2 }, lock[12] = { 0x1e, 0, 0, 0, 1 };
    uint8_t data[18];

    ide_device_set_medium(f->cd, NULL);
    packet(0xfffe, ready);
    g_assert_cmphex(in(CD_BASE + IDE_ERROR, MEM_8), ==, 0x20);
    packet(0xfffe, sense);
    for (unsigned i = 0; i < 18; i += 2) {
        store_le16(data + i, in(CD_BASE, MEM_LE16));
    }
    g_assert_cmphex(data[2], ==, 2);
    g_assert_cmphex(data[12], ==, 0x3a);
    packet(0xfffe, lock);
    packet(0xfffe, eject);
    g_assert_cmphex(in(CD_BASE + IDE_ERROR, MEM_8), ==, 0x20);
    g_assert_true(ide_device_is_tray_locked(f->cd));
    out(CD_BASE + IDE_COMMAND, MEM_8, 0x08);
    g_assert_cmphex(in(CD_BASE + IDE_STATUS, MEM_8), ==, 0);
}

/* --- devices --- */

static void refuse(const char *options, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(test_add(options, &err));
    g_assert_cmpstr(error_text(err), ==, why);
}

static void test_refused(Fixture *f, const void *unused)
{
    refuse("{'driver':'ide-hd','bus':'ide.0'}", "No drive specified");
    refuse("{'driver':'ide-hd','bus':'ide.0','drive':'x'}",
           "Property 'ide-hd.drive' can't find value 'x'");
    refuse("{'driver':'ide-cd','bus':'ide.0','unit':0}", "IDE unit 0 is in use");
    refuse("{'driver':'ide-cd','bus':'ide.0','unit':2}",
           "Can't create IDE unit 2, bus supports only 2 units");
    plug("ide-cd", "ide.0", NULL);
    refuse("{'driver':'ide-cd','bus':'ide.0'}", "Bus 'ide.0' is full");
}

static void test_geometry(void)
{
    uint8_t mbr[512] = { 0 };
    DiskGeometry geometry;

    disk_geometry_guess(2097152, NULL, &geometry);
    g_assert_cmpuint(geometry.cyls, ==, 2080);
    g_assert_cmpint(geometry.translation, ==, DISK_TRANSLATION_LARGE);
    disk_geometry_guess(UINT64_C(1) << 40, NULL, &geometry);
    g_assert_cmpuint(geometry.cyls, ==, 16383);
    g_assert_cmpint(geometry.translation, ==, DISK_TRANSLATION_LBA);
    mbr[510] = 0x55;
    mbr[511] = 0xaa;
    mbr[446 + 5] = 7; /* 8 heads, 32 sectors */
    mbr[446 + 6] = 32;
    mbr[446 + 12] = 1;
    disk_geometry_guess(80 * 8 * 32, mbr, &geometry);
    g_assert_cmpuint(geometry.cyls, ==, 80);
    g_assert_cmpuint(geometry.heads, ==, 8);
    g_assert_cmpuint(geometry.secs, ==, 32);
    mbr[446 + 5] = 254; /* a BIOS' own */
    disk_geometry_guess(2097152, mbr, &geometry);
    g_assert_cmpuint(geometry.heads, ==, 16);
    g_assert_cmpint(geometry.translation, ==, DISK_TRANSLATION_LARGE);
}

#define ADD(name, fn) g_test_add("/ide/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    ADD("config", test_config);
    ADD("signature", test_signature);
    ADD("soft-reset", test_soft_reset);
    ADD("hob", test_hob);
    ADD("nien", test_nien);
    ADD("identify", test_identify);
    ADD("read-pio", test_read_pio);
    ADD("write-pio", test_write_pio);
    ADD("multiple", test_multiple);
    ADD("chs", test_chs);
    ADD("limits", test_limits);
    ADD("smart", test_smart);
    ADD("dma", test_dma);
    ADD("dma-tables", test_dma_tables);
    ADD("trim", test_trim);
    ADD("deferred", test_deferred);
    ADD("state", test_state);
    ADD("cd-read", test_cd_read);
    ADD("cd-empty", test_cd_empty);
    ADD("refused", test_refused);
    g_test_add_func("/ide/geometry", test_geometry);
    status = g_test_run();
    machine_unlock();
    return status;
}
