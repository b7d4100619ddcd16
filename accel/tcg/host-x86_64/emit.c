/*
 * Writing x86-64 instructions: see emit.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/emit.h"

typedef struct Insn {
    uint8_t bytes[24];
    unsigned count;
    int disp_at;      /* of a place's 4 bytes; 0: none */
    int32_t place;
} Insn;

int emit_place(const Emit *e)
{
    return e->in_cold ? e->cold_bytes : -e->main_bytes;
}

static uint8_t *room(Emit *e, unsigned count)
{
    if ((e->in_cold ? e->cold_bytes : e->main_bytes) + count > EMIT_BYTES) {
        e->is_full = true;
        e->cold_bytes = e->main_bytes = 0;
    }
    if (e->in_cold) {
        e->cold_bytes += count;
        return e->cold_buf + e->cold_bytes - count;
    }
    e->main_bytes += count;
    return e->main_buf + EMIT_BYTES - e->main_bytes;
}

void emit_bytes(Emit *e, const void *bytes, unsigned count)
{
    memcpy(room(e, count), bytes, count);
}

void emit_align_cold(Emit *e, unsigned align)
{
    static const uint8_t filler[64] = { [0 ... 63] = 0xcc };

    assert(e->in_cold);
    emit_bytes(e, filler, -(unsigned)e->cold_bytes % align);
}

static void byte(Insn *i, uint8_t value)
{
    i->bytes[i->count++] = value;
}

static void number(Insn *i, int32_t value, unsigned bytes)
{
    memcpy(i->bytes + i->count, &value, bytes);
    i->count += bytes;
}

static void finish(Emit *e, Insn *i)
{
    if (i->disp_at) {
        int end = e->in_cold ? e->cold_bytes + (int)i->count : -e->main_bytes;
        int32_t disp = i->place - end;

        memcpy(i->bytes + i->disp_at, &disp, 4);
    }
    emit_bytes(e, i->bytes, i->count);
}

static void modrm(Insn *i, int reg, Rm rm)
{
    unsigned r = (reg & 7) << 3;
    bool has_sib = rm.index != NO_REG || (rm.base & 7) == RSP;
    unsigned mod;

    if (rm.kind == RM_REG) {
        byte(i, 0xc0 | r | (rm.base & 7));
        return;
    }
    if (rm.kind == RM_PLACE) {
        byte(i, r | 5);
        i->disp_at = i->count;
        i->place = rm.disp;
        number(i, 0, 4);
        return;
    }
    if (rm.base == NO_REG) {
        byte(i, r | 4);
        byte(i, rm.scale << 6 | (rm.index & 7) << 3 | RBP);
        number(i, rm.disp, 4);
        return;
    }
    mod = rm.disp == 0 && (rm.base & 7) != RBP ? 0 : rm.disp == (int8_t)rm.disp ? 1 : 2;
    byte(i, mod << 6 | r | (has_sib ? 4 : rm.base & 7));
    if (has_sib) {
        byte(i, rm.scale << 6 | (rm.index == NO_REG ? 4 : rm.index & 7) << 3 | (rm.base & 7));
    }
    number(i, rm.disp, mod == 0 ? 0 : mod == 1 ? 1 : 4);
}

/* The high bits of the registers: R, X, B. */
static unsigned rxb(int reg, Rm rm)
{
    return (reg >> 3 & 1) << 2 | (rm.index != NO_REG ? rm.index >> 3 & 1 : 0) << 1 |
           (rm.kind != RM_PLACE && rm.base != NO_REG ? rm.base >> 3 & 1 : 0);
}

static void legacy(Insn *i, uint32_t op, int reg, Rm rm)
{
    static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2 };
    unsigned map = op >> 8 & 0xff, prefix = op >> 16 & 0xff, bits = rxb(reg, rm);
    bool is_byte_reg = (op & OP_BYTE) && (reg >= RSP || (rm.kind == RM_REG && rm.base >= RSP));

    if (prefix) {
        byte(i, prefixes[prefix]);
    }
    if (bits || (op & OP_W) || is_byte_reg) {
        byte(i, 0x40 | (op & OP_W ? 8 : 0) | bits);
    }
    if (map) {
        byte(i, 0x0f);
    }
    if (map >= 2) {
        byte(i, map == 2 ? 0x38 : 0x3a);
    }
    byte(i, op);
    modrm(i, reg, rm);
}

