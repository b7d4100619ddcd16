/*
 * Random regions: the interpreter and host code start from the same state, and must leave the same
 * state, memory and exit, faults included.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"
#include "accel/tcg/translate.h"
#include "system/machine_lock.h"

#define RAM_BYTES  (256 * KiB)
#define DATA       UINT64_C(0x10000) /* accesses are here, but for wild ones */
#define DATA_BYTES 0x3000
#define REGIONS    6000
#define MAX_VALUES 64

typedef struct RandomCpu {
    TcgCpu tcg;
    uint64_t regs[12];
    uint32_t small[6];
    uint64_t pc;
    uint8_t vectors[6][16];
    uint8_t wide[3][32];
    uint64_t rounds;
    uint64_t plain[8]; /* no slots */
    /* what happened */
    uint64_t fault_addr;
    int exception;
    uint64_t calls;
    Vcpu vcpu;
} RandomCpu;

enum { SLOT_SMALL = 12, SLOT_PC = 18, SLOT_VECTORS = 19, SLOT_WIDE = 25, SLOTS = 28,
       SLOT_ROUNDS = SLOTS };
static IrSlot slots[SLOTS + 1];
static MemoryRegion ram;
static GRand *rnd;
static uint32_t seed;

static RandomCpu *random_cpu(TcgCpu *cpu)
{
    return container_of(cpu, RandomCpu, tcg);
}

static unsigned pick(unsigned count)
{
    return g_rand_int(rnd) % count;
}

static uint64_t number(void)
{
    static const uint64_t edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
                                      INT32_MAX, UINT64_C(0x80000000), UINT32_MAX, INT64_MAX,
                                      UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 1 };

    return pick(3) ? edges[pick(ARRAY_SIZE(edges))]
                   : (uint64_t)g_rand_int(rnd) << 32 | g_rand_int(rnd);
}

/* --- helpers --- */

static uint64_t help_mix(TcgCpu *cpu, uint64_t x, uint32_t y)
{
    RandomCpu *r = random_cpu(cpu);

    r->calls++;
    r->regs[3] += x ^ r->regs[1];
    return x * 3 + y;
}
static const IrHelper helper_mix = {
    .name = "mix", .fn = help_mix, .result = IR_I64, .arg_count = 2, .args = { IR_I64, IR_I32 },
    .reads = BIT64(0), .writes = BIT64(0),
};

static uint32_t help_pure(uint64_t x, uint64_t y, uint32_t z, uint64_t w)
{
    return x + 2 * y + 3 * z + 5 * w;
}
static const IrHelper helper_pure = {
    .name = "pure", .fn = help_pure, .result = IR_I32, .arg_count = 4,
    .args = { IR_I64, IR_I64, IR_I32, IR_I64 }, .flags = IR_HELPER_PURE,
};

static uint64_t help_raise(TcgCpu *cpu, uint64_t x, uint64_t y, uint64_t z)
{
    random_cpu(cpu)->calls += x;
    if ((x & 15) == 3) {
        tcg_raise(cpu, 7);
    }
    return x + y * z;
}
static const IrHelper helper_raise = {
    .name = "raise", .fn = help_raise, .result = IR_I64, .arg_count = 3,
    .args = { IR_I64, IR_I64, IR_I64 }, .reads = BIT64(1), .flags = IR_HELPER_RAISES,
};

static void help_halt(TcgCpu *cpu)
{
    cpu->vcpu->is_halted = true;
}
static const IrHelper helper_halt = { .name = "halt", .fn = help_halt };

/* --- random regions --- */

typedef struct Values {
    IrBuilder *b;
    IrRef refs[5][MAX_VALUES]; /* by type */
    unsigned counts[5];
} Values;

static IrRef value(Values *v, IrType type)
{
    if (type <= IR_I64 && (!v->counts[type] || pick(6) == 0)) {
        return ir_const(v->b, type, number());
    }
    if (!v->counts[type]) {
        return ir_get(v->b, type == IR_V128 ? SLOT_VECTORS : SLOT_WIDE);
    }
    return v->refs[type][pick(v->counts[type])];
}

static void keep(Values *v, IrRef ref)
{
    IrType type;

    if (ref) {
        type = ir_type(v->b, ref);
        v->refs[type][v->counts[type] < MAX_VALUES ? v->counts[type]++ : pick(MAX_VALUES)] = ref;
    }
}

