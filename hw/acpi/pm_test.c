/*
 * Power management registers, the TCO watchdog and the generic event device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/ged.h"
#include "hw/acpi/pm.h"
#include "hw/acpi/tco.h"
#include "hw/core/machine.h"
#include "system/address_space.h"
#include "system/machine_lock.h"
#include "system/run_state.h"
#include "system/vmstate_kind.h"

#define PM_BASE  0x600
#define TCO_BASE 0x660
#define SMI_CMD  0xb2
#define GED_BASE UINT64_C(0xfea00000)
enum { EVENT = PM_BASE, ENABLE = PM_BASE + 2, CONTROL = PM_BASE + 4, TIMER = PM_BASE + 8,
       GPE = PM_BASE + 0x20 };
enum { TCO_RLD = TCO_BASE, TCO_DAT_IN = TCO_BASE + 2, TCO_DAT_OUT = TCO_BASE + 3,
       TCO1_STS = TCO_BASE + 4, TCO2_STS = TCO_BASE + 6, TCO1_CNT = TCO_BASE + 8,
       TCO2_CNT = TCO_BASE + 0xa, TCO_SW = TCO_BASE + 0x10, TCO_TMR = TCO_BASE + 0x12 };

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board", .is_without_ram = true,
};
MACHINE_TYPE(board_type)

/* A chipset with nothing else in it. */
typedef struct Chip {
    Device parent;
    AcpiPm pm;
    AcpiTco tco;
    bool sci, is_reboot_forbidden;
    unsigned smis;
    uint8_t command;
} Chip;
DECLARE_CAST(Chip, CHIP)

static void chip_sci(AcpiPm *pm, bool is_up)
{
    container_of(pm, Chip, pm)->sci = is_up;
}

static void chip_smi(AcpiPm *pm, uint8_t command)
{
    container_of(pm, Chip, pm)->command = command;
}

static void chip_tco_smi(AcpiTco *tco)
{
    container_of(tco, Chip, tco)->smis++;
}

static bool chip_is_reboot_forbidden(AcpiTco *tco)
{
    return container_of(tco, Chip, tco)->is_reboot_forbidden;
}

static const AcpiPmChip pm_chip = { .gpe_bytes = 16, .acpi_enable_cmd = 2, .acpi_disable_cmd = 3,
                                    .set_sci = chip_sci, .raise_smi = chip_smi };
static const AcpiTcoChip tco_chip = { chip_tco_smi, chip_is_reboot_forbidden };

static bool chip_realize(Device *dev, Error **errp)
{
    Chip *chip = CHIP(dev);
    MemoryRegion *io = memory_region_io();

    acpi_pm_init(&chip->pm, dev, &pm_chip);
    acpi_pm_start(&chip->pm);
    acpi_tco_init(&chip->tco, dev, &tco_chip);
    chip->pm.s4_type = 2;
    memory_region_add(io, EVENT, &chip->pm.event);
    memory_region_add(io, CONTROL, &chip->pm.control);
    memory_region_add(io, TIMER, &chip->pm.timer);
    memory_region_add(io, GPE, &chip->pm.gpe);
    memory_region_add(io, SMI_CMD, &chip->pm.command);
    memory_region_add(io, TCO_BASE, &chip->tco.region);
    return true;
}

static void chip_unrealize(Device *dev)
{
    Chip *chip = CHIP(dev);
    MemoryRegion *all[] = { &chip->pm.event, &chip->pm.control, &chip->pm.timer, &chip->pm.gpe,
                            &chip->pm.command, &chip->tco.region };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        memory_region_remove(memory_region_io(), all[i]);
    }
    acpi_pm_stop(&chip->pm);
    acpi_pm_clear(&chip->pm);
    acpi_tco_clear(&chip->tco);
}

static void chip_reset_enter(Device *dev)
{
    acpi_pm_reset_enter(&CHIP(dev)->pm);
    acpi_tco_reset(&CHIP(dev)->tco);
}

static void chip_reset_exit(Device *dev)
{
    acpi_pm_reset_exit(&CHIP(dev)->pm);
}

static const VMField chip_fields[] = {
    VM_STRUCT(Chip, pm, acpi_pm_state), VM_STRUCT(Chip, tco, acpi_tco_state),
};
static const DeviceType chip_type = {
    .name = "chip", .doc = "test chipset", .parent = TYPE_DEVICE, .size = sizeof(Chip),
    .vmstate = VMSTATE(chip_fields, .version = 1),
    .realize = chip_realize, .unrealize = chip_unrealize,
    .reset_enter = chip_reset_enter, .reset_exit = chip_reset_exit,
};
DEVICE_TYPE(chip_type)

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

static Chip *make(void)
{
    Device *dev = device_new("chip");

    g_assert_true(device_realize_and_unref(dev, NULL, NULL));
    device_reset(dev);
    return CHIP(dev);
}

