/*
 * PCI buses: places, numbers, the way to the root. See hw/pci/pci_bus.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pci_parts.h"

bool pci_bus_is_express(const PciBus *bus)
{
    return object_is_a(bus, TYPE_PCIE_BUS);
}

uint8_t pci_bus_number(const PciBus *bus)
{
    return bus->bridge ? bus->bridge->config[PCI_SECONDARY_BUS] + bus->extension : bus->root_number;
}

/* NULL: nobody needed the number. */
static PciBus *find_extension(const PciDevice *bridge, uint8_t n)
{
    for (guint i = 0; i < bridge->parent.buses->len; i++) {
        PciBus *bus = bridge->parent.buses->pdata[i];

        if (bus->extension == n) {
            return bus;
        }
    }
    return NULL;
}

PciBus *pci_bus_extended(PciBus *bus, uint8_t n)
{
    PciBus *found = n ? find_extension(bus->bridge, n) : bus;
    g_autofree char *name = NULL;

    assert(bus->bridge && !bus->extension);
    if (!found) {
        name = g_strdup_printf("%s+%u", bus_name(&bus->parent), n);
        found = pci_bus_new(object_type_name(bus), &bus->bridge->parent, name,
                            (PciBusSpaces){ bus->memory, bus->io });
        found->extension = n;
        found->parent.is_full = found->parent.is_realized = true;
    }
    return found;
}

PciBus *pci_bus_root(PciBus *bus)
{
    while (bus->bridge) {
        bus = pci_device_bus(bus->bridge);
    }
    return bus;
}

PciBus *pci_bus_new(const char *type_name, Device *owner, const char *name, PciBusSpaces spaces)
{
    PciBus *bus = PCI_BUS(bus_new(type_name, owner, name));

    bus->memory = spaces.memory;
    bus->io = spaces.io;
    bus->bridge = object_is_a(owner, TYPE_PCI_DEVICE) ? PCI_DEVICE(owner) : NULL;
    return bus;
}

/* The board's root, for what expanders leave to it. */
PciBus *pci_bus_main_root(PciBus *bus)
{
    PciBus *root = pci_bus_root(bus);

    return root->main_root ? root->main_root : root;
}

void pci_bus_layout_changed(PciBus *bus)
{
    Device *owner = pci_bus_main_root(bus)->parent.owner;

    if (object_is_a(owner, TYPE_PCI_HOST)) {
        pci_hole_update(PCI_HOST(owner));
    }
}

static void forget_numbers(PciBus *main_root)
{
    g_clear_pointer(&main_root->numbers, g_free);
    pci_bus_layout_changed(main_root);
}

void pci_bus_forget_numbers(const PciDevice *dev)
{
    forget_numbers(pci_bus_main_root(pci_device_bus(dev)));
}

bool pci_bus_add_expander(PciBus *main_root, PciBus *root, Error **errp)
{
    if (pci_bus_find(main_root, root->root_number)) {
        return error_set(errp, "Bus %u is already in use", root->root_number);
    }
    if (!main_root->expanders) {
        main_root->expanders = g_ptr_array_new();
    }
    g_ptr_array_add(main_root->expanders, root);
    root->main_root = main_root;
    forget_numbers(main_root);
    return true;
}

void pci_bus_remove_expander(PciBus *root)
{
    g_ptr_array_remove(root->main_root->expanders, root);
    forget_numbers(root->main_root);
    root->main_root = NULL;
}

static void set_keeps_sticky(void *opaque, PciDevice *dev)
{
    dev->keeps_sticky = opaque;
}

void pci_bus_hot_reset(PciBus *bus)
{
    pci_bus_each(bus, set_keeps_sticky, bus);
    bus_reset(&bus->parent);
    pci_bus_each(bus, set_keeps_sticky, NULL);
}

static PciBus *behind(const PciDevice *bridge, uint8_t number);

