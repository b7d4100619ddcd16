/*
 * Scalars in their command-line form: see qapi/text.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "text.h"
#include <math.h>

bool qapi_parse_bool(const char *text, bool *value)
{
    static const char *const words[] = { "off", "on", "no", "yes", "false", "true", "n", "y" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(text, words[i])) {
            *value = i % 2;
            return true;
        }
    }
    return false;
}

/* strtoX() skips blanks and takes a sign; we take neither blanks nor nothing at all. */
static bool starts_number(const char *text, bool is_signed)
{
    if (is_signed && (*text == '-' || *text == '+')) {
        text++;
    }
    return g_ascii_isdigit(*text);
}

static int base_of(const char *text)
{
    text += *text == '-' || *text == '+';
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
}

static bool take_int64(const char *text, char **end, int64_t *value)
{
    if (!starts_number(text, true)) {
        return false;
    }
    errno = 0;
    *value = strtoll(text, end, base_of(text));
    return !errno;
}

bool qapi_parse_int64(const char *text, int64_t *value)
{
    char *end;

    return take_int64(text, &end, value) && !*end;
}

bool qapi_parse_uint64(const char *text, uint64_t *value)
{
    char *end;

    if (!starts_number(text, false)) {
        return false;
    }
    errno = 0;
    *value = strtoull(text, &end, base_of(text));
    return !errno && !*end;
}

bool qapi_parse_number(const char *text, double *value)
{
    char *end;

    if (!starts_number(text, true)) {
        return false;
    }
    *value = g_ascii_strtod(text, &end);
    return !*end && isfinite(*value);
}

/* Bits to shift for a suffix, or -1. */
static int suffix_shift(char c)
{
    static const char suffixes[] = "BKMGTPE";
    const char *at = c ? strchr(suffixes, g_ascii_toupper(c)) : NULL;

    return at ? 10 * (int)(at - suffixes) : -1;
}

static bool take_fraction(const char *text, int shift, uint64_t *bytes)
{
    double value = g_ascii_strtod(text, NULL) * (double)(UINT64_C(1) << shift);

    if (!isfinite(value) || value < 0 || value >= 0x1p64) {
        return false;
    }
    *bytes = value;
    return true;
}

bool qapi_parse_size(const char *text, uint64_t *bytes)
{
    size_t digits = strspn(text, "0123456789");
    size_t length = strlen(text);
    int shift = 0;
    char *end;

    if (!digits || base_of(text) == 16) {
        return qapi_parse_uint64(text, bytes);
    }
    if (!g_ascii_isdigit(text[length - 1])) {
        shift = suffix_shift(text[--length]);
        if (shift < 0) {
            return false;
        }
    }
    if (text[digits] == '.' && shift &&
        digits + 1 + strspn(text + digits + 1, "0123456789") == length) {
        return take_fraction(text, shift, bytes);
    }
    errno = 0;
    *bytes = strtoull(text, &end, 10);
    if (errno || digits != length || *bytes > UINT64_MAX >> shift) {
        return false;
    }
    *bytes <<= shift;
    return true;
}

static bool take_range(const char **text, GArray *numbers)
{
    char *end;
    int64_t first, last;

    if (!take_int64(*text, &end, &first)) {
        return false;
    }
    last = first;
    if (*end == '-' && !take_int64(end + 1, &end, &last)) {
        return false;
    }
    if (last < first || (uint64_t)last - (uint64_t)first >= QAPI_MAX_RANGE - numbers->len) {
        return false;
    }
    for (int64_t i = 0; i <= last - first; i++) {
        int64_t number = first + i;

        g_array_append_val(numbers, number);
    }
    *text = end;
    return true;
}

bool qapi_parse_ranges(const char *text, GArray *numbers)
{
    do {
        if (!take_range(&text, numbers)) {
            return false;
        }
    } while (*text++ == ',');
    return !text[-1];
}
