/*
 * Loops: guest registers that are carried in host registers around a region's jump to its start.
 *
 * The jump leaves each carried value in a register chosen there. At the start of a round, values
 * are moved from these to where the code that follows (and was allocated last) wants them; most
 * want them where they are. The way in loads them from the state.
 *
 *     entry:  load carried values         start:  move       ...  body  ...
 *             stores of what is not carried; no request? jump to start; leave
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

static const uint8_t gpr_order[] = { RBX, R12, R13, R14, R15, R11, R10, R9, R8 };
#define CARRIED_VECTORS 10
#define FIRST_CARRIED_VECTOR 6
#define JCC_BYTES 6

void jit_loop_begin(Jit *j)
{
    unsigned gprs = 0, vectors = 0;

    j->span_owner_count = 0;
    j->is_dispatch = false;
    ir_carry(j->b, ARRAY_SIZE(gpr_order), CARRIED_VECTORS, &j->loop);
    ir_alias(j->b, &j->loop);
    for (unsigned i = 0; i < j->loop.count; i++) {
        const IrCarried *c = &j->loop.carried[i];
        bool is_vector = ir_insn(j->b, c->head)->type >= IR_V128;

        j->loop_reg[i] = is_vector ? XMM(FIRST_CARRIED_VECTOR + vectors++) : gpr_order[gprs++];
    }
}

/* After ra_begin(), which forgets hints. */
void jit_loop_hints(Jit *j)
{
    for (unsigned i = 0; i < j->loop.count; i++) {
        j->hint[j->loop.carried[i].head] = j->loop_reg[i];
        j->is_invariant[j->loop.carried[i].head] = !j->loop.carried[i].is_dirty;
    }
}

static const IrSlot *slot_of(const Jit *j, unsigned i)
{
    return &j->b->ops->slots[j->loop.carried[i].slot];
}

static void access_slot(Jit *j, int reg, const IrSlot *slot, bool is_store)
{
    Rm rm = rm_state(slot->offset);

    if (IS_XMM(reg) && is_store) {
        jit_store_vector(j, reg, rm, slot->type);
    } else if (IS_XMM(reg)) {
        jit_load_vector(j, reg, rm, slot->type);
    } else {
        emit_op(&j->emit, OP(is_store ? 0x89 : 0x8b) | (slot->type == IR_I64 ? OP_W : 0), reg, rm);
    }
}

/* What is carried, brought to memory, in the cold. */
static int leave_stub(Jit *j, HostExit *exit)
{
    int place;

    j->emit.in_cold = true;
    place = emit_place(&j->emit);
    for (unsigned i = 0; i < j->loop.count; i++) {
        if (j->loop.carried[i].is_dirty) {
            access_slot(j, j->loop_reg[i], slot_of(j, i), true);
        }
    }
    jit_leave(j, exit);
    j->emit.in_cold = false;
    return place;
}

/* The value at the round's end is in its register at the jump. */
static void place_end(Jit *j, unsigned i)
{
    IrRef end = j->loop.carried[i].end;
    const IrInsn *insn = ir_insn(j->b, end);
    int reg = j->loop_reg[i];

    if (insn->op == IR_CONST) {
        emit_mov_imm(&j->emit, reg, insn->imm);
    } else if (j->reg[end] == NO_REG) {
        ra_assign(j, end, reg);
    } else {
        ra_move(j, reg, j->reg[end], insn->type);
    }
}

static bool is_carried(const Jit *j, unsigned slot)
{
    for (unsigned i = 0; i < j->loop.count; i++) {
        if (j->loop.carried[i].slot == slot) {
            return true;
        }
    }
    return false;
}

void jit_loop_end(Jit *j, const IrInsn *insn)
{
    HostExit *exit = &j->code->exits[insn->imm];
    IrSnapshot stores, rest = { .count = 0 };

    emit_jmp(&j->emit, leave_stub(j, exit));
    emit_jcc(&j->emit, CC_E, 0);
    j->loop_jump = j->emit.main_bytes;
    emit_op_imm(&j->emit, OP(0x83), 7, rm_mem(RBP, CPU_DISP(exit_wanted)), 1, 0);
    for (unsigned i = 0; i < j->loop.count; i++) {
        place_end(j, i);
    }
    ir_stores(j->b, insn, &stores);
    for (unsigned i = 0; i < stores.count; i++) {
        if (!is_carried(j, stores.entries[i].slot)) {
            rest.entries[rest.count++] = stores.entries[i];
        }
    }
    jit_stores(j, &rest);
}

