/*
 * An x86 CPU's registers as gdb numbers them: the i386 features of its documentation ("Standard
 * Target Features"), core, SSE, AVX, segment bases; and system registers in a feature of their own.
 * CPUs with long mode are "i386:x86-64" in all their modes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/debug.h"

#include "hw/core/local_apic.h"
#include "target/i386/control.h"
#include "target/i386/flags.h"
#include "target/i386/memory.h"
#include "target/i386/mxcsr.h"

static X86State *state_of(Cpu *cpu)
{
    return &X86_CPU(cpu)->state;
}

static bool has_long_mode(Cpu *cpu)
{
    return x86_has(X86_CPU(cpu), X86_8000_0001_EDX, 29);
}

static uint64_t get_number(const uint8_t *value, unsigned bytes)
{
    return load_bytes(value, bytes, ENDIAN_LITTLE);
}

static void put_number(uint8_t *value, unsigned bytes, uint64_t number)
{
    store_bytes(value, bytes, ENDIAN_LITTLE, number);
}

/* --- core --- */

static const char core_types[] =
    "<flags id=\"i386_eflags\" size=\"4\">"
    "<field name=\"\" start=\"22\" end=\"31\"/><field name=\"ID\" start=\"21\" end=\"21\"/>"
    "<field name=\"VIP\" start=\"20\" end=\"20\"/><field name=\"VIF\" start=\"19\" end=\"19\"/>"
    "<field name=\"AC\" start=\"18\" end=\"18\"/><field name=\"VM\" start=\"17\" end=\"17\"/>"
    "<field name=\"RF\" start=\"16\" end=\"16\"/><field name=\"NT\" start=\"14\" end=\"14\"/>"
    "<field name=\"OF\" start=\"11\" end=\"11\"/><field name=\"DF\" start=\"10\" end=\"10\"/>"
    "<field name=\"IF\" start=\"9\" end=\"9\"/><field name=\"TF\" start=\"8\" end=\"8\"/>"
    "<field name=\"SF\" start=\"7\" end=\"7\"/><field name=\"ZF\" start=\"6\" end=\"6\"/>"
    "<field name=\"AF\" start=\"4\" end=\"4\"/><field name=\"PF\" start=\"2\" end=\"2\"/>"
    "<field name=\"\" start=\"1\" end=\"1\"/><field name=\"CF\" start=\"0\" end=\"0\"/></flags>";

#define SEGMENT_ROWS                                                                               \
    { "cs", "int32", NULL, 32 }, { "ss", "int32", NULL, 32 }, { "ds", "int32", NULL, 32 },         \
    { "es", "int32", NULL, 32 }, { "fs", "int32", NULL, 32 }, { "gs", "int32", NULL, 32 }
#define X87_ROW(name) { name, "i387_ext", NULL, 80 }
#define X87_CONTROL(name) { name, "int", "float", 32 }
#define X87_ROWS                                                                                   \
    X87_ROW("st0"), X87_ROW("st1"), X87_ROW("st2"), X87_ROW("st3"), X87_ROW("st4"),                \
    X87_ROW("st5"), X87_ROW("st6"), X87_ROW("st7"), X87_CONTROL("fctrl"), X87_CONTROL("fstat"),    \
    X87_CONTROL("ftag"), X87_CONTROL("fiseg"), X87_CONTROL("fioff"), X87_CONTROL("foseg"),         \
    X87_CONTROL("fooff"), X87_CONTROL("fop")

