/*
 * The PCI core, driven as a guest would: configuration cycles, BARs, interrupts, DMA, state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_iommu.h"
#include "hw/pci/pci_test_machine.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define DEVFN PCI_DEVFN(3, 0)
#define COMMAND_ALL (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

static TestHost *host;

static PciDevice *add(void)
{
    Device *dev = test_add("{'driver':'test-pci','addr':'3'}", NULL);

    g_assert_nonnull(dev);
    return PCI_DEVICE(dev);
}

static void refuse(const char *options, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(test_add(options, &err));
    g_assert_cmpstr(error_text(err), ==, why);
}

static void test_ids(void)
{
    PciDevice *dev = add();

    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x56781234);
    g_assert_cmphex(test_config_get(DEVFN, 2, MEM_LE16), ==, TEST_DEVICE);
    g_assert_cmphex(test_config_get(DEVFN, 8, MEM_LE32), ==, 0x00ff0007);
    g_assert_cmphex(test_config_get(DEVFN, 0x2c, MEM_LE32), ==, 0x11001af4);
    g_assert_cmphex(test_get(TEST_ECAM + (DEVFN << 12), MEM_LE32), ==, 0x56781234);
    g_assert_cmphex(test_get(TEST_ECAM + (DEVFN << 12) + 0x3d, MEM_8), ==, 1);
    g_assert_cmphex(test_config_get(DEVFN + 8, 0, MEM_LE32), ==, UINT32_MAX);
    test_config_put(DEVFN, 0, MEM_LE32, 0);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, 0xffff);
    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x56781234);
    g_assert_cmphex(test_config_get(DEVFN, PCI_COMMAND, MEM_LE16), ==, 0x0547);
    dev->config[PCI_STATUS + 1] |= 0x40;
    test_config_put(DEVFN, PCI_STATUS, MEM_LE16, 0x4000);
    g_assert_cmphex(test_config_get(DEVFN, PCI_STATUS, MEM_LE16), ==, PCI_STATUS_CAP_LIST);
    device_delete(DEVICE(dev));
    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, UINT32_MAX);
}

/* Not enabled, the data port is no configuration space. */
static void test_mechanism_1(void)
{
    PciDevice *dev = add();
    uint64_t value;

    address_space_store(address_space_io(), 0xcf8, MEM_LE32, MEM_TX_NONE, DEVFN << 8);
    address_space_load(address_space_io(), 0xcfc, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, UINT32_MAX);
    address_space_load(address_space_io(), 0xcf8, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, DEVFN << 8);
    address_space_store(address_space_io(), 0xcf8, MEM_8, MEM_TX_NONE, 0xff);
    address_space_load(address_space_io(), 0xcf8, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, DEVFN << 8);
    /* Bytes may be chosen by either port, and words stand anywhere. */
    address_space_store(address_space_io(), 0xcf8, MEM_LE32, MEM_TX_NONE,
                        BIT(31) | DEVFN << 8 | PCI_DEVICE_ID);
    address_space_load(address_space_io(), 0xcfc, MEM_LE16, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, load_le16(dev->config + PCI_DEVICE_ID));
    address_space_store(address_space_io(), 0xcf8, MEM_LE32, MEM_TX_NONE, BIT(31) | DEVFN << 8);
    address_space_load(address_space_io(), 0xcfd, MEM_LE16, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, load_le16(dev->config + 1));
    device_delete(DEVICE(dev));
}

