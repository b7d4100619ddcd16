/*
 * The interpreter: runs the IR as it is. It is what other back ends are compared with.
 *
 * Values are never overwritten, so that a snapshot can be had at any place: what only snapshots
 * need is computed when one is taken.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"

/* Something that is done, and for a place where slots are stored: which of .stores. */
typedef struct Act {
    IrRef ref;
    unsigned first_store, store_count;
} Act;

/* A slot that is brought to memory. */
typedef struct Store {
    const IrSlot *slot;
    IrRef value;
} Store;

/* A copy of what the builder made, without what nobody needs. */
typedef struct InterpCode {
    const TcgTargetOps *ops;
    IrInsn *insns;
    IrExit *exits;
    IrValue *vconsts;
    Act *acts; /* in order */
    Store *stores;
    size_t bytes; /* all of it */
} InterpCode;

struct InterpFrame {
    const TcgRegion *region;
    const InterpCode *code;
    const Act *act;
    IrRef at;
    IrValue *values;
};

static bool is_place(const IrInsn *insn)
{
    return insn->op == IR_SYNC || insn->op == IR_EXIT || insn->op == IR_EXIT_IF;
}

static void add_stores(const IrBuilder *b, const IrInsn *insn, GArray *stores)
{
    IrSnapshot snapshot;

    ir_stores(b, insn, &snapshot);
    for (unsigned i = 0; i < snapshot.count; i++) {
        Store store = { &b->ops->slots[snapshot.entries[i].slot], snapshot.entries[i].value };

        g_array_append_val(stores, store);
    }
}

struct InterpCode *interp_compile(IrBuilder *b)
{
    InterpCode *code = g_new0(InterpCode, 1);
    g_autoptr(GArray) acts = g_array_new(false, false, sizeof(Act));
    g_autoptr(GArray) stores = g_array_new(false, false, sizeof(Store));

    ir_mark(b);
    code->ops = b->ops;
    code->insns = g_memdup2(b->insns, b->count * sizeof(IrInsn));
    code->exits = g_memdup2(b->exits, b->exit_count * sizeof(IrExit));
    code->vconsts = g_memdup2(b->vconsts, b->vconst_count * sizeof(IrValue));
    for (unsigned i = 1; i < b->count; i++) {
        Act act = { .ref = i, .first_store = stores->len };

        if (b->insns[i].heat != IR_HOT || b->insns[i].op == IR_CONST || b->insns[i].op == IR_PUT) {
            continue;
        }
        if (is_place(&b->insns[i])) {
            add_stores(b, &b->insns[i], stores);
            act.store_count = stores->len - act.first_store;
        }
        g_array_append_val(acts, act);
    }
    code->bytes = sizeof(*code) + b->count * sizeof(IrInsn) + b->exit_count * sizeof(IrExit) +
                  b->vconst_count * sizeof(IrValue) + acts->len * sizeof(Act) + stores->len * sizeof(Store);
    code->acts = (Act *)g_array_free(g_steal_pointer(&acts), false);
    code->stores = (Store *)g_array_free(g_steal_pointer(&stores), false);
    return code;
}

size_t interp_code_bytes(const struct InterpCode *code)
{
    return code ? code->bytes : 0;
}

void interp_code_free(struct InterpCode *code)
{
    if (code) {
        g_free(code->insns);
        g_free(code->exits);
        g_free(code->vconsts);
        g_free(code->acts);
        g_free(code->stores);
        g_free(code);
    }
}

/* --- values --- */

static void compute(TcgCpu *cpu, const InterpFrame *frame, IrRef ref, IrValue *out);

/* Hot ones have been computed; constants and cold ones are here. */
static const IrValue *value_of(TcgCpu *cpu, const InterpFrame *frame, IrRef ref, IrValue *space)
{
    const IrInsn *insn = &frame->code->insns[ref];

    if (!ref) {
        return NULL;
    }
    if (insn->op == IR_CONST) {
        space->u64 = insn->imm;
        return space;
    }
    if (G_LIKELY(insn->heat == IR_HOT)) {
        return &frame->values[ref];
    }
    compute(cpu, frame, ref, space);
    return space;
}

static void compute_vector(const IrInsn *insn, const IrValue *x, const IrValue *y,
                           const IrValue *z, IrValue *out)
{
    bool is_known = host_vector(insn, x, y, z, out);

    assert(is_known);
}

