/*
 * Integer instructions that are not worth translating: division, decimal arithmetic, rotates
 * through carry, bit gathering, wide compare-and-exchange. SDM volume 2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "accel/tcg/memory.h"
#include "target/i386/exception.h"

/* --- division --- */

static uint64_t low_bytes(uint64_t value, unsigned bytes)
{
    return value & (UINT64_MAX >> (64 - 8 * bytes));
}

static void put_gpr(X86State *s, unsigned n, unsigned bytes, uint64_t value)
{
    if (bytes >= 4) {
        s->gpr[n] = bytes == 4 ? (uint32_t)value : value;
    } else {
        s->gpr[n] = (s->gpr[n] & ~low_bytes(UINT64_MAX, bytes)) | low_bytes(value, bytes);
    }
}

/* The dividend: AX, or the data and accumulator registers together. */
static unsigned __int128 dividend(const X86State *s, unsigned bytes)
{
    if (bytes == 1) {
        return s->gpr[X86_RAX] & 0xffff;
    }
    return (unsigned __int128)low_bytes(s->gpr[X86_RDX], bytes) << (8 * bytes) |
           low_bytes(s->gpr[X86_RAX], bytes);
}

static void put_quotient(X86State *s, unsigned bytes, uint64_t quotient, uint64_t remainder)
{
    if (bytes == 1) {
        put_gpr(s, X86_RAX, 2, (quotient & 0xff) | (remainder & 0xff) << 8);
    } else {
        put_gpr(s, X86_RAX, bytes, quotient);
        put_gpr(s, X86_RDX, bytes, remainder);
    }
}

void x86_help_div(TcgCpu *tcg, uint64_t divisor, uint32_t bytes)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    unsigned __int128 n = dividend(&cpu->state, bytes);

    if (!divisor || n / divisor > low_bytes(UINT64_MAX, bytes)) {
        x86_raise(cpu, VECTOR_DE);
    }
    put_quotient(&cpu->state, bytes, n / divisor, n % divisor);
}

void x86_help_idiv(TcgCpu *tcg, uint64_t divisor, uint32_t bytes)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    unsigned unused = 128 - 16 * bytes;
    __int128 n = (__int128)(dividend(&cpu->state, bytes) << unused) >> unused, q;
    int64_t d = (int64_t)(divisor << (64 - 8 * bytes)) >> (64 - 8 * bytes);
    __int128 most = (__int128)low_bytes(UINT64_MAX, bytes) / 2;
    bool is_lowest = unused == 0 && n == (__int128)1 << 127;

    if (!d || (d == -1 && is_lowest)) {
        x86_raise(cpu, VECTOR_DE);
    }
    q = n / d;
    if (q > most || q < -most - 1) {
        x86_raise(cpu, VECTOR_DE);
    }
    put_quotient(&cpu->state, bytes, q, n % d);
}

/* --- decimal --- */

static void set_result_flags(X86State *s, uint8_t result, uint32_t others)
{
    uint32_t flags = x86_flags_compute(FLAGS_LOGIC, result, 0, 0);

    x86_set_arith_flags(s, flags | others);
}

static void adjust_packed(X86State *s, bool is_subtract)
{
    uint32_t flags = x86_flags_arith(s), out = 0;
    uint8_t al = s->gpr[X86_RAX], old = al;

    if ((al & 0xf) > 9 || (flags & FLAG_AF)) {
        al = is_subtract ? al - 6 : al + 6;
        out |= FLAG_AF;
        out |= is_subtract && old < 6 ? FLAG_CF : 0;
    }
    if (old > 0x99 || (flags & FLAG_CF)) {
        al = is_subtract ? al - 0x60 : al + 0x60;
        out |= FLAG_CF;
    }
    put_gpr(s, X86_RAX, 1, al);
    set_result_flags(s, al, out);
}

static void adjust_unpacked(X86State *s, bool is_subtract)
{
    uint32_t flags = x86_flags_arith(s), out = 0;
    uint16_t ax = s->gpr[X86_RAX];

    if ((ax & 0xf) > 9 || (flags & FLAG_AF)) {
        ax = is_subtract ? ax - 0x106 : ax + 0x106;
        out = FLAG_AF | FLAG_CF;
    }
    ax &= 0xff0f;
    put_gpr(s, X86_RAX, 2, ax);
    set_result_flags(s, ax, out);
}

void x86_help_decimal(TcgCpu *tcg, uint32_t op, uint32_t base)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    uint8_t al = s->gpr[X86_RAX], ah = s->gpr[X86_RAX] >> 8;

    switch (op) {
    case X86_DAA:
    case X86_DAS:
        adjust_packed(s, op == X86_DAS);
        break;
    case X86_AAA:
    case X86_AAS:
        adjust_unpacked(s, op == X86_AAS);
        break;
    case X86_AAM:
        base &= 0xff;
        if (!base) {
            x86_raise(cpu, VECTOR_DE);
        }
        put_gpr(s, X86_RAX, 2, (al / base) << 8 | al % base);
        set_result_flags(s, al % base, 0);
        break;
    default:
        al += ah * base;
        put_gpr(s, X86_RAX, 2, al);
        set_result_flags(s, al, 0);
        break;
    }
}

