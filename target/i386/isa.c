/*
 * Instructions by feature: Zydis names the extension each belongs to (SDM volume 2, "CPUID Feature
 * Flag" columns), a row says which CPUID bit that is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/isa.h"

/* An extension with its bit; what has no row is in every CPU. */
typedef struct SetRow {
    ZydisISASet set;
    X86Word word;
    uint8_t bit;
} SetRow;

static const SetRow set_rows[] = {
    { ZYDIS_ISA_SET_ADOX_ADCX, X86_7_0_EBX, 19 },
    { ZYDIS_ISA_SET_AES, X86_1_ECX, 25 },
    { ZYDIS_ISA_SET_AVX, X86_1_ECX, 28 },
    { ZYDIS_ISA_SET_AVX2, X86_7_0_EBX, 5 },
    { ZYDIS_ISA_SET_AVX2GATHER, X86_7_0_EBX, 5 },
    { ZYDIS_ISA_SET_AVXAES, X86_1_ECX, 25 },
    { ZYDIS_ISA_SET_AVX_GFNI, X86_7_0_ECX, 8 },
    { ZYDIS_ISA_SET_BMI1, X86_7_0_EBX, 3 },
    { ZYDIS_ISA_SET_BMI2, X86_7_0_EBX, 8 },
    { ZYDIS_ISA_SET_CLFLUSHOPT, X86_7_0_EBX, 23 },
    { ZYDIS_ISA_SET_CLFSH, X86_1_EDX, 19 },
    { ZYDIS_ISA_SET_CLWB, X86_7_0_EBX, 24 },
    { ZYDIS_ISA_SET_CMOV, X86_1_EDX, 15 },
    { ZYDIS_ISA_SET_CMPXCHG16B, X86_1_ECX, 13 },
    { ZYDIS_ISA_SET_ENQCMD, X86_7_0_ECX, 29 },
    { ZYDIS_ISA_SET_F16C, X86_1_ECX, 29 },
    { ZYDIS_ISA_SET_FCMOV, X86_1_EDX, 15 },
    { ZYDIS_ISA_SET_FMA, X86_1_ECX, 12 },
    { ZYDIS_ISA_SET_FXSAVE, X86_1_EDX, 24 },
    { ZYDIS_ISA_SET_FXSAVE64, X86_1_EDX, 24 },
    { ZYDIS_ISA_SET_GFNI, X86_7_0_ECX, 8 },
    { ZYDIS_ISA_SET_INVPCID, X86_7_0_EBX, 10 },
    { ZYDIS_ISA_SET_LZCNT, X86_8000_0001_ECX, 5 },
    { ZYDIS_ISA_SET_MONITOR, X86_1_ECX, 3 },
    { ZYDIS_ISA_SET_MOVBE, X86_1_ECX, 22 },
    { ZYDIS_ISA_SET_MOVDIR, X86_7_0_ECX, 27 },
    { ZYDIS_ISA_SET_PCLMULQDQ, X86_1_ECX, 1 },
    { ZYDIS_ISA_SET_PENTIUMMMX, X86_1_EDX, 23 },
    { ZYDIS_ISA_SET_PKU, X86_7_0_ECX, 3 },
    { ZYDIS_ISA_SET_POPCNT, X86_1_ECX, 23 },
    { ZYDIS_ISA_SET_RDPID, X86_7_0_ECX, 22 },
    { ZYDIS_ISA_SET_RDRAND, X86_1_ECX, 30 },
    { ZYDIS_ISA_SET_RDSEED, X86_7_0_EBX, 18 },
    { ZYDIS_ISA_SET_RDTSCP, X86_8000_0001_EDX, 27 },
    { ZYDIS_ISA_SET_RDWRFSGS, X86_7_0_EBX, 0 },
    { ZYDIS_ISA_SET_SERIALIZE, X86_7_0_EDX, 14 },
    { ZYDIS_ISA_SET_SHA, X86_7_0_EBX, 29 },
    { ZYDIS_ISA_SET_SMAP, X86_7_0_EBX, 20 },
    { ZYDIS_ISA_SET_SSE, X86_1_EDX, 25 },
    { ZYDIS_ISA_SET_SSE2, X86_1_EDX, 26 },
    { ZYDIS_ISA_SET_SSE2MMX, X86_1_EDX, 26 },
    { ZYDIS_ISA_SET_SSE3, X86_1_ECX, 0 },
    { ZYDIS_ISA_SET_SSE3X87, X86_1_ECX, 0 },
    { ZYDIS_ISA_SET_SSE4, X86_1_ECX, 19 },
    { ZYDIS_ISA_SET_SSE42, X86_1_ECX, 20 },
    { ZYDIS_ISA_SET_SSE4A, X86_8000_0001_ECX, 6 },
    { ZYDIS_ISA_SET_SSEMXCSR, X86_1_EDX, 25 },
    { ZYDIS_ISA_SET_SSSE3, X86_1_ECX, 9 },
    { ZYDIS_ISA_SET_SSSE3MMX, X86_1_ECX, 9 },
    { ZYDIS_ISA_SET_VAES, X86_7_0_ECX, 9 },
    { ZYDIS_ISA_SET_VPCLMULQDQ, X86_7_0_ECX, 10 },
    { ZYDIS_ISA_SET_SVM, X86_8000_0001_ECX, 2 },
    { ZYDIS_ISA_SET_WAITPKG, X86_7_0_ECX, 5 },
    { ZYDIS_ISA_SET_XSAVE, X86_1_ECX, 26 },
    { ZYDIS_ISA_SET_XSAVEC, X86_D_1_EAX, 1 },
    { ZYDIS_ISA_SET_XSAVEOPT, X86_D_1_EAX, 0 },
    { ZYDIS_ISA_SET_XSAVES, X86_D_1_EAX, 3 },
    { ZYDIS_ISA_SET_LONGMODE, X86_8000_0001_EDX, 29 },
    { ZYDIS_ISA_SET_AMD, X86_8000_0001_EDX, 29 },
};

