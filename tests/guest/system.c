/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions with their error codes, gates, interrupt shadows, SMAP and remapped memory, on whatever
 * runs it: each case prints what it met to port 0x402, as vector, error code and place (offset from
 * where the case begins). The same text is expected of silicon. Ends at port 0x501.
 */
#define VECTORS 64
#include "bare_traps.h"

#define IRQ 60
#define COUNTED_IRQ 61

enum {
    DATA = 16, CODE = 24, ABSENT_DATA = 32, ABSENT_CODE = 40, USER_DATA = 48, USER_CODE = 56, TSS = 64,
    ABSENT_TSS = 80, GDT_BYTES = 96,
};
static uint64_t gdt[GDT_BYTES / 8];
static uint32_t tss[26];
uint64_t saved_rbp, result[2], left, irq_place, irqs, wrong_irqs;
struct { uint64_t offset; uint16_t selector; } __attribute__((packed)) far_pointer;

void handle(Frame *f)
{
    uint64_t cr2;

    if (f->vector == COUNTED_IRQ) {
        irqs++;
        wrong_irqs += f->rip != irq_place || f->rcx != 1;
        wrmsr(0x80b, 0);
        f->rflags &= ~0x200ull;
        return;
    }
    put_hex(" v=", f->vector);
    left = f->rcx;
    if (f->vector == IRQ) {
        put_hex(" at=", f->rip - case_start);
        put_hex(" rcx=", f->rcx);
        wrmsr(0x80b, 0); /* EOI */
        f->rflags &= ~0x200ull;
        return;
    }
    put_hex(" e=", f->error);
    if (f->rip - case_start < 0x10000) {
        put_hex(" at=", f->rip - case_start);
    } else {
        put_text(" at=far");
    }
    f->rflags &= ~0x200ull;
    if (f->vector == 14) {
        __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
        put_hex(" cr2=", cr2);
    }
    f->rip = skip_to;
    f->rbp = saved_rbp ? saved_rbp : f->rbp;
}

static void load_gdt(void)
{
    uint64_t base = (uint64_t)tss;
    uint8_t pointer[10];

    gdt[1] = 0x00cf9b000000ffff;
    gdt[DATA / 8] = 0x00cf93000000ffff;
    gdt[CODE / 8] = 0x00af9b000000ffff;
    gdt[ABSENT_DATA / 8] = 0x00cf13000000ffff;
    gdt[ABSENT_CODE / 8] = 0x00af1b000000ffff;
    gdt[USER_DATA / 8] = 0x00cff3000000ffff;
    gdt[USER_CODE / 8] = 0x00affb000000ffff;
    gdt[TSS / 8] = sizeof(tss) - 1 | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24) << 56;
    gdt[ABSENT_TSS / 8] = gdt[TSS / 8] & ~(1ull << 47);
    *(uint16_t *)pointer = GDT_BYTES - 1;
    *(uint64_t *)(pointer + 2) = (uint64_t)gdt;
    __asm__ volatile("lgdt %0" : : "m"(*(char (*)[10])pointer));
}

/* What is loaded is 16 bits of a register. */
#define SELECTOR(name, sel, to) CASE(name, "mov $" STRING(sel) ", %%ecx\n" to, "i"(0))

static void selectors(void)
{
    SELECTOR("beyond the GDT", 0x1230, "mov %%ecx, %%ds");
    SELECTOR("no LDT", 0x14, "mov %%ecx, %%es");
    SELECTOR("absent data", 32, "mov %%ecx, %%ds");
    SELECTOR("absent stack", 32, "mov %%ecx, %%ss");
    SELECTOR("code as stack", 24, "mov %%ecx, %%ss");
    SELECTOR("stack of another level", 51, "mov %%ecx, %%ss");
    SELECTOR("task of a data segment", 16, "ltr %%cx");
    SELECTOR("absent task", 80, "ltr %%cx");
    SELECTOR("no task", 0, "ltr %%cx");
    SELECTOR("task", 64, "ltr %%cx");
    SELECTOR("busy task", 64, "ltr %%cx");
    SELECTOR("LDT of code", 24, "lldt %%cx");
}

