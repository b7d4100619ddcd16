/*
 * Networks over QMP and on the command line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/kinds.h"
#include "qapi/qapi-commands-net.h"
#include "qapi/qapi-events-net.h"
#include "util/id.h"
#include "util/keyval.h"

static bool not_found(const char *name, Error **errp)
{
    return error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
}

bool qmp_netdev_add(const Netdev *netdev, Error **errp)
{
    if (!id_is_well_formed(netdev->id)) {
        return error_set(errp, "Parameter 'id' expects an identifier");
    }
    if (net_find(netdev->id)) {
        return error_set(errp, "Duplicate ID '%s'", netdev->id);
    }
    for (const NetKind *kind = net_kinds; kind->name; kind++) {
        if (kind->driver == netdev->type) {
            return kind->open(netdev, errp);
        }
    }
    return error_set(errp, "network backend '%s' is not compiled into this binary",
                     enum_table_name(&net_client_driver_names, netdev->type));
}

bool qmp_netdev_del(const char *id, Error **errp)
{
    NetEnd *end = net_backend_get(id);

    if (!end) {
        return not_found(id, errp);
    }
    net_backend_remove(end);
    return true;
}

bool qmp_set_link(const char *name, bool is_up, Error **errp)
{
    NetEnd *end = net_find(name);

    if (!end) {
        return not_found(name, errp);
    }
    net_set_link(end, is_up);
    return true;
}

/* --- what devices take --- */

typedef struct Filters {
    RxFilterInfoArray *list;
    const char *name;
} Filters;

static bool add_filter(void *opaque, NetEnd *end)
{
    Filters *filters = opaque;

    if (end->is_device && end->ops->rx_filter &&
        (!filters->name || !strcmp(filters->name, end->name))) {
        rx_filter_info_array_add(filters->list, end->ops->rx_filter(end));
        end->is_told = false;
    }
    return true;
}

RxFilterInfoArray *qmp_query_rx_filter(const char *name, Error **errp)
{
    Filters filters = { .name = name };
    NetEnd *end = name ? net_find(name) : NULL;

    if (name && !end) {
        error_set(errp, "invalid net client name: %s", name);
        return NULL;
    }
    if (name && !end->is_device) {
        error_set(errp, "net client(%s) isn't a NIC", name);
        return NULL;
    }
    if (name && !end->ops->rx_filter) {
        error_set(errp, "net client(%s) doesn't support rx-filter querying", name);
        return NULL;
    }
    filters.list = g_new0(RxFilterInfoArray, 1);
    net_each(add_filter, &filters);
    return filters.list;
}

void net_device_filter_changed(NetEnd *end)
{
    if (!end->is_told) {
        end->is_told = true;
        qapi_event_send_nic_rx_filter_changed(end->name, end->path);
    }
}

/* --- the command line --- */

/* These keys may be given many times: each is an element of a list. */
static const char *const repeated[] = { "hostfwd", "guestfwd", "dnssearch", NULL };

static void add_element(json_object *list, const char *value)
{
    json_object *element = json_object_new_object();

    json_set(element, "str", json_string(value));
    json_object_array_add(list, element);
}

static bool collect(void *opaque, const char *key, const char *value, char **why)
{
    json_object *list;

    if (g_strv_contains(repeated, key)) {
        if (!json_object_object_get_ex(opaque, key, &list)) {
            list = json_object_new_array();
            json_set(opaque, key, list);
        }
        add_element(list, value);
    }
    return true;
}

/* Of a configuration file there is no text to read them from, and one of each. */
static bool collect_keys(json_object *lists, json_object *keys, char **why)
{
    for (const char *const *key = repeated; *key; key++) {
        json_object *value = json_member(keys, *key);

        if (value && json_object_is_type(value, json_type_string)) {
            collect(lists, *key, json_object_get_string(value), why);
        }
    }
    return true;
}

/* "ipv6-net=PREFIX[/BITS]", the older way to say both. */
static void divide_ipv6_net(json_object *keys)
{
    json_object *value = json_member(keys, "ipv6-net");
    g_auto(GStrv) parts = NULL;

    if (!value || !json_object_is_type(value, json_type_string)) {
        return;
    }
    parts = g_strsplit(json_object_get_string(value), "/", 2);
    json_set(keys, "ipv6-prefix", json_string(parts[0] ? parts[0] : ""));
    if (parts[0] && parts[1]) {
        json_set(keys, "ipv6-prefixlen", json_string(parts[1]));
    }
    json_object_object_del(keys, "ipv6-net");
}

static json_object *net_options(json_object *keys, const char *text, Error **errp)
{
    g_autoptr(JsonObject) lists = json_object_new_object();
    KeyvalSyntax syntax = { .implied_key = "type" };
    g_autofree char *why = NULL;
    json_object *whole = json_object_new_object();

    if (!(text ? keyval_foreach(text, &syntax, collect, lists, &why)
               : collect_keys(lists, keys, &why))) {
        error_set(errp, "%s", why);
        json_unref(whole);
        return NULL;
    }
    json_object_object_foreach(keys, key, value) {
        json_set(whole, key, json_ref(value));
    }
    json_object_object_foreach(lists, name, list) {
        json_set(whole, name, json_ref(list));
    }
    divide_ipv6_net(whole);
    return whole;
}

bool net_add_from_options(json_object *keys, const char *text, bool is_typed, Error **errp)
{
    g_autoptr(JsonObject) whole = is_typed ? json_ref(keys) : net_options(keys, text, errp);
    g_autoptr(Netdev) netdev = NULL;

    if (!whole) {
        return false;
    }
    netdev = netdev_from_json(whole, is_typed ? QAPI_TYPED : QAPI_TEXT, errp);
    return netdev && qmp_netdev_add(netdev, errp);
}

bool net_options_ask_help(json_object *keys)
{
    json_object *type = json_member(keys, "type");

    return json_member(keys, "help") || (type && !strcmp(json_object_get_string(type), "help"));
}

char *net_help(void)
{
    GString *text = g_string_new("Available netdev backend types:\n");

    for (const NetKind *kind = net_kinds; kind->name; kind++) {
        g_string_append_printf(text, "%s\n", kind->name);
    }
    return g_string_free(text, FALSE);
}
