/*
 * Segments of silicon's cases: an LDT, and which of its descriptors and the system's flat ones a case begins with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/silicon_segments.h"

#include "target/i386/state.h"

#define LOW_DATA (SILICON_DATA_AT - SILICON_LOW_DATA_AT)
#define LOW_CODE (SILICON_CODE_AT - SILICON_LOW_CODE_AT)
#define DATA_PAGE (SILICON_DATA_AT >> 12)
/* Somewhere among what registers point at. */
#define LOW_MIDDLE (SILICON_LOW_DATA_AT + 4096 + 0x7f)

enum { LOW_END = SILICON_DATA_16 + 1, LOW_DOWN, LOW_READ_ONLY, LOW_32, FLAT_END, FLAT_DOWN, FLAT_WRAPS, FLAT_CODE,
       CODE_NOT_READ, NO_DATA, NO_CODE };
_Static_assert(NO_CODE == SILICON_LDT_COUNT - 1, "all have names");

const SiliconSegment silicon_ldt[SILICON_LDT_COUNT] = {
    [SILICON_CODE_16] = { .base = LOW_CODE, .limit = SILICON_LOW_CODE_AT + 0xfff, .contents = 2 },
    [SILICON_CODE_LOW] = { .base = LOW_CODE, .limit = SILICON_LOW_CODE_AT + 0xfff, .contents = 2, .is_32 = true },
    [SILICON_DATA_16] = { .base = LOW_DATA, .limit = 0xffff },
    [LOW_END] = { .base = LOW_DATA, .limit = LOW_MIDDLE },
    [LOW_DOWN] = { .base = LOW_DATA, .limit = LOW_MIDDLE - 0x100, .contents = 1 },
    [LOW_READ_ONLY] = { .base = LOW_DATA, .limit = 0xffff, .is_read_only = true },
    [LOW_32] = { .base = LOW_DATA, .limit = 0xfffff, .is_32 = true },
    [FLAT_END] = { .limit = DATA_PAGE, .is_32 = true, .is_in_pages = true },
    [FLAT_DOWN] = { .limit = DATA_PAGE, .contents = 1, .is_32 = true, .is_in_pages = true },
    [FLAT_WRAPS] = { .base = 0xffffff00, .limit = 0xfffff, .is_32 = true, .is_in_pages = true },
    [FLAT_CODE] = { .limit = 0xfffff, .contents = 2, .is_32 = true, .is_in_pages = true },
    [CODE_NOT_READ] = { .limit = 0xfffff, .contents = 2, .is_32 = true, .is_in_pages = true, .is_read_only = true },
    [NO_DATA] = { .limit = 0xfffff, .is_32 = true, .is_absent = true },
    [NO_CODE] = { .limit = 0xfffff, .contents = 2, .is_absent = true },
};

/* Mostly the first of them. */
static uint16_t choose(GRand *random, const uint8_t *list, unsigned count, uint16_t usual)
{
    return chance(random, 3) ? SILICON_SELECTOR(list[g_rand_int_range(random, 0, count)]) : usual;
}

/* Stacks are chosen from those before the last, which cannot be written. */
static void choose_data(SiliconCase *c, GRand *random, const uint8_t *list, unsigned count, uint16_t usual)
{
    c->before.seg[X86_ES] = choose(random, list, count, usual);
    c->before.seg[X86_DS] = choose(random, list, count, usual);
    c->before.seg[X86_SS] = choose(random, list, count - 1, usual);
}

void silicon_segments_choose(SiliconCase *c, GRand *random)
{
    static const uint8_t low[] = { LOW_END, LOW_DOWN, LOW_32, LOW_READ_ONLY };
    static const uint8_t flat[] = { FLAT_END, FLAT_DOWN, FLAT_WRAPS, FLAT_CODE };
    bool has_ldt = silicon_native_has_ldt();

    c->is_low = c->is_16 || (!c->is_64 && has_ldt && chance(random, 8));
    c->has_low_data = c->is_16 || (!c->is_64 && has_ldt && chance(random, 8));
    c->before.seg[X86_CS] = c->is_16 ? SILICON_SELECTOR(SILICON_CODE_16)
                            : c->is_low ? SILICON_SELECTOR(SILICON_CODE_LOW)
                            : c->is_64 ? SILICON_FLAT_CODE_64 : SILICON_FLAT_CODE_32;
    if (c->has_low_data) {
        choose_data(c, random, low, ARRAY_SIZE(low), SILICON_SELECTOR(SILICON_DATA_16));
    } else if (has_ldt && chance(random, 4)) {
        choose_data(c, random, flat, ARRAY_SIZE(flat), SILICON_FLAT_DATA);
    } else {
        c->before.seg[X86_ES] = c->before.seg[X86_DS] = c->before.seg[X86_SS] = SILICON_FLAT_DATA;
    }
    for (unsigned n = X86_ES; n <= X86_DS; n++) {
        c->has_odd_segments |= n != X86_CS && c->before.seg[n] != SILICON_FLAT_DATA &&
                               c->before.seg[n] != SILICON_SELECTOR(SILICON_DATA_16);
    }
}

uint16_t silicon_segments_selector(GRand *random)
{
    static const uint8_t flat[] = { 0, SILICON_FLAT_CODE_32, SILICON_FLAT_DATA, SILICON_FLAT_CODE_64 };
    uint16_t selector = chance(random, 4) ? flat[g_rand_int_range(random, 0, ARRAY_SIZE(flat))]
                                          : SILICON_SELECTOR(g_rand_int_range(random, 0, SILICON_LDT_COUNT + 2));

    return chance(random, 4) ? selector ^ g_rand_int_range(random, 0, 4) : selector;
}
