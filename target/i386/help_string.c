/*
 * Repeated string instructions and port input and output. A helper call does elements up to the
 * end of a page: by memory blocks where source and destination are RAM, else one by one. Registers
 * are up to date after each element, so a fault may come at any.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"

#include "accel/tcg/memory.h"
#include "target/i386/control.h"
#include "target/i386/segment.h"

#define PAGE_BYTES     (UINT64_C(1) << TCG_PAGE_BITS)
#define MOST_ELEMENTS  4096 /* of one call: so that interrupts are seen */
#define FEW_ELEMENTS   8    /* one by one, then it is asked again: only the one over a page's end may need it */

typedef struct Repeat {
    X86Cpu *cpu;
    X86State *s;
    X86String op;
    unsigned bytes, segment;
    uint64_t mask;       /* of the address size */
    bool ends_on_equal, is_counted;
    int64_t step;
    IrMem mem;
} Repeat;

static Repeat decode(X86Cpu *cpu, uint32_t what)
{
    X86State *s = &cpu->state;
    unsigned width = 1u << (what >> 12 & 3);
    Repeat r = {
        .cpu = cpu, .s = s, .op = what & 15, .bytes = 1u << (what >> 4 & 15),
        .segment = what >> 8 & 15, .mask = UINT64_MAX >> (64 - 8 * width),
        .ends_on_equal = what & X86_STRING_REPNE, .is_counted = !(what & X86_STRING_UNCOUNTED),
    };

    r.step = s->eflags & FLAG_DF ? -(int64_t)r.bytes : r.bytes;
    r.mem = (IrMem)__builtin_ctz(r.bytes) | IR_MEM_MMU(x86_mmu(s)) |
            (s->mode & X86_MODE_ALIGN ? IR_MEM_ALIGNED : 0);
    return r;
}

static uint64_t get(const Repeat *r, unsigned reg)
{
    return r->s->gpr[reg] & r->mask;
}

static void put(Repeat *r, unsigned reg, uint64_t value)
{
    uint64_t *gpr = &r->s->gpr[reg];

    *gpr = r->mask == 0xffff ? (*gpr & ~r->mask) | (value & r->mask) : value & r->mask;
}

static void advance(Repeat *r, unsigned reg, int64_t elements)
{
    put(r, reg, r->s->gpr[reg] + elements * r->step);
}

static uint64_t source(Repeat *r, unsigned bytes)
{
    return x86_linear(r->cpu, r->segment, get(r, X86_RSI), bytes, false);
}

static uint64_t destination(Repeat *r, unsigned bytes, bool is_write)
{
    return x86_linear(r->cpu, X86_ES, get(r, X86_RDI), bytes, is_write);
}

static void compare(Repeat *r, uint64_t x, uint64_t y)
{
    uint64_t cut = UINT64_MAX >> (64 - 8 * r->bytes);

    x &= cut;
    r->s->flags = (X86LazyFlags){ .result = (x - y) & cut, .src = y,
                                  .op = FLAGS_SUB + (uint32_t)__builtin_ctz(r->bytes) };
}

/* --- one element; raises before registers change --- */

static void port_element(Repeat *r)
{
    uint16_t port = r->s->gpr[X86_RDX];
    uint64_t at;

    if (r->op == X86_INS) {
        at = destination(r, r->bytes, true);
        tcg_probe(&r->s->tcg, TCG_WRITE, x86_mmu(r->s), at, r->bytes);
        tcg_store(&r->s->tcg, r->mem, at, x86_port_in(r->cpu, port, r->bytes));
        advance(r, X86_RDI, 1);
        return;
    }
    x86_port_out(r->cpu, port, r->bytes, tcg_load(&r->s->tcg, r->mem, source(r, r->bytes)));
    advance(r, X86_RSI, 1);
}

