/*
 * The extended state in memory: FXSAVE, FXRSTOR, the XSAVE family. SDM volume 1, chapters 10.5 and
 * 13.
 *
 * XSAVEOPT and XSAVES save what is in use, with no memory of what an earlier XRSTOR loaded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "target/i386/control.h"
#include "target/i386/execute.h"
#include "target/i386/memory.h"
#include "target/i386/mxcsr.h"
#include "target/i386/x87_parts.h"

enum { XFEATURE_X87, XFEATURE_SSE, XFEATURE_AVX, XFEATURE_PKRU = 9, XFEATURE_PASID = 10 };

#define LEGACY_BYTES   512
#define HEADER_BYTES   64
#define AT_MXCSR       24
#define AT_ST          32
#define AT_XMM         160
#define AT_XSTATE_BV   512
#define AT_XCOMP_BV    520
#define COMPACTED      BIT64(63)
#define YMM_BYTES      256
#define MOST_BYTES     4096
#define PASID_VALID    BIT64(31)
#define PASID_DEFINED  (PASID_VALID | 0xfffff)

static void put16(uint8_t *at, uint16_t value) { memcpy(at, &value, 2); }
static void put32(uint8_t *at, uint32_t value) { memcpy(at, &value, 4); }
static void put64(uint8_t *at, uint64_t value) { memcpy(at, &value, 8); }
static uint16_t get16(const uint8_t *at) { uint16_t v; memcpy(&v, at, 2); return v; }
static uint32_t get32(const uint8_t *at) { uint32_t v; memcpy(&v, at, 4); return v; }
static uint64_t get64(const uint8_t *at) { uint64_t v; memcpy(&v, at, 8); return v; }

typedef struct Save {
    X86Cpu *cpu;
    X86State *s;
    uint64_t linear;
    X86Mmu mmu;
    bool is_wide, is_compacted, is_supervisor, skips_unused;
    uint64_t wanted;
} Save;

/* --- the area: outside 64-bit mode it goes on from 0 after 4 GiB, for processors move it in pieces --- */

/* Where `at` is; `bytes` are cut to those up to there. */
static uint64_t place(const Save *v, unsigned at, size_t *bytes)
{
    uint64_t linear = v->linear + at;

    if (!x86_is_code64(v->s)) {
        linear = (uint32_t)linear;
        *bytes = MIN(*bytes, BIT64(32) - linear);
    }
    return linear;
}

static void read_part(const Save *v, unsigned at, uint8_t *data, size_t bytes)
{
    for (size_t n = bytes; bytes > 0; bytes -= n, at += n, data += n, n = bytes) {
        uint64_t linear = place(v, at, &n);

        x86_read_bytes(v->cpu, linear, data, n, v->mmu);
    }
}

static void write_part(const Save *v, unsigned at, const uint8_t *data, size_t bytes)
{
    for (size_t n = bytes; bytes > 0; bytes -= n, at += n, data += n, n = bytes) {
        uint64_t linear = place(v, at, &n);

        x86_write_bytes(v->cpu, linear, data, n, v->mmu);
    }
}

static void check_writable(const Save *v, size_t bytes)
{
    unsigned at = 0;

    for (size_t n = bytes; bytes > 0; bytes -= n, at += n, n = bytes) {
        uint64_t linear = place(v, at, &n);

        x86_check_writable(v->cpu, linear, n, v->mmu);
    }
}

/* --- the legacy area --- */

static void save_x87(const X86State *s, uint8_t *area, bool is_wide)
{
    const X86Fpu *f = &s->fpu;

    put16(area, f->control);
    put16(area + 2, f->status | f->top << 11);
    put16(area + 4, f->valid);
    put16(area + 6, f->opcode);
    put64(area + 8, is_wide ? f->ip : (uint32_t)f->ip | (uint64_t)f->cs << 32);
    put64(area + 16, is_wide ? f->dp : (uint32_t)f->dp | (uint64_t)f->ds << 32);
    for (unsigned n = 0; n < 8; n++) {
        const X86Extended *reg = &f->reg[(f->top + n) & 7];

        put64(area + AT_ST + 16 * n, reg->significand);
        put64(area + AT_ST + 16 * n + 8, reg->sign_exponent);
    }
}

