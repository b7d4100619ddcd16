/*
 * Devices found at an address: see hw/core/mmio_device.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"

void mmio_device_add_region(MmioDevice *dev, MemoryRegion *region)
{
    assert(dev->region_count < MMIO_DEVICE_MAX_REGIONS);
    dev->regions[dev->region_count].region = region;
    dev->regions[dev->region_count].addr = UINT64_MAX;
    dev->region_count++;
}

void mmio_device_unmap(MmioDevice *dev, unsigned n)
{
    assert(n < dev->region_count);
    if (dev->regions[n].addr != UINT64_MAX) {
        memory_region_remove(memory_region_system(), dev->regions[n].region);
        dev->regions[n].addr = UINT64_MAX;
    }
}

void mmio_device_map_overlap(MmioDevice *dev, unsigned n, uint64_t addr, int priority)
{
    mmio_device_unmap(dev, n);
    dev->regions[n].addr = addr;
    memory_region_add_overlap(memory_region_system(), addr, dev->regions[n].region, priority);
}

void mmio_device_map(MmioDevice *dev, unsigned n, uint64_t addr)
{
    mmio_device_map_overlap(dev, n, addr, 0);
}

/* The registers of the most derived level that declares some. */
static const RegisterMap *declared_registers(Device *dev)
{
    for (const Type *type = dev->parent.type; type_is_a(type, TYPE_MMIO_DEVICE);
         type = type_parent(type)) {
        const DeviceType *level = (const DeviceType *)type_decl(type);

        if (level->registers.count) {
            return &level->registers;
        }
    }
    return NULL;
}

static void mmio_device_init(Object *obj)
{
    MmioDevice *dev = MMIO_DEVICE(obj);
    const RegisterMap *map = declared_registers(&dev->parent);

    if (map) {
        register_bank_init(&dev->bank, &dev->parent, map, object_type_name(dev));
        mmio_device_add_region(dev, &dev->bank.region);
    }
}

static void mmio_device_finalize(Object *obj)
{
    MmioDevice *dev = MMIO_DEVICE(obj);

    if (dev->bank.map) {
        register_bank_clear(&dev->bank);
    }
}

static void mmio_device_unrealize(Device *dev)
{
    for (unsigned n = 0; n < MMIO_DEVICE(dev)->region_count; n++) {
        mmio_device_unmap(MMIO_DEVICE(dev), n);
    }
}

static const DeviceType mmio_device_type = {
    .name = TYPE_MMIO_DEVICE,
    .parent = TYPE_DEVICE,
    .doc = "A device found at an address",
    .size = sizeof(MmioDevice),
    .is_abstract = true,
    .bus_type = TYPE_SYSTEM_BUS,
    .access = DEVICE_ACCESS_BOARD,
    .init = mmio_device_init,
    .finalize = mmio_device_finalize,
    .unrealize = mmio_device_unrealize,
};
DEVICE_TYPE(mmio_device_type)
