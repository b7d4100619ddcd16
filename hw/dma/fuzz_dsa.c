/*
 * Fuzzes intel-dsa from the guest's side, behind an IOMMU that does as the input says. A run starts
 * with two work queues enabled, a dedicated and a shared one; then each operation is a byte with
 * its arguments: descriptors, registers, configuration space, memory, time, pages that come and go
 * and answers to page requests. Whatever happens, the process goes on, and Reset Device works.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_test_machine.h"
#include "intel_dsa.h"
#include "util/fuzz_input.h"

#define MEMORY_BYTES MiB
#define STEP_NS      10000
#define STEPS_MOST   64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The IOMMU: what it permits by page of memory, who listens, what was asked last. */
static struct {
    uint8_t access[MEMORY_BYTES / 4096];
    PciPageNotifier *notifier;
    bool refuses;
} iommu;
static IntelDsa *dsa;

/* --- the IOMMU --- */

static AddressSpace *give_space(void *opaque, PciBus *bus, int devfn)
{
    return address_space_system();
}

static int translate(void *opaque, const PciRequester *who, const PciAtsRequest *request,
                     IommuEntry *results, unsigned count)
{
    uint64_t page = request->addr / 4096 % ARRAY_SIZE(iommu.access);

    if (iommu.refuses) {
        return -1;
    }
    results[0] = (IommuEntry){ .target = address_space_system(), .iova = request->addr & ~0xfffull,
                               .translated = page * 4096, .page_mask = 0xfff,
                               .access = iommu.access[page] & 3 };
    return 1;
}

static bool take_request(void *opaque, const PciRequester *who, const PciPageRequest *request)
{
    return !(iommu.access[0] & 0x80);
}

static bool take_notifier(void *opaque, const PciRequester *who, PciPageNotifier *notifier)
{
    iommu.notifier = notifier;
    return true;
}

static const PciIommuOps iommu_ops = { .address_space = give_space, .ats_translate = translate,
                                       .page_request = take_request,
                                       .set_page_notifier = take_notifier };

/* --- the guest --- */

static void start(void)
{
    memset(iommu.access, IOMMU_READ_WRITE, sizeof(iommu.access));
    iommu.refuses = false;
    device_reset(&dsa->parent.parent);
    pci_config_write(&dsa->parent, PCI_COMMAND, 6, 2);
    pci_config_write(&dsa->parent, 0x226, 0x8000, 2);
    pci_config_write(&dsa->parent, 0x236, 5, 2);
    pci_config_write(&dsa->parent, 0x24c, 16, 4);
    pci_config_write(&dsa->parent, 0x244, 1, 2);
    for (unsigned wq = 0; wq < 2; wq++) {
        *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE) = *dsa_wqcfg(dsa, wq, DSA_WQ_THRESHOLD) = 16;
        *dsa_wqcfg(dsa, wq, DSA_WQ_MODE) = (wq ? DSA_MODE_PASID : DSA_MODE_DEDICATED) |
                                           DSA_MODE_BOF | 0xa0;
        *dsa_wqcfg(dsa, wq, DSA_WQ_LIMITS) = 20 | 5 << 5;
    }
    dsa->grpcfg[0] = 3;
    dsa->grpcfg[8] = 0xf;
    dsa_command(dsa, 1 << 20);
    dsa_command(dsa, 6 << 20);
    dsa_command(dsa, 6 << 20 | 1);
    assert(!dsa->cmdstatus);
}

/* Fields that matter are drawn small, so that operations get to their work. */
static void submit(FuzzInput *in)
{
    MemTxAttrs attrs = { .is_deferrable = fuzz_take(in, 1) & 1 };
    uint8_t d[64] = { 0 };
    uint64_t at = fuzz_take(in, 1) % 2 * DSA_PORTAL_BYTES + 0x1000;

    store_le32(d + 4, fuzz_take(in, 3) | fuzz_take(in, 1) << 24);
    store_le64(d + 8, fuzz_take(in, 2) * 32 % MEMORY_BYTES);
    store_le64(d + 16, fuzz_take(in, 3));
    store_le64(d + 24, fuzz_take(in, 3));
    store_le32(d + 32, fuzz_take(in, 2) << fuzz_take(in, 1) % 8);
    for (unsigned i = 36; i < 64 && fuzz_take(in, 1) & 1; i++) {
        d[i] = fuzz_take(in, 1);
    }
    dsa_portal_ops.write64(dsa, at, d, attrs);
}

static void step(FuzzInput *in)
{
    for (unsigned n = fuzz_take(in, 1) % STEPS_MOST; n; n--) {
        clock_qtest_step(STEP_NS);
    }
}

enum { SUBMIT, STEP, WRITE_REGISTER, READ_REGISTER, COMMAND, PUT_BYTE, PAGE, ANSWER, DROP, CONFIG,
       OPERATIONS };

static void operate(FuzzInput *in)
{
    IommuEntry drop = { .page_mask = 0xfff };

    switch (fuzz_take(in, 1) % OPERATIONS) {
    case SUBMIT:
        submit(in);
        break;
    case STEP:
        step(in);
        break;
    case WRITE_REGISTER:
        dsa_register_ops.write(dsa, fuzz_take(in, 2) & 0x1ffc, fuzz_take(in, 4), 4);
        break;
    case READ_REGISTER:
        dsa_register_ops.read(dsa, fuzz_take(in, 2) & 0x1fff, 1);
        break;
    case COMMAND:
        dsa_command(dsa, fuzz_take(in, 1) % 16 << 20 | fuzz_take(in, 1) | (fuzz_take(in, 1) & 1) << 31);
        break;
    case PUT_BYTE:
        test_put(fuzz_take(in, 3) % MEMORY_BYTES, MEM_8, fuzz_take(in, 1));
        break;
    case PAGE:
        iommu.access[fuzz_take(in, 1) % ARRAY_SIZE(iommu.access)] = fuzz_take(in, 1);
        break;
    case ANSWER:
        if (iommu.notifier) {
            iommu.notifier->answered(iommu.notifier, fuzz_take(in, 1) % 32, fuzz_take(in, 1) & 0xf);
        }
        break;
    case DROP:
        drop.iova = fuzz_take(in, 1) * 4096;
        dsa_atc_dropped(&dsa->atc_watch, &drop);
        iommu.refuses = fuzz_take(in, 1) == 1;
        break;
    default:
        pci_config_write(&dsa->parent, fuzz_take(in, 2) % 0x280 & ~1u, fuzz_take(in, 2), 2);
        break;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    TestHost *host = test_machine_init();

    dsa = INTEL_DSA(test_add("{\"driver\": \"intel-dsa\", \"addr\": \"5\"}", NULL));
    pci_bus_set_iommu(PCI_HOST(host)->bus, &iommu_ops, NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };

    start();
    while (in.left) {
        operate(&in);
    }
    device_reset(&dsa->parent.parent);
    assert(dsa->state == DSA_DISABLED && !dsa_has_work(dsa));
    return 0;
}
