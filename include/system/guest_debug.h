/*
 * A debugger outside of the guest (gdbstub): where vCPUs stop for it, and which one did and why.
 * Accelerators make it happen; the guest sees nothing of it.
 *
 * Machine lock. The list of points changes only while no vCPU runs, so vCPUs read it without a lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_GUEST_DEBUG_H
#define SYSTEM_GUEST_DEBUG_H

#include "system/vcpu.h"

typedef enum DebugPointKind { /* as gdb numbers them */
    DEBUG_BREAK_SOFTWARE,
    DEBUG_BREAK_HARDWARE,
    DEBUG_WATCH_WRITE,
    DEBUG_WATCH_READ,
    DEBUG_WATCH_ACCESS,
    DEBUG_POINT_KINDS
} DebugPointKind;

/* For all vCPUs. Addresses are as the CPU's code has them, breakpoints' as its PC (x86: linear). */
typedef struct DebugPoint {
    DebugPointKind kind;
    uint64_t addr, bytes;
} DebugPoint;

static inline bool debug_point_is_break(const DebugPoint *point)
{
    return point->kind <= DEBUG_BREAK_HARDWARE;
}

/* Fail if the accelerator has none. A point that is there twice is there once. */
bool debug_point_insert(const DebugPoint *point, Error **errp);
bool debug_point_remove(const DebugPoint *point, Error **errp);
void debug_point_remove_all(void);
/* Borrowed. */
const DebugPoint *debug_points(unsigned *count);

typedef enum DebugStopReason { DEBUG_STOP_STEP, DEBUG_STOP_BREAK, DEBUG_STOP_WATCH } DebugStopReason;

typedef struct DebugStop {
    DebugStopReason reason;
    uint32_t vcpu_index;
    DebugPoint point; /* of a break or watch */
} DebugStop;

/*
 * Accelerators, in the vCPU's thread, with or without the lock: it does not go on, and the VM stops
 * (RUN_STATE_DEBUG). `point` may be NULL.
 */
void debug_stop(Vcpu *vcpu, DebugStopReason reason, const DebugPoint *point);
/* The first one's since the last call; false: none. */
bool debug_take_stop(DebugStop *stop);

/*
 * What serves a debugger from outside, by the text of a chardev ("none": no more); who installs it
 * knows the defaults. Fails while nothing is installed.
 */
typedef bool DebugServerFn(const char *spec, Error **errp);
void debug_set_server(DebugServerFn *start);
bool debug_start_server(const char *spec, Error **errp);
#define DEBUG_SERVER_DEFAULT "tcp::1234"

/* Vcpu.step */
#define VCPU_STEP          BIT(0) /* one instruction, or into a handler, then debug_stop() */
#define VCPU_STEP_NO_IRQ   BIT(1) /* interrupts wait meanwhile */
#define VCPU_STEP_NO_TIMER BIT(2) /* CLOCK_VIRTUAL stands meanwhile (who resumes sees to it) */

#endif
