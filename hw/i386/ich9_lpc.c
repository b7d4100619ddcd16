/*
 * ICH9-LPC: the LPC bridge of Intel's ICH9: routes PIRQ A to H to IOAPIC pins 16 to 23 and to ISA
 * interrupts, holds the root complex registers that say how functions' pins become PIRQs, resets
 * through port 0xcf9. ICH9 data sheet 316972, chapters 10.1 and 13.
 *
 * GPIO, firmware hub and decode registers are kept and do nothing. The board connects "gsi".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"
#include "ich9_lpc.h"

#define PIRQ_ROUT_AT       0x60 /* A to D; E to H are at 0x68 */
#define PIRQ_ROUT_DISABLED BIT(7)
#define PIRQ_ROUT_IRQ      0x0f
#define RCBA_AT            0xf0
#define RCBA_EN            BIT(0)
#define RCBA_BASE          0xffffc000
#define RCBA_PRIORITY      1

/* Chipset configuration registers: pins of devices 25 to 31. */
#define DIR_RESET      0x3210
#define GCS_AT         0x3410
#define GCS_NO_REBOOT  BIT(5)
#define FIRST_ROUTED_SLOT 25
#define FIRST_DIR_AT   0x3140
#define END_DIR_AT     0x3152

/* --- from pins to PIRQs --- */

/* DnIR of slots 25 to 31; slot 30, the bridge to PCI, has pins of its own only. */
static const uint16_t slot_route_at[] = { 0x3150, 0x314c, 0x3148, 0x3146, 0x3144, 0, 0x3140 };

static unsigned lpc_line(void *opaque, const PciDevice *dev, unsigned pin)
{
    const Ich9Lpc *s = opaque;
    unsigned slot = PCI_SLOT(dev->devfn), at;

    if (slot < FIRST_ROUTED_SLOT) {
        return (slot + pin) % 4 + 4; /* E to H */
    }
    at = slot_route_at[slot - FIRST_ROUTED_SLOT];
    return at ? load_le16(s->registers + at) >> (4 * pin) & (ICH9_PIRQS - 1) : pin;
}

/* --- from PIRQs to interrupts --- */

static uint8_t pirq_route(const Ich9Lpc *s, unsigned pirq)
{
    return s->parent.config[PIRQ_ROUT_AT + pirq + (pirq >= 4 ? 4 : 0)];
}

/* ISA interrupts are up while any PIRQ routed to them is, or the SCI. */
static bool is_isa_irq_up(const Ich9Lpc *s, unsigned irq)
{
    PciBus *bus = pci_device_bus(&s->parent);

    for (unsigned pirq = 0; pirq < ICH9_PIRQS; pirq++) {
        uint8_t route = pirq_route(s, pirq);

        if (!(route & PIRQ_ROUT_DISABLED) && (route & PIRQ_ROUT_IRQ) == irq &&
            pci_bus_line_level(bus, pirq)) {
            return true;
        }
    }
    return false;
}

void ich9_lpc_update_gsi(Ich9Lpc *s, unsigned gsi)
{
    bool is_up = s->is_sci_up && ich9_lpc_sci_gsi(s) == gsi;

    if (gsi < ICH9_FIRST_PIRQ_GSI) {
        is_up |= is_isa_irq_up(s, gsi);
    } else {
        is_up |= pci_bus_line_level(pci_device_bus(&s->parent), gsi - ICH9_FIRST_PIRQ_GSI) != 0;
    }
    irq_set(&s->gsi[gsi], is_up);
}

static void lpc_pirq_changed(void *opaque, unsigned pirq, int level)
{
    Ich9Lpc *s = opaque;
    uint8_t route = pirq_route(s, pirq);

    ich9_lpc_update_gsi(s, ICH9_FIRST_PIRQ_GSI + pirq);
    if (!(route & PIRQ_ROUT_DISABLED)) {
        ich9_lpc_update_gsi(s, route & PIRQ_ROUT_IRQ);
    }
}

static const PciIntxRouter lpc_router = { lpc_line, lpc_pirq_changed, ICH9_PIRQS };

static void update_gsis(Ich9Lpc *s)
{
    for (unsigned gsi = 0; gsi < ICH9_GSIS; gsi++) {
        ich9_lpc_update_gsi(s, gsi);
    }
}

/* --- root complex registers --- */

static uint64_t root_complex_read(void *opaque, uint64_t at, unsigned bytes)
{
    return load_bytes(ICH9_LPC(opaque)->registers + at, bytes, ENDIAN_LITTLE);
}

/* Of the write that is under way, for store_pending(). */
static void store_pending(void *opaque)
{
    Ich9Lpc *s = opaque;

    store_bytes(s->registers + s->pending.at, s->pending.bytes, ENDIAN_LITTLE, s->pending.value);
}

