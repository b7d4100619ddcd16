/*
 * Tables of devices: see hw/acpi/table_source.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/table_source.h"

static const ObjectType table_source_type = {
    .name = TYPE_ACPI_TABLE_SOURCE, .is_interface = true, .doc = "Has ACPI tables of its own",
};
OBJECT_TYPE(table_source_type)

static void add_one(void *opaque, Object *obj)
{
    if (object_is_a(obj, TYPE_ACPI_TABLE_SOURCE) && DEVICE(obj)->is_realized) {
        const AcpiTableSource *ops = object_interface(obj, TYPE_ACPI_TABLE_SOURCE);

        ops->add_tables(DEVICE(obj), opaque);
    }
}

void acpi_add_tables_of_devices(AcpiTables *t)
{
    static const char *const places[] = { "/machine/unattached", "/machine/peripheral",
                                          "/machine/peripheral-anon" };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        object_each_child(object_container(places[i]), add_one, t);
    }
}
