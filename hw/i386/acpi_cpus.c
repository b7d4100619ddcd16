/*
 * CPUs in the DSDT: a device for each that there can be, and the methods by which they come and go
 * (the registers are those of hw/acpi/cpu_hotplug.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"
#include "hw/acpi/madt.h"
#include "hw/core/numa.h"

#define REGISTERS_BYTES 12
#define FOREVER 0xffff
#define CPUS "\\_SB.CPUS."
#define REGS "\\_SB.PRES."
#define LOCK REGS "CPLK"
#define NOTIFY_CHECK 1
#define NOTIFY_EJECT 3
#define SMI_COMMAND_CPUS 4 /* firmware: look at the registers of CPU hot-plug */
#define MOST_NEW_CPUS 255  /* that one SMI is for */

static AmlPath cpu_name(unsigned n)
{
    return aml_path("C%03X", n);
}

static Aml *registers(const AcpiBoard *board)
{
    uint16_t port = board->hotplug->chip->cpu_port;

    return aml_device(
        "\\_SB.PRES",
        aml_name("_HID", aml_eisaid("PNP0A06")),
        aml_name("_UID", aml_string("CPU Hotplug resources")),
        aml_name("_CRS", aml_resource_template(aml_io(AML_DECODE_16, port, port, 1,
                                                      REGISTERS_BYTES))),
        aml_mutex("CPLK", 0),
        aml_op_region("PRST", AML_SYSTEM_IO, aml_int(port), aml_int(REGISTERS_BYTES)),
        aml_field("PRST", AML_BYTE_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS, aml_offset(4),
                  aml_unit("CPEN", 1), aml_unit("CINS", 1), aml_unit("CRMV", 1),
                  aml_unit("CEJ0", 1), aml_unit("CEJF", 1), aml_reserved(3), aml_unit("CCMD", 8)),
        aml_field("PRST", AML_DWORD_ACC, AML_NO_LOCK, AML_PRESERVE, aml_unit("CSEL", 32),
                  aml_offset(8), aml_unit("CDAT", 32)),
        /* The first write makes the bitmap of old machines these registers. */
        aml_method("_INI", 0, AML_SERIALIZED, aml_store(aml_int(0), aml_ref("CSEL"))));
}

static Aml *select_cpu(Aml *number)
{
    return aml_list(aml_acquire(aml_ref(LOCK), FOREVER),
                    aml_store(number, aml_ref(REGS "CSEL")));
}

/* An event of the CPU that CDAT names: told, and taken from the register. */
static Aml *tell(const char *event, unsigned notification)
{
    return aml_if(aml_lequal(aml_ref(aml_path(REGS "%s", event).text), aml_int(1)),
                  aml_call("CTFY", aml_ref(REGS "CDAT"), aml_int(notification)),
                  aml_store(aml_int(1), aml_ref(aml_path(REGS "%s", event).text)),
                  aml_store(aml_int(1), aml_local(0)));
}

static Aml *scan_method(void)
{
    return aml_method("CSCN", 0, AML_SERIALIZED,
                      aml_acquire(aml_ref(LOCK), FOREVER),
                      aml_store(aml_int(1), aml_local(0)),
                      aml_while(aml_lequal(aml_local(0), aml_int(1)),
                                aml_store(aml_int(0), aml_local(0)),
                                aml_store(aml_int(0), aml_ref(REGS "CCMD")),
                                tell("CINS", NOTIFY_CHECK), tell("CRMV", NOTIFY_EJECT)),
                      aml_release(aml_ref(LOCK)));
}

/* --- firmware that keeps all CPUs in system management mode: it is to know them first --- */

static Aml *smi_port(const AcpiBoard *board)
{
    return aml_list(
        aml_op_region("SMIP", AML_SYSTEM_IO, aml_int(board->command_port), aml_int(1)),
        aml_field("SMIP", AML_BYTE_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS, aml_unit("SMIC", 8)));
}

