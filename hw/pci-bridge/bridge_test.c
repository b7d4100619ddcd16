/*
 * Bridges as a guest sees them: bus numbers, windows, VGA, reset of the bus behind, interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_test_machine.h"
#include "hw/pci/pcie.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define BDF(bus, slot) ((bus) << 8 | (slot) << 3)
#define BRIDGE BDF(0, 4)

static TestHost *host;

static PciDevice *add(const char *options)
{
    g_autoptr(Error) err = NULL;
    Device *dev = test_add(options, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    return PCI_DEVICE(dev);
}

static void refuse(const char *options, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(test_add(options, &err));
    g_assert_cmpstr(error_text(err), ==, why);
}

/* primary, secondary, subordinate */
static void number(unsigned bdf, unsigned secondary, unsigned subordinate)
{
    test_cfg_set(bdf, PCI_PRIMARY_BUS, 4, bdf >> 8 | secondary << 8 | subordinate << 16);
}

static void test_numbers(void)
{
    PciDevice *outer = add("{'driver':'i82801b11-bridge','id':'a','addr':'4'}");
    PciDevice *dev;

    add("{'driver':'i82801b11-bridge','id':'b','bus':'a','addr':'2'}");
    dev = add("{'driver':'test-pci','bus':'b','addr':'3'}");
    g_assert_cmphex(test_cfg(BDF(2, 3), 0, 4), ==, UINT32_MAX);
    number(BRIDGE, 1, 2);
    number(BDF(1, 2), 2, 2);
    g_assert_cmphex(test_cfg(BDF(2, 3), 0, 4), ==, 0x56781234);
    g_assert_cmphex(pci_device_requester_id(dev), ==, BDF(2, 3));
    number(BRIDGE, 5, 9);
    g_assert_cmphex(test_cfg(BDF(2, 3), 0, 4), ==, UINT32_MAX);
    number(BDF(5, 2), 9, 9);
    g_assert_cmphex(test_cfg(BDF(9, 3), 0, 4), ==, 0x56781234);
    g_assert_cmphex(pci_device_requester_id(dev), ==, BDF(9, 3));
    number(BRIDGE, 5, 8);
    g_assert_cmphex(test_cfg(BDF(9, 3), 0, 4), ==, UINT32_MAX);
    device_delete(DEVICE(outer));
    g_assert_cmphex(test_cfg(BDF(5, 2), 0, 4), ==, UINT32_MAX);
}

static uint64_t port(uint64_t addr)
{
    uint64_t value;

    address_space_load(address_space_io(), addr, MEM_LE32, MEM_TX_NONE, &value);
    return value;
}

/* A bridge whose id, which its bus is called by, is one of its properties' names. */
static void test_name(void)
{
    PciDevice *bridge = add("{'driver':'pcie-root-port','id':'port','addr':'4','chassis':1}");

    PciDevice *below = add("{'driver':'test-pci','bus':'port'}");

    g_assert_cmpstr(bus_name(&PCI_BRIDGE(bridge)->bus->parent), ==, "port");
    g_assert_true(below->parent.bus == &PCI_BRIDGE(bridge)->bus->parent);
    device_delete(DEVICE(bridge));
}

