/*
 * Bus: what devices sit on. A device provides it; its type says what may sit there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BUS_H
#define HW_CORE_BUS_H

#include "hw/core/device.h"

#define TYPE_BUS        "bus"
#define TYPE_SYSTEM_BUS "System"

struct Bus {
    Object parent;
    char *name;          /* as users know it; its place in the tree of objects may have another */
    Device *owner;       /* NULL: a root */
    GPtrArray *devices;  /* borrowed, in the order they came */
    Object *hotplug;     /* HotplugHandler; NULL: nothing can be plugged later */
    bool is_full;
    bool is_realized;
};
DECLARE_CAST(Bus, BUS)

typedef struct BusType {
    struct ObjectType;
    uintptr_t max_devices; /* 0: no limit */
    /* Finds or checks the device's place (a slot, an address) before it is realized. */
    bool (*check)(Bus *bus, Device *dev, Error **errp);
    /* A line of `info qtree`. */
    void (*print_device)(Bus *bus, Device *dev, GString *out, int indent);
    /* "0000:00:03.0"-like path element for firmware and migration names. Free it. */
    char *(*device_address)(Bus *bus, Device *dev);
    /* How firmware calls it, without what is above: "ide@1,1". Free it. */
    char *(*firmware_path)(Bus *bus, Device *dev);
    void (*reset_hold)(Bus *bus);
} BusType;
#define BUS_TYPE(decl) OBJECT_TYPE(decl)

static inline const BusType *bus_ops(const Bus *bus)
{
    return object_ops(bus);
}

/* A child bus of `owner`, which holds it. `name` NULL: "<owner's id or type>.<n>". */
Bus *bus_new(const char *type_name, Device *owner, const char *name);
const char *bus_name(const Bus *bus);
/* "<stem>.<n>", with the first number that no bus has. Free it. */
char *bus_free_name(const char *stem);
void bus_set_hotplug_handler(Bus *bus, Object *handler);
/* By name or path below the main bus, of the given type (NULL: any). */
Bus *bus_find(const char *name, const char *type_name);
/* A bus of a type that has room: the nearest to the root, of the newest device, and its last. */
Bus *bus_find_free(const char *type_name);
/* "/machine/unattached/sysbus": where boards put what is addressed by the memory map. */
Bus *bus_system(void);
void bus_reset(Bus *bus);

#endif
