/*
 * The command response buffer, by the PC Client Platform TPM Profile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"
#include "hw/tpm/fake_tpm.h"
#include "hw/tpm/tpm.h"

enum { LOC_STATE = 0x00, LOC_CTRL = 0x08, LOC_STS = 0x0c, INTF_ID = 0x30, REQ = 0x40, STS = 0x44,
       CANCEL = 0x48, START = 0x4c, CMD_SIZE = 0x58, CMD_ADDR = 0x5c, RSP_SIZE = 0x64,
       RSP_ADDR = 0x68, BUFFER = 0x80 };

static Device *tpm;

static uint64_t get(unsigned reg, MemFormat format)
{
    uint64_t value;

    address_space_load(address_space_system(), TPM_ADDRESS + reg, format, MEM_TX_NONE, &value);
    return value;
}

static void put(unsigned reg, uint32_t value)
{
    address_space_store(address_space_system(), TPM_ADDRESS + reg, MEM_LE32, MEM_TX_NONE, value);
}

static void start(void)
{
    fake.is_held = false;
    device_reset(tpm);
}

static void test_registers(void)
{
    start();
    g_assert_cmphex(get(INTF_ID, MEM_LE64), ==, 0x0000101400025811);
    g_assert_cmphex(get(CMD_SIZE, MEM_LE32), ==, 3968);
    g_assert_cmphex(get(RSP_SIZE, MEM_LE32), ==, 3968);
    g_assert_cmphex(get(CMD_ADDR, MEM_LE32), ==, 0xfed40080);
    g_assert_cmphex(get(RSP_ADDR, MEM_LE64), ==, 0xfed40080);
    g_assert_cmphex(get(LOC_STATE, MEM_LE32), ==, 0x81);
    g_assert_cmphex(get(STS, MEM_8), ==, 2);
}

static void test_locality(void)
{
    start();
    put(LOC_CTRL, 1);
    g_assert_cmphex(get(LOC_STATE, MEM_LE32), ==, 0x83);
    g_assert_cmphex(get(LOC_STS, MEM_LE32), ==, 1);
    put(LOC_CTRL, 2);
    g_assert_cmphex(get(LOC_STATE, MEM_LE32), ==, 0x81);
    g_assert_cmphex(get(LOC_STS, MEM_LE32), ==, 0);
}

static void write_command(uint8_t bytes)
{
    put(BUFFER, 0x00000180);
    put(BUFFER + 4, 0x7a010000 | bytes << 8);
    put(BUFFER + 8, 0x44332211);
}

static void test_command(void)
{
    unsigned commands = fake.commands;

    start();
    write_command(12);
    put(START, 1); /* not granted */
    g_assert_cmpuint(fake.commands, ==, commands);
    put(LOC_CTRL, 1);
    put(START, 1); /* idle */
    fake_tpm_wait();
    g_assert_cmpuint(fake.commands, ==, ++commands);
    write_command(12);
    put(REQ, 1);
    g_assert_cmphex(get(STS, MEM_LE32), ==, 0);
    fake.is_held = true;
    put(START, 1);
    g_assert_cmphex(get(START, MEM_LE32), ==, 1);
    put(BUFFER + 8, 0); /* it is the TPM's now */
    put(START, 1);
    put(REQ, 2);
    g_assert_cmphex(get(STS, MEM_LE32), ==, 0);
    put(CANCEL, 1);
    fake_tpm_wait();
    g_assert_cmphex(get(START, MEM_LE32), ==, 0);
    g_assert_cmpuint(fake.commands, ==, commands + 1);
    g_assert_cmphex(get(BUFFER, MEM_LE16), ==, 0x0180);
    g_assert_cmphex(get(BUFFER + 10, MEM_LE16), ==, 0x4433);
    put(REQ, 2);
    g_assert_cmphex(get(STS, MEM_LE32), ==, 2);
}

static void test_bad_size(void)
{
    start();
    put(LOC_CTRL, 1);
    put(REQ, 1);
    write_command(9);
    put(START, 1);
    g_assert_cmphex(get(STS, MEM_LE32), ==, 1);
    put(BUFFER, UINT32_MAX);
    put(BUFFER + 4, UINT32_MAX);
    put(START, 1);
    g_assert_cmphex(get(START, MEM_LE32), ==, 0);
    start();
    g_assert_cmphex(get(STS, MEM_LE32), ==, 2);
}

static void test_state(void)
{
    start();
    put(LOC_CTRL, 1);
    put(REQ, 1);
    write_command(12);
    put(START, 1);
    isa_test_copy_state(tpm, tpm);
    g_assert_cmphex(get(START, MEM_LE32), ==, 0);
    g_assert_cmphex(get(LOC_STATE, MEM_LE32), ==, 0x83);
    g_assert_cmphex(get(BUFFER + 10, MEM_LE16), ==, 0x4433);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    fake_tpm_add();
    tpm = device_new("tpm-crb");
    g_assert_true(object_set_text(tpm, "tpmdev", "tpm0", NULL));
    g_assert_true(device_realize_and_unref(tpm, NULL, NULL));
    g_test_add_func("/tpm-crb/registers", test_registers);
    g_test_add_func("/tpm-crb/locality", test_locality);
    g_test_add_func("/tpm-crb/command", test_command);
    g_test_add_func("/tpm-crb/bad-size", test_bad_size);
    g_test_add_func("/tpm-crb/state", test_state);
    return isa_test_run();
}
