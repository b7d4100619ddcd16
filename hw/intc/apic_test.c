/*
 * Local APICs of two CPUs, the message window and an IOAPIC, driven as a guest would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/local_apic.h"
#include "hw/core/machine.h"
#include "hw/core/mmio_device.h"
#include "system/address_space.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0,
       SVR = 0xf0, ISR = 0x100, IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR_HIGH = 0x310,
       LVT_TIMER = 0x320, LVT_LINT0 = 0x350, LVT_LINT1 = 0x360, LVT_ERROR = 0x370, COUNT = 0x380,
       CURRENT = 0x390, DIVIDE = 0x3e0 };
#define IOAPIC_ADDR UINT64_C(0xfec00000)
#define SELF BIT(18)
#define OTHERS (BIT(18) | BIT(19))

/* A CPU that only notes what it is told. */
typedef struct FakeCpu {
    Device *apic;
    bool intr;
    unsigned nmis, smis, inits, startups;
    uint8_t startup_vector;
} FakeCpu;

static void fake_intr(void *opaque, bool is_pending)
{
    ((FakeCpu *)opaque)->intr = is_pending;
}

static void fake_nmi(void *opaque)
{
    ((FakeCpu *)opaque)->nmis++;
}

static void fake_smi(void *opaque)
{
    ((FakeCpu *)opaque)->smis++;
}

static void fake_init(void *opaque)
{
    ((FakeCpu *)opaque)->inits++;
}

static void fake_startup(void *opaque, uint8_t vector)
{
    ((FakeCpu *)opaque)->startups++;
    ((FakeCpu *)opaque)->startup_vector = vector;
}

/* 2 GHz. */
static int64_t fake_tsc_time(void *opaque, uint64_t tsc)
{
    return tsc / 2;
}

static const ApicCpuOps fake_ops = { fake_intr, fake_nmi, fake_smi, fake_init, fake_startup,
                                     fake_tsc_time };
static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board", .is_without_ram = true,
};
MACHINE_TYPE(board_type)

static FakeCpu cpus[2];

static const LocalApic *ops(unsigned cpu)
{
    return local_apic_ops(cpus[cpu].apic);
}

static uint32_t get(unsigned cpu, uint32_t offset)
{
    return ops(cpu)->read(cpus[cpu].apic, offset);
}

static void put(unsigned cpu, uint32_t offset, uint32_t value)
{
    ops(cpu)->write(cpus[cpu].apic, offset, value);
}

static int take(unsigned cpu)
{
    return ops(cpu)->acknowledge(cpus[cpu].apic);
}

static void send_ipi(unsigned cpu, uint32_t dest, uint32_t low)
{
    put(cpu, ICR_HIGH, dest << 24);
    put(cpu, ICR, low);
}

static void message(uint64_t addr, uint32_t data)
{
    address_space_store(address_space_system(), addr, MEM_LE32, MEM_TX_NONE, data);
}

static void make_cpus(uint32_t first_id)
{
    for (unsigned i = 0; i < 2; i++) {
        ApicCpu cpu = { .ops = &fake_ops, .opaque = &cpus[i], .physical_bits = 40,
                        .is_bsp = i == 0, .has_x2apic = true };

        cpus[i] = (FakeCpu){ .apic = device_new("apic") };
        ops(i)->attach(cpus[i].apic, &cpu);
        g_assert_true(object_set_int(cpus[i].apic, "id", first_id + i, NULL));
        g_assert_true(device_realize_and_unref(cpus[i].apic, NULL, NULL));
        device_reset(cpus[i].apic);
        put(i, SVR, 0x1ff);
    }
}

static void delete_cpus(void)
{
    for (unsigned i = 0; i < 2; i++) {
        device_delete(cpus[i].apic);
    }
}

