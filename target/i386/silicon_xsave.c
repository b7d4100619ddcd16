/*
 * XSAVE, XSAVEC, XSAVEOPT, XRSTOR as silicon's cases: areas with headers, where registers point at them, and masks of
 * components that both sides have. Such an instruction is alone in its case.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/silicon_xsave.h"

#include "target/i386/state.h"

#define AREA_BYTES 1024 /* from one to the next */
#define AT_MXCSR   24
#define AT_HEADER  512
#define COMPONENTS 7    /* x87, SSE, AVX */
#define SSE_BIT    2
#define AVX_BIT    4
/* Nobody's, or what no processor of today has: the others differ. */
#define NO_COMPONENTS (UINT64_C(3) << 3 | BIT64(40) | BIT64(61))
#define COMPACTED  BIT64(63)

static uint64_t some_components(GRand *random)
{
    uint64_t bits = g_rand_int(random) & COMPONENTS;
    uint64_t others = (uint64_t)g_rand_int(random) << 32 | g_rand_int(random);

    return chance(random, 8) ? bits | (others & NO_COMPONENTS) : bits;
}

bool silicon_is_xsave(const ZydisDecodedInstruction *in)
{
    return in->meta.category == ZYDIS_CATEGORY_XSAVE || in->meta.category == ZYDIS_CATEGORY_XSAVEOPT;
}

unsigned silicon_xsave_put(uint8_t *out, GRand *random, bool is_64)
{
    /* Opcode and the reg field of ModRM: XSAVE, XRSTOR, XSAVEOPT; XSAVEC and what is not for users. */
    static const uint8_t forms[][2] = { { 0xae, 4 }, { 0xae, 5 }, { 0xae, 5 }, { 0xae, 6 }, { 0xc7, 4 }, { 0xc7, 4 },
                                        { 0xc7, 3 }, { 0xc7, 5 } };
    static const uint8_t pointers[] = { X86_RCX, X86_RBX, X86_RSI, X86_RDI };
    const uint8_t *form = forms[g_rand_int_range(random, 0, chance(random, 8) ? 8 : 6)];
    unsigned n = 0;

    if (is_64 && chance(random, 2)) {
        out[n++] = 0x48;
    }
    out[n++] = 0x0f;
    out[n++] = form[0];
    out[n++] = form[1] << 3 | pointers[g_rand_int_range(random, 0, ARRAY_SIZE(pointers))];
    return n;
}

/* AMD's processors look at its reserved bits only if SSE's state is `wanted`, others for AVX's as well. */
static bool is_mxcsr_open(uint64_t wanted)
{
    return silicon_native_is_amd() && (wanted & (SSE_BIT | AVX_BIT)) == AVX_BIT;
}

static void fill_area(uint8_t *area, GRand *random, uint64_t wanted)
{
    uint64_t header[8] = { some_components(random) };
    uint32_t mxcsr = g_rand_int(random);

    header[1] = chance(random, 2) ? 0 : COMPACTED | (chance(random, 2) ? COMPONENTS : some_components(random));
    header[1] = chance(random, 16) ? some_components(random) : header[1];
    header[g_rand_int_range(random, 2, 8)] = chance(random, 8) ? 1 : 0;
    memcpy(area + AT_HEADER, header, sizeof(header));
    mxcsr &= chance(random, 8) && !is_mxcsr_open(wanted) ? UINT32_MAX : 0xffff;
    memcpy(area + AT_MXCSR, &mxcsr, sizeof(mxcsr));
}

void silicon_xsave_fill(SiliconCase *c, GRand *random)
{
    SiliconState *s = &c->before;
    uint64_t data = c->has_low_data ? SILICON_LOW_DATA_AT : SILICON_DATA_AT, wanted = some_components(random);

    for (unsigned n = 0; n < (c->is_64 ? 16 : 8); n++) {
        s->gpr[n] = data + (uint64_t)AREA_BYTES * g_rand_int_range(random, 0, SILICON_DATA_BYTES / AREA_BYTES);
        s->gpr[n] += chance(random, 12) ? g_rand_int_range(random, 0, 64) : 0;
    }
    s->gpr[X86_RAX] = (uint32_t)wanted;
    s->gpr[X86_RDX] = wanted >> 32;
    for (unsigned at = 0; at < SILICON_DATA_BYTES; at += AREA_BYTES) {
        fill_area(s->data + at, random, wanted);
    }
}
