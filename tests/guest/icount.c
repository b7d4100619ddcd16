/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When interrupts come: a timer of the local APIC, shorter and shorter, in a loop of work and in HLT.
 * Each is a line on port 0x402: where, the loop's counter, the time stamp. Ends at port 0x501.
 */
#define VECTORS 64
#include "bare_traps.h"

#define IRQ 60
#define LINES 60

static volatile int lines;
static volatile uint32_t work[256];

static uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

void handle(Frame *f)
{
    put_hex("v=", f->vector);
    put_hex(" at=", f->rip);
    put_hex(" work=", work[0]);
    put_hex(" tsc=", tsc());
    put_text("\n");
    while (f->vector != IRQ) {
        outb(0x501, 1);
    }
    wrmsr(0x80b, 0);
    if (++lines < LINES) {
        wrmsr(0x838, 500000 - 7000 * lines); /* once */
    }
}

void guest_main(int cpu)
{
    load_idt();
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    wrmsr(0x1b, rdmsr(0x1b) | 0x400);
    wrmsr(0x80f, 0x1ff);
    wrmsr(0x83e, 11); /* divided by 1 */
    wrmsr(0x832, IRQ);
    wrmsr(0x838, 500000);
    __asm__ volatile("sti");
    while (lines < LINES) {
        for (int n = 0; n < 256; n++) {
            work[n] = work[n] * 5 + work[(n * 7) % 256] + 1;
        }
        if (lines % 3 == 2) {
            __asm__ volatile("hlt");
        }
    }
    put_hex("end, work=", work[17]);
    put_hex(" tsc=", tsc());
    put_text("\n");
    outb(0x501, 0);
}
