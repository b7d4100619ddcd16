/*
 * Far jumps, calls and returns: segments, call gates, task gates and TSSs. SDM volume 2 (JMP, CALL,
 * RET), volume 3 chapter 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/segment.h"

/* A far transfer, being made. */
typedef struct Far {
    X86Cpu *cpu;
    X86State *s;
    uint16_t selector;
    uint64_t offset;
    unsigned bytes;      /* of what is pushed */
    uint64_t next_rip;
    bool is_call;
    X86Descriptor d;     /* of the selector: code, gate, TSS */
} Far;

static _Noreturn void bad(X86Cpu *cpu, unsigned vector, uint16_t selector)
{
    x86_raise_error(cpu, vector, selector_error(selector));
}

static void check_present(X86Cpu *cpu, const X86Descriptor *d, uint16_t selector)
{
    if (!desc_is_present(d)) {
        bad(cpu, VECTOR_NP, selector);
    }
}

/* Both L and D at once mean nothing in long mode. */
static bool is_bad_code(const X86State *s, const X86Descriptor *d)
{
    return x86_is_long(s) && (desc_access(d) & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB);
}

static void take_code(Far *f, X86Segment cs, uint64_t rip)
{
    x86_set_segment(f->cpu, X86_CS, cs);
    f->s->rip = rip;
}

static void push_return(Far *f, X86Stack *st, unsigned bytes)
{
    x86_push(st, bytes, f->s->seg[X86_CS].selector);
    x86_push(st, bytes, f->next_rip);
}

/* --- real and virtual-8086 mode --- */

static void go_real(Far *f)
{
    X86Stack st = x86_current_stack(f->cpu);
    X86Segment cs = x86_real_segment(f->cpu, X86_CS, f->selector);

    if (f->offset > cs.limit) {
        x86_raise_gp(f->cpu);
    }
    if (f->is_call) {
        push_return(f, &st, f->bytes);
        x86_commit_sp(f->cpu, &st);
    }
    take_code(f, cs, f->offset);
}

/* --- to a code segment --- */

static void check_direct(Far *f)
{
    unsigned cpl = x86_cpl(f->s), dpl = desc_dpl(&f->d);
    bool is_conforming = desc_is_conforming(&f->d);

    if (is_bad_code(f->s, &f->d) ||
        (is_conforming ? dpl > cpl : dpl != cpl || (f->selector & 3u) > cpl)) {
        bad(f->cpu, VECTOR_GP, f->selector);
    }
    check_present(f->cpu, &f->d, f->selector);
}

static void go_direct(Far *f)
{
    X86Stack st = x86_current_stack(f->cpu);
    X86Segment cs;

    check_direct(f);
    cs = x86_code_segment(&f->d, f->selector, x86_cpl(f->s));
    x86_check_target(f->cpu, &cs, f->offset);
    if (f->is_call) {
        push_return(f, &st, f->bytes);
    }
    x86_set_accessed(f->cpu, &f->d);
    cs.access |= SEG_ACCESSED;
    if (f->is_call) {
        x86_commit_sp(f->cpu, &st);
    }
    take_code(f, cs, f->offset);
}

/* --- through a call gate --- */

static void get_gate_target(Far *f, uint16_t selector, X86Descriptor *code)
{
    unsigned cpl = x86_cpl(f->s);

    if (is_null_selector(selector)) {
        x86_raise_gp(f->cpu);
    }
    x86_get_descriptor(f->cpu, selector, VECTOR_GP, code);
    if (!desc_is_code(code) || desc_dpl(code) > cpl ||
        (!f->is_call && !desc_is_conforming(code) && desc_dpl(code) != cpl) ||
        (x86_is_long(f->s) && (desc_access(code) & (SEG_L | SEG_DB)) != SEG_L)) {
        bad(f->cpu, VECTOR_GP, selector);
    }
    check_present(f->cpu, code, selector);
}

/* The caller's parameters, from its stack to the inner one. */
static void copy_parameters(Far *f, X86Stack *to, unsigned bytes)
{
    X86Stack from = x86_current_stack(f->cpu);

    for (unsigned n = f->d.high & 31; n > 0; n--) {
        x86_push(to, bytes, x86_peek(&from, bytes, (n - 1) * bytes));
    }
}

static X86Stack inner_stack64(Far *f, unsigned dpl)
{
    return (X86Stack){ .cpu = f->cpu, .mask = UINT64_MAX, .is_64 = true,
                       .sp = x86_tss64_stack(f->cpu, 4 + 8 * dpl),
                       .mmu = x86_mmu_for_cpl(f->s, dpl),
                       .seg = { .selector = dpl, .access = SEG_NULL | dpl << SEG_DPL_SHIFT } };
}

