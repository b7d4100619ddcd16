/*
 * ACPI hot-plug as a whole: see hw/acpi/hotplug.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hotplug_parts.h"
#include "hw/core/cpu.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "hw/mem/pc_dimm.h"
#include "qapi/qapi-commands-acpi.h"
#include "qapi/qapi-events-acpi.h"
#include "qapi/qapi-events-machine.h"
#include "qapi/qapi-events-qdev.h"
#include "system/address_space.h"
#include "trace.h"
#include "util/log.h"

/* OST events that ask to eject, and the first of the statuses that are no failure for good. */
#define OST_EJECT_NOTIFY   0x3
#define OST_EJECT_REQUEST  0x103
#define OST_IN_PROGRESS    0x80

static const ObjectType acpi_device_if_type = {
    .name = TYPE_ACPI_DEVICE_IF, .is_interface = true, .doc = "Raises ACPI events",
};
OBJECT_TYPE(acpi_device_if_type)

static void find_device(void *opaque, Object *obj)
{
    Object **found = opaque;

    if (!*found && object_is_a(obj, TYPE_ACPI_DEVICE_IF)) {
        *found = obj;
    }
}

/* Boards make it without a name: it is among the unattached. */
AcpiHotplug *acpi_hotplug_of_machine(void)
{
    Object *obj = NULL;

    object_each_child(object_container("/machine/unattached"), find_device, &obj);
    return obj ? ((const AcpiDeviceIf *)object_interface(obj, TYPE_ACPI_DEVICE_IF))->hotplug(obj) :
                 NULL;
}

void acpi_hotplug_raise(AcpiHotplug *hp, AcpiEvent event)
{
    acpi_pm_raise_gpe(hp->pm, event);
}

/* --- slots --- */

AcpiSlot *acpi_slot_selected(AcpiSlots *slots, const char *what)
{
    if (slots->selector < slots->count) {
        return &slots->items[slots->selector];
    }
    guest_error("acpi: %s slot %u of %u", what, slots->selector, slots->count);
    return NULL;
}

ACPIOSTInfo *acpi_slot_describe(const AcpiSlots *slots, unsigned n, ACPISlotType type,
                                const Device *dev)
{
    ACPIOSTInfo *info = g_new0(ACPIOSTInfo, 1);

    info->device = g_strdup(dev ? dev->id : NULL);
    info->slot = g_strdup_printf("%u", n);
    info->slot_type = type;
    info->source = slots->items[n].ost_event;
    info->status = slots->items[n].ost_status;
    return info;
}

static void tell_refused(ACPISlotType type, Device *dev)
{
    g_autofree char *path = object_path(dev);

    dev->is_unplug_pending = false;
    if (type == ACPI_SLOT_TYPE_DIMM) {
        qapi_event_send_mem_unplug_error(dev->id ? dev->id : "", "the guest refused");
    }
    qapi_event_send_device_unplug_guest_error(dev->id, path);
}

void acpi_slot_report(const AcpiSlots *slots, ACPISlotType type, Device *dev)
{
    const AcpiSlot *slot = &slots->items[slots->selector];
    ACPIOSTInfo *info = acpi_slot_describe(slots, slots->selector, type, dev);
    bool is_ejection = slot->ost_event == OST_EJECT_NOTIFY || slot->ost_event == OST_EJECT_REQUEST;

    qapi_event_send_acpi_device_ost(info);
    acpiost_info_free(info);
    if (dev && dev->is_unplug_pending && is_ejection && slot->ost_status &&
        slot->ost_status < OST_IN_PROGRESS) {
        tell_refused(type, dev);
    }
}

static void add_slots(ACPIOSTInfoArray *list, const AcpiSlots *slots, ACPISlotType type,
                      Device *(*device)(unsigned n))
{
    for (unsigned n = 0; n < slots->count; n++) {
        acpiost_info_array_add(list, acpi_slot_describe(slots, n, type, device(n)));
    }
}

ACPIOSTInfoArray *qmp_query_acpi_ospm_status(Error **errp)
{
    const AcpiHotplug *hp = acpi_hotplug_of_machine();
    ACPIOSTInfoArray *list;

    if (!hp) {
        error_set(errp, "command is not supported, missing ACPI device");
        return NULL;
    }
    list = g_new0(ACPIOSTInfoArray, 1);
    add_slots(list, &hp->memory, ACPI_SLOT_TYPE_DIMM, acpi_memory_hotplug_device);
    if (!hp->has_cpu_bitmap) {
        add_slots(list, &hp->cpus, ACPI_SLOT_TYPE_CPU, acpi_cpu_hotplug_device);
    }
    return list;
}

