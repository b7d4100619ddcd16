/*
 * The user network: libslirp speaks for the guest with sockets of this process, so that it needs no
 * privileges.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/user.h"

#include <arpa/inet.h>

#include "util/event_loop.h"
#include "util/log.h"

/* --- what libslirp asks for --- */

typedef struct StackTimer {
    UserNet *net;
    SlirpTimerId id;
    void *opaque;
    GSource *source; /* NULL: not armed */
} StackTimer;

static ssize_t stack_sends(const void *bytes, size_t size, void *opaque)
{
    UserNet *net = opaque;

    net_send_bytes(&net->end.ports[0], bytes, size);
    return size;
}

static void stack_blames_guest(const char *text, void *opaque)
{
    guest_error("netdev %s: %s", ((UserNet *)opaque)->end.name, text);
}

static int64_t stack_clock(void *opaque)
{
    return host_monotonic_ns();
}

static void *stack_timer_new(SlirpTimerId id, void *timer_opaque, void *opaque)
{
    StackTimer *timer = g_new0(StackTimer, 1);

    timer->net = opaque;
    timer->id = id;
    timer->opaque = timer_opaque;
    return timer;
}

static void stack_timer_stop(StackTimer *timer)
{
    if (timer->source) {
        g_source_destroy(timer->source);
        timer->source = NULL;
    }
}

static void stack_timer_free(void *opaque, void *net)
{
    stack_timer_stop(opaque);
    g_free(opaque);
}

static void stack_timer_fires(void *opaque)
{
    StackTimer *timer = opaque;

    timer->source = NULL;
    slirp_handle_timer(timer->net->slirp, timer->id, timer->opaque);
}

static void stack_timer_arm(void *opaque, int64_t expire_ms, void *net)
{
    StackTimer *timer = opaque;
    int64_t delay_ms = expire_ms - host_monotonic_ns() / 1000000;

    stack_timer_stop(timer);
    timer->source = event_loop_defer_ms(event_loop_main(), CLAMP(delay_ms, 0, INT_MAX),
                                        stack_timer_fires, timer);
}

/* Its sockets are named before each wait. */
static void stack_watches(int fd, void *opaque)
{
}

static void stack_wants_poll(void *opaque)
{
    event_loop_wake(event_loop_main());
}

static const SlirpCb stack_calls = {
    .send_packet = stack_sends,
    .guest_error = stack_blames_guest,
    .clock_get_ns = stack_clock,
    .timer_free = stack_timer_free,
    .timer_mod = stack_timer_arm,
    .register_poll_fd = stack_watches,
    .unregister_poll_fd = stack_watches,
    .notify = stack_wants_poll,
    .timer_new_opaque = stack_timer_new,
};

/* --- the end --- */

static NetResult user_receive(NetPort *port, const NetFrame *frame)
{
    UserNet *net = (UserNet *)port->end;
    g_autofree uint8_t *whole = NULL;
    const uint8_t *bytes = frame->iov[0].iov_base;

    if (frame->count > 1) {
        size_t at = 0;

        bytes = whole = g_malloc(frame->bytes);
        for (unsigned n = 0; n < frame->count; n++) {
            memcpy(whole + at, frame->iov[n].iov_base, frame->iov[n].iov_len);
            at += frame->iov[n].iov_len;
        }
    }
    slirp_input(net->slirp, bytes, frame->bytes);
    user_ports_go_on(net);
    if (!net->is_burst) {
        event_loop_wake(event_loop_main()); /* there may be new sockets to wait for */
    }
    return NET_DONE;
}

static void user_burst(NetPort *port, bool is_on)
{
    UserNet *net = (UserNet *)port->end;

    net->is_burst = is_on;
    if (!is_on) {
        event_loop_wake(event_loop_main());
    }
}

/* A stream's bytes are all it wants of segments: it answers and writes each. */
static unsigned user_offloads(NetEnd *end)
{
    return NET_TAKES_UNCUT;
}

static char *user_describe(NetEnd *end)
{
    return g_strdup(((UserNet *)end)->detail);
}

static void user_free(NetEnd *end)
{
    UserNet *net = (UserNet *)end;

    if (net->source) {
        slirp_source_free(net->source);
    }
    g_ptr_array_unref(net->ports);
    if (net->slirp) {
        slirp_cleanup(net->slirp);
    }
    user_smb_clear(net);
    g_free(net->detail);
    g_free(net);
}

