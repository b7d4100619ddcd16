/*
 * See net/slirp_source.h. Before each wait libslirp names its sockets anew; those that stay are left
 * alone, for a change ends the wait at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/slirp_source.h"

#include "util/event_loop.h"

typedef struct Socket {
    int fd;
    GIOCondition events;
    gpointer tag;
} Socket;

struct SlirpSource {
    GSource source;
    Slirp *slirp;
    NetPort *port;
    GArray *sockets;     /* Socket; the first `count` are in use */
    guint count;
    int64_t deadline_ns; /* INT64_MAX: none */
};

static GIOCondition to_glib(int events)
{
    return (events & SLIRP_POLL_IN ? G_IO_IN : 0) | (events & SLIRP_POLL_OUT ? G_IO_OUT : 0) |
           (events & SLIRP_POLL_PRI ? G_IO_PRI : 0) | (events & SLIRP_POLL_ERR ? G_IO_ERR : 0) |
           (events & SLIRP_POLL_HUP ? G_IO_HUP : 0);
}

static int from_glib(GIOCondition events)
{
    return (events & G_IO_IN ? SLIRP_POLL_IN : 0) | (events & G_IO_OUT ? SLIRP_POLL_OUT : 0) |
           (events & G_IO_PRI ? SLIRP_POLL_PRI : 0) | (events & G_IO_ERR ? SLIRP_POLL_ERR : 0) |
           (events & G_IO_HUP ? SLIRP_POLL_HUP : 0);
}

static int add_socket(int fd, int events, void *opaque)
{
    SlirpSource *s = opaque;
    Socket want = { fd, to_glib(events), NULL };
    guint n = s->count++;
    Socket *have;

    if (n == s->sockets->len) {
        g_array_append_val(s->sockets, want);
    }
    have = &g_array_index(s->sockets, Socket, n);
    if (have->tag && (have->fd != fd || have->events != want.events)) {
        g_source_remove_unix_fd(&s->source, have->tag);
        have->tag = NULL;
    }
    if (!have->tag) {
        *have = want;
        have->tag = g_source_add_unix_fd(&s->source, fd, want.events);
    }
    return n;
}

static void drop_rest(SlirpSource *s)
{
    for (guint n = s->count; n < s->sockets->len; n++) {
        Socket *socket = &g_array_index(s->sockets, Socket, n);

        g_source_remove_unix_fd(&s->source, socket->tag);
    }
    g_array_set_size(s->sockets, s->count);
}

static gboolean source_prepare(GSource *source, gint *timeout_ms)
{
    SlirpSource *s = (SlirpSource *)source;
    uint32_t timeout = UINT32_MAX;

    s->count = 0;
    slirp_pollfds_fill(s->slirp, &timeout, add_socket, s);
    drop_rest(s);
    s->deadline_ns = INT64_MAX;
    *timeout_ms = -1;
    if (timeout != UINT32_MAX) {
        *timeout_ms = MIN(timeout, (uint32_t)INT_MAX);
        s->deadline_ns = host_monotonic_ns() + (int64_t)timeout * 1000000;
    }
    return FALSE;
}

static int events_of(int n, void *opaque)
{
    SlirpSource *s = opaque;

    if ((guint)n >= s->count) {
        return 0;
    }
    return from_glib(g_source_query_unix_fd(&s->source,
                                            g_array_index(s->sockets, Socket, n).tag));
}

static gboolean source_check(GSource *source)
{
    SlirpSource *s = (SlirpSource *)source;

    if (host_monotonic_ns() >= s->deadline_ns) {
        return TRUE;
    }
    for (guint n = 0; n < s->count; n++) {
        if (events_of(n, s)) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
    SlirpSource *s = (SlirpSource *)source;
    bool has_begun = net_burst_begin(s->port);

    slirp_pollfds_poll(s->slirp, 0, events_of, s);
    net_burst_end(s->port, has_begun);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_functions = { source_prepare, source_check, source_dispatch };

SlirpSource *slirp_source_new(Slirp *slirp, NetPort *port)
{
    SlirpSource *s = (SlirpSource *)g_source_new(&source_functions, sizeof(*s));

    s->slirp = slirp;
    s->port = port;
    s->sockets = g_array_new(FALSE, FALSE, sizeof(Socket));
    s->deadline_ns = INT64_MAX;
    g_source_attach(&s->source, event_loop_context(event_loop_main()));
    return s;
}

void slirp_source_free(SlirpSource *s)
{
    GArray *sockets = s->sockets;

    g_source_destroy(&s->source);
    g_source_unref(&s->source);
    g_array_free(sockets, TRUE);
}
