/*
 * Task state segments: stacks of inner levels, the I/O permission map, hardware task switches. SDM
 * volume 3, chapter 8, volume 1 chapter 19.
 *
 * What is wrong with the new task's segments is raised in the new task, as hardware does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"
#include "target/i386/flags.h"
#include "target/i386/segment.h"
#include "target/i386/svm.h"

#define TSS32_BYTES 0x68
#define TSS16_BYTES 0x2c
#define TSS32_TRAP  0x64
#define TSS32_IOMAP 0x66
#define TSS32_CR3   0x1c

/* Where a TSS keeps what it keeps; registers and segments stand in their encoded order. */
typedef struct TssShape {
    uint8_t bytes; /* of a register */
    uint8_t rip, eflags, gpr, segments, segment_count, segment_stride, ldt;
    uint8_t size;
} TssShape;
static const TssShape tss32 = { 4, 0x20, 0x24, 0x28, 0x48, 6, 4, 0x60, TSS32_BYTES };
static const TssShape tss16 = { 2, 0x0e, 0x10, 0x12, 0x22, 4, 2, 0x2a, TSS16_BYTES };

typedef struct Task {
    X86Cpu *cpu;
    X86State *s;
    X86Mmu mmu;
    X86Descriptor d;
    const TssShape *old_shape, *shape;
    uint64_t old_base, base;
    /* the new task's */
    uint64_t cr3, gpr[8];
    uint32_t rip, eflags;
    uint16_t selectors[6], ldt;
    bool is_trapping;
} Task;

static const TssShape *shape_of(unsigned type)
{
    return type & 8 ? &tss32 : &tss16;
}

/* --- stacks --- */

X86Stack x86_inner_stack(X86Cpu *cpu, unsigned dpl)
{
    const X86Segment *tr = &cpu->state.seg[X86_TR];
    const TssShape *shape = shape_of(tr->access & SEG_TYPE);
    unsigned at = shape->bytes + dpl * 2 * shape->bytes;
    X86Mmu mmu = x86_mmu_system(&cpu->state);
    uint64_t sp;
    uint16_t selector;

    if (at + 2 * shape->bytes - 1 > tr->limit) {
        x86_raise_error(cpu, VECTOR_TS, selector_error(tr->selector));
    }
    sp = x86_read(cpu, tr->base + at, shape->bytes, mmu);
    selector = x86_read(cpu, tr->base + at + shape->bytes, 2, mmu);
    X86Stack st = x86_stack_at(cpu, x86_checked_stack(cpu, selector, dpl, VECTOR_TS), sp, dpl);
    st.error = selector_error(selector);
    return st;
}

uint64_t x86_tss64_stack(X86Cpu *cpu, unsigned offset)
{
    const X86Segment *tr = &cpu->state.seg[X86_TR];
    uint64_t rsp;

    if (offset + 7 > tr->limit) {
        x86_raise_error(cpu, VECTOR_TS, selector_error(tr->selector));
    }
    rsp = x86_read(cpu, tr->base + offset, 8, x86_mmu_system(&cpu->state));
    if (!x86_is_canonical(&cpu->state, rsp)) {
        x86_raise_error(cpu, VECTOR_SS, 0);
    }
    return rsp;
}

bool x86_tss_opens_port(X86Cpu *cpu, uint16_t port, unsigned bytes)
{
    const X86Segment *tr = &cpu->state.seg[X86_TR];
    X86Mmu mmu = x86_mmu_system(&cpu->state);
    uint32_t at, bits;

    if (!(tr->access & 8) || (tr->access & SEG_NULL) || tr->limit < TSS32_IOMAP + 1) {
        return false;
    }
    at = x86_read(cpu, tr->base + TSS32_IOMAP, 2, mmu) + port / 8;
    if (at + 1 > tr->limit) {
        return false;
    }
    bits = x86_read(cpu, tr->base + at, 2, mmu);
    return !(bits >> (port & 7) & ((1u << bytes) - 1));
}

/* --- task switches --- */

static _Noreturn void bad(X86Cpu *cpu, unsigned vector, uint16_t selector)
{
    x86_raise_error(cpu, vector, selector_error(selector));
}

