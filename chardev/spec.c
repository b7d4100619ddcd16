/*
 * The old forms of -serial, -monitor and their kin: turned into what -chardev would be given.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/options.h"
#include "util/keyval.h"

typedef bool SpecParse(json_object *options, const char *text, Error **errp);

static void set(json_object *options, const char *key, const char *value)
{
    json_set(options, key, json_string(value));
}

static bool reject(const char *spec, Error **errp)
{
    return error_set(errp, "'%s' is not a valid char driver", spec);
}

static bool put_option(void *opaque, const char *key, const char *value, char **why)
{
    set(opaque, key, value);
    return true;
}

static bool add_keyval(json_object *options, const char *text, const char *implied_key,
                       Error **errp)
{
    KeyvalSyntax syntax = { .implied_key = implied_key };
    g_autofree char *why = NULL;

    return keyval_foreach(text, &syntax, put_option, options, &why) ||
           error_set(errp, "%s", why ? why : "bad options");
}

/* "HOST:PORT" up to one of `ends`, the host perhaps in brackets; *rest is behind it. */
static bool parse_host_port(const char *text, const char *ends, char **host, char **port,
                            const char **rest)
{
    const char *start = text, *colon;
    size_t length;

    if (*text == '[') {
        start = text + 1;
        colon = strchr(start, ']');
        length = colon ? colon - start : 0;
        colon = colon && colon[1] == ':' ? colon + 1 : NULL;
    } else {
        length = strcspn(text, ":");
        colon = text[length] ? text + length : NULL;
    }
    if (!colon) {
        return false;
    }
    *rest = colon + 1 + strcspn(colon + 1, ends);
    if (memchr(start, ',', length)) {
        return false;
    }
    *host = g_strndup(start, length);
    *port = g_strndup(colon + 1, *rest - colon - 1);
    return true;
}

static bool parse_tcp(json_object *options, const char *text, Error **errp)
{
    g_autofree char *host = NULL;
    g_autofree char *port = NULL;
    const char *rest;

    if (!parse_host_port(text, ",", &host, &port, &rest) || !*port) {
        return error_set(errp, "'%s' is not of the form HOST:PORT", text);
    }
    set(options, "backend", "socket");
    set(options, "host", host);
    set(options, "port", port);
    return !*rest || add_keyval(options, rest + 1, NULL, errp);
}

static bool parse_telnet(json_object *options, const char *text, Error **errp)
{
    set(options, "telnet", "on");
    return parse_tcp(options, text, errp);
}

static bool parse_tn3270(json_object *options, const char *text, Error **errp)
{
    set(options, "tn3270", "on");
    return parse_tcp(options, text, errp);
}

static bool parse_websocket(json_object *options, const char *text, Error **errp)
{
    set(options, "websocket", "on");
    return parse_tcp(options, text, errp);
}

static bool parse_udp(json_object *options, const char *text, Error **errp)
{
    g_autofree char *host = NULL;
    g_autofree char *port = NULL;
    g_autofree char *local_host = NULL;
    g_autofree char *local_port = NULL;
    const char *rest;

    if (!parse_host_port(text, ",@", &host, &port, &rest)) {
        return error_set(errp, "'%s' is not of the form HOST:PORT[@HOST:PORT]", text);
    }
    set(options, "backend", "udp");
    set(options, "host", host);
    set(options, "port", port);
    if (*rest == '@') {
        if (!parse_host_port(rest + 1, ",", &local_host, &local_port, &rest)) {
            return error_set(errp, "'%s' is not of the form HOST:PORT[@HOST:PORT]", text);
        }
        set(options, "localaddr", local_host);
        set(options, "localport", local_port);
    }
    return !*rest || add_keyval(options, rest + 1, NULL, errp);
}

static bool parse_unix(json_object *options, const char *text, Error **errp)
{
    set(options, "backend", "socket");
    return add_keyval(options, text, "path", errp);
}

static bool parse_file(json_object *options, const char *text, Error **errp)
{
    set(options, "backend", "file");
    set(options, "path", text);
    return true;
}

static bool parse_pipe(json_object *options, const char *text, Error **errp)
{
    set(options, "backend", "pipe");
    set(options, "path", text);
    return true;
}

static bool parse_device(json_object *options, const char *text, Error **errp)
{
    g_autofree char *path = g_strconcat("/dev/", text, NULL);

    set(options, "backend", "serial");
    set(options, "path", path);
    return true;
}

/* "800x600" pixels or "80Cx24C" characters. */
static bool parse_vc(json_object *options, const char *spec, Error **errp)
{
    g_autoptr(GMatchInfo) match = NULL;
    g_autoptr(GRegex) form = g_regex_new("^([0-9]+)(C?)x([0-9]+)(C?)$", 0, 0, NULL);
    g_autofree char *width = NULL, *height = NULL, *unit_x = NULL, *unit_y = NULL;

    if (!g_regex_match(form, spec, 0, &match)) {
        return reject(spec, errp);
    }
    width = g_match_info_fetch(match, 1);
    unit_x = g_match_info_fetch(match, 2);
    height = g_match_info_fetch(match, 3);
    unit_y = g_match_info_fetch(match, 4);
    set(options, "backend", "vc");
    set(options, *unit_x ? "cols" : "width", width);
    set(options, *unit_y ? "rows" : "height", height);
    return true;
}

static const struct {
    const char *prefix;
    SpecParse *parse;
} forms[] = {
    { "tcp:", parse_tcp },
    { "telnet:", parse_telnet },
    { "tn3270:", parse_tn3270 },
    { "websocket:", parse_websocket },
    { "udp:", parse_udp },
    { "unix:", parse_unix },
    { "file:", parse_file },
    { "pipe:", parse_pipe },
    { "/dev/", parse_device },
    { "vc:", parse_vc },
};

static const char *const words[] = { "null", "pty", "stdio", "vc" };

static bool parse_form(json_object *options, const char *spec, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(spec, words[i])) {
            set(options, "backend", spec);
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (g_str_has_prefix(spec, forms[i].prefix)) {
            return forms[i].parse(options, spec + strlen(forms[i].prefix), errp);
        }
    }
    return reject(spec, errp);
}

json_object *chardev_spec_parse(const char *spec, bool *is_monitor, Error **errp)
{
    json_object *options = json_object_new_object();

    *is_monitor = g_str_has_prefix(spec, "mon:");
    if (*is_monitor) {
        spec += strlen("mon:");
        set(options, "mux", "on");
        if (!strcmp(spec, "stdio")) {
            set(options, "signal", "off"); /* Ctrl-c is for the guest */
        }
    }
    if (!parse_form(options, spec, errp)) {
        json_unref(options);
        return NULL;
    }
    return options;
}

bool chardev_spec_is_none(const char *spec)
{
    return !strcmp(spec, "none");
}

Chardev *chardev_add_from_spec(const char *label, const char *spec, bool *wants_monitor,
                               Error **errp)
{
    bool is_monitor;
    json_object *options;
    Chardev *chr = NULL;

    if (wants_monitor) {
        *wants_monitor = false;
    }
    if (g_str_has_prefix(spec, "chardev:")) {
        return chardev_get(spec + strlen("chardev:"), errp);
    }
    options = chardev_spec_parse(spec, &is_monitor, errp);
    if (options && is_monitor && !wants_monitor) {
        error_set(errp, "'%s': a monitor cannot be multiplexed here", spec);
    } else if (options) {
        chr = chardev_add_parsed(label, options, errp);
    }
    if (chr && is_monitor) {
        *wants_monitor = true;
    }
    json_unref(options);
    return chr;
}
