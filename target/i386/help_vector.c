/*
 * Vector instructions that are not one operation of the host's: masked moves, gathers, string
 * comparison, SHA, MXCSR. SDM volume 2; FIPS 180-4 for SHA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "accel/tcg/memory.h"
#include "target/i386/exception.h"
#include "target/i386/mxcsr.h"
#include "target/i386/segment.h"

static IrMem mem_of(const X86State *s, unsigned log2_bytes)
{
    return log2_bytes | IR_MEM_MMU(x86_mmu(s));
}

/* --- masked moves --- */

void x86_help_mask_store(TcgCpu *tcg, uint64_t linear, uint64_t data, uint32_t mask)
{
    const X86State *s = &x86_cpu_of(tcg)->state;

    for (unsigned n = 0; n < 8; n++) {
        if (mask >> n & 1) {
            tcg_store(tcg, mem_of(s, 0), linear + n, data >> (8 * n) & 0xff);
        }
    }
}

static uint64_t element(const X86Vector *v, unsigned log2_bytes, unsigned n)
{
    return log2_bytes == 3 ? v->q[n] : v->d[n];
}

static void set_element(X86Vector *v, unsigned log2_bytes, unsigned n, uint64_t value)
{
    if (log2_bytes == 3) {
        v->q[n] = value;
    } else {
        v->d[n] = value;
    }
}

static bool is_selected(const X86Vector *mask, unsigned log2_bytes, unsigned n)
{
    return element(mask, log2_bytes, n) >> (8 * (1u << log2_bytes) - 1) & 1;
}

void x86_help_masked_load(TcgCpu *tcg, uint64_t linear, uint32_t what)
{
    X86State *s = &x86_cpu_of(tcg)->state;
    const X86Vector *mask = &s->vec[what >> 4 & 15];
    unsigned log2_bytes = what >> 8 & 3, count = (what & BIT(12) ? 32 : 16) >> log2_bytes;
    X86Vector out = { 0 };

    for (unsigned n = 0; n < count; n++) {
        if (is_selected(mask, log2_bytes, n)) {
            set_element(&out, log2_bytes, n,
                        tcg_load(tcg, mem_of(s, log2_bytes), linear + (n << log2_bytes)));
        }
    }
    s->vec[what & 15] = out;
}

void x86_help_masked_store(TcgCpu *tcg, uint64_t linear, uint32_t what)
{
    X86State *s = &x86_cpu_of(tcg)->state;
    const X86Vector *mask = &s->vec[what >> 4 & 15], *data = &s->vec[what & 15];
    unsigned log2_bytes = what >> 8 & 3, count = (what & BIT(12) ? 32 : 16) >> log2_bytes;

    for (unsigned n = 0; n < count; n++) {
        if (is_selected(mask, log2_bytes, n)) {
            tcg_store(tcg, mem_of(s, log2_bytes), linear + (n << log2_bytes),
                      element(data, log2_bytes, n));
        }
    }
}

/* --- gathers: elements that are there already are not fetched again after a fault --- */

/* A fault shows what is still to be fetched: elements of all ones. */
static void normalize_mask(X86Vector *mask, unsigned log2_bytes, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        set_element(mask, log2_bytes, n, is_selected(mask, log2_bytes, n) ? UINT64_MAX : 0);
    }
}

