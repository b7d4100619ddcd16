/*
 * `tap` and `bridge` as users ask for them: which of the ways to an interface it is, and what does not
 * go with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/tap.h"

#include <fcntl.h>

#include "config-host.h"
#include "util/fd_names.h"

#define DEFAULT_UP     "/etc/qemu-ifup"
#define DEFAULT_DOWN   "/etc/qemu-ifdown"
#define DEFAULT_BRIDGE "br0"
#define DEFAULT_HELPER CONFIG_HELPERS "/qemu-bridge-helper"
#define NO_SCRIPT      "no"

typedef struct TapSetup {
    const Netdev *netdev;
    const NetdevTapOptions *o;
    TapQueue queues[NET_MAX_QUEUES];
    unsigned count;
    char name[TAP_NAME_BYTES];
    char *detail;
} TapSetup;

static void setup_clear(TapSetup *t, bool closes)
{
    for (unsigned n = 0; closes && n < t->count; n++) {
        close(t->queues[n].fd);
    }
    g_free(t->detail);
}

static bool finish(TapSetup *t, const char *down_script)
{
    const NetdevTapOptions *o = t->o;
    TapSpec spec = { .id = t->netdev->id, .type = "tap", .name = t->name, .detail = t->detail,
                     .down_script = down_script, .queues = t->queues, .count = t->count };

    for (unsigned n = 0; n < t->count; n++) {
        tap_host_limit(t->queues[n].fd, o && o->has_sndbuf ? o->sndbuf : 0, NULL);
    }
    tap_add(&spec);
    setup_clear(t, false);
    return true;
}

static bool give_up(TapSetup *t)
{
    setup_clear(t, true);
    return false;
}

/* --- descriptors --- */

/* By its number, or the name that getfd gave it; -1 with *errp set. */
static int take_fd(const char *text, Error **errp)
{
    FdNames *names = fd_names_current();
    guint64 number;
    int fd;

    if (!g_ascii_isdigit(*text)) {
        fd = names ? fd_names_take(names, text) : -1;
        if (fd < 0) {
            error_set(errp, "File descriptor named '%s' has not been found", text);
        }
        return fd;
    }
    if (!g_ascii_string_to_unsigned(text, 10, 0, INT_MAX, &number, NULL) ||
        fcntl(number, F_SETFD, FD_CLOEXEC)) {
        error_set(errp, "File descriptor '%s' is not open", text);
        return -1;
    }
    return number;
}

static bool adopt(TapSetup *t, const char *text, Error **errp)
{
    int fd = take_fd(text, errp);

    if (fd < 0 || !tap_host_adopt(fd, &t->queues[t->count], errp)) {
        return false;
    }
    t->count++;
    return t->queues[t->count - 1].has_header == t->queues[0].has_header ||
           error_set(errp, "vnet_hdr not consistent across given tap fds");
}

static bool open_fds(TapSetup *t, const char *list, Error **errp)
{
    g_auto(GStrv) texts = g_strsplit(list, ":", -1);

    if (g_strv_length(texts) > NET_MAX_QUEUES) {
        return error_set(errp, "more than %d queues", NET_MAX_QUEUES);
    }
    for (char **text = texts; *text; text++) {
        if (!adopt(t, *text, errp)) {
            return give_up(t);
        }
    }
    t->detail = t->count == 1 ? g_strdup_printf("fd=%d", t->queues[0].fd)
                              : g_strdup_printf("fds=%s", list);
    return finish(t, NULL);
}

/* --- helpers --- */

static bool open_helped(TapSetup *t, const char *helper, const char *br, Error **errp)
{
    helper = helper ? helper : DEFAULT_HELPER;
    br = br ? br : DEFAULT_BRIDGE;
    if (!tap_host_ask_helper(helper, br, &t->queues[0], errp)) {
        return false;
    }
    t->count = 1;
    t->detail = g_strdup_printf("helper=%s,br=%s", helper, br);
    return finish(t, NULL);
}

/* --- by name --- */

static const char *script_of(const char *text, const char *usual)
{
    text = text ? text : usual;
    return *text && strcmp(text, NO_SCRIPT) ? text : NULL;
}

static bool open_named(TapSetup *t, Error **errp)
{
    const NetdevTapOptions *o = t->o;
    unsigned queues = o->has_queues ? o->queues : 1;
    const char *up = script_of(o->script, DEFAULT_UP), *down = script_of(o->downscript, DEFAULT_DOWN);
    TapHeader header = !o->has_vnet_hdr ? TAP_HEADER_IF_POSSIBLE
                       : o->vnet_hdr ? TAP_HEADER_YES : TAP_HEADER_NO;

    if (!queues || queues > NET_MAX_QUEUES) {
        return error_set(errp, "queues= must be from 1 to %d", NET_MAX_QUEUES);
    }
    if (o->ifname && strlen(o->ifname) >= TAP_NAME_BYTES) {
        return error_set(errp, "ifname '%s' is too long", o->ifname);
    }
    g_strlcpy(t->name, o->ifname ? o->ifname : "", TAP_NAME_BYTES);
    for (; t->count < queues; t->count++) {
        if (!tap_host_open(t->name, header, queues > 1, &t->queues[t->count], errp)) {
            return give_up(t);
        }
    }
    if ((up && !tap_host_run_script(up, t->name, errp)) ||
        (o->has_sndbuf && !tap_host_limit(t->queues[0].fd, o->sndbuf, errp))) {
        return give_up(t);
    }
    t->detail = g_strdup_printf("ifname=%s,script=%s,downscript=%s", t->name, up ? up : NO_SCRIPT,
                                down ? down : NO_SCRIPT);
    return finish(t, down);
}

/* --- options --- */

static bool has_names(const NetdevTapOptions *o)
{
    return o->ifname || o->script || o->downscript || o->has_vnet_hdr || o->has_queues;
}

static bool check(const NetdevTapOptions *o, Error **errp)
{
    if ((o->has_vhost && o->vhost) || (o->has_vhostforce && o->vhostforce) || o->vhostfd ||
        o->vhostfds) {
        return error_set(errp, "vhost=on is not there: queues are served by this process");
    }
    if (o->fd && (has_names(o) || o->helper || o->fds)) {
        return error_set(errp, "ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, fds=, "
                               "and vhostfds= are invalid with fd=");
    }
    if (o->fds && (has_names(o) || o->helper)) {
        return error_set(errp, "ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, and "
                               "vhostfd= are invalid with fds=");
    }
    return !o->helper || !has_names(o) ||
           error_set(errp, "ifname=, script=, downscript=, vnet_hdr=, queues=, fds=, and "
                           "vhostfds= are invalid with helper=");
}

bool net_tap_open(const Netdev *netdev, Error **errp)
{
    const NetdevTapOptions *o = &netdev->u.tap;
    TapSetup t = { .netdev = netdev, .o = o };

    return check(o, errp) && (o->fd ? open_fds(&t, o->fd, errp)
                              : o->fds ? open_fds(&t, o->fds, errp)
                              : o->helper ? open_helped(&t, o->helper, o->br, errp)
                              : open_named(&t, errp));
}

bool net_bridge_open(const Netdev *netdev, Error **errp)
{
    const NetdevBridgeOptions *o = &netdev->u.bridge;
    TapSetup t = { .netdev = netdev };

    return open_helped(&t, o->helper, o->br, errp);
}
