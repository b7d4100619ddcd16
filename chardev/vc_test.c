/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "chardev/text_screen.h"

static void expect(const char *bytes, const char *shown)
{
    g_autofree char *text = NULL;
    TextScreen screen;

    g_assert_true(text_screen_init(&screen, 5, 3));
    text_screen_write(&screen, (const uint8_t *)bytes, strlen(bytes));
    text = text_screen_text(&screen);
    text_screen_clear(&screen);
    g_assert_cmpstr(text, ==, shown);
}

static void test_text(void)
{
    expect("ab\r\ncd", "ab\ncd\n\n");
    expect("abcdefg", "abcde\nfg\n\n");
    expect("abcde\r\nf", "abcde\nf\n\n");
    expect("1\r\n2\r\n3\r\n4", "2\n3\n4\n");
    expect("ab\b\bx", "xb\n\n\n");
    expect("a\tb", "a   b\n\n\n");
    expect("a\x01\x7f\xc3", "a?\n\n\n");
}

static void test_control(void)
{
    expect("abc\033[2;3Hx", "abc\n  x\n\n");
    expect("abc\033[99;99Hx\033[99Ay", "abc y\n\n    x\n");
    expect("abcde\033[1;3H\033[K", "ab\n\n\n");
    expect("abcde\033[1;3H\033[1K", "   de\n\n\n");
    expect("ab\r\ncd\033[2Jx", "\n  x\n\n");
    expect("\033[1;31mred\033[0m", "red\n\n\n");
    expect("\033[1;2;3;4;5;6;7;8;9;10mx\033[99999999999Cy", "x   y\n\n\n");
    expect("\033(a\033", "a\n\n\n");
}

/* Ink, paper and brightness as a VGA's attribute. */
static void expect_colors(const char *bytes, unsigned attribute)
{
    TextScreen screen;

    g_assert_true(text_screen_init(&screen, 5, 3));
    text_screen_write(&screen, (const uint8_t *)bytes, strlen(bytes));
    text_screen_write(&screen, (const uint8_t *)"x", 1);
    g_assert_cmphex(screen.cells[0], ==, attribute << 8 | 'x');
    text_screen_clear(&screen);
}

static void test_colors(void)
{
    expect_colors("", 0x07);
    expect_colors("\033[31m", 0x04);
    expect_colors("\033[1;34m", 0x09);
    expect_colors("\033[94m", 0x09);
    expect_colors("\033[33;41m", 0x46);
    expect_colors("\033[7m", 0x70);
    expect_colors("\033[1;7;27;22;32;39;45;49m", 0x07);
    expect_colors("\033[1;31;42;7m\033[m", 0x07);
    expect_colors("\033[5;38;2m", 0x07);
    expect_colors("\033[44m\033[2J", 0x17);
}

static void test_random(void)
{
    TextScreen screen;

    g_assert_true(text_screen_init(&screen, 7, 4));
    for (int i = 0; i < 200000; i++) {
        static const char likely[] = "\033[[;;19ABCDHfJKm\r\n\b\txyz";
        uint8_t c = g_test_rand_bit() ? likely[g_test_rand_int_range(0, sizeof(likely) - 1)] :
                                        g_test_rand_int_range(0, 256);

        text_screen_write(&screen, &c, 1);
        g_assert_cmpuint(screen.x, <=, screen.cols);
        g_assert_cmpuint(screen.y, <, screen.rows);
    }
    text_screen_clear(&screen);
}

static void test_chardev(void)
{
    g_autoptr(Error) err = NULL;
    Chardev *chr = chardev_add_from_spec("v", "vc:10Cx2C", NULL, NULL);
    CharFrontend fe = { 0 };
    g_autofree char *screen = NULL;

    g_assert_nonnull(chr);
    g_assert_true(char_frontend_attach(&fe, chr, NULL));
    g_assert_true(char_frontend_write_all(&fe, "hello\r\nyou", 10));
    screen = object_get_text(chr, "screen");
    g_assert_cmpstr(screen, ==, "hello\nyou\n");
    char_frontend_detach(&fe);
    g_assert_true(chardev_remove("v", NULL));
    g_assert_null(chardev_add_from_spec("w", "vc:0Cx2C", NULL, &err));
    g_assert_cmpstr(error_text(err), ==,
                    "a text console of 0 columns and 2 rows cannot be made (1 to 1000)");
    g_assert_nonnull(chardev_add_from_spec("w", "vc:800x600", NULL, NULL));
    g_assert_nonnull(chardev_add_from_spec("x", "vc", NULL, NULL));
    g_assert_null(chardev_add_from_spec("y", "vc:800", NULL, NULL));
    chardev_cleanup();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vc/text", test_text);
    g_test_add_func("/vc/control", test_control);
    g_test_add_func("/vc/colors", test_colors);
    g_test_add_func("/vc/random", test_random);
    g_test_add_func("/vc/chardev", test_chardev);
    return g_test_run();
}