static const CpuRegister core64_rows[] = {
    { "rax", "int64", NULL, 64 }, { "rbx", "int64", NULL, 64 }, { "rcx", "int64", NULL, 64 },
    { "rdx", "int64", NULL, 64 }, { "rsi", "int64", NULL, 64 }, { "rdi", "int64", NULL, 64 },
    { "rbp", "data_ptr", NULL, 64 }, { "rsp", "data_ptr", NULL, 64 },
    { "r8", "int64", NULL, 64 }, { "r9", "int64", NULL, 64 }, { "r10", "int64", NULL, 64 },
    { "r11", "int64", NULL, 64 }, { "r12", "int64", NULL, 64 }, { "r13", "int64", NULL, 64 },
    { "r14", "int64", NULL, 64 }, { "r15", "int64", NULL, 64 },
    { "rip", "code_ptr", NULL, 64 }, { "eflags", "i386_eflags", NULL, 32 },
    SEGMENT_ROWS, X87_ROWS,
};
static const CpuRegister core32_rows[] = {
    { "eax", "int32", NULL, 32 }, { "ecx", "int32", NULL, 32 }, { "edx", "int32", NULL, 32 },
    { "ebx", "int32", NULL, 32 }, { "esp", "data_ptr", NULL, 32 }, { "ebp", "data_ptr", NULL, 32 },
    { "esi", "int32", NULL, 32 }, { "edi", "int32", NULL, 32 },
    { "eip", "code_ptr", NULL, 32 }, { "eflags", "i386_eflags", NULL, 32 },
    SEGMENT_ROWS, X87_ROWS,
};
static const uint8_t core64_gprs[] = { X86_RAX, X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI,
                                       X86_RBP, X86_RSP, 8, 9, 10, 11, 12, 13, 14, 15 };
static const uint8_t segments[] = { X86_CS, X86_SS, X86_DS, X86_ES, X86_FS, X86_GS };

/* What stands after the general registers. */
enum { CORE_IP, CORE_EFLAGS, CORE_SEGMENTS, CORE_ST = CORE_SEGMENTS + 6, CORE_CONTROL = CORE_ST + 8 };
enum { FCTRL, FSTAT, FTAG, FISEG, FIOFF, FOSEG, FOOFF, FOP };

/* Two bits for each: 0 valid, 1 zero, 2 special, 3 empty. */
static uint16_t full_tags(const X86Fpu *f)
{
    uint16_t tags = 0;

    for (unsigned n = 0; n < 8; n++) {
        unsigned exponent = f->reg[n].sign_exponent & 0x7fff, tag = 0;
        uint64_t significand = f->reg[n].significand;

        if (!(f->valid >> n & 1)) {
            tag = 3;
        } else if (!exponent && !significand) {
            tag = 1;
        } else if (!exponent || exponent == 0x7fff || !(significand >> 63)) {
            tag = 2;
        }
        tags |= tag << 2 * n;
    }
    return tags;
}

static uint32_t read_control(const X86Fpu *f, unsigned n)
{
    switch (n) {
    case FCTRL:
        return f->control;
    case FSTAT:
        return f->status | f->top << 11;
    case FTAG:
        return full_tags(f);
    case FISEG:
        return f->cs;
    case FIOFF:
        return f->ip;
    case FOSEG:
        return f->ds;
    case FOOFF:
        return f->dp;
    default:
        return f->opcode;
    }
}

static void write_control(X86Fpu *f, unsigned n, uint32_t value)
{
    switch (n) {
    case FCTRL:
        f->control = value;
        break;
    case FSTAT:
        f->status = value & ~0x3800;
        f->top = value >> 11 & 7;
        break;
    case FTAG:
        f->valid = 0;
        for (unsigned reg = 0; reg < 8; reg++) {
            f->valid |= (value >> 2 * reg & 3) != 3 ? BIT(reg) : 0;
        }
        break;
    case FISEG:
        f->cs = value;
        break;
    case FIOFF:
        f->ip = value;
        break;
    case FOSEG:
        f->ds = value;
        break;
    case FOOFF:
        f->dp = value;
        break;
    default:
        f->opcode = value & 0x7ff;
        break;
    }
}

static X86Extended *stack_register(X86Fpu *f, unsigned n)
{
    return &f->reg[(f->top + n) & 7];
}

