/*
 * HMAT: what -numa hmat-lb and hmat-cache said, as a table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"
#include "hw/acpi/numa_tables.h"
#include "hw/core/numa.h"
#include "hw/core/numa_hmat.h"

/* Units of the table's base: ps for latency (given in ns), MB/s for bandwidth (given in bytes). */
#define FIRST_BANDWIDTH 3
#define PS_PER_NS 1000

static void collect(const NumaHmatTable *table, bool of_targets, GArray *nodes)
{
    for (guint i = 0; i < table->entries->len; i++) {
        const NumaHmatEntry *entry = &g_array_index(table->entries, NumaHmatEntry, i);
        uint32_t node = of_targets ? entry->target : entry->initiator;
        bool is_known = false;

        for (guint k = 0; k < nodes->len; k++) {
            is_known |= g_array_index(nodes, uint32_t, k) == node;
        }
        if (!is_known) {
            g_array_append_val(nodes, node);
        }
    }
}

static void add_table(AcpiTables *t, const NumaHmatTable *table, unsigned hierarchy, unsigned type)
{
    g_autoptr(GArray) initiators = g_array_new(false, false, sizeof(uint32_t));
    g_autoptr(GArray) targets = g_array_new(false, false, sizeof(uint32_t));
    g_autofree uint16_t *values = NULL;
    HmatLatencyBandwidth out = { .hierarchy = hierarchy, .data_type = type };

    collect(table, false, initiators);
    collect(table, true, targets);
    out.initiator_count = initiators->len;
    out.target_count = targets->len;
    out.initiators = (const uint32_t *)initiators->data;
    out.targets = (const uint32_t *)targets->data;
    out.base_unit = type >= FIRST_BANDWIDTH ? table->base / MiB : table->base * PS_PER_NS;
    values = g_new0(uint16_t, initiators->len * targets->len);
    for (guint i = 0; i < initiators->len * targets->len; i++) {
        values[i] = numa_hmat_value(table, out.initiators[i / targets->len],
                                    out.targets[i % targets->len]);
    }
    out.values = values;
    hmat_latency_bandwidth(t, &out);
}

static void add_caches(AcpiTables *t, const NumaState *numa, unsigned node)
{
    uint8_t levels = 0;

    for (unsigned level = 1; level <= NUMA_CACHE_LEVELS; level++) {
        levels += numa_hmat_cache(numa, node, level) != NULL;
    }
    for (unsigned level = 1; level <= NUMA_CACHE_LEVELS; level++) {
        const NumaCache *cache = numa_hmat_cache(numa, node, level);

        if (cache) {
            hmat_cache(t, &(HmatCache){ node, cache->size_bytes, levels, level,
                                        cache->associativity, cache->policy, cache->line_bytes });
        }
    }
}

void acpi_add_hmat(AcpiTables *t, const NumaState *numa)
{
    unsigned nodes = numa_node_count(numa);

    acpi_hmat_begin(t);
    for (unsigned n = 0; n < nodes; n++) {
        int initiator = numa_initiator(numa, n);

        if (numa_node_bytes(numa, n)) {
            hmat_memory_domain(t, initiator < 0 ? UINT32_MAX : (uint32_t)initiator, n);
        }
    }
    for (unsigned h = 0; h < NUMA_HMAT_HIERARCHIES; h++) {
        for (unsigned type = 0; type < NUMA_HMAT_DATA_TYPES; type++) {
            const NumaHmatTable *table = numa_hmat_table(numa, h, type);

            if (table) {
                add_table(t, table, h, type);
            }
        }
    }
    for (unsigned n = 0; n < nodes; n++) {
        add_caches(t, numa, n);
    }
    acpi_table_end(t);
}
