/*
 * The made-up CPU: see toy_target.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/toy_target.h"

#include "accel/tcg/exec.h"
#include "accel/tcg/translate.h"

uint64_t toy_window;
int64_t toy_window_step;
bool toy_window_is_read_only;
void (*toy_translating)(void);

enum { SLOT_PC = 16, SLOT_SUM, SLOT_CARRY_IN, SLOT_V0 };
#define GROUP_REGS  0
#define GROUP_PC    1
#define GROUP_FLAGS 2
#define GROUP_VREGS 3

#define REG(n) { "r" #n, offsetof(ToyCpu, regs[n]), IR_I64, GROUP_REGS }
#define VREG(n) { "v" #n, offsetof(ToyCpu, vregs[n]), IR_V128, GROUP_VREGS }
static const IrSlot slots[] = {
    REG(0), REG(1), REG(2), REG(3), REG(4), REG(5), REG(6), REG(7), REG(8), REG(9), REG(10),
    REG(11), REG(12), REG(13), REG(14), REG(15),
    { "pc", offsetof(ToyCpu, pc), IR_I64, GROUP_PC },
    { "sum", offsetof(ToyCpu, sum), IR_I64, GROUP_FLAGS },
    { "carry_in", offsetof(ToyCpu, carry_in), IR_I64, GROUP_FLAGS },
    VREG(0), VREG(1), VREG(2), VREG(3),
};

static ToyCpu *toy(TcgCpu *cpu)
{
    return container_of(cpu, ToyCpu, tcg);
}

/* --- helpers --- */

static void help_trap(TcgCpu *cpu, uint64_t value, uint64_t wanted)
{
    if (value == wanted) {
        tcg_raise(cpu, TOY_TRAPPED);
    }
}
static const IrHelper helper_trap = {
    .name = "trap", .fn = help_trap, .arg_count = 2, .args = { IR_I64, IR_I64 },
    .flags = IR_HELPER_RAISES,
};

static uint64_t help_count(TcgCpu *cpu, uint64_t value)
{
    ToyCpu *t = toy(cpu);

    t->counter += value;
    t->regs[15] = t->counter;
    return t->regs[0] + t->regs[1];
}
static const IrHelper helper_count = {
    .name = "count", .fn = help_count, .result = IR_I64, .arg_count = 1, .args = { IR_I64 },
    .reads = BIT64(GROUP_REGS), .writes = BIT64(GROUP_REGS),
};

static void help_halt(TcgCpu *cpu)
{
    cpu->vcpu->is_halted = true;
}
static const IrHelper helper_halt = { .name = "halt", .fn = help_halt };

static void help_mode(TcgCpu *cpu, uint64_t mode)
{
    toy(cpu)->mode = mode;
}
static const IrHelper helper_mode = {
    .name = "mode", .fn = help_mode, .arg_count = 1, .args = { IR_I64 },
};

static void help_illegal(TcgCpu *cpu)
{
    tcg_raise(cpu, TOY_ILLEGAL);
}
static const IrHelper helper_illegal = {
    .name = "illegal", .fn = help_illegal, .flags = IR_HELPER_RAISES,
};

/* --- translation --- */

typedef struct Toy {
    IrBuilder *b;
    ToyInsn insn;
    uint64_t pc, next;
    uint32_t mode;
    bool has_ended;
} Toy;

static IrRef address(Toy *t)
{
    return ir_add(t->b, ir_get(t->b, t->insn.rs), ir_i64(t->b, (int64_t)t->insn.imm));
}

static void put_sum(Toy *t, IrRef x, IrRef y)
{
    IrRef sum = ir_add(t->b, x, y);

    ir_put(t->b, SLOT_SUM, sum);
    ir_put(t->b, SLOT_CARRY_IN, x);
    ir_put(t->b, t->insn.rd, sum);
}

static void branch(Toy *t, IrCond cond)
{
    TcgBranch to = { cond, ir_get(t->b, t->insn.rs), ir_get(t->b, t->insn.rt),
                     t->pc + (int64_t)t->insn.imm, t->next };
    TcgWay way = tcg_branch(t->b, &to);

    t->has_ended = way == TCG_WAY_END;
    t->next = way == TCG_WAY_TAKEN ? to.taken : to.next;
}

static void jump(Toy *t, uint64_t target)
{
    if (tcg_follow(t->b, target)) {
        t->next = target;
    } else {
        ir_exit_direct(t->b, target);
        t->has_ended = true;
    }
}

