/*
 * System management RAM: see smram.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/smm_memory.h"
#include "smram.h"

#define LEGACY_PRIORITY 1
#define WRITABLE (SMRAM_D_OPEN | SMRAM_D_CLS | SMRAM_D_LCK | SMRAM_G_SMRAME)

void smram_map(Smram *smram, Object *owner, MemoryRegion *ram, MemoryRegion *pci)
{
    MemoryWindow window = { SMRAM_BASE, SMRAM_BYTES };

    memory_region_init_alias(&smram->low, owner, "smram-low", ram, window);
    memory_region_set_enabled(&smram->low, false);
    memory_region_add(smm_memory(), SMRAM_BASE, &smram->low);
    memory_region_init_alias(&smram->legacy, owner, "smram-region", pci, window);
    memory_region_add_overlap(memory_region_system(), SMRAM_BASE, &smram->legacy, LEGACY_PRIORITY);
    smram->is_mapped = true;
}

void smram_unmap(Smram *smram)
{
    memory_region_remove(smm_memory(), &smram->low);
    memory_region_remove(memory_region_system(), &smram->legacy);
}

void smram_clear(Smram *smram)
{
    if (smram->is_mapped) {
        memory_region_clear(&smram->low);
        memory_region_clear(&smram->legacy);
    }
}

void smram_reset_register(PciDevice *dev, unsigned at)
{
    dev->config[at] = SMRAM_C_BASE_SEG;
}

/* Locking closes it for good. */
void smram_update(Smram *smram, PciDevice *dev, unsigned at)
{
    uint8_t *control = &dev->config[at];

    if (*control & SMRAM_D_LCK) {
        *control &= ~SMRAM_D_OPEN;
    }
    dev->writable[at] = *control & SMRAM_D_LCK ? 0 : WRITABLE;
    memory_transaction_begin();
    memory_region_set_enabled(&smram->legacy, !(*control & SMRAM_D_OPEN));
    memory_region_set_enabled(&smram->low, *control & SMRAM_G_SMRAME);
    memory_transaction_commit();
}
