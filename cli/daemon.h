/*
 * The process on its host: background, pid file, signals, user, root folder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "qom/error.h"

/*
 * Forks; the parent waits until the child calls daemon_ready() or ends, and exits 0 or 1 with it.
 * The child goes on, still on the caller's terminal. Before any thread.
 */
void daemon_fork(void);
/* Everything listens and the pid file is there: lets go of the terminal, then of the parent. */
bool daemon_ready(Error **errp);
bool daemon_is_used(void);

/* Created 0600, locked, removed at exit. */
bool pid_file_create(const char *path, Error **errp);

/* SIGINT, SIGHUP, SIGTERM ask the main loop to end; SIGPIPE is ignored. */
void signals_install(void);

/* `user`: a name or "UID:GID". NULL fields are left. */
bool privileges_drop(const char *user, const char *root, Error **errp);
/* A user that does not exist is told before anything is made. */
bool privileges_check(const char *user, Error **errp);

#endif
