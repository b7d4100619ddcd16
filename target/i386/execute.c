/*
 * An x86 CPU under the software engine: the key of a translation, the loop over instructions,
 * events and requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/execute.h"

#include "accel/tcg/memory.h"
#include "accel/tcg/translate.h"
#include "hw/core/local_apic.h"
#include "system/machine_lock.h"
#include "system/run_state.h"
#include "target/i386/control.h"
#include "target/i386/debug.h"
#include "target/i386/helpers.h"
#include "target/i386/memory.h"
#include "target/i386/svm.h"
#include "util/log.h"

#define STACK_NEAR 16 /* what one push or pop may touch, about RSP */
#define PAGE_BYTES (1u << TCG_PAGE_BITS)

/* --- translation --- */

static void x86_get_key(TcgCpu *tcg, TcgKey *key)
{
    X86State *s = &x86_cpu_of(tcg)->state;

    key->pc = s->pc;
    key->cs_base = s->mode & X86_MODE_CODE64 ? 0 : s->seg[X86_CS].base;
    key->flags = s->mode;
}

static const IrHelper step_helper = {
    .name = "step", .fn = x86_help_step, .arg_count = 1, .args = { IR_I32 }, .reads = GROUP_ALL,
    .flags = IR_HELPER_RAISES,
};
static const IrHelper clear_shadow_helper = {
    .name = "clear_shadow", .fn = x86_help_clear_shadow, .arg_count = 0,
    .reads = GROUP_EFLAGS | GROUP_PC,
};
static const IrHelper breakpoint_helper = {
    .name = "breakpoint", .fn = x86_help_breakpoint, .arg_count = 0,
    .reads = GROUP_ALL, .writes = GROUP_EFLAGS, .flags = IR_HELPER_RAISES,
};

static const IrHelper before_fp_helper = {
    .name = "before_fp", .fn = x86_help_before_fp, .arg_count = 0, .reads = GROUP_ALL,
};
static const IrHelper after_fp_helper = {
    .name = "after_fp", .fn = x86_help_after_fp, .arg_count = 0, .reads = GROUP_ALL,
    .writes = GROUP_ALL, .flags = IR_HELPER_RAISES,
};

static const IrHelper check_fetch_helper = {
    .name = "check_fetch", .fn = x86_help_check_target, .arg_count = 1, .args = { IR_I64 },
    .flags = IR_HELPER_RAISES,
};

typedef enum Fetch { FETCH_OK, FETCH_UNDEFINED, FETCH_TOO_LONG, FETCH_ENDS } Fetch;

static bool needs_more(const X86Tr *t, const uint8_t *bytes, unsigned count)
{
    ZydisDecodedInstruction in;

    return x86_decode_status(t, bytes, count, &in) == ZYDIS_STATUS_NO_MORE_DATA;
}

/* Fetches and decodes; of the second page's bytes only what the instruction needs. */
static Fetch fetch(X86Tr *t, uint64_t pc)
{
    unsigned in_page = PAGE_BYTES - (pc & (PAGE_BYTES - 1));
    unsigned most = MIN(X86_MOST_INSN_BYTES, in_page);
    uint8_t bytes[X86_MOST_INSN_BYTES];
    unsigned count = tcg_code(t->b, pc, bytes, most);

    if (count < X86_MOST_INSN_BYTES && needs_more(t, bytes, count)) {
        if (!tcg_code_next_page(t->b, pc)) {
            return FETCH_ENDS;
        }
        count = tcg_code(t->b, pc, bytes, X86_MOST_INSN_BYTES);
    }
    if (x86_decode(t, bytes, count)) {
        return FETCH_OK;
    }
    return count == X86_MOST_INSN_BYTES && needs_more(t, bytes, count) ? FETCH_TOO_LONG
                                                                   : FETCH_UNDEFINED;
}

static void begin_alone(X86Tr *t)
{
    if (t->mode & X86_MODE_BREAKS) {
        ir_call(t->b, &breakpoint_helper, NULL);
    }
    if (t->mode & X86_MODE_SHADOW) {
        ir_call(t->b, &clear_shadow_helper, NULL);
    }
}

