/*
 * System management mode: entry on an SMI, the save state area, RSM. The layouts are AMD64's (AMD
 * APM volume 2, 10.2.3; revision 20064h) for CPUs with long mode, else that of 32-bit CPUs (SDM
 * volume 3, 31.4.1; revision 20000h).
 *
 * Left out: restarting I/O instructions, auto halt restart's slot being set by the handler.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/control.h"
#include "target/i386/execute.h"
#include "target/i386/flags.h"
#include "target/i386/segment.h"

#define SAVE_AREA     0x8000
#define SMM_ENTRY     0x8000
#define REVISION_64   0x20064
#define REVISION_32   0x20000
#define AT_REVISION_64 0x7efc
#define AT_SMBASE_64   0x7f00
#define AT_REVISION_32 0x7efc
#define AT_SMBASE_32   0x7ef8

/* A register of the save area: where, how many bytes, which field. */
typedef struct SaveRow {
    uint16_t at;
    uint8_t bytes;
    uint8_t kept;   /* RSM does not load it */
    size_t offset;
} SaveRow;
#define SAVE(at_, bytes_, field) { (at_), (bytes_), 0, offsetof(X86State, field) }

static const SaveRow rows_64[] = {
    SAVE(0x7ed0, 8, efer),
    SAVE(0x7f48, 8, cr4), SAVE(0x7f50, 8, cr3), SAVE(0x7f58, 8, cr0),
    SAVE(0x7f60, 8, dr[7]), SAVE(0x7f68, 8, dr[6]), SAVE(0x7f78, 8, rip),
    SAVE(0x7f80, 8, gpr[15]), SAVE(0x7f88, 8, gpr[14]), SAVE(0x7f90, 8, gpr[13]),
    SAVE(0x7f98, 8, gpr[12]), SAVE(0x7fa0, 8, gpr[11]), SAVE(0x7fa8, 8, gpr[10]),
    SAVE(0x7fb0, 8, gpr[9]), SAVE(0x7fb8, 8, gpr[8]), SAVE(0x7fc0, 8, gpr[X86_RDI]),
    SAVE(0x7fc8, 8, gpr[X86_RSI]), SAVE(0x7fd0, 8, gpr[X86_RBP]), SAVE(0x7fd8, 8, gpr[X86_RSP]),
    SAVE(0x7fe0, 8, gpr[X86_RBX]), SAVE(0x7fe8, 8, gpr[X86_RDX]), SAVE(0x7ff0, 8, gpr[X86_RCX]),
    SAVE(0x7ff8, 8, gpr[X86_RAX]),
    SAVE(0x7e64, 4, gdt.limit), SAVE(0x7e68, 8, gdt.base),
    SAVE(0x7e84, 4, idt.limit), SAVE(0x7e88, 8, idt.base),
};

static const SaveRow rows_32[] = {
    SAVE(0x7ffc, 4, cr0), SAVE(0x7ff8, 4, cr3), SAVE(0x7ff0, 4, rip),
    SAVE(0x7fec, 4, gpr[X86_RDI]), SAVE(0x7fe8, 4, gpr[X86_RSI]), SAVE(0x7fe4, 4, gpr[X86_RBP]),
    SAVE(0x7fe0, 4, gpr[X86_RSP]), SAVE(0x7fdc, 4, gpr[X86_RBX]), SAVE(0x7fd8, 4, gpr[X86_RDX]),
    SAVE(0x7fd4, 4, gpr[X86_RCX]), SAVE(0x7fd0, 4, gpr[X86_RAX]), SAVE(0x7fcc, 4, dr[6]),
    SAVE(0x7fc8, 4, dr[7]), SAVE(0x7f14, 4, cr4),
    SAVE(0x7f74, 4, gdt.base), SAVE(0x7f70, 4, gdt.limit),
    SAVE(0x7f58, 4, idt.base), SAVE(0x7f54, 4, idt.limit),
};

/* Segments: attributes in the 64-bit area; selectors apart in the 32-bit one. */
static const uint16_t segments_64[X86_SEGMENTS] = {
    0x7e00, 0x7e10, 0x7e20, 0x7e30, 0x7e40, 0x7e50, 0x7e70, 0x7e90,
};
static const uint16_t segments_32[X86_SEGMENTS] = {
    0x7f84, 0x7f90, 0x7f9c, 0x7f2c, 0x7f38, 0x7f44, 0x7f78, 0x7f5c,
};
static const uint16_t selectors_32[X86_SEGMENTS] = {
    0x7fa8, 0x7fac, 0x7fb0, 0x7fb4, 0x7fb8, 0x7fbc, 0x7fc0, 0x7fc4,
};

static bool is_wide(const X86Cpu *cpu)
{
    return x86_has(cpu, X86_8000_0001_EDX, 29);
}

static uint64_t save_area(const X86Cpu *cpu)
{
    return cpu->state.smbase + SAVE_AREA;
}

static void put(X86Cpu *cpu, unsigned at, unsigned bytes, uint64_t value)
{
    x86_write_physical(cpu, save_area(cpu) + at, bytes, value);
}

static uint64_t get(X86Cpu *cpu, unsigned at, unsigned bytes)
{
    return x86_read_physical(cpu, save_area(cpu) + at, bytes);
}