static void read_rest(Cpu *cpu, unsigned n, unsigned word, uint8_t *value)
{
    X86State *s = state_of(cpu);

    if (n == CORE_IP) {
        put_number(value, word, x86_rip(s));
    } else if (n == CORE_EFLAGS) {
        put_number(value, 4, x86_eflags(s));
    } else if (n < CORE_ST) {
        put_number(value, 4, s->seg[segments[n - CORE_SEGMENTS]].selector);
    } else if (n < CORE_CONTROL) {
        const X86Extended *reg = stack_register(&s->fpu, n - CORE_ST);

        put_number(value, 8, reg->significand);
        put_number(value + 8, 2, reg->sign_exponent);
    } else {
        put_number(value, 4, read_control(&s->fpu, n - CORE_CONTROL));
    }
}

/* A selector without its descriptor means something where there are none. */
static bool write_segment(Cpu *cpu, unsigned reg, uint32_t selector)
{
    X86State *s = state_of(cpu);

    if (selector == s->seg[reg].selector) {
        return true;
    }
    if (x86_is_protected(s) || selector > UINT16_MAX) {
        return false;
    }
    x86_take_rip(s);
    s->seg[reg].selector = selector;
    s->seg[reg].base = selector << 4;
    x86_update_mode(X86_CPU(cpu));
    x86_give_rip(s);
    return true;
}

static bool write_rest(Cpu *cpu, unsigned n, unsigned word, const uint8_t *value)
{
    X86State *s = state_of(cpu);

    if (n == CORE_IP) {
        s->rip = get_number(value, word);
        x86_give_rip(s);
    } else if (n == CORE_EFLAGS) {
        x86_load_eflags(X86_CPU(cpu), get_number(value, 4), UINT32_MAX);
    } else if (n < CORE_ST) {
        return write_segment(cpu, segments[n - CORE_SEGMENTS], get_number(value, 4));
    } else if (n < CORE_CONTROL) {
        X86Extended *reg = stack_register(&s->fpu, n - CORE_ST);

        reg->significand = get_number(value, 8);
        reg->sign_exponent = get_number(value + 8, 2);
    } else {
        write_control(&s->fpu, n - CORE_CONTROL, get_number(value, 4));
    }
    return true;
}

static void read_core64(Cpu *cpu, unsigned n, uint8_t *value)
{
    if (n < ARRAY_SIZE(core64_gprs)) {
        put_number(value, 8, state_of(cpu)->gpr[core64_gprs[n]]);
    } else {
        read_rest(cpu, n - ARRAY_SIZE(core64_gprs), 8, value);
    }
}

static bool write_core64(Cpu *cpu, unsigned n, const uint8_t *value)
{
    if (n < ARRAY_SIZE(core64_gprs)) {
        state_of(cpu)->gpr[core64_gprs[n]] = get_number(value, 8);
        return true;
    }
    return write_rest(cpu, n - ARRAY_SIZE(core64_gprs), 8, value);
}

static void read_core32(Cpu *cpu, unsigned n, uint8_t *value)
{
    if (n < 8) {
        put_number(value, 4, state_of(cpu)->gpr[n]);
    } else {
        read_rest(cpu, n - 8, 4, value);
    }
}

static bool write_core32(Cpu *cpu, unsigned n, const uint8_t *value)
{
    if (n < 8) {
        state_of(cpu)->gpr[n] = get_number(value, 4);
        return true;
    }
    return write_rest(cpu, n - 8, 4, value);
}

/* --- vectors --- */