static Aml *new_cpus_list(void)
{
    Aml *list = aml_package();

    for (unsigned n = 0; n < MOST_NEW_CPUS; n++) {
        aml_append(list, aml_int(0));
    }
    return aml_name("CNEW", list);
}

/* Into CNEW, Local0 of them; events of CPUs that go are told meanwhile. Local4: there may be more. */
static Aml *collect_new_cpus(unsigned cpu_count)
{
    return aml_while(aml_lless(aml_local(2), aml_int(cpu_count)),
        aml_store(aml_local(2), aml_ref(REGS "CSEL")),
        aml_store(aml_int(0), aml_ref(REGS "CCMD")),
        aml_store(aml_ref(REGS "CDAT"), aml_local(3)),
        aml_if(aml_lless(aml_local(3), aml_local(2)), /* round the end: seen already */
            aml_break()),
        aml_if(aml_lequal(aml_ref(REGS "CINS"), aml_int(1)),
            aml_store(aml_local(3), aml_index(aml_ref("CNEW"), aml_local(0))),
            aml_increment(aml_local(0)),
            aml_if(aml_lequal(aml_local(0), aml_int(MOST_NEW_CPUS)),
                aml_store(aml_int(1), aml_local(4)),
                aml_break())),
        aml_else(
            aml_if(aml_lequal(aml_ref(REGS "CRMV"), aml_int(1)),
                aml_call("CTFY", aml_local(3), aml_int(NOTIFY_EJECT)),
                aml_store(aml_int(1), aml_ref(REGS "CRMV"))),
            aml_else(
                aml_if(aml_lequal(aml_ref(REGS "CEJF"), aml_int(0)), /* no event at all */
                    aml_break()))),
        aml_add(aml_local(3), aml_int(1), aml_local(2)));
}

static Aml *tell_of_new_cpus(void)
{
    return aml_if(aml_lgreater(aml_local(0), aml_int(0)),
        aml_store(aml_int(SMI_COMMAND_CPUS), aml_ref("SMIC")),
        aml_store(aml_int(0), aml_local(1)),
        aml_while(aml_lless(aml_local(1), aml_local(0)),
            aml_store(aml_deref_of(aml_index(aml_ref("CNEW"), aml_local(1))), aml_local(3)),
            aml_call("CTFY", aml_local(3), aml_int(NOTIFY_CHECK)),
            aml_store(aml_local(3), aml_ref(REGS "CSEL")),
            aml_store(aml_int(1), aml_ref(REGS "CINS")),
            aml_increment(aml_local(1))));
}

static Aml *scan_method_with_smi(unsigned cpu_count)
{
    return aml_list(new_cpus_list(),
        aml_method("CSCN", 0, AML_SERIALIZED,
            aml_acquire(aml_ref(LOCK), FOREVER),
            aml_store(aml_int(1), aml_local(4)),
            aml_while(aml_lequal(aml_local(4), aml_int(1)),
                aml_store(aml_int(0), aml_local(4)),
                aml_store(aml_int(0), aml_local(0)),
                aml_store(aml_int(0), aml_local(2)),
                collect_new_cpus(cpu_count), tell_of_new_cpus()),
            aml_release(aml_ref(LOCK))));
}

static Aml *eject_terms(const AcpiBoard *board)
{
    return board->leaves_ejection_to_firmware ?
           aml_list(aml_store(aml_int(1), aml_ref(REGS "CEJF")),
                    aml_store(aml_int(SMI_COMMAND_CPUS), aml_ref("SMIC"))) :
           aml_store(aml_int(1), aml_ref(REGS "CEJ0"));
}

/* --- all methods --- */

static Aml *notify_method(const CpuSlots *cpus)
{
    Aml *method = aml_method("CTFY", 2, AML_NOT_SERIALIZED);

    for (unsigned n = 0; n < cpus->count; n++) {
        aml_append(method, aml_if(aml_lequal(aml_arg(0), aml_int(n)),
                                  aml_notify(aml_ref(cpu_name(n).text), aml_arg(1))));
    }
    return method;
}

