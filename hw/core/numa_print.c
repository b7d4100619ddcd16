/*
 * NUMA for people: `info numa`. See hw/core/numa.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/numa_state.h"
#include "qapi/qapi-commands-machine.h"

static void print_cpus(GString *out, const Machine *machine, unsigned node)
{
    g_string_append_printf(out, "node %u cpus:", node);
    for (unsigned i = 0; machine->slots && i < machine->slots->count; i++) {
        const CpuSlot *slot = &machine->slots->slots[i];

        if (!slot->cpu || slot->node_id != node) {
            continue;
        }
        for (unsigned n = 0; n < slot->vcpu_count; n++) {
            g_string_append_printf(out, " %u", CPU(slot->cpu)->vcpu.index + n);
        }
    }
    g_string_append_c(out, '\n');
}

void numa_print(GString *out, Machine *machine)
{
    const NumaState *numa = machine->numa;

    g_string_append_printf(out, "%u nodes\n", numa->count);
    for (unsigned i = 0; i < numa->count; i++) {
        const NumaNode *node = &numa->nodes[i];

        print_cpus(out, machine, i);
        g_string_append_printf(out, "node %u size: %" PRIu64 " MB\n", i,
                               (node->bytes + node->plugged_bytes) / MiB);
        g_string_append_printf(out, "node %u plugged: %" PRIu64 " MB\n", i,
                               node->plugged_bytes / MiB);
    }
}

HumanReadableText *qmp_x_query_numa(Error **errp)
{
    HumanReadableText *text = g_new0(HumanReadableText, 1);
    GString *out = g_string_new(NULL);

    numa_print(out, machine_current());
    text->human_readable_text = g_string_free(out, FALSE);
    return text;
}
