/*
 * VMRUN, #VMEXIT, VMLOAD, VMSAVE, STGI, CLGI: AMD APM volume 2, 15.5 to 15.17, appendix B.
 *
 * The host's state is saved in the page at VM_HSAVE_PA, in the layout of a VMCB. Clean bits are not
 * looked at: all is loaded each time. Left out: SKINIT, LBR virtualization, AVIC, SEV, pause filters
 * (every PAUSE that is intercepted exits), virtual VMLOAD and VMSAVE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/svm.h"

#include "accel/tcg/memory.h"
#include "target/i386/control.h"
#include "target/i386/execute.h"
#include "target/i386/flags.h"
#include "target/i386/memory.h"
#include "target/i386/segment.h"
#include "util/log.h"

/* The control area. */
#define VMCB_CR_INTERCEPTS  0x000
#define VMCB_DR_INTERCEPTS  0x004
#define VMCB_EXCEPTIONS     0x008
#define VMCB_INTERCEPTS     0x00c /* two words */
#define VMCB_IOPM           0x040
#define VMCB_MSRPM          0x048
#define VMCB_TSC_OFFSET     0x050
#define VMCB_ASID           0x058
#define VMCB_TLB_CONTROL    0x05c
#define VMCB_INT_CTL        0x060
#define VMCB_INT_VECTOR     0x064
#define VMCB_INT_STATE      0x068
#define VMCB_EXIT_CODE      0x070
#define VMCB_EXIT_INFO_1    0x078
#define VMCB_EXIT_INFO_2    0x080
#define VMCB_EXIT_INT_INFO  0x088
#define VMCB_NESTED_CTL     0x090
#define VMCB_EVENT_INJ      0x0a8
#define VMCB_NESTED_CR3     0x0b0
#define VMCB_NEXT_RIP       0x0c8
#define VMCB_INSN_LENGTH    0x0d0
/* The save area. */
#define VMCB_SAVE           0x400
#define VMCB_CPL            0x4cb
#define VMCB_EFER           0x4d0
#define VMCB_CR4            0x548
#define VMCB_CR3            0x550
#define VMCB_CR0            0x558
#define VMCB_DR7            0x560
#define VMCB_DR6            0x568
#define VMCB_RFLAGS         0x570
#define VMCB_RIP            0x578
#define VMCB_RSP            0x5d8
#define VMCB_RAX            0x5f8
#define VMCB_CR2            0x640
#define VMCB_G_PAT          0x668

#define NESTED_ENABLE       BIT(0)
#define SHADOW              BIT(0)
#define INSN_BYTES          15

/* EVENTINJ and EXITINTINFO. */
#define EVENT_VALID         BIT(31)
#define EVENT_HAS_ERROR     BIT(11)
enum { TYPE_INTR = 0, TYPE_NMI = 2, TYPE_EXCEPTION = 3, TYPE_SOFTWARE = 4 };

typedef enum Pending { PENDING_NONE, PENDING_ENTER, PENDING_EXIT } Pending;

/* --- memory --- */

static uint64_t get(X86Cpu *cpu, uint64_t vmcb, unsigned at, unsigned bytes)
{
    return x86_read_physical(cpu, vmcb + at, bytes);
}

static void put(X86Cpu *cpu, uint64_t vmcb, unsigned at, unsigned bytes, uint64_t value)
{
    x86_write_physical(cpu, vmcb + at, bytes, value);
}

/* Encoded order, then LDTR and TR: where each is. */
static const uint16_t segment_at[X86_SEGMENTS] = {
    0x400, 0x410, 0x420, 0x430, 0x440, 0x450, 0x470, 0x490,
};
#define GDTR_AT 0x460
#define IDTR_AT 0x480

static void get_segment(X86Cpu *cpu, uint64_t vmcb, unsigned reg)
{
    uint16_t packed = get(cpu, vmcb, segment_at[reg] + 2, 2);

    cpu->state.seg[reg] = (X86Segment){
        .selector = get(cpu, vmcb, segment_at[reg], 2),
        .access = x86_unpacked_access(packed),
        .limit = get(cpu, vmcb, segment_at[reg] + 4, 4),
        .base = get(cpu, vmcb, segment_at[reg] + 8, 8),
    };
}

