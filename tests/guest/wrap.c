/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses across 4 GiB in 32-bit mode: segments with a base 4 KiB below it lead data, stack and code
 * on at 0. What each case found goes to port 0x402, as bytes on both sides or as vector, error code and
 * CR2. Ends at port 0x501.
 */
#include "bare_text.h"

enum { CODE = 8, DATA = 16, WRAP_DATA = 24, WRAP_CODE = 32, DESCRIPTORS = 5 };
#define PRESENT  1u
#define WRITE    2u
#define LAST     0xfffff000u
#define RET_FAR  0xcb

static uint64_t gdt[DESCRIPTORS];
static struct { uint16_t low, selector, type, high; } idt[32];
static uint32_t low_table[1024] __attribute__((aligned(4096)));
static uint32_t top_table[1024] __attribute__((aligned(4096)));
static uint8_t top[4096] __attribute__((aligned(4096)));
static uint8_t low[4096] __attribute__((aligned(4096)));
const uint8_t source[12] = "abcdefghijkl";
static int has_faulted;
uint32_t skip_to, skip_esp, far_pointer[2];
extern char stubs[];

/* Exceptions: to the case's end. */
__asm__(".text\n.align 16\nstubs:\n.set n, 0\n.rept 32\n.align 16\n"
        ".if n == 8 || (n >= 10 && n <= 14) || n == 17\n.else\npush $0\n.endif\n"
        "push $n\njmp common\n.set n, n + 1\n.endr\n"
        "common:\ncld\ncall handle\nmov skip_esp, %esp\njmp *skip_to\n");

void handle(uint32_t vector, uint32_t error, uint32_t eip)
{
    uint32_t cr2;

    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    has_faulted = 1;
    put_hex(" v=", vector);
    put_hex(" e=", error);
    if (vector == 14) {
        put_hex(" cr2=", cr2);
    }
    if (eip - 0xf00 < 0x200) {
        put_hex(" eip=", eip);
    }
}

static void map(uint32_t first, uint32_t second)
{
    top_table[1023] = first ? (uint32_t)top | first : 0;
    low_table[0] = second ? (uint32_t)low | second : 0;
    __asm__ volatile("invlpg 0xfffff000\ninvlpg 0" : : : "memory");
}

static void set_up(void)
{
    struct { uint16_t limit; uint32_t base; } __attribute__((packed)) pointer = { sizeof(gdt) - 1, (uint32_t)gdt };
    volatile uint32_t *directory;

    gdt[CODE / 8] = 0x00cf9b000000ffff;
    gdt[DATA / 8] = 0x00cf93000000ffff;
    gdt[WRAP_DATA / 8] = 0xffcf93fff000ffff;
    gdt[WRAP_CODE / 8] = 0xffcf9bfff000ffff;
    __asm__ volatile("lgdt %0" : : "m"(pointer));
    for (int n = 0; n < 32; n++) {
        uint32_t at = (uint32_t)stubs + 16 * n;

        idt[n].low = at;
        idt[n].selector = CODE;
        idt[n].type = 0x8e00;
        idt[n].high = at >> 16;
    }
    pointer.limit = sizeof(idt) - 1;
    pointer.base = (uint32_t)idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));
    for (uint32_t n = 0; n < 1024; n++) {
        low_table[n] = n << 12 | PRESENT | WRITE;
    }
    __asm__ volatile("mov %%cr3, %0" : "=r"(directory));
    directory[0] = (uint32_t)low_table | PRESENT | WRITE;
    directory[1023] = (uint32_t)top_table | PRESENT | WRITE;
    map(PRESENT | WRITE, PRESENT | WRITE);
    __asm__ volatile("mov %0, %%cr3\nmov %1, %%fs\nmov %1, %%es" : : "r"(directory), "r"(WRAP_DATA) : "memory");
}

/* The sixteen bytes around 4 GiB. */
static void fill(uint8_t first)
{
    for (int n = 0; n < 16; n++) {
        *(n < 8 ? &top[4088 + n] : &low[n - 8]) = first + n;
    }
}

static void show_registers(const char *first, uint32_t x, const char *second, uint32_t y)
{
    if (!has_faulted) {
        put_hex(first, x);
        put_hex(second, y);
    }
    has_faulted = 0;
}

