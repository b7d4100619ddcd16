/*
 * State, guest memory, helpers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/access.h"

static uint32_t width(IrType type)
{
    return type == IR_I64 ? OP_W : 0;
}

/* --- plain loads and stores --- */

/* reg = memory, extended; written last to first. */
static void load_from(Jit *j, int reg, Rm rm, IrMem mem, IrType type)
{
    static const uint32_t zero[] = { OP_0F(0xb6), OP_0F(0xb7), OP(0x8b), OP(0x8b) | OP_W };
    static const uint32_t sign[] = { OP_0F(0xbe), OP_0F(0xbf), OP(0x63) | OP_W,
                                     OP(0x8b) | OP_W };
    unsigned size = mem & IR_MEM_SIZE;
    bool is_signed = (mem & IR_MEM_SIGNED) && size < (type == IR_I64 ? 3 : 2);

    if (IS_XMM(reg)) {
        jit_load_vector(j, reg, rm, type);
        return;
    }
    if ((mem & IR_MEM_SWAP) && size) {
        if (is_signed) {
            emit_op(&j->emit, sign[size] | (size < 2 ? width(type) : 0), reg, rm_reg(reg));
        }
        if (size == IR_MEM_16) {
            emit_op_imm(&j->emit, OP(0xc1) | OP_66, 0, rm_reg(reg), 1, 8);
            emit_op(&j->emit, zero[size], reg, rm);
        } else {
            emit_op(&j->emit, OP_0F38(0xf0) | (size == IR_MEM_64 ? OP_W : 0), reg, rm);
        }
        return;
    }
    emit_op(&j->emit, is_signed ? sign[size] | (size < 2 ? width(type) : 0) : zero[size], reg, rm);
}

static void store_to(Jit *j, int reg, Rm rm, IrMem mem)
{
    static const uint32_t ops[] = { OP(0x88) | OP_BYTE, OP(0x89) | OP_66, OP(0x89),
                                    OP(0x89) | OP_W };
    unsigned size = mem & IR_MEM_SIZE;

    if (IS_XMM(reg)) {
        jit_store_vector(j, reg, rm, size == IR_MEM_256 ? IR_V256 : IR_V128);
    } else if ((mem & IR_MEM_SWAP) && size) {
        emit_op(&j->emit, OP_0F38(0xf1) | (size == IR_MEM_16 ? OP_66
                                           : size == IR_MEM_64 ? OP_W : 0), reg, rm);
    } else {
        emit_op(&j->emit, ops[size], reg, rm);
    }
}

static void store_value(Jit *j, const IrSlot *slot, IrRef ref)
{
    const IrInsn *insn = ir_insn(j->b, ref);
    Rm rm = rm_state(slot->offset);

    if (insn->op == IR_CONST && (insn->type == IR_I32 || (int64_t)insn->imm == (int32_t)insn->imm)) {
        emit_op_imm(&j->emit, OP(0xc7) | width(slot->type), 0, rm, 4, insn->imm);
    } else if (slot->type >= IR_V128) {
        jit_store_vector(j, ra_use(j, ref, XMMS), rm, slot->type);
    } else {
        emit_op(&j->emit, OP(0x89) | width(slot->type), ra_use(j, ref, GPRS), rm);
    }
}

void jit_stores(Jit *j, const IrSnapshot *stores)
{
    for (unsigned i = 0; i < stores->count; i++) {
        store_value(j, &j->b->ops->slots[stores->entries[i].slot], stores->entries[i].value);
    }
}

/* A field: at an offset, perhaps with an index. */
static Rm field(Jit *j, const IrInsn *insn)
{
    int32_t disp = (int32_t)(uint32_t)insn->imm - BIAS;

    return insn->b ? rm_index(RBP, ra_use(j, insn->b, GPRS), 0, disp) : rm_mem(RBP, disp);
}

