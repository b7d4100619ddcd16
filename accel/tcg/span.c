/*
 * Spans: pages that lie side by side in the host's memory as they do in the guest's, as code found
 * them. An access inside one needs its bounds alone: what the host address is does not wait for the
 * TLB. Places in code own spans.
 *
 * A span follows the accesses: when one is outside, it moves there. If that happens too soon it
 * waits before it moves again, each time for longer. In the end a few accesses are looked at: if
 * most of them are in one run of pages the span stays there, else the code is made again without.
 *
 * A span holds what the TLB of the current tag holds, or held without having been told otherwise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"

#define PAGE_BYTES   (UINT64_C(1) << TCG_PAGE_BITS)
#define MOST_PAGES   64     /* to each side */
#define SOON_TICKS   8000   /* a few microseconds */
#define MISS_TICKS   64     /* rather more than there are between two misses */
#define MOST_DOUBTS  10
#define MISSES_WORTH_IT 16  /* before a dropped one is found anew: many are in use no longer */
#define SAMPLES      32
#define MISSES_TO_STAY 100000 /* where it is, before that is asked again */

enum { SPAN_FOLLOWS, SPAN_LEARNS, SPAN_STAYS };

/* Places that are better off without, by their hashes' lower bits; atomic. */
static uint64_t unfit[64];

bool span_is_fit(uint32_t place)
{
    return !(__atomic_load_n(&unfit[place / 64 % 64], __ATOMIC_RELAXED) & BIT64(place % 64));
}

void span_give_up(uint32_t place)
{
    __atomic_fetch_or(&unfit[place / 64 % 64], BIT64(place % 64), __ATOMIC_RELAXED);
}

void span_drop(TcgCpu *cpu, unsigned mmus, unsigned kinds)
{
    for (unsigned mmu = 0; mmu < cpu->ops->mmu_count; mmu++) {
        if ((mmus & BIT(mmu)) && (kinds & BIT(TCG_SPAN_READ))) {
            scatter_drop(cpu, mmu);
        }
        for (unsigned kind = 0; kind < TCG_SPAN_KINDS; kind++) {
            uint64_t *used = &cpu->spans_used[mmu][kind];

            if (!(mmus & BIT(mmu)) || !(kinds & BIT(kind))) {
                continue;
            }
            for (; *used; *used &= *used - 1) {
                TcgSpan *span = &cpu->spans[mmu][kind].of[__builtin_ctzll(*used)];

                for (unsigned i = 0; i < TCG_SPAN_ROOMS; i++) {
                    __atomic_store_n(&span->room[i], 0, __ATOMIC_RELAXED);
                }
                __atomic_store_n(&span->misses_left, MISSES_WORTH_IT, __ATOMIC_RELAXED);
            }
        }
    }
}

void span_filled(TcgCpu *cpu, unsigned mmu, uint64_t page, uint64_t addend)
{
    if (!scatter_agrees(cpu, mmu, page, addend)) {
        scatter_drop(cpu, mmu);
    }
    for (unsigned kind = 0; kind < TCG_SPAN_KINDS; kind++) {
        for (uint64_t used = cpu->spans_used[mmu][kind]; used; used &= used - 1) {
            const TcgSpan *span = &cpu->spans[mmu][kind].of[__builtin_ctzll(used)];

            if (page - span->start < span->room[0] && span->addend != addend) {
                span_drop(cpu, BIT(mmu), UINT32_MAX);
                return;
            }
        }
    }
}

/* The page may be accessed in place, and is where the span would have it. */
static bool is_of_span(TcgCpu *cpu, unsigned mmu, TcgSpanKind kind, uint64_t page, uint64_t addend)
{
    const TcgTlbEntry *entry = tlb_entry(cpu, mmu, page);

    return (kind == TCG_SPAN_READ ? entry->read : entry->write) == page && entry->addend == addend;
}

