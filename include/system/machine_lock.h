/*
 * The machine lock: guards the machine's configuration, the object tree, run state and, by
 * default, device registers. One lock, not recursive.
 *
 * Order: the machine lock is taken before any other lock, with two kinds of exception that never
 * call out while held: the locks of event loops, timer lists and work queues (leaves). Nobody
 * waits for another thread while holding it, but by machine_lock_wait().
 *
 * The main loop holds it except while it waits; vCPUs take it to touch what it guards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MACHINE_LOCK_H
#define SYSTEM_MACHINE_LOCK_H

void machine_lock(void);
bool machine_trylock(void); /* false: another thread has it */
void machine_unlock(void);
bool machine_lock_is_held(void); /* by this thread */
/* Gives the lock up while it waits for `cond`. */
void machine_lock_wait(GCond *cond);

static inline void machine_lock_assert_held(void)
{
    assert(machine_lock_is_held());
}

/* Main thread, once: takes the lock, and has the main loop drop it in its waits. */
void machine_lock_init_main(void);

/* Takes the lock for a scope, unless this thread has it: for code called with and without. */
typedef bool MachineLockScope;
static inline MachineLockScope machine_lock_enter(void)
{
    bool is_taken = !machine_lock_is_held();

    if (is_taken) {
        machine_lock();
    }
    return is_taken;
}

static inline void machine_lock_leave(MachineLockScope *is_taken)
{
    if (*is_taken) {
        machine_unlock();
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MachineLockScope, machine_lock_leave)
#define MACHINE_LOCK_SCOPE()                                                                       \
    g_auto(MachineLockScope) machine_lock_scope G_GNUC_UNUSED = machine_lock_enter()

#endif
