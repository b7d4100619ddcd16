/*
 * Silicon as oracle: the same instructions, from the same state, on the host's CPU and on ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_SILICON_H
#define TARGET_I386_SILICON_H

#include <Zydis/Zydis.h>

#define SILICON_CODE_AT    UINT64_C(0x10000000) /* one page, nothing behind it */
#define SILICON_DATA_AT    UINT64_C(0x20000000) /* two pages, nothing around them */
#define SILICON_DATA_BYTES 8192
#define SILICON_CODE_BYTES 64
#define SILICON_VECTORS    16

/* Segments of an LDT that both sides have, as modify_ldt takes them. */
typedef struct SiliconSegment {
    uint32_t base, limit;        /* the latter in pages, if .is_in_pages */
    uint8_t contents;            /* 0: data, 1: data that expand down, 2: code */
    bool is_32, is_read_only, is_in_pages, is_absent;
} SiliconSegment;
#define SILICON_LDT_COUNT 14
extern const SiliconSegment silicon_ldt[SILICON_LDT_COUNT];
#define SILICON_SELECTOR(n) ((n) << 3 | 7)
/* Its first ones. 16-bit code and data are low in their segments. */
enum { SILICON_CODE_16, SILICON_CODE_LOW, SILICON_DATA_16 };
#define SILICON_LOW_CODE_AT 0x9000u
#define SILICON_LOW_DATA_AT 0x4000u
#define SILICON_FLAT_CODE_64 0x33
#define SILICON_FLAT_CODE_32 0x23
#define SILICON_FLAT_DATA    0x2b

/* What user code can see. In a mapping that a child process shares. */
typedef struct SiliconState {
    uint64_t gpr[16], rip, eflags;
    uint16_t seg[4];                /* ES, CS, SS, DS */
    uint32_t mxcsr;
    uint8_t legacy[160];            /* of an FXSAVE area: x87 and MMX */
    uint64_t vec[SILICON_VECTORS][4];
    uint8_t data[SILICON_DATA_BYTES];
    /* after a run */
    int vector;
    uint64_t error, cr2;
} SiliconState;

typedef struct SiliconCase {
    bool is_64, is_16;
    bool is_low, has_low_data;      /* where code and data are in their segments: SILICON_LOW_.. */
    unsigned code_bytes, insns;
    uint8_t code[SILICON_CODE_BYTES];
    uint32_t undefined_flags;       /* at its end */
    uint32_t undefined_at_jumps;    /* where it may have been left: an end, too */
    uint32_t ever_undefined;        /* on the way */
    bool may_set_ac;
    bool stores_halves;             /* VCVTPS2PH to memory: here the store comes before #XM */
    uint32_t gather_masks;          /* registers: which bits of them a fault leaves is open */
    bool has_open_faults;           /* what is done by the time of one is not compared */
    bool is_c1_open;                /* the x87's, at its end */
    bool has_odd_segments;          /* which end among the data, or cannot be written */
    bool has_vectors, has_xsave;
    bool loads_reals;               /* FLD of 32 or 64 bits */
    bool has_x87;                   /* and so pointers to an instruction and its operand */
    bool has_fma;                   /* which of several NaNs comes out is not compared */
    bool is_done;                   /* the native run has a result */
    SiliconState before, native;
} SiliconCase;

/* --- silicon_native.c: runs cases in a child; those that kill it are not done --- */

typedef struct SiliconNative SiliconNative;
SiliconNative *silicon_native_new(unsigned cases);
SiliconCase *silicon_native_case(SiliconNative *native, unsigned n);
/* Why it cannot be done here; NULL: it can. */
const char *silicon_native_problem(void);
/* The kernel lets processes have an LDT. */
bool silicon_native_has_ldt(void);
/* By the word of its CPUID. */
bool silicon_native_is_amd(void);
/* The host runs 32-bit code; not all do that are themselves guests, or were told not to. */
bool silicon_native_has_32(void);
/* As user code sees it, its base being 0; false: it sees none. */
bool silicon_native_descriptor(uint16_t selector, uint64_t *descriptor);
void silicon_native_run(SiliconNative *native, unsigned count);
void silicon_native_free(SiliconNative *native);

/* --- silicon_cases.c: random instructions --- */

/* One time of so many. */
static inline bool chance(GRand *random, int of)
{
    return g_rand_int_range(random, 0, of) == 0;
}
/* The next random case: instructions the CPU `has`, all within what can be run natively. */
typedef bool SiliconHas(void *opaque, const ZydisDecodedInstruction *in);
void silicon_case_make(SiliconCase *c, GRand *random, SiliconHas *has, void *opaque);
/* Where its code begins in its segment. */
static inline uint32_t silicon_case_at(const SiliconCase *c)
{
    return c->is_low ? SILICON_LOW_CODE_AT : SILICON_CODE_AT;
}
void silicon_case_print(const SiliconCase *c, GString *out);

#endif
