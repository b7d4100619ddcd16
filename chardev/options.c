/*
 * -chardev: from key=value texts to the QAPI type, which is what is opened.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/options.h"

#include "util/id.h"
#include "util/option_group.h"
#include "util/size.h"

static const OptionParam params[] = {
    { "backend", OPTION_PARAM_STRING, "kind of chardev" },
    { "path", OPTION_PARAM_STRING, "file, device or socket" },
    { "input-path", OPTION_PARAM_STRING, "file to read from" },
    { "host", OPTION_PARAM_STRING, "name or address" },
    { "port", OPTION_PARAM_STRING, "number or name" },
    { "fd", OPTION_PARAM_STRING, "inherited socket" },
    { "localaddr", OPTION_PARAM_STRING, "address to receive at" },
    { "localport", OPTION_PARAM_STRING, "port to receive at" },
    { "to", OPTION_PARAM_NUMBER, "highest port to try" },
    { "ipv4", OPTION_PARAM_BOOL, NULL },
    { "ipv6", OPTION_PARAM_BOOL, NULL },
    { "keep-alive", OPTION_PARAM_BOOL, NULL },
    { "wait", OPTION_PARAM_BOOL, "for a client before going on" },
    { "server", OPTION_PARAM_BOOL, "listen" },
    { "delay", OPTION_PARAM_BOOL, "collect small pieces" },
    { "nodelay", OPTION_PARAM_BOOL, "send small pieces at once" },
    { "reconnect", OPTION_PARAM_NUMBER, "seconds" },
    { "reconnect-ms", OPTION_PARAM_NUMBER, "milliseconds" },
    { "telnet", OPTION_PARAM_BOOL, NULL },
    { "tn3270", OPTION_PARAM_BOOL, NULL },
    { "tls-creds", OPTION_PARAM_STRING, NULL },
    { "tls-authz", OPTION_PARAM_STRING, NULL },
    { "websocket", OPTION_PARAM_BOOL, NULL },
    { "mux", OPTION_PARAM_BOOL, "let several use it" },
    { "signal", OPTION_PARAM_BOOL, "keys that send signals do" },
    { "size", OPTION_PARAM_SIZE, "of the buffer" },
    { "width", OPTION_PARAM_NUMBER, "of a text console, in pixels" },
    { "height", OPTION_PARAM_NUMBER, NULL },
    { "cols", OPTION_PARAM_NUMBER, "of a text console, in characters" },
    { "rows", OPTION_PARAM_NUMBER, NULL },
    { "chardev", OPTION_PARAM_STRING, "the one that is shared" },
    { "chardevs.0", OPTION_PARAM_STRING, "those that act as one" },
    { "chardevs.1", OPTION_PARAM_STRING, NULL },
    { "chardevs.2", OPTION_PARAM_STRING, NULL },
    { "chardevs.3", OPTION_PARAM_STRING, NULL },
    { "append", OPTION_PARAM_BOOL, "keep what the file holds" },
    { "logfile", OPTION_PARAM_STRING, "copy of the output" },
    { "logappend", OPTION_PARAM_BOOL, "keep what the log holds" },
    { "tight", OPTION_PARAM_BOOL, NULL },
    { "abstract", OPTION_PARAM_BOOL, NULL },
    { NULL },
};

static void CONSTRUCTOR register_options(void)
{
    option_group_register("chardev", params);
}

/* Which option becomes which member of "data". */
static const struct {
    const char *kind; /* NULL: all */
    const char *option, *member;
    const char *missing; /* the complaint when it must be there */
} members[] = {
    { "file", "path", "out", "chardev: file: no filename given" },
    { "file", "input-path", "in" },
    { "file", "append", "append" },
    { "pipe", "path", "device", "chardev: pipe: no device path given" },
    { "serial", "path", "device", "chardev: serial/tty: no device path given" },
    { "mux", "chardev", "chardev", "chardev: mux: no chardev given" },
    { "stdio", "signal", "signal" },
    { "ringbuf", "size", "size" },
    { "memory", "size", "size" },
    { "vc", "width", "width" },
    { "vc", "height", "height" },
    { "vc", "cols", "cols" },
    { "vc", "rows", "rows" },
    { "socket", "server", "server" },
    { "socket", "wait", "wait" },
    { "socket", "nodelay", "nodelay" },
    { "socket", "reconnect", "reconnect" },
    { "socket", "reconnect-ms", "reconnect-ms" },
    { "socket", "telnet", "telnet" },
    { "socket", "tn3270", "tn3270" },
    { "socket", "websocket", "websocket" },
    { "socket", "tls-creds", "tls-creds" },
    { "socket", "tls-authz", "tls-authz" },
    { NULL, "logfile", "logfile" },
    { NULL, "logappend", "logappend" },
};

