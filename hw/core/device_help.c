/*
 * What people read about devices: lists of types, help on one, the tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"

static const char *const category_titles[DEVICE_CATEGORY_COUNT] = {
    [DEVICE_CATEGORY_BRIDGE] = "Controller/Bridge/Hub",
    [DEVICE_CATEGORY_USB] = "USB",
    [DEVICE_CATEGORY_STORAGE] = "Storage",
    [DEVICE_CATEGORY_NETWORK] = "Network",
    [DEVICE_CATEGORY_INPUT] = "Input",
    [DEVICE_CATEGORY_DISPLAY] = "Display",
    [DEVICE_CATEGORY_SOUND] = "Sound",
    [DEVICE_CATEGORY_MISC] = "Misc",
    [DEVICE_CATEGORY_CPU] = "CPU",
    [DEVICE_CATEGORY_WATCHDOG] = "Watchdog",
    [DEVICE_CATEGORY_NONE] = "Uncategorized",
};

typedef struct AliasSearch {
    const char *name, *alias;
} AliasSearch;

static void match_alias(void *opaque, const char *alias, const char *name)
{
    AliasSearch *search = opaque;

    if (!strcmp(search->name, name)) {
        search->alias = alias;
    }
}

static void print_type(GString *out, const Type *type)
{
    const DeviceType *ops = type_ops(type);
    AliasSearch search = { type_name(type) };

    type_each_alias(match_alias, &search);
    g_string_append_printf(out, "name \"%s\"", type_name(type));
    if (ops->bus_type) {
        g_string_append_printf(out, ", bus %s", ops->bus_type);
    }
    if (search.alias) {
        g_string_append_printf(out, ", alias \"%s\"", search.alias);
    }
    if (ops->doc) {
        g_string_append_printf(out, ", desc \"%s\"", ops->doc);
    }
    if (ops->access != DEVICE_ACCESS_USER) {
        g_string_append(out, ", no-user");
    }
    g_string_append_c(out, '\n');
}

void device_print_types(GString *out, bool with_internal)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_DEVICE, false);

    for (unsigned n = 1; n <= DEVICE_CATEGORY_COUNT; n++) {
        unsigned category = n % DEVICE_CATEGORY_COUNT; /* those without one come last */
        bool is_first = true;

        for (guint i = 0; i < types->len; i++) {
            const DeviceType *ops = type_ops(types->pdata[i]);

            if (ops->category != category ||
                (!with_internal && ops->access != DEVICE_ACCESS_USER)) {
                continue;
            }
            if (is_first) {
                g_string_append_printf(out, "%s%s devices:\n", out->len ? "\n" : "",
                                       category_titles[category]);
            }
            is_first = false;
            print_type(out, types->pdata[i]);
        }
    }
}

bool device_print_help(GString *out, const char *name, Error **errp)
{
    const Type *type = type_find(type_resolve_alias(name));

    if (!type || !type_is_a(type, TYPE_DEVICE)) {
        return error_set(errp, "'%s' is not a valid device model name", name);
    }
    if (type_is_abstract(type)) {
        return error_set(errp, "Parameter 'driver' expects a non-abstract device type");
    }
    g_string_append_printf(out, "%s options:\n", type_name(type));
    type_print_properties(out, type);
    return true;
}

static void print_bus(GString *out, Bus *bus, int indent);

typedef struct TreePrint {
    GString *out;
    Device *dev;
    int indent;
} TreePrint;

/* Inputs first, as users know it. */
static void print_lines(const TreePrint *print, const DeviceType *level, bool are_inputs)
{
    for (size_t i = 0; i < level->irqs.count; i++) {
        const IrqDef *def = &level->irqs.items[i];

        if (!!def->input == are_inputs) {
            g_string_append_printf(print->out, "%*sgpio-%s \"%s\" %u\n", print->indent, "",
                                   are_inputs ? "in" : "out", def->name ? def->name : "",
                                   def->count);
        }
    }
}

static char *value_text(Device *dev, const Property *prop)
{
    json_object *value;
    char *text;

    if (prop->kind->print) {
        return prop->kind->print(&dev->parent, prop);
    }
    value = object_get(dev, prop->name, NULL);
    if (json_object_is_type(value, json_type_int)) {
        int64_t number = json_object_get_int64(value);

        text = g_strdup_printf("%" PRId64 " (0x%" PRIx64 ")", number, number);
    } else {
        text = json_to_string(value);
    }
    json_unref(value);
    return text;
}

/* What is set from outside and stays: not what is computed, not other objects. */
static void print_value(void *opaque, const Type *owner, const Property *prop)
{
    TreePrint *print = opaque;
    g_autofree char *text = NULL;

    if (!strcmp(type_name(owner), TYPE_DEVICE) || !strcmp(type_name(owner), TYPE_OBJECT) ||
        prop->kind == &property_computed || prop->kind == &property_link ||
        prop->kind == &property_child) {
        return;
    }
    text = value_text(print->dev, prop);
    if (text) {
        g_string_append_printf(print->out, "%*s%s = %s\n", print->indent, "", prop->name, text);
    }
}

/* Where its regions are; all ones: nowhere. */
static void print_regions(const TreePrint *print)
{
    const MmioDevice *mmio = MMIO_DEVICE(print->dev);

    for (unsigned i = 0; object_is_a(mmio, TYPE_MMIO_DEVICE) && i < mmio->region_count; i++) {
        g_string_append_printf(print->out, "%*smmio %016" PRIx64 "/%016" PRIx64 "\n",
                               print->indent, "", mmio->regions[i].addr,
                               mmio->regions[i].region->size);
    }
}

static void print_device(GString *out, Device *dev, int indent)
{
    TreePrint print = { out, dev, indent + 2 };

    g_string_append_printf(out, "%*sdev: %s, id \"%s\"\n", indent, "", object_type_name(dev),
                           dev->id ? dev->id : "");
    for (const Type *t = dev->parent.type; type_is_a(t, TYPE_DEVICE); t = type_parent(t)) {
        print_lines(&print, (const DeviceType *)type_decl(t), true);
        print_lines(&print, (const DeviceType *)type_decl(t), false);
    }
    type_each_property(dev->parent.type, print_value, &print);
    print_regions(&print);
    if (dev->bus && bus_ops(dev->bus)->print_device) {
        bus_ops(dev->bus)->print_device(dev->bus, dev, out, indent + 2);
    }
    for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
        print_bus(out, dev->buses->pdata[i], indent + 2);
    }
}

static void print_bus(GString *out, Bus *bus, int indent)
{
    g_string_append_printf(out, "%*sbus: %s\n%*s  type %s\n", indent, "", bus_name(bus), indent, "",
                           object_type_name(bus));
    for (guint i = 0; i < bus->devices->len; i++) {
        print_device(out, bus->devices->pdata[i], indent + 2);
    }
}

void device_print_tree(GString *out)
{
    print_bus(out, bus_system(), 0);
}
