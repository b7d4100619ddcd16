/*
 * The engine as a target sees it: a made-up CPU runs programs, by the interpreter and, where there
 * is one, by host code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"
#include "accel/tcg/toy_target.h"
#include "system/machine_lock.h"

#define LOAD(addr, ...) \
    toy_write(addr, (const ToyInsn[]){ __VA_ARGS__ }, \
              sizeof((const ToyInsn[]){ __VA_ARGS__ }) / sizeof(ToyInsn))
#define I(n) ((n) * 8)

static MemoryRegion ram;

static uint64_t read64(uint64_t addr)
{
    uint64_t value;

    address_space_load(address_space_system(), addr, MEM_LE64, MEM_TX_NONE, &value);
    return value;
}

static void test_loop(void)
{
    ToyCpu *t = toy_new();

    /* r1 = sum of 1..r2, stored as it grows. */
    LOAD(0x1000, { TOY_ADD, 1, 1, 2, 0 }, { TOY_STORE, 0, 3, 1, 0x2000 },
         { TOY_ADDI, 2, 2, 0, -1 }, { TOY_BNE, 0, 2, 0, -I(3) }, { TOY_HALT });
    t->regs[2] = 100000;
    toy_run(t, 0x1000);
    g_assert_cmpuint(t->regs[1], ==, UINT64_C(100000) * 100001 / 2);
    g_assert_cmpuint(read64(0x2000), ==, t->regs[1]);
    g_assert_cmphex(t->pc, ==, 0x1020);
    toy_free(t);
}

static void test_fault(void)
{
    ToyCpu *t = toy_new();

    /* What is put before the fault counts, what is put by the faulting instruction does not. */
    LOAD(0x1000, { TOY_ADDI, 1, 1, 0, 5 }, { TOY_ADD, 2, 1, 1, 0 }, { TOY_LOAD, 1, 3, 0, 8 },
         { TOY_ADDI, 2, 2, 0, 100 }, { TOY_HALT });
    t->regs[1] = 1;
    t->regs[3] = 0x20000000;
    toy_run(t, 0x1000);
    g_assert_cmpint(t->last_exception, ==, TOY_PAGE_FAULT);
    g_assert_cmphex(t->fault_pc, ==, 0x1010);
    g_assert_cmphex(t->fault_addr, ==, 0x20000008);
    g_assert_cmpuint(t->regs[1], ==, 6);
    g_assert_cmpuint(t->regs[2], ==, 12);
    g_assert_cmpuint(t->sum, ==, 12);
    g_assert_cmpuint(t->carry_in, ==, 6);

    /* The same, out of a helper. */
    LOAD(0x3000, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_TRAP, 0, 1, 0, 50 }, { TOY_JMP, 0, 0, 0, -I(2) });
    t->regs[1] = 0;
    toy_run(t, 0x3000);
    g_assert_cmpint(t->last_exception, ==, TOY_TRAPPED);
    g_assert_cmphex(t->fault_pc, ==, 0x3008);
    g_assert_cmpuint(t->regs[1], ==, 50);
    toy_free(t);
}

static void test_page_crossing(void)
{
    ToyCpu *t = toy_new();

    /* An instruction and a store over a page's end; a store whose second page is missing. */
    LOAD(0x4ff4, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_ADDI, 1, 1, 0, 2 }, { TOY_STORE, 0, 2, 1, 0 },
         { TOY_LOAD, 4, 2, 0, 0 }, { TOY_STORE, 0, 3, 1, 0 }, { TOY_HALT });
    t->regs[2] = 0x7ffd;
    t->regs[3] = TOY_RAM_BYTES - 3;
    toy_run(t, 0x4ff4);
    g_assert_cmpuint(t->regs[4], ==, 3);
    g_assert_cmpint(t->last_exception, ==, TOY_PAGE_FAULT);
    g_assert_cmphex(t->fault_addr, ==, TOY_RAM_BYTES);
    g_assert_cmphex(t->fault_pc, ==, 0x4ff4 + I(4));
    toy_free(t);
}

