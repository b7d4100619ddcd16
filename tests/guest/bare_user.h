/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bare-metal guests with code of users, a page of it, in 64-bit mode: it ends with what it faults with, or with
 * SYSCALL. SMAP may be on.
 */
#ifndef GUEST_BARE_USER_H
#define GUEST_BARE_USER_H

#include "bare_traps.h"

#define PAGE    0xffffffff80009000 /* a user's, its entry: */
#define PTE     (*(volatile uint64_t *)0x16048)
#define USER_DATA 0x2b
#define USER_CODE 0x33

static uint64_t gdt[10];
uint64_t saved_rsp;
static uint32_t tss[26];

/* With segments of users, a stack for what interrupts them, and a way back by SYSCALL. */
static void load_gdt(void)
{
    uint64_t base = (uint64_t)tss, stack = 0x3f000;
    uint8_t pointer[10];

    gdt[2] = 0x00cf93000000ffff;
    gdt[3] = 0x00af9b000000ffff;
    gdt[4] = gdt[2];
    gdt[USER_DATA / 8] = 0x00cff3000000ffff;
    gdt[USER_CODE / 8] = 0x00affb000000ffff;
    gdt[8] = sizeof(tss) - 1 | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24) << 56;
    tss[1] = (uint32_t)stack;
    *(uint16_t *)pointer = sizeof(gdt) - 1;
    *(uint64_t *)(pointer + 2) = (uint64_t)gdt;
    __asm__ volatile("lgdt %0\n\tltr %w1" : : "m"(*(char (*)[10])pointer), "r"(64));
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1); /* SYSCALL */
    wrmsr(0xc0000081, (uint64_t)(USER_DATA - 8) << 48 | 24ull << 32);
}

/* For handle(): to the end of the case, which is not a user's. */
static void skip_case(Frame *f)
{
    f->rip = skip_to;
    if (f->cs & 3) { /* goes on where it was entered from */
        f->cs = 24;
        f->ss = 16;
        f->rsp = saved_rsp;
    }
}

/* Code of a user at PAGE, up to what faults or to SYSCALL, which comes back to label 9. */
#define USER(name, text)                                                                           \
    do {                                                                                           \
        extern const char name##_begin[], name##_end[];                                            \
        __asm__(".pushsection .rodata\n" #name "_begin:\n" text "\n" #name "_end:\n.popsection");  \
        enter_user(#name, name##_begin, name##_end);                                               \
    } while (0)

/* SYSCALL comes back to label 9, as faults do. */
static void __attribute__((noinline)) enter_user(const char *name, const char *begin, const char *end)
{
    __asm__ volatile("stac");
    for (int n = 0; n < end - begin; n++) {
        ((volatile uint8_t *)PAGE)[n] = begin[n];
    }
    __asm__ volatile("clac");
    put_text(name);
    CASE("", "lea 9f(%%rip), %%rax\nmov %%rax, %%rdx\nshr $32, %%rdx\nmov $0xc0000082, %%ecx\nwrmsr\n"
         "push %%r11\npush %%rbp\nmov %%rsp, saved_rsp\nlea 0x800(%0), %%rax\n"
         "push $" STRING(USER_DATA) "\npush %%rax\npush $2\npush $" STRING(USER_CODE) "\npush %0\niretq\n"
         "9: mov saved_rsp, %%rsp\npop %%rbp\npop %%r11", "r"(PAGE));
}

#endif