static void put_segment(X86Cpu *cpu, uint64_t vmcb, unsigned reg)
{
    const X86Segment *seg = &cpu->state.seg[reg];

    put(cpu, vmcb, segment_at[reg], 2, seg->selector);
    put(cpu, vmcb, segment_at[reg] + 2, 2, x86_packed_access(seg));
    put(cpu, vmcb, segment_at[reg] + 4, 4, seg->limit);
    put(cpu, vmcb, segment_at[reg] + 8, 8, seg->base);
}

static void get_table(X86Cpu *cpu, uint64_t vmcb, unsigned at, X86Table *table)
{
    *table = (X86Table){ .base = get(cpu, vmcb, at + 8, 8), .limit = get(cpu, vmcb, at + 4, 4) };
}

static void put_table(X86Cpu *cpu, uint64_t vmcb, unsigned at, const X86Table *table)
{
    put(cpu, vmcb, at + 4, 4, table->limit);
    put(cpu, vmcb, at + 8, 8, table->base);
}

/* --- what VMRUN and #VMEXIT both save and load --- */

static void save_common(X86Cpu *cpu, uint64_t vmcb, uint64_t rip)
{
    const X86State *s = &cpu->state;

    for (unsigned reg = X86_ES; reg <= X86_DS; reg++) {
        put_segment(cpu, vmcb, reg);
    }
    put_table(cpu, vmcb, GDTR_AT, &s->gdt);
    put_table(cpu, vmcb, IDTR_AT, &s->idt);
    put(cpu, vmcb, VMCB_EFER, 8, s->efer);
    put(cpu, vmcb, VMCB_CR0, 8, s->cr0);
    put(cpu, vmcb, VMCB_CR3, 8, s->cr3);
    put(cpu, vmcb, VMCB_CR4, 8, s->cr4);
    put(cpu, vmcb, VMCB_RFLAGS, 8, x86_eflags(s));
    put(cpu, vmcb, VMCB_RIP, 8, rip);
    put(cpu, vmcb, VMCB_RSP, 8, s->gpr[X86_RSP]);
    put(cpu, vmcb, VMCB_RAX, 8, s->gpr[X86_RAX]);
}

static void load_common(X86Cpu *cpu, uint64_t vmcb)
{
    X86State *s = &cpu->state;

    for (unsigned reg = X86_ES; reg <= X86_DS; reg++) {
        get_segment(cpu, vmcb, reg);
    }
    get_table(cpu, vmcb, GDTR_AT, &s->gdt);
    get_table(cpu, vmcb, IDTR_AT, &s->idt);
    s->efer = get(cpu, vmcb, VMCB_EFER, 8);
    s->cr0 = get(cpu, vmcb, VMCB_CR0, 8) | CR0_ET;
    s->cr3 = get(cpu, vmcb, VMCB_CR3, 8);
    s->cr4 = get(cpu, vmcb, VMCB_CR4, 8);
    s->gpr[X86_RSP] = get(cpu, vmcb, VMCB_RSP, 8);
    s->gpr[X86_RAX] = get(cpu, vmcb, VMCB_RAX, 8);
    s->efer &= ~(uint64_t)EFER_LMA;
    s->efer |= (s->cr0 & CR0_PG) && (s->efer & EFER_LME) ? EFER_LMA : 0;
}

static void finish_load(X86Cpu *cpu, uint64_t rflags, uint64_t rip)
{
    X86State *s = &cpu->state;

    s->event.vector = NO_VECTOR;
    s->is_delivering = false;
    s->shadow = 0;
    s->debug_pending = 0;
    x86_load_eflags(cpu, rflags, UINT32_MAX);
    x86_update_breakpoints(cpu);
    x86_switch_space(cpu, true);
    s->rip = rip;
    x86_give_rip(s);
}

