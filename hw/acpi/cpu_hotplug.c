/*
 * Registers for CPU hot-plug. At first they are a bitmap, by APIC id, of the CPUs that are there;
 * a write to the first makes them the others: a CPU is selected (0), a command (5) says what the
 * data (8, and 0 for its upper half) are; status, acknowledgements and ejection are at 4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hotplug_parts.h"
#include "hw/core/hotplug.h"
#include "hw/core/machine.h"
#include "system/vcpu.h"
#include "trace.h"
#include "util/log.h"

enum { SELECTOR = 0, DATA_HIGH = 0, STATUS = 4, COMMAND = 5, DATA = 8, END = 12 };
#define STATUS_ENABLED     BIT(0)
#define STATUS_INSERTING   BIT(1) /* written: acknowledged */
#define STATUS_REMOVING    BIT(2) /* likewise */
#define STATUS_EJECT       BIT(3)
#define STATUS_FIRMWARE    BIT(4) /* written: firmware is to eject it */
enum { COMMAND_NEXT_EVENT, COMMAND_OST_EVENT, COMMAND_OST_STATUS, COMMAND_ARCH_ID, COMMANDS };

static const CpuSlot *cpu_slot(unsigned n)
{
    Machine *machine = machine_current();
    CpuSlots *slots = machine ? machine_cpu_slots(machine) : NULL;

    return slots && n < slots->count ? &slots->slots[n] : NULL;
}

Device *acpi_cpu_hotplug_device(unsigned n)
{
    const CpuSlot *slot = cpu_slot(n);

    return slot ? slot->cpu : NULL;
}

static uint8_t read_bitmap(uint64_t at)
{
    uint8_t byte = 0;
    const CpuSlot *slot;

    for (unsigned n = 0; (slot = cpu_slot(n)); n++) {
        if (slot->cpu && slot->arch_id / 8 == at) {
            byte |= BIT(slot->arch_id % 8);
        }
    }
    return byte;
}

static uint64_t read_status(const AcpiHotplug *hp, const AcpiSlot *slot)
{
    bool is_there = acpi_cpu_hotplug_device(hp->cpus.selector) && !slot->is_leaving;

    return (is_there ? STATUS_ENABLED : 0) |
           (slot->is_inserting ? STATUS_INSERTING : 0) |
           (slot->is_removing ? STATUS_REMOVING : 0) |
           (slot->is_left_to_firmware ? STATUS_FIRMWARE : 0);
}

static uint64_t read_data(const AcpiHotplug *hp)
{
    switch (hp->cpu_command) {
    case COMMAND_NEXT_EVENT:
        return hp->cpus.selector;
    case COMMAND_ARCH_ID:
        return cpu_slot(hp->cpus.selector)->arch_id;
    default:
        return 0;
    }
}

static uint64_t cpu_read(void *opaque, uint64_t at, unsigned bytes)
{
    AcpiHotplug *hp = opaque;
    AcpiSlot *slot;

    if (hp->has_cpu_bitmap) {
        return bytes == 1 ? read_bitmap(at) : 0;
    }
    slot = acpi_slot_selected(&hp->cpus, "CPU");
    if (!slot) {
        return 0;
    }
    switch (at) {
    case DATA_HIGH:
        return hp->cpu_command == COMMAND_ARCH_ID ? read_data(hp) >> 32 : 0;
    case STATUS:
        return read_status(hp, slot);
    case DATA:
        return (uint32_t)read_data(hp);
    default:
        return at < END ? 0 : UINT32_MAX;
    }
}

static void eject_now(void *opaque)
{
    Device *dev = opaque;

    if (dev->is_realized) { /* nobody else was faster */
        hotplug_unplug(dev);
    }
    object_unref(dev);
}

/*
 * The end of a vCPU is waited for, which one of its kind must not do in the middle of a write. Guests look at once
 * whether it is gone: to them it is.
 */
static void eject(AcpiHotplug *hp, AcpiSlot *slot)
{
    Device *dev = acpi_cpu_hotplug_device(hp->cpus.selector);

    trace_acpi_eject("CPU", hp->cpus.selector);
    if (dev && hp->cpus.selector) {
        object_ref(dev);
        if (vcpu_in_thread()) {
            slot->is_leaving = true;
            event_loop_defer(event_loop_main(), eject_now, dev);
        } else {
            eject_now(dev);
        }
    } else {
        guest_error("acpi: ejects CPU %u, which is not there or the first", hp->cpus.selector);
    }
}

static void write_status(AcpiHotplug *hp, AcpiSlot *slot, uint64_t value)
{
    if (value & STATUS_INSERTING) {
        slot->is_inserting = false;
    } else if (value & STATUS_REMOVING) {
        slot->is_removing = false;
    } else if (value & STATUS_EJECT) {
        eject(hp, slot);
    } else if (value & STATUS_FIRMWARE) {
        slot->is_left_to_firmware ^= true;
    }
}

/* The next with an event, from the selected one on and round; else it stays selected. */
static void select_event(AcpiSlots *cpus)
{
    for (uint32_t i = 0, n = cpus->selector; i < cpus->count; i++, n = (n + 1) % cpus->count) {
        const AcpiSlot *slot = &cpus->items[n];

        if (slot->is_inserting || slot->is_removing || slot->is_left_to_firmware) {
            cpus->selector = n;
            return;
        }
    }
}

static void write_command(AcpiHotplug *hp, uint64_t value)
{
    if (value >= COMMANDS) {
        guest_error("acpi: CPU hot-plug command %" PRIu64, value);
        return;
    }
    hp->cpu_command = value;
    if (value == COMMAND_NEXT_EVENT) {
        select_event(&hp->cpus);
    }
}

static void write_data(AcpiHotplug *hp, AcpiSlot *slot, uint64_t value)
{
    if (hp->cpu_command == COMMAND_OST_EVENT) {
        slot->ost_event = value;
    } else if (hp->cpu_command == COMMAND_OST_STATUS) {
        slot->ost_status = value;
        acpi_slot_report(&hp->cpus, ACPI_SLOT_TYPE_CPU,
                         acpi_cpu_hotplug_device(hp->cpus.selector));
    }
}

static void cpu_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    AcpiHotplug *hp = opaque;
    AcpiSlot *slot;

    if (at == SELECTOR) {
        /* The write that ends the bitmap selects the first. */
        hp->cpus.selector = hp->has_cpu_bitmap ? 0 : value;
        hp->has_cpu_bitmap = false;
        return;
    }
    slot = hp->has_cpu_bitmap ? NULL : acpi_slot_selected(&hp->cpus, "CPU");
    if (!slot) {
        return;
    }
    if (at == STATUS) {
        write_status(hp, slot, value);
    } else if (at == COMMAND) {
        write_command(hp, value);
    } else if (at == DATA) {
        write_data(hp, slot, value);
    }
}

const MemoryOps acpi_cpu_hotplug_ops = {
    .read = cpu_read, .write = cpu_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 4 },
};
