/*
 * FdNames: descriptors a client handed over under names of its choice (getfd), until something
 * that is given the name takes them (migrate fd:NAME). Each monitor has its own; while it runs a
 * command they are the current ones of that thread.
 *
 * Machine lock, or before any other thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_FD_NAMES_H
#define UTIL_FD_NAMES_H

typedef struct FdNames FdNames;

FdNames *fd_names_new(void);
void fd_names_free(FdNames *names); /* closes those that are left; NULL is fine */

/* Those of this thread; NULL: no monitor command is running. */
void fd_names_set_current(FdNames *names);
FdNames *fd_names_current(void);

/* Takes over `fd`; one of the same name is closed. */
void fd_names_put(FdNames *names, const char *name, int fd);
/* Now the caller's; -1: no such name, or `names` is NULL. */
int fd_names_take(FdNames *names, const char *name);

#endif