/* --- the hot-plug handler --- */

static AcpiHotplug *of(Object *handler)
{
    return ((const AcpiDeviceIf *)object_interface(handler, TYPE_ACPI_DEVICE_IF))->hotplug(handler);
}

/* The slot of a DIMM or CPU. */
static AcpiSlot *slot_of(AcpiHotplug *hp, Device *dev)
{
    bool is_dimm = object_is_a(dev, TYPE_PC_DIMM);
    AcpiSlots *slots = is_dimm ? &hp->memory : &hp->cpus;
    unsigned n = is_dimm ? PC_DIMM(dev)->slot : CPU(dev)->vcpu.index;

    return n < slots->count ? &slots->items[n] : NULL;
}

static AcpiEvent event_of(const Device *dev)
{
    return object_is_a(dev, TYPE_PC_DIMM) ? ACPI_EVENT_MEMORY : ACPI_EVENT_CPU;
}

static bool handler_pre_plug(Object *handler, Device *dev, Error **errp)
{
    AcpiHotplug *hp = of(handler);

    if (object_is_a(dev, TYPE_PCI_DEVICE)) {
        return acpi_pci_hotplug_pre_plug(hp, PCI_DEVICE(dev), errp);
    }
    return !object_is_a(dev, TYPE_PC_DIMM) || hp->memory.count ||
           error_set(errp, "memory hotplug is not enabled: missing 'memory-hotplug-support'");
}

static bool handler_plug(Object *handler, Device *dev, Error **errp)
{
    AcpiHotplug *hp = of(handler);
    AcpiSlot *slot;

    if (object_is_a(dev, TYPE_PCI_DEVICE)) {
        acpi_pci_hotplug_plug(hp, PCI_DEVICE(dev));
    } else if (object_is_a(dev, TYPE_NVDIMM)) {
        if (dev->is_hotplugged) {
            acpi_hotplug_raise(hp, ACPI_EVENT_NVDIMM);
        }
    } else if ((slot = slot_of(hp, dev))) {
        slot->is_inserting = dev->is_hotplugged;
        slot->is_leaving = false;
        if (dev->is_hotplugged) {
            acpi_hotplug_raise(hp, event_of(dev));
        }
    }
    return true;
}

static bool handler_unplug_request(Object *handler, Device *dev, Error **errp)
{
    AcpiHotplug *hp = of(handler);
    AcpiSlot *slot;

    if (object_is_a(dev, TYPE_PCI_DEVICE)) {
        acpi_pci_hotplug_request(hp, PCI_DEVICE(dev));
    } else if (object_is_a(dev, TYPE_NVDIMM)) {
        return error_set(errp, "nvdimm device hot unplug is not supported yet.");
    } else if ((slot = slot_of(hp, dev))) {
        slot->is_removing = true;
        acpi_hotplug_raise(hp, event_of(dev));
    }
    return true;
}

static void handler_unplug(Object *handler, Device *dev)
{
    AcpiHotplug *hp = of(handler);
    AcpiSlot *slot;

    if (object_is_a(dev, TYPE_PCI_DEVICE)) {
        acpi_pci_hotplug_unplug(hp, PCI_DEVICE(dev));
    } else if ((slot = slot_of(hp, dev))) {
        slot->is_inserting = slot->is_removing = slot->is_left_to_firmware = false;
    }
}

const HotplugHandler acpi_hotplug_handler = {
    handler_pre_plug, handler_plug, handler_unplug_request, handler_unplug,
};

/* --- life --- */

static void init_region(AcpiHotplug *hp, MemoryRegion *region, const MemoryOps *ops,
                        const char *name, uint64_t bytes)
{
    memory_region_init_io(region, &hp->owner->parent, ops, name, bytes);
    memory_region_set_opaque(region, hp);
}