/* False: it is none. */
static bool memory_op(Toy *t)
{
    static const bool is_one[UINT8_MAX + 1] = {
        [TOY_LOAD] = true, [TOY_LOAD8] = true, [TOY_LOAD32S] = true, [TOY_STORE] = true,
        [TOY_STORE8] = true, [TOY_CMPXCHG] = true, [TOY_XADD] = true, [TOY_VLOAD] = true,
        [TOY_VSTORE] = true, [TOY_PROBE] = true,
    };
    IrBuilder *b = t->b;
    IrRef addr;

    if (!is_one[t->insn.op]) {
        return false;
    }
    addr = address(t);
    switch (t->insn.op) {
    case TOY_LOAD:
        ir_put(b, t->insn.rd, ir_load(b, IR_I64, IR_MEM_64, addr));
        break;
    case TOY_LOAD8:
        ir_put(b, t->insn.rd, ir_load(b, IR_I64, IR_MEM_8, addr));
        break;
    case TOY_LOAD32S:
        ir_put(b, t->insn.rd, ir_load(b, IR_I64, IR_MEM_32 | IR_MEM_SIGNED, addr));
        break;
    case TOY_STORE:
        ir_store(b, IR_MEM_64, addr, ir_get(b, t->insn.rt));
        break;
    case TOY_STORE8:
        ir_store(b, IR_MEM_8, addr, ir_get(b, t->insn.rt));
        break;
    case TOY_CMPXCHG:
        ir_put(b, t->insn.rd, ir_cmpxchg(b, IR_MEM_64, addr, ir_get(b, t->insn.rd),
                                         ir_get(b, t->insn.rt)));
        break;
    case TOY_XADD:
        ir_put(b, t->insn.rd, ir_atomic(b, IR_FETCH_ADD, IR_MEM_64, addr,
                                        ir_get(b, t->insn.rt)));
        break;
    case TOY_PROBE:
        ir_load(b, IR_I64, IR_MEM_8 | IR_MEM_PROBE, addr);
        break;
    case TOY_VLOAD:
        ir_put(b, SLOT_V0 + t->insn.rd, ir_load(b, IR_V128, IR_MEM_128, addr));
        break;
    default:
        ir_store(b, IR_MEM_128, addr, ir_get(b, SLOT_V0 + t->insn.rt));
        break;
    }
    return true;
}

static void carry(Toy *t)
{
    IrBuilder *b = t->b;
    IrRef carry = ir_setcond(b, IR_LTU, ir_get(b, SLOT_SUM), ir_get(b, SLOT_CARRY_IN));

    ir_put(b, t->insn.rd, ir_zext(b, carry));
}

/* Likewise. */
static bool compute(Toy *t)
{
    IrBuilder *b = t->b;
    const ToyInsn *i = &t->insn;

    switch (i->op) {
    case TOY_ADDI:
        put_sum(t, ir_get(b, i->rs), ir_i64(b, (int64_t)i->imm + t->mode));
        return true;
    case TOY_ADD:
        put_sum(t, ir_get(b, i->rs), ir_get(b, i->rt));
        return true;
    case TOY_SUB:
        ir_put(b, i->rd, ir_sub(b, ir_get(b, i->rs), ir_get(b, i->rt)));
        return true;
    case TOY_MUL:
        ir_put(b, i->rd, ir_mul(b, ir_get(b, i->rs), ir_get(b, i->rt)));
        return true;
    case TOY_SHR:
        ir_put(b, i->rd, ir_shr(b, ir_get(b, i->rs), ir_get(b, i->rt)));
        return true;
    case TOY_CARRY:
        carry(t);
        return true;
    case TOY_DEPOSIT8:
        ir_put(b, i->rd, ir_deposit(b, ir_get(b, i->rd), ir_get(b, i->rs), 8, 8));
        return true;
    case TOY_SELECT:
        ir_put(b, i->rd, ir_select(b, ir_setcond(b, IR_LT, ir_get(b, i->rs), ir_get(b, i->rt)),
                                   ir_get(b, i->rs), ir_get(b, i->rt)));
        return true;
    case TOY_VADD:
        ir_put(b, SLOT_V0 + i->rd, ir_vec(b, IR_V_PADDB, IR_V128, ir_get(b, SLOT_V0 + i->rs),
                                          ir_get(b, SLOT_V0 + i->rt), 0, 0));
        return true;
    default:
        return false;
    }
}

static bool follow(Toy *t)
{
    IrBuilder *b = t->b;
    const ToyInsn *i = &t->insn;

    switch (i->op) {
    case TOY_BNE:
        branch(t, IR_NE);
        return true;
    case TOY_BLTU:
        branch(t, IR_LTU);
        return true;
    case TOY_JMP:
        jump(t, t->pc + (int64_t)i->imm);
        return true;
    case TOY_JR:
        ir_exit_indirect(b, ir_get(b, i->rs));
        break;
    case TOY_CALL:
        ir_put(b, 14, ir_i64(b, t->next));
        ir_exit_call(b, ir_i64(b, t->pc + (int64_t)i->imm), t->next);
        break;
    case TOY_RET:
        ir_exit_return(b, ir_get(b, 14));
        break;
    default:
        return false;
    }
    t->has_ended = true;
    return true;
}

static void ask_helper(Toy *t)
{
    IrBuilder *b = t->b;
    const ToyInsn *i = &t->insn;

    switch (i->op) {
    case TOY_TRAP:
        ir_call_v(b, &helper_trap, ir_get(b, i->rs), ir_i64(b, (int64_t)i->imm));
        return;
    case TOY_COUNT:
        ir_put(b, i->rd, ir_call_v(b, &helper_count, ir_get(b, i->rs)));
        return;
    case TOY_MODE:
        ir_call_v(b, &helper_mode, ir_i64(b, i->imm));
        ir_put(b, SLOT_PC, ir_i64(b, t->next));
        break;
    case TOY_HALT:
        ir_call(b, &helper_halt, NULL);
        break;
    default:
        ir_call(b, &helper_illegal, NULL);
        break;
    }
    ir_exit_main(b);
    t->has_ended = true;
}

