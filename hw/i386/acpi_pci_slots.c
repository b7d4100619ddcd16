/*
 * PCI functions in the DSDT: devices for what is there and for slots where something can come,
 * ejection, acpi-index (_DSM function 7, PCI Firmware 3.1, 4.6.7), and the methods that tell of
 * both (the registers are those of hw/acpi/pci_hotplug.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"

#define FOREVER 0xffff
#define HOST "\\_SB.PCI0."
#define LOCK HOST "BLCK"
#define NOTIFY_CHECK 1
#define NOTIFY_EJECT 3
#define DSM_PCI "e5c937d0-3553-4d7a-9117-ea4d19c3434d"
#define DSM_NAME 7
#define CLASS_ISA_BRIDGE 0x0601

static AmlPath function_name(unsigned devfn)
{
    return aml_path("S%02X", devfn);
}

/* --- the host's part --- */

static Aml *registers(uint16_t port)
{
    return aml_list(
        aml_op_region("PCST", AML_SYSTEM_IO, aml_int(port), aml_int(8)),
        aml_field("PCST", AML_DWORD_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS, aml_unit("PCIU", 32),
                  aml_unit("PCID", 32)),
        aml_op_region("SEJ", AML_SYSTEM_IO, aml_int(port + 8), aml_int(4)),
        aml_field("SEJ", AML_DWORD_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS, aml_unit("B0EJ", 32)),
        aml_op_region("BNMR", AML_SYSTEM_IO, aml_int(port + 16), aml_int(8)),
        aml_field("BNMR", AML_DWORD_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS, aml_unit("BNUM", 32),
                  aml_unit("PIDX", 32)),
        aml_mutex("BLCK", 0));
}

/* _DSM's answer. Arguments: UUID, revision, function, bus, slot. */
static Aml *dsm_method(void)
{
    return aml_method(
        "PDSM", 5, AML_SERIALIZED,
        aml_if(aml_lnot_equal(aml_arg(0), aml_uuid(DSM_PCI)),
               aml_return(aml_buffer("\0", 1))),
        aml_store(aml_call("AIDX", aml_arg(3), aml_arg(4)), aml_local(0)),
        aml_if(aml_lequal(aml_arg(2), aml_int(0)),
               aml_if(aml_land(aml_lgreater(aml_local(0), aml_int(0)),
                               aml_lgreater_equal(aml_arg(1), aml_int(2))),
                      aml_return(aml_buffer("\x81", 1))),
               aml_return(aml_buffer("\0", 1))),
        aml_if(aml_lequal(aml_arg(2), aml_int(DSM_NAME)),
               aml_store(aml_package(aml_int(0), aml_string("%s", "")), aml_local(1)),
               aml_store(aml_local(0), aml_index(aml_local(1), aml_int(0))),
               aml_return(aml_local(1))),
        aml_return(aml_buffer("\0", 1)));
}

/* For the scope of PCI0. */
Aml *acpi_pci_hotplug_terms(const AcpiBoard *board)
{
    Aml *one_slot = aml_shift_left(aml_int(1), aml_arg(1), NULL);

    return aml_list(
        registers(board->hotplug->chip->pci_port),
        aml_method("PCEJ", 2, AML_SERIALIZED, aml_acquire(aml_ref("BLCK"), FOREVER),
                   aml_store(aml_arg(0), aml_ref("BNUM")),
                   aml_store(one_slot, aml_ref("B0EJ")), aml_release(aml_ref("BLCK")),
                   aml_return(aml_int(0))),
        aml_method("AIDX", 2, AML_SERIALIZED, aml_acquire(aml_ref("BLCK"), FOREVER),
                   aml_store(aml_arg(0), aml_ref("BNUM")),
                   aml_store(aml_shift_left(aml_int(1), aml_arg(1), NULL), aml_ref("PIDX")),
                   aml_store(aml_ref("PIDX"), aml_local(0)), aml_release(aml_ref("BLCK")),
                   aml_return(aml_local(0))),
        dsm_method());
}

/* --- functions of a bus --- */

static Aml *slot_terms(int bsel, unsigned slot, bool can_eject)
{
    Aml *dsm = aml_method("_DSM", 4, AML_SERIALIZED,
                          aml_return(aml_call(HOST "PDSM", aml_arg(0), aml_arg(1), aml_arg(2),
                                              aml_int(bsel), aml_int(slot))));

    return aml_list(
        aml_name("_SUN", aml_int(slot)), dsm,
        can_eject ? aml_method("_EJ0", 1, AML_NOT_SERIALIZED,
                               aml_call(HOST "PCEJ", aml_int(bsel), aml_int(slot))) : NULL);
}

