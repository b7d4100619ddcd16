/*
 * The FIFO interface, by the PC Client Platform TPM Profile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"
#include "hw/tpm/fake_tpm.h"
#include "hw/tpm/tpm.h"

enum { ACCESS = 0x00, INT_ENABLE = 0x08, INT_VECTOR = 0x0c, INT_STATUS = 0x10, CAPABILITY = 0x14,
       STS = 0x18, FIFO = 0x24, INTERFACE_ID = 0x30, XFIFO = 0x80, DID_VID = 0xf00, RID = 0xf04 };
enum { ACTIVE = 0x20, SEIZED = 0x10, SEIZE = 8, PENDING = 4, REQUEST = 2 };
enum { VALID = 0x80, READY = 0x40, GO = 0x20, AVAILABLE = 0x10, EXPECT = 8, RETRY = 2 };

static Device *tpm;

static uint32_t get(unsigned locality, unsigned reg, MemFormat format)
{
    uint64_t value;

    address_space_load(address_space_system(), TPM_ADDRESS + (locality << 12) + reg, format,
                       MEM_TX_NONE, &value);
    return value;
}

static void put(unsigned locality, unsigned reg, MemFormat format, uint32_t value)
{
    address_space_store(address_space_system(), TPM_ADDRESS + (locality << 12) + reg, format,
                        MEM_TX_NONE, value);
}

static uint8_t access_of(unsigned locality)
{
    return get(locality, ACCESS, MEM_8);
}

static uint8_t sts(unsigned locality)
{
    return get(locality, STS, MEM_8);
}

static void start(void)
{
    fake.is_held = false;
    fake.code = 0;
    reset_machine();
}

static void test_ids(void)
{
    start();
    for (unsigned i = 0; i < TPM_LOCALITIES; i++) {
        g_assert_cmphex(access_of(i), ==, 0x81);
        g_assert_cmphex(get(i, STS, MEM_LE32), ==, UINT32_MAX);
        g_assert_cmphex(get(i, FIFO, MEM_8), ==, 0xff);
        g_assert_cmphex(get(i, DID_VID, MEM_LE32), ==, 0x00011014);
        g_assert_cmphex(get(i, RID, MEM_8), ==, 1);
        g_assert_cmphex(get(i, INTERFACE_ID, MEM_LE32), ==, 0x2100);
        g_assert_cmphex(get(i, CAPABILITY, MEM_LE32), ==, 0x30000697);
        g_assert_cmphex(get(i, INT_VECTOR, MEM_8), ==, 5);
    }
    put(0, INTERFACE_ID, MEM_LE32, 1 << 19);
    g_assert_cmphex(get(0, INTERFACE_ID, MEM_LE32), ==, 0x82100);
}

static void test_localities(void)
{
    start();
    put(1, ACCESS, MEM_8, REQUEST);
    g_assert_cmphex(access_of(1), ==, 0xa1);
    put(0, ACCESS, MEM_8, REQUEST);
    put(3, ACCESS, MEM_8, REQUEST);
    g_assert_cmphex(access_of(0), ==, 0x81 | REQUEST | PENDING);
    g_assert_cmphex(access_of(1), ==, 0xa1 | PENDING);
    /* No longer wanted. */
    put(0, ACCESS, MEM_8, ACTIVE);
    g_assert_cmphex(access_of(3), ==, 0x81 | REQUEST);
    put(0, ACCESS, MEM_8, REQUEST);
    /* The highest that waits comes next. */
    put(1, ACCESS, MEM_8, ACTIVE);
    g_assert_cmphex(access_of(1), ==, 0x81 | PENDING);
    g_assert_cmphex(access_of(3), ==, 0xa1 | PENDING);
    put(3, ACCESS, MEM_8, ACTIVE);
    g_assert_cmphex(access_of(0), ==, 0xa1);
    put(0, ACCESS, MEM_8, ACTIVE);
    g_assert_cmphex(access_of(0), ==, 0x81);
}

static void test_seize(void)
{
    start();
    put(2, ACCESS, MEM_8, REQUEST);
    put(1, ACCESS, MEM_8, SEIZE); /* from below: not so */
    put(2, ACCESS, MEM_8, SEIZE);
    g_assert_cmphex(access_of(1), ==, 0x81);
    g_assert_cmphex(access_of(2), ==, 0xa1);
    put(3, ACCESS, MEM_8, SEIZE);
    g_assert_cmphex(access_of(2), ==, 0x91);
    g_assert_cmphex(access_of(3), ==, 0xa1);
    put(2, ACCESS, MEM_8, SEIZED);
    g_assert_cmphex(access_of(2), ==, 0x81);
    put(3, ACCESS, MEM_8, ACTIVE);
    put(4, ACCESS, MEM_8, SEIZE); /* of nobody */
    g_assert_cmphex(access_of(4), ==, 0xa1);
}

