/*
 * The base of `pc` and `q35`: see pc_machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_drive.h"
#include "hw/core/block_conf.h"
#include "hw/core/bus.h"
#include "hw/core/device_memory.h"
#include "hw/core/numa.h"
#include "acpi_build.h"
#include "pc_flash.h"
#include "pc_hotplug.h"
#include "pc_machine.h"

#define DEFAULT_FIRMWARE    "bios-256k.bin"
#define OPTION_ROMS_BASE    UINT64_C(0xc0000)
#define OPTION_ROMS_BYTES   UINT64_C(0x20000)
#define OPTION_ROMS_PRIORITY 1
#define LEAST_RAM_BELOW_4G  MiB
/* What firmware takes for ACPI tables at the end of RAM. */
#define ACPI_DATA_BYTES     (0x20000 + 0x8000)
/* What is above it belongs to IOAPICs and others. */
#define MOST_FIRMWARE_BYTES (16 * MiB)

/* --- how it is built --- */

static void make_host(PcMachine *pc)
{
    const PcMachineType *ops = pc_machine_ops(pc);
    Device *dev = device_new(ops->host_type);

    object_add_child((Object *)pc, ops->host_name, dev, NULL);
    pc->host = PC_HOST(dev);
}

static bool start_host(PcMachine *pc, Error **errp)
{
    X86Machine *x86 = &pc->parent;
    PcHost *host = pc->host;

    host->ram = x86->parent.ram;
    host->below_4g_bytes = x86->below_4g_bytes;
    host->above_4g_bytes = x86->above_4g_bytes;
    host->above_4g_end =
        device_memory_end(&x86->parent, x86->above_4g_base + x86->above_4g_bytes);
    host->parent.bypasses_iommu = pc->bypasses_iommu;
    return device_realize(DEVICE(host), bus_system(), errp);
}

static bool make_bridge(PcMachine *pc, Error **errp)
{
    const PcMachineType *ops = pc_machine_ops(pc);
    Device *dev = device_new(ops->bridge_type);

    pc->isa_bridge = PCI_DEVICE(dev);
    pc->isa_bridge->addr = ops->bridge_devfn;
    pc->isa_bridge->is_multifunction = true;
    if (ops->prepare_bridge) {
        ops->prepare_bridge(pc, dev);
    }
    if (!device_realize_and_unref(dev, &pc->host->parent.bus->parent, errp)) {
        return false;
    }
    for (unsigned n = 0; n < ops->bridge_irq_count; n++) {
        irq_connect(device_irq_out(dev, ops->bridge_irqs, n), x86_gsi_input(&pc->parent.gsi, n));
    }
    pc->isa = ISA_BUS(bus_find("isa.0", TYPE_ISA_BUS));
    x86_connect_isa(&pc->parent, pc->isa);
    return true;
}

static bool load_roms(PcMachine *pc, Error **errp)
{
    MemoryRegion *pci = &pc->host->pci;

    if (!pc_find_flash(pc, errp) ||
        !(pc->flash[0] ? pc_make_flash(pc, pci, errp) :
                         x86_load_firmware(&pc->parent, DEFAULT_FIRMWARE, pci, errp)) ||
        !memory_region_init_rom(&pc->option_roms, (Object *)pc, "pc.rom", OPTION_ROMS_BYTES,
                                errp)) {
        return false;
    }
    memory_region_add_overlap(pci, OPTION_ROMS_BASE, &pc->option_roms, OPTION_ROMS_PRIORITY);
    return true;
}

/* From now on CPUs and memory that come are its too. */
static bool set_acpi_device(X86Machine *x86)
{
    x86->hotplug = x86->acpi_device ? &x86->acpi_device->parent : NULL;
    return true;
}

