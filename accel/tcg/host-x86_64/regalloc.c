/*
 * Registers, from the last operation to the first: a value gets a register at its last use and
 * gives it up at its definition. One that is pushed out is reloaded after the place where that
 * happens, and stored once, where it is defined. Constants are made again instead.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

void ra_begin(Jit *j)
{
    memset(j->reg, NO_REG, j->b->count);
    memset(j->hint, NO_REG, j->b->count);
    memset(j->is_invariant, 0, j->b->count);
    memset(j->spill, 0, j->b->count * sizeof(j->spill[0]));
    memset(j->owner, 0, sizeof(j->owner));
    j->free = GPRS | XMMS;
    j->blocked = 0;
    j->spills = j->vspills = 0;
}

static const IrInsn *insn_of(const Jit *j, IrRef ref)
{
    return ir_insn(j->b, ref);
}

/* It can be had again at any place. */
static bool is_constant(const Jit *j, IrRef ref)
{
    return insn_of(j, ref)->op == IR_CONST || insn_of(j, ref)->op == IR_VCONST ||
           j->is_invariant[ref];
}

static void give_up(Jit *j, int reg)
{
    j->reg[j->owner[reg]] = NO_REG;
    j->owner[reg] = 0;
    j->free |= BIT(reg);
}

void ra_assign(Jit *j, IrRef ref, int reg)
{
    assert(j->free & BIT(reg));
    j->owner[reg] = ref;
    j->reg[ref] = reg;
    j->free &= ~BIT(reg);
}

/* --- memory --- */

static unsigned spill_of(Jit *j, IrRef ref)
{
    bool is_vector = insn_of(j, ref)->type >= IR_V128;
    unsigned *count = is_vector ? &j->vspills : &j->spills;

    if (!j->spill[ref]) {
        if (*count == (is_vector ? VSPILLS : SPILLS)) {
            j->is_too_large = true;
            *count = 0;
        }
        j->spill[ref] = ++*count;
    }
    return j->spill[ref] - 1;
}

static Rm spill_rm(Jit *j, IrRef ref)
{
    unsigned slot = spill_of(j, ref);

    return insn_of(j, ref)->type >= IR_V128
               ? rm_mem(RSP, offsetof(HostFrame, vspills) + slot * sizeof(IrValue))
               : rm_mem(RSP, offsetof(HostFrame, spills) + slot * 8);
}

void jit_load_vector(Jit *j, int reg, Rm rm, IrType type)
{
    emit_vex(&j->emit, OP_0F(0x10), type == IR_V256, reg - 16, 0, rm);
}

void jit_store_vector(Jit *j, int reg, Rm rm, IrType type)
{
    emit_vex(&j->emit, OP_0F(0x11), type == IR_V256, reg - 16, 0, rm);
}

static uint32_t width(IrType type)
{
    return type == IR_I64 ? OP_W : 0;
}

void ra_load_spill(Jit *j, int reg, IrRef ref)
{
    IrType type = insn_of(j, ref)->type;

    if (IS_XMM(reg)) {
        jit_load_vector(j, reg, spill_rm(j, ref), type);
    } else {
        emit_op(&j->emit, OP(0x8b) | width(type), reg, spill_rm(j, ref));
    }
}

void ra_store_spill(Jit *j, int reg, IrRef ref)
{
    IrType type = insn_of(j, ref)->type;

    if (IS_XMM(reg)) {
        jit_store_vector(j, reg, spill_rm(j, ref), type);
    } else {
        emit_op(&j->emit, OP(0x89) | OP_W, reg, spill_rm(j, ref));
    }
}

void ra_move(Jit *j, int to, int from, IrType type)
{
    if (to == from) {
        return;
    }
    if (IS_XMM(to)) {
        emit_vex(&j->emit, OP_0F(0x28), type == IR_V256, to - 16, 0, rm_reg(from - 16));
    } else {
        emit_op(&j->emit, OP(0x8b) | width(type), to, rm_reg(from));
    }
}

static void make_constant(Jit *j, int reg, IrRef ref)
{
    const IrInsn *insn = insn_of(j, ref);

    if (insn->op == IR_CONST) {
        emit_mov_imm(&j->emit, reg, insn->imm);
    } else if (insn->op == IR_HEAD) {
        Rm rm = rm_state(j->b->ops->slots[insn->imm].offset);

        if (IS_XMM(reg)) {
            jit_load_vector(j, reg, rm, insn->type);
        } else {
            emit_op(&j->emit, OP(0x8b) | width(insn->type), reg, rm);
        }
    } else {
        jit_load_vector(j, reg, rm_place(j->vconst_place[insn->imm]), insn->type);
    }
}

/* --- giving out --- */

void ra_forget(Jit *j, IrRef ref)
{
    if (j->reg[ref] != NO_REG) {
        give_up(j, j->reg[ref]);
    }
}

