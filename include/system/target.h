/*
 * TargetInfo: which guest architecture this binary is. Everything but target/ is compiled once
 * for all binaries and asks here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_TARGET_H
#define SYSTEM_TARGET_H

typedef struct TargetInfo {
    const char *name;     /* "x86_64", "aarch64", "ppc64" */
    bool is_big_endian;   /* as qtest and monitors see memory */
    unsigned page_bits;   /* of the smallest page */
    const char *cpu_base; /* QOM type all its CPU models derive from */
    const char *cpu_suffix; /* model "max" is the type "max-x86_64-cpu" */
} TargetInfo;

/* Set by the binary's target before main(). */
void target_set(const TargetInfo *info);
const TargetInfo *target_info(void);

#endif