static void test_registers(void)
{
    make_cpus(0);
    g_assert_cmphex(get(1, ID), ==, 0x01000000);
    g_assert_cmphex(get(0, VERSION), ==, 0x00050014);
    g_assert_cmphex(get(0, SVR), ==, 0x1ff);
    g_assert_cmphex(get(0, LVT_LINT0), ==, 0x700);
    g_assert_cmphex(get(1, LVT_LINT0), ==, 0x10000);
    put(0, LVT_TIMER, UINT32_MAX);
    g_assert_cmphex(get(0, LVT_TIMER), ==, 0x700ff);
    put(0, DFR, 0);
    g_assert_cmphex(get(0, DFR), ==, 0x0fffffff);
    put(0, SVR, 0xff); /* software disable masks all */
    g_assert_cmphex(get(0, LVT_LINT0), ==, 0x10700);
    put(0, LVT_LINT0, 0x700);
    g_assert_cmphex(get(0, LVT_LINT0), ==, 0x10700);
    g_assert_cmphex(get(0, 0x40), ==, 0); /* no register */
    g_assert_cmphex(get(0, ESR), ==, 0);
    put(0, ESR, 0);
    g_assert_cmphex(get(0, ESR), ==, BIT(7));
    delete_cpus();
}

static void test_priority(void)
{
    make_cpus(0);
    send_ipi(0, 0, SELF | 0x41);
    send_ipi(0, 0, SELF | 0x52);
    g_assert_true(cpus[0].intr);
    g_assert_cmphex(take(0), ==, 0x52);
    g_assert_cmphex(get(0, PPR), ==, 0x50);
    g_assert_false(cpus[0].intr); /* 0x41 waits */
    send_ipi(0, 0, SELF | 0x5f);  /* same class */
    g_assert_false(cpus[0].intr);
    send_ipi(0, 0, SELF | 0x60);
    g_assert_cmphex(take(0), ==, 0x60);
    g_assert_cmphex(get(0, ISR + 0x20), ==, BIT(0x52 - 0x40));
    g_assert_cmphex(get(0, ISR + 0x30), ==, BIT(0));
    put(0, EOI, 0);
    g_assert_false(cpus[0].intr);
    put(0, EOI, 0);
    g_assert_cmphex(take(0), ==, 0x5f);
    put(0, EOI, 0);
    put(0, TPR, 0x40);
    g_assert_false(cpus[0].intr);
    g_assert_cmpint(take(0), ==, -1);
    put(0, TPR, 0x3f);
    g_assert_cmphex(take(0), ==, 0x41);
    delete_cpus();
}

static void test_destinations(void)
{
    make_cpus(0);
    send_ipi(0, 1, 0x41);
    g_assert_cmphex(take(1), ==, 0x41);
    g_assert_false(cpus[0].intr);
    put(1, EOI, 0);
    send_ipi(0, 0xff, 0x42);
    g_assert_cmphex(take(0), ==, 0x42);
    g_assert_cmphex(take(1), ==, 0x42);
    send_ipi(0, 0, OTHERS | 0x61);
    g_assert_false(cpus[0].intr);
    g_assert_cmphex(take(1), ==, 0x61);
    put(0, LDR, 0x01000000);
    put(1, LDR, 0x02000000);
    send_ipi(0, 2, BIT(11) | 0x71);
    g_assert_false(cpus[0].intr);
    g_assert_cmphex(take(1), ==, 0x71);
    for (unsigned i = 0; i < 2; i++) {
        put(i, DFR, 0);
        put(i, LDR, 0x31000000);
    }
    put(1, LDR, 0x21000000);
    send_ipi(0, 0x23, BIT(11) | 0x81); /* cluster 2 */
    g_assert_cmphex(take(1), ==, 0x81);
    g_assert_false(cpus[0].intr);
    send_ipi(0, 0xff, 0x105); /* lowest priority: bad vector */
    put(0, ESR, 0);
    g_assert_cmphex(get(0, ESR), ==, BIT(5));
    put(0, TPR, 0xf0); /* 1 is busy with 0x81, 0 more so */
    send_ipi(0, 0xff, 0x1a1);
    g_assert_true(cpus[1].intr);
    g_assert_cmphex(get(0, IRR + 0x50), ==, 0);
    delete_cpus();
}