static IrRef address(Values *v)
{
    IrRef offset = ir_and(v->b, value(v, IR_I64), ir_i64(v->b, DATA_BYTES - 1));

    if (pick(40) == 0) {
        return value(v, IR_I64);
    }
    return ir_add(v->b, offset, ir_i64(v->b, DATA));
}

static IrRef random_integer(Values *v)
{
    static const IrOp unary[] = { IR_NOT, IR_NEG, IR_BSWAP, IR_CLZ, IR_CTZ, IR_POPCNT, IR_ZEXT8,
                                  IR_ZEXT16, IR_SEXT8, IR_SEXT16 };
    static const IrOp binary[] = { IR_ADD, IR_SUB, IR_MUL, IR_MULHU, IR_MULHS, IR_AND, IR_OR,
                                   IR_XOR, IR_SHL, IR_SHR, IR_SAR, IR_ROTL, IR_ROTR };
    IrBuilder *b = v->b;
    IrType type = pick(2) ? IR_I64 : IR_I32;
    unsigned bits = ir_type_bits(type), pos = pick(bits), len = 1 + pick(bits - pos);

    if (pick(3) == 0) {
        unsigned sizes[] = { 8, 16, 32 };

        len = sizes[pick(3)];
        pos = pick(bits - len + 1) & ~7u;
    }
    switch (pick(12)) {
    case 0:
    case 1:
        return ir_emit(b, unary[pick(ARRAY_SIZE(unary))], type, value(v, type), 0, 0, 0);
    case 2:
        return ir_zext(b, value(v, IR_I32));
    case 3:
        return ir_sext(b, value(v, IR_I32));
    case 4:
        return ir_trunc(b, value(v, IR_I64));
    case 5:
        return pick(2) ? ir_zext32(b, value(v, IR_I64)) : ir_sext32(b, value(v, IR_I64));
    case 6:
        return ir_extract(b, value(v, type), pos, len);
    case 7:
        return ir_deposit(b, value(v, type), value(v, type), pos, len);
    case 8:
        return ir_setcond(b, pick(12), value(v, type), value(v, type));
    case 9:
        return ir_select(b, pick(2) ? ir_setcond(b, pick(12), value(v, type), value(v, type))
                                    : value(v, IR_I32),
                         value(v, type), value(v, type));
    default:
        return ir_emit(b, binary[pick(ARRAY_SIZE(binary))], type, value(v, type),
                       value(v, type), 0, 0);
    }
}

static IrRef random_vector(Values *v)
{
    IrBuilder *b = v->b;
    IrType type = pick(2) ? IR_V128 : IR_V256;

    switch (pick(12)) {
    case 0:
        return ir_vlow(b, value(v, IR_V256));
    case 1:
        return ir_vhigh(b, value(v, IR_V256));
    case 2:
        return ir_vconcat(b, value(v, IR_V128), value(v, IR_V128));
    case 3:
        return ir_vec(b, IR_V_PSHUFD, type, value(v, type), 0, 0, pick(256));
    case 4:
        return ir_vec(b, IR_V_PSLLQ_I, type, value(v, type), 0, 0, pick(70));
    case 5:
        return ir_vec(b, IR_V_PBLENDVB, type, value(v, type), value(v, type), value(v, type), 0);
    case 6:
        return ir_vec(b, IR_V_MOVQ_G, IR_V128, value(v, IR_I64), 0, 0, 0);
    case 7:
        return ir_vec(b, IR_V_PINSRD, IR_V128, value(v, IR_V128), value(v, IR_I32), 0, pick(4));
    case 8:
        return pick(2) ? ir_vec(b, IR_V_PEXTRQ, IR_V128, value(v, IR_V128), 0, 0, pick(2))
                       : ir_vec(b, IR_V_PMOVMSKB, type, value(v, type), 0, 0, 0);
    case 9:
        return ir_vec(b, IR_V_PTEST, type, value(v, type), value(v, type), 0, 0);
    case 10:
        return ir_select(b, value(v, IR_I32), value(v, type), value(v, type));
    default:
        return ir_vec(b, pick(2) ? IR_V_PADDB : pick(2) ? IR_V_PUNPCKLBW : IR_V_PXOR, type,
                      value(v, type), value(v, type), 0, 0);
    }
}

