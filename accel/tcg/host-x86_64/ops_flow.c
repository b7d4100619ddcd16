/*
 * Entry and exits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

/* Back to host_run(), in the cold, forwards; exit NULL: the main loop knows no more. */
void jit_leave(Jit *j, const HostExit *exit)
{
    if (exit) {
        emit_mov_imm(&j->emit, RAX, (uintptr_t)exit);
    } else {
        emit_op(&j->emit, OP(0x33), RAX, rm_reg(RAX));
    }
    emit_op(&j->emit, OP(0xff), 4, rm_piece(PIECE_LEAVE));
}

/* To whatever the state in memory says comes next. */
static void jump_next(Jit *j)
{
    emit_op(&j->emit, OP(0xff), 4, rm_piece(PIECE_NEXT));
}

/* RCX is the entry for the address in RAX: goes on there if it is the one. Else falls through. */
static void try_jump(Jit *j, uint32_t mode)
{
    uint8_t *skip_address, *skip_mode;

    emit_op(&j->emit, OP(0x3b) | OP_W, RAX, rm_mem(RCX, offsetof(TcgJump, pc)));
    emit_bytes(&j->emit, (const uint8_t[]){ 0x75, 0 }, 2);
    skip_address = j->emit.cold_buf + j->emit.cold_bytes;
    emit_op_imm(&j->emit, OP(0x81), 7, rm_mem(RCX, offsetof(TcgJump, mode)), 4, mode);
    emit_bytes(&j->emit, (const uint8_t[]){ 0x75, 0 }, 2);
    skip_mode = j->emit.cold_buf + j->emit.cold_bytes;
    emit_op(&j->emit, OP(0xff), 4, rm_mem(RCX, offsetof(TcgJump, code)));
    skip_address[-1] = j->emit.cold_buf + j->emit.cold_bytes - skip_address;
    skip_mode[-1] = j->emit.cold_buf + j->emit.cold_bytes - skip_mode;
}

static Rm rm_pc(const Jit *j)
{
    return rm_state(j->b->ops->slots[j->b->ops->pc_slot].offset);
}

/* The address is in RAX, and in the PC's slot. */
static void jump_indirect(Jit *j, uint32_t mode)
{
    Emit *e = &j->emit;

    emit_op(e, OP(0x8b), RCX, rm_reg(RAX));
    emit_op_imm(e, OP(0xc1), 5, rm_reg(RCX), 1, TCG_PAGE_BITS);
    emit_op_imm(e, OP(0x81), 4, rm_reg(RCX), 4, TCG_JUMP_GROUPS - 1);
    emit_op_imm(e, OP(0xc1), 4, rm_reg(RCX), 1, 6);
    emit_op(e, OP(0x8b), RDX, rm_reg(RAX));
    emit_op_imm(e, OP(0xc1), 5, rm_reg(RDX), 1, 6);
    emit_op(e, OP(0x33), RDX, rm_reg(RAX));
    emit_op_imm(e, OP(0x83), 4, rm_reg(RDX), 1, TCG_JUMP_GROUP - 1);
    emit_op(e, OP(0x0b), RCX, rm_reg(RDX));
    emit_op_imm(e, OP(0xc1), 4, rm_reg(RCX), 1, 5);
    emit_op(e, OP(0x03) | OP_W, RCX, rm_mem(RBP, CPU_DISP(jumps)));
    try_jump(j, mode);
    jump_next(j);
}
_Static_assert(sizeof(TcgJump) == 32 && TCG_JUMP_GROUP == 64, "jump_indirect() shifts by this");

/* A known address, in a page whose mapping may change or on to one: looked up too. */
static void jump_far(Jit *j, const HostExit *exit)
{
    emit_op(&j->emit, OP(0x8b) | OP_W, RCX, rm_mem(RBP, CPU_DISP(jumps)));
    emit_mov_imm(&j->emit, RAX, exit->pc);
    emit_op_imm(&j->emit, OP(0x81) | OP_W, 0, rm_reg(RCX), 4,
                tcg_jump_index(exit->pc) * sizeof(TcgJump));
    try_jump(j, exit->mode);
    emit_op(&j->emit, OP(0x89) | OP_W, RAX, rm_pc(j));
    jump_next(j);
}

