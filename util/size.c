/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/size.h"

#define FRACTION_DIGITS 18 /* further ones are worth at most two bytes, and that of an E */

typedef struct Scanner {
    const char *text; /* what is left */
    bool is_hex;
    bool has_digits;
    bool has_overflown;
    uint64_t number;
} Scanner;

static void scan_number(Scanner *s)
{
    unsigned base = 10;
    int digit;

    if (s->text[0] == '0' && (s->text[1] == 'x' || s->text[1] == 'X')) {
        s->is_hex = true;
        base = 16;
        s->text += 2;
    }
    while ((digit = g_ascii_xdigit_value(*s->text)) >= 0 && digit < base) {
        s->has_digits = true;
        s->has_overflown |= __builtin_mul_overflow(s->number, base, &s->number);
        s->has_overflown |= __builtin_add_overflow(s->number, digit, &s->number);
        s->text++;
    }
}

/* The digits behind a point as numerator / 10^digits. */
static bool scan_fraction(Scanner *s, uint64_t *numerator, uint64_t *denominator)
{
    const char *start;
    uint64_t scale = 1;

    *numerator = 0;
    *denominator = 1;
    if (*s->text != '.' || s->is_hex) {
        return true;
    }
    start = ++s->text;
    for (; g_ascii_isdigit(*s->text); s->text++) {
        if (s->text - start < FRACTION_DIGITS) {
            *numerator = *numerator * 10 + (*s->text - '0');
            scale *= 10;
        }
    }
    *denominator = scale;
    return s->text > start;
}

static bool scan_unit(Scanner *s, uint64_t default_unit, uint64_t *unit)
{
    static const char letters[] = "BKMGTPE";
    const char *letter;

    *unit = default_unit;
    if (!*s->text) {
        return true;
    }
    letter = strchr(letters, g_ascii_toupper(*s->text));
    if (!letter || s->is_hex || s->text[1]) {
        return false;
    }
    *unit = UINT64_C(1) << (10 * (letter - letters));
    return true;
}

static bool too_large(const char *text, char **why)
{
    *why = g_strdup_printf("'%s' is not below 2^64", text);
    return false;
}

bool number_parse(const char *text, uint64_t *number, char **why)
{
    Scanner s = { .text = text };

    scan_number(&s);
    if (!s.has_digits || *s.text) {
        *why = g_strdup_printf("'%s' is not a number", text);
        return false;
    }
    if (s.has_overflown) {
        return too_large(text, why);
    }
    *number = s.number;
    return true;
}

bool size_parse(const char *text, uint64_t default_unit, uint64_t *bytes, char **why)
{
    Scanner s = { .text = text };
    uint64_t numerator, denominator, unit;
    bool is_well_formed;

    scan_number(&s);
    is_well_formed = s.has_digits && scan_fraction(&s, &numerator, &denominator) &&
                     scan_unit(&s, default_unit, &unit);
    if (!is_well_formed) {
        *why = g_strdup_printf("'%s' is not a size: a number, behind it B, k, M, G, T, P or E",
                               text);
        return false;
    }
    if (unit == 1 && denominator > 1) {
        *why = g_strdup_printf("'%s' is not a whole number of bytes", text);
        return false;
    }
    if (s.has_overflown || __builtin_mul_overflow(s.number, unit, &s.number)) {
        return too_large(text, why);
    }
    /* Below one unit: the sum cannot overflow, for s.number is a multiple of it. */
    *bytes = s.number + (uint64_t)((unsigned __int128)numerator * unit / denominator);
    return true;
}
