/*
 * What stands between lines: or, split, invert.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/irq.h"

static void or_changed(void *opaque, unsigned n, int level)
{
    IrqOr *joint = opaque;

    joint->high_count += (level != 0) - joint->is_high[n];
    joint->is_high[n] = level != 0;
    irq_set(&joint->out, joint->high_count > 0);
}

void irq_or_init(IrqOr *joint, unsigned inputs)
{
    *joint = (IrqOr){ .is_high = g_new0(bool, inputs) };
    irq_inputs_init(&joint->in, inputs, or_changed, joint);
}

void irq_or_clear(IrqOr *joint)
{
    irq_inputs_clear(&joint->in);
    irq_disconnect(&joint->out);
    g_clear_pointer(&joint->is_high, g_free);
}

static void split_changed(void *opaque, unsigned n, int level)
{
    IrqSplit *joint = opaque;

    for (unsigned i = 0; i < joint->count; i++) {
        irq_set(&joint->out[i], level);
    }
}

void irq_split_init(IrqSplit *joint, unsigned outputs)
{
    *joint = (IrqSplit){ .count = outputs, .out = g_new0(IrqLine, outputs) };
    irq_inputs_init(&joint->in, 1, split_changed, joint);
}

void irq_split_clear(IrqSplit *joint)
{
    irq_inputs_clear(&joint->in);
    for (unsigned i = 0; i < joint->count; i++) {
        irq_disconnect(&joint->out[i]);
    }
    g_clear_pointer(&joint->out, g_free);
    joint->count = 0;
}

static void invert_changed(void *opaque, unsigned n, int level)
{
    irq_set(&((IrqInvert *)opaque)->out, !level);
}

void irq_invert_init(IrqInvert *joint)
{
    *joint = (IrqInvert){ .out = { .level = 1 } };
    irq_inputs_init(&joint->in, 1, invert_changed, joint);
}

void irq_invert_clear(IrqInvert *joint)
{
    irq_inputs_clear(&joint->in);
    irq_disconnect(&joint->out);
}