/* In the region's own page, and what is there does not reach into the next. */
static bool is_near(const Jit *j, const HostExit *exit)
{
    uint64_t page = UINT64_C(1) << TCG_PAGE_BITS;

    return (exit->pc ^ j->region->key.pc) / page == 0 &&
           (exit->pc & (page - 1)) <= page - TCG_INSN_BYTES;
}

/* What an exit does after its stores, in the cold. */
static int make_tail(Jit *j, HostExit *exit)
{
    int place;

    j->emit.in_cold = true;
    place = emit_place(&j->emit);
    if (exit->kind == IR_EXIT_INDIRECT) {
        jump_indirect(j, exit->mode);
    } else if (exit->kind == IR_EXIT_MAIN) {
        jump_next(j);
    } else if (is_near(j, exit)) {
        jit_leave(j, exit);
        if (j->region->is_hot) {
            exit->far_tail = emit_place(&j->emit);
            jump_far(j, exit);
        }
    } else {
        jump_far(j, exit);
    }
    j->emit.in_cold = false;
    exit->tail = place;
    return place;
}

static bool is_chainable(const Jit *j, const HostExit *exit)
{
    return exit->kind == IR_EXIT_DIRECT && is_near(j, exit);
}

static void final_exit(Jit *j, const IrInsn *insn)
{
    HostExit *exit = &j->code->exits[insn->imm];
    IrSnapshot stores;
    int tail;

    if (exit->kind == IR_EXIT_LOOP) {
        jit_loop_end(j, insn);
        return;
    }
    j->is_dispatch = j->region->is_hot && exit->kind == IR_EXIT_INDIRECT &&
                     !j->b->exits[insn->imm].is_call && !j->b->exits[insn->imm].is_return;
    tail = make_tail(j, exit);
    if (is_chainable(j, exit)) {
        exit->patch = emit_patchable_jmp(&j->emit, tail);
    } else {
        emit_jmp(&j->emit, tail);
    }
    if (exit->kind == IR_EXIT_INDIRECT) {
        ra_use(j, insn->a, BIT(RAX));
    }
    ir_stores(j->b, insn, &stores);
    jit_stores(j, &stores);
}

/* --- side exits --- */

static void hold_values(Jit *j, const IrSnapshot *stores)
{
    for (unsigned i = 0; i < stores->count; i++) {
        IrRef ref = stores->entries[i].value;

        if (!ra_is_wanted(j, ref)) {
            const IrInsn *insn = ir_insn(j->b, ref);

            if (insn->op != IR_CONST) {
                ra_use(j, ref, ra_class(insn->type));
            }
        }
    }
}

/* Through RAX or XMM0, once all that was in registers is stored. */
static void store_rest(Jit *j, const IrSlot *slot, IrRef ref)
{
    const IrInsn *insn = ir_insn(j->b, ref);
    Rm rm = rm_state(slot->offset);

    if (j->is_invariant[ref]) {
        Rm from = rm_state(j->b->ops->slots[insn->imm].offset);

        if (insn->type >= IR_V128) {
            jit_load_vector(j, XMM(0), from, insn->type);
            jit_store_vector(j, XMM(0), rm, insn->type);
        } else {
            emit_op(&j->emit, OP(0x8b) | OP_W, RAX, from);
            emit_op(&j->emit, OP(0x89) | (slot->type == IR_I64 ? OP_W : 0), RAX, rm);
        }
    } else if (insn->op == IR_VCONST) {
        jit_load_vector(j, XMM(0), rm_place(j->vconst_place[insn->imm]), insn->type);
        jit_store_vector(j, XMM(0), rm, insn->type);
    } else if (insn->op == IR_CONST) {
        emit_mov_imm(&j->emit, RAX, insn->imm);
        emit_op(&j->emit, OP(0x89) | (slot->type == IR_I64 ? OP_W : 0), RAX, rm);
    } else if (insn->type >= IR_V128) {
        ra_load_spill(j, XMM(0), ref);
        jit_store_vector(j, XMM(0), rm, insn->type);
    } else {
        ra_load_spill(j, RAX, ref);
        emit_op(&j->emit, OP(0x89) | (slot->type == IR_I64 ? OP_W : 0), RAX, rm);
    }
}

