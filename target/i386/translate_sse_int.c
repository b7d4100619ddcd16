/*
 * Integer vectors: MMX, SSE2, SSSE3, SSE4 and their VEX forms. SDM volume 1, chapters 9 and 12.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"
#include "target/i386/translate_vector.h"

static IrRef vec(X86Tr *t, IrVec op, IrRef x, IrRef y, unsigned imm)
{
    return ir_vec(t->b, op, IR_V128, x, y, 0, imm);
}

/* --- MOVD, MOVQ --- */

static bool is_gpr(const X86Tr *t, unsigned n)
{
    return t->ops[n].type == ZYDIS_OPERAND_TYPE_REGISTER && !tr_is_mmx(t, n) &&
           ZydisRegisterGetClass(t->ops[n].reg.value) != ZYDIS_REGCLASS_XMM;
}

static void enter_if_mmx(X86Tr *t)
{
    if (tr_is_mmx(t, 0) || (t->in.operand_count_visible > 1 && tr_is_mmx(t, 1))) {
        tr_enter_mmx(t);
    }
}

static void movd(X86Tr *t)
{
    unsigned bytes;
    IrRef x;

    enter_if_mmx(t);
    if (is_gpr(t, 0) || tr_is_mem(t, 0)) {
        bytes = tr_bytes(t, 0);
        x = ir_vec(t->b, bytes == 8 ? IR_V_MOVQ_R : IR_V_MOVD_R, IR_V128,
                   tr_read_vec(t, 1, IR_V128), 0, 0, 0);
        tr_write(t, 0, x);
        return;
    }
    bytes = tr_bytes(t, 1);
    if (is_gpr(t, 1) || tr_is_mem(t, 1)) {
        x = ir_vec(t->b, bytes == 8 ? IR_V_MOVQ_G : IR_V_MOVD_G, IR_V128, tr_read(t, 1), 0, 0, 0);
    } else {
        x = ir_vec(t->b, IR_V_MOVQ, IR_V128, tr_read_vec(t, 1, IR_V128), 0, 0, 0);
    }
    tr_set_vec(t, x);
}

/* MOVQ2DQ, MOVDQ2Q: between MMX and XMM. */
static void mov_mmx(X86Tr *t)
{
    tr_enter_mmx(t);
    tr_set_vec(t, ir_vec(t->b, IR_V_MOVQ, IR_V128, tr_read_vec(t, 1, IR_V128), 0, 0, 0));
}

static void movntq(X86Tr *t)
{
    enter_if_mmx(t);
    tr_write(t, 0, ir_vec(t->b, IR_V_MOVQ_R, IR_V128, tr_read_vec(t, 1, IR_V128), 0, 0, 0));
}

/* --- elements --- */

static unsigned last_immediate(const X86Tr *t)
{
    return t->ops[t->in.operand_count_visible - 1].imm.value.u & 0xff;
}

static unsigned element_bytes(IrVec op)
{
    return op == IR_V_PEXTRB || op == IR_V_PINSRB ? 1 :
           op == IR_V_PEXTRW || op == IR_V_PINSRW ? 2 :
           op == IR_V_PEXTRQ || op == IR_V_PINSRQ ? 8 : 4;
}

static void pextr(X86Tr *t)
{
    IrVec op = t->row->arg;
    unsigned bytes = element_bytes(op), imm = last_immediate(t);
    IrRef x;

    enter_if_mmx(t);
    imm &= tr_is_mmx(t, 1) ? 3 : 16 / bytes - 1;
    x = vec(t, op, tr_read_vec(t, 1, IR_V128), 0, imm);
    if (tr_is_mem(t, 0)) {
        tr_store(t, bytes, tr_address(t, 0, true), x);
    } else {
        tr_write(t, 0, tr_bytes(t, 0) == 8 ? tr_to_i64(t, x) : tr_to_i32(t, x));
    }
}

static void pinsr(X86Tr *t)
{
    IrVec op = t->row->arg;
    unsigned bytes = element_bytes(op), imm = last_immediate(t), first = tr_first_source(t);
    IrRef value, x;

    enter_if_mmx(t);
    imm &= tr_is_mmx(t, 0) ? 3 : 16 / bytes - 1;
    value = tr_is_mem(t, first + 1) ? tr_load(t, bytes, tr_address(t, first + 1, false))
                                    : tr_read_as(t, first + 1, bytes == 8 ? 8 : 4);
    x = tr_read_vec(t, first, IR_V128);
    tr_set_vec(t, ir_vec(t->b, op, IR_V128, x, value, 0, imm));
}

