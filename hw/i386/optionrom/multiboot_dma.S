/*
 * multiboot_dma.bin: starts a kernel by the Multiboot Specification. Kernel, modules and boot
 * information are ready in fw_cfg; what the BIOS knows of memory is added.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "optionrom.inc"

/* Boot information */
#define MEM_LOWER 4
#define MEM_UPPER 8
#define MAP_BYTES 44
#define MAP       48
#define INFO_BYTES 88

        ROM_HEADER "multiboot loader"

boot:
        cli
        cld
        LOAD_BLOB KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        LOAD_BLOB INITRD_ADDR, INITRD_SIZE, INITRD_DATA

        /* ES: the segment of the information; DS:0 is its start. */
        movw    $INITRD_ADDR, %ax
        call    read_u32
        movl    %eax, %esi
        shrl    $4, %eax
        movw    %ax, %ds

        sti
        int     $0x12
        movzwl  %ax, %eax
        movl    %eax, MEM_LOWER
        call    upper_memory
        movl    %eax, MEM_UPPER

        /* A row starts with the size of the rest of it. */
        movl    MAP, %eax
        shrl    $4, %eax
        movw    %ax, %es
        movw    $4, %di
        pushl   %esi
        call    read_map
        popl    %esi
        cli
        movw    %bp, %cx
        xorw    %di, %di
        jcxz    2f
1:
        movl    $20, %es:(%di)
        addw    $24, %di
        loop    1b
2:
        movzwl  %di, %edi
        movl    %edi, MAP_BYTES

        movl    %esi, %ebx
        movw    $KERNEL_ENTRY, %ax
        call    read_u32
        movl    %eax, %esi
        ENTER_PROTECTED 0x1000, 0, start

/* KiB above 1 MiB up to the first hole, in EAX. */
upper_memory:
        xorw    %cx, %cx
        xorw    %dx, %dx
        movw    $0xe801, %ax
        int     $0x15
        xorl    %eax, %eax
        jc      1f
        movzwl  %dx, %eax       /* 64 KiB blocks above 16 MiB */
        shll    $6, %eax
        movzwl  %cx, %ecx       /* KiB between */
        addl    %ecx, %eax
1:
        ret

        ROM_READ_MAP
        ROM_ROUTINES

        BEGIN_PROTECTED
        movl    $0x2badb002, %eax
        jmp     *%esi