static void test_windows(void)
{
    PciDevice *bridge = add("{'driver':'pcie-root-port','id':'a','addr':'4','chassis':1}");

    add("{'driver':'test-pci','bus':'a'}");
    test_cfg_set(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    number(BRIDGE, 1, 1);
    test_cfg_set(BDF(1, 0), 0x10, 4, 0xe0000000);
    test_cfg_set(BDF(1, 0), 0x14, 4, 0xc000);
    test_cfg_set(BDF(1, 0), 0x18, 4, 0x00100000);
    test_cfg_set(BDF(1, 0), 0x1c, 4, 0x8);
    test_cfg_set(BDF(1, 0), PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    /* After reset nothing passes. */
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, UINT32_MAX);
    g_assert_cmphex(port(0xc004), ==, UINT32_MAX);
    test_cfg_set(BRIDGE, PCI_MEMORY_BASE, 4, 0xe000e000);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, 0x50);
    test_cfg_set(BRIDGE, PCI_IO_BASE, 2, 0xc0c0);
    g_assert_cmphex(port(0xc004), ==, 0x44);
    test_cfg_set(BRIDGE, PCI_PREF_BASE, 4, 0x00100010);
    g_assert_cmphex(test_get(UINT64_C(0x800100020), MEM_LE32), ==, UINT32_MAX);
    test_cfg_set(BRIDGE, PCI_PREF_BASE_UPPER, 4, 8);
    test_cfg_set(BRIDGE, PCI_PREF_LIMIT_UPPER, 4, 8);
    g_assert_cmphex(test_get(UINT64_C(0x800100020), MEM_LE32), ==, 0x60);
    g_assert_cmphex(test_cfg(BRIDGE, PCI_PREF_BASE, 4), ==, 0x00110011);
    g_assert_cmphex(pci_bridge_limit(bridge, PCI_WINDOW_PREFETCH), ==, 0x8001fffff);
    test_cfg_set(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_IO);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, UINT32_MAX);
    g_assert_cmphex(port(0xc004), ==, 0x44);
    device_delete(DEVICE(bridge));
    g_assert_cmphex(port(0xc004), ==, UINT32_MAX);
}

