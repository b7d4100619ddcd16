/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bitmap.h"

#define BITS 200
#define THREADS 3
#define ROUNDS 20000

/* Every range of a small map against an array of bools. */
static void test_ranges(void)
{
    g_autofree uint64_t *map = bitmap_try_new(BITS);
    bool model[BITS] = { false };
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (unsigned round = 0; round < 5000; round++) {
        unsigned first = g_rand_int_range(rand, 0, BITS);
        unsigned count = g_rand_int_range(rand, 0, BITS - first + 1);
        unsigned ones = 0, next = BITS, next_clear = BITS;
        bool is_set = g_rand_boolean(rand);

        for (unsigned i = first; i < first + count; i++) {
            ones += model[i];
        }
        for (unsigned i = BITS; i-- > first;) {
            *(model[i] ? &next : &next_clear) = i;
        }
        g_assert_cmpuint(bitmap_count_range(map, first, count), ==, ones);
        g_assert_cmpint(bitmap_test_range(map, first, count), ==, ones != 0);
        g_assert_cmpuint(bitmap_find_set(map, BITS, first), ==, next);
        g_assert_cmpuint(bitmap_find_clear(map, BITS, first), ==, next_clear);
        if (is_set) {
            bitmap_set_range(map, first, count);
        } else if (round % 2) {
            bitmap_clear_range(map, first, count);
        } else {
            g_assert_cmpint(bitmap_test_and_clear_range(map, first, count), ==, ones != 0);
        }
        for (unsigned i = first; i < first + count; i++) {
            model[i] = is_set;
        }
        for (unsigned i = 0; i < BITS; i++) {
            g_assert_cmpint(bitmap_test(map, i), ==, model[i]);
        }
    }
}

static void test_edges(void)
{
    g_autofree uint64_t *empty = bitmap_try_new(0);
    uint64_t map[2] = { 0, 0 };

    g_assert_nonnull(empty);
    g_assert_null(bitmap_try_new(UINT64_MAX));
    g_assert_cmpuint(bitmap_words(64), ==, 1);
    g_assert_cmpuint(bitmap_words(65), ==, 2);
    g_assert_cmpuint(bitmap_find_set(empty, 0, 0), ==, 0);
    bitmap_set(map, 63);
    bitmap_set(map, 64);
    g_assert_cmphex(map[0], ==, BIT64(63));
    g_assert_cmphex(map[1], ==, 1);
    g_assert_cmpuint(bitmap_find_set(map, 64, 64), ==, 64);
    g_assert_cmpuint(bitmap_find_set(map, 128, 500), ==, 128);
    g_assert_cmphex(bitmap_take_word(map, 0), ==, BIT64(63));
    g_assert_cmphex(bitmap_take_word(map, 0), ==, 0);
}

/* Each thread counts up its own value, then marks it dirty; all share one word. */
typedef struct Race {
    uint64_t map[1];
    unsigned values[THREADS];
    unsigned next_thread;
} Race;

static gpointer dirty(gpointer opaque)
{
    Race *race = opaque;
    unsigned me = __atomic_fetch_add(&race->next_thread, 1, __ATOMIC_RELAXED);

    for (unsigned i = 1; i <= ROUNDS; i++) {
        __atomic_store_n(&race->values[me], i, __ATOMIC_RELAXED);
        bitmap_set(race->map, me);
    }
    return NULL;
}

/* Whoever copies a value only when it is dirty must end with the last one. */
static void test_race(void)
{
    Race race = { 0 };
    GThread *threads[THREADS];
    unsigned copies[THREADS] = { 0 };

    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = g_thread_new(NULL, dirty, &race);
    }
    for (unsigned rest = THREADS; rest;) {
        uint64_t taken = bitmap_take_word(race.map, 0);

        for (unsigned i = 0; i < THREADS; i++) {
            if (taken & BIT64(i)) {
                rest -= copies[i] != ROUNDS;
                copies[i] = __atomic_load_n(&race.values[i], __ATOMIC_RELAXED);
                rest += copies[i] != ROUNDS;
            }
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bitmap/ranges", test_ranges);
    g_test_add_func("/bitmap/edges", test_edges);
    g_test_add_func("/bitmap/race", test_race);
    return g_test_run();
}
