/*
 * BlockGate: many pass at once, or one alone. Who passes may leave in another thread, which a
 * reader-writer lock does not permit: requests enter where they begin and leave where they end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_GATE_H
#define BLOCK_GATE_H

typedef struct BlockGate {
    GMutex lock;
    GCond changed;
    unsigned inside;  /* how many have entered */
    unsigned waiting; /* for being alone */
    bool is_alone;
} BlockGate;

void block_gate_init(BlockGate *gate);
void block_gate_clear(BlockGate *gate);
/* False: it would have to wait. */
bool block_gate_try_enter(BlockGate *gate);
void block_gate_enter(BlockGate *gate);
void block_gate_leave(BlockGate *gate);
/* Waits until nobody is inside; who comes then waits. */
void block_gate_enter_alone(BlockGate *gate);
void block_gate_leave_alone(BlockGate *gate);

#endif