static void show(void)
{
    for (int n = 0; n < 16; n++) {
        put_hex(n == 8 ? "|" : n ? "," : " ", n < 8 ? top[4088 + n] : low[n - 8]);
    }
    put_text("\n");
}

/* Assembly with %%ebx 0xffe in the segment: two bytes are below 4 GiB. A fault ends it. */
#define RUN(name, text)                                                                            \
    do {                                                                                           \
        uint32_t eax_ = 0xa4a3a2a1, edx_ = 0xb4b3b2b1, ebx_ = 0xffe;                               \
                                                                                                   \
        fill(0x10);                                                                                \
        put_text(name ":");                                                                        \
        __asm__ volatile("push %%ebp\npush %%es\nmovl $9f, skip_to\nmov %%esp, skip_esp\n" text    \
                         "\n9:pop %%es\npop %%ebp\n"                                               \
                         : "+a"(eax_), "+d"(edx_), "+b"(ebx_)                                      \
                         : : "ecx", "esi", "edi", "memory", "cc");                      \
        show_registers(" eax=", eax_, " edx=", edx_);                                              \
        show();                                                                                    \
    } while (0)

static void data(void)
{
    RUN("beyond", "mov %%fs:2(%%ebx), %%eax\nmov %%dx, %%fs:6(%%ebx)");
    RUN("sum", "mov $0xffffff00, %%esi\nmov $0x102, %%edi\nmov (%%esi, %%edi), %%eax\nmov %%dl, -0x100(%%edi)");
    RUN("2", "movzwl %%fs:1(%%ebx), %%eax\nmov %%dx, %%fs:1(%%ebx)");
    RUN("4", "mov %%fs:(%%ebx), %%eax\nmov %%edx, %%fs:(%%ebx)");
    RUN("4, by 1", "mov %%fs:-1(%%ebx), %%eax\nmov %%edx, %%fs:-1(%%ebx)");
    RUN("8", "movq %%fs:(%%ebx), %%xmm0\nmovd %%xmm0, %%eax\npshufd $0xee, %%xmm0, %%xmm1\n"
        "paddb %%xmm0, %%xmm0\nmovq %%xmm0, %%fs:(%%ebx)");
    RUN("10", "fldt %%fs:-4(%%ebx)\nfstpt %%fs:-5(%%ebx)");
    RUN("16", "movups %%fs:-6(%%ebx), %%xmm0\nmovd %%xmm0, %%eax\npaddb %%xmm0, %%xmm0\nmovups %%xmm0, %%fs:-6(%%ebx)");
    RUN("add", "add %%edx, %%fs:(%%ebx)");
    RUN("locked", "lock xadd %%edx, %%fs:(%%ebx)");
    RUN("locked, 8", "mov $0x15141312, %%eax\nmov $0x19181716, %%edx\nmov $0xc4c3c2c1, %%ecx\n"
        "lea -4(%%ebx), %%edi\nmov $0xd4d3d2d1, %%ebx\nlock cmpxchg8b %%fs:(%%edi)");
    RUN("bit", "mov $20, %%ecx\nbtr %%ecx, %%fs:(%%ebx)");
    RUN("stos", "lea -5(%%ebx), %%edi\nmov $3, %%ecx\nrep stosl");
    RUN("movs", "lea -6(%%ebx), %%edi\nmov $12, %%ecx\nmov $source, %%esi\nrep movsb");
    RUN("lods", "mov $4, %%ecx\nlea -1(%%ebx), %%esi\nrep lodsw %%fs:(%%esi), %%ax");
    RUN("stos, down", "lea 3(%%ebx), %%edi\nmov $7, %%ecx\nstd\nrep stosb\ncld");
    RUN("beyond a flat segment", "mov -2, %%eax");
    RUN("beyond flat segments", "mov %%ds, %%ecx\nmov %%ecx, %%es\nmov %%fs, %%edi\nxor %%ecx, %%ecx\n"
        "mov %%ecx, %%fs\nmov -2, %%eax");
    __asm__ volatile("mov %0, %%fs" : : "r"(WRAP_DATA));
    RUN("beside flat segments", "mov %%ds, %%ecx\nmov %%ecx, %%es\nmov %%fs, %%edi\nxor %%ecx, %%ecx\n"
        "mov %%ecx, %%fs\nmov %%edi, %%fs\nmov %%fs:(%%ebx), %%eax");
    /* In pieces, none of which is across: the register is the first beyond. */
    RUN("fxsave, on from 0", "movd %%edx, %%xmm0\nfxsave 0xffffff60");
    RUN("fxrstor, on from 0", "pxor %%xmm0, %%xmm0\nfxsave 0xffffff60\nmovd %%edx, %%xmm0\nfxrstor 0xffffff60\n"
                              "movd %%xmm0, %%eax");
    RUN("stack", "mov %%ss, %%ecx\nmov $24, %%esi\nmov %%esp, %%edi\nmov %%esi, %%ss\nlea 4(%%ebx), %%esp\n"
        "push %%edx\npop %%eax\npush $0x61626364\nmov %%ecx, %%ss\nmov %%edi, %%esp");
}

