/*
 * Operations on integers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

static uint32_t width(IrType type)
{
    return type == IR_I64 ? OP_W : 0;
}

/* How an operation is written; which of the rest is looked at is the function's. */
typedef struct IntOp IntOp;
struct IntOp {
    void (*write)(Jit *j, const IrInsn *insn, const IntOp *how);
    uint32_t op;    /* opcode or, of SHLX and its like, the prefix */
    uint8_t digit;  /* in ModRM, of the form with an immediate or one operand */
    bool has_width; /* the opcode is of the operation's width */
};

static uint32_t opcode(const IrInsn *insn, const IntOp *how)
{
    return how->op | (how->has_width ? width(insn->type) : 0);
}

/* It fits an instruction's signed 32 bits. */
static bool is_small(const Jit *j, IrRef ref, int32_t *value)
{
    const IrInsn *insn = ir_insn(j->b, ref);

    if (insn->op != IR_CONST) {
        return false;
    }
    if (insn->type != IR_I32 && (int64_t)insn->imm != (int32_t)insn->imm) {
        return false;
    }
    *value = insn->imm;
    return true;
}

static void op_imm(Jit *j, unsigned digit, uint32_t w, int reg, int32_t imm)
{
    if (imm == (int8_t)imm) {
        emit_op_imm(&j->emit, OP(0x83) | w, digit, rm_reg(reg), 1, imm);
    } else {
        emit_op_imm(&j->emit, OP(0x81) | w, digit, rm_reg(reg), 4, imm);
    }
}

/* dest = a op b, as dest op= b. */
static void two_operand(Jit *j, const IrInsn *insn, const IntOp *how)
{
    uint32_t w = width(insn->type), op = opcode(insn, how);
    int dest = ra_def(j, j->at, GPRS), reg;
    RegSet keep = j->blocked;
    int32_t imm;

    if (is_small(j, insn->b, &imm)) {
        op_imm(j, how->digit, w, dest, imm);
        ra_left(j, dest, insn->a);
        return;
    }
    j->blocked |= BIT(dest);
    if (insn->a == insn->b && j->reg[insn->b] == NO_REG) {
        j->blocked = keep;
        ra_assign(j, insn->a, dest);
        emit_op(&j->emit, op, dest, rm_reg(dest));
        return;
    }
    reg = ra_use(j, insn->b, GPRS);
    emit_op(&j->emit, op, dest, rm_reg(reg));
    j->blocked = keep | BIT(reg);
    ra_left(j, dest, insn->a);
    j->blocked = keep;
}

static void one_operand(Jit *j, const IrInsn *insn, const IntOp *how)
{
    int dest = ra_def(j, j->at, GPRS);

    emit_op(&j->emit, OP(0xf7) | width(insn->type), how->digit, rm_reg(dest));
    ra_left(j, dest, insn->a);
}

/* dest = op of a, anywhere. */
static void from_to(Jit *j, const IrInsn *insn, const IntOp *how)
{
    int dest = ra_def(j, j->at, GPRS);

    emit_op(&j->emit, opcode(insn, how), dest, rm_reg(ra_use(j, insn->a, GPRS)));
}


/* base + (index << scale) + disp; 0: none. */
typedef struct Sum {
    IrRef base, index;
    unsigned scale;
    int32_t disp;
} Sum;

/* Nobody has asked for the value yet: it may become part of another's instruction. */
static const IrInsn *part_of_sum(const Jit *j, IrRef ref, IrOp op)
{
    const IrInsn *insn = ir_insn(j->b, ref);

    return ref && insn->op == op && insn->type == ir_insn(j->b, j->at)->type &&
                   !ra_is_wanted(j, ref)
               ? insn : NULL;
}

static void swap_parts(Sum *sum)
{
    IrRef base = sum->base;

    sum->base = sum->index;
    sum->index = base;
}

/* The constant is the base's now, if a part is a sum with one. */
static void take_disp(const Jit *j, Sum *sum)
{
    const IrInsn *part = part_of_sum(j, sum->base, IR_ADD);

    if (!part && sum->index) {
        part = part_of_sum(j, sum->index, IR_ADD);
        if (part) {
            swap_parts(sum);
        }
    }
    if (part && is_small(j, part->b, &sum->disp)) {
        sum->base = part->a;
    }
}

static void take_scale(const Jit *j, Sum *sum)
{
    const IrInsn *part = part_of_sum(j, sum->index, IR_SHL);
    int32_t count;

    if (!part) {
        part = part_of_sum(j, sum->base, IR_SHL);
        swap_parts(sum);
    }
    if (part && is_small(j, part->b, &count) && count <= 3) {
        sum->index = part->a;
        sum->scale = count;
    } else if (!sum->base) {
        swap_parts(sum);
    }
}

