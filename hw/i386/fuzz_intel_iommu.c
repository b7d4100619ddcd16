/*
 * Fuzzes intel-iommu from both sides: a guest that writes registers, tables and descriptors, and
 * devices and a host's IOMMU that ask it. The first byte chooses the unit; then each operation is a
 * byte with its arguments. Entries of tables are made of flags and of the address of a table, so
 * that walks get far. Whatever happens, the process goes on, and soon: a descriptor's work and a
 * device's access end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/iommu/host_iommu_mock.h"
#include "hw/pci/pci_test_machine.h"
#include "intel_iommu.h"
#include "intel_iommu_test_machine.h"
#include "qapi/qapi-types-iommu.h"
#include "system/machine_lock.h"
#include "util/fuzz_input.h"

#define TABLES      0x100000 /* sixteen pages, any of which may be any table */
#define TABLE_PAGES 16
#define TABLE_BYTES (TABLE_PAGES * 4096)
#define BAR         0xe0000000u
#define ENDPOINT    PCI_DEVFN(4, 0)
#define MOST_STEPS  400      /* an input's */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const units[] = {
    "'intremap':'on'", "'aw-bits':39,'caching-mode':true", "'eim':'on','x-posted-interrupts':true",
    "'x-scalable-mode':true,'caching-mode':true", "'x-scalable-mode':'modern','caching-mode':true",
    "'x-scalable-mode':'modern','caching-mode':true,'svm':true,'device-iotlb':true",
    "'x-scalable-mode':'modern','x-nesting':true,'svm':true,'device-iotlb':true,'x-vcmd':'3.0'",
    "'x-scalable-mode':'modern','x-nesting':true,'aw-bits':57,'fs5lp':true,'snoop-control':true",
};

typedef struct Run {
    FuzzInput in;
    IntelIommu *unit;
    Device *endpoint, *passed;
    MockHostIommu *host;
    bool is_handed_over;
} Run;

/* A table's address, most of the time, with flags of either end. */
static uint64_t entry(FuzzInput *in)
{
    unsigned kind = fuzz_take(in, 1);
    uint64_t flags = fuzz_take(in, 2);

    return kind & 0xc0 ? (TABLES + kind % TABLE_PAGES * 4096) | (flags & 0xfff) |
                             (kind & 0x20 ? (flags & 0xf000) << 48 : 0) :
                         fuzz_take(in, 8);
}

/* --- the guest --- */

static void put_register(Run *run)
{
    static const uint16_t often[] = { 0x18, 0x20, 0x28, 0x88, 0x90, 0xb8, 0xc0, 0xc8, 0xd0, 0xdc,
                                      0x34, 0x38, 0xf0, 0xf8, 0x22c, 0xe00, 0xe10 };
    unsigned choice = fuzz_take(&run->in, 1);
    unsigned at = choice < ARRAY_SIZE(often) ? often[choice] : fuzz_take(&run->in, 2) & 0xfff;
    bool is_wide = choice & 1;

    test_put(VTD_BASE + (at & ~3u), is_wide ? MEM_LE64 : MEM_LE32, entry(&run->in));
}

static void get_register(Run *run)
{
    test_get(VTD_BASE + (fuzz_take(&run->in, 2) & 0xfff), fuzz_take(&run->in, 1) & 1 ? MEM_LE64 : MEM_LE32);
}

static void put_entry(Run *run)
{
    uint32_t at = fuzz_take(&run->in, 2) * 8 % TABLE_BYTES;

    test_put(TABLES + at, MEM_LE64, entry(&run->in));
}

/* A descriptor where the queue's tail is, and the tail after it. */
static void submit(Run *run)
{
    GuestAddr base = test_get(VTD_BASE + 0x90, MEM_LE64);
    unsigned bytes = base & BIT(11) ? 32 : 16;
    uint32_t tail = test_get(VTD_BASE + 0x88, MEM_LE32);
    GuestAddr at = (base & ~UINT64_C(0xfff)) + tail;

    test_put(at, MEM_LE64, fuzz_take(&run->in, 1) % 10 | fuzz_take(&run->in, 7) << 4);
    test_put(at + 8, MEM_LE64, entry(&run->in));
    test_put(VTD_BASE + 0x88, MEM_LE32, (tail + bytes) % (4096u << (base & 7)));
}

static void start(Run *run)
{
    bool is_scalable = fuzz_take(&run->in, 1) & 1;

    test_put(VTD_BASE + 0x90, MEM_LE64, (TABLES + 0xf000) | (is_scalable ? BIT(11) : 0));
    test_put(VTD_BASE + 0x20, MEM_LE64, TABLES | (is_scalable ? BIT(10) : 0));
    test_put(VTD_BASE + 0xb8, MEM_LE64, (TABLES + 0xe000) | 7);
    test_put(VTD_BASE + 0x18, MEM_LE32, BIT(VTD_SRTP) | BIT(VTD_SIRTP));
    test_put(VTD_BASE + 0x18, MEM_LE32, BIT(VTD_TE) | BIT(VTD_QIE) | BIT(VTD_IRE));
}

/* --- devices --- */

