/*
 * VNC: QMP commands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-ui.h"
#include "sockets/socket_address.h"
#include "ui/vnc_parts.h"
#include "util/size.h"

/* --- what there is --- */

static VncClientInfoArray *list_clients(const VncServer *server)
{
    VncClientInfoArray *list = g_new0(VncClientInfoArray, 1);

    for (guint i = 0; i < server->clients->len; i++) {
        vnc_client_info_array_add(list, vnc_client_info_clone(
                                            ((VncClient *)server->clients->pdata[i])->there));
    }
    return list;
}

static VncPrimaryAuth auth_of(const VncServer *server)
{
    return server->needs_password ? VNC_PRIMARY_AUTH_VNC : VNC_PRIMARY_AUTH_NONE;
}

static void fill_place(VncBasicInfo *info, const VncListener *listener)
{
    g_autoptr(SocketAddress) addr = socket_address_of_own(listener->fd);
    bool is_inet = addr && addr->type == SOCKET_ADDRESS_TYPE_INET;

    info->host = g_strdup(is_inet ? addr->u.inet.host : "");
    info->service = g_strdup(is_inet ? addr->u.inet.port : addr ? addr->u.unix_.path : "");
    info->family = !is_inet ? NETWORK_ADDRESS_FAMILY_UNIX :
                   addr->u.inet.ipv6 ? NETWORK_ADDRESS_FAMILY_IPV6 : NETWORK_ADDRESS_FAMILY_IPV4;
    info->websocket = listener->is_websocket;
}

VncInfo *qmp_query_vnc(Error **errp)
{
    const VncServer *server = vnc_server_find(NULL);
    VncInfo *info = g_new0(VncInfo, 1);
    VncBasicInfo place = { NULL };

    info->enabled = server && server->listeners->len;
    if (!info->enabled) {
        return info;
    }
    fill_place(&place, server->listeners->pdata[0]);
    info->host = place.host;
    info->service = place.service;
    info->has_family = true;
    info->family = place.family;
    info->auth = g_strdup(enum_table_name(&vnc_primary_auth_names, auth_of(server)));
    info->clients = list_clients(server);
    return info;
}

static VncInfo2 *describe(const VncServer *server)
{
    VncInfo2 *info = g_new0(VncInfo2, 1);

    info->id = g_strdup(server->id);
    info->display = g_strdup(server->display);
    info->auth = auth_of(server);
    info->clients = list_clients(server);
    info->server = g_new0(VncServerInfo2Array, 1);
    for (guint i = 0; i < server->listeners->len; i++) {
        VncServerInfo2 *place = g_new0(VncServerInfo2, 1);

        fill_place((VncBasicInfo *)place, server->listeners->pdata[i]);
        place->auth = auth_of(server);
        vnc_server_info2_array_add(info->server, place);
    }
    return info;
}

VncInfo2Array *qmp_query_vnc_servers(Error **errp)
{
    VncInfo2Array *list = g_new0(VncInfo2Array, 1);

    for (guint i = 0; i < vnc_servers()->len; i++) {
        vnc_info2_array_add(list, describe(vnc_servers()->pdata[i]));
    }
    return list;
}

/* --- passwords --- */

static bool set_password(const char *id, const char *password, Error **errp)
{
    VncServer *server = vnc_server_find(id);

    if (!server || !server->needs_password) {
        return error_set(errp, "Could not set password");
    }
    g_mutex_lock(&server->lock);
    g_free(server->password);
    server->password = *password ? g_strdup(password) : NULL;
    g_mutex_unlock(&server->lock);
    return true;
}

bool qmp_set_password(const SetPasswordOptions *args, Error **errp)
{
    if (args->protocol != DISPLAY_PROTOCOL_VNC) {
        return error_set_class(errp, ERROR_DEVICE_NOT_ACTIVE, "SPICE is not in use");
    }
    if (args->has_connected && args->connected != SET_PASSWORD_ACTION_KEEP) {
        return error_set(errp, "parameter 'connected' must be 'keep' when 'protocol' is 'vnc'");
    }
    return set_password(args->u.vnc.display, args->password, errp);
}

bool qmp_change_vnc_password(const char *password, Error **errp)
{
    return set_password(NULL, password, errp);
}

static bool parse_time(const char *text, int64_t *out, Error **errp)
{
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    g_autofree char *why = NULL;
    uint64_t number;

    if (!strcmp(text, "now")) {
        *out = 0;
        return true;
    }
    if (!strcmp(text, "never")) {
        *out = INT64_MAX;
        return true;
    }
    if (!number_parse(text + (*text == '+'), &number, &why) || number > INT64_MAX - now) {
        return error_set(errp, "Parameter 'time' doesn't take value '%s'", text);
    }
    *out = *text == '+' ? now + (int64_t)number : (int64_t)number;
    return true;
}

bool qmp_expire_password(const ExpirePasswordOptions *args, Error **errp)
{
    VncServer *server = args->protocol == DISPLAY_PROTOCOL_VNC
        ? vnc_server_find(args->u.vnc.display) : NULL;
    int64_t when = 0;

    if (!parse_time(args->time, &when, errp)) {
        return false;
    }
    if (args->protocol != DISPLAY_PROTOCOL_VNC) {
        return error_set_class(errp, ERROR_DEVICE_NOT_ACTIVE, "SPICE is not in use");
    }
    if (!server) {
        return error_set(errp, "Could not set password expire time");
    }
    g_mutex_lock(&server->lock);
    server->expires_s = when;
    g_mutex_unlock(&server->lock);
    return true;
}

/* No server has certificates. */
bool qmp_display_reload(const DisplayReloadOptions *args, Error **errp)
{
    if (!args->u.vnc.has_tls_certs || !args->u.vnc.tls_certs) {
        return true;
    }
    return error_set(errp, vnc_server_find(NULL) ? "vnc tls is not enabled"
                                                 : "Can not find vnc display");
}

bool qmp_display_update(const DisplayUpdateOptions *args, Error **errp)
{
    VncServer *server = vnc_server_find(NULL);

    if (!server) {
        return error_set(errp, "Can not find vnc display");
    }
    return !args->u.vnc.addresses ||
           vnc_server_listen_anew(server, args->u.vnc.addresses, errp);
}
