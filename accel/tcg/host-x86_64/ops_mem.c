/*
 * State, guest memory, helpers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

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
        emit_bytes(&j->emit, (const uint8_t[]){ 0x0f, 0xae, 0xf0 }, 3);
        break;
    default:
        vector_part(j, insn);
        break;
    }
}

/* --- guest memory --- */

typedef struct Access {
    const IrInsn *insn;
    IrMem mem;
    int addr, value, page, check; /* registers; value NO_REG: the constant */
    int32_t constant;
    int table;                    /* likewise, or NO_REG: shortens the way to the address */
    int run;                      /* likewise: of a scatter */
    int back;                     /* where the slow way returns to */
    int back_host;                /* likewise, with `page` */
    bool is_store;
    enum { BY_TLB, BY_SPAN, BY_SCATTER } way;
    SpanOwner owner;
} Access;

static void call_slow(Jit *j, SlowKind kind, bool with_vectors)
{
    emit_op(&j->emit, OP(0xff), 2, rm_piece(PIECE_SLOW + 2 * kind + with_vectors));
}

static bool has_vectors(const Jit *j)
{
    return ~j->free & XMMS;
}

static void ask_slow(Jit *j, uint32_t word)
{
    emit_bytes(&j->emit, (const uint8_t[]){ SLOW_ASK_OPCODE, word, word >> 8, word >> 16, word >> 24 },
               SLOW_ASK_BYTES);
}

/* In the cold, forwards. Returns its place. */
static int slow_way(Jit *j, const Access *a)
{
    bool is_constant = a->value == NO_REG;
    uint32_t ask = a->mem | (uint32_t)a->addr << SLOW_ADDR_SHIFT |
                   (a->insn->type == IR_I32 ? SLOW_IS_I32 : 0) |
                   (is_constant ? SLOW_IS_CONSTANT : (uint32_t)a->value << SLOW_VALUE_SHIFT);
    int place;

    assert(a->mem <= SLOW_MEM);
    j->emit.in_cold = true;
    place = emit_place(&j->emit);
    call_slow(j, a->is_store ? SLOW_STORE : SLOW_LOAD, has_vectors(j) || IS_XMM(a->value));
    ra_snapshot(j, a->insn, emit_place(&j->emit));
    ask_slow(j, ask);
    if (is_constant) {
        ask_slow(j, a->constant);
    }
    emit_jmp(&j->emit, a->back);
    j->emit.in_cold = false;
    return place;
}

/*
 * `page` becomes the addend, or the slow way is taken. The steps of asking the TLB, for who writes
 * in either direction.
 */
#define TLB_STEPS 8
static void tlb_step(Jit *j, const Access *a, int slow, unsigned step)
{
    int32_t tlb = CPU_DISP(tlb) + (int32_t)(ir_mem_mmu(a->mem) * sizeof(TcgTlbFast));
    Rm table = rm_mem(RBP, tlb + (int32_t)offsetof(TcgTlbFast, table));
    Emit *e = &j->emit;

    switch (step) {
    case 0: /* rorx */
        emit_vex_imm(e, OP_0F3A(0xf0) | OP_F2 | OP_W, false, a->page, 0, rm_reg(a->addr),
                     TCG_PAGE_BITS - 5);
        break;
    case 1:
        emit_op(e, OP(0x23) | OP_W, a->page,
                rm_mem(RBP, tlb + (int32_t)offsetof(TcgTlbFast, mask)));
        break;
    case 2:
        if (a->table == NO_REG) {
            emit_op(e, OP(0x03) | OP_W, a->page, table);
        } else {
            emit_op(e, OP(0x8b) | OP_W, a->table, table);
        }
        break;
    case 3:
        ra_move(j, a->check, a->addr, IR_I64);
        break;
    case 4:
        emit_op(e, OP(0x33) | OP_W, a->check,
                rm_index(a->page, a->table, 0, a->is_store ? offsetof(TcgTlbEntry, write)
                                                           : offsetof(TcgTlbEntry, read)));
        break;
    case 5:
        emit_op_imm(e, OP(0x81) | OP_W, 7, rm_reg(a->check), 4,
                    (1 << TCG_PAGE_BITS) - (int)ir_mem_bytes(a->mem));
        break;
    case 6:
        emit_jcc(e, CC_A, slow);
        break;
    default:
        emit_op(e, OP(0x8b) | OP_W, a->page,
                rm_index(a->page, a->table, 0, offsetof(TcgTlbEntry, addend)));
        break;
    }
}

