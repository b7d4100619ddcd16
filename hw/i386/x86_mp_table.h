/*
 * The multiprocessor table (Intel's MultiProcessor Specification 1.4): how kernels without ACPI
 * find CPUs, IOAPIC and interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_MP_TABLE_H
#define HW_I386_X86_MP_TABLE_H

#include "hw/core/topology.h"

/* Where the floating pointer is searched for, and the rest may be, too. */
#define X86_MP_TABLE_ADDR UINT64_C(0xf0000)

/* The floating pointer and the table, for X86_MP_TABLE_ADDR. CPUs with an id of 8 bits are in it,
 * one IOAPIC, and the ISA bus. Interrupts of `level_irqs`, a mask, are level-triggered. */
GByteArray *x86_mp_table(const CpuSlots *slots, uint16_t level_irqs);

#endif