/* A pure operation. */
static void compute(TcgCpu *cpu, const InterpFrame *frame, IrRef ref, IrValue *out)
{
    const IrInsn *insn = &frame->code->insns[ref];
    IrValue space[3];
    const IrValue *x = value_of(cpu, frame, insn->a, &space[0]);
    const IrValue *y = value_of(cpu, frame, insn->b, &space[1]);
    const IrValue *z = value_of(cpu, frame, insn->c, &space[2]);

    if (insn->op == IR_VCONST) {
        *out = frame->code->vconsts[insn->imm];
    } else if (insn->op == IR_VEC) {
        compute_vector(insn, x, y, z, out);
    } else {
        ir_eval(insn, x, y, z, out);
    }
}

/* --- state --- */

static void read_state(TcgCpu *cpu, const IrSlot *slot, IrValue *out)
{
    const char *at = (char *)cpu + slot->offset;

    out->u64 = 0;
    memcpy(out, at, ir_type_bits(slot->type) / 8);
}

static void store_slot(TcgCpu *cpu, const InterpFrame *frame, const IrSlot *slot, IrRef value)
{
    IrValue space;

    memcpy((char *)cpu + slot->offset, value_of(cpu, frame, value, &space),
           ir_type_bits(slot->type) / 8);
}

/* What the act says. */
static void store_slots(TcgCpu *cpu, const InterpFrame *frame)
{
    const Store *store = frame->code->stores + frame->act->first_store;

    for (const Store *end = store + frame->act->store_count; store < end; store++) {
        store_slot(cpu, frame, store->slot, store->value);
    }
}

void interp_restore(TcgCpu *cpu)
{
    const InterpFrame *frame = cpu->frame;
    const IrInsn *insn = &frame->code->insns[frame->at];
    IrSnapshot snapshot;

    /* A helper that did not say so has raised, or touched guest memory. */
    assert(ir_op_is(insn, IR_RAISES));
    ir_snapshot(frame->code->ops, frame->code->insns, insn->snap, IR_ALL_GROUPS, &snapshot);
    for (unsigned i = 0; i < snapshot.count; i++) {
        store_slot(cpu, frame, &frame->code->ops->slots[snapshot.entries[i].slot],
                   snapshot.entries[i].value);
    }
}

const TcgRegion *interp_region(const TcgCpu *cpu)
{
    return cpu->frame ? cpu->frame->region : NULL;
}

/* --- fields of the state that are no slots --- */

static void *field(TcgCpu *cpu, const InterpFrame *frame, const IrInsn *insn)
{
    IrValue space;
    const IrValue *index = value_of(cpu, frame, insn->b, &space);

    return (char *)cpu + (uint32_t)insn->imm + (index ? index->u64 : 0);
}

static uint64_t widen(IrMem mem, IrType type, uint64_t value)
{
    unsigned shift = 64 - 8 * ir_mem_bytes(mem);

    if (mem & IR_MEM_SWAP) {
        value = __builtin_bswap64(value) >> shift;
    }
    if (mem & IR_MEM_SIGNED) {
        value = (int64_t)(value << shift) >> shift;
    }
    return type == IR_I32 ? (uint32_t)value : value;
}

static void do_ld(TcgCpu *cpu, InterpFrame *frame, const IrInsn *insn, IrValue *out)
{
    IrMem mem = insn->imm >> 32;

    memset(out, 0, sizeof(*out));
    memcpy(out, field(cpu, frame, insn), ir_mem_bytes(mem));
    if (insn->type <= IR_I64) {
        out->u64 = widen(mem, insn->type, out->u64);
    }
}

static void do_st(TcgCpu *cpu, InterpFrame *frame, const IrInsn *insn, const IrValue *x)
{
    IrMem mem = insn->imm >> 32;
    IrValue value = *x;

    if (mem & IR_MEM_SWAP) {
        value.u64 = __builtin_bswap64(value.u64) >> (64 - 8 * ir_mem_bytes(mem));
    }
    memcpy(field(cpu, frame, insn), &value, ir_mem_bytes(mem));
}

/* --- guest memory and helpers --- */

