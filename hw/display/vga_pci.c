/*
 * VGA and secondary-vga: standard VGA cards on PCI: VRAM in BAR 0, registers in BAR 2; the first
 * also at the ports and addresses of old, with a video BIOS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "hw/display/vga_mmio.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"

#define BAR_VRAM 0
#define BAR_MMIO 2
#define TYPE_PCI_VGA "pci-vga"

typedef struct PciVga {
    PciDevice parent;
    Vga vga;
    VgaMmio mmio;
    uint32_t megabytes; /* properties */
    bool has_mmio, has_global_state;
    bool is_at_ports;
} PciVga;
DECLARE_CAST(PciVga, PCI_VGA)

static uint16_t read_vbe(void *opaque, unsigned index)
{
    return vbe_read(opaque, index);
}

static void write_vbe(void *opaque, unsigned index, uint16_t value)
{
    vbe_write(opaque, index, value);
}

static bool get_big_endian(void *opaque)
{
    return ((Vga *)opaque)->is_big_endian;
}

static void set_big_endian(void *opaque, bool is_big)
{
    ((Vga *)opaque)->is_big_endian = is_big;
    ((Vga *)opaque)->is_stale = true;
}

static uint8_t read_port(void *opaque, unsigned port)
{
    return vga_port_read(opaque, port);
}

static void write_port(void *opaque, unsigned port, uint8_t value)
{
    vga_port_write(opaque, port, value);
}

static const VgaMmioOps mmio_ops = {
    read_vbe, write_vbe, get_big_endian, set_big_endian, read_port, write_port,
};

static bool start(PciVga *card, Error **errp)
{
    Device *dev = &card->parent.parent;

    if (!vga_init(&card->vga, dev, card->megabytes, errp)) {
        return false;
    }
    pci_add_bar(&card->parent, BAR_VRAM, PCI_BAR_PREFETCH, &card->vga.vram);
    if (card->has_mmio) {
        card->mmio.ops = &mmio_ops;
        card->mmio.opaque = &card->vga;
        vga_mmio_init(&card->mmio, &dev->parent, "vga.mmio", VGA_MMIO_MAX_EDID);
        pci_add_bar(&card->parent, BAR_MMIO, 0, &card->mmio.region);
    }
    return true;
}

static bool vga_pci_realize(Device *dev, Error **errp)
{
    PciVga *card = PCI_VGA(dev);
    PciBus *bus = pci_device_bus(&card->parent);

    if (!start(card, errp)) {
        return false;
    }
    vga_map(&card->vga, bus->memory, bus->io);
    card->is_at_ports = true;
    return true;
}

static bool secondary_vga_realize(Device *dev, Error **errp)
{
    PCI_VGA(dev)->has_mmio = true;
    return start(PCI_VGA(dev), errp);
}

static void vga_pci_unrealize(Device *dev)
{
    PciVga *card = PCI_VGA(dev);
    PciBus *bus = pci_device_bus(&card->parent);

    if (card->is_at_ports) {
        vga_unmap(&card->vga, bus->memory, bus->io);
        card->is_at_ports = false;
    }
}

static void vga_pci_finalize(Object *obj)
{
    vga_mmio_clear(&PCI_VGA(obj)->mmio);
    vga_clear(&PCI_VGA(obj)->vga);
}

static void vga_pci_reset(Device *dev)
{
    vga_reset(&PCI_VGA(dev)->vga);
}

static json_object *get_order(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(PCI_VGA(obj)->vga.is_big_endian);
}

static bool set_order(Object *obj, const Property *p, json_object *value, PropertyForm form,
                      Error **errp)
{
    bool is_big;

    if (!property_value_bool(p, value, form, &is_big, errp)) {
        return false;
    }
    PCI_VGA(obj)->vga.is_big_endian_default = is_big;
    set_big_endian(&PCI_VGA(obj)->vga, is_big);
    return true;
}

static const Property pci_vga_props[] = {
    PROP_U32("vgamem_mb", PciVga, megabytes, .initial = 16, .doc = "MiB of video memory"),
    PROP_BOOL("qemu-extended-regs", PciVga, mmio.has_extended, .initial = true,
              .doc = "There is a register for the byte order"),
    PROP_VGA_EDID(PciVga, mmio),
    PROP_COMPUTED("big-endian-framebuffer", "bool", .get = get_order, .set = set_order,
                  .is_live = true, .doc = "Byte order of pixels"),
};
static const Property vga_props[] = {
    PROP_BOOL("mmio", PciVga, has_mmio, .initial = true, .doc = "There is BAR 2"),
    PROP_BOOL("global-vmstate", PciVga, has_global_state,
              .doc = "Names its memory as machines before 1.0 did; has no effect"),
};
static const VMField pci_vga_fields[] = { VM_STRUCT(PciVga, vga, vga_state) };

static const PciDeviceType pci_vga_type = {
    .name = TYPE_PCI_VGA,
    .doc = "A standard VGA on PCI",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(PciVga),
    .is_abstract = true,
    .vendor_id = 0x1234, .device_id = 0x1111, .revision = 2,
    .category = DEVICE_CATEGORY_DISPLAY,
    .properties = PROPERTIES(pci_vga_props),
    .vmstate = VMSTATE(pci_vga_fields, .version = 1),
    .unrealize = vga_pci_unrealize,
    .finalize = vga_pci_finalize,
    .reset_hold = vga_pci_reset,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PCI_DEVICE_TYPE(pci_vga_type)

static const PciDeviceType vga_type = {
    .name = "VGA",
    .doc = "Standard VGA with Bochs' VBE extension",
    .parent = TYPE_PCI_VGA,
    .class_id = 0x0300,
    .romfile = "vgabios-stdvga.bin",
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(vga_props),
    .realize = vga_pci_realize,
};
PCI_DEVICE_TYPE(vga_type)

static const PciDeviceType secondary_vga_type = {
    .name = "secondary-vga",
    .doc = "Standard VGA without the ports of old",
    .parent = TYPE_PCI_VGA,
    .class_id = 0x0380,
    .realize = secondary_vga_realize,
};
PCI_DEVICE_TYPE(secondary_vga_type)
