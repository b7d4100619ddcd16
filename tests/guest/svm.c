/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host of SVM guests: runs small guests from a VMCB, and prints how each came back (exit code,
 * exit_info_1 and _2, bytes from its start to its RIP, next RIP) to port 0x402. Ends at port 0x501.
 */
#include "bare_text.h"

#define PAGE __attribute__((aligned(4096)))
static uint8_t vmcb[4096] PAGE, host_save[4096] PAGE, iopm[3 * 4096] PAGE, msrpm[2 * 4096] PAGE;
static uint64_t npt4[512] PAGE, npt3[512] PAGE, npt2[512] PAGE, npt1[512] PAGE;
static uint8_t guest_stack[1024] __attribute__((aligned(64)));
static uint64_t idt[64] __attribute__((aligned(64)));
volatile uint64_t taken, last_vector;

#define C32(at) (*(volatile uint32_t *)(vmcb + (at)))
#define C64(at) (*(volatile uint64_t *)(vmcb + (at)))
enum { CR = 0, DR = 4, EXCEPTIONS = 8, MISC = 0xc, MISC2 = 0x10, IOPM = 0x40, MSRPM = 0x48,
       TSC_OFFSET = 0x50, ASID = 0x58, TLB = 0x5c, INT_CTL = 0x60, INT_VECTOR = 0x64,
       INT_STATE = 0x68, CODE = 0x70, INFO1 = 0x78, INFO2 = 0x80, INT_INFO = 0x88, NESTED = 0x90,
       INJECT = 0xa8, NCR3 = 0xb0, NEXT = 0xc8, INSN = 0xd0, EFER = 0x4d0, CR4 = 0x548, CR3 = 0x550,
       CR0 = 0x558, DR7 = 0x560, DR6 = 0x568, RFLAGS = 0x570, RIP = 0x578, RSP = 0x5d8,
       RAX = 0x5f8, CR2 = 0x640, GPAT = 0x668, CPL = 0x4cb };
#define BIT(n) (1u << (n))

static void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static void vmrun(void)
{
    __asm__ volatile("push %%rbp\npush %%rbx\n"
                     "clgi\nsti\nvmload %%rax\nvmrun %%rax\nvmsave %%rax\nstgi\nnop\ncli\n"
                     "pop %%rbx\npop %%rbp\n"
                     : : "a"(vmcb) : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                       "r13", "r14", "r15", "memory", "cc");
}

static void put_segment(unsigned at, uint16_t selector, uint16_t access, uint32_t limit)
{
    *(volatile uint16_t *)(vmcb + at) = selector;
    *(volatile uint16_t *)(vmcb + at + 2) = access;
    C32(at + 4) = limit;
    C64(at + 8) = 0;
}

static uint64_t read_cr(int n)
{
    uint64_t value = 0;

    if (n == 0) {
        __asm__("mov %%cr0, %0" : "=r"(value));
    } else if (n == 3) {
        __asm__("mov %%cr3, %0" : "=r"(value));
    } else {
        __asm__("mov %%cr4, %0" : "=r"(value));
    }
    return value;
}

/* A guest in 64-bit mode, with our own tables. */
static void prepare(void (*code)(void))
{
    for (int i = 0; i < 4096; i++) {
        vmcb[i] = 0;
    }
    C32(MISC) = BIT(24) | BIT(31);          /* HLT, SHUTDOWN */
    C32(MISC2) = BIT(0) | BIT(1);           /* VMRUN, VMMCALL */
    C64(IOPM) = (uint64_t)iopm;
    C64(MSRPM) = (uint64_t)msrpm;
    C32(ASID) = 1;
    put_segment(0x410, 24, 0xa9b, 0xffffffff);
    for (unsigned at = 0x400; at < 0x460; at += 0x10) {
        if (at != 0x410) {
            put_segment(at, 16, 0xc93, 0xffffffff);
        }
    }
    put_segment(0x470, 0, 0x82, 0xffff);
    put_segment(0x490, 0, 0x8b, 0xffff);
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) table;
    __asm__("sgdt %0" : "=m"(table));
    C32(0x464) = table.limit;
    C64(0x468) = table.base;
    C32(0x484) = sizeof(idt) - 1;
    C64(0x488) = (uint64_t)idt;
    C64(EFER) = rdmsr(0xc0000080);
    C64(CR0) = read_cr(0);
    C64(CR3) = read_cr(3);
    C64(CR4) = read_cr(4);
    C64(DR6) = 0xffff0ff0;
    C64(DR7) = 0x400;
    C64(RFLAGS) = 2;
    C64(RIP) = (uint64_t)code;
    C64(RSP) = (uint64_t)guest_stack + sizeof(guest_stack);
    C64(GPAT) = 0x0007040600070406;
    taken = last_vector = 0;
}

