/*
 * How firmware calls functions: names by class (PCI bus binding to IEEE 1275, 2.5, table 1), with
 * slot and function as unit address. Functions on a root bus are named with the root in front.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_parts.h"

static const struct {
    uint16_t class_id;
    const char *name;
} class_names[] = {
    { 0x0001, "display" }, { 0x0100, "scsi" }, { 0x0101, "ide" }, { 0x0102, "fdc" },
    { 0x0103, "ipi" }, { 0x0104, "raid" }, { 0x0200, "ethernet" }, { 0x0201, "token-ring" },
    { 0x0202, "fddi" }, { 0x0203, "atm" }, { 0x0300, "display" }, { 0x0400, "video" },
    { 0x0401, "sound" }, { 0x0500, "memory" }, { 0x0501, "flash" }, { 0x0600, "host" },
    { 0x0601, "isa" }, { 0x0602, "eisa" }, { 0x0603, "mca" }, { 0x0604, "pci-bridge" },
    { 0x0605, "pcmcia" }, { 0x0606, "nubus" }, { 0x0607, "cardbus" }, { 0x0700, "serial" },
    { 0x0701, "parallel" }, { 0x0800, "interrupt-controller" }, { 0x0801, "dma-controller" },
    { 0x0802, "timer" }, { 0x0803, "rtc" }, { 0x0900, "keyboard" }, { 0x0901, "pen" },
    { 0x0902, "mouse" }, { 0x0a00, "dock" }, { 0x0b00, "cpu" }, { 0x0c00, "firewire" },
    { 0x0c01, "access-bus" }, { 0x0c02, "ssa" }, { 0x0c03, "usb" }, { 0x0c04, "fibre-channel" },
    { 0x0c05, "smb" },
};

static const char *class_name(uint16_t class_id)
{
    for (size_t i = 0; i < ARRAY_SIZE(class_names); i++) {
        if (class_names[i].class_id == class_id) {
            return class_names[i].name;
        }
    }
    return NULL;
}

/* Expanders' roots are numbered from 1, in the order of their bus numbers. */
static unsigned root_index(const PciBus *bus)
{
    unsigned index = 1;

    if (!bus->main_root) {
        return 0;
    }
    for (guint i = 0; i < bus->main_root->expanders->len; i++) {
        const PciBus *other = bus->main_root->expanders->pdata[i];

        index += other->root_number < bus->root_number;
    }
    return index;
}

static void append_root(GString *path, const PciBus *bus)
{
    const PciBus *main_root = bus->main_root ? bus->main_root : bus;
    unsigned index = root_index(bus);

    if (main_root->firmware_name) {
        g_string_append(path, main_root->firmware_name);
        if (index) {
            g_string_append_printf(path, ",%x", index);
        }
        g_string_append_c(path, '/');
    }
}

char *pci_bus_firmware_path(Bus *bus, Device *device)
{
    const PciDevice *dev = PCI_DEVICE(device);
    const char *name = class_name(load_le16(dev->config + PCI_CLASS_DEVICE));
    GString *path = g_string_new(NULL);

    if (!PCI_BUS(bus)->bridge) {
        append_root(path, PCI_BUS(bus));
    }
    if (name) {
        g_string_append(path, name);
    } else {
        g_string_append_printf(path, "pci%04x,%04x", load_le16(dev->config + PCI_VENDOR_ID),
                               load_le16(dev->config + PCI_DEVICE_ID));
    }
    g_string_append_printf(path, "@%x", PCI_SLOT(dev->devfn));
    if (PCI_FUNCTION(dev->devfn)) {
        g_string_append_printf(path, ",%x", PCI_FUNCTION(dev->devfn));
    }
    return g_string_free(path, FALSE);
}
