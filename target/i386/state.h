/*
 * X86State: what an x86 CPU holds while it executes: Intel SDM volume 1 chapter 3, volume 3
 * chapters 2, 3 and 17. Translated code reaches it relative to one base register, so what nearly
 * every instruction touches stands first (X86_STATE_BIAS bytes in, one-byte displacements reach
 * it all).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_STATE_H
#define TARGET_I386_STATE_H

#include "accel/tcg/target.h"

enum { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI, X86_GPRS = 16 };
/* Encoded order, then the two system segments. */
enum { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_LDTR, X86_TR, X86_SEGMENTS };

#define X86_STATE_BIAS 128

#define FLAG_CF   BIT(0)
#define FLAG_ONE  BIT(1)
#define FLAG_PF   BIT(2)
#define FLAG_AF   BIT(4)
#define FLAG_ZF   BIT(6)
#define FLAG_SF   BIT(7)
#define FLAG_TF   BIT(8)
#define FLAG_IF   BIT(9)
#define FLAG_DF   BIT(10)
#define FLAG_OF   BIT(11)
#define FLAG_IOPL (BIT(12) | BIT(13))
#define FLAG_NT   BIT(14)
#define FLAG_RF   BIT(16)
#define FLAG_VM   BIT(17)
#define FLAG_AC   BIT(18)
#define FLAG_VIF  BIT(19)
#define FLAG_VIP  BIT(20)
#define FLAG_ID   BIT(21)
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_PCE        BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE        BIT(22)

#define EFER_SCE   BIT(0)
#define EFER_LME   BIT(8)
#define EFER_LMA   BIT(10)
#define EFER_NXE   BIT(11)
#define EFER_SVME  BIT(12)
#define EFER_FFXSR BIT(14)

#define DR6_BD BIT(13)
#define DR6_BS BIT(14)
#define DR6_BT BIT(15)
#define DR6_FIXED_1 0xffff0ff0u
#define DR7_FIXED_1 0x400u
#define DR7_ENABLES 0xffu
#define DR7_GD BIT(13)

/* Access rights of a segment: bits 8..23 of a descriptor's upper word, and one of ours. */
#define SEG_TYPE     0xfu
#define SEG_ACCESSED BIT(0)
#define SEG_WRITABLE BIT(1) /* data */
#define SEG_READABLE BIT(1) /* code */
#define SEG_DOWN     BIT(2) /* data: expands down */
#define SEG_CONFORM  BIT(2) /* code */
#define SEG_CODE     BIT(3)
#define SEG_S        BIT(4)
#define SEG_DPL_SHIFT 5
#define SEG_P        BIT(7)
#define SEG_L        BIT(13)
#define SEG_DB       BIT(14)
#define SEG_G        BIT(15)
#define SEG_NULL     BIT(16) /* a null selector was loaded: unusable */

typedef struct X86Segment {
    uint64_t base;
    uint32_t limit; /* in bytes, the last one */
    uint32_t access;
    uint16_t selector;
} X86Segment;

typedef struct X86Table { /* GDTR, IDTR */
    uint64_t base;
    uint32_t limit;
} X86Table;

/* What the flags CF, PF, AF, ZF, SF, OF follow from: target/i386/flags.h. */
typedef struct X86LazyFlags {
    uint64_t result, src, src2;
    uint32_t op; /* X86FlagOp */
} X86LazyFlags;

typedef struct X86Extended { /* an 80-bit x87 register; MMX is its significand */
    uint64_t significand;
    uint16_t sign_exponent;
    uint16_t pad[3];
} X86Extended;

typedef struct X86Fpu {
    X86Extended reg[8]; /* by number, not by stack position */
    uint16_t control, status; /* status without TOP */
    uint8_t top, valid;       /* valid: bit n, register n is not empty */
    uint16_t opcode;
    uint64_t ip, dp;
    uint16_t cs, ds;
} X86Fpu;

typedef struct X86Vector {
    union {
        uint8_t b[32];
        uint16_t w[16];
        uint32_t d[8];
        uint64_t q[4];
    };
} __attribute__((aligned(32))) X86Vector;

