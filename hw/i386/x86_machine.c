/*
 * The base of x86 boards: see x86_machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/apic_bus.h"
#include "hw/core/hotplug.h"
#include "hw/core/local_apic.h"
#include "hw/core/mmio_device.h"
#include "hw/core/nmi.h"
#include "hw/intc/i8259.h"
#include "x86_cpus.h"
#include "x86_kernel.h"
#include "x86_machine.h"
#include "x86_smi.h"

#define APIC_WINDOW_PRIORITY 0x1000 /* over all of PCI and RAM */

/* --- interrupts --- */

bool x86_make_ioapic(X86Machine *x86, Object *parent, Error **errp)
{
    Device *dev = device_new("ioapic");

    object_add_child(parent, "ioapic", dev, NULL);
    if (!device_realize_and_unref(dev, bus_system(), errp)) {
        return false;
    }
    mmio_device_map(MMIO_DEVICE(dev), 0, X86_IOAPIC_ADDR);
    x86_gsi_connect_ioapic(&x86->gsi, 0, dev);
    memory_region_add_overlap(memory_region_system(), APIC_WINDOW_ADDR, apic_bus_window(),
                              APIC_WINDOW_PRIORITY);
    x86->ioapic = dev;
    return true;
}

static uint8_t acknowledge(void *master)
{
    return i8259_acknowledge(master);
}

bool x86_make_pics(X86Machine *x86, IsaBus *bus, Error **errp)
{
    Device *cpu = x86_boot_cpu(&x86->parent);
    Object *apic = cpu ? object_child(&cpu->parent, "lapic") : NULL;

    x86->pic_device = i8259_pair_new(bus);
    x86_gsi_connect_pics(&x86->gsi, x86->pic_device);
    apic_bus_set_pic(acknowledge, x86->pic_device);
    if (cpu) {
        device_connect(x86->pic_device, NULL, 0, apic ? DEVICE(apic) : cpu, NULL, 0);
    }
    return true;
}

void x86_connect_isa(X86Machine *x86, IsaBus *bus)
{
    for (unsigned n = 0; n < ISA_IRQS; n++) {
        isa_bus_connect(bus, n, x86_gsi_input(&x86->gsi, n));
    }
}

/* --- NMI --- */

/* As the button does it: LINT1 of every local APIC. */
static bool inject_nmi(Object *obj, Error **errp)
{
    CpuSlots *slots = machine_cpu_slots(MACHINE(obj));

    for (unsigned i = 0; slots && i < slots->count; i++) {
        Object *apic = slots->slots[i].cpu ? object_child(&slots->slots[i].cpu->parent, "lapic") :
                                             NULL;

        if (apic) {
            irq_input_set(device_irq_in(DEVICE(apic), NULL, 1), 1);
            irq_input_set(device_irq_in(DEVICE(apic), NULL, 1), 0);
        }
    }
    return true;
}

/* --- the type --- */

static bool set_oem(Object *obj, const Property *p, json_object *value, size_t longest,
                    char **field, Error **errp)
{
    const char *text;

    if (!property_value_text(p, value, &text, errp)) {
        return false;
    }
    if (strlen(text) > longest) {
        return error_set(errp, "User specified %s value is bigger than %zu bytes in size", p->name,
                         longest);
    }
    g_free(*field);
    *field = g_strdup(text);
    return true;
}

static bool set_oem_id(Object *obj, const Property *p, json_object *value, PropertyForm form,
                       Error **errp)
{
    return set_oem(obj, p, value, strlen(X86_OEM_ID), &X86_MACHINE(obj)->oem_id, errp);
}

static bool set_oem_table_id(Object *obj, const Property *p, json_object *value, PropertyForm form,
                             Error **errp)
{
    return set_oem(obj, p, value, strlen(X86_OEM_TABLE_ID), &X86_MACHINE(obj)->oem_table_id, errp);
}