/* --- VMRUN --- */

static void load_controls(X86Cpu *cpu, uint64_t vmcb)
{
    X86Svm *svm = &cpu->state.svm;

    svm->vmcb = vmcb;
    svm->shadow_pc = UINT64_MAX;
    svm->cr_intercepts = get(cpu, vmcb, VMCB_CR_INTERCEPTS, 4);
    svm->dr_intercepts = get(cpu, vmcb, VMCB_DR_INTERCEPTS, 4);
    svm->exceptions = get(cpu, vmcb, VMCB_EXCEPTIONS, 4);
    svm->intercepts = get(cpu, vmcb, VMCB_INTERCEPTS, 8);
    svm->iopm = get(cpu, vmcb, VMCB_IOPM, 8) & ~UINT64_C(0xfff);
    svm->msrpm = get(cpu, vmcb, VMCB_MSRPM, 8) & ~UINT64_C(0xfff);
    svm->tsc_offset = get(cpu, vmcb, VMCB_TSC_OFFSET, 8);
    svm->asid = get(cpu, vmcb, VMCB_ASID, 4);
    svm->int_ctl = get(cpu, vmcb, VMCB_INT_CTL, 4);
    svm->int_vector = get(cpu, vmcb, VMCB_INT_VECTOR, 4);
    svm->has_nested = (get(cpu, vmcb, VMCB_NESTED_CTL, 8) & NESTED_ENABLE) &&
                      x86_has(cpu, X86_8000_000A_EDX, 0);
    svm->nested_cr3 = get(cpu, vmcb, VMCB_NESTED_CR3, 8);
}

/* 15.5.1, "Canonicalization and Consistency Checks". */
static bool has_good_registers(const X86Cpu *cpu)
{
    const X86State *s = &cpu->state;
    uint32_t access = s->seg[X86_CS].access;

    if ((s->cr0 & CR0_NW && !(s->cr0 & CR0_CD)) || s->cr0 >> 32 || s->dr[6] >> 32 ||
        s->dr[7] >> 32 || !x86_is_good_efer(cpu, s->efer) || !x86_is_allowed_cr4(cpu, s->cr4)) {
        return false;
    }
    return !x86_is_long(s) ||
           ((s->cr4 & CR4_PAE) && (s->cr0 & CR0_PE) && !(s->cr3 >> cpu->phys_bits) &&
            (access & (SEG_L | SEG_DB)) != (SEG_L | SEG_DB));
}

static bool is_consistent(const X86Cpu *cpu)
{
    const X86Svm *svm = &cpu->state.svm;

    return svm->asid && (svm->intercepts >> SVM_VMRUN & 1) && (cpu->state.efer & EFER_SVME) &&
           has_good_registers(cpu) &&
           !(svm->has_nested && svm->nested_cr3 >> cpu->phys_bits);
}

static void load_guest(X86Cpu *cpu, uint64_t vmcb)
{
    X86State *s = &cpu->state;
    unsigned cpl = get(cpu, vmcb, VMCB_CPL, 1) & 3;

    load_common(cpu, vmcb);
    s->cr2 = get(cpu, vmcb, VMCB_CR2, 8);
    s->dr[6] = get(cpu, vmcb, VMCB_DR6, 8);
    s->dr[7] = get(cpu, vmcb, VMCB_DR7, 8);
    if (s->svm.has_nested) {
        s->svm.host_pat = s->pat;
        s->pat = get(cpu, vmcb, VMCB_G_PAT, 8);
    }
    s->seg[X86_SS].access &= ~(3u << SEG_DPL_SHIFT);
    s->seg[X86_SS].access |= cpl << SEG_DPL_SHIFT;
}

