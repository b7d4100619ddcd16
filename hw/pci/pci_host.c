/*
 * Host bridges: configuration mechanism #1 (PCI 3.0, 3.2.2.3.2) and the enhanced one (PCI Express
 * Base, 7.2.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pci_parts.h"

#define CONFIG_ADDRESS_ENABLE BIT(31)

/* NULL: nobody answers. */
static PciDevice *find_function(PciHost *host, PciConfigAddress where)
{
    return host->bus ? pci_find_device(host->bus, where.bus, where.devfn) : NULL;
}

static uint32_t read_function(PciDevice *dev, PciConfigAddress where, unsigned bytes)
{
    return dev ? pci_config_read(dev, where.at, bytes) : UINT32_MAX >> (32 - 8 * bytes);
}

static void write_function(PciDevice *dev, PciConfigAddress where, uint32_t value, unsigned bytes)
{
    if (dev) {
        pci_config_write(dev, where.at, value, bytes);
    }
}

uint32_t pci_host_config_read(PciHost *host, PciConfigAddress where, unsigned bytes)
{
    return read_function(find_function(host, where), where, bytes);
}

void pci_host_config_write(PciHost *host, PciConfigAddress where, uint32_t value, unsigned bytes)
{
    write_function(find_function(host, where), where, value, bytes);
}

/* --- mechanism #1 --- */

static uint64_t address_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return PCI_HOST(opaque)->config_address;
}

static void address_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    PCI_HOST(opaque)->config_address = value;
}

/* The two lowest bits are reserved and written as 0; QEMU's tests write them, and read at the port of
 * the doubleword. */
static PciConfigAddress selected(const PciHost *host, uint64_t offset)
{
    uint32_t address = host->config_address;

    return (PciConfigAddress){ address >> 16, address >> 8, (address | offset) & 0xff };
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned bytes)
{
    PciHost *host = opaque;

    return host->config_address & CONFIG_ADDRESS_ENABLE ?
           pci_host_config_read(host, selected(host, offset), bytes) :
           UINT32_MAX >> (32 - 8 * bytes);
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    PciHost *host = opaque;

    if (host->config_address & CONFIG_ADDRESS_ENABLE) {
        pci_host_config_write(host, selected(host, offset), value, bytes);
    }
}

/* Only a doubleword is CONFIG_ADDRESS: narrower accesses are other ports of the board. */
static const MemoryOps address_ops = {
    .read = address_read, .write = address_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 4, .max = 4 }, .impl = { .min = 4, .max = 4 },
};
static const MemoryOps data_ops = {
    .read = data_read, .write = data_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 4, .unaligned = true },
    .impl = { .min = 1, .max = 4, .unaligned = true },
};

/* --- ECAM --- */

static PciConfigAddress enhanced(uint64_t offset)
{
    return (PciConfigAddress){ offset >> 20, offset >> 12, offset & 0xfff };
}

static uint64_t ecam_read(void *opaque, uint64_t offset, unsigned bytes)
{
    PciHost *host = opaque;
    PciConfigAddress where = enhanced(offset);
    PciDevice *dev = find_function(host, where);

    host->absent_reads += !dev;
    return read_function(dev, where, bytes);
}

static void ecam_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    PciHost *host = opaque;
    PciConfigAddress where = enhanced(offset);
    PciDevice *dev = find_function(host, where);

    host->absent_writes += !dev;
    write_function(dev, where, value, bytes);
}

const MemoryOps pci_ecam_ops = {
    .read = ecam_read, .write = ecam_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 4 },
};

void pci_host_map_ecam(PciHost *host, uint64_t base, uint64_t bytes)
{
    memory_transaction_begin();
    if (host->ecam_base != PCI_UNMAPPED) {
        memory_region_remove(memory_region_system(), &host->ecam);
    }
    host->ecam_base = base;
    if (base != PCI_UNMAPPED) {
        memory_region_set_size(&host->ecam, MIN(bytes, 256 * MiB));
        memory_region_add_overlap(memory_region_system(), base, &host->ecam, 1);
    }
    pci_hole_move(host);
    memory_transaction_commit();
}