static void evict_one(Jit *j, int reg)
{
    IrRef ref = j->owner[reg];

    if (is_constant(j, ref)) {
        make_constant(j, reg, ref);
    } else {
        ra_load_spill(j, reg, ref);
    }
    give_up(j, reg);
}

void ra_evict(Jit *j, RegSet set)
{
    for (RegSet left = set & ~j->free & (GPRS | XMMS); left; left &= left - 1) {
        evict_one(j, __builtin_ctz(left));
    }
}

/* A constant, or what was defined longest ago: its register is of use for longest. */
static int choose_victim(Jit *j, RegSet set)
{
    int best = NO_REG;

    for (RegSet left = set; left; left &= left - 1) {
        int reg = __builtin_ctz(left);

        if (is_constant(j, j->owner[reg])) {
            return reg;
        }
        if (best == NO_REG || j->owner[reg] < j->owner[best]) {
            best = reg;
        }
    }
    return best;
}

/* Those a call keeps go last: few values live over calls. */
static int pick(RegSet set)
{
    RegSet cheap = set & CALLER_SAVED;

    return __builtin_ctz(cheap ? cheap : set);
}

int ra_scratch(Jit *j, RegSet set)
{
    RegSet open = set & j->free & ~j->blocked;
    int reg;

    if (open) {
        return pick(open);
    }
    reg = choose_victim(j, set & ~j->free & ~j->blocked);
    assert(reg != NO_REG);
    evict_one(j, reg);
    return reg;
}

int ra_use(Jit *j, IrRef ref, RegSet set)
{
    int reg = j->reg[ref], old = reg, hint = j->hint[ref];

    if (reg != NO_REG && (set & BIT(reg))) {
        return reg;
    }
    if (reg == NO_REG && hint != NO_REG && (set & j->free & ~j->blocked & BIT(hint))) {
        ra_assign(j, ref, hint);
        return hint;
    }
    if (old != NO_REG) {
        /* It moves to where it was from here. */
        j->blocked |= BIT(old);
        reg = ra_scratch(j, set);
        j->blocked &= ~BIT(old);
        ra_move(j, old, reg, insn_of(j, ref)->type);
        give_up(j, old);
    } else {
        reg = ra_scratch(j, set);
    }
    ra_assign(j, ref, reg);
    return reg;
}

int ra_def(Jit *j, IrRef ref, RegSet set)
{
    int reg = j->reg[ref], wanted = reg;

    if (reg == NO_REG || !(set & BIT(reg))) {
        wanted = ra_scratch(j, set);
    }
    if (j->spill[ref]) {
        ra_store_spill(j, wanted, ref);
    }
    if (reg != NO_REG) {
        /* A spilled value is stored from the new place: both orders are right. */
        ra_move(j, reg, wanted, insn_of(j, ref)->type);
        give_up(j, reg);
    }
    return wanted;
}

void ra_left(Jit *j, int dest, IrRef ref)
{
    if (j->reg[ref] == NO_REG && (j->free & BIT(dest))) {
        ra_assign(j, ref, dest);
    } else {
        RegSet keep = j->blocked;

        j->blocked |= BIT(dest);
        ra_move(j, dest, ra_use(j, ref, ra_class(insn_of(j, ref)->type)),
                insn_of(j, ref)->type);
        j->blocked = keep;
    }
}

void ra_end(Jit *j)
{
    for (int reg = 0; reg < 32; reg++) {
        if (j->owner[reg] && insn_of(j, j->owner[reg])->op != IR_HEAD) {
            assert(is_constant(j, j->owner[reg]));
            make_constant(j, reg, j->owner[reg]);
            give_up(j, reg);
        }
    }
}

/* --- snapshots --- */

static bool is_recipe(const Jit *j, IrRef ref)
{
    const IrInsn *insn = insn_of(j, ref);

    return !ra_is_wanted(j, ref) && insn->heat == IR_COLD && ir_op_is(insn, IR_PURE);
}

static void hold(Jit *j, IrRef ref)
{
    const IrInsn *insn;
    RegSet open;

    if (!ref || is_constant(j, ref)) {
        return;
    }
    insn = insn_of(j, ref);
    if (is_recipe(j, ref)) {
        hold(j, insn->a);
        hold(j, insn->b);
        hold(j, insn->c);
        return;
    }
    if (ra_is_wanted(j, ref)) {
        return;
    }
    open = ra_class(insn->type) & j->free & ~j->blocked;
    if (j->hint[ref] != NO_REG && (open & BIT(j->hint[ref]))) {
        ra_assign(j, ref, j->hint[ref]);
    } else if (open) {
        ra_assign(j, ref, pick(open));
    } else {
        spill_of(j, ref);
    }
}

static const IrSnapshot *snapshot_of(Jit *j, const IrInsn *insn)
{
    if (insn->snap != j->snapshot_ref) {
        ir_snapshot(j->b->ops, j->b->insns, insn->snap, IR_ALL_GROUPS, &j->snapshot);
        j->snapshot_ref = insn->snap;
    }
    return &j->snapshot;
}

