/*
 * Between the list of vCPUs and their threads. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_VCPU_INTERNAL_H
#define SYSTEM_VCPU_INTERNAL_H

#include "system/vcpu.h"

bool vcpu_has_queued_work(Vcpu *cpu);
/* In its thread. */
void vcpu_do_work(Vcpu *cpu);
/* Answers a wish to stop; in its thread. */
void vcpu_note_stopped(Vcpu *cpu);

/* In its thread: it does not run until it is resumed. */
void vcpu_stop_self(Vcpu *cpu);

#endif