/* False: its comparison ends the repetition. */
static bool one_element(Repeat *r)
{
    TcgCpu *tcg = &r->s->tcg;
    uint64_t x, y;

    switch (r->op) {
    case X86_MOVS:
        x = tcg_load(tcg, r->mem, source(r, r->bytes));
        tcg_store(tcg, r->mem, destination(r, r->bytes, true), x);
        advance(r, X86_RSI, 1);
        advance(r, X86_RDI, 1);
        return true;
    case X86_STOS:
        tcg_store(tcg, r->mem, destination(r, r->bytes, true), r->s->gpr[X86_RAX]);
        advance(r, X86_RDI, 1);
        return true;
    case X86_LODS:
        x = tcg_load(tcg, r->mem, source(r, r->bytes));
        memcpy(&r->s->gpr[X86_RAX], &x, r->bytes == 4 ? 8 : r->bytes);
        advance(r, X86_RSI, 1);
        return true;
    case X86_CMPS:
        y = tcg_load(tcg, r->mem, destination(r, r->bytes, false));
        x = tcg_load(tcg, r->mem, source(r, r->bytes));
        advance(r, X86_RSI, 1);
        advance(r, X86_RDI, 1);
        break;
    case X86_SCAS:
        x = r->s->gpr[X86_RAX];
        y = tcg_load(tcg, r->mem, destination(r, r->bytes, false));
        advance(r, X86_RDI, 1);
        break;
    default:
        port_element(r);
        return true;
    }
    compare(r, x, y);
    return (r->s->flags.result == 0) != r->ends_on_equal;
}

/* --- many elements of RAM --- */

/* Elements that lie in the page of `linear`, and below a wrap of the index. */
static uint64_t in_page(const Repeat *r, uint64_t linear, unsigned reg)
{
    uint64_t page = PAGE_BYTES - (linear & (PAGE_BYTES - 1));
    uint64_t wrap = r->mask - get(r, reg);

    return MIN(page, wrap) / r->bytes;
}

/* Elements of two to eight bytes; 64 bits hold a whole number of them, so the last store is in step, too. */
static void fill_pattern(uint8_t *to, uint64_t bytes, uint64_t pattern)
{
    uint64_t at = 0;

    for (; at + 8 <= bytes; at += 8) {
        memcpy(to + at, &pattern, 8);
    }
    memcpy(to + at, &pattern, bytes - at);
}

static void fill(uint8_t *to, uint64_t count, unsigned bytes, uint64_t value)
{
    static const uint64_t repeated[] = { 0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1 };
    uint64_t cut = value & (UINT64_MAX >> (64 - 8 * bytes)), pattern = cut * repeated[__builtin_ctz(bytes)];

    if (pattern == (uint8_t)value * repeated[0]) {
        memset(to, (uint8_t)value, count * bytes);
    } else {
        fill_pattern(to, count * bytes, pattern);
    }
}

/* --- copies: `to` is not inside of what is read --- */

/* Up to 16 bytes: from both ends, each read before any is written. */
static void move_16(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
#define BOTH_ENDS(type)                                                                            \
    do {                                                                                           \
        type first, last;                                                                          \
        memcpy(&first, from, sizeof(first));                                                       \
        memcpy(&last, from + bytes - sizeof(last), sizeof(last));                                  \
        memcpy(to, &first, sizeof(first));                                                         \
        memcpy(to + bytes - sizeof(last), &last, sizeof(last));                                    \
    } while (0)

    if (bytes >= 8) {
        BOTH_ENDS(uint64_t);
    } else if (bytes >= 4) {
        BOTH_ENDS(uint32_t);
    } else if (bytes >= 2) {
        BOTH_ENDS(uint16_t);
    } else {
        *to = *from;
    }
#undef BOTH_ENDS
}

static void move_up(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
    if (bytes <= 16) {
        move_16(to, from, bytes);
    } else {
        memmove(to, from, bytes);
    }
}

/* A copy that moves upwards element by element, as the instruction does where areas overlap. */
static void copy(uint8_t *to, const uint8_t *from, uint64_t count, unsigned bytes)
{
    if ((uintptr_t)to - (uintptr_t)from >= count * bytes) {
        move_up(to, from, count * bytes);
        return;
    }
    for (; count > 0; count--, to += bytes, from += bytes) {
        uint64_t value = 0;

        memcpy(&value, from, bytes);
        memcpy(to, &value, bytes);
    }
}