void x86_help_gather(TcgCpu *tcg, uint64_t base, uint32_t regs, uint32_t shape, uint64_t unused)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    X86Vector *out = &s->vec[regs & 15], *mask = &s->vec[regs >> 8 & 15];
    X86Vector index = s->vec[regs >> 4 & 15];
    unsigned data_log2 = shape & 15, index_log2 = shape >> 4 & 15, scale = shape >> 8 & 15;
    unsigned wide = MAX(data_log2, index_log2), count = (shape & BIT(12) ? 32 : 16) >> wide;

    if ((regs & 15) == (regs >> 4 & 15) || (regs & 15) == (regs >> 8 & 15) ||
        (regs >> 4 & 15) == (regs >> 8 & 15)) {
        x86_raise_ud(cpu);
    }
    normalize_mask(mask, data_log2, count);
    for (unsigned n = 0; n < count; n++) {
        int64_t i = index_log2 == 3 ? (int64_t)index.q[n] : (int32_t)index.d[n];
        uint64_t offset = base + ((uint64_t)i << scale);

        if (is_selected(mask, data_log2, n)) {
            offset = shape & BIT(13) ? offset : (uint32_t)offset;
            offset = x86_linear(cpu, shape >> 16, offset, 1u << data_log2, false);
            set_element(out, data_log2, n, tcg_load(tcg, mem_of(s, data_log2), offset));
            set_element(mask, data_log2, n, 0);
        }
    }
    *mask = (X86Vector){ 0 };
    for (unsigned n = count << data_log2; n < 32; n++) {
        out->b[n] = 0;
    }
}

/* --- PCMPxSTRx --- */

typedef struct Strings {
    uint8_t a[16], b[16];
    unsigned imm, count; /* elements in a register */
    int length_a, length_b;
} Strings;

static int32_t string_element(const Strings *s, const uint8_t *from, unsigned n)
{
    uint16_t word;

    if (!(s->imm & 1)) {
        return s->imm & 2 ? (int8_t)from[n] : from[n];
    }
    memcpy(&word, from + 2 * n, 2);
    return s->imm & 2 ? (int16_t)word : word;
}

/* Does element i of a match element j of b, ends taken into account (SDM volume 1, table 4-7)? */
static bool matches(const Strings *s, unsigned i, unsigned j)
{
    unsigned kind = s->imm >> 2 & 3;
    bool has_a = (int)i < s->length_a, has_b = (int)j < s->length_b;
    int32_t a = string_element(s, s->a, i), b = string_element(s, s->b, j);

    if (has_a && has_b) {
        return kind == 1 ? (i & 1 ? b <= a : b >= a) : a == b;
    }
    if (kind == 2) {
        return !has_a && !has_b;
    }
    return kind == 3 && !has_a;
}

static bool aggregate(const Strings *s, unsigned j)
{
    switch (s->imm >> 2 & 3) {
    case 0:
        for (unsigned i = 0; i < s->count; i++) {
            if (matches(s, i, j)) {
                return true;
            }
        }
        return false;
    case 1:
        for (unsigned i = 0; i < s->count; i += 2) {
            if (matches(s, i, j) && matches(s, i + 1, j)) {
                return true;
            }
        }
        return false;
    case 2:
        return matches(s, j, j);
    default:
        for (unsigned i = 0; i + j < s->count; i++) {
            if (!matches(s, i, j + i)) {
                return false;
            }
        }
        return true;
    }
}

static uint32_t comparison_bits(const Strings *s)
{
    uint32_t bits = 0, all = BIT(s->count) - 1;

    for (unsigned j = 0; j < s->count; j++) {
        bits |= aggregate(s, j) ? BIT(j) : 0;
    }
    switch (s->imm >> 4 & 3) {
    case 1:
        return bits ^ all;
    case 3:
        return bits ^ (s->length_b >= (int)s->count ? all : BIT(s->length_b) - 1);
    default:
        return bits;
    }
}

static int implicit_length(const Strings *s, const uint8_t *from)
{
    unsigned n = 0;

    while (n < s->count && string_element(s, from, n)) {
        n++;
    }
    return n;
}

static int explicit_length(const Strings *s, uint64_t reg, bool is_wide)
{
    int64_t value = is_wide ? (int64_t)reg : (int32_t)reg;

    value = value < 0 ? -value : value;
    return value < 0 || value > (int64_t)s->count ? (int)s->count : (int)value;
}

static void put_mask(X86State *s, const Strings *v, uint32_t bits)
{
    X86Vector *out = &s->vec[0];

    out->q[0] = out->q[1] = 0;
    if (!(v->imm & 0x40)) {
        out->q[0] = bits;
        return;
    }
    for (unsigned n = 0; n < v->count; n++) {
        if (v->imm & 1) {
            out->w[n] = bits >> n & 1 ? 0xffff : 0;
        } else {
            out->b[n] = bits >> n & 1 ? 0xff : 0;
        }
    }
}

