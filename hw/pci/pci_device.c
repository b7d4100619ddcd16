/*
 * Life of a PCI function: properties, realize, reset, saved state. See hw/pci/pci_device.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_parts.h"

static const ObjectType conventional_type = {
    .name = TYPE_PCI_CONVENTIONAL, .is_interface = true, .doc = "Sits on a PCI bus",
};
OBJECT_TYPE(conventional_type)

static const ObjectType express_type = {
    .name = TYPE_PCI_EXPRESS, .is_interface = true, .doc = "Sits on a PCI Express bus",
};
OBJECT_TYPE(express_type)

PciBus *pci_device_bus(const PciDevice *dev)
{
    return PCI_BUS(dev->parent.bus);
}

uint16_t pci_device_requester_id(const PciDevice *dev)
{
    return dev->devfn < 0 ? 0 : pci_bus_number(pci_device_bus(dev)) << 8 | dev->devfn;
}

/* What fits both buses is what the bus is. */
bool pci_device_is_express(const PciDevice *dev)
{
    return object_is_a(dev, TYPE_PCI_EXPRESS) &&
           (!object_is_a(dev, TYPE_PCI_CONVENTIONAL) || !dev->parent.bus ||
            pci_bus_is_express(pci_device_bus(dev)));
}

/* --- functions of one slot --- */

static bool check_other_functions(PciDevice *dev, Error **errp)
{
    PciBus *bus = pci_device_bus(dev);
    unsigned slot = PCI_SLOT(dev->devfn);
    PciDevice *first = bus->devices[PCI_DEVFN(slot, 0)];

    if (PCI_FUNCTION(dev->devfn)) {
        return !first || first->is_multifunction ||
               error_set(errp, "PCI: single function device can't be populated in function %x.%x",
                         slot, PCI_FUNCTION(dev->devfn));
    }
    for (unsigned n = 1; n < 8 && !dev->is_multifunction; n++) {
        if (bus->devices[PCI_DEVFN(slot, n)]) {
            return error_set(errp, "PCI: %x.0 indicates single function, but %x.%x is already "
                             "populated.", slot, slot, n);
        }
    }
    return true;
}

/* A guest looks at a slot when function 0 comes: others must be there by then. */
static bool check_hotplug(PciDevice *dev, Error **errp)
{
    PciDevice *first = pci_device_bus(dev)->devices[PCI_DEVFN(PCI_SLOT(dev->devfn), 0)];

    return !dev->parent.is_hotplugged || !first ||
           error_set(errp, "PCI: slot %d function 0 already occupied by %s, new func %s cannot be "
                     "exposed to guest.", PCI_SLOT(dev->devfn),
                     object_type_name(first), object_type_name(dev));
}

typedef struct IndexSearch {
    const PciDevice *dev;
    bool is_taken;
} IndexSearch;

static void match_index(void *opaque, PciDevice *other)
{
    IndexSearch *search = opaque;

    search->is_taken |= other != search->dev && other->acpi_index == search->dev->acpi_index;
}

static bool check_acpi_index(PciDevice *dev, Error **errp)
{
    IndexSearch search = { dev };

    if (!dev->acpi_index) {
        return true;
    }
    if (dev->acpi_index > 16383) {
        return error_set(errp, "acpi-index should be less or equal to 16383");
    }
    pci_bus_each(pci_bus_root(pci_device_bus(dev)), match_index, &search);
    return !search.is_taken ||
           error_set(errp, "a PCI device with acpi-index = %u already exist", dev->acpi_index);
}

static bool check_properties(PciDevice *dev, Error **errp)
{
    if (dev->failover_pair_id &&
        (pci_device_ops(dev)->class_id != 0x0200 || !pci_device_is_express(dev))) {
        return error_set(errp, "failover primary device is not an Ethernet device");
    }
    if (dev->pf) {
        return true; /* it comes when the guest wants it */
    }
    return check_other_functions(dev, errp) && check_hotplug(dev, errp) &&
           check_acpi_index(dev, errp);
}

/* --- life --- */

/* Views of memory may show it to others until it is finalized: what they reach stays till then. */
static void discard(PciDevice *dev)
{
    if (!dev->config) {
        return;
    }
    memory_region_clear(&dev->rom);
    pci_dma_discard(dev);
    pci_msix_discard(dev);
    pci_pcie_discard(dev);
    pci_config_clear(dev);
    g_clear_pointer(&dev->loading, g_free); /* of a load that failed */
}

static void leave(PciDevice *dev)
{
    pci_pcie_stop(dev);
    pci_bars_unmap(dev);
    pci_msix_stop(dev);
    pci_dma_stop(dev);
    pci_device_bus(dev)->devices[dev->devfn] = NULL;
    dev->devfn = -1;
    pci_bus_layout_changed(pci_device_bus(dev));
}

static bool pci_device_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);

    if (!check_properties(dev, errp)) {
        return false;
    }
    discard(dev);
    pci_config_init(dev);
    pci_device_bus(dev)->devices[dev->devfn] = dev;
    pci_bus_layout_changed(pci_device_bus(dev));
    pci_dma_init(dev);
    if (!pci_rom_load(dev, errp)) {
        leave(dev);
        return false;
    }
    return true;
}

