/*
 * Vcpu: the part of a guest CPU that accelerators, pausing and work queues deal with. A CPU
 * object embeds it. Machine lock, unless a declaration says "any thread".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_VCPU_H
#define SYSTEM_VCPU_H

#include "qom/object.h"

#define VCPU_NO_INDEX UINT32_MAX

typedef struct Vcpu Vcpu;
typedef struct VcpuThread VcpuThread;
typedef struct VcpuWork VcpuWork;

/* What the CPU's family answers. */
typedef struct VcpuOps {
    /* A halted vCPU has a reason to go on (an interrupt). Its thread, machine lock. */
    bool (*has_work)(Vcpu *cpu);
} VcpuOps;

struct Vcpu {
    Object *object;      /* the CPU this is part of */
    const VcpuOps *ops;  /* may be NULL: a halted one stays so */
    uint32_t index;      /* position in the machine; VCPU_NO_INDEX: the first free one */
    bool is_halted;      /* waits for an interrupt */
    bool is_stopped;     /* by pause; so at first */
    bool is_stop_wanted; /* pause is under way */
    bool is_listed;
    uint8_t step;        /* VCPU_STEP_*: a debugger's (system/guest_debug.h) */
    int kick_wanted;     /* atomic: set by vcpu_kick(), cleared by who runs it */
    VcpuThread *thread;
    void *accel_data;    /* the accelerator's */
    GMutex work_lock;    /* leaf */
    VcpuWork *work, **work_tail;
    Vcpu *next;          /* by index */
    Vcpu *next_of_thread;
};

void vcpu_init(Vcpu *cpu, Object *object, const VcpuOps *ops);
void vcpu_clear(Vcpu *cpu);
/*
 * Lists it and has the accelerator start its thread, stopped; when this returns the thread id is
 * known. Fails if the index is taken or the host has no more threads.
 */
bool vcpu_add(Vcpu *cpu, Error **errp);
/* Ends its thread and takes it off the list; not in a vCPU thread. */
void vcpu_remove(Vcpu *cpu);

Vcpu *vcpu_first(void);
static inline Vcpu *vcpu_next(Vcpu *cpu)
{
    return cpu->next;
}
Vcpu *vcpu_by_index(uint32_t index);
unsigned vcpu_count(void);
/* Who runs in this thread, or NULL. Any thread. */
Vcpu *vcpu_current(void);
bool vcpu_in_thread(void);
bool vcpu_is_self(const Vcpu *cpu);
/* The kernel's; vCPUs that share a thread share it. */
int vcpu_thread_id(const Vcpu *cpu);

/* Any thread: brings it out of guest code and out of its sleep soon. */
void vcpu_kick(Vcpu *cpu);

typedef void VcpuWorkFn(Vcpu *cpu, void *data);
/* fn runs in the vCPU's thread with the machine lock; returns when it ran (lock given up). */
void vcpu_run_on(Vcpu *cpu, VcpuWorkFn *fn, void *data);
/* Any thread: as above, without waiting. Run in the order of the calls; dropped by remove. */
void vcpu_run_async(Vcpu *cpu, VcpuWorkFn *fn, void *data);

/* Returns when none runs (lock given up); in a vCPU thread, its own vCPU counts as stopped. */
void vcpu_pause_all(void);
void vcpu_resume_all(void);
void vcpu_pause(Vcpu *cpu);
void vcpu_resume(Vcpu *cpu);
bool vcpu_can_run(Vcpu *cpu);

#endif