/* Functions that drive their pins leave the old PIRQs and join the new ones. */
static void root_complex_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Ich9Lpc *s = opaque;

    s->pending.at = at;
    s->pending.value = value;
    s->pending.bytes = bytes;
    if (pci_range_touches(at, bytes, FIRST_DIR_AT, END_DIR_AT - FIRST_DIR_AT)) {
        pci_bus_reroute(pci_device_bus(&s->parent), store_pending);
    } else {
        store_pending(s);
    }
}

static const MemoryOps root_complex_ops = {
    .read = root_complex_read, .write = root_complex_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 4 },
};

static void map_root_complex(Ich9Lpc *s)
{
    uint32_t rcba = load_le32(s->parent.config + RCBA_AT);

    memory_transaction_begin();
    if (s->is_mapped) {
        memory_region_remove(memory_region_system(), &s->root_complex);
    }
    s->is_mapped = rcba & RCBA_EN;
    if (s->is_mapped) {
        memory_region_add_overlap(memory_region_system(), rcba & RCBA_BASE, &s->root_complex,
                                  RCBA_PRIORITY);
    }
    memory_transaction_commit();
}

/* Software does not override the strap (ICH9, 10.1.75). */
bool ich9_lpc_is_reboot_forbidden(const Ich9Lpc *s)
{
    return s->forbids_reboot || load_le32(s->registers + GCS_AT) & GCS_NO_REBOOT;
}

static void reset_root_complex(Ich9Lpc *s)
{
    memset(s->registers, 0, sizeof(s->registers));
    for (size_t i = 0; i < ARRAY_SIZE(slot_route_at); i++) {
        if (slot_route_at[i]) {
            store_le16(s->registers + slot_route_at[i], DIR_RESET);
        }
    }
    if (s->forbids_reboot) {
        store_le32(s->registers + GCS_AT, GCS_NO_REBOOT);
    }
}

/* --- configuration space --- */

static void lpc_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    Ich9Lpc *s = ICH9_LPC(dev);

    pci_config_write_default(dev, at, value, bytes);
    if (pci_range_touches(at, bytes, RCBA_AT, 4)) {
        map_root_complex(s);
    }
    if (pci_range_touches(at, bytes, PIRQ_ROUT_AT, 12)) {
        update_gsis(s);
    }
    ich9_lpc_pm_config_written(s, at, bytes);
}

static void set_masks(PciDevice *dev)
{
    store_le32(dev->writable + RCBA_AT, RCBA_BASE | RCBA_EN);
}

/* --- life --- */

static void lpc_reset_enter(Device *dev)
{
    Ich9Lpc *s = ICH9_LPC(dev);

    for (unsigned pirq = 0; pirq < ICH9_PIRQS / 2; pirq++) {
        s->parent.config[PIRQ_ROUT_AT + pirq] = PIRQ_ROUT_DISABLED;
        s->parent.config[PIRQ_ROUT_AT + 8 + pirq] = PIRQ_ROUT_DISABLED;
    }
    store_le32(s->parent.config + RCBA_AT, 0);
    reset_root_complex(s);
    s->reset_control.value = 0;
    ich9_lpc_pm_reset_enter(s);
}

static void lpc_reset_hold(Device *dev)
{
    map_root_complex(ICH9_LPC(dev));
}

static void lpc_reset_exit(Device *dev)
{
    ich9_lpc_pm_reset_exit(ICH9_LPC(dev));
    update_gsis(ICH9_LPC(dev));
}

static bool lpc_realize(Device *dev, Error **errp)
{
    Ich9Lpc *s = ICH9_LPC(dev);
    PciBus *bus = pci_device_bus(&s->parent);

    if (bus->bridge || bus->router) {
        return error_set(errp, "ICH9-LPC: it is part of a PC");
    }
    set_masks(&s->parent);
    reset_root_complex(s);
    reset_control_map(&s->reset_control);
    isa_bus_new(dev, memory_region_system(), memory_region_io());
    pci_bus_set_router(bus, &lpc_router, s);
    ich9_lpc_pm_start(s);
    return true;
}

static void lpc_unrealize(Device *dev)
{
    Ich9Lpc *s = ICH9_LPC(dev);

    ich9_lpc_pm_stop(s);
    pci_bus_set_router(pci_device_bus(&s->parent), NULL, NULL);
    reset_control_unmap(&s->reset_control);
    store_le32(s->parent.config + RCBA_AT, 0);
    map_root_complex(s);
}

