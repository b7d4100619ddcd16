/*
 * What intel-iommu adds to a device's DMA of 4 KiB: reads and writes of a test endpoint, one page
 * after the other, without the unit, through a second-stage table and through a process's
 * first-stage table, all translations kept. Prints nanoseconds, the least of several rounds, and the
 * rate beside that without the unit; 0.9 is what it should be.
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
#define ROUNDS    200
#define PLACE     PCI_DEVFN(4, 0)
#define PASID     5
#define ROOT      0x100000
#define CONTEXT   0x101000
#define DIRECTORY 0x102000
#define PASIDS    0x103000
#define TABLES    0x104000 /* three, then leaves */
#define LEAVES    0x107000
#define DATA      0x200000 /* PAGES of them */

typedef struct Way {
    const char *name, *unit;
    VtdMode mode;
    double read_ns, write_ns;
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

static Device *add(const char *options)
{
    Error *err = NULL;
    Device *dev = test_add(options, &err);

    if (!dev) {
        g_error("%s: %s", options, error_text(err));
    }
    return dev;
}

static void run(Way *way)
{
    Device *unit = way->unit ? add(way->unit) : NULL;
    Device *dev = add("{'driver':'test-pci','addr':'4'}");

    test_config_put(PLACE, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MASTER);
    if (unit) {
        start(way->mode);
    }
    way->read_ns = measure(PCI_DEVICE(dev), way, false);
    way->write_ns = measure(PCI_DEVICE(dev), way, true);
    device_delete(dev);
    if (unit) {
        device_delete(unit);
    }
}

int main(void)
{
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
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        double read_rate, write_rate;

        run(&ways[i]);
        read_rate = ways[0].read_ns / ways[i].read_ns;
        write_rate = ways[0].write_ns / ways[i].write_ns;
        printf("4 KiB, %s: read %.1f ns (rate %.2f), write %.1f ns (rate %.2f)\n", ways[i].name,
               ways[i].read_ns, read_rate, ways[i].write_ns, write_rate);
    }
    return 0;
}