/* A loop in two pages, the second of which is written to, and comes to be elsewhere. */
static void test_two_pages(void)
{
    static const ToyInsn tails[2][3] = {
        { { TOY_ADDI, 2, 2, 0, -1 }, { TOY_BNE, 0, 2, 0, -I(3) }, { TOY_HALT } },
        { { TOY_ADDI, 2, 2, 0, -2 }, { TOY_BNE, 0, 2, 0, -I(3) }, { TOY_HALT } },
    };
    ToyCpu *t = toy_new();

    for (unsigned i = 0; i < 4; i++) {
        LOAD(0x28ff0, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_ADDI, 3, 3, 0, 1 });
        toy_write(0x29000, tails[i % 2], 3);
        t->regs[1] = 0;
        t->regs[2] = 10000;
        toy_run(t, 0x28ff0 + I(i % 2));
        g_assert_cmpuint(t->regs[1], ==, (i % 2 ? 4999 : 10000));
        g_assert_cmphex(t->pc, ==, 0x29000 + I(2));
    }
    toy_free(t);
}

/* A hot loop with an instruction in two pages, in the middle; either half is written to. */
static void test_loop_across(void)
{
    ToyCpu *t = toy_new();
    ToyInsn add = { TOY_ADDI, 1, 1, 0, 0 };

    for (unsigned i = 0; i < 6; i++) {
        add.rd = add.rs = 1 + i / 3;
        add.imm = i;
        LOAD(0x2cff4, { TOY_ADDI, 3, 3, 0, -1 }, { TOY_ADDI, 4, 4, 0, 1 });
        LOAD(0x2d004, { TOY_BNE, 0, 3, 0, -I(2) }, { TOY_HALT });
        address_space_write(address_space_system(), 0x2cffc + i % 2 * 4, MEM_TX_NONE,
                            (uint8_t *)&add + i % 2 * 4, 4);
        address_space_write(address_space_system(), 0x2cffc + (i + 1) % 2 * 4, MEM_TX_NONE,
                            (uint8_t *)&add + (i + 1) % 2 * 4, 4);
        t->regs[1] = t->regs[2] = 0;
        t->regs[3] = 10000;
        toy_run(t, 0x2cff4);
        g_assert_cmpuint(t->regs[add.rd], ==, UINT64_C(10000) * i);
        g_assert_cmphex(t->pc, ==, 0x2d004 + I(1));
    }
    toy_free(t);
}

/* Two pages that are one: an instruction from its end to its start. */
static void test_folded_page(void)
{
    ToyCpu *t = toy_new();
    ToyInsn add = { TOY_ADDI, 1, 1, 0, 5 };

    toy_window = 0x30000;
    for (unsigned i = 0; i < 3; i++) {
        address_space_write(address_space_system(), 0x30ffc, MEM_TX_NONE, &add, 4);
        address_space_write(address_space_system(), 0x30000, MEM_TX_NONE, (uint8_t *)&add + 4, 4);
        LOAD(0x30004, { TOY_HALT });
        toy_run(t, TOY_WINDOW + 0xffc);
        g_assert_cmpuint(t->regs[1], ==, 5 * (i + 1));
    }
    toy_free(t);
}

static void test_self_modifying(void)
{
    ToyCpu *t = toy_new();
    ToyInsn add = { TOY_ADDI, 1, 1, 0, 100 };

    /* The third instruction is overwritten by the one before it. */
    LOAD(0x8000, { TOY_ADDI, 5, 5, 0, 1 }, { TOY_STORE, 0, 2, 3, 0 }, { TOY_ADDI, 1, 1, 0, 1 },
         { TOY_HALT });
    t->regs[2] = 0x8010;
    memcpy(&t->regs[3], &add, 8);
    toy_run(t, 0x8000);
    g_assert_cmpuint(t->regs[1], ==, 100);
    g_assert_cmpuint(t->regs[5], ==, 1);
    /* And by a device, between two runs. */
    LOAD(0x8010, { TOY_ADDI, 1, 1, 0, 7 });
    t->regs[2] = 0x9000;
    toy_run(t, 0x8000);
    g_assert_cmpuint(t->regs[1], ==, 107);
    toy_run(t, 0x8000);
    g_assert_cmpuint(t->regs[1], ==, 114);
    toy_free(t);
}

