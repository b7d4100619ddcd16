/*
 * Buses: see hw/core/bus.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"

static void bus_init(Object *obj)
{
    BUS(obj)->devices = g_ptr_array_new();
}

static void bus_finalize(Object *obj)
{
    Bus *bus = BUS(obj);

    if (bus->owner) {
        g_ptr_array_remove(bus->owner->buses, bus);
    }
    g_ptr_array_unref(bus->devices);
    g_free(bus->name);
}

static json_object *get_realized(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(BUS(obj)->is_realized);
}

static const Property bus_props[] = {
    PROP_LINK("hotplug-handler", Bus, hotplug, "hotplug-handler", .is_live = true,
              .doc = "Who plugs and unplugs devices here"),
    PROP_COMPUTED("realized", "bool", .get = get_realized, .doc = "Whether it is alive"),
};

static const BusType bus_type = {
    .name = TYPE_BUS,
    .doc = "What devices sit on",
    .size = sizeof(Bus),
    .is_abstract = true,
    .properties = PROPERTIES(bus_props),
    .init = bus_init,
    .finalize = bus_finalize,
};
BUS_TYPE(bus_type)

static const BusType system_bus_type = {
    .name = TYPE_SYSTEM_BUS,
    .parent = TYPE_BUS,
    .doc = "Devices addressed by the memory map",
};
BUS_TYPE(system_bus_type)

const char *bus_name(const Bus *bus)
{
    return bus->name;
}

static char *make_name(Device *owner)
{
    unsigned n = owner->buses ? owner->buses->len : 0;
    g_autofree char *stem =
        owner->id ? g_strdup(owner->id) : g_ascii_strdown(object_type_name(owner), -1);

    return g_strdup_printf("%s.%u", stem, n);
}

Bus *bus_new(const char *type_name, Device *owner, const char *name)
{
    Bus *bus = BUS(object_new(type_name));

    bus->name = name ? g_strdup(name) : make_name(owner);
    bus->owner = owner;
    if (!owner->buses) {
        owner->buses = g_ptr_array_new();
    }
    g_ptr_array_add(owner->buses, bus);
    /* In the tree of objects a property of the owner may have the name; users say the bus's. */
    if (!object_add_child(&owner->parent, bus->name, bus, NULL)) {
        g_autofree char *numbered = g_strdup_printf("%s[*]", bus->name);

        object_add_child(&owner->parent, numbered, bus, NULL);
    }
    object_unref(bus);
    return bus;
}

void bus_set_hotplug_handler(Bus *bus, Object *handler)
{
    object_unref(bus->hotplug);
    bus->hotplug = handler ? object_ref(handler) : NULL;
}

Bus *bus_system(void)
{
    static Bus *main_bus; /* the one root of the device tree */

    if (!main_bus) {
        main_bus = BUS(object_new(TYPE_SYSTEM_BUS));
        main_bus->is_realized = true;
        main_bus->name = g_strdup("main-system-bus");
        object_add_child(object_container("/machine/unattached"), "sysbus", main_bus, NULL);
        object_unref(main_bus);
    }
    return main_bus;
}

typedef bool BusMatch(Bus *bus, const void *what);

/* The newest first, as users know it: virtio-mmio's highest slot, the last controller. */
static Bus *search(Bus *bus, BusMatch *match, const void *what)
{
    if (match(bus, what)) {
        return bus;
    }
    for (guint i = bus->devices->len; i-- > 0;) {
        Device *dev = bus->devices->pdata[i];

        for (guint n = dev->buses ? dev->buses->len : 0; n-- > 0;) {
            Bus *found = search(dev->buses->pdata[n], match, what);

            if (found) {
                return found;
            }
        }
    }
    return NULL;
}

static bool match_name(Bus *bus, const void *name)
{
    return !strcmp(bus_name(bus), name);
}

static bool match_free(Bus *bus, const void *type_name)
{
    uintptr_t max = bus_ops(bus)->max_devices;

    return object_is_a(bus, type_name) && !bus->is_full && (!max || bus->devices->len < max);
}

Bus *bus_find(const char *name, const char *type_name)
{
    Bus *bus = strchr(name, '/') ? (Bus *)object_resolve(name, TYPE_BUS, NULL) :
                                   search(bus_system(), match_name, name);

    return bus && (!type_name || object_is_a(bus, type_name)) ? bus : NULL;
}

Bus *bus_find_free(const char *type_name)
{
    return search(bus_system(), match_free, type_name);
}

char *bus_free_name(const char *stem)
{
    char *name = g_strdup_printf("%s.0", stem);

    for (unsigned n = 1; bus_find(name, NULL); n++) {
        g_free(name);
        name = g_strdup_printf("%s.%u", stem, n);
    }
    return name;
}
