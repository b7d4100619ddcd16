/*
 * An AHCI adapter with a disk and a CD drive, driven as a guest would: AHCI 1.3.1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/disk_test_medium.h"
#include "hw/ide/ahci.h"
#include "hw/ide/ide_device.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"

#define DEVFN   PCI_DEVFN(5, 0)
#define ABAR    0xe0000000u
#define IDP     0xc040
#define SECTORS 4096
#define LIST    0x10000 /* guest memory: per port, list, frames, tables, data */
#define FRAMES  0x11000
#define TABLE   0x12000
#define DATA    0x20000

typedef struct Fixture {
    Device *ahci, *disk, *cd;
    TestMedium medium, disc;
} Fixture;

static uint32_t get(unsigned at)
{
    return test_get(ABAR + at, MEM_LE32);
}

static void put(unsigned at, uint32_t value)
{
    test_put(ABAR + at, MEM_LE32, value);
}

static unsigned px(unsigned port, unsigned at)
{
    return 0x100 + 0x80 * port + at;
}

static Device *plug(const char *type, const char *bus, DiskMedium *medium)
{
    Device *dev = device_new(type);
    g_autoptr(Error) err = NULL;

    ide_device_set_medium(dev, medium);
    device_realize_and_unref(dev, bus_find(bus, TYPE_IDE_BUS), &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    device_reset(dev);
    return dev;
}

static void start_port(unsigned port)
{
    uint32_t base = LIST + port * 0x4000;

    put(px(port, 0x00), base);
    put(px(port, 0x08), base + 0x1000);
    put(px(port, 0x14), UINT32_MAX);
    put(px(port, 0x18), get(px(port, 0x18)) | CMD_FRE);
    put(px(port, 0x18), get(px(port, 0x18)) | CMD_ST);
}

static void set_up(Fixture *f, const void *unused)
{
    test_medium_init(&f->medium, SECTORS);
    test_medium_init(&f->disc, 400);
    f->ahci = test_add("{'driver':'ahci','addr':'5'}", NULL);
    g_assert_nonnull(f->ahci);
    device_reset(f->ahci);
    f->disk = plug("ide-hd", "ide.0", &f->medium.parent);
    f->cd = plug("ide-cd", "ide.1", &f->disc.parent);
    test_config_put(DEVFN, PCI_BAR0 + 20, MEM_LE32, ABAR);
    test_config_put(DEVFN, PCI_BAR0 + 16, MEM_LE32, IDP);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16,
                    PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    put(0x04, GHC_AE | GHC_IE);
}

static void tear_down(Fixture *f, const void *unused)
{
    device_delete(f->ahci);
    test_medium_clear(&f->medium);
    test_medium_clear(&f->disc);
}

/* A register frame in a slot's table; descriptors come by put_prd(). */
typedef struct Frame {
    uint8_t command, device, control, flags; /* flags: of the header's first byte */
    uint16_t features, count;
    uint64_t lba;
    unsigned prds;
} Frame;

static uint32_t table_of(unsigned port, unsigned slot)
{
    return TABLE + port * 0x4000 + slot * 0x100;
}

static void put_frame(unsigned port, unsigned slot, Frame f)
{
    uint32_t header = LIST + port * 0x4000 + slot * 32, table = table_of(port, slot);
    const uint8_t fis[20] = {
        0x27, f.control ? 0 : 0x80, f.command, f.features, f.lba, f.lba >> 8, f.lba >> 16,
        f.device | 0x40, f.lba >> 24, f.lba >> 32, f.lba >> 40, f.features >> 8, f.count,
        f.count >> 8, 0, f.control == 0xff ? 0 : f.control,
    };

    test_put(header, MEM_LE32, 5 | f.flags | f.prds << 16);
    test_put(header + 4, MEM_LE32, 0);
    test_put(header + 8, MEM_LE64, table);
    for (unsigned i = 0; i < sizeof(fis); i++) {
        test_put(table + i, MEM_8, fis[i]);
    }
}

static void put_prd(unsigned port, unsigned slot, unsigned n, uint32_t addr, uint32_t bytes)
{
    uint32_t at = table_of(port, slot) + 0x80 + n * 16;

    test_put(at, MEM_LE64, addr);
    test_put(at + 12, MEM_LE32, bytes - 1);
}

static uint32_t transferred(unsigned port, unsigned slot)
{
    return test_get(LIST + port * 0x4000 + slot * 32 + 4, MEM_LE32);
}

/* --- registers --- */

static void test_config(Fixture *f, const void *unused)
{
    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x29228086);
    g_assert_cmphex(test_config_get(DEVFN, 8, MEM_LE32), ==, 0x01060102);
    g_assert_cmphex(test_config_get(DEVFN, 0x34, MEM_8), ==, 0x80);
    g_assert_cmphex(test_config_get(DEVFN, 0x80, MEM_LE32), ==, 0x0080a805);
    g_assert_cmphex(test_config_get(DEVFN, 0x90, MEM_8), ==, 0x40);
    g_assert_cmphex(test_config_get(DEVFN, 0xa8, MEM_LE32), ==, 0x00100012);
    g_assert_cmphex(test_config_get(DEVFN, 0xac, MEM_LE32), ==, 0x48);
}

