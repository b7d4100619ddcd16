/*
 * Windows of PCI roots: see acpi_windows.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_windows.h"
#include "util/byte_order.h"

AcpiWindows *acpi_windows_new(void)
{
    AcpiWindows *windows = g_new0(AcpiWindows, 1);

    for (int kind = 0; kind < ACPI_WINDOW_KINDS; kind++) {
        windows->ranges[kind] = g_array_new(false, false, sizeof(AcpiRange));
    }
    windows->first_bus = PCI_DEVFN_COUNT;
    return windows;
}

void acpi_windows_free(AcpiWindows *windows)
{
    for (int kind = 0; kind < ACPI_WINDOW_KINDS; kind++) {
        g_array_unref(windows->ranges[kind]);
    }
    g_free(windows);
}

/* --- sets of ranges --- */

static gint compare_ranges(gconstpointer a, gconstpointer b)
{
    uint64_t first = ((const AcpiRange *)a)->first, second = ((const AcpiRange *)b)->first;

    return first < second ? -1 : first > second;
}

static void merge(GArray *ranges)
{
    guint kept = 0;
    AcpiRange *all = (AcpiRange *)ranges->data;

    for (guint i = 1; i < ranges->len; i++) {
        if (all[i].first <= all[kept].last + 1) {
            all[kept].last = MAX(all[kept].last, all[i].last);
        } else {
            all[++kept] = all[i];
        }
    }
    g_array_set_size(ranges, ranges->len ? kept + 1 : 0);
}

static void add_range(AcpiWindows *windows, AcpiWindowKind kind, uint64_t first, uint64_t last)
{
    AcpiRange range = { first, last };

    if (first && last >= first) {
        g_array_append_val(windows->ranges[kind], range);
        g_array_sort(windows->ranges[kind], compare_ranges);
        merge(windows->ranges[kind]);
    }
}

void acpi_windows_join(AcpiWindows *windows, const AcpiWindows *more)
{
    for (int kind = 0; kind < ACPI_WINDOW_KINDS; kind++) {
        for (guint i = 0; i < more->ranges[kind]->len; i++) {
            const AcpiRange *range = &g_array_index(more->ranges[kind], AcpiRange, i);

            add_range(windows, kind, range->first, range->last);
        }
    }
    windows->first_bus = MIN(windows->first_bus, more->first_bus);
    windows->last_bus = MAX(windows->last_bus, more->last_bus);
}

/* --- from configuration space --- */

static void add_bars(AcpiWindows *windows, const PciDevice *dev)
{
    for (unsigned n = 0; n < PCI_BAR_COUNT; n++) {
        const PciBar *bar = &dev->bars[n];

        if (bar->region && bar->addr != PCI_UNMAPPED) {
            add_range(windows, bar->type & PCI_BAR_IO ? ACPI_WINDOW_IO : ACPI_WINDOW_MEMORY,
                      bar->addr, bar->addr + bar->size - 1);
        }
    }
}

/* PCI-to-PCI Bridge 1.2, 3.2.5.6 to 3.2.5.10. */
static void add_bridge(AcpiWindows *windows, const PciDevice *dev)
{
    const uint8_t *c = dev->config;
    uint64_t upper = load_le32(c + PCI_PREF_BASE_UPPER);
    uint64_t upper_limit = load_le32(c + PCI_PREF_LIMIT_UPPER);

    add_range(windows, ACPI_WINDOW_IO, (c[PCI_IO_BASE] & 0xf0) << 8,
              (c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff);
    add_range(windows, ACPI_WINDOW_MEMORY,
              (uint64_t)(load_le16(c + PCI_MEMORY_BASE) & 0xfff0) << 16,
              (uint64_t)(load_le16(c + PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff);
    add_range(windows, ACPI_WINDOW_MEMORY,
              upper << 32 | (uint64_t)(load_le16(c + PCI_PREF_BASE) & 0xfff0) << 16,
              upper_limit << 32 | (uint64_t)(load_le16(c + PCI_PREF_LIMIT) & 0xfff0) << 16 |
                  0xfffff);
    windows->last_bus = MAX(windows->last_bus, c[PCI_SUBORDINATE_BUS]);
}

void acpi_windows_add_bus(AcpiWindows *windows, PciBus *root)
{
    windows->first_bus = MIN(windows->first_bus, pci_bus_number(root));
    windows->last_bus = MAX(windows->last_bus, pci_bus_number(root));
    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        const PciDevice *dev = root->devices[devfn];

        if (dev) {
            add_bars(windows, dev);
        }
        if (dev && pci_device_ops(dev)->is_bridge) {
            add_bridge(windows, dev);
        }
    }
}

/* --- as resources --- */

unsigned acpi_windows_first_bus(const AcpiWindows *windows)
{
    return windows->first_bus;
}

Aml *acpi_windows_bus_numbers(const AcpiWindows *windows, unsigned root_number)
{
    AmlWindow numbers = { .min = root_number, .max = windows->last_bus, .role = AML_PRODUCER };

    return aml_word_bus_number(&numbers);
}

static void put(AcpiWindowKind kind, uint64_t first, uint64_t last, Aml *template)
{
    AmlWindow window = { .min = first, .max = last, .role = AML_PRODUCER,
                         .access = AML_READ_WRITE };

    if (kind == ACPI_WINDOW_IO) {
        aml_append(template, aml_word_io(&window));
    } else if (last <= UINT32_MAX) {
        aml_append(template, aml_dword_memory(&window));
    } else {
        window.cache = AML_CACHEABLE;
        aml_append(template, aml_qword_memory(&window));
    }
}

void acpi_windows_put(const AcpiWindows *windows, Aml *template)
{
    for (int kind = 0; kind < ACPI_WINDOW_KINDS; kind++) {
        for (guint i = 0; i < windows->ranges[kind]->len; i++) {
            const AcpiRange *range = &g_array_index(windows->ranges[kind], AcpiRange, i);

            put(kind, range->first, range->last, template);
        }
    }
}

void acpi_windows_put_rest(const AcpiWindows *windows, AcpiWindowKind kind, uint64_t first,
                           uint64_t last, Aml *template)
{
    for (guint i = 0; i < windows->ranges[kind]->len && first <= last; i++) {
        const AcpiRange *range = &g_array_index(windows->ranges[kind], AcpiRange, i);

        if (range->first > last) {
            break;
        }
        if (range->first > first) {
            put(kind, first, range->first - 1, template);
        }
        first = MAX(first, range->last + 1);
    }
    if (first <= last) {
        put(kind, first, last, template);
    }
}
