/*
 * The model device of docs/devel/devices.md, driven as a guest would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "hw/core/mmio_device.h"
#include "hw/core/reset.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define STATUS_FIRED BIT(0)

typedef struct Alarm {
    MmioDevice parent;
    IrqLine irq, spare[2];
    Timer timer;
    uint32_t tick_ns;
    uint32_t delay, status, bank[3];
    uint64_t last_in;
} Alarm;
DECLARE_CAST(Alarm, ALARM)

static void alarm_update_irq(Device *dev)
{
    irq_set(&ALARM(dev)->irq, ALARM(dev)->status & STATUS_FIRED);
}

static void alarm_fire(Device *dev)
{
    ALARM(dev)->status |= STATUS_FIRED;
    alarm_update_irq(dev);
}

static void alarm_delay_written(Device *dev)
{
    Alarm *a = ALARM(dev);

    timer_arm_after_ns(&a->timer, (int64_t)a->delay * a->tick_ns);
}

static uint64_t alarm_left(Device *dev, unsigned n)
{
    return timer_is_armed(&ALARM(dev)->timer);
}

static void alarm_in(void *opaque, unsigned n, int level)
{
    ALARM(opaque)->last_in = n * 2 + level;
}

static bool alarm_realize(Device *dev, Error **errp)
{
    return ALARM(dev)->tick_ns != 13 || error_set(errp, "13 is unlucky");
}

static const RegDef alarm_regs[] = {
    REG(0x0, "DELAY", Alarm, delay, .writable = UINT32_MAX, .written = alarm_delay_written),
    REG(0x4, "STATUS", Alarm, status, .clear_on_1 = STATUS_FIRED, .written = alarm_update_irq),
    REG_COMPUTED(0x8, "ARMED", .read = alarm_left),
    REG_BANK(0x10, "BANK", Alarm, bank, 3, .writable = 0xff, .reset = 7),
};
static const IrqDef alarm_irqs[] = {
    IRQ_ROW_OUT(NULL, Alarm, irq),
    IRQ_ROW_OUT("spare", Alarm, spare, .count = 2),
    IRQ_ROW_IN("in", alarm_in, 4),
};
static const Property alarm_props[] = {
    PROP_U32("tick-ns", Alarm, tick_ns, .initial = 1000, .min = 1, .max = NS_PER_SEC),
};
static const VMField alarm_fields[] = { VM_REGISTERS, VM_TIMER(Alarm, timer) };

static const DeviceType alarm_type = {
    .name = "alarm",
    .doc = "One-shot timer with a level interrupt",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(Alarm),
    .access = DEVICE_ACCESS_USER,
    .registers = REG_MAP(alarm_regs, .size = 0x1000, .width = 4, .endian = ENDIAN_LITTLE),
    .irqs = IRQS(alarm_irqs),
    .timers = TIMER_ON(CLOCK_VIRTUAL, Alarm, timer, alarm_fire),
    .properties = PROPERTIES(alarm_props),
    .vmstate = VMSTATE(alarm_fields, .version = 1),
    .realize = alarm_realize,
};
DEVICE_TYPE(alarm_type)

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board", .is_without_ram = true,
};
MACHINE_TYPE(board_type)

static Alarm *make(uint64_t addr)
{
    Alarm *a = ALARM(device_new("alarm"));

    g_assert_true(device_realize_and_unref(DEVICE(a), bus_system(), NULL));
    mmio_device_map(&a->parent, 0, addr);
    return a;
}

static uint32_t get(uint64_t addr)
{
    uint64_t value;

    address_space_load(address_space_system(), addr, MEM_LE32, MEM_TX_NONE, &value);
    return value;
}

static void put(uint64_t addr, uint32_t value)
{
    address_space_store(address_space_system(), addr, MEM_LE32, MEM_TX_NONE, value);
}

static void test_registers(void)
{
    Alarm *a = make(0x1000), *b = make(0x3000);

    device_reset(DEVICE(a));
    put(0x1000, 5);
    g_assert_cmphex(get(0x1008), ==, 1);
    g_assert_cmphex(get(0x3008), ==, 0);
    clock_qtest_step(4999);
    g_assert_cmpint(irq_level(&a->irq), ==, 0);
    clock_qtest_step(1);
    g_assert_cmpint(irq_level(&a->irq), ==, 1);
    g_assert_cmphex(get(0x1004), ==, STATUS_FIRED);
    put(0x1004, STATUS_FIRED);
    g_assert_cmpint(irq_level(&a->irq), ==, 0);
    g_assert_cmphex(get(0x1014), ==, 7);
    put(0x1014, 0xabcd);
    g_assert_cmphex(get(0x1014), ==, 0xcd);
    g_assert_cmphex(get(0x1018), ==, 7);
    g_assert_cmphex(get(0x1ffc), ==, 0); /* no register */
    device_delete(DEVICE(a));
    device_delete(DEVICE(b));
    g_assert_cmphex(get(0x1014), ==, UINT32_MAX);
}

