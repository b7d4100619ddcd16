/*
 * PIIX4's power management function, as firmware sets it up and a guest uses it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/piix4_pm.h"
#include "hw/i2c/smbus_eeprom.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"
#include "system/run_state.h"

#define DEVFN PCI_DEVFN(1, 3)
#define BASE  0x600
#define SMBUS 0xb100

static TestHost *machine;
static Device *pm;

static uint32_t in(uint16_t port, unsigned bytes)
{
    uint64_t value;

    address_space_load(address_space_io(), port, mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE,
                       &value);
    return value;
}

static void out(uint16_t port, unsigned bytes, uint32_t value)
{
    address_space_store(address_space_io(), port, mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE,
                        value);
}

static unsigned smis;

static void count_smi(IrqObserver *observer, int level)
{
    smis += level;
}

static IrqObserver smi_observer = { count_smi };

static int sci(void)
{
    return irq_level(device_irq_out(pm, NULL, 0));
}

static void set_up(void)
{
    device_reset(pm);
    test_config_put(DEVFN, 0x40, MEM_LE32, BASE | 1);
    test_config_put(DEVFN, 0x80, MEM_8, 1);
    smis = 0;
}

static void test_config(void)
{
    device_reset(pm);
    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x71138086);
    g_assert_cmphex(test_config_get(DEVFN, 4, MEM_LE32), ==, 0x02800000);
    g_assert_cmphex(test_config_get(DEVFN, 8, MEM_LE32), ==, 0x06800003);
    g_assert_cmphex(test_config_get(DEVFN, 0x3d, MEM_8), ==, 1);
    g_assert_cmphex(test_config_get(DEVFN, 0x40, MEM_LE32), ==, 1);
    g_assert_cmphex(test_config_get(DEVFN, 0x90, MEM_LE32), ==, SMBUS | 1);
    g_assert_cmphex(test_config_get(DEVFN, 0xd2, MEM_8), ==, 9);
    test_config_put(DEVFN, 0x40, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, 0x40, MEM_LE32), ==, 0xffc1);
    test_config_put(DEVFN, 0x40, MEM_LE32, BASE);
    g_assert_cmphex(in(BASE, 2), ==, 0xffff); /* not enabled */
    test_config_put(DEVFN, 0x80, MEM_8, 1);
    g_assert_cmphex(in(BASE, 2), ==, 0);
    test_config_put(DEVFN, 0x40, MEM_LE32, 0xb000);
    g_assert_cmphex(in(BASE, 2), ==, 0xffff);
    g_assert_cmphex(in(0xb000, 2), ==, 0);
    device_reset(pm);
    g_assert_cmphex(in(0xb000, 2), ==, 0xffff);
}

static void test_power_button(void)
{
    int status;

    set_up();
    out(BASE + 2, 2, BIT(8));
    vm_request_powerdown();
    g_assert_false(vm_serve_requests(&status));
    g_assert_cmpint(sci(), ==, 0); /* legacy mode */
    out(PIIX4_APM_PORT, 1, PIIX4_ACPI_ENABLE);
    g_assert_cmpint(sci(), ==, 1);
    g_assert_cmphex(in(BASE + 4, 2), ==, 1);
    out(BASE, 2, BIT(8));
    g_assert_cmpint(sci(), ==, 0);
    out(PIIX4_GPE0_PORT + 2, 1, 2);
    g_assert_cmphex(in(PIIX4_GPE0_PORT, 4), ==, 0x00020000);
}

static void test_smi(void)
{
    set_up();
    out(PIIX4_APM_PORT, 1, 0x55);
    g_assert_cmpint(smis, ==, 0); /* APMC_EN is 0 */
    test_config_put(DEVFN, 0x5b, MEM_8, 2);
    out(PIIX4_APM_PORT + 1, 1, 0x66);
    out(PIIX4_APM_PORT, 1, 0x55);
    g_assert_cmpint(smis, ==, 1);
    g_assert_cmphex(in(PIIX4_APM_PORT, 2), ==, 0x6655);
}

static void test_smbus(void)
{
    set_up();
    out(PIIX4_APM_PORT, 1, PIIX4_ACPI_ENABLE);
    out(SMBUS + 3, 1, 2);
    out(SMBUS + 4, 1, 0x50 << 1 | 1);
    out(SMBUS + 2, 1, 0x49); /* start, byte data, with an interrupt */
    g_assert_cmphex(in(SMBUS, 1), ==, 2);
    g_assert_cmphex(in(SMBUS + 5, 1), ==, SPD_SDR);
    g_assert_cmpint(sci(), ==, 1);
    out(SMBUS, 1, 2);
    g_assert_cmpint(sci(), ==, 0);
    test_config_put(DEVFN, 0x90, MEM_LE32, 0x7000);
    g_assert_cmphex(in(SMBUS, 1), ==, 0xff);
    g_assert_cmphex(in(0x7005, 1), ==, SPD_SDR);
    test_config_put(DEVFN, 0xd2, MEM_8, 0);
    g_assert_cmphex(in(0x7005, 1), ==, 0xff);
}

static void test_sleep(void)
{
    int status;

    set_up();
    out(BASE + 4, 2, 2 << 10 | BIT(13)); /* s4_val */
    g_assert_true(vm_serve_requests(&status));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine = test_machine_init();
    pm = device_new(TYPE_PIIX4_PM);
    object_set_text(pm, "addr", "1.3", NULL);
    object_set_int(pm, "smb_io_base", SMBUS, NULL);
    object_set_bool(pm, "smm-enabled", true, NULL);
    g_assert_true(device_realize_and_unref(pm, &machine->parent.bus->parent, NULL));
    smbus_eeprom_add_modules(I2C_BUS(pm->buses->pdata[0]), SPD_SDR, 128 * MiB);
    irq_observe(device_irq_out(pm, "smi-irq", 0), &smi_observer);
    g_test_add_func("/piix4-pm/config", test_config);
    g_test_add_func("/piix4-pm/power-button", test_power_button);
    g_test_add_func("/piix4-pm/smi", test_smi);
    g_test_add_func("/piix4-pm/smbus", test_smbus);
    g_test_add_func("/piix4-pm/sleep", test_sleep);
    status = g_test_run();
    machine_unlock();
    return status;
}