void x86_help_pcmpstr(TcgCpu *tcg, uint32_t what, uint64_t low, uint64_t high)
{
    X86State *s = &x86_cpu_of(tcg)->state;
    Strings v = { .imm = what & 0xff, .count = what & 1 ? 8 : 16 };
    bool is_wide = what & X86_STR_WIDE;
    uint32_t bits;

    memcpy(v.a, &s->vec[what >> 16 & 15], 16);
    memcpy(v.b, &low, 8);
    memcpy(v.b + 8, &high, 8);
    v.length_a = what & X86_STR_EXPLICIT ? explicit_length(&v, s->gpr[X86_RAX], is_wide)
                                         : implicit_length(&v, v.a);
    v.length_b = what & X86_STR_EXPLICIT ? explicit_length(&v, s->gpr[X86_RDX], is_wide)
                                         : implicit_length(&v, v.b);
    bits = comparison_bits(&v);
    if (!(what & X86_STR_INDEX)) {
        put_mask(s, &v, bits);
    } else if (!bits) {
        s->gpr[X86_RCX] = v.count;
    } else {
        s->gpr[X86_RCX] = v.imm & 0x40 ? 31 - __builtin_clz(bits) : __builtin_ctz(bits);
    }
    x86_set_arith_flags(s, (bits ? FLAG_CF : 0) | (v.length_b < (int)v.count ? FLAG_ZF : 0) |
                           (v.length_a < (int)v.count ? FLAG_SF : 0) |
                           (bits & 1 ? FLAG_OF : 0));
}

/* --- SHA --- */

static uint32_t rol(uint32_t x, unsigned n)
{
    return n ? x << n | x >> (32 - n) : x;
}

static uint32_t ror(uint32_t x, unsigned n)
{
    return rol(x, 32 - n);
}

static uint32_t sha1_function(unsigned kind, uint32_t b, uint32_t c, uint32_t d)
{
    return kind == 0 ? (b & c) ^ (~b & d) : kind == 2 ? (b & c) ^ (b & d) ^ (c & d) : b ^ c ^ d;
}

static void sha1_rounds(uint32_t x[4], const uint32_t y[4], unsigned kind)
{
    static const uint32_t k[] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    uint32_t a = x[3], b = x[2], c = x[1], d = x[0], e = 0;

    for (unsigned n = 0; n < 4; n++) {
        uint32_t next = sha1_function(kind, b, c, d) + rol(a, 5) + y[3 - n] + e + k[kind];

        e = d;
        d = c;
        c = rol(b, 30);
        b = a;
        a = next;
    }
    x[3] = a;
    x[2] = b;
    x[1] = c;
    x[0] = d;
}

static void sha256_rounds(uint32_t x[4], const uint32_t y[4], const uint32_t wk[2])
{
    uint32_t a = y[3], b = y[2], e = y[1], f = y[0], c = x[3], d = x[2], g = x[1], h = x[0];

    for (unsigned n = 0; n < 2; n++) {
        uint32_t s1 = ror(e, 6) ^ ror(e, 11) ^ ror(e, 25), ch = (e & f) ^ (~e & g);
        uint32_t s0 = ror(a, 2) ^ ror(a, 13) ^ ror(a, 22), maj = (a & b) ^ (a & c) ^ (b & c);
        uint32_t t = ch + s1 + wk[n] + h;

        h = g;
        g = f;
        f = e;
        e = t + d;
        d = c;
        c = b;
        b = a;
        a = t + maj + s0;
    }
    x[3] = a;
    x[2] = b;
    x[1] = e;
    x[0] = f;
}

static uint32_t sigma0(uint32_t x)
{
    return ror(x, 7) ^ ror(x, 18) ^ x >> 3;
}