static void test_mode(void)
{
    ToyCpu *t = toy_new();

    LOAD(0xa000, { TOY_MODE, 0, 0, 0, 10 }, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_MODE, 0, 0, 0, 0 },
         { TOY_ADDI, 1, 1, 0, 1 }, { TOY_HALT });
    toy_run(t, 0xa000);
    toy_run(t, 0xa000);
    g_assert_cmpuint(t->regs[1], ==, 2 * 12);
    toy_free(t);
}

static void test_indirect(void)
{
    ToyCpu *t = toy_new();

    /* Calls, returns, and a jump by register to the same place again and again. */
    LOAD(0xb000, { TOY_CALL, 0, 0, 0, 0x1000 }, { TOY_ADDI, 2, 2, 0, -1 },
         { TOY_ADD, 6, 5, 2, 0 }, { TOY_BNE, 0, 2, 0, I(2) }, { TOY_HALT }, { TOY_JR, 0, 5, 0, 0 });
    LOAD(0xc000, { TOY_ADDI, 1, 1, 0, 3 }, { TOY_RET });
    t->regs[2] = 1000;
    t->regs[5] = 0xb000;
    toy_run(t, 0xb000);
    g_assert_cmpuint(t->regs[1], ==, 3000);
    toy_free(t);
}

static void test_remap(void)
{
    ToyCpu *t = toy_new();

    /* The same virtual page is another physical one after a flush: code and data. */
    LOAD(0x10000, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_RET });
    LOAD(0x11000, { TOY_ADDI, 1, 1, 0, 1000 }, { TOY_RET });
    LOAD(0xd000, { TOY_CALL, 0, 0, 0, (int32_t)(TOY_WINDOW - 0xd000) }, { TOY_HALT });
    toy_window = 0x10000;
    toy_run(t, 0xd000);
    g_assert_cmpuint(t->regs[1], ==, 1);
    toy_window = 0x11000;
    tcg_tlb_flush_page(&t->tcg, TOY_WINDOW, TCG_ALL_MMUS);
    toy_run(t, 0xd000);
    g_assert_cmpuint(t->regs[1], ==, 1001);
    /* Tags keep both. */
    tcg_tlb_set_tag(&t->tcg, 7);
    toy_window = 0x10000;
    toy_run(t, 0xd000);
    tcg_tlb_set_tag(&t->tcg, 0);
    toy_run(t, 0xd000);
    g_assert_cmpuint(t->regs[1], ==, 2002);
    toy_free(t);
}

static void test_read_only(void)
{
    ToyCpu *t = toy_new();

    LOAD(0xe000, { TOY_LOAD, 1, 2, 0, 0x10 }, { TOY_STORE, 0, 2, 1, 0x10 }, { TOY_HALT });
    t->regs[2] = TOY_WINDOW;
    toy_window = 0x12000;
    toy_window_is_read_only = true;
    toy_run(t, 0xe000);
    g_assert_cmpint(t->last_exception, ==, TOY_PAGE_FAULT);
    g_assert_cmphex(t->fault_pc, ==, 0xe008);
    toy_window_is_read_only = false;
    toy_run(t, 0xe000);
    g_assert_cmpuint(t->fault_count, ==, 1);
    toy_free(t);
}

#define ROUNDS 5000 /* makes a loop hot, and what it remembers of memory right */

static void run_rounds(ToyCpu *t, uint64_t pc)
{
    t->regs[2] = ROUNDS;
    toy_run(t, pc);
}

