/*
 * Kernels given with -kernel, for all x86 boards: bzImage and older Linux images, ELF with a PVH
 * entry, multiboot 1.
 *
 *     X86Kernel *kernel = x86_kernel_load(machine, &room, errp);
 *     x86_kernel_publish(kernel, fw_cfg);           as often as it is wanted
 *
 * What goes where is computed once, from the files alone. Firmware starts it: either it reads the
 * keys of fw_cfg itself (OVMF, qboot) or it runs our option ROM, which does (SeaBIOS). Without
 * firmware x86_direct.h has the state to start it in.
 *
 * Files are mapped, not read: what they hold is shared by all VMs that use them. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_X86_KERNEL_H
#define HW_I386_X86_KERNEL_H

#include "hw/core/elf_image.h"
#include "hw/core/machine.h"

typedef enum X86KernelKind { X86_KERNEL_LINUX, X86_KERNEL_PVH, X86_KERNEL_MULTIBOOT } X86KernelKind;

typedef struct X86Bytes {
    const uint8_t *data;
    size_t size;
} X86Bytes;

/* Bytes and the address they belong to; `size` 0: there are none. */
typedef struct X86Blob {
    uint64_t addr;
    X86Bytes bytes;
} X86Blob;

typedef struct X86Module {
    X86Bytes bytes;
    const char *cmdline; /* with the file's name in front */
} X86Module;

/* What the board leaves for it. */
typedef struct X86KernelRoom {
    uint64_t ram_below_4g;   /* bytes, from address 0 */
    uint64_t reserved_bytes; /* at their end, where firmware puts ACPI tables */
} X86KernelRoom;

/* All a parser gets. Borrowed; outlives the result. */
typedef struct X86KernelInput {
    X86Bytes kernel, initrd, dtb;
    const X86Module *modules; /* multiboot: in place of `initrd` */
    unsigned module_count;
    const char *name;         /* of the kernel's file */
    const char *cmdline;
    X86KernelRoom room;
} X86KernelInput;

typedef struct X86Kernel X86Kernel;
struct X86Kernel {
    X86KernelKind kind;
    X86Blob setup;  /* Linux: boot sector and real-mode code; PVH: the file's first bytes */
    X86Blob kernel; /* PVH: its extent, without bytes: `elf` has them */
    X86Blob initrd; /* multiboot: the boot information */
    X86Blob cmdline; /* with its NUL */
    uint64_t entry;  /* PVH, multiboot */
    ElfImage elf;    /* PVH */
    GPtrArray *owned;    /* buffers behind the blobs */
    GPtrArray *mappings; /* GMappedFile, of the files */
    GPtrArray *roms;     /* PVH: what resets write to memory; NULL before publication */
};

/* --- the whole (x86_kernel.c) --- */

/* machine->kernel and what goes with it, which is given; NULL with *errp set. */
X86Kernel *x86_kernel_load(const Machine *machine, const X86KernelRoom *room, Error **errp);
/* From bytes alone, of any kind. */
X86Kernel *x86_kernel_parse(const X86KernelInput *in, Error **errp);
void x86_kernel_free(X86Kernel *kernel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X86Kernel, x86_kernel_free)
/* Puts ` text` behind the command line, once it is published too. False: it would be too long. */
bool x86_kernel_append(X86Kernel *kernel, const char *text, Error **errp);
/* Fills the keys of fw_cfg, again if it was done before; a PVH kernel is written by resets from
 * now on. The kernel outlives the fw_cfg device. */
bool x86_kernel_publish(X86Kernel *kernel, Device *fw_cfg, Error **errp);
/* "linuxboot_dma.bin": the option ROM that starts it under a BIOS, in fw_cfg as genroms/ NAME. */
const char *x86_kernel_rom_name(const X86Kernel *kernel);
bool x86_kernel_offer_rom(const X86Kernel *kernel, Device *fw_cfg, Error **errp);

/* --- for parsers --- */

/* `size` zeros that live as long as the kernel; NULL with *errp set. */
uint8_t *x86_kernel_buffer(X86Kernel *kernel, size_t size, Error **errp);
/* As near to the end of usable RAM as `highest` (an address) lets it, at a page. */
bool x86_kernel_place_initrd(const X86KernelInput *in, uint64_t lowest, uint64_t highest,
                             X86Kernel *kernel, Error **errp);
bool x86_linux_parse(const X86KernelInput *in, X86Kernel *kernel, Error **errp);
bool x86_pvh_parse(const X86KernelInput *in, X86Kernel *kernel, Error **errp);
/* Offset of the header; -1: it is none of these. */
ssize_t x86_multiboot_find(X86Bytes image);
bool x86_multiboot_parse(const X86KernelInput *in, X86Kernel *kernel, Error **errp);
/* `-initrd "file arguments,file"`: the next of the list; "" when none is left. Free it. */
char *x86_module_next(const char **list);

#endif
