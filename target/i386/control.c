/*
 * Control and debug registers, EFER, XCR0, translation invalidation. SDM volume 3, 2.5, 4.10 and
 * chapter 17.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"

#include "hw/core/local_apic.h"
#include "system/machine_lock.h"
#include "target/i386/memory.h"
#include "target/i386/svm.h"

/* Bits of CR4 and EFER, each with the feature that brings it. */
typedef struct BitRow {
    uint32_t bit;
    X86Word word;
    uint8_t feature;
} BitRow;

static const BitRow cr4_rows[] = {
    { CR4_VME, X86_1_EDX, 1 },         { CR4_PVI, X86_1_EDX, 1 },
    { CR4_TSD, X86_1_EDX, 4 },         { CR4_DE, X86_1_EDX, 2 },
    { CR4_PSE, X86_1_EDX, 3 },         { CR4_PAE, X86_1_EDX, 6 },
    { CR4_MCE, X86_1_EDX, 7 },         { CR4_PGE, X86_1_EDX, 13 },
    { CR4_OSFXSR, X86_1_EDX, 24 },     { CR4_OSXMMEXCPT, X86_1_EDX, 25 },
    { CR4_UMIP, X86_7_0_ECX, 2 },      { CR4_LA57, X86_7_0_ECX, 16 },
    { CR4_FSGSBASE, X86_7_0_EBX, 0 },  { CR4_PCIDE, X86_1_ECX, 17 },
    { CR4_OSXSAVE, X86_1_ECX, 26 },    { CR4_SMEP, X86_7_0_EBX, 7 },
    { CR4_SMAP, X86_7_0_EBX, 20 },     { CR4_PKE, X86_7_0_ECX, 3 },
};

static const BitRow efer_rows[] = {
    { EFER_SCE, X86_8000_0001_EDX, 11 }, { EFER_LME, X86_8000_0001_EDX, 29 },
    { EFER_NXE, X86_8000_0001_EDX, 20 }, { EFER_SVME, X86_8000_0001_ECX, 2 },
    { EFER_FFXSR, X86_8000_0001_EDX, 25 },
};

static uint64_t allowed(const X86Cpu *cpu, const BitRow *rows, size_t count)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        bits |= x86_has(cpu, rows[i].word, rows[i].feature) ? rows[i].bit : 0;
    }
    return bits;
}

/* --- CR0 --- */

static bool is_good_cr0(const X86Cpu *cpu, uint64_t value)
{
    const X86State *s = &cpu->state;

    if (value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) ||
        ((value & CR0_NW) && !(value & CR0_CD))) {
        return false;
    }
    if ((value & CR0_PG) && !(s->cr0 & CR0_PG) && (s->efer & EFER_LME)) {
        return (s->cr4 & CR4_PAE) && !(s->seg[X86_CS].access & SEG_L);
    }
    if (!(value & CR0_PG) && (s->cr0 & CR0_PG)) {
        return !(s->cr4 & CR4_PCIDE) && !x86_is_code64(s);
    }
    return true;
}

static void write_cr0(X86Cpu *cpu, uint64_t value)
{
    X86State *s = &cpu->state;
    uint64_t old = s->cr0;
    uint32_t known = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM |
                     CR0_NW | CR0_CD | CR0_PG;

    if (!is_good_cr0(cpu, value)) {
        x86_raise_gp(cpu);
    }
    s->cr0 = (value & known) | CR0_ET;
    if ((old ^ s->cr0) & CR0_PG) {
        s->efer &= ~(uint64_t)EFER_LMA;
        s->efer |= (s->cr0 & CR0_PG) && (s->efer & EFER_LME) ? EFER_LMA : 0;
    }
    if (!(s->cr0 & CR0_PE)) {
        /* Without protection everything runs at level 0. */
        s->seg[X86_SS].access &= ~(3u << SEG_DPL_SHIFT);
    }
    if ((old ^ s->cr0) & (CR0_PG | CR0_WP | CR0_PE)) {
        x86_flush_all(cpu, true);
    }
    x86_update_mode(cpu);
}

void x86_lmsw(X86Cpu *cpu, uint16_t value)
{
    uint64_t cr0 = cpu->state.cr0;

    /* It can set PE, never clear it. */
    write_cr0(cpu, (cr0 & ~UINT64_C(0xe)) | (value & 0xf));
}