/* A hot loop knows where its memory is: until that is elsewhere, or must not be written. */
static void test_hot_memory(void)
{
    ToyCpu *t = toy_new();
    ToyInsn add = { TOY_ADDI, 1, 1, 0, 100 };

    LOAD(0x20000, { TOY_LOAD, 1, 3, 0, 8 }, { TOY_ADD, 4, 4, 1, 0 }, { TOY_ADDI, 2, 2, 0, -1 },
         { TOY_BNE, 0, 2, 0, -I(3) }, { TOY_HALT });
    LOAD(0x21000, { TOY_STORE, 0, 3, 1, 8 }, { TOY_ADDI, 2, 2, 0, -1 }, { TOY_BNE, 0, 2, 0, -I(2) },
         { TOY_HALT });
    address_space_store(address_space_system(), 0x22008, MEM_LE64, MEM_TX_NONE, 1);
    address_space_store(address_space_system(), 0x23008, MEM_LE64, MEM_TX_NONE, 1000);
    t->regs[3] = TOY_WINDOW;
    for (unsigned i = 0; i < 6; i++) {
        toy_window = i % 2 ? 0x23000 : 0x22000;
        tcg_tlb_flush_page(&t->tcg, TOY_WINDOW, TCG_ALL_MMUS);
        run_rounds(t, 0x20000);
    }
    g_assert_cmpuint(t->regs[4], ==, 3 * ROUNDS + 3000 * ROUNDS);
    t->regs[1] = 5;
    run_rounds(t, 0x21000);
    toy_window_is_read_only = true;
    tcg_tlb_flush_page(&t->tcg, TOY_WINDOW, TCG_ALL_MMUS);
    t->regs[1] = 6;
    run_rounds(t, 0x21000);
    toy_window_is_read_only = false;
    g_assert_cmpuint(t->fault_count, ==, 1);
    g_assert_cmpuint(t->regs[2], ==, ROUNDS);
    g_assert_cmpuint(read64(0x23008), ==, 5);
    /* The page that was data has code now. */
    LOAD(0x24008, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_HALT });
    t->regs[3] = 0x24000;
    memcpy(&t->regs[1], &(ToyInsn){ TOY_ADDI, 1, 1, 0, 7 }, 8);
    run_rounds(t, 0x21000);
    t->regs[1] = 0;
    toy_run(t, 0x24008);
    g_assert_cmpuint(t->regs[1], ==, 7);
    memcpy(&t->regs[1], &add, 8);
    run_rounds(t, 0x21000);
    t->regs[1] = 0;
    toy_run(t, 0x24008);
    g_assert_cmpuint(t->regs[1], ==, 100);
    toy_free(t);
}

/* Page after page, to and fro, and to the end of what there is. */
static void test_stream(void)
{
    ToyCpu *t = toy_new();
    uint64_t bytes = 0x5000;

    LOAD(0x26000, { TOY_LOAD, 1, 3, 0, 0 }, { TOY_ADD, 4, 4, 1, 0 }, { TOY_STORE, 0, 3, 2, 0 },
         { TOY_ADDI, 3, 3, 0, 4 }, { TOY_ADDI, 2, 2, 0, -1 }, { TOY_BNE, 0, 2, 0, -I(5) },
         { TOY_HALT });
    for (unsigned i = 0; i < 40; i++) {
        t->regs[2] = bytes / 4;
        t->regs[3] = TOY_RAM_BYTES - bytes - (i % 3) * 0x2000;
        toy_run(t, 0x26000);
    }
    /* The last round's access reaches out of RAM when it begins at its last four bytes. */
    g_assert_cmpuint(t->fault_count, ==, 14);
    g_assert_cmphex(t->fault_addr, ==, TOY_RAM_BYTES);
    g_assert_cmpuint(t->regs[2], ==, 1);
    g_assert_cmpuint(read64(TOY_RAM_BYTES - 8), ==, 2);
    toy_free(t);
}

#define RING_COUNT  2000
#define RING_START  (TOY_WINDOW + 0x500)
#define RING_PAGES  5
#define RING_FACTOR 37

/* Each place holds the address of another. Returns what chase() comes to. */
static uint64_t make_ring(unsigned stride)
{
    uint64_t at = 0, hash = 0;

    for (unsigned i = 0; i < RING_COUNT; i++) {
        uint64_t offset = RING_START - TOY_WINDOW + at * 8;

        at = (at + stride) % RING_COUNT;
        address_space_store(address_space_system(),
                            toy_window + offset / 4096 * toy_window_step + offset % 4096, MEM_LE64,
                            MEM_TX_NONE, RING_START + at * 8);
        hash = hash * RING_FACTOR + RING_START + at * 8;
    }
    return hash;
}

static bool has_scatter(const ToyCpu *t)
{
    const TcgScatter *scatters = t->tcg.spans[0][TCG_SPAN_READ].scatters;
    bool is_used = false;

    for (unsigned i = 0; i < TCG_SCATTERS; i++) {
        is_used |= scatters[i].room[0] > (RING_PAGES - 1) * 4096;
    }
    return is_used;
}

