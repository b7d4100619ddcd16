/*
 * Finding the host's place of a guest address: by the TLB, a span or a scatter; the slow way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/access.h"


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
int access_slow_way(Jit *j, const Access *a)
{
    bool is_constant = a->value == NO_REG;
    uint32_t ask = a->mem | (uint32_t)a->addr << SLOW_ADDR_SHIFT |
                   (a->insn->type == IR_I32 ? SLOW_IS_I32 : 0) |
                   (is_constant ? SLOW_IS_CONSTANT : (uint32_t)a->value << SLOW_VALUE_SHIFT);
    int place;

    assert(a->mem <= SLOW_MEM);
    j->emit.in_cold = true;
    place = emit_place(&j->emit);
    call_slow(j, a->is_atomic ? SLOW_ATOMIC : a->is_store ? SLOW_STORE : SLOW_LOAD,
                has_vectors(j) || IS_XMM(a->value));
    ra_snapshot(j, a->insn, emit_place(&j->emit));
    ask_slow(j, ask);
    if (a->is_atomic) {
        ask_slow(j, a->insn->op | (uint32_t)a->dest << SLOW_DEST_SHIFT |
                    (uint32_t)a->expected << SLOW_EXPECTED_SHIFT);
    } else if (is_constant) {
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
    emit_op_imm(e, OP(0xc7), 0, FRAME(span), 4, span);
    emit_op_imm(e, OP(0xc7), 0, FRAME(place), 4, a->owner.place);
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
void access_find(Jit *j, Access *a)
{
    unsigned bytes = ir_mem_bytes(a->mem);
    int slow = access_slow_way(j, a);

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
void access_take_registers(Jit *j, Access *a)
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
