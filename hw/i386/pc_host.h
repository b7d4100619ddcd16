/*
 * PcHost: what the host bridges of PCs share: RAM below and above 4 GiB, PCI behind all of it, and
 * the holes that firmware may put BARs into.
 *
 * The board sets `ram` and the sizes before it realizes the bridge.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_PC_HOST_H
#define HW_I386_PC_HOST_H

#include "hw/pci/pci_host.h"

#define TYPE_I440FX_HOST "i440FX-pcihost"
#define TYPE_I440FX      "i440FX"
#define TYPE_PIIX3       "PIIX3"
#define TYPE_Q35_HOST    "q35-pcihost"
#define TYPE_MCH         "mch"
#define TYPE_ICH9_LPC    "ICH9-LPC"

#define PC_FIRMWARE_NAME "pci@i0cf8" /* as firmware calls the root: by its port */
#define PC_HOLE_END UINT64_C(0xfec00000) /* IOAPICs, HPET, local APICs, firmware follow */

typedef struct PcHost {
    PciHost parent;
    MemoryRegion *ram;           /* borrowed */
    MemoryRegion pci;            /* the PCI bus's memory */
    MemoryRegion legacy;         /* nobody's part of it from 0xa0000 to 1 MiB: RAM does not show */
    uint64_t below_4g_bytes, above_4g_bytes; /* of RAM */
    uint64_t above_4g_end;       /* where RAM, and what may be plugged, ends */
    uint64_t hole64_bytes;       /* property */
    bool has_hole64;             /* property: there is one even if firmware used none */
    uint32_t short_root_bus;     /* property */
} PcHost;
DECLARE_CAST(PcHost, PC_HOST)

/* .init, .finalize and .unrealize of a type, or what its own call. */
void pc_host_init(Object *obj);
void pc_host_finalize(Object *obj);
void pc_host_unrealize(Device *dev);
/* In .realize: the bus, mapped, and function 0 on it, which is borrowed. Fails with nothing left. */
bool pc_host_realize(PcHost *host, const char *bus_type, const char *bus_name, Device *function,
                     Error **errp);

/* What is free for BARs below and above 4 GiB; empty windows have size 0. */
MemoryWindow pc_host_hole32(const PcHost *host);
MemoryWindow pc_host_hole64(const PcHost *host);

json_object *pc_host_get_hole(Object *obj, const Property *p, Error **errp);

#define PC_HOST_PROPS(hole64_default)                                                              \
    PROP_COMPUTED("pci-hole-start", "uint32", .get = pc_host_get_hole,                             \
                  .doc = "First address for BARs below 4 GiB"),                                    \
    PROP_COMPUTED("pci-hole-end", "uint32", .get = pc_host_get_hole,                               \
                  .doc = "Where it ends"),                                                         \
    PROP_COMPUTED("pci-hole64-start", "uint64", .get = pc_host_get_hole,                           \
                  .doc = "First address for BARs above 4 GiB"),                                    \
    PROP_COMPUTED("pci-hole64-end", "uint64", .get = pc_host_get_hole,                             \
                  .doc = "Where it ends"),                                                         \
    PROP_SIZE("pci-hole64-size", PcHost, hole64_bytes, .initial = (hole64_default),                \
              .doc = "Bytes for BARs above 4 GiB"),                                                \
    PROP_BOOL("x-pci-hole64-fix", PcHost, has_hole64, .initial = true,                             \
              .doc = "Show the hole above 4 GiB even if no BAR is there"),                         \
    PROP_U32("short_root_bus", PcHost, short_root_bus,                                             \
             .doc = "Not 0: there is one bus, below which there are no bridges")

#endif
