/*
 * i440FX-pcihost, i440FX: Intel 82441FX host bridge and memory controller: PAM and SMRAM; the
 * configuration registers of DRAM timing and errors are kept and do nothing. Data sheet 290549.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pam.h"
#include "pc_host.h"
#include "smram.h"

#define PAM_AT   0x59
#define SMRAM_AT 0x72

typedef struct I440fx {
    PciDevice parent;
    Object *host; /* referenced: our aliases are on its memory */
    Pam pam;
    Smram smram;
} I440fx;
DECLARE_CAST(I440fx, I440FX)

/* --- the function --- */

static void i440fx_update(I440fx *s)
{
    memory_transaction_begin();
    pam_update(&s->pam, s->parent.config + PAM_AT);
    smram_update(&s->smram, &s->parent, SMRAM_AT);
    memory_transaction_commit();
}

static void i440fx_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    pci_config_write_default(dev, at, value, bytes);
    if (pci_range_touches(at, bytes, PAM_AT, PAM_REGISTERS) ||
        pci_range_touches(at, bytes, SMRAM_AT, 1)) {
        i440fx_update(I440FX(dev));
    }
}

static bool i440fx_realize(Device *dev, Error **errp)
{
    I440fx *s = I440FX(dev);
    Object *owner = dev->bus->owner ? &dev->bus->owner->parent : NULL;

    if (!owner || !object_is_a(owner, TYPE_I440FX_HOST)) {
        return error_set(errp, "i440FX: it is part of an " TYPE_I440FX_HOST);
    }
    object_unref(s->host);
    s->host = object_ref(owner);
    pam_map(&s->pam, &dev->parent, PC_HOST(owner)->ram, &PC_HOST(owner)->pci);
    smram_map(&s->smram, &dev->parent, PC_HOST(owner)->ram, &PC_HOST(owner)->pci);
    smram_reset_register(&s->parent, SMRAM_AT);
    return true;
}

static void i440fx_unrealize(Device *dev)
{
    pam_unmap(&I440FX(dev)->pam);
    smram_unmap(&I440FX(dev)->smram);
}

static void i440fx_finalize(Object *obj)
{
    pam_clear(&I440FX(obj)->pam);
    smram_clear(&I440FX(obj)->smram);
    object_unref(I440FX(obj)->host);
}

static void i440fx_reset_enter(Device *dev)
{
    smram_reset_register(&I440FX(dev)->parent, SMRAM_AT);
}

static void i440fx_reset_hold(Device *dev)
{
    i440fx_update(I440FX(dev));
}

static bool i440fx_post_load(void *opaque, int version, Error **errp)
{
    i440fx_update(opaque);
    return true;
}

static const VMState i440fx_state = { .version = 1, .post_load = i440fx_post_load };

/* SeaBIOS sees by its copy in RAM that it ran before. */
static const PciConfigRange i440fx_kept_asleep[] = { { PAM_AT, PAM_REGISTERS }, { 0 } };

static const PciDeviceType i440fx_type = {
    .name = TYPE_I440FX,
    .doc = "Host bridge",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(I440fx),
    .vendor_id = 0x8086, .device_id = 0x1237, .revision = 2,
    .class_id = 0x0600,
    .category = DEVICE_CATEGORY_BRIDGE,
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
    .kept_asleep = i440fx_kept_asleep,
    .config_write = i440fx_config_write,
    .finalize = i440fx_finalize,
    .realize = i440fx_realize,
    .unrealize = i440fx_unrealize,
    .reset_enter = i440fx_reset_enter,
    .reset_hold = i440fx_reset_hold,
    .vmstate = &i440fx_state,
};
PCI_DEVICE_TYPE(i440fx_type)

/* --- the host bridge --- */

static bool host_realize(Device *dev, Error **errp)
{
    g_autoptr(Device) i440fx = device_new(TYPE_I440FX);

    return pc_host_realize(PC_HOST(dev), TYPE_PCI_BUS, "pci.0", i440fx, errp);
}

static const Property host_props[] = { PC_HOST_PROPS(2 * GiB) };

static const DeviceType host_type = {
    .name = TYPE_I440FX_HOST,
    .doc = "Intel 440FX host bridge",
    .parent = TYPE_PCI_HOST,
    .size = sizeof(PcHost),
    .access = DEVICE_ACCESS_BOARD,
    .properties = PROPERTIES(host_props),
    .init = pc_host_init,
    .finalize = pc_host_finalize,
    .realize = host_realize,
    .unrealize = pc_host_unrealize,
};
DEVICE_TYPE(host_type)
