/*
 * pc-dimm: a memory module: see hw/mem/pc_dimm.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/numa.h"
#include "hw/mem/pc_dimm.h"
#include "qapi/qapi-types-machine.h"

static MemoryBackend *backend_of(const PcDimm *dimm)
{
    return MEMORY_BACKEND(dimm->memdev);
}

/* --- slots --- */

PcDimm *pc_dimm_in_slot(const Machine *machine, int slot)
{
    const DeviceMemory *memory = machine->device_memory;

    for (guint i = 0; memory && i < memory->devices->len; i++) {
        Device *dev = memory->devices->pdata[i];

        if (object_is_a(dev, TYPE_PC_DIMM) && PC_DIMM(dev)->slot == slot) {
            return PC_DIMM(dev);
        }
    }
    return NULL;
}

static bool find_slot(const Machine *machine, int32_t *slot, Error **errp)
{
    for (int i = 0; i < (int)machine->memory.slots; i++) {
        if (!pc_dimm_in_slot(machine, i)) {
            *slot = i;
            return true;
        }
    }
    return error_set(errp, "no free slots available");
}

static bool choose_slot(const Machine *machine, PcDimm *dimm, int32_t *slot, Error **errp)
{
    int count = machine->memory.slots;

    if (!count) {
        return error_set(errp, "no slots where allocated, please specify the 'slots' option");
    }
    if (dimm->slot == -1) {
        return find_slot(machine, slot, errp);
    }
    if (dimm->slot < 0 || dimm->slot >= count) {
        return error_set(errp, "invalid slot number %d, valid range is [0-%d]", dimm->slot,
                         count - 1);
    }
    *slot = dimm->slot;
    return !pc_dimm_in_slot(machine, *slot) || error_set(errp, "slot %d is busy", *slot);
}

static bool check_node(const Machine *machine, const PcDimm *dimm, Error **errp)
{
    unsigned nodes = numa_node_count(machine->numa);

    return dimm->node < MAX(nodes, 1) ||
           error_set(errp, "'DIMM property node has value %u' which exceeds the number of numa "
                     "nodes: %u", dimm->node, MAX(nodes, 1));
}

bool pc_dimm_pre_plug(Machine *machine, PcDimm *dimm, Error **errp)
{
    int32_t slot = -1;

    if (!choose_slot(machine, dimm, &slot, errp) || !check_node(machine, dimm, errp) ||
        !device_memory_pre_plug(machine, &dimm->parent, errp)) {
        return false;
    }
    dimm->slot = slot;
    return true;
}

void pc_dimm_plug(Machine *machine, PcDimm *dimm)
{
    device_memory_plug(machine, &dimm->parent);
    dimm->is_plugged = true;
    if (numa_node_count(machine->numa)) {
        numa_plug_memory(machine->numa, dimm->node, pc_dimm_bytes(dimm));
    }
}

void pc_dimm_unplug(Machine *machine, PcDimm *dimm)
{
    if (numa_node_count(machine->numa)) {
        numa_plug_memory(machine->numa, dimm->node, -(int64_t)pc_dimm_bytes(dimm));
    }
    device_memory_unplug(machine, &dimm->parent);
    dimm->is_plugged = false;
}

/* --- as memory that is a device --- */

static const PcDimmType *dimm_ops(const PcDimm *dimm)
{
    return object_ops(dimm);
}

uint64_t pc_dimm_bytes(PcDimm *dimm)
{
    MemoryRegion *region = dimm->memdev ? dimm_ops(dimm)->region(dimm, NULL) : NULL;

    return region ? region->size : 0;
}

static MemoryRegion *whole_region(PcDimm *dimm, Error **errp)
{
    return memory_backend_region(backend_of(dimm));
}

static uint64_t dimm_address(const Device *dev)
{
    return PC_DIMM(dev)->addr;
}

static void dimm_set_address(Device *dev, uint64_t addr)
{
    PC_DIMM(dev)->addr = addr;
}

