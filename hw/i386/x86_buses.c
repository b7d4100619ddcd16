/*
 * How many bus numbers a board's tables announce: kernels scan them all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_host.h"
#include "x86_machine.h"

json_object *x86_get_bus_numbers(Object *obj, const Property *p, Error **errp)
{
    unsigned count = X86_MACHINE(obj)->bus_numbers;
    g_autofree char *text = count ? g_strdup_printf("%u", count) : g_strdup("auto");

    return json_string(text);
}

bool x86_set_bus_numbers(Object *obj, const Property *p, json_object *value, PropertyForm form,
                         Error **errp)
{
    const char *text = json_object_get_string(value); /* of a number as well */
    uint64_t count = 0;

    if (strcmp(text, "auto") &&
        (!g_ascii_string_to_unsigned(text, 10, 1, PCI_BUS_COUNT, &count, NULL))) {
        return error_set(errp, "'%s' must be 1 to 256, or auto: '%s'", p->name, text);
    }
    X86_MACHINE(obj)->bus_numbers = count;
    return true;
}

unsigned x86_bus_numbers(const X86Machine *x86, const PciHost *host, bool is_plugged_later)
{
    return x86->bus_numbers ? x86->bus_numbers : pci_host_bus_count(host, is_plugged_later);
}
