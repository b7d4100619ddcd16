/*
 * The header of Linux images and boot_params ("zero page"): offsets in both, as in Linux's
 * documentation of the x86 boot protocol.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_LINUX_H
#define HW_I386_X86_LINUX_H

#include "x86_kernel.h"

/* The boot sector and header. */
enum {
    LINUX_OLD_CMDLINE_MAGIC = 0x20,
    LINUX_OLD_CMDLINE_OFFSET = 0x22,
    LINUX_SETUP_SECTS = 0x1f1,
    LINUX_VIDEO_MODE = 0x1fa,
    LINUX_BOOT_FLAG = 0x1fe,
    LINUX_MAGIC = 0x202,
    LINUX_VERSION = 0x206,
    LINUX_LOADER = 0x210,
    LINUX_LOADFLAGS = 0x211,
    LINUX_INITRD = 0x218,
    LINUX_INITRD_SIZE = 0x21c,
    LINUX_HEAP_END = 0x224,
    LINUX_CMDLINE = 0x228,
    LINUX_INITRD_MAX = 0x22c,
    LINUX_XLOADFLAGS = 0x236,
    LINUX_SETUP_DATA = 0x250,
    LINUX_HEADER_END = 0x290,
};
#define LINUX_LOADED_HIGH   0x01 /* loadflags */
#define LINUX_CAN_USE_HEAP  0x80
#define LINUX_XLF_KERNEL_64 0x01 /* xloadflags */
#define LINUX_XLF_ABOVE_4G  0x02

/* Boot parameters, beyond the header. */
enum {
    BOOT_PARAMS_RSDP = 0x70,
    BOOT_PARAMS_E820_COUNT = 0x1e8,
    BOOT_PARAMS_E820 = 0x2d0,
    BOOT_PARAMS_E820_MAX = 128,
    BOOT_PARAMS_BYTES = 0x1000,
};
#define LINUX_ENTRY_64 0x200 /* behind the start of the code */

/* Does it have a boot protocol of 2.00 or later? */
bool x86_linux_is_image(X86Bytes image);

#endif
