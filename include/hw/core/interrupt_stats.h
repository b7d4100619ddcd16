/*
 * Interrupt controllers as people look at them: `info pic`, `info irq`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_INTERRUPT_STATS_H
#define HW_CORE_INTERRUPT_STATS_H

#include "qom/object.h"

#define TYPE_INTERRUPT_STATS "intctrl"

/* The interface. Machine lock; either may be NULL. */
typedef struct InterruptStats {
    void (*print)(Object *obj, GString *out);
    /* How often each line asked, since the start; borrowed. */
    const uint64_t *(*counts)(Object *obj, unsigned *lines);
} InterruptStats;

/* All controllers of the machine. */
void interrupt_stats_print(GString *out);
void interrupt_stats_print_counts(GString *out);

#endif
