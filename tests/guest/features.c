/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `max` offers beyond what hosts' processors have in user mode, each in use: a line for each, with the
 * faults that it met or "ok", to port 0x402; REP interrupted between elements. Ends at port 0x501.
 */
#define VECTORS 32
#include "bare_user.h"

#define CR4_FEATURES 0x770a00u /* UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE; OSFXSR */
#define GIB     (*(volatile uint64_t *)0x11008) /* entry of 0x40000000 */

static uint8_t area[4096] __attribute__((aligned(64)));
static uint8_t block[2][128] __attribute__((aligned(64)));

#define TIMER   30
#define APIC    ((volatile uint32_t *)0xfee00000)
#define SVR     (0xf0 / 4)
#define EOI     (0xb0 / 4)
#define LVT     (0x320 / 4)
#define COUNT   (0x380 / 4)
#define DIVIDE  (0x3e0 / 4)
#define FILLED  0x200000u
#define FILLING 0x100000u

extern const char fill_at[];
static uint8_t fill_value;
static int is_inside, is_exact = 1;

/* Between two of the elements of REP STOSB: what is done shows in registers and memory, and no more. */
static void look_at_rep(const Frame *f)
{
    const uint8_t *at = (uint8_t *)f->rdi;

    APIC[EOI] = 0;
    if (f->rip == (uint64_t)fill_at && f->rcx && f->rcx != FILLING) {
        is_inside = 1;
        is_exact &= f->rdi == FILLED + FILLING - f->rcx && at[-1] == fill_value && at[0] != fill_value;
    }
}

void handle(Frame *f)
{
    if (f->vector == TIMER) {
        look_at_rep(f);
        return;
    }
    put_hex(" v=", f->vector);
    put_hex(" e=", f->error);
    skip_case(f);
}

static void result(const char *name, int is_good)
{
    put_text(name);
    put_text(is_good ? ": ok\n" : ": wrong\n");
}

static uint64_t time_now(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

static void waits(void)
{
    uint64_t end = time_now() + 100000;
    uint32_t low = (uint32_t)end, high = end >> 32;
    uint8_t is_late;

    __asm__ volatile("umonitor %0" : : "r"(area));
    while (time_now() < end) { /* they may return earlier than they are told */
        __asm__ volatile("umwait %%ecx" : : "c"(0), "a"(low), "d"(high) : "cc");
        __asm__ volatile("tpause %%ecx" : : "c"(1), "a"(low), "d"(high) : "cc");
    }
    __asm__ volatile("tpause %%ecx\n\tsetc %0" : "=q"(is_late) : "c"(0), "a"(low), "d"(high) : "cc");
    result("WAITPKG", !is_late);
    CASE("UMWAIT, reserved", "mov $2, %%ecx\numwait %%ecx", "i"(0));
}

static void direct_stores(void)
{
    uint64_t *from = (uint64_t *)block[0], *to = (uint64_t *)block[1];
    int is_good = 1;

    for (int n = 0; n < 16; n++) {
        from[n] = n + 1;
        to[n] = 0;
    }
    __asm__ volatile("movdiri %1, %0" : "=m"(to[0]) : "r"(0x1122334455667788));
    __asm__ volatile("movdiri %1, %0" : "=m"(*(uint32_t *)&to[1]) : "r"(0x99aabbcc));
    result("MOVDIRI", to[0] == 0x1122334455667788 && to[1] == 0x99aabbcc);
    __asm__ volatile("movdir64b (%0), %1" : : "r"(from + 3), "r"(to) : "memory");
    for (int n = 0; n < 16; n++) {
        is_good &= to[n] == (n < 8 ? n + 4u : 0);
    }
    result("MOVDIR64B", is_good);
    CASE("MOVDIR64B, not aligned", "lea 8(%0), %%rax\nmovdir64b (%0), %%rax", "r"(block[1]));
    CASE("ENQCMD, no PASID", "mov %0, %%rax\nenqcmd (%0), %%rax", "r"(block[1]));
}

static void numbers(void)
{
    uint64_t id;
    uint32_t low, high, aux;
    uint64_t random[2] = { 0 };
    uint8_t has[2];

    wrmsr(0xc0000103, 0x1234567);
    __asm__ volatile("rdpid %0" : "=r"(id));
    __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
    result("RDPID", id == 0x1234567 && aux == 0x1234567);
    __asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(random[0]), "=q"(has[0]) : : "cc");
    __asm__ volatile("rdseed %0\n\tsetc %1" : "=r"(random[1]), "=q"(has[1]) : : "cc");
    result("RDRAND, RDSEED", has[0] && has[1] && random[0] != random[1]);
    __asm__ volatile("serialize");
    result("SERIALIZE", 1);
}