static void pmovmskb(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    IrRef mask;

    enter_if_mmx(t);
    mask = ir_vec(t->b, IR_V_PMOVMSKB, type, tr_read_vec(t, 1, type), 0, 0, 0);
    mask = tr_is_mmx(t, 1) ? ir_zext8(t->b, mask) : mask;
    tr_write(t, 0, tr_bytes(t, 0) == 8 ? tr_to_i64(t, mask) : mask);
}

/* PSHUFW of MMX is PSHUFLW of the lower half. */
static void pshufw(X86Tr *t)
{
    tr_enter_mmx(t);
    tr_set_vec(t, vec(t, IR_V_PSHUFLW, tr_read_vec(t, 1, IR_V128), 0, last_immediate(t)));
}

/* --- blends by a mask: in XMM0, or a fourth operand --- */

static void blendv(X86Tr *t)
{
    IrType type = tr_vec_type(t);
    unsigned first = tr_first_source(t);
    IrRef mask = tr_is_vex(t) ? tr_read_vec(t, 3, type) : tr_get_vec(t, 0, IR_V128);
    IrRef y = tr_read_vec(t, first + 1, type), x = tr_read_vec(t, first, type);

    tr_set_vec(t, ir_vec(t->b, t->row->arg, type, x, y, mask, 0));
}

/* --- masked byte stores --- */

static const IrHelper mask_store = {
    .name = "mask_store", .fn = x86_help_mask_store, .arg_count = 3,
    .args = { IR_I64, IR_I64, IR_I32 }, .flags = IR_HELPER_RAISES,
};

static IrRef half_as_i64(X86Tr *t, IrRef x, unsigned half)
{
    return ir_vec(t->b, IR_V_PEXTRQ, IR_V128, x, 0, 0, half);
}

/* MASKMOVDQU, MASKMOVQ: to DS:RDI, bytes whose mask has the top bit set. */
static void maskmov(X86Tr *t)
{
    unsigned bytes = t->row->arg;
    IrRef offset, mask, data, select;

    enter_if_mmx(t);
    data = tr_read_vec(t, 0, IR_V128);
    mask = tr_read_vec(t, 1, IR_V128);
    select = ir_vec(t->b, IR_V_PMOVMSKB, IR_V128, mask, 0, 0, 0);
    offset = tr_to_i64(t, tr_get_gpr(t, X86_RDI, t->in.address_width / 8));
    for (unsigned half = 0; half < bytes / 8; half++) {
        IrRef at = tr_linear(t, X86_DS, ir_add(t->b, offset, ir_i64(t->b, 8 * half)), 8, true);

        ir_call_v(t->b, &mask_store, at, half_as_i64(t, data, half),
                  ir_extract(t->b, select, 8 * half, 8));
    }
}

/* --- strings of SSE4.2 --- */

static const IrHelper string_helper = {
    .name = "pcmpstr", .fn = x86_help_pcmpstr, .arg_count = 3,
    .args = { IR_I32, IR_I64, IR_I64 },
    .reads = GROUP_VECTORS | GROUP_GPR(X86_RAX) | GROUP_GPR(X86_RDX) | GROUP_FLAGS |
             GROUP_GPR(X86_RCX),
    .writes = GROUP_VECTORS | GROUP_GPR(X86_RCX) | GROUP_FLAGS,
};

static void pcmpstr(X86Tr *t)
{
    IrRef y = tr_is_mem(t, 1) ? tr_load_vec(t, 16, tr_address(t, 1, false))
                              : tr_read_vec(t, 1, IR_V128);
    unsigned x = tr_vec_number(tr_op(t, 0)->reg.value);
    uint32_t what = last_immediate(t) | t->row->arg | x << 16 |
                    (t->in.operand_width == 64 ? X86_STR_WIDE : 0);

    ir_call_v(t->b, &string_helper, ir_i32(t->b, what), half_as_i64(t, y, 0),
              half_as_i64(t, y, 1));
    tr_forget_flags(t);
    if (tr_is_vex(t) && !(t->row->arg & X86_STR_INDEX)) {
        ir_put(t->b, SLOT_YMM_HIGH, tr_zero_vec(t, IR_V128));
    }
}

/* --- SHA --- */

static const IrHelper sha_helper = {
    .name = "sha", .fn = x86_help_sha, .arg_count = 3, .args = { IR_I32, IR_I64, IR_I64 },
    .reads = GROUP_VECTORS, .writes = GROUP_XMM,
};

static void sha(X86Tr *t)
{
    /* CPUs take an operand at any address here. */
    IrRef y = tr_is_mem(t, 1) ? tr_load_vec(t, 16, tr_address(t, 1, false))
                              : tr_read_vec(t, 1, IR_V128);
    uint32_t imm = t->row->arg == X86_SHA1RNDS4 ? last_immediate(t) & 3 : 0;
    uint32_t what = t->row->arg | tr_vec_number(tr_op(t, 0)->reg.value) << 8 | imm << 16;

    ir_call_v(t->b, &sha_helper, ir_i32(t->b, what), half_as_i64(t, y, 0),
              half_as_i64(t, y, 1));
}

