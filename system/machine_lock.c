/*
 * The machine lock: see system/machine_lock.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/machine_lock.h"

#include "util/event_loop.h"

static GMutex lock;
static _Thread_local bool is_held;

void machine_lock(void)
{
    assert(!is_held);
    g_mutex_lock(&lock);
    is_held = true;
}

bool machine_trylock(void)
{
    assert(!is_held);
    is_held = g_mutex_trylock(&lock);
    return is_held;
}

void machine_unlock(void)
{
    assert(is_held);
    is_held = false;
    g_mutex_unlock(&lock);
}

bool machine_lock_is_held(void)
{
    return is_held;
}

void machine_lock_wait(GCond *cond)
{
    assert(is_held);
    is_held = false;
    g_cond_wait(cond, &lock);
    is_held = true;
}

void machine_lock_init_main(void)
{
    static const EventLoopWaitHooks hooks = { .before = machine_unlock, .after = machine_lock };

    machine_lock();
    event_loop_set_wait_hooks(event_loop_main(), &hooks);
}
