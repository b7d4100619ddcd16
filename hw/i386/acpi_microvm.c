/*
 * ACPI tables of microvm: hardware-reduced (ACPI 6.4, 4.1), so no fixed registers but for sleep
 * and reset, and events through a generic event device. Tables never change while it runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml_resource.h"
#include "hw/acpi/fadt.h"
#include "hw/acpi/ged.h"
#include "hw/acpi/madt.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci-host/gpex.h"
#include "microvm.h"

#define OSC_UUID     "33DB4D5B-1FF7-401C-9657-7441C03DD766"
#define OSC_GRANTED  0x1f /* native hot-plug, SHPC hot-plug, PME, AER, Express capability */
#define OSC_UNKNOWN_UUID     0x04
#define OSC_UNKNOWN_REVISION 0x08
#define OSC_MASKED           0x10
#define DSM_LABELS_UUID "E5C937D0-3553-4D7A-9117-EA4D19C3434D"

static const AmlInterrupt level_line = { AML_CONSUMER, AML_LEVEL, AML_ACTIVE_HIGH, AML_EXCLUSIVE };
static const AmlInterrupt edge_line = { AML_CONSUMER, AML_EDGE, AML_ACTIVE_HIGH, AML_EXCLUSIVE };

/* --- devices at fixed places --- */

static Aml *fw_cfg_device(void)
{
    return aml_device("FWCF",
        aml_name("_HID", aml_string("QEMU0002")),
        aml_name("_STA", aml_int(0xb)), /* present, not shown to people */
        aml_name("_CRS", aml_resource_template(
            aml_io(AML_DECODE_16, FW_CFG_IO_PORT, FW_CFG_IO_PORT, 1, 12))));
}

static Aml *serial_device(void)
{
    return aml_device("COM1",
        aml_name("_HID", aml_eisaid("PNP0501")),
        aml_name("_UID", aml_int(1)),
        aml_name("_STA", aml_int(0xf)),
        aml_name("_CRS", aml_resource_template(
            aml_io(AML_DECODE_16, MICROVM_SERIAL_PORT, MICROVM_SERIAL_PORT, 0, 8),
            aml_irq_no_flags(MICROVM_SERIAL_IRQ))));
}

static Aml *rtc_device(void)
{
    return aml_device("RTC",
        aml_name("_HID", aml_eisaid("PNP0B00")),
        aml_name("_CRS", aml_resource_template(
            aml_io(AML_DECODE_16, 0x70, 0x70, 1, 2),
            aml_irq_no_flags(MICROVM_RTC_IRQ))));
}

/* Reading the selector clears it. */
static Aml *event_device(void)
{
    return aml_device("GED",
        aml_name("_HID", aml_string("ACPI0013")),
        aml_name("_UID", aml_string("GED")),
        aml_name("_CRS", aml_resource_template(aml_interrupt(&edge_line, MICROVM_GED_GSI))),
        aml_op_region("EREG", AML_SYSTEM_MEMORY, aml_int(MICROVM_GED), aml_int(4)),
        aml_field("EREG", AML_DWORD_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS,
            aml_unit("ESEL", 32)),
        aml_method("_EVT", 1, AML_SERIALIZED,
            aml_store(aml_ref("ESEL"), aml_local(0)),
            aml_if(aml_lequal(aml_and(aml_local(0), aml_int(ACPI_GED_POWER_DOWN), NULL),
                              aml_int(ACPI_GED_POWER_DOWN)),
                aml_notify(aml_ref("PWRB"), aml_int(0x80)))));
}

static Aml *power_button(void)
{
    return aml_device("PWRB",
        aml_name("_HID", aml_string("PNP0C0C")),
        aml_name("_UID", aml_int(0)));
}

static Aml *xhci_device(void)
{
    return aml_device("XHCI",
        aml_name("_HID", aml_eisaid("PNP0D10")),
        aml_name("_CRS", aml_resource_template(
            aml_memory32_fixed(AML_READ_WRITE, MICROVM_XHCI, MICROVM_XHCI_BYTES),
            aml_interrupt(&level_line, MICROVM_XHCI_GSI))));
}

static void add_slots(const MicrovmMachine *m, Aml *scope)
{
    for (unsigned n = 0; n < m->lines.slots; n++) {
        if (microvm_slot_is_used(m, n)) {
            aml_append(scope, aml_device(aml_path("VR%02u", n).text,
                aml_name("_HID", aml_string("LNRO0005")),
                aml_name("_UID", aml_int(n)),
                aml_name("_CCA", aml_int(1)),
                aml_name("_CRS", aml_resource_template(
                    aml_memory32_fixed(AML_READ_WRITE, microvm_slot_addr(n), MICROVM_VIRTIO_BYTES),
                    aml_interrupt(&level_line, m->lines.slot_gsi + n)))));
        }
    }
}

/* --- PCI Express --- */