static Sum sum_of(const Jit *j, const IrInsn *insn)
{
    Sum sum = { insn->a, insn->b };
    const IrInsn *part;

    if (is_small(j, insn->b, &sum.disp)) {
        sum.index = 0;
        part = part_of_sum(j, sum.base, IR_ADD);
        if (part && ir_insn(j->b, part->b)->op != IR_CONST) {
            sum.base = part->a;
            sum.index = part->b;
        }
    } else {
        take_disp(j, &sum);
    }
    take_scale(j, &sum);
    return sum;
}

static void add(Jit *j, const IrInsn *insn, const IntOp *how)
{
    uint32_t w = width(insn->type);
    int dest = ra_def(j, j->at, GPRS), base = NO_REG, index = NO_REG;
    Sum sum = sum_of(j, insn);
    RegSet keep = j->blocked;

    if (!sum.index && j->reg[sum.base] == NO_REG) {
        op_imm(j, 0, w, dest, sum.disp);
        ra_left(j, dest, sum.base);
        return;
    }
    if (sum.base) {
        base = ra_use(j, sum.base, GPRS);
        j->blocked |= BIT(base);
    }
    if (sum.index) {
        index = ra_use(j, sum.index, GPRS);
    }
    j->blocked = keep;
    if (sum.index && !sum.scale && !sum.disp && (base == dest || index == dest)) {
        emit_op(&j->emit, OP(0x03) | w, dest, rm_reg(base == dest ? index : base));
    } else {
        emit_op(&j->emit, OP(0x8d) | w, dest, rm_index(base, index, sum.scale, sum.disp));
    }
}

static void mul(Jit *j, const IrInsn *insn, const IntOp *how)
{
    uint32_t w = width(insn->type);
    int32_t imm;

    if (is_small(j, insn->b, &imm)) {
        int dest = ra_def(j, j->at, GPRS);

        emit_op_imm(&j->emit, OP(0x69) | w, dest, rm_reg(ra_use(j, insn->a, GPRS)), 4, imm);
        return;
    }
    two_operand(j, insn, how);
}

/* RDX:RAX = RAX * b. */
static void mul_high(Jit *j, const IrInsn *insn, const IntOp *how)
{
    int dest = ra_def(j, j->at, BIT(RDX)), b;
    RegSet keep = j->blocked;

    assert(dest == RDX);
    j->blocked |= BIT(RDX);
    if (!(j->free & BIT(RAX))) {
        ra_evict(j, BIT(RAX));
    }
    j->blocked |= BIT(RAX);
    b = ra_use(j, insn->b, GPRS & ~(BIT(RAX) | BIT(RDX)));
    emit_op(&j->emit, OP(0xf7) | width(insn->type), how->digit, rm_reg(b));
    j->blocked = keep | BIT(RDX) | BIT(b);
    ra_left(j, RAX, insn->a);
    j->blocked = keep;
}

static void shift(Jit *j, const IrInsn *insn, const IntOp *how)
{
    uint32_t w = width(insn->type);
    int dest = ra_def(j, j->at, GPRS), a, count;
    RegSet keep = j->blocked;
    int32_t imm;

    if (is_small(j, insn->b, &imm)) {
        emit_op_imm(&j->emit, OP(0xc1) | w, how->digit, rm_reg(dest), 1, imm);
        ra_left(j, dest, insn->a);
        return;
    }
    a = ra_use(j, insn->a, GPRS);
    j->blocked |= BIT(a);
    count = ra_use(j, insn->b, GPRS);
    j->blocked = keep;
    emit_vex(&j->emit, OP_0F38(0xf7) | how->op | w, false, dest, count, rm_reg(a));
}

/* The count is in CL. */
static void rotate(Jit *j, const IrInsn *insn, const IntOp *how)
{
    uint32_t w = width(insn->type);
    RegSet keep = j->blocked;
    int dest;
    int32_t imm;

    if (is_small(j, insn->b, &imm)) {
        dest = ra_def(j, j->at, GPRS);
        emit_op_imm(&j->emit, OP(0xc1) | w, how->digit, rm_reg(dest), 1, imm);
        ra_left(j, dest, insn->a);
        return;
    }
    dest = ra_def(j, j->at, GPRS & ~BIT(RCX));
    j->blocked |= BIT(dest);
    ra_use(j, insn->b, BIT(RCX));
    emit_op(&j->emit, OP(0xd3) | w, how->digit, rm_reg(dest));
    j->blocked = keep | BIT(RCX);
    ra_left(j, dest, insn->a);
    j->blocked = keep;
}

