/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bare-metal guests that meet exceptions, in 64-bit mode: an IDT whose stubs call handle(), cases of
 * assembly, text to port 0x402.
 */
#ifndef GUEST_BARE_TRAPS_H
#define GUEST_BARE_TRAPS_H

#include "bare_text.h"

typedef struct Frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
} Frame;

extern char stubs[];
uint64_t case_start, skip_to;
static int records;
static struct { uint16_t low, selector, type, middle; uint32_t high, zero; } idt[VECTORS];

#define GET_DR(n) ({ uint64_t v_; __asm__ volatile("mov %%dr" #n ", %0" : "=r"(v_)); v_; })
#define SET_DR(n, v) __asm__ volatile("mov %0, %%dr" #n : : "r"((uint64_t)(v)))

/* May move f->rip. */
void handle(Frame *f);

#define STRING_(x) #x
#define STRING(x) STRING_(x)
__asm__(".text\n.globl stubs\n.align 16\nstubs:\n"
        ".set n, 0\n.rept " STRING(VECTORS) "\n.align 16\n"
        ".if n == 8 || (n >= 10 && n <= 14) || n == 17\n.else\npush $0\n.endif\n"
        "push $n\njmp common\n.set n, n + 1\n.endr\n"
        "common:\n"
        "push %rax\npush %rbx\npush %rcx\npush %rdx\npush %rsi\npush %rdi\npush %rbp\npush %r8\n"
        "push %r9\npush %r10\npush %r11\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, %rdi\nmov %rsp, %rbp\nand $-16, %rsp\ncall handle\nmov %rbp, %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %r11\npop %r10\npop %r9\npop %r8\n"
        "pop %rbp\npop %rdi\npop %rsi\npop %rdx\npop %rcx\npop %rbx\npop %rax\n"
        "add $16, %rsp\niretq\n");

static inline void wrmsr(uint32_t n, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(n), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t rdmsr(uint32_t n)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(n));
    return low | (uint64_t)high << 32;
}

static void load_idt(void)
{
    uint8_t pointer[10];

    for (int n = 0; n < VECTORS; n++) {
        uint64_t at = (uint64_t)stubs + 16 * n;

        idt[n].low = at;
        idt[n].selector = 24;
        idt[n].type = 0x8e00;
        idt[n].middle = at >> 16;
        idt[n].high = at >> 32;
    }
    *(uint16_t *)pointer = sizeof(idt) - 1;
    *(uint64_t *)(pointer + 2) = (uint64_t)idt;
    __asm__ volatile("lidt %0" : : "m"(*(char (*)[10])pointer));
}

/* A case: assembly in which 1: is where it begins and 9: where a fault goes on. */
#define CASE(name, text, ...)                                                                      \
    do {                                                                                           \
        put_text(name ":");                                                                        \
        records = 0;                                                                               \
        __asm__ volatile("lea 1f(%%rip), %%rax\nmov %%rax, case_start\n"                           \
                         "lea 9f(%%rip), %%rax\nmov %%rax, skip_to\n"                              \
                         "xor %%ecx, %%ecx\n1:" text "\n9:\n"                                      \
                         : : __VA_ARGS__ : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory",     \
                           "cc");                                                                  \
        SET_DR(7, 0x400);                                                                          \
        put_text("\n");                                                                            \
    } while (0)

#endif
