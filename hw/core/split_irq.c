/*
 * split-irq: one line to several. Outputs from num-lines on stay down.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"

#define MAX_LINES 16

typedef struct SplitIrq {
    Device parent;
    IrqLine out[MAX_LINES];
    uint16_t num_lines;
} SplitIrq;
DECLARE_CAST(SplitIrq, SPLIT_IRQ)

static void split_irq_in(void *opaque, unsigned n, int level)
{
    SplitIrq *joint = SPLIT_IRQ(opaque);

    for (unsigned i = 0; i < joint->num_lines; i++) {
        irq_set(&joint->out[i], level);
    }
}

static const IrqDef split_irq_irqs[] = {
    IRQ_ROW_OUT(NULL, SplitIrq, out, .count = MAX_LINES),
    IRQ_ROW_IN(NULL, split_irq_in, 1),
};
static const Property split_irq_props[] = {
    PROP_U16("num-lines", SplitIrq, num_lines, .initial = 1, .min = 1, .max = MAX_LINES,
             .doc = "Number of outputs"),
};

static const DeviceType split_irq_type = {
    .name = "split-irq",
    .doc = "Hands an interrupt line on to several",
    .size = sizeof(SplitIrq),
    .parent = TYPE_DEVICE,
    .category = DEVICE_CATEGORY_MISC,
    .access = DEVICE_ACCESS_BOARD,
    .irqs = IRQS(split_irq_irqs),
    .properties = PROPERTIES(split_irq_props),
};
DEVICE_TYPE(split_irq_type)
