/*
 * `info registers` and `-d cpu`: an x86 CPU's registers as people know them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"
#include "target/i386/debug.h"
#include "target/i386/flags.h"
#include "target/i386/mode.h"
#include "target/i386/mxcsr.h"
#include "util/log.h"

static const char *const gpr_names_32[] = {
    "EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP",
};
static const char *const gpr_names_64[] = {
    "RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP",
    "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15",
};
/* The order people read them in. */
static const uint8_t gpr_order[X86_GPRS] = {
    X86_RAX, X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RBP, X86_RSP,
    8, 9, 10, 11, 12, 13, 14, 15,
};
static const char *const segment_names[X86_SEGMENTS] = {
    "ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR",
};
static const uint8_t segment_order[] = {
    X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_LDTR, X86_TR,
};
static const char *const system_types[2][16] = {
    { "Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16",
      "TrapGate16", "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved",
      "IntGate32", "TrapGate32" },
    { "<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved", "Reserved",
      "Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64", "Reserved", "IntGate64",
      "TrapGate64" },
};

static bool is_64(const X86State *s)
{
    return x86_is_code64(s);
}

static void print_gprs(const X86State *s, GString *out)
{
    unsigned count = is_64(s) ? 16 : 8;

    for (unsigned i = 0; i < count; i++) {
        uint64_t value = s->gpr[gpr_order[i]];

        if (is_64(s)) {
            g_string_append_printf(out, "%s=%016" PRIx64, gpr_names_64[i], value);
        } else {
            g_string_append_printf(out, "%s=%08x", gpr_names_32[i], (uint32_t)value);
        }
        g_string_append_c(out, i % 4 == 3 ? '\n' : ' ');
    }
}

static void print_pc(const X86Cpu *cpu, GString *out)
{
    static const struct { uint32_t flag; char letter; } letters[] = {
        { FLAG_DF, 'D' }, { FLAG_OF, 'O' }, { FLAG_SF, 'S' }, { FLAG_ZF, 'Z' }, { FLAG_AF, 'A' },
        { FLAG_PF, 'P' }, { FLAG_CF, 'C' },
    };
    const X86State *s = &cpu->state;
    uint32_t eflags = x86_eflags(s);

    if (is_64(s)) {
        g_string_append_printf(out, "RIP=%016" PRIx64 " RFL=%08x [", x86_rip(s), eflags);
    } else {
        g_string_append_printf(out, "EIP=%08x EFL=%08x [", (uint32_t)x86_rip(s), eflags);
    }
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        g_string_append_c(out, eflags & letters[i].flag ? letters[i].letter : '-');
    }
    g_string_append_printf(out, "] CPL=%u II=%d A20=%d SMM=%d HLT=%d\n", x86_cpl(s),
                           s->shadow != 0, !cpu->is_a20_masked, s->is_in_smm,
                           cpu->parent.vcpu.is_halted);
}

static void describe_code(uint32_t access, GString *out)
{
    g_string_append(out, access & SEG_L ? "CS64" : access & SEG_DB ? "CS32" : "CS16");
    g_string_append_printf(out, " [%c%c", access & SEG_CONFORM ? 'C' : '-',
                           access & SEG_READABLE ? 'R' : '-');
}

static void describe_data(const X86State *s, uint32_t access, GString *out)
{
    g_string_append(out, access & SEG_DB || x86_is_long(s) ? "DS  " : "DS16");
    g_string_append_printf(out, " [%c%c", access & SEG_DOWN ? 'E' : '-',
                           access & SEG_WRITABLE ? 'W' : '-');
}

static void describe_access(const X86State *s, uint32_t access, GString *out)
{
    g_string_append_printf(out, " DPL=%u ", access >> SEG_DPL_SHIFT & 3);
    if (!(access & SEG_S)) {
        g_string_append(out, system_types[x86_is_long(s)][access & SEG_TYPE]);
        return;
    }
    if (access & SEG_CODE) {
        describe_code(access, out);
    } else {
        describe_data(s, access, out);
    }
    g_string_append_printf(out, "%c]", access & SEG_ACCESSED ? 'A' : '-');
}