static void save_segment(X86Cpu *cpu, unsigned reg)
{
    const X86Segment *seg = &cpu->state.seg[reg];

    if (is_wide(cpu)) {
        put(cpu, segments_64[reg], 2, seg->selector);
        put(cpu, segments_64[reg] + 2, 2, x86_packed_access(seg));
        put(cpu, segments_64[reg] + 4, 4, seg->limit);
        put(cpu, segments_64[reg] + 8, 8, seg->base);
        return;
    }
    put(cpu, selectors_32[reg], 4, seg->selector);
    put(cpu, segments_32[reg], 4, (seg->access & 0xf0ff) << 8);
    put(cpu, segments_32[reg] + 4, 4, seg->limit);
    put(cpu, segments_32[reg] + 8, 4, seg->base);
}

static void load_segment(X86Cpu *cpu, unsigned reg)
{
    X86Segment *seg = &cpu->state.seg[reg];

    if (is_wide(cpu)) {
        *seg = (X86Segment){ .selector = get(cpu, segments_64[reg], 2),
                             .access = x86_unpacked_access(get(cpu, segments_64[reg] + 2, 2)),
                             .limit = get(cpu, segments_64[reg] + 4, 4),
                             .base = get(cpu, segments_64[reg] + 8, 8) };
        return;
    }
    *seg = (X86Segment){ .selector = get(cpu, selectors_32[reg], 2),
                         .access = get(cpu, segments_32[reg], 4) >> 8 & 0xf0ff,
                         .limit = get(cpu, segments_32[reg] + 4, 4),
                         .base = get(cpu, segments_32[reg] + 8, 4) };
    seg->access |= seg->access & SEG_P ? 0 : SEG_NULL;
}

static const SaveRow *rows_of(const X86Cpu *cpu, size_t *count)
{
    *count = is_wide(cpu) ? ARRAY_SIZE(rows_64) : ARRAY_SIZE(rows_32);
    return is_wide(cpu) ? rows_64 : rows_32;
}

static void save_registers(X86Cpu *cpu)
{
    size_t count;
    const SaveRow *row = rows_of(cpu, &count);

    for (; count > 0; count--, row++) {
        uint64_t value = 0;

        memcpy(&value, (char *)&cpu->state + row->offset, row->bytes);
        put(cpu, row->at, row->bytes, value);
    }
    put(cpu, is_wide(cpu) ? 0x7f70 : 0x7ff4, 4, x86_eflags(&cpu->state));
    put(cpu, is_wide(cpu) ? AT_REVISION_64 : AT_REVISION_32, 4,
        is_wide(cpu) ? REVISION_64 : REVISION_32);
    put(cpu, is_wide(cpu) ? AT_SMBASE_64 : AT_SMBASE_32, 4, cpu->state.smbase);
    for (unsigned reg = 0; reg < X86_SEGMENTS; reg++) {
        save_segment(cpu, reg);
    }
}

static void load_registers(X86Cpu *cpu)
{
    size_t count;
    const SaveRow *row = rows_of(cpu, &count);

    for (; count > 0; count--, row++) {
        uint64_t value = get(cpu, row->at, row->bytes);

        memcpy((char *)&cpu->state + row->offset, &value, row->bytes);
    }
    x86_load_eflags(cpu, get(cpu, is_wide(cpu) ? 0x7f70 : 0x7ff4, 4), UINT32_MAX);
    for (unsigned reg = 0; reg < X86_SEGMENTS; reg++) {
        load_segment(cpu, reg);
    }
}

static void take_smm_registers(X86Cpu *cpu)
{
    X86State *s = &cpu->state;

    x86_load_eflags(cpu, 0, UINT32_MAX);
    s->cr0 &= ~(uint64_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    s->cr4 = 0;
    s->efer = 0;
    s->dr[7] = DR7_FIXED_1;
    s->rip = SMM_ENTRY;
    for (unsigned reg = X86_ES; reg <= X86_GS; reg++) {
        s->seg[reg] = (X86Segment){ .limit = UINT32_MAX,
                                    .access = SEG_G | SEG_P | SEG_S | SEG_WRITABLE |
                                              SEG_ACCESSED };
    }
    s->seg[X86_CS].selector = s->smbase >> 4 & 0xffff;
    s->seg[X86_CS].base = s->smbase;
}

void x86_enter_smm(X86Cpu *cpu)
{
    X86State *s = &cpu->state;

    x86_take_rip(s);
    x86_make_smm_space(cpu);
    s->is_in_smm = true;
    s->is_nmi_blocked = true;
    s->smi_count++;
    x86_flush_all(cpu, true);
    save_registers(cpu);
    take_smm_registers(cpu);
    x86_update_breakpoints(cpu);
    x86_update_mode(cpu);
    x86_give_rip(s);
}

void x86_rsm(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    uint32_t revision, smbase;

    if (!s->is_in_smm) {
        x86_raise_ud(cpu);
    }
    revision = get(cpu, is_wide(cpu) ? AT_REVISION_64 : AT_REVISION_32, 4);
    smbase = get(cpu, is_wide(cpu) ? AT_SMBASE_64 : AT_SMBASE_32, 4);
    load_registers(cpu);
    if (revision & 0x20000) {
        s->smbase = smbase;
    }
    s->is_in_smm = false;
    s->is_nmi_blocked = false;
    x86_flush_all(cpu, true);
    x86_update_breakpoints(cpu);
    x86_update_mode(cpu);
}
