/*
 * IR as text, and its checker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir_internal.h"

#define IR_VEC_NAME(NAME, shape, prefix, map, opcode, w, feature, digit) #NAME,
static const char *const vec_names[] = { IR_VECS(IR_VEC_NAME) };
static const char *const type_names[] = { "", "i32", "i64", "v128", "v256" };
static const char *const cond_names[] = {
    "eq", "ne", "lt", "ge", "le", "gt", "ltu", "geu", "leu", "gtu", "test_eq", "test_ne",
};

const char *ir_op_name(IrOp op)
{
    return ir_ops[op].name;
}

const char *ir_cond_name(IrCond cond)
{
    return cond_names[cond];
}

static void dump_arg(const IrBuilder *b, IrRef ref, GString *out)
{
    const IrInsn *insn = ir_insn(b, ref);

    if (insn->op == IR_CONST) {
        g_string_append_printf(out, " %#" PRIx64, insn->imm);
    } else {
        g_string_append_printf(out, " %%%u", ref);
    }
}

static void dump_mem(IrMem mem, GString *out)
{
    g_string_append_printf(out, " [%u%s%s%s%s mmu%u]", 8 * ir_mem_bytes(mem),
                           mem & IR_MEM_SIGNED ? " signed" : "", mem & IR_MEM_SWAP ? " swap" : "",
                           mem & IR_MEM_ALIGNED ? " aligned" : "", mem & IR_MEM_PROBE ? " probe" : "",
                           ir_mem_mmu(mem));
}

static void dump_exit(const IrExit *exit, GString *out)
{
    static const char *const kinds[] = { "direct", "indirect", "main", "loop" };

    g_string_append_printf(out, " %s", kinds[exit->kind]);
    if (exit->kind == IR_EXIT_DIRECT) {
        g_string_append_printf(out, " %#" PRIx64, exit->pc);
    }
    g_string_append(out, exit->is_call ? " call" : exit->is_return ? " return" : "");
}

/* What an operation's imm means. */
static void dump_imm(const IrBuilder *b, const IrInsn *insn, GString *out)
{
    switch ((IrOp)insn->op) {
    case IR_GET:
    case IR_HEAD:
    case IR_PUT:
        g_string_append_printf(out, " %s", b->ops->slots[insn->imm].name);
        break;
    case IR_SYNC:
        g_string_append_printf(out, " %#" PRIx64, insn->imm);
        break;
    case IR_SETCOND:
        g_string_append_printf(out, " %s", cond_names[ir_setcond_cond(insn)]);
        break;
    case IR_EXTRACT:
    case IR_DEPOSIT:
        g_string_append_printf(out, " pos %u len %u", (unsigned)insn->imm & 0xff,
                               (unsigned)insn->imm >> 8);
        break;
    case IR_VEC:
        g_string_append_printf(out, " %s imm8 %u", vec_names[insn->imm & 0xffff],
                               (unsigned)(insn->imm >> 16));
        break;
    case IR_VCONST:
        g_string_append_printf(out, " #%u", (unsigned)insn->imm);
        break;
    case IR_LD:
    case IR_ST:
        g_string_append_printf(out, " state+%#x", (uint32_t)insn->imm);
        dump_mem(insn->imm >> 32, out);
        break;
    case IR_LOAD ... IR_CMPXCHG:
        dump_mem(insn->imm, out);
        break;
    case IR_CALL:
    case IR_CALL_RAISES:
    case IR_CALL_PURE:
        g_string_append_printf(out, " %s", ((const IrHelper *)(uintptr_t)insn->imm)->name);
        break;
    case IR_EXIT_IF:
        g_string_append_printf(out, " %s", cond_names[insn->c]);
        dump_exit(&b->exits[insn->imm], out);
        break;
    case IR_EXIT:
        dump_exit(&b->exits[insn->imm], out);
        break;
    default:
        break;
    }
}

static void dump_insn(const IrBuilder *b, IrRef ref, GString *out)
{
    const IrInsn *insn = ir_insn(b, ref);

    if (insn->type) {
        g_string_append_printf(out, "%%%u = %s %s", ref, type_names[insn->type],
                               ir_op_name(insn->op));
    } else {
        g_string_append_printf(out, "%s", ir_op_name(insn->op));
    }
    dump_imm(b, insn, out);
    for (unsigned i = 0; i < 4; i++) {
        IrRef arg = i == 0 ? insn->a : i == 1 ? insn->b : i == 2 ? insn->c : insn->d;

        if (arg && !(i == 2 && insn->op == IR_EXIT_IF)) {
            dump_arg(b, arg, out);
        }
    }
    g_string_append_c(out, '\n');
}

void ir_dump(const IrBuilder *b, GString *out)
{
    for (unsigned i = 1; i < b->count; i++) {
        if (b->insns[i].op != IR_CONST && b->insns[i].op != IR_NOP) {
            dump_insn(b, i, out);
        }
    }
}

/* --- checking --- */

/* What is wrong with the types of a regular operation's arguments. */
static const char *check_shape(const IrBuilder *b, const IrInsn *insn)
{
    const char *shape = ir_ops[insn->op].shape;
    IrType x = insn->a ? ir_insn(b, insn->a)->type : IR_VOID;
    IrType y = insn->b ? ir_insn(b, insn->b)->type : IR_VOID;
    IrType z = insn->c && insn->op != IR_EXIT_IF ? ir_insn(b, insn->c)->type : IR_VOID;

    if (!strcmp(shape, "T_T")) {
        return x == insn->type && !insn->b ? NULL : "argument is not of its type";
    }
    if (!strcmp(shape, "T_TT")) {
        return x == insn->type && y == x ? NULL : "arguments are not of its type";
    }
    if (!strcmp(shape, "L_I")) {
        return x == IR_I32 && insn->type == IR_I64 ? NULL : "is not i64 of i32";
    }
    if (!strcmp(shape, "I_L")) {
        return x == IR_I64 && insn->type == IR_I32 ? NULL : "is not i32 of i64";
    }
    if (!strcmp(shape, "T_ITT")) {
        return x == IR_I32 && y == insn->type && z == y ? NULL : "is not T of i32, T, T";
    }
    if (insn->op == IR_EXIT_IF || insn->op == IR_SETCOND) {
        return x == y && (x == IR_I32 || x == IR_I64) ? NULL : "compares different types";
    }
    return NULL;
}

static const char *check_insn(const IrBuilder *b, IrRef ref)
{
    const IrInsn *insn = ir_insn(b, ref);

    if (insn->a >= ref || insn->b >= ref || insn->d >= ref || insn->snap >= ref ||
        (insn->op != IR_EXIT_IF && insn->c >= ref)) {
        return "uses what comes later";
    }
    if (ir_op_is(insn, IR_ENDS) && ref != b->count - 1) {
        return "is not the last";
    }
    return check_shape(b, insn);
}

char *ir_check(const IrBuilder *b)
{
    for (unsigned i = 1; i < b->count; i++) {
        const char *what = check_insn(b, i);

        if (what) {
            return g_strdup_printf("%%%u %s: %s", i, ir_op_name(b->insns[i].op), what);
        }
    }
    return b->has_ended ? NULL : g_strdup("no exit at the end");
}