static IrRef random_memory(Values *v)
{
    static const unsigned swaps[] = { 0, IR_MEM_SWAP };
    IrBuilder *b = v->b;
    IrType type = pick(2) ? IR_I64 : IR_I32;
    IrMem mem = pick(type == IR_I64 ? 4 : 3) | swaps[pick(4) == 0] |
                (pick(2) ? IR_MEM_SIGNED : 0) | (pick(8) ? 0 : IR_MEM_ALIGNED);
    uint32_t plain = offsetof(RandomCpu, plain) + 8 * pick(6);

    switch (pick(10)) {
    case 0:
    case 1:
        ir_store(b, mem & ~IR_MEM_SIGNED, address(v), value(v, type));
        return 0;
    case 2:
        return ir_load(b, IR_V128, IR_MEM_128, address(v));
    case 3:
        ir_store(b, IR_MEM_256, address(v), value(v, IR_V256));
        return 0;
    case 4:
        return ir_atomic(b, IR_XCHG + pick(5), mem & ~(IR_MEM_SIGNED | IR_MEM_ALIGNED),
                         address(v), value(v, type));
    case 5:
        return ir_cmpxchg(b, mem & ~(IR_MEM_SIGNED | IR_MEM_ALIGNED), address(v), value(v, type),
                          value(v, type));
    case 6:
        ir_st(b, mem & ~(IR_MEM_SIGNED | IR_MEM_ALIGNED), plain, 0, value(v, type));
        return 0;
    case 7:
        return ir_ld(b, type, mem & ~IR_MEM_ALIGNED, plain,
                     pick(2) ? 0 : ir_and(b, value(v, IR_I64), ir_i64(b, 7)));
    default:
        return ir_load(b, type, mem, address(v));
    }
}

static IrRef random_call(Values *v)
{
    switch (pick(3)) {
    case 0:
        return ir_call_v(v->b, &helper_mix, value(v, IR_I64), value(v, IR_I32));
    case 1:
        return ir_call_v(v->b, &helper_pure, value(v, IR_I64), value(v, IR_I64),
                         value(v, IR_I32), value(v, IR_I64));
    default:
        return ir_call_v(v->b, &helper_raise, value(v, IR_I64), value(v, IR_I64),
                         value(v, IR_I64));
    }
}

static void random_put(Values *v)
{
    unsigned slot = pick(SLOTS);

    if (slot != SLOT_PC) {
        ir_put(v->b, slot, value(v, slots[slot].type));
    }
}

static void random_insn(Values *v)
{
    switch (pick(16)) {
    case 0:
    case 1: {
        unsigned slot = pick(SLOTS);

        if (slot != SLOT_PC) {
            keep(v, ir_get(v->b, slot));
        }
        break;
    }
    case 2:
    case 3:
    case 4:
        random_put(v);
        break;
    case 5:
    case 6:
        keep(v, random_memory(v));
        break;
    case 7:
    case 8:
        keep(v, random_vector(v));
        break;
    case 9:
        keep(v, pick(3) ? random_integer(v) : random_call(v));
        break;
    case 10:
        if (pick(3) == 0) {
            IrType type = pick(2) ? IR_I64 : IR_I32;

            ir_exit_if(v->b, pick(12), value(v, type), value(v, type), 0x8000);
        } else if (pick(4) == 0) {
            ir_sync(v->b, BIT64(pick(3)));
        }
        break;
    default:
        keep(v, random_integer(v));
        break;
    }
}

static void random_translate(TcgCpu *cpu, IrBuilder *b, const TcgKey *key,
                             const TcgLimits *limits)
{
    Values v = { .b = b };
    uint64_t pc = key->pc;
    unsigned count;
    char *why;

    tcg_insn_start(b, pc);
    if (pc == 0x8000) {
        ir_call(b, &helper_halt, NULL);
        ir_exit_main(b);
        return;
    }
    g_rand_set_seed(rnd, seed);
    count = 1 + pick(pick(4) ? 40 : 400);
    for (unsigned i = 0; i < count && b->exit_count < IR_MAX_EXITS - 2; i++) {
        random_insn(&v);
        if (pick(5) == 0) {
            tcg_insn_start(b, pc += 4);
        }
    }
    if (pick(3) == 0) {
        /* Some rounds, of which the later ones are hot. */
        IrRef rounds = ir_add(b, ir_get(b, SLOT_ROUNDS), ir_i64(b, -1));

        ir_put(b, SLOT_ROUNDS, rounds);
        ir_exit_if(b, IR_EQ, rounds, ir_i64(b, 0), 0x8000);
        ir_exit_direct(b, key->pc);
    } else if (pick(2)) {
        ir_exit_direct(b, 0x8000);
    } else {
        ir_exit_indirect(b, ir_or(b, ir_and(b, value(&v, IR_I64), ir_i64(b, 0)),
                                  ir_i64(b, 0x8000)));
    }
    why = ir_check(b);
    g_assert_cmpstr(why, ==, NULL);
}

