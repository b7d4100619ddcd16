/*
 * A device's declared lines and timers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device_parts.h"

typedef void LineRowFn(Device *dev, const IrqDef *row, void *opaque);

static void each_row(Device *dev, LineRowFn *fn, void *opaque)
{
    for (const Type *type = dev->parent.type; type_is_a(type, TYPE_DEVICE);
         type = type_parent(type)) {
        IrqDefs rows = ((const DeviceType *)type_decl(type))->irqs;

        for (size_t i = 0; i < rows.count; i++) {
            fn(dev, &rows.items[i], opaque);
        }
    }
}

static void count_inputs(Device *dev, const IrqDef *row, void *opaque)
{
    *(unsigned *)opaque += row->input != NULL;
}

static void init_inputs(Device *dev, const IrqDef *row, void *opaque)
{
    unsigned *n = opaque;

    if (row->input) {
        irq_inputs_init(&dev->inputs[(*n)++], row->count, row->input, dev);
    }
}

void device_lines_init(Device *dev)
{
    unsigned n = 0;

    each_row(dev, count_inputs, &dev->input_sets);
    dev->inputs = g_new0(IrqInputs, dev->input_sets);
    each_row(dev, init_inputs, &n);
}

static IrqLine *row_line(Device *dev, const IrqDef *row, unsigned n)
{
    return (IrqLine *)((char *)dev + row->offset) + n;
}

static void disconnect_row(Device *dev, const IrqDef *row, void *opaque)
{
    for (unsigned n = 0; !row->input && n < row->count; n++) {
        irq_disconnect(row_line(dev, row, n));
    }
}

void device_lines_clear(Device *dev)
{
    each_row(dev, disconnect_row, NULL);
    for (unsigned i = 0; i < dev->input_sets; i++) {
        irq_inputs_clear(&dev->inputs[i]);
    }
    g_free(dev->inputs);
}

typedef struct LineSearch {
    const char *name;
    unsigned n, set;
    IrqLine *line;
    IrqInput *input;
} LineSearch;

static void match_out(Device *dev, const IrqDef *row, void *opaque)
{
    LineSearch *search = opaque;

    if (!row->input && !g_strcmp0(row->name, search->name) && search->n < row->count) {
        search->line = row_line(dev, row, search->n);
    }
}

static void match_in(Device *dev, const IrqDef *row, void *opaque)
{
    LineSearch *search = opaque;

    if (!row->input) {
        return;
    }
    if (!g_strcmp0(row->name, search->name) && search->n < row->count) {
        search->input = irq_inputs_at(&dev->inputs[search->set], search->n);
    }
    search->set++;
}

IrqLine *device_irq_out(Device *dev, const char *name, unsigned n)
{
    LineSearch search = { name, n };

    each_row(dev, match_out, &search);
    assert(search.line);
    return search.line;
}

IrqInput *device_irq_in(Device *dev, const char *name, unsigned n)
{
    LineSearch search = { name, n };

    each_row(dev, match_in, &search);
    return search.input;
}

void device_connect(Device *from, const char *out, unsigned n, Device *to, const char *in,
                    unsigned m)
{
    IrqInput *input = device_irq_in(to, in, m);

    assert(input);
    irq_connect(device_irq_out(from, out, n), input);
}

typedef struct EachOut {
    DeviceLineFn *fn;
    void *opaque;
} EachOut;

static void visit_out(Device *dev, const IrqDef *row, void *opaque)
{
    EachOut *each = opaque;

    for (unsigned n = 0; !row->input && n < row->count; n++) {
        each->fn(each->opaque, row->name, n, row_line(dev, row, n));
    }
}

void device_each_irq_out(Device *dev, DeviceLineFn *fn, void *opaque)
{
    EachOut each = { fn, opaque };

    each_row(dev, visit_out, &each);
}

static Timer *row_timer(Device *dev, const TimerDef *row)
{
    return (Timer *)((char *)dev + row->offset);
}

typedef void TimerRowFn(Device *dev, const TimerDef *row);

static void each_timer(Device *dev, TimerRowFn *fn)
{
    for (const Type *type = dev->parent.type; type_is_a(type, TYPE_DEVICE);
         type = type_parent(type)) {
        TimerDefs rows = ((const DeviceType *)type_decl(type))->timers;

        for (size_t i = 0; i < rows.count; i++) {
            fn(dev, &rows.items[i]);
        }
    }
}

static void init_timer(Device *dev, const TimerDef *row)
{
    timer_init(row_timer(dev, row), row->clock, (EventFn *)row->expired, dev);
}

static void cancel_timer(Device *dev, const TimerDef *row)
{
    timer_cancel(row_timer(dev, row));
}

static void clear_timer(Device *dev, const TimerDef *row)
{
    timer_clear(row_timer(dev, row));
}

void device_timers_init(Device *dev)
{
    each_timer(dev, init_timer);
}

void device_timers_cancel(Device *dev)
{
    each_timer(dev, cancel_timer);
}

void device_timers_clear(Device *dev)
{
    each_timer(dev, clear_timer);
}