static void translate_insn(Toy *t)
{
    if (!compute(t) && !follow(t) && !memory_op(t)) {
        ask_helper(t);
    }
}

static void toy_translate(TcgCpu *cpu, IrBuilder *b, const TcgKey *key, const TcgLimits *limits)
{
    Toy t = { .b = b, .pc = key->pc, .mode = key->flags };
    char *why;

    if (toy_translating) {
        toy_translating();
    }
    for (;; t.pc = t.next) {
        unsigned length;

        tcg_insn_start(b, t.pc);
        length = tcg_code(b, t.pc, (uint8_t *)&t.insn, sizeof(t.insn));
        if (length < sizeof(t.insn)) {
            if (!tcg_code_next_page(b, t.pc)) {
                tcg_insn_drop(b);
                ir_exit_direct(b, t.pc);
                break;
            }
            tcg_code(b, t.pc, (uint8_t *)&t.insn, sizeof(t.insn));
        }
        t.next = t.pc + sizeof(t.insn);
        translate_insn(&t);
        if (t.has_ended) {
            break;
        }
        if (tcg_is_full(b, t.next)) {
            ir_exit_direct(b, t.next);
            break;
        }
    }
    why = ir_check(b);
    g_assert_cmpstr(why, ==, NULL);
}

/* --- the rest of a target --- */

static void toy_get_key(TcgCpu *cpu, TcgKey *key)
{
    *key = (TcgKey){ .pc = toy(cpu)->pc, .flags = toy(cpu)->mode };
}

static uint64_t toy_phys(uint64_t addr)
{
    uint64_t page = (addr - TOY_WINDOW) >> TCG_PAGE_BITS;

    return page < MiB >> TCG_PAGE_BITS ? toy_window + page * toy_window_step + (addr & 0xfff) : addr;
}

static bool toy_tlb_fill(TcgCpu *cpu, const TcgFault *fault, bool is_probe, TcgPage *page)
{
    bool is_window = fault->addr >= TOY_WINDOW && fault->addr < TOY_WINDOW + MiB;

    if ((fault->addr >= TOY_RAM_BYTES && !is_window) ||
        (is_window && toy_window_is_read_only && fault->access == TCG_WRITE)) {
        if (is_probe) {
            return false;
        }
        toy(cpu)->fault_addr = fault->addr;
        tcg_raise(cpu, TOY_PAGE_FAULT);
    }
    page->phys = toy_phys(fault->addr);
    page->can_read = page->can_execute = true;
    page->can_write = !(is_window && toy_window_is_read_only);
    return true;
}

static void toy_unaligned(TcgCpu *cpu, const TcgFault *fault)
{
    tcg_raise(cpu, TOY_UNALIGNED);
}

static void toy_deliver(TcgCpu *cpu, int exception)
{
    ToyCpu *t = toy(cpu);

    t->last_exception = exception;
    t->fault_pc = t->pc;
    t->fault_count++;
    if (!t->handler) {
        cpu->vcpu->is_halted = true;
    }
    t->pc = t->handler;
}

static void toy_service(TcgCpu *cpu)
{
    ToyCpu *t = toy(cpu);

    if (__atomic_exchange_n(&t->interrupt, 0, __ATOMIC_SEQ_CST)) {
        t->interrupts++;
        t->pc = t->handler;
    }
}

static unsigned toy_fetch_mmu(TcgCpu *cpu)
{
    return 0;
}

const TcgTargetOps toy_ops = {
    .state_bytes = sizeof(ToyCpu),
    .slots = slots,
    .slot_count = ARRAY_SIZE(slots),
    .pc_slot = SLOT_PC,
    .mmu_count = 1,
    .get_key = toy_get_key,
    .translate = toy_translate,
    .tlb_fill = toy_tlb_fill,
    .unaligned = toy_unaligned,
    .deliver = toy_deliver,
    .service = toy_service,
    .fetch_mmu = toy_fetch_mmu,
};

ToyCpu *toy_new(void)
{
    ToyCpu *t = g_aligned_alloc0(1, sizeof(ToyCpu), 64);

    vcpu_init(&t->vcpu, NULL, NULL);
    tcg_cpu_init(&t->tcg, &t->vcpu, &toy_ops, address_space_system());
    return t;
}

void toy_free(ToyCpu *t)
{
    tcg_cpu_clear(&t->tcg);
    vcpu_clear(&t->vcpu);
    g_aligned_free(t);
}

void toy_write(uint64_t addr, const ToyInsn *insns, unsigned count)
{
    address_space_write(address_space_system(), addr, MEM_TX_NONE, insns,
                        count * sizeof(ToyInsn));
}

void toy_run(ToyCpu *t, uint64_t pc)
{
    t->pc = pc;
    t->vcpu.is_halted = false;
    exec_run(&t->vcpu);
}