/* --- the rest of a target --- */

static void get_key(TcgCpu *cpu, TcgKey *key)
{
    *key = (TcgKey){ .pc = random_cpu(cpu)->pc };
}

static bool tlb_fill(TcgCpu *cpu, const TcgFault *fault, bool is_probe, TcgPage *page)
{
    bool is_code = fault->access == TCG_EXECUTE && fault->addr < RAM_BYTES;

    if ((!is_code && fault->addr - DATA >= DATA_BYTES) ||
        (fault->access == TCG_WRITE && fault->addr >> 12 == (DATA >> 12) + 2)) {
        if (is_probe) {
            return false;
        }
        random_cpu(cpu)->fault_addr = fault->addr;
        tcg_raise(cpu, 1);
    }
    page->phys = fault->addr;
    page->can_read = page->can_write = page->can_execute = true;
    page->can_write = fault->addr >> 12 != (DATA >> 12) + 2;
    return true;
}

static void unaligned(TcgCpu *cpu, const TcgFault *fault)
{
    random_cpu(cpu)->fault_addr = fault->addr;
    tcg_raise(cpu, 2);
}

static void deliver(TcgCpu *cpu, int exception)
{
    random_cpu(cpu)->exception = exception;
    cpu->vcpu->is_halted = true;
}

static void service(TcgCpu *cpu)
{
}

static unsigned fetch_mmu(TcgCpu *cpu)
{
    return 0;
}

static TcgTargetOps ops = {
    .state_bytes = sizeof(RandomCpu), .slots = slots, .slot_count = SLOTS + 1, .pc_slot = SLOT_PC,
    .mmu_count = TCG_MMU_MODES,
    .get_key = get_key, .translate = random_translate, .tlb_fill = tlb_fill,
    .unaligned = unaligned, .deliver = deliver, .service = service, .fetch_mmu = fetch_mmu,
};

static void make_slots(void)
{
    slots[SLOT_ROUNDS] = (IrSlot){ "rounds", offsetof(RandomCpu, rounds), IR_I64, 4 };
    for (unsigned i = 0; i < SLOTS; i++) {
        IrSlot *s = &slots[i];

        s->name = g_strdup_printf("s%u", i);
        if (i < SLOT_SMALL) {
            *s = (IrSlot){ s->name, offsetof(RandomCpu, regs) + 8 * i, IR_I64, i < 6 ? 0 : 1 };
        } else if (i < SLOT_PC) {
            *s = (IrSlot){ s->name, offsetof(RandomCpu, small) + 4 * (i - SLOT_SMALL), IR_I32, 1 };
        } else if (i == SLOT_PC) {
            *s = (IrSlot){ s->name, offsetof(RandomCpu, pc), IR_I64, 3 };
        } else if (i < SLOT_WIDE) {
            *s = (IrSlot){ s->name, offsetof(RandomCpu, vectors) + 16 * (i - SLOT_VECTORS),
                           IR_V128, 2 };
        } else {
            *s = (IrSlot){ s->name, offsetof(RandomCpu, wide) + 32 * (i - SLOT_WIDE), IR_V256, 2 };
        }
    }
}

/* --- comparing --- */

static void fill(void *bytes, size_t count)
{
    for (size_t i = 0; i + 8 <= count; i += 8) {
        uint64_t n = number();

        memcpy((uint8_t *)bytes + i, &n, 8);
    }
}

#define STATE_BYTES (offsetof(RandomCpu, vcpu) - offsetof(RandomCpu, regs))

