/*
 * Writing x86-64 instructions.
 *
 * A region's main code is written from its end to its start, its cold code (side exits, slow ways,
 * constants) from its start to its end; cold follows main in memory. A *place* is a distance in
 * bytes from where the two meet: negative in main code. So every relative address is known when it
 * is written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_HOST_X86_64_EMIT_H
#define ACCEL_TCG_HOST_X86_64_EMIT_H

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
#define NO_REG (-1)

#define EMIT_BYTES (256 * 1024) /* of each, main and cold */

typedef struct Emit {
    uint8_t *main_buf, *cold_buf;
    int main_bytes, cold_bytes;
    bool in_cold;
    bool is_full;
} Emit;

/* The other operand: a register, [base + index * 2^scale + disp], or a place. */
typedef struct Rm {
    enum { RM_REG, RM_MEM, RM_PLACE } kind;
    int base, index; /* RM_REG: base; NO_REG: none */
    int scale;
    int32_t disp;    /* RM_PLACE: the place */
} Rm;
static inline Rm rm_reg(int reg)
{
    return (Rm){ RM_REG, reg, NO_REG, 0, 0 };
}
static inline Rm rm_mem(int base, int32_t disp)
{
    return (Rm){ RM_MEM, base, NO_REG, 0, disp };
}
static inline Rm rm_index(int base, int index, int scale, int32_t disp)
{
    return (Rm){ RM_MEM, base, index, scale, disp };
}
static inline Rm rm_place(int32_t place)
{
    return (Rm){ RM_PLACE, 0, NO_REG, 0, place };
}

/* Opcodes: byte, map, prefix; OP_BYTE: a register operand is of 8 bits. */
#define OP(byte)        (byte)
#define OP_0F(byte)     ((byte) | 1 << 8)
#define OP_0F38(byte)   ((byte) | 2 << 8)
#define OP_0F3A(byte)   ((byte) | 3 << 8)
#define OP_66           (1 << 16)
#define OP_F3           (2 << 16)
#define OP_F2           (3 << 16)
#define OP_BYTE         (1 << 24)
#define OP_W            (1 << 25) /* 64 bits */

/* The next place, that is where what is written next will end (main) or start (cold). */
int emit_place(const Emit *e);
void emit_bytes(Emit *e, const void *bytes, unsigned count);
void emit_align_cold(Emit *e, unsigned align);
void emit_op(Emit *e, uint32_t op, int reg, Rm rm);
/* With an immediate of 1 or 4 bytes. */
void emit_op_imm(Emit *e, uint32_t op, int reg, Rm rm, unsigned imm_bytes, int32_t imm);
void emit_vex(Emit *e, uint32_t op, bool is_256, int reg, int vvvv, Rm rm);
void emit_vex_imm(Emit *e, uint32_t op, bool is_256, int reg, int vvvv, Rm rm, uint8_t imm);
void emit_mov_imm(Emit *e, int reg, uint64_t value);
void emit_jmp(Emit *e, int place);
void emit_jcc(Emit *e, int cc, int place);
/*
 * A jump whose 4 bytes of distance, aligned, can be changed while it is run. Returns the place of
 * those bytes.
 */
int emit_patchable_jmp(Emit *e, int place);
int emit_patchable_jcc(Emit *e, int cc, int place);

enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE,
       CC_LE, CC_G };

#endif
