/*
 * vCPU threads, for accelerators: one thread runs one vCPU, or several in turn.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_VCPU_THREAD_H
#define SYSTEM_VCPU_THREAD_H

#include "system/vcpu.h"

/*
 * Runs guest code until kicked or something needs attention. Machine lock held on entry and
 * return, given up inside. NULL in vcpu_thread_start(): vCPUs never run.
 */
typedef void VcpuRunFn(Vcpu *cpu);

/* Starts a thread that serves `first`; returns when it lives (machine lock given up). */
bool vcpu_thread_start(Vcpu *first, const char *name, VcpuRunFn *run, Error **errp);
/* Has the thread of `other` serve `cpu` as well. */
void vcpu_thread_join(Vcpu *cpu, Vcpu *other);
/* Takes it off its thread, which ends with its last vCPU (machine lock given up). */
void vcpu_thread_leave(Vcpu *cpu);
/* Any thread: ends the thread's sleep. */
void vcpu_thread_wake(Vcpu *cpu);

#endif
