/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug exceptions and #XM, on whatever runs it: each case prints the exceptions it met, as vector,
 * place (offset from where the case begins), DR6 and more, to port 0x402. The same text is expected
 * of silicon. Ends at port 0x501 (isa-debug-exit).
 */
#define VECTORS 32
#include "bare_traps.h"

#define RF (1u << 16)
#define TF (1u << 8)

volatile uint64_t place[128] __attribute__((aligned(64)));

void handle(Frame *f)
{
    uint32_t mxcsr;

    put_hex(" v=", f->vector);
    put_hex(" at=", f->rip - case_start);
    if (f->vector == 1) {
        uint64_t dr6 = GET_DR(6);

        put_hex(" dr6=", dr6);
        put_hex(" dr7=", GET_DR(7));
        SET_DR(6, 0xffff0ff0);
        if (dr6 & 15) {
            f->rflags |= RF;
        }
    } else {
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        put_hex(" mxcsr=", mxcsr);
        put_hex(" rf=", f->rflags >> 16 & 1);
    }
    put_hex(" rcx=", f->rcx);
    if (f->vector != 1) {
        f->rip = skip_to;
        f->rflags &= ~(uint64_t)TF;
    }
    if (++records % 16 == 15) {
        SET_DR(7, 0);
        f->rflags &= ~(uint64_t)TF;
    }
}

static void set_up(void)
{
    uint64_t cr4;

    load_idt();
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 8)); /* DE */
    SET_DR(6, 0xffff0ff0);
}

#define STEP "pushfq\norq $0x100, (%%rsp)\npopfq\n"
#define STEP_END "\npushfq\nandq $~0x100, (%%rsp)\npopfq\n"
#define WATCH(n, addr, type_len)                                                                   \
    SET_DR(n, addr);                                                                               \
    SET_DR(7, GET_DR(7) | 1u << 2 * n | (uint64_t)(type_len) << (16 + 4 * n))
#define WRITE1 1
#define ACCESS1 3
#define PORT1 2
#define WRITE2 5
#define WRITE4 13
#define WRITE8 9
#define ACCESS4 15

static void steps(void)
{
    CASE("step", STEP "nop\ninc %%ecx\njmp 2f\nnop\n2:" STEP_END, "i"(0));
    CASE("step over SS", STEP "mov %%ss, %%eax\nmov %%eax, %%ss\nnop" STEP_END, "i"(0));
    CASE("step through rep", "mov $place, %%edi\nmov $3, %%ecx\n" STEP "rep stosb" STEP_END, "i"(0));
    CASE("icebp", "nop\n.byte 0xf1\nnop", "i"(0));
    CASE("step over icebp", STEP ".byte 0xf1\nnop" STEP_END, "i"(0));
    CASE("step into int3", "nop\n" STEP "int3" STEP_END, "i"(0));
}

static void code(void)
{
    uint64_t at;

    __asm__("lea break_here(%%rip), %0" : "=r"(at));
    WATCH(0, at, 0);
    CASE("code twice", "call break_here\ncall break_here", "i"(0));
    WATCH(0, at, 0);
    SET_DR(1, at);
    SET_DR(7, GET_DR(7) | 8); /* global, of the same place */
    CASE("code by two", "call break_here", "i"(0));
    WATCH(0, at, 0);
    CASE("code and step", STEP "call break_here" STEP_END, "i"(0));
    SET_DR(7, 0x400);
    CASE("none", "call break_here", "i"(0));
}
__asm__(".text\nbreak_here: inc %ecx\nret\n");

static void data(void)
{
    WATCH(1, place, WRITE1);
    CASE("byte", "mov place, %%rax\nmovb $1, place+1\nmovb $2, place\nnop\nmovq $0, place\nnop", "i"(0));
    WATCH(1, place, ACCESS1);
    CASE("read", "mov place, %%al\nnop\nmov place+1, %%al\nnop\nmov place-7, %%rax\nnop", "i"(0));
    WATCH(2, place + 1, WRITE8);
    CASE("eight", "movb $1, place+7\nmovb $1, place+15\nnop\nmovb $1, place+16\nnop", "i"(0));
    WATCH(2, (uint64_t)place + 3, WRITE4); /* the low bits do not count */
    CASE("four", "movb $1, place\nnop\nmovb $1, place+3\nnop\nmovb $1, place+4\nnop", "i"(0));
    WATCH(3, (uint64_t)place + 4, WRITE2);
    CASE("rep movs", "mov $place+32, %%esi\nmov $place, %%edi\nmov $8, %%ecx\nrep movsb\nnop", "i"(0));
    WATCH(3, place, ACCESS4);
    CASE("rep lods", "mov $place-4, %%esi\nmov $6, %%ecx\nrep lodsl\nnop", "i"(0));
    WATCH(0, place, ACCESS1);
    CASE("locked", "mov $1, %%eax\nlock xadd %%eax, place\nnop\nxchg %%al, place+1\nnop\n"
         "lock cmpxchg %%al, place\nnop", "i"(0));
    WATCH(0, place, WRITE1);
    WATCH(1, place, ACCESS1);
    CASE("two at once", "movb $1, place\nnop", "i"(0));
    WATCH(0, place, WRITE1);
    CASE("with a step", STEP "movb $1, place\nnop" STEP_END, "i"(0));
    WATCH(0, place + 2, WRITE8);
    CASE("vector", "movups %%xmm0, place+8\nnop\nmovups %%xmm0, place+1\nnop\nmovaps %%xmm0, place+32\nnop",
         "i"(0));
    WATCH(0, place, ACCESS1);
    CASE("under SS", "mov %%ss, %%eax\nmov %%eax, place\nnop\nmov place, %%ss\nnop\nnop", "i"(0));
    WATCH(0, place + 96, WRITE1);
    CASE("stack", "mov %%rsp, %%rbx\nmov $place+776, %%esp\npush %%rax\nnop\nmov %%rbx, %%rsp", "i"(0));
}

