/*
 * For back ends whose registers hold an I32 with zeros above and whose operations on I32 look at
 * the lower half alone: widening and narrowing by zeros is no work, and its result lives where the
 * argument does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir_internal.h"

bool ir_has_zeros_above(const IrInsn *insn)
{
    switch ((IrOp)insn->op) {
    case IR_TRUNC:
    case IR_DEPOSIT: /* writes part of a register */
    case IR_HEAD:    /* of whatever was carried */
    case IR_CALL:
    case IR_CALL_RAISES:
    case IR_CALL_PURE:
        return false;
    default:
        return insn->type == IR_I32;
    }
}

/* What stands for it: itself, or its argument. */
static IrRef alias_of(const IrBuilder *b, IrRef ref)
{
    const IrInsn *insn = ir_insn(b, ref);

    if (insn->op == IR_TRUNC ||
        (insn->op == IR_ZEXT && ir_has_zeros_above(ir_insn(b, insn->a)))) {
        return insn->a;
    }
    return ref;
}

void ir_alias(IrBuilder *b, IrLoop *loop)
{
    for (unsigned i = 1; i < b->count; i++) {
        IrInsn *insn = &b->insns[i];

        /* Arguments come first, so what they are known by is final. */
        insn->a = alias_of(b, insn->a);
        insn->b = alias_of(b, insn->b);
        insn->d = alias_of(b, insn->d);
        if (insn->op != IR_EXIT_IF) {
            insn->c = alias_of(b, insn->c);
        }
    }
    for (unsigned i = 0; i < loop->count; i++) {
        loop->carried[i].end = alias_of(b, loop->carried[i].end);
    }
}
