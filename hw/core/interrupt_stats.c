/*
 * Interrupt controllers for people: see hw/core/interrupt_stats.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/interrupt_stats.h"

static const ObjectType interrupt_stats_type = {
    .name = TYPE_INTERRUPT_STATS,
    .doc = "Interrupt controller that tells what it did",
    .is_interface = true,
};
OBJECT_TYPE(interrupt_stats_type)

static void print_state(const InterruptStats *stats, Object *obj, GString *out)
{
    if (stats->print) {
        stats->print(obj, out);
    }
}

static void print_counts(const InterruptStats *stats, Object *obj, GString *out)
{
    unsigned lines;
    const uint64_t *counts = stats->counts ? stats->counts(obj, &lines) : NULL;

    if (!counts) {
        return;
    }
    g_string_append_printf(out, "IRQ statistics for %s:\n", object_type_name(obj));
    for (unsigned n = 0; n < lines; n++) {
        if (counts[n]) {
            g_string_append_printf(out, "%2u: %" PRIu64 "\n", n, counts[n]);
        }
    }
}

typedef struct Printing {
    void (*print)(const InterruptStats *stats, Object *obj, GString *out);
    GString *out;
} Printing;

static void print_below(void *opaque, Object *obj)
{
    Printing *printing = opaque;

    if (object_is_a(obj, TYPE_INTERRUPT_STATS)) {
        printing->print(object_interface(obj, TYPE_INTERRUPT_STATS), obj, printing->out);
    }
    object_each_child(obj, print_below, printing);
}

void interrupt_stats_print(GString *out)
{
    print_below(&(Printing){ print_state, out }, object_root());
}

void interrupt_stats_print_counts(GString *out)
{
    print_below(&(Printing){ print_counts, out }, object_root());
}
