/*
 * What a host back end does. Hosts without one (host_none.c) leave all to the interpreter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_HOST_H
#define ACCEL_TCG_HOST_H

#include "accel/tcg/exec.h"

typedef struct HostCode HostCode;

/* Makes the code cache; false: this host has no back end, or the cache cannot be made. */
bool host_init(uint64_t cache_bytes, Error **errp);
/* When the cache is full the caller flushes; too large a region is made of fewer instructions. */
typedef enum HostResult { HOST_OK, HOST_CACHE_FULL, HOST_REGION_TOO_LARGE } HostResult;
HostResult host_compile(IrBuilder *b, TcgRegion *region);
/* From now on it may run; until then it may be discarded. With the lock. */
void host_code_add(HostCode *code);
/* The last one that was compiled, which nobody has seen. */
void host_code_discard(HostCode *code);
/* Nothing is chained to it any more. With the lock. */
void host_code_unlink(HostCode *code);
/* Everything in it is forgotten. */
void host_cache_reset(void);
/* Runs from here until the main loop is needed; the exit that led there, if it can be chained. */
typedef struct HostExit HostExit;
HostExit *host_run(TcgCpu *cpu, const TcgRegion *region);
/* The exit led here: from now on without the main loop, if that is right. */
void host_link(HostExit *exit, const TcgRegion *to);
/* How often it was entered, as far as that is counted. */
uint32_t host_heat(const TcgRegion *region);
/* The exit asks for its region to be made hot. */
bool host_is_promotion(const HostExit *exit);
/* As interp_restore(): cpu->host_pc says where. */
void host_restore(TcgCpu *cpu);
const TcgRegion *host_region(const TcgCpu *cpu);
void host_info(GString *out);
/* A clock that costs nothing to read; how fast it goes is the host's. */
uint64_t host_ticks(void);
/*
 * What of the host's floating point guest code sees: around C that computes for itself, as a table of GLib's
 * does when it grows.
 */
uint32_t host_fp_hold(void);
void host_fp_release(uint32_t held);
/* One vector operation, imm as in IR_VEC: for the interpreter. */
bool host_vector(const IrInsn *insn, const IrValue *x, const IrValue *y, const IrValue *z,
                 IrValue *out);

#endif
