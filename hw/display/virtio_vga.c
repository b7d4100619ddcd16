/*
 * virtio-vga: a virtio-gpu on PCI that is a VGA as well, for firmware and until a driver comes: VRAM in
 * BAR 0, the registers at a VGA's ports. Both share the first screen, which is the adapter's while its
 * driver shows something there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "hw/pci/pci_bus.h"
#include "virtio_gpu.h"

#define BAR_VRAM  0
#define MEGABYTES 8

typedef struct VirtioVga {
    VirtioGpu parent;
    Vga vga;
    PciBus *bus; /* whose ports it has */
} VirtioVga;
DECLARE_CAST(VirtioVga, VIRTIO_VGA)

/* The adapter is there already, with its screens. */
static bool virtio_vga_realize(Device *dev, Error **errp)
{
    VirtioVga *s = VIRTIO_VGA(dev);
    GpuHead *head = &s->parent.heads[0];
    PciDevice *function;

    if (!dev->is_part) {
        return error_set(errp, "virtio-vga-device is a part of virtio-vga");
    }
    function = PCI_DEVICE(dev->bus->owner);
    s->vga.console = head->console;
    if (!vga_init(&s->vga, (Device *)function, MEGABYTES, errp)) {
        s->vga.console = NULL;
        return false;
    }
    head->other_ops = &vga_console_ops;
    head->other = &s->vga;
    console_set_ops(head->console, head->other_ops, head->other);
    pci_add_bar(function, BAR_VRAM, PCI_BAR_PREFETCH, &s->vga.vram);
    s->bus = pci_device_bus(function);
    vga_map(&s->vga, s->bus->memory, s->bus->io);
    return true;
}

static void virtio_vga_unrealize(Device *dev)
{
    VirtioVga *s = VIRTIO_VGA(dev);

    pci_take_bar(PCI_DEVICE(dev->bus->owner), BAR_VRAM);
    vga_unmap(&s->vga, s->bus->memory, s->bus->io);
    s->vga.console = NULL; /* the adapter's */
    s->parent.heads[0].other_ops = NULL;
}

static void virtio_vga_finalize(Object *obj)
{
    vga_clear(&VIRTIO_VGA(obj)->vga);
}

/* A driver resets the adapter only. */
static void virtio_vga_reset(Device *dev)
{
    if (!VIRTIO_DEVICE(dev)->is_reset_by_driver) {
        vga_reset(&VIRTIO_VGA(dev)->vga);
    }
}

static const Property virtio_vga_props[] = { VIRTIO_GPU_PROPS };
static const VMField virtio_vga_fields[] = { VM_STRUCT(VirtioVga, vga, vga_state) };

static const VirtioDeviceType virtio_vga_type = {
    .name = "virtio-vga-device",
    .doc = "virtio graphics adapter with a VGA: the part of virtio-vga",
    .parent = "virtio-gpu-device",
    .size = sizeof(VirtioVga),
    .access = DEVICE_ACCESS_BOARD,
    .virtio_id = VIRTIO_ID_GPU,
    .properties = PROPERTIES(virtio_vga_props),
    .vmstate = VMSTATE(virtio_vga_fields, .version = 1),
    .realize = virtio_vga_realize,
    .unrealize = virtio_vga_unrealize,
    .finalize = virtio_vga_finalize,
    .reset_hold = virtio_vga_reset,
};
VIRTIO_DEVICE_TYPE(virtio_vga_type)

static const VirtioPciFamily virtio_vga_pci = {
    .name = "virtio-vga",
    .doc = "virtio graphics adapter with a VGA on PCI",
    .device = &virtio_vga_type,
    .class_id = PCI_CLASS_DISPLAY_VGA,
    .vectors = 3,
    .category = DEVICE_CATEGORY_DISPLAY,
    .romfile = "vgabios-virtio.bin",
    .is_not_hotpluggable = true,
};
VIRTIO_PCI_FAMILY(virtio_vga_pci)
