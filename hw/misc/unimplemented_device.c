/*
 * unimplemented-device: holds the place of what a board has and we do not model. Reads give
 * zero, writes are dropped, both are logged (-d unimp).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"
#include "util/log.h"

typedef struct UnimplementedDevice {
    MmioDevice parent;
    MemoryRegion region;
    char *name;
    uint64_t size_bytes;
} UnimplementedDevice;
DECLARE_CAST(UnimplementedDevice, UNIMPLEMENTED_DEVICE)

static uint64_t unimplemented_read(void *opaque, uint64_t offset, unsigned bytes)
{
    UnimplementedDevice *dev = UNIMPLEMENTED_DEVICE(opaque);

    unimp("%s: unimplemented device read  (size %u, offset 0x%" PRIx64 ")\n", dev->name, bytes,
          offset);
    return 0;
}

static void unimplemented_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    UnimplementedDevice *dev = UNIMPLEMENTED_DEVICE(opaque);

    unimp("%s: unimplemented device write (size %u, offset 0x%" PRIx64 ", value 0x%" PRIx64 ")\n",
          dev->name, bytes, offset, value);
}

static const MemoryOps unimplemented_ops = {
    .read = unimplemented_read,
    .write = unimplemented_write,
    .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 8, .unaligned = true },
};

static void unimplemented_init(Object *obj)
{
    UnimplementedDevice *dev = UNIMPLEMENTED_DEVICE(obj);

    memory_region_init_io(&dev->region, obj, &unimplemented_ops, "unimplemented-device", 1);
    mmio_device_add_region(&dev->parent, &dev->region);
}

static void unimplemented_finalize(Object *obj)
{
    memory_region_clear(&UNIMPLEMENTED_DEVICE(obj)->region);
}

static bool unimplemented_realize(Device *device, Error **errp)
{
    UnimplementedDevice *dev = UNIMPLEMENTED_DEVICE(device);

    if (!dev->size_bytes) {
        return error_set(errp, "property 'size' not specified or zero");
    }
    if (!dev->name) {
        return error_set(errp, "property 'name' not specified");
    }
    memory_region_set_size(&dev->region, dev->size_bytes);
    return true;
}

static const Property unimplemented_props[] = {
    PROP_STR("name", UnimplementedDevice, name, .doc = "What the log calls it"),
    PROP_U64("size", UnimplementedDevice, size_bytes, .doc = "Bytes it takes"),
};

static const DeviceType unimplemented_type = {
    .name = "unimplemented-device",
    .doc = "Holds the place of a device that is not modelled",
    .size = sizeof(UnimplementedDevice),
    .parent = TYPE_MMIO_DEVICE,
    .category = DEVICE_CATEGORY_MISC,
    .access = DEVICE_ACCESS_BOARD,
    .properties = PROPERTIES(unimplemented_props),
    .init = unimplemented_init,
    .finalize = unimplemented_finalize,
    .realize = unimplemented_realize,
};
DEVICE_TYPE(unimplemented_type)
