/*
 * Virtual time made of instructions: -icount. One thread runs all vCPUs, one after another, and the
 * timers of the guest's time run between instructions, always the same ones: what a guest sees
 * depends on nothing but itself and its input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_ICOUNT_H
#define ACCEL_TCG_ICOUNT_H

#include "accel/tcg/target.h"
#include "system/accel.h"

/* Machine lock, before the VM runs. */
bool icount_start(const AccelCounting *options, Error **errp);

/* In the vCPU's thread, with the machine lock: it runs from now on, or no longer. */
void icount_begin(TcgCpu *cpu);
void icount_end(TcgCpu *cpu);
/* At the limit; no lock. False: something else is to be done first in this thread. */
bool icount_turn(TcgCpu *cpu);
/* For those who wait for icount_turn(): vcpu->kick_wanted is set. Any thread. */
void icount_kicked(void);

#endif