static const char sse_types[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>"
    "<flags id=\"i386_mxcsr\" size=\"4\"><field name=\"IE\" start=\"0\" end=\"0\"/>"
    "<field name=\"DE\" start=\"1\" end=\"1\"/><field name=\"ZE\" start=\"2\" end=\"2\"/>"
    "<field name=\"OE\" start=\"3\" end=\"3\"/><field name=\"UE\" start=\"4\" end=\"4\"/>"
    "<field name=\"PE\" start=\"5\" end=\"5\"/><field name=\"DAZ\" start=\"6\" end=\"6\"/>"
    "<field name=\"IM\" start=\"7\" end=\"7\"/><field name=\"DM\" start=\"8\" end=\"8\"/>"
    "<field name=\"ZM\" start=\"9\" end=\"9\"/><field name=\"OM\" start=\"10\" end=\"10\"/>"
    "<field name=\"UM\" start=\"11\" end=\"11\"/><field name=\"PM\" start=\"12\" end=\"12\"/>"
    "<field name=\"FZ\" start=\"15\" end=\"15\"/></flags>";

#define XMM(n) { "xmm" #n, "vec128", NULL, 128 }
#define YMMH(n) { "ymm" #n "h", "uint128", NULL, 128 }
#define MXCSR { "mxcsr", "i386_mxcsr", "vector", 32 }
static const CpuRegister sse64_rows[] = {
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10),
    XMM(11), XMM(12), XMM(13), XMM(14), XMM(15), MXCSR,
};
static const CpuRegister sse32_rows[] = {
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), MXCSR,
};
static const CpuRegister avx_rows[] = {
    YMMH(0), YMMH(1), YMMH(2), YMMH(3), YMMH(4), YMMH(5), YMMH(6), YMMH(7), YMMH(8), YMMH(9),
    YMMH(10), YMMH(11), YMMH(12), YMMH(13), YMMH(14), YMMH(15),
};

static unsigned vector_count(Cpu *cpu)
{
    return has_long_mode(cpu) ? 16 : 8;
}

static void read_sse(Cpu *cpu, unsigned n, uint8_t *value)
{
    if (n < vector_count(cpu)) {
        memcpy(value, state_of(cpu)->vec[n].b, 16);
    } else {
        put_number(value, 4, x86_mxcsr(state_of(cpu)));
    }
}

static bool write_sse(Cpu *cpu, unsigned n, const uint8_t *value)
{
    if (n < vector_count(cpu)) {
        memcpy(state_of(cpu)->vec[n].b, value, 16);
        return true;
    }
    if (get_number(value, 4) & ~UINT64_C(0xffff)) {
        return false;
    }
    x86_set_mxcsr(state_of(cpu), get_number(value, 4));
    return true;
}

static void read_avx(Cpu *cpu, unsigned n, uint8_t *value)
{
    memcpy(value, state_of(cpu)->vec[n].b + 16, 16);
}

static bool write_avx(Cpu *cpu, unsigned n, const uint8_t *value)
{
    memcpy(state_of(cpu)->vec[n].b + 16, value, 16);
    return true;
}

/* --- segment bases, system registers --- */

static const CpuRegister base_rows[] = {
    { "fs_base", "int64", NULL, 64 }, { "gs_base", "int64", NULL, 64 },
};
static const CpuRegister system_rows[] = {
    { "k_gs_base", "int64", "system", 64 }, { "cr0", "int64", "system", 64 },
    { "cr2", "int64", "system", 64 }, { "cr3", "int64", "system", 64 },
    { "cr4", "int64", "system", 64 }, { "cr8", "int64", "system", 64 },
    { "efer", "int64", "system", 64 },
};
enum { SYS_KERNEL_GS, SYS_CR0, SYS_CR2, SYS_CR3, SYS_CR4, SYS_CR8, SYS_EFER };

static void read_base(Cpu *cpu, unsigned n, uint8_t *value)
{
    put_number(value, 8, state_of(cpu)->seg[n ? X86_GS : X86_FS].base);
}

static bool write_base(Cpu *cpu, unsigned n, const uint8_t *value)
{
    state_of(cpu)->seg[n ? X86_GS : X86_FS].base = get_number(value, 8);
    x86_update_mode(X86_CPU(cpu));
    return true;
}

static uint64_t read_cr8(Cpu *cpu)
{
    Device *apic = X86_CPU(cpu)->apic;

    return apic ? local_apic_ops(apic)->task_priority(apic) >> 4 : state_of(cpu)->cr8;
}

