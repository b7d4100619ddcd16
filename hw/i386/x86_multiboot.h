/*
 * The boot information of the Multiboot Specification 0.6.96, 3.3, and where ours is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_MULTIBOOT_H
#define HW_I386_X86_MULTIBOOT_H

#define MULTIBOOT_BOOT_MAGIC 0x2badb002u /* in EAX at the start */
#define MULTIBOOT_MAP_ADDR   0x9000
#define MULTIBOOT_INFO_ADDR  0x9500

enum {
    MULTIBOOT_FLAGS = 0,
    MULTIBOOT_MEM_LOWER = 4, /* KiB */
    MULTIBOOT_MEM_UPPER = 8,
    MULTIBOOT_BOOT_DEVICE = 12,
    MULTIBOOT_CMDLINE = 16,
    MULTIBOOT_MODULE_COUNT = 20,
    MULTIBOOT_MODULES = 24,
    MULTIBOOT_MAP_BYTES = 44,
    MULTIBOOT_MAP = 48,
    MULTIBOOT_LOADER_NAME = 64,
    MULTIBOOT_INFO_BYTES = 88,
};
/* What of it is filled in. */
enum {
    MULTIBOOT_HAS_MEMORY = 1 << 0,
    MULTIBOOT_HAS_BOOT_DEVICE = 1 << 1,
    MULTIBOOT_HAS_CMDLINE = 1 << 2,
    MULTIBOOT_HAS_MODULES = 1 << 3,
    MULTIBOOT_HAS_MAP = 1 << 6,
    MULTIBOOT_HAS_LOADER_NAME = 1 << 9,
};
#define MULTIBOOT_MODULE_BYTES 16 /* start, end, string, 0 */
#define MULTIBOOT_MAP_ROW_BYTES 24 /* size of the rest, base, bytes, type */

#endif
