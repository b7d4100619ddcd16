/*
 * PIIX4_PM: function 3 of the PIIX4 south bridge: power management and SMBus. Intel 82371AB data
 * sheet, chapters 7 and 11. GPE0 is not the chip's two bytes but a block of its own, which boards
 * that hot-plug need.
 *
 * Not modelled: the device monitors and their traps, global standby, throttling; their
 * registers are storage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/hotplug.h"
#include "hw/acpi/piix4_pm.h"
#include "hw/core/hotplug.h"
#include "hw/i2c/smbus_host.h"
#include "hw/pci/pci_bus.h"
#include "util/byte_order.h"

enum { PMBA = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBA = 0x90, SMBHSTCFG = 0xd2 };
#define BASE_IO            1u     /* the lowest bit of a port's base reads as 1 */
#define PMBA_BASE          0xffc0u
#define DEVACTB_APMC_EN    BIT(25)
#define PMREGMISC_PMIOSE   BIT(0)
#define SMBBA_BASE         0xffc0u
#define SMBHSTCFG_ENABLED  BIT(0)
#define SMBHSTCFG_IRQ(v)   ((v) >> 1 & 7)
#define SMBHSTCFG_IRQ9     4

typedef struct Piix4Pm {
    PciDevice parent;
    AcpiPm pm;
    SmbusHost smbus;
    AcpiHotplug hotplug;
    MemoryRegion io;          /* what PMBA moves */
    MemoryRegion *smbus_seen; /* the space it is mapped in; NULL: not */
    IrqLine sci, smi;
    bool is_sci_up, is_smbus_up;
    /* properties */
    uint32_t smbus_base;
    uint8_t disable_s3, disable_s4, s4_type;
    bool hotplugs_bridges, hotplugs_root, hotplugs_memory, has_smm, has_smm_compat, omits_index;
} Piix4Pm;
DECLARE_CAST(Piix4Pm, PIIX4_PM)

/* --- lines --- */

static void update_sci(Piix4Pm *p)
{
    irq_set(&p->sci, p->is_sci_up || p->is_smbus_up);
}

static void set_sci(AcpiPm *pm, bool is_up)
{
    Piix4Pm *p = container_of(pm, Piix4Pm, pm);

    p->is_sci_up = is_up;
    update_sci(p);
}

/* The SMBus' own line is IRQ 9, the SCI's. */
static void set_smbus_irq(SmbusHost *host, bool is_up)
{
    Piix4Pm *p = container_of(host, Piix4Pm, smbus);
    const uint8_t *config = p->parent.config;

    p->is_smbus_up = is_up && config && SMBHSTCFG_IRQ(config[SMBHSTCFG]) == SMBHSTCFG_IRQ9;
    update_sci(p);
}

static void raise_smi(AcpiPm *pm, uint8_t command)
{
    Piix4Pm *p = container_of(pm, Piix4Pm, pm);

    if (load_le32(p->parent.config + DEVACTB) & DEVACTB_APMC_EN) {
        irq_pulse(&p->smi);
    }
}

static const AcpiPmChip pm_chip = {
    .gpe_bytes = PIIX4_GPE0_BYTES,
    .acpi_enable_cmd = PIIX4_ACPI_ENABLE, .acpi_disable_cmd = PIIX4_ACPI_DISABLE,
    .set_sci = set_sci, .raise_smi = raise_smi,
};
static const AcpiHotplugChip hotplug_chip = { PIIX4_CPU_HOTPLUG_PORT, PIIX4_PCI_HOTPLUG_PORT };
static const SmbusHostChip smbus_chip = { .set_irq = set_smbus_irq };

/* --- what configuration space moves --- */

static void map_smbus(Piix4Pm *p, uint16_t base)
{
    MemoryRegion *space = base ? pci_device_bus(&p->parent)->io : NULL;

    if (p->smbus_seen) {
        memory_region_remove(p->smbus_seen, &p->smbus.io);
    }
    if (space) {
        memory_region_add(space, base, &p->smbus.io);
    }
    p->smbus_seen = space;
}

static void update_mappings(Piix4Pm *p)
{
    const uint8_t *config = p->parent.config;
    bool has_smbus = config[SMBHSTCFG] & SMBHSTCFG_ENABLED;

    memory_transaction_begin();
    memory_region_set_enabled(&p->io, config[PMREGMISC] & PMREGMISC_PMIOSE);
    memory_region_set_address(&p->io, load_le32(config + PMBA) & PMBA_BASE);
    map_smbus(p, has_smbus ? load_le32(config + SMBBA) & SMBBA_BASE : 0);
    memory_transaction_commit();
}

