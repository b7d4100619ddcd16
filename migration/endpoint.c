/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "migration/endpoint.h"
#include "migration/endpoint_socket.h"
#include "util/fd_names.h"
#include "util/fdset.h"

struct Endpoint {
    EndpointDirection direction;
    MigrationAddress *address;
    char *text;           /* the address, for messages */
    MigrationStream *stream;
    int listen_fd;        /* -1: none */
    bool owns_path;       /* a unix socket we bound: its file goes with it */
    GPid child;           /* 0: none */
};

/* --- files --- */

static bool prepare_file(int fd, uint64_t offset, EndpointDirection direction)
{
    struct stat st;

    if (fstat(fd, &st)) {
        return false;
    }
    if (direction == ENDPOINT_OUTGOING && S_ISREG(st.st_mode) && ftruncate(fd, offset)) {
        return false; /* what is in front of the offset is somebody's */
    }
    return !offset || lseek(fd, offset, SEEK_SET) >= 0;
}

static int open_file(Endpoint *e, Error **errp)
{
    const FileMigrationArgs *file = &e->address->u.file;
    int flags = e->direction == ENDPOINT_OUTGOING ? O_WRONLY | O_CREAT : O_RDONLY;
    int fd = fdset_open_path(file->filename, flags | O_CLOEXEC | O_NOCTTY, 0600);

    if (fd < 0) {
        error_set_errno(errp, errno, "Failed to open '%s'", file->filename);
        return -1;
    }
    if (!prepare_file(fd, file->offset, e->direction)) {
        error_set_errno(errp, errno, "Failed to seek in '%s' to %" PRIu64, file->filename,
                        file->offset);
        close(fd);
        return -1;
    }
    return fd;
}

/* --- commands --- */

static int start_command(Endpoint *e, Error **errp)
{
    const StrArray *args = e->address->u.exec.args;
    bool is_out = e->direction == ENDPOINT_OUTGOING;
    g_autofree char **argv = g_new0(char *, args->count + 1);
    g_autoptr(GError) failure = NULL;
    int fd = -1;

    if (!args->count) {
        error_set(errp, "The command to migrate through is empty");
        return -1;
    }
    memcpy(argv, args->items, args->count * sizeof(*argv));
    if (!g_spawn_async_with_pipes(NULL, argv, NULL,
                                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH |
                                      (is_out ? 0 : G_SPAWN_CHILD_INHERITS_STDIN),
                                  NULL, NULL, &e->child, is_out ? &fd : NULL,
                                  is_out ? NULL : &fd, NULL, &failure)) {
        error_set(errp, "%s", failure->message);
        return -1;
    }
    return fd;
}

/* --- descriptors --- */

static int number_of(const char *text)
{
    guint64 number;

    return g_ascii_string_to_unsigned(text, 10, 0, INT_MAX, &number, NULL) ? (int)number : -1;
}

static int take_fd(Endpoint *e, Error **errp)
{
    const char *name = e->address->u.socket.u.fd.str;
    int fd = fd_names_take(fd_names_current(), name);

    if (fd < 0) { /* one that was inherited */
        fd = number_of(name);
        if (fd >= 0 && (fd <= STDERR_FILENO || fcntl(fd, F_GETFD) < 0)) {
            fd = -1;
        }
    }
    if (fd < 0) {
        error_set(errp, "File descriptor named '%s' has not been found", name);
    }
    return fd;
}

static bool is_listening(int fd)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) && value;
}

/* --- all --- */

static bool open_fd(Endpoint *e, Error **errp)
{
    const SocketAddress *socket = &e->address->u.socket;
    int fd;

    if (e->address->transport == MIGRATION_ADDRESS_TYPE_FILE) {
        fd = open_file(e, errp);
    } else if (e->address->transport == MIGRATION_ADDRESS_TYPE_EXEC) {
        fd = start_command(e, errp);
    } else if (socket->type == SOCKET_ADDRESS_TYPE_FD) {
        fd = take_fd(e, errp);
    } else if (e->direction == ENDPOINT_INCOMING) {
        fd = endpoint_socket_listen(socket, errp);
        e->owns_path = fd >= 0 && socket->type == SOCKET_ADDRESS_TYPE_UNIX;
    } else {
        return endpoint_socket_check(socket, errp); /* connected in the thread */
    }
    if (fd < 0) {
        return false;
    }
    if (e->direction == ENDPOINT_INCOMING && is_listening(fd)) {
        e->listen_fd = fd;
        g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    } else {
        migration_stream_attach(e->stream, fd);
    }
    return true;
}

Endpoint *endpoint_new(const MigrationAddress *address, EndpointDirection direction, Error **errp)
{
    g_autoptr(Endpoint) e = g_new0(Endpoint, 1);

    e->direction = direction;
    e->listen_fd = -1;
    e->address = migration_address_clone(address);
    e->text = migration_address_text(address);
    e->stream = migration_stream_new(e->text);
    return open_fd(e, errp) ? g_steal_pointer(&e) : NULL;
}

static void stop_listening(Endpoint *e)
{
    if (e->listen_fd >= 0) {
        if (e->owns_path) {
            endpoint_socket_unlink(&e->address->u.socket);
        }
        close(e->listen_fd);
        e->listen_fd = -1;
    }
}

static void kill_command(Endpoint *e)
{
    if (e->child) {
        kill(e->child, SIGKILL);
        while (waitpid(e->child, NULL, 0) < 0 && errno == EINTR) {
        }
        e->child = 0;
    }
}

void endpoint_free(Endpoint *e)
{
    if (e) {
        stop_listening(e);
        migration_stream_free(e->stream);
        kill_command(e);
        migration_address_free(e->address);
        g_free(e->text);
        g_free(e);
    }
}

SocketAddress *endpoint_listening_at(Endpoint *e)
{
    return e->listen_fd >= 0 ? endpoint_socket_name(e->listen_fd) : NULL;
}

MigrationStream *endpoint_stream(Endpoint *e)
{
    return e->stream;
}

static bool accept_one(Endpoint *e, Error **errp)
{
    int fd;

    do {
        if (!migration_stream_wait(e->stream, e->listen_fd, G_IO_IN, errp)) {
            return false;
        }
        fd = accept4(e->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED));
    if (fd < 0) {
        return error_set_errno(errp, errno, "Failed to accept a connection at '%s'", e->text);
    }
    migration_stream_attach(e->stream, fd);
    stop_listening(e);
    return true;
}

bool endpoint_connect(Endpoint *e, Error **errp)
{
    if (e->listen_fd >= 0) {
        return accept_one(e, errp);
    }
    return migration_stream_is_attached(e->stream) ||
           endpoint_socket_connect(&e->address->u.socket, e->stream, errp);
}

bool endpoint_finish(Endpoint *e, Error **errp)
{
    int status = 0;
    pid_t done;

    if (e->direction == ENDPOINT_INCOMING) {
        kill_command(e); /* all that we wanted to hear was said */
        return true;
    }
    if (!migration_stream_finish(e->stream, errp)) {
        return false;
    }
    while (e->child && !(done = waitpid(e->child, &status, WNOHANG))) {
        if (!migration_stream_wait_ms(e->stream, 10, errp)) {
            return false;
        }
    }
    e->child = 0;
    if (WIFSIGNALED(status)) {
        return error_set(errp, "The command was ended by signal %d", WTERMSIG(status));
    }
    return !WEXITSTATUS(status) ||
           error_set(errp, "The command ended with status %d", WEXITSTATUS(status));
}
