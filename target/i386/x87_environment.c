/*
 * The x87's control, status and tag words, and its state in memory: FSTENV, FLDENV, FSAVE, FRSTOR
 * in their four formats (SDM volume 1, 8.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/x87_parts.h"

#include "target/i386/control.h"

void x87_summarize(X86Fpu *f)
{
    bool is_pending = f->status & ~f->control & FSW_EXCEPTIONS;

    f->status = (f->status & ~(FSW_ES | FSW_B)) | (is_pending ? FSW_ES | FSW_B : 0);
}

static uint16_t tag_of(const X86Fpu *f, unsigned n)
{
    uint16_t exponent = f->reg[n].sign_exponent & 0x7fff;
    uint64_t significand = f->reg[n].significand;

    if (!(f->valid >> n & 1)) {
        return 3;
    }
    if (!exponent && !significand) {
        return 1;
    }
    return exponent && exponent != 0x7fff && significand >> 63 ? 0 : 2;
}

static uint16_t tag_word(const X86Fpu *f)
{
    uint16_t tags = 0;

    for (unsigned n = 0; n < 8; n++) {
        tags |= tag_of(f, n) << (2 * n);
    }
    return tags;
}

uint16_t x87_status_word(const X86Fpu *f)
{
    return f->status | f->top << 11;
}

void x87_set_control_word(X86Fpu *f, uint16_t value)
{
    f->control = (value & 0x1f3f) | 0x40;
}

static void set_status_word(X86Fpu *f, uint16_t value)
{
    f->status = value & ~0x3800;
    f->top = value >> 11 & 7;
}

/* In 14 or 28 bytes; the real-mode formats with a linear address. */
static unsigned save_environment(X87 *x, uint8_t out[28], bool is_wide)
{
    const X86Fpu *f = x->f;
    bool is_protected = x86_is_protected(x->s);
    uint32_t ip = f->ip, dp = f->dp;
    uint32_t wide[7] = { 0xffff0000 | f->control, 0xffff0000 | x87_status_word(f),
                         0xffff0000 | tag_word(f), ip, (f->opcode & 0x7ffu) << 16 | f->cs, dp,
                         0xffff0000 | f->ds };
    uint16_t narrow[7] = { f->control, x87_status_word(f), tag_word(f), ip, f->cs, dp, f->ds };

    if (!is_protected) {
        wide[3] = 0xffff0000 | (ip & 0xffff);
        wide[4] = (ip >> 16 & 0xffff) << 12 | (f->opcode & 0x7ff);
        wide[5] = 0xffff0000 | (dp & 0xffff);
        wide[6] = (dp >> 16 & 0xffff) << 12;
        narrow[4] = (ip >> 16 & 15) << 12 | (f->opcode & 0x7ff);
        narrow[6] = (dp >> 16 & 15) << 12;
    }
    memcpy(out, is_wide ? (void *)wide : (void *)narrow, is_wide ? 28 : 14);
    return is_wide ? 28 : 14;
}

static void load_environment(X87 *x, const uint8_t *in, bool is_wide)
{
    X86Fpu *f = x->f;
    uint32_t words[7] = { 0 };

    for (unsigned n = 0; n < 7; n++) {
        memcpy(&words[n], in + n * (is_wide ? 4 : 2), is_wide ? 4 : 2);
    }
    x87_set_control_word(f, words[0]);
    set_status_word(f, words[1]);
    f->valid = 0;
    for (unsigned n = 0; n < 8; n++) {
        f->valid |= (words[2] >> (2 * n) & 3) != 3 ? BIT(n) : 0;
    }
    f->ip = words[3];
    f->cs = words[4];
    f->opcode = is_wide ? words[4] >> 16 & 0x7ff : 0;
    f->dp = words[5];
    f->ds = words[6];
    x87_summarize(f);
}

void x87_fstenv(X87 *x, bool is_wide)
{
    uint8_t area[28];
    unsigned bytes = save_environment(x, area, is_wide);

    x86_write_bytes(x->cpu, x->linear, area, bytes, x->mmu);
    x->f->control |= FSW_EXCEPTIONS;
    x87_summarize(x->f);
}

void x87_fldenv(X87 *x, bool is_wide)
{
    uint8_t area[28];

    x86_read_bytes(x->cpu, x->linear, area, is_wide ? 28 : 14, x->mmu);
    load_environment(x, area, is_wide);
}

void x87_fninit(X86Fpu *f)
{
    f->control = 0x37f;
    f->status = 0;
    f->top = f->valid = 0;
    f->ip = f->dp = 0;
    f->opcode = f->cs = f->ds = 0;
}

void x87_fsave(X87 *x, bool is_wide)
{
    uint8_t area[108];
    unsigned bytes = save_environment(x, area, is_wide);

    for (unsigned n = 0; n < 8; n++, bytes += 10) {
        X86Extended value = x87_get(x, n);

        memcpy(area + bytes, &value, 10);
    }
    x86_write_bytes(x->cpu, x->linear, area, bytes, x->mmu);
    x87_fninit(x->f);
}

void x87_frstor(X87 *x, bool is_wide)
{
    uint8_t area[108];
    unsigned at = is_wide ? 28 : 14;

    x86_read_bytes(x->cpu, x->linear, area, at + 80, x->mmu);
    load_environment(x, area, is_wide);
    for (unsigned n = 0; n < 8; n++, at += 10) {
        memcpy(&x->f->reg[x87_number(x, n)], area + at, 10);
    }
}
