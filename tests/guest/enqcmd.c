/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MOVDIR64B, ENQCMD and ENQCMDS with an intel-dsa in slot 5 and everything else there is to write to: a line for
 * each case, with the faults that it met, ZF and other flags, and what the device says of a descriptor that it
 * could not execute (SWERROR: whose it was). IA32_PASID, by MSR and XSAVES. Ends at port 0x501.
 */
#define VECTORS 32
#include "bare_user.h"

#define POINTERS ((volatile uint64_t *)0x11000) /* page directory pointers of the first 512 GiB */
#define PORTAL_PAGE 0xffffffff8000a000 /* a page of a user's, too; its entry: */
#define PORTAL_PTE (*(volatile uint64_t *)0x16050)
#define HOLE    0xffffffff8000c000 /* no page; the one before: */
#define LAST_PTE (*(volatile uint64_t *)0x16058)
#define ECAM    0xb0000000ull
#define BAR0    0xe4000000ull
#define BAR2    0xe8000000ull
#define SLOT    5
#define REG(at) (*(volatile uint32_t *)(BAR0 + (at)))
#define QUAD(at) (*(volatile uint64_t *)(BAR0 + (at)))
#define PORTAL(wq, kind) (BAR2 + 0x4000 * (wq) + 0x1000 * (kind))
#define CMD       0xa0
#define CMDSTATUS 0xa8
#define SWERROR   0xc0
#define MSIXPERM  0x400
#define PASID     0xd93
#define XSS       0xda0
#define VALID     0x80000000u
#define ARITHMETIC 0x8d5 /* OF, SF, ZF, AF, PF, CF */
enum { SHARED, DEDICATED, DISABLED, WQS }; /* work queues */
enum { NOOP, FILL = 4, UNKNOWN = 0x3f };   /* operations */

typedef struct Descriptor {
    uint32_t pasid, flags;
    uint64_t record, from, to;
    uint32_t size, rest[7];
} Descriptor;

/* Sources are anywhere, across pages too. */
static uint8_t sources[8192] __attribute__((aligned(4096)));
static uint64_t target[16] __attribute__((aligned(64)));
static uint8_t area[2][1024] __attribute__((aligned(64)));

void handle(Frame *f)
{
    put_hex(" v=", f->vector);
    put_hex(" e=", f->error);
    skip_case(f);
}

static void result(const char *name, int is_good)
{
    put_text(name);
    put_text(is_good ? ": ok\n" : ": wrong\n");
}

/* --- the device --- */

static void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port));
}

static void set_config(unsigned slot, unsigned reg, uint32_t value)
{
    outl(0xcf8, 0x80000000 | slot << 11 | reg);
    outl(0xcfc, value);
}

static void set_wq(unsigned wq, uint32_t size, uint32_t threshold, uint32_t mode)
{
    REG(0x800 + 32 * wq) = size;
    REG(0x804 + 32 * wq) = threshold;
    REG(0x808 + 32 * wq) = mode | 10 << 4;
    REG(0x80c + 32 * wq) = 31 | 5 << 5;
}

static int command(uint32_t code, uint32_t operand)
{
    REG(CMD) = code << 20 | operand;
    return !REG(CMDSTATUS);
}

static void set_up_pages(void)
{
    PTE = 0x60007;
    LAST_PTE = 0x61003;
    POINTERS[2] = 0x80000083;
    POINTERS[3] = 0xc0000083;
    __asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" : : : "rax", "memory");
}

static void set_up_device(void)
{
    set_config(0, 0x60, ECAM | 1);
    set_config(SLOT, 0x10, BAR0);
    set_config(SLOT, 0x14, 0);
    set_config(SLOT, 0x18, BAR2);
    set_config(SLOT, 0x1c, 0);
    set_config(SLOT, 4, 6);
    *(volatile uint16_t *)(ECAM + (SLOT << 15) + 0x236) = 1; /* PASIDs */
    set_wq(SHARED, 6, 2, 1 << 28);
    set_wq(DEDICATED, 4, 0, 1);
    set_wq(DISABLED, 4, 4, 1 << 28);
    QUAD(0x600) = (1 << WQS) - 1;
    QUAD(0x620) = 1; /* one engine */
    result("device", command(1, 0) && command(6, SHARED) && command(6, DEDICATED));
}

static Descriptor *describe(void *at, unsigned opcode, uint32_t pasid)
{
    Descriptor *d = at;

    *d = (Descriptor){ .pasid = pasid, .flags = opcode << 24 };
    return d;
}

