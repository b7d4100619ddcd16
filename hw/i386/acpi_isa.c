/*
 * What is on the ISA bus, in the DSDT: a row per kind of device, found by type on the bus. Terms
 * for the scope of the bus's bridge.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"

#define LAST_COM 4
#define LAST_LPT 3

static Aml *present(void)
{
    return aml_name("_STA", aml_int(0xf));
}

static Aml *rtc(Device *dev)
{
    return aml_device("RTC", aml_name("_HID", aml_eisaid("PNP0B00")),
                      aml_name("_CRS", aml_resource_template(
                                           aml_io(AML_DECODE_16, 0x70, 0x70, 1, 8),
                                           aml_irq_no_flags(8))));
}

static Aml *keyboard_and_mouse(Device *dev)
{
    return aml_list(
        aml_device("KBD", aml_name("_HID", aml_eisaid("PNP0303")), present(),
                   aml_name("_CRS", aml_resource_template(
                                        aml_io(AML_DECODE_16, 0x60, 0x60, 1, 1),
                                        aml_io(AML_DECODE_16, 0x64, 0x64, 1, 1),
                                        aml_irq_no_flags(1)))),
        aml_device("MOU", aml_name("_HID", aml_eisaid("PNP0F13")), present(),
                   aml_name("_CRS", aml_resource_template(aml_irq_no_flags(12)))));
}

/* A port with eight (or fewer) registers and an interrupt, numbered from 1. */
static Aml *port(Device *dev, const char *name, const char *hid, unsigned most)
{
    unsigned index = object_get_int(dev, "index");
    uint16_t base = object_get_int(dev, "iobase");

    if (index >= most) {
        return NULL;
    }
    return aml_device(aml_path("%s%u", name, index + 1).text,
                      aml_name("_HID", aml_eisaid(hid)), aml_name("_UID", aml_int(index + 1)),
                      present(),
                      aml_name("_CRS", aml_resource_template(
                                           aml_io(AML_DECODE_16, base, base, 0, 8),
                                           aml_irq_no_flags(object_get_int(dev, "irq")))));
}

static Aml *serial(Device *dev)
{
    return port(dev, "COM", "PNP0501", LAST_COM);
}

static Aml *parallel(Device *dev)
{
    return port(dev, "LPT", "PNP0400", LAST_LPT);
}

static Aml *floppy(Device *dev)
{
    return aml_device("FDC0", aml_name("_HID", aml_eisaid("PNP0700")), present(),
                      aml_name("_CRS", aml_resource_template(
                                           aml_io(AML_DECODE_16, 0x3f2, 0x3f2, 0, 4),
                                           aml_io(AML_DECODE_16, 0x3f7, 0x3f7, 0, 1),
                                           aml_irq_no_flags(6),
                                           aml_dma(AML_NOT_BUS_MASTER, AML_TRANSFER_8, 2))));
}

static Aml *pvpanic(Device *dev)
{
    uint16_t at = object_get_int(dev, "ioport");

    return aml_device("PEVT", aml_name("_HID", aml_string("QEMU0001")), present(),
                      aml_name("_CRS",
                               aml_resource_template(aml_io(AML_DECODE_16, at, at, 1, 1))),
                      aml_op_region("PEOR", AML_SYSTEM_IO, aml_int(at), aml_int(1)),
                      aml_field("PEOR", AML_BYTE_ACC, AML_NO_LOCK, AML_PRESERVE,
                                aml_unit("PEPT", 8)),
                      aml_method("RDPT", 0, AML_NOT_SERIALIZED,
                                 aml_return(aml_ref("PEPT"))),
                      aml_method("WRPT", 1, AML_NOT_SERIALIZED,
                                 aml_store(aml_arg(0), aml_ref("PEPT"))));
}

static const struct {
    const char *type;
    Aml *(*terms)(Device *dev);
} kinds[] = {
    { "mc146818rtc", rtc }, { "i8042", keyboard_and_mouse }, { "isa-serial", serial },
    { "isa-parallel", parallel }, { "isa-fdc", floppy }, { "pvpanic", pvpanic },
};

Aml *acpi_isa_terms(const AcpiBoard *board)
{
    const GPtrArray *devices = board->isa->parent.devices;
    Aml *terms = aml_list();

    for (guint i = 0; i < devices->len; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
            Aml *found = NULL;

            if (!strcmp(object_type_name(devices->pdata[i]), kinds[k].type)) {
                found = kinds[k].terms(devices->pdata[i]);
            }
            if (found) {
                aml_append(terms, found);
            }
        }
    }
    return terms;
}
