/*
 * edu: a PCI device to learn and test drivers with, as its public description has it: an
 * identification, a register that inverts, a factorial that takes a while, interrupts by message or
 * pin, and a DMA engine with 4 KiB of its own at 0x40000 and an address mask.
 *
 * Registers below 0x80 take 4 bytes; those above 4 or 8, the latter at their start only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/msi.h"
#include "util/log.h"

#define REGION_BYTES   MiB
#define BUFFER_AT      0x40000
#define BUFFER_BYTES   4096
#define FACTORIAL_NS   (10 * 1000)
#define DMA_NS         (100 * NS_PER_MS)

#define IDENTIFICATION 0x010000edu
#define STATUS_COMPUTING 0x01
#define STATUS_IRQ       0x80
#define IRQ_FACTORIAL    0x001
#define IRQ_DMA          0x100
#define DMA_RUN          0x1
#define DMA_TO_RAM       0x2
#define DMA_IRQ          0x4

enum { REG_ID = 0x00, REG_LIVE = 0x04, REG_FACTORIAL = 0x08, REG_STATUS = 0x20, REG_IRQ = 0x24,
       REG_RAISE = 0x60, REG_ACK = 0x64, REG_DMA_FIRST = 0x80, REG_DMA_COMMAND = 0x98 };

typedef struct Edu {
    PciDevice parent;
    MemoryRegion region;
    Timer factorial_timer, dma_timer;
    uint64_t dma_mask; /* property */
    uint32_t live, factorial, status, irqs;
    uint64_t dma_source, dma_target, dma_count, dma_command;
    uint8_t buffer[BUFFER_BYTES];
} Edu;
DECLARE_CAST(Edu, EDU)

/* --- interrupts --- */

static void raise_irq(Edu *edu, uint32_t bits)
{
    PciDevice *dev = &edu->parent;

    edu->irqs |= bits;
    if (edu->irqs && msi_is_enabled(dev)) {
        msi_notify(dev, 0);
    }
    pci_intx_set(dev, edu->irqs);
}

static void lower_irq(Edu *edu, uint32_t bits)
{
    edu->irqs &= ~bits;
    pci_intx_set(&edu->parent, edu->irqs);
}

/* --- factorial --- */

static void factorial_done(Device *dev)
{
    Edu *edu = EDU(dev);
    uint32_t product = 1;

    /* From 34! on, 32 bits hold nothing of it. */
    for (uint32_t n = MIN(edu->factorial, 34); n > 1; n--) {
        product *= n;
    }
    edu->factorial = product;
    edu->status &= ~STATUS_COMPUTING;
    if (edu->status & STATUS_IRQ) {
        raise_irq(edu, IRQ_FACTORIAL);
    }
}

static void start_factorial(Edu *edu, uint32_t value)
{
    if (!(edu->status & STATUS_COMPUTING)) {
        edu->factorial = value;
        edu->status |= STATUS_COMPUTING;
        timer_arm_after_ns(&edu->factorial_timer, FACTORIAL_NS);
    }
}

/* --- DMA --- */

static IovaAddr masked(const Edu *edu, uint64_t addr)
{
    if (addr & ~edu->dma_mask) {
        guest_error("edu: DMA address 0x%" PRIx64 " is cut to 0x%" PRIx64, addr,
                    addr & edu->dma_mask);
    }
    return addr & edu->dma_mask;
}

/* Where in the buffer; NULL: not within it. */
static uint8_t *in_buffer(Edu *edu, uint64_t addr)
{
    if (addr < BUFFER_AT || edu->dma_count > BUFFER_BYTES ||
        addr - BUFFER_AT > BUFFER_BYTES - edu->dma_count) {
        guest_error("edu: DMA of %" PRIu64 " bytes at 0x%" PRIx64 " is outside the buffer",
                    edu->dma_count, addr);
        return NULL;
    }
    return edu->buffer + (addr - BUFFER_AT);
}

static void dma_done(Device *dev)
{
    Edu *edu = EDU(dev);
    bool is_to_ram = edu->dma_command & DMA_TO_RAM;
    uint8_t *own = in_buffer(edu, is_to_ram ? edu->dma_source : edu->dma_target);

    if (own && is_to_ram) {
        pci_dma_write(&edu->parent, masked(edu, edu->dma_target), own, edu->dma_count);
    } else if (own) {
        pci_dma_read(&edu->parent, masked(edu, edu->dma_source), own, edu->dma_count);
    }
    edu->dma_command &= ~(uint64_t)DMA_RUN;
    if (edu->dma_command & DMA_IRQ) {
        raise_irq(edu, IRQ_DMA);
    }
}

