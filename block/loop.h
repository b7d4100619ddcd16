/*
 * BlockLoop: requests that have ended in other threads, on their way to their event loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_LOOP_H
#define BLOCK_LOOP_H

#include "block/block_node.h"

typedef struct BlockLoop BlockLoop;

/* For ever, as far as the loop lives; any thread. */
BlockLoop *block_loop_of(EventLoop *loop);
/* Any thread: `request->result` is its result. */
void block_loop_complete(BlockLoop *loop, BlockRequest *request);
/* Ends what is there: in the loop's thread, or with the machine lock for the main loop. */
void block_loop_poll(BlockLoop *loop);
/* Waits until is_done(), ending requests meanwhile; as block_loop_poll(). */
void block_loop_wait(BlockLoop *loop, bool (*is_done)(void *opaque), void *opaque);

#endif