/* The descriptor of the new TSS: busy exactly if we return to it. */
static void find_tss(Task *t, uint16_t selector, X86TaskSwitch kind)
{
    unsigned vector = kind == TASK_IRET ? VECTOR_TS : VECTOR_GP;
    unsigned type;
    bool is_busy;

    if ((selector & 4) || !x86_find_descriptor(t->cpu, selector, &t->d) ||
        is_null_selector(selector) || !desc_is_system(&t->d)) {
        bad(t->cpu, vector, selector);
    }
    type = desc_type(&t->d);
    is_busy = type & 2;
    if ((type & ~10u) != DESC_TSS16 || is_busy != (kind == TASK_IRET)) {
        bad(t->cpu, vector, selector);
    }
    if (!desc_is_present(&t->d)) {
        bad(t->cpu, VECTOR_NP, selector);
    }
    t->shape = shape_of(type);
    t->base = desc_base(&t->d);
    if (desc_limit(&t->d) < t->shape->size - 1u) {
        bad(t->cpu, VECTOR_TS, selector);
    }
}

static uint64_t get(Task *t, unsigned at, unsigned bytes)
{
    return x86_read(t->cpu, t->base + at, bytes, t->mmu);
}

static void read_task(Task *t)
{
    const TssShape *shape = t->shape;

    t->cr3 = shape == &tss32 ? get(t, TSS32_CR3, 4) : 0;
    t->rip = get(t, shape->rip, shape->bytes);
    t->eflags = get(t, shape->eflags, shape->bytes);
    for (unsigned n = 0; n < 8; n++) {
        t->gpr[n] = get(t, shape->gpr + n * shape->bytes, shape->bytes);
        t->gpr[n] |= shape == &tss16 ? 0xffff0000 : 0;
    }
    for (unsigned n = 0; n < shape->segment_count; n++) {
        t->selectors[n] = get(t, shape->segments + n * shape->segment_stride, 2);
    }
    t->ldt = get(t, shape->ldt, 2);
    t->is_trapping = shape == &tss32 && (get(t, TSS32_TRAP, 2) & 1);
}

static void put(Task *t, unsigned at, unsigned bytes, uint64_t value)
{
    x86_write(t->cpu, t->old_base + at, bytes, value, t->mmu);
}

static void save_task(Task *t, uint64_t rip, uint32_t eflags)
{
    const TssShape *shape = t->old_shape;

    x86_check_writable(t->cpu, t->old_base, shape->size, t->mmu);
    put(t, shape->rip, shape->bytes, rip);
    put(t, shape->eflags, shape->bytes, eflags);
    for (unsigned n = 0; n < 8; n++) {
        put(t, shape->gpr + n * shape->bytes, shape->bytes, t->s->gpr[n]);
    }
    for (unsigned n = 0; n < shape->segment_count; n++) {
        put(t, shape->segments + n * shape->segment_stride, 2, t->s->seg[n].selector);
    }
}

static void take_registers(Task *t)
{
    X86State *s = t->s;
    uint32_t all = FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT;

    if (s->cr0 & CR0_PG && t->shape == &tss32) {
        s->cr3 = t->cr3;
        x86_flush_all(t->cpu, false);
    }
    all |= t->shape == &tss32 ? FLAG_RF | FLAG_VM | FLAG_AC | FLAG_ID | FLAG_VIF | FLAG_VIP : 0;
    x86_load_eflags(t->cpu, t->eflags, all);
    memcpy(s->gpr, t->gpr, sizeof(t->gpr));
    s->rip = t->rip;
    for (unsigned n = 0; n < 6; n++) {
        unsigned dpl = s->eflags & FLAG_VM ? 3 : t->selectors[X86_CS] & 3;

        s->seg[n] = (X86Segment){ .selector = t->selectors[n],
                                  .access = SEG_NULL | dpl << SEG_DPL_SHIFT };
    }
    s->seg[X86_LDTR] = (X86Segment){ .selector = t->ldt, .access = SEG_NULL };
    s->cr0 |= CR0_TS;
    s->dr[7] &= ~UINT64_C(0x155);
    x86_update_mode(t->cpu);
    x86_give_rip(s);
}

static void load_ldt(Task *t)
{
    X86Descriptor d;

    if (is_null_selector(t->ldt)) {
        return;
    }
    if ((t->ldt & 4) || !x86_find_descriptor(t->cpu, t->ldt, &d) || !desc_is_system(&d) ||
        desc_type(&d) != DESC_LDT || !desc_is_present(&d)) {
        bad(t->cpu, VECTOR_TS, t->ldt);
    }
    t->s->seg[X86_LDTR] = x86_segment_from(&d, t->ldt);
}

