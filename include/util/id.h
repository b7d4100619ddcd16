/*
 * Identifiers people give to devices, back ends and the like.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_ID_H
#define UTIL_ID_H

/* A letter, then letters, digits, '-', '.' and '_'; ASCII. */
static inline bool id_is_well_formed(const char *id)
{
    if (!g_ascii_isalpha(*id)) {
        return false;
    }
    while (g_ascii_isalnum(*id) || *id == '-' || *id == '.' || *id == '_') {
        id++;
    }
    return !*id;
}

#endif