void acpi_hotplug_init(AcpiHotplug *hp, AcpiPm *pm, const AcpiHotplugChip *chip)
{
    hp->pm = pm;
    hp->owner = pm->owner;
    hp->chip = chip;
    hp->has_cpu_bitmap = true;
    init_region(hp, &hp->memory_io, &acpi_memory_hotplug_ops, "acpi-mem-hotplug",
                ACPI_MEMORY_HOTPLUG_BYTES);
    init_region(hp, &hp->cpu_io, &acpi_cpu_hotplug_ops, "acpi-cpu-hotplug",
                ACPI_CPU_HOTPLUG_BYTES);
    init_region(hp, &hp->pci_io, &acpi_pci_hotplug_ops, "acpi-pci-hotplug",
                ACPI_PCI_HOTPLUG_BYTES);
}

void acpi_hotplug_clear(AcpiHotplug *hp)
{
    memory_region_clear(&hp->memory_io);
    memory_region_clear(&hp->cpu_io);
    memory_region_clear(&hp->pci_io);
}

static void make_slots(AcpiSlots *slots, uint32_t count)
{
    slots->count = count;
    slots->items = g_new0(AcpiSlot, count);
}

void acpi_hotplug_start(AcpiHotplug *hp, bool has_memory)
{
    Machine *machine = machine_current();
    CpuSlots *cpus = machine ? machine_cpu_slots(machine) : NULL;

    make_slots(&hp->memory, machine && has_memory ? machine->memory.slots : 0);
    make_slots(&hp->cpus, cpus ? cpus->count : 0);
    if (hp->memory.count) {
        memory_region_add(memory_region_io(), ACPI_MEMORY_HOTPLUG_PORT, &hp->memory_io);
    }
    memory_region_add(memory_region_io(), hp->chip->cpu_port, &hp->cpu_io);
    memory_region_add(memory_region_io(), hp->chip->pci_port, &hp->pci_io);
}

void acpi_hotplug_stop(AcpiHotplug *hp)
{
    if (hp->memory.count) {
        memory_region_remove(memory_region_io(), &hp->memory_io);
    }
    memory_region_remove(memory_region_io(), &hp->cpu_io);
    memory_region_remove(memory_region_io(), &hp->pci_io);
    g_clear_pointer(&hp->memory.items, g_free);
    g_clear_pointer(&hp->cpus.items, g_free);
    hp->memory.count = hp->cpus.count = 0;
    hp->pci.bus_count = 0;
}

/* What is plugged stays; a guest that starts anew sees it as it is. */
static void reset_slots(AcpiSlots *slots)
{
    if (slots->count) {
        memset(slots->items, 0, slots->count * sizeof(*slots->items));
    }
    slots->selector = 0;
}

void acpi_hotplug_reset(AcpiHotplug *hp)
{
    reset_slots(&hp->memory);
    reset_slots(&hp->cpus);
    hp->cpu_command = 0;
    memset(hp->pci.slots, 0, sizeof(hp->pci.slots));
    hp->pci.selector = hp->pci.index = 0;
}

/* --- saved state --- */

static const VMField slot_fields[] = {
    VM_BOOL(AcpiSlot, is_inserting), VM_BOOL(AcpiSlot, is_removing),
    VM_BOOL(AcpiSlot, is_left_to_firmware), VM_U32(AcpiSlot, ost_event),
    VM_U32(AcpiSlot, ost_status),
};
static const VMState slot_state = VMSTATE_INIT(slot_fields, .name = "slot", .version = 1);
static const VMField bus_fields[] = {
    VM_U32(AcpiPciBusSlots, up), VM_U32(AcpiPciBusSlots, down),
};
static const VMState bus_state = VMSTATE_INIT(bus_fields, .name = "bus", .version = 1);
static const VMField fields[] = {
    VM_STRUCT_HELD(AcpiHotplug, memory.items, memory.count, slot_state),
    VM_U32(AcpiHotplug, memory.selector),
    VM_STRUCT_HELD(AcpiHotplug, cpus.items, cpus.count, slot_state),
    VM_U32(AcpiHotplug, cpus.selector), VM_BOOL(AcpiHotplug, has_cpu_bitmap),
    VM_U8(AcpiHotplug, cpu_command), VM_STRUCT_ARRAY(AcpiHotplug, pci.slots, bus_state),
    VM_U32(AcpiHotplug, pci.selector), VM_U32(AcpiHotplug, pci.index),
};
const VMState acpi_hotplug_state = VMSTATE_INIT(fields, .name = "hotplug", .version = 1);
