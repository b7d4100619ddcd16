/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One processor changes code that others run at that moment: with and without serialization on their side,
 * over a page's end, through another mapping, by stores of all kinds, under a breakpoint as kernels do it.
 * One line for each, to port 0x402; ends at port 0x501.
 */
#define VECTORS 64
#include "bare_traps.h"

#define ROUNDS 200
#define SYNC   60 /* an interrupt that all others acknowledge; IRET serializes */
#define APIC   ((volatile uint32_t *)0xfee00000)
#define SVR    (0xf0 / 4)
#define EOI    (0xb0 / 4)
#define ICR    (0x300 / 4)
#define PTE    (*(volatile uint64_t *)0x16040) /* of ALIAS: see debug_guest.S */
#define ALIAS  ((volatile uint8_t *)0xffffffff80008000)
#define CODE   ((volatile uint8_t *)0x70000) /* two pages */
#define BORDER (CODE + 0x1000)

static volatile uint32_t arrived, generation, acknowledged, is_over, bad, at_breakpoint;
static volatile uint64_t least;
/* Where a breakpoint may be met, and by how much it is passed: as if the call were not there. */
static volatile uint64_t breakpoint_at;
static volatile uint32_t breakpoint_bytes;

void handle(Frame *f)
{
    if (f->vector == 3 && f->rip - 1 == breakpoint_at) {
        f->rip += breakpoint_bytes - 1;
        __atomic_add_fetch(&at_breakpoint, 1, __ATOMIC_SEQ_CST);
    } else if (f->vector == SYNC) {
        __atomic_add_fetch(&acknowledged, 1, __ATOMIC_SEQ_CST);
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

static void serialize(void)
{
    uint32_t eax = 0, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx) : : "memory");
}

static void sync_others(void)
{
    acknowledged = 0;
    APIC[ICR] = 0xc4000 | SYNC;
    while (acknowledged != CPUS - 1) {
        __builtin_ia32_pause();
    }
}

static void put_code(volatile uint8_t *to, const char *bytes, unsigned count)
{
    for (unsigned n = 0; n < count; n++) {
        to[n] = bytes[n];
    }
}
#define PUT(to, bytes) put_code(to, bytes, sizeof(bytes) - 1)

static uint32_t call(volatile uint8_t *code)
{
    uint32_t value;

    __asm__ volatile("xor %%eax, %%eax\n\tcall *%1" : "=&a"(value) : "r"(code) : "memory", "cc");
    return value;
}

static void end(int cpu, const char *name)
{
    meet();
    if (!cpu) {
        put_text(name);
        put_text(bad ? ": wrong\n" : ": ok\n");
        bad = is_over = 0;
        least = 0;
    }
    meet();
}

/* --- a loop that never leaves its code sees that it has changed --- */

static void endless(int cpu)
{
    for (uint32_t n = 0; n < 20; n++) {
        if (!cpu) {
            PUT(CODE, "\xb8\0\0\0\0\x85\xc0\x74\xf7\xc3"); /* 1: mov $0, %eax; test; jz 1b; ret */
        }
        serialize();
        meet();
        if (!cpu) {
            for (volatile int i = 0; i < 20000; i++) { /* they are in it, and it is hot */
            }
            CODE[1 + n % 4] = 1;
        } else {
            bad |= call(CODE) != 1u << 8 * (n % 4);
        }
        meet();
    }
    end(cpu, "endless loop");
}

/* --- a number in code, by each kind of store: it only grows, and whole --- */

typedef void Store(volatile uint32_t *to, uint32_t n);

static void store_plain(volatile uint32_t *to, uint32_t n)
{
    *to = n;
}

static void store_exchange(volatile uint32_t *to, uint32_t n)
{
    __atomic_exchange_n(to, n, __ATOMIC_SEQ_CST);
}