static void do_dma(Run *run)
{
    uint64_t addr = fuzz_take(&run->in, 1) & 1 ? fuzz_take(&run->in, 8) : fuzz_take(&run->in, 2) << 10;

    test_put(BAR + 0x04, MEM_LE32, addr);
    test_put(BAR + 0x08, MEM_LE32, addr >> 32);
    test_put(BAR + 0x0c, MEM_LE32, fuzz_take(&run->in, 1) * 32);
    test_put(BAR + 0x40, MEM_LE32, fuzz_take(&run->in, 1) << 24 | fuzz_take(&run->in, 1));
    test_put(BAR + 0x5c, MEM_LE32, fuzz_take(&run->in, 1) << 16 | fuzz_take(&run->in, 1));
    test_put(BAR + 0x44, MEM_LE32, fuzz_take(&run->in, 1) % 8);
}

static void send_interrupt(Run *run)
{
    uint64_t offset = fuzz_take(&run->in, 3) & 0xffffc;
    MemTxAttrs attrs = { .has_requester_id = true, .requester_id = ENDPOINT };

    address_space_store(pci_device_dma_as(PCI_DEVICE(run->endpoint)), APIC_WINDOW_ADDR + offset,
                        MEM_LE32, attrs, fuzz_take(&run->in, 2));
}

static const PciIommuOps *find_ops(Run *run, PciRequester *who, void **opaque)
{
    return pci_device_iommu(PCI_DEVICE(run->passed), who, opaque);
}

static void plug_host(Run *run)
{
    PciRequester who;
    void *unit;
    const PciIommuOps *ops = find_ops(run, &who, &unit);

    run->host->refuses = fuzz_take(&run->in, 1) & 1;
    if (run->is_handed_over) {
        ops->unset_device(unit, &who);
        run->is_handed_over = false;
    } else {
        run->is_handed_over = ops->set_device(unit, &who, &run->host->parent, NULL);
    }
}

static void ask_by_host(Run *run)
{
    uint32_t flags = fuzz_take(&run->in, 2);
    HostPageRequest request = { .has_pasid = flags & 1, .is_last = flags & 2, .is_read = flags & 4,
                                .is_write = flags & 8, .has_private_data = flags & 16,
                                .pasid = flags >> 5 & 63, .group = flags >> 11,
                                .addr = fuzz_take(&run->in, 2) << 12 };

    host_iommu_page_requested(&run->host->parent, &request);
}

/* --- people --- */

static void look(Run *run)
{
    PciRequester who;
    void *unit;
    const PciIommuOps *ops = find_ops(run, &who, &unit);
    uint8_t flags = fuzz_take(&run->in, 1);
    IommuRequest request = { .addr = entry(&run->in), .has_pasid = flags & 1, .pasid = flags >> 4,
                             .is_write = flags & 2, .is_execute = flags & 4,
                             .is_privileged = flags & 8, .is_debug = true };

    iommu_info_free(ops->describe(unit));
    iommu_walk_info_free(ops->walk(unit, &who, &request));
}

static void reset(Run *run)
{
    device_reset((Device *)run->unit);
}

static void (*const operations[])(Run *run) = {
    put_register, put_register, put_entry, put_entry, submit, submit, start, do_dma, do_dma,
    send_interrupt, plug_host, ask_by_host, look, reset, get_register,
};

/* --- a run --- */

static Device *add(const char *options)
{
    Error *err = NULL;
    Device *dev = test_add(options, &err);

    if (!dev) {
        g_error("%s: %s", options, error_text(err));
    }
    return dev;
}

static void begin(Run *run, GString *log)
{
    static uint8_t nothing[TABLE_BYTES];
    g_autofree char *unit = g_strdup_printf("{'driver':'intel-iommu',%s}",
                                            units[fuzz_take(&run->in, 1) % ARRAY_SIZE(units)]);

    address_space_write(address_space_system(), TABLES, MEM_TX_NONE, nothing, TABLE_BYTES);
    run->unit = (IntelIommu *)add(unit);
    run->endpoint = add("{'driver':'iommu-testdev','addr':'4','ats':true,'pri':true,"
                        "'pasid-bits':20}");
    run->passed = add("{'driver':'test-pci','addr':'5'}");
    run->host = mock_host_iommu_new("A", log);
    test_config_put(ENDPOINT, PCI_BAR0, MEM_LE32, BAR);
    test_config_put(ENDPOINT, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    test_cfg_set(ENDPOINT, 0x106, 2, 0x8000);
    test_cfg_set(ENDPOINT, 0x11c, 4, 64);
    test_cfg_set(ENDPOINT, 0x114, 2, 1);
    test_cfg_set(ENDPOINT, 0x126, 2, 7);
}

/* What was freed behind readers' backs goes now, lest it is taken for a leak. */
static void end(Run *run)
{
    if (run->is_handed_over) {
        plug_host(run);
    }
    if (run->host->parent.parent.refs != 1) {
        abort();
    }
    object_unref(run->host);
    device_delete(run->endpoint);
    device_delete(run->passed);
    device_delete((Device *)run->unit);
    machine_unlock();
    rcu_barrier_all();
    machine_lock();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    vtd_test_machine_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) log = g_string_new(NULL);
    Run run = { .in = { data, size } };

    begin(&run, log);
    for (unsigned i = 0; run.in.left && i < MOST_STEPS; i++) {
        operations[fuzz_take(&run.in, 1) % ARRAY_SIZE(operations)](&run);
        g_string_truncate(log, 0);
    }
    end(&run);
    return 0;
}
