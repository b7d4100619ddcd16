/*
 * The registers translated code works on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/execute.h"
#include "target/i386/translate.h"

#define S(name_, field, type_, group_)                                                             \
    { .name = name_, .offset = offsetof(X86State, field), .type = type_, .group = group_ }
#define BASE(name, n)   [SLOT_SEG_BASE + n] = S(name, seg[n].base, IR_I64, 19)
#define VEC_LOW(n)      [SLOT_XMM + n] = S("xmm" #n, vec[n].q[0], IR_V128, 20)
#define VEC_HIGH(n)     [SLOT_YMM_HIGH + n] = S("ymmh" #n, vec[n].q[2], IR_V128, 21)
#define GPR(name, n)    [SLOT_RAX + n] = S(name, gpr[n], IR_I64, n)

const IrSlot x86_slots[SLOT_COUNT] = {
    GPR("rax", 0), GPR("rcx", 1), GPR("rdx", 2), GPR("rbx", 3), GPR("rsp", 4), GPR("rbp", 5),
    GPR("rsi", 6), GPR("rdi", 7), GPR("r8", 8), GPR("r9", 9), GPR("r10", 10), GPR("r11", 11),
    GPR("r12", 12), GPR("r13", 13), GPR("r14", 14), GPR("r15", 15),
    [SLOT_PC] = S("pc", pc, IR_I64, 16),
    [SLOT_FLAGS_RESULT] = S("f_result", flags.result, IR_I64, 17),
    [SLOT_FLAGS_SRC] = S("f_src", flags.src, IR_I64, 17),
    [SLOT_FLAGS_SRC2] = S("f_src2", flags.src2, IR_I64, 17),
    [SLOT_FLAGS_OP] = S("f_op", flags.op, IR_I32, 17),
    [SLOT_EFLAGS] = S("eflags", eflags, IR_I32, 18),
    BASE("es_base", 0), BASE("cs_base", 1), BASE("ss_base", 2), BASE("ds_base", 3),
    BASE("fs_base", 4), BASE("gs_base", 5),
    VEC_LOW(0), VEC_LOW(1), VEC_LOW(2), VEC_LOW(3), VEC_LOW(4), VEC_LOW(5), VEC_LOW(6),
    VEC_LOW(7), VEC_LOW(8), VEC_LOW(9), VEC_LOW(10), VEC_LOW(11), VEC_LOW(12), VEC_LOW(13),
    VEC_LOW(14), VEC_LOW(15),
    VEC_HIGH(0), VEC_HIGH(1), VEC_HIGH(2), VEC_HIGH(3), VEC_HIGH(4), VEC_HIGH(5), VEC_HIGH(6),
    VEC_HIGH(7), VEC_HIGH(8), VEC_HIGH(9), VEC_HIGH(10), VEC_HIGH(11), VEC_HIGH(12),
    VEC_HIGH(13), VEC_HIGH(14), VEC_HIGH(15),
};
