/*
 * C functions that translated code calls. They take the engine's part of the state; arguments and
 * results are as the IrHelper beside each use says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_HELPERS_H
#define TARGET_I386_HELPERS_H

#include "target/i386/translate.h"

extern const IrHelper x86_helper_raise, x86_helper_raise_gp, x86_helper_check_limit;

/* --- translation functions several files use --- */

void x86_translate_mov_control(X86Tr *t);
void x86_translate_mov_debug(X86Tr *t);
void x86_translate_far(X86Tr *t, bool is_call);
void x86_translate_far_return(X86Tr *t, unsigned released);
/* Before MMX: x87 exceptions that are pending. */
void x86_translate_fpu_check(X86Tr *t);
/* MOVSD and CMPSD of SSE2. */
void x86_translate_sse_scalar(X86Tr *t);

/* --- integers (help_integer.c) --- */

typedef enum X86Decimal { X86_DAA, X86_DAS, X86_AAA, X86_AAS, X86_AAM, X86_AAD } X86Decimal;
#define X86_ROTATE_LEFT BIT(8)

void x86_help_div(TcgCpu *tcg, uint64_t divisor, uint32_t bytes);
void x86_help_idiv(TcgCpu *tcg, uint64_t divisor, uint32_t bytes);
void x86_help_decimal(TcgCpu *tcg, uint32_t op, uint32_t base);
void x86_help_cmpxchg8b(TcgCpu *tcg, uint64_t linear, uint32_t unused);
void x86_help_cmpxchg16b(TcgCpu *tcg, uint64_t linear, uint32_t unused);
uint64_t x86_rotate_carry(uint64_t x, uint32_t flags, uint32_t count, uint32_t kind);
uint32_t x86_rotate_carry_flags(uint64_t x, uint32_t flags, uint32_t count, uint32_t kind);
uint64_t x86_pdep(uint64_t x, uint64_t mask);
uint64_t x86_pext(uint64_t x, uint64_t mask);
uint64_t x86_crc32(uint64_t crc, uint64_t data, uint32_t bytes);

/* --- strings and ports (help_string.c) --- */

typedef enum X86String {
    X86_MOVS, X86_STOS, X86_LODS, X86_CMPS, X86_SCAS, X86_INS, X86_OUTS,
} X86String;
/* A string operation in one word: op, log2 of bytes << 4, segment << 8, log2 of address << 12. */
#define X86_STRING_REPNE     BIT(16)
#define X86_STRING_ONCE      BIT(17) /* one element, then back */
#define X86_STRING_UNCOUNTED BIT(18) /* no repeat prefix: RCX is left alone */
uint32_t x86_help_repeat(TcgCpu *tcg, uint32_t what);
/* Likewise: MOVS and STOS with 64-bit addresses in segments without a base, whose alignment does not matter. */
uint32_t x86_help_repeat_wide(TcgCpu *tcg, uint32_t what);
void x86_help_check_port(TcgCpu *tcg, uint32_t port, uint32_t bytes);
uint32_t x86_help_in(TcgCpu *tcg, uint32_t port, uint32_t bytes);
void x86_help_out(TcgCpu *tcg, uint32_t port, uint32_t bytes, uint32_t value);

/* --- control transfers, segments, flags (help_control.c) --- */

#define X86_FAR_CALL      BIT(8)
#define X86_INT_CHECKS_VM BIT(8)
#define X86_LOADS_SHADOW  BIT(8)
void x86_help_raise(TcgCpu *tcg, uint32_t vector);
void x86_help_raise_gp(TcgCpu *tcg, uint32_t error);
void x86_help_check_limit(TcgCpu *tcg, uint32_t offset, uint32_t what);
void x86_help_check_target(TcgCpu *tcg, uint64_t rip);
void x86_help_check_taken(TcgCpu *tcg, uint32_t is_taken, uint64_t rip);
void x86_help_load_segment(TcgCpu *tcg, uint32_t reg, uint32_t selector);
uint32_t x86_help_selector(TcgCpu *tcg, uint32_t reg);
void x86_help_enter(TcgCpu *tcg, uint32_t size, uint32_t level, uint32_t bytes);
void x86_help_int(TcgCpu *tcg, uint32_t vector, uint64_t next_rip);
void x86_help_into(TcgCpu *tcg, uint32_t is_overflow, uint64_t next_rip);
void x86_help_int1(TcgCpu *tcg);
void x86_help_far(TcgCpu *tcg, uint32_t selector, uint64_t offset, uint32_t what,
                  uint64_t next_rip);