static void test_timer(void)
{
    Chip *chip = make();
    uint32_t from = in(TIMER, 4);

    clock_qtest_step(NS_PER_SEC);
    g_assert_cmpint((in(TIMER, 4) - from) & 0xffffff, ==, ACPI_PM_TIMER_HZ);
    clock_qtest_step(2 * NS_PER_SEC);
    g_assert_cmphex(in(EVENT, 2), ==, ACPI_PM1_TIMER); /* seen when looked at */
    out(EVENT, 2, UINT16_MAX);
    g_assert_cmphex(in(EVENT, 2), ==, 0);
    out(CONTROL, 2, ACPI_PM1_SCI_ENABLED);
    out(ENABLE, 2, ACPI_PM1_TIMER);
    g_assert_false(chip->sci);
    clock_qtest_step(INT64_C(2400000000));
    g_assert_true(chip->sci);
    out(EVENT, 2, ACPI_PM1_TIMER);
    g_assert_false(chip->sci);
    device_delete(&chip->parent);
}

static void test_events(void)
{
    Chip *chip = make();

    acpi_pm_raise(&chip->pm, ACPI_PM1_POWER);
    out(ENABLE, 2, UINT16_MAX);
    g_assert_cmphex(in(ENABLE, 2), ==, 0x721);
    g_assert_false(chip->sci); /* legacy mode */
    out(SMI_CMD, 1, 2);
    g_assert_cmphex(chip->command, ==, 2);
    g_assert_cmphex(in(CONTROL, 2), ==, 1);
    g_assert_true(chip->sci);
    out(EVENT, 2, ACPI_PM1_POWER);
    g_assert_false(chip->sci);
    acpi_pm_raise_gpe(&chip->pm, 9);
    g_assert_false(chip->sci);
    out(GPE + 9, 1, 2);
    g_assert_true(chip->sci);
    g_assert_cmphex(in(GPE, 4), ==, 0x200);
    out(GPE + 1, 1, 2);
    g_assert_false(chip->sci);
    out(SMI_CMD, 1, 3);
    g_assert_cmphex(in(CONTROL, 2), ==, 0);
    out(SMI_CMD + 1, 1, 0x77);
    g_assert_cmphex(in(SMI_CMD, 2), ==, 0x7703);
    device_reset(&chip->parent);
    g_assert_cmphex(in(GPE + 8, 2), ==, 0);
    device_delete(&chip->parent);
}

static unsigned resets;

static void count_reset(ShutdownCause cause)
{
    resets++;
}

static void test_sleep(void)
{
    Chip *chip = make();
    int status;

    vm_set_reset_handler(count_reset);
    vm_request_powerdown();
    g_assert_false(vm_serve_requests(&status));
    g_assert_cmphex(in(EVENT, 2) & ACPI_PM1_POWER, ==, ACPI_PM1_POWER);
    out(EVENT, 2, UINT16_MAX);
    out(CONTROL, 2, 3 << 10 | BIT(13)); /* no such state */
    g_assert_cmphex(in(CONTROL, 2), ==, 3 << 10);
    g_assert_false(vm_serve_requests(&status));
    out(CONTROL, 2, 0 << 10 | BIT(13));
    g_assert_true(vm_serve_requests(&status));
    g_assert_cmpint(status, ==, 0);
    device_delete(&chip->parent);
}

static void test_watchdog(void)
{
    Chip *chip = make();

    g_assert_cmphex(in(TCO2_CNT, 2), ==, 8);
    g_assert_cmphex(in(TCO_SW, 1), ==, 3);
    g_assert_cmphex(in(TCO_TMR, 2), ==, 4);
    chip->is_reboot_forbidden = true;
    out(TCO1_CNT, 2, BIT(11));
    out(TCO_TMR, 2, 0xffff);
    out(TCO_RLD, 2, 4);
    clock_qtest_step(NS_PER_SEC * 10);
    g_assert_cmpint(in(TCO_RLD, 2), ==, 0x3ff); /* halted */
    out(TCO1_CNT, 2, 0);
    clock_qtest_step(ACPI_TCO_TICK_NS * 0x3fe);
    g_assert_cmpint(in(TCO_RLD, 2), ==, 1);
    g_assert_cmphex(in(TCO1_STS, 2), ==, 0);
    clock_qtest_step(ACPI_TCO_TICK_NS);
    g_assert_cmphex(in(TCO1_STS, 2), ==, BIT(3));
    g_assert_cmpint(chip->smis, ==, 1);
    out(TCO1_STS, 2, BIT(3));
    g_assert_cmphex(in(TCO1_STS, 2), ==, 0);
    clock_qtest_step(ACPI_TCO_TICK_NS * 0x3ff);
    g_assert_cmphex(in(TCO2_STS, 2), ==, BIT(1) | BIT(2));
    out(TCO2_STS, 2, BIT(1) | BIT(2));
    g_assert_cmphex(in(TCO2_STS, 2), ==, 0);
    out(TCO1_CNT, 2, BIT(12));
    out(TCO1_CNT, 2, 0);
    g_assert_cmphex(in(TCO1_CNT, 2), ==, BIT(12));
    out(TCO1_STS, 2, UINT16_MAX);
    out(TCO_DAT_IN, 1, 0);
    out(TCO_DAT_OUT, 1, 0);
    g_assert_cmphex(in(TCO1_STS, 2), ==, BIT(1) | BIT(2));
    device_delete(&chip->parent);
}

