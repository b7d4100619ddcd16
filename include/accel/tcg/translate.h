/*
 * What a translator asks the engine while it translates a region.
 *
 *     for (pc = key->pc;; pc = next) {
 *         tcg_insn_start(b, pc);               puts pc into the PC slot
 *         length = tcg_code(b, pc, bytes, 15);
 *         decode; call the builder; an instruction that jumps:
 *             if (tcg_follow(b, target)) { next = target; continue; }
 *             ir_exit_direct(b, target); return;
 *         if (tcg_is_full(b, next)) { ir_exit_direct(b, next); return; }
 *     }
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_TRANSLATE_H
#define ACCEL_TCG_TRANSLATE_H

#include "accel/tcg/target.h"

/* An instruction begins at `pc`: what raises in it leaves the state with this PC. */
void tcg_insn_start(IrBuilder *b, uint64_t pc);
/*
 * Copies guest code; returns how many bytes there are, up to `max`: what is left of the region's
 * page. If that is too short for the instruction, tcg_code_next_page() lets tcg_code() go on in the
 * next page: for the region's first one always (it raises if there is none), for others if that is
 * or may become one of the region's pages. False: tcg_insn_drop(), and end the region before it
 * with ir_exit_direct().
 */
unsigned tcg_code(IrBuilder *b, uint64_t pc, uint8_t *bytes, unsigned max);
bool tcg_code_next_page(IrBuilder *b, uint64_t pc);
/* Takes the last tcg_insn_start() back; nothing may have been emitted since. */
void tcg_insn_drop(IrBuilder *b);
/* The region should end before the instruction at `next`. */
bool tcg_is_full(IrBuilder *b, uint64_t next);
/* Ends the region: goes on at `pc` in the mode of these flags, which the state has from now on. */
void tcg_exit_in(IrBuilder *b, uint64_t pc, uint64_t flags);
/* service() is called soon if TcgCpu.requests is not 0: what could not be done before can be done now. */
void tcg_look_at_requests(IrBuilder *b);
/* Leaves before the instruction at `pc` if service() is wanted. False: the region has ended there. */
bool tcg_serve(IrBuilder *b, uint64_t pc);
/* An unconditional jump: go on translating at `pc` (true), or end the region there (false). */
bool tcg_follow(IrBuilder *b, uint64_t pc);

/* A conditional jump. What is to be done after tcg_branch(), which has emitted all it needs: */
typedef enum TcgWay {
    TCG_WAY_END,   /* return: the region has ended */
    TCG_WAY_TAKEN, /* go on translating at `taken` */
    TCG_WAY_NEXT,  /* go on at `next` */
} TcgWay;
typedef struct TcgBranch {
    IrCond cond;
    IrRef x, y;
    uint64_t taken, next;
} TcgBranch;
TcgWay tcg_branch(IrBuilder *b, const TcgBranch *branch);

#endif
