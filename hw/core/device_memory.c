/*
 * Memory that is a device: see hw/core/device_memory.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device_memory.h"
#include "hw/core/machine.h"
#include "qapi/qapi-commands-machine.h"
#include "system/address_space.h"

#define MAX_SLOTS   256
#define PAGE_BYTES  4096u
#define SLOT_MARGIN GiB /* per slot, so that every alignment fits */

static const ObjectType memory_device_type = {
    .name = TYPE_MEMORY_DEVICE, .is_interface = true, .doc = "Guest memory that is a device",
};
OBJECT_TYPE(memory_device_type)

static const MemoryDevice *ops_of(const Device *dev)
{
    return object_interface(dev, TYPE_MEMORY_DEVICE);
}

/* --- the window --- */

static bool check_sizes(const MemorySizes *sizes, Error **errp)
{
    if (sizes->slots > MAX_SLOTS) {
        return error_set(errp, "unsupported amount of memory slots: %" PRIu64, sizes->slots);
    }
    if (sizes->max_bytes % PAGE_BYTES) {
        return error_set(errp, "maximum memory size must by aligned to multiple of %u bytes",
                         PAGE_BYTES);
    }
    return true;
}

bool device_memory_init(Machine *machine, uint64_t floor, Error **errp)
{
    const MemorySizes *sizes = &machine->memory;
    uint64_t room = sizes->max_bytes > sizes->size_bytes ? sizes->max_bytes - sizes->size_bytes : 0;
    uint64_t base = ROUND_UP(floor, GiB);
    DeviceMemory *memory;

    if (!room) {
        return true;
    }
    if (!check_sizes(sizes, errp)) {
        return false;
    }
    if (room > INT64_MAX - base - sizes->slots * SLOT_MARGIN) {
        return error_set(errp, "unsupported amount of maximum memory: %" PRIu64, sizes->max_bytes);
    }
    memory = g_new0(DeviceMemory, 1);
    memory->base = base;
    memory->room_bytes = room;
    memory->devices = g_ptr_array_new();
    memory_region_init(&memory->region, &machine->parent, "device-memory",
                       room + sizes->slots * SLOT_MARGIN);
    memory_region_add(memory_region_system(), base, &memory->region);
    machine->device_memory = memory;
    return true;
}

void device_memory_clear(Machine *machine)
{
    DeviceMemory *memory = machine->device_memory;

    if (memory) {
        memory_region_remove(memory_region_system(), &memory->region);
        memory_region_clear(&memory->region);
        g_ptr_array_unref(memory->devices);
        g_clear_pointer(&machine->device_memory, g_free);
    }
}

uint64_t device_memory_end(const Machine *machine, uint64_t floor)
{
    const DeviceMemory *memory = machine->device_memory;

    return memory ? ROUND_UP(memory->base + memory->region.size, GiB) : floor;
}

/* --- places --- */

static uint64_t address_of(const Device *dev)
{
    return ops_of(dev)->address(dev);
}

static uint64_t size_of(Device *dev)
{
    return ops_of(dev)->region(dev, NULL)->size;
}

static uint64_t used_bytes(const DeviceMemory *memory)
{
    uint64_t sum = 0;

    for (guint i = 0; i < memory->devices->len; i++) {
        sum += size_of(memory->devices->pdata[i]);
    }
    return sum;
}

/* Who is at [addr, addr + size); NULL: nobody. */
static Device *find_overlap(const DeviceMemory *memory, uint64_t addr, uint64_t size)
{
    for (guint i = 0; i < memory->devices->len; i++) {
        Device *dev = memory->devices->pdata[i];

        if (addr < address_of(dev) + size_of(dev) && address_of(dev) < addr + size) {
            return dev;
        }
    }
    return NULL;
}

static bool check_place(const DeviceMemory *memory, uint64_t addr, uint64_t size, Error **errp)
{
    Device *other;

    if (addr < memory->base || size > memory->region.size ||
        addr - memory->base > memory->region.size - size) {
        return error_set(errp, "can't add memory device [0x%" PRIx64 ":0x%" PRIx64 "], usable "
                         "range for memory devices [0x%" PRIx64 ":0x%" PRIx64 "]", addr, size,
                         memory->base, memory->region.size);
    }
    other = find_overlap(memory, addr, size);
    return !other || error_set(errp, "address range conflicts with memory device id='%s'",
                               other->id ? other->id : "");
}

