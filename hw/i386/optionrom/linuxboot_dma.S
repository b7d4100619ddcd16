/*
 * linuxboot_dma.bin: starts a Linux kernel that the machine put into fw_cfg, by the 16-bit boot
 * protocol: blobs go where their keys say, then the setup code is entered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "optionrom.inc"

#define RAMDISK_IMAGE 0x218     /* in the setup code's header */

        ROM_HEADER "Linux loader"

boot:
        cli
        cld
        LOAD_BLOB SETUP_ADDR, SETUP_SIZE, SETUP_DATA
        LOAD_BLOB KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        call    load_initrd
        xorl    %ebp, %ebp      /* EBP: where it is, or 0 */
        jecxz   1f
        movl    %edi, %ebp
1:
        LOAD_BLOB CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA

        /* One segment for all but CS; the stack grows down from the command line. */
        movw    $SETUP_ADDR, %ax
        call    read_u32
        movl    %eax, %ebx
        movw    $CMDLINE_ADDR, %ax
        call    read_u32
        subl    %ebx, %eax
        subl    $16, %eax
        movl    %eax, %ecx
        shrl    $4, %ebx
        movw    %bx, %ds
        testl   %ebp, %ebp
        jz      1f
        movl    %ebp, RAMDISK_IMAGE
1:
        movw    %bx, %es
        movw    %bx, %fs
        movw    %bx, %gs
        movw    %bx, %ss
        movzwl  %cx, %esp
        addw    $0x20, %bx      /* behind the boot sector */
        pushw   %bx
        pushw   $0
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        lretw

        ROM_LOAD_INITRD
        ROM_ROUTINES