static void test_vga(void)
{
    PciDevice *bridge = add("{'driver':'i82801b11-bridge','id':'a','addr':'4'}");
    PciDevice *dev = add("{'driver':'test-pci','bus':'a','addr':'1'}");

    number(BRIDGE, 1, 1);
    test_cfg_set(BRIDGE, PCI_MEMORY_BASE, 4, 0x0000fff0);
    test_cfg_set(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    test_cfg_set(BDF(1, 1), 0x14, 4, 0x3c0);
    test_cfg_set(BDF(1, 1), PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    test_cfg_set(BRIDGE, PCI_IO_BASE, 2, 0x00f0);
    g_assert_cmphex(port(0x3c0), ==, UINT32_MAX);
    test_cfg_set(BRIDGE, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_VGA | 0x10);
    g_assert_cmphex(test_cfg(BRIDGE, PCI_BRIDGE_CONTROL, 2), ==, 0x18);
    g_assert_cmphex(port(0x3c0), ==, 0x40);
    g_assert_cmphex(dev->bars[1].addr, ==, 0x3c0);
    reset_machine();
    g_assert_cmphex(test_cfg(BRIDGE, PCI_BRIDGE_CONTROL, 2), ==, 0);
    g_assert_cmphex(port(0x3c0), ==, UINT32_MAX);
    device_delete(DEVICE(bridge));
}

/* Ports by 10 bits: what ISA enable holds back, and VGA's aliases. */
static void test_isa(void)
{
    static const struct {
        uint16_t bar, control;
        bool passes;
    } cases[] = {
        { 0xc040, 0, true }, { 0xc140, 0, true }, { 0xc040, PCI_BRIDGE_CONTROL_ISA, true },
        { 0xc140, PCI_BRIDGE_CONTROL_ISA, false }, { 0xc3c0, PCI_BRIDGE_CONTROL_ISA, false },
        { 0xc4c0, PCI_BRIDGE_CONTROL_ISA, true }, { 0x8bc0, PCI_BRIDGE_CONTROL_ISA, false },
        { 0x8bc0, PCI_BRIDGE_CONTROL_VGA, true }, { 0x8bc0, PCI_BRIDGE_CONTROL_VGA_16, false },
        { 0x8bc0, PCI_BRIDGE_CONTROL_VGA | PCI_BRIDGE_CONTROL_VGA_16, false },
        { 0xc3c0, PCI_BRIDGE_CONTROL_VGA | PCI_BRIDGE_CONTROL_ISA, true },
        { 0x8b40, PCI_BRIDGE_CONTROL_VGA, false },
    };
    PciDevice *bridge = add("{'driver':'i82801b11-bridge','id':'a','addr':'4'}");

    add("{'driver':'test-pci','bus':'a','addr':'1'}");
    number(BRIDGE, 1, 1);
    test_cfg_set(BRIDGE, PCI_IO_BASE, 2, 0xc0c0);
    test_cfg_set(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_IO);
    test_cfg_set(BDF(1, 1), PCI_COMMAND, 2, PCI_COMMAND_IO);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_cfg_set(BDF(1, 1), 0x14, 4, cases[i].bar);
        test_cfg_set(BRIDGE, PCI_BRIDGE_CONTROL, 2, cases[i].control);
        g_assert_cmphex(port(cases[i].bar), ==, cases[i].passes ? 0x40 : UINT32_MAX);
    }
    device_delete(DEVICE(bridge));
}

/* Firmware enables VGA so, and puts other devices where its aliases are. */
static void test_vga_aliases_give_way(void)
{
    PciDevice *bridge = add("{'driver':'i82801b11-bridge','id':'a','addr':'4'}");
    PciDevice *other = add("{'driver':'test-pci','addr':'5'}");

    test_cfg_set(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_IO);
    test_cfg_set(BRIDGE, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_VGA);
    test_cfg_set(BDF(0, 5), 0x14, 4, 0xc3c0);
    test_cfg_set(BDF(0, 5), PCI_COMMAND, 2, PCI_COMMAND_IO);
    g_assert_cmphex(port(0xc3c0), ==, 0x40);
    device_delete(DEVICE(other));
    device_delete(DEVICE(bridge));
}

static void test_reset(void)
{
    PciDevice *bridge = add("{'driver':'i82801b11-bridge','id':'a','addr':'4'}");

    add("{'driver':'i82801b11-bridge','id':'b','bus':'a','addr':'2'}");
    number(BRIDGE, 1, 2);
    number(BDF(1, 2), 2, 2);
    test_cfg_set(BRIDGE, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RESET);
    g_assert_cmphex(test_cfg(BDF(1, 2), PCI_PRIMARY_BUS, 4), ==, 0);
    g_assert_cmphex(test_cfg(BRIDGE, PCI_PRIMARY_BUS, 4), ==, 0x020100);
    /* It is the edge that resets. */
    number(BDF(1, 2), 2, 2);
    test_cfg_set(BRIDGE, PCI_BRIDGE_CONTROL, 1, PCI_BRIDGE_CONTROL_RESET | 1);
    g_assert_cmphex(test_cfg(BDF(1, 2), PCI_PRIMARY_BUS, 4), ==, 0x020201);
    device_delete(DEVICE(bridge));
}

/* Pin A of slot 3, behind slots 2 and 4: pins (3 + 0) % 4, (2 + 3) % 4, then line (4 + 1) % 4. */
static void test_intx(void)
{
    PciDevice *bridge = add("{'driver':'i82801b11-bridge','id':'a','addr':'4'}");
    PciDevice *dev;

    add("{'driver':'i82801b11-bridge','id':'b','bus':'a','addr':'2'}");
    dev = add("{'driver':'test-pci','bus':'b','addr':'3'}");
    pci_intx_set(dev, true);
    g_assert_cmpint(host->lines[1], ==, 1);
    pci_intx_set(dev, false);
    g_assert_cmpint(host->lines[1], ==, 0);
    pci_intx_set(dev, true);
    device_delete(DEVICE(bridge));
    g_assert_cmpint(host->lines[1], ==, 0);
}

/* Another root with its own number, on the board's lines. */
static void test_expander(void)
{
    PciDevice *pxb = add("{'driver':'pxb-pcie','id':'x','addr':'6','bus_nr':128}");
    PciDevice *dev;

    refuse("{'driver':'pxb-pcie','bus':'pcie.0','bus_nr':128}", "Bus 128 is already in use");
    refuse("{'driver':'pxb-pcie','bus':'pcie.0'}", "Bus 0 is already in use");
    refuse("{'driver':'pxb','bus':'pcie.0','bus_nr':9}", "pxb devices cannot reside on a PCIe bus");
    refuse("{'driver':'pxb-pcie','bus':'x','bus_nr':9}",
           "PCI: Only PCI/PCIe bridges can be plugged into x");
    refuse("{'driver':'pxb-pcie','bus':'pcie.0','bus_nr':9,'numa_node':5}", "Illegal numa node 5");
    refuse("{'driver':'test-pci','bus':'x'}",
           "PCI: Only PCI/PCIe bridges can be plugged into x");
    add("{'driver':'pcie-root-port','id':'r','bus':'x','addr':'2','chassis':1}");
    dev = add("{'driver':'test-pci','bus':'r'}");
    reset_machine();
    g_assert_cmphex(test_cfg(BDF(0, 6), 0, 4), ==, 0x000b1b36);
    g_assert_cmphex(test_cfg(BDF(128, 2), 0, 4), ==, 0x000c1b36);
    number(BDF(128, 2), 129, 129);
    g_assert_cmphex(test_cfg(BDF(129, 0), 0, 4), ==, 0x56781234);
    g_assert_cmphex(pci_device_requester_id(dev), ==, BDF(129, 0));
    test_cfg_set(BDF(128, 2), PCI_MEMORY_BASE, 4, 0xe000e000);
    test_cfg_set(BDF(128, 2), PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    test_cfg_set(BDF(129, 0), 0x10, 4, 0xe0000000);
    test_cfg_set(BDF(129, 0), PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, 0x50);
    pci_intx_set(dev, true); /* pin A of slot 0 behind slot 2: line 2 */
    g_assert_cmpint(host->lines[2], ==, 1);
    device_delete(DEVICE(pxb));
    g_assert_cmpint(host->lines[2], ==, 0);
    g_assert_cmphex(test_cfg(BDF(128, 2), 0, 4), ==, UINT32_MAX);
    g_assert_cmphex(test_cfg(BDF(129, 0), 0, 4), ==, UINT32_MAX);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, UINT32_MAX);
}

/* What a guest reads after reset, as the real parts (and the peer's) show it. */
static void test_registers(void)
{
    static const struct {
        const char *options;
        struct { uint16_t at; uint32_t value; } regs[16];
    } parts[] = {
        { "{'driver':'pcie-root-port','addr':'4','chassis':1,'slot':3,'port':5}",
          { { 0x00, 0x000c1b36 }, { 0x08, 0x06040000 }, { 0x0c, 0x00010000 }, { 0x1c, 0xf0 },
            { 0x24, 0x1fff1 }, { 0x34, 0x54 }, { 0x3c, 0x100 }, { 0x40, 0x0d }, { 0x48, 0x4011 },
            { 0x50, 0x800 }, { 0x54, 0x01424810 }, { 0x60, 0x05300604 }, { 0x68, 0x001a007b },
            { 0x6c, 0x7c0 }, { 0x100, 0x14820001 }, { 0x14c, 0x5f } } },
        { "{'driver':'ioh3420','addr':'4','chassis':1}",
          { { 0x00, 0x34208086 }, { 0x08, 0x06040002 }, { 0x34, 0x90 }, { 0x40, 0x0d },
            { 0x44, 0x8086 }, { 0x60, 0x01024005 }, { 0x90, 0x01426010 }, { 0x100, 0x00020001 },
            { 0x10c, 0x00462030 }, { 0x118, 0x2a0 } } },
        { "{'driver':'x3130-upstream','addr':'4'}",
          { { 0x00, 0x8232104c }, { 0x34, 0x90 }, { 0x70, 0x00800005 }, { 0x80, 0x700d },
            { 0x90, 0x00528010 }, { 0x94, 0x10008000 }, { 0x9c, 0x411 }, { 0xb4, 0x00300000 } } },
        { "{'driver':'xio3130-downstream','addr':'4','chassis':1,'slot':2,'port':3}",
          { { 0x00, 0x8233104c }, { 0x08, 0x06040001 }, { 0x90, 0x01628010 }, { 0xa4, 0x0012007b },
            { 0xb4, 0x00300020 } } },
        { "{'driver':'pci-bridge','addr':'4','chassis_nr':1}",
          { { 0x00, 0x00011b36 }, { 0x04, 0x00b00000 }, { 0x10, 4 }, { 0x34, 0x4c },
            { 0x3c, 0x100 }, { 0x40, 0x0c }, { 0x48, 0x01204004 }, { 0x4c, 0x01804805 } } },
        { "{'driver':'pcie-pci-bridge','addr':'4'}",
          { { 0x00, 0x000e1b36 }, { 0x34, 0x8c }, { 0x40, 0x0c }, { 0x48, 0x00724010 },
            { 0x54, 0x411 }, { 0x84, 0x00034801 }, { 0x8c, 0x01808405 }, { 0x118, 0xa0 } } },
        { "{'driver':'i82801b11-bridge','addr':'4'}",
          { { 0x00, 0x244e8086 }, { 0x04, 0x00b00000 }, { 0x08, 0x06040192 }, { 0x1c, 0x00a00000 },
            { 0x34, 0x50 }, { 0x50, 0x0d } } },
        { "{'driver':'pcie-root-port','addr':'4','chassis':1,'hotplug':false,"
          "'io-reserve':4096,'mem-reserve':1048576,'bus-reserve':3,'pref64-reserve':8589934592}",
          { { 0x34, 0x90 }, { 0x68, 0x0002001b }, { 0x90, 0x01205409 }, { 0x94, 3 },
            { 0x98, 0x1000 }, { 0xa0, 0x100000 }, { 0xa4, 0xffffffff }, { 0xac, 2 } } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        PciDevice *dev = add(parts[i].options);

        device_reset(DEVICE(dev));
        for (unsigned r = 0; r < ARRAY_SIZE(parts[i].regs) && (!r || parts[i].regs[r].at); r++) {
            uint32_t value = test_cfg(BRIDGE, parts[i].regs[r].at, 4);

            if (value != parts[i].regs[r].value) {
                g_error("%s: 0x%x is 0x%x, not 0x%x", parts[i].options, parts[i].regs[r].at, value,
                        parts[i].regs[r].value);
            }
        }
        device_delete(DEVICE(dev));
    }
}

static void test_refused(void)
{
    PciDevice *dev = add("{'driver':'pcie-root-port','id':'a','addr':'4','chassis':1,'slot':2}");

    refuse("{'driver':'pcie-root-port','chassis':1,'slot':2}",
           "Can't add chassis slot, error -16");
    refuse("{'driver':'pcie-root-port','chassis':2,'pref32-reserve':1,'pref64-reserve':1}",
           "PCI resource reserve cap: PREF32 and PREF64 conflict");
    refuse("{'driver':'pcie-root-port','chassis':2,'mem-reserve':4294967296}",
           "PCI resource reserve cap: mem-reserve must be less than 4G");
    refuse("{'driver':'pcie-root-port','chassis':2,'aer_log_max':129}",
           "Invalid aer_log_max 129. The max number of aer log is 128");
    refuse("{'driver':'pci-bridge'}", "Bridge chassis not specified. Each bridge is required to be "
           "assigned a unique chassis id > 0.");
    refuse("{'driver':'test-pci','bus':'a','addr':'1'}",
           "PCI: slot 1 is not valid for test-pci, parent device only allows plugging into slot "
           "0.");
    device_delete(DEVICE(dev));
    g_assert_cmphex(test_cfg(BRIDGE, 0, 4), ==, UINT32_MAX);
}

/* Whatever is written to a tree of all kinds: it answers, resets to what it was, and can go. */
static void test_random_config(void)
{
    static const unsigned sizes[] = { 1, 2, 4 };
    PciDevice *root = add("{'driver':'pcie-root-port','id':'r','addr':'4','chassis':1}");
    PciDevice *list[5] = { root };
    g_autofree uint8_t *before[5] = { NULL };

    list[1] = add("{'driver':'x3130-upstream','id':'u','bus':'r'}");
    list[2] = add("{'driver':'xio3130-downstream','id':'d','bus':'u','chassis':2}");
    list[3] = add("{'driver':'pcie-pci-bridge','id':'p','bus':'d'}");
    list[4] = add("{'driver':'test-pci','bus':'p','addr':'3'}");
    reset_machine();
    for (unsigned i = 0; i < 5; i++) {
        before[i] = g_memdup2(list[i]->config, list[i]->config_size);
    }
    for (unsigned i = 0; i < 40000; i++) {
        PciDevice *dev = list[g_test_rand_int_range(0, 5)];
        unsigned bytes = sizes[g_test_rand_int_range(0, 3)];
        unsigned span = g_test_rand_bit() ? 0x180 : dev->config_size;
        unsigned at = g_test_rand_int_range(0, span - 4) & ~(bytes - 1);

        /* Devices must stay: the slots keep their indicators on. */
        if (dev->express_cap && pci_range_touches(at, bytes, dev->express_cap + 0x18, 2)) {
            continue;
        }
        pci_config_write(dev, at, g_test_rand_int(), bytes);
        pci_config_read(dev, at, bytes);
    }
    reset_machine();
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned at = 0; at < list[i]->config_size; at++) {
            if (list[i]->config[at] != before[i][at]) {
                g_error("%s: byte 0x%x is 0x%x, was 0x%x", object_type_name(list[i]), at,
                        list[i]->config[at], before[i][at]);
            }
        }
        g_free(g_steal_pointer(&before[i]));
    }
    device_delete(DEVICE(root));
}