static void caches(void)
{
    block[0][5] = 7;
    __asm__ volatile("clflush %0\n\tclflushopt %0\n\tclwb %0\n\tsfence" : : "m"(block[0][5]));
    __asm__ volatile("wbinvd\n\twbnoinvd" : : : "memory");
    result("caches", block[0][5] == 7);
}

/* --- extended state --- */

static void set_ymm1(uint64_t value)
{
    __asm__ volatile("vmovq %0, %%xmm1\n\tvinserti128 $1, %%xmm1, %%ymm1, %%ymm1" : : "r"(value));
}

static uint64_t ymm1_high(void)
{
    uint64_t value;

    __asm__ volatile("vextracti128 $1, %%ymm1, %%xmm2\n\tvmovq %%xmm2, %0" : "=r"(value));
    return value;
}

#define SAVED(name, save, restore, compacted)                                                      \
    do {                                                                                           \
        for (unsigned n_ = 0; n_ < sizeof(area); n_++) {                                           \
            area[n_] = 0;                                                                          \
        }                                                                                          \
        set_ymm1(0x123456789abcdef);                                                               \
        __asm__ volatile(save " (%0)" : : "r"(area), "a"(7), "d"(0) : "memory");                   \
        set_ymm1(0);                                                                               \
        __asm__ volatile(restore " (%0)" : : "r"(area), "a"(7), "d"(0) : "memory");                \
        result(name, ymm1_high() == 0x123456789abcdef &&                                           \
                     *(uint64_t *)(area + 520) == (compacted ? 1ull << 63 | 7 : 0));               \
    } while (0)

static void extended_state(void)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"(7), "d"(0));
    SAVED("XSAVE", "xsave64", "xrstor64", 0);
    SAVED("XSAVEOPT", "xsaveopt64", "xrstor64", 0);
    SAVED("XSAVEC", "xsavec64", "xrstor64", 1);
    SAVED("XSAVES", "xsaves64", "xrstors64", 1);
    *(uint64_t *)(area + 520) = 0;
    CASE("XRSTORS, not compacted", "mov $7, %%eax\nxor %%edx, %%edx\nxrstors (%0)", "r"(area));
}

/* --- pages --- */

static void set_pkru(uint32_t value)
{
    __asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0));
}

static uint32_t get_pkru(void)
{
    uint32_t value, high;

    __asm__ volatile("rdpkru" : "=a"(value), "=d"(high) : "c"(0));
    return value;
}

static void set_page(uint64_t entry)
{
    PTE = entry;
    __asm__ volatile("invlpg (%0)" : : "r"(PAGE) : "memory");
}

static void keys(void)
{
    __asm__ volatile("stac");
    set_page(0x21007 | 5ull << 59);
    set_pkru(1u << 10);
    CASE("key without access", "mov (%0), %%eax", "r"(PAGE));
    set_pkru(2u << 10);
    CASE("key without writes, read", "mov (%0), %%eax", "r"(PAGE));
    CASE("key without writes, write", "mov %%eax, (%0)", "r"(PAGE));
    result("RDPKRU", get_pkru() == 2u << 10);
    set_pkru(0);
    __asm__ volatile("clac");
    CASE("SMAP", "mov (%0), %%eax", "r"(PAGE));
    CASE("SMEP", "jmp *%0", "r"(PAGE));
    set_page(0x21003 | 1ull << 63);
    CASE("NX", "jmp *%0", "r"(PAGE));
    set_page(0x21007);
}

static void large_page(void)
{
    uint64_t before = GIB;

    GIB = 0x83;
    __asm__ volatile("invlpg (%0)" : : "r"(0x40000000ull) : "memory");
    result("page of 1 GiB", *(volatile uint64_t *)(0x40000000 + (uint64_t)gdt) == gdt[0] &&
                            *(volatile uint64_t *)(0x40000018 + (uint64_t)gdt) == gdt[3]);
    GIB = before;
    __asm__ volatile("invlpg (%0)" : : "r"(0x40000000ull) : "memory");
}

static uint32_t page_word(void)
{
    return *(volatile uint32_t *)PAGE;
}