static void measure(TcgCpu *cpu, TcgSpan *span, unsigned mmu, TcgSpanKind kind, uint64_t page)
{
    static const unsigned bytes[TCG_SPAN_ROOMS] = TCG_SPAN_ROOM_BYTES;
    uint64_t addend = tlb_entry(cpu, mmu, page)->addend, first = page, end = page + PAGE_BYTES;

    while (page - first < MOST_PAGES * PAGE_BYTES && first &&
           is_of_span(cpu, mmu, kind, first - PAGE_BYTES, addend)) {
        first -= PAGE_BYTES;
    }
    while (end - page < MOST_PAGES * PAGE_BYTES && end &&
           is_of_span(cpu, mmu, kind, end, addend)) {
        end += PAGE_BYTES;
    }
    span->start = first;
    span->addend = addend;
    for (unsigned i = 0; i < TCG_SPAN_ROOMS; i++) {
        span->room[i] = end - first - bytes[i] + 1;
    }
}

static void set_empty(TcgSpan *span)
{
    for (unsigned i = 0; i < TCG_SPAN_ROOMS; i++) {
        span->room[i] = 0;
    }
}

typedef struct Fill {
    TcgCpu *cpu;
    TcgSpan *span;
    unsigned mmu, index;
    TcgSpanKind kind;
    uint64_t page;
} Fill;

/* False: the TLB has nothing there. */
static bool move_to(const Fill *f, uint64_t page)
{
    if (!is_of_span(f->cpu, f->mmu, f->kind, page, tlb_entry(f->cpu, f->mmu, page)->addend)) {
        return false;
    }
    measure(f->cpu, f->span, f->mmu, f->kind, page);
    f->cpu->spans_used[f->mmu][f->kind] |= BIT64(f->index);
    return true;
}

/* The runs vote; the one that is left is the most frequent, if one is more so than all others. */
static void vote(const Fill *f)
{
    TcgSpan *span = f->span;
    uint64_t candidate = span->start;

    if (!move_to(f, f->page)) {
        span->start = candidate;
    } else if (span->votes == 0 || span->start == candidate) {
        span->votes++;
    } else {
        span->votes--;
        span->start = candidate;
    }
    set_empty(span);
}

/* False: no run has the most accesses by far. */
static bool learn(const Fill *f)
{
    TcgSpan *span = f->span;

    vote(f);
    span->misses_left = 0;
    if (++span->samples < SAMPLES) {
        return true;
    }
    span->samples = 0;
    span->phase = SPAN_STAYS;
    span->misses_left = move_to(f, span->start) ? MISSES_TO_STAY : MISSES_WORTH_IT;
    return span->votes >= SAMPLES / 2;
}

static bool follow(const Fill *f)
{
    TcgSpan *span = f->span;
    uint64_t now = host_ticks();

    span->doubts = now - span->filled_at < SOON_TICKS + (MISS_TICKS << span->doubts)
                       ? span->doubts + 2 : MAX(span->doubts, 1) - 1;
    span->filled_at = now;
    if (span->doubts > MOST_DOUBTS) {
        return false;
    }
    span->misses_left = (1 << span->doubts) - 1;
    move_to(f, f->page);
    return true;
}

static bool fill(const Fill *f)
{
    TcgSpan *span = f->span;

    if (span->phase == SPAN_FOLLOWS && follow(f)) {
        return true;
    }
    if (span->phase != SPAN_LEARNS) {
        span->phase = SPAN_LEARNS;
        span->samples = 0;
        span->votes = 0;
    }
    if (learn(f)) {
        return true;
    }
    set_empty(span);
    span->phase = SPAN_FOLLOWS;
    span->doubts = 0;
    return false;
}

bool span_fill(TcgCpu *cpu, TcgSpan *span, uint64_t addr, uint32_t place)
{
    unsigned set = (TcgSpanSet *)span - &cpu->spans[0][0];
    Fill f = { .cpu = cpu, .span = span, .mmu = set / TCG_SPAN_KINDS, .kind = set % TCG_SPAN_KINDS,
               .page = ROUND_DOWN(addr, PAGE_BYTES) };
    bool is_fit;

    f.index = span - cpu->spans[f.mmu][f.kind].of;
    g_mutex_lock(&cpu->tlb_state->lock);
    is_fit = fill(&f);
    g_mutex_unlock(&cpu->tlb_state->lock);
    if (!is_fit) {
        span_give_up(place);
    }
    return is_fit;
}