static void test_state(void)
{
    PciDevice *a = add("{'driver':'i82801b11-bridge','id':'a','addr':'4'}");
    PciDevice *b = add("{'driver':'i82801b11-bridge','id':'b','addr':'5'}");
    const VMState *state = device_type_state(a->parent.parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;

    add("{'driver':'test-pci','bus':'b','addr':'1'}");
    number(BRIDGE, 3, 3);
    test_cfg_set(BRIDGE, PCI_MEMORY_BASE, 4, 0xe000e000);
    test_cfg_set(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    g_assert_true(vmstate_save(state, a, &writer, NULL));
    device_delete(DEVICE(a));
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, b, &reader, NULL));
    test_cfg_set(BDF(3, 1), 0x10, 4, 0xe0000000);
    test_cfg_set(BDF(3, 1), PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, 0x50);
    device_delete(DEVICE(b));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/pci-bridge/numbers", test_numbers);
    g_test_add_func("/pci-bridge/name", test_name);
    g_test_add_func("/pci-bridge/windows", test_windows);
    g_test_add_func("/pci-bridge/vga", test_vga);
    g_test_add_func("/pci-bridge/isa", test_isa);
    g_test_add_func("/pci-bridge/vga-aliases-give-way", test_vga_aliases_give_way);
    g_test_add_func("/pci-bridge/reset", test_reset);
    g_test_add_func("/pci-bridge/intx", test_intx);
    g_test_add_func("/pci-bridge/expander", test_expander);
    g_test_add_func("/pci-bridge/registers", test_registers);
    g_test_add_func("/pci-bridge/refused", test_refused);
    g_test_add_func("/pci-bridge/random-config", test_random_config);
    g_test_add_func("/pci-bridge/state", test_state);
    status = g_test_run();
    machine_unlock();
    return status;
}
