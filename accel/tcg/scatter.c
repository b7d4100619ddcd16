/*
 * Scatters: pages that lie side by side in the guest's memory and in a few runs in the host's. Which
 * run an address is in is found by comparing, which takes half the time of asking the TLB. It takes
 * more instructions, too, so it is for accesses whose address comes from the one before.
 *
 * A scatter grows over the pages it is asked for. One that finds no rest is given up as a span is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"

#define PAGE_BYTES (UINT64_C(1) << TCG_PAGE_BITS)
#define MOST_BYTES (64 * PAGE_BYTES)
#define SOON_TICKS 40000
#define DOUBTS_WHEN_LEFT 10
#define MOST_DOUBTS      100

static void set_room(TcgScatter *scatter, uint64_t bytes)
{
    static const unsigned sizes[TCG_SPAN_ROOMS] = TCG_SPAN_ROOM_BYTES;

    for (unsigned i = 0; i < TCG_SPAN_ROOMS; i++) {
        __atomic_store_n(&scatter->room[i], bytes ? bytes - sizes[i] + 1 : 0, __ATOMIC_RELAXED);
    }
}

void scatter_drop(TcgCpu *cpu, unsigned mmu)
{
    for (unsigned i = 0; i < TCG_SCATTERS; i++) {
        TcgScatter *scatter = &cpu->spans[mmu][TCG_SPAN_READ].scatters[i];

        if (scatter->room[0]) {
            set_room(scatter, 0);
        }
    }
}

static unsigned run_of(const TcgScatter *scatter, uint64_t addr)
{
    unsigned run = 0;

    while (run + 1 < TCG_SCATTER_RUNS && addr >= scatter->bound[run]) {
        run++;
    }
    return run;
}

bool scatter_agrees(TcgCpu *cpu, unsigned mmu, uint64_t page, uint64_t addend)
{
    for (unsigned i = 0; i < TCG_SCATTERS; i++) {
        const TcgScatter *scatter = &cpu->spans[mmu][TCG_SPAN_READ].scatters[i];

        if (page - scatter->start < scatter->room[0] &&
            scatter->addend[run_of(scatter, page)] != addend) {
            return false;
        }
    }
    return true;
}

/* False: the TLB does not have the page, or may not answer in place. */
static bool find_addend(TcgCpu *cpu, unsigned mmu, uint64_t page, uint64_t *addend)
{
    const TcgTlbEntry *entry = tlb_entry(cpu, mmu, page);

    *addend = entry->addend;
    return entry->read == page;
}

/* The lowest page from which on, up to `page`, the TLB has all. */
static uint64_t first_page(TcgCpu *cpu, unsigned mmu, uint64_t page, uint64_t lowest)
{
    uint64_t addend;

    while (page > lowest && find_addend(cpu, mmu, page - PAGE_BYTES, &addend)) {
        page -= PAGE_BYTES;
    }
    return page;
}

/* From `page` on, up to `last`, as far as the runs reach. Returns where that ends. */
static uint64_t measure(TcgCpu *cpu, unsigned mmu, TcgScatter *scatter, uint64_t page,
                        uint64_t last)
{
    unsigned run = 0;
    uint64_t addend;

    find_addend(cpu, mmu, page, &scatter->addend[0]);
    while (page < last && find_addend(cpu, mmu, page + PAGE_BYTES, &addend)) {
        if (addend != scatter->addend[run]) {
            if (run + 1 == TCG_SCATTER_RUNS) {
                break;
            }
            scatter->bound[run++] = page + PAGE_BYTES;
            scatter->addend[run] = addend;
        }
        page += PAGE_BYTES;
    }
    for (; run + 1 < TCG_SCATTER_RUNS; run++) {
        scatter->bound[run] = UINT64_MAX;
        scatter->addend[run + 1] = scatter->addend[run];
    }
    return page + PAGE_BYTES;
}

/* What is wanted of it now includes the page. */
static void grow(TcgScatter *scatter, uint64_t page)
{
    uint64_t first = MIN(scatter->first, page), last = MAX(scatter->last, page);

    if (last - first >= MOST_BYTES) {
        first = last = page;
    }
    scatter->first = first;
    scatter->last = last;
}

/* In how many bytes it now is, or none: the TLB is asked only after this. */
static uint64_t find_runs(TcgCpu *cpu, TcgScatter *scatter, unsigned mmu, uint64_t page)
{
    uint64_t addend;

    grow(scatter, page);
    if (!find_addend(cpu, mmu, page, &addend)) {
        return 0;
    }
    scatter->start = first_page(cpu, mmu, page, scatter->first);
    return measure(cpu, mmu, scatter, scatter->start, scatter->last) - scatter->start;
}

/* It was left and did not get larger: that is bad if it happens again and again. */
static void judge(TcgScatter *scatter, uint64_t before, uint64_t bytes)
{
    uint64_t now = host_ticks();

    if (now - scatter->filled_at >= SOON_TICKS) {
        scatter->doubts /= 2;
    } else if (!bytes) {
        scatter->doubts++;
    } else if (bytes <= before) {
        scatter->doubts += DOUBTS_WHEN_LEFT;
    }
    scatter->filled_at = now;
}

static bool fill(TcgCpu *cpu, TcgScatter *scatter, unsigned mmu, uint64_t page)
{
    uint64_t before = scatter->room[0], bytes;

    set_room(scatter, 0);
    bytes = find_runs(cpu, scatter, mmu, page);
    judge(scatter, before, bytes);
    if (scatter->doubts > MOST_DOUBTS) {
        scatter->doubts = 0;
        return false;
    }
    scatter->misses_left = scatter->doubts / DOUBTS_WHEN_LEFT;
    set_room(scatter, bytes);
    return true;
}

bool scatter_fill(TcgCpu *cpu, TcgScatter *scatter, uint64_t addr, uint32_t place)
{
    unsigned set = ((uintptr_t)scatter - (uintptr_t)&cpu->spans[0][0]) / sizeof(TcgSpanSet);
    bool is_fit;

    g_mutex_lock(&cpu->tlb_state->lock);
    is_fit = fill(cpu, scatter, set / TCG_SPAN_KINDS, ROUND_DOWN(addr, PAGE_BYTES));
    g_mutex_unlock(&cpu->tlb_state->lock);
    if (!is_fit) {
        span_give_up(place);
    }
    return is_fit;
}
