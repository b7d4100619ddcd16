/*
 * Loops: a region that ends with a jump to its start carries guest registers around it in values.
 *
 * What a carried slot holds at the start of a round is a HEAD, in place of the GET that read it;
 * a put of it before all others makes it part of snapshots taken before the slot is put again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir_internal.h"

typedef struct Carrying {
    IrBuilder *b;
    IrLoop *loop;
    unsigned integers, vectors; /* registers left */
    uint64_t excluded;          /* groups that helpers see: these stay in memory */
    IrRef get[IR_MAX_SLOTS];    /* the slot's read, if it is read before it is put */
} Carrying;

static void survey(Carrying *c)
{
    for (unsigned i = 1; i < c->b->count; i++) {
        const IrInsn *insn = &c->b->insns[i];

        if (insn->op == IR_SYNC) {
            c->excluded |= insn->imm;
        } else if (insn->op == IR_GET) {
            c->get[insn->imm] = i;
        }
    }
}

static bool take_register(Carrying *c, IrType type)
{
    unsigned *left = type >= IR_V128 ? &c->vectors : &c->integers;

    if (!*left || c->loop->count == IR_MAX_CARRIED) {
        return false;
    }
    --*left;
    return true;
}

static void carry(Carrying *c, unsigned slot, IrRef end, bool is_dirty)
{
    const IrSlot *s = &c->b->ops->slots[slot];
    IrRef head = c->get[slot];

    if ((c->excluded & BIT64(s->group)) || slot == c->b->ops->pc_slot ||
        !take_register(c, s->type)) {
        return;
    }
    if (head) {
        c->b->insns[head].op = IR_HEAD;
    } else {
        head = c->b->count++;
        c->b->insns[head] = (IrInsn){ .op = IR_HEAD, .type = s->type, .imm = slot };
    }
    c->loop->carried[c->loop->count++] = (IrCarried){ slot, is_dirty, head, is_dirty ? end : head };
}

/* Puts of the heads, before the first put there is. */
static void put_heads(Carrying *c, unsigned count)
{
    IrBuilder *b = c->b;
    IrRef last = 0;

    for (unsigned i = 0; i < c->loop->count; i++) {
        if (c->loop->carried[i].is_dirty) {
            b->insns[b->count] = (IrInsn){ .op = IR_PUT, .a = c->loop->carried[i].head,
                                           .imm = c->loop->carried[i].slot, .snap = last };
            last = b->count++;
        }
    }
    for (unsigned i = 1; i < count; i++) {
        IrInsn *insn = &b->insns[i];

        if (!insn->snap && (ir_op_is(insn, IR_RAISES) || insn->op == IR_EXIT_IF ||
                            insn->op == IR_EXIT || insn->op == IR_PUT || insn->op == IR_SYNC)) {
            insn->snap = last;
        }
    }
}

void ir_carry(IrBuilder *b, unsigned integers, unsigned vectors, IrLoop *loop)
{
    Carrying c = { .b = b, .loop = loop, .integers = integers, .vectors = vectors };
    const IrInsn *exit = &b->insns[b->count - 1];
    unsigned count = b->count;
    bool is_dirty[IR_MAX_SLOTS] = { false };
    IrSnapshot ends;

    loop->count = 0;
    if (exit->op != IR_EXIT || b->exits[exit->imm].kind != IR_EXIT_LOOP) {
        return;
    }
    survey(&c);
    ir_stores(b, exit, &ends);
    for (unsigned i = 0; i < ends.count; i++) {
        is_dirty[ends.entries[i].slot] = true;
        carry(&c, ends.entries[i].slot, ends.entries[i].value, true);
    }
    for (unsigned slot = 0; slot < b->ops->slot_count; slot++) {
        if (c.get[slot] && !is_dirty[slot]) {
            carry(&c, slot, 0, false);
        }
    }
    put_heads(&c, count);
}