/* The first gap that is large enough; devices are in order. 0: there is none. */
static uint64_t find_place(const DeviceMemory *memory, uint64_t size, uint64_t align)
{
    uint64_t addr = ROUND_UP(memory->base, align);

    for (guint i = 0; i < memory->devices->len; i++) {
        Device *dev = memory->devices->pdata[i];

        if (addr + size <= address_of(dev)) {
            break;
        }
        addr = MAX(addr, ROUND_UP(address_of(dev) + size_of(dev), align));
    }
    return check_place(memory, addr, size, NULL) ? addr : 0;
}

static bool check_room(const Machine *machine, uint64_t size, Error **errp)
{
    const DeviceMemory *memory = machine->device_memory;
    uint64_t used;

    if (!memory) {
        return error_set(errp, "memory devices (e.g. for memory hotplug) are not enabled, please "
                         "specify the maxmem option");
    }
    used = used_bytes(memory);
    return size <= memory->room_bytes - used ||
           error_set(errp, "not enough space, currently 0x%" PRIx64 " in use of total space for "
                     "memory devices 0x%" PRIx64, used, memory->room_bytes);
}

static bool check_alignment(uint64_t addr, uint64_t size, uint64_t align, Error **errp)
{
    if (size % align) {
        return error_set(errp, "backend memory size must be multiple of 0x%" PRIx64, align);
    }
    return addr % align == 0 ||
           error_set(errp, "address must be aligned to 0x%" PRIx64 " bytes", align);
}

bool device_memory_pre_plug(Machine *machine, Device *dev, Error **errp)
{
    const MemoryDevice *ops = ops_of(dev);
    MemoryRegion *region = ops->region(dev, errp);
    uint64_t align, addr;

    if (!region || !check_room(machine, region->size, errp)) {
        return false;
    }
    align = MAX(ops->align_bytes(dev), DEVICE_MEMORY_ALIGN);
    addr = ops->address(dev);
    if (!check_alignment(addr, region->size, align, errp)) {
        return false;
    }
    if (addr) {
        return check_place(machine->device_memory, addr, region->size, errp);
    }
    addr = find_place(machine->device_memory, region->size, align);
    if (!addr) {
        return error_set(errp, "could not find position in guest address space for memory device "
                         "- memory fragmented due to alignments");
    }
    ops->set_address(dev, addr);
    return true;
}

static gint compare_places(gconstpointer a, gconstpointer b)
{
    uint64_t first = address_of(*(Device *const *)a), second = address_of(*(Device *const *)b);

    return first < second ? -1 : first > second;
}

void device_memory_plug(Machine *machine, Device *dev)
{
    DeviceMemory *memory = machine->device_memory;

    g_ptr_array_add(memory->devices, dev);
    g_ptr_array_sort(memory->devices, compare_places);
    memory_region_add(&memory->region, address_of(dev) - memory->base,
                      ops_of(dev)->region(dev, NULL));
}

void device_memory_unplug(Machine *machine, Device *dev)
{
    DeviceMemory *memory = machine->device_memory;

    memory_region_remove(&memory->region, ops_of(dev)->region(dev, NULL));
    g_ptr_array_remove(memory->devices, dev);
}

/* --- what clients ask --- */

uint64_t device_memory_plugged_bytes(const Machine *machine)
{
    return machine->device_memory ? used_bytes(machine->device_memory) : 0;
}

MemoryDeviceInfoArray *qmp_query_memory_devices(Error **errp)
{
    const DeviceMemory *memory = machine_current()->device_memory;
    MemoryDeviceInfoArray *list = g_new0(MemoryDeviceInfoArray, 1);

    if (memory) {
        list->items = g_new0(MemoryDeviceInfo *, memory->devices->len);
        for (guint i = 0; i < memory->devices->len; i++) {
            Device *dev = memory->devices->pdata[i];

            list->items[list->count++] = ops_of(dev)->describe(dev);
        }
    }
    return list;
}

MemoryInfo *qmp_query_memory_size_summary(Error **errp)
{
    MemoryInfo *info = g_new0(MemoryInfo, 1);

    info->base_memory = machine_current()->memory.size_bytes;
    info->has_plugged_memory = true;
    info->plugged_memory = device_memory_plugged_bytes(machine_current());
    return info;
}
