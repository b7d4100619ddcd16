/*
 * ICH9-SMB: the SMBus function of ICH9. Intel ICH9 data sheet, chapter 19. Its interrupt is INTx;
 * SMIs in its place (HOSTC.SMB_SMI_EN) are not modelled, the bit stays 0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/i2c/smbus_host.h"
#include "hw/pci/pci_bus.h"
#include "util/byte_order.h"

#define SMB_BASE       4    /* the BAR */
#define HOSTC          0x40
#define HOSTC_HST_EN   BIT(0)
#define HOSTC_I2C_EN   BIT(2)
#define HOSTC_SSRESET  BIT(3)

typedef struct Ich9Smbus {
    PciDevice parent;
    SmbusHost host;
} Ich9Smbus;
DECLARE_CAST(Ich9Smbus, ICH9_SMBUS)

static void set_irq(SmbusHost *host, bool is_up)
{
    PciDevice *dev = &container_of(host, Ich9Smbus, host)->parent;

    if (dev->devfn >= 0) {
        pci_intx_set(dev, is_up);
    }
}

static const SmbusHostChip chip = { .is_ich = true, .set_irq = set_irq };

static void update(Ich9Smbus *smb)
{
    memory_region_set_enabled(&smb->host.io, smb->parent.config[HOSTC] & HOSTC_HST_EN);
}

static void config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    pci_config_write_default(dev, at, value, bytes);
    if (pci_range_touches(at, bytes, HOSTC, 1)) {
        if (value >> (HOSTC - at) * 8 & HOSTC_SSRESET) {
            smbus_host_reset(&ICH9_SMBUS(dev)->host);
        }
        update(ICH9_SMBUS(dev));
    }
}

static void ich9_smbus_init(Object *obj)
{
    smbus_host_init(&ICH9_SMBUS(obj)->host, DEVICE(obj), &chip);
}

static void ich9_smbus_finalize(Object *obj)
{
    smbus_host_clear(&ICH9_SMBUS(obj)->host);
}

static bool ich9_smbus_realize(Device *dev, Error **errp)
{
    Ich9Smbus *smb = ICH9_SMBUS(dev);
    PciDevice *pci = &smb->parent;

    memset(pci->writable + PCI_HEADER_SIZE, 0, pci->config_size - PCI_HEADER_SIZE);
    pci->writable[HOSTC] = HOSTC_HST_EN | HOSTC_I2C_EN;
    pci->config[PCI_INTERRUPT_PIN] = 1;
    pci_add_bar(pci, SMB_BASE, PCI_BAR_IO, &smb->host.io);
    if (!smb->host.bus) {
        smb->host.bus = i2c_bus_new(dev, "i2c");
    }
    update(smb);
    return true;
}

static void ich9_smbus_reset_enter(Device *dev)
{
    PCI_DEVICE(dev)->config[HOSTC] = 0;
    smbus_host_reset(&ICH9_SMBUS(dev)->host);
    update(ICH9_SMBUS(dev));
}

static bool post_load(void *opaque, int version, Error **errp)
{
    update(opaque);
    return true;
}

static const VMField ich9_smbus_fields[] = { VM_STRUCT(Ich9Smbus, host, smbus_host_state) };

static const PciDeviceType ich9_smbus_type = {
    .name = "ICH9-SMB",
    .doc = "SMBus of ICH9",
    .parent = TYPE_PCI_DEVICE,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
    .size = sizeof(Ich9Smbus),
    .vendor_id = 0x8086, .device_id = 0x2930, .class_id = 0x0c05, .revision = 2,
    .access = DEVICE_ACCESS_BOARD,
    .category = DEVICE_CATEGORY_MISC,
    .is_not_hotpluggable = true,
    .config_write = config_write,
    .init = ich9_smbus_init,
    .finalize = ich9_smbus_finalize,
    .realize = ich9_smbus_realize,
    .reset_enter = ich9_smbus_reset_enter,
    .vmstate = VMSTATE(ich9_smbus_fields, .version = 1, .post_load = post_load),
};
PCI_DEVICE_TYPE(ich9_smbus_type)