static void test_special(void)
{
    make_cpus(0);
    send_ipi(0, 1, 0x400);
    send_ipi(0, 1, 0x200);
    g_assert_cmpint(cpus[1].nmis, ==, 1);
    g_assert_cmpint(cpus[1].smis, ==, 1);
    put(1, TPR, 0x20);
    send_ipi(0, 1, 0xc500); /* INIT */
    send_ipi(0, 1, 0x8500); /* its end */
    g_assert_cmpint(cpus[1].inits, ==, 1);
    g_assert_cmphex(get(1, TPR), ==, 0);
    g_assert_cmphex(get(1, ID), ==, 0x01000000);
    send_ipi(0, 1, 0x69a);
    send_ipi(0, 1, 0x69b); /* no longer waiting */
    g_assert_cmpint(cpus[1].startups, ==, 1);
    g_assert_cmphex(cpus[1].startup_vector, ==, 0x9a);
    delete_cpus();
}

static uint8_t fake_pic(void *opaque)
{
    return 0x33;
}

static void test_pins(void)
{
    make_cpus(0);
    apic_bus_set_pic(fake_pic, NULL);
    irq_input_set(device_irq_in(cpus[0].apic, NULL, 0), 1);
    g_assert_true(cpus[0].intr);
    g_assert_cmphex(take(0), ==, 0x33);
    irq_input_set(device_irq_in(cpus[0].apic, NULL, 0), 0);
    g_assert_false(cpus[0].intr);
    put(0, LVT_LINT1, 0x400);
    irq_input_set(device_irq_in(cpus[0].apic, NULL, 1), 1);
    irq_input_set(device_irq_in(cpus[0].apic, NULL, 1), 1);
    g_assert_cmpint(cpus[0].nmis, ==, 1);
    put(1, LVT_LINT1, 0x8055); /* level */
    irq_input_set(device_irq_in(cpus[1].apic, NULL, 1), 1);
    g_assert_cmphex(get(1, LVT_LINT1), ==, 0xc055);
    g_assert_cmphex(take(1), ==, 0x55);
    put(1, EOI, 0);
    g_assert_cmphex(take(1), ==, 0x55); /* still up */
    irq_input_set(device_irq_in(cpus[1].apic, NULL, 1), 0);
    put(1, EOI, 0);
    g_assert_false(cpus[1].intr);
    g_assert_cmphex(get(1, LVT_LINT1), ==, 0x8055);
    apic_bus_set_pic(NULL, NULL);
    delete_cpus();
}

static void test_timer(void)
{
    make_cpus(0);
    put(0, LVT_TIMER, 0x44);
    put(0, DIVIDE, 0x3); /* by 16 */
    put(0, COUNT, 1000);
    clock_qtest_step(1600);
    g_assert_cmpint(get(0, CURRENT), ==, 900);
    clock_qtest_step(14399);
    g_assert_false(cpus[0].intr);
    clock_qtest_step(1);
    g_assert_cmphex(take(0), ==, 0x44);
    put(0, EOI, 0);
    g_assert_cmpint(get(0, CURRENT), ==, 0);
    clock_qtest_step(NS_PER_SEC);
    g_assert_false(cpus[0].intr);

    put(0, LVT_TIMER, BIT(17) | 0x45);
    put(0, COUNT, 10000);
    for (unsigned i = 0; i < 3; i++) {
        clock_qtest_step(160000);
        g_assert_cmphex(take(0), ==, 0x45);
        put(0, EOI, 0);
    }
    clock_qtest_step(1600);
    g_assert_cmpint(get(0, CURRENT), ==, 9900);
    put(0, COUNT, 0);
    clock_qtest_step(NS_PER_SEC);
    g_assert_false(cpus[0].intr);
    delete_cpus();
}

