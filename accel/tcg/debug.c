/*
 * Debuggers in the engine: see debug.h. Nothing of it costs anything while there are no points, no
 * watches and no steps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/debug.h"

#include "accel/tcg/exec.h"

#define PAGE_BYTES (UINT64_C(1) << TCG_PAGE_BITS)

/* --- breakpoints --- */

static const DebugPoint *break_at(uint64_t pc)
{
    unsigned count;
    const DebugPoint *points = debug_points(&count);

    for (unsigned i = 0; i < count; i++) {
        if (debug_point_is_break(&points[i]) && points[i].addr == pc) {
            return &points[i];
        }
    }
    return NULL;
}

bool debug_breaks_at(uint64_t pc)
{
    return break_at(pc);
}

static void want_stop(TcgCpu *cpu, DebugStopReason reason, const DebugPoint *point)
{
    TcgDebug *debug = &cpu->exec->debug;

    debug->is_stop_wanted = true;
    debug->reason = reason;
    debug->point = point ? *point : (DebugPoint){ 0 };
    tcg_request_service(cpu);
}

void debug_make_stop(TcgCpu *cpu)
{
    TcgDebug *debug = &cpu->exec->debug;

    if (debug->is_stop_wanted) {
        debug->is_stop_wanted = false;
        debug_stop(cpu->vcpu, debug->reason, &debug->point);
    }
}

static void stop_at_break(TcgCpu *cpu, uint64_t pc)
{
    want_stop(cpu, DEBUG_STOP_BREAK, break_at(pc));
    tcg_exit_to_main(cpu);
}

static const IrHelper break_helper = {
    .name = "debug_break", .fn = stop_at_break, .arg_count = 1, .args = { IR_I64 },
    .flags = IR_HELPER_RAISES,
};

void debug_emit_break(IrBuilder *b)
{
    ir_call_v(b, &break_helper, ir_i64(b, b->key.pc));
}

void debug_points_apply(void)
{
    region_flush_all();
    tcg_tlb_flush_all_cpus();
}

/* --- data breakpoints --- */

static bool overlaps(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
    return a_bytes && b_bytes && (a - b < b_bytes || b - a < a_bytes);
}

static uint8_t access_of(const DebugPoint *point)
{
    switch (point->kind) {
    case DEBUG_WATCH_WRITE:
        return BIT(TCG_WRITE);
    case DEBUG_WATCH_READ:
        return BIT(TCG_READ);
    case DEBUG_WATCH_ACCESS:
        return BIT(TCG_READ) | BIT(TCG_WRITE);
    default:
        return 0;
    }
}

bool debug_watches_page(const TcgCpu *cpu, uint64_t page)
{
    const TcgDebug *debug = &cpu->exec->debug;
    unsigned count;
    const DebugPoint *points = debug_points(&count);

    for (unsigned i = 0; i < count; i++) {
        if (access_of(&points[i]) && overlaps(points[i].addr, points[i].bytes, page, PAGE_BYTES)) {
            return true;
        }
    }
    for (unsigned i = 0; debug->has_watches && i < TCG_WATCHES; i++) {
        if (overlaps(debug->watches[i].addr, debug->watches[i].bytes, page, PAGE_BYTES)) {
            return true;
        }
    }
    return false;
}

/* Of the debugger's. */
static const DebugPoint *touched_point(const TcgFault *fault)
{
    unsigned count;
    const DebugPoint *points = debug_points(&count);

    for (unsigned i = 0; i < count; i++) {
        if ((access_of(&points[i]) & BIT(fault->access)) &&
            overlaps(points[i].addr, points[i].bytes, fault->addr, fault->bytes)) {
            return &points[i];
        }
    }
    return NULL;
}

static unsigned touched_watches(const TcgDebug *debug, const TcgFault *fault)
{
    unsigned hits = 0;

    for (unsigned i = 0; debug->has_watches && i < TCG_WATCHES; i++) {
        const TcgWatch *watch = &debug->watches[i];

        hits |= (watch->access & BIT(fault->access)) &&
                overlaps(watch->addr, watch->bytes, fault->addr, fault->bytes) ? BIT(i) : 0;
    }
    return hits;
}

void debug_note_access(TcgCpu *cpu, const TcgFault *fault)
{
    TcgDebug *debug = &cpu->exec->debug;
    const DebugPoint *point = touched_point(fault);
    unsigned hits = touched_watches(debug, fault);

    if (!point && !hits) {
        return;
    }
    if (exec_current_region(cpu) && !cpu->exec->is_insn_alone) {
        cpu->is_one_insn = true;
        tcg_exit_to_main(cpu);
    }
    debug->hits |= hits;
    if (point && !debug->has_hit) {
        debug->hit = *point;
        debug->has_hit = true;
    }
}

void tcg_set_watches(TcgCpu *cpu, const TcgWatch watches[TCG_WATCHES])
{
    TcgDebug *debug = &cpu->exec->debug;
    bool had_any = debug->has_watches;

    debug->has_watches = false;
    for (unsigned i = 0; i < TCG_WATCHES; i++) {
        debug->watches[i] = watches[i];
        debug->has_watches |= watches[i].bytes != 0;
    }
    if (had_any || debug->has_watches) {
        tcg_tlb_flush(cpu, TCG_ALL_MMUS);
    }
}

unsigned tcg_take_watch_hits(TcgCpu *cpu)
{
    unsigned hits = cpu->exec->debug.hits;

    cpu->exec->debug.hits = 0;
    return hits;
}

/* --- between instructions --- */

void debug_forget_hits(TcgCpu *cpu)
{
    cpu->exec->debug.hits = 0;
    cpu->exec->debug.has_hit = false;
}

void debug_between_insns(TcgCpu *cpu)
{
    TcgDebug *debug = &cpu->exec->debug;
    unsigned hits = tcg_take_watch_hits(cpu);

    if (debug->has_hit) {
        debug->has_hit = false;
        want_stop(cpu, DEBUG_STOP_WATCH, &debug->hit);
    } else if (cpu->vcpu->step) {
        want_stop(cpu, DEBUG_STOP_STEP, NULL);
    }
    if (hits && cpu->ops->watch_hit) {
        cpu->ops->watch_hit(cpu, hits);
    }
}
