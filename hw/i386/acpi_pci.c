/*
 * PCI in the DSDT: the host bridge with its windows and what the operating system may control
 * (_OSC, PCI Firmware 3.2, 4.5), roots behind expanders with what firmware gave them, the ISA
 * bridge.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"
#include "acpi_windows.h"
#include "util/byte_order.h"

#define OSC_PCI "33db4d5b-1ff7-401c-9657-7441c03dd766"
#define OSC_ALL      0x1f /* native hot-plug, SHPC, PME, AER, capability structures */
#define OSC_NATIVE_HOTPLUG 0x03
#define OSC_UNKNOWN_UUID     BIT(2)
#define OSC_UNKNOWN_REVISION BIT(3)
#define OSC_MASKED           BIT(4)
#define CONFIG_PORT  0xcf8
#define VGA_WINDOW_FIRST 0xa0000
#define VGA_WINDOW_LAST  0xbffff

/* --- _OSC --- */

static Aml *osc_method(uint32_t granted)
{
    return aml_method(
        "_OSC", 4, AML_SERIALIZED,
        aml_create_dword_field(aml_arg(3), aml_int(0), "CDW1"),
        aml_if(aml_lequal(aml_arg(0), aml_uuid(OSC_PCI)),
               aml_create_dword_field(aml_arg(3), aml_int(8), "CDW3"),
               aml_and(aml_ref("CDW3"), aml_int(granted), aml_local(0)),
               aml_if(aml_lnot_equal(aml_arg(1), aml_int(1)),
                      aml_or(aml_ref("CDW1"), aml_int(OSC_UNKNOWN_REVISION), aml_ref("CDW1"))),
               aml_if(aml_lnot_equal(aml_ref("CDW3"), aml_local(0)),
                      aml_or(aml_ref("CDW1"), aml_int(OSC_MASKED), aml_ref("CDW1"))),
               aml_store(aml_local(0), aml_ref("CDW3"))),
        aml_else(aml_or(aml_ref("CDW1"), aml_int(OSC_UNKNOWN_UUID), aml_ref("CDW1"))),
        aml_return(aml_arg(3)));
}

static Aml *host_head(const AcpiBoard *board, const char *name, unsigned bus)
{
    Aml *dev = aml_device(name, aml_name("_UID", aml_int(bus)));
    /* Ports behind expanders plug by themselves: ACPI has the board's own root only. */
    uint32_t granted = board->has_pci_hotplug && !bus ? OSC_ALL & ~OSC_NATIVE_HOTPLUG : OSC_ALL;

    if (board->is_express) {
        aml_append(dev, aml_name("_HID", aml_eisaid("PNP0A08")));
        aml_append(dev, aml_name("_CID", aml_eisaid("PNP0A03")));
        aml_append(dev, osc_method(granted));
    } else {
        aml_append(dev, aml_name("_HID", aml_eisaid("PNP0A03")));
    }
    return dev;
}

/* --- other roots --- */

static Aml *other_root(const AcpiBoard *board, PciBus *root, AcpiWindows *taken)
{
    unsigned number = pci_bus_number(root);
    Aml *dev = host_head(board, aml_path("PC%02X", number).text, number);
    g_autoptr(AcpiWindows) own = acpi_windows_new();
    Aml *template;

    acpi_windows_add_bus(own, root);
    template = aml_resource_template(acpi_windows_bus_numbers(own, number));
    acpi_windows_put(own, template);
    acpi_windows_join(taken, own);
    aml_append(dev, aml_name("_BBN", aml_int(number)));
    if (root->numa_node != PCI_NO_NUMA_NODE) {
        aml_append(dev, aml_name("_PXM", aml_int(root->numa_node)));
    }
    aml_append(dev, acpi_pci_routes(board));
    aml_append(dev, aml_name("_CRS", template));
    aml_append(dev, acpi_pci_slots(board->hotplug, root));
    return dev;
}

static Aml *other_roots(const AcpiBoard *board, AcpiWindows *taken)
{
    const GPtrArray *roots = board->root->expanders;
    Aml *terms = aml_list();

    for (guint i = 0; roots && i < roots->len; i++) {
        aml_append(terms, other_root(board, roots->pdata[i], taken));
    }
    return terms;
}

/* --- the board's own --- */

