/*
 * What only VEX encodings have: broadcasts, lanes, permutes, variable shifts, masked moves,
 * gathers, FMA. SDM volume 1, chapter 14.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"
#include "target/i386/translate_vector.h"

static unsigned last_immediate(const X86Tr *t)
{
    return t->ops[t->in.operand_count_visible - 1].imm.value.u & 0xff;
}

static IrRef as_v128(X86Tr *t, IrRef x)
{
    return ir_type(t->b, x) == IR_V256 ? ir_vlow(t->b, x) : x;
}

/* --- lanes --- */

static void broadcast128(X86Tr *t)
{
    IrRef x = tr_load_vec(t, 16, tr_address(t, 1, false));

    tr_set_vec(t, ir_vconcat(t->b, x, x));
}

static void extract128(X86Tr *t)
{
    IrRef x = tr_read_vec(t, 1, IR_V256);
    IrRef half = last_immediate(t) & 1 ? ir_vhigh(t->b, x) : ir_vlow(t->b, x);

    if (tr_is_mem(t, 0)) {
        ir_store(t->b, tr_mem(t, 16) & ~IR_MEM_ALIGNED, tr_address(t, 0, true), half);
    } else {
        tr_set_vec(t, half);
    }
}

static void insert128(X86Tr *t)
{
    IrRef y = as_v128(t, tr_read_vec(t, 2, IR_V128)), x = tr_read_vec(t, 1, IR_V256);

    tr_set_vec(t, last_immediate(t) & 1 ? ir_vconcat(t->b, ir_vlow(t->b, x), y)
                                        : ir_vconcat(t->b, y, ir_vhigh(t->b, x)));
}

static void zero_all(X86Tr *t)
{
    bool with_low = t->in.raw.vex.L;
    unsigned count = tr_is_64(t) ? 16 : 8;

    for (unsigned n = 0; n < count; n++) {
        ir_put(t->b, SLOT_YMM_HIGH + n, tr_zero_vec(t, IR_V128));
        if (with_low) {
            ir_put(t->b, SLOT_XMM + n, tr_zero_vec(t, IR_V128));
        }
    }
}

/* VPERMILPS and -PD: by a register, or an immediate. */
static void permil(X86Tr *t)
{
    static const X86Row immediate[2] = { { .arg = IR_V_PERMILPS_I }, { .arg = IR_V_PERMILPD_I } };

    if (tr_is_imm(t, 2)) {
        t->row = &immediate[t->row->arg == IR_V_PERMILPD];
        tr_vec_rmi(t);
    } else {
        tr_vec_rvm(t);
    }
}

/* VPERMD, VPERMPS: the indices are the first source. */
static void permute_by_first(X86Tr *t)
{
    tr_vec_rvm(t);
}

/* VPBROADCASTx from memory or XMM. */
static void broadcast(X86Tr *t)
{
    tr_vec_rx(t);
}

/* --- masked moves: element by element --- */

static const IrHelper masked_load = {
    .name = "masked_load", .fn = x86_help_masked_load, .arg_count = 2,
    .args = { IR_I64, IR_I32 }, .reads = GROUP_VECTORS, .writes = GROUP_VECTORS,
    .flags = IR_HELPER_RAISES,
};
static const IrHelper masked_store = {
    .name = "masked_store", .fn = x86_help_masked_store, .arg_count = 2,
    .args = { IR_I64, IR_I32 }, .reads = GROUP_VECTORS, .flags = IR_HELPER_RAISES,
};

/* data register, mask register << 4, log2 of bytes << 8, V256 << 12. */
static uint32_t masked_what(const X86Tr *t, unsigned data, unsigned mask)
{
    return tr_vec_number(tr_op(t, data)->reg.value) |
           tr_vec_number(tr_op(t, mask)->reg.value) << 4 | t->row->arg << 8 |
           (tr_vec_type(t) == IR_V256 ? BIT(12) : 0);
}

