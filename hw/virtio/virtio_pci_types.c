/*
 * The types of virtio PCI functions, made from one row for each device: an abstract base that
 * shows the device's properties, and three that differ in their interfaces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_pci_parts.h"
#include "virtqueue_parts.h"

static Object *backend(Object *obj)
{
    return object_child(obj, VIRTIO_PCI_BACKEND);
}

/* Rows that lead to the device behind the function. For ever, as types are. */
static void append_shown(GArray *rows, PropertyList list)
{
    for (size_t i = 0; i < list.count; i++) {
        Property row = list.items[i];

        row.holder = backend;
        g_array_append_val(rows, row);
    }
}

static PropertyList steal_list(GArray *rows)
{
    PropertyList list = { .count = rows->len };

    list.items = (const Property *)g_array_free(rows, FALSE);
    return list;
}

static void add_type(const VirtioPciType *type)
{
    type_register((const ObjectType *)g_memdup2(type, sizeof(*type)), sizeof(*type));
}

/* What all families have. */
static void add_common_type(void)
{
    static bool is_there;
    VirtioPciType type = virtio_pci_base_type;
    GArray *rows;

    if (is_there) {
        return;
    }
    is_there = true;
    rows = g_array_new(FALSE, FALSE, sizeof(Property));
    g_array_append_vals(rows, type.properties.items, type.properties.count);
    append_shown(rows, virtio_device_properties);
    type.properties = steal_list(rows);
    add_type(&type);
}

static void add_family_type(const VirtioPciFamily *family, const char *name)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Property));
    VirtioPciType type = {
        .name = name, .parent = TYPE_VIRTIO_PCI, .doc = family->doc, .is_abstract = true,
        .family = family, .class_id = family->class_id, .category = family->category,
        .romfile = family->romfile, .is_not_hotpluggable = family->is_not_hotpluggable,
    };

    append_shown(rows, family->device->properties);
    type.properties = steal_list(rows);
    add_type(&type);
}

/* Those with ports for legacy drivers are no Express devices behind ports, but may sit there. */
static const InterfaceImpl both_buses[] = { { TYPE_PCI_CONVENTIONAL }, { TYPE_PCI_EXPRESS }, { 0 } };
static const InterfaceImpl conventional[] = { { TYPE_PCI_CONVENTIONAL }, { 0 } };

static void add_variant(const char *base, const char *name, const char *doc,
                        VirtioPciVariant variant)
{
    VirtioPciType type = {
        .name = name, .parent = base, .doc = doc, .variant = variant,
        .interfaces = variant == VIRTIO_PCI_TRANSITIONAL ? conventional : both_buses,
    };

    if (variant == VIRTIO_PCI_GENERIC) {
        type.properties = (PropertyList)PROPERTIES(virtio_pci_generic_props);
    }
    add_type(&type);
}

void virtio_pci_register(const VirtioPciFamily *family)
{
    char *base = g_strconcat(family->name, "-base", NULL);

    add_common_type();
    add_family_type(family, base);
    add_variant(base, g_strdup(family->name), family->doc, VIRTIO_PCI_GENERIC);
    add_variant(base, g_strconcat(family->name, "-non-transitional", NULL), family->doc,
                VIRTIO_PCI_NON_TRANSITIONAL);
    if (family->transitional_id) {
        add_variant(base, g_strconcat(family->name, "-transitional", NULL), family->doc,
                    VIRTIO_PCI_TRANSITIONAL);
    }
    if (g_str_has_suffix(family->name, "-pci")) {
        type_register_alias(g_strndup(family->name, strlen(family->name) - strlen("-pci")),
                            family->name);
    }
}
