/*
 * CPUs of x86 boards: where they can be, what APIC ids they have, plugging and unplugging.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/hotplug.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/rtc/mc146818rtc.h"
#include "system/run_state.h"
#include "x86_cpus.h"
#include "x86_machine.h"

#define NO_APIC_ID     UINT32_MAX /* as the CPU's property has it */
#define CMOS_CPU_COUNT 0x5f       /* less one; 255 and more are in fw_cfg only */

/* What users call the levels, from the outermost. A cluster is none of x86's. */
static const struct {
    TopologyLevel level;
    const char *name, *property;
} levels[] = {
    { TOPOLOGY_SOCKET, "socket", "socket-id" }, { TOPOLOGY_DIE, "die", "die-id" },
    { TOPOLOGY_CORE, "core", "core-id" }, { TOPOLOGY_THREAD, "thread", "thread-id" },
};

/* --- slots --- */

CpuSlots *x86_cpu_slots(Machine *machine)
{
    X86Machine *x86 = X86_MACHINE(machine);
    CpuSlots *slots = cpu_slots_new(machine, machine->cpu_type);

    x86_apic_ids_init(&x86->apic_ids, &machine->smp);
    for (unsigned i = 0; i < slots->count; i++) {
        CpuSlot *slot = &slots->slots[i];

        slot->arch_id = x86_apic_id(&x86->apic_ids, slot->ids);
        if (machine->smp.counts[TOPOLOGY_DIE] == 1) {
            slot->ids[TOPOLOGY_DIE] = -1;
        }
    }
    return slots;
}

unsigned x86_apic_id_limit(Machine *machine)
{
    CpuSlots *slots = machine_cpu_slots(machine);

    return slots ? slots->slots[slots->count - 1].arch_id + 1 : 1;
}

Device *x86_boot_cpu(Machine *machine)
{
    CpuSlots *slots = machine_cpu_slots(machine);

    return slots ? slots->slots[0].cpu : NULL;
}

static CpuSlot *find_slot(Machine *machine, uint32_t apic_id)
{
    CpuSlots *slots = machine_cpu_slots(machine);

    for (unsigned i = 0; i < slots->count; i++) {
        if (slots->slots[i].arch_id == apic_id) {
            return &slots->slots[i];
        }
    }
    return NULL;
}

static unsigned slot_index(Machine *machine, const CpuSlot *slot)
{
    return slot - machine_cpu_slots(machine)->slots;
}

/* --- which slot a CPU is for --- */

static bool check_range(const X86Machine *x86, const Cpu *cpu, size_t i, Error **errp)
{
    unsigned count = x86->apic_ids.counts[levels[i].level];
    int32_t id = cpu->ids[levels[i].level];

    return id < (int64_t)count ||
           error_set(errp, "Invalid CPU %s: %d must be in range 0:%u", levels[i].property, id,
                     count - 1);
}

/* A machine with one die per socket takes none as 0. */
static bool complete_place(const X86Machine *x86, Cpu *cpu, Error **errp)
{
    if (cpu->ids[TOPOLOGY_DIE] < 0 && x86->apic_ids.counts[TOPOLOGY_DIE] == 1) {
        cpu->ids[TOPOLOGY_DIE] = 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (cpu->ids[levels[i].level] < 0) {
            return error_set(errp, "CPU %s is not set", levels[i].property);
        }
        if (!check_range(x86, cpu, i, errp)) {
            return false;
        }
    }
    return true;
}

static bool find_apic_id(const X86Machine *x86, Cpu *cpu, uint32_t *apic_id, Error **errp)
{
    int64_t place[TOPOLOGY_LEVEL_COUNT];

    *apic_id = object_get_int(cpu, "apic-id");
    if (*apic_id != NO_APIC_ID) {
        return true;
    }
    if (!complete_place(x86, cpu, errp)) {
        return false;
    }
    for (int level = 0; level < TOPOLOGY_LEVEL_COUNT; level++) {
        place[level] = cpu->ids[level];
    }
    *apic_id = x86_apic_id(&x86->apic_ids, place);
    object_set_int(cpu, "apic-id", *apic_id, NULL);
    return true;
}

static bool refuse_apic_id(const X86Machine *x86, uint32_t apic_id, Error **errp)
{
    int64_t place[TOPOLOGY_LEVEL_COUNT];
    g_autoptr(GString) text = g_string_new(NULL);

    x86_apic_id_place(&x86->apic_ids, apic_id, place);
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        g_string_append_printf(text, "%s%s: %" PRId64, i ? ", " : "", levels[i].name,
                               place[levels[i].level]);
    }
    return error_set(errp, "Invalid CPU [%s] with APIC ID %" PRIu32 ", valid index range 0:%u",
                     text->str, apic_id, x86->parent.slots->count - 1);
}

