/*
 * Bitmaps that many threads set and clear at once, made for dirty tracking: bit n is bit n % 64
 * of word n / 64.
 *
 * A setter's earlier stores are seen by whoever clears the bit afterwards, and a bit that is set
 * already costs no store: threads that dirty the same page do not fight for its cache line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_BITMAP_H
#define UTIL_BITMAP_H

#define BITMAP_WORD_BITS 64

static inline size_t bitmap_words(uint64_t bits)
{
    return bits / BITMAP_WORD_BITS + (bits % BITMAP_WORD_BITS != 0);
}

/* All clear (g_free); NULL when there is no memory. */
static inline uint64_t *bitmap_try_new(uint64_t bits)
{
    return g_try_malloc0_n(bitmap_words(bits) + !bits, sizeof(uint64_t));
}

static inline bool bitmap_test(const uint64_t *map, uint64_t bit)
{
    uint64_t word = __atomic_load_n(&map[bit / BITMAP_WORD_BITS], __ATOMIC_RELAXED);

    return word >> (bit % BITMAP_WORD_BITS) & 1;
}

/* Ranges may be empty; they must lie in the map. */
void bitmap_set_range(uint64_t *map, uint64_t first, uint64_t count);
void bitmap_clear_range(uint64_t *map, uint64_t first, uint64_t count);
/* Whether any bit of the range is set. */
bool bitmap_test_range(const uint64_t *map, uint64_t first, uint64_t count);
/* Clears; whether any bit was set. */
bool bitmap_test_and_clear_range(uint64_t *map, uint64_t first, uint64_t count);
uint64_t bitmap_count_range(const uint64_t *map, uint64_t first, uint64_t count);

static inline void bitmap_set(uint64_t *map, uint64_t bit)
{
    bitmap_set_range(map, bit, 1);
}

/* Clears a whole word and returns what it was. */
uint64_t bitmap_take_word(uint64_t *map, size_t word);

/* The first set (clear) bit at or after `from`; `bits`, the size of the map, if there is none. */
uint64_t bitmap_find_set(const uint64_t *map, uint64_t bits, uint64_t from);
uint64_t bitmap_find_clear(const uint64_t *map, uint64_t bits, uint64_t from);

#endif