static Aml *link_device(const MicrovmMachine *m, unsigned n)
{
    uint32_t gsi = m->lines.pcie_gsi + n;

    return aml_device(aml_path("GSI%u", n).text,
        aml_name("_HID", aml_string("PNP0C0F")),
        aml_name("_UID", aml_int(n)),
        aml_name("_PRS", aml_resource_template(aml_interrupt(&level_line, gsi))),
        aml_name("_CRS", aml_resource_template(aml_interrupt(&level_line, gsi))),
        aml_method("_SRS", 1, AML_NOT_SERIALIZED));
}

static Aml *routing_table(void)
{
    Aml *table = aml_package();

    for (unsigned slot = 0; slot < PCI_DEVFN_COUNT / 8; slot++) {
        for (unsigned pin = 0; pin < PCI_PIN_COUNT; pin++) {
            aml_append(table, aml_package(
                aml_int(slot << 16 | 0xffff), aml_int(pin),
                aml_ref(aml_path("GSI%u", gpex_line(slot, pin)).text), aml_int(0)));
        }
    }
    return table;
}

static Aml *pcie_windows(const MicrovmMachine *m)
{
    AmlWindow buses = { .max = x86_bus_numbers(&m->parent, PCI_HOST(m->gpex), false) - 1, .role = AML_PRODUCER };
    AmlWindow low = { .min = MICROVM_PCIE_MMIO,
                      .max = MICROVM_PCIE_MMIO + MICROVM_PCIE_MMIO_BYTES - 1,
                      .role = AML_PRODUCER, .access = AML_READ_WRITE };
    AmlWindow high = { .min = m->pcie_mmio64, .max = m->pcie_mmio64 + m->pcie_mmio64_bytes - 1,
                       .role = AML_PRODUCER, .access = AML_READ_WRITE };

    return aml_resource_template(aml_word_bus_number(&buses), aml_dword_memory(&low),
                                 aml_qword_memory(&high));
}

/* The operating system takes over all it asks for. */
static Aml *osc_method(void)
{
    return aml_method("_OSC", 4, AML_NOT_SERIALIZED,
        aml_create_dword_field(aml_arg(3), aml_int(0), "CDW1"),
        aml_if(aml_lequal(aml_arg(0), aml_uuid(OSC_UUID)),
            aml_create_dword_field(aml_arg(3), aml_int(4), "CDW2"),
            aml_create_dword_field(aml_arg(3), aml_int(8), "CDW3"),
            aml_and(aml_ref("CDW3"), aml_int(OSC_GRANTED), aml_local(0)),
            aml_if(aml_lnot_equal(aml_arg(1), aml_int(1)),
                aml_or(aml_ref("CDW1"), aml_int(OSC_UNKNOWN_REVISION), aml_ref("CDW1"))),
            aml_if(aml_lnot_equal(aml_ref("CDW3"), aml_local(0)),
                aml_or(aml_ref("CDW1"), aml_int(OSC_MASKED), aml_ref("CDW1"))),
            aml_store(aml_local(0), aml_ref("CDW3"))),
        aml_else(
            aml_or(aml_ref("CDW1"), aml_int(OSC_UNKNOWN_UUID), aml_ref("CDW1"))),
        aml_return(aml_arg(3)));
}

/* No function has a label; the method says so. */
static Aml *dsm_method(void)
{
    static const uint8_t none = 0, only_this = 1;

    return aml_method("_DSM", 4, AML_NOT_SERIALIZED,
        aml_if(aml_lequal(aml_arg(0), aml_uuid(DSM_LABELS_UUID)),
            aml_if(aml_lequal(aml_arg(2), aml_int(0)),
                aml_return(aml_buffer(&only_this, 1)))),
        aml_return(aml_buffer(&none, 1)));
}

static Aml *ecam_reservation(void)
{
    AmlWindow ecam = { .min = MICROVM_ECAM, .max = MICROVM_ECAM + MICROVM_ECAM_BYTES - 1,
                       .role = AML_PRODUCER, .access = AML_READ_WRITE };

    return aml_device("RES0",
        aml_name("_HID", aml_string("PNP0C02")),
        aml_name("_CRS", aml_resource_template(aml_qword_memory(&ecam))));
}

static Aml *pcie_device(const MicrovmMachine *m)
{
    Aml *dev = aml_device("PCI0",
        aml_name("_HID", aml_string("PNP0A08")),
        aml_name("_CID", aml_string("PNP0A03")),
        aml_name("_SEG", aml_int(0)),
        aml_name("_BBN", aml_int(0)),
        aml_name("_UID", aml_int(0)),
        aml_name("_CCA", aml_int(1)),
        aml_name("_PRT", routing_table()));

    for (unsigned n = 0; n < PCI_PIN_COUNT; n++) {
        aml_append(dev, link_device(m, n));
    }
    aml_append(dev, aml_method("_CBA", 0, AML_NOT_SERIALIZED, aml_return(aml_int(MICROVM_ECAM))));
    aml_append(dev, aml_name("_CRS", pcie_windows(m)));
    aml_append(dev, osc_method());
    aml_append(dev, dsm_method());
    aml_append(dev, ecam_reservation());
    return dev;
}

/* --- tables --- */