static uint32_t sigma1(uint32_t x)
{
    return ror(x, 17) ^ ror(x, 19) ^ x >> 10;
}

static void sha1_message2(uint32_t x[4], const uint32_t y[4])
{
    uint32_t w16 = rol(x[3] ^ y[2], 1), w17 = rol(x[2] ^ y[1], 1), w18 = rol(x[1] ^ y[0], 1);

    x[0] = rol(x[0] ^ w16, 1);
    x[1] = w18;
    x[2] = w17;
    x[3] = w16;
}

static void sha256_message2(uint32_t x[4], const uint32_t y[4])
{
    x[0] += sigma1(y[2]);
    x[1] += sigma1(y[3]);
    x[2] += sigma1(x[0]);
    x[3] += sigma1(x[1]);
}

void x86_help_sha(TcgCpu *tcg, uint32_t what, uint64_t low, uint64_t high)
{
    X86State *s = &x86_cpu_of(tcg)->state;
    uint32_t *x = s->vec[what >> 8 & 15].d;
    uint32_t y[4] = { low, low >> 32, high, high >> 32 };
    uint32_t old[4] = { x[0], x[1], x[2], x[3] };

    switch (what & 0xff) {
    case X86_SHA1RNDS4:
        sha1_rounds(x, y, what >> 16 & 3);
        break;
    case X86_SHA1NEXTE:
        y[3] += rol(x[3], 30);
        memcpy(x, y, sizeof(y));
        break;
    case X86_SHA1MSG1:
        x[3] = old[3] ^ old[1];
        x[2] = old[2] ^ old[0];
        x[1] = old[1] ^ y[3];
        x[0] = old[0] ^ y[2];
        break;
    case X86_SHA1MSG2:
        sha1_message2(x, y);
        break;
    case X86_SHA256RNDS2:
        sha256_rounds(x, y, s->vec[0].d);
        break;
    case X86_SHA256MSG1:
        for (unsigned n = 0; n < 4; n++) {
            x[n] = old[n] + sigma0(n < 3 ? old[n + 1] : y[0]);
        }
        break;
    default:
        sha256_message2(x, y);
        break;
    }
}

/* --- MXCSR --- */

void x86_help_ldmxcsr(TcgCpu *tcg, uint32_t value)
{
    X86Cpu *cpu = x86_cpu_of(tcg);

    if (value & ~x86_mxcsr_mask(cpu)) {
        x86_raise_gp(cpu);
    }
    x86_set_mxcsr(&cpu->state, value);
}

uint32_t x86_help_stmxcsr(TcgCpu *tcg)
{
    return x86_mxcsr(&x86_cpu_of(tcg)->state);
}

/* --- exceptions that are not masked --- */

/*
 * The host runs with all of them masked, so the instruction's results are there when it is seen that
 * one should have been raised: what it changed is taken back. Left out: results in memory (there
 * are none but VCVTPS2PH's).
 */
void x86_help_before_fp(TcgCpu *tcg)
{
    X86State *s = &x86_cpu_of(tcg)->state;

    memcpy(s->before.gpr, s->gpr, sizeof(s->gpr));
    memcpy(s->before.vec, s->vec, sizeof(s->vec));
    memcpy(s->before.mmx, s->fpu.reg, sizeof(s->fpu.reg));
    s->before.flags = s->flags;
    s->before.eflags = s->eflags;
    x86_begin_fp_flags(s);
}

void x86_help_after_fp(TcgCpu *tcg)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;

    if (!x86_take_fp_exceptions(s)) {
        return;
    }
    memcpy(s->gpr, s->before.gpr, sizeof(s->gpr));
    memcpy(s->vec, s->before.vec, sizeof(s->vec));
    memcpy(s->fpu.reg, s->before.mmx, sizeof(s->fpu.reg));
    s->flags = s->before.flags;
    s->eflags = s->before.eflags;
    x86_raise(cpu, s->cr4 & CR4_OSXMMEXCPT ? VECTOR_XM : VECTOR_UD);
}
