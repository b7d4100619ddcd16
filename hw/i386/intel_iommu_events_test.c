/*
 * intel-iommu: what arrives at local APICs: messages of devices as remapping makes them, and the unit's
 * own, of faults, page requests and waits, each sent once and when it is not masked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_test_machine.h"
#include "intel_iommu.h"
#include "intel_iommu_test_machine.h"
#include "system/dma.h"

#define ROOT      0x100000
#define CONTEXT   0x110000
#define DIRECTORY 0x120000
#define PASIDS    0x130000
#define QUEUE     0x140000
#define REQUESTS  0x160000
#define IRTES     0x170000
#define PLACE     PCI_DEVFN(4, 0)
#define PASID     5
#define OPTIONS   "'x-scalable-mode':'modern','device-iotlb':true,'svm':true,'eim':'on'"
#define WINDOW    0xfee00000
#define REMAPPED(index) (WINDOW | (index) << 5 | BIT(4))
/* A status register's bits, and what masks an event. */
enum { FSTS = 0x34, FECTL = 0x38, ICS = 0x9c, IECTL = 0xa0, PRS = 0xdc, PECTL = 0xe0 };
#define MASKED BIT(31)
#define WAITS  BIT(30)

static ApicMessage last;
static unsigned delivered, told;
static unsigned tail;

typedef struct Fixture {
    IntelIommu *unit;
    Device *device;
    Notifier notifier;
} Fixture;

static void deliver(void *opaque, const ApicMessage *message)
{
    last = *message;
    delivered++;
}

static void remap_changed(Notifier *notifier, void *data)
{
    told++;
}

/* How many came since the last look; the last one is what it should be. */
static void expect(unsigned count, uint32_t dest, uint8_t vector)
{
    g_assert_cmpuint(delivered, ==, count);
    if (count) {
        g_assert_cmphex(last.dest, ==, dest);
        g_assert_cmphex(last.vector, ==, vector);
    }
    delivered = 0;
}

static void put(unsigned at, uint32_t value)
{
    test_put(VTD_BASE + at, MEM_LE32, value);
}

static uint32_t get(unsigned at)
{
    return test_get(VTD_BASE + at, MEM_LE32);
}

static void submit(uint64_t lo, uint64_t hi)
{
    vtd_test_words(QUEUE + tail, (uint64_t[]){ lo, hi, 0, 0 }, 4);
    tail = (tail + 32) % 4096;
    vtd_test_put(0x88, tail);
}

/* An event's message: control at `at`. */
static void set_event(unsigned at, uint8_t dest, uint32_t upper, uint8_t vector)
{
    put(at + 4, vector);
    put(at + 8, WINDOW | dest << 12);
    put(at + 12, upper);
}

static void set_tables(uint64_t flags)
{
    test_put(ROOT, MEM_LE64, CONTEXT | 1);
    vtd_test_words(CONTEXT + 32 * PLACE, (uint64_t[4]){ DIRECTORY | 1 | flags }, 4);
    test_put(DIRECTORY, MEM_LE64, PASIDS | 1);
    vtd_test_words(PASIDS, (uint64_t[8]){ 1 | VTD_PASS_THROUGH << 6, 1 }, 8);
    vtd_test_words(PASIDS + 64 * PASID, (uint64_t[8]){ 1 | VTD_FIRST << 6, 1, 0x200000 }, 8);
}

static void set_up(Fixture *f, const void *options)
{
    static const ApicSink sink = { deliver, NULL };
    g_autofree char *text = g_strdup_printf("{'driver':'intel-iommu',%s}", (const char *)options);

    f->unit = (IntelIommu *)test_add(text, NULL);
    f->device = test_add("{'driver':'test-pci','addr':'4'}", NULL);
    g_assert_true(f->unit && f->device);
    device_reset((Device *)f->unit);
    test_config_put(PLACE, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MASTER);
    apic_bus_set_sink(&sink);
    f->notifier.fn = remap_changed;
    apic_bus_add_remap_notifier(&f->notifier);
    set_tables(4 | 8 | 16);
    tail = 0;
    vtd_test_start(QUEUE, ROOT);
    delivered = told = 0;
}

static void tear_down(Fixture *f, const void *options)
{
    apic_bus_set_sink(NULL);
    notifier_remove(&f->notifier);
    device_delete(f->device);
    device_delete((Device *)f->unit);
}

