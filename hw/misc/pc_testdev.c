/*
 * pc-testdev: what kvm-unit-tests want of a PC: a scratch port 0xe0 (32 bits) that is also seen byte
 * by byte at 0xe8, ports 0x2000 on that drive the ISA interrupts, 64 KiB of memory that is not RAM
 * at 0xff000000. Left out: port 0xe4, which makes an accelerator that shadows the host's page tables
 * drop a page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"
#include "util/byte_order.h"

#define SCRATCH_PORT       0xe0
#define SCRATCH_BYTES_PORT 0xe8
#define IRQ_PORT           0x2000
#define MEMORY_ADDRESS     0xff000000
#define MEMORY_BYTES       0x10000

typedef struct PcTestdev {
    IsaDevice parent;
    MemoryRegion scratch_port, scratch_bytes_port, irq_port, memory_region;
    IrqLine lines[ISA_IRQS];
    uint16_t levels; /* of the lines, while saved */
    uint32_t scratch;
    uint8_t memory[MEMORY_BYTES];
} PcTestdev;
DECLARE_CAST(PcTestdev, PC_TESTDEV)

static uint64_t scratch_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return PC_TESTDEV(opaque)->scratch >> 8 * offset & UINT32_MAX >> (32 - 8 * bytes);
}

static void scratch_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    uint32_t *scratch = &PC_TESTDEV(opaque)->scratch;
    uint32_t mask = UINT32_MAX >> (32 - 8 * bytes) << 8 * offset;

    *scratch = (*scratch & ~mask) | (value << 8 * offset & mask);
}

static void irq_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    irq_set(&PC_TESTDEV(opaque)->lines[offset], value != 0);
}

static uint64_t irq_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return irq_level(&PC_TESTDEV(opaque)->lines[offset]);
}

static uint64_t memory_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return load_bytes(PC_TESTDEV(opaque)->memory + offset, bytes, ENDIAN_LITTLE);
}

static void memory_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    store_bytes(PC_TESTDEV(opaque)->memory + offset, bytes, ENDIAN_LITTLE, value);
}

static const MemoryOps scratch_ops = {
    .read = scratch_read, .write = scratch_write, .endian = ENDIAN_LITTLE,
};
static const MemoryOps scratch_bytes_ops = {
    .read = scratch_read, .write = scratch_write, .endian = ENDIAN_LITTLE, .valid.max = 4,
    .impl.max = 1,
};
static const MemoryOps irq_ops = {
    .read = irq_read, .write = irq_write, .endian = ENDIAN_LITTLE, .impl.max = 1,
};
static const MemoryOps memory_ops = {
    .read = memory_read, .write = memory_write, .endian = ENDIAN_LITTLE, .impl.max = 8,
};

static void testdev_init(Object *obj)
{
    PcTestdev *s = PC_TESTDEV(obj);

    memory_region_init_io(&s->scratch_port, obj, &scratch_ops, "pc-testdev-ioport", 4);
    memory_region_init_io(&s->scratch_bytes_port, obj, &scratch_bytes_ops,
                          "pc-testdev-ioport-byte", 4);
    memory_region_init_io(&s->irq_port, obj, &irq_ops, "pc-testdev-irq-line", ISA_IRQS);
    memory_region_init_io(&s->memory_region, obj, &memory_ops, "pc-testdev-iomem", MEMORY_BYTES);
}

static void testdev_finalize(Object *obj)
{
    PcTestdev *s = PC_TESTDEV(obj);

    memory_region_clear(&s->scratch_port);
    memory_region_clear(&s->scratch_bytes_port);
    memory_region_clear(&s->irq_port);
    memory_region_clear(&s->memory_region);
}

static bool testdev_realize(Device *dev, Error **errp)
{
    PcTestdev *s = PC_TESTDEV(dev);
    IsaBus *bus = isa_device_bus(&s->parent);

    if (!isa_device_map(&s->parent, &s->scratch_port, SCRATCH_PORT, errp) ||
        !isa_device_map(&s->parent, &s->scratch_bytes_port, SCRATCH_BYTES_PORT, errp) ||
        !isa_device_map(&s->parent, &s->irq_port, IRQ_PORT, errp)) {
        return false;
    }
    for (unsigned n = 0; n < ISA_IRQS; n++) {
        irq_connect(&s->lines[n], irq_inputs_at(&bus->in, n));
    }
    memory_region_add(bus->memory, MEMORY_ADDRESS, &s->memory_region);
    return true;
}

static void testdev_unrealize(Device *dev)
{
    PcTestdev *s = PC_TESTDEV(dev);

    memory_region_remove(isa_device_bus(&s->parent)->memory, &s->memory_region);
    for (unsigned n = 0; n < ISA_IRQS; n++) {
        irq_lower(&s->lines[n]);
        irq_disconnect(&s->lines[n]);
    }
}

static void testdev_reset(Device *dev)
{
    PcTestdev *s = PC_TESTDEV(dev);

    s->scratch = 0;
    memset(s->memory, 0, sizeof(s->memory));
    for (unsigned n = 0; n < ISA_IRQS; n++) {
        irq_lower(&s->lines[n]);
    }
}

static bool testdev_pre_save(void *opaque, Error **errp)
{
    PcTestdev *s = opaque;

    s->levels = 0;
    for (unsigned n = 0; n < ISA_IRQS; n++) {
        s->levels |= irq_level(&s->lines[n]) ? BIT(n) : 0;
    }
    return true;
}

static bool testdev_post_load(void *opaque, int version, Error **errp)
{
    PcTestdev *s = opaque;

    for (unsigned n = 0; n < ISA_IRQS; n++) {
        irq_set(&s->lines[n], (s->levels & BIT(n)) != 0);
    }
    return true;
}

static const VMField testdev_fields[] = {
    VM_U32(PcTestdev, scratch), VM_BUFFER(PcTestdev, memory), VM_U16(PcTestdev, levels),
};

static const DeviceType testdev_type = {
    .name = "pc-testdev",
    .doc = "Ports and memory for kvm-unit-tests",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(PcTestdev),
    .category = DEVICE_CATEGORY_MISC,
    .vmstate = VMSTATE(testdev_fields, .version = 1, .pre_save = testdev_pre_save,
                       .post_load = testdev_post_load),
    .init = testdev_init,
    .finalize = testdev_finalize,
    .realize = testdev_realize,
    .unrealize = testdev_unrealize,
    .reset_hold = testdev_reset,
};
DEVICE_TYPE(testdev_type)
