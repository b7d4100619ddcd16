/*
 * What intel-iommu adds to a device's DMA of 4 KiB: reads and writes of a test endpoint, one page
 * after the other, without the unit, through a second-stage table and through a process's
 * first-stage table, all translations kept. Prints nanoseconds, the least of several passes, and the
 * rate beside that without the unit: the middle one of what each pass has, for a host's clock and
 * what shares its caches change from one to the next. It fails when a rate is less than 0.9.
 *
 * And what the unit has to do for a page that a strict guest maps for one DMA: find it, and drop it, by
 * a descriptor and one that waits, with a write of the queue's tail.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <time.h>

#include "hw/pci/pci_test_machine.h"
#include "intel_iommu.h"
#include "intel_iommu_test_machine.h"
#include "system/dma.h"
#include "system/machine_lock.h"

#define PAGES     2048 /* buffers of 8 MiB, as of a busy disk */
#define PASSES    12  /* over all ways: a host's clock changes */
#define ROUNDS    25
#define PLACE     PCI_DEVFN(4, 0)
#define LEAST     0.9
#define PASID     5
#define ROOT      0x100000
#define CONTEXT   0x101000
#define DIRECTORY 0x102000
#define PASIDS    0x103000
#define TABLES    0x104000 /* three, then leaves */
#define LEAVES    0x107000
#define DATA      0x200000 /* PAGES of them */
#define QUEUE     0x10d000
#define STATUS    0x10e000
#define STRICT    64 /* pages at a time, as of some requests */

typedef struct Way {
    const char *name, *unit;
    VtdMode mode;
    double ns[2][PASSES]; /* of reads, of writes */
    double strict[2];
} Way;

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * (uint64_t)NS_PER_SEC + ts.tv_nsec;
}

static void put(uint64_t at, uint64_t value)
{
    test_put(at, MEM_LE64, value);
}

static void map_pages(uint64_t flags)
{
    put(TABLES, (TABLES + 4096) | flags);
    put(TABLES + 4096, (TABLES + 8192) | flags);
    for (unsigned n = 0; n < PAGES / 512; n++) {
        put(TABLES + 8192 + 8 * n, (LEAVES + 4096 * n) | flags);
    }
    for (unsigned n = 0; n < PAGES; n++) {
        put(LEAVES + 8 * n, (DATA + 4096 * n) | flags);
    }
}

static void start(VtdMode mode)
{
    bool is_scalable = mode == VTD_FIRST;

    map_pages(is_scalable ? 0x67 : 3);
    put(ROOT, CONTEXT | 1);
    if (is_scalable) {
        put(CONTEXT + 32 * PLACE, DIRECTORY | 8 | 1);
        put(DIRECTORY, PASIDS | 1);
        put(PASIDS, 1 | VTD_PASS_THROUGH << 6);
        put(PASIDS + 64 * PASID, 1 | VTD_FIRST << 6);
        put(PASIDS + 64 * PASID + 8, 1);
        put(PASIDS + 64 * PASID + 16, TABLES);
    } else {
        put(CONTEXT + 16 * PLACE, TABLES | 1);
        put(CONTEXT + 16 * PLACE + 8, 1 << 8 | 2);
    }
    put(VTD_BASE + 0x20, ROOT | (is_scalable ? BIT(10) : 0));
    test_put(VTD_BASE + 0x18, MEM_LE32, BIT(VTD_SRTP));
    test_put(VTD_BASE + 0x18, MEM_LE32, BIT(VTD_TE));
}

/* Nanoseconds of a page. */
static double measure(PciDevice *dev, const Way *way, bool is_write)
{
    static uint8_t page[4096];
    AddressSpace *as = pci_device_dma_as(dev);
    MemTxAttrs attrs = pci_device_attrs(dev);
    uint64_t base = way->mode ? 0 : DATA, best = UINT64_MAX;

    if (way->mode == VTD_FIRST) {
        attrs = dma_attrs_with_pasid(attrs, PASID);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t begin = now_ns(), passed;

        for (unsigned n = 0; n < PAGES; n++) {
            MemTxResult result = is_write ? dma_write(as, base + 4096 * n, attrs, page, 4096) :
                                            dma_read(as, base + 4096 * n, attrs, page, 4096);

            if (result != MEM_TX_OK) {
                g_error("%s: page %u cannot be reached", way->name, n);
            }
        }
        passed = now_ns() - begin;
        best = MIN(best, passed);
    }
    return (double)best / PAGES;
}

