/*
 * See cli/networks.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/networks.h"

#include "cli/network_state.h"
#include "hw/core/bus.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"
#include "hw/pci/pci_bus.h"
#include "net/net.h"
#include "system/run_state.h"

#define FIRST_HUB "0" /* that all of -net are at */

/* Adapters that -nic and -net nic ask for: what device_add() takes. */
static GPtrArray *adapters;
static unsigned made, hub_ports; /* names given so far */

static void state_changed(Notifier *notifier, void *data)
{
    const RunStateChange *change = data;

    net_machine_runs(change->is_running);
}

static const char *text_of(json_object *keys, const char *key)
{
    json_object *value = json_member(keys, key);

    return value ? json_object_get_string(value) : NULL;
}

/* Taken out of the keys; NULL: it is not there. Free it. */
static char *take(json_object *keys, const char *key)
{
    char *text = g_strdup(text_of(keys, key));

    json_object_object_del(keys, key);
    return text;
}

/* Adapters that sit on PCI, for model=help. */
static G_NORETURN void print_models(void)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_DEVICE, false);
    GString *text = g_string_new("Supported NIC models:\n");

    for (guint n = 0; n < types->len; n++) {
        const DeviceType *type = (const DeviceType *)type_ops(types->pdata[n]);

        if (type->category == DEVICE_CATEGORY_NETWORK && type->access == DEVICE_ACCESS_USER &&
            !g_strcmp0(type->bus_type, TYPE_PCI_BUS)) {
            g_string_append_printf(text, "%s\n", type_name(types->pdata[n]));
        }
    }
    option_exit_with(text);
}

static bool is_type(json_object *keys, const char *type)
{
    return !g_strcmp0(text_of(keys, "type"), type);
}

static void print_help_if_asked(json_object *keys)
{
    if (net_options_ask_help(keys)) {
        char *help = net_help();
        GString *text = g_string_new(help);

        g_free(help); /* nobody comes back from there */
        option_exit_with(text);
    }
    if (!g_strcmp0(text_of(keys, "model"), "help")) {
        print_models();
    }
}

static bool add_netdev(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    print_help_if_asked(value->keys);
    return net_add_from_options(value->keys, value->text, value->is_json, errp);
}

/* --- adapters --- */

/* What users call adapters, and what is plugged in. */
static const char *model_type(const char *model)
{
    bool has_pci = bus_find_free(TYPE_PCI_BUS);

    model = model ? model : machine_ops(machine_current())->default_nic;
    return model && strcmp(model, "virtio") ? model
           : has_pci ? "virtio-net-pci" : "virtio-net-device";
}

/* All are taken over, and may be NULL. */
static void want_adapter(char *model, char *netdev, char *mac, char *name)
{
    json_object *device = json_object_new_object();

    if (model) {
        json_set(device, "driver", json_string(model));
    }
    if (netdev) {
        json_set(device, "netdev", json_string(netdev));
    }
    if (mac) {
        json_set(device, "mac", json_string(mac));
    }
    if (name) {
        json_set(device, "id", json_string(name));
    }
    g_ptr_array_add(adapters, device);
    g_free(model);
    g_free(netdev);
    g_free(mac);
    g_free(name);
}

static char *new_id(const char *kind)
{
    return g_strdup_printf("%s%u", kind, made++);
}

static bool check_mac(const char *key, const char *mac, Error **errp)
{
    uint8_t bytes[ETH_ADDR_BYTES];

    return !mac || net_parse_mac(mac, bytes) ||
           error_set(errp, "invalid syntax for %s: '%s'", key, mac);
}

static bool add_nic(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) keys = NULL;
    char *model, *mac, *id;

    print_help_if_asked(value->keys);
    if (is_type(value->keys, "none")) {
        return true;
    }
    json_object_deep_copy(value->keys, &keys, NULL);
    model = take(keys, "model");
    mac = take(keys, "mac");
    id = take(keys, "id");
    if (!check_mac("mac", mac, errp)) {
        g_free(model);
        g_free(mac);
        g_free(id);
        return false;
    }
    id = id ? id : new_id("nic-net");
    json_set(keys, "id", json_string(id));
    if (!json_member(keys, "type")) {
        json_set(keys, "type", json_string("user"));
    }
    want_adapter(model, g_strdup(id), mac, NULL);
    g_free(id);
    return net_add_from_options(keys, value->text, false, errp);
}

