/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bitmap.h"

/* The part of a range that lies in one word. */
typedef struct Piece {
    size_t word;
    uint64_t mask;
} Piece;

/* Takes the first piece off a range; false when nothing is left. */
static inline bool next_piece(uint64_t *first, uint64_t *count, Piece *piece)
{
    unsigned shift = *first % BITMAP_WORD_BITS;
    uint64_t bits = MIN(*count, BITMAP_WORD_BITS - shift);

    if (!bits) {
        return false;
    }
    piece->word = *first / BITMAP_WORD_BITS;
    piece->mask = UINT64_MAX >> (BITMAP_WORD_BITS - bits) << shift;
    *first += bits;
    *count -= bits;
    return true;
}

static inline uint64_t load(const uint64_t *map, size_t word)
{
    return __atomic_load_n(&map[word], __ATOMIC_RELAXED);
}

void bitmap_set_range(uint64_t *map, uint64_t first, uint64_t count)
{
    Piece p;

    /*
     * The caller's stores before our look at the word: a bit seen set is then cleared only by
     * somebody who sees these stores too.
     */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (next_piece(&first, &count, &p)) {
        if (~load(map, p.word) & p.mask) {
            __atomic_fetch_or(&map[p.word], p.mask, __ATOMIC_SEQ_CST);
        }
    }
}

static inline uint64_t clear_piece(uint64_t *map, const Piece *p)
{
    if (!(load(map, p->word) & p->mask)) {
        return 0;
    }
    return __atomic_fetch_and(&map[p->word], ~p->mask, __ATOMIC_SEQ_CST) & p->mask;
}

void bitmap_clear_range(uint64_t *map, uint64_t first, uint64_t count)
{
    Piece p;

    while (next_piece(&first, &count, &p)) {
        clear_piece(map, &p);
    }
}

bool bitmap_test_and_clear_range(uint64_t *map, uint64_t first, uint64_t count)
{
    uint64_t seen = 0;
    Piece p;

    while (next_piece(&first, &count, &p)) {
        seen |= clear_piece(map, &p);
    }
    return seen;
}

bool bitmap_test_range(const uint64_t *map, uint64_t first, uint64_t count)
{
    Piece p;

    while (next_piece(&first, &count, &p)) {
        if (load(map, p.word) & p.mask) {
            return true;
        }
    }
    return false;
}

uint64_t bitmap_count_range(const uint64_t *map, uint64_t first, uint64_t count)
{
    uint64_t total = 0;
    Piece p;

    while (next_piece(&first, &count, &p)) {
        total += __builtin_popcountll(load(map, p.word) & p.mask);
    }
    return total;
}

uint64_t bitmap_take_word(uint64_t *map, size_t word)
{
    return load(map, word) ? __atomic_exchange_n(&map[word], 0, __ATOMIC_SEQ_CST) : 0;
}

/* `flip` is 0 to find set bits, all ones to find clear ones. */
static uint64_t find(const uint64_t *map, uint64_t bits, uint64_t from, uint64_t flip)
{
    uint64_t count = from < bits ? bits - from : 0;
    Piece p;

    while (next_piece(&from, &count, &p)) {
        uint64_t found = (load(map, p.word) ^ flip) & p.mask;

        if (found) {
            return (uint64_t)p.word * BITMAP_WORD_BITS + __builtin_ctzll(found);
        }
    }
    return bits;
}

uint64_t bitmap_find_set(const uint64_t *map, uint64_t bits, uint64_t from)
{
    return find(map, bits, from, 0);
}

uint64_t bitmap_find_clear(const uint64_t *map, uint64_t bits, uint64_t from)
{
    return find(map, bits, from, UINT64_MAX);
}