static void masked_move(X86Tr *t)
{
    if (tr_is_mem(t, 0)) {
        ir_call_v(t->b, &masked_store,
                  tr_linear(t, tr_segment(t, 0), tr_offset(t, 0), 1, true),
                  ir_i32(t->b, masked_what(t, 2, 1)));
    } else {
        ir_call_v(t->b, &masked_load,
                  tr_linear(t, tr_segment(t, 2), tr_offset(t, 2), 1, false),
                  ir_i32(t->b, masked_what(t, 0, 1)));
    }
}

/* --- gathers --- */

static const IrHelper gather_helper = {
    .name = "gather", .fn = x86_help_gather, .arg_count = 4,
    .args = { IR_I64, IR_I32, IR_I32, IR_I64 }, .reads = GROUP_VECTORS,
    .writes = GROUP_VECTORS, .flags = IR_HELPER_RAISES,
};

/* arg: log2 of bytes of an element, of an index << 4. */
static void gather(X86Tr *t)
{
    const ZydisDecodedOperand *op = tr_op(t, 1);
    bool is_high;
    IrRef base = op->mem.base == ZYDIS_REGISTER_NONE
                     ? ir_i64(t->b, 0)
                     : ir_get(t->b, SLOT_RAX + tr_gpr_number(op->mem.base, &is_high));
    unsigned segment = tr_segment(t, 1);
    uint32_t regs = tr_vec_number(tr_op(t, 0)->reg.value) | tr_vec_number(op->mem.index) << 4 |
                    tr_vec_number(tr_op(t, 2)->reg.value) << 8;
    uint32_t shape = t->row->arg | (uint32_t)__builtin_ctz(op->mem.scale) << 8 |
                     (tr_vec_type(t) == IR_V256 ? BIT(12) : 0) |
                     (t->in.address_width == 64 ? BIT(13) : 0) | segment << 16;

    base = ir_add(t->b, base, ir_i64(t->b, op->mem.disp.value));
    ir_call_v(t->b, &gather_helper, base, ir_i32(t->b, regs), ir_i32(t->b, shape),
              ir_i64(t->b, 0));
}

/* --- FMA --- */

/* arg: the operation in its 213 form, and the order of operands. */
enum { FMA_132 = 1 << 16, FMA_213 = 2 << 16, FMA_231 = 3 << 16, FMA_SCALAR = 1 << 20 };

static void fused(X86Tr *t)
{
    IrVec op = t->row->arg & 0xffff;
    uint32_t order = t->row->arg & (3 << 16);
    IrType type = tr_vec_type(t);
    IrRef c = tr_read_vec(t, 2, type), a = tr_read_vec(t, 0, type), b = tr_read_vec(t, 1, type);
    IrRef result;

    if (order == FMA_132) {
        result = ir_vec(t->b, op, type, a, c, b, 0);
    } else if (order == FMA_213) {
        result = ir_vec(t->b, op, type, a, b, c, 0);
    } else {
        result = ir_vec(t->b, op, type, b, c, a, 0);
    }
    if (order == FMA_231 && (t->row->arg & FMA_SCALAR)) {
        bool is_double = t->in.raw.vex.W;

        result = ir_vec(t->b, is_double ? IR_V_MOVSD : IR_V_MOVSS, IR_V128, a, result, 0, 0);
    }
    tr_set_vec(t, result);
}

