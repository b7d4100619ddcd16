/*
 * Entering the handler of an exception or interrupt: real mode, protected mode with task gates and
 * privilege changes, virtual-8086 mode, long mode with IST. SDM volume 3, chapters 6 and 20.
 *
 * Left out: virtual-8086 mode extensions (CR4.VME) and shadow stacks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/flags.h"
#include "target/i386/segment.h"
#include "util/log.h"

/* A transfer to a handler, being made. */
typedef struct Entry {
    X86Cpu *cpu;
    X86State *s;
    X86Event event;
    X86Descriptor gate;
    X86Descriptor code;
    uint16_t selector;
    unsigned cpl;          /* the handler's */
    uint64_t return_rip;
    uint32_t return_flags;
} Entry;

static uint32_t idt_error(const Entry *e)
{
    return e->event.vector * 8 + 2;
}

static bool is_software(const Entry *e)
{
    return e->event.kind == EVENT_SOFTWARE;
}

/* --- real mode --- */

static void enter_real(Entry *e)
{
    X86State *s = e->s;
    X86Stack st = x86_current_stack(e->cpu);
    uint64_t at = e->event.vector * 4;
    X86Segment cs;

    if (at + 3 > s->idt.limit) {
        x86_raise_error(e->cpu, VECTOR_GP, idt_error(e));
    }
    at += s->idt.base;
    uint16_t ip = x86_read(e->cpu, at, 2, X86_MMU_SUPERVISOR);
    uint16_t selector = x86_read(e->cpu, at + 2, 2, X86_MMU_SUPERVISOR);
    x86_push(&st, 2, e->return_flags);
    x86_push(&st, 2, s->seg[X86_CS].selector);
    x86_push(&st, 2, e->return_rip);
    x86_commit_sp(e->cpu, &st);
    s->eflags &= ~(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
    cs = x86_real_segment(e->cpu, X86_CS, selector);
    x86_set_segment(e->cpu, X86_CS, cs);
    s->rip = ip;
}

/* --- gates --- */

static void read_gate(Entry *e)
{
    X86State *s = e->s;
    bool is_long = x86_is_long(s);
    X86Mmu mmu = x86_mmu_system(s);
    unsigned bytes = is_long ? 16 : 8;
    uint64_t at = (uint64_t)e->event.vector * bytes;

    if (at + bytes - 1 > s->idt.limit) {
        x86_raise_error(e->cpu, VECTOR_GP, idt_error(e));
    }
    at += s->idt.base;
    e->gate.low = x86_read(e->cpu, at, 4, mmu);
    e->gate.high = x86_read(e->cpu, at + 4, 4, mmu);
    e->gate.upper = is_long ? x86_read(e->cpu, at + 8, 4, mmu) : 0;
}

static void check_gate(Entry *e)
{
    static const uint16_t types[2] = {
        BIT(DESC_TASK) | BIT(DESC_INT16) | BIT(DESC_TRAP16) | BIT(DESC_INT) | BIT(DESC_TRAP),
        BIT(DESC_INT) | BIT(DESC_TRAP),
    };

    if (!desc_is_system(&e->gate) ||
        !(types[x86_is_long(e->s)] >> desc_type(&e->gate) & 1) ||
        (is_software(e) && desc_dpl(&e->gate) < x86_cpl(e->s))) {
        x86_raise_error(e->cpu, VECTOR_GP, idt_error(e));
    }
    if (!desc_is_present(&e->gate)) {
        x86_raise_error(e->cpu, VECTOR_NP, idt_error(e));
    }
}

static void get_handler_code(Entry *e)
{
    uint32_t access;

    e->selector = desc_gate_selector(&e->gate);
    x86_get_descriptor(e->cpu, e->selector, VECTOR_GP, &e->code);
    access = desc_access(&e->code);
    if (!desc_is_code(&e->code) || desc_dpl(&e->code) > x86_cpl(e->s) ||
        (x86_is_long(e->s) && (access & (SEG_L | SEG_DB)) != SEG_L)) {
        x86_raise_error(e->cpu, VECTOR_GP, selector_error(e->selector));
    }
    if (!desc_is_present(&e->code)) {
        x86_raise_error(e->cpu, VECTOR_NP, selector_error(e->selector));
    }
    e->cpl = desc_is_conforming(&e->code) ? x86_cpl(e->s) : desc_dpl(&e->code);
    if ((e->s->eflags & FLAG_VM) && e->cpl != 0) {
        x86_raise_error(e->cpu, VECTOR_GP, selector_error(e->selector));
    }
}

static void take_handler_flags(Entry *e)
{
    bool masks = !(desc_type(&e->gate) & 1);

    e->s->eflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (masks ? FLAG_IF : 0));
}

