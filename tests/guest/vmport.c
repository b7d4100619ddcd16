/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls VMware's port as its tools do, and prints what the registers hold afterwards to port 0x402;
 * "." is one that kept all 64 bits. Ends at port 0x501 (isa-debug-exit).
 */
#include <stdint.h>

#define MAGIC 0x564d5868
#define UPPER 0x1111111100000000

typedef struct Regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi;
} Regs;

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

static void put_hex(uint64_t value)
{
    int shift = 60;

    while (shift && !(value >> shift)) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        outb(0x402, "0123456789abcdef"[value >> shift & 15]);
    }
}

static void put_reg(const char *name, uint64_t before, uint64_t after)
{
    put_text(name);
    if (before == after) {
        put_text(".");
    } else {
        put_hex(after);
    }
}

static Regs call_in(Regs r)
{
    __asm__ volatile("inl %%dx, %%eax"
                     : "+a"(r.rax), "+b"(r.rbx), "+c"(r.rcx), "+d"(r.rdx), "+S"(r.rsi), "+D"(r.rdi));
    return r;
}

static Regs call_out(Regs r)
{
    __asm__ volatile("outl %%eax, %%dx"
                     : "+a"(r.rax), "+b"(r.rbx), "+c"(r.rcx), "+d"(r.rdx), "+S"(r.rsi), "+D"(r.rdi));
    return r;
}

static Regs before(uint32_t magic, uint32_t command, uint32_t rbx)
{
    return (Regs){ UPPER | magic, UPPER | rbx, UPPER | command, UPPER | 0x5658, UPPER | 5,
                   UPPER | 6 };
}

static void show(const char *name, Regs was, Regs is)
{
    put_text(name);
    put_reg(": rax=", was.rax, is.rax);
    put_reg(" rbx=", was.rbx, is.rbx);
    put_reg(" rcx=", was.rcx, is.rcx);
    put_reg(" rdx=", was.rdx, is.rdx);
    put_reg(" rsi=", was.rsi, is.rsi);
    put_reg(" rdi=", was.rdi, is.rdi);
    put_text("\n");
}

static Regs in(const char *name, uint32_t magic, uint32_t command, uint32_t rbx)
{
    Regs was = before(magic, command, rbx), is = call_in(was);

    if (name) {
        show(name, was, is);
    }
    return is;
}

/* Microseconds of a second, and seconds that agree with those of the older command. */
static void time_of_day(void)
{
    Regs old = in(0, MAGIC, 0x17, 0), full = in(0, MAGIC, 0x2e, 0);
    uint64_t seconds = full.rsi << 32 | full.rdx;

    put_text(full.rax == MAGIC && full.rbx < 1000000 && seconds - old.rax <= 1 ? "time goes\n"
                                                                            : "no time\n");
}

void guest_main(int cpu)
{
    Regs was = before(MAGIC, 10, 0);

    in("version", MAGIC, 10, 0);
    show("version by out", was, call_out(was));
    in("memory", MAGIC, 0x14, 0);
    in("uuid", MAGIC, 0x13, 0);
    time_of_day();
    in("unknown", MAGIC, 0x7e, 0);
    in("no call", 1234, 10, 0);
    in("pointer, on", MAGIC, 41, 0x45414552);
    in("pointer, words", MAGIC, 40, 0);
    in("pointer, its name", MAGIC, 39, 1);
    outb(0x501, 0);
}
