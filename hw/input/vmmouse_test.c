/*
 * VMware's port and pointer, called as by a CPU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/i8042.h"
#include "hw/input/vmport.h"
#include "hw/isa/isa_test.h"
#include "system/identity.h"
#include "ui/input.h"

enum { ID = 0x45414552, RELATIVE = 0x4c455252, ABSOLUTE = 0x53424152 };

static Device *port, *mouse, *i8042;

static PortCallRegs call(uint32_t command, uint32_t ebx)
{
    PortCallRegs regs = { .eax = VMPORT_MAGIC, .ebx = ebx, .ecx = command };

    regs.eax = vmport_call(port, &regs);
    return regs;
}

static void test_port(void)
{
    PortCallRegs regs = call(0x0a, 0);
    const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

    g_assert_cmphex(regs.eax, ==, 6);
    g_assert_cmphex(regs.ebx, ==, VMPORT_MAGIC);
    g_assert_cmphex(regs.ecx, ==, 2);
    g_assert_true(identity_set_uuid("01020304-0506-0708-090a-0b0c0d0e0f10", NULL));
    regs = call(0x13, 0);
    g_assert_cmpint(memcmp(&regs.eax, uuid, 4), ==, 0);
    g_assert_cmphex(regs.edx, ==, 0x100f0e0d);
    regs = call(0x2e, 0);
    g_assert_cmphex(regs.eax, ==, VMPORT_MAGIC);
    g_assert_cmpuint(regs.ebx, <, 1000000);
    g_assert_cmphex(call(0x7f, 0).eax, ==, UINT32_MAX);
    g_assert_cmphex(call(0xffff, 0).eax, ==, UINT32_MAX);
    regs = (PortCallRegs){ .eax = 1, .ecx = 0x0a };
    g_assert_cmphex(vmport_call(port, &regs), ==, UINT32_MAX);
    /* Nobody executes an instruction. */
    g_assert_cmphex(isa_test_in(0x5658, MEM_LE32), ==, UINT32_MAX);
}

static void expect_data(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    PortCallRegs regs;

    g_assert_cmpuint(call(0x28, 0).eax, ==, 4);
    regs = call(0x27, 4);
    g_assert_cmphex(regs.eax, ==, a);
    g_assert_cmphex(regs.ebx, ==, b);
    g_assert_cmphex(regs.ecx, ==, c);
    g_assert_cmphex(regs.edx, ==, d);
}

static void test_pointer(void)
{
    Device *other;

    reset_machine();
    device_reset(mouse);
    call(0x29, ID);
    g_assert_cmpuint(call(0x28, 0).eax, ==, 1);
    g_assert_cmphex(call(0x27, 1).eax, ==, 0x3442554a);
    g_assert_false(input_is_absolute());
    call(0x29, ABSOLUTE);
    g_assert_true(input_is_absolute());
    input_send_abs(INPUT_AXIS_X, 99, 100);
    input_send_abs(INPUT_AXIS_Y, 0, 100);
    input_send_button(INPUT_BUTTON_LEFT, true);
    input_send_button(INPUT_BUTTON_WHEEL_UP, true);
    input_sync();
    expect_data(0x20, 0xfffe, 0, UINT32_MAX);
    input_send_abs(INPUT_AXIS_Y, 50, 101);
    input_sync();
    other = device_new("vmmouse");
    g_assert_true(object_set_link(other, "i8042", &i8042->parent, NULL));
    g_assert_false(device_realize(other, &isa_test_bus()->parent, NULL));
    /* What it saves goes on elsewhere. */
    device_delete(mouse);
    mouse = isa_test_realize(other);
    g_assert_false(input_is_absolute());
    call(0x29, RELATIVE);
    input_send_rel(INPUT_AXIS_X, -3);
    input_send_rel(INPUT_AXIS_Y, 4);
    input_sync();
    expect_data(0x10000, -3, -4, 0);
    /* More than there is: it is off until its driver begins again. */
    g_assert_cmphex(call(0x27, 2).eax, ==, UINT32_MAX);
    g_assert_cmphex(call(0x28, 0).eax, ==, 0xffff0000);
    call(0x27, 0);
    call(0x27, UINT32_MAX);
}

static void test_full(void)
{
    device_reset(mouse);
    call(0x29, ABSOLUTE);
    for (int i = 0; i < 1000; i++) {
        input_send_abs(INPUT_AXIS_X, i, 1000);
        input_sync();
    }
    g_assert_cmpuint(call(0x28, 0).eax, ==, 1024);
    device_reset(mouse);
    g_assert_cmpuint(call(0x28, 0).eax, ==, 0);
    g_assert_false(input_is_absolute());
}

static void test_state(void)
{
    Device *other_port = port;

    device_reset(mouse);
    call(0x29, ABSOLUTE);
    input_send_abs(INPUT_AXIS_X, 7, 100);
    input_sync();
    isa_test_copy_state(mouse, mouse);
    g_assert_true(input_is_absolute());
    g_assert_cmpuint(call(0x28, 0).eax, ==, 4);
    device_delete(mouse);
    device_delete(other_port);
    port = device_new("vmport");
    g_assert_true(object_set_bool(port, "x-cmds-v2", false, NULL));
    g_assert_true(object_set_bool(port, "x-signal-unsupported-cmd", false, NULL));
    isa_test_realize(port);
    g_assert_cmphex(call(0x13, 0).eax, ==, VMPORT_MAGIC);
    g_assert_cmphex(call(0x28, 0).eax, ==, VMPORT_MAGIC);
    g_assert_cmphex(call(0x0a, 0).eax, ==, 6);
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    i8042 = isa_test_add("i8042");
    port = isa_test_add("vmport");
    mouse = device_new("vmmouse");
    g_assert_false(device_realize(mouse, &isa_test_bus()->parent, NULL));
    g_assert_true(object_set_link(mouse, "i8042", &i8042->parent, NULL));
    isa_test_realize(mouse);
    g_test_add_func("/vmmouse/port", test_port);
    g_test_add_func("/vmmouse/pointer", test_pointer);
    g_test_add_func("/vmmouse/full", test_full);
    g_test_add_func("/vmmouse/state", test_state);
    return isa_test_run();
}