static bool is_base(const Jit *j, IrRef ref)
{
    const IrInsn *insn = ir_insn(j->b, ref);

    return insn->op == IR_ADD || insn->op == IR_LOAD || ir_op_is(insn, IR_READS);
}

/* What an address is made from, as far as it names an object: the rest is where in it. */
static void find_base(const Jit *j, IrRef addr, SpanOwner *owner)
{
    const IrInsn *insn = ir_insn(j->b, addr);

    while (insn->op == IR_ADD) {
        bool is_register = ir_op_is(ir_insn(j->b, insn->b), IR_READS) ||
                           ir_insn(j->b, insn->b)->op == IR_CONST;

        addr = is_register && !is_base(j, insn->a) ? insn->b : insn->a;
        insn = ir_insn(j->b, addr);
    }
    owner->is_known = true;
    if (insn->op == IR_CONST) {
        owner->base = IR_MAX_SLOTS + (insn->imm >> TCG_PAGE_BITS);
    } else if (insn->op == IR_GET || insn->op == IR_HEAD) {
        owner->base = insn->imm;
    } else {
        owner->base = IR_MAX_SLOTS + addr;
        owner->is_known = false;
    }
}

static SpanOwner owner_of(const Jit *j, const Access *a)
{
    SpanOwner owner = { .kind = a->is_store ? TCG_SPAN_WRITE : TCG_SPAN_READ,
                        .mmu = ir_mem_mmu(a->mem) };

    find_base(j, a->insn->a, &owner);
    owner.place = ((j->region->key.pc * 8 + owner.mmu) * 2 + owner.kind) * 0x9e3779b97f4a7c15u >>
                      32 ^ owner.base * 0xff51afd7ed558ccdu >> 32;
    return owner;
}

/*
 * Where in TcgCpu it is. Loops take turns with a third of the spans, and with all scatters; what is
 * part of a loop of many regions shares a span by slot or page.
 */
#define SHARE (TCG_SPANS / 3)

static unsigned take_index(const Jit *j, const SpanOwner *want)
{
    static unsigned turns[TCG_SPAN_KINDS], scatter_turns;

    if (want->is_scatter) {
        return scatter_turns++ % TCG_SCATTERS;
    }
    return j->loop_jump ? 2 * SHARE + turns[want->kind]++ % SHARE
           : want->base < IR_MAX_SLOTS ? want->base % SHARE : SHARE + want->base % SHARE;
}

static int32_t span_of(Jit *j, SpanOwner want)
{
    SpanOwner *owner = j->span_owners, *end = owner + j->span_owner_count;
    int32_t set = offsetof(TcgCpu, spans[0][0]) +
                  (want.mmu * TCG_SPAN_KINDS + want.kind) * sizeof(TcgSpanSet);

    while (owner < end && !(owner->base == want.base && owner->kind == want.kind &&
                            owner->mmu == want.mmu && owner->is_scatter == want.is_scatter)) {
        owner++;
    }
    if (owner == end) {
        want.index = take_index(j, &want);
        owner = &j->span_owners[MIN(j->span_owner_count, TCG_SPANS - 1)];
        *owner = want;
        j->span_owner_count = owner + 1 - j->span_owners;
    }
    return set + (want.is_scatter ? offsetof(TcgSpanSet, scatters[0]) +
                                        owner->index * sizeof(TcgScatter)
                                  : owner->index * sizeof(TcgSpan));
}

/* Outside of its span: the TLB is asked, in the cold. Now and then the span is found anew. */
static int span_miss(Jit *j, const Access *a, int32_t span, int slow)
{
    bool is_scatter = a->way == BY_SCATTER;
    int32_t misses = is_scatter ? offsetof(TcgScatter, misses_left)
                                : offsetof(TcgSpan, misses_left);
    Emit *e = &j->emit;
    int place = 0, after;

    e->in_cold = true;
    place = emit_place(e);
    emit_op(e, OP(0xff), 1, rm_mem(RBP, span - BIAS + misses));
    emit_bytes(e, (const uint8_t[]){ 0x79, 0 }, 2); /* jns */
    after = e->cold_bytes;
    emit_op(e, OP(0x89) | OP_W, a->addr, FRAME(addr));
    emit_op_imm(e, OP(0xc7) | OP_W, 0, FRAME(op), 4, span);
    emit_op_imm(e, OP(0xc7), 0, FRAME(mem), 4, a->owner.place);
    call_slow(j, is_scatter ? SLOW_SCATTER : SLOW_SPAN, has_vectors(j));
    e->cold_buf[after - 1] = e->cold_bytes - after;
    for (unsigned step = 0; step < TLB_STEPS; step++) {
        tlb_step(j, a, slow, step);
    }
    emit_jmp(e, a->back_host);
    e->in_cold = false;
    return place;
}

