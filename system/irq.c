/*
 * IRQ lines: see system/irq.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/irq.h"

void irq_inputs_init(IrqInputs *inputs, unsigned count, IrqHandler *handler, void *opaque)
{
    *inputs = (IrqInputs){ handler, opaque, count, g_new0(IrqInput, count) };
    for (unsigned i = 0; i < count; i++) {
        inputs->items[i].set = inputs;
    }
}

void irq_inputs_clear(IrqInputs *inputs)
{
    for (unsigned i = 0; i < inputs->count; i++) {
        while (inputs->items[i].lines) {
            irq_disconnect(inputs->items[i].lines);
        }
    }
    g_clear_pointer(&inputs->items, g_free);
    inputs->count = 0;
}

IrqInput *irq_inputs_at(IrqInputs *inputs, unsigned n)
{
    assert(n < inputs->count);
    return &inputs->items[n];
}

unsigned irq_input_index(const IrqInput *input)
{
    return input - input->set->items;
}

void irq_connect(IrqLine *line, IrqInput *to)
{
    irq_disconnect(line);
    if (!to) {
        return;
    }
    line->to = to;
    line->next = to->lines;
    to->lines = line;
    if (line->level) {
        irq_input_set(to, line->level);
    }
}

void irq_disconnect(IrqLine *line)
{
    IrqLine **at;

    if (!line->to) {
        return;
    }
    for (at = &line->to->lines; *at != line; at = &(*at)->next) {
        assert(*at);
    }
    *at = line->next;
    line->to = NULL;
    line->next = NULL;
}

static void tell_change(IrqObserver *observer, int *level, int next)
{
    if (*level == next) {
        return;
    }
    *level = next;
    if (observer) {
        observer->changed(observer, next);
    }
}

void irq_set(IrqLine *line, int level)
{
    tell_change(line->observer, &line->level, level);
    if (line->to) {
        irq_input_set(line->to, level);
    }
}

void irq_input_set(IrqInput *input, int level)
{
    IrqInputs *set = input->set;

    tell_change(input->observer, &input->level, level);
    set->handler(set->opaque, irq_input_index(input), level);
}

static bool take_observer(IrqObserver **slot, IrqObserver *observer)
{
    if (*slot && observer) {
        return false;
    }
    *slot = observer;
    return true;
}

bool irq_observe(IrqLine *line, IrqObserver *observer)
{
    return take_observer(&line->observer, observer);
}

bool irq_input_observe(IrqInput *input, IrqObserver *observer)
{
    return take_observer(&input->observer, observer);
}