/* A region of one instruction goes back to the main loop, by way of a single-step trap. */
static void end_alone(X86Tr *t)
{
    if (!t->has_new_rip) {
        tr_put_rip(t, ir_i64(t->b, t->next_rip));
    }
    if ((t->mode & (X86_MODE_TF | X86_MODE_BREAKS | X86_MODE_SHADOW)) && !t->is_quiet) {
        ir_call_v(t->b, &step_helper, ir_i32(t->b, t->mode & X86_MODE_TF ? DR6_BS : 0));
    }
    ir_exit_main(t->b);
}

/* Flags that are loaded raise nothing: the next instruction that finds one of them does. */
static bool moves_mxcsr(const ZydisDecodedInstruction *in)
{
    return in->mnemonic == ZYDIS_MNEMONIC_LDMXCSR || in->mnemonic == ZYDIS_MNEMONIC_VLDMXCSR ||
           in->mnemonic == ZYDIS_MNEMONIC_STMXCSR || in->mnemonic == ZYDIS_MNEMONIC_VSTMXCSR;
}

/* Results of floating point whose exceptions are not all masked are looked at before they count. */
static bool may_raise_xm(const X86Tr *t)
{
    return (t->mode & X86_MODE_XM) && x86_is_vector_instruction(&t->in) && !moves_mxcsr(&t->in);
}

static void translate_one(X86Tr *t)
{
    if (may_raise_xm(t)) {
        ir_call(t->b, &before_fp_helper, NULL);
    }
    x86_translate_one(t);
    if (may_raise_xm(t)) {
        ir_call(t->b, &after_fp_helper, NULL);
    }
}

/* Not even its first byte is within the code segment as it is now. */
static bool is_beyond_limit(const X86Tr *t)
{
    return !tr_is_64(t) && t->rip > t->cpu->state.seg[X86_CS].limit;
}

/* The limit may be another one when the region runs; between pages it does not matter, if that is where it ends. */
static void check_fetch(X86Tr *t, bool is_first)
{
    uint64_t last = t->next_rip - 1, page = ~UINT64_C(0) << TCG_PAGE_BITS;
    bool is_new = is_first || (last & page) != ((t->rip - 1) & page) || t->mode & X86_MODE_LIMIT_INSIDE;

    if ((t->mode & X86_MODE_LIMIT && is_new) ||
        (!(t->mode & X86_MODE_CODE32) && t->next_rip > UINT64_C(0x10000))) {
        ir_call_v(t->b, &check_fetch_helper, ir_i64(t->b, last));
    }
}

/* False: it did not fit and belongs to the next region. */
static bool translate_next(X86Tr *t, bool is_first)
{
    uint64_t pc = tr_pc(t, t->rip);

    tcg_insn_start(t->b, pc);
    if (is_beyond_limit(t)) {
        if (is_first) {
            x86_raise_error(t->cpu, VECTOR_GP, 0);
        }
        tcg_insn_drop(t->b);
        return false;
    }
    switch (fetch(t, pc)) {
    case FETCH_ENDS:
        tcg_insn_drop(t->b);
        return false;
    case FETCH_TOO_LONG:
        tr_raise_gp(t);
        return true;
    case FETCH_UNDEFINED:
        tr_undefined(t);
        return true;
    default:
        break;
    }
    if (may_raise_xm(t)) {
        if (!is_first) {
            tcg_insn_drop(t->b);
            return false;
        }
        t->is_alone = true;
    }
    check_fetch(t, is_first);
    if (t->is_alone) {
        begin_alone(t);
    }
    translate_one(t);
    return true;
}

static void x86_translate(TcgCpu *tcg, IrBuilder *b, const TcgKey *key, const TcgLimits *limits)
{
    X86Tr t = { .b = b, .cpu = x86_cpu_of(tcg), .mode = key->flags, .cs_base = key->cs_base };
    uint32_t alone = X86_MODE_TF | X86_MODE_SHADOW | X86_MODE_BREAKS;

    t.is_alone = limits->is_single_step || limits->max_insns == 1 || (t.mode & alone);
    t.rip = tr_is_64(&t) ? key->pc : (uint32_t)(key->pc - key->cs_base);
    for (bool is_first = true;; is_first = false) {
        bool is_shadowed = t.is_in_shadow;

        if (!translate_next(&t, is_first)) {
            ir_exit_direct(b, tr_pc(&t, t.rip));
            return;
        }
        if (t.is_alone) {
            end_alone(&t);
            return;
        }
        if (t.is_ended) {
            return;
        }
        t.rip = t.next_rip;
        if (is_shadowed && !tcg_serve(b, tr_pc(&t, t.rip))) {
            return;
        }
        t.is_in_shadow &= !is_shadowed;
        if (!t.is_in_shadow && tcg_is_full(b, tr_pc(&t, t.rip))) {
            ir_exit_direct(b, tr_pc(&t, t.rip));
            return;
        }
    }
}

