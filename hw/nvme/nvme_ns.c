/*
 * Namespaces: what a controller shows of a drive, its own ("drive") or that of an nvme-ns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "hw/core/hotplug.h"

#define EUI64_FIRST UINT64_C(0x5254000000000000) /* locally administered */

static void drive_changed(void *opaque)
{
    NvmeNamespace *ns = opaque;

    nvme_tell_changed(ns->nvme, ns->id);
}

/* --- of a controller --- */

static char *controller_name(void *opaque)
{
    return block_conf_device_name(&((NvmeNamespace *)opaque)->nvme->parent.parent);
}

static const BlockDeviceOps controller_ops = {
    .name = controller_name, .changed = drive_changed,
};

/* --- of a device of its own --- */

typedef struct NvmeNs {
    Device parent;
    NvmeNamespace ns;
} NvmeNs;
DECLARE_CAST(NvmeNs, NVME_NS)

static char *unit_name(void *opaque)
{
    return block_conf_device_name(container_of((NvmeNamespace *)opaque, NvmeNs, ns));
}

static const BlockDeviceOps unit_ops = { .name = unit_name, .changed = drive_changed };

/* --- places --- */

static bool choose_id(NvmeNamespace *ns, Error **errp)
{
    for (uint32_t id = 1; !ns->id && id <= NVME_NAMESPACES; id++) {
        ns->id = ns->nvme->namespaces[id] ? 0 : id;
    }
    if (!ns->id) {
        return error_set(errp, "no free namespace id");
    }
    if (ns->id > NVME_NAMESPACES) {
        return error_set(errp, "invalid namespace id (must be between 0 and %d)", NVME_NAMESPACES);
    }
    return !ns->nvme->namespaces[ns->id] ||
           error_set(errp, "namespace id '%" PRIu32 "' already allocated", ns->id);
}

bool nvme_namespace_attach(NvmeNamespace *ns, Nvme *nvme, Device *dev, Error **errp)
{
    bool is_own = ns == &nvme->own;
    BlockConfUse use = { .ops = is_own ? &controller_ops : &unit_ops, .is_resizable = true };

    ns->nvme = nvme;
    if (!ns->conf.drive) {
        return error_set(errp, "block backend not configured");
    }
    use.is_read_only = block_backend_is_read_only(ns->conf.drive);
    if (!choose_id(ns, errp) || !block_conf_attach(&ns->conf, dev, &use, ns, errp)) {
        return false;
    }
    if (!block_conf_check_sizes(&ns->conf, errp)) {
        block_conf_detach(&ns->conf);
        return false;
    }
    ns->eui64 = ns->eui64 ? ns->eui64 : EUI64_FIRST + ns->id;
    nvme->namespaces[ns->id] = ns;
    return true;
}

void nvme_namespace_detach(NvmeNamespace *ns)
{
    if (ns->nvme && ns->id && ns->id <= NVME_NAMESPACES && ns->nvme->namespaces[ns->id] == ns) {
        ns->nvme->namespaces[ns->id] = NULL; /* no command begins any more */
        block_backend_drain(ns->conf.drive, true);
        block_conf_release(&ns->conf);
        nvme_tell_changed(ns->nvme, ns->id);
    }
}

/* --- the device --- */

static bool nvme_ns_realize(Device *dev, Error **errp)
{
    return nvme_namespace_attach(&NVME_NS(dev)->ns, NVME_BUS(dev->bus)->nvme, dev, errp);
}

static void nvme_ns_unrealize(Device *dev)
{
    nvme_namespace_detach(&NVME_NS(dev)->ns);
}

static const Property nvme_ns_props[] = {
    PROP_BLOCK_CONF(NvmeNs, ns.conf),
    PROP_BLOCK_ERRORS(NvmeNs, ns.conf),
    PROP_BOOT_INDEX("bootindex", NvmeNs, ns.conf.boot_index),
    PROP_U32("nsid", NvmeNs, ns.id, .doc = "Number of the namespace; 0: the next that is free"),
    PROP_U64("eui64", NvmeNs, ns.eui64, .doc = "EUI-64; 0: by its number"),
    PROP_UUID("uuid", NvmeNs, ns.uuid, .doc = "UUID, or \"auto\" for a random one"),
};

static const DeviceType nvme_ns_type = {
    .name = TYPE_NVME_NS,
    .doc = "Virtual NVMe namespace",
    .parent = TYPE_DEVICE,
    .size = sizeof(NvmeNs),
    .bus_type = TYPE_NVME_BUS,
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(nvme_ns_props),
    .realize = nvme_ns_realize,
    .unrealize = nvme_ns_unrealize,
};
DEVICE_TYPE(nvme_ns_type)

static char *nvme_bus_firmware_path(Bus *bus, Device *dev)
{
    return g_strdup_printf("namespace@%" PRIx32 ",0", NVME_NS(dev)->ns.id);
}

/* --- plugging: the driver is told --- */

static bool plug(Object *handler, Device *dev, Error **errp)
{
    NvmeNamespace *ns = &NVME_NS(dev)->ns;

    if (dev->is_hotplugged) {
        nvme_tell_changed(ns->nvme, ns->id);
    }
    return true;
}

static bool unplug_request(Object *handler, Device *dev, Error **errp)
{
    hotplug_unplug(dev);
    return true;
}

static const HotplugHandler nvme_hotplug = { .plug = plug, .unplug_request = unplug_request };

static const BusType nvme_bus_type = {
    .name = TYPE_NVME_BUS,
    .parent = TYPE_BUS,
    .doc = "Namespaces of an NVMe controller",
    .size = sizeof(NvmeBus),
    .firmware_path = nvme_bus_firmware_path,
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &nvme_hotplug }, { 0 } },
};
BUS_TYPE(nvme_bus_type)
