/*
 * Memory modules in the DSDT: a device per slot, whose methods read the registers of
 * hw/acpi/memory_hotplug.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"

#define FOREVER 0xffff
#define REGS "\\_SB.MHPD."
#define MODULES "\\_SB.MHPC."
#define LOCK REGS "MLCK"
#define NOTIFY_CHECK 1
#define NOTIFY_EJECT 3
/* Places in a QWordMemory descriptor. */
enum { QWORD_MIN = 14, QWORD_MAX = 22, QWORD_LENGTH = 38 };

static AmlPath module_name(unsigned n)
{
    return aml_path("MP%02X", n);
}

static Aml *registers(void)
{
    return aml_device(
        "\\_SB.MHPD",
        aml_name("_HID", aml_eisaid("PNP0A06")),
        aml_name("_UID", aml_string("Memory hotplug resources")),
        aml_name("_CRS", aml_resource_template(
                             aml_io(AML_DECODE_16, ACPI_MEMORY_HOTPLUG_PORT,
                                    ACPI_MEMORY_HOTPLUG_PORT, 0, ACPI_MEMORY_HOTPLUG_BYTES))),
        aml_mutex("MLCK", 0),
        aml_op_region("HPMR", AML_SYSTEM_IO, aml_int(ACPI_MEMORY_HOTPLUG_PORT),
                      aml_int(ACPI_MEMORY_HOTPLUG_BYTES)),
        aml_field("HPMR", AML_DWORD_ACC, AML_NO_LOCK, AML_PRESERVE, aml_unit("MRBL", 32),
                  aml_unit("MRBH", 32), aml_unit("MRLL", 32), aml_unit("MRLH", 32),
                  aml_unit("MPX", 32)),
        aml_field("HPMR", AML_BYTE_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS, aml_offset(20),
                  aml_unit("MES", 1), aml_unit("MINS", 1), aml_unit("MRMV", 1),
                  aml_unit("MEJ", 1)),
        aml_field("HPMR", AML_DWORD_ACC, AML_NO_LOCK, AML_PRESERVE, aml_unit("MSEL", 32),
                  aml_unit("MOEV", 32), aml_unit("MOSC", 32)));
}

static Aml *select_slot(Aml *number)
{
    return aml_list(aml_acquire(aml_ref(LOCK), FOREVER),
                    aml_store(number, aml_ref(REGS "MSEL")));
}

static Aml *tell(const char *event, unsigned notification)
{
    return aml_if(aml_lequal(aml_ref(aml_path(REGS "%s", event).text), aml_int(1)),
                  aml_call("MTFY", aml_local(0), aml_int(notification)),
                  aml_store(aml_int(1), aml_ref(aml_path(REGS "%s", event).text)));
}

static Aml *scan_method(unsigned slots)
{
    return aml_method("MSCN", 0, AML_SERIALIZED,
                      aml_acquire(aml_ref(LOCK), FOREVER),
                      aml_store(aml_int(0), aml_local(0)),
                      aml_while(aml_lless(aml_local(0), aml_int(slots)),
                                aml_store(aml_local(0), aml_ref(REGS "MSEL")),
                                tell("MINS", NOTIFY_CHECK), tell("MRMV", NOTIFY_EJECT),
                                aml_increment(aml_local(0))),
                      aml_release(aml_ref(LOCK)));
}

static Aml *notify_method(unsigned slots)
{
    Aml *method = aml_method("MTFY", 2, AML_NOT_SERIALIZED);

    for (unsigned n = 0; n < slots; n++) {
        aml_append(method, aml_if(aml_lequal(aml_arg(0), aml_int(n)),
                                  aml_notify(aml_ref(module_name(n).text), aml_arg(1))));
    }
    return method;
}

static Aml *wide(const char *high, const char *low)
{
    return aml_or(aml_shift_left(aml_ref(aml_path(REGS "%s", high).text), aml_int(32), NULL),
                  aml_ref(aml_path(REGS "%s", low).text), NULL);
}