const char *chardev_option(json_object *options, const char *key)
{
    json_object *value = json_member(options, key);

    return value ? json_object_get_string(value) : NULL;
}

static bool is_on(const char *text)
{
    return !strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true") ||
           !strcmp(text, "y");
}

static bool is_off(const char *text)
{
    return !strcmp(text, "off") || !strcmp(text, "no") || !strcmp(text, "false") ||
           !strcmp(text, "n");
}

static bool option_is_on(json_object *options, const char *key)
{
    const char *text = chardev_option(options, key);

    return text && is_on(text);
}

/* --- checking --- */

static const OptionParam *find_param(const char *key)
{
    for (const OptionParam *p = params; p->name; p++) {
        if (!strcmp(p->name, key)) {
            return p;
        }
    }
    return NULL;
}

/* The value as the QAPI reader takes it: on or off, digits; or NULL. Free it. */
static char *normal_value(const OptionParam *p, const char *text, Error **errp)
{
    g_autofree char *why = NULL;
    uint64_t number;

    switch (p->type) {
    case OPTION_PARAM_BOOL:
        if (!is_on(text) && !is_off(text)) {
            error_set(errp, "Parameter '%s' expects 'on' or 'off'", p->name);
            return NULL;
        }
        return g_strdup(is_on(text) ? "on" : "off");
    case OPTION_PARAM_NUMBER:
        if (!number_parse(text, &number, &why)) {
            error_set(errp, "Parameter '%s' expects a number", p->name);
            return NULL;
        }
        return g_strdup_printf("%" PRIu64, number);
    case OPTION_PARAM_SIZE:
        if (!size_parse(text, 1, &number, &why)) {
            error_set(errp, "Parameter '%s' expects a non-negative number below 2^64", p->name);
            error_hint(errp, "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, "
                             "tera-, peta-\nand exabytes, respectively.");
            return NULL;
        }
        return g_strdup_printf("%" PRIu64, number);
    default:
        return g_strdup(text);
    }
}

/* A new object of normal values, without id; lists as "key.N". */
static json_object *normalise(json_object *options, Error **errp)
{
    json_object *flat = json_object_new_object();

    json_object_object_foreach (options, key, value) {
        const OptionParam *p = find_param(key);
        g_autofree char *text = NULL;

        if (!strcmp(key, "id")) {
            continue;
        }
        if (!strcmp(key, "chardevs") && json_object_is_type(value, json_type_array)) {
            json_set(flat, key, json_ref(value));
            continue;
        }
        if (!p) {
            error_set(errp, "Invalid parameter '%s'", key);
            goto fail;
        }
        if (!value || json_object_is_type(value, json_type_object) ||
            json_object_is_type(value, json_type_array)) {
            error_set(errp, "Invalid parameter type for '%s', expected: string", key);
            goto fail;
        }
        text = normal_value(p, json_object_get_string(value), errp);
        if (!text) {
            goto fail;
        }
        json_set(flat, key, json_string(text));
    }
    return flat;
fail:
    json_unref(flat);
    return NULL;
}

/* --- addresses --- */

static void copy(json_object *to, const char *member, json_object *from, const char *option)
{
    const char *text = chardev_option(from, option);

    if (text) {
        json_set(to, member, json_string(text));
    }
}

