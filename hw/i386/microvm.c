/*
 * The board microvm: see microvm.h. What is left out: x-pci-hole with KVM, whose slots of memory
 * nobody makes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/ged.h"
#include "hw/core/hotplug.h"
#include "hw/pci-host/gpex.h"
#include "hw/rtc/mc146818rtc.h"
#include "hw/timer/i8254.h"
#include "hw/virtio/virtio_transport.h"
#include "microvm.h"
#include "system/accel.h"
#include "x86_cpus.h"
#include "x86_direct.h"

#define RTC_BASE_YEAR 2000
#define XHCI_SLOTS    64
#define XHCI_PORTS    8 /* of USB 2 and of USB 3 */
#define FIRMWARE_ACPI "bios-microvm.bin"
#define FIRMWARE_BARE "qboot.rom"

/* --- lines --- */

static const MicrovmLines lines_without_acpi = { .slots = 8, .slot_gsi = 5, .ioapics = 1 };
static const MicrovmLines lines_one_ioapic = { 8, 16, 12, 1 };
static const MicrovmLines lines_two_ioapics = { 24, 24, 16, 2 };

static void choose_lines(MicrovmMachine *m)
{
    m->lines = !microvm_has_acpi(m) ? lines_without_acpi :
               x86_is_on(m->ioapic2) ? lines_two_ioapics : lines_one_ioapic;
}

static IrqInput *gsi(MicrovmMachine *m, unsigned n)
{
    return x86_gsi_input(&m->parent.gsi, n);
}

/* --- interrupt controllers and ISA --- */

static bool make_ioapics(MicrovmMachine *m, Error **errp)
{
    Device *second;

    if (!x86_make_ioapic(&m->parent, (Object *)m, errp)) {
        return false;
    }
    if (m->lines.ioapics == 1) {
        return true;
    }
    second = device_new("ioapic");
    object_add_child((Object *)m, "second-ioapic", second, NULL);
    if (!device_realize_and_unref(second, bus_system(), errp)) {
        return false;
    }
    mmio_device_map(MMIO_DEVICE(second), 0, X86_IOAPIC2_ADDR);
    x86_gsi_connect_ioapic(&m->parent.gsi, 1, second);
    return true;
}

static bool make_isa(MicrovmMachine *m, Error **errp)
{
    if (!device_realize_and_unref(device_new(TYPE_ISA_BRIDGE), bus_system(), errp)) {
        return false;
    }
    m->isa = ISA_BUS(bus_find("isa.0", TYPE_ISA_BUS));
    x86_connect_isa(&m->parent, m->isa);
    return !x86_is_on(m->parent.pic) || x86_make_pics(&m->parent, m->isa, errp);
}

static bool make_pit(MicrovmMachine *m, Error **errp)
{
    Device *pit = device_new(TYPE_I8254);

    object_set_int(pit, "iobase", 0x40, NULL);
    if (!device_realize_and_unref(pit, &m->isa->parent, errp)) {
        return false;
    }
    m->parent.pit_device = pit;
    irq_connect(device_irq_out(pit, NULL, 0), gsi(m, 0));
    return true;
}

/* Where KVM runs the guest it has a better clock. */
static bool wants_rtc(const MicrovmMachine *m)
{
    return m->rtc == ON_OFF_AUTO_VALUE_ON ||
           (m->rtc == ON_OFF_AUTO_VALUE_AUTO && !accel_is("kvm"));
}

static bool make_serial(MicrovmMachine *m, Error **errp)
{
    const GPtrArray *lines = m->parent.parent.options.serial;
    const char *chardev = m->has_serial && lines->len ? lines->pdata[0] : NULL;
    Device *dev;

    if (!chardev) {
        return true;
    }
    dev = device_new("isa-serial");
    object_set_int(dev, "index", 0, NULL);
    if (!object_set_text(dev, "chardev", chardev, errp)) {
        object_unref(dev);
        return false;
    }
    return device_realize_and_unref(dev, &m->isa->parent, errp);
}

static bool make_isa_devices(MicrovmMachine *m, Error **errp)
{
    if (x86_is_on(m->parent.pit) && !make_pit(m, errp)) {
        return false;
    }
    if (wants_rtc(m)) {
        m->parent.rtc = mc146818_rtc_new(m->isa, RTC_BASE_YEAR);
        x86_fill_cmos_sizes(&m->parent);
    }
    return make_serial(m, errp);
}