static void test_bars(void)
{
    PciDevice *dev = add();
    uint64_t value;

    for (unsigned at = PCI_BAR0; at < PCI_BAR0 + 24; at += 4) {
        test_config_put(DEVFN, at, MEM_LE32, UINT32_MAX);
    }
    g_assert_cmphex(test_config_get(DEVFN, 0x10, MEM_LE32), ==, 0xfffff000);
    g_assert_cmphex(test_config_get(DEVFN, 0x14, MEM_LE32), ==, 0xffffffe1);
    g_assert_cmphex(test_config_get(DEVFN, 0x18, MEM_LE32), ==, 0xfff0000c);
    g_assert_cmphex(test_config_get(DEVFN, 0x1c, MEM_LE32), ==, 0xffffffff);
    g_assert_cmphex(test_config_get(DEVFN, 0x24, MEM_LE32), ==, 0);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, COMMAND_ALL);
    g_assert_cmphex(dev->bars[0].addr, ==, PCI_UNMAPPED);
    test_config_put(DEVFN, 0x10, MEM_LE32, 0xe0000000);
    test_config_put(DEVFN, 0x14, MEM_LE32, 0xc000);
    test_config_put(DEVFN, 0x18, MEM_LE32, 0);
    test_config_put(DEVFN, 0x1c, MEM_LE32, 0x10);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, 0x50);
    g_assert_cmphex(test_get(UINT64_C(0x1000000020), MEM_LE32), ==, 0x60);
    address_space_load(address_space_io(), 0xc004, MEM_LE32, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, 0x44);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_IO);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, UINT32_MAX);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, COMMAND_ALL);
    test_config_put(DEVFN, dev->pm_cap + PCI_PM_CTRL, MEM_LE16, 3);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, UINT32_MAX);
    test_config_put(DEVFN, dev->pm_cap + PCI_PM_CTRL, MEM_LE16, 0);
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, 0x50);
    reset_machine();
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, 0x18, MEM_LE32), ==, 0xc);
    g_assert_cmphex(test_config_get(DEVFN, 0x1c, MEM_LE32), ==, 0);
    device_delete(DEVICE(dev));
}

static void test_intx(void)
{
    PciDevice *a = add();
    PciDevice *b = PCI_DEVICE(test_add("{'driver':'test-pci','addr':'7'}", NULL));

    pci_intx_set(a, true);
    pci_intx_set(b, true);
    g_assert_cmpint(host->lines[3], ==, 1);
    pci_intx_set(a, false);
    g_assert_cmpint(host->lines[3], ==, 1);
    g_assert_cmphex(b->config[PCI_STATUS] & PCI_STATUS_INTERRUPT, !=, 0);
    test_config_put(b->devfn, PCI_COMMAND, MEM_LE16, PCI_COMMAND_INTX_DISABLE);
    g_assert_cmpint(host->lines[3], ==, 0);
    g_assert_cmphex(b->config[PCI_STATUS] & PCI_STATUS_INTERRUPT, !=, 0);
    test_config_put(b->devfn, PCI_COMMAND, MEM_LE16, 0);
    g_assert_cmpint(host->lines[3], ==, 1);
    device_delete(DEVICE(b));
    g_assert_cmpint(host->lines[3], ==, 0);
    pci_intx_set(a, true);
    reset_machine();
    g_assert_cmpint(host->lines[3], ==, 0);
    device_delete(DEVICE(a));
}

static void test_msi(void)
{
    PciDevice *dev = add();
    unsigned cap = pci_find_capability(dev, PCI_CAP_ID_MSI);

    test_put(0x1000, MEM_LE32, 0);
    g_assert_cmphex(test_config_get(DEVFN, cap + 2, MEM_LE16), ==, 0x0184);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, COMMAND_ALL);
    test_config_put(DEVFN, cap + 4, MEM_LE32, 0x1003);
    test_config_put(DEVFN, cap + 12, MEM_LE16, 0x4567);
    test_config_put(DEVFN, cap + 2, MEM_LE16, PCI_MSI_FLAGS_ENABLE | 2 << 4);
    msi_notify(dev, 2);
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0x4566);
    test_config_put(DEVFN, cap + 16, MEM_LE32, UINT32_MAX);
    g_assert_cmphex(test_config_get(DEVFN, cap + 16, MEM_LE32), ==, 0xf);
    msi_notify(dev, 1);
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0x4566);
    g_assert_cmphex(test_config_get(DEVFN, cap + 20, MEM_LE32), ==, 2);
    test_config_put(DEVFN, cap + 16, MEM_LE32, 0);
    g_assert_cmphex(test_get(0x1000, MEM_LE32), ==, 0x4565);
    g_assert_cmphex(test_config_get(DEVFN, cap + 20, MEM_LE32), ==, 0);
    pci_intx_set(dev, true);
    g_assert_cmpint(host->lines[3], ==, 0);
    reset_machine();
    g_assert_cmphex(test_config_get(DEVFN, cap + 2, MEM_LE16), ==, 0x0184);
    g_assert_cmphex(test_config_get(DEVFN, cap + 4, MEM_LE32), ==, 0);
    device_delete(DEVICE(dev));
}

static unsigned unmasked_count;

static void count_unmasked(PciDevice *dev, unsigned vector, MsiMessage message)
{
    g_assert_cmphex(message.addr, ==, 0x2000);
    unmasked_count++;
}

static void count_masked(PciDevice *dev, unsigned vector)
{
    unmasked_count--;
}

