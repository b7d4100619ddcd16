/*
 * Going to the background: see cli/daemon.h. Who starts us with -daemonize waits for our exit
 * and then connects once: so sockets listen and the pid file holds the daemon's pid before the
 * parent goes, and nothing keeps the caller's stderr open after.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cli/daemon.h"
#include "system/run_state.h"
#include "util/event_loop.h"

/* The write end of the pipe the parent waits on; -1: not a daemon. */
static int ready_fd = -1;
static char *pid_path;
static pid_t pid_owner;

static void wait_for_child(int fd)
{
    char status;
    ssize_t got;

    do {
        got = read(fd, &status, 1);
    } while (got < 0 && errno == EINTR);
    _exit(got == 1 ? 0 : 1);
}

void daemon_fork(void)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0) {
        error_report("cannot create a pipe: %s", g_strerror(errno));
        exit(1);
    }
    pid = fork();
    if (pid < 0) {
        error_report("cannot fork: %s", g_strerror(errno));
        exit(1);
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for_child(fds[0]);
    }
    close(fds[0]);
    ready_fd = fds[1];
    setsid();
    umask(027);
    signal(SIGTSTP, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
}

bool daemon_is_used(void)
{
    return ready_fd >= 0;
}

bool daemon_ready(Error **errp)
{
    int null_fd;

    if (ready_fd < 0) {
        return true;
    }
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || chdir("/") < 0) {
        return error_set_errno(errp, errno, "cannot leave the terminal");
    }
    for (int fd = 0; fd <= 2; fd++) {
        dup2(null_fd, fd);
    }
    close(null_fd);
    while (write(ready_fd, "", 1) < 0 && errno == EINTR) {
    }
    close(ready_fd);
    ready_fd = -1;
    return true;
}

static void pid_file_remove(void)
{
    if (getpid() == pid_owner) {
        unlink(pid_path);
    }
}

/* Opens and locks the file that the path names at this moment. */
static int open_locked(const char *path, Error **errp)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    for (;;) {
        struct stat opened, named;
        int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

        if (fd < 0) {
            error_set_errno(errp, errno, "cannot create PID file: Could not create '%s'", path);
            return -1;
        }
        if (fcntl(fd, F_SETLK, &lock) < 0 || fstat(fd, &opened) < 0) {
            error_set_errno(errp, errno, "cannot create PID file: Could not lock '%s'", path);
            close(fd);
            return -1;
        }
        if (stat(path, &named) == 0 && named.st_ino == opened.st_ino) {
            return fd;
        }
        close(fd); /* somebody removed it meanwhile */
    }
}

bool pid_file_create(const char *path, Error **errp)
{
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());
    int fd = open_locked(path, errp);

    if (fd < 0) {
        return false;
    }
    if (ftruncate(fd, 0) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        error_set_errno(errp, errno, "cannot create PID file: Failed to write '%s'", path);
        close(fd);
        return false;
    }
    pid_path = g_canonicalize_filename(path, NULL);
    pid_owner = getpid();
    atexit(pid_file_remove); /* the descriptor stays open: it holds the lock */
    return true;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    vm_request_kill(number, info->si_pid);
}

void signals_install(void)
{
    static const int ends[] = { SIGINT, SIGHUP, SIGTERM };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        sigaction(ends[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}
