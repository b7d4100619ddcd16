/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses across the ends of the canonical addresses, in 64-bit mode, between pages that are there: each
 * case prints the exception it met, as vector, error code and place, and the bytes below the end, to port
 * 0x402. Ends at port 0x501.
 */
#define VECTORS 32
#include "bare_traps.h"

#define PRESENT_WRITE 3
#define TABLES ((uint64_t *)0x10000)

static uint64_t pointers[512] __attribute__((aligned(4096)));
static uint64_t directory[512] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
static uint8_t last[4096] __attribute__((aligned(4096)));  /* of the lower half */
static uint8_t first[4096] __attribute__((aligned(4096))); /* of the upper half */
uint64_t saved_rbp, edge = 0x7ffffffffffe, upper = 0xffff800000000000, got;

void handle(Frame *f)
{
    put_hex(" v=", f->vector);
    put_hex(" e=", f->error);
    if (f->rip - case_start < 0x1000) {
        put_hex(" at=", f->rip - case_start);
    } else {
        put_hex(" rip=", f->rip);
    }
    put_hex(" rcx=", f->rcx);
    f->rip = skip_to;
    f->rbp = saved_rbp;
}

static void set_up(void)
{
    uint64_t cr3;

    load_idt();
    TABLES[255] = TABLES[256] = (uint64_t)pointers | PRESENT_WRITE;
    pointers[0] = pointers[511] = (uint64_t)directory | PRESENT_WRITE;
    directory[0] = directory[511] = (uint64_t)table | PRESENT_WRITE;
    table[511] = (uint64_t)last | PRESENT_WRITE;
    table[0] = (uint64_t)first | PRESENT_WRITE;
    __asm__ volatile("mov %%cr3, %0\nmov %0, %%cr3\nmov %%rbp, saved_rbp" : "=r"(cr3) : : "memory");
}

#define AT_EDGE(name, text)                                                                        \
    do {                                                                                           \
        for (int n = 0; n < 8; n++) {                                                              \
            last[4088 + n] = 0x10 + n;                                                             \
            first[n] = 0x18 + n;                                                                   \
        }                                                                                          \
        got = 0;                                                                                   \
        CASE(name, "mov edge, %%rbx\nmov upper, %%rdx\nmov $0xa4a3a2a1, %%eax\n" text, "i"(0));    \
        put_hex("  got ", got);                                                                    \
        for (int n = 0; n < 16; n++) {                                                             \
            put_hex(n == 8 ? "|" : n ? "," : ", ", n < 8 ? last[4088 + n] : first[n - 8]);         \
        }                                                                                          \
        put_text("\n");                                                                            \
    } while (0)

static void data(void)
{
    AT_EDGE("below the end", "mov -2(%%rbx), %%ecx\nmov %%ecx, got\nmov %%eax, -2(%%rbx)");
    AT_EDGE("above the end", "mov (%%rdx), %%ecx\nmov %%ecx, got\nmov %%eax, (%%rdx)");
    AT_EDGE("read", "mov (%%rbx), %%eax");
    AT_EDGE("write", "mov %%eax, (%%rbx)");
    AT_EDGE("2, write", "mov %%ax, 1(%%rbx)");
    AT_EDGE("8, write", "mov %%rax, -4(%%rbx)");
    AT_EDGE("10, write", "fld1\nfstpt (%%rbx)");
    AT_EDGE("16, write", "movups %%xmm0, -12(%%rbx)");
    AT_EDGE("add", "add %%eax, (%%rbx)");
    AT_EDGE("locked", "lock xadd %%eax, (%%rbx)");
    AT_EDGE("512, write", "fxsave -254(%%rbx)");
    AT_EDGE("beyond", "mov 2(%%rbx), %%al");
    AT_EDGE("before the upper half", "mov -1(%%rdx), %%al");
    AT_EDGE("into the upper half, read", "mov -2(%%rdx), %%eax");
    AT_EDGE("into the upper half, write", "mov %%eax, -2(%%rdx)");
    AT_EDGE("stack", "mov %%rbx, %%rbp\nmov %%eax, (%%rbp)");
    AT_EDGE("stos", "lea -2(%%rbx), %%rdi\nmov $8, %%ecx\nrep stosb");
    AT_EDGE("stos of 4", "lea -5(%%rbx), %%rdi\nmov $8, %%ecx\nrep stosl");
    AT_EDGE("stos, down", "lea 3(%%rdx), %%rdi\nmov $8, %%ecx\nstd\nrep stosb");
    __asm__ volatile("cld");
}

/* Code of the last bytes of the lower half. */
#define FETCH(name, text, bytes)                                                                   \
    do {                                                                                           \
        for (int n = 0; n < (int)sizeof(text) - 1; n++) {                                          \
            last[4096 - (sizeof(text) - 1) + n] = text[n];                                         \
        }                                                                                          \
        CASE(name, "mov edge, %%rbx\nadd $(2 - " #bytes "), %%rbx\ncall *%%rbx", "i"(0));           \
    } while (0)

static void fetches(void)
{
    FETCH("code", "\xff\xc1\xff\xc1\xc3", 5);         /* inc %ecx, twice; ret */
    FETCH("code across", "\xff\xc1\x05\x04\x03", 5);  /* add $..., %eax */
    FETCH("code up to the end", "\xff\xc1\xff\xc1", 4);
    FETCH("code again", "\xff\xc1\xff\xc1\xc3", 5);
}

void guest_main(int cpu)
{
    set_up();
    data();
    fetches();
    outb(0x501, 0);
}
