/*
 * What of a guest is intercepted: AMD APM volume 2, 15.7 to 15.13 and 15.21.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/svm.h"

#include "target/i386/control.h"
#include "target/i386/memory.h"

#define MOV_ASSIST BIT64(63) /* exit_info_1: a MOV, and which register */

void x86_svm_check(X86Cpu *cpu, unsigned bit, uint64_t info1, uint64_t next_rip)
{
    if (x86_svm_intercepts(&cpu->state, bit)) {
        x86_svm_exit(cpu, SVM_EXIT_GENERAL + bit, info1, 0, next_rip);
    }
}

/* --- registers --- */

static uint64_t assist(const X86Cpu *cpu, int gpr)
{
    return gpr >= 0 && x86_has(cpu, X86_8000_000A_EDX, 7) ? MOV_ASSIST | gpr : 0;
}

void x86_svm_check_cr(X86Cpu *cpu, unsigned n, bool is_write, int gpr, uint64_t next_rip)
{
    if (cpu->state.svm.cr_intercepts >> (n + 16 * is_write) & 1) {
        x86_svm_exit(cpu, (is_write ? SVM_EXIT_CR_WRITE : SVM_EXIT_CR_READ) + n, assist(cpu, gpr),
                     0, next_rip);
    }
}

void x86_svm_check_dr(X86Cpu *cpu, unsigned n, bool is_write, int gpr, uint64_t next_rip)
{
    if (cpu->state.svm.dr_intercepts >> (n + 16 * is_write) & 1) {
        x86_svm_exit(cpu, (is_write ? SVM_EXIT_DR_WRITE : SVM_EXIT_DR_READ) + n, assist(cpu, gpr),
                     0, next_rip);
    }
}

/* Writes that change more than TS and MP. */
void x86_svm_check_cr0(X86Cpu *cpu, uint64_t value, bool is_lmsw, uint64_t next_rip)
{
    uint64_t change = cpu->state.cr0 ^ value;

    if (is_lmsw) {
        change &= 0xf;
    }
    if (change & ~(uint64_t)(CR0_TS | CR0_MP)) {
        x86_svm_check(cpu, SVM_CR0_SEL_WRITE, 0, next_rip);
    }
}

/* --- bitmaps --- */

/* Two bits for each, of three ranges; what is outside exits always. */
static bool msr_is_intercepted(X86Cpu *cpu, uint32_t msr, bool is_write)
{
    static const uint32_t firsts[] = { 0, 0xc0000000, 0xc0010000 };

    for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
        if (msr - firsts[i] < 0x2000) {
            uint64_t bit = i * 0x4000 + 2 * (msr - firsts[i]) + is_write;

            return x86_read_physical(cpu, cpu->state.svm.msrpm + bit / 8, 1) >> bit % 8 & 1;
        }
    }
    return true;
}

void x86_svm_check_msr(X86Cpu *cpu, bool is_write, uint64_t next_rip)
{
    if (x86_svm_intercepts(&cpu->state, SVM_MSR) &&
        msr_is_intercepted(cpu, cpu->state.gpr[X86_RCX], is_write)) {
        x86_svm_exit(cpu, SVM_EXIT_GENERAL + SVM_MSR, is_write, 0, next_rip);
    }
}

/* One bit for each port that is touched; `info` is exit_info_1 without the port. */
void x86_svm_check_port(X86Cpu *cpu, uint16_t port, uint32_t info, uint64_t next_rip)
{
    unsigned bytes = info >> 4 & 7;
    uint32_t bits;

    if (!x86_svm_intercepts(&cpu->state, SVM_IOIO)) {
        return;
    }
    bits = x86_read_physical(cpu, cpu->state.svm.iopm + port / 8, 1) |
           x86_read_physical(cpu, cpu->state.svm.iopm + port / 8 + 1, 1) << 8;
    if (bits >> port % 8 & ((1u << bytes) - 1)) {
        x86_svm_exit(cpu, SVM_EXIT_GENERAL + SVM_IOIO, info | (uint32_t)port << 16, next_rip,
                     next_rip);
    }
}

