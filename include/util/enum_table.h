/*
 * EnumTable: the names of an enumeration's values, in order; shared by QAPI types, object
 * properties and command-line parsing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_ENUM_TABLE_H
#define UTIL_ENUM_TABLE_H

typedef struct EnumTable {
    const char *name;         /* the type's name, as introspection shows it */
    const char *const *names; /* a NULL entry is a value that cannot be named here */
    int count;
} EnumTable;

/* The value of `text`, or -1. */
static inline int enum_table_find(const EnumTable *table, const char *text)
{
    for (int i = 0; i < table->count; i++) {
        if (table->names[i] && !strcmp(table->names[i], text)) {
            return i;
        }
    }
    return -1;
}

static inline const char *enum_table_name(const EnumTable *table, int value)
{
    assert(value >= 0 && value < table->count);
    return table->names[value];
}

#endif
