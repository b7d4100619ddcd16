/*
 * The mode word: all of a CPU's state that changes what an instruction's bytes mean or which
 * checks its translation makes. Code is translated for one mode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MODE_H
#define TARGET_I386_MODE_H

#include "target/i386/cpu.h"

#define X86_MODE_CPL    3u
#define X86_MODE_CODE32 BIT(2)  /* CS.D */
#define X86_MODE_CODE64 BIT(3)  /* 64-bit mode proper */
#define X86_MODE_STACK32 BIT(4) /* SS.B */
#define X86_MODE_PE     BIT(5)
#define X86_MODE_VM     BIT(6)
#define X86_MODE_LMA    BIT(7)
#define X86_MODE_TF     BIT(8)
#define X86_MODE_FLAT   BIT(9)  /* CS, DS, ES, SS: base 0, 4 GiB, read and write */
#define X86_MODE_EM     BIT(10) /* CR0.EM, MP, TS */
#define X86_MODE_MP     BIT(11)
#define X86_MODE_TS     BIT(12)
#define X86_MODE_SSE    BIT(13) /* CR4.OSFXSR */
#define X86_MODE_AVX    BIT(14) /* CR4.OSXSAVE and XCR0 has SSE and AVX */
#define X86_MODE_BREAKS BIT(15) /* DR7 has breakpoints on instructions or ports on */
#define X86_MODE_SHADOW BIT(16) /* the first instruction is in an interrupt shadow */
#define X86_MODE_SMM    BIT(17)
#define X86_MODE_ALIGN  BIT(18) /* CR0.AM, EFLAGS.AC, CPL 3 */
#define X86_MODE_IOPL_SHIFT 19  /* two bits */
#define X86_MODE_MMU_SHIFT  21  /* two bits, X86Mmu of data accesses */
#define X86_MODE_RF     BIT(23)
#define X86_MODE_GUEST  BIT(25) /* run by VMRUN: some instructions may be intercepted */
#define X86_MODE_XM     BIT(24) /* MXCSR has exceptions unmasked */
#define X86_MODE_SMAP   BIT(26) /* CR4.SMAP */
#define X86_MODE_MM     BIT(27) /* MXCSR.MM */
#define X86_MODE_LIMIT  BIT(28) /* code may reach CS' limit: it is below 64 KiB, of 32-bit code below 4 GiB */
#define X86_MODE_LIMIT_INSIDE BIT(29) /* and that is not a page's end */

/* Shadow of STI and of loading SS. */
#define X86_SHADOW_STI 1
#define X86_SHADOW_SS  2

/* How a linear address is checked; the index of a TLB. */
typedef enum X86Mmu {
    X86_MMU_SUPERVISOR,      /* may touch user pages: SMAP is off or EFLAGS.AC set */
    X86_MMU_SUPERVISOR_SMAP, /* must not; also descriptor tables and TSS, whatever AC is */
    X86_MMU_USER,
    X86_MMU_COUNT
} X86Mmu;

/* What of EFLAGS it follows from. */
#define X86_MODE_EFLAGS (FLAG_TF | FLAG_IOPL | FLAG_RF | FLAG_VM | FLAG_AC)
/* After anything it follows from has changed. */
void x86_update_mode(X86Cpu *cpu);
/* After FS or GS alone. */
void x86_update_wrap(X86State *s);

static inline unsigned x86_cpl(const X86State *s)
{
    return s->mode & X86_MODE_CPL;
}
static inline X86Mmu x86_mmu(const X86State *s)
{
    return (s->mode >> X86_MODE_MMU_SHIFT) & 3;
}
/* Of what the CPU itself does at privilege level 0: tables, stacks it switches to. */
static inline X86Mmu x86_mmu_system(const X86State *s)
{
    return s->cr4 & CR4_SMAP ? X86_MMU_SUPERVISOR_SMAP : X86_MMU_SUPERVISOR;
}
static inline X86Mmu x86_mmu_for_cpl(const X86State *s, unsigned cpl)
{
    return cpl == 3 ? X86_MMU_USER : x86_mmu_system(s);
}
static inline bool x86_is_protected(const X86State *s)
{
    return (s->cr0 & CR0_PE) && !(s->eflags & FLAG_VM);
}
static inline bool x86_is_long(const X86State *s)
{
    return s->efer & EFER_LMA;
}
static inline bool x86_is_code64(const X86State *s)
{
    return s->mode & X86_MODE_CODE64;
}

/* What one of DR0 to DR3 looks for. */
typedef enum X86BreakType {
    X86_BREAK_OFF, X86_BREAK_CODE, X86_BREAK_WRITE, X86_BREAK_PORT, X86_BREAK_ACCESS,
} X86BreakType;
static inline X86BreakType x86_break_type(const X86State *s, unsigned n)
{
    unsigned type = s->dr[7] >> (16 + 4 * n) & 3;

    if (!(s->dr[7] >> (2 * n) & 3) || (type == 2 && !(s->cr4 & CR4_DE))) {
        return X86_BREAK_OFF;
    }
    return X86_BREAK_CODE + type;
}
static inline unsigned x86_break_bytes(const X86State *s, unsigned n)
{
    static const uint8_t bytes[] = { 1, 2, 8, 4 };

    return bytes[s->dr[7] >> (18 + 4 * n) & 3];
}

/* RIP from the linear PC, and back: around C code that moves it or CS. */
static inline uint64_t x86_rip(const X86State *s)
{
    return s->mode & X86_MODE_CODE64 ? s->pc : (uint32_t)(s->pc - s->seg[X86_CS].base);
}
static inline void x86_take_rip(X86State *s)
{
    s->rip = x86_rip(s);
}
static inline void x86_give_rip(X86State *s)
{
    s->pc = s->mode & X86_MODE_CODE64 ? s->rip : (uint32_t)(s->rip + s->seg[X86_CS].base);
}

/* A flag image is loaded: arithmetic and other flags of `mask`; put: and the mode is still old. */
void x86_put_eflags(X86State *s, uint32_t value, uint32_t mask);
void x86_load_eflags(X86Cpu *cpu, uint32_t value, uint32_t mask);

#endif
