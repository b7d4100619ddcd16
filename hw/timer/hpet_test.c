/*
 * The HPET, as a guest programs it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/mmio_device.h"
#include "system/address_space.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define BASE UINT64_C(0xfed00000)
enum { CAPS = 0, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0, T0 = 0x100, T1 = 0x120, T2 = 0x140,
       COMPARATOR = 8, FSB = 16 };

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board", .is_without_ram = true,
};
MACHINE_TYPE(board_type)

typedef struct Watch {
    IrqObserver observer;
    unsigned rises;
} Watch;

static void changed(IrqObserver *observer, int level)
{
    ((Watch *)observer)->rises += level != 0;
}

static uint64_t get(uint64_t at)
{
    uint64_t value;

    address_space_load(address_space_system(), BASE + at, MEM_LE64, MEM_TX_NONE, &value);
    return value;
}

static void put(uint64_t at, uint64_t value)
{
    address_space_store(address_space_system(), BASE + at, MEM_LE64, MEM_TX_NONE, value);
}

static void put32(uint64_t at, uint32_t value)
{
    address_space_store(address_space_system(), BASE + at, MEM_LE32, MEM_TX_NONE, value);
}

static Device *make(bool has_msi)
{
    Device *dev = device_new("hpet");

    object_set_int(dev, "hpet-intcap", 0xff0104, NULL);
    object_set_bool(dev, "msi", has_msi, NULL);
    g_assert_true(device_realize_and_unref(dev, bus_system(), NULL));
    mmio_device_map(MMIO_DEVICE(dev), 0, BASE);
    device_reset(dev);
    return dev;
}

static void watch(Device *dev, unsigned line, Watch *w)
{
    *w = (Watch){ { changed } };
    g_assert_true(irq_observe(device_irq_out(dev, "sysbus-irq", line), &w->observer));
}

static void test_counter(void)
{
    Device *dev = make(false);

    g_assert_cmphex(get(CAPS), ==, UINT64_C(0x009896808086a201));
    g_assert_cmphex(get(T0), ==, UINT64_C(0x00ff010400000030));
    g_assert_cmphex(get(T0 + COMPARATOR), ==, UINT64_MAX);
    put(COUNTER, UINT64_C(0x1fffffff0));
    clock_qtest_step(1000);
    g_assert_cmphex(get(COUNTER), ==, UINT64_C(0x1fffffff0)); /* it stands */
    put32(CONFIG, 1);
    clock_qtest_step(1000);
    g_assert_cmphex(get(COUNTER), ==, UINT64_C(0x200000054));
    put32(CONFIG, 0);
    clock_qtest_step(1000);
    put32(COUNTER + 4, 7);
    g_assert_cmphex(get(COUNTER), ==, UINT64_C(0x700000054));
    device_delete(dev);
}

static void test_one_shot(void)
{
    Device *dev = make(false);
    Watch w;

    watch(dev, 20, &w);
    put(T2, 20 << 9 | BIT(2) | BIT(8)); /* 32 bits, edge */
    put(T2 + COMPARATOR, 100);
    put(CONFIG, 1);
    clock_qtest_step(999);
    g_assert_cmpint(w.rises, ==, 0);
    clock_qtest_step(1);
    g_assert_cmpint(w.rises, ==, 1);
    g_assert_cmphex(get(STATUS), ==, 0);
    clock_qtest_step(INT64_C(10) << 32); /* once around */
    g_assert_cmpint(w.rises, ==, 2);
    device_delete(dev);
}

static void test_periodic(void)
{
    Device *dev = make(false);
    IrqLine *line = device_irq_out(dev, "sysbus-irq", 18);

    put(T1, 18 << 9 | BIT(1) | BIT(2) | BIT(3) | BIT(6)); /* level */
    put(T1 + COMPARATOR, 5000);
    put(T1 + COMPARATOR, 2000); /* the period alone */
    g_assert_cmpint(get(T1 + COMPARATOR), ==, 5000);
    put(CONFIG, 1);
    clock_qtest_step(50000);
    g_assert_cmpint(irq_level(line), ==, 1);
    g_assert_cmphex(get(STATUS), ==, BIT(1));
    g_assert_cmpint(get(T1 + COMPARATOR), ==, 7000);
    put(STATUS, BIT(1));
    g_assert_cmpint(irq_level(line), ==, 0);
    clock_qtest_step(19999);
    g_assert_cmpint(irq_level(line), ==, 0);
    clock_qtest_step(1);
    g_assert_cmpint(irq_level(line), ==, 1);
    device_reset(dev);
    g_assert_cmpint(irq_level(line), ==, 0);
    device_delete(dev);
}