static void store_cold(Jit *j, const IrSnapshot *stores)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < stores->count; i++) {
            IrRef ref = stores->entries[i].value;
            const IrSlot *slot = &j->b->ops->slots[stores->entries[i].slot];
            int reg = j->reg[ref];

            if (pass == 1 && reg == NO_REG) {
                store_rest(j, slot, ref);
            } else if (pass == 0 && reg != NO_REG && IS_XMM(reg)) {
                jit_store_vector(j, reg, rm_state(slot->offset), slot->type);
            } else if (pass == 0 && reg != NO_REG) {
                emit_op(&j->emit, OP(0x89) | (slot->type == IR_I64 ? OP_W : 0), reg,
                        rm_state(slot->offset));
            }
        }
    }
}

static void side_exit(Jit *j, const IrInsn *insn)
{
    HostExit *exit = &j->code->exits[insn->imm];
    int tail = make_tail(j, exit), cc = jit_cc(insn->c), stub;
    IrSnapshot stores;

    ir_stores(j->b, insn, &stores);
    hold_values(j, &stores);
    if (!stores.count && is_chainable(j, exit)) {
        exit->patch = emit_patchable_jcc(&j->emit, cc, tail);
    } else if (!stores.count) {
        emit_jcc(&j->emit, cc, tail);
    } else {
        j->emit.in_cold = true;
        stub = emit_place(&j->emit);
        store_cold(j, &stores);
        if (is_chainable(j, exit)) {
            exit->patch = emit_patchable_jmp(&j->emit, tail);
        } else {
            emit_jmp(&j->emit, tail);
        }
        j->emit.in_cold = false;
        emit_jcc(&j->emit, cc, stub);
    }
    jit_compare(j, insn->c, insn->compared, insn->a, insn->b);
}

void jit_exit(Jit *j, const IrInsn *insn)
{
    if (insn->op == IR_EXIT) {
        final_exit(j, insn);
    } else {
        side_exit(j, insn);
    }
}

/* In the cold: nothing has begun. */
static int entry_stub(Jit *j)
{
    HostExit *exit = &j->code->exits[j->code->exit_count - 1];
    int place;

    exit->kind = IR_EXIT_DIRECT;
    exit->pc = j->region->key.pc;
    exit->mode = j->region->mode;
    j->emit.in_cold = true;
    place = emit_place(&j->emit);
    jit_leave(j, exit);
    j->emit.in_cold = false;
    return place;
}

/* Written from the last to the first. */
static void count_insns(Jit *j, int stub)
{
    emit_op(&j->emit, OP(0x89) | OP_W, RAX, rm_mem(RBP, CPU_DISP(icount)));
    emit_jcc(&j->emit, CC_A, stub);
    emit_op(&j->emit, OP(0x3b) | OP_W, RAX, rm_mem(RBP, CPU_DISP(icount_limit)));
    emit_op_imm(&j->emit, OP(0x81) | OP_W, 0, rm_reg(RAX), 4, j->b->guest_insns);
    emit_op(&j->emit, OP(0x8b) | OP_W, RAX, rm_mem(RBP, CPU_DISP(icount)));
}

/*
 * Requests are looked for; where they are found the region has not begun. Entries of what is not
 * hot yet are counted.
 */
void jit_entry(Jit *j)
{
    int stub = entry_stub(j);

    if (tcg_options.is_counting) {
        count_insns(j, stub);
    } else if (!j->region->is_hot) {
        emit_jcc(&j->emit, CC_E, stub);
        emit_op(&j->emit, OP(0xff), 1, rm_mem(RAX, 0));
        emit_mov_imm(&j->emit, RAX, (uintptr_t)&j->code->heat);
    }
    emit_jcc(&j->emit, CC_NE, stub);
    emit_op_imm(&j->emit, OP(0x83), 7, rm_mem(RBP, CPU_DISP(exit_wanted)), 1, 0);
}
