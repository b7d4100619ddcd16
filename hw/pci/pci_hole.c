/*
 * The hole: pages of a host bridge's ECAM at which no function answers, which is most of them. A
 * guest that looks at each of them asks nobody: they are laid over ECAM as regions that read ones.
 * Writes still come to ECAM's own functions.
 *
 * What may be a function is never in it: numbers that bridges forward but no bus has, virtual
 * functions that could be enabled. It follows each change before the access that made it ends. The
 * regions are few, the largest: an accelerator may have slots of memory for them, and few to spare.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pcie_parts.h"

#define RUNS_MAX   63
#define PAGE_BYTES UINT64_C(4096) /* a function's */
#define PAGE_COUNT (PCI_BUS_COUNT * PCI_DEVFN_COUNT)
#define OVER_ECAM  2

typedef struct Run {
    unsigned first, count; /* pages */
} Run;

struct PciHole {
    MemoryRegion ones;  /* all of ECAM */
    MemoryRegion whole; /* over ECAM, with the runs in it */
    MemoryRegion runs[RUNS_MAX];
    GArray *shown;      /* of Run, by address: what `runs` are */
    bool is_placed;
    uint64_t updates;
};

/* --- who is there --- */

typedef struct Census {
    bool is_forwarded[PCI_BUS_COUNT]; /* by a bridge */
    bool may_answer[PAGE_COUNT];
} Census;

static void note_place(void *opaque, unsigned place)
{
    if (place < PAGE_COUNT) {
        ((Census *)opaque)->may_answer[place] = true;
    }
}

static void note_function(void *opaque, PciDevice *dev)
{
    Census *census = opaque;

    note_place(census, pci_device_requester_id(dev));
    pcie_sriov_each_place(dev, note_place, census);
    if (pci_device_ops(dev)->is_bridge && dev->config[PCI_SECONDARY_BUS]) {
        for (unsigned n = dev->config[PCI_SECONDARY_BUS]; n <= dev->config[PCI_SUBORDINATE_BUS];
             n++) {
            census->is_forwarded[n] = true;
        }
    }
}

static void note_missing_buses(Census *census, PciBus *root)
{
    for (unsigned n = 0; n < PCI_BUS_COUNT; n++) {
        if (census->is_forwarded[n] && !pci_bus_find(root, n)) {
            memset(&census->may_answer[n * PCI_DEVFN_COUNT], true, PCI_DEVFN_COUNT);
        }
    }
}

static gint compare_sizes(gconstpointer a, gconstpointer b)
{
    const Run *x = a, *y = b;

    return x->count < y->count ? 1 : x->count > y->count ? -1 : (int)x->first - (int)y->first;
}

static gint compare_places(gconstpointer a, gconstpointer b)
{
    return (int)((const Run *)a)->first - (int)((const Run *)b)->first;
}

static GArray *find_runs(const Census *census, unsigned pages)
{
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(Run));

    for (unsigned at = 0; at < pages;) {
        Run run = { .first = at };

        while (at < pages && !census->may_answer[at]) {
            at++;
        }
        run.count = at - run.first;
        if (run.count) {
            g_array_append_val(runs, run);
        }
        while (at < pages && census->may_answer[at]) {
            at++;
        }
    }
    if (runs->len > RUNS_MAX) {
        g_array_sort(runs, compare_sizes);
        g_array_set_size(runs, RUNS_MAX);
        g_array_sort(runs, compare_places);
    }
    return runs;
}

/* --- showing it --- */

static void show(PciHole *hole, GArray *runs)
{
    memory_transaction_begin();
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        MemoryRegion *mr = &hole->runs[i];

        memory_region_set_enabled(mr, i < runs->len);
        if (i < runs->len) {
            Run run = g_array_index(runs, Run, i);

            memory_region_set_alias_offset(mr, run.first * PAGE_BYTES);
            memory_region_set_size(mr, run.count * PAGE_BYTES);
            memory_region_set_address(mr, run.first * PAGE_BYTES);
        }
    }
    memory_transaction_commit();
    g_array_unref(hole->shown);
    hole->shown = g_array_ref(runs);
    hole->updates++;
}

void pci_hole_update(PciHost *host)
{
    PciHole *hole = host->hole;
    g_autofree Census *census = NULL;
    g_autoptr(GArray) runs = NULL;

    if (!hole || !hole->is_placed) {
        return;
    }
    census = g_new0(Census, 1);
    pci_bus_each_of_all(host->bus, note_function, census);
    note_missing_buses(census, host->bus);
    runs = find_runs(census, host->ecam.size / PAGE_BYTES);
    if (runs->len != hole->shown->len ||
        memcmp(runs->data, hole->shown->data, runs->len * sizeof(Run))) {
        show(hole, runs);
    }
}

void pci_hole_move(PciHost *host)
{
    PciHole *hole = host->hole;
    bool is_there = host->ecam_base != PCI_UNMAPPED;

    if (!hole) {
        return;
    }
    memory_transaction_begin();
    if (hole->is_placed) {
        memory_region_remove(memory_region_system(), &hole->whole);
    }
    hole->is_placed = is_there;
    if (is_there) {
        memory_region_set_size(&hole->whole, host->ecam.size);
        memory_region_add_overlap(memory_region_system(), host->ecam_base, &hole->whole,
                                  OVER_ECAM);
        pci_hole_update(host);
    }
    memory_transaction_commit();
}

/* --- life --- */

void pci_host_start_hole(PciHost *host)
{
    PciHole *hole = g_new0(PciHole, 1);
    Object *owner = (Object *)host;
    MemoryWindow none = { 0, PAGE_BYTES };

    assert(!host->hole);
    hole->shown = g_array_new(FALSE, FALSE, sizeof(Run));
    memory_region_init_ones(&hole->ones, owner, &pci_ecam_ops, "pci-hole",
                            PAGE_COUNT * PAGE_BYTES);
    memory_region_init(&hole->whole, owner, "pci-holes", PAGE_BYTES);
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        memory_region_init_alias(&hole->runs[i], owner, "pci-hole", &hole->ones, none);
        memory_region_set_enabled(&hole->runs[i], false);
        memory_region_add(&hole->whole, 0, &hole->runs[i]);
    }
    host->hole = hole;
    pci_hole_move(host);
}

void pci_hole_free(PciHost *host)
{
    PciHole *hole = g_steal_pointer(&host->hole);

    if (!hole) {
        return;
    }
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        memory_region_remove(&hole->whole, &hole->runs[i]);
        memory_region_clear(&hole->runs[i]);
    }
    memory_region_clear(&hole->whole);
    memory_region_clear(&hole->ones);
    g_array_unref(hole->shown);
    g_free(hole);
}

PciHoleCounts pci_host_hole_counts(const PciHost *host)
{
    const PciHole *hole = host->hole;
    PciHoleCounts counts = { 0 };

    if (hole && hole->is_placed) {
        counts.slots = hole->shown->len;
        counts.updates = hole->updates;
        for (guint i = 0; i < hole->shown->len; i++) {
            counts.pages += g_array_index(hole->shown, Run, i).count;
        }
    }
    return counts;
}
