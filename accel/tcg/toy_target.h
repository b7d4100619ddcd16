/*
 * A made-up CPU for tests of the engine: 16 registers, paging by a table in C, faults.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_TOY_TARGET_H
#define ACCEL_TCG_TOY_TARGET_H

#include "accel/tcg/target.h"

typedef struct ToyCpu {
    TcgCpu tcg;
    uint64_t regs[16];
    uint64_t pc;
    uint64_t sum, carry_in; /* lazy flags: what was added, and to what */
    uint8_t vregs[4][16];
    uint32_t mode;          /* part of the key: added to immediates of ADDI */
    /* no slots */
    Vcpu vcpu;
    uint64_t handler;       /* where faults go; 0: the CPU halts */
    uint64_t fault_pc, fault_addr, fault_count;
    int last_exception;
    uint64_t counter;
    int interrupt;          /* atomic */
    uint64_t interrupts;
    uint32_t flush_tag;
} ToyCpu;

enum ToyOp {
    TOY_HALT, TOY_ADDI, TOY_ADD, TOY_SUB, TOY_LOAD, TOY_STORE, TOY_BNE, TOY_JMP, TOY_JR,
    TOY_TRAP,   /* raises if rs is imm, by a helper */
    TOY_COUNT,  /* helper: counter += rd, all state may be looked at */
    TOY_BLTU, TOY_LOAD8, TOY_STORE8, TOY_CMPXCHG, TOY_XADD, TOY_MUL, TOY_SHR,
    TOY_VADD,   /* vrd = vrs + vrt, bytes */
    TOY_VLOAD, TOY_VSTORE, TOY_MODE, TOY_CALL, TOY_RET, TOY_LOAD32S, TOY_CARRY, TOY_DEPOSIT8,
    TOY_SELECT,
    TOY_PROBE,  /* a load that is none */
};

typedef struct ToyInsn {
    uint8_t op, rd, rs, rt;
    int32_t imm;
} ToyInsn;

enum ToyException { TOY_PAGE_FAULT = 1, TOY_TRAPPED, TOY_ILLEGAL, TOY_UNALIGNED };

extern const TcgTargetOps toy_ops;

/* Guest addresses above this are mapped by nothing: they fault. */
#define TOY_RAM_BYTES (16 * MiB)
/* Virtual pages from here on show the physical page toy_window, read only if told so. */
#define TOY_WINDOW UINT64_C(0x40000000)
extern uint64_t toy_window;
/* How far the page that the next one shows is from there. */
extern int64_t toy_window_step;
extern bool toy_window_is_read_only;
/* Called, if set, while a region is translated. */
extern void (*toy_translating)(void);

ToyCpu *toy_new(void);
void toy_free(ToyCpu *cpu);
/* Puts instructions into RAM. */
void toy_write(uint64_t addr, const ToyInsn *insns, unsigned count);
/* From pc until it halts. Machine lock. */
void toy_run(ToyCpu *cpu, uint64_t pc);

#endif