static void call_inner(Far *f, X86Descriptor *code, uint16_t selector, unsigned bytes)
{
    unsigned dpl = desc_dpl(code);
    bool is_long = x86_is_long(f->s);
    X86Stack st = is_long ? inner_stack64(f, dpl) : x86_inner_stack(f->cpu, dpl);
    X86Segment cs = x86_code_segment(code, selector, dpl);

    x86_check_target(f->cpu, &cs, desc_gate_offset(&f->d));
    x86_push(&st, bytes, f->s->seg[X86_SS].selector);
    x86_push(&st, bytes, f->s->gpr[X86_RSP]);
    if (!is_long) {
        copy_parameters(f, &st, bytes);
    }
    push_return(f, &st, bytes);
    x86_set_accessed(f->cpu, code);
    cs.access |= SEG_ACCESSED;
    x86_set_segment(f->cpu, X86_SS, st.seg);
    take_code(f, cs, desc_gate_offset(&f->d));
    x86_commit_sp(f->cpu, &st);
}

static void go_through_same_level(Far *f, X86Descriptor *code, uint16_t selector, unsigned bytes)
{
    X86Stack st = x86_current_stack(f->cpu);
    X86Segment cs = x86_code_segment(code, selector, x86_cpl(f->s));

    x86_check_target(f->cpu, &cs, desc_gate_offset(&f->d));
    if (f->is_call) {
        push_return(f, &st, bytes);
    }
    x86_set_accessed(f->cpu, code);
    cs.access |= SEG_ACCESSED;
    if (f->is_call) {
        x86_commit_sp(f->cpu, &st);
    }
    take_code(f, cs, desc_gate_offset(&f->d));
}

static void check_gate_privilege(Far *f)
{
    if (desc_dpl(&f->d) < MAX(x86_cpl(f->s), f->selector & 3u)) {
        bad(f->cpu, VECTOR_GP, f->selector);
    }
    check_present(f->cpu, &f->d, f->selector);
}

static void go_through_gate(Far *f)
{
    bool is_long = x86_is_long(f->s);
    unsigned bytes = is_long ? 8 : desc_type(&f->d) & 8 ? 4 : 2;
    uint16_t selector = desc_gate_selector(&f->d);
    X86Descriptor code;

    check_gate_privilege(f);
    get_gate_target(f, selector, &code);
    if (f->is_call && !desc_is_conforming(&code) && desc_dpl(&code) < x86_cpl(f->s)) {
        call_inner(f, &code, selector, bytes);
    } else {
        go_through_same_level(f, &code, selector, bytes);
    }
}

/* --- to a task --- */

static void go_to_task(Far *f, uint16_t selector)
{
    x86_switch_task(f->cpu, selector, f->is_call ? TASK_CALL : TASK_JMP, f->next_rip);
}

static void go_system(Far *f)
{
    bool is_long = x86_is_long(f->s);

    switch (desc_type(&f->d)) {
    case DESC_CALL16:
    case DESC_CALL:
        if (is_long && desc_type(&f->d) == DESC_CALL16) {
            break;
        }
        go_through_gate(f);
        return;
    case DESC_TASK:
        if (is_long) {
            break;
        }
        check_gate_privilege(f);
        go_to_task(f, desc_gate_selector(&f->d));
        return;
    case DESC_TSS16:
    case DESC_TSS:
        if (is_long) {
            break;
        }
        check_gate_privilege(f);
        go_to_task(f, f->selector);
        return;
    default:
        break;
    }
    bad(f->cpu, VECTOR_GP, f->selector);
}

static void go(Far *f)
{
    f->s = &f->cpu->state;
    f->offset &= f->bytes == 2 ? 0xffff : f->bytes == 4 ? UINT32_MAX : UINT64_MAX;
    if (!x86_is_protected(f->s)) {
        go_real(f);
        return;
    }
    if (is_null_selector(f->selector)) {
        x86_raise_gp(f->cpu);
    }
    if (!x86_find_system_descriptor(f->cpu, f->selector, &f->d)) {
        bad(f->cpu, VECTOR_GP, f->selector);
    }
    if (desc_is_system(&f->d)) {
        go_system(f);
    } else if (desc_is_code(&f->d)) {
        go_direct(f);
    } else {
        bad(f->cpu, VECTOR_GP, f->selector);
    }
}

void x86_far_jump(X86Cpu *cpu, uint16_t selector, uint64_t offset, unsigned bytes,
                  uint64_t next_rip)
{
    Far f = { .cpu = cpu, .selector = selector, .offset = offset, .bytes = bytes,
              .next_rip = next_rip };

    go(&f);
}

void x86_far_call(X86Cpu *cpu, uint16_t selector, uint64_t offset, unsigned bytes,
                  uint64_t next_rip)
{
    Far f = { .cpu = cpu, .selector = selector, .offset = offset, .bytes = bytes,
              .next_rip = next_rip, .is_call = true };

    go(&f);
}