static void load_x87(X86State *s, const uint8_t *area, bool is_wide)
{
    X86Fpu *f = &s->fpu;

    f->control = (get16(area) & 0x1f3f) | 0x40;
    f->status = get16(area + 2) & ~0x3800;
    f->top = get16(area + 2) >> 11 & 7;
    f->valid = area[4];
    f->opcode = get16(area + 6) & 0x7ff;
    f->ip = is_wide ? get64(area + 8) : get32(area + 8);
    f->dp = is_wide ? get64(area + 16) : get32(area + 16);
    x87_summarize(f);
    f->cs = is_wide ? 0 : get16(area + 12);
    f->ds = is_wide ? 0 : get16(area + 20);
    for (unsigned n = 0; n < 8; n++) {
        X86Extended *reg = &f->reg[(f->top + n) & 7];

        reg->significand = get64(area + AT_ST + 16 * n);
        reg->sign_exponent = get16(area + AT_ST + 16 * n + 8);
    }
}

static void init_x87(X86State *s)
{
    memset(&s->fpu, 0, sizeof(s->fpu));
    s->fpu.control = 0x37f;
}

static unsigned xmm_count(const X86State *s)
{
    return x86_is_code64(s) ? 16 : 8;
}

static void save_xmm(const X86State *s, uint8_t *area)
{
    for (unsigned n = 0; n < xmm_count(s); n++) {
        memcpy(area + AT_XMM + 16 * n, &s->vec[n], 16);
    }
}

static void load_xmm(X86State *s, const uint8_t *area)
{
    for (unsigned n = 0; n < xmm_count(s); n++) {
        memcpy(&s->vec[n], area + AT_XMM + 16 * n, 16);
    }
}

static void check_mxcsr(X86Cpu *cpu, uint32_t value)
{
    if (value & ~x86_mxcsr_mask(cpu)) {
        x86_raise_gp(cpu);
    }
}

static void fxsave(const Save *v)
{
    X86State *s = v->s;
    uint8_t area[LEGACY_BYTES];
    unsigned bytes = AT_XMM + 16 * xmm_count(s);

    /* What is not saved stays as it is in memory. */
    read_part(v, 0, area, bytes);
    save_x87(s, area, v->is_wide);
    put32(area + AT_MXCSR, x86_mxcsr(s));
    put32(area + AT_MXCSR + 4, x86_mxcsr_mask(v->cpu));
    if (s->cr4 & CR4_OSFXSR) {
        save_xmm(s, area);
    }
    write_part(v, 0, area, bytes);
}

static void fxrstor(const Save *v)
{
    X86State *s = v->s;
    uint8_t area[LEGACY_BYTES];

    read_part(v, 0, area, AT_XMM + 16 * xmm_count(s));
    if (s->cr4 & CR4_OSFXSR) {
        check_mxcsr(v->cpu, get32(area + AT_MXCSR));
        x86_set_mxcsr(s, get32(area + AT_MXCSR));
        load_xmm(s, area);
    }
    load_x87(s, area, v->is_wide);
}

/* --- XSAVE --- */

static bool is_zero(const void *bytes, size_t count)
{
    const uint8_t *at = bytes;

    return !at[0] && !memcmp(at, at + 1, count - 1);
}

static bool x87_in_use(const X86State *s)
{
    X86State initial = { .fpu.control = 0x37f };

    return memcmp(&s->fpu, &initial.fpu, sizeof(s->fpu)) != 0;
}

static bool half_in_use(const X86State *s, unsigned half)
{
    for (unsigned n = 0; n < xmm_count(s); n++) {
        if (!is_zero(s->vec[n].b + 16 * half, 16)) {
            return true;
        }
    }
    return false;
}

uint64_t x86_components_in_use(const X86State *s)
{
    return (x87_in_use(s) ? BIT64(XFEATURE_X87) : 0) |
           (half_in_use(s, 0) ? BIT64(XFEATURE_SSE) : 0) |
           (half_in_use(s, 1) ? BIT64(XFEATURE_AVX) : 0) |
           (s->pkru ? BIT64(XFEATURE_PKRU) : 0) |
           (s->pasid & PASID_VALID ? BIT64(XFEATURE_PASID) : 0);
}

static void save_ymm(const X86State *s, uint8_t *at)
{
    for (unsigned n = 0; n < xmm_count(s); n++) {
        memcpy(at + 16 * n, s->vec[n].b + 16, 16);
    }
}

static void load_ymm(X86State *s, const uint8_t *at)
{
    for (unsigned n = 0; n < xmm_count(s); n++) {
        memcpy(s->vec[n].b + 16, at + 16 * n, 16);
    }
}

/* The components above the legacy area: how many bytes, where in the standard format. */
typedef struct Component {
    uint8_t number;
    uint16_t bytes, at;
} Component;
static const Component components[] = {
    { XFEATURE_AVX, YMM_BYTES, 576 },
    { XFEATURE_PKRU, 8, 2688 },
    { XFEATURE_PASID, 8, 0 }, /* compacted format only */
};