/* The event the host wants delivered first. */
static bool take_injection(X86Cpu *cpu, uint64_t vmcb)
{
    uint64_t info = get(cpu, vmcb, VMCB_EVENT_INJ, 8);
    unsigned vector = info & 0xff, type = info >> 8 & 7;
    X86State *s = &cpu->state;
    bool is_trap = vector == VECTOR_BP || vector == VECTOR_OF || vector == VECTOR_DB;

    if (!(info & EVENT_VALID)) {
        return false;
    }
    s->event = (X86Event){ .vector = type == TYPE_NMI ? VECTOR_NMI : vector };
    s->event.kind = type == TYPE_EXCEPTION ? (is_trap ? EVENT_TRAP : EVENT_FAULT) :
                    type == TYPE_SOFTWARE ? EVENT_SOFTWARE : EVENT_EXTERNAL;
    s->event.has_error = type == TYPE_EXCEPTION && (info & EVENT_HAS_ERROR);
    s->event.error = s->event.has_error ? info >> 32 : 0;
    s->event.address = s->cr2;
    s->event.is_injected = true;
    s->event.next_rip = type == TYPE_SOFTWARE && x86_has(cpu, X86_8000_000A_EDX, 3)
                            ? get(cpu, vmcb, VMCB_NEXT_RIP, 8) : x86_rip(s);
    return true;
}

static void make_exit(X86Cpu *cpu);

static void enter_guest(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    X86Svm *svm = &s->svm;
    uint64_t vmcb = s->gpr[X86_RAX];
    bool has_event;

    save_common(cpu, s->vm_hsave, svm->next_rip);
    svm->host_if = s->eflags & FLAG_IF;
    svm->host_cr4 = s->cr4;
    svm->host_efer = s->efer;
    load_controls(cpu, vmcb);
    svm->is_guest = true;
    svm->is_gif_clear = false;
    load_guest(cpu, vmcb);
    if (get(cpu, vmcb, VMCB_TLB_CONTROL, 1) & 7) {
        x86_flush_all(cpu, true);
    }
    if (!is_consistent(cpu)) {
        x86_load_eflags(cpu, get(cpu, vmcb, VMCB_RFLAGS, 8), UINT32_MAX);
        s->rip = get(cpu, vmcb, VMCB_RIP, 8);
        x86_give_rip(s);
        svm->exit_code = SVM_EXIT_INVALID;
        svm->exit_info_1 = svm->exit_info_2 = svm->next_rip = svm->exit_int_info = 0;
        make_exit(cpu);
        return;
    }
    finish_load(cpu, get(cpu, vmcb, VMCB_RFLAGS, 8), get(cpu, vmcb, VMCB_RIP, 8));
    if (get(cpu, vmcb, VMCB_INT_STATE, 4) & SHADOW) {
        s->shadow = X86_SHADOW_STI;
        x86_update_mode(cpu);
    }
    if (svm->int_ctl & SVM_V_IRQ) {
        __atomic_or_fetch(&cpu->state.tcg.requests, X86_REQUEST_VIRTUAL, __ATOMIC_SEQ_CST);
    }
    has_event = take_injection(cpu, vmcb);
    x86_interrupts_changed(cpu);
    if (has_event) {
        x86_deliver_event(cpu);
    }
}

/* --- #VMEXIT --- */

/* The event that was being delivered, as EXITINTINFO has it. */
static uint64_t encode_event(const X86Event *event)
{
    bool is_breakpoint = event->vector == VECTOR_BP || event->vector == VECTOR_OF;
    unsigned type = event->kind == EVENT_EXTERNAL ?
                        (event->vector == VECTOR_NMI ? TYPE_NMI : TYPE_INTR) :
                    event->kind == EVENT_SOFTWARE && !is_breakpoint ? TYPE_SOFTWARE :
                                                                      TYPE_EXCEPTION;

    return (uint8_t)event->vector | type << 8 | (event->has_error ? EVENT_HAS_ERROR : 0) |
           EVENT_VALID | (event->has_error ? (uint64_t)event->error << 32 : 0);
}