static void store_compared(volatile uint32_t *to, uint32_t n)
{
    uint32_t old = n - 1;

    bad |= !__atomic_compare_exchange_n(to, &old, n, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void store_added(volatile uint32_t *to, uint32_t n)
{
    __atomic_add_fetch(to, 1, __ATOMIC_SEQ_CST);
}

static void store_wide(volatile uint32_t *to, uint32_t n)
{
    uint64_t code = (uint64_t)n << 32 | 0xb8909090u;

    *(volatile uint64_t *)(to - 1) = code;
}

static void store_pair(volatile uint32_t *to, uint32_t n)
{
    uint64_t low = (uint64_t)(n - 1) << 32 | 0xb8909090u, high = 0xc3;
    uint8_t is_done;

    __asm__ volatile("lock cmpxchg16b %1\n\tsete %0"
                     : "=q"(is_done), "+m"(*(volatile unsigned __int128 *)(to - 1)), "+a"(low), "+d"(high)
                     : "b"((uint64_t)n << 32 | 0xb8909090u), "c"(high));
    bad |= !is_done;
}

static void store_moved(volatile uint32_t *to, uint32_t n)
{
    uint32_t value = n, count = 1;
    const uint32_t *from = &value;

    __asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
}

static void store_filled(volatile uint32_t *to, uint32_t n)
{
    uint32_t count = 1;

    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(n) : "memory");
}

/* nop; nop; nop; mov $n, %eax; ret. */
static void number(int cpu, Store *store, volatile uint8_t *through, int serializes)
{
    uint32_t last = 0;

    if (!cpu) {
        PUT(CODE, "\x90\x90\x90\xb8\0\0\0\0\xc3\0\0\0\0\0\0");
        least = 0;
    }
    serialize();
    meet();
    for (uint32_t n = 1; !cpu && n <= ROUNDS; n++) {
        store((volatile uint32_t *)(through + 4), n);
        least = n;
    }
    while (cpu && last != ROUNDS) {
        uint64_t now = least;

        if (serializes) {
            serialize();
        }
        uint32_t value = call(CODE);

        bad |= value < last || value > ROUNDS || (serializes && value < now);
        last = value;
    }
    meet();
}

static void numbers(int cpu)
{
    static Store *const stores[] = { store_plain, store_exchange, store_compared, store_added, store_wide,
                                     store_pair,  store_moved,    store_filled };

    for (unsigned n = 0; n < sizeof(stores) / sizeof(stores[0]); n++) {
        number(cpu, stores[n], CODE, 1);
    }
    end(cpu, "stores, serialized");
    for (unsigned n = 0; n < sizeof(stores) / sizeof(stores[0]); n++) {
        number(cpu, stores[n], CODE, 0);
    }
    end(cpu, "stores, not serialized");
}

/* --- the page is written through another mapping --- */

static void aliased(int cpu)
{
    if (!cpu) {
        PTE = (uint64_t)CODE | 3;
    }
    __asm__ volatile("invlpg (%0)" : : "r"(ALIAS) : "memory");
    meet();
    number(cpu, store_plain, ALIAS, 1);
    number(cpu, store_moved, ALIAS, 0);
    end(cpu, "another mapping");
}

/* --- an instruction over a page's end: a byte of it in the first page, then one in the second --- */

static void over_border(int cpu, unsigned byte)
{
    volatile uint8_t *start = BORDER - 3; /* mov $..., %eax with the upper half of the number behind */

    if (!cpu) {
        PUT(start, "\xb8\0\0\0\0\xc3");
    }
    serialize();
    meet();
    for (uint32_t n = 1; !cpu && n <= ROUNDS; n++) {
        start[1 + byte] = n;
        sync_others();
        least = n;
    }
    while (cpu && least != ROUNDS) {
        uint64_t before = least;
        uint32_t value = call(start);
        uint64_t after = least;

        bad |= value & ~(0xffu << 8 * byte) || (uint8_t)((value >> 8 * byte) - before) > after + 1 - before;
    }
    meet();
    least = 0;
    meet();
}

/* --- no operation becomes a call and is one again, under a breakpoint: as kernels do it --- */

static void poke(volatile uint8_t *at, const char *bytes)
{
    *at = 0xcc;
    sync_others();
    put_code(at + 1, bytes + 1, 4);
    sync_others();
    *at = bytes[0];
    sync_others();
}

static void poked(int cpu, volatile uint8_t *at)
{
    volatile uint8_t *called = CODE + 0x800; /* inc %eax; ret */
    char call_bytes[5] = { '\xe8' };
    static const char nop_bytes[5] = "\x0f\x1f\x44\0\0";

    *(uint32_t *)(call_bytes + 1) = (uint32_t)(called - (at + 5));
    if (!cpu) {
        PUT(called, "\xff\xc0\xc3");
        put_code(at, nop_bytes, 5);
        at[5] = 0xc3;
        breakpoint_at = (uint64_t)at;
        breakpoint_bytes = 5;
    }
    serialize();
    meet();
    for (uint32_t n = 1; !cpu && n <= ROUNDS / 4; n++) {
        poke(at, n & 1 ? call_bytes : nop_bytes);
        bad |= call(at) != (n & 1);
    }
    is_over |= !cpu;
    while (!is_over) {
        bad |= call(at) > 1;
    }
    meet();
    bad |= call(at) != (ROUNDS / 4 & 1);
    meet();
    is_over = 0;
    meet();
}

/* --- everybody changes his own and runs all, in one page --- */

static void together(int cpu)
{
    volatile uint8_t *mine = CODE + 0x40 * cpu;
    uint32_t last[CPUS] = { 0 };

    PUT(mine, "\x90\x90\x90\xb8\0\0\0\0\xc3");
    serialize();
    meet();
    for (uint32_t n = 1; n <= ROUNDS; n++) {
        *(volatile uint32_t *)(mine + 4) = n;
        for (int other = 0; other < CPUS; other++) {
            uint32_t value = call(CODE + 0x40 * other);

            bad |= value < last[other] || value > ROUNDS || (other == cpu && value != n);
            last[other] = value;
        }
    }
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
    endless(cpu);
    numbers(cpu);
    aliased(cpu);
    over_border(cpu, 0);
    over_border(cpu, 2);
    end(cpu, "over a page's end");
    poked(cpu, CODE + 0x100);
    poked(cpu, BORDER - 3);
    end(cpu, "under a breakpoint");
    together(cpu);
    end(cpu, "all at once");
    if (!cpu) {
        outb(0x501, 0);
    }
    for (;;) {
        __asm__ volatile("hlt");
    }
}