static void do_memory(TcgCpu *cpu, InterpFrame *frame, const IrInsn *insn, IrValue *out)
{
    IrMem mem = insn->imm;
    IrValue space[3];
    uint64_t addr = value_of(cpu, frame, insn->a, &space[0])->u64;
    const IrValue *x = value_of(cpu, frame, insn->b, &space[1]);
    const IrValue *y = value_of(cpu, frame, insn->c, &space[2]);
    uint64_t value;

    switch ((IrOp)insn->op) {
    case IR_LOAD:
        if (insn->type > IR_I64) {
            memset(out, 0, sizeof(*out));
            tcg_load_bytes(cpu, mem, addr, out);
            return;
        }
        value = tcg_load(cpu, mem, addr);
        break;
    case IR_STORE:
        if (ir_mem_bytes(mem) > 8) {
            tcg_store_bytes(cpu, mem, addr, x);
        } else {
            tcg_store(cpu, mem, addr, x->u64);
        }
        return;
    case IR_CMPXCHG:
        value = tcg_cmpxchg(cpu, mem, addr, x->u64, y->u64);
        break;
    default:
        value = tcg_atomic(cpu, insn->op, mem, addr, x->u64);
        break;
    }
    out->u64 = insn->type == IR_I32 ? (uint32_t)value : value;
}

typedef uint64_t Fn4(void *, uint64_t, uint64_t, uint64_t, uint64_t);
typedef uint64_t Pure4(uint64_t, uint64_t, uint64_t, uint64_t);

static void do_call(TcgCpu *cpu, InterpFrame *frame, const IrInsn *insn, IrValue *out)
{
    const IrHelper *helper = (const IrHelper *)(uintptr_t)insn->imm;
    const IrRef refs[4] = { insn->a, insn->b, insn->c, insn->d };
    uint64_t arg[4] = { 0 }, value;

    for (unsigned i = 0; i < helper->arg_count; i++) {
        IrValue space;
        const IrValue *x = value_of(cpu, frame, refs[i], &space);

        arg[i] = helper->args[i] == IR_I32 ? x->u32 : x->u64;
    }
    if (helper->flags & IR_HELPER_PURE) {
        value = ((Pure4 *)helper->fn)(arg[0], arg[1], arg[2], arg[3]);
    } else {
        value = ((Fn4 *)helper->fn)(cpu, arg[0], arg[1], arg[2], arg[3]);
    }
    out->u64 = helper->result == IR_I32 ? (uint32_t)value : value;
}

/* --- control --- */

static void leave(TcgCpu *cpu, const InterpFrame *frame, const IrInsn *insn)
{
    const IrExit *exit = &frame->code->exits[insn->imm];

    store_slots(cpu, frame);
    if (exit->kind == IR_EXIT_DIRECT || exit->kind == IR_EXIT_LOOP) {
        memcpy((char *)cpu + cpu->ops->slots[cpu->ops->pc_slot].offset, &exit->pc,
               sizeof(exit->pc));
    }
}

/* True if the region is left. */
static bool step(TcgCpu *cpu, InterpFrame *frame, const IrInsn *insn)
{
    IrValue *out = &frame->values[frame->at], space[2];
    const IrValue *x;

    switch ((IrOp)insn->op) {
    case IR_GET:
        read_state(cpu, &frame->code->ops->slots[insn->imm], out);
        return false;
    case IR_SYNC:
        store_slots(cpu, frame);
        return false;
    case IR_LD:
        do_ld(cpu, frame, insn, out);
        return false;
    case IR_ST:
        do_st(cpu, frame, insn, value_of(cpu, frame, insn->a, &space[0]));
        return false;
    case IR_LOAD ... IR_CMPXCHG:
        do_memory(cpu, frame, insn, out);
        return false;
    case IR_FENCE:
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        return false;
    case IR_CALL:
    case IR_CALL_RAISES:
    case IR_CALL_PURE:
        do_call(cpu, frame, insn, out);
        return false;
    case IR_EXIT_IF:
        x = value_of(cpu, frame, insn->a, &space[0]);
        if (!ir_eval_cond(insn->c, insn->compared, x->u64,
                          value_of(cpu, frame, insn->b, &space[1])->u64)) {
            return false;
        }
        leave(cpu, frame, insn);
        return true;
    case IR_EXIT:
        leave(cpu, frame, insn);
        return true;
    default:
        compute(cpu, frame, frame->at, out);
        return false;
    }
}

void interp_run(TcgCpu *cpu, const TcgRegion *region)
{
    InterpFrame frame = { .region = region, .code = region->interp };

    if (!cpu->exec->values) {
        cpu->exec->values = g_new(IrValue, IR_MAX_INSNS);
    }
    frame.values = cpu->exec->values;
    cpu->frame = &frame;
    cpu->icount += region->guest_insns;
    for (frame.act = frame.code->acts;; frame.act++) {
        frame.at = frame.act->ref;
        if (step(cpu, &frame, &frame.code->insns[frame.at])) {
            break;
        }
    }
    cpu->frame = NULL;
}