bool pc_build(Machine *machine, Error **errp)
{
    PcMachine *pc = PC_MACHINE(machine);
    X86Machine *x86 = &pc->parent;
    const PcMachineType *ops = pc_machine_ops(pc);

    make_host(pc);
    if (!pc_place_memory(pc, errp)) {
        return false;
    }
    x86_map_ram(x86, ops->split_ram(pc));
    return device_memory_init(machine, x86->above_4g_base + x86->above_4g_bytes, errp) &&
           start_host(pc, errp) && load_roms(pc, errp) && x86_make_fw_cfg(x86, errp) &&
           make_bridge(pc, errp) &&
           x86_make_ioapic(x86, &pc->host->parent.parent.parent.parent, errp) &&
           pc_add_isa_devices(pc, errp) && pc_add_functions(pc, errp) &&
           pc_add_lines(pc, errp) && set_acpi_device(x86) && pc_fill_cmos(pc, errp) &&
           x86_load_kernel(x86, ACPI_DATA_BYTES, errp) && x86_offer_kernel_rom(x86, errp);
}

bool pc_complete(Machine *machine, Error **errp)
{
    PcMachine *pc = PC_MACHINE(machine);
    const PcMachineType *ops = pc_machine_ops(pc);

    pc_hotplug_adopt_buses(pc);
    pc_tell_drives(pc);
    return acpi_pc_init(pc, errp) &&
           (!ops->complete_board || ops->complete_board(pc, errp)) &&
           pc_tell_firmware(pc, errp) && x86_tell_boot(&pc->parent, errp);
}

/* --- the type --- */

static bool check_max_ram(Object *obj, const Property *p, Error **errp)
{
    uint64_t bytes = PC_MACHINE(obj)->max_ram_below_4g;

    if (bytes > 4 * GiB) {
        return error_set(errp, "Machine option 'max-ram-below-4g=%" PRIu64 "' expects size less "
                         "than or equal to 4G", bytes);
    }
    if (bytes < LEAST_RAM_BELOW_4G) {
        warn_report("Only %" PRIu64 " bytes of RAM below the 4GiB boundary,BIOS may not work with "
                    "less than 1MiB", bytes);
    }
    return true;
}

static bool check_max_firmware(Object *obj, const Property *p, Error **errp)
{
    return X86_MACHINE(obj)->firmware_max_bytes <= MOST_FIRMWARE_BYTES ||
           error_set(errp, "User specified max allowed firmware size %" PRIu64 " is greater than "
                     "16MiB. If combined firwmare size exceeds 16MiB the system may not boot, or "
                     "experience intermittentstability issues.",
                     X86_MACHINE(obj)->firmware_max_bytes);
}

static const char *const smbios_entry_point_names[] = { "32", "64", "auto" };
static const EnumTable smbios_entry_points = {
    "SmbiosEntryPointType", smbios_entry_point_names, ARRAY_SIZE(smbios_entry_point_names),
};

/* --- what clients may look at --- */

static json_object *path_of(Device *dev)
{
    g_autofree char *path = dev ? object_path(dev) : NULL;

    return json_string(path ? path : "");
}

static json_object *get_rtc(Object *obj, const Property *p, Error **errp)
{
    return path_of(X86_MACHINE(obj)->rtc);
}

static json_object *get_acpi_device(Object *obj, const Property *p, Error **errp)
{
    return path_of(X86_MACHINE(obj)->acpi_device);
}

static json_object *get_rtc_time(Object *obj, const Property *p, Error **errp)
{
    Device *rtc = X86_MACHINE(obj)->rtc;

    if (!rtc) {
        error_set(errp, "the machine has no clock yet");
        return NULL;
    }
    return object_get(rtc, "date", errp);
}

static json_object *get_device_memory(Object *obj, const Property *p, Error **errp)
{
    const DeviceMemory *memory = MACHINE(obj)->device_memory;

    return json_object_new_uint64(memory ? memory->region.size : 0);
}