static void test_deadline(void)
{
    int64_t now = clock_now_ns(CLOCK_VIRTUAL);
    uint64_t value;

    make_cpus(0);
    g_assert_true(ops(0)->write_msr(cpus[0].apic, MSR_APIC_TSC_DEADLINE, 5));
    g_assert_true(ops(0)->read_msr(cpus[0].apic, MSR_APIC_TSC_DEADLINE, &value));
    g_assert_cmphex(value, ==, 0); /* not in this mode */
    put(0, LVT_TIMER, BIT(18) | 0x46);
    ops(0)->write_msr(cpus[0].apic, MSR_APIC_TSC_DEADLINE, (now + 100) * 2);
    clock_qtest_step(99);
    g_assert_false(cpus[0].intr);
    ops(0)->read_msr(cpus[0].apic, MSR_APIC_TSC_DEADLINE, &value);
    g_assert_cmphex(value, ==, (now + 100) * 2);
    clock_qtest_step(1);
    g_assert_cmphex(take(0), ==, 0x46);
    ops(0)->read_msr(cpus[0].apic, MSR_APIC_TSC_DEADLINE, &value);
    g_assert_cmphex(value, ==, 0);
    delete_cpus();
}

static bool write_msr(unsigned cpu, uint32_t msr, uint64_t value)
{
    return ops(cpu)->write_msr(cpus[cpu].apic, msr, value);
}

static void test_x2apic(void)
{
    uint64_t value;

    make_cpus(0x123);
    g_assert_false(ops(0)->read_msr(cpus[0].apic, 0x802, &value));
    g_assert_true(ops(0)->read_msr(cpus[0].apic, MSR_APIC_BASE, &value));
    g_assert_cmphex(value, ==, 0xfee00900);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(write_msr(i, MSR_APIC_BASE, 0xfee00c00 | (i ? 0 : BIT(8))));
    }
    g_assert_false(write_msr(0, MSR_APIC_BASE, 0xfee00900)); /* not back */
    g_assert_false(write_msr(0, MSR_APIC_BASE, 0xfee00d01));
    g_assert_cmphex(get(0, ID), ==, UINT32_MAX); /* the page is gone */
    g_assert_true(ops(1)->read_msr(cpus[1].apic, 0x802, &value));
    g_assert_cmphex(value, ==, 0x124);
    g_assert_true(ops(1)->read_msr(cpus[1].apic, 0x80d, &value));
    g_assert_cmphex(value, ==, 0x120010);
    g_assert_false(ops(1)->read_msr(cpus[1].apic, 0x80e, &value));
    g_assert_false(ops(1)->read_msr(cpus[1].apic, 0x80b, &value));
    g_assert_false(write_msr(0, 0x80b, 1));
    g_assert_false(write_msr(0, 0x808, 0x100));
    g_assert_false(write_msr(0, 0x802, 0));
    g_assert_true(write_msr(0, 0x80f, 0x1ff));
    g_assert_true(write_msr(0, 0x830, UINT64_C(0x124) << 32 | 0x41));
    g_assert_cmphex(take(1), ==, 0x41);
    g_assert_true(write_msr(1, 0x80b, 0));
    g_assert_true(write_msr(0, 0x830, UINT64_C(0x120008) << 32 | BIT(11) | 0x42));
    g_assert_cmphex(take(0), ==, 0x42); /* bit 3 of the cluster */
    g_assert_false(cpus[1].intr);
    g_assert_true(write_msr(0, 0x830, UINT64_C(0xffffffff) << 32 | 0x51));
    g_assert_cmphex(take(0), ==, 0x51);
    g_assert_cmphex(take(1), ==, 0x51);
    g_assert_true(write_msr(1, 0x83f, 0x77));
    g_assert_cmphex(take(1), ==, 0x77);
    g_assert_false(write_msr(1, 0x83f, 0x100));
    delete_cpus();
}

