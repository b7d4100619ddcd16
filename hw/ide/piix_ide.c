/*
 * piix3-ide, piix4-ide: the IDE function of Intel's 82371SB and 82371AB. Both channels are always
 * at the legacy ports and at ISA interrupts 14 and 15; the timing registers hold what firmware
 * writes and change nothing, for nothing here takes time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/bmdma.h"
#include "hw/ide/ide_ports.h"
#include "hw/isa/isa.h"
#include "hw/pci/pci_bus.h"

#define CHANNELS      2
#define BAR_BMDMA     4
#define IDETIM        0x40 /* two of 16 bits; SIDETIM and UDMA registers follow */
#define IDETIM_BYTES  12
#define ISA_IRQ_FIRST 14

static const struct {
    uint16_t command, control;
} legacy[CHANNELS] = { { 0x1f0, 0x3f6 }, { 0x170, 0x376 } };

typedef struct PiixIde {
    PciDevice parent;
    Bmdma dma[CHANNELS];
    IdePorts ports[CHANNELS];
    IrqLine irq[CHANNELS];
    MemoryRegion bmdma;
} PiixIde;
DECLARE_CAST(PiixIde, PIIX_IDE)

static uint64_t piix_bmdma_read(void *opaque, uint64_t at, unsigned bytes)
{
    return bmdma_read(&PIIX_IDE(opaque)->dma[at / BMDMA_BYTES], at % BMDMA_BYTES);
}

static void piix_bmdma_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    bmdma_write(&PIIX_IDE(opaque)->dma[at / BMDMA_BYTES], at % BMDMA_BYTES, value);
}

static const MemoryOps bmdma_ops = {
    .read = piix_bmdma_read, .write = piix_bmdma_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 1 },
};

static void start_channel(PiixIde *ide, unsigned n, IsaBus *isa)
{
    Device *dev = &ide->parent.parent;
    MemoryRegion *io = pci_device_bus(&ide->parent)->io;
    Bmdma *dma = &ide->dma[n];

    dma->dev = &ide->parent;
    dma->irq = &ide->irq[n];
    dma->bus = ide_bus_new(dev, IDE_MAX_UNITS, &bmdma_transport, dma);
    ide_ports_init(&ide->ports[n], &dev->parent, dma->bus);
    memory_region_add(io, legacy[n].command, &ide->ports[n].command);
    memory_region_add(io, legacy[n].control, &ide->ports[n].control);
    if (isa) {
        irq_connect(&ide->irq[n], irq_inputs_at(&isa->in, ISA_IRQ_FIRST + n));
    }
}

static bool piix_ide_realize(Device *dev, Error **errp)
{
    PiixIde *ide = PIIX_IDE(dev);
    Bus *isa = bus_find_free(TYPE_ISA_BUS);

    memset(ide->parent.writable + IDETIM, 0xff, IDETIM_BYTES);
    memory_region_init_io(&ide->bmdma, &dev->parent, &bmdma_ops, "piix-bmdma-container",
                          CHANNELS * BMDMA_BYTES);
    pci_add_bar(&ide->parent, BAR_BMDMA, PCI_BAR_IO, &ide->bmdma);
    for (unsigned n = 0; n < CHANNELS; n++) {
        start_channel(ide, n, isa ? ISA_BUS(isa) : NULL);
    }
    return true;
}

static void piix_ide_unrealize(Device *dev)
{
    PiixIde *ide = PIIX_IDE(dev);
    MemoryRegion *io = pci_device_bus(&ide->parent)->io;

    for (unsigned n = 0; n < CHANNELS; n++) {
        irq_lower(&ide->irq[n]);
        irq_disconnect(&ide->irq[n]);
        memory_region_remove(io, &ide->ports[n].command);
        memory_region_remove(io, &ide->ports[n].control);
        object_unparent(ide->dma[n].bus);
        ide->dma[n].bus = NULL;
    }
}

static void piix_ide_finalize(Object *obj)
{
    PiixIde *ide = PIIX_IDE(obj);

    if (ide->bmdma.name) {
        memory_region_clear(&ide->bmdma);
        for (unsigned n = 0; n < CHANNELS; n++) {
            ide_ports_clear(&ide->ports[n]);
        }
    }
}

static void piix_ide_reset(Device *dev)
{
    PiixIde *ide = PIIX_IDE(dev);

    memset(ide->parent.config + IDETIM, 0, IDETIM_BYTES);
    for (unsigned n = 0; n < CHANNELS; n++) {
        bmdma_reset(&ide->dma[n]);
        ide_bus_reset(ide->dma[n].bus);
    }
}

static const VMField piix_ide_fields[] = {
    VM_STRUCT_ARRAY(PiixIde, dma, bmdma_state),
    VM_STRUCT_POINTER(PiixIde, dma[0].bus, ide_bus_state),
    VM_STRUCT_POINTER(PiixIde, dma[1].bus, ide_bus_state),
};

#define PIIX_IDE_TYPE(name_, device_id_)                                                           \
    {                                                                                              \
        .name = (name_),                                                                           \
        .doc = "IDE controller of the " name_ " chip set",                                         \
        .parent = TYPE_PCI_DEVICE,                                                                 \
        .size = sizeof(PiixIde),                                                                   \
        .vendor_id = 0x8086, .device_id = (device_id_),                                            \
        .class_id = 0x0101, .prog_if = 0x80,                                                       \
        .category = DEVICE_CATEGORY_STORAGE,                                                       \
        .is_not_hotpluggable = true,                                                               \
        .irqs = IRQS(piix_ide_irqs),                                                               \
        .vmstate = VMSTATE(piix_ide_fields, .version = 1),                                         \
        .realize = piix_ide_realize,                                                               \
        .unrealize = piix_ide_unrealize,                                                           \
        .finalize = piix_ide_finalize,                                                             \
        .reset_hold = piix_ide_reset,                                                              \
        .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },                 \
    }
static const IrqDef piix_ide_irqs[] = {
    IRQ_ROW_OUT(NULL, PiixIde, irq, .count = CHANNELS),
};
static const PciDeviceType piix3_ide_type = PIIX_IDE_TYPE("piix3-ide", 0x7010);
PCI_DEVICE_TYPE(piix3_ide_type)
static const PciDeviceType piix4_ide_type = PIIX_IDE_TYPE("piix4-ide", 0x7111);
PCI_DEVICE_TYPE(piix4_ide_type)
