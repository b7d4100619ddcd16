/*
 * For tests: what ACPICA's tools (iasl, acpiexec) make of a table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_IASL_TOOL_H
#define HW_ACPI_IASL_TOOL_H

/* False (the test is then skipped, with the reason) if the tool is not installed. */
bool tool_or_skip(const char *tool);
/* Disassembles a whole table without a warning, compiles the result and finds the same bytes. */
void iasl_check(const void *table, size_t bytes);
/* Every table between `start` and the end, one after another at multiples of 8. */
void iasl_check_all(const GByteArray *tables);
/* Runs a method of a DSDT; returns what acpiexec says of it (g_free). */
char *acpiexec_run(const void *dsdt, size_t bytes, const char *command);
/* Runs a command line in a scratch folder; the exit must be 0. Returns its output (g_free). */
char *tool_run(const char *folder, const char *const *argv);
char *scratch_new(void);
void scratch_free(char *folder);

#endif