static const MsixNotifier counter = { count_unmasked, count_masked };

static void test_msix(void)
{
    PciDevice *dev = add();
    unsigned cap = pci_find_capability(dev, PCI_CAP_ID_MSIX);
    uint64_t table = 0xe0100000 + 16;

    g_assert_cmphex(test_config_get(DEVFN, cap + 2, MEM_LE16), ==, 3);
    test_config_put(DEVFN, 0x20, MEM_LE32, 0xe0100000);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, COMMAND_ALL);
    test_put(0x2000, MEM_LE32, 0);
    g_assert_cmphex(test_get(table + 12, MEM_LE32), ==, 1);
    test_put(table, MEM_LE64, 0x2000);
    test_put(table + 8, MEM_LE32, 0xabcd);
    test_config_put(DEVFN, cap + 2, MEM_LE16, PCI_MSIX_FLAGS_ENABLE);
    msix_set_notifier(dev, &counter);
    g_assert_cmpint(unmasked_count, ==, 0);
    msix_notify(dev, 1);
    g_assert_cmphex(test_get(0x2000, MEM_LE32), ==, 0);
    g_assert_cmphex(test_get(0xe0100800, MEM_LE32), ==, 2);
    test_put(table + 12, MEM_LE32, 0);
    g_assert_cmphex(test_get(0x2000, MEM_LE32), ==, 0xabcd);
    g_assert_cmphex(test_get(0xe0100800, MEM_LE32), ==, 0);
    g_assert_cmpint(unmasked_count, ==, 1);
    test_config_put(DEVFN, cap + 2, MEM_LE16,
                    PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASK_ALL);
    g_assert_cmpint(unmasked_count, ==, 0);
    msix_notify(dev, 99);
    msix_set_notifier(dev, NULL);
    test_put(0xe0100000 + 4 * 16, MEM_LE32, 1); /* behind the table */
    device_delete(DEVICE(dev));
}

static void test_dma(void)
{
    PciDevice *dev = add();
    uint32_t value = 1;

    test_put(0x3000, MEM_LE32, 0x77);
    g_assert_cmpint(pci_dma_read(dev, 0x3000, &value, 4), ==, MEM_TX_DECODE_ERROR);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MASTER);
    g_assert_cmpint(pci_dma_read(dev, 0x3000, &value, 4), ==, MEM_TX_OK);
    g_assert_cmphex(value, ==, 0x77);
    g_assert_cmphex(pci_device_requester_id(dev), ==, DEVFN);
    device_delete(DEVICE(dev));
}

/* An IOMMU that shows the second half of memory first. */
static AddressSpace iommu_space;

static AddressSpace *give_space(void *opaque, PciBus *bus, int devfn)
{
    g_assert_cmpint(devfn, ==, DEVFN);
    return &iommu_space;
}

static const PciIommuOps iommu_ops = { .address_space = give_space };

static void test_iommu(void)
{
    static MemoryRegion shifted;
    PciDevice *dev = add();
    uint32_t value = 0;

    memory_region_init_alias(&shifted, NULL, "shifted", memory_region_system(),
                             (MemoryWindow){ 0x4000, 0x1000 });
    address_space_init(&iommu_space, &shifted, "shifted");
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MASTER);
    test_put(0x4010, MEM_LE32, 0x99);
    pci_bus_set_iommu(host->parent.bus, &iommu_ops, NULL);
    pci_dma_read(dev, 0x10, &value, 4);
    g_assert_cmphex(value, ==, 0x99);
    device_delete(DEVICE(dev));
    dev = add();
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MASTER);
    pci_dma_read(dev, 0x10, &value, 4);
    g_assert_cmphex(value, ==, 0x99);
    pci_bus_set_iommu(host->parent.bus, NULL, NULL);
    pci_dma_read(dev, 0x4010, &value, 4);
    g_assert_cmphex(value, ==, 0x99);
    device_delete(DEVICE(dev));
}