#define FAR_JUMP(name, sel)                                                                        \
    do {                                                                                           \
        far_pointer.selector = sel;                                                                \
        CASE(name, "rex.w ljmp *far_pointer", "i"(0));                                             \
    } while (0)

static void far_transfers(void)
{
    far_pointer.offset = 0xf0000;
    FAR_JUMP("jump to null", 0);
    FAR_JUMP("jump to data", DATA);
    FAR_JUMP("jump to absent code", ABSENT_CODE);
    FAR_JUMP("jump to another level", USER_CODE);
    FAR_JUMP("jump to a task", TSS);
    FAR_JUMP("jump beyond the GDT", 0x1238);
    CASE("return to data", "push $16\npush $0xf0000\nlretq", "i"(0));
    CASE("return to null", "push $3\npush $0xf0000\nlretq", "i"(0));
    CASE("return to absent code", "push $40\npush $0xf0000\nlretq", "i"(0));
    CASE("interrupt return, bad stack", "push $16\npush $0x20000\npush $2\npush $59\npush $0xf0000\niretq",
         "i"(0));
    CASE("interrupt return, not canonical", "push $16\nmov %%rsp, %%rcx\npush %%rcx\npush $2\npush $24\n"
         "mov $1, %%eax\nshl $63, %%rax\npush %%rax\nxor %%ecx, %%ecx\niretq", "i"(0));
}

static void gates(void)
{
    CASE("absent gate", "int $48", "i"(0));
    CASE("no gate", "int $49", "i"(0));
    CASE("gate to null", "int $50", "i"(0));
    CASE("gate to absent code", "int $51", "i"(0));
    CASE("gate to data", "int $52", "i"(0));
    CASE("beyond the IDT", "int $0x80", "i"(0));
    idt[13].type = 0x0e00;
    CASE("fault of a fault", "mov $0x1230, %%ecx\nmov %%ecx, %%ds", "i"(0));
    idt[13].type = 0x8e00;
    idt[6].selector = ABSENT_CODE;
    CASE("fault of another kind", "ud2", "i"(0));
    idt[6].selector = CODE;
}

static void set_up_gates(void)
{
    idt[48].type = 0x0e00;
    idt[49].type = 0;
    idt[50].selector = 0;
    idt[51].selector = ABSENT_CODE;
    idt[52].selector = DATA;
}

static void pages(void)
{
    CASE("read of nothing", "mov 0x600000, %%eax", "i"(0));
    CASE("write of nothing", "mov %%eax, 0x600123", "i"(0));
    CASE("read-only", "incl 0x400ffe", "i"(0));
    CASE("into nothing", "mov 0x5ffffe, %%eax", "i"(0));
    CASE("no code", "mov $0x800000, %%eax\njmp *%%rax", "i"(0));
    CASE("not canonical", "mov $1, %%eax\nshl $63, %%rax\nmov (%%rax), %%eax", "i"(0));
    __asm__ volatile("mov %%rbp, saved_rbp" : : : "memory");
    CASE("not canonical, stack", "mov $1, %%ebp\nshl $63, %%rbp\nmov (%%rbp), %%eax", "i"(0));
    saved_rbp = 0;
}

#define CR4(op, bit) "mov %%cr4, %%rax\n" op " $" STRING(bit) ", %%rax\nmov %%rax, %%cr4\n"