static const Property pc_props[] = {
    PROP_SIZE("max-ram-below-4g", PcMachine, max_ram_below_4g, .has_no_default = true,
              .check = check_max_ram, .doc = "Maximum ram below the 4G boundary (32bit boundary)"),
    PROP_SIZE("max-fw-size", PcMachine, parent.firmware_max_bytes, .initial = 8 * MiB,
              .has_no_default = true, .check = check_max_firmware,
              .doc = "Maximum combined firmware size"),
    PROP_ON_OFF_AUTO("vmport", PcMachine, vmport, .has_no_default = true,
                     .doc = "Enable vmport (pc & q35)"),
    PROP_BOOL("hpet", PcMachine, has_hpet, .initial = true, .has_no_default = true,
              .doc = "Enable/disable high precision event timer emulation"),
    PROP_BOOL("i8042", PcMachine, has_i8042, .initial = true, .has_no_default = true,
              .doc = "Enable/disable Intel 8042 PS/2 controller emulation"),
    PROP_BOOL("sata", PcMachine, has_sata, .initial = true, .has_no_default = true,
              .doc = "Enable/disable Serial ATA bus"),
    PROP_BOOL("smbus", PcMachine, has_smbus, .initial = true, .has_no_default = true,
              .doc = "Enable/disable system management bus"),
    PROP_BOOL("fd-bootchk", PcMachine, checks_floppy, .initial = true, .has_no_default = true,
              .doc = "Let the BIOS check a floppy's boot signature"),
    PROP_BOOL("default-bus-bypass-iommu", PcMachine, bypasses_iommu, .has_no_default = true,
              .doc = "Functions on the root bus are not behind the virtual IOMMU"),
    PROP_ENUM("smbios-entry-point-type", PcMachine, smbios_entry_point, smbios_entry_points,
              .has_no_default = true, .doc = "SMBIOS Entry Point type [32, 64]"),
    PROP_BOOL("nvdimm", PcMachine, has_nvdimm, .has_no_default = true,
              .doc = "Set on/off to enable/disable NVDIMM instantiation"),
    PROP_(property_drive, "pflash0", PcMachine, flash[0], .has_no_default = true,
          .doc = "Node name or ID of a block device to use as a backend"),
    PROP_(property_drive, "pflash1", PcMachine, flash[1], .has_no_default = true,
          .doc = "Node name or ID of a block device to use as a backend"),
    PROP_COMPUTED("rtc_state", "link<isa-device>", .get = get_rtc, .doc = "The clock"),
    PROP_COMPUTED("rtc-time", "struct tm", .get = get_rtc_time, .doc = "What the clock shows"),
    PROP_COMPUTED("acpi-device", "link<hotplug-handler>", .get = get_acpi_device,
                  .doc = "The device with ACPI's registers"),
    PROP_COMPUTED("device-memory-region-size", "int", .get = get_device_memory,
                  .doc = "Bytes of the window for memory that is plugged"),
    PROP_MACHINE_HMAT,
};

static void pc_init(Object *obj)
{
    PC_MACHINE(obj)->smbios_entry_point = pc_machine_ops(PC_MACHINE(obj))->smbios_default;
}

static void pc_finalize(Object *obj)
{
    PcMachine *pc = PC_MACHINE(obj);

    if (pc->option_roms.container) {
        memory_region_remove(pc->option_roms.container, &pc->option_roms);
    }
    memory_region_clear(&pc->option_roms);
    acpi_pc_clear(pc);
    object_unref(pc->host);
}

static const PcMachineType pc_type = {
    .name = TYPE_PC_MACHINE,
    .doc = "A PC",
    .parent = TYPE_X86_MACHINE,
    .size = sizeof(PcMachine),
    .is_abstract = true,
    .properties = PROPERTIES(pc_props),
    .init = pc_init,
    .finalize = pc_finalize,
    .max_cpus = 255,
    .has_hotpluggable_cpus = true,
    .has_acpi = true,
    .has_serial = true,
    .has_parallel = true,
    .block_interface = BLOCK_IF_IDE,
    .has_cdrom = true,
    .default_vga = "std",
    .default_nic = "e1000e",
    .auto_enable_numa = NUMA_AUTO_WITH_SLOTS,
    .build = pc_build,
    .complete = pc_complete,
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &pc_hotplug }, { 0 } },
    .hotplug_handler = pc_hotplug_handler,
};
OBJECT_TYPE(pc_type)
