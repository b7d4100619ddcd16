/*
 * Blobs of firmware tables that refer to each other by address, and how they get their addresses:
 * either the firmware places them, told by the script of fw_cfg's `etc/table-loader`, or we do,
 * for a kernel that is entered without firmware.
 *
 * Machine lock. What is declared here is ours: mistakes are assertions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_LINKER_H
#define HW_ACPI_LINKER_H

#include "qom/error.h"

#define ACPI_LINKER_NAME_BYTES  56 /* with the NUL; the same as fw_cfg's */
#define ACPI_LINKER_ENTRY_BYTES 128

typedef struct AcpiLinker AcpiLinker;

typedef enum AcpiZone {
    ACPI_ZONE_HIGH = 1,     /* anywhere below 4 GiB */
    ACPI_ZONE_F_SEGMENT = 2 /* f0000 to fffff, where the RSDP is searched */
} AcpiZone;

/* `bytes` at `offset` of blob `in` are to be the address of `to` plus `to_offset`. */
typedef struct AcpiPointer {
    const char *in;
    uint32_t offset;
    uint8_t bytes; /* 1, 2, 4, 8 */
    const char *to;
    uint32_t to_offset;
} AcpiPointer;

AcpiLinker *acpi_linker_new(void);
void acpi_linker_free(AcpiLinker *linker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AcpiLinker, acpi_linker_free)

/* The blob of this file name, made by the first call; borrowed, to be filled. `align` is a power
 * of 2. */
GByteArray *acpi_linker_blob(AcpiLinker *linker, const char *file, uint32_t align, AcpiZone zone);
/* NULL: there is none. */
GByteArray *acpi_linker_find(const AcpiLinker *linker, const char *file);
void acpi_linker_add_pointer(AcpiLinker *linker, const AcpiPointer *pointer);
/* The byte at `at` makes the sum of [start, start + length) zero, once pointers are known. Until
 * then it is 0: some firmware adds up what is there, and stores the sum's negative. */
void acpi_linker_add_checksum(AcpiLinker *linker, const char *file, uint32_t start,
                              uint32_t length, uint32_t at);
/* The firmware writes an address back into fw_cfg file `in`, which is not among our blobs. */
void acpi_linker_write_pointer(AcpiLinker *linker, const AcpiPointer *pointer);

/* The content of `etc/table-loader`; owned by the caller. */
GByteArray *acpi_linker_script(const AcpiLinker *linker);

/*
 * Direct placement. Every blob gets an address, in order, blobs of the F segment in
 * [f_segment_base, f_segment_end), the others in [base, end); pointers and sums are put in place.
 * Once only. Fails if they do not fit, with nothing changed.
 */
typedef struct AcpiPlacement {
    uint64_t base, end;
    uint64_t f_segment_base, f_segment_end;
} AcpiPlacement;
bool acpi_linker_place(AcpiLinker *linker, const AcpiPlacement *room, Error **errp);
/* After acpi_linker_place(). */
uint64_t acpi_linker_address(const AcpiLinker *linker, const char *file);
/* Calls `visit` for each blob, in order; the address is 0 before placement. */
void acpi_linker_foreach(const AcpiLinker *linker,
                         void (*visit)(void *opaque, const char *file, const GByteArray *bytes,
                                       uint64_t address),
                         void *opaque);

#endif
