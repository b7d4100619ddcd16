/*
 * An x86 CPU as notes of an ELF core file: the kernel's elf_prstatus, and the note "QEMU" with what
 * that lacks, which crash and others read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/debug.h"

#include <elf.h>

#include "target/i386/flags.h"
#include "target/i386/mode.h"

/* struct elf_prstatus of either width: pid and registers, all else is zero. */
typedef struct Prstatus64 {
    uint8_t head[32];
    uint32_t pid;
    uint8_t times[76];
    uint64_t regs[27];
    uint64_t has_fpu;
} Prstatus64;
typedef struct Prstatus32 {
    uint8_t head[24];
    uint32_t pid;
    uint8_t times[44];
    uint32_t regs[17];
    uint32_t has_fpu;
} Prstatus32;
_Static_assert(sizeof(Prstatus64) == 336 && sizeof(Prstatus32) == 144, "as the kernel has them");

typedef struct NoteSegment {
    uint32_t selector, limit, flags, zero;
    uint64_t base;
} NoteSegment;

typedef struct CpuStateNote {
    uint32_t version, bytes;
    uint64_t gprs[16], rip, rflags;
    NoteSegment segments[10]; /* CS, DS, ES, FS, GS, SS, LDTR, TR, GDTR, IDTR */
    uint64_t cr[5];
    uint64_t kernel_gs_base;
} CpuStateNote;
_Static_assert(sizeof(CpuStateNote) == 440, "as readers know it");

static void write_prstatus_64(const X86State *s, unsigned id, CpuNoteFn *fn, void *opaque)
{
    static const uint8_t gprs[] = { 15, 14, 13, 12, X86_RBP, X86_RBX, 11, 10, 9, 8, X86_RAX,
                                    X86_RCX, X86_RDX, X86_RSI, X86_RDI };
    static const uint8_t data_segments[] = { X86_DS, X86_ES, X86_FS, X86_GS };
    Prstatus64 note = { .pid = id };

    for (size_t i = 0; i < ARRAY_SIZE(gprs); i++) {
        note.regs[i] = s->gpr[gprs[i]];
    }
    note.regs[16] = x86_rip(s);
    note.regs[17] = s->seg[X86_CS].selector;
    note.regs[18] = x86_eflags(s);
    note.regs[19] = s->gpr[X86_RSP];
    note.regs[20] = s->seg[X86_SS].selector;
    note.regs[21] = s->seg[X86_FS].base;
    note.regs[22] = s->seg[X86_GS].base;
    for (size_t i = 0; i < ARRAY_SIZE(data_segments); i++) {
        note.regs[23 + i] = s->seg[data_segments[i]].selector;
    }
    fn(opaque, "CORE", NT_PRSTATUS, &note, sizeof(note));
}

static void write_prstatus_32(const X86State *s, unsigned id, CpuNoteFn *fn, void *opaque)
{
    static const uint8_t gprs[] = { X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RBP, X86_RAX };
    static const uint8_t data_segments[] = { X86_DS, X86_ES, X86_FS, X86_GS };
    Prstatus32 note = { .pid = id };

    for (size_t i = 0; i < ARRAY_SIZE(gprs); i++) {
        note.regs[i] = s->gpr[gprs[i]];
    }
    for (size_t i = 0; i < ARRAY_SIZE(data_segments); i++) {
        note.regs[7 + i] = s->seg[data_segments[i]].selector;
    }
    note.regs[12] = x86_rip(s);
    note.regs[13] = s->seg[X86_CS].selector;
    note.regs[14] = x86_eflags(s);
    note.regs[15] = s->gpr[X86_RSP];
    note.regs[16] = s->seg[X86_SS].selector;
    fn(opaque, "CORE", NT_PRSTATUS, &note, sizeof(note));
}

static NoteSegment note_segment(const X86Segment *seg)
{
    return (NoteSegment){ .selector = seg->selector, .limit = seg->limit,
                          .flags = x86_segment_flags(seg), .base = seg->base };
}

static void write_state(const X86State *s, CpuNoteFn *fn, void *opaque)
{
    static const uint8_t gprs[] = { X86_RAX, X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RSP,
                                    X86_RBP, 8, 9, 10, 11, 12, 13, 14, 15 };
    static const uint8_t segments[] = { X86_CS, X86_DS, X86_ES, X86_FS, X86_GS, X86_SS, X86_LDTR,
                                        X86_TR };
    CpuStateNote note = {
        .version = 1, .bytes = sizeof(note), .rip = x86_rip(s), .rflags = x86_eflags(s),
        .cr = { s->cr0, 0, s->cr2, s->cr3, s->cr4 }, .kernel_gs_base = s->kernel_gs_base,
    };

    for (size_t i = 0; i < ARRAY_SIZE(gprs); i++) {
        note.gprs[i] = s->gpr[gprs[i]];
    }
    for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
        note.segments[i] = note_segment(&s->seg[segments[i]]);
    }
    note.segments[8] = (NoteSegment){ .limit = s->gdt.limit, .base = s->gdt.base };
    note.segments[9] = (NoteSegment){ .limit = s->idt.limit, .base = s->idt.base };
    fn(opaque, "QEMU", 0, &note, sizeof(note));
}

/* What the first CPU runs decides for all. */
static bool is_long(void)
{
    return x86_is_long(&X86_CPU(vcpu_first()->object)->state);
}

uint16_t x86_elf_machine(Cpu *cpu)
{
    return x86_is_long(&X86_CPU(cpu)->state) ? EM_X86_64 : EM_386;
}

void x86_write_notes(Cpu *cpu, unsigned id, CpuNoteFn *fn, void *opaque)
{
    const X86State *s = &X86_CPU(cpu)->state;

    if (is_long()) {
        write_prstatus_64(s, id, fn, opaque);
    } else {
        write_prstatus_32(s, id, fn, opaque);
    }
    write_state(s, fn, opaque);
}
