/*
 * Read-copy-update on liburcu's membarrier flavour: readers follow published pointers without a
 * lock; writers publish a new version and free the old one when no reader can hold it.
 *
 * Every thread that reads registers first; the main thread does so before main(). rcu_call()'s
 * callbacks run in a thread of their own, which holds no lock. A process that forks and goes on
 * in the child (-daemonize) does so before its first rcu_call().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_RCU_H
#define UTIL_RCU_H

#define _LGPL_SOURCE /* inline readers; our licence permits it */
#include <urcu/urcu-memb.h>

/* Embedded in what is freed by rcu_call(); container_of() leads back. */
typedef struct rcu_head RcuHead;

/* Once for each thread; a thread that ends unregisters first. */
static inline void rcu_register(void)
{
    urcu_memb_register_thread();
}

static inline void rcu_unregister(void)
{
    urcu_memb_unregister_thread();
}

/* Readers may nest. Between the two the thread may block, but holds back all frees. */
static inline void rcu_lock(void)
{
    urcu_memb_read_lock();
}

static inline void rcu_unlock(void)
{
    urcu_memb_read_unlock();
}

/* Reads a published pointer; valid until the outermost rcu_unlock(). */
#define rcu_get(ptr) __atomic_load_n(&(ptr), __ATOMIC_CONSUME)
/* Publishes a pointer whose target is complete. */
#define rcu_set(ptr, value) __atomic_store_n(&(ptr), (value), __ATOMIC_RELEASE)

/* Calls fn(head) once no reader that runs now is left. */
void rcu_call(RcuHead *head, void (*fn)(RcuHead *head));
/* Waits until no reader that runs now is left. Not inside rcu_lock(). */
void rcu_wait(void);
/* Waits for every callback given so far. Hold no lock that one of them may take. */
void rcu_barrier_all(void);

typedef struct RcuGuard {
    char unused;
} RcuGuard;
static inline RcuGuard rcu_guard_begin(void)
{
    rcu_lock();
    return (RcuGuard){ 0 };
}
static inline void rcu_guard_end(RcuGuard *guard)
{
    rcu_unlock();
}
/* Holds the reader's lock to the end of the block. */
#define RCU_GUARD()                                                                                \
    __attribute__((cleanup(rcu_guard_end), unused)) RcuGuard rcu_guard_ = rcu_guard_begin()

#endif