/* Outside 64-bit mode the upper half of the registers is neither stored nor loaded. */
static unsigned component_bytes(const X86State *s, const Component *c)
{
    return c->number == XFEATURE_AVX ? 16 * xmm_count(s) : c->bytes;
}

/* Where a component is, in an area that has those of `present`. */
static unsigned place_of(const Component *c, uint64_t present, bool is_compacted)
{
    unsigned at = LEGACY_BYTES + HEADER_BYTES;

    if (!is_compacted) {
        return c->at;
    }
    for (const Component *before = components; before < c; before++) {
        at += present >> before->number & 1 ? before->bytes : 0;
    }
    return at;
}

static void save_component(const X86State *s, unsigned number, uint8_t *at)
{
    switch (number) {
    case XFEATURE_AVX:
        save_ymm(s, at);
        break;
    case XFEATURE_PKRU:
        put64(at, s->pkru);
        break;
    default:
        put64(at, s->pasid);
        break;
    }
}

static void load_component(X86Cpu *cpu, unsigned number, const uint8_t *at)
{
    static const uint8_t initial[YMM_BYTES];
    X86State *s = &cpu->state;

    at = at ? at : initial;
    switch (number) {
    case XFEATURE_AVX:
        load_ymm(s, at);
        break;
    case XFEATURE_PKRU:
        x86_set_pkru(cpu, get32(at));
        break;
    default:
        s->pasid = get64(at);
        break;
    }
}

static void save_legacy(Save *v, uint64_t saved)
{
    uint8_t area[LEGACY_BYTES] = { 0 };

    if (saved & BIT64(XFEATURE_X87)) {
        save_x87(v->s, area, v->is_wide);
        write_part(v, 0, area, AT_MXCSR);
        write_part(v, AT_ST, area + AT_ST, 128);
    }
    if (v->is_compacted ? saved & BIT64(XFEATURE_SSE) : v->wanted & 6) {
        put32(area, x86_mxcsr(v->s));
        put32(area + 4, x86_mxcsr_mask(v->cpu));
        write_part(v, AT_MXCSR, area, 8);
    }
    if (saved & BIT64(XFEATURE_SSE)) {
        save_xmm(v->s, area);
        write_part(v, AT_XMM, area + AT_XMM, 16 * xmm_count(v->s));
    }
}

static uint64_t in_use(const X86State *s)
{
    uint64_t bits = x86_components_in_use(s);

    return x86_mxcsr(s) != MXCSR_RESET_VALUE ? bits | BIT64(XFEATURE_SSE) : bits;
}

static void xsave(Save *v)
{
    uint64_t used = in_use(v->s);
    uint64_t saved = v->skips_unused ? v->wanted & used : v->wanted;
    uint8_t data[YMM_BYTES], header[HEADER_BYTES] = { 0 };

    check_writable(v, LEGACY_BYTES + HEADER_BYTES);
    save_legacy(v, saved);
    for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
        const Component *c = &components[i];

        if (saved >> c->number & 1) {
            save_component(v->s, c->number, data);
            write_part(v, place_of(c, v->wanted, v->is_compacted), data, component_bytes(v->s, c));
        }
    }
    if (v->is_compacted) {
        put64(header, v->wanted & used);
        put64(header + 8, v->wanted | COMPACTED);
        write_part(v, AT_XSTATE_BV, header, 16);
        return;
    }
    read_part(v, AT_XSTATE_BV, header, 8);
    put64(header, (get64(header) & ~v->wanted) | (v->wanted & used));
    write_part(v, AT_XSTATE_BV, header, 8);
}

static uint64_t allowed_components(const Save *v)
{
    return v->s->xcr0 | (v->is_supervisor ? v->s->xss : 0);
}

/* The header of an area to be loaded; raises #GP(0) for what it must not have. */
static uint64_t checked_header(Save *v, uint64_t *present)
{
    uint8_t header[HEADER_BYTES];
    uint64_t bv, comp, allowed = allowed_components(v);
    unsigned unused = v->is_compacted ? 16 : 8;

    read_part(v, AT_XSTATE_BV, header, HEADER_BYTES);
    bv = get64(header);
    comp = get64(header + 8);
    if (comp & COMPACTED ? !x86_has(v->cpu, X86_D_1_EAX, 1) || (comp & ~COMPACTED & ~allowed) ||
                               (bv & ~comp) || !is_zero(header + 16, HEADER_BYTES - 16)
                         : v->is_supervisor || comp || (bv & ~allowed) ||
                               !is_zero(header + unused, 24 - unused)) {
        x86_raise_gp(v->cpu);
    }
    v->is_compacted = comp & COMPACTED;
    *present = comp & ~COMPACTED;
    return bv;
}

