/*
 * pvpanic-pci: pvpanic's register as the first byte of a memory BAR.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/misc/pvpanic.h"
#include "hw/pci/pci_device.h"

#define DEVICE_PVPANIC     0x0011
#define CLASS_SYSTEM_OTHER 0x0880

typedef struct PvpanicPci {
    PciDevice parent;
    RegisterBank bank;
    uint8_t events;
} PvpanicPci;
DECLARE_CAST(PvpanicPci, PVPANIC_PCI)

static uint64_t events_read(Device *dev, unsigned n)
{
    return PVPANIC_PCI(dev)->events;
}

static void events_write(Device *dev, unsigned n, uint64_t value)
{
    pvpanic_tell(value);
}

static const RegDef pvpanic_regs[] = {
    REG_COMPUTED(0, "EVENTS", .read = events_read, .write = events_write),
};
/* The smallest that memory BARs can be. */
static const RegisterMap pvpanic_map = REG_MAP(pvpanic_regs, .size = 16, .width = 1);

static void pvpanic_init(Object *obj)
{
    register_bank_init(&PVPANIC_PCI(obj)->bank, DEVICE(obj), &pvpanic_map, "pvpanic");
}

static void pvpanic_finalize(Object *obj)
{
    register_bank_clear(&PVPANIC_PCI(obj)->bank);
}

static bool pvpanic_realize(Device *dev, Error **errp)
{
    pci_add_bar(PCI_DEVICE(dev), 0, 0, &PVPANIC_PCI(dev)->bank.region);
    return true;
}

static const Property pvpanic_props[] = {
    PROP_U8("events", PvpanicPci, events, .initial = PVPANIC_KNOWN, .doc = "What a read shows"),
};

static const PciDeviceType pvpanic_type = {
    .name = "pvpanic-pci",
    .doc = "PCI device on which a guest tells that it panicked",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(PvpanicPci),
    .category = DEVICE_CATEGORY_MISC,
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = DEVICE_PVPANIC, .class_id = CLASS_SYSTEM_OTHER,
    .revision = 1,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
    .properties = PROPERTIES(pvpanic_props),
    .init = pvpanic_init,
    .finalize = pvpanic_finalize,
    .realize = pvpanic_realize,
};
PCI_DEVICE_TYPE(pvpanic_type)