static void test_fast(void)
{
    Device *dev = make(false);
    Watch w;

    watch(dev, 20, &w);
    put(T0, 20 << 9 | BIT(2) | BIT(3) | BIT(6));
    put(T0 + COMPARATOR, 1); /* 10 ns */
    put(CONFIG, 1);
    clock_qtest_step(NS_PER_MS);
    g_assert_cmpint(w.rises, >=, 99);
    g_assert_cmpint(w.rises, <=, 102);
    device_delete(dev);
}

static void test_legacy(void)
{
    Device *dev = make(false);
    IrqInput *pit = device_irq_in(dev, NULL, 0), *rtc = device_irq_in(dev, NULL, 1);
    IrqLine *rtc_line = device_irq_out(dev, "sysbus-irq", 8);
    Watch w;

    watch(dev, 0, &w);
    g_assert_cmpint(irq_level(device_irq_out(dev, NULL, 0)), ==, 1);
    irq_input_set(pit, 1);
    irq_input_set(pit, 0);
    g_assert_cmpint(w.rises, ==, 1);
    irq_input_set(rtc, 1);
    g_assert_cmpint(irq_level(rtc_line), ==, 1);
    put(T0, BIT(2));
    put(T0 + COMPARATOR, 10);
    put(CONFIG, 3);
    g_assert_cmpint(irq_level(device_irq_out(dev, NULL, 0)), ==, 0);
    g_assert_cmpint(irq_level(rtc_line), ==, 0);
    irq_input_set(pit, 1);
    g_assert_cmpint(w.rises, ==, 1);
    clock_qtest_step(100);
    g_assert_cmpint(w.rises, ==, 2);
    put(CONFIG, 1);
    g_assert_cmpint(irq_level(rtc_line), ==, 1); /* still wanted */
    device_delete(dev);
}

static uint64_t message;

static void take_message(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    message = offset << 32 | value;
}

static const MemoryOps sink_ops = { .write = take_message, .endian = ENDIAN_LITTLE };

static void test_messages(void)
{
    Device *dev = make(true);
    static MemoryRegion sink; /* views may keep it longer than this function */

    memory_region_init_io(&sink, NULL, &sink_ops, "sink", 0x1000);
    memory_region_add(memory_region_system(), 0xfee00000, &sink);
    put(T0, BIT(2) | BIT(14));
    g_assert_cmphex(get(T0) & 0xffff, ==, 0xc034);
    put(T0 + FSB, UINT64_C(0xfee0010000000041));
    put(T0 + COMPARATOR, 10);
    put(CONFIG, 1);
    clock_qtest_step(100);
    g_assert_cmphex(message, ==, UINT64_C(0x10000000041));
    memory_region_remove(memory_region_system(), &sink);
    device_delete(dev);
}

static void test_state(void)
{
    Device *from = make(false), *to = make(false);
    const VMState *state = device_type_state(from->parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;

    vmstate_check(state);
    mmio_device_unmap(MMIO_DEVICE(to), 0);
    put(CONFIG, 1);
    put(T0, 20 << 9 | BIT(2));
    put(T0 + COMPARATOR, 100);
    clock_qtest_step(507);
    g_assert_true(vmstate_save(state, from, &writer, NULL));
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, to, &reader, NULL));
    mmio_device_unmap(MMIO_DEVICE(from), 0);
    mmio_device_map(MMIO_DEVICE(to), 0, BASE);
    g_assert_cmpint(get(COUNTER), ==, 50);
    clock_qtest_step(3);
    g_assert_cmpint(get(COUNTER), ==, 51);
    device_delete(from);
    device_delete(to);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("board-machine"));
    g_test_add_func("/hpet/counter", test_counter);
    g_test_add_func("/hpet/one-shot", test_one_shot);
    g_test_add_func("/hpet/periodic", test_periodic);
    g_test_add_func("/hpet/fast", test_fast);
    g_test_add_func("/hpet/legacy", test_legacy);
    g_test_add_func("/hpet/messages", test_messages);
    g_test_add_func("/hpet/state", test_state);
    status = g_test_run();
    machine_unlock();
    return status;
}
