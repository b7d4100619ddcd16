/*
 * Translating x86 instructions: what the files translate_*.c share. An instruction arrives decoded
 * by Zydis; its mnemonic finds a row, whose function states what it does through the IR builder.
 * docs/devel/x86-cpu.md says how a group of instructions is added.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_TRANSLATE_H
#define TARGET_I386_TRANSLATE_H

#include <Zydis/Zydis.h>

#include "accel/tcg/ir.h"
#include "target/i386/flags.h"
#include "target/i386/mode.h"

/* Guest registers as the engine knows them; the table is in target/i386/slots.c. */
enum {
    SLOT_RAX, SLOT_RCX, SLOT_RDX, SLOT_RBX, SLOT_RSP, SLOT_RBP, SLOT_RSI, SLOT_RDI,
    SLOT_PC = X86_GPRS,
    SLOT_FLAGS_RESULT, SLOT_FLAGS_SRC, SLOT_FLAGS_SRC2, SLOT_FLAGS_OP,
    SLOT_EFLAGS,
    SLOT_SEG_BASE, /* six */
    SLOT_XMM = SLOT_SEG_BASE + 6, /* sixteen: the lower halves of vector registers */
    SLOT_YMM_HIGH = SLOT_XMM + X86_GPRS,
    SLOT_COUNT = SLOT_YMM_HIGH + X86_GPRS
};

/* Groups, for what helpers read and write: GPRs are 0..15. */
#define GROUP_GPR(n)  BIT64(n)
#define GROUP_GPRS    UINT64_C(0xffff)
#define GROUP_PC      BIT64(16)
#define GROUP_FLAGS   BIT64(17) /* the lazy ones */
#define GROUP_EFLAGS  BIT64(18)
#define GROUP_SEGS    BIT64(19)
#define GROUP_XMM     BIT64(20)
#define GROUP_YMM     BIT64(21)
#define GROUP_VECTORS (GROUP_XMM | GROUP_YMM)
#define GROUP_ALL     IR_ALL_GROUPS

/* What the flags follow from, as far as this region knows. */
typedef struct X86KnownFlags {
    bool is_known;
    X86FlagOp op;
    unsigned bytes;
    IrRef a, b, result; /* operands by width: I32 up to four bytes, else I64; zero-extended */
    IrRef carry;        /* I32 0 or 1: CF, where it is not a comparison of the above */
} X86KnownFlags;

#define X86_MOST_INSN_BYTES 15

typedef struct X86Tr {
    IrBuilder *b;
    X86Cpu *cpu;
    uint32_t mode;
    uint64_t cs_base;
    uint64_t rip, next_rip;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    const struct X86Row *row;
    X86KnownFlags flags;
    bool is_ended;      /* control has been passed on, or has_new_rip */
    bool is_alone;      /* the region is this instruction and ends in the main loop */
    bool has_new_rip;   /* the PC's slot holds where to go on */
    bool uses_mmx;      /* this instruction does */
    bool is_quiet;      /* no single-step trap after it */
    bool is_in_shadow;  /* the next instruction comes before any interrupt: same region, its last */
} X86Tr;

typedef void X86TranslateFn(X86Tr *t);

/* How one mnemonic is translated; `arg` is the function's own. */
typedef struct X86Row {
    ZydisMnemonic mnemonic;
    X86TranslateFn *fn;
    uint32_t arg;
} X86Row;
/* A group of them: one per file. */
typedef struct X86Rows {
    const X86Row *rows;
    size_t count;
    bool (*is_ready)(X86Tr *t); /* NULL: always; false: it has raised what is in the way */
} X86Rows;
#define X86_ROWS(array) { (array), ARRAY_SIZE(array) }

extern const X86Rows x86_rows_move, x86_rows_alu, x86_rows_shift, x86_rows_bits, x86_rows_jump,
    x86_rows_string, x86_rows_flags, x86_rows_system, x86_rows_x87, x86_rows_sse,
    x86_rows_sse_int, x86_rows_avx, x86_rows_svm;

/* --- the driver (translate.c) --- */

/* Decodes `bytes` (up to 15) at t->rip; false: no instruction, or one the CPU lacks. */
bool x86_decode(X86Tr *t, const uint8_t *bytes, size_t length);
/* What Zydis says of the bytes, in this mode. */
ZyanStatus x86_decode_status(const X86Tr *t, const uint8_t *bytes, size_t length,
                             ZydisDecodedInstruction *in);
/* The CPU has the instruction, and we translate it. */
bool x86_translates(const X86Cpu *cpu, const ZydisDecodedInstruction *in);
bool x86_is_vector_instruction(const ZydisDecodedInstruction *in);
/* One decoded instruction, with all that stands around each. */
void x86_translate_one(X86Tr *t);
/* Before it, for a guest of VMRUN: translate_svm.c. */
void x86_translate_intercept(X86Tr *t);
/* What raises: the rest of the instruction is not reached. */
void tr_raise(X86Tr *t, unsigned vector);
void tr_raise_gp(X86Tr *t);
void tr_undefined(X86Tr *t);

static inline bool tr_is_64(const X86Tr *t)
{
    return t->mode & X86_MODE_CODE64;
}
static inline unsigned tr_cpl(const X86Tr *t)
{
    return t->mode & X86_MODE_CPL;
}
static inline bool tr_is_protected(const X86Tr *t)
{
    return (t->mode & (X86_MODE_PE | X86_MODE_VM)) == X86_MODE_PE;
}
static inline bool tr_has_lock(const X86Tr *t)
{
    return t->in.attributes & ZYDIS_ATTRIB_HAS_LOCK;
}
bool tr_has(const X86Tr *t, X86Word word, unsigned bit);
/* The privilege check of a system instruction; false: it raised #GP(0). */
bool tr_needs_cpl0(X86Tr *t);

