/*
 * chardev-socket: a stream socket. A server has one peer at a time and waits for the next when it
 * leaves; a client may try again. The listening socket lives as long as the chardev.
 *
 * Left out: TLS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <glib-unix.h>
#include <poll.h>
#include <sys/socket.h>

#include "chardev/socket.h"

#define MAX_RECONNECT_S 86400 /* a day */

const char *socket_protocol(const CharSocket *s)
{
    return s->is_telnet ? "telnet" : s->is_websocket ? "websocket" : "tcp";
}

static void name_disconnected(CharSocket *s)
{
    g_autofree char *where = s->listener >= 0
        ? socket_address_show_bound(s->listener, s->addr, socket_protocol(s))
        : socket_address_show(s->addr, socket_protocol(s));

    chardev_set_filename(&s->parent, g_strconcat("disconnected:", where,
                                                 s->is_server ? ",server=on" : "", NULL));
}

static void stop_peer_source(CharSocket *s)
{
    if (s->peer_source) {
        g_source_destroy(s->peer_source);
        g_clear_pointer(&s->peer_source, g_source_unref);
    }
}

static void start_peer_source(CharSocket *s, GSource *source)
{
    stop_peer_source(s);
    s->peer_source = source;
    g_source_attach(source, s->parent.context);
}

/* --- server --- */

static bool accept_peer(CharSocket *s)
{
    int fd;

    do {
        fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return false;
    }
    stop_peer_source(s);
    socket_line_open(s, fd);
    return true;
}

static gboolean client_comes(int fd, GIOCondition condition, void *opaque)
{
    CharSocket *s = opaque;

    object_ref(s);
    accept_peer(s);
    object_unref(s);
    /* When one was accepted the source is destroyed. */
    return G_SOURCE_CONTINUE;
}

static void wait_for_client(CharSocket *s)
{
    GSource *source = g_unix_fd_source_new(s->listener, G_IO_IN);

    g_source_set_callback(source, G_SOURCE_FUNC(client_comes), s, NULL);
    start_peer_source(s, source);
}

static bool open_server(CharSocket *s, Error **errp)
{
    s->listener = socket_address_listen(s->addr, errp);
    if (s->listener < 0) {
        return false;
    }
    g_unix_set_fd_nonblocking(s->listener, TRUE, NULL);
    s->unlink_path = g_strdup(socket_address_file(s->addr));
    name_disconnected(s);
    wait_for_client(s);
    return true;
}

static bool socket_wait(Chardev *chr, Error **errp)
{
    CharSocket *s = CHAR_SOCKET(chr);
    g_autofree char *name = NULL;

    if (!s->has_wait || s->fd >= 0) {
        return true;
    }
    name = chardev_filename(chr);
    info_report("QEMU waiting for connection on: %s", name);
    while (s->fd < 0) {
        struct pollfd p = { .fd = s->listener, .events = POLLIN };

        if (poll(&p, 1, -1) < 0 && errno != EINTR) {
            return error_set_errno(errp, errno, "Failed to wait for a client");
        }
        accept_peer(s);
    }
    return true;
}

/* --- client --- */

/* A connection that is made in a thread of its own, for it and name look-ups may take long. */
typedef struct Attempt {
    CharSocket *s; /* referenced */
    SocketAddress *addr;
    GMainContext *context;
    int fd;
    Error *err;
} Attempt;

static void attempt_free(void *opaque)
{
    Attempt *a = opaque;

    if (a->fd >= 0) {
        close(a->fd);
    }
    error_free(a->err);
    socket_address_free(a->addr);
    g_clear_pointer(&a->context, g_main_context_unref);
    object_unref(a->s);
    g_free(a);
}

static gboolean attempt_ended(void *opaque)
{
    Attempt *a = opaque;
    CharSocket *s = a->s;

    s->is_connecting = false;
    if (!s->parent.parent.parent) {
        return G_SOURCE_REMOVE; /* removed meanwhile */
    }
    if (a->fd >= 0) {
        socket_line_open(s, a->fd);
        a->fd = -1;
        return G_SOURCE_REMOVE;
    }
    if (!s->is_failure_told) {
        s->is_failure_told = true;
        error_report("Unable to connect character device %s: %s", s->parent.label,
                     error_text(a->err));
    }
    socket_next_peer(s);
    return G_SOURCE_REMOVE;
}

static void *attempt_run(void *opaque)
{
    Attempt *a = opaque;
    GSource *source = g_idle_source_new();

    a->fd = socket_address_connect(a->addr, &a->err);
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, attempt_ended, a, attempt_free);
    g_source_attach(source, a->context);
    g_source_unref(source);
    return NULL;
}

static void start_connecting(CharSocket *s)
{
    Attempt *a;

    if (s->is_connecting || s->fd >= 0) {
        return;
    }
    s->is_connecting = true;
    a = g_new0(Attempt, 1);
    a->s = CHAR_SOCKET(object_ref(s));
    a->addr = socket_address_clone(s->addr);
    a->context = s->parent.context ? g_main_context_ref(s->parent.context) : NULL;
    a->fd = -1;
    g_thread_unref(g_thread_new("connect", attempt_run, a));
}

static gboolean try_again(void *opaque)
{
    CharSocket *s = opaque;

    stop_peer_source(s);
    start_connecting(s);
    return G_SOURCE_REMOVE;
}

static bool open_client(CharSocket *s, Error **errp)
{
    int fd;

    name_disconnected(s);
    if (s->reconnect_ms) {
        start_connecting(s);
        return true;
    }
    fd = socket_address_connect(s->addr, errp);
    if (fd < 0) {
        return false;
    }
    socket_line_open(s, fd);
    return true;
}

