/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware task switches and system management mode, in 32-bit mode: what each case found goes to port
 * 0x402, exceptions as vector, error code and TR. Ends at port 0x501.
 */
#include <stdint.h>

enum {
    CODE = 8, DATA = 16, MAIN = 24, OTHER = 32, GATE = 40, HANDLER = 48, SHORT = 56, ABSENT = 64,
    ABSENT_CODE = 72, DESCRIPTORS = 10,
};
#define NT (1u << 14)

typedef struct Tss {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp,
        esi, edi, es, cs, ss, ds, fs, gs, ldt, trap;
} Tss;

static uint64_t gdt[DESCRIPTORS];
static struct { uint16_t low, selector, type, high; } idt[64];
static Tss main_task, other_task, handler_task;
static uint32_t other_stack[256], handler_stack[256];
uint32_t skip_to, seen_flags, seen_link, seen_tr, seen_busy;
static uint32_t exceptions;
extern char stubs[];

static void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static void put_text(const char *text)
{
    while (*text) {
        outb(0x402, *text++);
    }
}

static void put_hex(const char *name, uint32_t value)
{
    int shift = 28;

    put_text(name);
    while (shift && !(value >> shift)) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        outb(0x402, "0123456789abcdef"[value >> shift & 15]);
    }
}

static uint32_t tr(void)
{
    uint32_t value;

    __asm__ volatile("str %0" : "=r"(value));
    return value & 0xffff;
}

static uint32_t eflags(void)
{
    uint32_t value;

    __asm__ volatile("pushfl\npop %0" : "=r"(value));
    return value;
}

static uint32_t busy(void)
{
    return (gdt[MAIN / 8] >> 41 & 1) | (gdt[OTHER / 8] >> 41 & 1) << 1 | (gdt[HANDLER / 8] >> 41 & 1) << 2;
}

#define JUMP_TO(selector) __asm__ volatile("ljmp %0, $0" : : "i"(selector) : "memory")

/* Exceptions: back to the case's end, in the main task. */
__asm__(".text\n.align 16\nstubs:\n.set n, 0\n.rept 32\n.align 16\n"
        ".if n == 8 || (n >= 10 && n <= 14) || n == 17\n.else\npush $0\n.endif\n"
        "push $n\njmp common\n.set n, n + 1\n.endr\n"
        "common:\ncall handle\nadd $8, %esp\nmov skip_to, %eax\nmov %eax, (%esp)\niret\n");

void handle(uint32_t vector, uint32_t error)
{
    put_hex(" v=", vector);
    put_hex(" e=", error);
    put_hex(" tr=", tr());
    while (tr() != MAIN || ++exceptions > 100) {
        outb(0x501, 1);
    }
}

static void note(void)
{
    seen_flags = eflags() & NT;
    seen_tr = tr();
    seen_busy = busy();
}

/* The other task: goes back the way it came, and begins again after that. */
void other_main(void)
{
    for (;;) {
        note();
        seen_link = other_task.link;
        if (seen_flags) {
            __asm__ volatile("iret" : : : "memory");
        } else {
            JUMP_TO(MAIN);
        }
    }
}

/* An exception by a task gate: the error code is on its stack. Back to the case's end, in the main task. */
__asm__(".text\nhandler_entry:\npop %eax\nmov %eax, %edi\ncall handler_main\niret\njmp handler_entry\n");
extern char handler_entry[];

void handler_main(void)
{
    uint32_t error;

    __asm__ volatile("mov %%edi, %0" : "=r"(error));
    note();
    put_hex(" e=", error);
    put_hex(" tr=", seen_tr);
    put_hex(" link=", handler_task.link);
    put_hex(" busy=", seen_busy);
    if (handler_task.link != MAIN) {
        gdt[MAIN / 8] &= ~(1ull << 41);
        JUMP_TO(MAIN);
    }
    main_task.eip = skip_to;
}