static void config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    pci_config_write_default(dev, at, value, bytes);
    if (pci_range_touches(at, bytes, PMBA, 4) || pci_range_touches(at, bytes, PMREGMISC, 1) ||
        pci_range_touches(at, bytes, SMBBA, 4) || pci_range_touches(at, bytes, SMBHSTCFG, 1)) {
        update_mappings(PIIX4_PM(dev));
    }
}

/* --- life --- */

static void piix4_pm_init(Object *obj)
{
    Piix4Pm *p = PIIX4_PM(obj);

    acpi_pm_init(&p->pm, DEVICE(obj), &pm_chip);
    acpi_hotplug_init(&p->hotplug, &p->pm, &hotplug_chip);
    smbus_host_init(&p->smbus, DEVICE(obj), &smbus_chip);
    memory_region_init(&p->io, obj, "piix4-pm", PIIX4_PM_BYTES);
    memory_region_add(&p->io, PIIX4_PM_EVENT, &p->pm.event);
    memory_region_add(&p->io, PIIX4_PM_CONTROL, &p->pm.control);
    memory_region_add(&p->io, PIIX4_PM_TIMER, &p->pm.timer);
}

static void piix4_pm_finalize(Object *obj)
{
    Piix4Pm *p = PIIX4_PM(obj);

    memory_region_remove(&p->io, &p->pm.event);
    memory_region_remove(&p->io, &p->pm.control);
    memory_region_remove(&p->io, &p->pm.timer);
    memory_region_clear(&p->io);
    smbus_host_clear(&p->smbus);
    acpi_hotplug_clear(&p->hotplug);
    acpi_pm_clear(&p->pm);
}

static void set_config(Piix4Pm *p)
{
    uint8_t *config = p->parent.config;

    store_le32(config + PMBA, BASE_IO);
    /* Without SMM nobody answers an SMI: firmware is to see it as set up. */
    store_le32(config + DEVACTB, p->has_smm ? 0 : DEVACTB_APMC_EN);
    config[PMREGMISC] = 0;
    store_le32(config + SMBBA, p->smbus_base | BASE_IO);
    config[SMBHSTCFG] = p->smbus_base ? SMBHSTCFG_ENABLED | SMBHSTCFG_IRQ9 << 1 : 0;
}

static void set_masks(PciDevice *pci)
{
    memset(pci->writable + PCI_HEADER_SIZE, 0, pci->config_size - PCI_HEADER_SIZE);
    store_le32(pci->writable + PMBA, PMBA_BASE);
    memset(pci->writable + PMBA + 4, 0xff, DEVACTB + 4 - PMBA - 4);
    memset(pci->writable + 0x5c, 0xff, 0x7c - 0x5c);
    pci->writable[PMREGMISC] = PMREGMISC_PMIOSE;
    store_le32(pci->writable + SMBBA, SMBBA_BASE);
    pci->writable[SMBHSTCFG] = 0x0f;
}

static bool piix4_pm_realize(Device *dev, Error **errp)
{
    Piix4Pm *p = PIIX4_PM(dev);
    PciDevice *pci = &p->parent;
    MemoryRegion *io = pci_device_bus(pci)->io;

    set_masks(pci);
    store_le16(pci->config + PCI_STATUS, 0x0280); /* fast, medium DEVSEL */
    pci->config[PCI_INTERRUPT_PIN] = 1;
    set_config(p);
    p->pm.s4_type = p->s4_type;
    if (!p->smbus.bus) {
        p->smbus.bus = i2c_bus_new(dev, "i2c");
    }
    memory_region_add(io, 0, &p->io);
    memory_region_add(io, PIIX4_GPE0_PORT, &p->pm.gpe);
    memory_region_add(io, PIIX4_APM_PORT, &p->pm.command);
    update_mappings(p);
    acpi_hotplug_start(&p->hotplug, p->hotplugs_memory);
    acpi_pm_start(&p->pm);
    return true;
}

static void piix4_pm_unrealize(Device *dev)
{
    Piix4Pm *p = PIIX4_PM(dev);
    MemoryRegion *io = pci_device_bus(&p->parent)->io;

    acpi_pm_stop(&p->pm);
    acpi_hotplug_stop(&p->hotplug);
    map_smbus(p, 0);
    memory_region_remove(io, &p->pm.command);
    memory_region_remove(io, &p->pm.gpe);
    memory_region_remove(io, &p->io);
}

