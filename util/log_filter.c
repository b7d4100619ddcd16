/*
 * The address ranges of `-dfilter`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/log.h"

typedef struct AddressRange {
    uint64_t first, last;
} AddressRange;

static GRWLock filter_lock;
static GArray *filter; /* of AddressRange; NULL: all pass */

static bool take_number(const char **text, uint64_t *number)
{
    char *end;

    if (!g_ascii_isdigit(**text)) {
        return false;
    }
    errno = 0;
    *number = g_ascii_strtoull(*text, &end, 0);
    *text = end;
    return !errno;
}

/* Turns "A op B" into first and last; false if it is empty or leaves the address space. */
static bool range_span(AddressRange *range, char op, uint64_t a, uint64_t b)
{
    switch (op) {
    case '+':
        *range = (AddressRange){ a, a + (b - 1) };
        return b && range->last >= a;
    case '-':
        *range = (AddressRange){ a - (b - 1), a };
        return b && range->first <= a;
    default:
        *range = (AddressRange){ a, b };
        return a <= b;
    }
}

static bool parse_range(const char *text, AddressRange *range, char **why)
{
    const char *rest = text;
    uint64_t a, b;
    char op;

    if (!take_number(&rest, &a)) {
        *why = g_strdup_printf("'%s' does not begin with an address", text);
        return false;
    }
    op = *rest;
    if (g_str_has_prefix(rest, "..")) {
        rest += 2;
    } else if (op == '+' || op == '-') {
        rest++;
    } else {
        *why = g_strdup_printf("'%s' is none of A+LENGTH, A-LENGTH and A..B", text);
        return false;
    }
    if (!take_number(&rest, &b) || *rest) {
        *why = g_strdup_printf("'%s' does not end with a number", text);
        return false;
    }
    if (!range_span(range, op, a, b)) {
        *why = g_strdup_printf("'%s' is no range of addresses", text);
        return false;
    }
    return true;
}

bool log_set_filter(const char *ranges, char **why)
{
    g_autoptr(GArray) list = g_array_new(false, false, sizeof(AddressRange));
    g_auto(GStrv) words = g_strsplit(ranges ? ranges : "", ",", -1);

    for (char **word = words; *word; word++) {
        AddressRange range;

        if (!parse_range(*word, &range, why)) {
            return false;
        }
        g_array_append_val(list, range);
    }
    g_rw_lock_writer_lock(&filter_lock);
    g_clear_pointer(&filter, g_array_unref);
    filter = list->len ? g_steal_pointer(&list) : NULL;
    g_rw_lock_writer_unlock(&filter_lock);
    return true;
}

bool log_wants_address(uint64_t address)
{
    bool is_wanted = false;

    g_rw_lock_reader_lock(&filter_lock);
    for (guint i = 0; filter && !is_wanted && i < filter->len; i++) {
        const AddressRange *range = &g_array_index(filter, AddressRange, i);

        is_wanted = address >= range->first && address <= range->last;
    }
    is_wanted |= !filter;
    g_rw_lock_reader_unlock(&filter_lock);
    return is_wanted;
}