static void load_code(Task *t)
{
    uint16_t selector = t->selectors[X86_CS];
    unsigned rpl = selector & 3;
    X86Descriptor d;

    x86_get_descriptor(t->cpu, selector, VECTOR_TS, &d);
    if (!desc_is_code(&d) ||
        (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl)) {
        bad(t->cpu, VECTOR_TS, selector);
    }
    if (!desc_is_present(&d)) {
        bad(t->cpu, VECTOR_NP, selector);
    }
    x86_set_accessed(t->cpu, &d);
    x86_set_segment(t->cpu, X86_CS, x86_segment_from(&d, selector));
    x86_give_rip(t->s);
}

static void load_data(Task *t, unsigned reg)
{
    uint16_t selector = t->selectors[reg];
    unsigned cpl = x86_cpl(t->s);
    X86Descriptor d;

    if (is_null_selector(selector)) {
        return;
    }
    x86_get_descriptor(t->cpu, selector, VECTOR_TS, &d);
    if (desc_is_system(&d) || (desc_is_code(&d) && !(desc_access(&d) & SEG_READABLE)) ||
        (!(desc_is_code(&d) && desc_is_conforming(&d)) &&
         MAX(selector & 3u, cpl) > desc_dpl(&d))) {
        bad(t->cpu, VECTOR_TS, selector);
    }
    if (!desc_is_present(&d)) {
        bad(t->cpu, VECTOR_NP, selector);
    }
    x86_set_accessed(t->cpu, &d);
    x86_set_segment(t->cpu, reg, x86_segment_from(&d, selector));
}

static void load_segments(Task *t)
{
    static const uint8_t data[] = { X86_ES, X86_DS, X86_FS, X86_GS };
    X86State *s = t->s;

    if (s->eflags & FLAG_VM) {
        for (unsigned reg = X86_ES; reg <= X86_GS; reg++) {
            s->seg[reg] = x86_real_segment(t->cpu, reg, t->selectors[reg]);
        }
        x86_update_mode(t->cpu);
        x86_give_rip(s);
        load_ldt(t);
        return;
    }
    load_ldt(t);
    x86_set_segment(t->cpu, X86_SS, x86_checked_stack(t->cpu, t->selectors[X86_SS],
                                                      t->selectors[X86_CS] & 3, VECTOR_TS));
    load_code(t);
    for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
        load_data(t, data[i]);
    }
}

void x86_switch_task(X86Cpu *cpu, uint16_t selector, X86TaskSwitch kind, uint64_t next_rip)
{
    X86State *s = &cpu->state;
    X86Segment old = s->seg[X86_TR];
    Task t = { .cpu = cpu, .s = s, .mmu = x86_mmu_system(s), .old_base = old.base,
               .old_shape = shape_of(old.access & SEG_TYPE) };
    uint32_t eflags = x86_eflags(s);
    uint64_t old_at = s->gdt.base + (old.selector & ~7u);

    x86_svm_check_task(cpu, selector, kind == TASK_IRET, kind == TASK_JMP);

    find_tss(&t, selector, kind);
    read_task(&t);
    save_task(&t, next_rip, kind == TASK_IRET ? eflags & ~FLAG_NT : eflags);
    if (kind != TASK_CALL) {
        x86_set_busy(cpu, old_at, false);
    } else {
        x86_write(cpu, t.base, 2, old.selector, t.mmu);
        t.eflags |= FLAG_NT;
    }
    if (kind != TASK_IRET) {
        x86_set_busy(cpu, t.d.at, true);
    }
    t.d.high |= BIT(9);
    s->seg[X86_TR] = x86_segment_from(&t.d, selector);
    take_registers(&t);
    load_segments(&t);
    x86_check_target(cpu, &s->seg[X86_CS], s->rip);
    if (t.is_trapping) {
        x86_raise_debug(cpu, EVENT_TRAP, DR6_BT);
    }
}

void x86_push_task_error(X86Cpu *cpu, uint32_t error)
{
    X86Stack st = x86_current_stack(cpu);

    x86_push(&st, cpu->state.seg[X86_TR].access & 8 ? 4 : 2, error);
    x86_commit_sp(cpu, &st);
}