static MemoryRegion *dimm_region(Device *dev, Error **errp)
{
    if (!PC_DIMM(dev)->memdev) {
        error_set(errp, "'memdev' property must be set");
        return NULL;
    }
    return dimm_ops(PC_DIMM(dev))->region(PC_DIMM(dev), errp);
}

static uint64_t dimm_align_bytes(const Device *dev)
{
    return memory_backend_page_bytes(backend_of(PC_DIMM(dev)));
}

static MemoryDeviceInfo *dimm_describe(Device *dev)
{
    PcDimm *dimm = PC_DIMM(dev);
    MemoryDeviceInfo *info = g_new0(MemoryDeviceInfo, 1);
    PCDIMMDeviceInfo *data = g_new0(PCDIMMDeviceInfo, 1);

    data->id = g_strdup(dev->id);
    data->addr = dimm->addr;
    data->size = pc_dimm_bytes(dimm);
    data->slot = dimm->slot;
    data->node = dimm->node;
    data->memdev = object_path(dimm->memdev);
    data->hotplugged = dev->is_hotplugged;
    data->hotpluggable = true;
    info->type = object_is_a(dev, TYPE_NVDIMM) ? MEMORY_DEVICE_INFO_KIND_NVDIMM :
                                                 MEMORY_DEVICE_INFO_KIND_DIMM;
    info->u.dimm.data = data; /* both kinds have the same layout */
    return info;
}

static const MemoryDevice dimm_memory_ops = {
    .address = dimm_address, .set_address = dimm_set_address, .region = dimm_region,
    .align_bytes = dimm_align_bytes, .describe = dimm_describe,
};

/* --- life --- */

static bool check_memdev(Object *obj, const Property *p, Error **errp)
{
    MemoryBackend *backend = backend_of(PC_DIMM(obj));

    return !backend || !backend->is_mapped ||
           error_set(errp, "can't use already busy memdev: %s", backend->parent.name);
}

static bool dimm_realize(Device *dev, Error **errp)
{
    PcDimm *dimm = PC_DIMM(dev);

    if (!dimm->memdev) {
        return error_set(errp, "'memdev' property is not set");
    }
    return memory_backend_claim(backend_of(dimm), errp);
}

static void dimm_unrealize(Device *dev)
{
    if (PC_DIMM(dev)->is_plugged) { /* the machine goes as a whole */
        pc_dimm_unplug(machine_current(), PC_DIMM(dev));
    }
    memory_backend_release(backend_of(PC_DIMM(dev)));
}

static json_object *get_size(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_uint64(pc_dimm_bytes(PC_DIMM(obj)));
}

static const Property dimm_props[] = {
    PROP_U64("addr", PcDimm, addr, .doc = "Guest address; 0: any that is free"),
    PROP_U32("node", PcDimm, node, .doc = "NUMA node"),
    PROP_I32("slot", PcDimm, slot, .initial = -1, .doc = "Number of the slot; -1: any"),
    PROP_LINK("memdev", PcDimm, memdev, TYPE_MEMORY_BACKEND, .check = check_memdev,
              .doc = "Its memory, by id"),
    PROP_COMPUTED("size", "uint64", .get = get_size, .doc = "Bytes the guest sees"),
};

static const PcDimmType dimm_type = {
    .name = TYPE_PC_DIMM,
    .doc = "DIMM memory module",
    .parent = TYPE_DEVICE,
    .interfaces = (const InterfaceImpl[]){ { TYPE_MEMORY_DEVICE, &dimm_memory_ops }, { 0 } },
    .size = sizeof(PcDimm),
    .access = DEVICE_ACCESS_USER,
    .category = DEVICE_CATEGORY_MISC,
    .properties = PROPERTIES(dimm_props),
    .realize = dimm_realize,
    .unrealize = dimm_unrealize,
    .region = whole_region,
};
DEVICE_TYPE(dimm_type)
