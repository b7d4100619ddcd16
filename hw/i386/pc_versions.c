/*
 * The releases of `pc` and `q35`: what devices were like, as tables. "pc" and "q35" are aliases of
 * the newest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pc_machine.h"

/* Changed in 9.2. */
static const MachineGlobal globals_9_0[] = {
    { "intel-iommu", "x-usual-aw-bits", "39" },
    { "intel-iommu", "stale-tm", "on" },
};
/* Changed in 9.0. */
static const MachineGlobal globals_8_2[] = {
    { "migration", "zero-page-detection", "legacy" },
    { "virtio-iommu-pci", "granule", "4k" },
    { "virtio-iommu-pci", "aw-bits", "64" },
    { "virtio-gpu-device", "x-scanout-vmstate-version", "1" },
};
static const MachineGlobal globals_8_1[] = {
    { "pci-bridge", "x-pci-express-writeable-slt-bug", "true" },
    { "ramfb", "x-migrate", "off" },
    { "vfio-pci-nohotplug", "x-ramfb-migrate", "off" },
    { "igb", "x-pcie-flr-init", "off" },
    { "virtio-net-pci", "guest_uso4", "off" },
    { "virtio-net-pci", "guest_uso6", "off" },
    { "virtio-net-pci", "host_uso", "off" },
};
static const MachineGlobal globals_8_0[] = {
    { "migration", "multifd-flush-after-each-section", "on" },
    { "pci-device", "x-pcie-ari-nextfn-1", "on" },
};
static const MachineGlobal globals_7_2[] = {
    { "ICH9-LPC", "noreboot", "true" },
    { "e1000e", "migrate-timadj", "off" },
    { "virtio-mem", "x-early-migration", "false" },
    { "migration", "x-preempt-pre-7-2", "true" },
    { "pci-device", "x-pcie-err-unc-mask", "off" },
};

#define OLDER(name_, newer_, globals_)                                                             \
    { .name = (name_), .newer = (newer_), .globals = (globals_), .count = ARRAY_SIZE(globals_) }

static const MachineVersion versions[] = {
    OLDER("9.0", NULL, globals_9_0),
    OLDER("8.2", &versions[0], globals_8_2),
    OLDER("8.1", &versions[1], globals_8_1),
    OLDER("8.0", &versions[2], globals_8_0),
    OLDER("7.2", &versions[3], globals_7_2),
};

/* What machines themselves were like, by version as above. */
static const struct {
    PcSmbios smbios;
    unsigned q35_max_cpus;
} machines[] = {
    { PC_SMBIOS_AUTO, 4096 }, { PC_SMBIOS_64, 1024 }, { PC_SMBIOS_64, 1024 }, { PC_SMBIOS_32, 288 },
    { PC_SMBIOS_32, 288 },
};
_Static_assert(ARRAY_SIZE(machines) == ARRAY_SIZE(versions), "one row for each version");

/* Types live as long as the program. */
static PcMachineType *register_version(const char *stem, const char *parent, size_t n)
{
    PcMachineType *type = g_new0(PcMachineType, 1);

    type->name = g_strdup_printf("%s-%s" TYPE_MACHINE_SUFFIX, stem, versions[n].name);
    type->parent = parent;
    type->version = &versions[n];
    type->smbios_default = machines[n].smbios;
    return type;
}

static void CONSTRUCTOR register_versions(void)
{
    for (size_t n = 0; n < ARRAY_SIZE(versions); n++) {
        PcMachineType *pc = register_version("pc-i440fx", TYPE_PC_I440FX, n);
        PcMachineType *q35 = register_version("pc-q35", TYPE_PC_Q35, n);

        pc->doc = "Standard PC (i440FX + PIIX, 1996)";
        q35->doc = "Standard PC (Q35 + ICH9, 2009)";
        q35->max_cpus = machines[n].q35_max_cpus;
        if (n == 0) {
            pc->alias = "pc";
            pc->is_default = true;
            q35->alias = "q35";
        }
        type_register((const ObjectType *)pc, sizeof(*pc));
        type_register((const ObjectType *)q35, sizeof(*q35));
    }
}