/* No CPU of ours has these. */
static const ZydisISASet missing_sets[] = {
    ZYDIS_ISA_SET_AMD3DNOW, ZYDIS_ISA_SET_CET, ZYDIS_ISA_SET_FMA4, ZYDIS_ISA_SET_LWP,
    ZYDIS_ISA_SET_MPX, ZYDIS_ISA_SET_RTM, ZYDIS_ISA_SET_SGX, ZYDIS_ISA_SET_SMX,
    ZYDIS_ISA_SET_TBM, ZYDIS_ISA_SET_VTX, ZYDIS_ISA_SET_XOP,
    ZYDIS_ISA_SET_VMFUNC, ZYDIS_ISA_SET_AMX_TILE, ZYDIS_ISA_SET_AMX_INT8,
    ZYDIS_ISA_SET_AMX_BF16, ZYDIS_ISA_SET_PCONFIG, ZYDIS_ISA_SET_PT,
    ZYDIS_ISA_SET_TDX, ZYDIS_ISA_SET_UINTR, ZYDIS_ISA_SET_HRESET, ZYDIS_ISA_SET_KEYLOCKER,
    ZYDIS_ISA_SET_KEYLOCKER_WIDE, ZYDIS_ISA_SET_SNP, ZYDIS_ISA_SET_MCOMMIT,
    ZYDIS_ISA_SET_RDPRU, ZYDIS_ISA_SET_CLZERO, ZYDIS_ISA_SET_AMD_INVLPGB, ZYDIS_ISA_SET_PADLOCK_ACE,
    ZYDIS_ISA_SET_PADLOCK_PHE, ZYDIS_ISA_SET_PADLOCK_PMM, ZYDIS_ISA_SET_PADLOCK_RNG,
    ZYDIS_ISA_SET_KNCE, ZYDIS_ISA_SET_KNCJKBR, ZYDIS_ISA_SET_KNCSTREAM, ZYDIS_ISA_SET_KNCV,
    ZYDIS_ISA_SET_KNC_MISC, ZYDIS_ISA_SET_KNC_PF_HINT, ZYDIS_ISA_SET_AVX_VNNI, ZYDIS_ISA_SET_MONITORX,
};

typedef struct SetInfo {
    bool is_missing, has_bit;
    X86Word word;
    uint8_t bit;
} SetInfo;

static const SetInfo *set_info(ZydisISASet set)
{
    static SetInfo infos[ZYDIS_ISA_SET_MAX_VALUE + 1];
    static gsize is_made;

    if (g_once_init_enter(&is_made)) {
        for (size_t i = 0; i < ARRAY_SIZE(set_rows); i++) {
            infos[set_rows[i].set] = (SetInfo){ false, true, set_rows[i].word, set_rows[i].bit };
        }
        for (size_t i = 0; i < ARRAY_SIZE(missing_sets); i++) {
            infos[missing_sets[i]].is_missing = true;
        }
        g_once_init_leave(&is_made, 1);
    }
    return &infos[set];
}

bool x86_has_instruction(const X86Cpu *cpu, const ZydisDecodedInstruction *in)
{
    const SetInfo *info = set_info(in->meta.isa_set);

    if (in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
        (in->mnemonic == ZYDIS_MNEMONIC_TZCNT || in->mnemonic == ZYDIS_MNEMONIC_LZCNT)) {
        return true; /* without the feature they are BSF and BSR, with a prefix that says nothing */
    }

    if (info->is_missing || in->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX ||
        in->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX ||
        in->encoding == ZYDIS_INSTRUCTION_ENCODING_XOP) {
        return false;
    }
    return !info->has_bit || x86_feature_has(&cpu->features, info->word, info->bit);
}