static void control(void)
{
    CASE("no MSR", "mov $0x12345, %%ecx\nrdmsr", "i"(0));
    CASE("write of no MSR", "mov $0x12345, %%ecx\nwrmsr", "i"(0));
    CASE("CR4, reserved", CR4("bts", 31), "i"(0));
    CASE("CR4, no PAE", CR4("btr", 5), "i"(0));
    CASE("CR0, no PE", "mov %%cr0, %%rax\nbtr $0, %%rax\nmov %%rax, %%cr0", "i"(0));
    CASE("CR8", "mov $16, %%eax\nmov %%rax, %%cr8", "i"(0));
    CASE("CR5", ".byte 0x0f, 0x20, 0xe8", "i"(0));
    CASE("XSETBV, off", "xsetbv", "i"(0));
    CASE("RSM", "rsm", "i"(0));
    CASE("lock", ".byte 0xf0, 0x90", "i"(0));
    CASE("SYSCALL, off", "syscall", "i"(0));
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
    CASE("SYSRET, not canonical", "mov $1, %%ecx\nshl $63, %%rcx\nsysretq", "i"(0));
    wrmsr(0xc0000101, 5);
    wrmsr(0xc0000102, 7);
    __asm__ volatile("swapgs");
    put_text("SWAPGS:");
    put_hex(" ", rdmsr(0xc0000101));
    put_hex(" ", rdmsr(0xc0000102));
    put_text("\n");
}

/* 0x400000 is a user's page. */
static void user_pages(void)
{
    CASE("CLAC and STAC, off", "mov 0x400000, %%eax\nclac\nmov 0x400000, %%eax\nstac\nmov 0x400000, %%eax",
         "i"(0));
    __asm__ volatile("clac\n" CR4("bts", 21) CR4("bts", 20) : : "i"(0) : "rax");
    CASE("SMAP", "mov 0x400000, %%eax", "i"(0));
    CASE("STAC, CLAC", "stac\nmov 0x400000, %%eax\nclac\nnop\nmov 0x400000, %%eax", "i"(0));
    CASE("POPF with AC", "pushfq\norq $0x40000, (%%rsp)\npopfq\nmov 0x400000, %%eax\nclac\n"
         "mov 0x400000, %%eax", "i"(0));
    CASE("STAC, then a fault", "stac\nmov 0x600000, %%eax", "i"(0));
    CASE("AC is kept", "mov 0x400000, %%eax\nclac", "i"(0));
    CASE("SMEP", "mov $0x400000, %%eax\njmp *%%rax", "i"(0));
    __asm__ volatile(CR4("btr", 21) CR4("btr", 20) : : "i"(0) : "rax");
}

/* The interrupt is there, IF is clear. */
#define REQUEST "mov $0x83f, %%ecx\nmov $60, %%eax\nxor %%edx, %%edx\nwrmsr\nxor %%ecx, %%ecx\n"
#define SHADOW(name, text) CASE(name, REQUEST text "\ncli", "i"(0))

static void shadows(void)
{
    wrmsr(0x1b, rdmsr(0x1b) | 0x400);
    wrmsr(0x80f, 0x1ff);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    SHADOW("STI", "sti\ninc %%ecx\ninc %%ecx");
    SHADOW("STI, STI", "sti\nsti\ninc %%ecx\ninc %%ecx");
    SHADOW("STI, CLI", "sti\ncli\ninc %%ecx\nsti\nnop\ninc %%ecx");
    SHADOW("STI, HLT", "sti\nhlt\ninc %%ecx");
    SHADOW("STI, jump", "sti\njmp 2f\n2:inc %%ecx\nnop");
    SHADOW("STI, at a page's end", "lea 3f(%%rip), %%rax\nmov %%rax, case_start\njmp 2f\n"
           ".balign 4096\n.fill 4088, 1, 0x90\n2:\n.fill 7, 1, 0x90\n3:sti\ninc %%ecx\ninc %%ecx");
    SHADOW("POPF", "pushfq\norq $0x200, (%%rsp)\npopfq\ninc %%ecx");
    CASE("STI, fault", "sti\nud2", "i"(0));
}

/* An interrupt in each of many rounds; it comes after the instruction behind STI when all of this is hot, too. */
static void hot_shadows(void)
{
    __asm__ volatile("lea 3f(%%rip), %%rax\nmov %%rax, irq_place\nmov $3000, %%ebx\n"
                     "1:mov $0x83f, %%ecx\nmov $61, %%eax\nxor %%edx, %%edx\nwrmsr\nxor %%ecx, %%ecx\n"
                     "sti\ninc %%ecx\n3:inc %%ecx\ninc %%ecx\ncli\n"
                     "dec %%ebx\njnz 1b" : : : "rax", "rbx", "rcx", "rdx", "memory", "cc");
    put_hex("STI, many times: ", irqs);
    put_hex(" ", wrong_irqs);
    put_text("\n");
}