static void extract(Jit *j, const IrInsn *insn, const IntOp *how)
{
    unsigned pos = insn->imm & 0xff, len = insn->imm >> 8;
    uint32_t w = width(insn->type);
    int dest = ra_def(j, j->at, GPRS);

    /* Written last to first: what is above goes, then what is below. */
    if (pos + len <= ir_type_bits(insn->type) && (len == 8 || len == 16)) {
        emit_op(&j->emit, OP_0F(len == 8 ? 0xb6 : 0xb7) | (len == 8 ? OP_BYTE : 0), dest,
                rm_reg(dest));
        emit_op_imm(&j->emit, OP(0xc1) | w, 5, rm_reg(dest), 1, pos);
    } else {
        unsigned bits = ir_type_bits(insn->type);

        emit_op_imm(&j->emit, OP(0xc1) | w, 5, rm_reg(dest), 1, bits - len);
        emit_op_imm(&j->emit, OP(0xc1) | w, 4, rm_reg(dest), 1, bits - len - pos);
    }
    ra_left(j, dest, insn->a);
}

/* The low byte or half of a register is written in place. */
static void deposit_low(Jit *j, const IrInsn *insn, unsigned len)
{
    int dest = ra_def(j, j->at, GPRS), field;
    RegSet keep = j->blocked;

    j->blocked |= BIT(dest);
    field = ra_use(j, insn->b, GPRS);
    if (len == 8) {
        emit_op(&j->emit, OP(0x8a) | OP_BYTE, dest, rm_reg(field));
    } else {
        emit_op(&j->emit, OP(0x8b) | OP_66, dest, rm_reg(field));
    }
    j->blocked = keep | BIT(field);
    ra_left(j, dest, insn->a);
    j->blocked = keep;
}

/* Rotates the field to the bottom, shifts it out, shifts the new one in, rotates back. */
static void deposit(Jit *j, const IrInsn *insn, const IntOp *how)
{
    unsigned pos = insn->imm & 0xff, len = insn->imm >> 8;
    uint32_t w = width(insn->type);
    int dest, field;
    RegSet keep = j->blocked;

    if (pos == 0 && (len == 8 || len == 16)) {
        deposit_low(j, insn, len);
        return;
    }
    dest = ra_def(j, j->at, GPRS);
    j->blocked |= BIT(dest);
    field = ra_use(j, insn->b, GPRS);
    if (pos + len < ir_type_bits(insn->type)) {
        emit_op_imm(&j->emit, OP(0xc1) | w, 0, rm_reg(dest), 1, pos + len);
    }
    /* shrd: the low bits of field come in from above. */
    emit_op_imm(&j->emit, OP_0F(0xac) | w, field, rm_reg(dest), 1, len);
    if (pos) {
        emit_op_imm(&j->emit, OP(0xc1) | w, 1, rm_reg(dest), 1, pos);
    }
    j->blocked = keep | BIT(field);
    ra_left(j, dest, insn->a);
    j->blocked = keep;
}

/* --- conditions --- */

int jit_cc(IrCond cond)
{
    static const uint8_t ccs[] = {
        [IR_EQ] = CC_E, [IR_NE] = CC_NE, [IR_LT] = CC_L, [IR_GE] = CC_GE, [IR_LE] = CC_LE,
        [IR_GT] = CC_G, [IR_LTU] = CC_B, [IR_GEU] = CC_AE, [IR_LEU] = CC_BE, [IR_GTU] = CC_A,
        [IR_TEST_EQ] = CC_E, [IR_TEST_NE] = CC_NE,
    };

    return ccs[cond];
}

int jit_compare(Jit *j, IrCond cond, IrType type, IrRef a, IrRef b)
{
    uint32_t w = width(type);
    bool is_test = cond >= IR_TEST_EQ;
    RegSet keep = j->blocked;
    int x = ra_use(j, a, GPRS), y;
    int32_t imm;

    j->blocked |= BIT(x);
    if (is_small(j, b, &imm)) {
        if (is_test && imm >= 0) {
            emit_op_imm(&j->emit, OP(0xf7), 0, rm_reg(x), 4, imm);
        } else if (is_test) {
            emit_op_imm(&j->emit, OP(0xf7) | w, 0, rm_reg(x), 4, imm);
        } else if (imm == 0) {
            emit_op(&j->emit, OP(0x85) | w, x, rm_reg(x));
        } else {
            op_imm(j, 7, w, x, imm);
        }
    } else {
        y = ra_use(j, b, GPRS);
        emit_op(&j->emit, (is_test ? OP(0x85) : OP(0x3b)) | w, x, rm_reg(y));
    }
    j->blocked = keep;
    return jit_cc(cond);
}

static void setcond(Jit *j, const IrInsn *insn, const IntOp *how)
{
    int dest = ra_def(j, j->at, GPRS);

    emit_op(&j->emit, OP_0F(0xb6) | OP_BYTE, dest, rm_reg(dest));
    emit_op(&j->emit, OP_0F(0x90 | jit_cc(ir_setcond_cond(insn))) | OP_BYTE, 0, rm_reg(dest));
    jit_compare(j, ir_setcond_cond(insn), ir_setcond_type(insn), insn->a, insn->b);
}

