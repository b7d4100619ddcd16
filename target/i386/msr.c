/*
 * Model-specific registers: SDM volume 4, AMD APM volume 2 appendix A. One row each: where it is
 * kept, which bits may be written, which feature it needs. What is neither plain storage nor here
 * raises #GP(0).
 *
 * Left out: performance counters (CPUID shows none), VMX.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"

#include "hw/core/local_apic.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "target/i386/memory.h"
#include "util/log.h"

#define MSR_PLATFORM_ID     0x17
#define MSR_TSC             0x10
#define MSR_TSC_ADJUST      0x3b
#define MSR_MTRR_CAP        0xfe
#define MSR_MTRR_PHYS_BASE  0x200
#define MSR_MTRR_FIX64K     0x250
#define MSR_MTRR_FIX16K     0x258
#define MSR_MTRR_FIX4K      0x268
#define MSR_MCG_CAP         0x179
#define MSR_MCG_STATUS      0x17a
#define MSR_MCG_CTL         0x17b
#define MSR_PERF_STATUS     0x198
#define MSR_MC0_CTL         0x400
#define MSR_XSS             0xda0
#define MSR_EFER            0xc0000080
#define MSR_FS_BASE         0xc0000100
#define MSR_GS_BASE         0xc0000101
#define MSR_PRED_CMD        0x49
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_PAT             0x277
#define MSR_MICROCODE       0x8b

#define MTRR_CAP_VALUE      (X86_VARIABLE_MTRRS | BIT(8) | BIT(10))
/* As the machine check registers of a server: banks, and a control register. */
#define MCG_CAP_VALUE       (X86_MCE_BANKS | BIT(8))

typedef enum MsrCheck {
    MSR_PLAIN,      /* bits outside .writable must be zero */
    MSR_CANONICAL,  /* a linear address */
    MSR_IGNORES,    /* bits outside .writable are dropped */
    MSR_READ_ONLY,
    MSR_PAT_TYPES,  /* eight memory types */
} MsrCheck;

typedef struct MsrRow {
    uint32_t first, count;
    size_t offset;        /* in X86State, of `count` values `stride` bytes apart */
    size_t stride;
    uint64_t writable;
    MsrCheck check;
    int word;             /* of the feature it needs; -1: none */
    uint8_t bit;
} MsrRow;

#define ROW(msr, field, writable_, check_, word_, bit_)                                            \
    { (msr), 1, offsetof(X86State, field), 8, (writable_), (check_), (word_), (bit_) }
#define BANK(msr, n, field, stride_, writable_, word_, bit_)                                       \
    { (msr), (n), offsetof(X86State, field), (stride_), (writable_), MSR_PLAIN, (word_), (bit_) }

static const MsrRow rows[] = {
    ROW(0x174, sysenter_cs, UINT32_MAX, MSR_IGNORES, X86_1_EDX, 11),
    ROW(0x175, sysenter_esp, UINT64_MAX, MSR_CANONICAL, X86_1_EDX, 11),
    ROW(0x176, sysenter_eip, UINT64_MAX, MSR_CANONICAL, X86_1_EDX, 11),
    ROW(0xc0000081, star, UINT64_MAX, MSR_PLAIN, X86_8000_0001_EDX, 11),
    ROW(0xc0000082, lstar, UINT64_MAX, MSR_CANONICAL, X86_8000_0001_EDX, 29),
    ROW(0xc0000083, cstar, UINT64_MAX, MSR_CANONICAL, X86_8000_0001_EDX, 29),
    ROW(0xc0000084, fmask, UINT32_MAX, MSR_IGNORES, X86_8000_0001_EDX, 29),
    ROW(MSR_FS_BASE, seg[X86_FS].base, UINT64_MAX, MSR_CANONICAL, X86_8000_0001_EDX, 29),
    ROW(MSR_GS_BASE, seg[X86_GS].base, UINT64_MAX, MSR_CANONICAL, X86_8000_0001_EDX, 29),
    ROW(0xc0000102, kernel_gs_base, UINT64_MAX, MSR_CANONICAL, X86_8000_0001_EDX, 29),
    ROW(0xc0000103, tsc_aux, UINT32_MAX, MSR_PLAIN, X86_8000_0001_EDX, 27),
    ROW(MSR_PAT, pat, UINT64_MAX, MSR_PAT_TYPES, X86_1_EDX, 16),
    ROW(0x3a, feature_control, 0xff07, MSR_PLAIN, -1, 0),
    ROW(0x48, spec_ctrl, 7, MSR_PLAIN, X86_7_0_EDX, 26),
    ROW(0xc001011f, virt_ssbd, 4, MSR_PLAIN, X86_8000_0008_EBX, 25),
    ROW(0x1a0, misc_enable, 0x400c51889, MSR_IGNORES, -1, 0),
    ROW(0xd93, pasid, 0x800fffff, MSR_PLAIN, X86_7_0_ECX, 29),
    ROW(0xe1, umwait_control, 0xfffffffd, MSR_PLAIN, X86_7_0_ECX, 5),
    ROW(0x34, smi_count, 0, MSR_READ_ONLY, -1, 0),
    ROW(MSR_MICROCODE, microcode, UINT64_MAX, MSR_IGNORES, -1, 0),
    ROW(0xc0010117, vm_hsave, ~UINT64_C(0xfff), MSR_PLAIN, X86_8000_0001_ECX, 2),
    ROW(0xc0010114, vm_cr, 0x1f, MSR_IGNORES, X86_8000_0001_ECX, 2),
    ROW(0x2ff, mtrr_default, 0xcff, MSR_PLAIN, X86_1_EDX, 12),
    BANK(MSR_MTRR_PHYS_BASE, X86_VARIABLE_MTRRS * 2, mtrr, 8, UINT64_MAX, X86_1_EDX, 12),
    BANK(MSR_MTRR_FIX64K, 1, mtrr_fixed[0], 8, UINT64_MAX, X86_1_EDX, 12),
    BANK(MSR_MTRR_FIX16K, 2, mtrr_fixed[1], 8, UINT64_MAX, X86_1_EDX, 12),
    BANK(MSR_MTRR_FIX4K, 8, mtrr_fixed[3], 8, UINT64_MAX, X86_1_EDX, 12),
    ROW(MSR_MCG_STATUS, mcg_status, UINT64_MAX, MSR_PLAIN, X86_1_EDX, 14),
    ROW(MSR_MCG_CTL, mcg_control, UINT64_MAX, MSR_PLAIN, X86_1_EDX, 14),
    BANK(MSR_MC0_CTL, 4 * X86_MCE_BANKS, mce_banks, 8, UINT64_MAX, X86_1_EDX, 14),
};

