/*
 * Vector operands and the shapes most vector instructions have. SSE and VEX forms of one
 * instruction are translated by the same function: it looks at the encoding.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_TRANSLATE_VECTOR_H
#define TARGET_I386_TRANSLATE_VECTOR_H

#include "target/i386/translate.h"

static inline bool tr_is_vex(const X86Tr *t)
{
    return t->in.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
}
/* Of the whole operation: V256 with VEX.L. */
static inline IrType tr_vec_type(const X86Tr *t)
{
    return tr_is_vex(t) && t->in.raw.vex.L ? IR_V256 : IR_V128;
}
static inline bool tr_is_mmx(const X86Tr *t, unsigned n)
{
    return t->ops[n].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           t->ops[n].reg.value >= ZYDIS_REGISTER_MM0 && t->ops[n].reg.value <= ZYDIS_REGISTER_MM7;
}
unsigned tr_vec_number(ZydisRegister reg);
/* Where the sources begin: 1 with VEX's extra operand, else 0, the destination itself. */
unsigned tr_first_source(const X86Tr *t);

IrRef tr_get_vec(X86Tr *t, unsigned n, IrType type);
/* With VEX, what lies above the value is cleared. */
void tr_put_vec(X86Tr *t, unsigned n, IrRef value);
/* An operand: a register as `type`, or memory of the operand's size in the low part of a V128. */
IrRef tr_read_vec(X86Tr *t, unsigned n, IrType type);
/* A V128 whose low `bytes` are from memory, the rest zero. */
IrRef tr_load_vec(X86Tr *t, unsigned bytes, IrRef linear);
void tr_write_vec(X86Tr *t, unsigned n, IrRef value);
void tr_set_vec(X86Tr *t, IrRef value);
IrRef tr_zero_vec(X86Tr *t, IrType type);
/* MMX registers as the low half of a V128. */
IrRef tr_get_mmx(X86Tr *t, unsigned n);
void tr_put_mmx(X86Tr *t, unsigned n, IrRef value);
/* Before any MMX instruction, and (by the driver) after it: all x87 registers are in use. */
void tr_enter_mmx(X86Tr *t);
void tr_leave_mmx(X86Tr *t);

/* Shapes, as accel/tcg/ir_vec.h names them; row->arg is the IrVec. */
void tr_vec_rvm(X86Tr *t);
void tr_vec_rvmi(X86Tr *t);
void tr_vec_rm(X86Tr *t);
void tr_vec_rmi(X86Tr *t);
void tr_vec_rx(X86Tr *t);
void tr_vec_shift(X86Tr *t);     /* by a register, memory or an immediate */
void tr_vec_move(X86Tr *t);
void tr_vec_to_gpr(X86Tr *t);    /* GM */
void tr_vec_compare(X86Tr *t);   /* FLAGS */

#define VEC_BOTH(name, fn) { ZYDIS_MNEMONIC_##name, fn, IR_V_##name },                             \
                           { ZYDIS_MNEMONIC_V##name, fn, IR_V_##name }
#define VEC_VEX(name, fn)  { ZYDIS_MNEMONIC_V##name, fn, IR_V_##name }

/* The CPU can run vector code of this encoding now; false: it raised. */
bool tr_vec_ready(X86Tr *t);

#endif