/* The condition select tests, taken from where it is computed if that is a comparison. */
static void select_compare(Jit *j, IrRef condition)
{
    const IrInsn *insn = ir_insn(j->b, condition);

    if (insn->op == IR_SETCOND) {
        jit_compare(j, ir_setcond_cond(insn), ir_setcond_type(insn), insn->a, insn->b);
    } else {
        int reg = ra_use(j, condition, GPRS);

        emit_op(&j->emit, OP(0x85), reg, rm_reg(reg));
    }
}

static int select_cc(Jit *j, IrRef condition)
{
    const IrInsn *insn = ir_insn(j->b, condition);

    return insn->op == IR_SETCOND ? jit_cc(ir_setcond_cond(insn)) : CC_NE;
}

static void select_value(Jit *j, const IrInsn *insn, const IntOp *how)
{
    RegSet class = ra_class(insn->type), keep = j->blocked;
    int dest = ra_def(j, j->at, class), other;
    int cc = select_cc(j, insn->a);

    j->blocked |= BIT(dest);
    other = ra_use(j, insn->c, class);
    if (IS_XMM(dest)) {
        /* Over the move if the condition holds. */
        int after = emit_place(&j->emit);

        ra_move(j, dest, other, IR_V256);
        emit_jcc(&j->emit, cc, after);
    } else {
        emit_op(&j->emit, OP_0F(0x40 | (cc ^ 1)) | width(insn->type), dest, rm_reg(other));
    }
    j->blocked |= BIT(other);
    ra_left(j, dest, insn->b);
    /* Moves leave the flags alone: the comparison may stand before them. */
    j->blocked = keep | BIT(dest) | BIT(other);
    select_compare(j, insn->a);
    j->blocked = keep;
}

static void reverse_bytes(Jit *j, const IrInsn *insn, const IntOp *how)
{
    int dest = ra_def(j, j->at, GPRS);
    uint8_t bytes[] = { 0x40 | (insn->type == IR_I64 ? 8 : 0) | (dest >= R8), 0x0f,
                        0xc8 | (dest & 7) };

    emit_bytes(&j->emit, bytes, 3);
    ra_left(j, dest, insn->a);
}

static const IntOp int_ops[IR_OP_COUNT] = {
    [IR_NOT] = { one_operand, .digit = 2 },
    [IR_NEG] = { one_operand, .digit = 3 },
    [IR_BSWAP] = { reverse_bytes },
    [IR_CLZ] = { from_to, OP_0F(0xbd) | OP_F3, .has_width = true },
    [IR_CTZ] = { from_to, OP_0F(0xbc) | OP_F3, .has_width = true },
    [IR_POPCNT] = { from_to, OP_0F(0xb8) | OP_F3, .has_width = true },
    [IR_ZEXT8] = { from_to, OP_0F(0xb6) | OP_BYTE },
    [IR_ZEXT16] = { from_to, OP_0F(0xb7) },
    [IR_ZEXT32] = { from_to, OP(0x8b) },
    [IR_ZEXT] = { from_to, OP(0x8b) },
    [IR_SEXT8] = { from_to, OP_0F(0xbe) | OP_BYTE, .has_width = true },
    [IR_SEXT16] = { from_to, OP_0F(0xbf), .has_width = true },
    [IR_SEXT32] = { from_to, OP(0x63) | OP_W },
    [IR_SEXT] = { from_to, OP(0x63) | OP_W },
    [IR_ADD] = { add },
    [IR_SUB] = { two_operand, OP(0x2b), 5, true },
    [IR_AND] = { two_operand, OP(0x23), 4, true },
    [IR_OR] = { two_operand, OP(0x0b), 1, true },
    [IR_XOR] = { two_operand, OP(0x33), 6, true },
    [IR_MUL] = { mul, OP_0F(0xaf), .has_width = true },
    [IR_MULHU] = { mul_high, .digit = 4 },
    [IR_MULHS] = { mul_high, .digit = 5 },
    [IR_SHL] = { shift, OP_66, 4 },
    [IR_SHR] = { shift, OP_F2, 5 },
    [IR_SAR] = { shift, OP_F3, 7 },
    [IR_ROTL] = { rotate, .digit = 0 },
    [IR_ROTR] = { rotate, .digit = 1 },
    [IR_EXTRACT] = { extract },
    [IR_DEPOSIT] = { deposit },
    [IR_SETCOND] = { setcond },
    [IR_SELECT] = { select_value },
};

void jit_integer(Jit *j, const IrInsn *insn)
{
    const IntOp *how = &int_ops[insn->op];

    how->write(j, insn, how);
}