static void read_system(Cpu *cpu, unsigned n, uint8_t *value)
{
    const X86State *s = state_of(cpu);
    const uint64_t numbers[] = { s->kernel_gs_base, s->cr0, s->cr2, s->cr3, s->cr4,
                                 n == SYS_CR8 ? read_cr8(cpu) : 0, s->efer };

    put_number(value, 8, numbers[n]);
}

/* Bits that a debugger may change without the steps that code takes to change them. */
#define CR0_FREE  (CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD)
#define CR4_FREE  (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PGE | CR4_MCE | CR4_PCE | \
                   CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_SMEP | CR4_SMAP)
#define EFER_FREE (EFER_SCE | EFER_NXE)

static bool change(uint64_t *reg, uint64_t value, uint64_t free)
{
    if ((*reg ^ value) & ~free) {
        return false;
    }
    *reg = value;
    return true;
}

static bool write_cr8(Cpu *cpu, uint64_t value)
{
    Device *apic = X86_CPU(cpu)->apic;

    if (value > 15) {
        return false;
    }
    state_of(cpu)->cr8 = value;
    if (apic) {
        local_apic_ops(apic)->set_task_priority(apic, value << 4);
    }
    return true;
}

static bool write_number(Cpu *cpu, unsigned n, uint64_t value)
{
    X86State *s = state_of(cpu);

    switch (n) {
    case SYS_KERNEL_GS:
        return change(&s->kernel_gs_base, value, UINT64_MAX);
    case SYS_CR0:
        return change(&s->cr0, value, CR0_FREE);
    case SYS_CR2:
        return change(&s->cr2, value, UINT64_MAX);
    case SYS_CR3:
        return change(&s->cr3, value, BIT64(X86_CPU(cpu)->phys_bits) - 1);
    case SYS_CR4:
        return change(&s->cr4, value, CR4_FREE);
    case SYS_CR8:
        return write_cr8(cpu, value);
    default:
        return change(&s->efer, value, EFER_FREE);
    }
}

static bool write_system(Cpu *cpu, unsigned n, const uint8_t *value)
{
    if (!write_number(cpu, n, get_number(value, 8))) {
        return false;
    }
    if (n == SYS_CR3) {
        x86_switch_space(X86_CPU(cpu), false);
    }
    x86_flush_all(X86_CPU(cpu), true);
    x86_update_mode(X86_CPU(cpu));
    return true;
}

/* --- sets --- */

#define SET(feature_, types_, rows_, name)                                                         \
    { .feature = feature_, .types = types_, .rows = rows_, .count = ARRAY_SIZE(rows_),            \
      .read = read_##name, .write = write_##name }

static const CpuRegisterSet sets64[] = {
    SET("org.gnu.gdb.i386.core", core_types, core64_rows, core64),
    SET("org.gnu.gdb.i386.sse", sse_types, sse64_rows, sse),
    SET("org.gnu.gdb.i386.segments", NULL, base_rows, base),
    SET("org.qemu.gdb.i386.sys.regs", NULL, system_rows, system),
    SET("org.gnu.gdb.i386.avx", NULL, avx_rows, avx),
};
static const CpuRegisterSet sets32[] = {
    SET("org.gnu.gdb.i386.core", core_types, core32_rows, core32),
    SET("org.gnu.gdb.i386.sse", sse_types, sse32_rows, sse),
    SET("org.qemu.gdb.i386.sys.regs", NULL, system_rows, system),
};

const char *x86_gdb_architecture(Cpu *cpu)
{
    return has_long_mode(cpu) ? "i386:x86-64" : "i386";
}

const CpuRegisterSet *x86_gdb_register_set(Cpu *cpu, unsigned index)
{
    bool has_avx = x86_has(X86_CPU(cpu), X86_1_ECX, 28);

    if (!has_long_mode(cpu)) {
        return index < ARRAY_SIZE(sets32) ? &sets32[index] : NULL;
    }
    return index < ARRAY_SIZE(sets64) - !has_avx ? &sets64[index] : NULL;
}
