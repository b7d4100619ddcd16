/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/size.h"

static void test_sizes(void)
{
    static const struct {
        const char *text;
        uint64_t unit, bytes;
    } cases[] = {
        { "0", 1, 0 },
        { "010", 1, 10 },
        { "256", MiB, 256 * MiB },
        { "256", 1, 256 },
        { "1k", 1, KiB },
        { "1K", MiB, KiB },
        { "524288k", 1, 512 * MiB },
        { "7b", MiB, 7 },
        { "1.5G", 1, 3 * GiB / 2 },
        { "1.5", MiB, 3 * MiB / 2 },
        { "0.3k", 1, 307 },
        { "1.000000000000000000000000001k", 1, KiB },
        { "15.999999999999999999999E", 1, UINT64_MAX - 1 },
        { "2t", 1, 2 * TiB },
        { "1P", 1, KiB * TiB },
        { "15E", 1, UINT64_C(15) << 60 },
        { "0x1E", 1, 0x1e },
        { "0X10", MiB, 16 * MiB },
        { "18446744073709551615", 1, UINT64_MAX },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t bytes;
        char *why = NULL;

        g_test_message("%s", cases[i].text);
        g_assert_true(size_parse(cases[i].text, cases[i].unit, &bytes, &why));
        g_assert_cmpuint(bytes, ==, cases[i].bytes);
    }
}

static void test_size_refusals(void)
{
    static const char *const malformed[] = {
        "", " 1", "1 ", "-1", "+1", "1z", "1kB", "1kk", "k", ".5k", "1.k", "1.5.5k", "0x", "0x1k",
        "0x1.8", "1e3", "inf", "nan", "1,5k",
    };
    static const char *const large[] = {
        "16E", "18446744073709551616", "0x10000000000000000", "99999999999999T",
        "340282366920938463463374607431768211456",
    };
    uint64_t bytes = 77;

    for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
        g_autofree char *why = NULL;

        g_assert_false(size_parse(malformed[i], 1, &bytes, &why));
        g_assert_nonnull(strstr(why, "is not a size"));
    }
    for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
        g_autofree char *why = NULL;
        g_autofree char *expected = g_strdup_printf("'%s' is not below 2^64", large[i]);

        g_assert_false(size_parse(large[i], 1, &bytes, &why));
        g_assert_cmpstr(why, ==, expected);
    }
    for (const char *const *text = (const char *[]){ "1.5", "1.5b", "1.0", NULL }; *text; text++) {
        g_autofree char *why = NULL;

        g_assert_false(size_parse(*text, 1, &bytes, &why));
        g_assert_nonnull(strstr(why, "is not a whole number of bytes"));
    }
    g_assert_cmpuint(bytes, ==, 77);
}

static void test_numbers(void)
{
    uint64_t number;
    char *why = NULL;

    g_assert_true(number_parse("0xffffffffffffffff", &number, &why));
    g_assert_cmpuint(number, ==, UINT64_MAX);
    g_assert_true(number_parse("42", &number, &why));
    g_assert_cmpuint(number, ==, 42);
    for (const char *const *text = (const char *[]){ "", "0x", "1k", "-1", "1.0", " 1", NULL }; *text;
         text++) {
        g_autofree char *reason = NULL;

        g_assert_false(number_parse(*text, &number, &reason));
        g_assert_nonnull(strstr(reason, "is not a number"));
    }
    g_assert_false(number_parse("18446744073709551616", &number, &why));
    g_assert_cmpstr(why, ==, "'18446744073709551616' is not below 2^64");
    g_free(why);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/size/sizes", test_sizes);
    g_test_add_func("/size/refusals", test_size_refusals);
    g_test_add_func("/size/numbers", test_numbers);
    return g_test_run();
}