static void test_registers(Fixture *f, const void *unused)
{
    g_assert_cmphex(get(0x00), ==, 0xc0141f05);
    g_assert_cmphex(get(0x0c), ==, 0x3f);
    g_assert_cmphex(get(0x10), ==, 0x10000);
    put(0x0c, 0);
    g_assert_cmphex(get(0x0c), ==, 0x3f);
    for (unsigned port = 0; port < 6; port++) {
        g_assert_cmphex(get(px(port, 0x18)), ==, 6);
        g_assert_cmphex(get(px(port, 0x20)), ==, 0x7f);
        g_assert_cmphex(get(px(port, 0x24)), ==, UINT32_MAX);
        g_assert_cmphex(get(px(port, 0x28)), ==, port < 2 ? 0x113 : 0);
    }
    put(px(0, 0x14), UINT32_MAX);
    g_assert_cmphex(get(px(0, 0x14)), ==, 0xfdc000ff);
    put(px(0, 0x38), 1); /* not started: nothing is issued */
    g_assert_cmphex(get(px(0, 0x38)), ==, 0);
    start_port(0);
    g_assert_cmphex(get(px(0, 0x18)) & 0xffff, ==, CMD_CR | CMD_FR | CMD_FRE | CMD_ST | 6);
    g_assert_cmphex(get(px(0, 0x20)), ==, 0x50);
    g_assert_cmphex(get(px(0, 0x24)), ==, 0x101);
    start_port(1);
    g_assert_cmphex(get(px(1, 0x24)), ==, 0xeb140101);
    put(px(0, 0x18), get(px(0, 0x18)) & ~CMD_ST);
    g_assert_cmphex(get(px(0, 0x18)) & 0xffff, ==, CMD_FR | CMD_FRE | 6);
    put(px(0, 0x2c), 1); /* COMRESET */
    put(px(0, 0x2c), 0);
    g_assert_cmphex(get(px(0, 0x20)), ==, 0x50);
    put(0x04, GHC_HR);
    g_assert_cmphex(get(0x04), ==, GHC_AE);
    g_assert_cmphex(get(px(0, 0x18)), ==, 6);
    g_assert_cmphex(get(px(0, 0x24)), ==, UINT32_MAX);
}

static void test_idp(Fixture *f, const void *unused)
{
    uint64_t value;

    address_space_store(address_space_io(), IDP + 16, MEM_LE32, MEM_TX_NONE, 0x0c);
    address_space_load(address_space_io(), IDP + 20, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, 0x3f);
    address_space_store(address_space_io(), IDP + 16, MEM_LE32, MEM_TX_NONE, px(2, 0));
    address_space_store(address_space_io(), IDP + 20, MEM_LE32, MEM_TX_NONE, 0x123400);
    g_assert_cmphex(get(px(2, 0)), ==, 0x123400);
}

/* --- commands --- */

static void test_identify(Fixture *f, const void *unused)
{
    start_port(0);
    put_prd(0, 0, 0, DATA, 512);
    put_frame(0, 0, (Frame){ .command = 0xec, .prds = 1 });
    put(px(0, 0x38), 1);
    g_assert_cmphex(get(px(0, 0x38)), ==, 0);
    g_assert_cmphex(get(px(0, 0x10)), ==, IS_PSS);
    g_assert_cmphex(get(0x08), ==, 1);
    g_assert_cmphex(test_get(FRAMES + 0x20, MEM_8), ==, 0x5f);
    g_assert_cmpuint(test_get(FRAMES + 0x20 + 16, MEM_LE16), ==, 512);
    g_assert_cmpuint(transferred(0, 0), ==, 512);
    g_assert_cmphex(test_get(DATA, MEM_LE16), ==, 0x0040);
    g_assert_cmphex(test_get(DATA + 2 * 75, MEM_LE16), ==, 31);
    g_assert_cmphex(test_get(DATA + 2 * 76, MEM_LE16) & 0x100, ==, 0x100);
    put(px(0, 0x10), UINT32_MAX);
    put(0x08, UINT32_MAX);
    g_assert_cmphex(get(0x08), ==, 0);
}

