/*
 * PCI Express of an endpoint: function level reset, errors, ATS, PRI and PASID with an IOMMU that
 * remembers what it was asked, virtual functions, saved state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_test_machine.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_ats.h"
#include "hw/pci/pcie_sriov.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"
#include "util/log.h"

#define DEVFN PCI_DEVFN(3, 0)
#define AER   0x100
#define ARI   0x148
#define DSN   0x150
#define ATS   0x160
#define PRI   0x170
#define PASID 0x180
#define SRIOV 0x200
#define SERIAL UINT64_C(0x0123456789abcdef)

static TestHost *host;

/* --- an endpoint with all of it, and its virtual function --- */

static bool add_extended(PciDevice *dev, Error **errp)
{
    PcieAerSpec aer = { .at = AER, .version = 2, .log_max = 2 };

    return pcie_aer_init(dev, &aer, errp) && pcie_ari_init(dev, ARI, 1, errp) &&
           pcie_dsn_init(dev, DSN, SERIAL, errp) && pcie_ats_init(dev, ATS, true, errp) &&
           pcie_pri_init(dev, PRI, 4, errp) &&
           pcie_pasid_init(dev, PASID, 20, PCI_PASID_CAP_PRIV, errp);
}

static bool pf_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    PcieCapSpec cap = { .type = PCIE_ENDPOINT, .has_flr = true, .reports_errors = true,
                        .has_prefixes = true };
    PcieSriovSpec sriov = { .at = SRIOV, .vf_type = "test-vf", .vf_device_id = 0x9999,
                            .total_vfs = 4, .offset = 8, .stride = 2 };

    if (!pcie_cap_init(dev, &cap, errp) || !add_extended(dev, errp) ||
        !pcie_sriov_init(dev, &sriov, errp)) {
        return false;
    }
    pcie_sriov_add_bar(dev, 0, PCI_BAR_64, 8 * KiB);
    return true;
}

static const PciDeviceType pf_type = {
    .name = "test-pf",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(TestDevice),
    .vendor_id = TEST_VENDOR, .device_id = 0x7777,
    .class_id = PCI_CLASS_OTHERS,
    .realize = pf_realize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(pf_type)

static uint64_t vf_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return pci_device_vf_index(opaque) << 16 | offset;
}

static void vf_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
}

static const MemoryOps vf_ops = { .read = vf_read, .write = vf_write,
                                  .endian = ENDIAN_LITTLE };

static bool vf_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    PcieCapSpec cap = { .type = PCIE_ENDPOINT, .has_flr = true };

    memory_region_init_io(&TEST_DEVICE_OF(dev)->memory, &device->parent, &vf_ops, "vf", 8 * KiB);
    pci_add_bar(dev, 0, PCI_BAR_64, &TEST_DEVICE_OF(dev)->memory);
    return pcie_cap_init(dev, &cap, errp);
}

static void vf_finalize(Object *obj)
{
    memory_region_clear(&TEST_DEVICE_OF(obj)->memory);
}