static uint64_t tss_descriptor(const Tss *tss, uint32_t limit, uint32_t access)
{
    uint64_t base = (uint32_t)tss;

    return limit | (base & 0xffffff) << 16 | (uint64_t)access << 40 | (base >> 24) << 56;
}

static void set_task(Tss *tss, const void *entry, uint32_t *stack)
{
    uint32_t cr3;

    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    *tss = (Tss){ .cr3 = cr3, .eip = (uint32_t)entry, .eflags = 2, .esp = (uint32_t)(stack + 256),
                  .es = DATA, .cs = CODE, .ss = DATA, .ds = DATA, .fs = DATA, .gs = DATA,
                  .trap = sizeof(Tss) << 16 };
}

static void set_gate(int n)
{
    uint32_t at = (uint32_t)stubs + 16 * n;

    idt[n].low = at;
    idt[n].selector = CODE;
    idt[n].type = 0x8e00;
    idt[n].high = at >> 16;
}

static void handle_by_task(int n)
{
    set_task(&handler_task, handler_entry, handler_stack);
    idt[n].selector = HANDLER;
    idt[n].type = 0x8500;
}

static void load_table(int is_idt, const void *base, uint16_t limit)
{
    struct { uint16_t limit; uint32_t base; } __attribute__((packed)) pointer = { limit, (uint32_t)base };

    if (is_idt) {
        __asm__ volatile("lidt %0" : : "m"(pointer));
    } else {
        __asm__ volatile("lgdt %0" : : "m"(pointer));
    }
}

static void set_up(void)
{
    gdt[CODE / 8] = 0x00cf9b000000ffff;
    gdt[DATA / 8] = 0x00cf93000000ffff;
    gdt[MAIN / 8] = tss_descriptor(&main_task, sizeof(Tss) - 1, 0x89);
    gdt[OTHER / 8] = tss_descriptor(&other_task, sizeof(Tss) - 1, 0x89);
    gdt[GATE / 8] = (uint64_t)OTHER << 16 | 0x85ull << 40;
    gdt[HANDLER / 8] = tss_descriptor(&handler_task, sizeof(Tss) - 1, 0x89);
    gdt[SHORT / 8] = tss_descriptor(&other_task, 0x66, 0x89);
    gdt[ABSENT / 8] = tss_descriptor(&other_task, sizeof(Tss) - 1, 0x09);
    gdt[ABSENT_CODE / 8] = 0x00cf1b000000ffff;
    load_table(0, gdt, sizeof(gdt) - 1);
    for (int n = 0; n < 32; n++) {
        set_gate(n);
    }
    load_table(1, idt, sizeof(idt) - 1);
    set_task(&main_task, 0, other_stack);
    __asm__ volatile("ltr %w0" : : "r"(MAIN));
}

/* Assembly that ends at 9: in the main task. */
#define RUN(text, ...)                                                                             \
    __asm__ volatile("movl $9f, skip_to\n" text "\n9:\n" : : __VA_ARGS__                           \
                     : "eax", "ecx", "edx", "ebx", "esi", "edi", "memory", "cc")

#define SWITCH(name, text)                                                                         \
    do {                                                                                           \
        uint32_t cr0;                                                                              \
        set_task(&other_task, other_main, other_stack);                                            \
        __asm__ volatile("clts");                                                                  \
        put_text(name ":");                                                                        \
        RUN(text, "i"(0));                                                                         \
        __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));                                             \
        put_hex(" tr=", seen_tr);                                                                  \
        put_hex(" nt=", seen_flags >> 14);                                                         \
        put_hex(" link=", seen_link);                                                              \
        put_hex(" busy=", seen_busy);                                                              \
        put_hex(" then tr=", tr());                                                                \
        put_hex(" nt=", eflags() >> 14 & 1);                                                       \
        put_hex(" busy=", busy());                                                                 \
        put_hex(" ts=", cr0 >> 3 & 1);                                                             \
        put_text("\n");                                                                            \
    } while (0)