static void pci_device_unrealize(Device *device)
{
    PciDevice *dev = PCI_DEVICE(device);

    if (dev->is_intx_sent) {
        pci_bus_intx_change(dev, -1);
    }
    dev->is_intx_up = dev->is_intx_sent = false;
    leave(dev);
}

static void pci_device_init(Object *obj)
{
    PCI_DEVICE(obj)->devfn = -1;
    PCI_DEVICE(obj)->romfile = g_strdup(pci_device_ops(PCI_DEVICE(obj))->romfile);
}

static void pci_device_finalize(Object *obj)
{
    discard(PCI_DEVICE(obj));
}

void pci_device_function_reset(PciDevice *dev)
{
    dev->keeps_sticky = true;
    device_reset(&dev->parent);
    dev->keeps_sticky = false;
}

void pci_device_set_power(PciDevice *dev, bool is_on)
{
    dev->is_without_power = !is_on;
    pci_bus_forget_numbers(dev);
    device_reset(&dev->parent);
}

static void pci_device_reset_enter(Device *device)
{
    PciDevice *dev = PCI_DEVICE(device);

    pci_config_reset(dev);
    pci_msi_reset(dev);
    pci_msix_reset(dev);
    dev->is_intx_up = false;
    pci_pcie_reset(dev);
}

static void pci_device_reset_hold(Device *device)
{
    pci_update_mappings(PCI_DEVICE(device));
    pci_dma_update(PCI_DEVICE(device));
    pci_intx_update(PCI_DEVICE(device));
}

/* --- saved state --- */

static bool pre_load(void *opaque, Error **errp)
{
    PciDevice *dev = opaque;

    g_free(dev->loading);
    dev->loading = g_memdup2(dev->config, dev->config_size);
    pci_pcie_preload(dev);
    return true;
}

static bool check_fixed(PciDevice *dev, Error **errp)
{
    for (unsigned i = 0; i < dev->config_size; i++) {
        if ((dev->config[i] ^ dev->loading[i]) & dev->fixed[i]) {
            return error_set(errp, "Bad config data: i=0x%x read: %x device: %x fixed: %x", i,
                             dev->config[i], dev->loading[i], dev->fixed[i]);
        }
    }
    return true;
}

static bool post_load(void *opaque, int version, Error **errp)
{
    PciDevice *dev = opaque;
    bool is_ok = check_fixed(dev, errp);

    if (!is_ok) {
        memcpy(dev->config, dev->loading, dev->config_size);
    }
    g_clear_pointer(&dev->loading, g_free);
    pci_update_mappings(dev);
    pci_dma_update(dev);
    pci_intx_update(dev);
    pci_msix_reload(dev);
    pci_pcie_reload(dev);
    return is_ok;
}

static const VMField pci_device_fields[] = {
    VM_BYTES_HELD(PciDevice, config, config_size),
    VM_BOOL(PciDevice, is_intx_up),
};

static const VMState pci_device_state =
    VMSTATE_INIT(pci_device_fields, .version = 1, .pre_load = pre_load, .post_load = post_load,
                 .subsections = VM_SUBSECTIONS(&pci_msix_state, &pci_pcie_state,
                                                &pci_pri_state));

/* --- properties --- */

static const Property pci_device_props[] = {
    PROP_(property_pci_addr, "addr", PciDevice, addr, .initial = -1,
          .doc = "Slot and optional function number, example: 06.0 or 06"),
    PROP_STR("romfile", PciDevice, romfile, .has_no_default = true, .doc = "Its option ROM"),
    PROP_U32("romsize", PciDevice, romsize, .initial = UINT32_MAX,
             .doc = "Bytes of the option ROM's BAR, 4294967295: as the file needs"),
    PROP_U32("rombar", PciDevice, rombar, .initial = 1, .doc = "0: no BAR for the option ROM"),
    PROP_BOOL("multifunction", PciDevice, is_multifunction, .doc = "More functions may follow"),
    PROP_BOOL("x-pcie-lnksta-dllla", PciDevice, has_dllla, .initial = true,
              .doc = "The link tells that it is active"),
    PROP_BOOL("x-pcie-extcap-init", PciDevice, has_extended_caps, .initial = true,
              .doc = "There is an extended capability list"),
    PROP_STR("failover_pair_id", PciDevice, failover_pair_id, .has_no_default = true,
             .doc = "The virtio-net that stands in for it"),
    PROP_U32("acpi-index", PciDevice, acpi_index, .doc = "Its number for people; 0: none"),
};

static const PciDeviceType pci_device_type = {
    .name = TYPE_PCI_DEVICE,
    .parent = TYPE_DEVICE,
    .doc = "A function on a PCI bus",
    .size = sizeof(PciDevice),
    .is_abstract = true,
    .bus_type = TYPE_PCI_BUS,
    .properties = PROPERTIES(pci_device_props),
    .init = pci_device_init,
    .finalize = pci_device_finalize,
    .realize = pci_device_realize,
    .unrealize = pci_device_unrealize,
    .reset_enter = pci_device_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .vmstate = &pci_device_state,
};
PCI_DEVICE_TYPE(pci_device_type)
