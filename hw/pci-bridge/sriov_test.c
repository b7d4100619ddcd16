/*
 * Virtual functions behind a port: numbers behind that of the function's bus, and their state in a
 * migration, in which they come with their function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_test_machine.h"
#include "hw/pci/pcie_sriov.h"
#include "system/machine_lock.h"
#include "system/migratable.h"
#include "util/log.h"

#define PORT   (4 << 3)
#define SRIOV  0x100
#define TOTAL  600
#define OFFSET 8
#define BAR    0xe0000000u

/* --- a function with more virtual ones than a bus has places; each of those has a register --- */

typedef struct TestVf {
    PciDevice parent;
    MemoryRegion io;
    uint32_t value;
} TestVf;
DECLARE_CAST(TestVf, TEST_VF)

static uint64_t vf_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return offset ? pci_device_vf_index(opaque) : TEST_VF(opaque)->value;
}

static void vf_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    TEST_VF(opaque)->value = value;
}

static const MemoryOps vf_ops = { .read = vf_read, .write = vf_write, .endian = ENDIAN_LITTLE,
                                  .impl = { 4, 4 } };

static bool vf_realize(Device *dev, Error **errp)
{
    PcieCapSpec cap = { .type = PCIE_ENDPOINT };

    memory_region_init_io(&TEST_VF(dev)->io, &dev->parent, &vf_ops, "vf", 4 * KiB);
    pci_add_bar(PCI_DEVICE(dev), 0, 0, &TEST_VF(dev)->io);
    return pcie_cap_init(PCI_DEVICE(dev), &cap, errp);
}

static void vf_finalize(Object *obj)
{
    memory_region_clear(&TEST_VF(obj)->io);
}

static const VMField vf_fields[] = { VM_U32(TestVf, value) };

static const PciDeviceType vf_type = {
    .name = "test-many-vf",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(TestVf),
    .class_id = PCI_CLASS_OTHERS,
    .access = DEVICE_ACCESS_BOARD,
    .realize = vf_realize,
    .finalize = vf_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS }, { 0 } },
    .vmstate = VMSTATE(vf_fields, .version = 1),
};
PCI_DEVICE_TYPE(vf_type)

static bool pf_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    PcieCapSpec cap = { .type = PCIE_ENDPOINT };
    PcieSriovSpec sriov = { .at = SRIOV, .vf_type = "test-many-vf", .vf_device_id = 0x9999,
                            .total_vfs = TOTAL, .offset = OFFSET, .stride = 1 };

    if (!pcie_cap_init(dev, &cap, errp) || !pcie_sriov_init(dev, &sriov, errp)) {
        return false;
    }
    pcie_sriov_add_bar(dev, 0, 0, 4 * KiB);
    return true;
}