static void chase(ToyCpu *t, uint64_t hash)
{
    t->regs[2] = RING_COUNT;
    t->regs[3] = RING_START;
    t->regs[4] = 0;
    t->regs[5] = RING_FACTOR;
    toy_run(t, 0x2a000);
    g_assert_cmphex(t->regs[4], ==, hash);
}

/* Each load is from where the one before says, in pages that lie apart and come to be elsewhere. */
static void test_scatter(void)
{
    static const unsigned strides[] = { 701, 911, 977, 1001, 1203 };
    ToyCpu *t = toy_new();
    unsigned rounds = 0;
    uint64_t hash;

    LOAD(0x2a000, { TOY_LOAD, 3, 3, 0, 0 }, { TOY_MUL, 4, 4, 5, 0 }, { TOY_ADD, 4, 4, 3, 0 },
         { TOY_ADDI, 2, 2, 0, -1 }, { TOY_BNE, 0, 2, 0, -I(4) }, { TOY_HALT });
    toy_window = 0x50000;
    toy_window_step = -0x2000;
    hash = make_ring(strides[4]);
    do {
        chase(t, hash);
    } while (tcg_options.is_jit && !has_scatter(t) && ++rounds < 10000);
    g_assert_cmpuint(rounds, <, 10000);
    for (unsigned i = 0; i < 20; i++) {
        toy_window = i % 2 ? 0x50000 : 0x60000;
        toy_window_step = i % 2 ? -0x2000 : 0x3000;
        for (unsigned page = 0; page < RING_PAGES; page++) {
            tcg_tlb_flush_page(&t->tcg, TOY_WINDOW + page * 4096, TCG_ALL_MMUS);
        }
        chase(t, make_ring(strides[i % ARRAY_SIZE(strides)]));
        /* Just beside the pages. */
        t->regs[2] = 2;
        t->regs[3] = TOY_WINDOW - 8;
        toy_run(t, 0x2a000);
        g_assert_cmphex(t->fault_addr, ==, TOY_WINDOW - 8);
        g_assert_cmpuint(t->fault_count, ==, i + 1);
    }
    toy_window_step = 0;
    toy_free(t);
}

static uint64_t count_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return ++*(unsigned *)opaque;
}

/* A probe of a device does not read it, and one of nothing faults as a read would. */
static void test_probe(void)
{
    static const MemoryOps ops = { .read = count_read };
    ToyCpu *t = toy_new();
    unsigned reads = 0;
    MemoryRegion device;

    memory_region_init_io(&device, NULL, &ops, "device", 4096);
    memory_region_set_opaque(&device, &reads);
    memory_region_add(memory_region_system(), 2 * TOY_RAM_BYTES, &device);
    toy_window = 2 * TOY_RAM_BYTES;
    LOAD(0x2e000, { TOY_PROBE, 0, 3, 0, 8 }, { TOY_PROBE, 0, 4, 0, 0 }, { TOY_LOAD8, 1, 3, 0, 8 },
         { TOY_ADDI, 2, 2, 0, -1 }, { TOY_BNE, 0, 2, 0, -I(4) }, { TOY_PROBE, 0, 5, 0, 0 }, { TOY_HALT });
    t->regs[3] = TOY_WINDOW;
    t->regs[4] = 0x2f000;
    t->regs[5] = TOY_RAM_BYTES;
    run_rounds(t, 0x2e000);
    g_assert_cmpuint(reads, ==, ROUNDS);
    g_assert_cmpuint(t->regs[1], ==, ROUNDS % 256);
    g_assert_cmphex(t->fault_addr, ==, TOY_RAM_BYTES);
    g_assert_cmphex(t->fault_pc, ==, 0x2e000 + I(5));
    memory_region_remove(memory_region_system(), &device);
    memory_region_clear(&device);
    toy_free(t);
}