static void take_handler_code(Entry *e)
{
    X86Segment cs;

    x86_set_accessed(e->cpu, &e->code);
    cs = x86_code_segment(&e->code, e->selector, e->cpl);
    take_handler_flags(e);
    e->s->rip = desc_gate_offset(&e->gate);
    x86_set_segment(e->cpu, X86_CS, cs);
}

/* --- protected mode --- */

static void enter_task(Entry *e)
{
    x86_switch_task(e->cpu, desc_gate_selector(&e->gate), TASK_CALL, e->return_rip);
    if (e->event.has_error) {
        x86_push_task_error(e->cpu, e->event.error);
    }
}

static void push_data_segments(Entry *e, X86Stack *st, unsigned bytes)
{
    static const uint8_t regs[] = { X86_GS, X86_FS, X86_DS, X86_ES };

    for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
        x86_push(st, bytes, e->s->seg[regs[i]].selector);
    }
}

static void push_return(Entry *e, X86Stack *st, unsigned bytes)
{
    x86_push(st, bytes, e->return_flags);
    x86_push(st, bytes, e->s->seg[X86_CS].selector);
    x86_push(st, bytes, e->return_rip);
    if (e->event.has_error) {
        x86_push(st, bytes, e->event.error);
    }
}

static void enter_same_level(Entry *e, unsigned bytes)
{
    X86Stack st = x86_current_stack(e->cpu);
    X86Segment cs = x86_segment_from(&e->code, e->selector);

    st.mmu = x86_mmu_for_cpl(e->s, e->cpl);
    x86_check_target(e->cpu, &cs, desc_gate_offset(&e->gate));
    push_return(e, &st, bytes);
    take_handler_code(e);
    x86_commit_sp(e->cpu, &st);
}

static void enter_inner_level(Entry *e, unsigned bytes)
{
    X86Stack st = x86_inner_stack(e->cpu, e->cpl);
    X86Segment cs = x86_segment_from(&e->code, e->selector);
    bool is_vm = e->s->eflags & FLAG_VM;

    x86_check_target(e->cpu, &cs, desc_gate_offset(&e->gate));
    if (is_vm) {
        push_data_segments(e, &st, bytes);
    }
    x86_push(&st, bytes, e->s->seg[X86_SS].selector);
    x86_push(&st, bytes, e->s->gpr[X86_RSP]);
    push_return(e, &st, bytes);
    take_handler_code(e);
    if (is_vm) {
        static const uint8_t regs[] = { X86_GS, X86_FS, X86_DS, X86_ES };

        for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
            e->s->seg[regs[i]] = (X86Segment){ .access = SEG_NULL };
        }
    }
    x86_set_segment(e->cpu, X86_SS, st.seg);
    x86_commit_sp(e->cpu, &st);
}

static void enter_protected(Entry *e)
{
    read_gate(e);
    check_gate(e);
    if (desc_type(&e->gate) == DESC_TASK) {
        enter_task(e);
        return;
    }
    unsigned bytes = desc_type(&e->gate) & 8 ? 4 : 2;

    get_handler_code(e);
    if (e->cpl < x86_cpl(e->s)) {
        enter_inner_level(e, bytes);
    } else {
        enter_same_level(e, bytes);
    }
}

/* --- long mode --- */

#define TSS64_RSP0 4
#define TSS64_IST1 36