static json_object *get_oem_id(Object *obj, const Property *p, Error **errp)
{
    return json_string(X86_MACHINE(obj)->oem_id);
}

static json_object *get_oem_table_id(Object *obj, const Property *p, Error **errp)
{
    return json_string(X86_MACHINE(obj)->oem_table_id);
}

static const Property x86_props[] = {
    PROP_ON_OFF_AUTO("acpi", X86Machine, acpi, .has_no_default = true, .doc = "Enable ACPI"),
    PROP_ON_OFF_AUTO("smm", X86Machine, smm, .has_no_default = true, .doc = "Enable SMM"),
    PROP_ON_OFF_AUTO("pit", X86Machine, pit, .has_no_default = true,
                     .doc = "Enable i8254 PIT"),
    PROP_ON_OFF_AUTO("pic", X86Machine, pic, .has_no_default = true,
                     .doc = "Enable i8259 PIC"),
    PROP_COMPUTED("x-oem-id", "string", .get = get_oem_id, .set = set_oem_id,
                  .doc = "OEM ID of ACPI tables, up to 6 bytes"),
    PROP_COMPUTED("x-oem-table-id", "string", .get = get_oem_table_id, .set = set_oem_table_id,
                  .doc = "OEM table ID of ACPI tables, up to 8 bytes"),
    PROP_U64("bus-lock-ratelimit", X86Machine, bus_lock_rate, .has_no_default = true,
             .doc = "Bus locks per second that guests may take; 0: no limit"),
};

static void x86_init(Object *obj)
{
    X86Machine *x86 = X86_MACHINE(obj);

    x86->oem_id = g_strdup(X86_OEM_ID);
    x86->oem_table_id = g_strdup(X86_OEM_TABLE_ID);
    x86->above_4g_base = 4 * GiB;
    x86->e820 = e820_new();
    x86_gsi_init(&x86->gsi);
    x86_a20_init(&x86->a20, &x86->parent);
    irq_inputs_init(&x86->smi, 1, x86_smi_line, NULL);
}

static void unmap(MemoryRegion *mr)
{
    if (mr->container) {
        memory_region_remove(mr->container, mr);
    }
    memory_region_clear(mr);
}

static void x86_finalize(Object *obj)
{
    X86Machine *x86 = X86_MACHINE(obj);

    unmap(&x86->firmware_alias);
    unmap(&x86->firmware);
    object_unref(x86->firmware_home);
    unmap(&x86->ram_below);
    unmap(&x86->ram_above);
    x86_gsi_clear(&x86->gsi);
    x86_a20_clear(&x86->a20);
    irq_inputs_clear(&x86->smi);
    x86_kernel_free(x86->kernel);
    e820_free(x86->e820);
    g_free(x86->oem_id);
    g_free(x86->oem_table_id);
}

static const NmiSource x86_nmi = { inject_nmi };
static const HotplugHandler x86_hotplug = {
    .pre_plug = x86_cpu_pre_plug,
    .plug = x86_cpu_plug,
    .unplug_request = x86_cpu_unplug_request,
    .unplug = x86_cpu_unplug,
};

static const X86MachineType x86_type = {
    .name = TYPE_X86_MACHINE,
    .doc = "An x86 board",
    .parent = TYPE_MACHINE,
    .size = sizeof(X86Machine),
    .is_abstract = true,
    .interfaces = (const InterfaceImpl[]){ { TYPE_NMI, &x86_nmi },
                                           { TYPE_HOTPLUG_HANDLER, &x86_hotplug }, { 0 } },
    .properties = PROPERTIES(x86_props),
    .init = x86_init,
    .finalize = x86_finalize,
    .default_ram_id = "pc.ram",
    .default_cpu = "qemu64-x86_64-cpu",
    .supports_numa = true,
    .supports_smp = BIT(TOPOLOGY_DIE),
    .cpu_slots = x86_cpu_slots,
    .hotplug_handler = x86_hotplug_handler,
};
X86_MACHINE_TYPE(x86_type)