static void vector_part(Jit *j, const IrInsn *insn)
{
    int dest = ra_def(j, j->at, XMMS), x, y;
    RegSet keep = j->blocked;

    switch ((IrOp)insn->op) {
    case IR_VLOW:
        ra_left(j, dest, insn->a);
        return;
    case IR_VHIGH:
        /* vextracti128 */
        x = ra_use(j, insn->a, XMMS);
        emit_vex_imm(&j->emit, OP_0F3A(0x39) | OP_66, true, x - 16, 0, rm_reg(dest - 16), 1);
        return;
    default:
        /* vinserti128 */
        x = ra_use(j, insn->a, XMMS);
        j->blocked |= BIT(x);
        y = ra_use(j, insn->b, XMMS);
        j->blocked = keep;
        emit_vex_imm(&j->emit, OP_0F3A(0x38) | OP_66, true, dest - 16, x - 16, rm_reg(y - 16), 1);
        return;
    }
}

void jit_state(Jit *j, const IrInsn *insn)
{
    /* lock or dword [rsp], 0: takes half of MFENCE's time, which orders writes around the caches, too. */
    static const uint8_t fence[] = { 0xf0, 0x83, 0x0c, 0x24, 0x00 };
    IrMem mem = insn->imm >> 32;
    RegSet keep = j->blocked;
    IrSnapshot stores;
    int reg;

    switch ((IrOp)insn->op) {
    case IR_GET:
        reg = ra_def(j, j->at, ra_class(insn->type));
        load_from(j, reg, rm_state(j->b->ops->slots[insn->imm].offset),
                  insn->type == IR_I32 ? IR_MEM_32 : IR_MEM_64, insn->type);
        break;
    case IR_SYNC:
        ir_stores(j->b, insn, &stores);
        jit_stores(j, &stores);
        break;
    case IR_LD:
        reg = ra_def(j, j->at, ra_class(insn->type));
        load_from(j, reg, field(j, insn), mem, insn->type);
        break;
    case IR_ST:
        reg = ra_use(j, insn->a, ra_class(ir_insn(j->b, insn->a)->type));
        j->blocked |= BIT(reg);
        store_to(j, reg, field(j, insn), mem);
        j->blocked = keep;
        break;
    case IR_FENCE:
        emit_bytes(&j->emit, fence, sizeof(fence));
        break;
    default:
        vector_part(j, insn);
        break;
    }
}

/* --- guest memory --- */

static void load(Jit *j, const IrInsn *insn)
{
    Access a = { .insn = insn, .mem = insn->imm };
    RegSet keep = j->blocked;

    a.value = ra_def(j, j->at, ra_class(insn->type));
    j->blocked |= BIT(a.value);
    ra_hold_snapshot(j, insn);
    a.addr = ra_use(j, insn->a, GPRS);
    j->blocked |= BIT(a.addr);
    a.page = IS_XMM(a.value) ? ra_scratch(j, GPRS) : a.value;
    j->blocked |= BIT(a.page);
    access_take_registers(j, &a);
    a.back = emit_place(&j->emit);
    load_from(j, a.value, access_place(&a), a.mem, insn->type);
    access_find(j, &a);
    j->blocked = keep;
}

/* What is stored is a number that an instruction can hold. */
static bool is_immediate(const Jit *j, const IrInsn *insn, int32_t *constant)
{
    const IrInsn *value = ir_insn(j->b, insn->b);

    *constant = value->imm;
    return value->op == IR_CONST && !(insn->imm & IR_MEM_SWAP) &&
           ((insn->imm & IR_MEM_SIZE) < IR_MEM_64 || (int64_t)value->imm == *constant);
}

static void store_constant(Jit *j, int32_t constant, Rm rm, IrMem mem)
{
    static const uint32_t ops[] = { OP(0xc6), OP(0xc7) | OP_66, OP(0xc7), OP(0xc7) | OP_W };
    unsigned size = mem & IR_MEM_SIZE;

    emit_op_imm(&j->emit, ops[size], 0, rm, MIN(ir_mem_bytes(mem), 4), constant);
}