/* --- the start --- */

typedef struct Move {
    int to, from;
    bool is_exchange;
} Move;

typedef struct Moves {
    Move list[2 * IR_MAX_CARRIED];
    unsigned count;
} Moves;

static bool is_source(const Moves *pending, int reg, unsigned but)
{
    for (unsigned i = 0; i < pending->count; i++) {
        if (i != but && pending->list[i].from == reg) {
            return true;
        }
    }
    return false;
}

static void drop_move(Moves *pending, unsigned i)
{
    pending->list[i] = pending->list[--pending->count];
}

/* All at once, as a sequence. */
static void order_moves(Moves *pending, Moves *out)
{
    while (pending->count) {
        unsigned i = 0;

        while (i < pending->count && is_source(pending, pending->list[i].to, i)) {
            i++;
        }
        if (i < pending->count) {
            out->list[out->count++] = pending->list[i];
            drop_move(pending, i);
            continue;
        }
        /* Only rings are left. */
        Move m = pending->list[0];

        m.is_exchange = true;
        out->list[out->count++] = m;
        drop_move(pending, 0);
        for (i = 0; i < pending->count; i++) {
            if (pending->list[i].from == m.to) {
                pending->list[i].from = m.from;
            }
        }
        for (i = pending->count; i-- > 0;) {
            if (pending->list[i].from == pending->list[i].to) {
                drop_move(pending, i);
            }
        }
    }
}

static void emit_move(Jit *j, const Move *m)
{
    int to = m->to - 16, from = m->from - 16;

    if (!m->is_exchange) {
        ra_move(j, m->to, m->from, IS_XMM(m->to) ? IR_V256 : IR_I64);
    } else if (IS_XMM(m->to)) {
        emit_vex(&j->emit, OP_0F(0x57), true, to, to, rm_reg(from));
        emit_vex(&j->emit, OP_0F(0x57), true, from, to, rm_reg(from));
        emit_vex(&j->emit, OP_0F(0x57), true, to, to, rm_reg(from));
    } else {
        emit_op(&j->emit, OP(0x87) | OP_W, m->to, rm_reg(m->from));
    }
}

static bool is_head_wanted(const Jit *j, unsigned i)
{
    return ra_is_wanted(j, j->loop.carried[i].head);
}

void jit_loop_start(Jit *j)
{
    Moves pending = { .count = 0 }, moves = { .count = 0 };
    int32_t disp;

    if (!j->loop_jump) {
        return;
    }
    for (unsigned i = 0; i < j->loop.count; i++) {
        int reg = j->reg[j->loop.carried[i].head];

        if (reg != NO_REG && reg != j->loop_reg[i]) {
            pending.list[pending.count++] = (Move){ reg, j->loop_reg[i], false };
        }
    }
    order_moves(&pending, &moves);
    for (unsigned i = moves.count; i-- > 0;) {
        emit_move(j, &moves.list[i]);
    }
    for (unsigned i = 0; i < j->loop.count; i++) {
        IrRef head = j->loop.carried[i].head;

        if (j->spill[head]) {
            ra_store_spill(j, j->loop_reg[i], head);
        }
    }
    /* The jump at the end leads here. */
    disp = -j->emit.main_bytes - -(j->loop_jump - JCC_BYTES);
    memcpy(j->emit.main_buf + EMIT_BYTES - j->loop_jump + JCC_BYTES - 4, &disp, 4);
    for (unsigned i = 0; i < j->loop.count; i++) {
        if (is_head_wanted(j, i)) {
            access_slot(j, j->loop_reg[i], slot_of(j, i), false);
            ra_forget(j, j->loop.carried[i].head);
        }
    }
}
