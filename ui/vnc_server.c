/*
 * VNC: servers, where they wait, and who is connected. See ui/vnc.h.
 *
 * Left out: TLS, SASL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/vnc_parts.h"

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <sys/eventfd.h>

#include "crypto/secret.h"
#include "qapi/qapi-events-ui.h"
#include "sockets/socket_address.h"
#include "ui/text_console.h"
#include "util/thread.h"

#define MAX_CLIENTS_DEFAULT  32
#define KEY_DELAY_MS_DEFAULT 10
#define FIRST_WIDTH          640 /* of a machine without a screen */
#define FIRST_HEIGHT         480

GPtrArray *vnc_servers(void)
{
    static GPtrArray *servers;

    if (!servers) {
        servers = g_ptr_array_new();
    }
    return servers;
}

VncServer *vnc_server_find(const char *id)
{
    for (guint i = 0; i < vnc_servers()->len; i++) {
        VncServer *server = vnc_servers()->pdata[i];

        if (!id || !strcmp(server->id, id)) {
            return server;
        }
    }
    return NULL;
}

bool vnc_is_built(void)
{
    return true;
}

/* --- clients --- */

void vnc_client_end(VncClient *client)
{
    client->is_ending = true;
    shutdown(client->fd, SHUT_RDWR);
    g_cond_signal(&client->taken);
    (void)!write(client->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static Console *console_to_show(VncServer *server)
{
    Console *chosen = server->display ? console_find(server->display, server->head, NULL) :
                                        console_choice(server->chosen);

    return chosen || server->display ? chosen : console_choice(0);
}

/* Who is drawn for is watched; nobody else. */
static void watch_console(void *opaque)
{
    VncServer *server = opaque;
    Console *console = server->clients->len ? console_to_show(server) : NULL;

    if (console == server->console) {
        return;
    }
    if (server->console) {
        console_remove_listener(server->console, &server->listener);
    }
    server->console = console;
    if (console) {
        console_add_listener(console, &server->listener);
        console_refresh(console);
    }
}

void vnc_server_choose(VncServer *server, unsigned n)
{
    if (console_choice(n)) {
        server->chosen = n;
        watch_console(server);
    }
}

static void client_free(VncClient *client)
{
    g_free(client->dirty);
    vnc_server_info_free(client->here);
    vnc_client_info_free(client->there);
    g_cond_clear(&client->taken);
    close(client->fd);
    close(client->wake_fd);
    g_free(client);
}

/* Its thread has nothing more to do. */
static void client_is_gone(void *opaque)
{
    VncClient *client = opaque;
    VncServer *server = client->server;

    g_thread_join(client->thread);
    vnc_client_release_keys(client);
    g_mutex_lock(&server->lock);
    g_ptr_array_remove(server->clients, client);
    g_mutex_unlock(&server->lock);
    qapi_event_send_vnc_disconnected(client->here, client->there);
    watch_console(server);
    client_free(client);
}

static void *run_client(void *opaque)
{
    vnc_client_run(opaque);
    event_loop_defer(event_loop_main(), client_is_gone, opaque);
    return NULL;
}

static void name_end(VncBasicInfo *info, SocketAddress *addr, bool is_websocket)
{
    bool is_inet = addr && addr->type == SOCKET_ADDRESS_TYPE_INET;

    info->host = g_strdup(is_inet ? addr->u.inet.host : "");
    info->service = g_strdup(is_inet ? addr->u.inet.port : addr ? addr->u.unix_.path : "");
    info->family = !addr ? NETWORK_ADDRESS_FAMILY_UNKNOWN :
                   !is_inet ? NETWORK_ADDRESS_FAMILY_UNIX :
                   addr->u.inet.ipv6 ? NETWORK_ADDRESS_FAMILY_IPV6 : NETWORK_ADDRESS_FAMILY_IPV4;
    info->websocket = is_websocket;
}

static VncClient *client_new(VncServer *server, int fd, bool is_websocket, bool needs_password)
{
    VncClient *client = g_new0(VncClient, 1);
    g_autoptr(SocketAddress) own = socket_address_of_own(fd);
    g_autoptr(SocketAddress) peer = socket_address_of_peer(fd);

    *client = (VncClient){ .server = server, .fd = fd, .is_websocket = is_websocket,
                           .needs_password = needs_password, .is_shared = true, .last_x = -1 };
    client->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    client->here = g_new0(VncServerInfo, 1);
    client->there = g_new0(VncClientInfo, 1);
    name_end((VncBasicInfo *)client->here, own, is_websocket);
    name_end((VncBasicInfo *)client->there, peer, is_websocket);
    client->here->auth = g_strdup(needs_password ? "vnc" : "none");
    g_cond_init(&client->taken);
    vnc_client_forget(client);
    vnc_client_take_state(client);
    return client;
}

/* Who only holds the line while there is no room gives way, the oldest first. */
static bool make_room(VncServer *server)
{
    unsigned staying = 0;
    VncClient *oldest = NULL;

    for (guint i = 0; i < server->clients->len; i++) {
        VncClient *client = server->clients->pdata[i];

        staying += !client->is_ending;
        if (!oldest && !client->is_ending && client->stage == VNC_GREETING) {
            oldest = client;
        }
    }
    if (staying >= server->max_clients && oldest) {
        vnc_client_end(oldest);
    }
    return staying < server->max_clients || oldest;
}

void vnc_server_accept(VncServer *server, int fd, bool is_websocket, bool needs_password)
{
    g_autofree char *why = NULL;
    VncClient *client;
    bool has_room;

    g_mutex_lock(&server->lock);
    has_room = make_room(server);
    g_mutex_unlock(&server->lock);
    if (!has_room) {
        close(fd);
        return;
    }
    g_mutex_lock(&server->lock);
    client = client_new(server, fd, is_websocket, needs_password);
    g_ptr_array_add(server->clients, client);
    g_mutex_unlock(&server->lock);
    qapi_event_send_vnc_connected(client->here, (VncBasicInfo *)client->there);
    watch_console(server);
    client->thread = client->wake_fd < 0 ? NULL :
                     thread_new("vnc_worker", run_client, client, &why);
    if (!client->thread) {
        warn_report("VNC client refused: %s", why ? why : g_strerror(errno));
        g_mutex_lock(&server->lock);
        g_ptr_array_remove(server->clients, client);
        g_mutex_unlock(&server->lock);
        watch_console(server);
        client_free(client);
    }
}

bool vnc_add_client(int fd, bool needs_no_password, Error **errp)
{
    VncServer *server = vnc_server_find(NULL);

    if (!server) {
        return error_set(errp, "there is no VNC server");
    }
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    vnc_server_accept(server, fd, false, server->needs_password && !needs_no_password);
    return true;
}

/* --- where it waits --- */

static void client_comes(void *opaque, GIOCondition events)
{
    VncListener *listener = opaque;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        vnc_server_accept(listener->server, fd, listener->is_websocket,
                          listener->server->needs_password);
    }
}

static void listener_free(void *opaque)
{
    VncListener *listener = opaque;

    fd_watch_free(listener->watch);
    close(listener->fd);
    if (listener->unlink_path) {
        g_unlink(listener->unlink_path);
        g_free(listener->unlink_path);
    }
    g_free(listener);
}

static bool add_listener(VncServer *server, GPtrArray *listeners, const SocketAddress *addr,
                         bool is_websocket, Error **errp)
{
    int fd = socket_address_listen(addr, errp);
    VncListener *listener;

    if (fd < 0) {
        return false;
    }
    listener = g_new0(VncListener, 1);
    *listener = (VncListener){ server, fd, is_websocket, NULL,
                               g_strdup(socket_address_file(addr)) };
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    listener->watch = fd_watch_new(event_loop_main(), fd, G_IO_IN, client_comes, listener);
    g_ptr_array_add(listeners, listener);
    return true;
}

/* What is asked for again is let go first; if nothing comes of it the old places are gone too. */
bool vnc_server_listen_anew(VncServer *server, const SocketAddressArray *addresses, Error **errp)
{
    g_ptr_array_set_size(server->listeners, 0);
    for (size_t i = 0; i < addresses->count; i++) {
        if (!add_listener(server, server->listeners, addresses->items[i], false, errp)) {
            return false;
        }
    }
    return true;
}

static bool open_places(VncServer *server, const VncOptions *options, Error **errp)
{
    VncPlace place;
    bool is_ok = vnc_place_parse(options, &place, errp);
    int fd;

    if (is_ok && options->has_reverse && options->reverse) {
        fd = place.addr ? socket_address_connect(place.addr, errp) : -1;
        is_ok = fd >= 0 || (!place.addr && error_set(errp, "'reverse' needs an address"));
        if (is_ok) {
            g_unix_set_fd_nonblocking(fd, TRUE, NULL);
            vnc_server_accept(server, fd, false, server->needs_password);
        }
    } else if (is_ok) {
        is_ok = (!place.addr ||
                 add_listener(server, server->listeners, place.addr, false, errp)) &&
                (!place.websocket ||
                 add_listener(server, server->listeners, place.websocket, true, errp));
    }
    vnc_place_clear(&place);
    return is_ok;
}

/* --- life --- */

static void server_free(VncServer *server)
{
    g_ptr_array_remove(vnc_servers(), server);
    g_ptr_array_unref(server->listeners);
    g_ptr_array_unref(server->clients);
    vnc_input_clear(server);
    deferred_free(server->rewatch);
    vnc_frame_clear(&server->frame);
    g_mutex_clear(&server->lock);
    g_free(server->id);
    g_free(server->display);
    g_free(server->password);
    g_free(server);
}

static VncServer *server_new(const VncOptions *o, const Keymap *keymap)
{
    VncServer *server = g_new0(VncServer, 1);

    *server = (VncServer){
        .id = o->id ? g_strdup(o->id) : !vnc_server_find(NULL) ? g_strdup("default") :
              g_strdup_printf("vnc%u", vnc_servers()->len),
        .display = g_strdup(o->display),
        .head = o->has_head ? o->head : 0,
        .keymap = keymap,
        .max_clients = o->has_connections ? o->connections : MAX_CLIENTS_DEFAULT,
        .key_delay_ms = o->has_key_delay_ms ? o->key_delay_ms : KEY_DELAY_MS_DEFAULT,
        .share = o->has_share ? o->share : VNC_SHARE_ALLOW_EXCLUSIVE,
        .is_lossy = o->has_lossy && o->lossy,
        .has_power = o->has_power_control && o->power_control,
        .needs_password = o->password_secret || (o->has_password && o->password),
        .password = o->password_secret ? g_strdup(secret_text(o->password_secret, NULL)) : NULL,
        .listeners = g_ptr_array_new_with_free_func(listener_free),
        .listener = vnc_console_listener,
        .clients = g_ptr_array_new(),
        .expires_s = INT64_MAX,
    };
    server->frame.width = FIRST_WIDTH;
    server->frame.height = FIRST_HEIGHT;
    server->frame.pixels = g_new0(uint32_t, FIRST_WIDTH * FIRST_HEIGHT);
    server->rewatch = deferred_new(event_loop_main(), watch_console, server);
    g_mutex_init(&server->lock);
    g_ptr_array_add(vnc_servers(), server);
    return server;
}

static bool check(const VncOptions *o, Error **errp)
{
    if (o->id && vnc_server_find(o->id)) {
        return error_set(errp, "Duplicate ID '%s' for vnc", o->id);
    }
    if (o->password_secret && o->has_password && o->password) {
        return error_set(errp, "'password' flag is redundant with 'password-secret'");
    }
    if (o->password_secret && !secret_text(o->password_secret, errp)) {
        return false;
    }
    if (o->has_head && !o->display) {
        return error_set(errp, "'head' must be specified together with 'display'");
    }
    return !o->display || console_find(o->display, o->has_head ? o->head : 0, errp);
}

bool vnc_server_add(json_object *keys, const Keymap *keymap, Error **errp)
{
    g_autoptr(VncOptions) options = vnc_options_from_json(keys, QAPI_TEXT, errp);
    VncServer *server;

    if (!options || !check(options, errp)) {
        return false;
    }
    vnc_input_init();
    server = server_new(options, keymap);
    if (!open_places(server, options, errp)) {
        server_free(server);
        return false;
    }
    return true;
}

static bool has_no_clients(void *opaque)
{
    return !((VncServer *)opaque)->clients->len;
}

void vnc_cleanup(void)
{
    while (vnc_servers()->len) {
        VncServer *server = vnc_servers()->pdata[0];

        g_ptr_array_set_size(server->listeners, 0);
        g_mutex_lock(&server->lock);
        for (guint i = 0; i < server->clients->len; i++) {
            vnc_client_end(server->clients->pdata[i]);
        }
        g_mutex_unlock(&server->lock);
        event_loop_run_until(event_loop_main(), has_no_clients, server);
        server_free(server);
    }
}