static void test_places(void)
{
    Device *first = test_add("{'driver':'test-pci','id':'m0','addr':'4','multifunction':true}",
                             NULL);
    Device *second = test_add("{'driver':'test-pci','id':'m1','addr':'04.1'}", NULL);
    Device *single = test_add("{'driver':'test-pci','id':'s','addr':40}", NULL);
    Device *any = test_add("{'driver':'test-pci'}", NULL);

    g_assert_cmphex(test_config_get(PCI_DEVFN(4, 0), PCI_HEADER_TYPE, MEM_8), ==, 0x80);
    g_assert_cmpint(PCI_DEVICE(second)->devfn, ==, PCI_DEVFN(4, 1));
    g_assert_cmpint(object_get_int(any, "addr"), ==, 0);
    refuse("{'driver':'test-pci','addr':'4.1'}",
           "PCI: slot 4 function 1 not available for test-pci, in use by test-pci,id=m1");
    refuse("{'driver':'test-pci','addr':'5.1'}",
           "PCI: single function device can't be populated in function 5.1");
    refuse("{'driver':'test-pci','addr':'1f'}",
           "PCI: slot 31 function 0 not available for test-pci, reserved");
    for (const char *const *good = (const char *const[]){ "7.2", "0x7.0x2", "07.2", NULL }; *good;
         good++) {
        g_autofree char *options =
            g_strdup_printf("{'driver':'test-pci','addr':'%s'}", *good);
        Device *dev = test_add(options, NULL);

        g_assert_cmpint(PCI_DEVICE(dev)->devfn, ==, PCI_DEVFN(7, 2));
        device_delete(dev);
    }
    for (const char *const *bad = (const char *const[]){ "32", "3.8", "abc", "-5", "", "3.", "0x",
                                                         "0x20", "7.0x", NULL };
         *bad; bad++) {
        g_autofree char *options =
            g_strdup_printf("{'driver':'test-pci','addr':'%s'}", *bad);
        g_autofree char *why =
            g_strdup_printf("Property 'test-pci.addr' doesn't take value '%s'", *bad);

        refuse(options, why);
    }
    device_delete(first);
    refuse("{'driver':'test-pci','addr':'4'}",
           "PCI: 4.0 indicates single function, but 4.1 is already populated.");
    device_delete(second);
    device_delete(single);
    device_delete(any);
}

static void test_properties(void)
{
    Device *dev = test_add("{'driver':'test-pci','acpi-index':5}", NULL);

    refuse("{'driver':'test-pci','acpi-index':5}",
           "a PCI device with acpi-index = 5 already exist");
    refuse("{'driver':'test-pci','acpi-index':20000}",
           "acpi-index should be less or equal to 16383");
    refuse("{'driver':'test-pci','romsize':3}", "ROM size 3 is not a power of two");
    refuse("{'driver':'test-pci','romfile':'/nonexistent'}",
           "failed to find romfile \"/nonexistent\"");
    refuse("{'driver':'test-pci','romfile':'/dev/null'}", "romfile \"/dev/null\" is empty");
    refuse("{'driver':'test-pci','failover_pair_id':'x'}",
           "failover primary device is not an Ethernet device");
    device_delete(dev);
}

static void test_rom(void)
{
    g_autofree char *path = NULL, *options = NULL;
    int fd = g_file_open_tmp("pci-rom-XXXXXX", &path, NULL);
    PciDevice *dev;

    g_assert_cmpint(write(fd, "\x55\xaa\x01", 3), ==, 3);
    close(fd);
    options = g_strdup_printf("{'driver':'test-pci','addr':'3','romfile':'%s'}", path);
    dev = PCI_DEVICE(test_add(options, NULL));
    unlink(path);
    test_config_put(DEVFN, PCI_ROM_ADDRESS, MEM_LE32, 0xfffff800);
    g_assert_cmphex(test_config_get(DEVFN, PCI_ROM_ADDRESS, MEM_LE32), ==, 0xfffff800);
    test_config_put(DEVFN, PCI_ROM_ADDRESS, MEM_LE32, 0xe0200000);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MEMORY);
    g_assert_cmphex(test_get(0xe0200000, MEM_LE32), ==, UINT32_MAX);
    test_config_put(DEVFN, PCI_ROM_ADDRESS, MEM_LE32, 0xe0200001);
    g_assert_cmphex(test_get(0xe0200000, MEM_LE32), ==, 0x01aa55);
    device_delete(DEVICE(dev));
}

/* A device that has a ROM of its own, made for another of the family. */
static const PciDeviceType own_rom_type = {
    .name = "test-own-rom",
    .parent = "test-pci",
    .romfile = "test-own.rom",
};
PCI_DEVICE_TYPE(own_rom_type)

static uint8_t sum(const uint8_t *bytes, size_t count)
{
    uint8_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += bytes[i];
    }
    return total;
}