static void load_legacy(Save *v, uint64_t bv, const uint8_t *area)
{
    X86State *s = v->s;

    if (v->wanted & BIT64(XFEATURE_X87)) {
        if (bv & BIT64(XFEATURE_X87)) {
            load_x87(s, area, v->is_wide);
        } else {
            init_x87(s);
        }
    }
    if (v->wanted & BIT64(XFEATURE_SSE)) {
        if (bv & BIT64(XFEATURE_SSE)) {
            load_xmm(s, area);
        } else {
            for (unsigned n = 0; n < xmm_count(s); n++) {
                memset(&s->vec[n], 0, 16);
            }
        }
    }
}

/* MXCSR goes with SSE, in the standard format with AVX too. */
static void load_mxcsr(Save *v, uint64_t bv, const uint8_t *area)
{
    if (!(v->wanted & (v->is_compacted ? 2 : 6))) {
        return;
    }
    if (v->is_compacted && !(bv & BIT64(XFEATURE_SSE))) {
        x86_set_mxcsr(v->s, MXCSR_RESET_VALUE);
        return;
    }
    x86_set_mxcsr(v->s, get32(area + AT_MXCSR));
}

static void check_component(X86Cpu *cpu, unsigned number, const uint8_t *at)
{
    if (number == XFEATURE_PASID && get64(at) & ~PASID_DEFINED) {
        x86_raise_gp(cpu);
    }
}

static void xrstor(Save *v)
{
    uint8_t area[MOST_BYTES];
    uint64_t present, bv = checked_header(v, &present);
    unsigned end = LEGACY_BYTES;

    read_part(v, 0, area, LEGACY_BYTES);
    if (v->wanted & 6 && (!v->is_compacted || (bv & 2))) {
        check_mxcsr(v->cpu, get32(area + AT_MXCSR));
    }
    for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
        const Component *c = &components[i];
        unsigned at = place_of(c, present, v->is_compacted);

        if ((v->wanted & bv) >> c->number & 1) {
            read_part(v, at, area + at, component_bytes(v->s, c));
            check_component(v->cpu, c->number, area + at);
            end = at + c->bytes;
        }
    }
    assert(end <= MOST_BYTES);
    load_mxcsr(v, bv, area);
    load_legacy(v, bv, area);
    for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
        const Component *c = &components[i];
        unsigned at = place_of(c, present, v->is_compacted);

        if (v->wanted >> c->number & 1) {
            load_component(v->cpu, c->number, bv >> c->number & 1 ? area + at : NULL);
        }
    }
}

static void check_enabled(X86Cpu *cpu, bool is_fx)
{
    X86State *s = &cpu->state;

    if (is_fx ? s->cr0 & CR0_EM : !(s->cr4 & CR4_OSXSAVE)) {
        x86_raise_ud(cpu);
    }
    if (s->cr0 & CR0_TS) {
        x86_raise(cpu, VECTOR_NM);
    }
}

void x86_help_save_state(TcgCpu *tcg, uint32_t what, uint64_t linear)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    X86Save op = what & 0xff;
    bool is_fx = op == X86_FXSAVE || op == X86_FXRSTOR;
    Save v = { .cpu = cpu, .s = s, .linear = linear, .mmu = x86_mmu(s),
               .is_wide = what & X86_SAVE_WIDE,
               .is_compacted = op == X86_XSAVEC || op == X86_XSAVES,
               .is_supervisor = op == X86_XSAVES || op == X86_XRSTORS,
               .skips_unused = op != X86_XSAVE };

    check_enabled(cpu, is_fx);
    if ((v.is_supervisor && x86_cpl(s) != 0) || (linear & (is_fx ? 15 : 63))) {
        x86_raise_gp(cpu);
    }
    v.wanted = allowed_components(&v) & ((uint32_t)s->gpr[X86_RAX] | s->gpr[X86_RDX] << 32);
    switch (op) {
    case X86_FXSAVE:
        fxsave(&v);
        break;
    case X86_FXRSTOR:
        fxrstor(&v);
        break;
    case X86_XRSTOR:
    case X86_XRSTORS:
        xrstor(&v);
        break;
    default:
        xsave(&v);
        break;
    }
}
