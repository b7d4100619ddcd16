/*
 * Atomic operations: one locked instruction where the host has it, a loop of CMPXCHG where it has none
 * that gives the value before. Pages that are not written in place, devices, and what crosses a page:
 * in C.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/access.h"

/* An opcode of the width: for 8 bits it is one less. */
static uint32_t of_width(const Access *a, uint32_t op)
{
    static const uint32_t widths[] = { OP_BYTE, OP_66, 0, OP_W };
    unsigned size = a->mem & IR_MEM_SIZE;

    return (size ? op : op - 1) | widths[size];
}

static void emit_locked(Jit *j, const Access *a, uint32_t op, int reg)
{
    emit_op(&j->emit, of_width(a, op), reg, access_place(a));
    emit_bytes(&j->emit, (const uint8_t[]){ 0xf0 }, 1);
}

/* Narrow ones leave what was above. */
static void emit_extend(Jit *j, const Access *a)
{
    unsigned size = a->mem & IR_MEM_SIZE;

    if (size <= IR_MEM_16) {
        emit_op(&j->emit, size == IR_MEM_8 ? OP_0F(0xb6) | OP_BYTE : OP_0F(0xb7), a->dest,
                rm_reg(a->dest));
    }
}

static uint32_t opcode_of(IrOp op)
{
    return op == IR_FETCH_ADD ? OP(0x01) : op == IR_FETCH_AND ? OP(0x21)
           : op == IR_FETCH_OR ? OP(0x09) : OP(0x31);
}

/* old = [place]; do { new = old op value; } while (!exchanged). Written last to first. */
static void emit_loop(Jit *j, const Access *a)
{
    static const uint32_t loads[] = { OP_0F(0xb6), OP_0F(0xb7), OP(0x8b), OP(0x8b) | OP_W };
    Emit *e = &j->emit;
    int end;

    emit_bytes(e, (const uint8_t[]){ 0x75, 0 }, 2); /* jne */
    end = e->main_bytes;
    emit_locked(j, a, OP_0F(0xb1), a->check);
    emit_op(e, opcode_of(a->insn->op) | OP_W, a->value, rm_reg(a->check));
    ra_move(j, a->check, RAX, IR_I64);
    if (!e->is_full) {
        e->main_buf[EMIT_BYTES - end + 1] = -(e->main_bytes - end + 2);
    }
    emit_op(e, loads[a->mem & IR_MEM_SIZE], RAX, access_place(a));
}

/* Without a need for the value before. */
static bool is_plain(const Jit *j, const IrInsn *insn)
{
    return insn->op >= IR_FETCH_AND && insn->op <= IR_FETCH_XOR && !ra_is_wanted(j, j->at);
}

static void emit_operation(Jit *j, const Access *a, bool is_plain)
{
    if (is_plain) {
        emit_locked(j, a, opcode_of(a->insn->op), a->value);
        return;
    }
    switch ((IrOp)a->insn->op) {
    case IR_XCHG:
    case IR_FETCH_ADD:
        emit_extend(j, a);
        emit_locked(j, a, a->insn->op == IR_XCHG ? OP(0x87) : OP_0F(0xc1), a->dest);
        ra_move(j, a->dest, a->value, IR_I64);
        break;
    case IR_CMPXCHG:
        emit_extend(j, a);
        emit_locked(j, a, OP_0F(0xb1), a->value);
        /* CMPXCHG that succeeds leaves all of RAX as it was: of a wider value its lower half is there. */
        ra_move(j, RAX, a->expected, (a->mem & IR_MEM_SIZE) == IR_MEM_32 ? IR_I32 : a->insn->type);
        break;
    default:
        emit_loop(j, a);
        break;
    }
}

/* In another order of bytes: in C. */
static void in_c(Jit *j, Access *a)
{
    a->back = emit_place(&j->emit);
    emit_jmp(&j->emit, access_slow_way(j, a));
}

void jit_atomic(Jit *j, const IrInsn *insn)
{
    Access a = { .insn = insn, .mem = insn->imm, .is_store = true, .is_atomic = true };
    bool wants_plain = is_plain(j, insn);
    bool has_rax = insn->op == IR_CMPXCHG ||
                   (insn->op >= IR_FETCH_AND && insn->op <= IR_FETCH_XOR && !wants_plain);
    RegSet keep = j->blocked;

    a.dest = ra_def(j, j->at, has_rax ? BIT(RAX) : GPRS);
    j->blocked |= BIT(a.dest);
    ra_hold_snapshot(j, insn);
    /* Its operands do not share registers with what is held, or they are what is held. */
    a.addr = ra_use(j, insn->a, GPRS);
    j->blocked |= BIT(a.addr);
    a.value = ra_use(j, insn->op == IR_CMPXCHG ? insn->c : insn->b, GPRS);
    j->blocked |= BIT(a.value);
    if (insn->op == IR_CMPXCHG) {
        a.expected = ra_use(j, insn->b, GPRS);
        j->blocked |= BIT(a.expected);
    }
    if (a.mem & IR_MEM_SWAP) {
        in_c(j, &a);
    } else {
        a.page = ra_scratch(j, GPRS);
        j->blocked |= BIT(a.page);
        access_take_registers(j, &a);
        a.back = emit_place(&j->emit);
        emit_operation(j, &a, wants_plain);
        access_find(j, &a);
    }
    j->blocked = keep;
}
