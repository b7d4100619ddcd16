/*
 * Scalars in their command-line form: see qapi/text.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "text.h"
#include "util/size.h"
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
static bool starts_number(const char *text)
{
    text += *text == '-' || *text == '+';
    return g_ascii_isdigit(*text);
}

/* 10 or 16: a leading zero does not make an octal number. */
static int base_of(const char *text)
{
    text += *text == '-' || *text == '+';
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
}

static bool take_int64(const char *text, char **end, int64_t *value)
{
    if (!starts_number(text)) {
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
    g_autofree char *why = NULL;

    return number_parse(text, value, &why);
}

bool qapi_parse_number(const char *text, double *value)
{
    char *end;

    if (!starts_number(text)) {
        return false;
    }
    *value = g_ascii_strtod(text, &end);
    return !*end && isfinite(*value);
}

bool qapi_parse_size(const char *text, uint64_t *bytes)
{
    g_autofree char *why = NULL;

    return size_parse(text, 1, bytes, &why);
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
