/*
 * Segments, their descriptors and stacks as control transfers use them. SDM volume 3, chapters 3
 * and 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_SEGMENT_H
#define TARGET_I386_SEGMENT_H

#include "target/i386/exception.h"
#include "target/i386/memory.h"

/* Types of system descriptors. */
enum {
    DESC_TSS16 = 1, DESC_LDT = 2, DESC_TSS16_BUSY = 3, DESC_CALL16 = 4, DESC_TASK = 5,
    DESC_INT16 = 6, DESC_TRAP16 = 7, DESC_TSS = 9, DESC_TSS_BUSY = 11, DESC_CALL = 12,
    DESC_INT = 14, DESC_TRAP = 15,
};

/* Eight bytes of a descriptor table, or sixteen. */
typedef struct X86Descriptor {
    uint64_t at;  /* linear address */
    uint32_t low, high;
    uint32_t upper; /* long mode's system descriptors: bits 32..63 of the address */
} X86Descriptor;

static inline uint32_t desc_access(const X86Descriptor *d)
{
    return d->high >> 8 & 0xf0ff;
}
static inline unsigned desc_type(const X86Descriptor *d)
{
    return d->high >> 8 & 0xf;
}
static inline unsigned desc_dpl(const X86Descriptor *d)
{
    return d->high >> 13 & 3;
}
static inline bool desc_is_present(const X86Descriptor *d)
{
    return d->high >> 15 & 1;
}
static inline bool desc_is_code(const X86Descriptor *d)
{
    return (d->high >> 11 & 3) == 3;
}
static inline bool desc_is_system(const X86Descriptor *d)
{
    return !(d->high & BIT(12));
}
static inline bool desc_is_writable_data(const X86Descriptor *d)
{
    return (desc_access(d) & (SEG_S | SEG_CODE | SEG_WRITABLE)) == (SEG_S | SEG_WRITABLE);
}
static inline bool desc_is_conforming(const X86Descriptor *d)
{
    return d->high & BIT(10);
}
uint32_t desc_base(const X86Descriptor *d);
uint32_t desc_limit(const X86Descriptor *d);
/* Gates. */
uint64_t desc_gate_offset(const X86Descriptor *d);
static inline uint16_t desc_gate_selector(const X86Descriptor *d)
{
    return d->low >> 16;
}

static inline bool is_null_selector(uint16_t selector)
{
    return !(selector & 0xfffc);
}
/* As error codes have it. */
static inline uint32_t selector_error(uint16_t selector)
{
    return selector & 0xfffc;
}

/* False: it lies outside its table. May page-fault. */
bool x86_find_descriptor(X86Cpu *cpu, uint16_t selector, X86Descriptor *out);
/* As above, with the upper half of system descriptors in long mode. */
bool x86_find_system_descriptor(X86Cpu *cpu, uint16_t selector, X86Descriptor *out);
/* As above, or raises the vector with the selector. */
void x86_get_descriptor(X86Cpu *cpu, uint16_t selector, unsigned vector, X86Descriptor *out);
void x86_set_accessed(X86Cpu *cpu, X86Descriptor *d);
/* A TSS descriptor's busy bit, in memory. */
void x86_set_busy(X86Cpu *cpu, uint64_t descriptor_at, bool is_busy);

/* Fills the hidden part from the descriptor; no checks. */
X86Segment x86_segment_from(const X86Descriptor *d, uint16_t selector);
/* Takes it, and what follows for the mode. */
void x86_set_segment(X86Cpu *cpu, unsigned reg, X86Segment seg);
/* As real and virtual-8086 mode load a segment. */
X86Segment x86_real_segment(const X86Cpu *cpu, unsigned reg, uint16_t selector);
/* The checks of a data segment or SS at this privilege level; raises `vector`-class errors. */
X86Segment x86_checked_data_segment(X86Cpu *cpu, uint16_t selector, unsigned cpl);
X86Segment x86_checked_stack(X86Cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector);
/* CS for a privilege level, from a descriptor that was checked. */
X86Segment x86_code_segment(const X86Descriptor *d, uint16_t selector, unsigned cpl);
/* An outer level gets none of the inner one's data segments. */
void x86_drop_inner_segments(X86Cpu *cpu, unsigned cpl);

/* --- instructions --- */