static void show(const char *name, void (*code)(void))
{
    uint64_t code_value = C64(CODE);

    put_text(name);
    put_hex(": exit=", code_value);
    put_hex(" info=", C64(INFO1));
    put_hex(",", C64(INFO2));
    put_hex(" at=", C64(RIP) - (uint64_t)code);
    if (C64(NEXT)) {
        put_hex(" next=", C64(NEXT) - (uint64_t)code);
    }
    if (C64(INT_INFO) & BIT(31)) {
        put_hex(" intinfo=", C64(INT_INFO));
    }
    if (vmcb[INSN]) {
        put_hex(" bytes=", vmcb[INSN]);
        put_hex(":", vmcb[INSN + 1]);
    }
    if (taken) {
        put_hex(" taken=", taken);
        put_hex(" vector=", last_vector);
    }
    put_text("\n");
}

#define GUEST(name, text)                                                                          \
    void name(void);                                                                               \
    __asm__(".text\n.globl " #name "\n" #name ":\n" text "\n")

GUEST(g_vmmcall, "mov $0x1234, %eax\nvmmcall");
GUEST(g_hlt, "nop\nhlt");
GUEST(g_cpuid, "xor %eax, %eax\ncpuid\nvmmcall");
GUEST(g_msr, "mov $0xc0000081, %ecx\nrdmsr\nmov $0xc0000082, %ecx\nwrmsr\nvmmcall");
GUEST(g_msr_out, "mov $0x12345, %ecx\nrdmsr\nvmmcall");
GUEST(g_in, "mov $0x80, %edx\nin (%dx), %al\nout %eax, $0x70\nvmmcall");
GUEST(g_outs, "mov $0x3f8, %edx\nmov $4, %ecx\nmov $idt_marker, %esi\nrep outsb\nvmmcall");
GUEST(g_cr, "mov %cr0, %rcx\nmov %rcx, %cr4\nmov %cr8, %rsi\nvmmcall");
GUEST(g_sel, "mov %cr0, %rcx\nor $0x8, %rcx\nmov %rcx, %cr0\nor $0x40000, %rcx\nmov %rcx, %cr0\nvmmcall");
GUEST(g_dr, "mov %dr7, %rbx\nmov %rbx, %dr2\nvmmcall");
GUEST(g_ud, "nop\nud2");
GUEST(g_pf, "mov $0x700000, %ebx\nmov %eax, (%rbx)\nvmmcall");
GUEST(g_gp, "mov $0x33, %eax\nmov %eax, %ds\nvmmcall");
GUEST(g_int, "int $0x20\nint3\nvmmcall");
GUEST(g_shut, "lidt no_idt\nud2");
GUEST(g_swap, "pushfq\npopfq\nrdtsc\nsidt guest_scratch\nvmmcall");
GUEST(g_invlpg, "mov $0x1000, %ebx\ninvlpg 0x234(%rbx)\nvmmcall");
GUEST(g_npf_write, "mov $0x150000, %ebx\nmov %eax, (%rbx)\nvmmcall");
GUEST(g_npf_fetch, "mov $0x151000, %ebx\njmp *%rbx");
GUEST(g_tpr, "mov $5, %eax\nmov %rax, %cr8\nmov %cr8, %rbx\nvmmcall");
GUEST(g_sti_hlt, "sti\nhlt");
GUEST(g_sti, "sti\nnop\nnop\ncli\nvmmcall");
GUEST(g_stgi, "clgi\nsti\nnop\nnop\nstgi\nnop\nvmmcall");
GUEST(g_tsc, "rdtsc\nshl $32, %rdx\nor %rdx, %rax\nvmmcall");
GUEST(g_loop, "sti\n1: jmp 1b");
GUEST(handler, "incq taken\nmovq $0x30, last_vector\niretq");
GUEST(handler_error, "incq taken\npop %rbx\nmov %rbx, last_vector\nmov %cr2, %rsi\niretq");
__asm__(".bss\n.globl guest_scratch, no_idt\nguest_scratch: .skip 16\nno_idt: .skip 16\n.text\n"
        "idt_marker: .ascii \"abcdefgh\"\n");

static void run(const char *name, void (*code)(void))
{
    vmrun();
    show(name, code);
}

/* Runs on after an exit for an instruction. */
static void go_on(const char *name, void (*code)(void))
{
    C64(RIP) = C64(NEXT);
    run(name, code);
}

static void set_gate(unsigned vector, void (*to)(void))
{
    uint64_t at = (uint64_t)to;

    idt[2 * vector] = (at & 0xffff) | 24 << 16 | 0x8e00ull << 32 | (at >> 16 & 0xffff) << 48;
    idt[2 * vector + 1] = at >> 32;
}

static void instructions(void)
{
    prepare(g_vmmcall);
    run("vmmcall", g_vmmcall);
    put_hex("rax=", C64(RAX));
    put_text("\n");
    prepare(g_hlt);
    run("hlt", g_hlt);
    prepare(g_cpuid);
    run("cpuid, let", g_cpuid);
    prepare(g_cpuid);
    C32(MISC) |= BIT(18);
    run("cpuid", g_cpuid);
    prepare(g_msr);
    C32(MISC) |= BIT(28);
    msrpm[0x800 + 0x81 * 2 / 8] = BIT(0x81 * 2 % 8);         /* reads of STAR */
    msrpm[0x800 + 0x82 * 2 / 8] |= BIT(0x82 * 2 % 8 + 1);    /* writes of LSTAR */
    run("rdmsr", g_msr);
    go_on("wrmsr", g_msr);
    prepare(g_msr_out);
    C32(MISC) |= BIT(28);
    run("unknown msr", g_msr_out);
    prepare(g_in);
    C32(MISC) |= BIT(27);
    iopm[0x80 / 8] = BIT(0);
    iopm[0x70 / 8] = BIT(3);
    run("in", g_in);
    go_on("out", g_in);
    prepare(g_outs);
    C32(MISC) |= BIT(27);
    iopm[0x3f8 / 8] = BIT(0);
    run("rep outs", g_outs);
    prepare(g_cr);
    C32(CR) = BIT(0) | BIT(16 + 4) | BIT(8);
    run("read CR0", g_cr);
    go_on("write CR4", g_cr);
    go_on("read CR8", g_cr);
    prepare(g_sel);
    C32(MISC) |= BIT(5);
    run("write of CR0 that matters", g_sel);
    prepare(g_dr);
    C32(DR) = BIT(7) | BIT(16 + 2);
    run("read DR7", g_dr);
    go_on("write DR2", g_dr);
    prepare(g_swap);
    C32(MISC) |= BIT(16) | BIT(17) | BIT(14) | BIT(6);
    run("pushf", g_swap);
    prepare(g_swap);
    C32(MISC) |= BIT(17) | BIT(14) | BIT(6);
    run("popf", g_swap);
    go_on("rdtsc", g_swap);
    go_on("sidt", g_swap);
    prepare(g_invlpg);
    C32(MISC) |= BIT(25);
    run("invlpg", g_invlpg);
    prepare(g_tsc);
    C64(TSC_OFFSET) = 1ull << 60;
    run("tsc offset", g_tsc);
    put_hex("tsc=", C64(RAX) >> 60);
    put_text("\n");
}

static void exceptions(void)
{
    prepare(g_ud);
    C32(EXCEPTIONS) = BIT(6);
    run("ud", g_ud);
    prepare(g_pf);
    C32(EXCEPTIONS) = BIT(14);
    C64(CR2) = 0x77;
    run("pf", g_pf);
    put_hex("cr2=", C64(CR2));
    put_text("\n");
    prepare(g_gp);
    C32(EXCEPTIONS) = BIT(13);
    run("gp", g_gp);
    /* Not intercepted: there is no handler for #GP either, but for #DF's intercept. */
    prepare(g_gp);
    C32(EXCEPTIONS) = BIT(8);
    run("double fault", g_gp);
    prepare(g_int);
    C32(MISC) |= BIT(21);
    C32(EXCEPTIONS) = BIT(3);
    run("int n", g_int);
    go_on("int3", g_int);
    prepare(g_shut);
    run("shutdown", g_shut);
}

static void invalid(void)
{
    prepare(g_hlt);
    C32(ASID) = 0;
    run("no asid", g_hlt);
    prepare(g_hlt);
    C32(MISC2) = BIT(1);
    run("no vmrun intercept", g_hlt);
    prepare(g_hlt);
    C64(EFER) &= ~(1ull << 12);
    run("no svme", g_hlt);
    prepare(g_hlt);
    C64(CR0) |= 1ull << 32;
    run("cr0", g_hlt);
}

static void events(void)
{
    set_gate(0x1e, handler);
    prepare(g_vmmcall);
    C64(INJECT) = BIT(31) | 0x1e;                               /* an interrupt */
    run("inject interrupt", g_vmmcall);
    prepare(g_vmmcall);
    set_gate(13, handler_error);
    C64(INJECT) = BIT(31) | BIT(11) | 3 << 8 | 13 | 0x55ull << 32;
    run("inject exception", g_vmmcall);
    idt[26] = idt[27] = 0;
    prepare(g_vmmcall);
    C64(INJECT) = BIT(31) | 3 << 8 | 6;
    C32(EXCEPTIONS) = BIT(13);
    run("inject, no handler", g_vmmcall);
    prepare(g_sti);
    C32(INT_CTL) = BIT(8) | 2 << 16 | BIT(24);
    C32(INT_VECTOR) = 0x1e;
    run("virtual interrupt", g_sti);
    put_hex("int_ctl=", C32(INT_CTL));
    put_text("\n");
    prepare(g_sti);
    C32(INT_CTL) = BIT(8) | 2 << 16 | BIT(24);
    C32(MISC) |= BIT(4);
    run("vintr", g_sti);
    prepare(g_sti);
    C32(INT_CTL) = BIT(8) | 2 << 16 | BIT(24) | 3;              /* below V_TPR */
    C32(INT_VECTOR) = 0x1e;
    run("masked by priority", g_sti);
    prepare(g_sti);
    C32(INT_CTL) = BIT(8) | BIT(20) | BIT(24) | 3;              /* priority ignored */
    C32(INT_VECTOR) = 0x1e;
    run("priority ignored", g_sti);
    prepare(g_sti);
    C64(RFLAGS) |= BIT(9);
    C32(INT_STATE) = 1;                                         /* not after the first one */
    C32(INT_CTL) = BIT(8) | BIT(20) | BIT(24);
    C32(MISC) |= BIT(4);
    run("in a shadow", g_sti);
    prepare(g_sti_hlt);
    run("hlt in a shadow", g_sti_hlt);
    put_hex("int_state=", C32(INT_STATE));
    put_text("\n");
    prepare(g_tpr);
    C32(INT_CTL) = BIT(24);
    run("virtual TPR", g_tpr);
    put_hex("int_ctl=", C32(INT_CTL));
    put_text("\n");
    prepare(g_stgi);
    C32(INT_CTL) = BIT(8) | BIT(20) | BIT(24) | BIT(25) | BIT(9);
    C32(MISC) |= BIT(4);
    run("virtual GIF", g_stgi);
    /* A timer's interrupt ends an endless loop: the exit leaves it pending, and the host takes it. */
    prepare(g_loop);
    C32(INT_CTL) = BIT(24);
    C32(MISC) |= BIT(0);
    *(volatile uint32_t *)0xfee000f0 = 0x1ff;
    *(volatile uint32_t *)0xfee003e0 = 11;
    *(volatile uint32_t *)0xfee00320 = 0x1e;
    *(volatile uint32_t *)0xfee00380 = 10000;
    while (!(*(volatile uint32_t *)0xfee00200 >> 0x1e)) {
    }
    run("intr", g_loop);
}

static void nested(void)
{
    npt4[0] = (uint64_t)npt3 | 7;
    npt3[0] = (uint64_t)npt2 | 7;
    npt3[3] = 0;
    npt2[0] = (uint64_t)npt1 | 7;
    for (int i = 0; i < 512; i++) {
        npt1[i] = (uint64_t)i << 12 | 7;
    }
    npt1[0x150] = 0x150000 | 5;                                 /* read only */
    npt1[0x151] = 0x151000 | 7 | 1ull << 63;
    npt1[0x152] = 0;
    prepare(g_vmmcall);
    C64(NESTED) = 1;
    C64(NCR3) = (uint64_t)npt4;
    vmcb[TLB] = 1;
    run("nested", g_vmmcall);
    put_hex("accessed=", npt1[(uint64_t)g_vmmcall >> 12] >> 5 & 3);
    put_hex(" tables=", npt1[0x10] >> 5 & 3);
    put_text("\n");
    prepare(g_npf_write);
    C64(NESTED) = 1;
    C64(NCR3) = (uint64_t)npt4;
    run("npf, write", g_npf_write);
    npt1[0x150] |= 2;
    vmcb[TLB] = 1;
    run("and again", g_npf_write);
    prepare(g_npf_fetch);
    C64(NESTED) = 1;
    C64(NCR3) = (uint64_t)npt4;
    vmcb[TLB] = 1;
    run("npf, fetch", g_npf_fetch);
    prepare(g_vmmcall);
    npt1[0x10] = 0x10000 | 5;                                   /* the guest's own tables */
    C64(NESTED) = 1;
    C64(NCR3) = (uint64_t)npt4;
    vmcb[TLB] = 1;
    run("npf, tables", g_vmmcall);
    npt1[0x10] |= 2;
    npt1[0x20] = 0;
}

void guest_main(int cpu)
{
    set_gate(0x1e, handler);
    outb(0x21, 0xff); /* nothing from the 8259s */
    outb(0xa1, 0xff);
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) table = {
        sizeof(idt) - 1, (uint64_t)idt };
    __asm__ volatile("lidt %0" : : "m"(table));
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1 << 12);
    wrmsr(0xc0010117, (uint64_t)host_save);
    instructions();
    exceptions();
    invalid();
    events();
    put_hex("host took=", taken);
    put_text("\n");
    nested();
    outb(0x501, 0);
}