/* What is left of the windows, and the last bus before the first expander. */
static Aml *own_resources(const AcpiBoard *board, const AcpiWindows *taken)
{
    AmlWindow buses = { .max = acpi_windows_first_bus(taken) - 1, .role = AML_PRODUCER };
    AmlWindow vga = { .min = VGA_WINDOW_FIRST, .max = VGA_WINDOW_LAST, .role = AML_PRODUCER,
                      .access = AML_READ_WRITE, .cache = AML_CACHEABLE };
    Aml *template = aml_resource_template(
        aml_word_bus_number(&buses),
        aml_io(AML_DECODE_16, CONFIG_PORT, CONFIG_PORT, 1, 8));

    acpi_windows_put_rest(taken, ACPI_WINDOW_IO, 0, CONFIG_PORT - 1, template);
    acpi_windows_put_rest(taken, ACPI_WINDOW_IO, CONFIG_PORT + 8, UINT16_MAX, template);
    aml_append(template, aml_dword_memory(&vga));
    if (board->hole32.size) {
        acpi_windows_put_rest(taken, ACPI_WINDOW_MEMORY, board->hole32.offset,
                              board->hole32.offset + board->hole32.size - 1, template);
    }
    if (board->hole64.size) {
        acpi_windows_put_rest(taken, ACPI_WINDOW_MEMORY, board->hole64.offset,
                              board->hole64.offset + board->hole64.size - 1, template);
    }
    return template;
}

/* The PIRQ registers are fields of its configuration space. */
static Aml *isa_bridge(const AcpiBoard *board)
{
    int devfn = board->isa_bridge->devfn;
    Aml *dev = aml_device("ISA", aml_name("_ADR", aml_int(PCI_SLOT(devfn) << 16 |
                                                          PCI_FUNCTION(devfn))),
                          aml_op_region("PIRQ", AML_PCI_CONFIG, aml_int(0x60), aml_int(0x0c)));
    Aml *field = aml_field("PIRQ", AML_BYTE_ACC, AML_NO_LOCK, AML_PRESERVE);

    for (unsigned n = 0; n < (board->is_express ? 8 : 4); n++) {
        if (n == 4) {
            aml_append(field, aml_offset(8));
        }
        aml_append(field, aml_unit(aml_path("PRQ%c", 'A' + n).text, 8));
    }
    aml_append(dev, field);
    aml_append(dev, acpi_isa_terms(board));
    return dev;
}

static Aml *ecam_claim(const AcpiBoard *board)
{
    if (!board->ecam_bytes) {
        return NULL;
    }
    return aml_device("DRAC", aml_name("_HID", aml_eisaid("PNP0C01")),
                      aml_name("_CRS", aml_resource_template(aml_memory32_fixed(
                                           AML_READ_WRITE, board->ecam.base,
                                           board->ecam_bytes))));
}

static Aml *firmware_config(const AcpiBoard *board)
{
    return !board->fw_cfg ? NULL :
        aml_device("FWCF", aml_name("_HID", aml_string("QEMU0002")),
                   aml_name("_STA", aml_int(0xb)),
                   aml_name("_CRS", aml_resource_template(
                                        aml_io(AML_DECODE_16, 0x510, 0x510, 1, 12))));
}

static Aml *own_root(const AcpiBoard *board, const AcpiWindows *taken)
{
    Aml *dev = host_head(board, "PCI0", 0);

    aml_append(dev, acpi_pci_routes(board));
    aml_append(dev, aml_name("_CRS", own_resources(board, taken)));
    aml_append(dev, ecam_claim(board));
    aml_append(dev, isa_bridge(board));
    aml_append(dev, firmware_config(board));
    aml_append(dev, acpi_port_claim("GPE0", "GPE0 resources", board->gpe_port, board->gpe_bytes));
    if (board->has_pci_hotplug) {
        aml_append(dev, acpi_port_claim("PHPR", "PCI Hotplug resources",
                                        board->hotplug->chip->pci_port, ACPI_PCI_HOTPLUG_BYTES));
        aml_append(dev, acpi_pci_hotplug_terms(board));
    }
    aml_append(dev, acpi_pci_slots(board->hotplug, board->root));
    return dev;
}

Aml *acpi_port_claim(const char *name, const char *uid, uint16_t port, uint8_t bytes)
{
    return aml_device(name, aml_name("_HID", aml_eisaid("PNP0A06")),
                      aml_name("_UID", aml_string("%s", uid)), aml_name("_STA", aml_int(0xb)),
                      aml_name("_CRS", aml_resource_template(
                                           aml_io(AML_DECODE_16, port, port, 1, bytes))));
}

Aml *acpi_pci_terms(const AcpiBoard *board)
{
    g_autoptr(AcpiWindows) taken = acpi_windows_new();
    Aml *others = other_roots(board, taken);

    return aml_list(
        aml_scope("\\_SB", acpi_pci_links(board), own_root(board, taken), others),
        aml_name("\\PICF", aml_int(0)),
        aml_method("\\_PIC", 1, AML_NOT_SERIALIZED, aml_store(aml_arg(0), aml_ref("\\PICF"))),
        board->has_pci_hotplug ?
            aml_method("\\_GPE._E01", 0, AML_NOT_SERIALIZED,
                       aml_acquire(aml_ref("\\_SB.PCI0.BLCK"), 0xffff),
                       aml_call("\\_SB.PCI0.PCNT"), aml_release(aml_ref("\\_SB.PCI0.BLCK"))) :
            NULL);
}
