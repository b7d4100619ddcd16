/*
 * keyval: the grouped options of the command line, "VALUE,key=value,key.member=value".
 *
 * Elements are separated by commas; two commas in a value are one comma of it. An element
 * without '=' at the front is the value of the implied key; elsewhere `k` is k=on and `nok` is
 * k=off, which is deprecated and warned of; `help` and `?` are help=on and not. Empty elements
 * are ignored. Arguments that begin with '{' are JSON and not for this.
 *
 * A key is parts joined by dots, each an object's member ([A-Za-z_][A-Za-z0-9_-]*) or, behind
 * another, a list's index (0, 1 ...).
 *
 * What fails returns false or NULL with *why (g_free). `warnings` may be NULL; a line for each
 * is appended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_KEYVAL_H
#define UTIL_KEYVAL_H

#include "util/json.h"

#define KEYVAL_KEY_BYTES 127 /* the longest key */

/*
 * Calls `visit` for each element in order, keys as written; for options that give a key more
 * than once. `implied_key` may be NULL. Ends when `visit` returns false, which then set *why.
 */
typedef struct KeyvalSyntax {
    const char *implied_key;
    GString *warnings;
} KeyvalSyntax;
typedef bool KeyvalVisit(void *opaque, const char *key, const char *value, char **why);
bool keyval_foreach(const char *text, const KeyvalSyntax *syntax, KeyvalVisit *visit, void *opaque,
                    char **why);

/*
 * Whole: an object of strings, objects and lists, owned by the caller. Of equal keys the last
 * wins.
 */
json_object *keyval_parse(const char *text, const KeyvalSyntax *syntax, char **why);

/*
 * In steps, for options that add up: `tree` begins as an empty object; in it lists are still
 * objects with members "0", "1"... keyval_add() may leave a part of the text in the tree when it
 * fails. keyval_finish() returns the result, a new object, and leaves the tree as it is.
 */
bool keyval_add(json_object *tree, const char *text, const KeyvalSyntax *syntax, char **why);
bool keyval_put(json_object *tree, const char *key, const char *value, char **why);
json_object *keyval_finish(json_object *tree, char **why);

#endif