static RandomCpu *run(bool is_jit, uint8_t *data, const void *state)
{
    RandomCpu *r = g_aligned_alloc0(1, sizeof(RandomCpu), 64);

    vcpu_init(&r->vcpu, NULL, NULL);
    tcg_cpu_init(&r->tcg, &r->vcpu, &ops, address_space_system());
    tcg_options.is_jit = is_jit;
    region_flush_all();
    memcpy(r->regs, state, STATE_BYTES);
    r->exception = 0;
    r->fault_addr = r->calls = 0;
    r->pc = 0x4000;
    r->rounds = 9;
    /* Wild accesses may be anywhere. */
    memset(memory_region_host(&ram), 0, RAM_BYTES);
    memcpy((uint8_t *)memory_region_host(&ram) + DATA, data, DATA_BYTES);
    exec_run(&r->vcpu);
    memcpy(data, (uint8_t *)memory_region_host(&ram) + DATA, DATA_BYTES);
    region_flush_all();
    tcg_cpu_clear(&r->tcg);
    vcpu_clear(&r->vcpu);
    return r;
}

static void dump_region(void)
{
    IrBuilder *b = g_new0(IrBuilder, 1);
    GString *out = g_string_new(NULL);

    ir_begin(b, &ops);
    random_translate(NULL, b, &(TcgKey){ .pc = 0x4000 }, NULL);
    ir_dump(b, out);
    fprintf(stderr, "seed %u\n%s", seed, out->str);
    g_string_free(out, true);
    g_free(b);
}

static void report_bytes(const char *what, const uint8_t *x, const uint8_t *y, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (x[i] != y[i]) {
            fprintf(stderr, "%s %#zx: %02x %02x\n", what, i, x[i], y[i]);
        }
    }
}

static void report_difference(const RandomCpu *x, const RandomCpu *y)
{
    dump_region();
    fprintf(stderr, "exception %d %d, pc %" PRIx64 " %" PRIx64 "\n", x->exception, y->exception,
            x->pc, y->pc);
    for (unsigned i = 0; i <= SLOTS; i++) {
        const char *a = (const char *)x + slots[i].offset, *b = (const char *)y + slots[i].offset;

        if (memcmp(a, b, ir_type_bits(slots[i].type) / 8)) {
            fprintf(stderr, "%s: %" PRIx64 " %" PRIx64 "\n", slots[i].name, *(uint64_t *)a,
                    *(uint64_t *)b);
        }
    }
    g_assert_not_reached();
}

static void compare(void)
{
    static uint8_t data[2][DATA_BYTES], state[STATE_BYTES];
    RandomCpu *x, *y;

    g_rand_set_seed(rnd, ~seed);
    fill(data[0], DATA_BYTES);
    memcpy(data[1], data[0], DATA_BYTES);
    fill(state, STATE_BYTES);
    x = run(false, data[0], state);
    y = run(true, data[1], state);
    if (memcmp(x->regs, y->regs, STATE_BYTES) || memcmp(data[0], data[1], DATA_BYTES)) {
        report_bytes("data", data[0], data[1], DATA_BYTES);
        report_bytes("state", (uint8_t *)x->regs, (uint8_t *)y->regs, STATE_BYTES);
        report_difference(x, y);
    }
    g_aligned_free(x);
    g_aligned_free(y);
}

static void test_random(void)
{
    const char *chosen = g_getenv("RANDOM_SEED");
    uint32_t first = chosen ? atoi(chosen) : g_test_rand_int();

    for (unsigned i = 0; i < (chosen ? 1 : REGIONS); i++) {
        seed = first + i;
        compare();
    }
}

/* What found something once. */
static void test_known(void)
{
    static const uint32_t seeds[] = { 3987425575 /* the upper half of a CMPXCHG of 32 bits */ };

    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
        seed = seeds[i];
        compare();
    }
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    region_init();
    if (!host_init(32 * MiB, NULL)) {
        machine_unlock();
        printf("1..0 # SKIP this host has no back end\n");
        return 77;
    }
    tcg_options.hot_after = 4;
    make_slots();
    rnd = g_rand_new_with_seed(0);
    memory_region_init_ram(&ram, NULL, "ram", RAM_BYTES, NULL);
    memory_region_add(memory_region_system(), 0, &ram);
    g_test_add_func("/tcg/random", test_random);
    g_test_add_func("/tcg/known", test_known);
    status = g_test_run();
    machine_unlock();
    return status;
}
