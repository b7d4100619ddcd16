/*
 * q35-pcihost: the host bridge of a Q35 board: the root complex and its function 0, the MCH.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pc_host.h"

#define DEFAULT_ECAM UINT64_C(0xb0000000) /* where firmware puts it, for who asks before */

typedef struct Q35Host {
    PcHost parent;
    uint64_t ecam_default; /* property */
    Device *mch;           /* our child */
} Q35Host;
DECLARE_CAST(Q35Host, Q35_HOST)

static json_object *get_ecam(Object *obj, const Property *p, Error **errp)
{
    uint64_t base = PCI_HOST(obj)->ecam_base;

    return json_object_new_uint64(base == PCI_UNMAPPED ? Q35_HOST(obj)->ecam_default : base);
}

static json_object *get_ecam_size(Object *obj, const Property *p, Error **errp)
{
    const PciHost *host = PCI_HOST(obj);

    return json_object_new_uint64(host->ecam_base == PCI_UNMAPPED ? 0 : host->ecam.size);
}

static void host_init(Object *obj)
{
    Q35Host *host = Q35_HOST(obj);

    pc_host_init(obj);
    host->ecam_default = DEFAULT_ECAM;
    host->mch = device_new(TYPE_MCH);
    object_add_child(obj, "mch", host->mch, NULL);
    object_unref(host->mch);
}

static bool host_realize(Device *dev, Error **errp)
{
    return pc_host_realize(PC_HOST(dev), TYPE_PCIE_BUS, "pcie.0", Q35_HOST(dev)->mch, errp);
}

static const Property host_props[] = {
    PC_HOST_PROPS(32 * GiB),
    PROP_SIZE("below-4g-mem-size", PcHost, below_4g_bytes, .doc = "RAM below 4 GiB"),
    PROP_SIZE("above-4g-mem-size", PcHost, above_4g_bytes, .doc = "RAM above 4 GiB"),
    PROP_COMPUTED("MCFG", "uint64", .get = get_ecam, .doc = "Where configuration space is mapped"),
    PROP_COMPUTED("mcfg_size", "uint64", .get = get_ecam_size,
                  .doc = "Bytes of it; 0: it is not mapped"),
};

static const DeviceType host_type = {
    .name = TYPE_Q35_HOST,
    .doc = "Intel Q35 host bridge",
    .parent = TYPE_PCIE_HOST,
    .size = sizeof(Q35Host),
    .access = DEVICE_ACCESS_BOARD,
    .properties = PROPERTIES(host_props),
    .init = host_init,
    .finalize = pc_host_finalize,
    .realize = host_realize,
    .unrealize = pc_host_unrealize,
};
DEVICE_TYPE(host_type)