static PciBus *below(PciBus *bus, uint8_t number)
{
    for (guint i = 0; i < bus->parent.devices->len; i++) {
        PciDevice *dev = bus->parent.devices->pdata[i];
        GPtrArray *buses = dev->parent.buses;

        if (!buses || !buses->len || !object_is_a(buses->pdata[0], TYPE_PCI_BUS) || !dev->config ||
            dev->is_without_power ||
            number < dev->config[PCI_SECONDARY_BUS] || number > dev->config[PCI_SUBORDINATE_BUS] ||
            !dev->config[PCI_SECONDARY_BUS]) {
            continue;
        }
        return number == dev->config[PCI_SECONDARY_BUS] ? buses->pdata[0] : behind(dev, number);
    }
    return NULL;
}

/* Bridges come before virtual functions, whose numbers software keeps free. */
static PciBus *behind(const PciDevice *bridge, uint8_t number)
{
    PciBus *found = below(bridge->parent.buses->pdata[0], number);

    return found ? found : find_extension(bridge, number - bridge->config[PCI_SECONDARY_BUS]);
}

/* Below the root itself first: what firmware numbered is what counts. */
static PciBus *find(PciBus *root, uint8_t number)
{
    PciBus *found = below(root, number);

    for (guint i = 0; !found && root->expanders && i < root->expanders->len; i++) {
        PciBus *other = root->expanders->pdata[i];

        found = number == other->root_number ? other : below(other, number);
    }
    return found;
}

PciBus *pci_bus_find(PciBus *root, uint8_t number)
{
    if (number == root->root_number) {
        return root;
    }
    if (!root->numbers) {
        root->numbers = g_new0(PciBus *, 256);
    }
    if (!root->numbers[number]) {
        root->numbers[number] = find(root, number);
    }
    return root->numbers[number];
}

PciDevice *pci_find_device(PciBus *root, uint8_t number, uint8_t devfn)
{
    PciBus *bus = pci_bus_find(root, number);

    return bus ? bus->devices[devfn] : NULL;
}

void pci_bus_each(PciBus *bus, void (*fn)(void *opaque, PciDevice *dev), void *opaque)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        PciDevice *dev = bus->devices[devfn];

        if (!dev) {
            continue;
        }
        fn(opaque, dev);
        for (guint i = 0; dev->parent.buses && i < dev->parent.buses->len; i++) {
            if (object_is_a(dev->parent.buses->pdata[i], TYPE_PCI_BUS)) {
                pci_bus_each(dev->parent.buses->pdata[i], fn, opaque);
            }
        }
    }
}

void pci_bus_each_of_all(PciBus *main_root, void (*fn)(void *opaque, PciDevice *dev), void *opaque)
{
    pci_bus_each(main_root, fn, opaque);
    for (guint i = 0; main_root->expanders && i < main_root->expanders->len; i++) {
        pci_bus_each(main_root->expanders->pdata[i], fn, opaque);
    }
}

char *pci_device_path(const PciDevice *dev)
{
    GString *path = g_string_new(NULL);
    PciBus *bus;

    for (; dev; dev = bus->bridge) {
        g_autofree char *step = NULL;

        bus = pci_device_bus(dev);
        step = g_strdup_printf(":%02x.%x", PCI_SLOT(dev->devfn) + PCI_SLOT_COUNT * bus->extension,
                               PCI_FUNCTION(dev->devfn));
        g_string_prepend(path, step);
        if (!bus->bridge) {
            g_autofree char *root = g_strdup_printf("0000:%02x", bus->root_number);

            g_string_prepend(path, root);
        }
    }
    return g_string_free(path, FALSE);
}

/* --- places --- */

static bool is_reserved(const PciBus *bus, int devfn)
{
    return bus->reserved_slots & BIT(PCI_SLOT(devfn));
}

static bool choose(PciBus *bus, PciDevice *dev, Error **errp)
{
    int end = bus->has_one_slot ? 8 : PCI_DEVFN_COUNT;

    for (int devfn = bus->first_devfn; devfn < end; devfn += 8) {
        if (!bus->devices[devfn] && !is_reserved(bus, devfn)) {
            dev->devfn = devfn;
            return true;
        }
    }
    return error_set(errp, "PCI: no slot/function available for %s, all in use or reserved",
                     object_type_name(dev));
}

