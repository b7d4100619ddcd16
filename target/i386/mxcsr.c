/*
 * MXCSR while guest code runs: see mxcsr.h.
 *
 * Guest code runs with the host's MXCSR register set to host_mxcsr, helpers too: the sticky flags
 * are in the register until the engine takes it away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/mxcsr.h"

#include "target/i386/mode.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

/* The engine keeps the host's own value while guest code runs. */
static bool is_running(const X86State *s)
{
    return s->tcg.host_mxcsr != 0;
}

static uint32_t running_flags(const X86State *s)
{
    return (is_running(s) ? _mm_getcsr() : s->host_mxcsr) & MXCSR_FLAGS;
}

static void take_effect(X86State *s)
{
    if (is_running(s)) {
        _mm_setcsr(s->host_mxcsr);
    }
}
#else
static uint32_t running_flags(const X86State *s)
{
    return s->host_mxcsr & MXCSR_FLAGS;
}

static void take_effect(X86State *s)
{
}
#endif

uint32_t x86_mxcsr(const X86State *s)
{
    return s->mxcsr | running_flags(s);
}

void x86_set_mxcsr(X86State *s, uint32_t value)
{
    s->mxcsr = value & x86_mxcsr_mask(x86_cpu_of(&s->tcg));
    s->host_mxcsr = (s->mxcsr & MXCSR_MASK) | MXCSR_MASKS;
    take_effect(s);
    x86_update_mode(x86_cpu_of(&s->tcg));
}

/* Found before there is a result: then nothing is known of that. */
#define EARLY_FLAGS 7u /* IE, DE, ZE */

/* Unmasked underflow comes for exact results too, which set its flag only if they are flushed to zero. */
static void run_without_flags(X86State *s)
{
    s->host_mxcsr = (s->mxcsr & MXCSR_MASK & ~MXCSR_FLAGS) | MXCSR_MASKS;
    s->host_mxcsr |= s->mxcsr & MXCSR_UM ? 0 : MXCSR_FTZ;
    take_effect(s);
}

void x86_begin_fp_flags(X86State *s)
{
    s->mxcsr = x86_mxcsr(s);
    run_without_flags(s);
}

bool x86_take_fp_exceptions(X86State *s)
{
    uint32_t flags = running_flags(s), unmasked = flags & ~(s->mxcsr >> 7);

    if (!unmasked) {
        return false;
    }
    s->mxcsr |= unmasked & EARLY_FLAGS ? flags & EARLY_FLAGS : flags;
    run_without_flags(s);
    return true;
}
