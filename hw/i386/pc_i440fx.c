/*
 * The board of 1996: i440FX and PIIX.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pc_machine.h"

#define MOST_RAM_BELOW_4G   UINT64_C(0xe0000000)
/* With RAM above 4 GiB too: its pages of 1 GiB stay whole. */
#define WHOLE_RAM_BELOW_4G  UINT64_C(0xc0000000)

static uint64_t split_ram(const PcMachine *pc)
{
    uint64_t bytes = pc->parent.parent.memory.size_bytes;
    uint64_t split = pc->max_ram_below_4g ? pc->max_ram_below_4g : MOST_RAM_BELOW_4G;

    if (bytes < split) {
        return split;
    }
    split = MIN(split, WHOLE_RAM_BELOW_4G);
    if (split % GiB) {
        warn_report("Large machine and max_ram_below_4g (%" PRIu64 ") not a multiple of 1G; "
                    "possible bad performance.", split);
    }
    return split;
}

static const PcMachineType i440fx_type = {
    .name = TYPE_PC_I440FX,
    .doc = "Standard PC (i440FX + PIIX, 1996)",
    .parent = TYPE_PC_MACHINE,
    .is_abstract = true,
    .family = "pc_piix",
    .host_type = TYPE_I440FX_HOST,
    .host_name = "i440fx",
    .bridge_type = TYPE_PIIX3,
    .bridge_devfn = PCI_DEVFN(1, 0),
    .bridge_irqs = "isa-irqs",
    .bridge_irq_count = ISA_IRQS,
    .hpet_lines = BIT(2),
    .split_ram = split_ram,
};
OBJECT_TYPE(i440fx_type)
