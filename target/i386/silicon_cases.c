/*
 * Random instructions for the silicon oracle: bytes by chance, kept if Zydis decodes them to
 * something that can be run in a user process and told apart from luck.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/silicon.h"

#include "target/i386/state.h"

#define MOST_INSNS 3
#define END_OF_CASE 0xcc /* INT3 */

/* Not run: they reach the host's kernel, other processes, time or chance, or segments. */
static const ZydisInstructionCategory foreign_categories[] = {
    ZYDIS_CATEGORY_SYSCALL, ZYDIS_CATEGORY_SYSRET, ZYDIS_CATEGORY_SYSTEM, ZYDIS_CATEGORY_IO,
    ZYDIS_CATEGORY_IOSTRINGOP, ZYDIS_CATEGORY_INTERRUPT, ZYDIS_CATEGORY_SEGOP,
    ZYDIS_CATEGORY_RDRAND, ZYDIS_CATEGORY_RDSEED, ZYDIS_CATEGORY_RDWRFSGS, ZYDIS_CATEGORY_RET,
    ZYDIS_CATEGORY_CALL, ZYDIS_CATEGORY_XSAVE, ZYDIS_CATEGORY_XSAVEOPT, ZYDIS_CATEGORY_WAITPKG,
    ZYDIS_CATEGORY_PKU, ZYDIS_CATEGORY_AVX2GATHER,
};
static const ZydisMnemonic foreign_mnemonics[] = {
    ZYDIS_MNEMONIC_RDPID, ZYDIS_MNEMONIC_POPF, ZYDIS_MNEMONIC_POPFD, ZYDIS_MNEMONIC_POPFQ,
    ZYDIS_MNEMONIC_CPUID, ZYDIS_MNEMONIC_FXRSTOR, ZYDIS_MNEMONIC_FXSAVE,
    ZYDIS_MNEMONIC_FXRSTOR64, ZYDIS_MNEMONIC_FXSAVE64, ZYDIS_MNEMONIC_LDMXCSR,
    ZYDIS_MNEMONIC_VLDMXCSR, ZYDIS_MNEMONIC_JMP, ZYDIS_MNEMONIC_LOOP, ZYDIS_MNEMONIC_LOOPE,
    ZYDIS_MNEMONIC_LOOPNE, ZYDIS_MNEMONIC_ENQCMD, ZYDIS_MNEMONIC_ENQCMDS,
    ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_LAR, ZYDIS_MNEMONIC_LSL,
    ZYDIS_MNEMONIC_VERR, ZYDIS_MNEMONIC_VERW, ZYDIS_MNEMONIC_BSWAP, ZYDIS_MNEMONIC_STAC,
    ZYDIS_MNEMONIC_CLAC, ZYDIS_MNEMONIC_UD0, ZYDIS_MNEMONIC_SMSW, ZYDIS_MNEMONIC_SGDT,
    ZYDIS_MNEMONIC_SIDT, ZYDIS_MNEMONIC_SLDT, ZYDIS_MNEMONIC_STR, ZYDIS_MNEMONIC_PUSHF,
    ZYDIS_MNEMONIC_PUSHFD, ZYDIS_MNEMONIC_PUSHFQ, ZYDIS_MNEMONIC_ENTER,
    /* Which byte of a masked store or gather faults first, and what is done by then, is open. */
    ZYDIS_MNEMONIC_MASKMOVQ, ZYDIS_MNEMONIC_MASKMOVDQU, ZYDIS_MNEMONIC_VMASKMOVDQU,
    ZYDIS_MNEMONIC_VMASKMOVPS, ZYDIS_MNEMONIC_VMASKMOVPD, ZYDIS_MNEMONIC_VPMASKMOVD,
    ZYDIS_MNEMONIC_VPMASKMOVQ,
};

static bool is_foreign(const ZydisDecodedInstruction *in)
{
    for (size_t i = 0; i < ARRAY_SIZE(foreign_categories); i++) {
        if (in->meta.category == foreign_categories[i]) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(foreign_mnemonics); i++) {
        if (in->mnemonic == foreign_mnemonics[i]) {
            return true;
        }
    }
    return in->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS);
}