/* Bits that software cannot write are no error; what is reserved is one. */
static void test_x2apic_read_only(void)
{
    static const struct {
        uint32_t msr;
        uint64_t written, read;
        bool is_fine;
    } rows[] = {
        { 0x835, 0x15700, 0x10700, true }, { 0x836, 0x15400, 0x10400, true },
        { 0x832, 0x11041, 0x10041, true }, { 0x832, 0x14041, 0x10041, false },
        { 0x837, 0x110fe, 0x100fe, true }, { 0x837, 0x12000, 0x100fe, false },
        { 0x834, 0x11400, 0x10400, true }, { 0x835, 0x20000, 0x10700, false },
    };

    make_cpus(0);
    g_assert_true(write_msr(0, MSR_APIC_BASE, 0xfee00d00));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t value;

        g_assert_cmpint(write_msr(0, rows[i].msr, rows[i].written), ==, rows[i].is_fine);
        g_assert_true(ops(0)->read_msr(cpus[0].apic, rows[i].msr, &value));
        g_assert_cmphex(value, ==, rows[i].read);
    }
    delete_cpus();
}

static bool remap_all(void *opaque, const ApicMsi *msi, ApicMessage *message)
{
    *message = (ApicMessage){ .dest = 1, .vector = 0x99, .has_wide_dest = true };
    ++*(unsigned *)opaque;
    return msi->data != 0xbad;
}

static void test_messages(void)
{
    unsigned count = 0;
    ApicRemap remap = { remap_all, &count };

    make_cpus(0);
    message(0xfee01000, 0x4041);
    g_assert_cmphex(take(1), ==, 0x41);
    message(0xfee00000, 0x31); /* to id 0, in the page that CPUs use for registers */
    g_assert_cmphex(take(0), ==, 0x31);
    message(0xfee00080, 0xff); /* a register of nobody */
    g_assert_cmphex(get(0, TPR), ==, 0);
    apic_bus_set_remap(&remap);
    message(0xfee00010, 0x55); /* from a CPU: a register */
    g_assert_cmpint(count, ==, 0);
    address_space_store(address_space_system(), 0xfee00010, MEM_LE32,
                        (MemTxAttrs){ .has_requester_id = true }, 0x55);
    g_assert_cmphex(take(1), ==, 0x99);
    put(1, EOI, 0);
    message(0xfee02010, 0xbad);
    g_assert_false(cpus[1].intr);
    g_assert_cmpint(count, ==, 2);
    apic_bus_set_remap(NULL);
    delete_cpus();
}

static void write_entry(unsigned pin, uint32_t high, uint32_t low)
{
    message(IOAPIC_ADDR, 0x11 + pin * 2);
    message(IOAPIC_ADDR + 0x10, high);
    message(IOAPIC_ADDR, 0x10 + pin * 2);
    message(IOAPIC_ADDR + 0x10, low);
}

static uint32_t read_entry(unsigned pin)
{
    uint64_t value;

    message(IOAPIC_ADDR, 0x10 + pin * 2);
    address_space_load(address_space_system(), IOAPIC_ADDR + 0x10, MEM_LE32, MEM_TX_NONE, &value);
    return value;
}

static Device *make_ioapic(void)
{
    Device *dev = device_new("ioapic");

    g_assert_true(device_realize_and_unref(dev, bus_system(), NULL));
    mmio_device_map(MMIO_DEVICE(dev), 0, IOAPIC_ADDR);
    return dev;
}