static unsigned x86_fetch_mmu(TcgCpu *tcg)
{
    return x86_mmu_for_cpl(&x86_cpu_of(tcg)->state, x86_cpl(&x86_cpu_of(tcg)->state));
}

static void x86_disassemble(TcgCpu *tcg, const TcgKey *key, const uint8_t *bytes, size_t count,
                            GString *out)
{
    for (size_t at = 0, length = 1; at < count && length; at += length) {
        g_string_append_printf(out, "%016" PRIx64 "  ", key->pc + at);
        length = x86_format_insn(key->flags, key->pc + at, bytes + at, X86_MOST_INSN_BYTES, out);
        g_string_append(out, length ? "\n" : "?\n");
    }
}

static void x86_print_tcg_state(TcgCpu *tcg, GString *out)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (log_enabled(LOG_FPU)) {
        x86_print_registers(&cpu->parent, out);
    } else {
        x86_print_state(cpu, out);
    }
}

/* --- events --- */

void x86_leave(X86Cpu *cpu)
{
    tcg_raise(&cpu->state.tcg, 0);
}

/* A fault on the way to the handler of a double fault: the machine resets. */
static void shut_down(X86Cpu *cpu)
{
    x86_svm_check(cpu, SVM_SHUTDOWN, 0, 0);
    if (log_enabled(LOG_CPU_RESET)) {
        log_printf("Triple fault\n");
    }
    MACHINE_LOCK_SCOPE();
    cpu->parent.vcpu.is_halted = true;
    vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
}

/* What the instruction at the PC accesses is in SS; of one that accesses others too, what is near the stack. */
static bool is_stack_access(X86Cpu *cpu)
{
    X86Tr t = { .cpu = cpu, .mode = cpu->state.mode };
    uint8_t bytes[X86_MOST_INSN_BYTES];
    unsigned count = 0;
    bool stack = false, others = false;
    TcgPage page;

    while (count < sizeof(bytes) &&
           tcg_translate(&cpu->state.tcg, TCG_EXECUTE, x86_fetch_mmu(&cpu->state.tcg),
                         cpu->state.pc + count, &page)) {
        bytes[count++] = x86_read_physical(cpu, page.phys, 1);
    }
    if (!x86_decode(&t, bytes, count)) {
        return false;
    }
    for (unsigned n = 0; n < t.in.operand_count; n++) {
        bool is_stack = tr_is_mem(&t, n) && tr_op(&t, n)->mem.segment == ZYDIS_REGISTER_SS;

        stack |= is_stack;
        others |= tr_is_mem(&t, n) && !is_stack;
    }
    if (stack && others) {
        return cpu->state.event.address - (cpu->state.gpr[X86_RSP] - STACK_NEAR) < 2 * STACK_NEAR;
    }
    return stack;
}

static void x86_deliver(TcgCpu *tcg, int exception)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (x86_svm_serve(cpu)) {
        return;
    }
    if (cpu->state.event.is_address && is_stack_access(cpu)) {
        cpu->state.event.vector = VECTOR_SS;
    }
    if (cpu->state.is_shut_down) {
        shut_down(cpu);
    } else if (cpu->state.event.vector != NO_VECTOR) {
        x86_svm_check_event(cpu);
        x86_deliver_event(cpu);
    }
}

/* --- requests --- */

void x86_halt(X86Cpu *cpu)
{
    MACHINE_LOCK_SCOPE();
    cpu->parent.vcpu.is_halted = true;
    x86_interrupts_changed(cpu);
}

void x86_interrupts_changed(X86Cpu *cpu)
{
    if (__atomic_load_n(&cpu->state.tcg.requests, __ATOMIC_SEQ_CST)) {
        tcg_request_service(&cpu->state.tcg);
    }
}