/* PAM of 0xc8000: RAM or not, in the middle of straight code. */
static void remapping(void)
{
    CASE("PAM", "mov $0x80000058, %%eax\nmov $0xcf8, %%dx\nout %%eax, %%dx\nmov $0xcff, %%dx\n"
         "mov $3, %%al\nout %%al, %%dx\nmovl $0x11223344, 0xc8000\n"
         "mov $0, %%al\nout %%al, %%dx\nmov 0xc8000, %%ecx\n"
         "mov $3, %%al\nout %%al, %%dx\nmov 0xc8000, %%ebx\n"
         "mov %%rcx, result\nmov %%rbx, result + 8", "i"(0));
    put_text(result[0] == 0x11223344 ? "RAM," : "not RAM,");
    put_text(result[1] == 0x11223344 ? " RAM\n" : " not RAM\n");
}

/* 0 / 0 has no quotient, so C3, which FXAM of zero sets, stays; and what leaves no NaN tells its bits. */
static void remainders(void)
{
    uint16_t none, one;

    __asm__ volatile("fninit\nfldz\nfldz\nfxam\nfprem\nfnstsw %0" : "=a"(none));
    __asm__ volatile("fninit\nfld1\nfld1\nfxam\nfprem1\nfnstsw %0\nfninit" : "=a"(one));
    put_hex("FPREM: ", none);
    put_hex(" ", one);
    put_text("\n");
}

#define AREA_BYTES 16384
static uint8_t area[AREA_BYTES], wanted[AREA_BYTES];

/* REP MOVS with DF, beside the same one byte or eight at a time. */
static void move_down(const char *name, unsigned to, unsigned from, unsigned bytes)
{
    uint64_t di = (uint64_t)area + to, si = (uint64_t)area + from, count = 1000;
    unsigned wrong = 0;

    for (unsigned i = 0; i < AREA_BYTES; i++) {
        area[i] = wanted[i] = i * 7 + (i >> 8);
    }
    for (unsigned n = 0; n < count; n++) {
        uint8_t element[8];

        for (unsigned i = 0; i < bytes; i++) {
            element[i] = wanted[from - n * bytes + i];
        }
        for (unsigned i = 0; i < bytes; i++) {
            wanted[to - n * bytes + i] = element[i];
        }
    }
    if (bytes == 8) {
        __asm__ volatile("std\nrep movsq\ncld" : "+D"(di), "+S"(si), "+c"(count) : : "memory");
    } else {
        __asm__ volatile("std\nrep movsb\ncld" : "+D"(di), "+S"(si), "+c"(count) : : "memory");
    }
    for (unsigned i = 0; i < AREA_BYTES; i++) {
        wrong += area[i] != wanted[i];
    }
    put_text(name);
    put_hex(": ", wrong);
    put_hex(" ", (uint64_t)area + to - di);
    put_hex(" ", (uint64_t)area + from - si);
    put_hex(" ", count);
    put_text("\n");
}

static void moves_down(void)
{
    move_down("down, apart", 16000, 8003, 8);
    move_down("down, above", 12024, 12000, 8);
    move_down("down, below", 11993, 12000, 8);
    move_down("down, bytes below", 11999, 12000, 1);
    CASE("down, from nothing", "std\nmov $0x600123, %%esi\nmov $0x5fe800, %%edi\nmov $9, %%ecx\n"
         "rep movsq", "i"(0));
    CASE("down, to nothing", "std\nmov $0x5fe800, %%esi\nmov $0x600123, %%edi\nmov $9, %%ecx\n"
         "rep movsq", "i"(0));
    __asm__ volatile("cld");
}

static uint32_t random_number(uint32_t most)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % (most + 1);
}