static void test_ioapic(void)
{
    Device *dev = make_ioapic();
    IrqInput *edge = device_irq_in(dev, NULL, 4), *level = device_irq_in(dev, NULL, 23);

    make_cpus(0);
    message(IOAPIC_ADDR, 1);
    g_assert_cmphex(read_entry(5), ==, 0x10000);
    irq_input_set(edge, 1); /* masked: forgotten */
    write_entry(4, 0x01000000, 0x54);
    g_assert_false(cpus[1].intr);
    irq_input_set(edge, 0);
    irq_input_set(edge, 1);
    g_assert_cmphex(take(1), ==, 0x54);
    put(1, EOI, 0);

    write_entry(23, 0x01000000, 0x18061);
    irq_input_set(level, 1); /* masked: waits */
    write_entry(23, 0x01000000, 0x8061);
    g_assert_cmphex(read_entry(23), ==, 0xc061);
    g_assert_cmphex(take(1), ==, 0x61);
    irq_input_set(level, 1);
    g_assert_false(cpus[1].intr); /* remote IRR */
    put(1, EOI, 0);
    g_assert_cmphex(take(1), ==, 0x61); /* still up */
    irq_input_set(level, 0);
    put(1, EOI, 0);
    g_assert_cmphex(read_entry(23), ==, 0x8061);
    irq_input_set(level, 1);
    irq_input_set(level, 0);
    message(IOAPIC_ADDR + 0x40, 0x61); /* the EOI register */
    g_assert_cmphex(read_entry(23), ==, 0x8061);
    delete_cpus();
    device_delete(dev);
}

static void test_ioapic_options(void)
{
    g_autoptr(Device) wrong = device_new("ioapic");
    g_autoptr(Error) err = NULL;

    object_set_int(wrong, "version", 0x12, NULL);
    g_assert_false(device_realize(wrong, bus_system(), &err));
    g_assert_cmpstr(error_text(err), ==, "IOAPIC version 0x12 is neither 0x11 nor 0x20");
}

static void check_state(Device *from, Device *to)
{
    const VMState *state = device_type_state(from->parent.type);
    g_autoptr(GByteArray) first = g_byte_array_new(), second = g_byte_array_new();
    VMWriter w = { first };
    VMReader r;

    vmstate_check(state);
    g_assert_true(vmstate_save(state, from, &w, NULL));
    r = (VMReader){ first->data, first->len };
    g_assert_true(vmstate_load(state, to, &r, NULL));
    w.out = second;
    g_assert_true(vmstate_save(state, to, &w, NULL));
    g_assert_cmpmem(first->data, first->len, second->data, second->len);
}

static void test_state(void)
{
    Device *one, *two = make_ioapic();

    one = make_ioapic();
    make_cpus(0);
    write_entry(3, 0x02000000, 0x8033);
    check_state(one, two);
    put(0, LVT_TIMER, 0x44);
    put(0, COUNT, 1000000);
    put(0, TPR, 0x30);
    send_ipi(0, 0, SELF | 0x41);
    check_state(cpus[0].apic, cpus[1].apic);
    g_assert_true(cpus[1].intr);
    g_assert_cmpint(get(1, CURRENT), ==, 1000000);
    device_delete(one);
    device_delete(two);
    delete_cpus();
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("board-machine"));
    memory_region_add_overlap(memory_region_system(), APIC_WINDOW_ADDR, apic_bus_window(), 4096);
    g_test_add_func("/apic/registers", test_registers);
    g_test_add_func("/apic/priority", test_priority);
    g_test_add_func("/apic/destinations", test_destinations);
    g_test_add_func("/apic/special", test_special);
    g_test_add_func("/apic/pins", test_pins);
    g_test_add_func("/apic/timer", test_timer);
    g_test_add_func("/apic/deadline", test_deadline);
    g_test_add_func("/apic/x2apic", test_x2apic);
    g_test_add_func("/apic/x2apic-read-only", test_x2apic_read_only);
    g_test_add_func("/apic/messages", test_messages);
    g_test_add_func("/apic/ioapic", test_ioapic);
    g_test_add_func("/apic/ioapic-options", test_ioapic_options);
    g_test_add_func("/apic/state", test_state);
    status = g_test_run();
    machine_unlock();
    return status;
}