/* The engine's registers stand still while it runs. */
static void engine_write(Edu *edu, uint64_t at, uint64_t value)
{
    uint64_t *regs[] = { &edu->dma_source, &edu->dma_target, &edu->dma_count, &edu->dma_command };

    if (edu->dma_command & DMA_RUN) {
        return;
    }
    if (at != REG_DMA_COMMAND) {
        *regs[(at - REG_DMA_FIRST) / 8] = value;
    } else if (value & DMA_RUN) {
        edu->dma_command = value;
        timer_arm_after_ns(&edu->dma_timer, DMA_NS);
    }
}

/* --- registers --- */

static bool is_dma_register(uint64_t at)
{
    return at >= REG_DMA_FIRST && at <= REG_DMA_COMMAND && IS_ALIGNED(at, 8);
}

static uint64_t edu_read(void *opaque, uint64_t at, unsigned bytes)
{
    Edu *edu = opaque;
    const uint64_t dma[] = { edu->dma_source, edu->dma_target, edu->dma_count, edu->dma_command };

    if (is_dma_register(at)) {
        return dma[(at - REG_DMA_FIRST) / 8];
    }
    if (bytes != 4) {
        return UINT64_MAX;
    }
    switch (at) {
    case REG_ID:
        return IDENTIFICATION;
    case REG_LIVE:
        return edu->live;
    case REG_FACTORIAL:
        return edu->factorial;
    case REG_STATUS:
        return edu->status;
    case REG_IRQ:
        return edu->irqs;
    }
    return UINT64_MAX;
}

static void edu_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Edu *edu = opaque;

    if (is_dma_register(at)) {
        engine_write(edu, at, value);
    } else if (bytes != 4) {
        return;
    } else if (at == REG_LIVE) {
        edu->live = ~value;
    } else if (at == REG_FACTORIAL) {
        start_factorial(edu, value);
    } else if (at == REG_STATUS) {
        edu->status = (edu->status & ~STATUS_IRQ) | (value & STATUS_IRQ);
    } else if (at == REG_RAISE) {
        raise_irq(edu, value);
    } else if (at == REG_ACK) {
        lower_irq(edu, value);
    }
}

static const MemoryOps edu_ops = {
    .read = edu_read, .write = edu_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 4, .max = 8 }, .impl = { .min = 4, .max = 8 },
};

/* --- life --- */

static bool edu_realize(Device *device, Error **errp)
{
    PciDevice *dev = PCI_DEVICE(device);
    MsiSpec msi = { .vectors = 1, .is_64 = true };

    dev->config[PCI_INTERRUPT_PIN] = 1;
    pci_add_bar(dev, 0, 0, &EDU(device)->region);
    return msi_init(dev, &msi, errp);
}

static void edu_init(Object *obj)
{
    memory_region_init_io(&EDU(obj)->region, obj, &edu_ops, "edu-mmio", REGION_BYTES);
}

static void edu_finalize(Object *obj)
{
    memory_region_clear(&EDU(obj)->region);
}

static void edu_reset_enter(Device *device)
{
    Edu *edu = EDU(device);

    edu->live = edu->factorial = edu->status = edu->irqs = 0;
    edu->dma_source = edu->dma_target = edu->dma_count = edu->dma_command = 0;
    memset(edu->buffer, 0, sizeof(edu->buffer));
}

static const TimerDef edu_timers[] = {
    TIMER_ROW(CLOCK_VIRTUAL, Edu, factorial_timer, factorial_done),
    TIMER_ROW(CLOCK_VIRTUAL, Edu, dma_timer, dma_done),
};
static const Property edu_props[] = {
    PROP_U64("dma_mask", Edu, dma_mask, .initial = 0x0fffffff,
             .doc = "Bits of an address that its DMA engine can drive"),
};
static const VMField edu_fields[] = {
    VM_TIMER(Edu, factorial_timer), VM_TIMER(Edu, dma_timer), VM_U32(Edu, live),
    VM_U32(Edu, factorial), VM_U32(Edu, status), VM_U32(Edu, irqs), VM_U64(Edu, dma_source),
    VM_U64(Edu, dma_target), VM_U64(Edu, dma_count), VM_U64(Edu, dma_command),
    VM_BUFFER(Edu, buffer),
};

static const PciDeviceType edu_type = {
    .name = "edu",
    .parent = TYPE_PCI_DEVICE,
    .doc = "Device to learn and test drivers with",
    .size = sizeof(Edu),
    .vendor_id = 0x1234, .device_id = 0x11e8, .revision = 0x10, .class_id = PCI_CLASS_OTHERS,
    .category = DEVICE_CATEGORY_MISC,
    .timers = TIMERS(edu_timers),
    .properties = PROPERTIES(edu_props),
    .vmstate = VMSTATE(edu_fields, .version = 1),
    .init = edu_init,
    .finalize = edu_finalize,
    .realize = edu_realize,
    .reset_enter = edu_reset_enter,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
PCI_DEVICE_TYPE(edu_type)