/* All of the run is within the segment's limit: else it goes element by element, up to the one that faults. */
static bool fits(const Repeat *r, unsigned segment, unsigned reg, uint64_t count, bool is_write)
{
    return x86_fits(r->cpu, segment, get(r, reg), count * r->bytes, is_write);
}

static uint64_t store_many(Repeat *r, uint64_t count)
{
    uint64_t linear = destination(r, r->bytes, true);
    void *to;

    count = MIN(count, in_page(r, linear, X86_RDI));
    to = count ? tcg_host(&r->s->tcg, TCG_WRITE, x86_mmu(r->s), linear, count * r->bytes) : NULL;
    if (!to || !fits(r, X86_ES, X86_RDI, count, true)) {
        return 0;
    }
    fill(to, count, r->bytes, r->s->gpr[X86_RAX]);
    tcg_wrote(&r->s->tcg, x86_mmu(r->s), linear, count * r->bytes);
    advance(r, X86_RDI, count);
    return count;
}

static uint64_t move_many(Repeat *r, uint64_t count)
{
    uint64_t from_at = source(r, r->bytes), to_at;
    unsigned mmu = x86_mmu(r->s);
    void *from, *to;

    /* The source faults first. */
    count = MIN(count, in_page(r, from_at, X86_RSI));
    from = count ? tcg_host(&r->s->tcg, TCG_READ, mmu, from_at, count * r->bytes) : NULL;
    if (!from) {
        return 0;
    }
    to_at = destination(r, r->bytes, true);
    count = MIN(count, in_page(r, to_at, X86_RDI));
    if (!count) {
        return 0;
    }
    to = tcg_host(&r->s->tcg, TCG_WRITE, mmu, to_at, count * r->bytes);
    if (!to || !fits(r, r->segment, X86_RSI, count, false) || !fits(r, X86_ES, X86_RDI, count, true)) {
        return 0;
    }
    copy(to, from, count, r->bytes);
    tcg_wrote(&r->s->tcg, mmu, to_at, count * r->bytes);
    advance(r, X86_RSI, count);
    advance(r, X86_RDI, count);
    return count;
}

/* Likewise downwards. */
static void copy_down(uint8_t *to, const uint8_t *from, uint64_t count, unsigned bytes)
{
    if ((uintptr_t)from - (uintptr_t)to >= count * bytes) {
        memmove(to, from, count * bytes);
        return;
    }
    while (count-- > 0) {
        uint64_t value = 0;

        memcpy(&value, from + count * bytes, bytes);
        memcpy(to + count * bytes, &value, bytes);
    }
}

/* Elements from `linear` down to the start of its page; 0: it reaches into the next. */
static uint64_t down_in_page(const Repeat *r, uint64_t linear)
{
    uint64_t offset = linear & (PAGE_BYTES - 1);

    return offset + r->bytes <= PAGE_BYTES ? offset / r->bytes + 1 : 0;
}

/* Where segments have no limits. Kernels move themselves out of their own way like this. */
static uint64_t move_many_down(Repeat *r, uint64_t count)
{
    uint64_t from_at = source(r, r->bytes), to_at = destination(r, r->bytes, true), below;
    unsigned mmu = x86_mmu(r->s);
    uint8_t *from, *to;

    count = MIN(count, MIN(down_in_page(r, from_at), down_in_page(r, to_at)));
    if (!count) {
        return 0;
    }
    below = (count - 1) * r->bytes;
    /* If they fault, at the first element. */
    from = tcg_host(&r->s->tcg, TCG_READ, mmu, from_at, r->bytes);
    to = from ? tcg_host(&r->s->tcg, TCG_WRITE, mmu, to_at, r->bytes) : NULL;
    if (!to) {
        return 0;
    }
    to = tcg_host(&r->s->tcg, TCG_WRITE, mmu, to_at - below, count * r->bytes);
    copy_down(to, from - below, count, r->bytes);
    tcg_wrote(&r->s->tcg, mmu, to_at - below, count * r->bytes);
    advance(r, X86_RSI, count);
    advance(r, X86_RDI, count);
    return count;
}

