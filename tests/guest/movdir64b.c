/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MOVDIR64B in 32-bit mode: its destination is in ES, whatever the source is in. Ends at port 0x501. */
#include "bare_text.h"

enum { CODE = 8, DATA = 16, SHIFTED = 24, BASE = 0x1000 };

static uint64_t gdt[4];
static uint8_t block[BASE + 128] __attribute__((aligned(4096)));
static uint8_t source[96];

static void load_gdt(void)
{
    struct { uint16_t limit; uint32_t base; } __attribute__((packed)) pointer = { sizeof(gdt) - 1, (uint32_t)gdt };

    gdt[CODE / 8] = 0x00cf9b000000ffff;
    gdt[DATA / 8] = 0x00cf93000000ffff;
    gdt[SHIFTED / 8] = gdt[DATA / 8] | (uint64_t)BASE << 16;
    __asm__ volatile("lgdt %0" : : "m"(pointer));
}

static void put_first(const char *name)
{
    put_text(name);
    put_hex(" ", block[0]);
    put_hex(" ", block[63]);
    put_hex(" ", block[BASE]);
    put_hex(" ", block[BASE + 63]);
    put_hex(" ", block[BASE + 64]);
    put_text("\n");
    for (unsigned n = 0; n < sizeof(block); n++) {
        block[n] = 0;
    }
}

void guest_main(int cpu)
{
    load_gdt();
    for (unsigned n = 0; n < sizeof(source); n++) {
        source[n] = n + 0x10;
    }
    __asm__ volatile("movdir64b (%0), %1" : : "r"(source + 3), "r"(block) : "memory");
    put_first("flat:");
    __asm__ volatile("mov %2, %%es\n\tmovdir64b (%0), %1\n\tmov %3, %%es"
                     : : "r"(source + 5), "r"(block), "r"(SHIFTED), "r"(DATA) : "memory");
    put_first("ES:");
    __asm__ volatile("mov %2, %%es\n\tmovdir64b %%es:-0x1000(%0), %1\n\tmov %3, %%es"
                     : : "r"(source + 7), "r"(block), "r"(SHIFTED), "r"(DATA) : "memory");
    put_first("both:");
    __asm__ volatile("mov %2, %%ds\n\tmovdir64b -0x1000(%0), %1\n\tmov %3, %%ds"
                     : : "r"(source + 9), "r"(block), "r"(SHIFTED), "r"(DATA) : "memory");
    put_first("DS:");
    outb(0x501, 0);
}
