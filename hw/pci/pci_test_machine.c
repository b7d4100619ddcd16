/*
 * See hw/pci/pci_test_machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_test_machine.h"
#include "block/block_node.h"
#include "hw/core/machine.h"
#include "qapi/qapi-types-block-core.h"
#include "system/machine_lock.h"

static uint64_t region_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return 0x40 + offset;
}

static void region_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    TEST_DEVICE_OF(opaque)->last_write = value;
}

static const MemoryOps region_ops = {
    .read = region_read, .write = region_write, .endian = ENDIAN_LITTLE,
};

static bool device_realize_test(Device *device, Error **errp)
{
    TestDevice *t = TEST_DEVICE_OF(device);
    PciDevice *dev = &t->parent;
    Object *obj = &device->parent;
    MsiSpec msi = { .vectors = 4, .is_64 = true, .has_masks = true };

    memory_region_init_io(&t->memory, obj, &region_ops, "test-memory", 4096);
    memory_region_init_io(&t->io, obj, &region_ops, "test-io", 32);
    memory_region_init_io(&t->prefetchable, obj, &region_ops, "test-prefetchable", MiB);
    pci_add_bar(dev, 0, 0, &t->memory);
    pci_add_bar(dev, 1, PCI_BAR_IO, &t->io);
    pci_add_bar(dev, 2, PCI_BAR_64 | PCI_BAR_PREFETCH, &t->prefetchable);
    dev->config[PCI_INTERRUPT_PIN] = 1;
    return pci_add_pm_capability(dev, 0, errp) && msi_init(dev, &msi, errp) &&
           msix_init_bar(dev, 4, 4, errp);
}

static void device_finalize_test(Object *obj)
{
    TestDevice *t = TEST_DEVICE_OF(obj);

    memory_region_clear(&t->memory);
    memory_region_clear(&t->io);
    memory_region_clear(&t->prefetchable);
}

static const PciDeviceType test_device_type = {
    .name = "test-pci",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(TestDevice),
    .vendor_id = TEST_VENDOR, .device_id = TEST_DEVICE, .revision = 7,
    .class_id = PCI_CLASS_OTHERS,
    .realize = device_realize_test,
    .finalize = device_finalize_test,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(test_device_type)

/* --- the host --- */

static unsigned host_line(void *opaque, const PciDevice *dev, unsigned pin)
{
    return (PCI_SLOT(dev->devfn) + pin) % 4;
}

static void host_set(void *opaque, unsigned line, int level)
{
    TEST_HOST(opaque)->lines[line] = level;
}

static const PciIntxRouter host_router = { host_line, host_set, 4 };

static bool host_realize(Device *dev, Error **errp)
{
    PciHost *host = PCI_HOST(dev);
    PciBusSpaces spaces = { memory_region_system(), memory_region_io() };

    host->bus = pci_bus_new(TYPE_PCIE_BUS, dev, "pcie.0", spaces);
    host->bus->reserved_slots = BIT(31);
    pci_bus_set_router(host->bus, &host_router, dev);
    memory_region_add(memory_region_io(), 0xcf8, &host->address_region);
    memory_region_add(memory_region_io(), 0xcfc, &host->data_region);
    pci_host_map_ecam(host, TEST_ECAM, MiB);
    return true;
}

static const DeviceType test_host_type = {
    .name = "test-pci-host",
    .parent = TYPE_PCIE_HOST,
    .size = sizeof(TestHost),
    .realize = host_realize,
};
DEVICE_TYPE(test_host_type)

static const MachineType board_type = {
    .name = "pci-test-machine", .parent = TYPE_MACHINE, .doc = "test board",
    .is_without_ram = true,
};
MACHINE_TYPE(board_type)

TestHost *test_machine_init(void)
{
    static MemoryRegion ram;
    Device *host;

    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("pci-test-machine"));
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", MiB, NULL));
    memory_region_add(memory_region_system(), 0, &ram);
    host = device_new("test-pci-host");
    g_assert_true(device_realize_and_unref(host, bus_system(), NULL));
    return TEST_HOST(host);
}

static json_object *parse(const char *text)
{
    json_object *value;

    g_assert_true(json_parse(text, strlen(text), &value, NULL));
    return value;
}

Device *test_add(const char *text, Error **errp)
{
    g_autoptr(JsonObject) keys = parse(text);

    return device_add(keys, PROPERTY_ANY, errp);
}

void test_add_node(const char *text)
{
    g_autoptr(JsonObject) keys = parse(text);
    g_autoptr(BlockdevOptions) options = blockdev_options_from_json(keys, QAPI_TYPED, NULL);

    g_assert_true(block_node_add(options, NULL));
}

uint64_t test_get(uint64_t addr, MemFormat format)
{
    uint64_t value;

    address_space_load(address_space_system(), addr, format, MEM_TX_NONE, &value);
    return value;
}

void test_put(uint64_t addr, MemFormat format, uint64_t value)
{
    address_space_store(address_space_system(), addr, format, MEM_TX_NONE, value);
}

static void select_register(unsigned devfn, unsigned at)
{
    address_space_store(address_space_io(), 0xcf8, MEM_LE32, MEM_TX_NONE,
                        BIT(31) | devfn << 8 | (at & 0xfc));
}

uint32_t test_config_get(unsigned devfn, unsigned at, MemFormat format)
{
    uint64_t value;

    select_register(devfn, at);
    address_space_load(address_space_io(), 0xcfc + (at & 3), format, MEM_TX_NONE, &value);
    return value;
}

void test_config_put(unsigned devfn, unsigned at, MemFormat format, uint32_t value)
{
    select_register(devfn, at);
    address_space_store(address_space_io(), 0xcfc + (at & 3), format, MEM_TX_NONE, value);
}

static PciHost *the_host(void)
{
    g_autoptr(GPtrArray) all = pci_hosts();

    return all->pdata[0];
}

uint32_t test_cfg(unsigned bdf, unsigned at, unsigned bytes)
{
    return pci_host_config_read(the_host(), (PciConfigAddress){ bdf >> 8, bdf, at }, bytes);
}

void test_cfg_set(unsigned bdf, unsigned at, unsigned bytes, uint32_t value)
{
    pci_host_config_write(the_host(), (PciConfigAddress){ bdf >> 8, bdf, at }, value, bytes);
}
