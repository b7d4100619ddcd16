/*
 * The board of 1996: i440FX and PIIX.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/piix4_pm.h"
#include "hw/i2c/smbus_eeprom.h"
#include "pc_machine.h"
#include "x86_smi.h"

#define MOST_RAM_BELOW_4G   UINT64_C(0xe0000000)
/* With RAM above 4 GiB too: its pages of 1 GiB stay whole. */
#define WHOLE_RAM_BELOW_4G  UINT64_C(0xc0000000)

static uint64_t split_ram(const PcMachine *pc)
{
    uint64_t bytes = pc->parent.parent.memory.size_bytes;
    uint64_t split = pc->max_ram_below_4g ? pc->max_ram_below_4g : MOST_RAM_BELOW_4G;

    if (bytes < split) {
        return split;
    }
    split = MIN(split, WHOLE_RAM_BELOW_4G);
    if (split % GiB) {
        warn_report("Large machine and max_ram_below_4g (%" PRIu64 ") not a multiple of 1G; "
                    "possible bad performance.", split);
    }
    return split;
}

/* --- PIIX4's power management --- */

#define SMBUS_PORT 0xb100
#define SCI_GSI    9
#define MODULE_BYTES (128 * MiB) /* what the SMBus tells, whatever there is */

static bool has_pm(const PcMachine *pc)
{
    return x86_is_on(pc->parent.acpi);
}

static void prepare_pm(PcMachine *pc, Device *pm)
{
    object_set_int(pm, "smb_io_base", pc->has_smbus ? SMBUS_PORT : 0, NULL);
    object_set_bool(pm, "smm-enabled", x86_is_on(pc->parent.smm), NULL);
}

static void wire_pm(PcMachine *pc, Device *pm)
{
    irq_connect(device_irq_out(pm, NULL, 0), x86_gsi_input(&pc->parent.gsi, SCI_GSI));
    if (x86_is_on(pc->parent.smm)) {
        irq_connect(device_irq_out(pm, "smi-irq", 0), irq_inputs_at(&pc->parent.smi, 0));
    }
    if (pc->has_smbus) {
        smbus_eeprom_add_modules(I2C_BUS(pm->buses->pdata[0]), SPD_SDR, MODULE_BYTES);
    }
    pc->parent.acpi_device = pm;
}

/* --- IDE --- */

static void wire_ide(PcMachine *pc, Device *ide)
{
    irq_connect(device_irq_out(ide, NULL, 0), irq_inputs_at(&pc->isa->in, 14));
    irq_connect(device_irq_out(ide, NULL, 1), irq_inputs_at(&pc->isa->in, 15));
}

static const PcFunction functions[] = {
    { "piix3-ide", PCI_DEVFN(1, 1), .wire = wire_ide, .has_ide_drives = true },
    { TYPE_PIIX4_PM, PCI_DEVFN(1, 3), .is_wanted = has_pm, .prepare = prepare_pm,
      .wire = wire_pm },
    { NULL },
};

static const PcMachineType i440fx_type = {
    .name = TYPE_PC_I440FX,
    .doc = "Standard PC (i440FX + PIIX, 1996)",
    .parent = TYPE_PC_MACHINE,
    .is_abstract = true,
    .family = "pc_piix",
    .host_type = TYPE_I440FX_HOST,
    .host_name = "i440fx",
    .bridge_type = TYPE_PIIX3,
    .bridge_devfn = PCI_DEVFN(1, 0),
    .bridge_irqs = "isa-irqs",
    .bridge_irq_count = ISA_IRQS,
    .has_floppy_drive = true,
    .has_floppy = true,
    .default_nic = "e1000",
    .hpet_lines = BIT(2),
    .split_ram = split_ram,
    .functions = functions,
};
OBJECT_TYPE(i440fx_type)
