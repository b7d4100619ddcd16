/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib-unix.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include "migration/stream.h"

#define BUFFER_BYTES (64 * KiB)
/* How often a stream that is too fast looks whether it may go on. */
#define PACE_MS 10

struct MigrationStream {
    int fd;
    int cancel_fd; /* readable: cancelled */
    char *name;
    Error *error;          /* the first */
    uint8_t *buffer;       /* to be written, or read ahead */
    size_t start, end;
    uint64_t bytes;        /* atomic */
    uint64_t limit;        /* atomic, bytes per second */
    int64_t span_start_us; /* pace(): since when */
    uint64_t span_bytes;   /* `bytes` then */
};

MigrationStream *migration_stream_new(const char *name)
{
    MigrationStream *s = g_new0(MigrationStream, 1);

    s->fd = -1;
    s->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->name = g_strdup(name);
    s->buffer = g_malloc(BUFFER_BYTES);
    if (s->cancel_fd < 0) {
        error_set_errno(&s->error, errno, "%s: eventfd", name);
    }
    return s;
}

void migration_stream_attach(MigrationStream *s, int fd)
{
    assert(s->fd < 0);
    s->fd = fd;
    s->span_start_us = g_get_monotonic_time();
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
}

bool migration_stream_is_attached(const MigrationStream *s)
{
    return s->fd >= 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void migration_stream_free(MigrationStream *s)
{
    if (s) {
        close_fd(&s->fd);
        close_fd(&s->cancel_fd);
        error_free(s->error);
        g_free(s->buffer);
        g_free(s->name);
        g_free(s);
    }
}

/* Fails with the error that sticks. */
static bool fail(MigrationStream *s, Error **errp)
{
    return error_propagate(errp, error_copy(s->error));
}

/* Until the descriptor (-1: none) is ready or the time is over. */
static bool wait_for(MigrationStream *s, int fd, short events, int timeout_ms, Error **errp)
{
    struct pollfd fds[] = {
        { .fd = s->cancel_fd, .events = POLLIN },
        { .fd = fd, .events = events },
    };

    if (s->error) {
        return fail(s, errp);
    }
    while (poll(fds, 2, timeout_ms) < 0) {
        if (errno != EINTR) {
            error_set_errno(&s->error, errno, "%s: poll", s->name);
            return fail(s, errp);
        }
    }
    if (fds[0].revents) {
        error_set(&s->error, "%s: cancelled", s->name);
        return fail(s, errp);
    }
    return true;
}

bool migration_stream_wait(MigrationStream *s, int fd, GIOCondition events, Error **errp)
{
    return wait_for(s, fd, events & G_IO_IN ? POLLIN : POLLOUT, -1, errp);
}

bool migration_stream_wait_ms(MigrationStream *s, int ms, Error **errp)
{
    return wait_for(s, -1, 0, ms, errp);
}

static bool is_transient(int err)
{
    return err == EAGAIN || err == EINTR;
}

/* A pipe whose reader went away is an error here: threads have SIGPIPE blocked. */
static bool write_all(MigrationStream *s, const uint8_t *bytes, size_t size, Error **errp)
{
    while (size) {
        ssize_t done;

        if (!wait_for(s, s->fd, POLLOUT, -1, errp)) {
            return false;
        }
        done = write(s->fd, bytes, size);
        if (done < 0 && !is_transient(errno)) {
            error_set_errno(&s->error, errno, "%s: write", s->name);
            return fail(s, errp);
        }
        if (done > 0) {
            bytes += done;
            size -= done;
            __atomic_fetch_add(&s->bytes, done, __ATOMIC_RELAXED);
        }
    }
    return true;
}

bool migration_stream_flush(MigrationStream *s, Error **errp)
{
    size_t size = s->end;

    if (s->error) {
        return fail(s, errp);
    }
    s->end = 0;
    return write_all(s, s->buffer, size, errp);
}

bool migration_stream_write(MigrationStream *s, const void *bytes, size_t size, Error **errp)
{
    if (s->error) {
        return fail(s, errp);
    }
    if (size > BUFFER_BYTES - s->end && !migration_stream_flush(s, errp)) {
        return false;
    }
    if (size > BUFFER_BYTES) {
        return write_all(s, bytes, size, errp);
    }
    if (size) {
        memcpy(s->buffer + s->end, bytes, size);
        s->end += size;
    }
    return true;
}

/* At least one byte more, into `to`. */
static bool read_some(MigrationStream *s, uint8_t *to, size_t size, size_t *got, Error **errp)
{
    for (;;) {
        ssize_t done;

        if (!wait_for(s, s->fd, POLLIN, -1, errp)) {
            return false;
        }
        done = read(s->fd, to, size);
        if (done > 0) {
            __atomic_fetch_add(&s->bytes, done, __ATOMIC_RELAXED);
            *got = done;
            return true;
        }
        if (!done) {
            error_set(&s->error, "%s: the stream ended early, after %" PRIu64 " bytes", s->name,
                      migration_stream_bytes(s));
            return fail(s, errp);
        }
        if (!is_transient(errno)) {
            error_set_errno(&s->error, errno, "%s: read", s->name);
            return fail(s, errp);
        }
    }
}

static size_t take_buffered(MigrationStream *s, uint8_t *to, size_t size)
{
    size_t part = MIN(size, s->end - s->start);

    memcpy(to, s->buffer + s->start, part);
    s->start += part;
    return part;
}

bool migration_stream_read(MigrationStream *s, void *bytes, size_t size, Error **errp)
{
    uint8_t *to = bytes;

    if (s->error) {
        return fail(s, errp);
    }
    while (size) {
        size_t got = 0;

        if (s->start < s->end) {
            got = take_buffered(s, to, size);
        } else if (size >= BUFFER_BYTES) {
            if (!read_some(s, to, size, &got, errp)) {
                return false;
            }
        } else {
            s->start = s->end = 0;
            if (!read_some(s, s->buffer, BUFFER_BYTES, &s->end, errp)) {
                return false;
            }
        }
        to += got;
        size -= got;
    }
    return true;
}

/* A socket that is shared with others (fd:) would stay open by our close() alone. */
bool migration_stream_finish(MigrationStream *s, Error **errp)
{
    if (!migration_stream_flush(s, errp)) {
        return false;
    }
    if (shutdown(s->fd, SHUT_WR) && errno != ENOTSOCK && errno != ENOTCONN) {
        error_set_errno(&s->error, errno, "%s: shutdown", s->name);
        return fail(s, errp);
    }
    if (close(s->fd)) {
        error_set_errno(&s->error, errno, "%s: close", s->name);
    }
    s->fd = -1;
    return !s->error || fail(s, errp);
}

/* What was sent before the span is paid for; unused allowance does not add up. */
bool migration_stream_pace(MigrationStream *s, Error **errp)
{
    for (;;) {
        uint64_t limit = __atomic_load_n(&s->limit, __ATOMIC_RELAXED);
        uint64_t bytes = migration_stream_bytes(s) + (s->end - s->start); /* on their way */
        int64_t now_us = g_get_monotonic_time();
        double allowed = (double)limit * (now_us - s->span_start_us) / G_USEC_PER_SEC;

        if (!limit || bytes - s->span_bytes <= allowed) {
            s->span_start_us = now_us;
            s->span_bytes = bytes;
            return wait_for(s, -1, 0, 0, errp);
        }
        if (!wait_for(s, -1, 0, PACE_MS, errp)) {
            return false;
        }
    }
}

void migration_stream_cancel(MigrationStream *s)
{
    uint64_t one = 1;

    if (write(s->cancel_fd, &one, sizeof(one)) != sizeof(one)) {
        assert(errno == EAGAIN); /* cancelled very often */
    }
}

bool migration_stream_is_cancelled(MigrationStream *s)
{
    struct pollfd fd = { .fd = s->cancel_fd, .events = POLLIN };

    return poll(&fd, 1, 0) > 0;
}

void migration_stream_set_limit(MigrationStream *s, uint64_t bytes_per_second)
{
    __atomic_store_n(&s->limit, bytes_per_second, __ATOMIC_RELAXED);
}

uint64_t migration_stream_bytes(MigrationStream *s)
{
    return __atomic_load_n(&s->bytes, __ATOMIC_RELAXED);
}
