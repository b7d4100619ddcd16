/*
 * Helpers for control transfers, segments and flags: the way from translated code to the CPU's
 * plain C.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "accel/tcg/watch.h"
#include "target/i386/execute.h"
#include "target/i386/segment.h"
#include "util/log.h"

const IrHelper x86_helper_raise = {
    .name = "raise", .fn = x86_help_raise, .arg_count = 1, .args = { IR_I32 },
    .flags = IR_HELPER_RAISES,
};
const IrHelper x86_helper_raise_gp = {
    .name = "raise_gp", .fn = x86_help_raise_gp, .arg_count = 1, .args = { IR_I32 },
    .flags = IR_HELPER_RAISES,
};
const IrHelper x86_helper_check_limit = {
    .name = "check_limit", .fn = x86_help_check_limit, .arg_count = 2,
    .args = { IR_I32, IR_I32 }, .flags = IR_HELPER_RAISES,
};

void x86_help_raise(TcgCpu *tcg, uint32_t vector)
{
    x86_raise(x86_cpu_of(tcg), vector);
}

void x86_help_raise_gp(TcgCpu *tcg, uint32_t error)
{
    x86_raise_error(x86_cpu_of(tcg), VECTOR_GP, error);
}

void x86_help_check_limit(TcgCpu *tcg, uint32_t offset, uint32_t what)
{
    x86_check_limit(x86_cpu_of(tcg), what & 0xff, offset, what >> 16, what >> 8 & 1);
}

void x86_help_check_target(TcgCpu *tcg, uint64_t rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    x86_check_target(cpu, &cpu->state.seg[X86_CS], rip);
}

void x86_help_check_taken(TcgCpu *tcg, uint32_t is_taken, uint64_t rip)
{
    if (is_taken) {
        x86_help_check_target(tcg, rip);
    }
}

void x86_help_load_segment(TcgCpu *tcg, uint32_t reg, uint32_t selector)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    x86_load_segment(cpu, reg & 0xff, selector);
    if (reg & X86_LOADS_SHADOW) {
        cpu->state.shadow = X86_SHADOW_SS;
        x86_update_mode(cpu);
    }
}

uint32_t x86_help_selector(TcgCpu *tcg, uint32_t reg)
{
    return x86_cpu_of(tcg)->state.seg[reg].selector;
}

void x86_help_enter(TcgCpu *tcg, uint32_t size, uint32_t level, uint32_t bytes)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    X86Stack st = x86_current_stack(cpu), frames = st;
    uint64_t frame;

    x86_push(&st, bytes, s->gpr[X86_RBP]);
    frame = st.sp;
    frames.sp = s->gpr[X86_RBP];
    for (unsigned n = 1; n < level; n++) {
        frames.sp = (frames.sp - bytes) & frames.mask;
        x86_push(&st, bytes, x86_peek(&frames, bytes, 0));
    }
    if (level) {
        x86_push(&st, bytes, frame);
    }
    st.sp = (st.sp & ~st.mask) | ((st.sp - size) & st.mask);
    /* The new top must be writable, or the next push would fault with a frame half made. */
    X86Stack probe = st;
    (void)x86_peek(&probe, bytes, 0);
    x86_commit_sp(cpu, &st);
    s->gpr[X86_RBP] = bytes == 2 ? (s->gpr[X86_RBP] & ~UINT64_C(0xffff)) | (frame & 0xffff) :
                      bytes == 4 ? (uint32_t)frame : frame;
}

/* --- interrupts --- */

void x86_help_int(TcgCpu *tcg, uint32_t vector, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;

    if ((vector & X86_INT_CHECKS_VM) && (s->eflags & FLAG_VM) &&
        (s->eflags & FLAG_IOPL) != FLAG_IOPL) {
        x86_raise_gp(cpu);
    }
    x86_raise_software(cpu, vector & 0xff, next_rip);
}

void x86_help_into(TcgCpu *tcg, uint32_t is_overflow, uint64_t next_rip)
{
    if (is_overflow) {
        x86_raise_software(x86_cpu_of(tcg), VECTOR_OF, next_rip);
    }
}

void x86_help_int1(TcgCpu *tcg)
{
    x86_raise_debug(x86_cpu_of(tcg), EVENT_TRAP, 0);
}

void x86_help_bound(TcgCpu *tcg, uint32_t index, uint32_t low, uint32_t high)
{
    if ((int32_t)index < (int32_t)low || (int32_t)index > (int32_t)high) {
        x86_raise(x86_cpu_of(tcg), VECTOR_BR);
    }
}