static const PciDeviceType vf_type = {
    .name = "test-vf",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(TestDevice),
    .vendor_id = TEST_VENDOR, .device_id = 0x9999,
    .class_id = PCI_CLASS_OTHERS,
    .access = DEVICE_ACCESS_BOARD,
    .realize = vf_realize,
    .finalize = vf_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(vf_type)

static PciDevice *add(void)
{
    g_autoptr(Error) err = NULL;
    Device *dev = test_add("{'driver':'test-pf','addr':'3'}", &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    return PCI_DEVICE(dev);
}

static uint32_t get(unsigned at, unsigned bytes)
{
    return test_cfg(DEVFN, at, bytes);
}

static void set(unsigned at, unsigned bytes, uint32_t value)
{
    test_cfg_set(DEVFN, at, bytes, value);
}

/* --- the capability --- */

static void test_capability(void)
{
    PciDevice *dev = add();
    unsigned cap = dev->express_cap;

    g_assert_cmphex(get(cap, 4), ==, 0x00020010);
    g_assert_cmphex(get(cap + PCI_EXP_DEVCAP, 4), ==, 0x10008000);
    g_assert_cmphex(get(cap + PCI_EXP_LNKSTA, 2), ==, 0x11);
    g_assert_cmphex(get(cap + PCI_EXP_LNKCAP, 4), ==, 0x411); /* 2.5 GT/s, x1, L0s */
    set(cap + PCI_EXP_LNKCTL, 2, 0xffff);
    g_assert_cmphex(get(cap + PCI_EXP_LNKCTL, 2), ==, 0xc1);
    set(cap + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_FLR);
    g_assert_cmphex(get(cap + PCI_EXP_LNKCTL, 2), ==, 0xc1); /* the link's */
    reset_machine();
    g_assert_cmphex(get(cap + PCI_EXP_LNKCTL, 2), ==, 0);
    g_assert_cmpint(pcie_type(dev), ==, PCIE_ENDPOINT);
    g_assert_cmphex(pcie_find_capability(dev, PCI_EXT_CAP_ID_DSN), ==, DSN);
    g_assert_cmphex(get(DSN + 4, 4), ==, (uint32_t)SERIAL);
    g_assert_cmphex(get(DSN + 8, 4), ==, SERIAL >> 32);
    g_assert_cmphex(get(ARI + 4, 2), ==, 0x100);
    device_delete(DEVICE(dev));
}

/* All but errors is as after power on; the bit reads 0. */
static void test_function_reset(void)
{
    PciDevice *dev = add();
    unsigned devctl = dev->express_cap + PCI_EXP_DEVCTL;
    PcieAerError error = { .status = PCI_ERR_UNC_COMP_TIME };

    set(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    set(ATS + PCI_ATS_CTRL, 2, PCI_ATS_CTRL_ENABLE | 3);
    g_assert_true(pcie_aer_inject(dev, &error, NULL));
    set(devctl, 2, PCI_EXP_DEVCTL_FLR | PCI_EXP_DEVCTL_CERE);
    g_assert_cmphex(get(devctl, 2), ==, 0);
    g_assert_cmphex(get(PCI_COMMAND, 2), ==, 0);
    g_assert_cmphex(get(ATS + PCI_ATS_CTRL, 2), ==, 0);
    g_assert_cmphex(get(AER + PCI_ERR_UNCOR_STATUS, 4), ==, PCI_ERR_UNC_COMP_TIME);
    reset_machine();
    g_assert_cmphex(get(AER + PCI_ERR_UNCOR_STATUS, 4), ==, 0);
    device_delete(DEVICE(dev));
}

/* --- errors, with the log's queue --- */

static void inject(PciDevice *dev, uint32_t status, uint32_t word)
{
    PcieAerError error = { .status = status, .has_header = true, .header = { word, 2, 3, 4 } };

    g_assert_true(pcie_aer_inject(dev, &error, NULL));
}

static void test_log(void)
{
    PciDevice *dev = add();
    uint32_t caps = PCI_ERR_CAP_ECRC_GENC | PCI_ERR_CAP_ECRC_CHKC | PCI_ERR_CAP_MHRC;

    inject(dev, PCI_ERR_UNC_COMP_TIME, 0x11223344);
    inject(dev, PCI_ERR_UNC_UNSUP, 0x55667788); /* no queue: lost */
    g_assert_cmphex(get(AER + PCI_ERR_CAP, 4), ==, caps | 14);
    g_assert_cmphex(get(AER + PCI_ERR_HEADER_LOG, 4), ==, 0x44332211);
    g_assert_cmphex(get(dev->express_cap + PCI_EXP_DEVSTA, 2), ==,
                    PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_URD);
    set(AER + PCI_ERR_UNCOR_STATUS, 4, UINT32_MAX);
    g_assert_cmphex(get(AER + PCI_ERR_CAP, 4), ==, caps);
    g_assert_cmphex(get(AER + PCI_ERR_HEADER_LOG, 4), ==, 0);
    set(AER + PCI_ERR_CAP, 4, PCI_ERR_CAP_MHRE);
    inject(dev, PCI_ERR_UNC_COMP_TIME, 1);
    inject(dev, PCI_ERR_UNC_UNSUP, 5);
    inject(dev, PCI_ERR_UNC_ECRC, 6);
    inject(dev, PCI_ERR_UNC_DLP, 7); /* two fit */
    g_assert_cmphex(get(AER + PCI_ERR_COR_STATUS, 4), ==, PCI_ERR_COR_HL_OVERFLOW);
    set(AER + PCI_ERR_UNCOR_STATUS, 4, PCI_ERR_UNC_COMP_TIME);
    g_assert_cmphex(get(AER + PCI_ERR_CAP, 4), ==, caps | PCI_ERR_CAP_MHRE | 20);
    g_assert_cmphex(get(AER + PCI_ERR_HEADER_LOG, 4), ==, 5 << 24);
    set(AER + PCI_ERR_UNCOR_STATUS, 4, PCI_ERR_UNC_UNSUP);
    g_assert_cmphex(get(AER + PCI_ERR_CAP, 4) & PCI_ERR_CAP_FEP, ==, 19);
    device_delete(DEVICE(dev));
}

static void test_masks(void)
{
    PciDevice *dev = add();
    PcieAerError advisory = { .status = PCI_ERR_UNC_COMP_TIME, .is_advisory = true };
    PcieAerError correctable = { .status = PCI_ERR_COR_BAD_TLP, .is_correctable = true };
    g_autoptr(Error) err = NULL;

    set(AER + PCI_ERR_UNCOR_MASK, 4, PCI_ERR_UNC_UNSUP);
    inject(dev, PCI_ERR_UNC_UNSUP, 1);
    g_assert_cmphex(get(AER + PCI_ERR_UNCOR_STATUS, 4), ==, PCI_ERR_UNC_UNSUP);
    g_assert_cmphex(get(AER + PCI_ERR_HEADER_LOG, 4), ==, 0);
    /* Advisory errors count as correctable, and are masked as such after reset. */
    g_assert_true(pcie_aer_inject(dev, &advisory, NULL));
    g_assert_cmphex(get(AER + PCI_ERR_COR_STATUS, 4), ==, PCI_ERR_COR_ADV_NONFATAL);
    g_assert_cmphex(get(AER + PCI_ERR_UNCOR_STATUS, 4), ==,
                    PCI_ERR_UNC_UNSUP | PCI_ERR_UNC_COMP_TIME);
    g_assert_true(pcie_aer_inject(dev, &correctable, NULL));
    g_assert_cmphex(get(AER + PCI_ERR_COR_STATUS, 4), ==,
                    PCI_ERR_COR_ADV_NONFATAL | PCI_ERR_COR_BAD_TLP);
    g_assert_cmphex(get(AER + PCI_ERR_COR_MASK, 4), ==, 0xe000);
    correctable.status = 3;
    g_assert_false(pcie_aer_inject(dev, &correctable, &err));
    g_assert_cmpstr(error_text(err), ==, "failed to inject error: Invalid argument");
    device_delete(DEVICE(dev));
}

/* --- ATS, PRI, PASID --- */

static PciRequester last_who;
static PciPageRequest last_page;
static PciPageNotifier *notifier_of_device;

static AddressSpace *give_space(void *opaque, PciBus *bus, int devfn)
{
    return address_space_system();
}

static int translate(void *opaque, const PciRequester *who, const PciAtsRequest *request,
                     IommuEntry *results, unsigned count)
{
    last_who = *who;
    results[0] = (IommuEntry){ .iova = request->addr, .translated = request->addr + 0x10000 };
    return 1;
}

static bool page_request(void *opaque, const PciRequester *who, const PciPageRequest *request)
{
    last_who = *who;
    last_page = *request;
    return request->addr != 0xbad000;
}

static bool set_page_notifier(void *opaque, const PciRequester *who, PciPageNotifier *notifier)
{
    last_who = *who;
    notifier_of_device = notifier;
    return true;
}

static const PciIommuOps iommu_ops = { .address_space = give_space, .ats_translate = translate,
                                       .page_request = page_request,
                                       .set_page_notifier = set_page_notifier };

static void test_ats(void)
{
    PciDevice *dev = add();
    PciAtsRequest request = { .addr = 0x5000, .bytes = 4096 };
    IommuEntry entry;

    pci_bus_set_iommu(host->parent.bus, &iommu_ops, NULL);
    g_assert_cmpint(pcie_ats_request(dev, PCIE_NO_PASID, &request, &entry, 1), ==, -1);
    set(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    set(ATS + PCI_ATS_CTRL, 2, PCI_ATS_CTRL_ENABLE);
    g_assert_cmpint(pcie_ats_request(dev, PCIE_NO_PASID, &request, &entry, 1), ==, 1);
    g_assert_cmphex(entry.translated, ==, 0x15000);
    g_assert_cmphex(last_who.devfn, ==, DEVFN);
    g_assert_false(last_who.has_pasid);
    g_assert_cmpint(pcie_ats_request(dev, 7, &request, &entry, 1), ==, -1);
    set(PASID + PCI_PASID_CTRL, 2, 0xffff);
    g_assert_cmphex(get(PASID + PCI_PASID_CTRL, 2), ==,
                    PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_PRIV);
    g_assert_cmpint(pcie_ats_request(dev, 7, &request, &entry, 1), ==, 1);
    g_assert_true(last_who.has_pasid);
    g_assert_cmpint(last_who.pasid, ==, 7);
    request.is_execute = true;
    g_assert_cmpint(pcie_ats_request(dev, 7, &request, &entry, 1), ==, -1);
    pci_bus_set_iommu(host->parent.bus, NULL, NULL);
    device_delete(DEVICE(dev));
}

static unsigned answers, last_response;

static void count_answer(PciPageNotifier *notifier, uint16_t group, uint8_t response)
{
    answers++;
    last_response = response;
}

static PciPageNotifier my_notifier = { count_answer };

static void answer(uint16_t group, uint8_t response)
{
    notifier_of_device->answered(notifier_of_device, group, response);
}

static void test_pri(void)
{
    PciDevice *dev = add();
    PciPageRequest request = { .addr = 0x7000, .group = 5, .is_read = true };

    pci_bus_set_iommu(host->parent.bus, &iommu_ops, NULL);
    g_assert_cmphex(get(PRI + PCI_PRI_STATUS, 2), ==, 0x8100);
    g_assert_false(pcie_page_request(dev, PCIE_NO_PASID, &request));
    set(PRI + PCI_PRI_ALLOC, 4, 3);
    set(PRI + PCI_PRI_CTRL, 2, PCI_PRI_CTRL_ENABLE);
    g_assert_cmphex(get(PRI + PCI_PRI_STATUS, 2), ==, 0x8000);
    g_assert_true(pcie_set_page_notifier(dev, PCIE_NO_PASID, &my_notifier));
    g_assert_false(pcie_page_request(dev, PCIE_NO_PASID, &request)); /* no bus master */
    set(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(pcie_page_request(dev, PCIE_NO_PASID, &request));
    }
    g_assert_false(pcie_page_request(dev, PCIE_NO_PASID, &request)); /* out of credit */
    answer(5, 0);
    g_assert_cmpint(answers, ==, 1);
    request.addr = 0xbad000;
    g_assert_false(pcie_page_request(dev, PCIE_NO_PASID, &request));
    request.addr = 0x8000;
    g_assert_true(pcie_page_request(dev, PCIE_NO_PASID, &request));
    answer(6, 0); /* of nobody */
    g_assert_cmphex(get(PRI + PCI_PRI_STATUS, 2), ==, 0x8000 | PCI_PRI_STATUS_UPRGI);
    g_assert_cmpint(answers, ==, 1);
    set(PRI + PCI_PRI_CTRL, 2, 0);
    g_assert_cmphex(get(PRI + PCI_PRI_STATUS, 2) & PCI_PRI_STATUS_STOPPED, ==, 0);
    answer(5, 0xf);
    g_assert_cmpint(last_response, ==, 0xf);
    g_assert_cmphex(get(PRI + PCI_PRI_STATUS, 2), ==,
                    0x8100 | PCI_PRI_STATUS_UPRGI | PCI_PRI_STATUS_RF);
    set(PRI + PCI_PRI_CTRL, 2, PCI_PRI_CTRL_ENABLE);
    g_assert_cmphex(get(PRI + PCI_PRI_STATUS, 2), ==, 0x8000);
    device_delete(DEVICE(dev));
    g_assert_null(notifier_of_device);
    pci_bus_set_iommu(host->parent.bus, NULL, NULL);
}

/* --- virtual functions --- */

static void test_sriov(void)
{
    PciDevice *dev = add();
    uint16_t enable = PCI_SRIOV_CTRL_VF_ENABLE | PCI_SRIOV_CTRL_VF_MSE;
    unsigned vf1 = DEVFN + 8 + 2;

    g_assert_cmphex(get(SRIOV + PCI_SRIOV_TOTAL_VF, 2), ==, 4);
    set(SRIOV + PCI_SRIOV_BAR0, 4, UINT32_MAX);
    g_assert_cmphex(get(SRIOV + PCI_SRIOV_BAR0, 4), ==, 0xffffe004);
    set(SRIOV + PCI_SRIOV_BAR0, 4, 0xe0000000);
    set(SRIOV + PCI_SRIOV_BAR0 + 4, 4, 0);
    set(SRIOV + PCI_SRIOV_NUM_VF, 2, 3);
    g_assert_cmphex(test_cfg(vf1, 0, 4), ==, UINT32_MAX);
    g_assert_cmpint(pcie_sriov_count(dev), ==, 0);
    set(SRIOV + PCI_SRIOV_CTRL, 2, enable);
    g_assert_cmpint(pcie_sriov_count(dev), ==, 3);
    g_assert_cmphex(test_cfg(vf1, PCI_CLASS_DEVICE, 2), ==, PCI_CLASS_OTHERS);
    g_assert_cmphex(test_cfg(vf1, 0, 4), ==, UINT32_MAX); /* ids are the function's to tell */
    g_assert_cmphex(test_cfg(vf1, PCI_BAR0, 4), ==, 0);
    g_assert_cmphex(test_get(0xe0002010, MEM_LE32), ==, 0x10010);
    g_assert_cmphex(test_get(0xe0004010, MEM_LE32), ==, 0x20010);
    g_assert_cmphex(test_get(0xe0006010, MEM_LE32), ==, UINT32_MAX);
    test_cfg_set(vf1, PCI_COMMAND, 2, 0xffff);
    g_assert_cmphex(test_cfg(vf1, PCI_COMMAND, 2), ==, PCI_COMMAND_MASTER);
    g_assert_true(pci_device_pf(pcie_sriov_vf(dev, 1)) == dev);
    set(SRIOV + PCI_SRIOV_NUM_VF, 2, 1); /* not while they are there */
    g_assert_cmphex(get(SRIOV + PCI_SRIOV_NUM_VF, 2), ==, 3);
    set(SRIOV + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VF_ENABLE);
    g_assert_cmphex(test_get(0xe0002010, MEM_LE32), ==, UINT32_MAX);
    set(SRIOV + PCI_SRIOV_CTRL, 2, 0);
    g_assert_cmpint(pcie_sriov_count(dev), ==, 0);
    set(SRIOV + PCI_SRIOV_NUM_VF, 2, 5);
    set(SRIOV + PCI_SRIOV_CTRL, 2, enable);
    g_assert_cmpint(pcie_sriov_count(dev), ==, 0);
    set(SRIOV + PCI_SRIOV_CTRL, 2, 0);
    set(SRIOV + PCI_SRIOV_NUM_VF, 2, 4);
    set(SRIOV + PCI_SRIOV_CTRL, 2, enable);
    g_assert_cmpint(pcie_sriov_count(dev), ==, 4);
    reset_machine();
    g_assert_cmpint(pcie_sriov_count(dev), ==, 0);
    g_assert_cmphex(get(SRIOV + PCI_SRIOV_NUM_VF, 2), ==, 0);
    set(SRIOV + PCI_SRIOV_NUM_VF, 2, 4);
    set(SRIOV + PCI_SRIOV_CTRL, 2, enable);
    device_delete(DEVICE(dev));
    g_assert_cmphex(test_cfg(vf1, PCI_CLASS_DEVICE, 2), ==, 0xffff);
}

static void test_places_taken(void)
{
    PciDevice *dev = add();
    Device *other = test_add("{'driver':'test-pci','addr':'4.2','multifunction':true}", NULL);
    uint64_t errors = guest_error_count();

    g_assert_nonnull(other);
    set(SRIOV + PCI_SRIOV_NUM_VF, 2, 3);
    set(SRIOV + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VF_ENABLE);
    g_assert_cmpint(pcie_sriov_count(dev), ==, 0);
    g_assert_cmpint(guest_error_count(), ==, errors + 1);
    g_assert_cmphex(test_cfg(PCI_DEVFN(4, 2), 0, 4), ==, 0x56781234);
    device_delete(other);
    device_delete(DEVICE(dev));
}

/* --- state --- */

static void test_state(void)
{
    PciDevice *a = add(), *b;
    const VMState *state = device_type_state(a->parent.parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;

    vmstate_check(state);
    set(AER + PCI_ERR_CAP, 4, PCI_ERR_CAP_MHRE);
    inject(a, PCI_ERR_UNC_COMP_TIME, 1);
    inject(a, PCI_ERR_UNC_UNSUP, 5);
    set(SRIOV + PCI_SRIOV_NUM_VF, 2, 2);
    set(SRIOV + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VF_ENABLE);
    g_assert_true(vmstate_save(state, a, &writer, NULL));
    device_delete(DEVICE(a));
    b = add();
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, b, &reader, NULL));
    g_assert_cmpint(pcie_sriov_count(b), ==, 2);
    set(AER + PCI_ERR_UNCOR_STATUS, 4, PCI_ERR_UNC_COMP_TIME);
    g_assert_cmphex(get(AER + PCI_ERR_HEADER_LOG, 4), ==, 5 << 24);
    device_delete(DEVICE(b));
}

static void test_random_config(void)
{
    PciDevice *dev = add();
    static const unsigned sizes[] = { 1, 2, 4 };

    for (unsigned i = 0; i < 30000; i++) {
        unsigned bytes = sizes[g_test_rand_int_range(0, 3)];
        unsigned at = g_test_rand_int_range(0, 0x240 / bytes) * bytes;

        set(at, bytes, g_test_rand_int());
        inject(dev, i & 1 ? PCI_ERR_UNC_UNSUP : PCI_ERR_UNC_ECRC, i);
    }
    reset_machine();
    g_assert_cmphex(get(0, 4), ==, 0x77771234);
    g_assert_cmpint(pcie_sriov_count(dev), ==, 0);
    device_delete(DEVICE(dev));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    host = test_machine_init();
    g_test_add_func("/pcie/capability", test_capability);
    g_test_add_func("/pcie/function-reset", test_function_reset);
    g_test_add_func("/pcie/log", test_log);
    g_test_add_func("/pcie/masks", test_masks);
    g_test_add_func("/pcie/ats", test_ats);
    g_test_add_func("/pcie/pri", test_pri);
    g_test_add_func("/pcie/sriov", test_sriov);
    g_test_add_func("/pcie/places-taken", test_places_taken);
    g_test_add_func("/pcie/state", test_state);
    g_test_add_func("/pcie/random-config", test_random_config);
    status = g_test_run();
    machine_unlock();
    return status;
}
