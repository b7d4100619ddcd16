/*
 * The generic host bridge: ECAM, windows, interrupt lines, the bridge as a function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "../pci/pci_test_machine.h"
#include "hw/pci-host/gpex.h"
#include "system/machine_lock.h"

#define ECAM       UINT64_C(0xe0000000)
#define MMIO32     UINT64_C(0xc0000000)
#define MMIO64     UINT64_C(0xc000000000)
#define PORTS      UINT64_C(0x3eff0000)
#define FUNCTION(devfn, at) (ECAM + ((uint64_t)(devfn) << 12) + (at))
#define DEVFN      PCI_DEVFN(3, 0)
#define COMMANDS   (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)

static int lines[PCI_PIN_COUNT];
static IrqInputs inputs;

static void take_line(void *opaque, unsigned n, int level)
{
    lines[n] = level;
}

static Device *make(bool allows_unmapped)
{
    Device *gpex = device_new(TYPE_GPEX_HOST);

    g_assert_true(object_set_bool(gpex, "allow-unmapped-accesses", allows_unmapped, NULL));
    g_assert_true(device_realize_and_unref(gpex, bus_system(), NULL));
    pci_host_map_ecam(PCI_HOST(gpex), ECAM, 256 * MiB);
    gpex_map_memory(gpex, MMIO32, 512 * MiB);
    gpex_map_memory(gpex, MMIO64, 256 * GiB);
    mmio_device_map(MMIO_DEVICE(gpex), GPEX_PORTS, PORTS);
    for (unsigned i = 0; i < PCI_PIN_COUNT; i++) {
        irq_connect(device_irq_out(gpex, "sysbus-irq", i), irq_inputs_at(&inputs, i));
    }
    return gpex;
}

static PciDevice *add(Device *gpex)
{
    Device *dev = device_new("test-pci");

    g_assert_true(object_set_int(dev, "addr", DEVFN, NULL));
    g_assert_true(device_realize_and_unref(dev, BUS(PCI_HOST(gpex)->bus), NULL));
    return PCI_DEVICE(dev);
}

static void test_ecam(void)
{
    Device *gpex = make(true);

    g_assert_cmphex(test_get(FUNCTION(0, 0), MEM_LE32), ==, 0x00081b36);
    g_assert_cmphex(test_get(FUNCTION(0, 8), MEM_LE32), ==, 0x06000000);
    g_assert_cmphex(test_get(FUNCTION(DEVFN, 0), MEM_LE32), ==, UINT32_MAX);
    g_assert_cmphex(test_get(ECAM + 256 * MiB - 4, MEM_LE32), ==, UINT32_MAX);
    add(gpex);
    g_assert_cmphex(test_get(FUNCTION(DEVFN, 0), MEM_LE32), ==, 0x56781234);
    device_delete(gpex);
}

static void test_windows(void)
{
    Device *gpex = make(true);

    add(gpex);
    test_put(FUNCTION(DEVFN, 0x10), MEM_LE32, MMIO32 + 0x100000);
    test_put(FUNCTION(DEVFN, 0x14), MEM_LE32, 0xc000);
    test_put(FUNCTION(DEVFN, 0x18), MEM_LE32, (uint32_t)(MMIO64 + MiB));
    test_put(FUNCTION(DEVFN, 0x1c), MEM_LE32, MMIO64 >> 32);
    test_put(FUNCTION(DEVFN, PCI_COMMAND), MEM_LE16, COMMANDS);
    g_assert_cmphex(test_get(MMIO32 + 0x100010, MEM_LE32), ==, 0x50);
    g_assert_cmphex(test_get(MMIO64 + MiB + 0x20, MEM_LE32), ==, 0x60);
    g_assert_cmphex(test_get(PORTS + 0xc004, MEM_LE32), ==, 0x44);
    device_delete(gpex);
}

static MemTxResult touch_absent(bool allows_unmapped)
{
    Device *gpex = make(allows_unmapped);
    uint64_t value;
    MemTxResult result = address_space_load(address_space_system(), MMIO32, MEM_LE32, MEM_TX_NONE,
                                            &value);

    g_assert_cmphex(value, ==, UINT32_MAX);
    result |= address_space_store(address_space_system(), MMIO32, MEM_LE32, MEM_TX_NONE, 0);
    device_delete(gpex);
    return result;
}

static void test_absent(void)
{
    g_assert_cmpint(touch_absent(true), ==, MEM_TX_OK);
    g_assert_cmpint(touch_absent(false), ==, MEM_TX_DECODE_ERROR);
}

static void test_lines(void)
{
    Device *gpex = make(true);
    PciDevice *dev = add(gpex);

    pci_intx_set(dev, true);
    g_assert_cmpint(lines[gpex_line(3, 0)], ==, 1);
    g_assert_cmpint(lines[0] + lines[1] + lines[2] + lines[3], ==, 1);
    pci_intx_set(dev, false);
    g_assert_cmpint(lines[3], ==, 0);
    device_delete(gpex);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    irq_inputs_init(&inputs, PCI_PIN_COUNT, take_line, NULL);
    g_test_add_func("/gpex/ecam", test_ecam);
    g_test_add_func("/gpex/windows", test_windows);
    g_test_add_func("/gpex/absent", test_absent);
    g_test_add_func("/gpex/lines", test_lines);
    status = g_test_run();
    irq_inputs_clear(&inputs);
    machine_unlock();
    return status;
}
