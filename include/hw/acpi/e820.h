/*
 * The memory map that x86 firmware and kernels are told (ACPI 6.4, chapter 15), and the start
 * information of a kernel that is entered without firmware (Xen's HVM direct boot, version 1).
 *
 * Machine lock. What is declared is ours: mistakes are assertions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_E820_H
#define HW_ACPI_E820_H

#define E820_FILE        "etc/e820"
#define E820_ENTRY_BYTES 20

typedef enum E820Type {
    E820_RAM = 1,
    E820_RESERVED,
    E820_ACPI, /* RAM, once the tables are read */
    E820_NVS,
    E820_UNUSABLE,
    E820_PERSISTENT = 7,
} E820Type;

typedef struct E820 E820;
E820 *e820_new(void);
void e820_free(E820 *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(E820, e820_free)
/* Entries do not overlap; they stand in the order of their addresses. Of 0 bytes: none. */
void e820_add(E820 *map, uint64_t base, uint64_t bytes, E820Type type);
unsigned e820_count(const E820 *map);
/* {base, bytes, type} of 8, 8 and 4 bytes: fw_cfg's file and a boot_params' table. */
GByteArray *e820_bytes(const E820 *map);

typedef struct PvhModule {
    uint64_t base, bytes;
    uint64_t cmdline; /* address of a string; 0: none */
} PvhModule;
typedef struct PvhStart {
    uint64_t address;       /* where the result will be */
    uint64_t cmdline, rsdp; /* addresses; 0: none */
    const PvhModule *modules; /* the first is the initial RAM disk */
    unsigned module_count;
    const E820 *memory;
} PvhStart;
/* hvm_start_info, the modules, the memory map: one block for PvhStart.address. */
GByteArray *pvh_start_info(const PvhStart *start);

#endif
