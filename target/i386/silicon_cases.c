/*
 * Random instructions for the silicon oracle: bytes by chance, kept if Zydis decodes them to
 * something that can be run in a user process and told apart from luck.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/exception.h"
#include "target/i386/silicon.h"

#include "target/i386/silicon_segments.h"
#include "target/i386/silicon_xsave.h"
#include "target/i386/state.h"
#include "target/i386/translate.h"

#define MOST_INSNS 3
#define END_OF_CASE 0xcc /* INT3 */

/* Not run: they reach the host's kernel, hypervisor or other processes, tell of time, chance or place, or
 * need FS and GS, which are the C library's. */
static const ZydisInstructionCategory foreign_categories[] = {
    ZYDIS_CATEGORY_SYSCALL, ZYDIS_CATEGORY_RDRAND, ZYDIS_CATEGORY_RDSEED,
    ZYDIS_CATEGORY_RDWRFSGS, ZYDIS_CATEGORY_WAITPKG,
    ZYDIS_CATEGORY_PKU,
};
static const ZydisMnemonic foreign_mnemonics[] = {
    ZYDIS_MNEMONIC_RDPID, ZYDIS_MNEMONIC_CPUID, ZYDIS_MNEMONIC_ENQCMD, ZYDIS_MNEMONIC_ENQCMDS,
    ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_LFS, ZYDIS_MNEMONIC_LGS,
    ZYDIS_MNEMONIC_UD0, ZYDIS_MNEMONIC_SMSW,
    ZYDIS_MNEMONIC_SGDT, ZYDIS_MNEMONIC_SIDT, ZYDIS_MNEMONIC_SLDT, ZYDIS_MNEMONIC_STR,
    ZYDIS_MNEMONIC_XGETBV, ZYDIS_MNEMONIC_VMCALL, ZYDIS_MNEMONIC_VMMCALL, ZYDIS_MNEMONIC_IRET,
    ZYDIS_MNEMONIC_IRETD, ZYDIS_MNEMONIC_IRETQ, ZYDIS_MNEMONIC_INT1,
};
/* AMD's have no SYSENTER and SYSEXIT in long mode, never 64 bits of offset for LSS, and another order of
 * MOVDIR64B's faults. */
static const ZydisMnemonic disputed_by_amd[] = {
    ZYDIS_MNEMONIC_SYSEXIT, ZYDIS_MNEMONIC_SYSENTER, ZYDIS_MNEMONIC_LSS, ZYDIS_MNEMONIC_MOVDIR64B,
};

static bool is_one_of(const ZydisMnemonic *list, size_t count, ZydisMnemonic mnemonic)
{
    while (count > 0 && list[count - 1] != mnemonic) {
        count--;
    }
    return count > 0;
}
#define IS_ONE_OF(list, in) is_one_of(list, ARRAY_SIZE(list), (in)->mnemonic)

static bool is_foreign(const ZydisDecodedInstruction *in)
{
    for (size_t i = 0; i < ARRAY_SIZE(foreign_categories); i++) {
        if (in->meta.category == foreign_categories[i]) {
            return true;
        }
    }
    return IS_ONE_OF(foreign_mnemonics, in) || (silicon_native_is_amd() && IS_ONE_OF(disputed_by_amd, in)) ||
           (in->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS));
}

/* A hypervisor that runs no 32-bit code takes other interrupts for itself, too. */
static bool is_taken_vector(uint64_t vector)
{
    return vector == 0x80 || (vector > VECTOR_OF && !silicon_native_has_32());
}

/* Far branches go by the host's descriptors, INT 0x80 to its kernel. */
static bool leaves(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    return in->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
           (in->mnemonic == ZYDIS_MNEMONIC_INT && is_taken_vector(ops[0].imm.value.u));
}