/* --- events --- */

void x86_svm_check_task(X86Cpu *cpu, uint16_t selector, bool is_iret, bool is_jump)
{
    const X86State *s = &cpu->state;
    bool has_error = s->is_delivering && s->event.has_error;

    if (x86_svm_intercepts(s, SVM_TASK_SWITCH)) {
        x86_svm_exit(cpu, SVM_EXIT_GENERAL + SVM_TASK_SWITCH, selector,
                     (is_iret ? BIT64(36) : 0) | (is_jump ? BIT64(38) : 0) |
                         (has_error ? BIT64(44) | s->event.error : 0) |
                         (s->eflags & FLAG_RF ? BIT64(48) : 0), 0);
    }
}

void x86_svm_check_event(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    const X86Event *event = &s->event;
    bool is_exception = event->kind == EVENT_FAULT || event->kind == EVENT_TRAP;

    if (!s->svm.is_guest || !is_exception || event->is_injected ||
        !(s->svm.exceptions >> (event->vector & 31) & 1)) {
        return;
    }
    if (event->vector == VECTOR_DB) {
        x86_take_debug_bits(s, event);
    }
    x86_svm_exit(cpu, SVM_EXIT_EXCEPTION + event->vector, event->has_error ? event->error : 0,
                 event->vector == VECTOR_PF ? event->address : 0, 0);
}

static bool virtual_is_due(const X86State *s)
{
    const X86Svm *svm = &s->svm;

    if (!(svm->int_ctl & SVM_V_IRQ) || !(s->eflags & FLAG_IF) || s->shadow ||
        ((svm->int_ctl & SVM_V_GIF_ENABLED) && !(svm->int_ctl & SVM_V_GIF))) {
        return false;
    }
    return (svm->int_ctl & SVM_V_IGNORES_TPR) ||
           SVM_V_PRIORITY(svm->int_ctl) > (svm->int_ctl & SVM_V_TPR);
}

uint32_t x86_svm_takeable(const X86Cpu *cpu, uint32_t requests)
{
    const X86State *s = &cpu->state;
    bool masks = x86_svm_has_virtual_tpr(s), open = masks ? s->svm.host_if : s->eflags & FLAG_IF;

    if (s->svm.is_gif_clear) {
        return requests & X86_REQUEST_STARTUP;
    }
    if (!open || s->shadow) {
        requests &= ~X86_REQUEST_INTR;
    }
    if (!s->svm.is_guest || !virtual_is_due(s)) {
        requests &= ~X86_REQUEST_VIRTUAL;
    }
    return requests;
}

unsigned x86_svm_request_exit(const X86Cpu *cpu, uint32_t requests)
{
    static const struct { uint32_t request; unsigned bit; } rows[] = {
        { X86_REQUEST_INIT, SVM_INIT }, { X86_REQUEST_SMI, SVM_SMI }, { X86_REQUEST_NMI, SVM_NMI },
        { X86_REQUEST_INTR, SVM_INTR }, { X86_REQUEST_VIRTUAL, SVM_VINTR },
    };

    for (size_t i = 0; cpu->state.svm.is_guest && i < ARRAY_SIZE(rows); i++) {
        if (requests & rows[i].request) {
            return x86_svm_intercepts(&cpu->state, rows[i].bit) ? SVM_EXIT_GENERAL + rows[i].bit
                                                                : 0;
        }
    }
    return 0;
}

int x86_svm_acknowledge(X86Cpu *cpu)
{
    X86Svm *svm = &cpu->state.svm;

    svm->int_ctl &= ~SVM_V_IRQ;
    __atomic_and_fetch(&cpu->state.tcg.requests, ~X86_REQUEST_VIRTUAL, __ATOMIC_SEQ_CST);
    return svm->int_vector & 0xff;
}