/* --- far transfers --- */

static void log_transfer(X86Cpu *cpu, const char *what, uint16_t selector, uint64_t offset)
{
    if (log_enabled(LOG_PCALL) && (cpu->state.cr0 & CR0_PE)) {
        x86_log_state(cpu, "%s %04x:%016" PRIx64 "\n", what, selector, offset);
    }
}

void x86_help_far(TcgCpu *tcg, uint32_t selector, uint64_t offset, uint32_t what,
                  uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    unsigned bytes = what & 0xff;

    log_transfer(cpu, what & X86_FAR_CALL ? "lcall" : "ljmp", selector, offset);
    x86_take_rip(&cpu->state);
    if (what & X86_FAR_CALL) {
        x86_far_call(cpu, selector, offset, bytes, next_rip);
    } else {
        x86_far_jump(cpu, selector, offset, bytes, next_rip);
    }
    x86_give_rip(&cpu->state);
}

void x86_help_far_return(TcgCpu *tcg, uint32_t bytes, uint32_t released)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    log_transfer(cpu, "lret from", cpu->state.seg[X86_CS].selector, x86_rip(&cpu->state));
    x86_take_rip(&cpu->state);
    x86_far_return(cpu, bytes, released);
    x86_give_rip(&cpu->state);
}

void x86_help_iret(TcgCpu *tcg, uint32_t bytes, uint64_t next_rip)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    log_transfer(cpu, "iret from", cpu->state.seg[X86_CS].selector, x86_rip(&cpu->state));
    x86_take_rip(&cpu->state);
    x86_iret(cpu, bytes, next_rip);
    x86_give_rip(&cpu->state);
    x86_interrupts_changed(cpu);
}

/* --- flags --- */

void x86_help_load_flags(TcgCpu *tcg, uint32_t value, uint32_t mask)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    uint32_t before = cpu->state.eflags;

    x86_put_eflags(&cpu->state, value, mask);
    if ((cpu->state.eflags ^ before) & X86_MODE_EFLAGS) {
        x86_update_mode(cpu);
    }
    if (cpu->state.eflags & FLAG_IF) {
        x86_interrupts_changed(cpu);
    }
}

void x86_help_sti(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;

    if (!(s->eflags & FLAG_IF)) {
        s->eflags |= FLAG_IF;
        s->shadow = X86_SHADOW_STI;
        x86_update_mode(cpu);
    }
}

void x86_help_set_ac(TcgCpu *tcg, uint32_t is_set)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    cpu->state.eflags = (cpu->state.eflags & ~FLAG_AC) | (is_set ? FLAG_AC : 0);
    x86_update_mode(cpu);
}

void x86_help_clear_shadow(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    cpu->state.svm.shadow_pc = cpu->state.pc;
    cpu->state.shadow = 0;
    x86_update_mode(cpu);
    x86_interrupts_changed(cpu);
}

/* --- debugging --- */

/* After an instruction that ran alone: the traps it has met, and a step's (`bits`). */
void x86_help_step(TcgCpu *tcg, uint32_t bits)
{
    X86State *s = &x86_cpu_of(tcg)->state;

    bits |= s->debug_pending | tcg_take_watch_hits(tcg);
    s->debug_pending = 0;
    if (bits) {
        x86_raise_debug(x86_cpu_of(tcg), EVENT_TRAP, bits);
    }
}

void x86_watch_hit(TcgCpu *tcg, unsigned hits)
{
    X86State *s = &x86_cpu_of(tcg)->state;

    if (s->shadow == X86_SHADOW_SS) {
        /* After the next instruction. */
        s->debug_pending |= hits;
    } else {
        x86_raise_debug(x86_cpu_of(tcg), EVENT_TRAP, hits);
    }
}

/* Before an instruction, while DR7 has breakpoints on execution. */
void x86_help_breakpoint(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    uint64_t hits = 0;

    for (unsigned n = 0; n < 4; n++) {
        hits |= x86_break_type(s, n) == X86_BREAK_CODE && s->dr[n] == s->pc ? BIT64(n) : 0;
    }
    if (hits && !(s->eflags & FLAG_RF)) {
        x86_raise_debug(cpu, EVENT_FAULT, hits);
    }
    s->eflags &= ~FLAG_RF;
    x86_update_mode(cpu);
}
