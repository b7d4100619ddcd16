/*
 * Debuggers in the engine: breakpoints in translated code, data breakpoints in the TLB's slow way,
 * single steps in the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_DEBUG_H
#define ACCEL_TCG_DEBUG_H

#include "accel/tcg/watch.h"
#include "system/guest_debug.h"

/* What TcgExec holds of it. */
typedef struct TcgDebug {
    TcgWatch watches[TCG_WATCHES];
    bool has_watches;
    unsigned hits;         /* of watches */
    DebugPoint hit;        /* the debugger's point that was touched */
    bool has_hit;
    bool is_stop_wanted;   /* by debug_make_stop(), once it is out of guest code */
    DebugStopReason reason;
    DebugPoint point;
} TcgDebug;

/* A breakpoint is there: regions end before it, and one that begins with it stops. */
bool debug_breaks_at(uint64_t pc);
/* What stands first in such a region. */
void debug_emit_break(IrBuilder *b);
/* Accesses of the page go the slow way. */
bool debug_watches_page(const TcgCpu *cpu, uint64_t page);
/* Such an access; may leave, to run the instruction alone. */
void debug_note_access(TcgCpu *cpu, const TcgFault *fault);
/* An instruction that was run alone is complete, or a handler has been entered. May raise. */
void debug_between_insns(TcgCpu *cpu);
/* The vCPU has left guest code; machine lock. Others may drop regions from now on. */
void debug_make_stop(TcgCpu *cpu);
/* What was raised takes back what was touched. */
void debug_forget_hits(TcgCpu *cpu);
/* The list of points changed; no vCPU runs. */
void debug_points_apply(void);

#endif