bool microvm_has_serial(const MicrovmMachine *m)
{
    const GPtrArray *devices = m->isa->parent.devices;

    for (guint i = 0; i < devices->len; i++) {
        if (object_is_a(devices->pdata[i], "isa-serial")) {
            return true;
        }
    }
    return false;
}

/* --- what is at addresses --- */

static bool make_ged(MicrovmMachine *m, Error **errp)
{
    Device *ged = device_new(TYPE_ACPI_GED_X86);

    object_set_int(ged, "ged-event", ACPI_GED_POWER_DOWN, NULL);
    if (!device_realize_and_unref(ged, bus_system(), errp)) {
        return false;
    }
    mmio_device_map(MMIO_DEVICE(ged), ACPI_GED_SELECTOR, MICROVM_GED);
    mmio_device_map(MMIO_DEVICE(ged), ACPI_GED_REGISTERS, MICROVM_GED_REGISTERS);
    irq_connect(device_irq_out(ged, "sysbus-irq", 0), gsi(m, MICROVM_GED_GSI));
    return true;
}

static bool make_slots(MicrovmMachine *m, Error **errp)
{
    for (unsigned n = 0; n < m->lines.slots; n++) {
        Device *slot = device_new("virtio-mmio");

        if (!device_realize_and_unref(slot, bus_system(), errp)) {
            return false;
        }
        mmio_device_map(MMIO_DEVICE(slot), 0, microvm_slot_addr(n));
        irq_connect(device_irq_out(slot, "sysbus-irq", 0), gsi(m, m->lines.slot_gsi + n));
        m->slots[n] = slot;
    }
    return true;
}

bool microvm_slot_is_used(const MicrovmMachine *m, unsigned slot)
{
    return virtio_bus_device(m->slots[slot]->buses->pdata[0]);
}

/* BARs of 64 bits are in the top quarter of what CPUs can address. */
static void choose_mmio64(MicrovmMachine *m)
{
    Device *cpu = x86_boot_cpu(&m->parent.parent);
    uint64_t bits = cpu ? object_get_int(cpu, "phys-bits") : 0;

    m->pcie_mmio64_bytes = BIT64((bits ? bits : 40) - 2);
    m->pcie_mmio64 = 3 * m->pcie_mmio64_bytes;
}

static bool make_pcie(MicrovmMachine *m, Error **errp)
{
    Device *gpex = device_new(TYPE_GPEX_HOST);

    object_add_child((Object *)m, "gpex", gpex, NULL);
    if (!device_realize_and_unref(gpex, bus_system(), errp)) {
        return false;
    }
    choose_mmio64(m);
    pci_host_map_ecam(PCI_HOST(gpex), MICROVM_ECAM, MICROVM_ECAM_BYTES);
    gpex_map_memory(gpex, MICROVM_PCIE_MMIO, MICROVM_PCIE_MMIO_BYTES);
    gpex_map_memory(gpex, m->pcie_mmio64, m->pcie_mmio64_bytes);
    for (unsigned n = 0; n < PCI_PIN_COUNT; n++) {
        irq_connect(device_irq_out(gpex, "sysbus-irq", n), gsi(m, m->lines.pcie_gsi + n));
    }
    m->gpex = gpex;
    return true;
}

static bool make_xhci(MicrovmMachine *m, Error **errp)
{
    Device *xhci = device_new("sysbus-xhci");

    object_set_int(xhci, "intrs", 1, NULL);
    object_set_int(xhci, "slots", XHCI_SLOTS, NULL);
    object_set_int(xhci, "p2", XHCI_PORTS, NULL);
    object_set_int(xhci, "p3", XHCI_PORTS, NULL);
    if (!device_realize_and_unref(xhci, bus_system(), errp)) {
        return false;
    }
    mmio_device_map(MMIO_DEVICE(xhci), 0, MICROVM_XHCI);
    irq_connect(device_irq_out(xhci, "sysbus-irq", 0), gsi(m, MICROVM_XHCI_GSI));
    return true;
}

/* --- the whole --- */

/* Who runs vCPUs sees the map of memory as it is; a kernel has slots, which must be made for it. */
static bool can_alias(void)
{
    return !accel_is("kvm");
}

static bool check_pci_hole(const MicrovmMachine *m, Error **errp)
{
    switch (m->pci_hole) {
    case MICROVM_PCI_HOLE_KVM:
        return error_set(errp, "KVM_MEM_PCI_HOLE is not supported by this %s",
                         accel_is("kvm") ? "kernel" : "accelerator");
    case MICROVM_PCI_HOLE_ALIAS:
        return can_alias() ||
               error_set(errp, "x-pci-hole=alias is not supported by this accelerator");
    default:
        return true;
    }
}

