/*
 * CharFd: a chardev on one or two descriptors. Files, pipes, terminals and lines stand on it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_FD_H
#define CHARDEV_FD_H

#include "chardev/backend.h"
#include "chardev/kinds.h"

typedef struct CharFd {
    Chardev parent;
    int in, out;              /* -1: none; may be the same */
    GSource *source;          /* of input, while the front end has room */
    GMainContext *source_context; /* referenced; where it is */
    /* Reads and delivers what there is: as read(2). NULL: plain bytes. */
    ssize_t (*read_some)(struct CharFd *s);
    void (*ended)(struct CharFd *s); /* the input is at its end; NULL: that is all */
} CharFd;
DECLARE_CAST(CharFd, CHAR_FD)

/* Takes over the descriptors and opens. Those that can block no longer do. */
void char_fd_start(CharFd *s, int in, int out);
/* Stops input and closes both. */
void char_fd_close(CharFd *s);

/* The base's ChardevType.update. */
void char_fd_update(Chardev *chr);
/* As write(2) for a chardev: 0 when full. */
ssize_t char_fd_write_some(int fd, const void *bytes, size_t size);

#endif
