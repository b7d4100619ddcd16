/*
 * Far returns and IRET: to the same level, outer levels, virtual-8086 mode, another task. SDM
 * volume 2 (RET, IRET).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/flags.h"
#include "target/i386/segment.h"

/* A return, being made. */
typedef struct Return {
    X86Cpu *cpu;
    X86State *s;
    X86Stack st;
    unsigned bytes;
    unsigned released;   /* parameters: RET n */
    bool is_iret;
    uint64_t rip;
    uint16_t selector;
    uint32_t eflags;
    X86Descriptor code;
    X86Segment cs, ss;
    uint64_t rsp;
    unsigned old_cpl;
} Return;

static _Noreturn void bad(X86Cpu *cpu, unsigned vector, uint16_t selector)
{
    x86_raise_error(cpu, vector, selector_error(selector));
}

static uint32_t width_mask(unsigned bytes)
{
    return bytes == 2 ? 0xffff : UINT32_MAX;
}

static void pop_target(Return *r)
{
    r->st = x86_current_stack(r->cpu);
    r->rip = x86_pop(&r->st, r->bytes);
    r->selector = x86_pop(&r->st, r->bytes);
    if (r->is_iret) {
        r->eflags = x86_pop(&r->st, r->bytes);
    }
}

/* Which flags IRET may change, from this privilege level. */
static uint32_t changeable_flags(const X86State *s, unsigned bytes)
{
    uint32_t mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID;
    unsigned cpl = x86_cpl(s), iopl = s->eflags >> 12 & 3;

    mask |= cpl == 0 ? FLAG_IOPL | FLAG_VIF | FLAG_VIP : 0;
    mask |= cpl <= iopl ? FLAG_IF : 0;
    return mask & width_mask(bytes);
}

/* --- real and virtual-8086 mode --- */

static void return_real(Return *r)
{
    X86Segment cs;

    pop_target(r);
    cs = x86_real_segment(r->cpu, X86_CS, r->selector);
    if (r->rip > cs.limit) {
        x86_raise_gp(r->cpu);
    }
    r->st.sp = (r->st.sp & ~r->st.mask) | ((r->st.sp + r->released) & r->st.mask);
    x86_commit_sp(r->cpu, &r->st);
    x86_set_segment(r->cpu, X86_CS, cs);
    r->s->rip = r->rip;
    if (r->is_iret) {
        uint32_t mask = FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC |
                        FLAG_ID | (r->s->eflags & FLAG_VM ? 0 : FLAG_IOPL);

        x86_load_eflags(r->cpu, r->eflags, mask & width_mask(r->bytes));
    }
}

/* --- protected and long mode --- */

static void check_code(Return *r)
{
    unsigned rpl = r->selector & 3;
    uint32_t access;

    if (is_null_selector(r->selector)) {
        x86_raise_gp(r->cpu);
    }
    x86_get_descriptor(r->cpu, r->selector, VECTOR_GP, &r->code);
    access = desc_access(&r->code);
    if (!desc_is_code(&r->code) || rpl < r->old_cpl ||
        (desc_is_conforming(&r->code) ? desc_dpl(&r->code) > rpl : desc_dpl(&r->code) != rpl) ||
        (x86_is_long(r->s) && (access & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB))) {
        bad(r->cpu, VECTOR_GP, r->selector);
    }
    if (!desc_is_present(&r->code)) {
        bad(r->cpu, VECTOR_NP, r->selector);
    }
    r->cs = x86_segment_from(&r->code, r->selector);
    x86_check_target(r->cpu, &r->cs, r->rip);
}

/* SS may be null when the target runs in 64-bit mode above level 3. */
static void check_stack(Return *r, uint16_t selector)
{
    unsigned rpl = r->selector & 3;

    if (is_null_selector(selector) && x86_is_long(r->s) && (r->cs.access & SEG_L) && rpl != 3 &&
        (selector & 3u) == rpl) {
        r->ss = (X86Segment){ .selector = selector,
                              .access = SEG_NULL | rpl << SEG_DPL_SHIFT };
        return;
    }
    r->ss = x86_checked_stack(r->cpu, selector, rpl, VECTOR_GP);
}

/* The mode follows, with the segments. */
static void take_flags(Return *r)
{
    if (r->is_iret) {
        x86_put_eflags(r->s, r->eflags, changeable_flags(r->s, r->bytes));
    }
}

static void return_same_level(Return *r)
{
    x86_set_accessed(r->cpu, &r->code);
    r->st.sp = (r->st.sp & ~r->st.mask) | ((r->st.sp + r->released) & r->st.mask);
    take_flags(r);
    x86_commit_sp(r->cpu, &r->st);
    r->cs.access |= SEG_ACCESSED;
    x86_set_segment(r->cpu, X86_CS, r->cs);
    r->s->rip = r->rip;
}