/* --- life --- */

/* Those that are realized; guarded by the machine lock. */
static GPtrArray *hosts;

GPtrArray *pci_hosts(void)
{
    GPtrArray *copy = g_ptr_array_new();

    for (guint i = 0; hosts && i < hosts->len; i++) {
        g_ptr_array_add(copy, hosts->pdata[i]);
    }
    return copy;
}

static void pci_host_init(Object *obj)
{
    PciHost *host = PCI_HOST(obj);

    host->ecam_base = PCI_UNMAPPED;
    memory_region_init_io(&host->address_region, obj, &address_ops, "pci-conf-idx", 4);
    memory_region_init_io(&host->data_region, obj, &data_ops, "pci-conf-data", 4);
    memory_region_init_io(&host->ecam, obj, &pci_ecam_ops, "pcie-mmcfg-mmio", 256 * MiB);
}

static void pci_host_finalize(Object *obj)
{
    memory_region_clear(&PCI_HOST(obj)->address_region);
    memory_region_clear(&PCI_HOST(obj)->data_region);
    memory_region_clear(&PCI_HOST(obj)->ecam);
    pci_hole_free(PCI_HOST(obj));
}

static bool pci_host_realize(Device *dev, Error **errp)
{
    if (!hosts) {
        hosts = g_ptr_array_new();
    }
    g_ptr_array_add(hosts, dev);
    return true;
}

static void pci_host_unrealize(Device *dev)
{
    pci_host_map_ecam(PCI_HOST(dev), PCI_UNMAPPED, 0);
    g_ptr_array_remove(hosts, dev);
}

static void pci_host_reset_hold(Device *dev)
{
    PCI_HOST(dev)->config_address = 0;
}

static bool migrates_address(void *opaque)
{
    return PCI_HOST(opaque)->migrates_config_address;
}

static const VMField pci_host_fields[] = { VM_U32(PciHost, config_address) };

static const Property pci_host_props[] = {
    PROP_BOOL("x-config-reg-migration-enabled", PciHost, migrates_config_address, .initial = true,
              .doc = "CONFIG_ADDRESS is saved"),
    PROP_BOOL("bypass-iommu", PciHost, bypasses_iommu,
              .doc = "Its functions are not behind the virtual IOMMU"),
};

static const DeviceType pci_host_type = {
    .name = TYPE_PCI_HOST,
    .parent = TYPE_MMIO_DEVICE,
    .doc = "A PCI host bridge",
    .size = sizeof(PciHost),
    .is_abstract = true,
    .category = DEVICE_CATEGORY_BRIDGE,
    .properties = PROPERTIES(pci_host_props),
    .init = pci_host_init,
    .finalize = pci_host_finalize,
    .realize = pci_host_realize,
    .unrealize = pci_host_unrealize,
    .reset_hold = pci_host_reset_hold,
    .vmstate = VMSTATE(pci_host_fields, .version = 1, .needed = migrates_address),
};
DEVICE_TYPE(pci_host_type)

static json_object *get_absent_reads(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_uint64(PCI_HOST(obj)->absent_reads);
}

static json_object *get_absent_writes(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_uint64(PCI_HOST(obj)->absent_writes);
}

static const Property pcie_host_props[] = {
    PROP_COMPUTED("ecam-absent-reads", "uint64", .get = get_absent_reads,
                  .doc = "Reads through ECAM of functions that are not there"),
    PROP_COMPUTED("ecam-absent-writes", "uint64", .get = get_absent_writes,
                  .doc = "Writes through ECAM to functions that are not there"),
};

static const DeviceType pcie_host_type = {
    .name = TYPE_PCIE_HOST,
    .parent = TYPE_PCI_HOST,
    .doc = "A PCI Express host bridge",
    .properties = PROPERTIES(pcie_host_props),
    .is_abstract = true,
};
DEVICE_TYPE(pcie_host_type)