static bool touches_segment(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    for (unsigned n = 0; n < in->operand_count; n++) {
        if (ops[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ops[n].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN) {
            ZydisRegisterClass class = ZydisRegisterGetClass(ops[n].reg.value);

            if (class == ZYDIS_REGCLASS_SEGMENT || class == ZYDIS_REGCLASS_CONTROL ||
                class == ZYDIS_REGCLASS_DEBUG) {
                return true;
            }
        }
    }
    return false;
}

/* Where CPUs differ from each other. */
static bool is_disputed(const ZydisDecodedInstruction *in, bool is_64)
{
    bool is_double_shift = in->mnemonic == ZYDIS_MNEMONIC_SHLD ||
                           in->mnemonic == ZYDIS_MNEMONIC_SHRD;

    bool is_element = in->mnemonic == ZYDIS_MNEMONIC_VPINSRD ||
                      in->mnemonic == ZYDIS_MNEMONIC_VPEXTRD;

    return in->meta.isa_set == ZYDIS_ISA_SET_PREFETCH_NOP ||
           (is_element && !is_64 && in->raw.vex.W) ||
           (is_double_shift && in->operand_width == 16) || /* counts above 16 */
           (in->meta.category == ZYDIS_CATEGORY_COND_BR && is_64 &&
            (in->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE));
}

/* Backward jumps might never end, short ones land in the middle of an instruction. */
static bool may_loop(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    return in->meta.category == ZYDIS_CATEGORY_COND_BR &&
           (ops[0].imm.value.s < SILICON_CODE_BYTES || ops[0].imm.value.s > 120);
}

/* --- bytes --- */

static uint8_t byte(GRand *random)
{
    return g_rand_int_range(random, 0, 256);
}

static bool chance(GRand *random, int of)
{
    return g_rand_int_range(random, 0, of) == 0;
}

static unsigned put_prefixes(uint8_t *out, GRand *random, bool is_64)
{
    unsigned n = 0;

    if (chance(random, 4)) {
        out[n++] = 0x66;
    }
    if (chance(random, 6)) {
        out[n++] = chance(random, 2) ? 0xf2 : 0xf3;
    }
    if (chance(random, 25)) {
        out[n++] = 0xf0;
    }
    if (chance(random, 25)) {
        out[n++] = 0x67;
    }
    if (is_64 && chance(random, 2)) {
        out[n++] = 0x40 | g_rand_int_range(random, 0, 16);
    }
    return n;
}

static unsigned put_vex(uint8_t *out, GRand *random, bool is_64)
{
    out[0] = 0xc4;
    out[1] = (is_64 ? byte(random) & 0xe0 : 0xe0) | g_rand_int_range(random, 1, 4);
    out[2] = byte(random);
    return 3;
}

static unsigned put_opcode(uint8_t *out, GRand *random)
{
    unsigned n = 0;

    switch (g_rand_int_range(random, 0, 8)) {
    case 0:
    case 1:
    case 2:
        break;
    case 3:
        out[n++] = 0x0f;
        out[n++] = 0x38;
        break;
    case 4:
        out[n++] = 0x0f;
        out[n++] = 0x3a;
        break;
    default:
        out[n++] = 0x0f;
        break;
    }
    return n;
}

/* Opcode, ModRM and what may follow. A displacement is small: data are around what bases hold. */
static void put_random_insn(uint8_t out[15], GRand *random, bool is_64)
{
    unsigned n = 0;

    if (chance(random, 4)) {
        n = put_vex(out, random, is_64);
    } else {
        n = put_prefixes(out, random, is_64);
        n += put_opcode(out + n, random);
    }
    while (n < 15) {
        out[n++] = byte(random);
    }
    if (chance(random, 2)) {
        /* Zero the upper bytes of a 32-bit displacement or immediate. */
        out[13] = out[12] = out[11] = 0;
    }
}

/* --- flags that an instruction leaves undefined --- */

/* A count of zero changes none. */
static bool may_leave_flags(const ZydisDecodedInstruction *in)
{
    return in->meta.category == ZYDIS_CATEGORY_SHIFT ||
           in->meta.category == ZYDIS_CATEGORY_ROTATE ||
           in->meta.category == ZYDIS_CATEGORY_STRINGOP;
}

static uint32_t flags_after(uint32_t undefined, const ZydisDecodedInstruction *in)
{
    const ZydisAccessedFlags *f = in->cpu_flags;

    if (!f) {
        return undefined;
    }
    if (!may_leave_flags(in)) {
        undefined &= ~(f->modified | f->set_0 | f->set_1);
    }
    return (undefined | f->undefined) & FLAGS_ARITH;
}

static bool reads_flags(const ZydisDecodedInstruction *in, uint32_t flags)
{
    return in->cpu_flags && (in->cpu_flags->tested & flags);
}

/* False: no instruction that can be used came out. */
static bool add_insn(SiliconCase *c, GRand *random, SiliconHas *has, void *opaque)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    uint8_t bytes[15];

    ZydisDecoderInit(&decoder, c->is_64 ? ZYDIS_MACHINE_MODE_LONG_64
                                        : ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
                     c->is_64 ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
    put_random_insn(bytes, random, c->is_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, sizeof(bytes), &in, ops)) ||
        is_foreign(&in) || is_disputed(&in, c->is_64) || touches_segment(&in, ops) || may_loop(&in, ops) ||
        reads_flags(&in, c->undefined_flags) || !has(opaque, &in)) {
        return false;
    }
    memcpy(c->code + c->code_bytes, bytes, in.length);
    c->code_bytes += in.length;
    c->has_fma |= in.meta.isa_set == ZYDIS_ISA_SET_FMA;
    c->undefined_flags = flags_after(c->undefined_flags, &in);
    c->undefined_at_jumps |= in.meta.branch_type ? c->undefined_flags : 0;
    c->ever_undefined |= c->undefined_flags;
    c->insns++;
    return true;
}

/* --- state --- */