void ra_hold_snapshot(Jit *j, const IrInsn *insn)
{
    const IrSnapshot *state = snapshot_of(j, insn);

    for (unsigned i = 0; i < state->count; i++) {
        hold(j, state->entries[i].value);
    }
}

static RegSet regs_of(Jit *j, IrRef ref)
{
    const IrInsn *insn = insn_of(j, ref);

    if (!ref || is_constant(j, ref)) {
        return 0;
    }
    if (is_recipe(j, ref)) {
        return regs_of(j, insn->a) | regs_of(j, insn->b) | regs_of(j, insn->c);
    }
    return j->reg[ref] == NO_REG ? 0 : BIT(j->reg[ref]);
}

RegSet ra_snapshot_regs(Jit *j, const IrInsn *insn)
{
    const IrSnapshot *state = snapshot_of(j, insn);
    RegSet set = 0;

    for (unsigned i = 0; i < state->count; i++) {
        set |= regs_of(j, state->entries[i].value);
    }
    return set;
}

/* How far back is looked for one that does the same. */
#define SHARED_NODES 8

static Loc loc_of(Jit *j, IrRef ref);

static int32_t node_of(Jit *j, IrRef ref)
{
    const IrInsn *insn = insn_of(j, ref);
    Node node = { .op = insn->op, .type = insn->type, .imm = insn->imm,
                  .has_b = insn->b, .has_c = insn->c };

    if (insn->op == IR_VCONST) {
        node.imm = j->vconst_place[insn->imm];
    } else if (insn->op != IR_CONST) {
        node.args[0] = loc_of(j, insn->a);
        node.args[1] = loc_of(j, insn->b);
        node.args[2] = loc_of(j, insn->c);
    }
    for (unsigned n = j->nodes->len; n-- > 0 && n + SHARED_NODES >= j->nodes->len;) {
        if (!memcmp(&g_array_index(j->nodes, Node, n), &node, sizeof(node))) {
            return n;
        }
    }
    g_array_append_val(j->nodes, node);
    return j->nodes->len - 1;
}

static Loc loc_of(Jit *j, IrRef ref)
{
    const IrInsn *insn = insn_of(j, ref);

    if (!ref) {
        return (Loc){ .kind = LOC_CONST };
    }
    if (insn->op == IR_CONST && (int64_t)insn->imm == (int32_t)insn->imm) {
        return (Loc){ .kind = LOC_CONST, .value = insn->imm };
    }
    if (j->is_invariant[ref]) {
        return (Loc){ .kind = LOC_SLOT, .value = insn->imm };
    }
    if (is_constant(j, ref) || is_recipe(j, ref)) {
        return (Loc){ .kind = LOC_NODE, .value = node_of(j, ref) };
    }
    if (j->reg[ref] != NO_REG) {
        return (Loc){ .kind = IS_XMM(j->reg[ref]) ? LOC_XMM : LOC_GPR, .value = j->reg[ref] & 15 };
    }
    assert(j->spill[ref]);
    return (Loc){ .kind = insn->type >= IR_V128 ? LOC_VSPILL : LOC_SPILL,
                  .value = j->spill[ref] - 1 };
}

/* It is said by the distance from the region's PC. */
static bool is_near_pc(const Jit *j, IrRef ref)
{
    const IrInsn *insn = insn_of(j, ref);
    int64_t distance = insn->imm - j->region->key.pc;

    return insn->op == IR_CONST && distance == (int16_t)distance && distance != NO_PC;
}

/* Sites beside each other often have all in the same places. */
static void share_locs(Jit *j, Site *site)
{
    const Loc *locs = (const Loc *)j->locs->data;
    const Site *last;

    if (!j->sites->len || !site->count) {
        return;
    }
    last = &g_array_index(j->sites, Site, j->sites->len - 1);
    if (last->count == site->count &&
        !memcmp(locs + last->first, locs + site->first, site->count * sizeof(Loc))) {
        g_array_set_size(j->locs, site->first);
        site->first = last->first;
    }
}

void ra_snapshot(Jit *j, const IrInsn *insn, int place)
{
    Site site = { .place = place, .first = j->locs->len, .pc = NO_PC };
    const IrSnapshot *state = snapshot_of(j, insn);

    for (unsigned i = 0; i < state->count; i++) {
        IrRef value = state->entries[i].value;
        Loc loc;

        if (state->entries[i].slot == j->b->ops->pc_slot && is_near_pc(j, value)) {
            site.pc = insn_of(j, value)->imm - j->region->key.pc;
            continue;
        }
        loc = loc_of(j, value);
        loc.slot = state->entries[i].slot;
        g_array_append_val(j->locs, loc);
    }
    site.count = j->locs->len - site.first;
    share_locs(j, &site);
    g_array_append_val(j->sites, site);
}