/* Goes to `miss` if the address is outside of [start, start + room]. */
static void check_room(Jit *j, const Access *a, int32_t start, int32_t room, int miss)
{
    static const uint8_t rooms[] = { 0, 1, 1, 2, 3, 3 };

    emit_jcc(&j->emit, CC_AE, miss);
    emit_op(&j->emit, OP(0x3b) | OP_W, a->check,
            rm_mem(RBP, room + 8 * rooms[a->mem & IR_MEM_SIZE]));
    emit_op(&j->emit, OP(0x2b) | OP_W, a->check, rm_mem(RBP, start));
    ra_move(j, a->check, a->addr, IR_I64);
}

static void find_in_span(Jit *j, const Access *a, int slow)
{
    int32_t span = span_of(j, a->owner), disp = span - BIAS;
    int miss = span_miss(j, a, span, slow);

    emit_op(&j->emit, OP(0x8b) | OP_W, a->page,
            rm_mem(RBP, disp + (int32_t)offsetof(TcgSpan, addend)));
    check_room(j, a, disp + (int32_t)offsetof(TcgSpan, start),
               disp + (int32_t)offsetof(TcgSpan, room), miss);
}

/* --- scatters --- */

/* If the address is not below the bound of that number, `reg` becomes `rm`. */
static void choose_run(Jit *j, const Access *a, int32_t scatter, unsigned bound, int reg, Rm rm)
{
    int32_t at = scatter + (int32_t)offsetof(TcgScatter, bound) + 8 * (int32_t)bound;

    emit_op(&j->emit, OP_0F(0x40 | CC_AE) | OP_W, reg, rm);
    emit_op(&j->emit, OP(0x3b) | OP_W, a->addr, rm_mem(RBP, at));
}

/* Of pairs of runs in three registers; then of these. */
static void find_in_scatter(Jit *j, const Access *a, int slow)
{
    int32_t span = span_of(j, a->owner), scatter = span - BIAS;
    int32_t addends = scatter + (int32_t)offsetof(TcgScatter, addend);
    int miss = span_miss(j, a, span, slow);
    const int pairs[TCG_SCATTER_RUNS / 2] = { a->page, a->check, a->run };

    for (unsigned i = ARRAY_SIZE(pairs); i-- > 1;) {
        choose_run(j, a, scatter, 2 * i - 1, a->page, rm_reg(pairs[i]));
    }
    for (int i = ARRAY_SIZE(pairs); i-- > 0;) {
        choose_run(j, a, scatter, 2 * i, pairs[i], rm_mem(RBP, addends + 16 * i + 8));
        emit_op(&j->emit, OP(0x8b) | OP_W, pairs[i], rm_mem(RBP, addends + 16 * i));
    }
    check_room(j, a, scatter + (int32_t)offsetof(TcgScatter, start),
               scatter + (int32_t)offsetof(TcgScatter, room), miss);
}

typedef bool IsWanted(const Jit *j, IrRef ref);

/* Something that the value is made from, as far as `steps` lead. */
static bool is_made_from(const Jit *j, IrRef ref, IsWanted *is_wanted, unsigned *steps)
{
    const IrInsn *insn = ir_insn(j->b, ref);

    if (!ref || !*steps || insn->op == IR_CALL || insn->op == IR_CALL_RAISES) {
        return false;
    }
    --*steps;
    return is_wanted(j, ref) || is_made_from(j, insn->a, is_wanted, steps) ||
           is_made_from(j, insn->b, is_wanted, steps) ||
           is_made_from(j, insn->c, is_wanted, steps);
}

#define MOST_STEPS 40

static bool is_load(const Jit *j, IrRef ref)
{
    return ir_insn(j->b, ref)->op == IR_LOAD;
}

/* What was loaded in the loop's last round, or made from that. */
static bool is_loaded_before(const Jit *j, IrRef ref)
{
    unsigned steps = MOST_STEPS;

    for (unsigned i = 0; i < j->loop.count; i++) {
        const IrCarried *c = &j->loop.carried[i];

        if (c->head == ref && c->is_dirty) {
            return is_made_from(j, c->end, is_load, &steps);
        }
    }
    return false;
}

