/*
 * HMP: info virtio, virtio-status, virtio-queue-status, virtio-queue-element.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"

void show_virtio(Hmp *hmp, json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *info = json_object_array_get_idx(list, i);

        hmp_printf(hmp, "%s [%s]\n", hmp_text(info, "path"), hmp_text(info, "name"));
    }
}

/* Plain members, a line each, in their order. */
static void show_members(Hmp *hmp, json_object *value)
{
    json_object_object_foreach (value, name, member) {
        if (!json_object_is_type(member, json_type_object) &&
            !json_object_is_type(member, json_type_array)) {
            hmp_printf(hmp, "  %-25s %s\n", name, json_object_get_string(member));
        }
    }
}

static void show_names(Hmp *hmp, json_object *value, const char *name)
{
    json_object *list = json_member(value, name);

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        hmp_printf(hmp, "\t%s\n", json_object_get_string(json_object_array_get_idx(list, i)));
    }
}

static void show_features(Hmp *hmp, json_object *value, const char *name, const char *title)
{
    json_object *features = json_member(value, name);
    json_object *unknown = json_member(features, "unknown-dev-features");

    hmp_printf(hmp, "  %s:\n", title);
    show_names(hmp, features, "transports");
    show_names(hmp, features, "dev-features");
    if (unknown) {
        hmp_printf(hmp, "\t0x%016" PRIx64 "\n", json_object_get_uint64(unknown));
    }
}

void show_virtio_status(Hmp *hmp, json_object *value)
{
    show_members(hmp, value);
    hmp_printf(hmp, "  status:\n");
    show_names(hmp, json_member(value, "status"), "statuses");
    show_features(hmp, value, "guest-features", "Guest features");
    show_features(hmp, value, "host-features", "Host features");
}

void show_virtio_queue(Hmp *hmp, json_object *value)
{
    static const char *const addresses[] = { "vring-desc", "vring-avail", "vring-used" };

    show_members(hmp, value);
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        hmp_printf(hmp, "  %-25s 0x%016" PRIx64 "\n", addresses[i],
                   json_object_get_uint64(json_member(value, addresses[i])));
    }
}

static void show_descriptor(Hmp *hmp, json_object *desc)
{
    json_object *flags = json_member(desc, "flags");

    hmp_printf(hmp, "    addr 0x%" PRIx64 " len %" PRIu64, json_object_get_uint64(json_member(desc, "addr")),
               json_object_get_uint64(json_member(desc, "len")));
    for (size_t i = 0; i < json_object_array_length(flags); i++) {
        hmp_printf(hmp, " (%s)", json_object_get_string(json_object_array_get_idx(flags, i)));
    }
    hmp_printf(hmp, "\n");
}

void show_virtio_element(Hmp *hmp, json_object *value)
{
    static const char *const parts[] = { "avail", "used" };
    json_object *descs = json_member(value, "descs");

    show_members(hmp, value);
    hmp_printf(hmp, "  descs:\n");
    for (size_t i = 0; i < json_object_array_length(descs); i++) {
        show_descriptor(hmp, json_object_array_get_idx(descs, i));
    }
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        hmp_printf(hmp, "  %s:\n", parts[i]);
        show_members(hmp, json_member(value, parts[i]));
    }
}
