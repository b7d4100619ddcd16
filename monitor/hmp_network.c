/*
 * HMP commands on networks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "net/net.h"

void hmp_netdev_add(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) options = hmp_parse_options(hmp, args, "type");
    g_autofree char *help = NULL;
    Error *err = NULL;

    if (!options) {
        return;
    }
    if (net_options_ask_help(options)) {
        help = net_help();
        hmp_printf(hmp, "%s", help);
    } else if (!net_add_from_options(options, hmp_text(args, "options"), false, &err)) {
        hmp_report(hmp, err);
    }
}

void hmp_network(Hmp *hmp, json_object *args)
{
    g_autofree char *text = net_info();

    hmp_printf(hmp, "%s", text);
}

/* As after a migration: five times, with growing pauses. */
void hmp_announce_self(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) how = json_object_new_object();
    static const struct { const char *name; int value; } pace[] = {
        { "initial", 50 }, { "max", 550 }, { "rounds", 5 }, { "step", 100 },
    };

    for (unsigned n = 0; n < ARRAY_SIZE(pace); n++) {
        json_set(how, pace[n].name, json_object_new_int(pace[n].value));
    }
    if (hmp_has(args, "interfaces")) {
        g_auto(GStrv) names = g_strsplit(hmp_text(args, "interfaces"), ",", -1);
        json_object *list = json_object_new_array();

        for (unsigned n = 0; names[n]; n++) {
            json_object_array_add(list, json_string(names[n]));
        }
        json_set(how, "interfaces", list);
    }
    if (hmp_has(args, "id")) {
        json_set(how, "id", json_string(hmp_text(args, "id")));
    }
    hmp_call(hmp, "announce-self", how, NULL);
}

void hmp_usernet(Hmp *hmp, json_object *args)
{
    g_autofree char *text = net_user_info();

    hmp_printf(hmp, "%s", text);
}

typedef bool ForwardFn(const char *id, const char *rule, Error **errp);

/* [ID] RULE. What is wrong is told as it is, without "Error:", as it always was. */
static bool forward(Hmp *hmp, json_object *args, ForwardFn *fn, const char **rule)
{
    bool has_id = hmp_has(args, "second");
    const char *id = has_id ? hmp_text(args, "first") : NULL;
    Error *err = NULL;

    *rule = hmp_text(args, has_id ? "second" : "first");
    if (!fn(id, *rule, &err)) {
        hmp_printf(hmp, "%s\n", error_text(err));
        error_free(err);
        return false;
    }
    return true;
}

void hmp_hostfwd_add(Hmp *hmp, json_object *args)
{
    const char *rule;

    forward(hmp, args, net_user_add_forward, &rule);
}

void hmp_hostfwd_remove(Hmp *hmp, json_object *args)
{
    const char *rule;

    if (forward(hmp, args, net_user_remove_forward, &rule)) {
        hmp_printf(hmp, "host forwarding rule for %s removed\n", rule);
    }
}

static bool offer_back_end(void *opaque, NetEnd *end)
{
    if (!end->is_device) {
        hmp_offer(opaque, end->name);
    }
    return true;
}

static bool offer_end(void *opaque, NetEnd *end)
{
    hmp_offer(opaque, end->name);
    return true;
}

void complete_netdev(HmpWords *words)
{
    net_each(offer_back_end, words);
}

void complete_network_end(HmpWords *words)
{
    net_each(offer_end, words);
}

void complete_netdev_type(HmpWords *words)
{
    g_autofree char *help = net_help();
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

    for (unsigned n = 1; lines[n]; n++) {
        hmp_offer(words, lines[n]);
    }
}