/* What the device could not do, and of whom. */
static void told(const char *name)
{
    uint64_t error;

    while (!(QUAD(SWERROR) & 1)) {
    }
    error = QUAD(SWERROR);
    put_text(name);
    put_hex(": error=", error >> 8 & 0xff);
    put_hex(" wq=", error >> 16 & 0xff);
    put_hex(" opcode=", error >> 32 & 0xff);
    put_hex(" pasid=", error >> 40 & 0xfffff);
    put_hex(" privileged=", error >> 6 & 1);
    put_text("\n");
    QUAD(SWERROR) = error & 3;
}

static void untouched(const char *name)
{
    for (unsigned n = 0; n < 2000; n++) {
        if (QUAD(SWERROR) & 1) {
            told(name);
            return;
        }
    }
    result(name, 1);
}

/* --- the instructions --- */

#define ENQUEUE(insn)                                                                              \
    static uint64_t insn##_flags(uint64_t to, const void *from)                                    \
    {                                                                                              \
        uint64_t flags = ARITHMETIC | 2;                                                           \
                                                                                                   \
        __asm__ volatile("push %0\n\tpopfq\n\t" #insn " (%1), %2\n\tpushfq\n\tpop %0"              \
                         : "+r"(flags) : "r"(from), "r"(to) : "memory", "cc");                     \
        return flags & ARITHMETIC;                                                                 \
    }
ENQUEUE(enqcmd)
ENQUEUE(enqcmds)

/* 0: accepted, 40: not now; other flags are clear. */
static void enqueue(const char *name, uint64_t to)
{
    put_text(name);
    put_hex(": flags=", enqcmd_flags(to, describe(sources, UNKNOWN, 0)));
    put_text("\n");
}

static void msr(void)
{
    wrmsr(PASID, VALID | 0xfffff);
    result("IA32_PASID", rdmsr(PASID) == (VALID | 0xfffff));
    CASE("reserved bit 20", "mov $0xd93, %%ecx\nmov $0x80100000, %%eax\nxor %%edx, %%edx\nwrmsr", "i"(0));
    CASE("reserved bit 32", "mov $0xd93, %%ecx\nmov $0x80000000, %%eax\nmov $1, %%edx\nwrmsr", "i"(0));
    result("kept", rdmsr(PASID) == (VALID | 0xfffff));
}

static void faults(void)
{
    uint64_t portal = PORTAL(SHARED, 1);

    describe(sources, UNKNOWN, 0);
    wrmsr(PASID, 0x12345);
    CASE("PASID not valid", "enqcmd (%0), %1", "r"(sources), "r"(portal));
    wrmsr(PASID, VALID | 0x12345);
    CASE("not aligned", "enqcmd (%0), %1", "r"(sources), "r"(portal + 32));
    CASE("not aligned, ENQCMDS", "enqcmds (%0), %1", "r"(sources), "r"(portal + 8));
    describe(sources, UNKNOWN, 1);
    CASE("a PASID in the source", "enqcmd (%0), %1", "r"(sources), "r"(portal));
    describe(sources, UNKNOWN, VALID);
    CASE("privilege in the source", "enqcmd (%0), %1", "r"(sources), "r"(portal));
    describe(sources, UNKNOWN, 1 << 20);
    CASE("reserved in the source, ENQCMDS", "enqcmds (%0), %1", "r"(sources), "r"(portal));
    describe(sources, UNKNOWN, 0);
    CASE("no destination", "enqcmd (%0), %1", "r"(sources), "r"(HOLE));
    CASE("no source", "enqcmd (%0), %1", "r"(HOLE), "r"(portal));
    CASE("source over a page's end", "enqcmd (%0), %1", "r"(HOLE - 32), "r"(portal));
    CASE("not canonical", "enqcmd (%0), %1", "r"(sources), "r"(1ull << 63));
    PORTAL_PTE = portal | 1;
    CASE("read-only", "enqcmd (%0), %1", "r"(sources), "r"(PORTAL_PAGE));
    CASE("read-only, MOVDIR64B", "movdir64b (%0), %1", "r"(sources), "r"(PORTAL_PAGE));
    CASE("LOCK", "mov %0, %%rdx\nmov %1, %%rax\n.byte 0xf0, 0xf2, 0x0f, 0x38, 0xf8, 0x02", "r"(sources), "r"(portal));
    CASE("a register", ".byte 0xf2, 0x0f, 0x38, 0xf8, 0xc2", "i"(0));
    CASE("a register, MOVDIR64B", ".byte 0x66, 0x0f, 0x38, 0xf8, 0xc2", "i"(0));
    CASE("no prefix", ".byte 0x0f, 0x38, 0xf8, 0x02", "i"(0));
    untouched("nothing was sent");
}

