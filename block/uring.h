/*
 * Requests by io_uring: one ring for each event loop that has such requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_URING_H
#define BLOCK_URING_H

#include "block/block_node.h"

/* Is it built in, and does the host let us? */
bool block_uring_check(Error **errp);
/*
 * Starts a READ, WRITE or FLUSH; `hook` gets how many bytes were moved, or a negative errno. False:
 * it could not be started. As block_submit().
 */
bool block_uring_submit(BlockRequest *request, int fd, BlockRequestHook *hook, void *opaque);
/* Ends what is done. As block_submit(). */
void block_uring_poll(EventLoop *loop);

#endif
