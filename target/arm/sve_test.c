/*
 * The rules of SVE vector lengths.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sve.h"

#define ALL   0xffff
#define A64FX (BIT(0) | BIT(1) | BIT(3))
#define VQ(n) BIT((n) - 1)

typedef struct Row {
    uint32_t supported;
    ArmSveChoice choice;
    uint32_t lengths;
    const char *text; /* why not */
} Row;

static const Row rows[] = {
    { ALL, { true }, ALL },
    { ALL, { false }, 0 },
    { ALL, { true, .wanted = VQ(3) }, VQ(1) | VQ(2) | VQ(3) },
    { ALL, { true, .wanted = VQ(4) }, VQ(1) | VQ(2) | VQ(4) },
    { ALL, { true, .wanted = VQ(4), .refused = VQ(3) }, VQ(1) | VQ(2) | VQ(4) },
    { ALL, { true, .refused = VQ(4) }, VQ(1) | VQ(2) | VQ(3) },
    { ALL, { true, .refused = VQ(3) }, ALL & ~VQ(3) },
    { ALL, { true, .refused = VQ(2) }, VQ(1) },
    { ALL, { true, .max_vq = 8 }, 0xff },
    { ALL, { true, .max_vq = 8, .refused = VQ(3) | VQ(7) }, 0xff & ~(VQ(3) | VQ(7)) },
    { ALL, { true, .max_vq = 16 }, ALL },
    { ALL, { true, .wanted = VQ(16) }, 0x808b },
    { A64FX, { true }, A64FX },
    { A64FX, { true, .refused = VQ(2) }, VQ(1) },
    { A64FX, { true, .refused = VQ(4) }, VQ(1) | VQ(2) },
    { ALL, { true, .refused = VQ(1) }, 0, "cannot disable sve128" },
    { ALL, { true, .wanted = VQ(4), .refused = VQ(2) }, 0, "cannot disable sve256" },
    { ALL, { true, .wanted = VQ(5), .refused = VQ(4) }, 0, "cannot disable sve512" },
    { ALL, { true, .max_vq = 8, .refused = VQ(8) }, 0, "cannot disable sve1024" },
    { ALL, { true, .max_vq = 3, .refused = VQ(3) }, 0, "cannot disable sve384" },
    { ALL, { true, .max_vq = 8, .wanted = VQ(16) }, 0, "cannot enable sve2048" },
    { ALL, { false, .wanted = VQ(1) }, 0, "cannot enable sve128" },
    { A64FX, { true, .wanted = VQ(8) }, 0, "cannot enable sve1024" },
    { A64FX, { true, .refused = VQ(1) }, 0, "cannot disable sve128" },
};

static void test_rules(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Row *row = &rows[i];
        uint32_t lengths = UINT32_MAX;
        g_autoptr(Error) err = NULL;
        bool is_ok = arm_sve_resolve(&row->choice, row->supported, &lengths, &err);

        g_test_message("row %zu", i);
        g_assert_true(is_ok == !row->text);
        if (is_ok) {
            g_assert_cmphex(lengths, ==, row->lengths);
        } else {
            g_assert_cmpstr(error_text(err), ==, row->text);
        }
    }
}

/* Whatever is chosen: a longest length has all smaller powers of two. */
static void test_result_is_legal(void)
{
    for (uint32_t i = 0; i < 0x10000; i++) {
        ArmSveChoice choice = { true, .wanted = i & 0xff, .refused = (i >> 8) & ~(i & 0xff) };
        uint32_t set;

        if (arm_sve_resolve(&choice, ALL, &set, NULL)) {
            unsigned longest = 32 - __builtin_clz(set);

            for (unsigned n = 1; n <= longest; n *= 2) {
                g_assert_true(set & VQ(n));
            }
            g_assert_cmphex(set & choice.refused, ==, 0);
            g_assert_cmphex(set & choice.wanted, ==, choice.wanted);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/sve/rules", test_rules);
    g_test_add_func("/arm/sve/legal", test_result_is_legal);
    return g_test_run();
}
