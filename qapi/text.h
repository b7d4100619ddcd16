/*
 * Scalars written as text on a command line. All return false if the whole of `text` is not
 * such a value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_TEXT_H
#define QAPI_TEXT_H

bool qapi_parse_bool(const char *text, bool *value); /* on off yes no true false y n */
bool qapi_parse_int64(const char *text, int64_t *value);
bool qapi_parse_uint64(const char *text, uint64_t *value);
bool qapi_parse_number(const char *text, double *value);
/* Bytes, as size_parse() takes them. */
bool qapi_parse_size(const char *text, uint64_t *bytes);

/* "0-3,7" appended to an array of int64_t; at most QAPI_MAX_RANGE numbers. */
#define QAPI_MAX_RANGE 65536
bool qapi_parse_ranges(const char *text, GArray *numbers);

#endif
