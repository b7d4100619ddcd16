/*
 * What of an x86 CPU goes into a migration stream, and the memory it sees in system management
 * mode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/execute.h"

#include "accel/tcg/watch.h"
#include "hw/core/smm_memory.h"
#include "target/i386/control.h"
#include "target/i386/flags.h"
#include "target/i386/memory.h"
#include "target/i386/mxcsr.h"
#include "target/i386/svm.h"

/* --- saved state --- */

static const VMField segment_fields[] = {
    VM_U64(X86Segment, base), VM_U32(X86Segment, limit), VM_U32(X86Segment, access),
    VM_U16(X86Segment, selector),
};
static const VMState segment_state = VMSTATE_INIT(segment_fields, .version = 1);

static const VMField table_fields[] = { VM_U64(X86Table, base), VM_U32(X86Table, limit) };
static const VMState table_state = VMSTATE_INIT(table_fields, .version = 1);

static const VMField extended_fields[] = {
    VM_U64(X86Extended, significand), VM_U16(X86Extended, sign_exponent),
};
static const VMState extended_state = VMSTATE_INIT(extended_fields, .version = 1);

static const VMField fpu_fields[] = {
    VM_STRUCT_ARRAY(X86Fpu, reg, extended_state),
    VM_U16(X86Fpu, control), VM_U16(X86Fpu, status), VM_U8(X86Fpu, top), VM_U8(X86Fpu, valid),
    VM_U16(X86Fpu, opcode), VM_U64(X86Fpu, ip), VM_U64(X86Fpu, dp), VM_U16(X86Fpu, cs),
    VM_U16(X86Fpu, ds),
};
static const VMState fpu_state = VMSTATE_INIT(fpu_fields, .version = 1);

static const VMField vector_fields[] = { VM_ARRAY(X86Vector, q) };
static const VMState vector_state = VMSTATE_INIT(vector_fields, .version = 1);

static const VMField event_fields[] = {
    VM_I16(X86Event, vector), VM_U8(X86Event, kind), VM_BOOL(X86Event, has_error),
    VM_U32(X86Event, error), VM_U64(X86Event, address), VM_U64(X86Event, debug),
    VM_U64(X86Event, next_rip), VM_BOOL(X86Event, is_injected),
};
static const VMState event_state = VMSTATE_INIT(event_fields, .version = 2);

/* The rest is in the VMCB. */
static const VMField svm_fields[] = {
    VM_BOOL(X86Svm, is_guest), VM_BOOL(X86Svm, is_gif_clear), VM_U64(X86Svm, vmcb),
    VM_U32(X86Svm, int_ctl), VM_BOOL(X86Svm, host_if), VM_U64(X86Svm, host_cr4),
    VM_U64(X86Svm, host_efer), VM_U64(X86Svm, host_pat), VM_U8(X86Svm, pending),
    VM_U64(X86Svm, exit_code), VM_U64(X86Svm, exit_info_1), VM_U64(X86Svm, exit_info_2),
    VM_U64(X86Svm, exit_int_info), VM_U64(X86Svm, next_rip), VM_BOOL(X86Svm, wants_bytes),
};
static const VMState svm_state = VMSTATE_INIT(svm_fields, .version = 1);

static const VMField x86_state_fields[] = {
    VM_ARRAY(X86State, gpr),
    VM_U64(X86State, rip),
    VM_U64(X86State, flags.src), /* the arithmetic flags, known */
    VM_U32(X86State, eflags),
    VM_U8(X86State, shadow),
    VM_STRUCT_ARRAY(X86State, seg, segment_state),
    VM_U64(X86State, cr0), VM_U64(X86State, cr2), VM_U64(X86State, cr3), VM_U64(X86State, cr4),
    VM_U64(X86State, cr8), VM_ARRAY(X86State, dr), VM_U64(X86State, efer),
    VM_STRUCT(X86State, gdt, table_state), VM_STRUCT(X86State, idt, table_state),
    VM_U64(X86State, xcr0), VM_U64(X86State, xss), VM_U32(X86State, pkru),
    VM_STRUCT(X86State, event, event_state), VM_STRUCT(X86State, svm, svm_state),
    VM_BOOL(X86State, is_delivering),
    VM_BOOL(X86State, is_in_smm), VM_BOOL(X86State, is_nmi_blocked),
    VM_BOOL(X86State, is_waiting), VM_BOOL(X86State, is_shut_down),
    VM_U64(X86State, star), VM_U64(X86State, lstar), VM_U64(X86State, cstar),
    VM_U64(X86State, fmask), VM_U64(X86State, kernel_gs_base), VM_U64(X86State, sysenter_cs),
    VM_U64(X86State, sysenter_esp), VM_U64(X86State, sysenter_eip), VM_U64(X86State, pat),
    VM_U64(X86State, tsc_aux), VM_U64(X86State, tsc_adjust), VM_U64(X86State, tsc_offset),
    VM_U64(X86State, misc_enable), VM_U64(X86State, smbase), VM_U64(X86State, spec_ctrl),
    VM_U64(X86State, virt_ssbd), VM_U64(X86State, pasid), VM_U64(X86State, umwait_control),
    VM_U64(X86State, smi_count), VM_U64(X86State, microcode),
    VM_U64(X86State, feature_control), VM_U64(X86State, vm_hsave), VM_U64(X86State, vm_cr),
    VM_U64(X86State, mtrr_default), VM_ARRAY(X86State, mtrr_fixed), VM_ARRAY(X86State, mtrr),
    VM_U64(X86State, mcg_status), VM_U64(X86State, mcg_control), VM_ARRAY(X86State, mce_banks),
    VM_U32(X86State, mxcsr), VM_STRUCT(X86State, fpu, fpu_state),
    VM_STRUCT_ARRAY(X86State, vec, vector_state),
};
static const VMState x86_state_state = VMSTATE_INIT(x86_state_fields, .version = 2);