/* --- CR3, CR4, CR8 --- */

static void write_cr3(X86Cpu *cpu, uint64_t value)
{
    X86State *s = &cpu->state;
    bool keeps = (s->cr4 & CR4_PCIDE) && (value >> 63);

    if (s->cr4 & CR4_PCIDE) {
        value &= ~BIT64(63);
    }
    if (x86_is_long(s) ? value >> cpu->phys_bits != 0 : false) {
        x86_raise_gp(cpu);
    }
    s->cr3 = x86_is_long(s) ? value : value & UINT32_MAX;
    x86_switch_space(cpu, keeps);
}

bool x86_is_allowed_cr4(const X86Cpu *cpu, uint64_t value)
{
    return !(value & ~allowed(cpu, cr4_rows, ARRAY_SIZE(cr4_rows)) & ~(uint64_t)CR4_PCE);
}

static bool is_good_cr4(const X86Cpu *cpu, uint64_t value)
{
    const X86State *s = &cpu->state;
    uint64_t change = s->cr4 ^ value;

    if (!x86_is_allowed_cr4(cpu, value)) {
        return false;
    }
    if (x86_is_long(s) && (!(value & CR4_PAE) || (change & CR4_LA57))) {
        return false;
    }
    return !((change & value & CR4_PCIDE) && (!x86_is_long(s) || (s->cr3 & 0xfff)));
}

static void write_cr4(X86Cpu *cpu, uint64_t value)
{
    X86State *s = &cpu->state;
    uint64_t change = s->cr4 ^ value;

    if (!is_good_cr4(cpu, value)) {
        x86_raise_gp(cpu);
    }
    s->cr4 = value;
    if (change & CR4_DE) {
        x86_update_breakpoints(cpu);
    }
    if (change & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_LA57 |
                  CR4_PCIDE)) {
        x86_flush_all(cpu, true);
    }
    x86_update_mode(cpu);
}

static void write_cr8(X86Cpu *cpu, uint64_t value)
{
    if (value & ~UINT64_C(15)) {
        x86_raise_gp(cpu);
    }
    if (x86_svm_has_virtual_tpr(&cpu->state)) {
        cpu->state.svm.int_ctl = (cpu->state.svm.int_ctl & ~SVM_V_TPR) | value;
        return;
    }
    cpu->state.cr8 = value;
    if (cpu->apic) {
        MACHINE_LOCK_SCOPE();
        local_apic_ops(cpu->apic)->set_task_priority(cpu->apic, value << 4);
    }
}

static uint64_t read_cr8(X86Cpu *cpu)
{
    if (x86_svm_has_virtual_tpr(&cpu->state)) {
        return cpu->state.svm.int_ctl & SVM_V_TPR;
    }
    if (cpu->apic) {
        MACHINE_LOCK_SCOPE();
        return local_apic_ops(cpu->apic)->task_priority(cpu->apic) >> 4;
    }
    return cpu->state.cr8;
}

void x86_write_cr(X86Cpu *cpu, unsigned n, uint64_t value)
{
    switch (n) {
    case 0:
        write_cr0(cpu, value);
        break;
    case 2:
        cpu->state.cr2 = value;
        break;
    case 3:
        write_cr3(cpu, value);
        break;
    case 4:
        write_cr4(cpu, value);
        break;
    case 8:
        write_cr8(cpu, value);
        break;
    default:
        x86_raise_ud(cpu);
    }
}

uint64_t x86_read_cr(X86Cpu *cpu, unsigned n)
{
    const X86State *s = &cpu->state;

    switch (n) {
    case 0:
        return s->cr0;
    case 2:
        return s->cr2;
    case 3:
        return s->cr3;
    case 4:
        return s->cr4;
    case 8:
        return read_cr8(cpu);
    default:
        x86_raise_ud(cpu);
    }
}

/* --- debug registers --- */

/* DR4 and DR5 are names of DR6 and DR7, unless CR4.DE makes them undefined. */
static unsigned debug_index(X86Cpu *cpu, unsigned n)
{
    if (n == 4 || n == 5) {
        if (cpu->state.cr4 & CR4_DE) {
            x86_raise_ud(cpu);
        }
        n += 2;
    }
    if (cpu->state.dr[7] & DR7_GD) {
        x86_raise_debug(cpu, EVENT_FAULT, DR6_BD);
    }
    return n;
}