static void save_guest(X86Cpu *cpu, uint64_t vmcb)
{
    const X86State *s = &cpu->state;

    save_common(cpu, vmcb, x86_rip(s));
    put(cpu, vmcb, VMCB_CPL, 1, x86_cpl(s));
    put(cpu, vmcb, VMCB_CR2, 8, s->cr2);
    put(cpu, vmcb, VMCB_DR6, 8, s->dr[6]);
    put(cpu, vmcb, VMCB_DR7, 8, s->dr[7]);
    if (s->svm.has_nested) {
        put(cpu, vmcb, VMCB_G_PAT, 8, s->pat);
    }
    /* An instruction that came back before its end is still in the shadow it began in. */
    put(cpu, vmcb, VMCB_INT_STATE, 4, s->shadow || s->svm.shadow_pc == s->pc ? SHADOW : 0);
    put(cpu, vmcb, VMCB_INT_CTL, 4, s->svm.int_ctl);
}

/* Decode assists: the instruction that met a fault of its data. */
static void save_instruction(X86Cpu *cpu, uint64_t vmcb)
{
    X86State *s = &cpu->state;
    unsigned count = 0;
    TcgPage page;

    while (s->svm.wants_bytes && count < INSN_BYTES &&
           tcg_translate(&s->tcg, TCG_EXECUTE, x86_mmu_for_cpl(s, x86_cpl(s)), s->pc + count,
                         &page)) {
        put(cpu, vmcb, VMCB_INSN_LENGTH + 1 + count, 1, x86_read_physical(cpu, page.phys, 1));
        count++;
    }
    put(cpu, vmcb, VMCB_INSN_LENGTH, 1, count);
}

static void load_host(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    uint64_t area = s->vm_hsave;

    load_common(cpu, area);
    if (s->svm.has_nested) {
        s->pat = s->svm.host_pat;
    }
    s->cr0 |= CR0_PE;
    s->dr[7] = DR7_FIXED_1;
    s->seg[X86_SS].access &= ~(3u << SEG_DPL_SHIFT);
    finish_load(cpu, get(cpu, area, VMCB_RFLAGS, 8) & ~(uint64_t)FLAG_VM,
                get(cpu, area, VMCB_RIP, 8));
    /* Somebody wrote into what was saved. */
    if (!has_good_registers(cpu)) {
        s->is_shut_down = true;
        x86_leave(cpu);
    }
}

static void make_exit(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    X86Svm *svm = &s->svm;
    uint64_t vmcb = svm->vmcb;

    if (log_enabled(LOG_INT)) {
        log_printf("svm: exit %#" PRIx64 " info %#" PRIx64 " %#" PRIx64 " at %016" PRIx64 "\n",
                   svm->exit_code, svm->exit_info_1, svm->exit_info_2, x86_rip(s));
    }
    save_guest(cpu, vmcb);
    save_instruction(cpu, vmcb);
    put(cpu, vmcb, VMCB_EXIT_CODE, 8, svm->exit_code);
    put(cpu, vmcb, VMCB_EXIT_INFO_1, 8, svm->exit_info_1);
    put(cpu, vmcb, VMCB_EXIT_INFO_2, 8, svm->exit_info_2);
    put(cpu, vmcb, VMCB_EXIT_INT_INFO, 8, svm->exit_int_info);
    if (x86_has(cpu, X86_8000_000A_EDX, 3)) {
        put(cpu, vmcb, VMCB_NEXT_RIP, 8, svm->next_rip);
    }
    put(cpu, vmcb, VMCB_EVENT_INJ, 8,
        get(cpu, vmcb, VMCB_EVENT_INJ, 8) & ~(uint64_t)EVENT_VALID);
    __atomic_and_fetch(&cpu->state.tcg.requests, ~X86_REQUEST_VIRTUAL, __ATOMIC_SEQ_CST);
    svm->is_guest = false;
    svm->is_gif_clear = true;
    svm->wants_bytes = false;
    s->is_shut_down = false;
    load_host(cpu);
}

