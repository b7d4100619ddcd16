/*
 * See hw/net/nic_conf.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/net/nic_conf.h"

#include "hw/core/bus.h"

static uint8_t *mac_of(Object *obj, const Property *p)
{
    return (uint8_t *)obj + p->offset;
}

static json_object *get_mac(Object *obj, const Property *p, Error **errp)
{
    g_autofree char *text = net_show_mac(mac_of(obj, p));

    return json_string(text);
}

static bool set_mac(Object *obj, const Property *p, json_object *value, PropertyForm form,
                    Error **errp)
{
    const char *text;
    uint8_t mac[ETH_ADDR_BYTES];

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    if (!net_parse_mac(text, mac)) {
        return error_set(errp, "Property '%s.%s' doesn't take value '%s'", object_type_name(obj),
                         p->name, text);
    }
    memcpy(mac_of(obj, p), mac, sizeof(mac));
    return true;
}

const PropertyKind property_mac = { .name = "str", .get = get_mac, .set = set_mac };

static char **netdev_of(Object *obj, const Property *p)
{
    return (char **)((char *)obj + p->offset);
}

static json_object *get_netdev(Object *obj, const Property *p, Error **errp)
{
    char *id = *netdev_of(obj, p);

    return json_string(id ? id : "");
}

/* `what` is wrong with a back end; NULL: it can be used. */
static const char *problem_of(const char *id)
{
    NetEnd *end = net_backend_get(id);

    return !end ? "can't find value" : net_peer(end) ? "can't take value" : NULL;
}

static bool refuse(Object *obj, const char *name, const char *id, Error **errp)
{
    const char *problem = problem_of(id);

    return error_set(errp, "Property '%s.%s' %s '%s'%s", object_type_name(obj), name, problem, id,
                     strstr(problem, "take") ? ", it's in use" : "");
}

static bool set_netdev(Object *obj, const Property *p, json_object *value, PropertyForm form,
                       Error **errp)
{
    char **id = netdev_of(obj, p);
    const char *text;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    if (*text && problem_of(text)) {
        return refuse(obj, p->name, text, errp);
    }
    g_free(*id);
    *id = *text ? g_strdup(text) : NULL;
    return true;
}

static void clear_netdev(Object *obj, const Property *p)
{
    g_clear_pointer(netdev_of(obj, p), g_free);
}

const PropertyKind property_netdev = {
    .name = "str", .get = get_netdev, .set = set_netdev, .clear = clear_netdev,
};

NetEnd *nic_conf_backend(const NicConf *conf)
{
    return conf->netdev ? net_backend_get(conf->netdev) : NULL;
}

/* What users know it as: of a part behind a bus' transport, the whole. */
static Device *shown_device(Device *dev)
{
    return dev->is_part && dev->bus ? dev->bus->owner : dev;
}

static char *pick_name(const Device *dev)
{
    if (dev->id) {
        return g_strdup(dev->id);
    }
    for (unsigned n = 0;; n++) {
        char *name = g_strdup_printf("%s.%u", object_type_name(dev), n);

        if (!net_find(name)) {
            return name;
        }
        g_free(name);
    }
}

bool nic_conf_attach(NicConf *conf, Device *dev, const NicUse *use, NetEnd *end, Error **errp)
{
    static const uint8_t none[ETH_ADDR_BYTES];
    Device *shown = shown_device(dev);
    g_autofree char *path = object_path(shown);
    g_autofree char *name = pick_name(shown);
    NetDeviceInfo info = {
        .model = object_type_name(shown), .name = name, .path = path, .queues = use->queues,
        .backend = nic_conf_backend(conf),
    };

    if (conf->netdev && problem_of(conf->netdev)) {
        return refuse(&shown->parent, "netdev", conf->netdev, errp);
    }
    if (!memcmp(conf->mac, none, sizeof(none))) {
        net_pick_mac(conf->mac);
    }
    net_device_attach(end, use->ops, &info, dev);
    net_device_set_mac(end, conf->mac);
    return true;
}