/* A command of 18 bytes, the first 16 by four. */
static void send_command(unsigned locality)
{
    static const uint8_t command[18] = { 0x80, 1, 0, 0, 0, 18, 0, 0, 1, 0x7a, 1, 2, 3, 4, 5, 6, 7, 8 };

    g_assert_cmphex(sts(locality), ==, READY);
    for (unsigned i = 0; i < 16; i += 4) {
        put(locality, i % 8 ? XFIFO + 4 : FIFO, MEM_LE32, load_le32(command + i));
        g_assert_cmphex(sts(locality), ==, VALID | EXPECT);
    }
    put(locality, FIFO, MEM_8, command[16]);
    g_assert_cmphex(sts(locality), ==, VALID | EXPECT);
    put(locality, FIFO, MEM_8, command[17]);
    g_assert_cmphex(sts(locality), ==, VALID);
    put(locality, FIFO, MEM_8, 0x99); /* one too many */
}

static void test_command(void)
{
    start();
    put(1, ACCESS, MEM_8, REQUEST);
    put(1, FIFO, MEM_8, 0x80); /* not ready */
    put(1, STS, MEM_8, GO);
    g_assert_cmphex(get(1, STS, MEM_LE32), ==, 1 << 26 | 4096 << 8);
    g_assert_cmphex(get(1, STS + 1, MEM_8), ==, 0xff);
    put(1, STS, MEM_8, READY);
    put(0, STS, MEM_8, READY);
    fake.is_held = true;
    send_command(1);
    g_assert_cmphex(get(1, STS, MEM_LE32) >> 8 & 0xffff, ==, 4096 - 18);
    put(1, STS, MEM_8, GO);
    g_assert_cmphex(sts(1), ==, 0);
    put(1, STS, MEM_8, GO);
    g_mutex_lock(&fake.lock);
    fake.is_held = false;
    g_cond_signal(&fake.changed);
    g_mutex_unlock(&fake.lock);
    fake_tpm_wait();
    g_assert_cmpuint(fake.locality, ==, 1);
    g_assert_cmphex(sts(1), ==, VALID | AVAILABLE | 4);
    g_assert_cmphex(get(1, STS + 1, MEM_LE16), ==, 18);
    g_assert_cmphex(get(1, FIFO, MEM_LE32), ==, 0x00000180);
    g_assert_cmphex(get(1, FIFO, MEM_8), ==, 0);
    g_assert_cmphex(get(0, FIFO, MEM_8), ==, 0xff);
    g_assert_cmphex(get(1, STS + 1, MEM_8), ==, 13);
    put(1, STS, MEM_8, RETRY);
    g_assert_cmphex(get(1, STS + 1, MEM_8), ==, 18);
    for (unsigned i = 0; i < 17; i++) {
        get(1, FIFO, MEM_8);
    }
    g_assert_cmphex(get(1, FIFO, MEM_LE32), ==, 0xffffff08);
    g_assert_cmphex(sts(1), ==, VALID | 4);
    put(1, STS, MEM_8, READY);
    g_assert_cmphex(sts(1), ==, READY | 4);
}

static void test_abort(void)
{
    unsigned commands = fake.commands;

    start();
    put(0, ACCESS, MEM_8, REQUEST);
    put(0, STS, MEM_8, READY);
    put(0, FIFO, MEM_LE32, 0x180);
    put(0, STS, MEM_8, READY); /* what was written is void */
    g_assert_cmphex(sts(0), ==, READY);
    fake.code = 0x909;
    fake.is_held = true;
    send_command(0);
    put(0, STS, MEM_8, GO);
    put(0, STS, MEM_8, READY); /* cancels */
    fake_tpm_wait();
    g_assert_cmpuint(fake.commands, ==, commands + 1);
    g_assert_cmphex(sts(0), ==, READY);
    /* A higher locality takes the TPM from one that waits for it. */
    send_command(0);
    put(0, STS, MEM_8, GO);
    put(2, ACCESS, MEM_8, SEIZE);
    g_assert_cmphex(access_of(2), ==, 0x81);
    fake_tpm_wait();
    g_assert_cmphex(access_of(2), ==, 0xa1);
    g_assert_cmphex(access_of(0), ==, 0x91);
    g_assert_cmphex(sts(2), ==, 0);
    /* Cancelled by the bit, it is answered. */
    put(2, STS, MEM_8, READY);
    send_command(2);
    put(2, STS, MEM_8, GO);
    put(2, STS, MEM_LE32, 1 << 24);
    fake_tpm_wait();
    g_assert_cmphex(sts(2), ==, VALID | AVAILABLE);
    /* A reset takes it all. */
    put(2, STS, MEM_8, READY);
    send_command(2);
    put(2, STS, MEM_8, GO);
    start();
    g_assert_cmphex(access_of(2), ==, 0x81);
}

