/*
 * Boot order: see hw/core/boot_order.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/boot_order.h"
#include "hw/core/block_conf.h"
#include "hw/core/bus.h"

typedef struct BootEntry {
    int32_t index;
    char *path;
} BootEntry;

static void entry_clear(gpointer data)
{
    g_free(((BootEntry *)data)->path);
}

static GArray *entries_new(void)
{
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(BootEntry));

    g_array_set_clear_func(entries, entry_clear);
    return entries;
}

/* Without a device; filled during start-up. */
static GArray *extra;

void boot_order_add(const char *path, int32_t index)
{
    BootEntry entry = { index, g_strdup(path) };

    if (!extra) {
        extra = entries_new();
    }
    g_array_append_val(extra, entry);
}

char *boot_device_path(Device *dev)
{
    g_autoptr(GString) path = g_string_new(NULL);

    for (; dev && dev->bus; dev = dev->bus->owner) {
        const BusType *ops = bus_ops(dev->bus);
        g_autofree char *step = ops->firmware_path ? ops->firmware_path(dev->bus, dev) : NULL;

        if (step) {
            g_string_prepend(path, step);
            g_string_prepend_c(path, '/');
        }
    }
    return path->len ? g_string_free(g_steal_pointer(&path), FALSE) : NULL;
}

/* NULL: none; or it is a part's, which has it itself. */
static const Property *find_index(Object *obj)
{
    const Property *p = object_is_a(obj, TYPE_DEVICE) ? object_find_property(obj, "bootindex") :
                                                        NULL;

    return p && p->kind == &property_boot_index && !p->holder ? p : NULL;
}

/* Of what in the device it starts from. NULL: firmware has no way to it. Free it. */
static char *path_of_part(Object *obj, const Property *index)
{
    g_autofree char *path = boot_device_path(DEVICE(obj));

    return path ? g_strconcat(path, index->opaque ? index->opaque : "", NULL) : NULL;
}

static void collect(void *opaque, Object *obj)
{
    const Property *p = find_index(obj);

    if (p) {
        int32_t index = *(int32_t *)((char *)obj + p->offset);
        char *path = index >= 0 ? path_of_part(obj, p) : NULL;

        if (path) {
            BootEntry entry = { index, path };

            g_array_append_val((GArray *)opaque, entry);
        }
    }
    object_each_child(obj, collect, opaque);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const BootEntry *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

static bool check(const GArray *entries, Error **errp)
{
    for (guint i = 1; i < entries->len; i++) {
        if (g_array_index(entries, BootEntry, i).index ==
            g_array_index(entries, BootEntry, i - 1).index) {
            return error_set(errp, "The bootindex %d has already been used",
                             g_array_index(entries, BootEntry, i).index);
        }
    }
    return true;
}

bool boot_order_list(bool is_strict, GByteArray **list, Error **errp)
{
    g_autoptr(GArray) entries = entries_new();
    g_autoptr(GString) text = g_string_new(NULL);

    collect(entries, object_root());
    for (guint i = 0; extra && i < extra->len; i++) {
        const BootEntry *given = &g_array_index(extra, BootEntry, i);
        BootEntry entry = { given->index, g_strdup(given->path) };

        g_array_append_val(entries, entry);
    }
    g_array_sort(entries, compare);
    if (!check(entries, errp)) {
        return false;
    }
    for (guint i = 0; i < entries->len; i++) {
        g_string_append_printf(text, "%s%s", i ? "\n" : "",
                               g_array_index(entries, BootEntry, i).path);
    }
    if (is_strict && text->len) {
        g_string_append(text, "\nHALT");
    }
    *list = g_byte_array_new();
    if (text->len) {
        g_byte_array_append(*list, (guint8 *)text->str, text->len + 1);
    }
    return true;
}

/* --- geometries --- */

static void collect_geometry(void *opaque, Object *obj)
{
    const Property *p = find_index(obj);
    GString *text = opaque;

    if (p && object_find_property(obj, "lcyls")) {
        int64_t cyls = object_get_int(obj, "lcyls"), heads = object_get_int(obj, "lheads");
        int64_t secs = object_get_int(obj, "lsecs");
        g_autofree char *path = cyls || heads || secs ? path_of_part(obj, p) : NULL;

        if (path) {
            g_string_append_printf(text, "%s%s %" PRId64 " %" PRId64 " %" PRId64,
                                   text->len ? "\n" : "", path, cyls, heads, secs);
        }
    }
    object_each_child(obj, collect_geometry, opaque);
}

GByteArray *boot_geometry_list(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    GByteArray *list = g_byte_array_new();

    collect_geometry(text, object_root());
    if (text->len) {
        g_byte_array_append(list, (guint8 *)text->str, text->len + 1);
    }
    return list;
}
