/*
 * For tests of intel-iommu: a q35 with its root bus, RAM and nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_INTEL_IOMMU_TEST_MACHINE_H
#define HW_I386_INTEL_IOMMU_TEST_MACHINE_H

#include "system/memory_tx.h"

#define VTD_TEST_RAM_BYTES UINT32_C(0x1000000)

/* Once for each process; takes the machine lock. Devices come by test_add(). */
void vtd_test_machine_init(void);

/* Registers, by their offset: 8 bytes. */
void vtd_test_put(unsigned at, uint64_t value);
uint64_t vtd_test_get(unsigned at);
/* As drivers give one: the status with one bit changed. */
void vtd_test_command(unsigned bit, bool is_on);
/* Words of a table or a descriptor. */
void vtd_test_words(GuestAddr at, const uint64_t *words, unsigned count);
/* A queue of 256-bit descriptors at `queue`, tables of scalable mode at `root`, remapping on. */
void vtd_test_start(GuestAddr queue, GuestAddr root);

#endif
