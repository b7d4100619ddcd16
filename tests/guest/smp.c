/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUS processors at once: locked instructions of all widths, also over ends of lines and pages, memory
 * ordering, translations taken back by interrupt, code that another one changes, NMIs. One line
 * for each, to port 0x402; ends at port 0x501.
 */
#define VECTORS 64
#include "bare_traps.h"

#define ROUNDS 20000
#define IRQ    60
#define APIC   ((volatile uint32_t *)0xfee00000)
#define SVR    (0xf0 / 4)
#define EOI    (0xb0 / 4)
#define ICR    (0x300 / 4)
#define PTE    (*(volatile uint64_t *)0x16040) /* of PAGE: see debug_guest.S */
#define PAGE   ((volatile uint32_t *)0xffffffff80008000)
#define FRAMES 0x50000u
#define PAIR   0x60000u /* pages whose border is crossed */
#define CODE   ((volatile uint8_t *)0x70000)

static volatile uint32_t arrived, generation;
static volatile struct {
    uint8_t b;
    uint16_t w;
    uint32_t d, by_lock, inc;
    uint64_t q, cmpxchg;
    uint32_t lock;
} sums __attribute__((aligned(64)));
static volatile unsigned __int128 wide __attribute__((aligned(16)));
static volatile uint8_t line[128] __attribute__((aligned(64)));
static volatile uint32_t flushed, nmis;
static volatile uint64_t data, flag, x, y, seen[2];
static volatile uint32_t bad;

void handle(Frame *f)
{
    if (f->vector == 2) {
        __atomic_add_fetch(&nmis, 1, __ATOMIC_SEQ_CST);
    } else if (f->vector == IRQ) {
        __asm__ volatile("invlpg (%0)" : : "r"(PAGE) : "memory");
        __atomic_add_fetch(&flushed, 1, __ATOMIC_SEQ_CST);
        APIC[EOI] = 0;
    } else {
        put_hex("unexpected v=", f->vector);
        put_hex(" at=", f->rip);
        for (;;) {
            outb(0x501, 1);
        }
    }
}

/* All come here before one goes on. */
static void meet(void)
{
    uint32_t now = generation;

    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == CPUS) {
        arrived = 0;
        __atomic_add_fetch(&generation, 1, __ATOMIC_SEQ_CST);
    }
    while (generation == now) {
        __builtin_ia32_pause();
    }
}

static void result(const char *name, int is_good)
{
    put_text(name);
    put_text(is_good ? ": ok\n" : ": wrong\n");
}

/* --- locked instructions --- */

static void add_wide(void)
{
    uint64_t low = (uint64_t)wide, high = (uint64_t)(wide >> 64);
    uint8_t is_done;

    do {
        uint64_t next = low + 1;

        __asm__ volatile("lock cmpxchg16b %1\nsete %0" : "=q"(is_done), "+m"(wide), "+a"(low), "+d"(high)
                         : "b"(next), "c"(high - 3));
    } while (!is_done);
}