/* A fence after a fence is none, whatever is computed and probed between them. */
static void test_fences(void)
{
    g_autofree IrBuilder *b = g_new0(IrBuilder, 1);
    unsigned after;
    IrRef addr;

    ir_begin(b, &toy_ops);
    addr = ir_add(b, ir_get(b, 1), ir_i64(b, 1000));
    ir_fence(b);
    g_assert_cmpuint(b->insns[b->count - 1].op, ==, IR_FENCE);
    ir_put(b, 2, ir_add(b, ir_get(b, 3), addr));
    ir_load(b, IR_I64, IR_MEM_8 | IR_MEM_PROBE, addr);
    after = b->count;
    ir_fence(b);
    g_assert_cmpuint(b->count, ==, after);
    ir_store(b, IR_MEM_64, addr, ir_get(b, 2));
    ir_fence(b);
    g_assert_cmpuint(b->insns[b->count - 1].op, ==, IR_FENCE);
    ir_load(b, IR_I64, IR_MEM_64, addr);
    ir_fence(b);
    g_assert_cmpuint(b->insns[b->count - 1].op, ==, IR_FENCE);
}

static void test_helper_state(void)
{
    ToyCpu *t = toy_new();

    LOAD(0xf000, { TOY_ADDI, 0, 0, 0, 3 }, { TOY_ADDI, 1, 1, 0, 4 }, { TOY_ADDI, 2, 2, 0, 9 },
         { TOY_COUNT, 5, 2, 0, 0 }, { TOY_ADD, 6, 15, 5, 0 }, { TOY_HALT });
    toy_run(t, 0xf000);
    g_assert_cmpuint(t->regs[5], ==, 7);
    g_assert_cmpuint(t->regs[15], ==, 9);
    g_assert_cmpuint(t->regs[6], ==, 16);
    toy_free(t);
}

static void test_flags(void)
{
    ToyCpu *t = toy_new();

    LOAD(0x13000, { TOY_ADD, 1, 2, 3, 0 }, { TOY_CARRY, 4, 0, 0, 0 }, { TOY_ADDI, 1, 1, 0, 5 },
         { TOY_CARRY, 5, 0, 0, 0 }, { TOY_DEPOSIT8, 6, 3, 0, 0 }, { TOY_SELECT, 7, 2, 3, 0 },
         { TOY_MUL, 8, 2, 3, 0 }, { TOY_SHR, 9, 2, 3, 0 }, { TOY_HALT });
    t->regs[2] = UINT64_MAX - 1;
    t->regs[3] = 4;
    t->regs[6] = 0x1111;
    toy_run(t, 0x13000);
    g_assert_cmpuint(t->regs[1], ==, 7);
    g_assert_cmpuint(t->regs[4], ==, 1);
    g_assert_cmpuint(t->regs[5], ==, 0);
    g_assert_cmphex(t->regs[6], ==, 0x0411);
    g_assert_cmphex(t->regs[7], ==, UINT64_MAX - 1);
    g_assert_cmphex(t->regs[8], ==, (UINT64_MAX - 1) * 4);
    g_assert_cmphex(t->regs[9], ==, (UINT64_MAX - 1) >> 4);
    toy_free(t);
}

static void test_atomics(void)
{
    ToyCpu *t = toy_new();

    LOAD(0x14000, { TOY_XADD, 1, 2, 3, 0 }, { TOY_XADD, 4, 2, 3, 0 }, { TOY_LOAD8, 5, 2, 0, 0 },
         { TOY_CMPXCHG, 5, 2, 6, 0 }, { TOY_LOAD, 7, 2, 0, 0 }, { TOY_CMPXCHG, 8, 2, 9, 0 },
         { TOY_LOAD, 10, 2, 0, 0 }, { TOY_HALT });
    t->regs[2] = 0x1cffc; /* over a page's end */
    address_space_store(address_space_system(), 0x1cffc, MEM_LE64, MEM_TX_NONE, 0);
    t->regs[3] = 11;
    t->regs[6] = 77;
    t->regs[8] = 5;
    toy_run(t, 0x14000);
    g_assert_cmpuint(t->regs[1], ==, 0);
    g_assert_cmpuint(t->regs[4], ==, 11);
    g_assert_cmpuint(t->regs[5], ==, 22);
    g_assert_cmpuint(t->regs[7], ==, 77);
    g_assert_cmpuint(t->regs[8], ==, 77);
    g_assert_cmpuint(t->regs[10], ==, 77);
    toy_free(t);
}