void emit_op(Emit *e, uint32_t op, int reg, Rm rm)
{
    Insn i = { .count = 0 };

    legacy(&i, op, reg, rm);
    finish(e, &i);
}

void emit_op_imm(Emit *e, uint32_t op, int reg, Rm rm, unsigned imm_bytes, int32_t imm)
{
    Insn i = { .count = 0 };

    legacy(&i, op, reg, rm);
    number(&i, imm, imm_bytes);
    finish(e, &i);
}

static void vex(Insn *i, uint32_t op, bool is_256, int reg, int vvvv, Rm rm)
{
    unsigned map = op >> 8 & 0xff, prefix = op >> 16 & 0xff, bits = ~rxb(reg, rm) & 7;
    unsigned last = (~vvvv & 15) << 3 | (is_256 ? 4 : 0) | prefix;

    if (map == 1 && (bits & 3) == 3 && !(op & OP_W)) {
        byte(i, 0xc5);
        byte(i, (bits & 4) << 5 | last);
    } else {
        byte(i, 0xc4);
        byte(i, bits << 5 | map);
        byte(i, (op & OP_W ? 0x80 : 0) | last);
    }
    byte(i, op);
    modrm(i, reg, rm);
}

void emit_vex(Emit *e, uint32_t op, bool is_256, int reg, int vvvv, Rm rm)
{
    Insn i = { .count = 0 };

    vex(&i, op, is_256, reg, vvvv, rm);
    finish(e, &i);
}

void emit_vex_imm(Emit *e, uint32_t op, bool is_256, int reg, int vvvv, Rm rm, uint8_t imm)
{
    Insn i = { .count = 0 };

    vex(&i, op, is_256, reg, vvvv, rm);
    byte(&i, imm);
    finish(e, &i);
}

void emit_mov_imm(Emit *e, int reg, uint64_t value)
{
    Insn i = { .count = 0 };

    if (value <= UINT32_MAX) {
        if (reg >= R8) {
            byte(&i, 0x41);
        }
        byte(&i, 0xb8 | (reg & 7));
        number(&i, value, 4);
    } else if ((int64_t)value == (int32_t)value) {
        emit_op_imm(e, OP(0xc7) | OP_W, 0, rm_reg(reg), 4, value);
        return;
    } else {
        byte(&i, 0x48 | (reg >= R8));
        byte(&i, 0xb8 | (reg & 7));
        memcpy(i.bytes + i.count, &value, 8);
        i.count += 8;
    }
    finish(e, &i);
}

static void jump(Emit *e, int cc, int place)
{
    Insn i = { .place = place };

    if (cc >= 0) {
        byte(&i, 0x0f);
        byte(&i, 0x80 | cc);
    } else {
        byte(&i, 0xe9);
    }
    i.disp_at = i.count;
    number(&i, 0, 4);
    finish(e, &i);
}

void emit_jmp(Emit *e, int place)
{
    jump(e, -1, place);
}

void emit_jcc(Emit *e, int cc, int place)
{
    jump(e, cc, place);
}

static void nops(Emit *e, unsigned count)
{
    static const uint8_t nop[4][3] = { { 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 } };

    emit_bytes(e, nop[count], count);
}

/* The distance is the last 4 bytes of the instruction. */
static int patchable(Emit *e, int cc, int place)
{
    unsigned length = cc >= 0 ? 6 : 5;

    if (e->in_cold) {
        nops(e, -(unsigned)(e->cold_bytes + length) % 4);
    } else {
        nops(e, -(unsigned)e->main_bytes % 4);
    }
    jump(e, cc, place);
    return e->in_cold ? e->cold_bytes - 4 : -e->main_bytes + (int)length - 4;
}

int emit_patchable_jmp(Emit *e, int place)
{
    return patchable(e, -1, place);
}

int emit_patchable_jcc(Emit *e, int cc, int place)
{
    return patchable(e, cc, place);
}
