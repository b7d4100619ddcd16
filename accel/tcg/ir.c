/*
 * Building IR: see accel/tcg/ir.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir_internal.h"

#define IR_OP_INFO(NAME, name, shape, flags) { #name, #shape, flags },
const IrOpInfo ir_ops[IR_OP_COUNT] = { IR_OPS(IR_OP_INFO) };

void ir_begin(IrBuilder *b, const TcgTargetOps *ops)
{
    assert(ops->slot_count <= IR_MAX_SLOTS);
    memset(b, 0, offsetof(IrBuilder, exits));
    b->ops = ops;
    b->count = 1;
    b->guest_insns = 0;
    b->page_count = 0;
    memset(b->visited, 0, sizeof(b->visited));
}

IrType ir_type(const IrBuilder *b, IrRef ref)
{
    assert(ref && ref < b->count);
    return b->insns[ref].type;
}

/* --- appending --- */

static unsigned hash_of(const IrInsn *insn)
{
    uint64_t h = insn->op * 0x9e3779b97f4a7c15u ^ insn->type;

    h = (h ^ insn->a ^ (uint64_t)insn->b << 16 ^ (uint64_t)insn->c << 32 ^
         (uint64_t)insn->d << 48) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 32 ^ insn->imm) * 0xc4ceb9fe1a85ec53u;
    return (h >> 40) % IR_BUCKETS;
}

static bool is_same(const IrInsn *x, const IrInsn *y)
{
    return x->op == y->op && x->type == y->type && x->a == y->a && x->b == y->b && x->c == y->c &&
           x->d == y->d && x->imm == y->imm;
}

static IrRef append_new(IrBuilder *b, const IrInsn *insn)
{
    assert(b->count < IR_MAX_INSNS && !b->has_ended);
    b->insns[b->count] = *insn;
    b->insns[b->count].heat = IR_UNUSED;
    return b->count++;
}

IrRef ir_append(IrBuilder *b, const IrInsn *insn)
{
    unsigned hash;
    IrRef ref;

    if (!(ir_ops[insn->op].flags & IR_PURE)) {
        return append_new(b, insn);
    }
    hash = hash_of(insn);
    for (ref = b->buckets[hash]; ref; ref = b->insns[ref].chain) {
        if (is_same(&b->insns[ref], insn)) {
            return ref;
        }
    }
    ref = append_new(b, insn);
    b->insns[ref].chain = b->buckets[hash];
    b->buckets[hash] = ref;
    return ref;
}

IrRef ir_emit(IrBuilder *b, IrOp op, IrType type, IrRef x, IrRef y, IrRef z, uint64_t imm)
{
    IrInsn insn = { .op = op, .type = type, .a = x, .b = y, .c = z, .imm = imm };
    IrRef equal = ir_fold(b, &insn);

    return equal ? equal : ir_append(b, &insn);
}

/* An operation with effects; it knows where in the list of puts it stands. */
static IrRef emit_effect(IrBuilder *b, IrInsn insn)
{
    insn.snap = b->last_put;
    return append_new(b, &insn);
}

/* --- values --- */

IrRef ir_const(IrBuilder *b, IrType type, uint64_t value)
{
    IrInsn insn = { .op = IR_CONST, .type = type,
                    .imm = type == IR_I32 ? (uint32_t)value : value };

    return ir_append(b, &insn);
}

bool ir_is_const(const IrBuilder *b, IrRef ref, uint64_t *value)
{
    if (b->insns[ref].op != IR_CONST) {
        return false;
    }
    *value = b->insns[ref].imm;
    return true;
}

IrRef ir_vconst(IrBuilder *b, IrType type, const void *bytes)
{
    IrValue value = { .quads = { 0 } };
    unsigned i;

    memcpy(value.bytes, bytes, ir_type_bits(type) / 8);
    for (i = 0; i < b->vconst_count; i++) {
        if (!memcmp(&b->vconsts[i], &value, sizeof(value))) {
            break;
        }
    }
    assert(i < IR_MAX_VCONSTS);
    b->vconsts[i] = value;
    b->vconst_count = MAX(b->vconst_count, i + 1);
    return ir_append(b, &(IrInsn){ .op = IR_VCONST, .type = type, .imm = i });
}