/* MOV Sreg, POP Sreg, LDS...: any mode; not CS. */
void x86_load_segment(X86Cpu *cpu, unsigned reg, uint16_t selector);
void x86_lldt(X86Cpu *cpu, uint16_t selector);
void x86_ltr(X86Cpu *cpu, uint16_t selector);
/* ZF, and for the first two the value. */
bool x86_lar(X86Cpu *cpu, uint16_t selector, uint32_t *rights);
bool x86_lsl(X86Cpu *cpu, uint16_t selector, uint32_t *limit);
bool x86_verify(X86Cpu *cpu, uint16_t selector, bool is_write);

/*
 * The offset of an access in a segment is fine; else raises #GP(0) or, for SS, #SS(0). All modes
 * but 64-bit.
 */
void x86_check_limit(X86Cpu *cpu, unsigned reg, uint32_t offset, unsigned bytes, bool is_write);
/* Whether it is; in 64-bit mode all are. */
bool x86_fits(X86Cpu *cpu, unsigned reg, uint64_t offset, unsigned bytes, bool is_write);
/* The linear address of a checked access, in any mode. */
uint64_t x86_linear(X86Cpu *cpu, unsigned reg, uint64_t offset, unsigned bytes, bool is_write);
/* A new instruction pointer fits in a code segment; else raises #GP(0). */
void x86_check_target(X86Cpu *cpu, const X86Segment *cs, uint64_t rip);

/* --- stacks --- */

/* One that is pushed to or popped from; RSP is taken when all went well. */
typedef struct X86Stack {
    X86Cpu *cpu;
    X86Segment seg;
    uint64_t sp;
    uint64_t mask;   /* of SP, by the segment's size */
    X86Mmu mmu;
    uint32_t error;  /* of #SS */
    bool is_64;
} X86Stack;

X86Stack x86_current_stack(X86Cpu *cpu);
X86Stack x86_stack_at(X86Cpu *cpu, X86Segment seg, uint64_t sp, unsigned cpl);
void x86_push(X86Stack *st, unsigned bytes, uint64_t value);
uint64_t x86_pop(X86Stack *st, unsigned bytes);
/* Without popping; `above`: bytes above the top. */
uint64_t x86_peek(X86Stack *st, unsigned bytes, uint64_t above);
void x86_commit_sp(X86Cpu *cpu, const X86Stack *st);

/* --- TSS --- */

/* The stack of an inner privilege level; raises #TS. */
X86Stack x86_inner_stack(X86Cpu *cpu, unsigned dpl);
/* RSPn, ISTn of a 64-bit TSS, at this offset. */
uint64_t x86_tss64_stack(X86Cpu *cpu, unsigned offset);
/* Port `port` (and what follows) is open to this task. */
bool x86_tss_opens_port(X86Cpu *cpu, uint16_t port, unsigned bytes);
typedef enum X86TaskSwitch { TASK_JMP, TASK_CALL, TASK_IRET } X86TaskSwitch;
/* next_rip: where the old task goes on. */
void x86_switch_task(X86Cpu *cpu, uint16_t selector, X86TaskSwitch kind, uint64_t next_rip);
/* Pushes an error code on the stack of the task just switched to. */
void x86_push_task_error(X86Cpu *cpu, uint32_t error);

/* --- far transfers (target/i386/far.c, iret.c) --- */

void x86_far_jump(X86Cpu *cpu, uint16_t selector, uint64_t offset, unsigned bytes,
                  uint64_t next_rip);
void x86_far_call(X86Cpu *cpu, uint16_t selector, uint64_t offset, unsigned bytes,
                  uint64_t next_rip);
void x86_far_return(X86Cpu *cpu, unsigned bytes, unsigned released);
void x86_iret(X86Cpu *cpu, unsigned bytes, uint64_t next_rip);

/* The descriptor's attribute bits in 12, as save areas (SMM, VMCB) have them. */
static inline uint16_t x86_packed_access(const X86Segment *seg)
{
    return (seg->access & 0xff) | (seg->access >> 4 & 0xf00);
}
static inline uint32_t x86_unpacked_access(uint16_t packed)
{
    uint32_t access = (packed & 0xff) | (packed & 0xf00) << 4;

    return access & SEG_P ? access : access | SEG_NULL;
}

#endif
