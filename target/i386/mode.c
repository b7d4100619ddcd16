/*
 * The mode word from the state it follows from: see mode.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/mode.h"

#include "target/i386/flags.h"
#include "target/i386/mxcsr.h"

static bool is_flat(const X86Segment *seg)
{
    return !seg->base && seg->limit == UINT32_MAX && !(seg->access & SEG_NULL) &&
           (seg->access & SEG_P) && ((seg->access & SEG_CODE) ? seg->access & SEG_READABLE
                                                              : !(seg->access & SEG_DOWN));
}

static bool is_writable_flat(const X86Segment *seg)
{
    return is_flat(seg) && !(seg->access & SEG_CODE) && (seg->access & SEG_WRITABLE);
}

/* Without protection the widths of segments loaded earlier still count. */
static uint32_t code_mode(const X86State *s)
{
    uint32_t mode = s->seg[X86_CS].access & SEG_DB ? X86_MODE_CODE32 : 0;

    mode |= s->seg[X86_SS].access & SEG_DB ? X86_MODE_STACK32 : 0;
    if (s->cr0 & CR0_PE) {
        mode |= X86_MODE_PE | (s->eflags & FLAG_VM ? X86_MODE_VM | 3 :
                               s->seg[X86_SS].access >> SEG_DPL_SHIFT & 3);
    }
    return mode;
}

static uint32_t segment_mode(const X86State *s)
{
    if (x86_is_long(s) && (s->seg[X86_CS].access & SEG_L) && !(s->eflags & FLAG_VM)) {
        return X86_MODE_CODE64 | X86_MODE_CODE32 | X86_MODE_STACK32;
    }
    if (s->seg[X86_CS].limit < (s->seg[X86_CS].access & SEG_DB ? UINT32_MAX : 0xffff)) {
        return X86_MODE_LIMIT | (~s->seg[X86_CS].limit & 0xfff ? X86_MODE_LIMIT_INSIDE : 0);
    }
    if (is_flat(&s->seg[X86_CS]) && is_writable_flat(&s->seg[X86_SS]) &&
        is_writable_flat(&s->seg[X86_DS]) && is_writable_flat(&s->seg[X86_ES])) {
        return X86_MODE_FLAT;
    }
    return 0;
}

static uint32_t fpu_mode(const X86State *s)
{
    uint32_t mode = s->cr0 & CR0_EM ? X86_MODE_EM : 0;

    mode |= s->cr0 & CR0_MP ? X86_MODE_MP : 0;
    mode |= s->cr0 & CR0_TS ? X86_MODE_TS : 0;
    mode |= s->cr4 & CR4_OSFXSR ? X86_MODE_SSE : 0;
    mode |= ~s->mxcsr & MXCSR_MASKS ? X86_MODE_XM : 0;
    mode |= s->mxcsr & MXCSR_MM ? X86_MODE_MM : 0;
    return mode | ((s->cr4 & CR4_OSXSAVE) && (s->xcr0 & 6) == 6 ? X86_MODE_AVX : 0);
}

/* A breakpoint that is on and is looked for at each instruction. */
static bool has_code_breakpoint(const X86State *s)
{
    for (unsigned n = 0; n < 4 && (s->dr[7] & DR7_ENABLES); n++) {
        X86BreakType type = x86_break_type(s, n);

        if (type == X86_BREAK_CODE || type == X86_BREAK_PORT) {
            return true;
        }
    }
    return false;
}

static uint32_t check_mode(const X86State *s, unsigned cpl)
{
    X86Mmu mmu = cpl == 3 ? X86_MMU_USER :
                 (s->cr4 & CR4_SMAP) && !(s->eflags & FLAG_AC) ? X86_MMU_SUPERVISOR_SMAP :
                                                                X86_MMU_SUPERVISOR;
    uint32_t mode = (uint32_t)mmu << X86_MODE_MMU_SHIFT;

    mode |= s->cr4 & CR4_SMAP ? X86_MODE_SMAP : 0;
    mode |= s->eflags & FLAG_TF ? X86_MODE_TF : 0;
    mode |= s->shadow ? X86_MODE_SHADOW : 0;
    mode |= s->is_in_smm ? X86_MODE_SMM : 0;
    mode |= s->svm.is_guest ? X86_MODE_GUEST : 0;
    mode |= x86_is_long(s) ? X86_MODE_LMA : 0;
    mode |= has_code_breakpoint(s) ? X86_MODE_BREAKS : 0;
    mode |= mode & X86_MODE_BREAKS && s->eflags & FLAG_RF ? X86_MODE_RF : 0;
    mode |= cpl == 3 && (s->cr0 & CR0_AM) && (s->eflags & FLAG_AC) ? X86_MODE_ALIGN : 0;
    return mode | (s->eflags >> 12 & 3) << X86_MODE_IOPL_SHIFT;
}

/*
 * Linear addresses of 32 bits go on from 0 after 4 GiB, which takes a segment with a base: an offset that wraps
 * is beyond the limit. That is checked for each access, but not while the segments of X86_MODE_FLAT are all there is.
 */
void x86_update_wrap(X86State *s)
{
    bool is_flat_only = s->mode & X86_MODE_FLAT && !s->seg[X86_FS].base && !s->seg[X86_GS].base;

    s->tcg.wraps_at = s->mode & X86_MODE_CODE64 || is_flat_only ? 0 : BIT64(32);
}

void x86_update_mode(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    uint32_t mode = code_mode(s);

    s->mode = mode | segment_mode(s) | fpu_mode(s) | check_mode(s, mode & X86_MODE_CPL);
    x86_update_wrap(s);
}

void x86_put_eflags(X86State *s, uint32_t value, uint32_t mask)
{
    uint32_t kept = FLAGS_ARITH & ~mask ? x86_flags_arith(s) & ~mask : 0;

    x86_set_arith_flags(s, kept | (value & mask));
    s->eflags = ((s->eflags & ~mask) | (value & mask)) & ~(FLAGS_ARITH | FLAG_ONE);
}

void x86_load_eflags(X86Cpu *cpu, uint32_t value, uint32_t mask)
{
    x86_put_eflags(&cpu->state, value, mask);
    x86_update_mode(cpu);
}