static void piix4_pm_reset_enter(Device *dev)
{
    Piix4Pm *p = PIIX4_PM(dev);

    set_config(p);
    acpi_pm_reset_enter(&p->pm);
    smbus_host_reset(&p->smbus);
    acpi_hotplug_reset(&p->hotplug);
    update_mappings(p);
}

static void piix4_pm_reset_exit(Device *dev)
{
    acpi_pm_reset_exit(&PIIX4_PM(dev)->pm);
}

static bool post_load(void *opaque, int version, Error **errp)
{
    update_mappings(opaque);
    return true;
}

static const VMField piix4_pm_fields[] = {
    VM_STRUCT(Piix4Pm, pm, acpi_pm_state), VM_STRUCT(Piix4Pm, smbus, smbus_host_state),
    VM_STRUCT(Piix4Pm, hotplug, acpi_hotplug_state),
    VM_BOOL(Piix4Pm, is_sci_up), VM_BOOL(Piix4Pm, is_smbus_up),
};

static const Property piix4_pm_props[] = {
    PROP_U32("smb_io_base", Piix4Pm, smbus_base, .max = SMBBA_BASE,
             .doc = "Where the SMBus registers are after a reset; 0: nowhere"),
    PROP_U8("disable_s3", Piix4Pm, disable_s3, .max = 1, .doc = "1: no suspend to RAM"),
    PROP_U8("disable_s4", Piix4Pm, disable_s4, .max = 1, .doc = "1: no suspend to disk"),
    PROP_U8("s4_val", Piix4Pm, s4_type, .initial = 2, .max = 7,
            .doc = "Sleep type of suspend to disk"),
    PROP_BOOL("acpi-pci-hotplug-with-bridge-support", Piix4Pm, hotplugs_bridges, .initial = true,
              .doc = "ACPI hot-plug behind PCI bridges"),
    PROP_BOOL("acpi-root-pci-hotplug", Piix4Pm, hotplugs_root, .initial = true,
              .doc = "ACPI hot-plug on the root bus"),
    PROP_BOOL("memory-hotplug-support", Piix4Pm, hotplugs_memory, .initial = true,
              .doc = "Registers for memory hot-plug"),
    PROP_BOOL("smm-compat", Piix4Pm, has_smm_compat,
              .doc = "SMRAM as older machine types show it"),
    PROP_BOOL("smm-enabled", Piix4Pm, has_smm, .doc = "Firmware gets SMIs"),
    PROP_BOOL("x-not-migrate-acpi-index", Piix4Pm, omits_index,
              .doc = "Saved state without the slot's acpi-index, as of older machine types"),
};
static const IrqDef piix4_pm_irqs[] = {
    IRQ_ROW_OUT(NULL, Piix4Pm, sci), IRQ_ROW_OUT("smi-irq", Piix4Pm, smi),
};

static AcpiHotplug *piix4_pm_hotplug(Object *obj)
{
    return &PIIX4_PM(obj)->hotplug;
}

static const AcpiDeviceIf piix4_pm_acpi = { piix4_pm_hotplug };
static const InterfaceImpl piix4_pm_interfaces[] = {
    { TYPE_PCI_CONVENTIONAL },
    { TYPE_ACPI_DEVICE_IF, &piix4_pm_acpi },
    { TYPE_HOTPLUG_HANDLER, &acpi_hotplug_handler },
    { 0 },
};

static const PciDeviceType piix4_pm_type = {
    .name = TYPE_PIIX4_PM,
    .doc = "Power management of PIIX4",
    .parent = TYPE_PCI_DEVICE,
    .interfaces = piix4_pm_interfaces,
    .size = sizeof(Piix4Pm),
    .vendor_id = 0x8086, .device_id = 0x7113, .class_id = 0x0680, .revision = 3,
    .access = DEVICE_ACCESS_BOARD,
    .category = DEVICE_CATEGORY_BRIDGE,
    .is_not_hotpluggable = true,
    .config_write = config_write,
    .properties = PROPERTIES(piix4_pm_props),
    .irqs = IRQS(piix4_pm_irqs),
    .init = piix4_pm_init,
    .finalize = piix4_pm_finalize,
    .realize = piix4_pm_realize,
    .unrealize = piix4_pm_unrealize,
    .reset_enter = piix4_pm_reset_enter,
    .reset_exit = piix4_pm_reset_exit,
    .vmstate = VMSTATE(piix4_pm_fields, .version = 1, .post_load = post_load),
};
PCI_DEVICE_TYPE(piix4_pm_type)