/* {"type": TYPE, "data": `data`}, which is taken over. */
static json_object *tagged(const char *type, json_object *data)
{
    json_object *object = json_object_new_object();

    json_set(object, "type", json_string(type));
    json_set(object, "data", data);
    return object;
}

static json_object *inet_address(json_object *options, const char *host, const char *port)
{
    json_object *data = json_object_new_object();

    json_set(data, "host", json_string(host));
    json_set(data, "port", json_string(port));
    copy(data, "ipv4", options, "ipv4");
    copy(data, "ipv6", options, "ipv6");
    return tagged("inet", data);
}

static json_object *socket_address(json_object *options, Error **errp)
{
    const char *path = chardev_option(options, "path");
    const char *host = chardev_option(options, "host");
    const char *fd = chardev_option(options, "fd");
    json_object *data;

    if ((path != NULL) + (host != NULL) + (fd != NULL) > 1) {
        error_set(errp, "None or one of 'path', 'fd' or 'host' option required.");
        return NULL;
    }
    if (host) {
        const char *port = chardev_option(options, "port");
        json_object *address;

        if (!port) {
            error_set(errp, "chardev: socket: no port given");
            return NULL;
        }
        address = inet_address(options, host, port);
        copy(json_member(address, "data"), "to", options, "to");
        copy(json_member(address, "data"), "keep-alive", options, "keep-alive");
        return address;
    }
    data = json_object_new_object();
    if (path) {
        json_set(data, "path", json_string(path));
        copy(data, "abstract", options, "abstract");
        copy(data, "tight", options, "tight");
        return tagged("unix", data);
    }
    json_set(data, "str", json_string(fd ? fd : ""));
    return tagged("fd", data);
}

static bool add_socket(json_object *data, json_object *options, Error **errp)
{
    json_object *address = socket_address(options, errp);
    bool is_server = option_is_on(options, "server");

    if (!address) {
        return false;
    }
    json_set(data, "addr", address);
    json_set(data, "server", json_string(is_server ? "on" : "off"));
    if (is_server && !chardev_option(options, "wait")) {
        json_set(data, "wait", json_string("on"));
    }
    if (chardev_option(options, "delay") && chardev_option(options, "nodelay")) {
        return error_set(errp, "'delay' and 'nodelay' are mutually exclusive");
    }
    if (chardev_option(options, "delay")) {
        json_set(data, "nodelay", json_string(option_is_on(options, "delay") ? "off" : "on"));
    }
    return true;
}

static bool add_udp(json_object *data, json_object *options, Error **errp)
{
    const char *host = chardev_option(options, "host");
    const char *port = chardev_option(options, "port");
    const char *local_host = chardev_option(options, "localaddr");
    const char *local_port = chardev_option(options, "localport");

    if (!port || !*port) {
        return error_set(errp, "chardev: udp: remote port not specified");
    }
    json_set(data, "remote", inet_address(options, host && *host ? host : "localhost", port));
    if (local_host || local_port) {
        json_set(data, "local", inet_address(options, local_host ? local_host : "",
                                             local_port && *local_port ? local_port : "0"));
    }
    return true;
}

static bool add_hub(json_object *data, json_object *options, Error **errp)
{
    json_object *list = json_member(options, "chardevs");

    list = list ? json_ref(list) : json_object_new_array();
    for (int i = 0; i < 4; i++) {
        g_autofree char *key = g_strdup_printf("chardevs.%d", i);
        const char *id = chardev_option(options, key);

        if (id) {
            json_object_array_add(list, json_string(id));
        }
    }
    json_set(data, "chardevs", list);
    return true;
}

/* --- all --- */