static void lpc_init(Object *obj)
{
    Ich9Lpc *s = ICH9_LPC(obj);

    memory_region_init_io(&s->root_complex, obj, &root_complex_ops, "lpc-root-complex-regs",
                          ICH9_RCBA_BYTES);
    reset_control_init(&s->reset_control, obj, "lpc-reset-control",
                       RESET_CONTROL_SYSTEM | RESET_CONTROL_FULL);
    ich9_lpc_pm_init(s);
    s->has_smm = true;
}

static void lpc_finalize(Object *obj)
{
    ich9_pm_clear(&ICH9_LPC(obj)->pm);
    reset_control_clear(&ICH9_LPC(obj)->reset_control);
    memory_region_clear(&ICH9_LPC(obj)->root_complex);
}

static bool lpc_post_load(void *opaque, int version, Error **errp)
{
    Ich9Lpc *s = opaque;

    s->reset_control.value &= s->reset_control.writable;
    map_root_complex(s);
    ich9_lpc_pm_loaded(s);
    update_gsis(s);
    return true;
}

#define FACT(name_, type_, doc_)                                                                   \
    PROP_COMPUTED(name_, type_, .get = ich9_lpc_get_fact, .doc = (doc_))

static const Property lpc_props[] = {
    PROP_BOOL("noreboot", Ich9Lpc, forbids_reboot,
              .doc = "The strap that keeps the TCO watchdog from resetting"),
    PROP_BOOL("smm-compat", Ich9Lpc, has_smm_compat,
              .doc = "SMRAM as older machine types show it"),
    PROP_BIT64("x-smi-broadcast", Ich9Lpc, smi.features, 0, .initial = true,
               .doc = "Firmware may have SMIs sent to all CPUs"),
    PROP_BIT64("x-smi-cpu-hotplug", Ich9Lpc, smi.features, 1, .initial = true,
               .doc = "Firmware may have an SMI when a CPU is plugged"),
    PROP_BIT64("x-smi-cpu-hotunplug", Ich9Lpc, smi.features, 2, .initial = true,
               .doc = "Firmware may have an SMI when a CPU is unplugged"),
    FACT("x-smi-negotiated-features", "uint64", "SMI features firmware has asked for and got"),
    FACT("pm_io_base", "uint32", "Where power management registers are"),
    FACT("gpe0_blk", "uint32", "Where GPE0 registers are"),
    FACT("gpe0_blk_len", "uint32", "Bytes of them"),
    FACT("acpi_enable_cmd", "uint8", "What SMI_CMD takes to turn ACPI on"),
    FACT("acpi_disable_cmd", "uint8", "What SMI_CMD takes to turn ACPI off"),
    FACT("sci_int", "uint8", "The SCI's interrupt"),
    ICH9_PM_PROPS(Ich9Lpc, pm),
};
static const VMField lpc_fields[] = {
    VM_U8(Ich9Lpc, reset_control.value), VM_BUFFER(Ich9Lpc, registers),
    VM_BOOL(Ich9Lpc, is_sci_up), VM_STRUCT(Ich9Lpc, pm, ich9_pm_state),
    VM_STRUCT(Ich9Lpc, smi, ich9_smi_state),
};

static AcpiHotplug *lpc_hotplug(Object *obj)
{
    return &ICH9_LPC(obj)->pm.hotplug;
}

static const AcpiDeviceIf lpc_acpi = { lpc_hotplug };
static const InterfaceImpl lpc_interfaces[] = {
    { TYPE_PCI_CONVENTIONAL },
    { TYPE_ACPI_DEVICE_IF, &lpc_acpi },
    { TYPE_HOTPLUG_HANDLER, &ich9_hotplug_handler },
    { 0 },
};

static const PciDeviceType lpc_type = {
    .name = TYPE_ICH9_LPC,
    .doc = "ICH9 LPC bridge",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(Ich9Lpc),
    .vendor_id = 0x8086, .device_id = 0x2918, .class_id = 0x0601, .revision = 2,
    .category = DEVICE_CATEGORY_BRIDGE,
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .interfaces = lpc_interfaces,
    .irqs = IRQS(((const IrqDef[]){ IRQ_ROW_OUT("gsi", Ich9Lpc, gsi[0], .count = ICH9_GSIS) })),
    .properties = PROPERTIES(lpc_props),
    .kept_asleep = ich9_lpc_kept_asleep,
    .config_write = lpc_config_write,
    .init = lpc_init,
    .finalize = lpc_finalize,
    .realize = lpc_realize,
    .unrealize = lpc_unrealize,
    .reset_enter = lpc_reset_enter,
    .reset_hold = lpc_reset_hold,
    .reset_exit = lpc_reset_exit,
    /* Routes are there before functions that drive their pins. */
    .vmstate = VMSTATE(lpc_fields, .version = 1, .priority = 1, .post_load = lpc_post_load),
};
PCI_DEVICE_TYPE(lpc_type)
