/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware debug_guest.S runs: something to be looked at, stopped and watched. The first CPU
 * starts the second if there is one, touches a page through each of the tables' kinds, and counts;
 * GUEST_STOPS ends it there.
 */
#include <stdint.h>

#if BITS == 64
#define ALIAS 0xffffffff80000000ul
#else
#define ALIAS 0x40000000ul
#endif
#define APIC_ICR (*(volatile uint32_t *)0xfee00300)
#define APIC_SVR (*(volatile uint32_t *)0xfee000f0)

volatile uint64_t counter, ap_counter, total;
volatile uint8_t bytes[16];

int __attribute__((noinline)) inner(int n)
{
    counter += n;
    return counter;
}

int __attribute__((noinline)) middle(int n)
{
    int twice = inner(n + 1) * 2;

    bytes[counter & 15] = twice;
    return twice;
}

static void start_next(void)
{
    APIC_SVR = 0x1ff;
    APIC_ICR = 0x000c4500; /* INIT to all others */
    for (volatile int i = 0; i < 1000; i++) {
    }
    APIC_ICR = 0x000c46f0; /* STARTUP at 0xf0000 */
}

static void touch_alias(void)
{
    volatile uint32_t *alias = (volatile uint32_t *)ALIAS;

    alias[1] += 1;                /* accessed and dirty */
    (void)alias[0x1000 / 4];      /* accessed */
}

void guest_main(int cpu)
{
    if (cpu) {
        for (;;) {
            ap_counter++;
        }
    }
    touch_alias();
#ifdef GUEST_STOPS
    return;
#endif
    start_next();
    for (;;) {
        total += middle(2);
    }
}
