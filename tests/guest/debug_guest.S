/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware for tests of debuggers: brings each CPU from reset into BITS (32, 36 for PAE, 64) with
 * page tables of every kind of entry, and calls guest_main(cpu). See debug_guest.c.
 */
#define TABLES   0x10000 /* where they are copied to */
#define STACKS   0x30000 /* 4 KiB for each CPU */
#define PRESENT  0x01
#define WRITE    0x02
#define USER     0x04
#define PWT      0x08
#define PCD      0x10
#define LARGE    0x80
#define GLOBAL   0x100
#define NX       0x8000000000000000

    .section .start, "ax"
    .code16
start16:
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    lgdtl %ds:gdt_pointer - start16
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $8, $start32

    .code32
start32:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %eax, %fs
    mov %eax, %gs
    /* The first CPU copies the tables. Numbers: 0 for it, 1 for the next, and so on. */
    mov $1, %ebp
    lock xadd %ebp, started
    test %ebp, %ebp
    jnz 2f
    mov $tables, %esi
    mov $TABLES, %edi
    mov $(tables_end - tables) / 4, %ecx
    rep movsl
2:
    mov $TABLES, %eax
    mov %eax, %cr3
#if BITS == 32
    mov $0x90, %eax          /* PSE, PGE */
#else
    mov $0xa0, %eax          /* PAE, PGE */
#endif
    or $0x600, %eax          /* OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
#if BITS != 32
    mov $0xc0000080, %ecx
    rdmsr
#if BITS == 64
    or $0x900, %eax          /* LME, NXE */
#else
    or $0x800, %eax
#endif
    wrmsr
#endif
    mov %cr0, %eax
    and $0x9fffffff, %eax    /* caches on */
    or $0x80010022, %eax     /* PG, WP, NE, MP */
    mov %eax, %cr0
    mov %ebp, %eax
    shl $12, %eax
    lea STACKS + 0x1000(%eax), %esp
#if BITS == 64
    ljmpl $24, $start64
    .code64
start64:
    mov %ebp, %edi
    xor %ebp, %ebp
    call guest_main
#else
    push %ebp
    xor %ebp, %ebp
    call guest_main
#endif
finish:
    hlt
    jmp finish

    .globl finish, started
    .align 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* code */
    .quad 0x00cf93000000ffff /* data */
    .quad 0x00af9b000000ffff /* 64-bit code */
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

    .bss
started:
    .long 0

    .section .rodata
    .align 4096
tables:
#define AT(n) (TABLES + (n) * 0x1000)
#if BITS == 32
    .long PRESENT | WRITE | LARGE
    .fill 255, 4, 0
    .long AT(1) + PRESENT + WRITE + USER        /* 0x40000000 */
    .long 0x400000 | PRESENT | WRITE | USER | LARGE | PCD
    .long 0x800000 | PRESENT | LARGE | GLOBAL
    .fill 0x3fb - 259, 4, 0
    .long 0xfec00000 | PRESENT | WRITE | LARGE | PCD | PWT
    .fill 4, 4, 0
    /* 4 KiB pages */
    .long 0x20000 | PRESENT | WRITE
    .long 0x21000 | PRESENT | WRITE | USER
    .long 0x22000 | PRESENT | USER
    .long 0x24000 | PRESENT | GLOBAL
    .long 0
    .long 0x23000 | PRESENT | WRITE | PCD
    .fill 1018, 4, 0
#else
#if BITS == 64
    .quad AT(1) + PRESENT + WRITE + USER
    .fill 510, 8, 0
    .quad AT(4) + PRESENT + WRITE + USER        /* 0xffffff80_00000000 */
#endif
#if BITS == 64
#define LAST AT(6)
    .quad AT(2) + PRESENT + WRITE + USER        /* pointers, at AT(1) */
    .quad 0x40000000 | PRESENT | WRITE | LARGE
    .quad 0
    .quad AT(3) + PRESENT + WRITE + USER
    .fill 508, 8, 0
#else
#define LAST AT(4)
    .quad AT(1) + PRESENT                       /* pointers of PAE */
    .quad AT(3) + PRESENT
    .quad 0
    .quad AT(2) + PRESENT
    .fill 508, 8, 0
#endif
    /* 2 MiB pages from 0, and a gap */
    .quad 0x000000 | PRESENT | WRITE | LARGE
    .quad 0x200000 | PRESENT | WRITE | LARGE
    .quad 0x400000 | PRESENT | USER | LARGE | GLOBAL
    .quad 0
    .quad 0x800000 | PRESENT | WRITE | USER | LARGE | PCD | NX
    .fill 507, 8, 0
    /* of 3 GiB: the APIC's */
    .fill 0x1f7, 8, 0
    .quad 0xfee00000 | PRESENT | WRITE | LARGE | PCD | PWT
    .fill 8, 8, 0
#if BITS == 64
    /* of the top: the last but one GiB */
    .fill 510, 8, 0
    .quad AT(5) + PRESENT + WRITE + USER        /* 0xffffffff_80000000 */
    .quad 0
#endif
    .quad LAST + PRESENT + WRITE + USER
    .fill 511, 8, 0
    /* 4 KiB pages */
    .quad 0x20000 | PRESENT | WRITE
    .quad 0x21000 | PRESENT | WRITE | USER
    .quad 0x22000 | PRESENT | USER | NX
    .quad 0x24000 | PRESENT | GLOBAL | NX
    .quad 0
    .quad 0x23000 | PRESENT | WRITE | PCD
    .fill 506, 8, 0
#endif
tables_end:

    .section .reset, "ax"
    .code16
    .byte 0xea /* ljmp $0xf000, $0: start16 */
    .word 0, 0xf000

    .section .note.GNU-stack, "", @progbits