static bool is_removable(const PciDevice *dev)
{
    return !dev || (!device_ops(&dev->parent)->is_not_hotpluggable &&
                    (!pci_device_ops(dev)->is_bridge || dev->parent.is_hotplugged));
}

static PciBus *bus_behind(const PciDevice *dev)
{
    const GPtrArray *buses = dev ? dev->parent.buses : NULL;

    if (dev && pci_device_ops(dev)->is_bridge && buses && buses->len &&
        object_is_a(buses->pdata[0], TYPE_PCI_BUS)) {
        return PCI_BUS(buses->pdata[0]);
    }
    return NULL;
}

/* Something is there, or can come there. The bridge to ISA is told of with what is behind it. */
static bool has_device(const PciBus *bus, unsigned devfn, int bsel)
{
    const PciDevice *dev = bus->devices[devfn];
    bool is_empty_slot = bsel >= 0 && !PCI_FUNCTION(devfn) &&
                         (!bus->has_one_slot || devfn == 0) &&
                         !(bus->reserved_slots & BIT(PCI_SLOT(devfn)));

    return dev ? pci_device_ops(dev)->class_id != CLASS_ISA_BRIDGE : is_empty_slot;
}

static Aml *function_device(const AcpiHotplug *hp, PciBus *bus, unsigned devfn, int bsel)
{
    const PciDevice *dev = bus->devices[devfn];
    unsigned slot = PCI_SLOT(devfn), function = PCI_FUNCTION(devfn);
    Aml *device = aml_device(function_name(devfn).text,
                             aml_name("_ADR", aml_int(slot << 16 | function)));

    if (bsel >= 0 && !function) {
        aml_append(device, slot_terms(bsel, slot, is_removable(dev)));
    }
    if (bus_behind(dev)) {
        aml_append(device, acpi_pci_slots(hp, bus_behind(dev)));
    }
    return device;
}

/* --- telling of changes --- */

static Aml *notify_method(const PciBus *bus)
{
    Aml *method = aml_method("DVNT", 2, AML_NOT_SERIALIZED);

    for (unsigned slot = 0; slot < 32; slot++) {
        unsigned devfn = PCI_DEVFN(slot, 0);

        if (has_device(bus, devfn, 0) && is_removable(bus->devices[devfn])) {
            aml_append(method, aml_if(aml_and(aml_arg(0), aml_int(BIT(slot)), NULL),
                                      aml_notify(aml_ref(function_name(devfn).text),
                                                 aml_arg(1))));
        }
    }
    return method;
}

/* Is there, on the bus or behind it, one with a number? */
static bool has_numbered(const AcpiHotplug *hp, PciBus *bus)
{
    bool has = acpi_pci_hotplug_bsel(hp, bus) >= 0;

    for (unsigned devfn = 0; !has && devfn < PCI_DEVFN_COUNT; devfn++) {
        PciBus *behind = bus_behind(bus->devices[devfn]);

        has = behind && has_numbered(hp, behind);
    }
    return has;
}

/* The bus's own changes, then those behind its bridges. */
static Aml *scan_method(const AcpiHotplug *hp, PciBus *bus, int bsel)
{
    Aml *method = aml_method("PCNT", 0, AML_NOT_SERIALIZED);

    if (bsel >= 0) {
        aml_append(method, aml_store(aml_int(bsel), aml_ref(HOST "BNUM")));
        aml_append(method, aml_call("DVNT", aml_ref(HOST "PCIU"), aml_int(NOTIFY_CHECK)));
        aml_append(method, aml_call("DVNT", aml_ref(HOST "PCID"), aml_int(NOTIFY_EJECT)));
    }
    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        PciBus *behind = bus_behind(bus->devices[devfn]);

        if (behind && has_numbered(hp, behind)) {
            aml_append(method, aml_call(aml_path("^%s.PCNT", function_name(devfn).text).text));
        }
    }
    return method;
}

Aml *acpi_pci_slots(const AcpiHotplug *hp, PciBus *bus)
{
    int bsel = hp ? acpi_pci_hotplug_bsel(hp, bus) : -1;
    Aml *terms = aml_list();

    if (bsel >= 0) {
        aml_append(terms, aml_name("BSEL", aml_int(bsel)));
    }
    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        if (has_device(bus, devfn, bsel)) {
            aml_append(terms, function_device(hp, bus, devfn, bsel));
        }
    }
    if (bsel >= 0) {
        aml_append(terms, notify_method(bus));
    }
    if (hp && has_numbered(hp, bus)) {
        aml_append(terms, scan_method(hp, bus, bsel));
    }
    return terms;
}
