/*
 * The gdb server's state, and what its files do for each other: gdbstub.c has the line and the life,
 * commands.c the packets, queries.c those that begin with q and Q, resume.c running and stopping,
 * registers.c the numbering of registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GDBSTUB_STUB_H
#define GDBSTUB_STUB_H

#include "chardev/frontend.h"
#include "hw/core/cpu_debug.h"
#include "packet.h"
#include "system/guest_debug.h"

typedef struct GdbStub {
    CharFrontend line;
    char *own_chardev;    /* its id, if it was made for us */
    GdbParser parser;
    GString *sent;        /* the last packet, to be sent again */
    bool has_acks;
    bool is_waiting;      /* the client waits for the guest to stop */
    bool is_physical;     /* addresses are; qqemu.PhyMemMode */
    bool tells_break_kind; /* the client asked for swbreak and hwbreak */
    uint8_t step_flags;   /* of VCPU_STEP*, qqemu.sstep */
    uint32_t general_cpu, continue_cpu; /* indices: H */
    GString *xml;         /* target.xml, once it was asked for */
} GdbStub;

/* --- out (gdbstub.c) --- */

void gdb_send(GdbStub *s, const char *data, size_t size);
void gdb_send_text(GdbStub *s, const char *text);
static inline void gdb_send_ok(GdbStub *s)
{
    gdb_send_text(s, "OK");
}
/* 22: arguments; 14: memory, registers. */
void gdb_send_error(GdbStub *s, unsigned number);

/* --- packets --- */

void gdb_run_packet(GdbStub *s, const char *packet, size_t size);
/* "q..." and "Q..."; false: unknown. */
bool gdb_run_query(GdbStub *s, const char *packet);
/* "vCont..." */
void gdb_run_vcont(GdbStub *s, const char *packet);

/* --- vCPUs --- */

/* A thread's id is the vCPU's index and one. NULL: no vCPU is chosen, or it has gone. */
Cpu *gdb_cpu(uint32_t index);
/* "-1": UINT32_MAX - 1, all; "0": any: the one of `current`. */
#define GDB_ALL_CPUS (UINT32_MAX - 1)
bool gdb_read_thread(const char **text, uint32_t current, uint32_t *index);

/* --- running (resume.c) --- */

/* Goes on: each vCPU with an action, 'c' or 's'; actions by index, `count` of them. */
void gdb_resume(GdbStub *s, const char *actions, unsigned count);
/* The continue thread does `action`, the others continue. */
void gdb_resume_all(GdbStub *s, char action);
/* The VM stopped; tells the client if it waits. */
void gdb_stopped(GdbStub *s, int run_state);
void gdb_send_stop(GdbStub *s, unsigned signal, const DebugStop *stop);
void gdb_forget_points(void);

/* --- registers (registers.c) --- */

/* The set that register `n` is in; *n becomes its number there. */
const CpuRegisterSet *gdb_find_register(Cpu *cpu, unsigned *n);
/* All of them, in order. */
void gdb_read_registers(Cpu *cpu, GString *out);
bool gdb_write_registers(Cpu *cpu, const char *text);
void gdb_describe_target(Cpu *cpu, GString *out);

#endif
