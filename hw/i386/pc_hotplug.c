/*
 * What PCs plug that sits on no bus: CPUs (x86_cpus.c) and memory modules; and how the ACPI device
 * comes to plug PCI functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_build.h"
#include "hw/acpi/hotplug.h"
#include "hw/core/cpu.h"
#include "hw/mem/pc_dimm.h"
#include "pc_hotplug.h"
#include "x86_cpus.h"

Object *pc_hotplug_handler(Machine *machine, const Device *dev)
{
    return object_is_a(dev, TYPE_CPU) || object_is_a(dev, TYPE_PC_DIMM) ? &machine->parent : NULL;
}

static Object *acpi_of(Object *machine)
{
    return X86_MACHINE(machine)->hotplug;
}

/* --- memory modules --- */

static bool check_dimm(PcMachine *pc, Device *dev, Error **errp)
{
    if (!pc->parent.hotplug) {
        return error_set(errp, "memory hotplug is not enabled: missing acpi device or acpi "
                         "disabled");
    }
    return pc->has_nvdimm || !object_is_a(dev, TYPE_NVDIMM) ||
           error_set(errp, "nvdimm is not enabled: missing 'nvdimm' in '-M'");
}

static bool dimm_pre_plug(Object *obj, Device *dev, Error **errp)
{
    return check_dimm(PC_MACHINE(obj), dev, errp) &&
           pc_dimm_pre_plug(MACHINE(obj), PC_DIMM(dev), errp) &&
           acpi_hotplug_handler.pre_plug(acpi_of(obj), dev, errp);
}

static bool dimm_plug(Object *obj, Device *dev, Error **errp)
{
    pc_dimm_plug(MACHINE(obj), PC_DIMM(dev));
    acpi_pc_nvdimm_changed(PC_MACHINE(obj));
    return acpi_hotplug_handler.plug(acpi_of(obj), dev, errp);
}

static bool dimm_unplug_request(Object *obj, Device *dev, Error **errp)
{
    return acpi_hotplug_handler.unplug_request(acpi_of(obj), dev, errp);
}

static void dimm_unplug(Object *obj, Device *dev)
{
    acpi_hotplug_handler.unplug(acpi_of(obj), dev);
    pc_dimm_unplug(MACHINE(obj), PC_DIMM(dev));
}

/* --- by kind --- */

static const HotplugHandler cpu_handler = {
    x86_cpu_pre_plug, x86_cpu_plug, x86_cpu_unplug_request, x86_cpu_unplug,
};
static const HotplugHandler dimm_handler = {
    dimm_pre_plug, dimm_plug, dimm_unplug_request, dimm_unplug,
};

static const HotplugHandler *handler_for(const Device *dev)
{
    return object_is_a(dev, TYPE_CPU) ? &cpu_handler : &dimm_handler;
}

static bool pre_plug(Object *obj, Device *dev, Error **errp)
{
    return handler_for(dev)->pre_plug(obj, dev, errp);
}

static bool plug(Object *obj, Device *dev, Error **errp)
{
    return handler_for(dev)->plug(obj, dev, errp);
}

static bool unplug_request(Object *obj, Device *dev, Error **errp)
{
    return handler_for(dev)->unplug_request(obj, dev, errp);
}

static void unplug(Object *obj, Device *dev)
{
    handler_for(dev)->unplug(obj, dev);
}

const HotplugHandler pc_hotplug = { pre_plug, plug, unplug_request, unplug };

void pc_hotplug_adopt_buses(PcMachine *pc)
{
    Object *acpi = pc->parent.hotplug;
    AcpiHotplug *hp = acpi_hotplug_of_machine();
    AcpiPciScope scope = { 0 };

    if (!acpi || !hp) {
        return;
    }
    scope.with_bridges = object_get_bool(acpi, "acpi-pci-hotplug-with-bridge-support");
    scope.with_root = type_property(acpi->type, "acpi-root-pci-hotplug", NULL) &&
                      object_get_bool(acpi, "acpi-root-pci-hotplug");
    acpi_pci_hotplug_adopt(hp, pc->host->parent.bus, scope);
}
