/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bare-metal guests that say something: text and numbers to port 0x402. */
#ifndef GUEST_BARE_TEXT_H
#define GUEST_BARE_TEXT_H

#include <stdint.h>

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

static void put_hex(const char *name, uint64_t value)
{
    int shift = 60;

    put_text(name);
    while (shift && !(value >> shift)) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        outb(0x402, "0123456789abcdef"[value >> shift & 15]);
    }
}

#endif