static const VMField x86_cpu_fields[] = {
    VM_U32(X86Cpu, state.tcg.requests), VM_U8(X86Cpu, startup_vector), VM_BOOL(X86Cpu, is_a20_masked),
    VM_STRUCT(X86Cpu, state, x86_state_state),
};

static bool x86_cpu_pre_save(void *opaque, Error **errp)
{
    X86State *s = &X86_CPU(opaque)->state;

    x86_take_rip(s);
    x86_set_arith_flags(s, x86_flags_arith(s));
    s->mxcsr = x86_mxcsr(s);
    return true;
}

static bool x86_cpu_post_load(void *opaque, int version, Error **errp)
{
    X86Cpu *cpu = X86_CPU(opaque);
    X86State *s = &cpu->state;

    s->fpu.top &= 7;
    x86_set_arith_flags(s, s->flags.src);
    x86_svm_state_loaded(cpu);
    x86_set_mxcsr(s, s->mxcsr);
    if (s->is_in_smm) {
        x86_make_smm_space(cpu);
    }
    x86_update_breakpoints(cpu);
    x86_update_mode(cpu);
    x86_give_rip(s);
    x86_switch_space(cpu, false);
    x86_flush_all(cpu, true);
    return true;
}

const VMState x86_cpu_vmstate = VMSTATE_INIT(x86_cpu_fields, .version = 3,
                                             .pre_save = x86_cpu_pre_save,
                                             .post_load = x86_cpu_post_load);

/* --- memory in system management mode --- */

void x86_make_smm_space(X86Cpu *cpu)
{
    Object *owner = (Object *)cpu;

    if (cpu->has_smm_space) {
        return;
    }
    memory_region_init(&cpu->smm_root, owner, "smm", UINT64_MAX);
    memory_region_init_alias(&cpu->smm_system, owner, "smm-system", memory_region_system(),
                             (MemoryWindow){ 0, UINT64_MAX });
    memory_region_init_alias(&cpu->smm_ram, owner, "smm-ram", smm_memory(),
                             (MemoryWindow){ 0, 4 * GiB });
    memory_region_add(&cpu->smm_root, 0, &cpu->smm_system);
    memory_region_add_overlap(&cpu->smm_root, 0, &cpu->smm_ram, 1);
    address_space_init(&cpu->smm_space, &cpu->smm_root, "cpu-smm");
    cpu->has_smm_space = true;
}

void x86_drop_smm_space(X86Cpu *cpu)
{
    if (!cpu->has_smm_space) {
        return;
    }
    address_space_clear(&cpu->smm_space);
    rcu_wait();
    memory_region_remove(&cpu->smm_root, &cpu->smm_ram);
    memory_region_remove(&cpu->smm_root, &cpu->smm_system);
    memory_region_clear(&cpu->smm_ram);
    memory_region_clear(&cpu->smm_system);
    memory_region_clear(&cpu->smm_root);
    cpu->has_smm_space = false;
}

/* --- breakpoints --- */

/* Data breakpoints are the engine's work; the mode word says whether instructions are looked at. */
void x86_update_breakpoints(X86Cpu *cpu)
{
    const X86State *s = &cpu->state;
    TcgWatch watches[TCG_WATCHES] = { 0 };

    for (unsigned n = 0; n < TCG_WATCHES; n++) {
        X86BreakType type = x86_break_type(s, n);
        unsigned bytes = x86_break_bytes(s, n);

        if (type == X86_BREAK_WRITE || type == X86_BREAK_ACCESS) {
            watches[n] = (TcgWatch){ s->dr[n] & ~(uint64_t)(bytes - 1), bytes, BIT(TCG_WRITE) };
            watches[n].access |= type == X86_BREAK_ACCESS ? BIT(TCG_READ) : 0;
        }
    }
    tcg_set_watches(&cpu->state.tcg, watches);
    x86_update_mode(cpu);
}