/* --- registers --- */

static inline IrType tr_type(unsigned bytes)
{
    return bytes == 8 ? IR_I64 : IR_I32;
}
/* Number of a general register; *is_high: AH, CH, DH, BH. */
unsigned tr_gpr_number(ZydisRegister reg, bool *is_high);
/* By number: I32 zero-extended for up to four bytes, I64 for eight. */
IrRef tr_get_gpr(X86Tr *t, unsigned n, unsigned bytes);
void tr_put_gpr(X86Tr *t, unsigned n, unsigned bytes, IrRef value);

/* --- operands --- */

static inline const ZydisDecodedOperand *tr_op(const X86Tr *t, unsigned n)
{
    return &t->ops[n];
}
static inline unsigned tr_bytes(const X86Tr *t, unsigned n)
{
    return t->ops[n].size / 8;
}
static inline bool tr_is_mem(const X86Tr *t, unsigned n)
{
    return t->ops[n].type == ZYDIS_OPERAND_TYPE_MEMORY;
}
static inline bool tr_is_imm(const X86Tr *t, unsigned n)
{
    return t->ops[n].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}
/* Offset of a memory operand in its segment, I64, cut to the address size. */
IrRef tr_offset(X86Tr *t, unsigned n);
unsigned tr_segment(const X86Tr *t, unsigned n);
/* Linear address, I64, with the segment's checks. */
IrRef tr_linear(X86Tr *t, unsigned segment, IrRef offset, unsigned bytes, bool is_write);
IrRef tr_address(X86Tr *t, unsigned n, bool is_write);
IrMem tr_mem(const X86Tr *t, unsigned bytes);
/* Register, memory or immediate, as by tr_get_gpr(). */
IrRef tr_read(X86Tr *t, unsigned n);
/* Likewise at another width than the operand's own. */
IrRef tr_read_as(X86Tr *t, unsigned n, unsigned bytes);
IrRef tr_load(X86Tr *t, unsigned bytes, IrRef linear);
void tr_store(X86Tr *t, unsigned bytes, IrRef linear, IrRef value);
/* A register or memory. */
void tr_write(X86Tr *t, unsigned n, IrRef value);
/* A register, or memory at an address computed before. */
void tr_write_at(X86Tr *t, unsigned n, IrRef linear, IrRef value);

/* --- values --- */

IrRef tr_const(X86Tr *t, unsigned bytes, uint64_t value);
/* Cuts an I32 to 8 or 16 bits; wider ones are as they are. */
IrRef tr_cut(X86Tr *t, unsigned bytes, IrRef value);
IrRef tr_sign_extend(X86Tr *t, unsigned bytes, IrRef value); /* within its type */
IrRef tr_to_i64(X86Tr *t, IrRef value); /* zero-extended */
IrRef tr_to_i32(X86Tr *t, IrRef value);

/* --- flags (translate_cond.c) --- */

void tr_set_flags(X86Tr *t, X86KnownFlags flags);
/* All six, as an I32 word at their places. */
void tr_set_flags_word(X86Tr *t, IrRef word);
/* Those of `mask` from the word, the others stay. */
void tr_merge_flags(X86Tr *t, uint32_t mask, IrRef word);
/* They are in the slots, from elsewhere. */
void tr_forget_flags(X86Tr *t);
IrRef tr_flags_word(X86Tr *t); /* I32 */
IrRef tr_carry(X86Tr *t);      /* I32, 0 or 1 */
/* A condition code (0..15, as encoded), as a comparison. */
typedef struct X86Test {
    IrCond cond;
    IrRef x, y;
} X86Test;
X86Test tr_condition(X86Tr *t, unsigned code);
IrRef tr_condition_value(X86Tr *t, unsigned code); /* I32, 0 or 1 */
/* Flags of a logical result. */
void tr_set_logic_flags(X86Tr *t, unsigned bytes, IrRef result);

/* --- stack --- */

IrRef tr_stack_pointer(X86Tr *t, int64_t plus); /* cut to the stack's width */
void tr_put_stack_pointer(X86Tr *t, IrRef value);
void tr_push(X86Tr *t, unsigned bytes, IrRef value);
/* Reads the top; tr_drop() then moves the pointer. */
IrRef tr_top(X86Tr *t, unsigned bytes);
void tr_drop(X86Tr *t, uint64_t bytes);

/* --- leaving --- */

/* Control passes to an address in the same code segment. */
void tr_jump(X86Tr *t, uint64_t rip);
void tr_jump_to(X86Tr *t, IrRef rip);
/* A RIP as the linear PC. */
uint64_t tr_pc(const X86Tr *t, uint64_t rip);
IrRef tr_pc_of(X86Tr *t, IrRef rip);
void tr_put_rip(X86Tr *t, IrRef rip);
/* The mode may have changed, or something is to be looked at: RIP is in its slot. */
void tr_leave(X86Tr *t);
/* As above, to the next instruction. */
void tr_leave_next(X86Tr *t);
/* To the next instruction, in a mode that is known; the instruction is not alone. */
void tr_leave_in(X86Tr *t, uint32_t mode);
/* The next instruction can be translated in this region, so that no interrupt comes before it. */
bool tr_can_shadow(X86Tr *t);
uint64_t tr_code_mask(const X86Tr *t, unsigned bytes);

#endif
