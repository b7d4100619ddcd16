/*
 * What there is on PCI: QMP query-pci, and the names of classes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"
#include "qapi/qapi-commands-pci.h"

/* PCI Code and ID Assignment, chapter 1; as users know them. */
static const struct {
    uint16_t id;
    const char *name;
} classes[] = {
    { 0x0100, "SCSI controller" },      { 0x0101, "IDE controller" },
    { 0x0102, "Floppy controller" },    { 0x0103, "IPI controller" },
    { 0x0104, "RAID controller" },      { 0x0106, "SATA controller" },
    { 0x0107, "SAS controller" },       { 0x0180, "Storage controller" },
    { 0x0200, "Ethernet controller" },  { 0x0201, "Token Ring controller" },
    { 0x0202, "FDDI controller" },      { 0x0203, "ATM controller" },
    { 0x0280, "Network controller" },   { 0x0300, "VGA controller" },
    { 0x0301, "XGA controller" },       { 0x0302, "3D controller" },
    { 0x0380, "Display controller" },   { 0x0400, "Video controller" },
    { 0x0401, "Audio controller" },     { 0x0402, "Phone" },
    { 0x0403, "Audio controller" },     { 0x0480, "Multimedia controller" },
    { 0x0500, "RAM controller" },       { 0x0501, "Flash controller" },
    { 0x0580, "Memory controller" },    { 0x0600, "Host bridge" },
    { 0x0601, "ISA bridge" },           { 0x0602, "EISA bridge" },
    { 0x0603, "MC bridge" },            { 0x0604, "PCI bridge" },
    { 0x0605, "PCMCIA bridge" },        { 0x0606, "NUBUS bridge" },
    { 0x0607, "CARDBUS bridge" },       { 0x0608, "RACEWAY bridge" },
    { 0x0680, "Bridge" },               { 0x0700, "Serial port" },
    { 0x0701, "Parallel port" },        { 0x0800, "Interrupt controller" },
    { 0x0801, "DMA controller" },       { 0x0802, "Timer" },
    { 0x0803, "RTC" },                  { 0x0900, "Keyboard" },
    { 0x0901, "Pen" },                  { 0x0902, "Mouse" },
    { 0x0a00, "Dock station" },         { 0x0c03, "USB controller" },
    { 0x0c04, "Fibre channel controller" }, { 0x0c05, "SMBus" },
};

const char *pci_class_name(uint16_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (classes[i].id == id) {
            return classes[i].name;
        }
    }
    return NULL;
}

static PciMemoryRange *range(const PciDevice *dev, PciBridgeWindow window)
{
    PciMemoryRange *out = g_new0(PciMemoryRange, 1);

    out->base = pci_bridge_base(dev, window);
    out->limit = pci_bridge_limit(dev, window);
    return out;
}

static PciMemoryRegionArray *regions(const PciDevice *dev)
{
    PciMemoryRegionArray *list = g_new0(PciMemoryRegionArray, 1);

    for (unsigned n = 0; n < PCI_BAR_COUNT; n++) {
        const PciBar *bar = &dev->bars[n];
        PciMemoryRegion *out;

        if (!bar->region) {
            continue;
        }
        out = g_new0(PciMemoryRegion, 1);
        out->bar = n;
        out->address = bar->addr; /* PCI_UNMAPPED is -1 */
        out->size = bar->size;
        out->type = g_strdup(bar->type & PCI_BAR_IO ? "io" : "memory");
        out->has_prefetch = out->has_mem_type_64 = !(bar->type & PCI_BAR_IO);
        out->prefetch = bar->type & PCI_BAR_PREFETCH;
        out->mem_type_64 = bar->type & PCI_BAR_64;
        pci_memory_region_array_add(list, out);
    }
    return list;
}

static void add_devices(PciDeviceInfoArray *list, const PciBus *bus);

/* Found by number, as a guest would. */
static PciBridgeInfo *bridge_info(const PciDevice *dev)
{
    PciBridgeInfo *out = g_new0(PciBridgeInfo, 1);
    PciBusInfo *info = g_new0(PciBusInfo, 1);
    GPtrArray *buses = dev->parent.buses;

    info->number = dev->config[PCI_PRIMARY_BUS];
    info->secondary = dev->config[PCI_SECONDARY_BUS];
    info->subordinate = dev->config[PCI_SUBORDINATE_BUS];
    info->io_range = range(dev, PCI_WINDOW_IO);
    info->memory_range = range(dev, PCI_WINDOW_MEMORY);
    info->prefetchable_range = range(dev, PCI_WINDOW_PREFETCH);
    out->bus = info;
    if (info->secondary && buses && buses->len) {
        out->devices = g_new0(PciDeviceInfoArray, 1);
        for (guint i = 0; i < buses->len; i++) {
            add_devices(out->devices, buses->pdata[i]);
        }
    }
    return out;
}

static PciDeviceId *id_info(const PciDevice *dev)
{
    PciDeviceId *out = g_new0(PciDeviceId, 1);

    out->vendor = load_le16(dev->config + PCI_VENDOR_ID);
    out->device = load_le16(dev->config + PCI_DEVICE_ID);
    out->has_subsystem = out->has_subsystem_vendor = !pci_device_ops(dev)->is_bridge;
    if (out->has_subsystem) {
        out->subsystem = load_le16(dev->config + PCI_SUBSYSTEM_ID);
        out->subsystem_vendor = load_le16(dev->config + PCI_SUBSYSTEM_VENDOR_ID);
    }
    return out;
}

static PciDeviceClass *class_info(const PciDevice *dev)
{
    PciDeviceClass *out = g_new0(PciDeviceClass, 1);

    out->class = load_le16(dev->config + PCI_CLASS_DEVICE);
    out->desc = g_strdup(pci_class_name(out->class));
    return out;
}

static PciDeviceInfo *device_info(const PciDevice *dev)
{
    PciDeviceInfo *out = g_new0(PciDeviceInfo, 1);

    out->bus = pci_bus_number(pci_device_bus(dev));
    out->slot = PCI_SLOT(dev->devfn);
    out->function = PCI_FUNCTION(dev->devfn);
    out->class_info = class_info(dev);
    out->id = id_info(dev);
    out->irq_pin = dev->config[PCI_INTERRUPT_PIN];
    out->has_irq = out->irq_pin;
    out->irq = out->has_irq ? dev->config[PCI_INTERRUPT_LINE] : 0;
    out->qdev_id = g_strdup(dev->parent.id ? dev->parent.id : "");
    out->regions = regions(dev);
    out->pci_bridge = pci_device_ops(dev)->is_bridge ? bridge_info(dev) : NULL;
    return out;
}

static void add_devices(PciDeviceInfoArray *list, const PciBus *bus)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        if (bus->devices[devfn]) {
            pci_device_info_array_add(list, device_info(bus->devices[devfn]));
        }
    }
}

/* Expanders come before the board's root. */
PciInfoArray *qmp_query_pci(Error **errp)
{
    g_autoptr(GPtrArray) hosts = pci_hosts();
    PciInfoArray *list = g_new0(PciInfoArray, 1);

    for (guint i = hosts->len; i > 0; i--) {
        const PciHost *host = hosts->pdata[i - 1];
        PciInfo *out;

        if (host->bus) {
            out = g_new0(PciInfo, 1);
            out->bus = pci_bus_number(host->bus);
            out->devices = g_new0(PciDeviceInfoArray, 1);
            add_devices(out->devices, host->bus);
            pci_info_array_add(list, out);
        }
    }
    return list;
}
