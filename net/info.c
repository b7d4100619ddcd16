/*
 * What "info network" prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/kinds.h"

static char *describe(NetEnd *end)
{
    g_autofree char *mac = NULL;

    if (end->is_device) {
        mac = net_show_mac(end->mac);
        return g_strdup_printf("model=%s,macaddr=%s", end->model, mac);
    }
    return end->ops->describe ? end->ops->describe(end) : g_strdup("");
}

static void show_end(GString *text, NetEnd *end, const char *prefix)
{
    g_autofree char *detail = describe(end);

    for (unsigned n = 0; n < end->count; n++) {
        g_string_append_printf(text, "%s%s: index=%u,type=%s,%s\n", n ? "" : prefix, end->name, n,
                               end->type, detail);
    }
}

static void show_hub_port(GString *text, NetEnd *port)
{
    NetEnd *peer = net_peer(port);
    g_autofree char *prefix = g_strdup_printf(" \\ %s: ", port->name);

    if (peer) {
        show_end(text, peer, prefix);
    } else {
        g_string_append_printf(text, " \\ %s\n", port->name);
    }
}

typedef struct Hubs {
    GString *text;
    GArray *shown; /* int32_t */
    int32_t hub;
} Hubs;

static bool show_if_of_hub(void *opaque, NetEnd *end)
{
    Hubs *hubs = opaque;
    int32_t hub;

    if (net_hub_of(end, &hub) && hub == hubs->hub) {
        show_hub_port(hubs->text, end);
    }
    return true;
}

static bool show_hub_of(void *opaque, NetEnd *end)
{
    Hubs *hubs = opaque;
    int32_t hub;

    if (!net_hub_of(end, &hub)) {
        return true;
    }
    for (guint n = 0; n < hubs->shown->len; n++) {
        if (g_array_index(hubs->shown, int32_t, n) == hub) {
            return true;
        }
    }
    g_array_append_val(hubs->shown, hub);
    g_string_append_printf(hubs->text, "hub %" PRIi32 "\n", hub);
    hubs->hub = hub;
    net_each(show_if_of_hub, hubs);
    return true;
}

/* Devices with what they are connected to; back ends without a device. */
static bool show_rest(void *opaque, NetEnd *end)
{
    NetEnd *peer = net_peer(end);
    bool is_at_hub = net_is_hub_port(end) || (peer && net_is_hub_port(peer));

    if (is_at_hub || (!end->is_device && peer && peer->is_device)) {
        return true;
    }
    show_end(opaque, end, "");
    if (peer) {
        show_end(opaque, peer, " \\ ");
    }
    return true;
}

char *net_info(void)
{
    GString *text = g_string_new(NULL);
    Hubs hubs = { .text = text, .shown = g_array_new(FALSE, FALSE, sizeof(int32_t)) };

    net_each(show_hub_of, &hubs);
    g_array_free(hubs.shown, TRUE);
    net_each(show_rest, text);
    return g_string_free(text, FALSE);
}

/* --- complaints --- */

static bool complain(void *opaque, NetEnd *end)
{
    if (!net_peer(end)) {
        warn_report("%s %s has no peer", end->is_device ? "nic" : "netdev", end->name);
    }
    return true;
}

void net_check(void)
{
    net_each(complain, NULL);
}
