/*
 * pvh.bin: starts a kernel by its PVH entry (Xen, docs/misc/pvh). The machine wrote the kernel
 * to memory; its entry, initial RAM disk and command line come from fw_cfg, memory map and RSDP
 * from the BIOS.
 *
 * Everything handed over is in the 64 KiB segment at 0x10000, the command line at 0x20000.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "optionrom.inc"

#define INFO_SEGMENT 0x1000
#define INFO_ADDR    0x10000
#define INFO_BYTES   0x1000
#define MODULE       0x40       /* in the segment */
#define MAP          0x80
#define GDT_AT       0xd00
#define CMDLINE_AT   0x20000

/* hvm_start_info, version 1 */
#define INFO_MAGIC       0
#define INFO_VERSION     4
#define INFO_MODULES     12
#define INFO_MODULE_LIST 16
#define INFO_CMDLINE     24
#define INFO_RSDP        32
#define INFO_MAP         40
#define INFO_MAP_ROWS    48

        ROM_HEADER "PVH loader"

boot:
        cli
        cld
        movw    $INFO_SEGMENT, %ax
        movw    %ax, %es
        xorw    %di, %di
        xorl    %eax, %eax
        movw    $INFO_BYTES / 4, %cx
        rep stosl
        movl    $0x336ec578, %es:INFO_MAGIC
        movl    $1, %es:INFO_VERSION

        movl    $CMDLINE_AT, %edi
        movl    %edi, %es:INFO_CMDLINE
        movw    $CMDLINE_SIZE, %ax
        call    read_u32
        movl    %eax, %ecx
        movw    $CMDLINE_DATA, %ax
        call    read_dma

        call    load_initrd
        testl   %ecx, %ecx
        jz      1f
        movl    $1, %es:INFO_MODULES
        movl    $INFO_ADDR + MODULE, %es:INFO_MODULE_LIST
        movl    %edi, %es:MODULE
        movl    %ecx, %es:MODULE + 8
1:
        sti
        movw    $MAP, %di
        call    read_map
        cli
        movl    $INFO_ADDR + MAP, %es:INFO_MAP
        movzwl  %bp, %ebp
        movl    %ebp, %es:INFO_MAP_ROWS

        call    find_rsdp
        movl    %eax, %es:INFO_RSDP
        movw    $KERNEL_ENTRY, %ax
        call    read_u32
        movl    %eax, %esi
        movl    $INFO_ADDR, %ebx
        ENTER_PROTECTED INFO_SEGMENT, GDT_AT, start

/* EAX: its address, or 0. It is in the first KiB of the extended BIOS data or in the BIOS. */
find_rsdp:
        pushw   %ds
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    0x40e, %ax
        movw    $1024 / 16, %cx
        call    search
        jnz     1f
        movw    $0xe000, %ax
        movw    $0x20000 / 16, %cx
        call    search
1:
        popw    %ds
        ret

/* CX paragraphs from segment AX on; EAX: the address found, or 0 with ZF set. */
search:
        movw    %ax, %ds
        cmpl    $0x20445352, 0          /* "RSD PTR " */
        jne     2f
        cmpl    $0x20525450, 4
        jne     2f
        pushw   %cx
        xorw    %si, %si
        movw    $20, %cx
        xorb    %dl, %dl
1:
        addb    (%si), %dl
        incw    %si
        loop    1b
        popw    %cx
        testb   %dl, %dl
        jz      3f
2:
        incw    %ax
        loop    search
        xorl    %eax, %eax
        ret
3:
        movzwl  %ax, %eax
        shll    $4, %eax
        ret

        ROM_LOAD_INITRD
        ROM_READ_MAP
        ROM_ROUTINES

        BEGIN_PROTECTED
        movw    $TSS_SELECTOR, %ax
        ltrw    %ax
        jmp     *%esi