/* Read as this, whatever is written; firmware and kernels look at them. */
typedef struct ConstantRow {
    uint32_t msr;
    uint64_t value;
    bool takes_writes;
    uint8_t more;  /* of the same kind follow */
} ConstantRow;

static const ConstantRow constants[] = {
    { MSR_PLATFORM_ID, 0, false },
    { MSR_MTRR_CAP, MTRR_CAP_VALUE, false },
    { MSR_MCG_CAP, MCG_CAP_VALUE, false },
    /* The current and the base ratio, of a CPU that does not change its frequency. */
    { MSR_PERF_STATUS, 1000 | UINT64_C(4) << 40, false },
    { 0xcd, 3, false },                 /* FSB_FREQ: 100 MHz */
    { 0x199, 0, true },                 /* PERF_CTL */
    { 0x19a, 0, true },                 /* THERM_CONTROL */
    { 0x1d9, 0, true },                 /* DEBUGCTL: no branch records */
    { 0x79, 0, true },                  /* BIOS_UPDT_TRIG */
    { 0xc0010000, 0, true, 7 },         /* AMD PerfEvtSel, PerfCtr: counters that do not count */
    { 0xc0010010, 0x160601, true },     /* AMD SYSCFG */
    { 0xc0010015, 0, true },            /* AMD HWCR */
    { 0xc001001a, 0, true },            /* AMD TOP_MEM */
    { 0xc001001d, 0, true },            /* AMD TOP_MEM2 */
    { 0xc0010055, 0, true },            /* AMD interrupt pending */
    { 0xc0010063, 0, false },           /* AMD P-state status */
    { 0xc0010064, 0, false },
    { 0xc001001f, 0, true },            /* AMD NB_CFG */
    { 0xc0010140, 0, true },            /* AMD OSVW */
    { 0xc0010141, 0, true },
    { 0xc0011022, 0, true },            /* AMD DC_CFG */
    { 0xc0011023, 0, true },            /* AMD BU_CFG */
    { 0xc0011029, 0, true },            /* AMD DE_CFG */
};

static const MsrRow *find_row(const X86Cpu *cpu, uint32_t msr)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const MsrRow *row = &rows[i];

        if (msr - row->first < row->count) {
            return row->word < 0 || x86_has(cpu, row->word, row->bit) ? row : NULL;
        }
    }
    return NULL;
}

static const ConstantRow *find_constant(uint32_t msr)
{
    for (size_t i = 0; i < ARRAY_SIZE(constants); i++) {
        if (msr - constants[i].msr <= constants[i].more) {
            return &constants[i];
        }
    }
    return NULL;
}

static uint64_t *row_value(X86State *s, const MsrRow *row, uint32_t msr)
{
    return (uint64_t *)((char *)s + row->offset + (msr - row->first) * row->stride);
}

/* --- time --- */

uint64_t x86_tsc_hz(const X86Cpu *cpu)
{
    return cpu->tsc_hz ? cpu->tsc_hz : NS_PER_SEC;
}

/* Ticks since the clock's start, at the TSC's frequency. */
static uint64_t raw_tsc(const X86Cpu *cpu)
{
    unsigned __int128 ns = clock_now_ns(CLOCK_VIRTUAL);

    return cpu->tsc_hz ? ns * cpu->tsc_hz / NS_PER_SEC : ns;
}

uint64_t x86_tsc(const X86Cpu *cpu)
{
    return raw_tsc(cpu) + cpu->state.tsc_offset +
           (cpu->state.svm.is_guest ? cpu->state.svm.tsc_offset : 0);
}