/* Of a page's whole life: to find it, to drop it. */
static void measure_strict(PciDevice *dev, double ns[2])
{
    AddressSpace *as = pci_device_dma_as(dev);
    MemTxAttrs attrs = pci_device_attrs(dev);
    uint64_t spent[2] = { UINT64_MAX, UINT64_MAX }, word, begin, passed;
    uint32_t tail = 0;

    put(VTD_BASE + 0x90, QUEUE);
    test_put(VTD_BASE + 0x18, MEM_LE32, BIT(VTD_QIE) | BIT(VTD_TE));
    for (unsigned round = 0; round < ROUNDS * 20; round++) {
        begin = now_ns();
        for (unsigned n = 0; n < STRICT; n++) {
            dma_load(as, 4096 * (n * 7), MEM_LE64, attrs, &word);
        }
        passed = now_ns() - begin;
        spent[0] = MIN(spent[0], passed);
        begin = now_ns();
        for (unsigned n = 0; n < STRICT; n++) {
            const uint64_t words[4] = { VTD_IOTLB | 3 << 4 | 1 << 16, 4096 * (n * 7) | 0x40,
                                        5 | BIT(5) | UINT64_C(2) << 32, STATUS };

            address_space_write(address_space_system(), QUEUE + tail, MEM_TX_NONE, words, 32);
            tail = (tail + 32) % 4096;
            test_put(VTD_BASE + 0x88, MEM_LE32, tail);
        }
        passed = now_ns() - begin;
        spent[1] = MIN(spent[1], passed);
    }
    for (unsigned i = 0; i < 2; i++) {
        ns[i] = (double)spent[i] / STRICT;
    }
}

static Device *add(const char *options)
{
    Error *err = NULL;
    Device *dev = test_add(options, &err);

    if (!dev) {
        g_error("%s: %s", options, error_text(err));
    }
    return dev;
}

static void run(Way *way, unsigned pass)
{
    Device *unit = way->unit ? add(way->unit) : NULL;
    Device *dev = add("{'driver':'test-pci','addr':'4'}");

    test_config_put(PLACE, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MASTER);
    if (unit) {
        start(way->mode);
    }
    for (unsigned is_write = 0; is_write < 2; is_write++) {
        way->ns[is_write][pass] = measure(PCI_DEVICE(dev), way, is_write);
    }
    if (way->mode == VTD_SECOND) {
        measure_strict(PCI_DEVICE(dev), way->strict);
    }
    device_delete(dev);
    if (unit) {
        device_delete(unit);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double least(const double *ns)
{
    double found = ns[0];

    for (unsigned pass = 1; pass < PASSES; pass++) {
        found = MIN(found, ns[pass]);
    }
    return found;
}

static double rate(const double *ns, const double *without)
{
    double rates[PASSES];

    for (unsigned pass = 0; pass < PASSES; pass++) {
        rates[pass] = without[pass] / ns[pass];
    }
    qsort(rates, PASSES, sizeof(rates[0]), compare);
    return rates[PASSES / 2];
}

/* False: the unit costs too much. */
static bool report(const Way *way, const Way *without)
{
    double reads = rate(way->ns[0], without->ns[0]), writes = rate(way->ns[1], without->ns[1]);
    bool is_good = MIN(reads, writes) >= LEAST;

    printf("4 KiB, %s: read %.1f ns (rate %.2f), write %.1f ns (rate %.2f)%s\n", way->name,
           least(way->ns[0]), reads, least(way->ns[1]), writes,
           is_good ? "" : ": less than 0.9");
    if (way->mode == VTD_SECOND) {
        printf("a page for one DMA, %s: found in %.1f ns, dropped in %.1f ns\n", way->name, way->strict[0],
               way->strict[1]);
    }
    return is_good;
}

int main(void)
{
    bool is_good = true;
    static Way ways[] = {
        { "no IOMMU" },
        { "second stage", "{'driver':'intel-iommu','aw-bits':48}", VTD_SECOND },
        { "first stage of a PASID",
          "{'driver':'intel-iommu','aw-bits':48,'x-scalable-mode':'modern'}", VTD_FIRST },
    };

    vtd_test_machine_init();
    for (unsigned n = 0; n < PAGES; n++) { /* memory that is there */
        put(DATA + 4096 * n, 1);
    }
    for (unsigned pass = 0; pass < PASSES; pass++) {
        for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
            run(&ways[i], pass);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        is_good &= report(&ways[i], &ways[0]);
    }
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