/* 0: to be done one by one. */
static uint64_t many(Repeat *r, uint64_t count)
{
    if (r->step < 0 && count >= 2 && r->op == X86_MOVS && r->mask == UINT64_MAX) {
        return move_many_down(r, count);
    }
    if (r->step < 0 || count < 2 || (r->mem & IR_MEM_ALIGNED) || (r->op != X86_STOS && r->op != X86_MOVS)) {
        return 0;
    }
    return r->op == X86_STOS ? store_many(r, count) : move_many(r, count);
}

static void count_down(Repeat *r, uint64_t elements)
{
    put(r, X86_RCX, r->s->gpr[X86_RCX] - elements);
}

/* Nonzero when the instruction is complete. */
uint32_t x86_help_repeat(TcgCpu *tcg, uint32_t what)
{
    Repeat r = decode(x86_cpu_of(tcg), what);
    uint64_t left = what & X86_STRING_ONCE ? 1 : MOST_ELEMENTS;
    unsigned singles = 0;

    if (!r.is_counted) {
        one_element(&r);
        return 1;
    }
    while (left > 0 && get(&r, X86_RCX)) {
        uint64_t done = left > 1 && singles++ % FEW_ELEMENTS == 0 ? many(&r, MIN(left, get(&r, X86_RCX))) : 0;
        bool goes_on = done || one_element(&r);

        singles = done ? 0 : singles;
        done = MAX(done, 1);
        count_down(&r, done);
        left -= done;
        if (!goes_on) {
            return 1;
        }
    }
    return !get(&r, X86_RCX);
}

/* --- few elements --- */

/* False: it is not so simple. */
static bool move_at_hand(X86State *s, uint64_t bytes)
{
    const uint8_t *from = tlb_fast_read(&s->tcg, x86_mmu(s), s->gpr[X86_RSI], bytes);
    uint8_t *to = tlb_fast_write(&s->tcg, x86_mmu(s), s->gpr[X86_RDI], bytes);

    if (!from || !to || (uintptr_t)to - (uintptr_t)from < bytes) {
        return false;
    }
    move_up(to, from, bytes);
    s->gpr[X86_RSI] += bytes;
    s->gpr[X86_RDI] += bytes;
    return true;
}

static bool store_at_hand(X86State *s, uint64_t count, unsigned element)
{
    uint8_t *to = tlb_fast_write(&s->tcg, x86_mmu(s), s->gpr[X86_RDI], count * element);

    if (!to) {
        return false;
    }
    fill(to, count, element, s->gpr[X86_RAX]);
    s->gpr[X86_RDI] += count * element;
    return true;
}

uint32_t x86_help_repeat_wide(TcgCpu *tcg, uint32_t what)
{
    X86State *s = &x86_cpu_of(tcg)->state;
    unsigned element = 1u << (what >> 4 & 15);
    uint64_t count = s->gpr[X86_RCX];

    if (!count) {
        return 1;
    }
    if (count > PAGE_BYTES / element || s->eflags & FLAG_DF ||
        !((what & 15) == X86_MOVS ? move_at_hand(s, count * element) : store_at_hand(s, count, element))) {
        return x86_help_repeat(tcg, what);
    }
    s->gpr[X86_RCX] = 0;
    return 1;
}

/* --- ports --- */

void x86_help_check_port(TcgCpu *tcg, uint32_t port, uint32_t bytes)
{
    x86_check_port(x86_cpu_of(tcg), port, bytes);
}

uint32_t x86_help_in(TcgCpu *tcg, uint32_t port, uint32_t bytes)
{
    return x86_port_in(x86_cpu_of(tcg), port, bytes);
}

void x86_help_out(TcgCpu *tcg, uint32_t port, uint32_t bytes, uint32_t value)
{
    x86_port_out(x86_cpu_of(tcg), port, bytes, value);
}