/* A fault, trap or interrupt on its way to its handler. */
typedef struct X86Event {
    int16_t vector;     /* -1: none */
    uint8_t kind;       /* X86EventKind */
    bool has_error;
    bool is_address;    /* #GP for an address that is not canonical: maybe #SS */
    bool is_injected;   /* by VMRUN: not intercepted */
    uint32_t error;
    uint64_t address;   /* page faults: what CR2 gets */
    uint64_t debug;     /* debug exceptions: what DR6 gets */
    uint64_t next_rip;  /* software interrupts: where it returns to */
} X86Event;

#define X86_VARIABLE_MTRRS 8
#define X86_FIXED_MTRRS    11
#define X86_MCE_BANKS      10

/* target/i386/svm.h */
typedef struct X86Svm {
    bool is_guest;        /* between VMRUN and #VMEXIT */
    bool is_gif_clear;    /* the host's GIF */
    bool has_nested;      /* nested paging */
    /* of the VMCB that runs */
    uint64_t vmcb;        /* its physical address */
    uint32_t cr_intercepts, dr_intercepts; /* reads, above them writes */
    uint32_t exceptions;
    uint64_t intercepts;  /* BIT64(SVM_*) */
    uint64_t iopm, msrpm, tsc_offset, nested_cr3;
    uint32_t asid, int_ctl, int_vector;
    /* of the host */
    bool host_if;
    uint64_t host_cr4, host_efer, host_pat;
    /* what is to be done between instructions */
    uint8_t pending;
    bool wants_bytes;     /* decode assists want the instruction */
    uint64_t shadow_pc;   /* of the last instruction that began in an interrupt shadow */
    uint64_t exit_code, exit_info_1, exit_info_2, exit_int_info, next_rip;
} X86Svm;

typedef struct X86State {
    TcgCpu tcg; /* the engine's */
    /* --- hot --- */
    uint64_t gpr[X86_GPRS];
    uint64_t pc;      /* linear: CS.base + RIP; what translated code goes by */
    X86LazyFlags flags;
    uint32_t eflags;  /* all but the arithmetic ones */
    uint32_t mode;    /* X86_MODE_*, follows from what is below: target/i386/mode.h */
    uint8_t shadow;   /* X86_SHADOW_*: interrupts wait for one instruction */
    X86Segment seg[X86_SEGMENTS];
    /* --- system --- */
    uint64_t rip;     /* in C code that moves it: between x86_take_rip() and x86_give_rip() */
    uint64_t cr0, cr2, cr3, cr4, cr8;
    uint64_t dr[8];
    uint64_t efer;
    X86Table gdt, idt;
    uint64_t xcr0, xss;
    uint32_t pkru;
    uint32_t pkru_used; /* bits of it that what the TLB holds may depend on */
    uint32_t debug_pending; /* bits for DR6, of the next debug trap */
    X86Svm svm;
    X86Event event;   /* being delivered, or to be */
    bool is_delivering;
    bool is_in_smm, is_nmi_blocked;
    bool is_waiting;  /* for STARTUP */
    bool is_shut_down;
    /* --- MSRs --- */
    uint64_t star, lstar, cstar, fmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, tsc_aux, tsc_adjust, tsc_offset;
    uint64_t misc_enable, smbase, spec_ctrl, virt_ssbd, pasid, umwait_control, smi_count;
    uint64_t microcode, feature_control, vm_hsave, vm_cr;
    uint64_t mtrr_default, mtrr_fixed[X86_FIXED_MTRRS];
    uint64_t mtrr[2 * X86_VARIABLE_MTRRS]; /* base, mask */
    uint64_t mcg_status, mcg_control, mce_banks[4 * X86_MCE_BANKS];
    /* --- numbers --- */
    uint32_t mxcsr;      /* as software set it; sticky flags join it from host_mxcsr */
    uint32_t host_mxcsr; /* what guest code runs with: all exceptions masked */
    X86Fpu fpu;
    X86Vector vec[X86_GPRS];
    struct { /* as before an instruction that may raise #XM: target/i386/help_vector.c */
        uint64_t gpr[X86_GPRS];
        X86LazyFlags flags;
        uint32_t eflags;
        X86Vector vec[X86_GPRS];
        X86Extended mmx[8];
    } before;
} X86State;

#endif