void x86_help_far_return(TcgCpu *tcg, uint32_t bytes, uint32_t released);
void x86_help_iret(TcgCpu *tcg, uint32_t bytes, uint64_t next_rip);
void x86_help_load_flags(TcgCpu *tcg, uint32_t value, uint32_t mask);
void x86_help_sti(TcgCpu *tcg);
void x86_help_set_ac(TcgCpu *tcg, uint32_t is_set);
void x86_help_step(TcgCpu *tcg, uint32_t bits);
/* About an instruction that may raise #XM: target/i386/help_vector.c. */
void x86_help_before_fp(TcgCpu *tcg);
void x86_help_after_fp(TcgCpu *tcg);
/* TcgTargetOps.watch_hit */
void x86_watch_hit(TcgCpu *tcg, unsigned hits);
void x86_help_clear_shadow(TcgCpu *tcg);
void x86_help_breakpoint(TcgCpu *tcg);
void x86_help_bound(TcgCpu *tcg, uint32_t index, uint32_t low, uint32_t high);

/* --- system instructions (help_system.c); all have next_rip, used or not --- */

void x86_help_nothing(TcgCpu *tcg, uint64_t next_rip);
void x86_help_hlt(TcgCpu *tcg, uint64_t next_rip);
void x86_help_clts(TcgCpu *tcg, uint64_t next_rip);
void x86_help_cpuid(TcgCpu *tcg, uint64_t next_rip);
void x86_help_rdtsc(TcgCpu *tcg, uint64_t next_rip);
void x86_help_rdtscp(TcgCpu *tcg, uint64_t next_rip);
void x86_help_rdmsr(TcgCpu *tcg, uint64_t next_rip);
void x86_help_wrmsr(TcgCpu *tcg, uint64_t next_rip);
void x86_help_syscall(TcgCpu *tcg, uint64_t next_rip);
void x86_help_sysret(TcgCpu *tcg, uint64_t next_rip);
void x86_help_sysret64(TcgCpu *tcg, uint64_t next_rip);
void x86_help_sysenter(TcgCpu *tcg, uint64_t next_rip);
void x86_help_sysexit(TcgCpu *tcg, uint64_t next_rip);
void x86_help_sysexit64(TcgCpu *tcg, uint64_t next_rip);
void x86_help_xsetbv(TcgCpu *tcg, uint64_t next_rip);
void x86_help_xgetbv(TcgCpu *tcg, uint64_t next_rip);
void x86_help_monitor(TcgCpu *tcg, uint64_t next_rip);
void x86_help_mwait(TcgCpu *tcg, uint64_t next_rip);
void x86_help_rsm(TcgCpu *tcg, uint64_t next_rip);
void x86_help_pause(TcgCpu *tcg, uint64_t next_rip);
void x86_help_rdpkru(TcgCpu *tcg, uint64_t next_rip);
void x86_help_wrpkru(TcgCpu *tcg, uint64_t next_rip);
void x86_help_rdpmc(TcgCpu *tcg, uint64_t next_rip);

typedef enum X86TableName { X86_TABLE_GDT, X86_TABLE_IDT } X86TableName;
typedef enum X86Question { X86_LAR, X86_LSL, X86_VERR, X86_VERW } X86Question;
uint64_t x86_help_read_cr(TcgCpu *tcg, uint32_t n);
void x86_help_write_cr(TcgCpu *tcg, uint32_t n, uint64_t value);
uint64_t x86_help_read_dr(TcgCpu *tcg, uint32_t n);
void x86_help_write_dr(TcgCpu *tcg, uint32_t n, uint64_t value);
void x86_help_lmsw(TcgCpu *tcg, uint32_t value);
void x86_help_umip(TcgCpu *tcg);
void x86_help_load_table(TcgCpu *tcg, uint32_t which, uint32_t limit, uint64_t base);
uint64_t x86_help_table_base(TcgCpu *tcg, uint32_t which);
uint32_t x86_help_table_limit(TcgCpu *tcg, uint32_t which);
void x86_help_load_system_segment(TcgCpu *tcg, uint32_t reg, uint32_t selector);
uint64_t x86_help_ask_selector(TcgCpu *tcg, uint32_t question, uint32_t selector);
void x86_help_invlpg(TcgCpu *tcg, uint64_t linear);
void x86_help_invpcid(TcgCpu *tcg, uint64_t type, uint64_t pcid, uint64_t linear);
void x86_help_check_fsgsbase(TcgCpu *tcg);
void x86_help_check_canonical(TcgCpu *tcg, uint64_t linear);
uint64_t x86_help_random(TcgCpu *tcg);
void x86_help_umwait(TcgCpu *tcg, uint32_t control, uint32_t is_tpause);