static void test_dma(Fixture *f, const void *unused)
{
    start_port(0);
    put_prd(0, 3, 0, DATA, 512 + 256);
    put_prd(0, 3, 1, DATA + 0x1000, 256 + 512 * 198);
    put_frame(0, 3, (Frame){ .command = 0x25, .lba = 1000, .count = 200, .prds = 2 });
    put(px(0, 0x38), BIT(3));
    g_assert_cmphex(get(px(0, 0x10)), ==, IS_DHRS);
    g_assert_cmpuint(transferred(0, 3), ==, 200 * 512);
    g_assert_cmpuint(test_get(DATA, MEM_LE32), ==, 1000);
    g_assert_cmpuint(test_get(DATA + 0x1000, MEM_LE32), ==, 1001);
    g_assert_cmpuint(test_get(DATA + 0x1000 + 256 + 197 * 512, MEM_LE32), ==, 1199);
    g_assert_cmphex(test_get(FRAMES + 0x40, MEM_8), ==, 0x34);
    g_assert_cmphex(test_get(FRAMES + 0x42, MEM_8), ==, 0x50);
    put_prd(0, 0, 0, DATA, 512);
    put_frame(0, 0, (Frame){ .command = 0x35, .lba = 7, .count = 1, .flags = 0x40, .prds = 1 });
    put_frame(0, 1, (Frame){ .command = 0xea });
    put(px(0, 0x38), 3); /* two slots, in order */
    g_assert_cmphex(get(px(0, 0x38)), ==, 0);
    g_assert_cmpuint(load_le32(f->medium.bytes + 7 * 512), ==, 1000);
    g_assert_cmpuint(f->medium.flushes, ==, 1);
}

static void test_errors(Fixture *f, const void *unused)
{
    start_port(0);
    put_prd(0, 0, 0, DATA, 512);
    put_frame(0, 0, (Frame){ .command = 0x25, .lba = SECTORS, .count = 1, .prds = 1 });
    put(px(0, 0x38), 1);
    g_assert_cmphex(get(px(0, 0x10)), ==, IS_TFES | IS_DHRS);
    g_assert_cmphex(get(px(0, 0x20)), ==, 0x1451);
    g_assert_cmphex(get(px(0, 0x38)), ==, 1); /* it stays, and nothing more is issued */
    put_frame(0, 1, (Frame){ .command = 0xea });
    put(px(0, 0x38), 2);
    g_assert_cmphex(get(px(0, 0x38)), ==, 3);
    put(px(0, 0x10), UINT32_MAX);
    put(px(0, 0x18), get(px(0, 0x18)) & ~CMD_ST);
    g_assert_cmphex(get(px(0, 0x38)), ==, 0);
    put(px(0, 0x18), get(px(0, 0x18)) | CMD_ST);
    put_prd(0, 0, 0, DATA, 256); /* too short */
    put_frame(0, 0, (Frame){ .command = 0x25, .lba = 1, .count = 1, .prds = 1 });
    put(px(0, 0x38), 1);
    g_assert_cmphex(get(px(0, 0x10)), ==, IS_OFS);
    put(px(0, 0x10), UINT32_MAX);
    put(px(0, 0x18), get(px(0, 0x18)) & ~CMD_ST);
    put(px(0, 0x18), get(px(0, 0x18)) | CMD_ST);
    test_put(table_of(0, 0), MEM_8, 0x34); /* no frame for a drive */
    put(px(0, 0x38), 1);
    g_assert_cmphex(get(px(0, 0x10)), ==, IS_IFS);
}

static void test_soft_reset(Fixture *f, const void *unused)
{
    start_port(0);
    put_frame(0, 0, (Frame){ .control = IDE_CTL_SRST });
    put(px(0, 0x38), 1);
    g_assert_cmphex(get(px(0, 0x38)), ==, 0);
    g_assert_cmphex(get(px(0, 0x20)) & 0xff, ==, IDE_ST_BSY);
    put_frame(0, 0, (Frame){ .control = 0xff }); /* over */
    put(px(0, 0x38), 1);
    g_assert_cmphex(get(px(0, 0x20)), ==, 0x150);
    g_assert_cmphex(get(px(0, 0x24)), ==, 0x101);
}