static void test_watchdog_action(void)
{
    Chip *chip = make();
    int status;

    run_actions()->watchdog = WATCHDOG_ACTION_RESET;
    resets = 0;
    out(TCO_RLD, 2, 4); /* starts it */
    clock_qtest_step(ACPI_TCO_TICK_NS * 4);
    out(TCO_RLD, 2, 4);
    clock_qtest_step(ACPI_TCO_TICK_NS * 7);
    vm_serve_requests(&status);
    g_assert_cmpint(resets, ==, 0);
    clock_qtest_step(ACPI_TCO_TICK_NS);
    vm_serve_requests(&status);
    g_assert_cmpint(resets, ==, 1);
    device_delete(&chip->parent);
}

static void test_state(void)
{
    Chip *chip = make();
    const VMState *state = device_type_state(chip->parent.parent.type);
    g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
    VMWriter writer = { first };
    VMReader reader;

    vmstate_check(state);
    out(TCO_RLD, 2, 4);
    out(ENABLE, 2, ACPI_PM1_TIMER);
    acpi_pm_raise_gpe(&chip->pm, 3);
    g_assert_true(vmstate_save(state, chip, &writer, NULL));
    device_reset(&chip->parent);
    reader = (VMReader){ first->data, first->len };
    g_assert_true(vmstate_load(state, chip, &reader, NULL));
    writer.out = second;
    g_assert_true(vmstate_save(state, chip, &writer, NULL));
    g_assert_cmpmem(first->data, first->len, second->data, second->len);
    g_assert_cmphex(in(GPE, 1), ==, 8);
    device_delete(&chip->parent);
}

static void count_pulse(IrqObserver *observer, int level);

static struct {
    IrqObserver observer;
    unsigned count;
} pulses = { { count_pulse } };

static void count_pulse(IrqObserver *observer, int level)
{
    pulses.count += level != 0;
}

static uint64_t ged_get(void)
{
    uint64_t value;

    address_space_load(address_space_system(), GED_BASE, MEM_LE32, MEM_TX_NONE, &value);
    return value;
}

static void test_ged(void)
{
    Device *ged = device_new(TYPE_ACPI_GED_X86);
    int status;

    object_set_int(ged, "ged-event", ACPI_GED_POWER_DOWN | ACPI_GED_CPU_HOTPLUG, NULL);
    g_assert_true(device_realize_and_unref(ged, bus_system(), NULL));
    mmio_device_map(MMIO_DEVICE(ged), ACPI_GED_SELECTOR, GED_BASE);
    mmio_device_map(MMIO_DEVICE(ged), ACPI_GED_REGISTERS, GED_BASE + 0x200);
    irq_observe(device_irq_out(ged, "sysbus-irq", 0), &pulses.observer);
    acpi_ged_raise(ged, ACPI_GED_MEMORY_HOTPLUG);
    g_assert_cmpint(pulses.count, ==, 0);
    acpi_ged_raise(ged, ACPI_GED_CPU_HOTPLUG);
    vm_request_powerdown();
    vm_serve_requests(&status);
    g_assert_cmpint(pulses.count, ==, 2);
    g_assert_cmphex(ged_get(), ==, ACPI_GED_POWER_DOWN | ACPI_GED_CPU_HOTPLUG);
    g_assert_cmphex(ged_get(), ==, 0);
    resets = 0;
    address_space_store(address_space_system(), GED_BASE + 0x202, MEM_8, MEM_TX_NONE, 0x41);
    vm_serve_requests(&status);
    g_assert_cmpint(resets, ==, 0);
    address_space_store(address_space_system(), GED_BASE + 0x202, MEM_8, MEM_TX_NONE, 0x42);
    vm_serve_requests(&status);
    g_assert_cmpint(resets, ==, 1);
    address_space_store(address_space_system(), GED_BASE + 0x200, MEM_8, MEM_TX_NONE, 0x34);
    g_assert_true(vm_serve_requests(&status));
    device_delete(ged);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("board-machine"));
    g_test_add_func("/acpi/timer", test_timer);
    g_test_add_func("/acpi/events", test_events);
    g_test_add_func("/acpi/sleep", test_sleep);
    g_test_add_func("/acpi/watchdog", test_watchdog);
    g_test_add_func("/acpi/watchdog-action", test_watchdog_action);
    g_test_add_func("/acpi/state", test_state);
    g_test_add_func("/acpi/ged", test_ged);
    status = g_test_run();
    machine_unlock();
    return status;
}