static uint64_t handler_rsp(Entry *e)
{
    unsigned ist = e->gate.high & 7;

    if (ist) {
        return x86_tss64_stack(e->cpu, TSS64_IST1 + 8 * (ist - 1));
    }
    return e->cpl < x86_cpl(e->s) ? x86_tss64_stack(e->cpu, TSS64_RSP0 + 8 * e->cpl)
                                  : e->s->gpr[X86_RSP];
}

static void enter_long(Entry *e)
{
    X86Stack st = { .cpu = e->cpu, .mask = UINT64_MAX, .is_64 = true };
    bool is_inner;

    read_gate(e);
    check_gate(e);
    get_handler_code(e);
    is_inner = e->cpl < x86_cpl(e->s);
    st.sp = handler_rsp(e) & ~UINT64_C(15);
    st.mmu = x86_mmu_for_cpl(e->s, e->cpl);
    if (!x86_is_canonical(e->s, desc_gate_offset(&e->gate))) {
        x86_raise_error(e->cpu, VECTOR_GP, 0);
    }
    x86_push(&st, 8, e->s->seg[X86_SS].selector);
    x86_push(&st, 8, e->s->gpr[X86_RSP]);
    push_return(e, &st, 8);
    take_handler_code(e);
    if (is_inner) {
        x86_set_segment(e->cpu, X86_SS, (X86Segment){
            .selector = e->cpl, .access = SEG_NULL | e->cpl << SEG_DPL_SHIFT });
    }
    e->s->gpr[X86_RSP] = st.sp;
}

/* --- all --- */

static uint32_t flags_to_save(const Entry *e)
{
    uint32_t flags = x86_eflags(e->s);
    bool is_debug = e->event.vector == VECTOR_DB;

    if (e->event.kind == EVENT_FAULT && !is_debug) {
        return flags | FLAG_RF;
    }
    /* Without breakpoints on instructions nobody clears RF after each. */
    return e->s->mode & X86_MODE_BREAKS ? flags : flags & ~FLAG_RF;
}

static void log_entry(const Entry *e)
{
    const X86State *s = e->s;

    x86_log_state(e->cpu, "int: v=%02x e=%04x kind=%d cpl=%u IP=%04x:%016" PRIx64 " SP=%04x:%016" PRIx64
               " CR2=%016" PRIx64 "\n", e->event.vector, e->event.error, e->event.kind,
               x86_cpl(s), s->seg[X86_CS].selector, s->rip, s->seg[X86_SS].selector,
               s->gpr[X86_RSP], s->cr2);
}

static void log_transfer(const Entry *e)
{
    x86_log_state(e->cpu, "event: v=%02x e=%04x\n", e->event.vector, e->event.error);
}

void x86_take_debug_bits(X86State *s, const X86Event *event)
{
    if (event->vector == VECTOR_DB) {
        s->dr[6] = (s->dr[6] & ~UINT64_C(0xf)) | DR6_FIXED_1 | event->debug;
        s->dr[7] &= ~(uint64_t)DR7_GD;
    }
}

void x86_deliver_event(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    Entry e = { .cpu = cpu, .s = s, .event = s->event };

    x86_take_rip(s);
    e.return_rip = is_software(&e) ? s->event.next_rip : s->rip;
    e.return_flags = flags_to_save(&e);
    s->is_delivering = true;
    if (s->event.kind == EVENT_FAULT) {
        s->debug_pending = 0;
    }
    if (log_enabled(LOG_INT)) {
        log_entry(&e);
    }
    if (log_enabled(LOG_PCALL) && (s->cr0 & CR0_PE)) {
        log_transfer(&e);
    }
    x86_take_debug_bits(s, &e.event);
    if (s->event.vector == VECTOR_PF && s->event.kind == EVENT_FAULT) {
        s->cr2 = s->event.address;
    }
    if (!(s->cr0 & CR0_PE)) {
        enter_real(&e);
    } else if (x86_is_long(s)) {
        enter_long(&e);
    } else {
        enter_protected(&e);
    }
    s->is_delivering = false;
    s->event.vector = NO_VECTOR;
    s->shadow = 0;
    x86_update_mode(cpu);
    x86_give_rip(s);
}