static void accepted(void)
{
    uint64_t portal = PORTAL(SHARED, 1), high = 0xabcdef00000000;

    enqueue("accepted", portal);
    told("of the MSR's process");
    describe(sources + 4096 - 24, UNKNOWN, 0);
    result("over pages", !enqcmd_flags(portal + 64, sources + 4096 - 24));
    told("from there");
    result("ENQCMDS", !enqcmds_flags(portal, describe(sources, UNKNOWN, 0x54321)));
    told("of the source's process");
    result("ENQCMDS", !enqcmds_flags(portal, describe(sources, UNKNOWN, VALID | 7)));
    told("privileged");
    describe(sources, UNKNOWN, 0);
    CASE("32-bit addresses", "mov %0, %%rdx\nmov %1, %%rax\n.byte 0x67, 0xf2, 0x0f, 0x38, 0xf8, 0x02",
         "r"(high | (uint64_t)sources), "r"(high | portal));
    told("by those");
    describe(sources, UNKNOWN, 0x99999);
    __asm__ volatile("movdir64b (%0), %1" : : "r"(sources), "r"(PORTAL(DEDICATED, 0)) : "memory");
    told("MOVDIR64B");
    __asm__ volatile("movdir64b (%0), %1" : : "r"(sources), "r"(PORTAL(SHARED, 1)) : "memory");
    untouched("MOVDIR64B to a shared queue");
}

/* Where nobody accepts: retry, and nothing is written. */
static void elsewhere(void)
{
    for (unsigned n = 0; n < 16; n++) {
        target[n] = 0x1111111111111111u * n;
    }
    enqueue("RAM", (uint64_t)target);
    enqueue("ROM", 0xf0000);
    enqueue("nothing", 0xd0000000);
    enqueue("another device", 0xfee00000);
    enqueue("registers", BAR0 + MSIXPERM);
    enqueue("dummy portal", BAR0 + 0xf000);
    enqueue("dedicated queue", PORTAL(DEDICATED, 1));
    enqueue("disabled queue", PORTAL(DISABLED, 1));
    enqueue("no queue", PORTAL(WQS, 1));
    enqueue("portal of IMS", PORTAL(SHARED, 2));
    for (unsigned n = 0; n < 16; n++) {
        if (target[n] != 0x1111111111111111u * n) {
            result("RAM is as it was", 0);
        }
    }
    result("registers are as they were", !REG(MSIXPERM) && !REG(MSIXPERM + 56));
    untouched("nothing was sent");
}

/* To registers in eight writes. */
static void stores(void)
{
    int is_good = 1;

    for (unsigned n = 0; n < 16; n++) {
        ((uint64_t *)sources)[n] = (n + 1) << 12 | 0xff3;
        target[n] = 0;
    }
    __asm__ volatile("movdir64b (%0), %1" : : "r"(sources + 8), "r"(target) : "memory");
    for (unsigned n = 0; n < 16; n++) {
        is_good &= target[n] == (n < 8 ? ((n + 2ull) << 12 | 0xff3) : 0);
    }
    result("MOVDIR64B to RAM", is_good);
    __asm__ volatile("movdir64b (%0), %1" : : "r"(sources), "r"(BAR0 + MSIXPERM) : "memory");
    for (unsigned n = 0; n < 8; n++) {
        is_good &= REG(MSIXPERM + 8 * n) == (n + 1) << 12 && !REG(MSIXPERM + 8 * n + 4);
    }
    result("MOVDIR64B to registers", is_good);
}

/* The engine has much to do: 2 GiB that nobody hears of. */
static void full(void)
{
    Descriptor *d = describe(sources, FILL, 0);

    d->to = 1ull << 40;
    d->size = 1u << 31;
    put_hex("full:", enqcmd_flags(PORTAL(SHARED, 1), d));
    while (REG(0x818 + 32 * SHARED) & 0xffff) {
    }
    for (unsigned n = 0; n < 3; n++) {
        put_hex(" ", enqcmd_flags(PORTAL(SHARED, 1), describe(sources, NOOP, 0)));
    }
    for (unsigned n = 0; n < 5; n++) {
        put_hex(" ", enqcmd_flags(PORTAL(SHARED, 0), describe(sources, NOOP, 0)));
    }
    put_hex(" limited ", enqcmd_flags(PORTAL(SHARED, 1), describe(sources, NOOP, 0)));
    put_text("\n");
    result("aborted", command(4, 0));
    enqueue("room again", PORTAL(SHARED, 1));
    told("of the same");
}