/* Local0 is the template, Local1 the first address, Local2 the length. */
static Aml *resources_method(void)
{
    AmlWindow any = { .max = UINT64_MAX - 1, .length = UINT64_MAX, .role = AML_PRODUCER,
                      .access = AML_READ_WRITE, .cache = AML_CACHEABLE };

    return aml_method("MCRS", 1, AML_SERIALIZED,
                      select_slot(aml_arg(0)),
                      aml_store(aml_resource_template(aml_qword_memory(&any)), aml_local(0)),
                      aml_create_qword_field(aml_local(0), aml_int(QWORD_MIN), "QMIN"),
                      aml_create_qword_field(aml_local(0), aml_int(QWORD_MAX), "QMAX"),
                      aml_create_qword_field(aml_local(0), aml_int(QWORD_LENGTH), "QLEN"),
                      aml_store(wide("MRBH", "MRBL"), aml_local(1)),
                      aml_store(wide("MRLH", "MRLL"), aml_local(2)),
                      aml_release(aml_ref(LOCK)),
                      aml_store(aml_local(1), aml_ref("QMIN")),
                      aml_store(aml_local(2), aml_ref("QLEN")),
                      aml_subtract(aml_add(aml_local(1), aml_local(2), NULL), aml_int(1),
                                   aml_ref("QMAX")),
                      aml_return(aml_local(0)));
}

static Aml *other_methods(void)
{
    return aml_list(
        aml_method("MSTA", 1, AML_SERIALIZED,
                   select_slot(aml_arg(0)), aml_store(aml_int(0), aml_local(0)),
                   aml_if(aml_lequal(aml_ref(REGS "MES"), aml_int(1)),
                          aml_store(aml_int(0xf), aml_local(0))),
                   aml_release(aml_ref(LOCK)), aml_return(aml_local(0))),
        aml_method("MPXM", 1, AML_SERIALIZED,
                   select_slot(aml_arg(0)), aml_store(aml_ref(REGS "MPX"), aml_local(0)),
                   aml_release(aml_ref(LOCK)), aml_return(aml_local(0))),
        aml_method("MOST", 3, AML_SERIALIZED,
                   select_slot(aml_arg(0)),
                   aml_store(aml_arg(1), aml_ref(REGS "MOEV")),
                   aml_store(aml_arg(2), aml_ref(REGS "MOSC")), aml_release(aml_ref(LOCK))),
        aml_method("MEJC", 1, AML_SERIALIZED,
                   select_slot(aml_arg(0)), aml_store(aml_int(1), aml_ref(REGS "MEJ")),
                   aml_release(aml_ref(LOCK))));
}

static Aml *module(unsigned n)
{
    return aml_device(
        module_name(n).text,
        aml_name("_UID", aml_string("0x%02X", n)),
        aml_name("_HID", aml_eisaid("PNP0C80")),
        aml_method("_CRS", 0, AML_NOT_SERIALIZED, aml_return(aml_call("MCRS", aml_int(n)))),
        aml_method("_STA", 0, AML_NOT_SERIALIZED, aml_return(aml_call("MSTA", aml_int(n)))),
        aml_method("_PXM", 0, AML_NOT_SERIALIZED, aml_return(aml_call("MPXM", aml_int(n)))),
        aml_method("_OST", 3, AML_NOT_SERIALIZED,
                   aml_call("MOST", aml_int(n), aml_arg(0), aml_arg(1))),
        aml_method("_EJ0", 1, AML_NOT_SERIALIZED, aml_call("MEJC", aml_int(n))));
}

Aml *acpi_memory_terms(const AcpiBoard *board)
{
    unsigned slots = board->hotplug ? board->hotplug->memory.count : 0;
    Aml *modules;

    if (!slots) {
        return NULL;
    }
    modules = aml_device("\\_SB.MHPC", aml_name("_HID", aml_eisaid("PNP0A06")),
                         aml_name("_UID", aml_string("DIMM devices")), notify_method(slots),
                         scan_method(slots), resources_method(), other_methods());
    for (unsigned n = 0; n < slots; n++) {
        aml_append(modules, module(n));
    }
    return aml_list(registers(), modules,
                    aml_method("\\_GPE._E03", 0, AML_NOT_SERIALIZED, aml_call(MODULES "MSCN")));
}
