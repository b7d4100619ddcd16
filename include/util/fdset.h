/*
 * Descriptor sets: open files handed over by a client, which stand behind "/dev/fdset/N".
 *
 * A set holds descriptors of one file in different access modes. Any thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_FDSET_H
#define UTIL_FDSET_H

/*
 * Adds `fd`, which is taken over, to set `set_id`, made if need be; negative picks the first free
 * number. Returns the set's.
 */
int64_t fdset_add(int64_t set_id, int fd, const char *opaque);
/* Closes `fd` (negative: all) of a set; false when there is no such set or descriptor. */
bool fdset_remove(int64_t set_id, int fd);

typedef void FdsetVisit(void *opaque, int64_t set_id, int fd, const char *fd_opaque);
/* In order of set and descriptor. */
void fdset_each(FdsetVisit *visit, void *opaque);

/*
 * As open(2). "/dev/fdset/N" gives a copy of the set's descriptor of the same access mode; ENOENT
 * when there is no such set, EACCES when there is none of the mode. The result closes on exec.
 */
int fdset_open_path(const char *path, int flags, mode_t mode);

/* Closes all of them. */
void fdset_clear(void);

#endif