/* --- the unit's own --- */

static void fault(Fixture *f)
{
    MemTxAttrs attrs = dma_attrs_with_pasid(pci_device_attrs(PCI_DEVICE(f->device)), PASID);
    uint64_t word;

    g_assert_cmpint(dma_load(pci_device_dma_as(PCI_DEVICE(f->device)), 0x5000, MEM_LE64, attrs, &word),
                    !=, MEM_TX_OK);
}

static void clear_fault(void)
{
    put(0x220 + 12, BIT(31));
    put(FSTS, 1);
}

static void test_fault(Fixture *f, const void *unused)
{
    set_event(FECTL, 3, 0, 0x41);
    fault(f);
    expect(0, 0, 0);
    g_assert_cmphex(get(FECTL), ==, MASKED | WAITS);
    put(FECTL, 0); /* it was waiting */
    expect(1, 3, 0x41);
    put(FECTL, MASKED);
    put(FECTL, 0);
    fault(f); /* the same, pending */
    expect(0, 0, 0);
    clear_fault();
    fault(f);
    expect(1, 3, 0x41);
    submit(0xf, 0); /* a second kind of status while one is pending */
    expect(0, 0, 0);
    g_assert_cmphex(get(FSTS) & 0xff, ==, VTD_FSTS_PPF | VTD_FSTS_IQE);
    clear_fault();
    fault(f); /* IQE is pending still */
    expect(0, 0, 0);
}

static void test_wait(Fixture *f, const void *unused)
{
    set_event(IECTL, 7, 0, 0x52);
    put(IECTL, 0);
    submit(5 | BIT(4), 0);
    expect(1, 7, 0x52);
    submit(5 | BIT(4), 0); /* not seen yet */
    expect(0, 0, 0);
    put(ICS, 1);
    put(IECTL, MASKED);
    submit(5 | BIT(4), 0);
    expect(0, 0, 0);
    put(IECTL, 0);
    expect(1, 7, 0x52);
}

static bool ask(Fixture *f)
{
    PciRequester who = { pci_device_bus(PCI_DEVICE(f->device)), PLACE, true, PASID };
    PciPageRequest request = { .addr = 0x5000, .is_last = true, .is_read = true };

    return vtd_page_request(f->unit, &who, &request);
}

static void test_page_request(Fixture *f, const void *unused)
{
    vtd_test_put(0xd0, REQUESTS);
    set_event(PECTL, 9, 0, 0x63);
    g_assert_true(ask(f));
    expect(0, 0, 0);
    g_assert_cmphex(get(PECTL), ==, MASKED | WAITS);
    put(PECTL, 0);
    expect(1, 9, 0x63);
    g_assert_true(ask(f)); /* not seen yet */
    expect(0, 0, 0);
    put(PRS, 1);
    g_assert_true(ask(f));
    expect(1, 9, 0x63);
    put(PRS, 1);
    vtd_test_put(0xc0, 4 * 32); /* full */
    g_assert_false(ask(f));
    g_assert_cmphex(get(PRS), ==, 2);
    expect(1, 9, 0x63);
    vtd_test_put(0xc0, 0);
    g_assert_false(ask(f)); /* until it is told that it was seen */
    expect(0, 0, 0);
    put(PECTL, MASKED);
    put(PRS, 3);
    g_assert_true(ask(f));
    put(PRS, 1); /* seen without the message: it is void */
    g_assert_cmphex(get(PECTL), ==, MASKED);
    put(PECTL, 0);
    expect(0, 0, 0);
}

/* --- devices' --- */

static void send(Fixture *f, uint32_t addr, uint32_t data)
{
    PciDevice *dev = PCI_DEVICE(f->device);

    dma_store(pci_device_dma_as(dev), addr, MEM_LE32, pci_device_attrs(dev), data);
}

static void set_entry(unsigned index, uint64_t lo, uint64_t hi)
{
    vtd_test_words(IRTES + 16 * index, (uint64_t[]){ lo, hi }, 2);
}

static void start_remapping(bool is_wide)
{
    vtd_test_put(0xb8, IRTES | 7 | (is_wide ? BIT(11) : 0));
    vtd_test_command(VTD_SIRTP, true);
    vtd_test_command(VTD_IRE, true);
}

