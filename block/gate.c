/*
 * See block/gate.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/gate.h"

void block_gate_init(BlockGate *gate)
{
    *gate = (BlockGate){ 0 };
    g_mutex_init(&gate->lock);
    g_cond_init(&gate->changed);
}

void block_gate_clear(BlockGate *gate)
{
    assert(!gate->inside && !gate->is_alone);
    g_mutex_clear(&gate->lock);
    g_cond_clear(&gate->changed);
}

bool block_gate_try_enter(BlockGate *gate)
{
    bool is_open;

    g_mutex_lock(&gate->lock);
    is_open = !gate->is_alone && !gate->waiting;
    gate->inside += is_open;
    g_mutex_unlock(&gate->lock);
    return is_open;
}

void block_gate_enter(BlockGate *gate)
{
    g_mutex_lock(&gate->lock);
    while (gate->is_alone || gate->waiting) {
        g_cond_wait(&gate->changed, &gate->lock);
    }
    gate->inside++;
    g_mutex_unlock(&gate->lock);
}

void block_gate_leave(BlockGate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->inside--;
    if (!gate->inside && gate->waiting) {
        g_cond_broadcast(&gate->changed);
    }
    g_mutex_unlock(&gate->lock);
}

void block_gate_enter_alone(BlockGate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->waiting++;
    while (gate->is_alone || gate->inside) {
        g_cond_wait(&gate->changed, &gate->lock);
    }
    gate->waiting--;
    gate->is_alone = true;
    g_mutex_unlock(&gate->lock);
}

void block_gate_leave_alone(BlockGate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->is_alone = false;
    g_cond_broadcast(&gate->changed);
    g_mutex_unlock(&gate->lock);
}
