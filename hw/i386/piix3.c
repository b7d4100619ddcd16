/*
 * PIIX3: the ISA bridge function of Intel's 82371SB: routes PIRQ A to D to ISA interrupts, resets
 * through port 0xcf9. The 8259s, timers and the RTC behind it are devices on the ISA bus. Registers
 * of ISA timing, DMA and system management are kept and do nothing. Data sheet 290550.
 *
 * The board connects the lines "isa-irqs".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pc_host.h"
#include "reset_control.h"
#include "hw/isa/isa.h"

#define PIRQRC_AT       0x60 /* one byte for each of PIRQ A to D */
#define PIRQRC_DISABLED BIT(7)
#define PIRQRC_IRQ      0x0f
#define PIRQS           4

typedef struct Piix3 {
    PciDevice parent;
    ResetControl reset_control;
    IrqLine irqs[ISA_IRQS]; /* of PIRQs alone */
} Piix3;
DECLARE_CAST(Piix3, PIIX3)

/* --- PIRQs --- */

/* How the slots of an Intel board are wired: each is one off from the one before. */
static unsigned piix3_line(void *opaque, const PciDevice *dev, unsigned pin)
{
    return (PCI_SLOT(dev->devfn) - 1 + pin) % PIRQS;
}

/* An interrupt is up while any PIRQ routed to it is. */
static void piix3_update_irq(Piix3 *s, unsigned irq)
{
    PciBus *bus = pci_device_bus(&s->parent);
    bool is_up = false;

    for (unsigned pirq = 0; pirq < PIRQS; pirq++) {
        uint8_t route = s->parent.config[PIRQRC_AT + pirq];

        is_up |= !(route & PIRQRC_DISABLED) && (route & PIRQRC_IRQ) == irq &&
                 pci_bus_line_level(bus, pirq);
    }
    irq_set(&s->irqs[irq], is_up);
}

static void piix3_pirq_changed(void *opaque, unsigned pirq, int level)
{
    uint8_t route = PIIX3(opaque)->parent.config[PIRQRC_AT + pirq];

    if (!(route & PIRQRC_DISABLED)) {
        piix3_update_irq(opaque, route & PIRQRC_IRQ);
    }
}

static const PciIntxRouter piix3_router = { piix3_line, piix3_pirq_changed, PIRQS };

static void piix3_update_irqs(Piix3 *s)
{
    for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
        piix3_update_irq(s, irq);
    }
}

/* --- life --- */

static void piix3_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    pci_config_write_default(dev, at, value, bytes);
    if (pci_range_touches(at, bytes, PIRQRC_AT, PIRQS)) {
        piix3_update_irqs(PIIX3(dev));
    }
}

/* Values from the data sheet's tables, registers that have none are zero. */
static const struct {
    uint8_t at, value;
} reset_values[] = {
    { 0x4c, 0x4d }, { 0x4e, 0x03 }, { 0x4f, 0x00 },
    { 0x60, PIRQRC_DISABLED }, { 0x61, PIRQRC_DISABLED }, { 0x62, PIRQRC_DISABLED },
    { 0x63, PIRQRC_DISABLED }, { 0x69, 0x02 }, { 0x70, 0x80 }, { 0x76, 0x0c }, { 0x77, 0x0c },
    { 0x78, 0x02 }, { 0x79, 0x00 }, { 0x80, 0x00 }, { 0x82, 0x00 }, { 0xa0, 0x08 }, { 0xa2, 0x00 },
    { 0xa3, 0x00 }, { 0xa4, 0x00 }, { 0xa5, 0x00 }, { 0xa6, 0x00 }, { 0xa7, 0x00 }, { 0xa8, 0x0f },
    { 0xaa, 0x00 }, { 0xab, 0x00 }, { 0xac, 0x00 }, { 0xae, 0x00 },
};

static void piix3_reset_enter(Device *dev)
{
    Piix3 *s = PIIX3(dev);

    for (size_t i = 0; i < ARRAY_SIZE(reset_values); i++) {
        s->parent.config[reset_values[i].at] = reset_values[i].value;
    }
    store_le16(s->parent.config + PCI_COMMAND,
               PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    store_le16(s->parent.config + PCI_STATUS, 0x0200); /* DEVSEL# is medium */
    s->reset_control.value = 0;
}

static void piix3_reset_exit(Device *dev)
{
    piix3_update_irqs(PIIX3(dev));
}

static bool piix3_realize(Device *dev, Error **errp)
{
    Piix3 *s = PIIX3(dev);
    PciBus *bus = pci_device_bus(&s->parent);

    if (bus->bridge || bus->router) {
        return error_set(errp, "PIIX3: it is part of a PC");
    }
    reset_control_map(&s->reset_control);
    isa_bus_new(dev, memory_region_system(), memory_region_io());
    pci_bus_set_router(bus, &piix3_router, s);
    return true;
}

static void piix3_unrealize(Device *dev)
{
    pci_bus_set_router(pci_device_bus(PCI_DEVICE(dev)), NULL, NULL);
    reset_control_unmap(&PIIX3(dev)->reset_control);
}

static void piix3_init(Object *obj)
{
    reset_control_init(&PIIX3(obj)->reset_control, obj, "piix3-reset-control",
                       RESET_CONTROL_SYSTEM);
}

static void piix3_finalize(Object *obj)
{
    reset_control_clear(&PIIX3(obj)->reset_control);
}

static bool piix3_post_load(void *opaque, int version, Error **errp)
{
    PIIX3(opaque)->reset_control.value &= RESET_CONTROL_SYSTEM;
    piix3_update_irqs(opaque);
    return true;
}

static const VMField piix3_fields[] = { VM_U8(Piix3, reset_control.value) };

static const PciDeviceType piix3_type = {
    .name = TYPE_PIIX3,
    .doc = "ISA bridge",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(Piix3),
    .vendor_id = 0x8086, .device_id = 0x7000, .class_id = 0x0601,
    .category = DEVICE_CATEGORY_BRIDGE,
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
    .irqs = IRQS(((const IrqDef[]){ IRQ_ROW_OUT("isa-irqs", Piix3, irqs[0],
                                                .count = ISA_IRQS) })),
    .config_write = piix3_config_write,
    .init = piix3_init,
    .finalize = piix3_finalize,
    .realize = piix3_realize,
    .unrealize = piix3_unrealize,
    .reset_enter = piix3_reset_enter,
    .reset_exit = piix3_reset_exit,
    .vmstate = VMSTATE(piix3_fields, .version = 1, .post_load = piix3_post_load),
};
PCI_DEVICE_TYPE(piix3_type)
