/*
 * ivshmem-plain, and what both kinds of shared-memory devices have: registers in BAR 0, memory in
 * BAR 2 (QEMU's "Device Specification for Inter-VM shared memory device", revision 1: no INTx).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ivshmem.h"

#include "system/memory_backend.h"
#include "system/ram_block.h"

#define REGISTERS_BYTES 256

/* --- registers --- */

static uint64_t read_position(Device *dev, unsigned n)
{
    return IVSHMEM(dev)->id;
}

static void write_doorbell(Device *dev, unsigned n, uint64_t value)
{
    const IvshmemType *ops = object_ops(dev);

    if (ops->ring) {
        ops->ring(IVSHMEM(dev), value >> 16 & 0xffff, value & 0xffff);
    }
}

static const RegDef ivshmem_regs[] = {
    REG(0, "INTRMASK", Ivshmem, mask, .writable = UINT32_MAX),
    REG(4, "INTRSTATUS", Ivshmem, status, .writable = UINT32_MAX, .clears_on_read = true),
    REG_COMPUTED(8, "IVPOSITION", .read = read_position),
    REG_COMPUTED(IVSHMEM_DOORBELL, "DOORBELL", .write = write_doorbell),
};
static const RegisterMap ivshmem_map = REG_MAP(ivshmem_regs, .size = REGISTERS_BYTES, .width = 4,
                                               .endian = ENDIAN_LITTLE);

/* --- life --- */

/* A peer's memory is somebody else's: it cannot go with this machine. */
static bool settle_role(Ivshmem *shm, Error **errp)
{
    shm->is_master = shm->master == ON_OFF_AUTO_VALUE_ON ||
                     (shm->master == ON_OFF_AUTO_VALUE_AUTO && !shm->id);
    if (shm->is_master) {
        return true;
    }
    shm->blocker = migration_blocker_add(
        "Migration is disabled when using feature 'peer mode' in device 'ivshmem'", errp);
    return shm->blocker;
}

bool ivshmem_start(Ivshmem *shm, MemoryRegion *memory, Error **errp)
{
    uint64_t bytes = memory->size;

    if (bytes & (bytes - 1)) {
        return error_set(errp, "%s: shared memory of %" PRIu64 " bytes is no power of two",
                         device_label(&shm->parent.parent), bytes);
    }
    if (!settle_role(shm, errp)) {
        return false;
    }
    shm->memory = memory;
    ram_block_set_migratable(memory->ram, shm->is_master);
    pci_add_bar(&shm->parent, IVSHMEM_BAR_MEMORY, PCI_BAR_64 | PCI_BAR_PREFETCH, memory);
    return true;
}

void ivshmem_stop(Ivshmem *shm)
{
    migration_blocker_remove(shm->blocker);
    shm->blocker = NULL;
    shm->memory = NULL;
}

static bool ivshmem_realize(Device *dev, Error **errp)
{
    Ivshmem *shm = IVSHMEM(dev);

    if (!shm->bank.dev) {
        register_bank_init(&shm->bank, dev, &ivshmem_map, "ivshmem-mmio");
    }
    pci_add_bar(&shm->parent, IVSHMEM_BAR_REGISTERS, 0, &shm->bank.region);
    return true;
}

static void ivshmem_finalize(Object *obj)
{
    if (IVSHMEM(obj)->bank.dev) {
        register_bank_clear(&IVSHMEM(obj)->bank);
    }
}

static bool ivshmem_pre_load(void *opaque, Error **errp)
{
    return IVSHMEM(opaque)->is_master ||
           error_set(errp, "'peer' devices are not migratable");
}

static const Property ivshmem_props[] = {
    PROP_ON_OFF_AUTO("master", Ivshmem, master, .initial = ON_OFF_AUTO_VALUE_OFF,
                     .doc = "Its memory goes with a migration of this machine"),
};
static const VMField ivshmem_fields[] = { VM_REGISTERS };

static const IvshmemType ivshmem_type = {
    .name = TYPE_IVSHMEM,
    .doc = "Memory shared with other machines",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(Ivshmem),
    .is_abstract = true,
    .vendor_id = PCI_VENDOR_REDHAT_QUMRANET, .device_id = 0x1110, .revision = 1,
    .class_id = 0x0500,
    .category = DEVICE_CATEGORY_MISC,
    .registers = REG_MAP(ivshmem_regs, .size = REGISTERS_BYTES, .width = 4,
                         .endian = ENDIAN_LITTLE),
    .properties = PROPERTIES(ivshmem_props),
    .vmstate = VMSTATE(ivshmem_fields, .version = 1, .pre_load = ivshmem_pre_load),
    .realize = ivshmem_realize,
    .finalize = ivshmem_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
};
OBJECT_TYPE(ivshmem_type)

/* --- ivshmem-plain: a memory back end, no interrupts --- */

typedef struct IvshmemPlain {
    Ivshmem parent;
    Object *memdev; /* property */
} IvshmemPlain;
DECLARE_CAST(IvshmemPlain, IVSHMEM_PLAIN)

static bool plain_realize(Device *dev, Error **errp)
{
    IvshmemPlain *plain = IVSHMEM_PLAIN(dev);
    MemoryBackend *backend = plain->memdev ? MEMORY_BACKEND(plain->memdev) : NULL;

    if (!backend) {
        return error_set(errp, "You must specify a 'memdev'");
    }
    if (!memory_backend_claim(backend, errp)) {
        return false;
    }
    if (!ivshmem_start(&plain->parent, memory_backend_region(backend), errp)) {
        memory_backend_release(backend);
        return false;
    }
    return true;
}

static void plain_unrealize(Device *dev)
{
    IvshmemPlain *plain = IVSHMEM_PLAIN(dev);

    if (plain->parent.memory) {
        ivshmem_stop(&plain->parent);
        memory_backend_release(MEMORY_BACKEND(plain->memdev));
    }
}

static const Property plain_props[] = {
    PROP_LINK("memdev", IvshmemPlain, memdev, TYPE_MEMORY_BACKEND, .doc = "The memory"),
};

static const IvshmemType plain_type = {
    .name = "ivshmem-plain",
    .doc = "Inter-VM shared memory",
    .parent = TYPE_IVSHMEM,
    .size = sizeof(IvshmemPlain),
    .properties = PROPERTIES(plain_props),
    .realize = plain_realize,
    .unrealize = plain_unrealize,
};
OBJECT_TYPE(plain_type)