IrRef ir_extract(IrBuilder *b, IrRef x, unsigned pos, unsigned len)
{
    assert(len && pos + len <= ir_type_bits(ir_type(b, x)));
    return ir_emit(b, IR_EXTRACT, ir_type(b, x), x, 0, 0, pos | len << 8);
}

IrRef ir_deposit(IrBuilder *b, IrRef x, IrRef field, unsigned pos, unsigned len)
{
    assert(len && pos + len <= ir_type_bits(ir_type(b, x)));
    assert(ir_type(b, field) == ir_type(b, x));
    return ir_emit(b, IR_DEPOSIT, ir_type(b, x), x, field, 0, pos | len << 8);
}

IrRef ir_setcond(IrBuilder *b, IrCond cond, IrRef x, IrRef y)
{
    assert(ir_type(b, x) == ir_type(b, y));
    return ir_emit(b, IR_SETCOND, IR_I32, x, y, 0, cond | ir_type(b, x) << 8);
}

IrRef ir_vlow(IrBuilder *b, IrRef x)
{
    return ir_emit(b, IR_VLOW, IR_V128, x, 0, 0, 0);
}

IrRef ir_vhigh(IrBuilder *b, IrRef x)
{
    return ir_emit(b, IR_VHIGH, IR_V128, x, 0, 0, 0);
}

IrRef ir_vconcat(IrBuilder *b, IrRef low, IrRef high)
{
    return ir_emit(b, IR_VCONCAT, IR_V256, low, high, 0, 0);
}

/* --- state --- */

IrRef ir_get(IrBuilder *b, unsigned slot)
{
    IrInsn insn = { .op = IR_GET, .imm = slot };

    assert(slot < b->ops->slot_count);
    if (!b->slot_value[slot]) {
        insn.type = b->ops->slots[slot].type;
        b->slot_value[slot] = append_new(b, &insn);
    }
    return b->slot_value[slot];
}

void ir_put(IrBuilder *b, unsigned slot, IrRef x)
{
    assert(slot < b->ops->slot_count && ir_type(b, x) == b->ops->slots[slot].type);
    if (b->slot_value[slot] != x) {
        b->last_put = emit_effect(b, (IrInsn){ .op = IR_PUT, .a = x, .imm = slot });
        b->slot_value[slot] = x;
    }
}

void ir_sync(IrBuilder *b, uint64_t groups)
{
    if (groups && b->last_put) {
        b->last_put = emit_effect(b, (IrInsn){ .op = IR_SYNC, .imm = groups });
    }
}

IrRef ir_ld(IrBuilder *b, IrType type, IrMem mem, uint32_t offset, IrRef index)
{
    return append_new(b, &(IrInsn){ .op = IR_LD, .type = type, .b = index,
                                    .imm = offset | (uint64_t)mem << 32 });
}

void ir_st(IrBuilder *b, IrMem mem, uint32_t offset, IrRef index, IrRef x)
{
    append_new(b, &(IrInsn){ .op = IR_ST, .a = x, .b = index,
                             .imm = offset | (uint64_t)mem << 32 });
}

/* --- guest memory --- */

IrRef ir_load(IrBuilder *b, IrType type, IrMem mem, IrRef addr)
{
    assert(ir_type(b, addr) == IR_I64);
    return emit_effect(b, (IrInsn){ .op = IR_LOAD, .type = type, .a = addr, .imm = mem });
}

void ir_store(IrBuilder *b, IrMem mem, IrRef addr, IrRef x)
{
    assert(ir_type(b, addr) == IR_I64);
    emit_effect(b, (IrInsn){ .op = IR_STORE, .a = addr, .b = x, .imm = mem });
}

IrRef ir_atomic(IrBuilder *b, IrOp op, IrMem mem, IrRef addr, IrRef x)
{
    assert(op >= IR_XCHG && op <= IR_FETCH_XOR && ir_type(b, addr) == IR_I64);
    return emit_effect(b, (IrInsn){ .op = op, .type = ir_type(b, x), .a = addr, .b = x,
                                    .imm = mem });
}