static void add_all(void)
{
    uint64_t one = 1;
    uint32_t old;

    __asm__ volatile("lock addb $1, %0" : "+m"(sums.b));
    __asm__ volatile("lock addw $3, %0" : "+m"(sums.w));
    __asm__ volatile("lock subl $1, %0" : "+m"(sums.d));
    __asm__ volatile("lock incl %0" : "+m"(sums.inc));
    __asm__ volatile("lock xaddq %1, %0" : "+m"(sums.q), "+r"(one));
    __asm__ volatile("lock addl $1, %0" : "+m"(*(volatile uint32_t *)(line + 62)));
    __asm__ volatile("lock addl $1, %0" : "+m"(*(volatile uint32_t *)(uintptr_t)(PAIR + 4096 - 2)));
    add_wide();
    do {
        old = (uint32_t)sums.cmpxchg;
    } while (!__atomic_compare_exchange_n((volatile uint32_t *)&sums.cmpxchg, &old, old + 1, 0,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    while (__atomic_exchange_n(&sums.lock, 1, __ATOMIC_SEQ_CST)) {
        __builtin_ia32_pause();
    }
    sums.by_lock++;
    sums.lock = 0;
}

static void locked(int cpu)
{
    uint32_t all = CPUS * ROUNDS;

    meet();
    for (int n = 0; n < ROUNDS; n++) {
        add_all();
    }
    meet();
    if (!cpu) {
        result("widths", sums.b == (uint8_t)all && sums.w == (uint16_t)(3 * all) && sums.d == -all &&
                         sums.inc == all && sums.q == all);
        result("cmpxchg", sums.cmpxchg == all);
        result("cmpxchg16b", (uint64_t)wide == all && (uint64_t)(wide >> 64) == -3 * (uint64_t)all);
        result("over a line's end", *(volatile uint32_t *)(line + 62) == all);
        result("over a page's end", *(volatile uint32_t *)(uintptr_t)(PAIR + 4096 - 2) == all);
        result("a lock", sums.by_lock == all);
    }
}

/* --- ordering --- */

static void ordering(int cpu)
{
    for (uint64_t n = 1; n <= ROUNDS; n++) {
        if (cpu == 0) {
            data = n;
            flag = n;
        } else {
            uint64_t now = flag;

            if (data < now) {
                bad = 1;
            }
        }
    }
    meet();
    for (int n = 0; n < ROUNDS / 50; n++) {
        x = y = 0;
        meet();
        if (cpu < 2) {
            volatile uint64_t *mine = cpu ? &y : &x, *other = cpu ? &x : &y;

            *mine = 1;
            __asm__ volatile("mfence" : : : "memory");
            seen[cpu] = *other;
        }
        meet();
        if (!cpu && !seen[0] && !seen[1]) {
            bad = 2;
        }
        meet();
    }
    if (!cpu) {
        result("stores in order", bad != 1);
        result("fences", bad != 2);
    }
}

/* --- translations --- */

static void map(uint32_t n)
{
    PTE = (FRAMES + n % 8 * 0x1000) | 3;
    flushed = 0;
    __asm__ volatile("invlpg (%0)" : : "r"(PAGE) : "memory");
    APIC[ICR] = 0xc4000 | IRQ; /* to all others */
    while (flushed != CPUS - 1) {
        __builtin_ia32_pause();
    }
}

/* What is read is the frame of now, or of the next change, never one from before. */
static void shootdown(int cpu)
{
    for (uint32_t n = 0; !cpu && n < 8; n++) {
        *(volatile uint32_t *)(uintptr_t)(FRAMES + 0x1000 * n) = n;
    }
    if (!cpu) {
        PTE = FRAMES | 3;
        data = 0;
    }
    meet();
    for (uint32_t n = 1; !cpu && n <= ROUNDS / 50; n++) {
        map(n);
        data = n;
        bad = *PAGE == n % 8 ? bad : 3;
    }
    while (cpu && data != ROUNDS / 50) {
        uint64_t before = data;
        uint32_t value = *PAGE;
        uint64_t after = data;

        if (((value - before) & 7) > after + 1 - before) {
            bad = 3;
        }
        __builtin_ia32_pause();
    }
    meet();
    if (!cpu) {
        result("translations", bad != 3);
    }
}

/* --- code of another --- */

static uint32_t call_code(void)
{
    uint32_t value;

    __asm__ volatile("call *%1" : "=a"(value) : "r"(CODE) : "memory");
    return value;
}

/* mov $n, %eax; ret: the number is aligned, and written at once. */
static void code(int cpu)
{
    volatile uint32_t *number = (volatile uint32_t *)(CODE + 4);

    if (!cpu) {
        CODE[0] = CODE[1] = CODE[2] = 0x90;
        CODE[3] = 0xb8;
        *number = 0;
        CODE[8] = 0xc3;
        data = 0;
    }
    meet();
    for (uint32_t n = 1; n <= ROUNDS / 10; n++) {
        if (!cpu) {
            *number = n;
            data = n;
        }
        uint64_t least = data;
        uint32_t eax = 0, ebx, ecx = 0, edx;

        __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx) : : "memory");
        uint32_t value = call_code();

        if (value < least || value > ROUNDS / 10) {
            bad = 4;
        }
    }
    meet();
    if (!cpu) {
        result("code", bad != 4 && call_code() == ROUNDS / 10);
    }
}

static void nmi(int cpu)
{
    meet();
    if (!cpu) {
        for (int n = 1; n <= 50; n++) {
            APIC[ICR] = 0xc0400; /* NMI to the others */
            while (nmis != (uint32_t)n * (CPUS - 1)) {
                __builtin_ia32_pause();
            }
        }
        result("NMIs", 1);
    }
    meet();
}

static void start_others(void)
{
    APIC[ICR] = 0x000c4500; /* INIT to all others */
    for (volatile int i = 0; i < 1000; i++) {
    }
    APIC[ICR] = 0x000c46f0; /* STARTUP at 0xf0000 */
}

void guest_main(int cpu)
{
    if (!cpu) {
        outb(0x21, 0xff);
        outb(0xa1, 0xff);
    }
    load_idt();
    APIC[SVR] = 0x1ff;
    if (!cpu) {
        start_others();
    }
    meet();
    __asm__ volatile("sti");
    locked(cpu);
    ordering(cpu);
    shootdown(cpu);
    code(cpu);
    nmi(cpu);
    if (!cpu) {
        outb(0x501, 0);
    }
    for (;;) {
        __asm__ volatile("hlt");
    }
}