static bool check_addr(PciBus *bus, PciDevice *dev, Error **errp)
{
    unsigned slot = PCI_SLOT(dev->addr), function = PCI_FUNCTION(dev->addr);
    PciDevice *other = bus->devices[dev->addr];

    if (bus->has_one_slot && slot && !dev->pf) {
        return error_set(errp, "PCI: slot %u is not valid for %s, parent device only allows "
                         "plugging into slot 0.", slot, object_type_name(dev));
    }
    if (is_reserved(bus, dev->addr) && !dev->pf) {
        return error_set(errp, "PCI: slot %u function %u not available for %s, reserved", slot,
                         function, object_type_name(dev));
    }
    return !other || error_set(errp, "PCI: slot %u function %u not available for %s, in use by "
                               "%s,id=%s", slot, function, object_type_name(dev),
                               object_type_name(other),
                               other->parent.id ? other->parent.id : "(null)");
}

static bool pci_bus_check(Bus *parent, Device *device, Error **errp)
{
    PciBus *bus = PCI_BUS(parent);
    PciDevice *dev = PCI_DEVICE(device);

    if (!pci_bus_is_express(bus) && !object_is_a(dev, TYPE_PCI_CONVENTIONAL)) {
        return error_set(errp, "Device '%s' can't go on %s bus", object_type_name(dev),
                         object_type_name(bus));
    }
    if (bus->takes_only_bridges && !pci_device_ops(dev)->is_bridge) {
        return error_set(errp, "PCI: Only PCI/PCIe bridges can be plugged into %s",
                         bus_name(parent));
    }
    if (dev->addr < 0) {
        return choose(bus, dev, errp);
    }
    if (!check_addr(bus, dev, errp)) {
        return false;
    }
    dev->devfn = dev->addr;
    return true;
}

static char *pci_bus_device_address(Bus *bus, Device *dev)
{
    return pci_device_path(PCI_DEVICE(dev));
}

static void print_bars(PciDevice *dev, GString *out, int indent)
{
    for (unsigned n = 0; n < PCI_BAR_COUNT; n++) {
        const PciBar *bar = &dev->bars[n];

        if (bar->region) {
            g_string_append_printf(out, "%*sbar %u: %s at 0x%" PRIx64 " [0x%" PRIx64 "]\n", indent,
                                   "", n, bar->type & PCI_BAR_IO ? "i/o" : "mem", bar->addr,
                                   bar->addr + bar->size - 1);
        }
    }
}

static void pci_bus_print_device(Bus *bus, Device *device, GString *out, int indent)
{
    PciDevice *dev = PCI_DEVICE(device);
    uint16_t class_id = load_le16(dev->config + PCI_CLASS_DEVICE);
    g_autofree char *number = g_strdup_printf("Class %04x", class_id);
    const char *name = pci_class_name(class_id);

    g_string_append_printf(out, "%*sclass %s, addr %02x:%02x.%x, pci id %04x:%04x (sub "
                           "%04x:%04x)\n", indent, "",
                           name ? name : number, pci_bus_number(PCI_BUS(bus)),
                           PCI_SLOT(dev->devfn), PCI_FUNCTION(dev->devfn),
                           load_le16(dev->config + PCI_VENDOR_ID),
                           load_le16(dev->config + PCI_DEVICE_ID),
                           load_le16(dev->config + PCI_SUBSYSTEM_VENDOR_ID),
                           load_le16(dev->config + PCI_SUBSYSTEM_ID));
    print_bars(dev, out, indent);
}

static void pci_bus_finalize(Object *obj)
{
    g_free(PCI_BUS(obj)->line_users);
    g_free(PCI_BUS(obj)->numbers);
    if (PCI_BUS(obj)->expanders) {
        g_ptr_array_unref(PCI_BUS(obj)->expanders);
    }
}

static const BusType pci_bus_type = {
    .name = TYPE_PCI_BUS,
    .parent = TYPE_BUS,
    .doc = "PCI",
    .size = sizeof(PciBus),
    .check = pci_bus_check,
    .print_device = pci_bus_print_device,
    .device_address = pci_bus_device_address,
    .firmware_path = pci_bus_firmware_path,
    .finalize = pci_bus_finalize,
};
BUS_TYPE(pci_bus_type)

static const BusType pcie_bus_type = {
    .name = TYPE_PCIE_BUS,
    .parent = TYPE_PCI_BUS,
    .doc = "PCI Express",
};
BUS_TYPE(pcie_bus_type)