#define MOVE(name, is_aligned) { ZYDIS_MNEMONIC_##name, tr_vec_move, is_aligned },                 \
                               { ZYDIS_MNEMONIC_V##name, tr_vec_move, is_aligned }
#define RVM(name) VEC_BOTH(name, tr_vec_rvm)
#define SHIFT(name) VEC_BOTH(name, tr_vec_shift)
#define BYTE_SHIFT(name) { ZYDIS_MNEMONIC_##name, tr_vec_shift, IR_V_##name##_I },                 \
                         { ZYDIS_MNEMONIC_V##name, tr_vec_shift, IR_V_##name##_I }

static const X86Row rows[] = {
    MOVE(MOVDQA, true), MOVE(MOVDQU, false), MOVE(LDDQU, false), MOVE(MOVNTDQ, true),
    MOVE(MOVNTDQA, true),
    { ZYDIS_MNEMONIC_MOVD, movd }, { ZYDIS_MNEMONIC_VMOVD, movd },
    { ZYDIS_MNEMONIC_MOVQ, movd }, { ZYDIS_MNEMONIC_VMOVQ, movd },
    { ZYDIS_MNEMONIC_MOVQ2DQ, mov_mmx }, { ZYDIS_MNEMONIC_MOVDQ2Q, mov_mmx },
    { ZYDIS_MNEMONIC_MOVNTQ, movntq },
    RVM(PUNPCKLBW), RVM(PUNPCKLWD), RVM(PUNPCKLDQ), RVM(PUNPCKLQDQ),
    RVM(PUNPCKHBW), RVM(PUNPCKHWD), RVM(PUNPCKHDQ), RVM(PUNPCKHQDQ),
    RVM(PACKSSWB), RVM(PACKSSDW), RVM(PACKUSWB), RVM(PACKUSDW),
    RVM(PCMPGTB), RVM(PCMPGTW), RVM(PCMPGTD), RVM(PCMPGTQ),
    RVM(PCMPEQB), RVM(PCMPEQW), RVM(PCMPEQD), RVM(PCMPEQQ),
    RVM(PADDB), RVM(PADDW), RVM(PADDD), RVM(PADDQ), RVM(PSUBB), RVM(PSUBW), RVM(PSUBD),
    RVM(PSUBQ), RVM(PADDSB), RVM(PADDSW), RVM(PADDUSB), RVM(PADDUSW), RVM(PSUBSB), RVM(PSUBSW),
    RVM(PSUBUSB), RVM(PSUBUSW),
    RVM(PMULLW), RVM(PMULHW), RVM(PMULHUW), RVM(PMULUDQ), RVM(PMULDQ), RVM(PMULLD),
    RVM(PMULHRSW), RVM(PMADDWD), RVM(PMADDUBSW), RVM(PSADBW), RVM(PAVGB), RVM(PAVGW),
    RVM(PMINUB), RVM(PMINSW), RVM(PMINSB), RVM(PMINSD), RVM(PMINUW), RVM(PMINUD),
    RVM(PMAXUB), RVM(PMAXSW), RVM(PMAXSB), RVM(PMAXSD), RVM(PMAXUW), RVM(PMAXUD),
    RVM(PAND), RVM(PANDN), RVM(POR), RVM(PXOR),
    RVM(PSHUFB), RVM(PHADDW), RVM(PHADDD), RVM(PHADDSW), RVM(PHSUBW), RVM(PHSUBD), RVM(PHSUBSW),
    RVM(PSIGNB), RVM(PSIGNW), RVM(PSIGND),
    SHIFT(PSRLW), SHIFT(PSRLD), SHIFT(PSRLQ), SHIFT(PSRAW), SHIFT(PSRAD), SHIFT(PSLLW),
    SHIFT(PSLLD), SHIFT(PSLLQ), BYTE_SHIFT(PSRLDQ), BYTE_SHIFT(PSLLDQ),
    VEC_BOTH(PABSB, tr_vec_rm), VEC_BOTH(PABSW, tr_vec_rm), VEC_BOTH(PABSD, tr_vec_rm),
    VEC_BOTH(PHMINPOSUW, tr_vec_rm),
    VEC_BOTH(PMOVSXBW, tr_vec_rx), VEC_BOTH(PMOVSXBD, tr_vec_rx), VEC_BOTH(PMOVSXBQ, tr_vec_rx),
    VEC_BOTH(PMOVSXWD, tr_vec_rx), VEC_BOTH(PMOVSXWQ, tr_vec_rx), VEC_BOTH(PMOVSXDQ, tr_vec_rx),
    VEC_BOTH(PMOVZXBW, tr_vec_rx), VEC_BOTH(PMOVZXBD, tr_vec_rx), VEC_BOTH(PMOVZXBQ, tr_vec_rx),
    VEC_BOTH(PMOVZXWD, tr_vec_rx), VEC_BOTH(PMOVZXWQ, tr_vec_rx), VEC_BOTH(PMOVZXDQ, tr_vec_rx),
    VEC_BOTH(PSHUFD, tr_vec_rmi), VEC_BOTH(PSHUFHW, tr_vec_rmi), VEC_BOTH(PSHUFLW, tr_vec_rmi),
    { ZYDIS_MNEMONIC_PSHUFW, pshufw },
    VEC_BOTH(PALIGNR, tr_vec_rvmi), VEC_BOTH(PBLENDW, tr_vec_rvmi),
    VEC_BOTH(MPSADBW, tr_vec_rvmi),
    VEC_BOTH(PBLENDVB, blendv), VEC_BOTH(BLENDVPS, blendv), VEC_BOTH(BLENDVPD, blendv),
    VEC_BOTH(PEXTRB, pextr), VEC_BOTH(PEXTRW, pextr), VEC_BOTH(PEXTRD, pextr),
    VEC_BOTH(PEXTRQ, pextr), VEC_BOTH(PINSRB, pinsr), VEC_BOTH(PINSRW, pinsr),
    VEC_BOTH(PINSRD, pinsr), VEC_BOTH(PINSRQ, pinsr),
    { ZYDIS_MNEMONIC_EXTRACTPS, pextr, IR_V_PEXTRD },
    { ZYDIS_MNEMONIC_VEXTRACTPS, pextr, IR_V_PEXTRD },
    VEC_BOTH(PMOVMSKB, pmovmskb),
    VEC_BOTH(PTEST, tr_vec_compare),
    { ZYDIS_MNEMONIC_MASKMOVDQU, maskmov, 16 }, { ZYDIS_MNEMONIC_VMASKMOVDQU, maskmov, 16 },
    { ZYDIS_MNEMONIC_MASKMOVQ, maskmov, 8 },
    { ZYDIS_MNEMONIC_PCMPISTRI, pcmpstr, X86_STR_INDEX },
    { ZYDIS_MNEMONIC_VPCMPISTRI, pcmpstr, X86_STR_INDEX },
    { ZYDIS_MNEMONIC_PCMPISTRM, pcmpstr, 0 }, { ZYDIS_MNEMONIC_VPCMPISTRM, pcmpstr, 0 },
    { ZYDIS_MNEMONIC_PCMPESTRI, pcmpstr, X86_STR_INDEX | X86_STR_EXPLICIT },
    { ZYDIS_MNEMONIC_VPCMPESTRI, pcmpstr, X86_STR_INDEX | X86_STR_EXPLICIT },
    { ZYDIS_MNEMONIC_PCMPESTRM, pcmpstr, X86_STR_EXPLICIT },
    { ZYDIS_MNEMONIC_VPCMPESTRM, pcmpstr, X86_STR_EXPLICIT },
    RVM(AESENC), RVM(AESENCLAST), RVM(AESDEC), RVM(AESDECLAST),
    VEC_BOTH(AESIMC, tr_vec_rm), VEC_BOTH(AESKEYGENASSIST, tr_vec_rmi),
    VEC_BOTH(PCLMULQDQ, tr_vec_rvmi),
    RVM(GF2P8MULB), VEC_BOTH(GF2P8AFFINEQB, tr_vec_rvmi),
    VEC_BOTH(GF2P8AFFINEINVQB, tr_vec_rvmi),
    { ZYDIS_MNEMONIC_SHA1RNDS4, sha, X86_SHA1RNDS4 },
    { ZYDIS_MNEMONIC_SHA1NEXTE, sha, X86_SHA1NEXTE },
    { ZYDIS_MNEMONIC_SHA1MSG1, sha, X86_SHA1MSG1 }, { ZYDIS_MNEMONIC_SHA1MSG2, sha, X86_SHA1MSG2 },
    { ZYDIS_MNEMONIC_SHA256RNDS2, sha, X86_SHA256RNDS2 },
    { ZYDIS_MNEMONIC_SHA256MSG1, sha, X86_SHA256MSG1 },
    { ZYDIS_MNEMONIC_SHA256MSG2, sha, X86_SHA256MSG2 },
};
const X86Rows x86_rows_sse_int = { rows, ARRAY_SIZE(rows), tr_vec_ready };
