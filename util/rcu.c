/*
 * RCU: see util/rcu.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/rcu.h"

static void CONSTRUCTOR register_main_thread(void)
{
    rcu_register();
}

void rcu_call(RcuHead *head, void (*fn)(RcuHead *head))
{
    urcu_memb_call_rcu(head, fn);
}

void rcu_wait(void)
{
    urcu_memb_synchronize_rcu();
}

void rcu_barrier_all(void)
{
    urcu_memb_barrier();
}