static void set_tsc(X86Cpu *cpu, uint64_t value)
{
    uint64_t offset = value - raw_tsc(cpu);

    cpu->state.tsc_adjust += offset - cpu->state.tsc_offset;
    cpu->state.tsc_offset = offset;
}

static void set_tsc_adjust(X86Cpu *cpu, uint64_t value)
{
    cpu->state.tsc_offset += value - cpu->state.tsc_adjust;
    cpu->state.tsc_adjust = value;
}

/* --- those with a life of their own --- */

static bool is_apic_msr(uint32_t msr)
{
    return msr == MSR_APIC_BASE || msr == MSR_APIC_TSC_DEADLINE ||
           (msr >= MSR_APIC_X2APIC_FIRST && msr <= MSR_APIC_X2APIC_LAST);
}

static bool read_special(X86Cpu *cpu, uint32_t msr, uint64_t *value)
{
    X86State *s = &cpu->state;

    switch (msr) {
    case MSR_TSC:
        *value = x86_tsc(cpu);
        return true;
    case MSR_TSC_ADJUST:
        *value = s->tsc_adjust;
        return x86_has(cpu, X86_7_0_EBX, 1);
    case MSR_EFER:
        *value = s->efer;
        return true;
    case MSR_XSS:
        *value = s->xss;
        return x86_has(cpu, X86_D_1_EAX, 3);
    case MSR_ARCH_CAPABILITIES:
        *value = cpu->features.words[X86_MSR_ARCH_CAPABILITIES];
        return x86_has(cpu, X86_7_0_EDX, 29);
    default:
        return false;
    }
}

static bool write_special(X86Cpu *cpu, uint32_t msr, uint64_t value)
{
    X86State *s = &cpu->state;

    switch (msr) {
    case MSR_TSC:
        set_tsc(cpu, value);
        return true;
    case MSR_TSC_ADJUST:
        set_tsc_adjust(cpu, value);
        return x86_has(cpu, X86_7_0_EBX, 1);
    case MSR_EFER:
        return x86_write_efer(cpu, value);
    case MSR_XSS:
        if (!x86_has(cpu, X86_D_1_EAX, 3) || (value & ~x86_cpu_xss_mask(cpu))) {
            return false;
        }
        s->xss = value;
        return true;
    case MSR_PRED_CMD:
        return x86_has(cpu, X86_7_0_EDX, 26) && !(value & ~UINT64_C(1));
    default:
        return false;
    }
}

static bool apic_msr(X86Cpu *cpu, uint32_t msr, uint64_t *value, bool is_write)
{
    MACHINE_LOCK_SCOPE();
    const LocalApic *ops = cpu->apic ? local_apic_ops(cpu->apic) : NULL;

    if (!ops) {
        return false;
    }
    return is_write ? ops->write_msr(cpu->apic, msr, *value)
                    : ops->read_msr(cpu->apic, msr, value);
}

/* --- the table's --- */

static bool is_pat(uint64_t value)
{
    for (unsigned n = 0; n < 8; n++, value >>= 8) {
        if ((value & 0xff) > 7 || (value & 0xff) == 2 || (value & 0xff) == 3) {
            return false;
        }
    }
    return true;
}

static bool write_row(X86Cpu *cpu, const MsrRow *row, uint32_t msr, uint64_t value)
{
    uint64_t *at = row_value(&cpu->state, row, msr);

    if ((row->check == MSR_PLAIN && (value & ~row->writable)) || row->check == MSR_READ_ONLY ||
        (row->check == MSR_CANONICAL && x86_has(cpu, X86_8000_0001_EDX, 29) &&
         (int64_t)(value << 7) >> 7 != (int64_t)value) ||
        (row->check == MSR_PAT_TYPES && !is_pat(value))) {
        return false;
    }
    *at = value & row->writable;
    return true;
}

void x86_rdmsr(X86Cpu *cpu, uint32_t msr, uint64_t *value)
{
    const ConstantRow *constant = find_constant(msr);
    const MsrRow *row = find_row(cpu, msr);

    if (row) {
        *value = *row_value(&cpu->state, row, msr);
    } else if (constant) {
        *value = constant->value;
    } else if (!(is_apic_msr(msr) ? apic_msr(cpu, msr, value, false)
                                  : read_special(cpu, msr, value))) {
        guest_error("x86: RDMSR of %#x, which is not there", msr);
        x86_raise_gp(cpu);
    }
}

void x86_wrmsr(X86Cpu *cpu, uint32_t msr, uint64_t value)
{
    const ConstantRow *constant = find_constant(msr);
    const MsrRow *row = find_row(cpu, msr);
    bool is_done;

    if (row) {
        is_done = write_row(cpu, row, msr, value);
    } else if (constant) {
        is_done = constant->takes_writes;
    } else {
        is_done = is_apic_msr(msr) ? apic_msr(cpu, msr, &value, true)
                                   : write_special(cpu, msr, value);
    }
    if (!is_done) {
        guest_error("x86: WRMSR of %#" PRIx64 " to %#x", value, msr);
        x86_raise_gp(cpu);
    }
}