static void switches(void)
{
    SWITCH("jump", "ljmp $32, $0");
    SWITCH("call", "lcall $32, $0");
    SWITCH("jump by a gate", "ljmp $40, $0");
    SWITCH("call by a gate", "lcall $40, $0");
    idt[48].selector = OTHER;
    idt[48].type = 0x8500;
    SWITCH("interrupt by a gate", "int $48");
    handle_by_task(13);
    put_text("fault by a gate:");
    RUN("mov $0x1230, %%eax\nmov %%eax, %%fs", "i"(0));
    put_hex(" then tr=", tr());
    put_text("\n");
    set_gate(13);
}

/* Another vector than this one would end in a double fault at least: nothing handles it. */
#define WRONG(name, text, field, value, vector)                                                    \
    do {                                                                                           \
        set_task(&other_task, other_main, other_stack);                                            \
        other_task.field = value;                                                                  \
        handle_by_task(vector);                                                                    \
        put_text(name ":");                                                                        \
        RUN(text, "i"(0));                                                                         \
        put_hex(" then tr=", tr());                                                                \
        put_hex(" busy=", busy());                                                                 \
        put_text("\n");                                                                            \
        gdt[OTHER / 8] &= ~(1ull << 41);                                                           \
        set_gate(vector);                                                                          \
    } while (0)

static void wrong(void)
{
    WRONG("busy", "ljmp $24, $0", eax, 0, 13);
    WRONG("absent", "ljmp $64, $0", eax, 0, 11);
    WRONG("too short", "ljmp $56, $0", eax, 0, 10);
    WRONG("absent code", "ljmp $32, $0", cs, ABSENT_CODE, 11);
    WRONG("data as code", "ljmp $32, $0", cs, DATA, 10);
    WRONG("code as stack", "ljmp $32, $0", ss, CODE, 10);
    WRONG("no data", "ljmp $32, $0", ds, 0x1230, 10);
    WRONG("LDT of data", "ljmp $32, $0", ldt, DATA, 10);
    WRONG("LDT of data, call", "lcall $32, $0", ldt, DATA, 10);
    put_text("return, link of data:");
    main_task.link = DATA;
    RUN("pushfl\norl $0x4000, (%%esp)\npopfl\niret", "i"(0));
    __asm__ volatile("pushfl\nandl $~0x4000, (%%esp)\npopfl" : : : "memory", "cc");
    put_text("\n");
}

/* inc dword [0x60000]; mov dword [0x3fff8], 0x12345678 (RAX); rsm. */
static const uint8_t smi_code[] = {
    0x66, 0x67, 0xff, 0x05, 0x00, 0x00, 0x06, 0x00, 0x66, 0x67, 0xc7, 0x05, 0xf8, 0xff, 0x03, 0x00,
    0x78, 0x56, 0x34, 0x12, 0x0f, 0xaa,
};

static void smm(void)
{
    volatile uint32_t *count = (volatile uint32_t *)0x60000;
    volatile uint8_t *code = (volatile uint8_t *)0x38000;
    uint32_t eax = 1, ebx = 2;

    for (uint32_t n = 0; n < sizeof(smi_code); n++) {
        code[n] = smi_code[n];
    }
    *(volatile uint32_t *)0xfee000f0 = 0x1ff;
    __asm__ volatile("movl $0x44200, 0xfee00300\n1:pause\ncmpl $0, 0x60000\nje 1b" : "+a"(eax), "+b"(ebx) : : "memory");
    put_hex("SMI: count=", *count);
    put_hex(" eax=", eax);
    put_hex(" ebx=", ebx);
    put_hex(" saved cr0=", *(volatile uint32_t *)0x3ff58);
    put_hex(" tr=", tr());
    put_text("\n");
}

void guest_main(int cpu)
{
    set_up();
    switches();
    wrong();
    smm();
    outb(0x501, 0);
}
