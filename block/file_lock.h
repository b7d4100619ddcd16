/*
 * Locks that tell other processes what is done with an image: a byte for each permission that is
 * used (from 100) and for each that others must not use (from 200), held shared; who wants one
 * looks whether somebody holds its opposite. Open file description locks, see fcntl(2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_FILE_LOCK_H
#define BLOCK_FILE_LOCK_H

#include "qom/error.h"

typedef struct FileLock {
    bool is_off; /* not wanted, or the host cannot */
    unsigned used, denied; /* bytes held, as BLOCK_PERM_* */
} FileLock;

/* False: somebody is against it; what was held is still held. `path` is for the message. */
bool file_lock_set(FileLock *lock, int fd, unsigned perms, unsigned shared, const char *path,
                   Error **errp);
/* Holds the same on another descriptor of the file. A negative errno: it holds none there. */
int file_lock_copy(const FileLock *lock, int fd);
/* Does the host have such locks? */
bool file_lock_is_possible(int fd);

#endif
