/*
 * SMBIOS tables (DMTF DSP0134: 2.8 with the 32-bit entry point, 3.0 with the 64-bit one), for
 * fw_cfg's `etc/smbios/smbios-tables` and `etc/smbios/smbios-anchor`, or to be placed by us.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_SMBIOS_H
#define HW_ACPI_SMBIOS_H

#include "qom/error.h"

#define SMBIOS_TABLES_FILE "etc/smbios/smbios-tables"
#define SMBIOS_ANCHOR_FILE "etc/smbios/smbios-anchor"

/* What users say of it with -smbios. */
typedef struct SmbiosOptions SmbiosOptions;
SmbiosOptions *smbios_options_new(void);
void smbios_options_free(SmbiosOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmbiosOptions, smbios_options_free)
/* One -smbios argument: "type=N,key=value..." or "file=PATH". Refused as a whole. */
bool smbios_options_add(SmbiosOptions *options, const char *text, Error **errp);

typedef enum SmbiosEntryPoint { SMBIOS_ENTRY_POINT_32, SMBIOS_ENTRY_POINT_64 } SmbiosEntryPoint;

typedef struct SmbiosRange {
    uint64_t base, bytes;
} SmbiosRange;

typedef struct SmbiosPciAddress {
    uint16_t segment;
    uint8_t bus, devfn;
} SmbiosPciAddress;

/* What a board says of it. Strings are what stands where the user says nothing. */
typedef struct SmbiosMachine {
    SmbiosEntryPoint entry_point;
    const char *manufacturer, *product, *version;
    const uint8_t *uuid; /* 16 bytes in the order of its text; NULL: zeros */
    unsigned sockets, cores_per_socket, threads_per_socket; /* threads: of all its cores */
    uint64_t processor_id; /* x86: CPUID leaf 1, EAX low and EDX high */
    uint64_t ram_bytes;
    uint64_t dimm_bytes; /* the largest module; 0: 16 GiB */
    const SmbiosRange *ranges; /* where the RAM is */
    unsigned range_count;
    /* For type=9,pci_device=ID; NULL: there is no PCI. */
    bool (*find_pci)(void *opaque, const char *id, SmbiosPciAddress *address, Error **errp);
    void *opaque;
} SmbiosMachine;

typedef struct SmbiosTables {
    GByteArray *structures, *entry_point; /* owned by the caller */
} SmbiosTables;

/* `options` may be NULL. The entry point's address is 0: the firmware sets it, or this does. */
bool smbios_build(const SmbiosMachine *machine, const SmbiosOptions *options, SmbiosTables *tables,
                  Error **errp);
void smbios_set_address(SmbiosTables *tables, uint64_t structures);
void smbios_tables_clear(SmbiosTables *tables);

#endif