static void test_adopted_rom(void)
{
    uint8_t rom[64] = { 0x55, 0xaa, 1, [0x18] = 0x20,
                        [0x20] = 'P', 'C', 'I', 'R', 0xcd, 0xab, 1, 2 };
    g_autofree char *folder = g_dir_make_tmp("pci-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "test-own.rom", NULL);
    g_autofree char *options =
        g_strdup_printf("{'driver':'test-own-rom','addr':'3','romfile':'%s'}", path);
    PciDevice *dev;
    const uint8_t *seen;

    rom[6] = -sum(rom, sizeof(rom));
    g_assert_true(g_file_set_contents(path, (char *)rom, sizeof(rom), NULL));
    dev = PCI_DEVICE(test_add(options, NULL)); /* the user's: as it is */
    g_assert_cmpmem(memory_region_host(&dev->rom), sizeof(rom), rom, sizeof(rom));
    device_delete(DEVICE(dev));
    g_assert_cmpint(chdir(folder), ==, 0);
    dev = PCI_DEVICE(test_add("{'driver':'test-own-rom','addr':'3'}", NULL));
    seen = memory_region_host(&dev->rom);
    g_assert_cmphex(load_le32(seen + 0x24), ==, 0x56781234);
    g_assert_cmphex(sum(seen, sizeof(rom)), ==, 0);
    device_delete(DEVICE(dev));
    g_assert_cmpint(unlink(path) | rmdir(folder), ==, 0);
}

static void test_state(void)
{
    PciDevice *a = add();
    PciDevice *b = PCI_DEVICE(test_add("{'driver':'test-pci','addr':'6'}", NULL));
    const VMState *state = device_type_state(a->parent.parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(Error) err = NULL;
    VMWriter writer = { bytes };
    VMReader reader;

    vmstate_check(state);
    test_config_put(DEVFN, 0x10, MEM_LE32, 0xe0000000);
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, COMMAND_ALL);
    a->is_intx_up = true;
    g_assert_true(vmstate_save(state, a, &writer, NULL));
    test_config_put(DEVFN, PCI_COMMAND, MEM_LE16, 0);
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, b, &reader, NULL));
    g_assert_cmphex(test_get(0xe0000010, MEM_LE32), ==, 0x50);
    g_assert_cmpint(host->lines[2], ==, 1);
    for (guint i = 0; i + 1 < bytes->len; i++) {
        if (load_le16(bytes->data + i) == TEST_VENDOR) {
            bytes->data[i] ^= 1;
            break;
        }
    }
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_false(vmstate_load(state, b, &reader, &err));
    g_assert_nonnull(strstr(error_text(err), "Bad config data: i=0x0"));
    device_delete(DEVICE(a));
    device_delete(DEVICE(b));
}

/* Whatever a guest writes, configuration space answers and the device can go. */
static void test_random_config(void)
{
    PciDevice *dev = add();
    static const MemFormat formats[] = { MEM_8, MEM_LE16, MEM_LE32 };

    for (unsigned i = 0; i < 20000; i++) {
        MemFormat format = formats[g_test_rand_int_range(0, 3)];
        uint64_t at = TEST_ECAM + (DEVFN << 12) + g_test_rand_int_range(0, 0x1000);

        test_put(at, format, (uint32_t)g_test_rand_int());
        test_get(at, format);
        msi_notify(dev, i % 4);
        msix_notify(dev, i % 4);
        pci_intx_set(dev, i & 1);
    }
    reset_machine();
    g_assert_cmphex(test_config_get(DEVFN, 0, MEM_LE32), ==, 0x56781234);
    device_delete(DEVICE(dev));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/pci/ids", test_ids);
    g_test_add_func("/pci/mechanism-1", test_mechanism_1);
    g_test_add_func("/pci/bars", test_bars);
    g_test_add_func("/pci/intx", test_intx);
    g_test_add_func("/pci/msi", test_msi);
    g_test_add_func("/pci/msix", test_msix);
    g_test_add_func("/pci/dma", test_dma);
    g_test_add_func("/pci/iommu", test_iommu);
    g_test_add_func("/pci/places", test_places);
    g_test_add_func("/pci/properties", test_properties);
    g_test_add_func("/pci/rom", test_rom);
    g_test_add_func("/pci/adopted-rom", test_adopted_rom);
    g_test_add_func("/pci/state", test_state);
    g_test_add_func("/pci/random-config", test_random_config);
    status = g_test_run();
    machine_unlock();
    return status;
}
