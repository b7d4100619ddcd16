/*
 * HMP commands on screens, keys and pointers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "ui/input.h"

/* A name, "0x1e", or '<' for the key that is called less. NULL: no such key. */
static json_object *parse_key(const char *name)
{
    int code = enum_table_find(&q_key_code_names, strcmp(name, "<") ? name : "less");
    json_object *key;
    guint64 number;

    if (code < 0 && (!g_str_has_prefix(name, "0x") ||
                     !g_ascii_string_to_unsigned(name + 2, 16, 0, UINT16_MAX, &number, NULL))) {
        return NULL;
    }
    key = json_object_new_object();
    json_set(key, "type", json_string(code < 0 ? "number" : "qcode"));
    json_set(key, "data", code < 0 ? json_object_new_int64(number)
                                   : json_string(q_key_code_names.names[code]));
    return key;
}

void hmp_sendkey(Hmp *hmp, json_object *args)
{
    g_auto(GStrv) names = g_strsplit(hmp_text(args, "keys"), "-", -1);
    g_autoptr(JsonObject) call = json_object_new_object();
    json_object *keys = json_object_new_array();

    json_set(call, "keys", keys);
    for (char **name = names; *name; name++) {
        json_object *key = parse_key(*name);

        if (!key) {
            hmp_printf(hmp, "invalid parameter: %s\n", *name);
            return;
        }
        json_object_array_add(keys, key);
    }
    if (hmp_has(args, "hold-time")) {
        json_set(call, "hold-time", json_object_new_int64(hmp_int(args, "hold-time")));
    }
    hmp_call(hmp, "send-key", call, NULL);
}

void complete_key(HmpWords *words)
{
    const char *typed = hmp_word(words), *last = strrchr(typed, '-');
    size_t before = last ? last + 1 - typed : 0;

    for (int i = 0; i < q_key_code_names.count; i++) {
        g_autofree char *word = g_strdup_printf("%.*s%s", (int)before, typed,
                                                q_key_code_names.names[i]);

        hmp_offer(words, word);
    }
}

void hmp_mouse_move(Hmp *hmp, json_object *args)
{
    int64_t notches = hmp_int(args, "dz");
    InputButton wheel = notches > 0 ? INPUT_BUTTON_WHEEL_UP : INPUT_BUTTON_WHEEL_DOWN;

    input_send_rel(INPUT_AXIS_X, hmp_int(args, "dx"));
    input_send_rel(INPUT_AXIS_Y, hmp_int(args, "dy"));
    if (notches) {
        input_send_button(wheel, true);
        input_sync();
        input_send_button(wheel, false);
    }
    input_sync();
}

void hmp_mouse_button(Hmp *hmp, json_object *args)
{
    static const InputButton buttons[] = {
        INPUT_BUTTON_LEFT, INPUT_BUTTON_MIDDLE, INPUT_BUTTON_RIGHT,
    };
    int64_t state = hmp_int(args, "state");

    for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
        input_send_button(buttons[i], state & BIT(i));
    }
    input_sync();
}

void hmp_mouse_set(Hmp *hmp, json_object *args)
{
    Error *err = NULL;

    input_focus_index(hmp_int(args, "index"), &err);
    hmp_report(hmp, err);
}

void show_mice(Hmp *hmp, json_object *value)
{
    size_t count = json_object_array_length(value);

    for (size_t i = 0; i < count; i++) {
        json_object *mouse = json_object_array_get_idx(value, i);

        hmp_printf(hmp, "%c Mouse #%" PRId64 ": %s%s\n", hmp_bool(mouse, "current") ? '*' : ' ',
                   hmp_int(mouse, "index"), hmp_text(mouse, "name"),
                   hmp_bool(mouse, "absolute") ? " (absolute)" : "");
    }
    if (!count) {
        hmp_printf(hmp, "No mouse devices connected\n");
    }
}

static void show_vnc_end(Hmp *hmp, json_object *end, const char *what)
{
    hmp_printf(hmp, "  %s: %s:%s (%s%s)\n", what, hmp_text(end, "host"), hmp_text(end, "service"),
               hmp_text(end, "family"), hmp_bool(end, "websocket") ? " (Websocket)" : "");
}

static void show_vnc_ends(Hmp *hmp, json_object *ends, const char *what)
{
    for (size_t i = 0; i < json_object_array_length(ends); i++) {
        json_object *end = json_object_array_get_idx(ends, i);

        show_vnc_end(hmp, end, what);
        if (hmp_has(end, "auth")) {
            hmp_printf(hmp, "    Auth: %s (Sub: none)\n", hmp_text(end, "auth"));
        }
    }
}

void show_vnc(Hmp *hmp, json_object *value)
{
    size_t count = json_object_array_length(value);

    for (size_t i = 0; i < count; i++) {
        json_object *server = json_object_array_get_idx(value, i), *places, *clients;

        hmp_printf(hmp, "%s:\n", hmp_text(server, "id"));
        places = json_member(server, "server");
        clients = json_member(server, "clients");
        show_vnc_ends(hmp, places, "Server");
        show_vnc_ends(hmp, clients, "Client");
        if (!json_object_array_length(places)) {
            hmp_printf(hmp, "  Auth: %s (Sub: none)\n", hmp_text(server, "auth"));
        }
    }
    if (!count) {
        hmp_printf(hmp, "None\n");
    }
}
