/*
 * fw_cfg of x86 boards: what every firmware is told by number, and files that do not depend on the
 * board.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/cpu.h"
#include "hw/core/numa.h"
#include "hw/nvram/fw_cfg.h"
#include "system/identity.h"
#include "x86_machine.h"

#define UUID_BYTES 16

/* Numbers of x86 firmware's own. */
enum {
    X86_FW_CFG_ACPI_TABLES = FW_CFG_ARCH_LOCAL,
    X86_FW_CFG_SMBIOS,
    X86_FW_CFG_IRQ0_OVERRIDE, /* GSI 0 is pin 2 */
    X86_FW_CFG_E820,
    X86_FW_CFG_HPET,
};

/* How many nodes, the node of each APIC id, the bytes of each node: 64 bits each. */
static void tell_numa(X86Machine *x86)
{
    Machine *machine = &x86->parent;
    unsigned nodes = numa_node_count(machine->numa), ids = x86_apic_id_limit(machine);
    g_autofree uint64_t *table = g_new0(uint64_t, 1 + ids + nodes);
    const CpuSlots *slots = machine_cpu_slots(machine);

    store_le64(table, nodes);
    for (unsigned i = 0; slots && i < slots->count; i++) {
        store_le64(table + 1 + slots->slots[i].arch_id, MAX(0, slots->slots[i].node_id));
    }
    for (unsigned i = 0; i < nodes; i++) {
        store_le64(table + 1 + ids + i, numa_node_bytes(machine->numa, i));
    }
    fw_cfg_set_copy(x86->fw_cfg, FW_CFG_NUMA, table, (1 + ids + nodes) * sizeof(*table));
}

static void tell_numbers(X86Machine *x86)
{
    Machine *machine = &x86->parent;
    Device *fw_cfg = x86->fw_cfg;

    fw_cfg_set_copy(fw_cfg, FW_CFG_UUID, identity_uuid(), UUID_BYTES);
    fw_cfg_set_u16(fw_cfg, FW_CFG_NOGRAPHIC, !machine->graphics);
    fw_cfg_set_u16(fw_cfg, FW_CFG_BOOT_MENU, machine->boot.is_menu);
    fw_cfg_set_u16(fw_cfg, FW_CFG_NB_CPUS, vcpu_count());
    /* Not of CPUs, of APIC ids: what SeaBIOS counts with. */
    fw_cfg_set_u16(fw_cfg, FW_CFG_MAX_CPUS, x86_apic_id_limit(machine));
    fw_cfg_set_u64(fw_cfg, FW_CFG_RAM_SIZE, machine->memory.size_bytes);
    fw_cfg_set_u32(fw_cfg, X86_FW_CFG_IRQ0_OVERRIDE, 1);
    tell_numa(x86);
}

static bool add_copy(Device *fw_cfg, const char *name, const void *data, size_t bytes, Error **errp)
{
    FwCfgBlob blob = { .data = g_memdup2(data, bytes), .size = bytes };

    if (!fw_cfg_add_file(fw_cfg, name, &blob, errp)) {
        g_free(blob.data);
        return false;
    }
    return true;
}

bool x86_make_fw_cfg(X86Machine *x86, Error **errp)
{
    g_autoptr(GByteArray) e820 = NULL;
    Device *dev = device_new(TYPE_FW_CFG_IO);

    object_add_child((Object *)x86, "fw_cfg", dev, NULL);
    if (!device_realize_and_unref(dev, bus_system(), errp)) {
        return false;
    }
    x86->fw_cfg = dev;
    tell_numbers(x86);
    e820 = e820_bytes(x86->e820);
    return add_copy(dev, E820_FILE, e820->data, e820->len, errp);
}
