/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/id.h"

static void test_id(void)
{
    g_assert_true(id_is_well_formed("a"));
    g_assert_true(id_is_well_formed("Z9.x_-"));
    g_assert_false(id_is_well_formed(""));
    g_assert_false(id_is_well_formed("1a"));
    g_assert_false(id_is_well_formed("_a"));
    g_assert_false(id_is_well_formed("#block1"));
    g_assert_false(id_is_well_formed("a b"));
    g_assert_false(id_is_well_formed("a/b"));
    g_assert_false(id_is_well_formed("\xc3\xa9"));
    g_assert_false(id_is_well_formed("a\xc3\xa9"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/id/well-formed", test_id);
    return g_test_run();
}
