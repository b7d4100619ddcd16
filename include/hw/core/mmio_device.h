/*
 * MmioDevice: a device found at an address: its declared registers are a memory region that a
 * board maps, its lines a board wires.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MMIO_DEVICE_H
#define HW_CORE_MMIO_DEVICE_H

#include "hw/core/bus.h"

#define TYPE_MMIO_DEVICE "sys-bus-device"
#define MMIO_DEVICE_MAX_REGIONS 32

typedef struct MmioDevice {
    Device parent;
    unsigned region_count;
    struct {
        MemoryRegion *region; /* borrowed: the device's own */
        uint64_t addr;        /* UINT64_MAX: not mapped */
    } regions[MMIO_DEVICE_MAX_REGIONS];
    RegisterBank bank; /* of the declared registers, region 0 */
} MmioDevice;
DECLARE_CAST(MmioDevice, MMIO_DEVICE)

/* For devices with further regions: numbered in the order they are added. */
void mmio_device_add_region(MmioDevice *dev, MemoryRegion *region);
void mmio_device_map(MmioDevice *dev, unsigned n, uint64_t addr);
void mmio_device_map_overlap(MmioDevice *dev, unsigned n, uint64_t addr, int priority);
void mmio_device_unmap(MmioDevice *dev, unsigned n);

#endif