static bool add_members(json_object *data, const char *kind, json_object *options, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (members[i].kind && strcmp(members[i].kind, kind)) {
            continue;
        }
        if (members[i].missing && !chardev_option(options, members[i].option)) {
            return error_set(errp, "%s", members[i].missing);
        }
        copy(data, members[i].member, options, members[i].option);
    }
    if (!strcmp(kind, "socket")) {
        return add_socket(data, options, errp);
    }
    if (!strcmp(kind, "udp")) {
        return add_udp(data, options, errp);
    }
    return strcmp(kind, "hub") || add_hub(data, options, errp);
}

static ChardevBackend *to_backend(const char *kind, json_object *options, Error **errp)
{
    json_object *data = json_object_new_object();
    json_object *json = tagged(kind, data);
    ChardevBackend *backend = NULL;

    if (add_members(data, kind, options, errp)) {
        backend = chardev_backend_from_json(json, QAPI_TEXT, errp);
    }
    json_unref(json);
    return backend;
}

ChardevBackend *chardev_options_parse(json_object *options, Error **errp)
{
    json_object *flat = normalise(options, errp);
    const char *name = flat ? chardev_option(flat, "backend") : NULL;
    const ChardevKind *kind = name ? chardev_kind_find(name) : NULL;
    ChardevBackend *backend = NULL;

    if (flat && !name) {
        error_set(errp, "chardev: missing backend");
    } else if (flat && !kind) {
        error_set(errp, "'%s' is not a valid char driver name", name);
    } else if (kind) {
        if (kind->deprecated_for) {
            warn_report("The alias '%s' is deprecated, use '%s' instead", name,
                        kind->deprecated_for);
        }
        backend = to_backend(kind->deprecated_for ? kind->deprecated_for : name, flat, errp);
    }
    json_unref(flat);
    return backend;
}

static Chardev *add_mux(const char *id, const char *base, Error **errp)
{
    ChardevMux mux = { .chardev = (char *)base };
    ChardevBackend backend = { .type = CHARDEV_BACKEND_KIND_MUX, .u.mux.data = &mux };

    return chardev_add(id, &backend, errp);
}

static Chardev *add_at_start(const char *id, const ChardevBackend *backend, Error **errp)
{
    Chardev *chr = chardev_add(id, backend, errp);

    if (!chr) {
        return NULL;
    }
    if (!chardev_ops(chr)->wait(chr, errp)) {
        chardev_remove(id, NULL);
        return NULL;
    }
    if (chardev_pty_path(chr)) {
        printf("char device redirected to %s (label %s)\n", chardev_pty_path(chr), id);
        fflush(stdout);
    }
    return chr;
}

static Chardev *add_muxed(const char *id, const ChardevBackend *backend, Error **errp)
{
    g_autofree char *base = g_strconcat(id, "-base", NULL);
    Chardev *chr;

    if (!add_at_start(base, backend, errp)) {
        return NULL;
    }
    chr = add_mux(id, base, errp);
    if (!chr) {
        chardev_remove(base, NULL);
    }
    return chr;
}

Chardev *chardev_add_parsed(const char *id, json_object *options, Error **errp)
{
    ChardevBackend *backend = chardev_options_parse(options, errp);
    const char *mux = backend ? chardev_option(options, "mux") : NULL;
    Chardev *chr = NULL;

    if (backend) {
        chr = mux && is_on(mux) ? add_muxed(id, backend, errp) : add_at_start(id, backend, errp);
    }
    chardev_backend_free(backend);
    return chr;
}

Chardev *chardev_add_from_options(json_object *options, Error **errp)
{
    const char *id = chardev_option(options, "id");

    if (!id) {
        error_set(errp, "chardev: no id specified");
        return NULL;
    }
    if (id_is_well_formed(id) && chardev_find(id)) {
        error_set(errp, "Duplicate ID '%s' for chardev", id);
        return NULL;
    }
    return chardev_add_parsed(id, options, errp);
}

Chardev *chardev_change_from_options(const char *id, json_object *options, Error **errp)
{
    ChardevBackend *backend = chardev_options_parse(options, errp);
    Chardev *chr = backend ? chardev_change(id, backend, errp) : NULL;

    chardev_backend_free(backend);
    return chr;
}