static void test_narrow(Fixture *f, const void *unused)
{
    send(f, WINDOW | 5 << 12 | BIT(2), 0x444); /* nothing is remapped */
    expect(1, 5, 0x44);
    g_assert_true(last.is_logical && !last.has_wide_dest && last.delivery == APIC_NMI);
    start_remapping(false);
    set_entry(3, 1 | 0x31 << 16 | UINT64_C(6) << 40, BIT64(18) | PLACE);
    set_entry(4, 1 | BIT(2) | BIT(4) | APIC_LOWEST_PRIORITY << 5 | 0x32 << 16 | UINT64_C(7) << 40, 0);
    send(f, REMAPPED(3), 0);
    expect(1, 6, 0x31);
    g_assert_false(last.is_logical || last.is_level || last.has_wide_dest);
    send(f, REMAPPED(4), 0x1234); /* its data is nothing */
    expect(1, 7, 0x32);
    g_assert_true(last.is_logical && last.is_level && last.delivery == APIC_LOWEST_PRIORITY);
    send(f, REMAPPED(3) | BIT(3), 1); /* of several: the data chooses */
    expect(1, 7, 0x32);
    send(f, WINDOW, 0x44);
    expect(0, 0, 0);
    g_assert_cmphex(f->unit->frcd[3] & 0xff, ==, VTD_IR_COMPATIBILITY);
    vtd_test_command(VTD_CFI, true);
    send(f, WINDOW | 2 << 12, 0x44);
    expect(1, 2, 0x44);
    vtd_test_command(VTD_IRE, false);
    send(f, WINDOW | 2 << 12, 0x45);
    expect(1, 2, 0x45);
}

static void test_wide(Fixture *f, const void *unused)
{
    start_remapping(true);
    set_entry(3, 1 | 0x31 << 16 | UINT64_C(0x12345) << 32, 0);
    send(f, REMAPPED(3), 0);
    expect(1, 0x12345, 0x31);
    g_assert_true(last.has_wide_dest);
    set_event(FECTL, 3, 0xabcd00, 0x41); /* and its own messages: 24 bits more */
    put(FECTL, 0);
    fault(f);
    expect(1, 0xabcd03, 0x41);
    g_assert_true(last.has_wide_dest);
}

/* They have a number of their own, which the DMAR table tells. */
static void test_ioapic(Fixture *f, const void *unused)
{
    const ApicMsi message = { .addr = REMAPPED(3), .is_ioapic = true };

    start_remapping(false);
    set_entry(3, 1 | 0x31 << 16 | UINT64_C(6) << 40, BIT64(18) | VTD_IOAPIC_SID);
    apic_bus_send(&message);
    expect(1, 6, 0x31);
    set_entry(3, 1 | 0x31 << 16 | UINT64_C(6) << 40, BIT64(18) | PLACE);
    apic_bus_send(&message);
    expect(0, 0, 0);
    g_assert_cmphex(f->unit->frcd[2] & 0xffff, ==, VTD_IOAPIC_SID);
    g_assert_cmphex(f->unit->frcd[3] & 0xff, ==, VTD_IR_SOURCE);
}

/* Who keeps what entries said, as kernels do, is told when they may say something else. */
static void test_told(Fixture *f, const void *unused)
{
    start_remapping(false);
    g_assert_cmpuint(told, ==, 2);
    submit(4, 0);
    g_assert_cmpuint(told, ==, 3);
    submit(4 | BIT(4) | UINT64_C(3) << 32, 0);
    g_assert_cmpuint(told, ==, 4);
    vtd_test_command(VTD_CFI, true);
    vtd_test_command(VTD_IRE, false);
    g_assert_cmpuint(told, ==, 6);
    device_reset((Device *)f->unit);
    g_assert_cmpuint(told, ==, 7);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *f, const void *unused);
    } tests[] = {
        { "fault", test_fault }, { "wait", test_wait }, { "page-request", test_page_request },
        { "narrow", test_narrow }, { "wide", test_wide }, { "ioapic", test_ioapic }, { "told", test_told },
    };

    g_test_init(&argc, &argv, NULL);
    vtd_test_machine_init();
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *path = g_strconcat("/intel-iommu/events/", tests[i].name, NULL);

        g_test_add(path, Fixture, OPTIONS, set_up, tests[i].run, tear_down);
    }
    return g_test_run();
}