static void test_ncq(Fixture *f, const void *unused)
{
    f->medium.is_deferred = true;
    start_port(0);
    for (unsigned tag = 0; tag < 3; tag++) {
        put_prd(0, tag, 0, DATA + tag * 0x1000, 1024);
        put_frame(0, tag, (Frame){ .command = 0x60, .lba = 100 * tag, .features = 2,
                                   .count = tag << 3, .prds = 1 });
    }
    put(px(0, 0x34), 7);
    put(px(0, 0x38), 7);
    g_assert_cmphex(get(px(0, 0x38)), ==, 0); /* accepted */
    g_assert_cmphex(get(px(0, 0x34)), ==, 7); /* not done */
    g_assert_cmphex(get(px(0, 0x10)), ==, 0);
    test_medium_answer(&f->medium);
    g_assert_cmphex(get(px(0, 0x34)), ==, 0);
    g_assert_cmphex(get(px(0, 0x10)), ==, IS_SDBS);
    g_assert_cmphex(test_get(FRAMES + 0x58, MEM_8), ==, 0xa1);
    g_assert_cmphex(test_get(FRAMES + 0x5c, MEM_LE32), ==, 4);
    for (unsigned tag = 0; tag < 3; tag++) {
        g_assert_cmpuint(test_get(DATA + tag * 0x1000 + 512, MEM_LE32), ==, 100 * tag + 1);
    }
    put(px(0, 0x10), UINT32_MAX);
    put_frame(0, 0, (Frame){ .command = 0x61, .lba = 5, .features = 2, .flags = 0x40, .prds = 1 });
    put(px(0, 0x34), 1);
    put(px(0, 0x38), 1);
    put(px(0, 0x18), get(px(0, 0x18)) & ~CMD_ST); /* given up */
    g_assert_cmpuint(f->medium.queued, ==, 0);
    g_assert_cmphex(get(px(0, 0x34)), ==, 0);
    f->medium.is_deferred = false;
    put(px(0, 0x18), get(px(0, 0x18)) | CMD_ST);
    put_frame(0, 0, (Frame){ .command = 0x61, .lba = SECTORS - 1, .features = 2, .prds = 1 });
    put(px(0, 0x34), 1);
    put(px(0, 0x38), 1);
    g_assert_cmphex(get(px(0, 0x10)), ==, IS_SDBS | IS_TFES);
    g_assert_cmphex(get(px(0, 0x34)), ==, 1);
}

static void test_packet(Fixture *f, const void *unused)
{
    static const uint8_t packet[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 2 };

    start_port(1);
    put_prd(1, 0, 0, DATA, 4096);
    for (unsigned dma = 0; dma < 2; dma++) {
        put_frame(1, 0, (Frame){ .command = 0xa0, .features = dma, .lba = 0x080000, .flags = 0x20,
                                 .prds = 1 });
        for (unsigned i = 0; i < sizeof(packet); i++) {
            test_put(table_of(1, 0) + 0x40 + i, MEM_8, packet[i]);
        }
        test_put(DATA + 2048, MEM_LE32, 0);
        put(px(1, 0x10), UINT32_MAX);
        put(px(1, 0x38), 1);
        g_assert_cmphex(get(px(1, 0x38)), ==, 0);
        g_assert_cmphex(get(px(1, 0x10)), ==, (dma ? 0 : IS_PSS) | IS_DHRS);
        g_assert_cmpuint(transferred(1, 0), ==, 4096);
        g_assert_cmpuint(test_get(DATA + 2048, MEM_LE32), ==, 16);
    }
}

/* A list that lies where the data goes: whatever happens, it ends. */
static void test_overlap(Fixture *f, const void *unused)
{
    start_port(0);
    put_prd(0, 0, 0, LIST, 512 * 8);
    put_frame(0, 0, (Frame){ .command = 0x25, .lba = 1, .count = 8, .prds = 1 });
    put(px(0, 0x38), UINT32_MAX);
    g_assert_cmphex(get(px(0, 0x18)) & CMD_CR, ==, CMD_CR);
}

#define ADD(name, fn) g_test_add("/ahci/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    ADD("config", test_config);
    ADD("registers", test_registers);
    ADD("idp", test_idp);
    ADD("identify", test_identify);
    ADD("dma", test_dma);
    ADD("errors", test_errors);
    ADD("soft-reset", test_soft_reset);
    ADD("ncq", test_ncq);
    ADD("packet", test_packet);
    ADD("overlap", test_overlap);
    status = g_test_run();
    machine_unlock();
    return status;
}
