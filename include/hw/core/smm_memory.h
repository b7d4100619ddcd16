/*
 * SmmMemory: what x86 CPUs in system management mode see over the machine's memory. Chipsets put
 * their SMRAM here; CPUs look at it first.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_SMM_MEMORY_H
#define HW_CORE_SMM_MEMORY_H

#include "system/memory.h"

/* A container of 4 GiB, empty on machines without SMRAM. It is in no address space by itself. */
MemoryRegion *smm_memory(void);

#endif