#define FMA_ORDERS(name, suffix, scalar)                                                           \
    { ZYDIS_MNEMONIC_V##name##132##suffix, fused, IR_V_##name##213##suffix | FMA_132 | scalar },     \
    { ZYDIS_MNEMONIC_V##name##213##suffix, fused, IR_V_##name##213##suffix | FMA_213 | scalar },     \
    { ZYDIS_MNEMONIC_V##name##231##suffix, fused, IR_V_##name##213##suffix | FMA_231 | scalar }
#define FMA_PACKED(name) FMA_ORDERS(name, PS, 0), FMA_ORDERS(name, PD, 0)
#define FMA_ALL(name) FMA_PACKED(name), FMA_ORDERS(name, SS, FMA_SCALAR),                          \
                      FMA_ORDERS(name, SD, FMA_SCALAR)

static const X86Row rows[] = {
    VEC_VEX(BROADCASTSS, broadcast), VEC_VEX(BROADCASTSD, broadcast),
    { ZYDIS_MNEMONIC_VBROADCASTF128, broadcast128 },
    { ZYDIS_MNEMONIC_VBROADCASTI128, broadcast128 },
    VEC_VEX(PBROADCASTB, broadcast), VEC_VEX(PBROADCASTW, broadcast),
    VEC_VEX(PBROADCASTD, broadcast), VEC_VEX(PBROADCASTQ, broadcast),
    { ZYDIS_MNEMONIC_VEXTRACTF128, extract128 }, { ZYDIS_MNEMONIC_VEXTRACTI128, extract128 },
    { ZYDIS_MNEMONIC_VINSERTF128, insert128 }, { ZYDIS_MNEMONIC_VINSERTI128, insert128 },
    { ZYDIS_MNEMONIC_VZEROUPPER, zero_all }, { ZYDIS_MNEMONIC_VZEROALL, zero_all },
    VEC_VEX(PERMILPS, permil), VEC_VEX(PERMILPD, permil),
    VEC_VEX(PERMD, permute_by_first), VEC_VEX(PERMPS, permute_by_first),
    VEC_VEX(PERMQ, tr_vec_rmi), VEC_VEX(PERMPD, tr_vec_rmi),
    VEC_VEX(PERM2F128, tr_vec_rvmi), VEC_VEX(PERM2I128, tr_vec_rvmi),
    VEC_VEX(PBLENDD, tr_vec_rvmi),
    VEC_VEX(PSLLVD, tr_vec_rvm), VEC_VEX(PSLLVQ, tr_vec_rvm), VEC_VEX(PSRLVD, tr_vec_rvm),
    VEC_VEX(PSRLVQ, tr_vec_rvm), VEC_VEX(PSRAVD, tr_vec_rvm),
    VEC_VEX(TESTPS, tr_vec_compare), VEC_VEX(TESTPD, tr_vec_compare),
    { ZYDIS_MNEMONIC_VMASKMOVPS, masked_move, 2 }, { ZYDIS_MNEMONIC_VMASKMOVPD, masked_move, 3 },
    { ZYDIS_MNEMONIC_VPMASKMOVD, masked_move, 2 }, { ZYDIS_MNEMONIC_VPMASKMOVQ, masked_move, 3 },
    { ZYDIS_MNEMONIC_VGATHERDPS, gather, 2 | 2 << 4 },
    { ZYDIS_MNEMONIC_VGATHERDPD, gather, 3 | 2 << 4 },
    { ZYDIS_MNEMONIC_VGATHERQPS, gather, 2 | 3 << 4 },
    { ZYDIS_MNEMONIC_VGATHERQPD, gather, 3 | 3 << 4 },
    { ZYDIS_MNEMONIC_VPGATHERDD, gather, 2 | 2 << 4 },
    { ZYDIS_MNEMONIC_VPGATHERDQ, gather, 3 | 2 << 4 },
    { ZYDIS_MNEMONIC_VPGATHERQD, gather, 2 | 3 << 4 },
    { ZYDIS_MNEMONIC_VPGATHERQQ, gather, 3 | 3 << 4 },
    FMA_ALL(FMADD), FMA_ALL(FMSUB), FMA_ALL(FNMADD), FMA_ALL(FNMSUB),
    FMA_PACKED(FMADDSUB), FMA_PACKED(FMSUBADD),
};
const X86Rows x86_rows_avx = { rows, ARRAY_SIZE(rows), tr_vec_ready };
