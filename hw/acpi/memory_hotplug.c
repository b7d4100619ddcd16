/*
 * Registers for memory hot-plug: a slot is selected, then read and answered. Reads: address (0),
 * length (8), proximity domain (0x10), status (0x14). Writes: selector (0), OST event (4) and
 * status (8), acknowledgements and ejection (0x14).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hotplug_parts.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "hw/mem/pc_dimm.h"
#include "trace.h"
#include "util/log.h"

enum { SELECTOR = 0, OST_EVENT = 4, OST_STATUS = 8, ADDRESS = 0, LENGTH = 8, PROXIMITY = 0x10,
       STATUS = 0x14 };
#define STATUS_ENABLED   BIT(0)
#define STATUS_INSERTING BIT(1) /* written: acknowledged */
#define STATUS_REMOVING  BIT(2) /* likewise */
#define STATUS_EJECT     BIT(3)

Device *acpi_memory_hotplug_device(unsigned slot)
{
    PcDimm *dimm = pc_dimm_in_slot(machine_current(), slot);

    return dimm && !object_is_a(dimm, TYPE_NVDIMM) ? &dimm->parent : NULL;
}

static uint64_t read_status(const AcpiSlot *slot, const PcDimm *dimm)
{
    return (dimm ? STATUS_ENABLED : 0) | (slot->is_inserting ? STATUS_INSERTING : 0) |
           (slot->is_removing ? STATUS_REMOVING : 0);
}

static uint64_t memory_read(void *opaque, uint64_t at, unsigned bytes)
{
    AcpiHotplug *hp = opaque;
    AcpiSlot *slot = acpi_slot_selected(&hp->memory, "memory");
    PcDimm *dimm = slot ? PC_DIMM(acpi_memory_hotplug_device(hp->memory.selector)) : NULL;

    if (!slot) {
        return 0;
    }
    switch (at) {
    case ADDRESS:
        return dimm ? (uint32_t)dimm->addr : 0;
    case ADDRESS + 4:
        return dimm ? dimm->addr >> 32 : 0;
    case LENGTH:
        return dimm ? (uint32_t)pc_dimm_bytes(dimm) : 0;
    case LENGTH + 4:
        return dimm ? pc_dimm_bytes(dimm) >> 32 : 0;
    case PROXIMITY:
        return dimm ? dimm->node : 0;
    case STATUS:
        return read_status(slot, dimm);
    default:
        return UINT32_MAX;
    }
}

static void eject(AcpiHotplug *hp)
{
    Device *dev = acpi_memory_hotplug_device(hp->memory.selector);

    trace_acpi_eject("memory", hp->memory.selector);
    if (dev) {
        hotplug_unplug(dev);
    } else {
        guest_error("acpi: ejects memory from slot %u, which is empty", hp->memory.selector);
    }
}

static void write_status(AcpiHotplug *hp, AcpiSlot *slot, uint64_t value)
{
    if (value & STATUS_INSERTING) {
        slot->is_inserting = false;
    } else if (value & STATUS_REMOVING) {
        slot->is_removing = false;
    } else if (value & STATUS_EJECT) {
        eject(hp);
    }
}

static void memory_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    AcpiHotplug *hp = opaque;
    AcpiSlot *slot;

    if (at == SELECTOR) {
        hp->memory.selector = value;
        return;
    }
    slot = acpi_slot_selected(&hp->memory, "memory");
    if (!slot) {
        return;
    }
    if (at == OST_EVENT) {
        slot->ost_event = value;
    } else if (at == OST_STATUS) {
        slot->ost_status = value;
        acpi_slot_report(&hp->memory, ACPI_SLOT_TYPE_DIMM,
                         acpi_memory_hotplug_device(hp->memory.selector));
    } else if (at == STATUS) {
        write_status(hp, slot, value);
    }
}

const MemoryOps acpi_memory_hotplug_ops = {
    .read = memory_read, .write = memory_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 4 },
};
