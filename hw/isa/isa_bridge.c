/*
 * isabus-bridge: the ISA bus of boards that have no PCI; it has no registers of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"
#include "hw/isa/isa.h"

static bool isa_bridge_realize(Device *dev, Error **errp)
{
    if (!dev->buses || !dev->buses->len) {
        isa_bus_new(dev, memory_region_system(), memory_region_io());
    }
    return true;
}

static const DeviceType isa_bridge_type = {
    .name = TYPE_ISA_BRIDGE,
    .doc = "ISA bus without PCI",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(MmioDevice),
    .category = DEVICE_CATEGORY_BRIDGE,
    .realize = isa_bridge_realize,
};
DEVICE_TYPE(isa_bridge_type)
