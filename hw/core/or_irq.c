/*
 * or-irq: a line that is up while any of its inputs is. Inputs from num-lines on do nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"

#define MAX_LINES 48

typedef struct OrIrq {
    Device parent;
    IrqLine out;
    uint16_t num_lines;
    bool levels[MAX_LINES];
} OrIrq;
DECLARE_CAST(OrIrq, OR_IRQ)

static void or_irq_in(void *opaque, unsigned n, int level)
{
    OrIrq *joint = OR_IRQ(opaque);
    bool is_up = false;

    if (n >= joint->num_lines) {
        return;
    }
    joint->levels[n] = level;
    for (unsigned i = 0; i < joint->num_lines; i++) {
        is_up |= joint->levels[i];
    }
    irq_set(&joint->out, is_up);
}

static void or_irq_reset(Device *dev)
{
    memset(OR_IRQ(dev)->levels, 0, sizeof(OR_IRQ(dev)->levels));
}

static const IrqDef or_irq_irqs[] = {
    IRQ_ROW_OUT(NULL, OrIrq, out),
    IRQ_ROW_IN(NULL, or_irq_in, MAX_LINES),
};
static const Property or_irq_props[] = {
    PROP_U16("num-lines", OrIrq, num_lines, .initial = 1, .min = 1, .max = MAX_LINES,
             .doc = "Number of inputs"),
};
static const VMField or_irq_fields[] = { VM_ARRAY(OrIrq, levels) };

static const DeviceType or_irq_type = {
    .name = "or-irq",
    .doc = "Joins interrupt lines",
    .size = sizeof(OrIrq),
    .parent = TYPE_DEVICE,
    .category = DEVICE_CATEGORY_MISC,
    .access = DEVICE_ACCESS_BOARD,
    .irqs = IRQS(or_irq_irqs),
    .properties = PROPERTIES(or_irq_props),
    .vmstate = VMSTATE(or_irq_fields, .version = 1),
    .reset_enter = or_irq_reset,
};
DEVICE_TYPE(or_irq_type)