void x86_write_dr(X86Cpu *cpu, unsigned n, uint64_t value)
{
    X86State *s = &cpu->state;

    n = debug_index(cpu, n);
    if (n >= 6 && value >> 32) {
        x86_raise_gp(cpu);
    }
    if (n < 4) {
        s->dr[n] = value;
    } else if (n == 6) {
        s->dr[6] = (value & 0xe00f) | DR6_FIXED_1;
    } else {
        s->dr[7] = (value & 0xffff2bff) | DR7_FIXED_1;
    }
    /* The instruction that enables a breakpoint ends with RF clear. */
    s->eflags &= ~FLAG_RF;
    x86_update_breakpoints(cpu);
}

uint64_t x86_read_dr(X86Cpu *cpu, unsigned n)
{
    return cpu->state.dr[debug_index(cpu, n)];
}

/* --- EFER, XCR0 --- */

bool x86_is_good_efer(const X86Cpu *cpu, uint64_t value)
{
    return !(value & ~allowed(cpu, efer_rows, ARRAY_SIZE(efer_rows)) & ~(uint64_t)EFER_LMA);
}

bool x86_write_efer(X86Cpu *cpu, uint64_t value)
{
    X86State *s = &cpu->state;
    uint64_t change = s->efer ^ value;

    /* LMA is not written, only read. */
    value = (value & ~(uint64_t)EFER_LMA) | (s->efer & EFER_LMA);
    if (!x86_is_good_efer(cpu, value) ||
        ((change & EFER_LME) && (s->cr0 & CR0_PG))) {
        return false;
    }
    s->efer = value;
    if (change & EFER_NXE) {
        x86_flush_all(cpu, true);
    }
    x86_update_mode(cpu);
    return true;
}

static bool is_good_xcr0(const X86Cpu *cpu, uint64_t value)
{
    uint64_t mask = x86_cpu_xcr0_mask(cpu);

    return !(value & ~mask) && (value & 1) && (!(value & BIT64(2)) || (value & BIT64(1)));
}

void x86_xsetbv(X86Cpu *cpu, uint32_t index, uint64_t value)
{
    X86State *s = &cpu->state;

    if (!(s->cr4 & CR4_OSXSAVE)) {
        x86_raise_ud(cpu);
    }
    if (x86_cpl(s) != 0 || index != 0 || !is_good_xcr0(cpu, value)) {
        x86_raise_gp(cpu);
    }
    s->xcr0 = value;
    x86_update_mode(cpu);
}

uint64_t x86_xgetbv(X86Cpu *cpu, uint32_t index)
{
    X86State *s = &cpu->state;

    if (!(s->cr4 & CR4_OSXSAVE)) {
        x86_raise_ud(cpu);
    }
    if (index == 0) {
        return s->xcr0;
    }
    if (index == 1 && x86_has(cpu, X86_D_1_EAX, 2)) {
        return s->xcr0 & x86_components_in_use(s);
    }
    x86_raise_gp(cpu);
}

/* --- translations --- */

void x86_invlpg(X86Cpu *cpu, uint64_t linear)
{
    if (x86_is_canonical(&cpu->state, linear)) {
        x86_flush_page(cpu, linear);
    }
}

void x86_invpcid(X86Cpu *cpu, uint64_t type, uint64_t pcid, uint64_t linear)
{
    X86State *s = &cpu->state;

    if (type > 3 || (type <= 1 && (pcid >> 12 || (pcid && !(s->cr4 & CR4_PCIDE)))) ||
        (type == 0 && !x86_is_canonical(s, linear))) {
        x86_raise_gp(cpu);
    }
    switch (type) {
    case 0:
        if (pcid == (s->cr3 & 0xfff) || !(s->cr4 & CR4_PCIDE)) {
            x86_flush_page(cpu, linear);
        } else {
            x86_flush_pcid(cpu, pcid);
        }
        break;
    case 1:
        x86_flush_pcid(cpu, pcid);
        break;
    default:
        x86_flush_all(cpu, type == 2);
        break;
    }
}