static const NetOps user_ops = {
    .receive = user_receive, .burst = user_burst, .describe = user_describe, .free = user_free,
    .offloads = user_offloads, .save = user_state_save, .load = user_state_load,
};

static bool add_forward(UserNet *net, const char *rule, Error **errp)
{
    UserForward f;

    if (!user_parse_forward(rule, true, &f, errp)) {
        return false;
    }
    return slirp_add_hostfwd(net->slirp, f.is_udp, f.host, f.host_port, f.guest,
                             f.guest_port) >= 0 ||
           error_set(errp, "Could not set up host forwarding rule '%s'", rule);
}

static bool add_rules(UserNet *net, const StringArray *rules,
                      bool (*add)(UserNet *net, const char *rule, Error **errp), Error **errp)
{
    for (size_t n = 0; rules && n < rules->count; n++) {
        if (!add(net, rules->items[n]->str, errp)) {
            return false;
        }
    }
    return true;
}

bool net_user_open(const Netdev *netdev, Error **errp)
{
    const NetdevUserOptions *options = &netdev->u.user;
    g_autoptr(GPtrArray) search = NULL;
    char text[INET_ADDRSTRLEN];
    SlirpConfig config;
    UserNet *net;

    if (!user_config(options, &config, &search, errp)) {
        return false;
    }
    net = g_new0(UserNet, 1);
    net->ports = g_ptr_array_new_with_free_func(user_port_free);
    net->detail = g_strdup_printf("net=%s,restrict=%s",
                                  inet_ntop(AF_INET, &config.vnetwork, text, sizeof(text)),
                                  config.restricted ? "on" : "off");
    net_backend_add(&net->end, &user_ops, "user", netdev->id, 1);
    net->slirp = slirp_new(&config, &stack_calls, net);
    if (!net->slirp) {
        net_backend_remove(&net->end);
        return error_set(errp, "the user network does not start");
    }
    net->source = slirp_source_new(net->slirp, &net->end.ports[0]);
    if (!add_rules(net, options->hostfwd, add_forward, errp) ||
        !add_rules(net, options->guestfwd, user_add_port, errp) ||
        (options->smb && !user_smb_add(net, options->smb, options->smbserver, errp))) {
        net_backend_remove(&net->end);
        return false;
    }
    return true;
}

/* --- for people --- */

static bool find_user(void *opaque, NetEnd *end)
{
    if (end->ops == &user_ops) {
        g_ptr_array_add(opaque, end);
    }
    return true;
}

static UserNet *user_get(const char *id, Error **errp)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    NetEnd *end = id ? net_backend_get(id) : NULL;

    if (id && (!end || end->ops != &user_ops)) {
        error_set(errp, end ? "'%s' is no user network" : "unrecognized netdev id '%s'", id);
        return NULL;
    }
    if (id) {
        return (UserNet *)end;
    }
    net_each(find_user, all);
    if (!all->len) {
        error_set(errp, "user mode network stack not in use");
        return NULL;
    }
    return all->pdata[0];
}

bool net_user_add_forward(const char *id, const char *rule, Error **errp)
{
    UserNet *net = user_get(id, errp);

    if (!net || !add_forward(net, rule, errp)) {
        return false;
    }
    event_loop_wake(event_loop_main());
    return true;
}

bool net_user_remove_forward(const char *id, const char *rule, Error **errp)
{
    UserNet *net = user_get(id, errp);
    UserForward f;

    if (!net || !user_parse_forward(rule, false, &f, errp)) {
        return false;
    }
    return slirp_remove_hostfwd(net->slirp, f.is_udp, f.host, f.host_port) >= 0 ||
           error_set(errp, "host forwarding rule for %s not found", rule);
}

static bool show_user(void *opaque, NetEnd *end)
{
    NetEnd *peer = net_peer(end);
    int32_t hub = -1;
    char *connections;

    if (end->ops != &user_ops) {
        return true;
    }
    if (peer) {
        net_hub_of(peer, &hub);
    }
    connections = slirp_connection_info(((UserNet *)end)->slirp);
    g_string_append_printf(opaque, "Hub %" PRIi32 " (%s):\n%s", hub, end->name, connections);
    g_free(connections);
    return true;
}

char *net_user_info(void)
{
    GString *text = g_string_new(NULL);

    net_each(show_user, text);
    return g_string_free(text, FALSE);
}