static void repeat(unsigned bytes, int is_store, uint64_t to, uint64_t from, uint64_t count, uint64_t value)
{
#define REPEAT(suffix)                                                                             \
    do {                                                                                           \
        if (is_store) {                                                                            \
            __asm__ volatile("rep stos" suffix : "+D"(to), "+c"(count) : "a"(value) : "memory");    \
        } else {                                                                                   \
            __asm__ volatile("rep movs" suffix : "+D"(to), "+S"(from), "+c"(count) : : "memory");   \
        }                                                                                          \
    } while (0)
    uint64_t end = to + count * bytes, from_end = from + count * bytes;

    if (bytes == 1) {
        REPEAT("b");
    } else if (bytes == 2) {
        REPEAT("w");
    } else if (bytes == 4) {
        REPEAT("l");
    } else {
        REPEAT("q");
    }
    left += count || to != end || (!is_store && from != from_end);
}

/* Upwards: a few elements, near and over pages' ends, over each other, beside the same one by one. */
static void moves_up(void)
{
    unsigned wrong = 0;

    left = 0;
    for (unsigned i = 0; i < 4000; i++) {
        unsigned bytes = 1 << random_number(3), count = random_number(i % 16 ? 24 : 600), is_store = random_number(1);
        unsigned from = random_number(1) ? random_number(AREA_BYTES - 5000) : 4096 - random_number(40);
        unsigned to = random_number(1) ? random_number(AREA_BYTES - 5000) : from - 20 + random_number(40);
        uint64_t value = random_number(3) ? random_number(~0u - 1) * 0x100000001ull : 0x7777777777777777;

        for (unsigned n = 0; n < count; n++) {
            for (unsigned at = 0; is_store && at < bytes; at++) {
                wanted[to + n * bytes + at] = value >> 8 * at;
            }
            if (!is_store) {
                uint64_t element;

                __builtin_memcpy(&element, wanted + from + n * bytes, 8);
                for (unsigned at = 0; at < bytes; at++) {
                    wanted[to + n * bytes + at] = element >> 8 * at;
                }
            }
        }
        repeat(bytes, is_store, (uint64_t)area + to, (uint64_t)area + from, count, value);
        for (unsigned at = 0; i % 100 == 99 && at < AREA_BYTES; at++) {
            wrong += area[at] != wanted[at];
        }
    }
    put_hex("up: ", wrong);
    put_hex(" ", left);
    put_text("\n");
    CASE("up, to where nothing is written", "mov $0x3ffffd, %%edi\nmov $8, %%ecx\nrep stosb", "i"(0));
    put_hex("left: ", left);
    put_text("\n");
    CASE("up, from nothing", "mov $0x5ffff8, %%esi\nmov $0x300000, %%edi\nmov $3, %%ecx\nrep movsq", "i"(0));
    put_hex("left: ", left);
    put_text("\n");
}

/* Code that REP MOVS writes each time before it runs. */
static void moved_code(void)
{
    uint8_t code[6] = { 0xb8, 0, 0, 0, 0, 0xc3 };
    unsigned wrong = 0;

    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t got;

        __builtin_memcpy(code + 1, &i, 4);
        repeat(1, 0, (uint64_t)area, (uint64_t)code, sizeof(code), 0);
        __asm__ volatile("call *%1" : "=a"(got) : "r"(area) : "memory");
        wrong += got != i;
    }
    put_hex("moved code: ", wrong);
    put_text("\n");
}

static void caches(void)
{
    CASE("CLFLUSH", "mfence\nclflush 0x400040\nclflush 0xf0000\nmfence\n", "i"(0));
    CASE("CLFLUSH of nothing", "mfence\nclflush 0x600040\nmfence", "i"(0));
    CASE("CLFLUSH, not canonical", "mov $1, %%eax\nshl $63, %%rax\nclflush (%%rax)", "i"(0));
}

void guest_main(int cpu)
{
    load_idt();
    load_gdt();
    set_up_gates();
    selectors();
    far_transfers();
    gates();
    pages();
    control();
    user_pages();
    shadows();
    hot_shadows();
    remapping();
    remainders();
    moves_down();
    moves_up();
    moved_code();
    caches();
    outb(0x501, 0);
}