static void test_reset(void)
{
    Alarm *a = make(0x1000);

    put(0x1000, 5);
    put(0x1010, 1);
    device_reset(DEVICE(a));
    g_assert_false(timer_is_armed(&a->timer));
    g_assert_cmphex(a->bank[0], ==, 7);
    g_assert_cmphex(a->delay, ==, 0);
    put(0x1010, 1);
    reset_machine();
    g_assert_cmphex(a->bank[0], ==, 7);
    device_delete(DEVICE(a));
}

static void test_state(void)
{
    Alarm *a = make(0x1000), *b = make(0x3000);
    const VMState *state = device_type_state(a->parent.parent.parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;

    vmstate_check(state);
    put(0x1000, 9);
    put(0x1018, 0x55);
    g_assert_true(vmstate_save(state, a, &writer, NULL));
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, b, &reader, NULL));
    g_assert_cmphex(b->bank[2], ==, 0x55);
    g_assert_cmpint(timer_deadline_ns(&b->timer), ==, timer_deadline_ns(&a->timer));
    device_delete(DEVICE(a));
    device_delete(DEVICE(b));
}

static void test_lines(void)
{
    Alarm *a = make(0x1000), *b = make(0x3000);

    device_connect(DEVICE(a), "spare", 1, DEVICE(b), "in", 3);
    irq_raise(&a->spare[1]);
    g_assert_cmpint(b->last_in, ==, 7);
    g_assert_null(device_irq_in(DEVICE(a), "in", 4));
    g_assert_null(device_irq_in(DEVICE(a), NULL, 0));
    device_delete(DEVICE(b));
    irq_lower(&a->spare[1]);
    device_delete(DEVICE(a));
}

static json_object *options(const char *text)
{
    json_object *value;
    char *why;

    g_assert_true(json_parse(text, strlen(text), &value, &why));
    return value;
}

static void expect_add(const char *text, const char *why)
{
    g_autoptr(JsonObject) keys = options(text);
    g_autoptr(Error) err = NULL;

    g_assert_cmpint(device_add(keys, PROPERTY_ANY, &err) != NULL, ==, !why);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, why);
}

static void test_add(void)
{
    g_autoptr(Error) err = NULL;

    expect_add("{'id':'a'}", "Parameter 'driver' is missing");
    expect_add("{'driver':'nope'}", "'nope' is not a valid device model name");
    expect_add("{'driver':'sys-bus-device'}",
               "Parameter 'driver' expects a non-abstract device type");
    expect_add("{'driver':'alarm','bus':'x'}", "Bus 'x' not found");
    expect_add("{'driver':'alarm','id':'1x'}", "Parameter 'id' expects an identifier");
    expect_add("{'driver':'alarm','id':'a','bogus':1}", "Property 'alarm.bogus' not found");
    expect_add("{'driver':'alarm','id':'a','tick-ns':13}", "13 is unlucky");
    expect_add("{'driver':'alarm','id':'a','tick-ns':'14'}", NULL);
    expect_add("{'driver':'alarm','id':'a'}", "Duplicate device ID 'a'");
    g_assert_cmpint(ALARM(device_find("a"))->tick_ns, ==, 14);
    g_assert_false(object_set_int(device_find("a"), "tick-ns", 3, NULL));
    g_assert_false(device_del("a", &err));
    g_assert_cmpstr(error_text(err), ==, "Bus 'main-system-bus' does not support hotplugging");
    device_set_hotplug_phase(true);
    expect_add("{'driver':'alarm'}", "Bus 'main-system-bus' does not support hotplugging");
    device_set_hotplug_phase(false);
    device_delete(device_find("a"));
}

static void test_globals(void)
{
    device_add_global("sys-bus-device", "tick-ns", "77", true);
    expect_add("{'driver':'alarm','id':'a'}", NULL);
    g_assert_cmpint(ALARM(device_find("a"))->tick_ns, ==, 77);
    device_delete(device_find("a"));
    device_add_global("alarm", "tick-ns", "0", true);
    expect_add("{'driver':'alarm','id':'a'}",
               "can't apply global alarm.tick-ns=0: Property 'alarm.tick-ns' doesn't take value "
               "'0' (minimum: 1, maximum: 1000000000)");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("board-machine"));
    g_test_add_func("/device/registers", test_registers);
    g_test_add_func("/device/reset", test_reset);
    g_test_add_func("/device/state", test_state);
    g_test_add_func("/device/lines", test_lines);
    g_test_add_func("/device/add", test_add);
    g_test_add_func("/device/globals", test_globals);
    status = g_test_run();
    machine_unlock();
    return status;
}