static void faults(void)
{
    map(PRESENT | WRITE, 0);
    RUN("no page 0, read", "mov %%fs:(%%ebx), %%eax");
    map(PRESENT | WRITE, PRESENT);
    RUN("read-only page 0", "mov %%edx, %%fs:(%%ebx)");
    RUN("read-only page 0, locked", "lock xadd %%edx, %%fs:(%%ebx)");
    RUN("read-only page 0, stos", "lea -2(%%ebx), %%edi\nmov $9, %%ecx\nrep stosb");
    RUN("read-only page 0, 16", "xorps %%xmm0, %%xmm0\nmovups %%xmm0, %%fs:-6(%%ebx)");
    map(0, PRESENT | WRITE);
    RUN("no last page, write", "mov %%edx, %%fs:(%%ebx)");
    RUN("no last page, read", "mov %%fs:(%%ebx), %%eax");
    map(PRESENT | WRITE, PRESENT | WRITE);
}

/* Code of these bytes ends across 4 GiB: at 0xffb in its segment. */
static void place(const uint8_t *code, int bytes)
{
    for (int n = 0; n < bytes; n++) {
        *(n < 5 ? &top[4091 + n] : &low[n - 5]) = code[n];
    }
}

#define FETCH(name)                                                                                \
    do {                                                                                           \
        uint32_t eax_ = 0, ecx_ = 0;                                                               \
                                                                                                   \
        put_text(name ":");                                                                        \
        __asm__ volatile("push %%ebp\nmovl $9f, skip_to\nmov %%esp, skip_esp\nlcall *far_pointer\n" \
                         "9:pop %%ebp\n"                                                           \
                         : "+a"(eax_), "+c"(ecx_) : : "memory", "cc");                             \
        show_registers(" eax=", eax_, " ecx=", ecx_);                                              \
        put_text("\n");                                                                            \
    } while (0)

static void fetches(void)
{
    /* mov $200, %cl; 2: add $0x01020304, %eax (from 0xffd); dec %cl; jnz 2b; lret */
    static const uint8_t loop[] = { 0xb1, 200, 0x05, 4, 3, 2, 1, 0xfe, 0xc9, 0x75, 0xf7, RET_FAR };
    /* inc %ecx, five times; the same at 0; lret */
    static const uint8_t steps[] = { 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, RET_FAR };
    /* movb $7, 4: in the code that follows; mov $..., %cl */
    static const uint8_t self[] = { 0xc6, 0x05, 4, 0, 0, 0, 7, 0x90, 0xb1, 5, RET_FAR };
    uint32_t again;

    far_pointer[0] = 0xffb;
    far_pointer[1] = WRAP_CODE;
    place(loop, sizeof(loop));
    FETCH("loop");
    FETCH("loop again");
    low[1] = 0x11; /* the immediate's last byte */
    FETCH("changed behind");
    top[4094] = 0x05;
    FETCH("changed before");
    place(steps, sizeof(steps));
    FETCH("steps");
    for (again = 0; again < 2; again++) {
        place(self, sizeof(self));
        FETCH("changes itself");
    }
    place(loop, sizeof(loop));
    FETCH("loop once more");
    map(PRESENT | WRITE, 0);
    FETCH("no page 0");
    map(0, PRESENT | WRITE);
    FETCH("no last page");
    map(PRESENT | WRITE, PRESENT | WRITE);
    FETCH("both again");
}

void guest_main(int cpu)
{
    set_up();
    data();
    faults();
    fetches();
    outb(0x501, 0);
}