static void ports(void)
{
    WATCH(0, 0x80, PORT1);
    CASE("port", "in $0x80, %%al\nnop\nout %%al, $0x81\nnop\nout %%ax, $0x7f\nnop", "i"(0));
}

static void general_detect(void)
{
    SET_DR(7, 0x2400);
    CASE("general detect", "mov %%dr7, %%rdx\nnop", "i"(0));
}

static void set_mxcsr(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static const float one = 1, zero = 0, three = 3, big = 3e38f;
static const uint32_t quiet = 0x7fc00000, signalling = 0x7f800001, denormal = 1;

static void print_result(void)
{
    uint32_t mxcsr, low;

    __asm__ volatile("stmxcsr %0\nmovd %%xmm0, %1" : "=m"(mxcsr), "=r"(low));
    put_hex(" -> mxcsr=", mxcsr);
    put_hex(" xmm0=", low);
    put_text("\n");
}

#define FP(name, mxcsr, text)                                                                      \
    set_mxcsr(mxcsr);                                                                              \
    CASE(name, "movss %0, %%xmm0\nmovss %1, %%xmm1\nmovss %2, %%xmm2\n" text "\nnop", "m"(one),    \
         "m"(zero), "m"(three));                                                                   \
    print_result();                                                                                \
    set_mxcsr(0x1f80)

static void numbers(void)
{
    FP("divide, masked", 0x1f80, "divss %%xmm1, %%xmm0");
    FP("divide by zero", 0x1d80, "divss %%xmm1, %%xmm0");
    FP("inexact", 0x0f80, "divss %%xmm2, %%xmm0");
    FP("exact", 0x0f80, "addss %%xmm2, %%xmm0");
    FP("other one masked", 0x1d80, "divss %%xmm2, %%xmm0");
    FP("sticky stays", 0x0f81, "divss %%xmm2, %%xmm0");
    FP("invalid", 0x1f00, "divss %%xmm1, %%xmm1");
    FP("early hides late", 0x0000, "divps %%xmm1, %%xmm0");
    set_mxcsr(0x1b80);
    CASE("overflow", "movss %0, %%xmm0\nmulss %%xmm0, %%xmm0\nnop", "m"(big));
    print_result();
    set_mxcsr(0x1f00);
    CASE("signalling compare", "movss %0, %%xmm0\nmov $7, %%ecx\nucomiss %%xmm0, %%xmm0\nnop",
         "m"(signalling));
    print_result();
    set_mxcsr(0x1f00);
    CASE("quiet compare", "movss %0, %%xmm0\nucomiss %%xmm0, %%xmm0\nnop\ncomiss %%xmm0, %%xmm0", "m"(quiet));
    print_result();
    set_mxcsr(0x1e80);
    CASE("denormal", "movss %0, %%xmm0\naddss %%xmm0, %%xmm0\nnop", "m"(denormal));
    print_result();
    set_mxcsr(0x0f80);
    CASE("to integer", "mov $0x1234, %%ecx\nmovss %0, %%xmm0\ndivss %1, %%xmm0\nnop\n", "m"(three), "m"(one));
    CASE("to integer, inexact", "movabs $0x3fc00000, %%rax\nmovq %%rax, %%xmm0\nmov $0x1234, %%ecx\n"
         "cvtss2si %%xmm0, %%ecx\nnop", "i"(0));
    print_result();
    set_mxcsr(0x1f80);
}

static void undefined_instead(void)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 & ~0x400ull));
    FP("without OSXMMEXCPT", 0x1d80, "divss %%xmm1, %%xmm0");
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

void guest_main(int cpu)
{
    set_up();
    steps();
    code();
    data();
    ports();
    general_detect();
    numbers();
    undefined_instead();
    outb(0x501, 0);
}