static bool has_hole(const MicrovmMachine *m)
{
    return m->gpex && m->pci_hole != MICROVM_PCI_HOLE_OFF && can_alias();
}

static bool check_properties(const MicrovmMachine *m, Error **errp)
{
    if (m->pcie == ON_OFF_AUTO_VALUE_ON && !microvm_has_acpi(m)) {
        return error_set(errp, "microvm: pcie=on needs acpi=on");
    }
    if (m->parent.parent.usb && !microvm_has_acpi(m)) {
        return error_set(errp, "microvm: usb=on needs acpi=on");
    }
    return check_pci_hole(m, errp);
}

/* A kernel needs no firmware unless the user names one, or something that only firmware runs. */
static bool can_start_directly(const MicrovmMachine *m)
{
    const Machine *machine = &m->parent.parent;

    return m->parent.kernel && !machine->firmware && !machine->options.option_roms->len &&
           x86_can_start_directly(m->parent.kernel);
}

static bool load_firmware(MicrovmMachine *m, Error **errp)
{
    X86Machine *x86 = &m->parent;
    const char *usual = microvm_has_acpi(m) ? FIRMWARE_ACPI : FIRMWARE_BARE;

    x86->has_direct_start = can_start_directly(m);
    return x86->has_direct_start ||
           (x86_load_firmware(x86, usual, memory_region_system(), errp) &&
            (!m->has_option_roms || x86_offer_kernel_rom(x86, errp)));
}

static bool microvm_build(Machine *machine, Error **errp)
{
    MicrovmMachine *m = MICROVM_MACHINE(machine);
    X86Machine *x86 = &m->parent;

    choose_lines(m);
    if (!check_properties(m, errp)) {
        return false;
    }
    x86_map_ram(x86, MICROVM_RAM_BELOW_4G);
    return x86_make_fw_cfg(x86, errp) && x86_load_kernel(x86, 0, errp) && load_firmware(m, errp) &&
           make_isa(m, errp) && make_ioapics(m, errp) && make_isa_devices(m, errp) &&
           make_slots(m, errp) && (!microvm_has_acpi(m) || make_ged(m, errp)) &&
           (m->pcie != ON_OFF_AUTO_VALUE_ON || make_pcie(m, errp)) &&
           (!machine->usb || make_xhci(m, errp));
}

/* A guest without ACPI finds its devices on the command line, the highest slot first. */
static bool extend_cmdline(MicrovmMachine *m, Error **errp)
{
    for (unsigned n = m->lines.slots; n-- > 0;) {
        g_autofree char *text =
            g_strdup_printf("virtio_mmio.device=%d@0x%" PRIx64 ":%u", MICROVM_VIRTIO_BYTES,
                            microvm_slot_addr(n), m->lines.slot_gsi + n);

        if (microvm_slot_is_used(m, n) && !x86_kernel_append(m->parent.kernel, text, errp)) {
            return false;
        }
    }
    return true;
}

static bool microvm_complete(Machine *machine, Error **errp)
{
    MicrovmMachine *m = MICROVM_MACHINE(machine);
    X86Kernel *kernel = m->parent.kernel;

    if (machine->options.smbios->len) {
        warn_report("-smbios: a microvm has no SMBIOS tables");
    }
    if (kernel && kernel->kind != X86_KERNEL_MULTIBOOT && m->extends_cmdline &&
        !microvm_has_acpi(m) && !extend_cmdline(m, errp)) {
        return false;
    }
    if (has_hole(m)) {
        pci_host_start_hole(PCI_HOST(m->gpex));
    }
    return x86_tell_boot(&m->parent, errp) && microvm_add_fdt(m, errp) &&
           (!microvm_has_acpi(m) || microvm_add_acpi(m, errp)) &&
           (!m->parent.has_direct_start || microvm_start_directly(m, errp));
}

/* --- nothing is plugged into it while it runs --- */

static bool microvm_pre_plug(Object *machine, Device *dev, Error **errp)
{
    return dev->is_hotplugged ? error_set(errp, "device hotplug not supported by microvm") :
                                x86_cpu_pre_plug(machine, dev, errp);
}

static bool microvm_unplug_request(Object *machine, Device *dev, Error **errp)
{
    return error_set(errp, "unplug not supported by microvm");
}

static const HotplugHandler microvm_hotplug = {
    .pre_plug = microvm_pre_plug,
    .plug = x86_cpu_plug,
    .unplug_request = microvm_unplug_request,
};

