/*
 * Numbers and sizes as people write them on the command line and in the text monitor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_SIZE_H
#define UTIL_SIZE_H

/*
 * A decimal or 0x number, all of `text`, no sign. False with *why (g_free): it is no number or
 * not below 2^64.
 */
bool number_parse(const char *text, uint64_t *number, char **why);

/*
 * A number with an optional suffix: B (bytes), k, M, G, T, P or E (powers of 1024), in either
 * case; without a suffix it counts `default_unit` bytes (1, MiB ...). A decimal fraction is fine
 * where the unit is more than a byte; what is left below a byte is dropped. Hex takes no suffix.
 */
bool size_parse(const char *text, uint64_t default_unit, uint64_t *bytes, char **why);

#endif
