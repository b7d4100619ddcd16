/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/address.h"

static bool parse_on_off(const char *text, bool *out)
{
    *out = !strcmp(text, "on");
    return *out || !strcmp(text, "off");
}

/* One of the options behind a port: "ipv4[=on|off]", "ipv6", "to=PORT". */
static bool parse_inet_option(InetSocketAddress *inet, const char *option)
{
    const char *value = strchr(option, '=');
    size_t length = value ? value - option : strlen(option);
    guint64 number;

    value = value ? value + 1 : "on";
    if (!strncmp(option, "ipv4", length) && length == 4) {
        inet->has_ipv4 = true;
        return parse_on_off(value, &inet->ipv4);
    }
    if (!strncmp(option, "ipv6", length) && length == 4) {
        inet->has_ipv6 = true;
        return parse_on_off(value, &inet->ipv6);
    }
    if (!strncmp(option, "to", length) && length == 2 &&
        g_ascii_string_to_unsigned(value, 10, 1, UINT16_MAX, &number, NULL)) {
        inet->has_to = true;
        inet->to = number;
        return true;
    }
    return false;
}

/* "HOST:PORT", "[V6]:PORT", ":PORT" */
static bool parse_host_port(InetSocketAddress *inet, const char *text)
{
    const char *end = *text == '[' ? strstr(text, "]:") : strchr(text, ':');

    if (!end) {
        return false;
    }
    if (*text == '[') {
        inet->host = g_strndup(text + 1, end - text - 1);
        inet->port = g_strdup(end + 2);
    } else {
        inet->host = g_strndup(text, end - text);
        inet->port = g_strdup(end + 1);
    }
    return *inet->port != 0;
}

static bool parse_tcp(MigrationAddress *address, const char *text, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    InetSocketAddress *inet = &address->u.socket.u.inet;
    bool is_ok = parts[0] && parse_host_port(inet, parts[0]);

    address->transport = MIGRATION_ADDRESS_TYPE_SOCKET;
    address->u.socket.type = SOCKET_ADDRESS_TYPE_INET;
    for (size_t i = 1; is_ok && parts[i]; i++) {
        is_ok = parse_inet_option(inet, parts[i]);
    }
    return is_ok || error_set(errp, "error parsing address '%s'", text);
}

static bool parse_unix(MigrationAddress *address, const char *text, Error **errp)
{
    address->transport = MIGRATION_ADDRESS_TYPE_SOCKET;
    address->u.socket.type = SOCKET_ADDRESS_TYPE_UNIX;
    address->u.socket.u.unix_.path = g_strdup(text);
    return *text || error_set(errp, "invalid Unix socket address");
}

static bool parse_fd(MigrationAddress *address, const char *text, Error **errp)
{
    address->transport = MIGRATION_ADDRESS_TYPE_SOCKET;
    address->u.socket.type = SOCKET_ADDRESS_TYPE_FD;
    address->u.socket.u.fd.str = g_strdup(text);
    return true;
}

static bool parse_exec(MigrationAddress *address, const char *text, Error **errp)
{
    StrArray *args = g_new0(StrArray, 1);

    address->transport = MIGRATION_ADDRESS_TYPE_EXEC;
    address->u.exec.args = args;
    args->items = g_new0(char *, 3);
    args->items[args->count++] = g_strdup("/bin/sh");
    args->items[args->count++] = g_strdup("-c");
    args->items[args->count++] = g_strdup(text);
    return true;
}

static bool parse_file(MigrationAddress *address, const char *text, Error **errp)
{
    const char *option = g_strrstr(text, ",offset=");
    guint64 offset = 0;

    address->transport = MIGRATION_ADDRESS_TYPE_FILE;
    address->u.file.filename = option ? g_strndup(text, option - text) : g_strdup(text);
    if (option) {
        char *end;

        option += strlen(",offset=");
        errno = 0;
        offset = g_ascii_strtoull(option, &end, 0);
        if (!g_ascii_isdigit(*option) || *end || errno || offset > INT64_MAX) {
            return error_set(errp, "file URI has bad offset '%s'", option);
        }
    }
    address->u.file.offset = offset;
    return true;
}

static const struct {
    const char *prefix;
    bool (*parse)(MigrationAddress *address, const char *text, Error **errp);
} protocols[] = {
    { "tcp:", parse_tcp },   { "unix:", parse_unix }, { "fd:", parse_fd },
    { "exec:", parse_exec }, { "file:", parse_file },
};

MigrationAddress *migration_address_parse(const char *uri, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (g_str_has_prefix(uri, protocols[i].prefix)) {
            MigrationAddress *address = g_new0(MigrationAddress, 1);

            if (!protocols[i].parse(address, uri + strlen(protocols[i].prefix), errp)) {
                g_clear_pointer(&address, migration_address_free);
            }
            return address;
        }
    }
    error_set(errp, "Parameter 'uri' expects a valid migration protocol");
    return NULL;
}

MigrationAddress *migration_address_from(const char *uri, const MigrationChannelArray *channels,
                                         Error **errp)
{
    if (uri && channels) {
        error_set(errp, "'uri' and 'channels' arguments are mutually exclusive; exactly one of the "
                  "two should be present in 'migrate' qmp command ");
        return NULL;
    }
    if (uri) {
        return migration_address_parse(uri, errp);
    }
    if (!channels) {
        error_set(errp, "Parameter 'uri' is missing");
        return NULL;
    }
    if (channels->count != 1) {
        error_set(errp, "Channel list has %zu entries, expected 1", channels->count);
        return NULL;
    }
    return migration_address_clone(channels->items[0]->addr);
}

static char *socket_text(const SocketAddress *socket)
{
    switch (socket->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return g_strdup_printf("%s:%s", socket->u.inet.host, socket->u.inet.port);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return g_strdup(socket->u.unix_.path);
    case SOCKET_ADDRESS_TYPE_FD:
        return g_strdup_printf("fd:%s", socket->u.fd.str);
    default:
        return g_strdup_printf("vsock:%s:%s", socket->u.vsock.cid, socket->u.vsock.port);
    }
}

char *migration_address_text(const MigrationAddress *address)
{
    switch (address->transport) {
    case MIGRATION_ADDRESS_TYPE_EXEC:
        return g_strdup("exec");
    case MIGRATION_ADDRESS_TYPE_FILE:
        return g_strdup(address->u.file.filename);
    default:
        return socket_text(&address->u.socket);
    }
}
