/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space of a microvm through memory: the first processor gives a root port's bus the
 * numbers 1 and 5 in turn and looks who is where, the second looks at all of both buses meanwhile;
 * then all 256 are scanned, SCANS times. One line for each, to port 0x402; ends at port 0x501.
 */
#include "bare_text.h"

#define ECAM    0xe0000000u
#define TABLE   ((volatile uint64_t *)0x13000) /* of 3 GiB in pages of 2 MiB: see debug_guest.S */
#define APIC    ((volatile uint32_t *)0xfee00000)
#define SVR     (0xf0 / 4)
#define ICR     (0x300 / 4)
#define PORT    (1u << 3)
#define ABSENT  0xffffffffu
#define ROUNDS  1000
#ifndef SCANS
#define SCANS 1
#endif
#define PRESENT 0x01
#define WRITE   0x02
#define LARGE   0x80
#define PCD     0x10

static volatile uint32_t is_over, scans, strangers, device_id, others;

static volatile uint32_t *function(unsigned bdf)
{
    return (volatile uint32_t *)(uintptr_t)(ECAM + (bdf << 12));
}

static void map_ecam(void)
{
    for (unsigned i = 0; i < 128; i++) {
        TABLE[0x100 + i] = (ECAM + i * 0x200000ull) | PRESENT | WRITE | LARGE | PCD;
    }
}

static void number(unsigned bus)
{
    function(PORT)[0x18 / 4] = bus << 8 | bus << 16;
}

static void scan(void)
{
    for (unsigned bdf = 0x100; bdf < 0x600; bdf += bdf == 0x1ff ? 0x301 : 1) {
        uint32_t id = *function(bdf);

        if (id != ABSENT && id != device_id) {
            strangers++;
        }
    }
    scans++;
}

static void renumber(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned bus = i & 1 ? 5 : 1;

        number(bus);
        wrong += *function(bus << 8) != device_id;
        wrong += *function((bus ^ 4) << 8) != ABSENT;
    }
    put_hex("renumbered, wrong ", wrong);
    put_text("\n");
}

/* Everywhere, as a kernel does that believes in 256 buses. */
static void scan_all(void)
{
    unsigned found = 0;

    number(1);
    for (unsigned bdf = 0; bdf < SCANS * 0x10000u; bdf += 8) {
        found += *function(bdf & 0xffff) != ABSENT;
    }
    put_hex("functions ", found);
    put_text("\n");
}

/* Nobody takes a write; bytes of a page that is nobody's are no instructions. */
static void write_nobody(void)
{
    *function(0xff00) = 0;
    put_hex("written, ", *function(0xff00));
    put_text("\n");
}

static void start_other(void)
{
    APIC[ICR] = 0x000c4500; /* INIT to all others */
    for (volatile int i = 0; i < 1000; i++) {
    }
    APIC[ICR] = 0x000c46f0; /* STARTUP at 0xf0000 */
}

void guest_main(int cpu)
{
    APIC[SVR] = 0x1ff;
    if (cpu) {
        others = 1;
        do {
            scan();
        } while (!is_over);
        others = 0;
        for (;;) {
            __asm__ volatile("hlt");
        }
    }
    map_ecam();
    number(1);
    device_id = *function(0x100);
    start_other();
    while (!scans) {
        __builtin_ia32_pause();
    }
    renumber();
    is_over = 1;
    while (others) {
        __builtin_ia32_pause();
    }
    put_hex("strangers ", strangers);
    put_text("\n");
    scan_all();
    write_nobody();
    outb(0x501, 0);
}