static void store(Jit *j, const IrInsn *insn)
{
    Access a = { .insn = insn, .mem = insn->imm, .is_store = true };
    RegSet keep = j->blocked;

    ra_hold_snapshot(j, insn);
    a.addr = ra_use(j, insn->a, GPRS);
    j->blocked |= BIT(a.addr);
    if (is_immediate(j, insn, &a.constant)) {
        a.value = NO_REG;
    } else {
        a.value = ra_use(j, insn->b, ra_class(ir_insn(j->b, insn->b)->type));
        j->blocked |= BIT(a.value);
    }
    a.page = ra_scratch(j, GPRS);
    j->blocked |= BIT(a.page);
    access_take_registers(j, &a);
    a.back = emit_place(&j->emit);
    if (a.value == NO_REG) {
        store_constant(j, a.constant, access_place(&a), a.mem);
    } else {
        store_to(j, a.value, access_place(&a), a.mem);
    }
    access_find(j, &a);
    j->blocked = keep;
}

void jit_memory(Jit *j, const IrInsn *insn)
{
    switch ((IrOp)insn->op) {
    case IR_LOAD:
        load(j, insn);
        break;
    case IR_STORE:
        store(j, insn);
        break;
    default:
        jit_atomic(j, insn);
        break;
    }
}

/* --- helpers --- */

static void pass_argument(Jit *j, int reg, IrRef ref)
{
    const IrInsn *insn = ir_insn(j->b, ref);

    if (insn->op == IR_CONST) {
        emit_mov_imm(&j->emit, reg, insn->imm);
    } else if (j->reg[ref] != NO_REG) {
        ra_move(j, reg, j->reg[ref], insn->type);
    } else if (j->spill[ref]) {
        ra_load_spill(j, reg, ref);
    } else {
        ra_assign(j, ref, reg);
    }
}

/* Where the helper is called from, and what its snapshot has in registers that C keeps. */
static void note_site(Jit *j, const IrInsn *insn)
{
    int place;

    emit_op(&j->emit, OP(0x89) | OP_W, RAX, rm_mem(RBP, CPU_DISP(host_pc)));
    place = emit_place(&j->emit);
    emit_op(&j->emit, OP(0x8d) | OP_W, RAX, rm_place(place));
    ra_snapshot(j, insn, place);
    for (RegSet set = ra_snapshot_regs(j, insn); set; set &= set - 1) {
        int reg = __builtin_ctz(set);

        assert(CALLEE_SAVED & BIT(reg));
        emit_op(&j->emit, OP(0x89) | OP_W, reg,
                rm_mem(RSP, offsetof(HostFrame, gprs) + 8 * reg));
    }
}

void jit_call(Jit *j, const IrInsn *insn)
{
    static const uint8_t regs[] = { RDI, RSI, RDX, RCX, R8 };
    const IrHelper *helper = (const IrHelper *)(uintptr_t)insn->imm;
    bool is_pure = helper->flags & IR_HELPER_PURE;
    const IrRef args[] = { insn->a, insn->b, insn->c, insn->d };
    RegSet keep = j->blocked;

    if (helper->result) {
        int dest = ra_def(j, j->at, BIT(RAX));

        assert(dest == RAX);
    }
    ra_evict(j, CALLER_SAVED);
    j->blocked |= CALLER_SAVED;
    emit_op(&j->emit, OP(0xff), 2, rm_reg(RAX));
    emit_mov_imm(&j->emit, RAX, (uintptr_t)helper->fn);
    if (j->has_v256) {
        emit_bytes(&j->emit, (const uint8_t[]){ 0xc5, 0xf8, 0x77 }, 3);
    }
    if (insn->op == IR_CALL_RAISES) {
        ra_hold_snapshot(j, insn);
        note_site(j, insn);
    }
    if (!is_pure) {
        emit_op(&j->emit, OP(0x8d) | OP_W, RDI, rm_mem(RBP, -BIAS));
    }
    for (unsigned i = 0; i < helper->arg_count; i++) {
        pass_argument(j, regs[i + !is_pure], args[i]);
    }
    j->blocked = keep;
}
