/*
 * The board of 2009: Q35 and ICH9, with PCI Express.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/i2c/smbus_eeprom.h"
#include "ich9_lpc.h"
#include "pc_machine.h"

/* ECAM follows at 0xb0000000; large machines keep pages of 1 GiB whole. */
#define MOST_RAM_BELOW_4G  UINT64_C(0xb0000000)
#define WHOLE_RAM_BELOW_4G UINT64_C(0x80000000)

static uint64_t split_ram(const PcMachine *pc)
{
    uint64_t bytes = pc->parent.parent.memory.size_bytes;
    uint64_t split = bytes >= MOST_RAM_BELOW_4G ? WHOLE_RAM_BELOW_4G : MOST_RAM_BELOW_4G;
    uint64_t most = pc->max_ram_below_4g ? pc->max_ram_below_4g : 4 * GiB;

    if (split <= most) {
        return split;
    }
    if (bytes > 2 * most && most % GiB) {
        warn_report("There is possibly poor performance as the ram size  (0x%" PRIx64 ") is more "
                    "then twice the size of max-ram-below-4g (%" PRIu64 ") and max-ram-below-4g is "
                    "not a multiple of 1G.", bytes, most);
    }
    return most;
}

#define MODULE_BYTES (128 * MiB) /* what the SMBus tells, whatever there is */

static void prepare_bridge(PcMachine *pc, Device *lpc)
{
    ICH9_LPC(lpc)->has_smm = x86_is_on(pc->parent.smm);
    if (x86_is_on(pc->parent.acpi)) {
        pc->parent.acpi_device = lpc;
    }
}

static bool has_sata(const PcMachine *pc)
{
    return pc->has_sata;
}

static bool has_smbus(const PcMachine *pc)
{
    return pc->has_smbus;
}

static void wire_smbus(PcMachine *pc, Device *smbus)
{
    smbus_eeprom_add_modules(I2C_BUS(smbus->buses->pdata[0]), SPD_DDR, MODULE_BYTES);
}

static bool complete(PcMachine *pc, Error **errp)
{
    return ich9_lpc_offer_smi_features(&pc->isa_bridge->parent, pc->parent.fw_cfg, errp);
}

static const PcFunction functions[] = {
    { "ich9-ahci", PCI_DEVFN(31, 2), .is_multifunction = true, .is_wanted = has_sata,
      .has_ide_drives = true },
    { "ICH9-SMB", PCI_DEVFN(31, 3), .is_multifunction = true, .is_wanted = has_smbus,
      .wire = wire_smbus },
    { NULL },
};

static const Property q35_props[] = { PROP_X86_BUS_NUMBERS };

/* Firmware numbers buses as it likes. */
static void q35_init(Object *obj)
{
    X86_MACHINE(obj)->bus_numbers = PCI_BUS_COUNT;
}

static const PcMachineType q35_type = {
    .name = TYPE_PC_Q35,
    .doc = "Standard PC (Q35 + ICH9, 2009)",
    .parent = TYPE_PC_MACHINE,
    .is_abstract = true,
    .properties = PROPERTIES(q35_props),
    .init = q35_init,
    .family = "pc_q35",
    .host_type = TYPE_Q35_HOST,
    .host_name = "q35",
    .bridge_type = TYPE_ICH9_LPC,
    .bridge_devfn = PCI_DEVFN(31, 0),
    .bridge_irqs = "gsi",
    .bridge_irq_count = X86_IOAPIC_PINS,
    .ide_units = 1,
    .hpet_lines = 0xff0104, /* 2, 8, 16 to 23 */
    .split_ram = split_ram,
    .functions = functions,
    .prepare_bridge = prepare_bridge,
    .complete_board = complete,
};
OBJECT_TYPE(q35_type)