/* --- the type --- */

static json_object *get_hole_mode(Object *obj, const Property *p, Error **errp)
{
    return json_string(has_hole(MICROVM_MACHINE(obj)) ? "alias" : "off");
}

static PciHoleCounts hole_counts(Object *obj)
{
    Device *gpex = MICROVM_MACHINE(obj)->gpex;

    return gpex ? pci_host_hole_counts(PCI_HOST(gpex)) : (PciHoleCounts){ 0 };
}

static json_object *get_hole_slots(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_int(hole_counts(obj).slots);
}

static json_object *get_hole_pages(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_int(hole_counts(obj).pages);
}

static json_object *get_hole_updates(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_uint64(hole_counts(obj).updates);
}

/* The bridge's counters; 0 without PCI Express. */
static json_object *get_counter(Object *obj, const Property *p, Error **errp)
{
    Device *gpex = MICROVM_MACHINE(obj)->gpex;

    return gpex ? object_get(gpex, p->name, errp) : json_object_new_int(0);
}

static const char *const pci_hole_names[] = { "auto", "kvm", "alias", "off" };
static const EnumTable pci_hole_table = { "MicrovmPciHole", pci_hole_names,
                                          ARRAY_SIZE(pci_hole_names) };

static const Property microvm_props[] = {
    PROP_ON_OFF_AUTO("rtc", MicrovmMachine, rtc, .has_no_default = true,
                     .doc = "Enable MC146818 RTC"),
    PROP_ON_OFF_AUTO("pcie", MicrovmMachine, pcie, .has_no_default = true, .doc = "Enable PCIe"),
    PROP_ON_OFF_AUTO("ioapic2", MicrovmMachine, ioapic2, .has_no_default = true,
                     .doc = "Enable second IO-APIC"),
    PROP_BOOL("isa-serial", MicrovmMachine, has_serial, .initial = true, .has_no_default = true,
              .doc = "Set off to disable the instantiation an ISA serial port"),
    PROP_BOOL("x-option-roms", MicrovmMachine, has_option_roms, .initial = true,
              .has_no_default = true, .doc = "Set off to disable loading option ROMs"),
    PROP_BOOL("auto-kernel-cmdline", MicrovmMachine, extends_cmdline, .initial = true,
              .has_no_default = true,
              .doc = "Set off to disable adding virtio-mmio devices to the kernel cmdline"),
    PROP_X86_BUS_NUMBERS,
    PROP_ENUM("x-pci-hole", MicrovmMachine, pci_hole, pci_hole_table, .has_no_default = true,
              .doc = "Who answers configuration reads of functions that are not there"),
    PROP_COMPUTED("pci-hole-mode", "string", .get = get_hole_mode,
                  .doc = "How such reads are answered: kvm, alias or off"),
    PROP_COMPUTED("pci-hole-slots", "int", .get = get_hole_slots, .doc = "Memory slots it takes"),
    PROP_COMPUTED("pci-hole-pages", "int", .get = get_hole_pages, .doc = "Pages it covers"),
    PROP_COMPUTED("pci-hole-updates", "uint64", .get = get_hole_updates,
                  .doc = "How often it changed"),
    PROP_COMPUTED("ecam-absent-reads", "uint64", .get = get_counter,
                  .doc = "Configuration reads of functions that are not there"),
    PROP_COMPUTED("ecam-absent-writes", "uint64", .get = get_counter,
                  .doc = "Configuration writes to functions that are not there"),
};

/* Ports below the root give no I/O space away: there is none. */
static void microvm_init(Object *obj)
{
    device_add_global("pcie-root-port", "io-reserve", "0", false);
}

static void microvm_finalize(Object *obj)
{
    microvm_direct_clear(MICROVM_MACHINE(obj));
}

static const X86MachineType microvm_type = {
    .name = TYPE_MICROVM,
    .doc = "microvm (i386)",
    .parent = TYPE_X86_MACHINE,
    .size = sizeof(MicrovmMachine),
    .interfaces = (const InterfaceImpl[]){ { TYPE_HOTPLUG_HANDLER, &microvm_hotplug }, { 0 } },
    .properties = PROPERTIES(microvm_props),
    .init = microvm_init,
    .finalize = microvm_finalize,
    .max_cpus = 288,
    .default_ram_id = "microvm.ram",
    .has_acpi = true,
    .has_serial = true,
    .has_writable_firmware = true,
    .build = microvm_build,
    .complete = microvm_complete,
};
X86_MACHINE_TYPE(microvm_type)