static void users(void)
{
    uint64_t *said = (uint64_t *)(PAGE + 0x7f8);

    PORTAL_PTE = PORTAL(SHARED, 1) | 0x17;
    __asm__ volatile("invlpg (%0)" : : "r"(PORTAL_PAGE) : "memory");
    wrmsr(PASID, VALID | 0x77);
    USER(user, "lea 0x400(%rip), %rdx\nmov $0xffffffff8000a000, %rax\nmovl $0, (%rdx)\nmovl $0x3f000000, 4(%rdx)\n"
               "enqcmd (%rdx), %rax\npushfq\nsyscall");
    put_hex("flags=", *said & ARITHMETIC);
    put_text("\n");
    told("a user's");
    USER(supervisors, "lea 0x400(%rip), %rdx\nmov $0xffffffff8000a000, %rax\nenqcmds (%rdx), %rax");
    USER(not_user, "lea 0x400(%rip), %rdx\nmov $0xe8001000, %eax\nmovl $0, (%rdx)\nenqcmd (%rdx), %rax");
    wrmsr(PASID, 0);
    USER(unbound, "lea 0x400(%rip), %rdx\nmov $0xffffffff8000a000, %rax\nmovl $0, (%rdx)\nenqcmd (%rdx), %rax");
    untouched("nothing was sent");
}

/* --- its place in saved state --- */

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(sub));
}

#define PASID_AT (576 + 256) /* in a compacted area that has AVX */

#define SAVE(insn, mask, at) __asm__ volatile(insn " (%0)" : : "r"(at), "a"(mask), "d"(0) : "memory")

static void leaves(void)
{
    uint32_t seven[4], one[4], ten[4], before[4];

    cpuid(7, 0, seven);
    cpuid(0xd, 1, before);
    wrmsr(XSS, 1 << 10);
    cpuid(0xd, 1, one);
    cpuid(0xd, 10, ten);
    result("CPUID", (seven[2] >> 27 & 7) == 7 && one[2] >> 10 & 1 && ten[0] == 8 && !ten[1] && ten[2] == 1 &&
                    one[1] == before[1] + 8);
    CASE("IA32_XSS, reserved", "mov $0xda0, %%ecx\nmov $0x80400, %%eax\nxor %%edx, %%edx\nwrmsr", "i"(0));
}

/* Two threads, one of which has a process. */
static void saved(void)
{
    uint64_t *header[2] = { (uint64_t *)(area[0] + 512), (uint64_t *)(area[1] + 512) };

    __asm__ volatile("xsetbv" : : "c"(0), "a"(7), "d"(0));
    wrmsr(XSS, 0);
    wrmsr(PASID, VALID | 0xabc);
    SAVE("xsaves64", 0x400, area[0]);
    result("not in XSS", !(header[0][0] & 0x400) && !(header[0][1] & 0x400));
    wrmsr(XSS, 1 << 10);
    SAVE("xsavec64", 0x407, area[0]);
    result("XSAVEC", !(header[0][0] & 0x400) && !(header[0][1] & 0x400));
    SAVE("xsaves64", 0x407, area[0]);
    wrmsr(PASID, 0);
    SAVE("xsaves64", 0x407, area[1]);
    result("XSAVES", header[0][0] & 0x400 && !(header[1][0] & 0x400) && header[0][1] & header[1][1] & 0x400);
    SAVE("xrstors64", 0x407, area[0]);
    result("with a process", rdmsr(PASID) == (VALID | 0xabc));
    SAVE("xrstors64", 0x407, area[1]);
    result("without", !rdmsr(PASID));
    SAVE("xrstors64", 0x407, area[0]);
    SAVE("xrstors64", 7, area[1]); /* not asked for */
    result("left alone", rdmsr(PASID) == (VALID | 0xabc));
    *(uint64_t *)(area[0] + PASID_AT) = VALID | 0x100001;
    CASE("XRSTORS, reserved", "mov $0x407, %%eax\nxor %%edx, %%edx\nxrstors64 (%0)", "r"(area[0]));
    result("not loaded", rdmsr(PASID) == (VALID | 0xabc));
}

void guest_main(int cpu)
{
    load_idt();
    load_gdt();
    __asm__ volatile("mov %%cr4, %%rax\n\tor $0x40200, %%rax\n\tmov %%rax, %%cr4" : : : "rax"); /* OSXSAVE, OSFXSR */
    set_up_pages();
    set_up_device();
    msr();
    faults();
    accepted();
    elsewhere();
    stores();
    full();
    users();
    leaves();
    saved();
    outb(0x501, 0);
}