/* What the user said of its place must be what the APIC id says. */
static bool match_place(const X86Machine *x86, Cpu *cpu, uint32_t apic_id, Error **errp)
{
    int64_t place[TOPOLOGY_LEVEL_COUNT];

    x86_apic_id_place(&x86->apic_ids, apic_id, place);
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        int32_t *id = &cpu->ids[levels[i].level];

        if (*id >= 0 && *id != place[levels[i].level]) {
            return error_set(errp, "property %s: %d doesn't match set apic-id: 0x%" PRIx32
                             " (%s: %" PRId64 ")", levels[i].property, *id, apic_id,
                             levels[i].property, place[levels[i].level]);
        }
        *id = place[levels[i].level];
    }
    return true;
}

static bool match_node(Cpu *cpu, const CpuSlot *slot, Error **errp)
{
    if (cpu->node_id < 0) {
        cpu->node_id = slot->node_id;
    }
    if (slot->node_id < 0) {
        return cpu->node_id <= 0 || error_set(errp, "invalid node-id, must be 0");
    }
    return cpu->node_id == slot->node_id ||
           error_set(errp, "node-id=%d must match numa node specified with -numa option",
                     cpu->node_id);
}

/* --- plugging --- */

Object *x86_hotplug_handler(Machine *machine, const Device *dev)
{
    return object_is_a(dev, TYPE_CPU) ? &machine->parent : NULL;
}

bool x86_cpu_pre_plug(Object *obj, Device *dev, Error **errp)
{
    Machine *machine = MACHINE(obj);
    X86Machine *x86 = X86_MACHINE(obj);
    const HotplugHandler *acpi =
        x86->hotplug ? object_interface(x86->hotplug, TYPE_HOTPLUG_HANDLER) : NULL;
    Cpu *cpu = CPU(dev);
    uint32_t apic_id;
    CpuSlot *slot;

    if (!machine->cpu_type || !object_is_a(dev, machine->cpu_type)) {
        return error_set(errp, "Invalid CPU type, expected cpu type: '%s'", machine->cpu_type);
    }
    machine_cpu_slots(machine);
    if (cpu->ids[TOPOLOGY_DIE] >= 0 && !check_range(x86, cpu, 1, errp)) {
        return false;
    }
    if (!find_apic_id(x86, cpu, &apic_id, errp)) {
        return false;
    }
    slot = find_slot(machine, apic_id);
    if (!slot) {
        return refuse_apic_id(x86, apic_id, errp);
    }
    if (slot->cpu && slot->cpu != dev) {
        return error_set(errp, "CPU[%u] with APIC ID %" PRIu32 " exists",
                         slot_index(machine, slot), apic_id);
    }
    cpu->vcpu.index = slot_index(machine, slot);
    return match_place(x86, cpu, apic_id, errp) && match_node(cpu, slot, errp) &&
           (!acpi || !acpi->pre_plug || acpi->pre_plug(x86->hotplug, dev, errp));
}

/* Firmware waits for so many CPUs after a reset. */
static void tell_cpu_count(X86Machine *x86)
{
    unsigned count = vcpu_count();

    if (x86->rtc) {
        mc146818_rtc_set_cmos(x86->rtc, CMOS_CPU_COUNT, count > 256 ? 0 : count - 1);
    }
    if (x86->fw_cfg) {
        fw_cfg_set_u16(x86->fw_cfg, FW_CFG_NB_CPUS, count);
    }
}

bool x86_cpu_plug(Object *obj, Device *dev, Error **errp)
{
    X86Machine *x86 = X86_MACHINE(obj);
    const HotplugHandler *acpi =
        x86->hotplug ? object_interface(x86->hotplug, TYPE_HOTPLUG_HANDLER) : NULL;
    CpuSlot *slot = &x86->parent.slots->slots[CPU(dev)->vcpu.index];

    if (acpi && !acpi->plug(x86->hotplug, dev, errp)) {
        return false;
    }
    CPU(dev)->slot = slot;
    slot->cpu = dev;
    x86_a20_tell(&x86->a20, dev);
    tell_cpu_count(x86);
    if (dev->is_hotplugged && vm_is_running()) { /* it waits for a start message */
        vcpu_resume(&CPU(dev)->vcpu);
    }
    return true;
}

bool x86_cpu_unplug_request(Object *obj, Device *dev, Error **errp)
{
    X86Machine *x86 = X86_MACHINE(obj);
    const HotplugHandler *acpi =
        x86->hotplug ? object_interface(x86->hotplug, TYPE_HOTPLUG_HANDLER) : NULL;

    if (!acpi || !acpi->unplug_request) {
        return error_set(errp, "CPU hot unplug not supported without ACPI");
    }
    if (CPU(dev)->vcpu.index == 0) {
        return error_set(errp, "Boot CPU is unpluggable");
    }
    return acpi->unplug_request(x86->hotplug, dev, errp);
}

void x86_cpu_unplug(Object *obj, Device *dev)
{
    X86Machine *x86 = X86_MACHINE(obj);
    const HotplugHandler *acpi =
        x86->hotplug ? object_interface(x86->hotplug, TYPE_HOTPLUG_HANDLER) : NULL;

    if (acpi && acpi->unplug) {
        acpi->unplug(x86->hotplug, dev);
    }
}
