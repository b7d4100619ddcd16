/*
 * acpi-ged: the generic event device (ACPI 6.4, 5.6.9) as a register the guest reads on its
 * interrupt, and the sleep and reset registers of hardware-reduced ACPI beside it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/ged.h"
#include "system/run_state.h"
#include "trace.h"
#include "util/log.h"

#define SLEEP_ENABLE BIT(5)
#define SLEEP_TYPE(value) ((value) >> 2 & 7)

typedef struct AcpiGed {
    MmioDevice parent;
    MemoryRegion selector, memory, registers;
    IrqLine irq;
    uint32_t events;  /* property */
    uint32_t pending; /* what the selector shows, until it is read */
    Notifier powerdown;
} AcpiGed;
DECLARE_CAST(AcpiGed, ACPI_GED)

void acpi_ged_raise(Device *dev, uint32_t event)
{
    AcpiGed *ged = ACPI_GED(dev);

    event &= ged->events;
    if (event) {
        trace_acpi_ged_raise(event);
        ged->pending |= event;
        irq_pulse(&ged->irq);
    }
}

MemoryRegion *acpi_ged_memory_container(Device *dev)
{
    return &ACPI_GED(dev)->memory;
}

static uint64_t selector_read(void *opaque, uint64_t at, unsigned bytes)
{
    AcpiGed *ged = opaque;
    uint32_t pending = ged->pending;

    ged->pending = 0;
    return pending;
}

static void selector_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    guest_error("acpi-ged: write to the selector");
}

static uint64_t registers_read(void *opaque, uint64_t at, unsigned bytes)
{
    return 0;
}

static void registers_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    if (at == ACPI_GED_SLEEP_CONTROL && (value & SLEEP_ENABLE)) {
        if (SLEEP_TYPE(value) == ACPI_GED_S5_TYPE) {
            vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        } else {
            guest_error("acpi-ged: sleep type %u", (unsigned)SLEEP_TYPE(value));
        }
    } else if (at == ACPI_GED_RESET && value == ACPI_GED_RESET_VALUE) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static const MemoryOps selector_ops = {
    .read = selector_read, .write = selector_write, .endian = ENDIAN_LITTLE,
    .valid = { 4, 4 }, .impl = { 4, 4 },
};
static const MemoryOps register_ops = {
    .read = registers_read, .write = registers_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 1 }, .impl = { 1, 1 },
};

static void powered_down(Notifier *notifier, void *data)
{
    acpi_ged_raise(&container_of(notifier, AcpiGed, powerdown)->parent.parent,
                   ACPI_GED_POWER_DOWN);
}

static void acpi_ged_init(Object *obj)
{
    AcpiGed *ged = ACPI_GED(obj);

    memory_region_init_io(&ged->selector, obj, &selector_ops, "acpi-ged", 4);
    memory_region_init(&ged->memory, obj, "memhp container", ACPI_GED_MEMORY_BYTES);
    memory_region_init_io(&ged->registers, obj, &register_ops, "acpi-ged-regs",
                          ACPI_GED_REGISTER_BYTES);
    mmio_device_add_region(&ged->parent, &ged->selector);
    mmio_device_add_region(&ged->parent, &ged->memory);
    mmio_device_add_region(&ged->parent, &ged->registers);
}

static void acpi_ged_finalize(Object *obj)
{
    memory_region_clear(&ACPI_GED(obj)->selector);
    memory_region_clear(&ACPI_GED(obj)->memory);
    memory_region_clear(&ACPI_GED(obj)->registers);
}

static bool acpi_ged_realize(Device *dev, Error **errp)
{
    ACPI_GED(dev)->powerdown.fn = powered_down;
    vm_add_powerdown_notifier(&ACPI_GED(dev)->powerdown);
    return true;
}

static void acpi_ged_unrealize(Device *dev)
{
    notifier_remove(&ACPI_GED(dev)->powerdown);
}

static void acpi_ged_reset_enter(Device *dev)
{
    ACPI_GED(dev)->pending = 0;
}

static const Property acpi_ged_props[] = {
    PROP_U32("ged-event", AcpiGed, events, .doc = "Events it reports, as bits of its selector"),
};
static const VMField acpi_ged_fields[] = { VM_U32(AcpiGed, pending) };
static const IrqDef acpi_ged_irqs[] = { IRQ_ROW_OUT("sysbus-irq", AcpiGed, irq) };

static const DeviceType acpi_ged_type = {
    .name = TYPE_ACPI_GED,
    .doc = "ACPI generic event device",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(AcpiGed),
    .init = acpi_ged_init,
    .finalize = acpi_ged_finalize,
    .irqs = IRQS(acpi_ged_irqs),
    .properties = PROPERTIES(acpi_ged_props),
    .vmstate = VMSTATE(acpi_ged_fields, .version = 1),
    .realize = acpi_ged_realize,
    .unrealize = acpi_ged_unrealize,
    .reset_enter = acpi_ged_reset_enter,
};
DEVICE_TYPE(acpi_ged_type)

static const DeviceType acpi_ged_x86_type = {
    .name = TYPE_ACPI_GED_X86,
    .doc = "ACPI generic event device of x86 machines",
    .parent = TYPE_ACPI_GED,
};
DEVICE_TYPE(acpi_ged_x86_type)
