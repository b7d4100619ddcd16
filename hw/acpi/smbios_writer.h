/*
 * One SMBIOS structure after another: a formatted area, then its strings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_SMBIOS_WRITER_H
#define HW_ACPI_SMBIOS_WRITER_H

#include "hw/acpi/pack.h"

typedef struct SmbiosWriter {
    GByteArray *out;
    GPtrArray *strings; /* of the open structure, borrowed until its end */
    uint32_t start;
    unsigned count, largest;
} SmbiosWriter;

/* The array to append to. */
GByteArray *smbios_begin(SmbiosWriter *w, uint8_t type, uint16_t handle);
/* Appends the number of a string; NULL and "" are no string. */
void smbios_put_string(SmbiosWriter *w, const char *text);
/* `length` is what the type's formatted area must have come to. */
void smbios_end(SmbiosWriter *w, unsigned length);

#endif
