/*
 * System management memory: see hw/core/smm_memory.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/smm_memory.h"

static MemoryRegion root; /* the machine's */

static void CONSTRUCTOR make_root(void)
{
    memory_region_init(&root, NULL, "smram", 4 * GiB);
}

MemoryRegion *smm_memory(void)
{
    return &root;
}
