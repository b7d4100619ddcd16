/*
 * NFIT, the NVDIMM firmware interface table (ACPI 6.4, 5.2.25): its structures go to any byte
 * array, for they stand in the table and in the buffer that _FIT returns after a hot-plug.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_NFIT_H
#define HW_ACPI_NFIT_H

#include "hw/acpi/tables.h"

/* A range of physical addresses; `index` from 1. */
typedef struct NfitRange {
    uint16_t index, flags; /* 1: for hot-plug, 2: `node` is valid */
    uint32_t node;
    const char *type;      /* UUID: NFIT_PERSISTENT_MEMORY ... */
    uint64_t base, bytes;
    uint64_t attributes;   /* EFI memory mapping attributes */
} NfitRange;
#define NFIT_PERSISTENT_MEMORY "66f0d379-b4f3-4074-ac43-0d3318b78cdb"
#define NFIT_ATTRIBUTE_WB      0x8u
#define NFIT_ATTRIBUTE_NV      0x8000u
enum { NFIT_RANGE_HOTPLUG = 1u << 0, NFIT_RANGE_NODE_VALID = 1u << 1 };

/* A part of an NVDIMM that is in a range, not interleaved. */
typedef struct NfitMapping {
    uint32_t handle;
    uint16_t physical_id; /* SMBIOS handle of the type 17 */
    uint16_t region_id, range_index, control_index;
    uint64_t bytes, range_offset, dimm_base;
    uint16_t flags;
} NfitMapping;

typedef struct NfitControl {
    uint16_t index;
    uint16_t vendor, device, revision;
    uint32_t serial;
    uint16_t format; /* 0x201 byte addressable without energy source, 0x301 with */
} NfitControl;

/* Bits of the platform's capabilities. */
enum { NFIT_CPU_CACHE_FLUSH = 1u << 0, NFIT_MEMORY_FLUSH = 1u << 1, NFIT_MIRRORING = 1u << 2 };

void nfit_put_range(GByteArray *out, const NfitRange *range);
void nfit_put_mapping(GByteArray *out, const NfitMapping *mapping);
void nfit_put_control(GByteArray *out, const NfitControl *control);
void nfit_put_flush_hints(GByteArray *out, uint32_t handle, const uint64_t *hints, uint16_t count);
void nfit_put_capabilities(GByteArray *out, uint8_t highest_bit, uint32_t capabilities);
uint32_t acpi_tables_add_nfit(AcpiTables *t, const GByteArray *structures);

#endif