/* FS or GS, as an operand. */
static bool touches_foreign_segment(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    for (unsigned n = 0; n < in->operand_count; n++) {
        if (ops[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            (ops[n].reg.value == ZYDIS_REGISTER_FS || ops[n].reg.value == ZYDIS_REGISTER_GS)) {
            return true;
        }
    }
    return false;
}

static bool has_repeat(const ZydisDecodedInstruction *in)
{
    for (unsigned n = 0; n < in->raw.prefix_count; n++) {
        if ((in->raw.prefixes[n].value & 0xfe) == 0xf2) {
            return true;
        }
    }
    return false;
}

/* ARPL on memory that cannot be written is a fault only if there is something to write, or always. */
static bool may_not_write(const SiliconCase *c, const ZydisDecodedInstruction *in)
{
    return in->mnemonic == ZYDIS_MNEMONIC_ARPL && c->has_odd_segments && in->raw.modrm.mod != 3;
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
           (in->mnemonic == ZYDIS_MNEMONIC_ARPL && (in->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_CS)) ||
           (in->mnemonic == ZYDIS_MNEMONIC_BSWAP && in->operand_width == 16) ||
           ((in->mnemonic == ZYDIS_MNEMONIC_LOOPE || in->mnemonic == ZYDIS_MNEMONIC_LOOPNE) &&
            has_repeat(in)) || /* AMD's may look at the prefix instead of the opcode */
           (in->meta.branch_type && is_64 && (in->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE));
}

/* What of it faults first, and what is done by then, is open. */
static const ZydisMnemonic in_parts[] = {
    ZYDIS_MNEMONIC_MASKMOVQ, ZYDIS_MNEMONIC_MASKMOVDQU, ZYDIS_MNEMONIC_VMASKMOVDQU,
    ZYDIS_MNEMONIC_VMASKMOVPS, ZYDIS_MNEMONIC_VMASKMOVPD, ZYDIS_MNEMONIC_VPMASKMOVD,
    ZYDIS_MNEMONIC_VPMASKMOVQ,   ZYDIS_MNEMONIC_FXSAVE,     ZYDIS_MNEMONIC_FXSAVE64,
    ZYDIS_MNEMONIC_FXRSTOR,      ZYDIS_MNEMONIC_FXRSTOR64,
    ZYDIS_MNEMONIC_POPA,         ZYDIS_MNEMONIC_POPAD,      ZYDIS_MNEMONIC_FNSAVE,
    ZYDIS_MNEMONIC_FRSTOR,       ZYDIS_MNEMONIC_FNSTENV,    ZYDIS_MNEMONIC_FLDENV,
};

/* Intel's clear C1, AMD's leave it; or the other way round (FFREE). */
static const ZydisMnemonic makes_c1_open[] = {
    ZYDIS_MNEMONIC_FCOMI, ZYDIS_MNEMONIC_FCOMIP, ZYDIS_MNEMONIC_FUCOMI, ZYDIS_MNEMONIC_FUCOMIP,
    ZYDIS_MNEMONIC_FFREE, ZYDIS_MNEMONIC_FFREEP,
};
static const ZydisMnemonic reads_c1[] = {
    ZYDIS_MNEMONIC_FNSTSW, ZYDIS_MNEMONIC_FNSTENV, ZYDIS_MNEMONIC_FNSAVE, ZYDIS_MNEMONIC_FXSAVE,
    ZYDIS_MNEMONIC_FXSAVE64,
};

/* Intel's store the x87's pointers, AMD's only what an exception left. FNSTENV and FNSAVE are the same everywhere. */
static const ZydisMnemonic saves_pointers[] = {
    ZYDIS_MNEMONIC_FXSAVE, ZYDIS_MNEMONIC_FXSAVE64,
};

/* Where IP is low, what is in registers and memory may lead back into the code. */
static bool may_land_inside(const SiliconCase *c, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    return c->is_low && in->meta.branch_type &&
           (ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE || in->mnemonic == ZYDIS_MNEMONIC_RET);
}

/* Backward jumps might never end, short ones land in the middle of an instruction. */
static bool may_loop(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    int64_t by = ops[0].imm.value.s;
    bool is_out = by < -4096 || by > 4096, is_to_end = by >= SILICON_CODE_BYTES && by <= 120;

    return in->meta.branch_type && ops[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
           in->mnemonic != ZYDIS_MNEMONIC_RET && !is_out && !is_to_end;
}

/* --- bytes --- */

static uint8_t byte(GRand *random)
{
    return g_rand_int_range(random, 0, 256);
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
    if (chance(random, 20)) {
        out[n++] = "\x26\x2e\x36\x3e"[g_rand_int_range(random, 0, 4)];
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

    if (chance(random, 100)) {
        n = silicon_xsave_put(out, random, is_64);
    } else if (chance(random, 4)) {
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

static bool reads_open_state(const SiliconCase *c, const ZydisDecodedInstruction *in)
{
    bool uses_vectors = x86_is_vector_instruction(in);

    /* Which accesses of vectors AC is for differs. */
    return (uses_vectors && c->may_set_ac) ||
           (in->cpu_flags && (in->cpu_flags->tested & c->undefined_flags)) ||
           (c->is_c1_open && IS_ONE_OF(reads_c1, in)) || (c->has_x87 && IS_ONE_OF(saves_pointers, in));
}

static ZydisMachineMode machine_mode(const SiliconCase *c)
{
    return c->is_64 ? ZYDIS_MACHINE_MODE_LONG_64
           : c->is_16 ? ZYDIS_MACHINE_MODE_LONG_COMPAT_16 : ZYDIS_MACHINE_MODE_LONG_COMPAT_32;
}

/* False: no instruction that can be used came out. */
static bool add_insn(SiliconCase *c, GRand *random, SiliconHas *has, void *opaque)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    uint8_t bytes[15];

    ZydisDecoderInit(&decoder, machine_mode(c), c->is_64 ? ZYDIS_STACK_WIDTH_64
                               : c->is_16 ? ZYDIS_STACK_WIDTH_16 : ZYDIS_STACK_WIDTH_32);
    put_random_insn(bytes, random, c->is_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, sizeof(bytes), &in, ops)) ||
        is_foreign(&in) || leaves(&in, ops) || is_disputed(&in, c->is_64) || may_not_write(c, &in) ||
        touches_foreign_segment(&in, ops) || may_loop(&in, ops) || may_land_inside(c, &in, ops) ||
        reads_open_state(c, &in) || (c->insns && silicon_is_xsave(&in)) || !has(opaque, &in)) {
        return false;
    }
    memcpy(c->code + c->code_bytes, bytes, in.length);
    c->code_bytes += in.length;
    c->has_fma |= in.meta.isa_set == ZYDIS_ISA_SET_FMA;
    if (in.meta.category == ZYDIS_CATEGORY_AVX2GATHER) {
        c->gather_masks |= BIT(ZydisRegisterGetId(ops[2].reg.value));
    }
    c->may_set_ac |= in.cpu_flags && (in.cpu_flags->modified & FLAG_AC);
    c->has_xsave |= silicon_is_xsave(&in);
    c->has_open_faults |= c->has_xsave || IS_ONE_OF(in_parts, &in);
    c->stores_halves |= in.mnemonic == ZYDIS_MNEMONIC_VCVTPS2PH && ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY;
    c->is_c1_open |= IS_ONE_OF(makes_c1_open, &in);
    c->has_vectors |= x86_is_vector_instruction(&in);
    c->loads_reals |= in.mnemonic == ZYDIS_MNEMONIC_FLD && ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
                      ops[0].size < 80;
    c->has_x87 |= in.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (in.opcode & 0xf8) == 0xd8;
    c->undefined_flags = flags_after(c->undefined_flags, &in);
    c->undefined_at_jumps |= in.meta.branch_type || in.meta.category == ZYDIS_CATEGORY_INTERRUPT
                                 ? c->undefined_flags : 0;
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
    UINT64_C(0x7ff0000000000001), UINT64_C(0xfff7ffffffffffff), UINT64_C(0xffa000017f800001), /* signalling */
    UINT64_C(0x000fffffffffffff), UINT64_C(0x80000001007fffff), /* denormal */
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
    uint64_t data = c->has_low_data ? SILICON_LOW_DATA_AT : SILICON_DATA_AT;

    for (unsigned n = 0; n < 16; n++) {
        bool is_pointer = n == X86_RSP || !chance(random, 3);

        s->gpr[n] = is_pointer ? data + 4096 - 512 + g_rand_int_range(random, 0, 1024) : random_value(random);
        s->gpr[n] &= chance(random, 3) ? ~UINT64_C(15) : UINT64_MAX;
        if (n != X86_RSP && chance(random, 12)) {
            s->gpr[n] = (s->gpr[n] & ~UINT64_C(0xffff)) | silicon_segments_selector(random);
        }
        s->gpr[n] = c->is_64 ? s->gpr[n] : n < 8 ? (uint32_t)s->gpr[n] : 0;
    }
    /* Repeat counts and shifts: mostly small. */
    s->gpr[X86_RCX] = chance(random, 3) ? s->gpr[X86_RCX] : byte(random) & 0x3f;
    s->eflags = random64(random) & (FLAGS_ARITH | (chance(random, 4) ? FLAG_DF : 0));
}

/* Small numbers for gathers to find memory by. */
static void fill_indices(SiliconState *s, unsigned count, GRand *random)
{
    for (unsigned n = 0; n < count; n++) {
        bool is_wide = chance(random, 2), is_kept = chance(random, 3);

        for (unsigned q = 0; q < 4 && !is_kept; q++) {
            int32_t low = g_rand_int_range(random, -300, 300), high = g_rand_int_range(random, -300, 300);

            s->vec[n][q] = is_wide ? (uint64_t)(int64_t)low : (uint64_t)high << 32 | (uint32_t)low;
        }
    }
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
    if (c->gather_masks) {
        fill_indices(s, count, random);
    }
    /* Rounding, flush to zero, unmasked exceptions. */
    s->mxcsr = 0x1f80 | (chance(random, 3) ? random64(random) & 0xe040 : 0);
    s->mxcsr ^= !c->stores_halves && chance(random, 6) ? random64(random) & 0x1f80 : 0;
}

static void fill_x87(SiliconCase *c, GRand *random)
{
    uint8_t *area = c->before.legacy;
    uint16_t control = 0x37f, status = (random64(random) & 7) << 11;

    if (chance(random, 3)) {
        control = (control & ~0xf00) | (random64(random) & 0xf00);
        control ^= chance(random, 2) ? random64(random) & 0x3f : 0;
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
            uint16_t top = random64(random) | (chance(random, 2) ? 0x7fff : 0); /* NaNs of both kinds */

            memcpy(area + 32 + 16 * n, &bits, 8);
            memcpy(area + 32 + 16 * n + 8, &top, 2);
        }
    }
}

/* Those of SILICON_CODE, "16:", "32:" or "64:" and bytes in hexadecimal, instead of random ones. */
static bool take_given(SiliconCase *c)
{
    const char *text = g_getenv("SILICON_CODE");
    unsigned value;

    if (!text) {
        return false;
    }
    c->is_64 = text[0] == '6';
    c->is_16 = text[0] == '1' && silicon_native_has_ldt();
    for (; c->code_bytes < SILICON_CODE_BYTES - 1; c->code_bytes++) {
        if (sscanf(text + 3 + 2 * c->code_bytes, "%2x", &value) != 1) {
            break;
        }
        c->code[c->code_bytes] = value;
        c->insns = 1;
    }
    return true;
}

static void add_insns(SiliconCase *c, GRand *random, SiliconHas *has, void *opaque)
{
    unsigned wanted = g_rand_int_range(random, 1, MOST_INSNS + 1);

    /* Whose NaN comes out of FMA is open. */
    while (c->insns < wanted && !c->has_fma && !c->has_xsave) {
        add_insn(c, random, has, opaque);
    }
}

void silicon_case_make(SiliconCase *c, GRand *random, SiliconHas *has, void *opaque)
{
    uint64_t *data = (uint64_t *)c->before.data;
    bool is_given;

    memset(c, 0, sizeof(*c));
    c->is_64 = !chance(random, 3) || !silicon_native_has_32();
    c->is_16 = !c->is_64 && chance(random, 3) && silicon_native_has_ldt();
    is_given = take_given(c);
    silicon_segments_choose(c, random);
    if (!is_given) {
        add_insns(c, random, has, opaque);
    }
    c->code[c->code_bytes++] = END_OF_CASE;
    fill_registers(c, random);
    fill_vectors(c, random);
    fill_x87(c, random);
    for (unsigned n = 0; n < SILICON_DATA_BYTES / 8; n++) {
        data[n] = n & 7 ? (uint64_t)n * UINT64_C(0x9e3779b97f4a7c15)
                  : chance(random, 8) ? silicon_segments_selector(random) : random_value(random);
    }
    if (c->has_xsave) {
        silicon_xsave_fill(c, random);
    }
}

void silicon_case_print(const SiliconCase *c, GString *out)
{
    ZydisDisassembledInstruction in;

    g_string_append_printf(out, "# %d-bit, ES %#x CS %#x SS %#x DS %#x\n", c->is_64 ? 64 : c->is_16 ? 16 : 32,
                           c->before.seg[X86_ES], c->before.seg[X86_CS], c->before.seg[X86_SS],
                           c->before.seg[X86_DS]);
    for (unsigned at = 0; at < c->code_bytes; at += in.info.length) {
        if (!ZYAN_SUCCESS(ZydisDisassembleIntel(machine_mode(c), silicon_case_at(c) + at, c->code + at,
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
    g_string_append_printf(out, "#   eflags %" PRIx64 " mxcsr %x x87 %04x %04x\n", c->before.eflags, c->before.mxcsr,
                           c->before.legacy[0] | c->before.legacy[1] << 8,
                           c->before.legacy[2] | c->before.legacy[3] << 8);
}