static void *ring_later(void *opaque)
{
    ToyCpu *t = opaque;

    while (!__atomic_load_n(&t->regs[10], __ATOMIC_RELAXED)) {
        g_usleep(100);
    }
    __atomic_store_n(&t->interrupt, 1, __ATOMIC_SEQ_CST);
    tcg_request_service(&t->tcg);
    return NULL;
}

static void test_interrupt(void)
{
    ToyCpu *t = toy_new();
    GThread *thread = g_thread_new("ring", ring_later, t);

    /* Nothing but an interrupt ends this loop. */
    LOAD(0x16000, { TOY_ADDI, 10, 10, 0, 1 }, { TOY_JMP, 0, 0, 0, -I(1) });
    LOAD(0x17000, { TOY_HALT });
    t->handler = 0x17000;
    toy_run(t, 0x16000);
    g_assert_cmpuint(t->interrupts, ==, 1);
    g_thread_join(thread);
    toy_free(t);
}

static GList *taken;

static void *memory_taken(size_t bytes)
{
    taken = g_list_prepend(taken, g_malloc(bytes));
    return taken->data;
}

/* As another CPU would, at every other translation; what is freed is in use again soon. */
static void write_code(void)
{
    static unsigned count;

    if (count++ % 2 == 0) {
        region_invalidate(0x1b000, 8, NULL);
        return;
    }
    for (unsigned bytes = 16; bytes <= 1024; bytes += 16) {
        memset(memory_taken(bytes), 0xff, bytes);
    }
}

/* Regions that are thrown away because code was written meanwhile leave nothing behind. */
static void test_write_while_translating(void)
{
    ToyCpu *t = toy_new();

    toy_translating = write_code;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t pc = 0x1c000 + i * 0x40;

        LOAD(pc, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_LOAD, 3, 4, 0, i }, { TOY_HALT });
        t->regs[1] = i;
        t->regs[4] = UINT64_C(1) << 40;
        toy_run(t, pc);
        g_assert_cmpuint(t->fault_count, ==, i + 1);
        g_assert_cmpuint(t->fault_pc, ==, pc + sizeof(ToyInsn));
        g_assert_cmpuint(t->fault_addr, ==, t->regs[4] + i);
        g_assert_cmpuint(t->regs[1], ==, i + 1);
    }
    toy_translating = NULL;
    g_clear_list(&taken, g_free);
    toy_free(t);
}

static void test_vectors(void)
{
    ToyCpu *t = toy_new();

    if (!ir_has_vec(IR_V_PADDB, IR_V128)) {
        g_test_skip("this host has no vector operations");
        toy_free(t);
        return;
    }
    LOAD(0x18000, { TOY_VLOAD, 0, 2, 0, 0 }, { TOY_VADD, 1, 0, 0, 0 }, { TOY_VADD, 2, 1, 0, 0 },
         { TOY_VSTORE, 0, 2, 2, 16 }, { TOY_LOAD, 1, 2, 0, 24 }, { TOY_LOAD, 3, 4, 0, 0 },
         { TOY_HALT });
    t->regs[2] = 0x18ff1;
    t->regs[4] = UINT64_C(1) << 40;
    address_space_write(address_space_system(), 0x18ff1, MEM_TX_NONE, "abcdefghijklmnop", 16);
    toy_run(t, 0x18000);
    for (int i = 0; i < 16; i++) {
        g_assert_cmpuint(t->vregs[2][i], ==, (uint8_t)(3 * ('a' + i)));
    }
    g_assert_cmpuint(t->regs[1] & 0xff, ==, (uint8_t)(3 * 'i'));
    g_assert_cmpuint(t->fault_count, ==, 1);
    toy_free(t);
}