static const uint64_t special_values[] = {
    0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
    UINT64_C(0x7fffffffffffffff), UINT64_C(0x8000000000000000), UINT64_MAX,
    UINT64_C(0x3ff0000000000000), UINT64_C(0x7ff8000000000000), UINT64_C(0x7ff0000000000000),
    UINT64_C(0x3f8000003f800000), UINT64_C(0x7fc000007f800000), UINT64_C(0x0000000100000001),
};

static uint64_t random64(GRand *random)
{
    return (uint64_t)g_rand_int(random) << 32 | g_rand_int(random);
}

static uint64_t random_value(GRand *random)
{
    return chance(random, 2) ? random64(random)
                             : special_values[g_rand_int_range(random, 0,
                                                               ARRAY_SIZE(special_values))];
}

static void fill_registers(SiliconCase *c, GRand *random)
{
    SiliconState *s = &c->before;

    for (unsigned n = 0; n < 16; n++) {
        bool is_pointer = n == X86_RSP || !chance(random, 3);

        s->gpr[n] = is_pointer ? SILICON_DATA_AT + 4096 - 512 + g_rand_int_range(random, 0, 1024)
                               : random_value(random);
        s->gpr[n] &= chance(random, 3) ? ~UINT64_C(15) : UINT64_MAX;
        s->gpr[n] = c->is_64 ? s->gpr[n] : n < 8 ? (uint32_t)s->gpr[n] : 0;
    }
    /* Repeat counts and shifts: mostly small. */
    s->gpr[X86_RCX] = chance(random, 3) ? s->gpr[X86_RCX] : byte(random) & 0x3f;
    s->eflags = random64(random) & (FLAGS_ARITH | (chance(random, 4) ? FLAG_DF : 0));
}

static void fill_vectors(SiliconCase *c, GRand *random)
{
    SiliconState *s = &c->before;
    unsigned count = c->is_64 ? 16 : 8;

    memset(s->vec, 0, sizeof(s->vec));
    for (unsigned n = 0; n < count; n++) {
        for (unsigned q = 0; q < 4; q++) {
            s->vec[n][q] = random_value(random);
        }
    }
    /* Rounding, flush to zero; everything masked. */
    s->mxcsr = 0x1f80 | (chance(random, 3) ? random64(random) & 0xe040 : 0);
}

static void fill_x87(SiliconCase *c, GRand *random)
{
    uint8_t *area = c->before.legacy;
    uint16_t control = 0x37f, status = (random64(random) & 7) << 11;

    if (chance(random, 3)) {
        control = (control & ~0xf00) | (random64(random) & 0xf00);
    }
    memset(area, 0, sizeof(c->before.legacy));
    memcpy(area, &control, 2);
    memcpy(area + 2, &status, 2);
    area[4] = chance(random, 2) ? 0xff : byte(random);
    for (unsigned n = 0; n < 8; n++) {
        double value = (double)(int64_t)random64(random) / (double)(1 + g_rand_int(random));
        long double wide = value;

        memcpy(area + 32 + 16 * n, &wide, 10);
        if (chance(random, 4)) {
            uint64_t bits = random_value(random) | (chance(random, 2) ? BIT64(63) : 0);
            uint16_t top = random64(random);

            memcpy(area + 32 + 16 * n, &bits, 8);
            memcpy(area + 32 + 16 * n + 8, &top, 2);
        }
    }
}

void silicon_case_make(SiliconCase *c, GRand *random, SiliconHas *has, void *opaque)
{
    unsigned wanted = g_rand_int_range(random, 1, MOST_INSNS + 1);
    uint64_t *data = (uint64_t *)c->before.data;

    memset(c, 0, sizeof(*c));
    c->is_64 = !chance(random, 3);
    while (c->insns < wanted) {
        add_insn(c, random, has, opaque);
    }
    c->code[c->code_bytes++] = END_OF_CASE;
    fill_registers(c, random);
    fill_vectors(c, random);
    fill_x87(c, random);
    for (unsigned n = 0; n < SILICON_DATA_BYTES / 8; n++) {
        data[n] = n & 7 ? (uint64_t)n * UINT64_C(0x9e3779b97f4a7c15) : random_value(random);
    }
}

void silicon_case_print(const SiliconCase *c, GString *out)
{
    ZydisMachineMode mode = c->is_64 ? ZYDIS_MACHINE_MODE_LONG_64
                                     : ZYDIS_MACHINE_MODE_LONG_COMPAT_32;
    ZydisDisassembledInstruction in;

    for (unsigned at = 0; at < c->code_bytes; at += in.info.length) {
        if (!ZYAN_SUCCESS(ZydisDisassembleIntel(mode, SILICON_CODE_AT + at, c->code + at,
                                                c->code_bytes - at, &in))) {
            break;
        }
        g_string_append_printf(out, "# %#x: ", at);
        for (unsigned n = 0; n < in.info.length; n++) {
            g_string_append_printf(out, "%02x", c->code[at + n]);
        }
        g_string_append_printf(out, "  %s\n", in.text);
    }
    for (unsigned n = 0; n < 16; n++) {
        g_string_append_printf(out, "%s%016" PRIx64 "%s", n % 4 ? " " : "#   before: ",
                               c->before.gpr[n], n % 4 == 3 ? "\n" : "");
    }
}
