/*
 * How an operation on guest memory comes to the host's: registers for it, the way there, and the slow
 * way for what cannot be done in place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_HOST_X86_64_ACCESS_H
#define ACCEL_TCG_HOST_X86_64_ACCESS_H

#include "accel/tcg/host-x86_64/jit.h"

typedef struct Access {
    const IrInsn *insn;
    IrMem mem;
    int addr, value, page, check; /* registers; value NO_REG: the constant */
    int32_t constant;
    int dest, expected;           /* of an atomic operation, which has is_store, too */
    int table;                    /* likewise, or NO_REG: shortens the way to the address */
    int run;                      /* likewise: of a scatter */
    int back;                     /* where the slow way returns to */
    int back_host;                /* likewise, with `page` */
    bool is_store, is_atomic;
    enum { BY_TLB, BY_SPAN, BY_SCATTER } way;
    SpanOwner owner;
} Access;

/* Once .insn, .mem, .is_store, .addr and .page are known, and blocked: the others to find it with. */
void access_take_registers(Jit *j, Access *a);
/* Before what was written last: [page + addr] is the place. .back must be set. */
void access_find(Jit *j, Access *a);
static inline Rm access_place(const Access *a)
{
    return rm_index(a->page, a->addr, 0, 0);
}
/* Writes the slow way in the cold, as it is now; returns its place. */
int access_slow_way(Jit *j, const Access *a);

#endif
