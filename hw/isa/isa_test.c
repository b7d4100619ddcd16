/*
 * The ISA bus: lines are wired-or, ports come and go, what does not exist is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_test.h"

typedef struct Probe {
    IsaDevice parent;
    IrqLine irq;
    uint32_t iobase, irq_number;
    uint8_t value;
} Probe;
DECLARE_CAST(Probe, PROBE)

static bool probe_realize(Device *dev, Error **errp)
{
    Probe *p = PROBE(dev);

    return isa_device_map_registers(&p->parent, p->iobase, errp) &&
           isa_device_connect(&p->parent, &p->irq, p->irq_number, errp);
}

static const RegDef probe_regs[] = { REG(0, "VALUE", Probe, value, .writable = 0xff) };
static const Property probe_props[] = {
    PROP_U32("iobase", Probe, iobase, .initial = 0x300),
    PROP_U32("irq", Probe, irq_number, .initial = 5),
};
static const DeviceType probe_type = {
    .name = "probe", .parent = TYPE_ISA_DEVICE, .size = sizeof(Probe),
    .doc = "Test device",
    .registers = REG_MAP(probe_regs, .size = 2, .width = 1, .access_max = 4),
    .irqs = IRQ_OUT(Probe, irq),
    .properties = PROPERTIES(probe_props),
    .realize = probe_realize,
};
DEVICE_TYPE(probe_type)

static void test_ports(void)
{
    Device *a = isa_test_add("probe");

    outb(0x300, 0x5a);
    g_assert_cmphex(inb(0x300), ==, 0x5a);
    g_assert_cmphex(isa_test_in(0x300, MEM_LE16), ==, 0x5a);
    device_delete(a);
    g_assert_cmphex(inb(0x300), ==, 0xff);
}

static void test_shared_line(void)
{
    Device *a = isa_test_add("probe"), *b = isa_test_add("probe");

    irq_raise(&PROBE(a)->irq);
    irq_raise(&PROBE(b)->irq);
    irq_lower(&PROBE(a)->irq);
    g_assert_cmpint(isa_test_irq(5), ==, 1);
    device_delete(b);
    g_assert_cmpint(isa_test_irq(5), ==, 0);
    device_delete(a);
}

static void expect_refusal(const char *prop, int64_t value, const char *why)
{
    g_autoptr(Device) dev = device_new("probe");
    g_autoptr(Error) err = NULL;

    g_assert_true(object_set_int(dev, prop, value, NULL));
    g_assert_false(device_realize(dev, &isa_test_bus()->parent, &err));
    g_assert_cmpstr(error_text(err), ==, why);
    g_assert_cmphex(inb(0x300), ==, 0xff);
}

static void test_refusals(void)
{
    expect_refusal("iobase", 0xffff, "probe: there is no ISA port 0xffff");
    expect_refusal("irq", 16, "probe: there is no ISA interrupt 16 (0 to 15)");
}

int main(int argc, char **argv)
{
    isa_test_start(&argc, &argv);
    g_test_add_func("/isa/ports", test_ports);
    g_test_add_func("/isa/shared-line", test_shared_line);
    g_test_add_func("/isa/refusals", test_refusals);
    return isa_test_run();
}
