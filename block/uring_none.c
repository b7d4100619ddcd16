/*
 * A build without io_uring: see block/uring.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/uring.h"

bool block_uring_check(Error **errp)
{
    return error_set(errp, "aio=io_uring was specified, but is not supported in this build.");
}

bool block_uring_submit(BlockRequest *request, int fd, BlockRequestHook *hook, void *opaque)
{
    return false;
}

void block_uring_poll(EventLoop *loop)
{
}