/* What had to make way for a jump that came once is found at once again, if it is the more frequent. */
static void test_jump_places(void)
{
    ToyCpu *t = toy_new();
    TcgRegion region = { .is_valid = true };
    TcgJump often = { 0x1000, NULL, &region, 1, false }, once = often;
    const TcgJump *first = &t->tcg.jumps[tcg_jump_index(often.pc)];

    once.pc += (uint64_t)TCG_JUMP_GROUPS << TCG_PAGE_BITS;
    g_assert_cmpuint(tcg_jump_index(once.pc), ==, tcg_jump_index(often.pc));
    tlb_remember_jump(&t->tcg, &often);
    tlb_remember_jump(&t->tcg, &once);
    g_assert_cmphex(first->pc, ==, once.pc);
    for (unsigned i = 0; i < 20; i++) {
        g_assert_cmphex(tlb_known_jump(&t->tcg, often.pc, 1)->pc, ==, often.pc);
    }
    g_assert_cmphex(first->pc, ==, often.pc);
    g_assert_cmphex(tlb_known_jump(&t->tcg, once.pc, 1)->pc, ==, once.pc);
    toy_free(t);
}

/* Code that is always new takes no more room than there is for it. */
static void test_new_code(void)
{
    uint64_t room = tcg_options.cache_bytes;
    unsigned most = 0;
    ToyCpu *t = toy_new();

    tcg_options.cache_bytes = 64 * KiB;
    for (unsigned i = 0; i < 1000; i++) {
        LOAD(0x1000, { TOY_ADDI, 1, 1, 0, (int)i }, { TOY_HALT });
        toy_run(t, 0x1000);
        most = MAX(most, region_count());
    }
    g_assert_cmpuint(t->regs[1], ==, 999 * 1000 / 2);
    g_assert_cmpuint(most, <=, tcg_options.is_jit ? 1000 : 200);
    tcg_options.cache_bytes = room;
    toy_free(t);
}

/* As many modes as there are numbers for a guest to put into a register. */
static void test_many_modes(void)
{
    ToyCpu *t = toy_new();

    LOAD(0x1000, { TOY_ADDI, 1, 1, 0, 1 }, { TOY_HALT });
    for (uint64_t i = 0; i < 70000; i++) {
        region_mode(i, 0);
        if (i % 5000 == 0) {
            toy_run(t, 0x1000);
        }
    }
    toy_write(0x1000, (const ToyInsn[]){ { TOY_ADDI, 1, 1, 0, 100 } }, 1);
    toy_run(t, 0x1000);
    g_assert_cmpuint(t->regs[1], ==, 70000 / 5000 + 100);
    g_assert_cmpuint(region_mode(UINT64_MAX, 0), <, 10);
    toy_free(t);
}

static const struct { const char *name; void (*fn)(void); } tests[] = {
    { "loop", test_loop }, { "fault", test_fault }, { "page-crossing", test_page_crossing },
    { "two-pages", test_two_pages }, { "loop-across", test_loop_across },
    { "folded-page", test_folded_page },
    { "self-modifying", test_self_modifying }, { "mode", test_mode },
    { "indirect", test_indirect }, { "remap", test_remap }, { "read-only", test_read_only },
    { "helper-state", test_helper_state }, { "flags", test_flags }, { "atomics", test_atomics },
    { "interrupt", test_interrupt }, { "vectors", test_vectors },
    { "hot-memory", test_hot_memory }, { "stream", test_stream }, { "scatter", test_scatter },
    { "write-while-translating", test_write_while_translating },
    { "jump-places", test_jump_places }, { "probe", test_probe }, { "fences", test_fences },
    { "new-code", test_new_code }, { "many-modes", test_many_modes },
};

typedef struct Case {
    unsigned index;
    bool is_jit;
} Case;

static void run_case(const void *data)
{
    const Case *c = data;

    tcg_options.is_jit = c->is_jit;
    region_flush_all();
    tests[c->index].fn();
    toy_window = 0;
    region_flush_all();
}

int main(int argc, char **argv)
{
    int status;
    bool has_jit;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    region_init();
    has_jit = host_init(32 * MiB, NULL);
    memory_region_init_ram(&ram, NULL, "ram", TOY_RAM_BYTES, NULL);
    memory_region_add(memory_region_system(), 0, &ram);
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(tests); i++) {
        Case c = { i / 2, i % 2 };
        g_autofree char *path = g_strdup_printf("/tcg/%s/%s", c.is_jit ? "jit" : "interpreter",
                                                tests[c.index].name);

        if (!c.is_jit || has_jit) {
            g_test_add_data_func_full(path, g_memdup2(&c, sizeof(c)), (void *)run_case, g_free);
        }
    }
    status = g_test_run();
    machine_unlock();
    return status;
}