/* A port of the hub; NULL with *errp set. Free it. */
static char *add_hub_port(const char *plugged, Error **errp)
{
    g_autoptr(JsonObject) keys = json_object_new_object();
    g_autofree char *id = g_strdup_printf("hub" FIRST_HUB "port%u", hub_ports++);

    json_set(keys, "type", json_string("hubport"));
    json_set(keys, "id", json_string(id));
    json_set(keys, "hubid", json_string(FIRST_HUB));
    if (plugged) {
        json_set(keys, "netdev", json_string(plugged));
    }
    return net_add_from_options(keys, NULL, false, errp) ? g_steal_pointer(&id) : NULL;
}

static bool add_net_nic(json_object *keys, Error **errp)
{
    char *netdev = take(keys, "netdev");
    const char *mac = text_of(keys, "macaddr");

    if (!check_mac("macaddr", mac, errp)) {
        g_free(netdev);
        return false;
    }
    if (!netdev) {
        netdev = add_hub_port(NULL, errp);
    }
    if (netdev) {
        want_adapter(take(keys, "model"), netdev, take(keys, "macaddr"), take(keys, "name"));
    }
    return netdev;
}

static bool add_net(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    g_autoptr(JsonObject) keys = NULL;
    g_autofree char *id = NULL, *name = NULL;
    g_autofree char *port = NULL;

    print_help_if_asked(value->keys);
    if (is_type(value->keys, "none")) {
        return true;
    }
    json_object_deep_copy(value->keys, &keys, NULL);
    if (is_type(keys, "nic")) {
        return add_net_nic(keys, errp);
    }
    name = take(keys, "name");
    id = take(keys, "id");
    id = id ? id : name ? g_strdup(name) : new_id("net-net");
    json_set(keys, "id", json_string(id));
    if (!net_add_from_options(keys, value->text, false, errp)) {
        return false;
    }
    port = add_hub_port(id, errp);
    return port;
}

/* As if the user had said "-net nic -net user", if nothing was said at all. */
static bool add_defaults(OptionSet *set)
{
    g_autoptr(JsonObject) nic = json_object_new_object();
    g_autoptr(JsonObject) user = json_object_new_object();
    OptionValue value = { .keys = user };
    Error *err = NULL;

    if (option_given(set, "nodefaults") || option_given(set, "netdev") ||
        option_given(set, "nic") || option_given(set, "net") ||
        !machine_ops(machine_current())->default_nic) {
        return true;
    }
    if (!add_net_nic(nic, &err)) {
        error_report_err(err);
        return false;
    }
    json_set(user, "type", json_string("user"));
    if (!add_net(set, &value, NULL, &err)) {
        error_free(err); /* built without it */
    }
    return true;
}

bool networks_add(OptionSet *set)
{
    static Notifier notifier = { .fn = state_changed };

    vm_add_state_notifier(&notifier);
    network_state_register();
    adapters = g_ptr_array_new_with_free_func((GDestroyNotify)json_unref);
    return option_each(set, "netdev", add_netdev, NULL) && option_each(set, "nic", add_nic, NULL) &&
           option_each(set, "net", add_net, NULL) && add_defaults(set);
}

bool networks_place(OptionSet *set)
{
    Error *err = NULL;

    for (guint n = 0; n < adapters->len; n++) {
        json_object *device = adapters->pdata[n];
        const char *model = model_type(text_of(device, "driver"));

        json_set(device, "driver", json_string(model));
        if (!device_add(device, PROPERTY_TEXT, &err)) {
            error_report_err(err);
            return false;
        }
    }
    g_clear_pointer(&adapters, g_ptr_array_unref);
    return true;
}