void x86_svm_exit(X86Cpu *cpu, uint64_t code, uint64_t info1, uint64_t info2, uint64_t next_rip)
{
    X86State *s = &cpu->state;
    X86Svm *svm = &s->svm;

    svm->exit_code = code;
    svm->exit_info_1 = info1;
    svm->exit_info_2 = info2;
    svm->next_rip = next_rip;
    svm->exit_int_info = s->is_delivering ? encode_event(&s->event) : 0;
    svm->wants_bytes = (code == SVM_EXIT_NPF || code == SVM_EXIT_EXCEPTION + VECTOR_PF) &&
                       !(info1 & PF_FETCH) && x86_has(cpu, X86_8000_000A_EDX, 7);
    svm->pending = PENDING_EXIT;
    s->is_delivering = false;
    x86_leave(cpu);
}

void x86_svm_enter(X86Cpu *cpu, uint64_t next_rip)
{
    cpu->state.svm.next_rip = next_rip;
    cpu->state.svm.pending = PENDING_ENTER;
    x86_leave(cpu);
}

bool x86_svm_serve(X86Cpu *cpu)
{
    Pending pending = cpu->state.svm.pending;

    cpu->state.svm.pending = PENDING_NONE;
    if (pending == PENDING_EXIT) {
        make_exit(cpu);
        x86_interrupts_changed(cpu);
    } else if (pending == PENDING_ENTER) {
        enter_guest(cpu);
    }
    return pending != PENDING_NONE;
}

void x86_svm_state_loaded(X86Cpu *cpu)
{
    X86Svm now = cpu->state.svm;

    if (now.is_guest) {
        load_controls(cpu, now.vmcb);
        cpu->state.svm.int_ctl = now.int_ctl;
    }
}

/* --- the other instructions --- */

typedef struct ExtraRow {
    uint16_t at;
    size_t offset;
} ExtraRow;

static const ExtraRow extra_rows[] = {
    { 0x600, offsetof(X86State, star) },         { 0x608, offsetof(X86State, lstar) },
    { 0x610, offsetof(X86State, cstar) },        { 0x618, offsetof(X86State, fmask) },
    { 0x620, offsetof(X86State, kernel_gs_base) },
    { 0x628, offsetof(X86State, sysenter_cs) },  { 0x630, offsetof(X86State, sysenter_esp) },
    { 0x638, offsetof(X86State, sysenter_eip) },
};
static const uint8_t extra_segments[] = { X86_FS, X86_GS, X86_TR, X86_LDTR };

static uint64_t *extra(X86State *s, const ExtraRow *row)
{
    return (uint64_t *)((char *)s + row->offset);
}

void x86_svm_vmload(X86Cpu *cpu)
{
    uint64_t vmcb = cpu->state.gpr[X86_RAX];

    for (size_t i = 0; i < ARRAY_SIZE(extra_segments); i++) {
        get_segment(cpu, vmcb, extra_segments[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(extra_rows); i++) {
        *extra(&cpu->state, &extra_rows[i]) = get(cpu, vmcb, extra_rows[i].at, 8);
    }
    x86_update_mode(cpu);
}

void x86_svm_vmsave(X86Cpu *cpu)
{
    uint64_t vmcb = cpu->state.gpr[X86_RAX];

    for (size_t i = 0; i < ARRAY_SIZE(extra_segments); i++) {
        put_segment(cpu, vmcb, extra_segments[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(extra_rows); i++) {
        put(cpu, vmcb, extra_rows[i].at, 8, *extra(&cpu->state, &extra_rows[i]));
    }
}

/* A guest whose GIF is virtual has its own. */
void x86_svm_set_gif(X86Cpu *cpu, bool is_set)
{
    X86Svm *svm = &cpu->state.svm;

    if (svm->is_guest && (svm->int_ctl & SVM_V_GIF_ENABLED)) {
        svm->int_ctl = is_set ? svm->int_ctl | SVM_V_GIF : svm->int_ctl & ~SVM_V_GIF;
    } else {
        svm->is_gif_clear = !is_set;
    }
    x86_interrupts_changed(cpu);
}