static uint64_t sp_mask(const Return *r)
{
    bool is_64 = x86_is_long(r->s) && (r->cs.access & SEG_L);

    return is_64 ? UINT64_MAX : r->ss.access & SEG_DB ? UINT32_MAX : 0xffff;
}

static void return_outer_level(Return *r)
{
    unsigned rpl = r->selector & 3;
    uint64_t mask = sp_mask(r);

    x86_set_accessed(r->cpu, &r->code);
    take_flags(r);
    r->cs.access |= SEG_ACCESSED;
    r->s->seg[X86_CS] = r->cs;
    if (rpl > r->old_cpl) {
        r->s->seg[X86_SS] = r->ss;
        x86_drop_inner_segments(r->cpu, rpl);
    } else {
        x86_set_segment(r->cpu, X86_SS, r->ss);
    }
    r->rsp += r->released;
    r->s->gpr[X86_RSP] = mask == 0xffff ? (r->s->gpr[X86_RSP] & ~mask) | (r->rsp & mask)
                                        : r->rsp & mask;
    r->s->rip = r->rip;
}

static void return_protected(Return *r)
{
    bool pops_stack;

    pop_target(r);
    check_code(r);
    pops_stack = (r->selector & 3u) != r->old_cpl || (r->is_iret && x86_is_code64(r->s));
    if (!pops_stack) {
        return_same_level(r);
        return;
    }
    r->st.sp = (r->st.sp & ~r->st.mask) | ((r->st.sp + r->released) & r->st.mask);
    r->rsp = x86_pop(&r->st, r->bytes);
    check_stack(r, x86_pop(&r->st, r->bytes));
    return_outer_level(r);
}

/* IRET to virtual-8086 mode, at level 0. */
static void return_to_vm(Return *r)
{
    static const uint8_t regs[] = { X86_ES, X86_DS, X86_FS, X86_GS };
    X86State *s = r->s;
    uint16_t selectors[X86_SEGMENTS] = { [X86_CS] = r->selector };

    r->rsp = x86_pop(&r->st, 4);
    selectors[X86_SS] = x86_pop(&r->st, 4);
    for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
        selectors[regs[i]] = x86_pop(&r->st, 4);
    }
    x86_load_eflags(r->cpu, r->eflags, FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL |
                    FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP | FLAG_ID);
    for (unsigned reg = X86_ES; reg <= X86_GS; reg++) {
        s->seg[reg] = x86_real_segment(r->cpu, reg, selectors[reg]);
    }
    s->gpr[X86_RSP] = (uint32_t)r->rsp;
    s->rip = r->rip & 0xffff;
    x86_update_mode(r->cpu);
}

static void return_from_task(X86Cpu *cpu, uint64_t next_rip)
{
    X86State *s = &cpu->state;
    uint16_t link = x86_read(cpu, s->seg[X86_TR].base, 2, x86_mmu_system(s));

    if (link & 4) {
        bad(cpu, VECTOR_TS, link);
    }
    x86_switch_task(cpu, link, TASK_IRET, next_rip);
}

void x86_far_return(X86Cpu *cpu, unsigned bytes, unsigned released)
{
    Return r = { .cpu = cpu, .s = &cpu->state, .bytes = bytes, .released = released,
                 .old_cpl = x86_cpl(&cpu->state) };

    if (x86_is_protected(r.s)) {
        return_protected(&r);
    } else {
        return_real(&r);
    }
}

static bool try_return_to_vm(const Return *r)
{
    Return probe = *r;

    if (r->bytes != 4 || r->old_cpl != 0 || x86_is_long(r->s)) {
        return false;
    }
    pop_target(&probe);
    if (probe.eflags & FLAG_VM) {
        return_to_vm(&probe);
    }
    return probe.eflags & FLAG_VM;
}

void x86_iret(X86Cpu *cpu, unsigned bytes, uint64_t next_rip)
{
    X86State *s = &cpu->state;
    Return r = { .cpu = cpu, .s = s, .bytes = bytes, .is_iret = true, .old_cpl = x86_cpl(s) };

    if ((s->eflags & FLAG_VM) && (s->eflags & FLAG_IOPL) != FLAG_IOPL) {
        x86_raise_gp(cpu);
    }
    if (!x86_is_protected(s)) {
        return_real(&r);
    } else if (s->eflags & FLAG_NT) {
        if (x86_is_long(s)) {
            x86_raise_gp(cpu);
        }
        return_from_task(cpu, next_rip);
    } else if (!try_return_to_vm(&r)) {
        return_protected(&r);
    }
    s->is_nmi_blocked = false;
}
