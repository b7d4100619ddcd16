/*
 * isa-vga: a standard VGA on the ISA bus; its video memory as a whole is at 0xe0000000.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/vga.h"
#include "hw/isa/isa.h"

typedef struct IsaVga {
    IsaDevice parent;
    Vga vga;
    uint32_t megabytes; /* property */
    bool is_mapped;
} IsaVga;
DECLARE_CAST(IsaVga, ISA_VGA)

static bool isa_vga_realize(Device *dev, Error **errp)
{
    IsaVga *card = ISA_VGA(dev);
    IsaBus *bus = isa_device_bus(&card->parent);

    if (!vga_init(&card->vga, dev, card->megabytes, errp)) {
        return false;
    }
    vga_map(&card->vga, bus->memory, bus->io);
    memory_region_add(bus->memory, VGA_VBE_LFB_ADDR, &card->vga.vram);
    card->is_mapped = true;
    return true;
}

static void isa_vga_unrealize(Device *dev)
{
    IsaVga *card = ISA_VGA(dev);
    IsaBus *bus = isa_device_bus(&card->parent);

    if (card->is_mapped) {
        memory_region_remove(bus->memory, &card->vga.vram);
        vga_unmap(&card->vga, bus->memory, bus->io);
        card->is_mapped = false;
    }
}

static void isa_vga_finalize(Object *obj)
{
    vga_clear(&ISA_VGA(obj)->vga);
}

static void isa_vga_reset(Device *dev)
{
    vga_reset(&ISA_VGA(dev)->vga);
}

static const Property isa_vga_props[] = {
    PROP_U32("vgamem_mb", IsaVga, megabytes, .initial = 8, .doc = "MiB of video memory"),
};
static const VMField isa_vga_fields[] = { VM_STRUCT(IsaVga, vga, vga_state) };

static const DeviceType isa_vga_type = {
    .name = "isa-vga",
    .doc = "Standard VGA on the ISA bus",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(IsaVga),
    .category = DEVICE_CATEGORY_DISPLAY,
    .properties = PROPERTIES(isa_vga_props),
    .vmstate = VMSTATE(isa_vga_fields, .version = 1),
    .realize = isa_vga_realize,
    .unrealize = isa_vga_unrealize,
    .finalize = isa_vga_finalize,
    .reset_hold = isa_vga_reset,
};
DEVICE_TYPE(isa_vga_type)
