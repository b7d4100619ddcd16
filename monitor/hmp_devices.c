/*
 * HMP commands on devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "hw/core/device.h"

void hmp_device_add(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) options = hmp_parse_options(hmp, args, "driver");
    Error *err = NULL;

    if (!options) {
        return;
    }
    if (!hmp_has(options, "help")) {
        if (!device_add(options, PROPERTY_TEXT, &err)) {
            hmp_report(hmp, err);
        }
    } else if (!hmp_has(options, "driver")) {
        device_print_types(hmp->out, false);
    } else if (!device_print_help(hmp->out, hmp_text(options, "driver"), &err)) {
        hmp_report(hmp, err);
    }
}

void complete_device_type(HmpWords *words)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_DEVICE, false);

    for (guint i = 0; i < types->len; i++) {
        const DeviceType *type = type_ops(g_ptr_array_index(types, i));

        if (type->access == DEVICE_ACCESS_USER) {
            hmp_offer(words, type->name);
        }
    }
}

void hmp_qtree(Hmp *hmp, json_object *args)
{
    device_print_tree(hmp->out);
}

void hmp_qdm(Hmp *hmp, json_object *args)
{
    device_print_types(hmp->out, true);
}
