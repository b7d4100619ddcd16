/*
 * No host back end: the interpreter runs everything, and there are no vector operations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host.h"

bool host_init(uint64_t cache_bytes, Error **errp)
{
    return error_set(errp, "this host has no just-in-time compiler");
}

HostResult host_compile(IrBuilder *b, TcgRegion *region)
{
    return HOST_REGION_TOO_LARGE;
}

void host_code_add(HostCode *code)
{
}

void host_code_discard(HostCode *code)
{
}

void host_code_unlink(HostCode *code)
{
}

void host_cache_reset(void)
{
}

HostExit *host_run(TcgCpu *cpu, const TcgRegion *region)
{
    g_assert_not_reached();
}

void host_link(HostExit *exit, const TcgRegion *to)
{
}

uint32_t host_heat(const TcgRegion *region)
{
    return 0;
}

bool host_is_promotion(const HostExit *exit)
{
    return false;
}

void host_restore(TcgCpu *cpu)
{
    g_assert_not_reached();
}

const TcgRegion *host_region(const TcgCpu *cpu)
{
    return NULL;
}

uint64_t host_ticks(void)
{
    return 0;
}

uint32_t host_fp_hold(void)
{
    return 0;
}

void host_fp_release(uint32_t held)
{
}

void host_info(GString *out)
{
}

bool host_vector(const IrInsn *insn, const IrValue *x, const IrValue *y, const IrValue *z,
                 IrValue *out)
{
    return false;
}

bool ir_has_vec(IrVec vec, IrType type)
{
    return false;
}

IrRef ir_vec(IrBuilder *b, IrVec vec, IrType type, IrRef x, IrRef y, IrRef z, unsigned imm8)
{
    g_assert_not_reached();
}
