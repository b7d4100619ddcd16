/*
 * DeviceMemory: the window of guest memory in which memory that is a device (DIMMs, NVDIMMs) is
 * put: who is where, and what is free. -m maxmem= and slots= say how large it is.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DEVICE_MEMORY_H
#define HW_CORE_DEVICE_MEMORY_H

#include "hw/core/device.h"
#include "system/memory.h"

#define TYPE_MEMORY_DEVICE "memory-device"

#define DEVICE_MEMORY_ALIGN (2 * MiB) /* of every device, at least */

struct Machine;
struct MemoryDeviceInfo;

/* The interface of such devices. Addresses: 0 is "any". */
typedef struct MemoryDevice {
    uint64_t (*address)(const Device *dev);
    void (*set_address)(Device *dev, uint64_t addr);
    /* What the guest sees; borrowed. NULL with *errp set: it cannot be yet. */
    MemoryRegion *(*region)(Device *dev, Error **errp);
    uint64_t (*align_bytes)(const Device *dev); /* a power of two */
    struct MemoryDeviceInfo *(*describe)(Device *dev);
} MemoryDevice;

typedef struct DeviceMemory {
    MemoryRegion region;
    uint64_t base;
    uint64_t room_bytes;  /* what all devices may have; the region is larger, for alignment */
    GPtrArray *devices;   /* plugged, borrowed, by address */
} DeviceMemory;

/*
 * From a board's build. Checks -m, and if it leaves room for devices makes the window at the
 * first GiB at or above `floor`: machine->device_memory.
 */
bool device_memory_init(struct Machine *machine, uint64_t floor, Error **errp);
/* From machine's finalize. */
void device_memory_clear(struct Machine *machine);
/* The first address behind the window, rounded up to GiB; `floor` if there is none. */
uint64_t device_memory_end(const struct Machine *machine, uint64_t floor);

/* The steps of a hot-plug handler. Before realize: finds or checks the device's address. */
bool device_memory_pre_plug(struct Machine *machine, Device *dev, Error **errp);
/* After it: shows it to the guest. */
void device_memory_plug(struct Machine *machine, Device *dev);
void device_memory_unplug(struct Machine *machine, Device *dev);

uint64_t device_memory_plugged_bytes(const struct Machine *machine);

#endif