typedef enum X86Move64 { X86_MOVDIR64B, X86_ENQCMD, X86_ENQCMDS } X86Move64;
uint32_t x86_help_movdir64b(TcgCpu *tcg, uint64_t from, uint64_t to, uint32_t op);

/* --- vectors (help_vector.c) --- */

typedef enum X86Sha {
    X86_SHA1RNDS4, X86_SHA1NEXTE, X86_SHA1MSG1, X86_SHA1MSG2, X86_SHA256RNDS2, X86_SHA256MSG1,
    X86_SHA256MSG2,
} X86Sha;
#define X86_STR_INDEX    BIT(8)  /* the result is an index in ECX, else a mask in XMM0 */
#define X86_STR_EXPLICIT BIT(9)  /* lengths are in EAX, EDX */
#define X86_STR_WIDE     BIT(10) /* ...RAX, RDX */
void x86_help_mask_store(TcgCpu *tcg, uint64_t linear, uint64_t data, uint32_t mask);
void x86_help_masked_load(TcgCpu *tcg, uint64_t linear, uint32_t what);
void x86_help_masked_store(TcgCpu *tcg, uint64_t linear, uint32_t what);
void x86_help_gather(TcgCpu *tcg, uint64_t base, uint32_t regs, uint32_t shape, uint64_t unused);
void x86_help_pcmpstr(TcgCpu *tcg, uint32_t what, uint64_t low, uint64_t high);
void x86_help_sha(TcgCpu *tcg, uint32_t what, uint64_t low, uint64_t high);
void x86_help_ldmxcsr(TcgCpu *tcg, uint32_t value);
uint32_t x86_help_stmxcsr(TcgCpu *tcg);

/* --- x87 (help_x87.c) --- */

#define X86_X87_WIDE BIT(16) /* the environment has its 32-bit form */
#define X86_X87_ALIGN BIT(20) /* EFLAGS.AC counts */
#define X86_X87_SEGMENT 17   /* the memory operand's, from this bit on */
/* The low 3 bits of the opcode << 8 | ModRM; EFLAGS or the status word, for whom it matters. */
uint32_t x86_help_x87(TcgCpu *tcg, uint32_t what, uint64_t linear, uint32_t is_true);
void x86_help_x87_pending(TcgCpu *tcg);

/* --- extended state (extended_state.c) --- */

typedef enum X86Save {
    X86_FXSAVE, X86_FXRSTOR, X86_XSAVE, X86_XSAVEOPT, X86_XSAVEC, X86_XSAVES, X86_XRSTOR,
    X86_XRSTORS,
} X86Save;
#define X86_SAVE_WIDE BIT(8)
void x86_help_save_state(TcgCpu *tcg, uint32_t what, uint64_t linear);

/* --- secure virtual machine --- */

enum { X86_SVM_VMRUN, X86_SVM_VMLOAD, X86_SVM_VMSAVE, X86_SVM_STGI, X86_SVM_CLGI,
       X86_SVM_INVLPGA };
void x86_help_svm(TcgCpu *tcg, uint32_t op, uint64_t next_rip);
/* Exits if it is intercepted: SVM_*, or INT3. */
#define X86_SVM_INT3   0xffu
void x86_help_svm_check(TcgCpu *tcg, uint32_t bit, uint64_t info1, uint64_t next_rip);
/* The register's number, the general one's above it. */
#define X86_SVM_NO_GPR 0xffu
#define X86_SVM_WRITES BIT(16)
#define X86_SVM_DEBUG  BIT(17)
#define X86_SVM_LMSW   BIT(18)
#define X86_SVM_CLTS   BIT(19)
void x86_help_svm_check_register(TcgCpu *tcg, uint32_t what, uint64_t value, uint64_t next_rip);
void x86_help_svm_check_msr(TcgCpu *tcg, uint32_t is_write, uint64_t next_rip);
void x86_help_svm_check_port(TcgCpu *tcg, uint32_t port, uint32_t info, uint64_t next_rip);

#endif