uint32_t x86_segment_flags(const X86Segment *seg)
{
    uint32_t access = seg->access & SEG_NULL ? 0 : seg->access & 0xf0ff;
    uint32_t raw_limit = seg->access & SEG_G ? seg->limit >> 12 : seg->limit;

    return access << 8 | (access ? raw_limit & 0xf0000 : 0);
}

static void print_segment(const X86State *s, unsigned reg, GString *out)
{
    const X86Segment *seg = &s->seg[reg];
    uint32_t flags = x86_segment_flags(seg), access = flags >> 8;

    g_string_append_printf(out, "%-3s=%04x ", segment_names[reg], seg->selector);
    g_string_append_printf(out, is_64(s) ? "%016" PRIx64 : "%08" PRIx64, seg->base);
    g_string_append_printf(out, " %08x %08x", seg->limit, flags);
    if ((s->cr0 & CR0_PE) && !(s->eflags & FLAG_VM) && (access & SEG_P)) {
        describe_access(s, seg->access, out);
    }
    g_string_append_c(out, '\n');
}

static void print_table(const X86State *s, const char *name, const X86Table *table, GString *out)
{
    g_string_append_printf(out, "%s=     ", name);
    g_string_append_printf(out, is_64(s) ? "%016" PRIx64 : "%08" PRIx64, table->base);
    g_string_append_printf(out, " %08x\n", table->limit);
}

static void print_system(const X86State *s, GString *out)
{
    print_table(s, "GDT", &s->gdt, out);
    print_table(s, "IDT", &s->idt, out);
    if (is_64(s)) {
        g_string_append_printf(out, "CR0=%08x CR2=%016" PRIx64 " CR3=%016" PRIx64 " CR4=%08x\n",
                               (uint32_t)s->cr0, s->cr2, s->cr3, (uint32_t)s->cr4);
    } else {
        g_string_append_printf(out, "CR0=%08x CR2=%08x CR3=%08x CR4=%08x\n", (uint32_t)s->cr0,
                               (uint32_t)s->cr2, (uint32_t)s->cr3, (uint32_t)s->cr4);
    }
    for (unsigned n = 0; n < 4; n++) {
        g_string_append_printf(out, "DR%u=%016" PRIx64 " ", n, s->dr[n]);
    }
    g_string_append_printf(out, "\nDR6=%016" PRIx64 " DR7=%016" PRIx64 "\n", s->dr[6], s->dr[7]);
    g_string_append_printf(out, "EFER=%016" PRIx64 "\n", s->efer);
}

static void print_numbers(const X86State *s, GString *out)
{
    const X86Fpu *f = &s->fpu;
    unsigned vectors = is_64(s) ? 16 : 8;

    g_string_append_printf(out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", f->control,
                           f->status | f->top << 11, f->top, f->valid, x86_mxcsr(s));
    for (unsigned n = 0; n < 8; n++) {
        g_string_append_printf(out, "FPR%u=%016" PRIx64 " %04x%c", n, f->reg[n].significand,
                               f->reg[n].sign_exponent, n & 1 ? '\n' : ' ');
    }
    for (unsigned n = 0; n < vectors; n++) {
        g_string_append_printf(out, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%c", n, s->vec[n].q[1],
                               s->vec[n].q[0], n & 1 ? '\n' : ' ');
    }
}

void x86_print_registers(Cpu *cpu, GString *out)
{
    x86_print_state(X86_CPU(cpu), out);
    print_numbers(&X86_CPU(cpu)->state, out);
}

void x86_print_state(X86Cpu *cpu, GString *out)
{
    const X86State *s = &cpu->state;

    print_gprs(s, out);
    print_pc(cpu, out);
    for (size_t i = 0; i < ARRAY_SIZE(segment_order); i++) {
        print_segment(s, segment_order[i], out);
    }
    print_system(s, out);
}

void x86_log_state(X86Cpu *cpu, const char *fmt, ...)
{
    g_autoptr(GString) out = g_string_new(NULL);
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(out, fmt, ap);
    va_end(ap);
    if (log_enabled(LOG_FPU)) {
        x86_print_registers(&cpu->parent, out);
    } else {
        x86_print_state(cpu, out);
    }
    log_printf("%s", out->str);
}
