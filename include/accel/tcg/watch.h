/*
 * Data breakpoints that a guest's own debug registers ask for. Exact: the instruction that touches
 * one is run alone, and TcgTargetOps.watch_hit() is called once it is complete.
 *
 * In the vCPU's thread, or while it does not run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_WATCH_H
#define ACCEL_TCG_WATCH_H

#include "accel/tcg/target.h"

#define TCG_WATCHES 4

typedef struct TcgWatch {
    uint64_t addr, bytes;  /* bytes 0: unused */
    uint8_t access;        /* BIT(TcgAccess) */
} TcgWatch;

/* Replaces them all. */
void tcg_set_watches(TcgCpu *cpu, const TcgWatch watches[TCG_WATCHES]);
/* Those touched by the instruction under way, by bits; watch_hit() hears no more of them. */
unsigned tcg_take_watch_hits(TcgCpu *cpu);

#endif