static const PciDeviceType pf_type = {
    .name = "test-many-pf",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(PciDevice),
    .vendor_id = TEST_VENDOR, .device_id = 0x7777,
    .class_id = PCI_CLASS_OTHERS,
    .realize = pf_realize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(pf_type)

/* --- a guest --- */

static void number_port(unsigned secondary, unsigned subordinate)
{
    test_cfg_set(PORT, PCI_PRIMARY_BUS, 4, secondary << 8 | subordinate << 16);
}

static PciDevice *add_port(void)
{
    PciDevice *port = PCI_DEVICE(
        test_add("{'driver':'pcie-root-port','id':'port','addr':'4','chassis':1}", NULL));

    test_cfg_set(PORT, PCI_MEMORY_BASE, 4, 0xe0f0e000);
    test_cfg_set(PORT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    return port;
}

static PciDevice *add_function(void)
{
    return PCI_DEVICE(test_add("{'driver':'test-many-pf','bus':'port'}", NULL));
}

static void enable(unsigned pf, unsigned count)
{
    test_cfg_set(pf, SRIOV + PCI_SRIOV_BAR0, 4, BAR);
    test_cfg_set(pf, SRIOV + PCI_SRIOV_NUM_VF, 2, count);
    test_cfg_set(pf, SRIOV + PCI_SRIOV_CTRL, 2,
                 count ? PCI_SRIOV_CTRL_VF_ENABLE | PCI_SRIOV_CTRL_VF_MSE : 0);
}

static bool answers(unsigned bdf)
{
    return test_cfg(bdf, PCI_CLASS_DEVICE, 2) == PCI_CLASS_OTHERS;
}

static void test_numbers(void)
{
    PciDevice *port = add_port(), *pf = add_function();
    g_autofree char *path = NULL;

    number_port(1, 3);
    enable(0x100, TOTAL);
    g_assert_cmpint(pcie_sriov_count(pf), ==, TOTAL);
    for (unsigned i = 0; i < TOTAL; i++) {
        g_assert_true(answers(0x100 + OFFSET + i));
        g_assert_cmphex(pci_device_requester_id(pcie_sriov_vf(pf, i)), ==, 0x100 + OFFSET + i);
        g_assert_cmphex(test_get(BAR + i * 4 * KiB + 4, MEM_LE32), ==, i);
    }
    g_assert_false(answers(0x100 + OFFSET + TOTAL));
    path = pci_device_path(pcie_sriov_vf(pf, 256 - OFFSET));
    g_assert_cmpstr(path, ==, "0000:00:04.0:20.0");
    number_port(1, 2); /* no number for the rest */
    g_assert_true(answers(0x2ff));
    g_assert_false(answers(0x300));
    number_port(0x51, 0x53);
    g_assert_false(answers(0x108));
    g_assert_true(answers(0x5100 + OFFSET + TOTAL - 1));
    g_assert_cmphex(pci_device_requester_id(pcie_sriov_vf(pf, 400)), ==, 0x5100 + OFFSET + 400);
    enable(0x5100, 0);
    g_assert_false(answers(0x5200));
    enable(0x5100, 300); /* in the same places */
    g_assert_true(answers(0x5100 + OFFSET + 299));
    reset_machine();
    g_assert_cmpint(pcie_sriov_count(pf), ==, 0);
    device_delete(DEVICE(port));
}

/* Also: a bridge that software gave such a number once it was free. */
static void test_mistakes(void)
{
    PciDevice *port = add_port();
    g_autoptr(Error) err = NULL;
    Device *other;

    add_function();
    number_port(1, 3);
    enable(0x100, TOTAL);
    g_assert_null(test_add("{'driver':'test-pci','bus':'port+1','addr':'1f'}", &err));
    g_assert_cmpstr(error_text(err), ==, "Bus 'port+1' is full");
    g_clear_pointer(&err, error_free);
    g_assert_null(test_add("{'driver':'test-many-pf','addr':'7'}", &err));
    g_assert_cmpstr(error_text(err), ==,
                    "test-many-pf: 600 virtual functions do not fit bus 'pcie.0'");
    other = test_add("{'driver':'pcie-root-port','id':'other','addr':'5','chassis':2}", NULL);
    test_add("{'driver':'test-pci','bus':'other'}", NULL);
    test_cfg_set(5 << 3, PCI_PRIMARY_BUS, 4, 2 << 8 | 2 << 16);
    number_port(1, 1);
    g_assert_cmphex(test_cfg(0x200, 0, 4), ==, 0x56781234);
    device_delete(other);
    device_delete(DEVICE(port));
}

/* Virtual functions are seen through memory as soon as they are there. */
static void test_hole(void)
{
    g_autoptr(GPtrArray) hosts = pci_hosts();
    PciHost *host = hosts->pdata[0];
    PciDevice *port = add_port();
    unsigned pages;

    pci_host_map_ecam(host, TEST_ECAM, 256 * MiB);
    pci_host_start_hole(host);
    add_function();
    number_port(1, 3);
    pages = pci_host_hole_counts(host).pages;
    g_assert_cmpint(pages, ==, 65536 - 1 - 3 * 256 + (OFFSET - 1));
    enable(0x100, TOTAL);
    for (unsigned bdf = 0x100 + OFFSET; bdf < 0x100 + OFFSET + TOTAL; bdf++) {
        g_assert_cmphex(test_get(TEST_ECAM + bdf * UINT64_C(4096) + PCI_CLASS_DEVICE, MEM_LE16), ==,
                        PCI_CLASS_OTHERS);
    }
    g_assert_cmpint(pci_host_hole_counts(host).pages, ==, pages + 256 - OFFSET - TOTAL % 256);
    enable(0x100, 0);
    g_assert_cmphex(test_get(TEST_ECAM + (0x100 + OFFSET) * 4096, MEM_LE32), ==, UINT32_MAX);
    device_delete(DEVICE(port));
}

/* --- migration --- */

/* As a stream has it: a name, then the state. */
static GPtrArray *save_all(void)
{
    g_autoptr(GPtrArray) list = migratable_list();
    GPtrArray *stream = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);

    for (guint i = 0; i < list->len; i++) {
        const Migratable *m = list->pdata[i];
        GByteArray *bytes = g_byte_array_new();
        VMWriter writer = { bytes };

        g_byte_array_append(bytes, (const uint8_t *)m->id, strlen(m->id) + 1);
        g_assert_cmpint(m->instance, ==, 0); /* names alone tell them apart */
        g_assert_true(vmstate_save(m->vm, m->opaque, &writer, NULL));
        g_ptr_array_add(stream, bytes);
    }
    return stream;
}

static void load_all(GPtrArray *stream)
{
    for (guint i = 0; i < stream->len; i++) {
        const GByteArray *bytes = stream->pdata[i];
        size_t name = strlen((const char *)bytes->data) + 1;
        VMReader reader = { bytes->data + name, bytes->len - name };
        const Migratable *m = migratable_find((const char *)bytes->data, 0);

        g_assert_nonnull(m);
        g_assert_true(vmstate_load(m->vm, m->opaque, &reader, NULL));
    }
}

static void test_migration(void)
{
    PciDevice *port = add_port(), *pf = add_function();
    g_autoptr(GPtrArray) stream = NULL;

    number_port(1, 3);
    enable(0x100, TOTAL);
    for (unsigned i = 0; i < TOTAL; i++) {
        test_put(BAR + i * 4 * KiB, MEM_LE32, 3 * i);
    }
    test_cfg_set(0x2ff, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    stream = save_all();
    device_delete(DEVICE(port));
    port = add_port();
    pf = add_function();
    load_all(stream);
    g_assert_cmpint(pcie_sriov_count(pf), ==, TOTAL);
    for (unsigned i = 0; i < TOTAL; i++) {
        g_assert_cmphex(test_get(BAR + i * 4 * KiB, MEM_LE32), ==, 3 * i);
    }
    g_assert_cmphex(test_cfg(0x2ff, PCI_COMMAND, 2), ==, PCI_COMMAND_MASTER);
    g_assert_cmphex(test_cfg(0x2fe, PCI_COMMAND, 2), ==, 0);
    device_delete(DEVICE(port));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    test_machine_init();
    g_test_add_func("/sriov/numbers", test_numbers);
    g_test_add_func("/sriov/mistakes", test_mistakes);
    g_test_add_func("/sriov/migration", test_migration);
    g_test_add_func("/sriov/hole", test_hole);
    status = g_test_run();
    machine_unlock();
    return status;
}