static void test_interrupts(void)
{
    start();
    put(0, INT_ENABLE, MEM_LE32, UINT32_MAX); /* not active: it has no say */
    g_assert_cmphex(get(0, INT_ENABLE, MEM_LE32), ==, 8);
    put(0, ACCESS, MEM_8, REQUEST);
    put(0, INT_ENABLE, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(get(0, INT_ENABLE, MEM_LE32), ==, 0x8000009f);
    put(0, STS, MEM_8, READY);
    g_assert_cmphex(get(0, INT_STATUS, MEM_LE32), ==, 0x80);
    g_assert_cmpint(isa_test_irq(5), ==, 1);
    put(0, INT_STATUS, MEM_LE32, 0x80);
    g_assert_cmpint(isa_test_irq(5), ==, 0);
    send_command(0);
    put(0, STS, MEM_8, GO);
    fake_tpm_wait();
    g_assert_cmphex(get(0, INT_STATUS, MEM_LE32), ==, 3);
    g_assert_cmpint(isa_test_irq(5), ==, 1);
    put(0, INT_ENABLE, MEM_LE32, 0x9f);
    g_assert_cmpint(isa_test_irq(5), ==, 0);
}

/* What is too long for the buffer is cut, and the TPM asked nevertheless. */
static void test_too_long(void)
{
    start();
    put(0, ACCESS, MEM_8, REQUEST);
    put(0, STS, MEM_8, READY);
    for (unsigned i = 0; i < 5000; i++) {
        put(0, FIFO, MEM_8, 0xff);
    }
    g_assert_cmphex(sts(0), ==, VALID);
    put(0, STS, MEM_8, GO);
    fake_tpm_wait();
    g_assert_cmphex(get(0, STS, MEM_LE32) >> 8 & 0xffff, ==, 4096);
}

static void test_established(void)
{
    fake.is_established = true;
    start();
    g_assert_cmphex(access_of(0), ==, 0x80);
    put(0, ACCESS, MEM_8, REQUEST);
    put(0, STS, MEM_LE32, 1 << 25);
    g_assert_cmphex(access_of(0), ==, 0xa0);
    put(3, ACCESS, MEM_8, SEIZE);
    put(3, STS, MEM_LE32, 1 << 25);
    g_assert_cmphex(access_of(3), ==, 0xa1);
}

static void test_state(void)
{
    unsigned resumes = fake.resumes;

    start();
    put(3, ACCESS, MEM_8, REQUEST);
    put(3, STS, MEM_8, READY);
    send_command(3);
    put(3, STS, MEM_8, GO);
    isa_test_copy_state(tpm, tpm); /* waits for the answer */
    g_assert_cmphex(sts(3) & ~4, ==, VALID | AVAILABLE);
    g_assert_cmphex(get(3, FIFO, MEM_LE32), ==, 0x00000180);
    g_assert_cmpuint(fake.resumes, ==, resumes + 1);
}

static void test_ppi(void)
{
    uint64_t value;

    address_space_store(address_space_system(), TPM_PPI_ADDRESS + 0x3fc, MEM_LE32, MEM_TX_NONE,
                        0x12345678);
    start();
    address_space_load(address_space_system(), TPM_PPI_ADDRESS + 0x3fe, MEM_LE16, MEM_TX_NONE,
                       &value);
    g_assert_cmphex(value, ==, 0x1234);
    g_assert_true(tpm_find() == tpm);
    g_assert_true(tpm_has_ppi(tpm));
    g_assert_cmpint(tpm_version(tpm), ==, TPM_VERSION_2_0);
}

static void test_mistakes(void)
{
    Device *other = device_new("tpm-tis");
    g_autoptr(Error) err = NULL;

    g_assert_false(device_realize(other, &isa_test_bus()->parent, &err));
    g_assert_cmpstr(error_text(err), ==, "'tpmdev' property is required");
    g_clear_pointer(&err, error_free);
    g_assert_false(object_set_text(other, "tpmdev", "none", &err));
    g_assert_cmpstr(error_text(err), ==, "Property 'tpm-tis.tpmdev' can't find value 'none'");
    g_assert_true(object_set_text(other, "tpmdev", "tpm0", NULL));
    g_assert_false(device_realize(other, &isa_test_bus()->parent, NULL));
    object_unref(other);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    fake_tpm_add();
    tpm = device_new("tpm-tis");
    g_assert_true(object_set_text(tpm, "tpmdev", "tpm0", NULL));
    isa_test_realize(tpm);
    g_test_add_func("/tpm-tis/ids", test_ids);
    g_test_add_func("/tpm-tis/localities", test_localities);
    g_test_add_func("/tpm-tis/seize", test_seize);
    g_test_add_func("/tpm-tis/command", test_command);
    g_test_add_func("/tpm-tis/abort", test_abort);
    g_test_add_func("/tpm-tis/interrupts", test_interrupts);
    g_test_add_func("/tpm-tis/too-long", test_too_long);
    g_test_add_func("/tpm-tis/established", test_established);
    g_test_add_func("/tpm-tis/state", test_state);
    g_test_add_func("/tpm-tis/ppi", test_ppi);
    g_test_add_func("/tpm-tis/mistakes", test_mistakes);
    return isa_test_run();
}