/* Of those that are there, what the CPU takes now. */
static uint32_t takeable(const X86Cpu *cpu)
{
    const X86State *s = &cpu->state;
    uint32_t requests = __atomic_load_n(&cpu->state.tcg.requests, __ATOMIC_SEQ_CST);

    if (s->is_waiting || s->is_shut_down) {
        return requests & (X86_REQUEST_INIT | X86_REQUEST_STARTUP);
    }
    requests = x86_svm_takeable(cpu, requests);
    if (s->shadow == X86_SHADOW_SS || s->is_nmi_blocked) {
        requests &= ~X86_REQUEST_NMI;
    }
    if (s->is_in_smm) {
        requests &= ~(X86_REQUEST_SMI | X86_REQUEST_INIT);
    }
    return requests & ~X86_REQUEST_STARTUP;
}

bool x86_has_work(X86Cpu *cpu)
{
    return takeable(cpu);
}

static bool take(X86Cpu *cpu, uint32_t request)
{
    return __atomic_fetch_and(&cpu->state.tcg.requests, ~request, __ATOMIC_SEQ_CST) & request;
}

/* With the machine lock. True: state.event is to be delivered. */
static bool take_requests(X86Cpu *cpu)
{
    uint32_t requests = takeable(cpu);

    if (requests & X86_REQUEST_INIT) {
        take(cpu, X86_REQUEST_INIT);
        x86_reset_state(cpu, true);
        cpu->state.is_waiting = cpu->parent.vcpu.index != 0;
        cpu->parent.vcpu.is_halted = cpu->state.is_waiting;
        requests = takeable(cpu);
    }
    /* One that comes when nobody waits for it is lost. */
    if (take(cpu, X86_REQUEST_STARTUP) && cpu->state.is_waiting) {
        x86_start_at(cpu, cpu->startup_vector);
        cpu->parent.vcpu.is_halted = false;
    }
    if (cpu->state.is_waiting) {
        return false;
    }
    cpu->parent.vcpu.is_halted &= !takeable(cpu);
    if (requests & X86_REQUEST_SMI) {
        take(cpu, X86_REQUEST_SMI);
        x86_enter_smm(cpu);
    } else if (requests & X86_REQUEST_NMI) {
        take(cpu, X86_REQUEST_NMI);
        cpu->state.is_nmi_blocked = true;
        x86_set_external_event(cpu, VECTOR_NMI);
        return true;
    } else if (requests & (X86_REQUEST_INTR | X86_REQUEST_VIRTUAL)) {
        int vector = requests & X86_REQUEST_INTR ? x86_cpu_acknowledge(cpu)
                                                 : x86_svm_acknowledge(cpu);

        if (vector >= 0) {
            x86_set_external_event(cpu, vector);
        }
        return vector >= 0;
    }
    return false;
}

static void x86_service(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    unsigned exit_code;
    bool has_event;

    if (!__atomic_load_n(&cpu->state.tcg.requests, __ATOMIC_SEQ_CST)) {
        return;
    }
    machine_lock();
    exit_code = x86_svm_request_exit(cpu, takeable(cpu));
    cpu->parent.vcpu.is_halted &= !exit_code;
    has_event = !exit_code && take_requests(cpu);
    machine_unlock();
    if (exit_code) {
        x86_svm_exit(cpu, exit_code, 0, 0, 0);
    }
    if (has_event) {
        x86_deliver_event(cpu);
    }
}

const TcgTargetOps x86_tcg_ops = {
    .state_bytes = sizeof(X86State),
    .slots = x86_slots,
    .slot_count = SLOT_COUNT,
    .pc_slot = SLOT_PC,
    .mmu_count = X86_MMU_COUNT,
    .host_fp_offset = offsetof(X86State, host_mxcsr),
    .get_key = x86_get_key,
    .translate = x86_translate,
    .tlb_fill = x86_tlb_fill,
    .unaligned = x86_unaligned,
    .deliver = x86_deliver,
    .service = x86_service,
    .watch_hit = x86_watch_hit,
    .fetch_mmu = x86_fetch_mmu,
    .print_state = x86_print_tcg_state,
    .disassemble = x86_disassemble,
};
