/*
 * isa-debug-exit: a value v written ends the process with status v * 2 + 1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa.h"
#include "system/run_state.h"

typedef struct DebugExit {
    IsaDevice parent;
    MemoryRegion region;
    uint32_t iobase, iosize;
} DebugExit;
DECLARE_CAST(DebugExit, DEBUG_EXIT)

static uint64_t debug_exit_read(void *opaque, uint64_t at, unsigned bytes)
{
    return 0;
}

static void debug_exit_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    vm_request_quit(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, (int)((value << 1 | 1) & 0xff));
}

/* One write of any size is one value: no register table, which would take it apart. */
static const MemoryOps debug_exit_ops = {
    .read = debug_exit_read, .write = debug_exit_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 4 },
};

static bool debug_exit_realize(Device *dev, Error **errp)
{
    DebugExit *d = DEBUG_EXIT(dev);

    if (!d->iosize) {
        return error_set(errp, "isa-debug-exit: 'iosize' is zero");
    }
    memory_region_set_size(&d->region, d->iosize);
    return isa_device_map(&d->parent, &d->region, d->iobase, errp);
}

static void debug_exit_init(Object *obj)
{
    memory_region_init_io(&DEBUG_EXIT(obj)->region, obj, &debug_exit_ops, "isa-debug-exit", 1);
}

static void debug_exit_finalize(Object *obj)
{
    memory_region_clear(&DEBUG_EXIT(obj)->region);
}

static const Property debug_exit_props[] = {
    PROP_U32("iobase", DebugExit, iobase, .initial = 0x501, .doc = "First of its ports"),
    PROP_U32("iosize", DebugExit, iosize, .initial = 0x02, .doc = "How many there are"),
};

static const DeviceType debug_exit_type = {
    .name = "isa-debug-exit",
    .doc = "Port that ends the process",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(DebugExit),
    .category = DEVICE_CATEGORY_MISC,
    .properties = PROPERTIES(debug_exit_props),
    .init = debug_exit_init,
    .finalize = debug_exit_finalize,
    .realize = debug_exit_realize,
};
DEVICE_TYPE(debug_exit_type)