IrRef ir_cmpxchg(IrBuilder *b, IrMem mem, IrRef addr, IrRef expected, IrRef x)
{
    assert(ir_type(b, addr) == IR_I64 && ir_type(b, expected) == ir_type(b, x));
    return emit_effect(b, (IrInsn){ .op = IR_CMPXCHG, .type = ir_type(b, x), .a = addr,
                                    .b = expected, .c = x, .imm = mem });
}

static bool may_access(const IrInsn *insn)
{
    return ir_op_is(insn, IR_RAISES) ? !(insn->op == IR_LOAD && (insn->imm & IR_MEM_PROBE)) : insn->op == IR_CALL;
}

/* Nothing was accessed since the last fence. */
static bool is_fenced(const IrBuilder *b)
{
    unsigned i = b->count - 1;

    while (i > 0 && b->insns[i].op != IR_FENCE && !may_access(&b->insns[i])) {
        i--;
    }
    return b->insns[i].op == IR_FENCE;
}

void ir_fence(IrBuilder *b)
{
    if (!is_fenced(b)) {
        append_new(b, &(IrInsn){ .op = IR_FENCE });
    }
}

static void forget(IrBuilder *b, uint64_t groups)
{
    for (unsigned i = 0; groups && i < b->ops->slot_count; i++) {
        if (groups & BIT64(b->ops->slots[i].group)) {
            b->slot_value[i] = 0;
        }
    }
}

IrRef ir_call(IrBuilder *b, const IrHelper *helper, const IrRef *args)
{
    IrRef arg[4] = { 0 };
    IrInsn insn = { .type = helper->result, .imm = (uintptr_t)helper };

    for (unsigned i = 0; i < helper->arg_count; i++) {
        arg[i] = args[i];
        assert(ir_type(b, arg[i]) == helper->args[i]);
    }
    insn.a = arg[0], insn.b = arg[1], insn.c = arg[2], insn.d = arg[3];
    if (helper->flags & IR_HELPER_PURE) {
        insn.op = IR_CALL_PURE;
        return ir_append(b, &insn);
    }
    insn.op = helper->flags & IR_HELPER_RAISES ? IR_CALL_RAISES : IR_CALL;
    ir_sync(b, helper->reads | helper->writes);
    forget(b, helper->writes);
    return emit_effect(b, insn);
}

/* --- control --- */

static unsigned exit_new(IrBuilder *b, IrExit exit)
{
    assert(b->exit_count < IR_MAX_EXITS);
    exit.mode = exit.mode ? exit.mode : b->mode;
    b->exits[b->exit_count] = exit;
    return b->exit_count++;
}

static void emit_exit(IrBuilder *b, IrExit exit, IrRef pc)
{
    unsigned index = exit_new(b, exit);

    if (pc) {
        ir_put(b, b->ops->pc_slot, pc);
    }
    emit_effect(b, (IrInsn){ .op = IR_EXIT, .a = exit.kind == IR_EXIT_INDIRECT ? pc : 0,
                             .imm = index });
    b->has_ended = true;
}

void ir_exit_direct(IrBuilder *b, uint64_t pc)
{
    bool is_loop = b->limits.is_hot && pc == b->first_pc;

    emit_exit(b, (IrExit){ .kind = is_loop ? IR_EXIT_LOOP : IR_EXIT_DIRECT, .pc = pc },
              ir_i64(b, pc));
}

void ir_exit_direct_in(IrBuilder *b, uint64_t pc, uint32_t mode)
{
    emit_exit(b, (IrExit){ .kind = IR_EXIT_DIRECT, .pc = pc, .mode = mode }, ir_i64(b, pc));
}

void ir_exit_indirect(IrBuilder *b, IrRef pc)
{
    emit_exit(b, (IrExit){ .kind = IR_EXIT_INDIRECT }, pc);
}

void ir_exit_return(IrBuilder *b, IrRef pc)
{
    emit_exit(b, (IrExit){ .kind = IR_EXIT_INDIRECT, .is_return = true }, pc);
}

void ir_exit_call(IrBuilder *b, IrRef pc, uint64_t return_pc)
{
    IrExit exit = { .kind = IR_EXIT_INDIRECT, .is_call = true, .return_pc = return_pc };

    if (ir_is_const(b, pc, &exit.pc)) {
        exit.kind = IR_EXIT_DIRECT;
    }
    emit_exit(b, exit, pc);
}

