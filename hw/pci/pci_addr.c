/*
 * The "addr" property: "06.1", "06", "0x6.0x1" (hexadecimal slot and function), or a number that
 * holds both.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_parts.h"

static int32_t *field(Object *obj, const Property *p)
{
    return (int32_t *)((char *)obj + p->offset);
}

static json_object *addr_get(Object *obj, const Property *p, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(obj);

    return json_object_new_int(dev->devfn >= 0 ? dev->devfn : *field(obj, p));
}

/* Hexadecimal digits, with or without 0x, that say at most `max`. */
static bool parse_part(const char **text, unsigned max, unsigned *out)
{
    const char *digits = *text + (g_str_has_prefix(*text, "0x") ? 2 : 0);
    char *end;
    unsigned long number = strtoul(digits, &end, 16);

    if (!g_ascii_isxdigit(*digits) || number > max) {
        return false;
    }
    *out = number;
    *text = end;
    return true;
}

static bool parse_addr(const char *text, int32_t *out)
{
    unsigned slot, function = 0;

    if (!parse_part(&text, 0x1f, &slot)) {
        return false;
    }
    if (*text == '.') {
        text++;
        if (!parse_part(&text, 7, &function)) {
            return false;
        }
    }
    *out = PCI_DEVFN(slot, function);
    return !*text;
}

static bool refuse(Object *obj, const Property *p, json_object *value, Error **errp)
{
    g_autofree char *text = json_object_is_type(value, json_type_string) ?
                            g_strdup(json_object_get_string(value)) : json_to_string(value);

    return error_set(errp, "Property '%s.%s' doesn't take value '%s'", object_type_name(obj),
                     p->name, text);
}

static bool addr_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                     Error **errp)
{
    int64_t number;
    int32_t addr;

    if (json_object_is_type(value, json_type_string)) {
        if (!parse_addr(json_object_get_string(value), &addr)) {
            return refuse(obj, p, value, errp);
        }
        *field(obj, p) = addr;
        return true;
    }
    if (form == PROPERTY_TEXT || !json_object_is_type(value, json_type_int)) {
        return error_set(errp, "Invalid parameter type for '%s', expected: integer", p->name);
    }
    number = json_object_get_int64(value);
    if (number < -1 || number >= PCI_DEVFN_COUNT) {
        return refuse(obj, p, value, errp);
    }
    *field(obj, p) = number;
    return true;
}

static void addr_set_initial(Object *obj, const Property *p)
{
    *field(obj, p) = p->initial;
}

static json_object *addr_show_initial(const Property *p)
{
    return json_object_new_int(p->initial);
}

static char *addr_print(Object *obj, const Property *p)
{
    int32_t addr = PCI_DEVICE(obj)->devfn; /* where it is, if it is anywhere yet */

    addr = addr < 0 ? *field(obj, p) : addr;
    return addr < 0 ? g_strdup("<unset>") :
                      g_strdup_printf("%02x.%x", PCI_SLOT(addr), PCI_FUNCTION(addr));
}

const PropertyKind property_pci_addr = {
    .print = addr_print,
    .name = "int32",
    .get = addr_get,
    .set = addr_set,
    .set_initial = addr_set_initial,
    .show_initial = addr_show_initial,
};