static Aml *dsdt(const MicrovmMachine *m)
{
    Aml *sb = aml_scope("\\_SB",
        fw_cfg_device(),
        microvm_has_serial(m) ? serial_device() : NULL,
        m->parent.rtc ? rtc_device() : NULL,
        event_device(),
        power_button());

    add_slots(m, sb);
    if (m->parent.parent.usb) {
        aml_append(sb, xhci_device());
    }
    if (m->gpex) {
        aml_append(sb, pcie_device(m));
    }
    return aml_list(sb, aml_scope("\\",
        aml_name("_S5", aml_package(aml_int(ACPI_GED_S5_TYPE), aml_int(0), aml_int(0),
                                    aml_int(0)))));
}

static AcpiAddress ged_register(unsigned at)
{
    return (AcpiAddress){ .space = AML_SYSTEM_MEMORY, .bits = 8,
                          .address = MICROVM_GED_REGISTERS + at };
}

static void add_fadt(AcpiTables *t, uint32_t dsdt_at)
{
    AcpiFadt fadt = {
        .revision = 5,
        .dsdt = dsdt_at,
        .flags = FADT_HW_REDUCED_ACPI | FADT_RESET_REG_SUP,
        .reset_reg = ged_register(ACPI_GED_RESET),
        .reset_value = ACPI_GED_RESET_VALUE,
        .sleep_control = ged_register(ACPI_GED_SLEEP_CONTROL),
        .sleep_status = ged_register(ACPI_GED_SLEEP_STATUS),
    };

    acpi_tables_add_fadt(t, &fadt);
}

static bool add_cpus(const MicrovmMachine *m, AcpiTables *t)
{
    const CpuSlots *slots = m->parent.parent.slots;
    bool has_wide_ids = false;

    for (unsigned i = 0; slots && i < slots->count; i++) {
        uint64_t id = slots->slots[i].arch_id;
        uint32_t flags = slots->slots[i].cpu ? MADT_ENABLED : 0;

        if (id < 255) {
            madt_local_apic(t, i, id, flags);
        } else {
            madt_x2apic(t, i, id, flags);
            has_wide_ids = true;
        }
    }
    return has_wide_ids;
}

static void add_madt(const MicrovmMachine *m, AcpiTables *t)
{
    bool has_wide_ids;

    acpi_madt_begin(t, 3, 0xfee00000, m->parent.pic_device ? MADT_PCAT_COMPAT : 0);
    has_wide_ids = add_cpus(m, t);
    madt_io_apic(t, 0, X86_IOAPIC_ADDR, 0);
    if (m->lines.ioapics > 1) {
        madt_io_apic(t, 1, X86_IOAPIC2_ADDR, X86_IOAPIC_PINS);
    }
    madt_override(t, 0, 2, MADT_BUS_DEFAULT);
    for (unsigned n = 0; m->gpex && n < PCI_PIN_COUNT; n++) {
        if (m->lines.pcie_gsi + n < ISA_IRQS) {
            madt_override(t, m->lines.pcie_gsi + n, m->lines.pcie_gsi + n,
                          MADT_ACTIVE_HIGH | MADT_LEVEL);
        }
    }
    if (has_wide_ids) {
        madt_x2apic_nmi(t, MADT_ALL_CPUS_X2, 1, MADT_BUS_DEFAULT);
    }
    madt_local_apic_nmi(t, MADT_ALL_CPUS, 1, MADT_BUS_DEFAULT);
    acpi_table_end(t);
}

typedef struct Adding {
    Device *fw_cfg;
    Error **errp;
    bool is_ok;
} Adding;

static void add_bytes(Adding *adding, const char *file, const GByteArray *bytes)
{
    FwCfgBlob blob = { .data = g_memdup2(bytes->data, bytes->len), .size = bytes->len };

    if (adding->is_ok && !fw_cfg_add_file(adding->fw_cfg, file, &blob, adding->errp)) {
        adding->is_ok = false;
    }
    if (!adding->is_ok) {
        g_free(blob.data);
    }
}

static void add_file(void *opaque, const char *file, const GByteArray *bytes, uint64_t address)
{
    add_bytes(opaque, file, bytes);
}

void microvm_build_acpi(const MicrovmMachine *m, AcpiLinker *linker)
{
    g_autoptr(AcpiTables) t = NULL;
    AcpiOem oem;

    g_strlcpy(oem.id, m->parent.oem_id, sizeof(oem.id));
    g_strlcpy(oem.table_id, m->parent.oem_table_id, sizeof(oem.table_id));
    t = acpi_tables_new(linker, &oem);
    add_fadt(t, acpi_tables_add_aml(t, "DSDT", 2, dsdt(m)));
    add_madt(m, t);
    acpi_tables_finish(t, 2);
}

bool microvm_add_acpi(MicrovmMachine *m, Error **errp)
{
    g_autoptr(AcpiLinker) linker = acpi_linker_new();
    g_autoptr(GByteArray) script = NULL;
    Adding adding = { m->parent.fw_cfg, errp, true };

    microvm_build_acpi(m, linker);
    script = acpi_linker_script(linker);
    acpi_linker_foreach(linker, add_file, &adding);
    add_bytes(&adding, ACPI_LOADER_FILE, script);
    return adding.is_ok;
}
