/*
 * Accelerators: who runs vCPUs. One is chosen for the machine; the rest of the program knows it
 * through this interface alone. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_ACCEL_H
#define SYSTEM_ACCEL_H

#include "system/vcpu.h"

#define TYPE_ACCEL "accel"
#define ACCEL_SUFFIX "-accel" /* accelerator "tcg" is of type "tcg-accel" */

typedef struct Accel {
    Object parent;
} Accel;
DECLARE_CAST(Accel, ACCEL)

#define ACCEL_SHIFT_AUTO (-1)
#define ACCEL_SHIFT_MOST 10
typedef struct AccelCounting {
    int shift;    /* an instruction takes 2^shift ns; or ACCEL_SHIFT_AUTO */
    bool aligns;  /* guest time does not run ahead of the host's */
    bool sleeps;  /* idle vCPUs wait for timers in host time; else guest time jumps */
} AccelCounting;

/* The family's descriptor: operations left out are inherited; all run with the machine lock. */
typedef struct AccelType {
    struct ObjectType;
    const char *title; /* as people read it: "TCG" */
    /* NULL: can be used; else says why this host or build cannot. */
    bool (*is_available)(Error **errp);
    /* Properties are set; before the machine's devices are made. */
    bool (*init_machine)(Accel *accel, Object *machine, Error **errp);
    bool (*start_vcpu)(Accel *accel, Vcpu *cpu, Error **errp);
    void (*end_vcpu)(Accel *accel, Vcpu *cpu);
    /* Any thread, no lock: brings a vCPU out of guest code. May be NULL. */
    void (*kick)(Vcpu *cpu);
    /* State held elsewhere (a kernel): fetch it before it is read, put it back when changed. */
    void (*fetch_state)(Vcpu *cpu);
    void (*store_state)(Vcpu *cpu);
    /* "info jit": what it has translated, for people; NULL: nothing. */
    void (*print_translated)(Accel *accel, GString *out);
    /* From now on, each instruction is a translation of its own, or no longer; no vCPU runs. NULL: it
     * translates nothing. */
    void (*set_one_insn)(Accel *accel, bool is_on);
    /* -icount: guest time is made of instructions. Before there are vCPUs; NULL: it does not count. */
    bool (*count_time)(Accel *accel, const AccelCounting *how, Error **errp);
    /* The debugger's list (system/guest_debug.h) is another; no vCPU runs. NULL: it has none. */
    void (*debug_points_changed)(Accel *accel);
} AccelType;

/* "tcg"; NULL if there is none of this name in the build. */
const Type *accel_find(const char *name);
/* Their types, sorted by name. Free the array. */
GPtrArray *accel_list(void);
/* "tcg". Free it. */
char *accel_name(const Type *type);

/*
 * Makes `accel` (which takes a reference) the machine's; on failure there is none, and another
 * can be tried.
 */
bool accel_start(Accel *accel, Object *machine, Error **errp);
/* NULL before accel_start(). */
Accel *accel_current(void);
const AccelType *accel_ops(void);
/* The current one has this name: for reports (query-kvm), not for devices. */
bool accel_is(const char *name);
/* -perfmap: who translates tells perf where its code is. Set before accel_start(). */
void accel_set_perf_map(bool is_wanted);
bool accel_wants_perf_map(void);
/* At exit, with no vCPU left. */
void accel_end(void);

#endif