/* --- both --- */

void socket_next_peer(CharSocket *s)
{
    GSource *source;

    if (s->listener >= 0) {
        wait_for_client(s);
    } else if (s->reconnect_ms) {
        source = g_timeout_source_new(s->reconnect_ms);
        g_source_set_callback(source, try_again, s, NULL);
        start_peer_source(s, source);
    }
}

void socket_peer_left(CharSocket *s)
{
    if (s->fd < 0) {
        return;
    }
    socket_line_close(s);
    name_disconnected(s);
    chardev_set_open(&s->parent, false);
    if (s->fd < 0) {
        socket_next_peer(s);
    }
}

static void disconnect_now(Chardev *chr)
{
    socket_peer_left(CHAR_SOCKET(chr));
}

static void socket_disconnect(Chardev *chr)
{
    chardev_run_in_context(chr, disconnect_now);
}

/* The front end may have chosen another context. */
static void socket_update(Chardev *chr)
{
    CharSocket *s = CHAR_SOCKET(chr);

    if (s->peer_source && g_source_get_context(s->peer_source) != chr->context &&
        !(chr->context == NULL &&
          g_source_get_context(s->peer_source) == g_main_context_default())) {
        socket_next_peer(s);
    }
    socket_line_update(chr);
}

static bool check_reconnect(const ChardevSocket *o, Error **errp)
{
    if (o->has_reconnect && o->has_reconnect_ms) {
        return error_set(errp, "'reconnect' and 'reconnect-ms' are mutually exclusive");
    }
    if (o->reconnect < 0 || o->reconnect > MAX_RECONNECT_S) {
        return error_set(errp, "Parameter 'reconnect' expects 0 to %d seconds", MAX_RECONNECT_S);
    }
    if (o->reconnect_ms < 0 || o->reconnect_ms > MAX_RECONNECT_S * 1000) {
        return error_set(errp, "Parameter 'reconnect-ms' expects 0 to %d milliseconds",
                         MAX_RECONNECT_S * 1000);
    }
    return true;
}

static bool check_options(const ChardevSocket *o, Error **errp)
{
    bool is_server = !o->has_server || o->server;

    if (is_server && (o->reconnect || o->reconnect_ms)) {
        return error_set(errp, "'%s' option is incompatible with socket in server listen mode",
                         o->reconnect ? "reconnect" : "reconnect-ms");
    }
    if (!is_server && o->has_wait) {
        return error_set(errp, "'wait' option is incompatible with socket in client connect mode");
    }
    if (!is_server && o->has_websocket && o->websocket) {
        return error_set(errp, "Websocket client is not implemented");
    }
    if (o->has_telnet && o->telnet && o->has_websocket && o->websocket) {
        return error_set(errp, "'telnet' and 'websocket' cannot be used together");
    }
    if (o->has_tn3270 && o->tn3270) {
        return error_set(errp, "'tn3270' is not supported");
    }
    if (o->tls_creds || o->tls_authz) {
        return error_set(errp, "TLS ('%s') is not supported for character devices",
                         o->tls_creds ? "tls-creds" : "tls-authz");
    }
    if (o->addr->type == SOCKET_ADDRESS_TYPE_FD && (o->reconnect || o->reconnect_ms)) {
        return error_set(errp, "'reconnect' needs an address, 'fd' is none");
    }
    return check_reconnect(o, errp);
}

static bool socket_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const ChardevSocket *o = backend->u.socket.data;
    SocketAddress addr = socket_address_of_legacy(o->addr);
    CharSocket *s = CHAR_SOCKET(chr);

    if (!check_options(o, errp)) {
        return false;
    }
    s->addr = socket_address_clone(&addr);
    s->is_server = !o->has_server || o->server;
    s->is_nodelay = o->has_nodelay && o->nodelay;
    s->is_telnet = o->has_telnet && o->telnet;
    s->is_websocket = o->has_websocket && o->websocket;
    s->has_wait = s->is_server && o->has_wait && o->wait;
    s->reconnect_ms = o->has_reconnect_ms ? o->reconnect_ms : o->reconnect * 1000;
    return s->is_server ? open_server(s, errp) : open_client(s, errp);
}

static void socket_init(Object *obj)
{
    CharSocket *s = CHAR_SOCKET(obj);

    s->listener = s->fd = -1;
    s->out = g_byte_array_new();
    websocket_init(&s->websocket);
}

static void socket_finalize(Object *obj)
{
    CharSocket *s = CHAR_SOCKET(obj);

    stop_peer_source(s);
    socket_line_close(s);
    if (s->listener >= 0) {
        close(s->listener);
    }
    if (s->unlink_path) {
        unlink(s->unlink_path);
        g_free(s->unlink_path);
    }
    websocket_clear(&s->websocket);
    g_byte_array_unref(s->out);
    socket_address_free(s->addr);
}

const ChardevType chardev_socket_type = {
    .name = TYPE_CHARDEV_SOCKET,
    .doc = "A stream socket",
    .parent = TYPE_CHARDEV,
    .size = sizeof(CharSocket),
    .init = socket_init,
    .finalize = socket_finalize,
    .open = socket_open,
    .write = socket_line_write,
    .watch = socket_line_watch,
    .update = socket_update,
    .disconnect = socket_disconnect,
    .take_fds = socket_line_take_fds,
    .send_fds = socket_line_send_fds,
    .wait = socket_wait,
    .has_own_context = 1,
};
OBJECT_TYPE(chardev_socket_type)