/* The access waits for one in the round before. */
static bool is_chasing(const Jit *j, const Access *a)
{
    unsigned steps = MOST_STEPS;

    return !a->is_store && is_made_from(j, a->insn->a, is_loaded_before, &steps);
}

static void choose_way(Jit *j, Access *a)
{
    a->owner = owner_of(j, a);
    a->way = BY_TLB;
    if ((j->loop_jump || (j->is_dispatch && a->owner.is_known)) && span_is_fit(a->owner.place)) {
        a->way = BY_SPAN;
    } else if (j->loop_jump && is_chasing(j, a)) {
        a->owner.place *= 0x9e3779b1u; /* another name */
        a->owner.is_scatter = true;
        a->way = span_is_fit(a->owner.place) ? BY_SCATTER : BY_TLB;
    }
}

/* Written last to first. */
static void find_host(Jit *j, Access *a)
{
    unsigned bytes = ir_mem_bytes(a->mem);
    int slow = slow_way(j, a);

    a->back_host = emit_place(&j->emit);
    if (a->way == BY_SCATTER) {
        find_in_scatter(j, a, slow);
    } else if (a->way == BY_SPAN) {
        find_in_span(j, a, slow);
    } else {
        for (unsigned step = TLB_STEPS; step-- > 0;) {
            tlb_step(j, a, slow, step);
        }
    }
    if ((a->mem & IR_MEM_ALIGNED) && bytes > 1) {
        emit_jcc(&j->emit, CC_NE, slow);
        emit_op_imm(&j->emit, OP(0xf7), 0, rm_reg(a->addr), 4, bytes - 1);
    }
}

/* Registers to find the place with; in a loop one that may be had for nothing, too. */
static void take_registers(Jit *j, Access *a)
{
    RegSet open;

    choose_way(j, a);
    a->check = ra_scratch(j, GPRS);
    j->blocked |= BIT(a->check);
    if (a->way == BY_SCATTER) {
        a->run = ra_scratch(j, GPRS);
        j->blocked |= BIT(a->run);
    }
    open = GPRS & j->free & ~j->blocked;
    a->table = j->loop_jump && open ? __builtin_ctz(open) : NO_REG;
}

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
    take_registers(j, &a);
    a.back = emit_place(&j->emit);
    load_from(j, a.value, rm_index(a.page, a.addr, 0, 0), a.mem, insn->type);
    find_host(j, &a);
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
    take_registers(j, &a);
    a.back = emit_place(&j->emit);
    if (a.value == NO_REG) {
        store_constant(j, a.constant, rm_index(a.page, a.addr, 0, 0), a.mem);
    } else {
        store_to(j, a.value, rm_index(a.page, a.addr, 0, 0), a.mem);
    }
    find_host(j, &a);
    j->blocked = keep;
}

/* Always in C, which the registers survive. */
static void atomic(Jit *j, const IrInsn *insn)
{
    int dest = ra_def(j, j->at, GPRS), addr, value, expected;
    RegSet keep = j->blocked;

    j->blocked |= BIT(dest);
    ra_hold_snapshot(j, insn);
    emit_op(&j->emit, OP(0x8b) | width(insn->type), dest, FRAME(value));
    /* Its operands do not share registers with what is held, or they are what is held. */
    addr = ra_use(j, insn->a, GPRS);
    j->blocked |= BIT(addr);
    value = ra_use(j, insn->op == IR_CMPXCHG ? insn->c : insn->b, GPRS);
    j->blocked |= BIT(value);
    expected = insn->op == IR_CMPXCHG ? ra_use(j, insn->b, GPRS) : NO_REG;
    ra_snapshot(j, insn, emit_place(&j->emit));
    call_slow(j, SLOW_ATOMIC, has_vectors(j));
    emit_op_imm(&j->emit, OP(0xc7) | OP_W, 0, FRAME(op), 4, insn->op);
    emit_op_imm(&j->emit, OP(0xc7) | OP_W, 0, FRAME(mem), 4, insn->imm);
    emit_op(&j->emit, OP(0x89) | OP_W, addr, FRAME(addr));
    emit_op(&j->emit, OP(0x89) | OP_W, value, FRAME(value));
    if (expected != NO_REG) {
        emit_op(&j->emit, OP(0x89) | OP_W, expected, FRAME(expected));
    }
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
        atomic(j, insn);
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