static Aml *other_methods(const AcpiBoard *board)
{
    return aml_list(
        aml_method("CSTA", 1, AML_SERIALIZED,
                   select_cpu(aml_arg(0)), aml_store(aml_int(0), aml_local(0)),
                   aml_if(aml_lequal(aml_ref(REGS "CPEN"), aml_int(1)),
                          aml_store(aml_int(0xf), aml_local(0))),
                   aml_release(aml_ref(LOCK)), aml_return(aml_local(0))),
        aml_method("CEJC", 1, AML_SERIALIZED,
                   select_cpu(aml_arg(0)), eject_terms(board),
                   aml_release(aml_ref(LOCK))),
        aml_method("COST", 3, AML_SERIALIZED,
                   select_cpu(aml_arg(0)),
                   aml_store(aml_int(1), aml_ref(REGS "CCMD")),
                   aml_store(aml_arg(1), aml_ref(REGS "CDAT")),
                   aml_store(aml_int(2), aml_ref(REGS "CCMD")),
                   aml_store(aml_arg(2), aml_ref(REGS "CDAT")),
                   aml_release(aml_ref(LOCK))));
}

/* The entry that the MADT has for it, as of a CPU that is there. */
static Aml *madt_entry(unsigned uid, uint64_t apic_id)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    if (apic_id < 255) {
        bytes_pack(bytes, "11114", 0 /* local APIC */, 8, uid, (unsigned)apic_id, MADT_ENABLED);
    } else {
        bytes_pack(bytes, "112444", 9 /* x2APIC */, 16, 0, (uint32_t)apic_id, MADT_ENABLED, uid);
    }
    return aml_buffer(bytes->data, bytes->len);
}

static Aml *cpu_device(const AcpiBoard *board, unsigned n)
{
    const CpuSlot *slot = &board->machine->slots->slots[n];
    Aml *dev = aml_device(
        cpu_name(n).text,
        aml_name("_HID", aml_string("ACPI0007")),
        aml_name("_UID", aml_int(n)),
        aml_method("_STA", 0, AML_SERIALIZED, aml_return(aml_call("CSTA", aml_int(n)))),
        aml_name("_MAT", madt_entry(n, slot->arch_id)),
        aml_method("_OST", 3, AML_SERIALIZED,
                   aml_call("COST", aml_int(n), aml_arg(0), aml_arg(1))));

    if (n) { /* the first starts the others */
        aml_append(dev, aml_method("_EJ0", 1, AML_NOT_SERIALIZED,
                                   aml_call("CEJC", aml_int(n))));
    }
    if (numa_node_count(board->machine->numa)) {
        aml_append(dev, aml_name("_PXM", aml_int(MAX(0, slot->node_id))));
    }
    return dev;
}

Aml *acpi_cpu_terms(const AcpiBoard *board)
{
    const CpuSlots *cpus = board->machine->slots;
    Aml *bus;

    if (!cpus || !board->hotplug) {
        return NULL;
    }
    bus = aml_device("\\_SB.CPUS", aml_name("_HID", aml_string("ACPI0010")),
                     aml_name("_CID", aml_eisaid("PNP0A05")),
                     board->tells_firmware_of_new_cpus ? smi_port(board) : NULL,
                     notify_method(cpus),
                     board->tells_firmware_of_new_cpus ? scan_method_with_smi(cpus->count) :
                                                         scan_method(),
                     other_methods(board));
    for (unsigned n = 0; n < cpus->count; n++) {
        aml_append(bus, cpu_device(board, n));
    }
    return aml_list(registers(board), bus,
                    aml_method("\\_GPE._E02", 0, AML_NOT_SERIALIZED, aml_call(CPUS "CSCN")));
}
