/*
 * The operations of the IR, one row each: OP(NAME, name, shape, flags). Enum, builder functions,
 * dump, checker and interpreter come from this list.
 *
 * T is the operation's type: I32 or I64 (VLOW and below: vectors). Shapes say result and arguments:
 *   T_T  T_TT       arguments of the result's type
 *   L_I  I_L        I64 of I32, I32 of I64
 *   I_TT            I32 of two alike
 *   T_ITT           the first argument is I32
 *   SPECIAL         has a builder function of its own in accel/tcg/ir.h
 *
 * Shift and rotate counts count modulo the width. CLZ and CTZ of 0 give the width.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_IR_OPS_H
#define ACCEL_TCG_IR_OPS_H

/* Flags: what a pass may do with the operation. */
#define IR_PURE        0x01 /* depends on its arguments only: shared, dropped, sunk */
#define IR_COMMUTES    0x02
#define IR_RAISES      0x04 /* may leave the region with the state of its snapshot */
#define IR_EFFECT      0x08 /* is never dropped */
#define IR_ENDS        0x10 /* nothing follows */
#define IR_READS       0x20 /* depends on memory: not moved, dropped if unused */

#define IR_OPS(OP)                                                                                 \
    OP(NOP, nop, SPECIAL, 0)                                                                       \
    OP(CONST, const, SPECIAL, IR_PURE)                   /* imm */                                 \
    OP(VCONST, vconst, SPECIAL, IR_PURE)                 /* imm: where in the pool */              \
    /* bits */                                                                                     \
    OP(NOT, not, T_T, IR_PURE)                                                                     \
    OP(NEG, neg, T_T, IR_PURE)                                                                     \
    OP(BSWAP, bswap, T_T, IR_PURE)                                                                 \
    OP(CLZ, clz, T_T, IR_PURE)                                                                     \
    OP(CTZ, ctz, T_T, IR_PURE)                                                                     \
    OP(POPCNT, popcnt, T_T, IR_PURE)                                                               \
    OP(ZEXT8, zext8, T_T, IR_PURE)                                                                 \
    OP(ZEXT16, zext16, T_T, IR_PURE)                                                               \
    OP(ZEXT32, zext32, T_T, IR_PURE)                     /* within I64 */                          \
    OP(SEXT8, sext8, T_T, IR_PURE)                                                                 \
    OP(SEXT16, sext16, T_T, IR_PURE)                                                               \
    OP(SEXT32, sext32, T_T, IR_PURE)                     /* within I64 */                          \
    OP(ZEXT, zext, L_I, IR_PURE)                                                                   \
    OP(SEXT, sext, L_I, IR_PURE)                                                                   \
    OP(TRUNC, trunc, I_L, IR_PURE)                                                                 \
    /* arithmetic */                                                                               \
    OP(ADD, add, T_TT, IR_PURE | IR_COMMUTES)                                                      \
    OP(SUB, sub, T_TT, IR_PURE)                                                                    \
    OP(MUL, mul, T_TT, IR_PURE | IR_COMMUTES)                                                      \
    OP(MULHU, mulhu, T_TT, IR_PURE | IR_COMMUTES)        /* upper half of the product */           \
    OP(MULHS, mulhs, T_TT, IR_PURE | IR_COMMUTES)                                                  \
    OP(AND, and, T_TT, IR_PURE | IR_COMMUTES)                                                      \
    OP(OR, or, T_TT, IR_PURE | IR_COMMUTES)                                                        \
    OP(XOR, xor, T_TT, IR_PURE | IR_COMMUTES)                                                      \
    OP(SHL, shl, T_TT, IR_PURE)                                                                    \
    OP(SHR, shr, T_TT, IR_PURE)                                                                    \
    OP(SAR, sar, T_TT, IR_PURE)                                                                    \
    OP(ROTL, rotl, T_TT, IR_PURE)                                                                  \
    OP(ROTR, rotr, T_TT, IR_PURE)                                                                  \
    OP(SELECT, select, T_ITT, IR_PURE)                   /* a ? b : c; vectors too */              \
    OP(EXTRACT, extract, SPECIAL, IR_PURE)               /* imm: pos | len << 8 */                 \
    OP(DEPOSIT, deposit, SPECIAL, IR_PURE)               /* b's low len bits into a at pos */      \
    OP(SETCOND, setcond, SPECIAL, IR_PURE)               /* I32 0 or 1; imm: IrCond */             \
    /* vectors */                                                                                  \
    OP(VLOW, vlow, SPECIAL, IR_PURE)                     /* V128 of V256 */                        \
    OP(VHIGH, vhigh, SPECIAL, IR_PURE)                                                             \
    OP(VCONCAT, vconcat, SPECIAL, IR_PURE)               /* V256 of low, high */                   \
    OP(VEC, vec, SPECIAL, IR_PURE)                       /* imm: IrVec | imm8 << 16 */             \
    /* the CPU's state */                                                                          \
    OP(GET, get, SPECIAL, IR_READS)                      /* imm: slot */                           \
    OP(HEAD, head, SPECIAL, IR_READS)                    /* imm: slot, at the start of the loop */ \
    OP(PUT, put, SPECIAL, IR_EFFECT)                                                               \
    OP(SYNC, sync, SPECIAL, IR_EFFECT)                   /* imm: groups whose slots are stored here */\
    OP(LD, ld, SPECIAL, IR_READS)                        /* b: 0 or index; imm: offset | IrMem << 32 */\
    OP(ST, st, SPECIAL, IR_EFFECT)                                                                 \
    /* guest memory; imm: IrMem */                                                                 \
    OP(LOAD, load, SPECIAL, IR_EFFECT | IR_RAISES)                                                 \
    OP(STORE, store, SPECIAL, IR_EFFECT | IR_RAISES)                                               \
    OP(XCHG, xchg, SPECIAL, IR_EFFECT | IR_RAISES)                                                 \
    OP(FETCH_ADD, fetch_add, SPECIAL, IR_EFFECT | IR_RAISES)                                       \
    OP(FETCH_AND, fetch_and, SPECIAL, IR_EFFECT | IR_RAISES)                                       \
    OP(FETCH_OR, fetch_or, SPECIAL, IR_EFFECT | IR_RAISES)                                         \
    OP(FETCH_XOR, fetch_xor, SPECIAL, IR_EFFECT | IR_RAISES)                                       \
    OP(CMPXCHG, cmpxchg, SPECIAL, IR_EFFECT | IR_RAISES) /* addr, expected, new: old */            \
    OP(FENCE, fence, SPECIAL, IR_EFFECT)                                                           \
    /* leaving; imm: which helper or exit */                                                       \
    OP(CALL, call, SPECIAL, IR_EFFECT)                                                             \
    OP(CALL_RAISES, call_raises, SPECIAL, IR_EFFECT | IR_RAISES)                                   \
    OP(CALL_PURE, call_pure, SPECIAL, IR_PURE)                                                     \
    OP(EXIT_IF, exit_if, SPECIAL, IR_EFFECT)             /* a, b compared by IrCond, in c */       \
    OP(EXIT, exit, SPECIAL, IR_EFFECT | IR_ENDS)

#endif