void ir_exit_main(IrBuilder *b)
{
    emit_exit(b, (IrExit){ .kind = IR_EXIT_MAIN }, 0);
}

void ir_exit_if(IrBuilder *b, IrCond cond, IrRef x, IrRef y, uint64_t pc)
{
    uint64_t zero;

    /* A condition that was computed before. */
    while (b->insns[x].op == IR_SETCOND && (cond == IR_NE || cond == IR_EQ) &&
           ir_is_const(b, y, &zero) && zero == 0) {
        cond = ir_setcond_cond(&b->insns[x]) ^ (cond == IR_EQ);
        y = b->insns[x].b;
        x = b->insns[x].a;
    }
    emit_effect(b, (IrInsn){ .op = IR_EXIT_IF, .compared = ir_type(b, x), .a = x, .b = y, .c = cond,
                             .imm = exit_new(b, (IrExit){ .kind = IR_EXIT_DIRECT, .pc = pc }) });
}

/* --- snapshots --- */

void ir_snapshot(const TcgTargetOps *ops, const IrInsn *insns, IrRef snap, uint64_t groups,
                 IrSnapshot *out)
{
    uint64_t seen[IR_MAX_SLOTS / 64] = { 0 };

    out->count = 0;
    for (; snap; snap = insns[snap].snap) {
        const IrInsn *insn = &insns[snap];
        unsigned slot = insn->imm;

        if (insn->op == IR_SYNC) {
            groups &= ~insn->imm;
        } else if ((groups & BIT64(ops->slots[slot].group)) &&
                   !(seen[slot / 64] & BIT64(slot % 64))) {
            seen[slot / 64] |= BIT64(slot % 64);
            out->entries[out->count].slot = slot;
            out->entries[out->count++].value = insn->a;
        }
    }
}

void ir_stores(const IrBuilder *b, const IrInsn *insn, IrSnapshot *out)
{
    ir_snapshot(b->ops, b->insns, insn->snap,
                insn->op == IR_SYNC ? insn->imm : IR_ALL_GROUPS, out);
    if (insn->op != IR_SYNC && (b->exits[insn->imm].kind == IR_EXIT_DIRECT ||
                                  b->exits[insn->imm].kind == IR_EXIT_LOOP)) {
        /* The next region knows its own PC. */
        for (unsigned i = 0; i < out->count; i++) {
            if (out->entries[i].slot == b->ops->pc_slot) {
                out->entries[i] = out->entries[--out->count];
                break;
            }
        }
    }
}

/* --- what is needed --- */

static void heat(IrBuilder *b, IrRef ref, IrHeat heat)
{
    if (ref) {
        b->insns[ref].heat = MAX(b->insns[ref].heat, heat);
    }
}

static void heat_args(IrBuilder *b, const IrInsn *insn, IrHeat how)
{
    heat(b, insn->a, how);
    heat(b, insn->b, how);
    if (insn->op != IR_EXIT_IF) {
        heat(b, insn->c, how);
    }
    heat(b, insn->d, how);
}

static void heat_stores(IrBuilder *b, const IrInsn *insn)
{
    IrSnapshot stores;

    ir_stores(b, insn, &stores);
    for (unsigned i = 0; i < stores.count; i++) {
        heat(b, stores.entries[i].value, IR_HOT);
    }
}

void ir_mark(IrBuilder *b)
{
    for (unsigned i = b->count - 1; i > 0; i--) {
        IrInsn *insn = &b->insns[i];

        if (insn->op == IR_PUT) {
            heat(b, insn->a, IR_COLD);
        } else if (ir_op_is(insn, IR_EFFECT)) {
            insn->heat = IR_HOT;
            if (insn->op == IR_EXIT || insn->op == IR_EXIT_IF || insn->op == IR_SYNC) {
                heat_stores(b, insn);
            }
            heat_args(b, insn, IR_HOT);
        } else if (insn->heat) {
            /* Not moved into the cold: what reads memory, and calls. */
            if (ir_op_is(insn, IR_READS) || insn->op == IR_CALL_PURE) {
                insn->heat = IR_HOT;
            }
            heat_args(b, insn, insn->heat);
        }
    }
}
