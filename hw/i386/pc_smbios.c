/*
 * SMBIOS tables of `pc` and `q35`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/smbios.h"
#include "hw/core/bus.h"
#include "hw/core/cpu.h"
#include "hw/nvram/fw_cfg.h"
#include "pc_machine.h"
#include "system/identity.h"

/* -smbios type=9,pci_device=ID. */
static bool find_pci(void *opaque, const char *id, SmbiosPciAddress *address, Error **errp)
{
    Device *dev = device_find(id);

    if (!dev || !object_is_a(dev, TYPE_PCI_DEVICE)) {
        return error_set(errp, "No PCI device '%s'", id);
    }
    *address = (SmbiosPciAddress){ 0, pci_bus_number(pci_device_bus(PCI_DEVICE(dev))),
                                   PCI_DEVICE(dev)->devfn };
    return true;
}

/* EDX of CPUID leaf 1, out of the CPU's list of feature words. */
static uint32_t feature_word(Device *cpu)
{
    g_autoptr(JsonObject) words = object_get(cpu, "feature-words", NULL);
    size_t count = words ? json_object_array_length(words) : 0;

    for (size_t i = 0; i < count; i++) {
        json_object *word = json_object_array_get_idx(words, i);

        if (json_object_get_int(json_member(word, "cpuid-input-eax")) == 1 &&
            !strcmp(json_object_get_string(json_member(word, "cpuid-register")), "EDX")) {
            return json_object_get_int64(json_member(word, "features"));
        }
    }
    return 0;
}

/* As CPUID leaf 1 has it in EAX: extended fields for families from 15, models from 16. */
static uint32_t cpu_signature(Device *cpu)
{
    unsigned family = object_get_int(cpu, "family"), model = object_get_int(cpu, "model");

    return object_get_int(cpu, "stepping") | (model & 0xf) << 4 | MIN(family, 0xf) << 8 |
           model >> 4 << 16 | (family > 0xf ? family - 0xf : 0) << 20;
}

static bool add(Device *fw_cfg, const char *name, GByteArray *bytes, Error **errp)
{
    FwCfgBlob blob = { .data = g_memdup2(bytes->data, bytes->len), .size = bytes->len };

    if (!fw_cfg_add_file(fw_cfg, name, &blob, errp)) {
        g_free(blob.data);
        return false;
    }
    return true;
}

static SmbiosMachine describe(PcMachine *pc, SmbiosRange ranges[2])
{
    const X86Machine *x86 = &pc->parent;
    const unsigned *counts = x86->parent.smp.counts;
    Device *cpu = x86_boot_cpu(&pc->parent.parent);
    unsigned dies = counts[TOPOLOGY_DIE], cores = counts[TOPOLOGY_CORE];

    ranges[0] = (SmbiosRange){ 0, x86->below_4g_bytes };
    ranges[1] = (SmbiosRange){ x86->above_4g_base, x86->above_4g_bytes };
    return (SmbiosMachine){
        .entry_point = pc->smbios_entry_point == PC_SMBIOS_64 ? SMBIOS_ENTRY_POINT_64 :
                                                                SMBIOS_ENTRY_POINT_32,
        .manufacturer = "QEMU",
        .product = ((const ObjectType *)object_ops(pc))->doc,
        .uuid = identity_has_uuid() ? identity_uuid() : NULL,
        .sockets = counts[TOPOLOGY_SOCKET],
        .cores_per_socket = dies * cores,
        .threads_per_socket = dies * cores * counts[TOPOLOGY_THREAD],
        .processor_id = cpu ? cpu_signature(cpu) | (uint64_t)feature_word(cpu) << 32 : 0,
        .ram_bytes = x86->parent.memory.size_bytes,
        .ranges = ranges,
        .range_count = x86->above_4g_bytes ? 2 : 1,
        .find_pci = find_pci,
    };
}

static SmbiosOptions *users_options(const Machine *machine, Error **errp)
{
    g_autoptr(SmbiosOptions) options = smbios_options_new();

    for (guint i = 0; i < machine->options.smbios->len; i++) {
        if (!smbios_options_add(options, machine->options.smbios->pdata[i], errp)) {
            return NULL;
        }
    }
    return g_steal_pointer(&options);
}

bool pc_make_smbios(PcMachine *pc, Error **errp)
{
    g_autoptr(SmbiosOptions) options = users_options(&pc->parent.parent, errp);
    g_autofree char *version = machine_type_short_name(((Object *)pc)->type);
    SmbiosRange ranges[2];
    SmbiosMachine machine = describe(pc, ranges);
    SmbiosTables tables = { 0 };
    bool is_ok;

    machine.version = version;
    if (!options) {
        return false;
    }
    is_ok = smbios_build(&machine, options, &tables, errp);
    if (!is_ok && pc->smbios_entry_point == PC_SMBIOS_AUTO) {
        /* The old entry point has 16 bits for the tables' length. */
        g_clear_pointer(errp, error_free);
        machine.entry_point = SMBIOS_ENTRY_POINT_64;
        is_ok = smbios_build(&machine, options, &tables, errp);
    }
    is_ok = is_ok && add(pc->parent.fw_cfg, SMBIOS_TABLES_FILE, tables.structures, errp) &&
            add(pc->parent.fw_cfg, SMBIOS_ANCHOR_FILE, tables.entry_point, errp);
    smbios_tables_clear(&tables);
    return is_ok;
}