/* --- wide exchanges --- */

static void set_zero_flag(X86State *s, bool is_set)
{
    x86_set_arith_flags(s, (x86_flags_arith(s) & ~FLAG_ZF) | (is_set ? FLAG_ZF : 0));
}

void x86_help_cmpxchg8b(TcgCpu *tcg, uint64_t linear, uint32_t unused)
{
    X86State *s = &x86_cpu_of(tcg)->state;
    uint64_t expected = (uint32_t)s->gpr[X86_RAX] | s->gpr[X86_RDX] << 32;
    uint64_t new = (uint32_t)s->gpr[X86_RBX] | s->gpr[X86_RCX] << 32;
    IrMem mem = IR_MEM_64 | IR_MEM_MMU(x86_mmu(s)) | (s->mode & X86_MODE_ALIGN ? IR_MEM_ALIGNED : 0);
    uint64_t old = tcg_cmpxchg(tcg, mem, linear, expected, new);

    if (old != expected) {
        s->gpr[X86_RAX] = (uint32_t)old;
        s->gpr[X86_RDX] = old >> 32;
    }
    set_zero_flag(s, old == expected);
}

void x86_help_cmpxchg16b(TcgCpu *tcg, uint64_t linear, uint32_t unused)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    X86State *s = &cpu->state;
    uint64_t expected[2] = { s->gpr[X86_RAX], s->gpr[X86_RDX] };
    uint64_t new[2] = { s->gpr[X86_RBX], s->gpr[X86_RCX] };
    bool is_done;

    if (linear & 15) {
        x86_raise_gp(cpu);
    }
    is_done = tcg_cmpxchg16(tcg, IR_MEM_128 | IR_MEM_MMU(x86_mmu(s)), linear, expected, new);
    s->gpr[X86_RAX] = expected[0];
    s->gpr[X86_RDX] = expected[1];
    set_zero_flag(s, is_done);
}

/* --- rotates through carry --- */

typedef struct Rotated {
    uint64_t value;
    bool carry;
} Rotated;

static unsigned rotate_count(uint32_t count, unsigned bits)
{
    return bits < 32 ? count % (bits + 1) : count;
}

static Rotated rotated(uint64_t x, bool carry, unsigned count, unsigned bits, bool is_left)
{
    Rotated r = { x, carry };

    for (; count > 0; count--) {
        bool out = is_left ? r.value >> (bits - 1) & 1 : r.value & 1;

        r.value = is_left ? r.value << 1 | r.carry
                          : r.value >> 1 | (uint64_t)r.carry << (bits - 1);
        r.value = low_bytes(r.value, bits / 8);
        r.carry = out;
    }
    return r;
}

uint64_t x86_rotate_carry(uint64_t x, uint32_t flags, uint32_t count, uint32_t kind)
{
    unsigned bits = 8 * (kind & 0xff);

    return rotated(x, flags & FLAG_CF, rotate_count(count, bits), bits,
                   kind & X86_ROTATE_LEFT).value;
}

uint32_t x86_rotate_carry_flags(uint64_t x, uint32_t flags, uint32_t count, uint32_t kind)
{
    unsigned bits = 8 * (kind & 0xff);
    bool is_left = kind & X86_ROTATE_LEFT, top, other;
    Rotated r = rotated(x, flags & FLAG_CF, rotate_count(count, bits), bits, is_left);

    if (!count) {
        return flags;
    }
    top = r.value >> (bits - 1) & 1;
    other = is_left ? r.carry : r.value >> (bits - 2) & 1;
    flags &= ~(FLAG_CF | FLAG_OF);
    return flags | (r.carry ? FLAG_CF : 0) | (top != other ? FLAG_OF : 0);
}

/* --- bits --- */

uint64_t x86_pdep(uint64_t x, uint64_t mask)
{
    uint64_t out = 0;

    for (; mask; mask &= mask - 1, x >>= 1) {
        out |= x & 1 ? mask & -mask : 0;
    }
    return out;
}

uint64_t x86_pext(uint64_t x, uint64_t mask)
{
    uint64_t out = 0;

    for (unsigned n = 0; mask; mask &= mask - 1, n++) {
        out |= x & mask & -mask ? BIT64(n) : 0;
    }
    return out;
}

uint64_t x86_crc32(uint64_t crc, uint64_t data, uint32_t bytes)
{
    uint32_t value = crc;

    for (; bytes > 0; bytes--, data >>= 8) {
        value ^= data & 0xff;
        for (unsigned n = 0; n < 8; n++) {
            value = value >> 1 ^ (value & 1 ? 0x82f63b78 : 0);
        }
    }
    return value;
}