/* Two spaces whose entry differs; one that is not told of keeps the old. */
static void spaces(void)
{
    struct { uint64_t pcid, address; } one = { 1, PAGE }, two = { 2, PAGE };
    uint64_t cr3;

    *(volatile uint32_t *)0x50000 = 0x11111111;
    *(volatile uint32_t *)0x51000 = 0x22222222;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    __asm__ volatile("mov %0, %%cr3" : : "r"(cr3 | 1));
    set_page(0x50003);
    int is_good = page_word() == 0x11111111;

    __asm__ volatile("mov %0, %%cr3" : : "r"(cr3 | 2));
    set_page(0x51003);
    is_good &= page_word() == 0x22222222;
    __asm__ volatile("invpcid %0, %1" : : "m"(one), "r"(0ull) : "memory"); /* an address of one */
    __asm__ volatile("mov %0, %%cr3" : : "r"(cr3 | 1 | 1ull << 63));
    is_good &= page_word() == 0x22222222;
    PTE = 0x50003;
    __asm__ volatile("invpcid %0, %1" : : "m"(two), "r"(1ull) : "memory"); /* all of two */
    __asm__ volatile("mov %0, %%cr3" : : "r"(cr3 | 2 | 1ull << 63));
    is_good &= page_word() == 0x11111111;
    PTE = 0x51003;
    __asm__ volatile("invpcid %0, %1" : : "m"(one), "r"(2ull) : "memory"); /* all */
    is_good &= page_word() == 0x22222222;
    PTE = 0x50003;
    __asm__ volatile("invpcid %0, %1" : : "m"(one), "r"(3ull) : "memory"); /* all but global ones */
    is_good &= page_word() == 0x11111111;
    result("PCID, INVPCID", is_good);
    CASE("INVPCID, reserved", "mov $4, %%eax\ninvpcid (%0), %%rax", "r"(&one));
    __asm__ volatile("mov %0, %%cr3" : : "r"(cr3));
    set_page(0x21007);
}

/* --- users --- */

static void bases(void)
{
    uint64_t fs, gs, swapped;

    __asm__ volatile("wrfsbase %3\n\twrgsbase %4\n\trdfsbase %0\n\trdgsbase %1\n\tswapgs\n\twrgsbase %3\n\t"
                     "swapgs\n\trdgsbase %2"
                     : "=&r"(fs), "=&r"(gs), "=&r"(swapped) : "r"(0x123456789abc), "r"(0x23456789abcd));
    result("FSGSBASE", fs == 0x123456789abc && gs == 0x23456789abcd && swapped == gs &&
                       rdmsr(0xc0000102) == 0x123456789abc);
}

static void users(void)
{
    USER(syscall_returns, "syscall");
    USER(umip, "sgdt -16(%rsp)\nsyscall");
    USER(tpause, "xor %eax, %eax\nxor %edx, %edx\nxor %ecx, %ecx\ntpause %ecx\nsyscall");
    USER(own_key, "xor %eax, %eax\nxor %edx, %edx\nxor %ecx, %ecx\nwrpkru\nrdpkru\nsyscall");
    USER(bases, "rdfsbase %rax\nwrfsbase %rax\nsyscall");
    USER(int_8, "int $8");
    USER(monitor, "monitor");
    USER(xsaves, "xsaves (%rsp)");
    USER(invpcid, "invpcid (%rsp), %rax");
    USER(wbnoinvd, "wbnoinvd");
}

static void set_features(uint64_t cr4)
{
    __asm__ volatile("mov %%cr4, %%rax\n\tor %0, %%rax\n\tmov %%rax, %%cr4" : : "r"(cr4) : "rax");
}

static void interrupted_rep(void)
{
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    APIC[SVR] = 0x1ff;
    APIC[DIVIDE] = 0xb;
    APIC[LVT] = TIMER;
    for (uint32_t n = 0; n < 20000 && !is_inside; n++) {
        uint64_t to = FILLED, count = FILLING;

        fill_value++;
        APIC[COUNT] = 10000 + n % 64 * 1000;
        __asm__ volatile("sti\nfill_at: rep stosb\ncli" : "+D"(to), "+c"(count) : "a"(fill_value) : "memory");
        is_exact &= !count && to == FILLED + FILLING && *(uint8_t *)(FILLED + FILLING - 1) == fill_value;
    }
    result("interrupted REP", is_inside && is_exact);
}

void guest_main(int cpu)
{
    load_idt();
    load_gdt();
    set_features(CR4_FEATURES);
    waits();
    direct_stores();
    numbers();
    caches();
    extended_state();
    keys();
    large_page();
    spaces();
    bases();
    users();
    interrupted_rep();
    outb(0x501, 0);
}
