/*
 * mch: Intel Q35 memory controller hub, function 0: PCIEXBAR, PAM, SMRAM with TSEG. Registers of
 * DRAM, DMI and graphics are kept and do nothing. 3 Series Express Chipset Family data sheet.
 *
 * Two registers are not Intel's; firmware for virtual machines knows them. A TSEG of any size:
 * EXT_TSEG_MBYTES tells its size to who writes all ones first. SMRAM at the CPU's first SMBASE:
 * after 0xff was written to F_SMBASE and a 1 read, writing 2 moves 0x30000-0x4ffff into SMRAM until
 * a reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/smm_memory.h"
#include "pam.h"
#include "pc_host.h"
#include "smram.h"
#include "system/run_state.h"

#define EXT_TSEG_AT    0x50
#define EXT_TSEG_QUERY 0xffff
#define EXT_TSEG_MAX_MBYTES 0xfff
#define PCIEXBAR_AT    0x60
#define PCIEXBAR_EN    BIT(0)
#define PCIEXBAR_LENGTH(value) ((value) >> 1 & 3)
#define PCIEXBAR_RESET UINT64_C(0xb0000000)
#define PAM_AT         0x90
#define SMBASE_AT      0x9c
#define SMBASE_QUERY   0xff
#define SMBASE_IN_RAM  0x01
#define SMBASE_LOCKED  0x02
#define SMRAM_AT       0x9d
#define ESMRAMC_AT     0x9e
#define ESMRAMC_RESET  0x38 /* caching is always on */
#define ESMRAMC_H_SMRAME BIT(7)
#define ESMRAMC_E_SMERR  BIT(6)
#define ESMRAMC_TSEG_SZ(value) ((value) >> 1 & 3)
#define ESMRAMC_T_EN     BIT(0)
#define ESMRAMC_WRITABLE (ESMRAMC_H_SMRAME | 6 | ESMRAMC_T_EN)

#define HIGH_BASE    0xfeda0000 /* SMRAM at 0xa0000, to CPUs with H_SMRAME */
#define SMBASE_BASE  0x30000
#define SMBASE_BYTES 0x20000
#define HOLE_PRIORITY 1 /* over RAM */

typedef struct Mch {
    PciDevice parent;
    Object *host;                      /* referenced: our aliases are on its memory */
    Pam pam;
    Smram smram;
    MemoryRegion high, open_high;      /* SMRAM at HIGH_BASE in SMM, and outside while it is open */
    MemoryRegion tseg, tseg_hole;      /* in SMM, and what others see of it */
    MemoryRegion smbase, smbase_hole;
    bool is_mapped;
    uint64_t ecam;                     /* PCIEXBAR, as it was on last */
    uint16_t ext_tseg_mbytes;          /* properties */
    bool has_smbase_smram;
} Mch;
DECLARE_CAST(Mch, MCH)

static PcHost *mch_host(const Mch *s)
{
    return PC_HOST(s->parent.parent.bus->owner);
}

/* --- nobody there, to those outside SMM --- */

static uint64_t hole_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return UINT64_MAX;
}

static void hole_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
}

static const MemoryOps hole_ops = {
    .read = hole_read, .write = hole_write, .endian = ENDIAN_LITTLE, .is_lock_free = true,
    .valid = { .min = 1, .max = 8, .unaligned = true },
    .impl = { .min = 1, .max = 8, .unaligned = true },
};

/* --- what the registers mean --- */

static void update_ecam(Mch *s)
{
    static const uint64_t lengths[] = { 256 * MiB, 128 * MiB, 64 * MiB, 0 };
    uint64_t value = load_le64(s->parent.config + PCIEXBAR_AT);
    uint64_t length = lengths[PCIEXBAR_LENGTH(value)];
    /* 36 bits of address; a shorter window needs a finer one. */
    uint64_t base = value & UINT64_C(0xfffffffff) & ~((length ? length : 256 * MiB) - 1);

    s->ecam = value & PCIEXBAR_EN ? value : s->ecam;
    pci_host_map_ecam(&mch_host(s)->parent, value & PCIEXBAR_EN && length ? base : PCI_UNMAPPED,
                      length);
}

static uint64_t tseg_bytes(const Mch *s)
{
    static const uint64_t sizes[] = { MiB, 2 * MiB, 8 * MiB, 0 };
    unsigned code = ESMRAMC_TSEG_SZ(s->parent.config[ESMRAMC_AT]);

    if (!(s->parent.config[ESMRAMC_AT] & ESMRAMC_T_EN) ||
        !(s->parent.config[SMRAM_AT] & SMRAM_G_SMRAME)) {
        return 0;
    }
    return code == ARRAY_SIZE(sizes) - 1 ? s->ext_tseg_mbytes * MiB : sizes[code];
}

static void update_tseg(Mch *s)
{
    uint64_t top = mch_host(s)->below_4g_bytes, bytes = MIN(tseg_bytes(s), top);

    memory_region_set_enabled(&s->tseg, bytes);
    memory_region_set_enabled(&s->tseg_hole, bytes);
    if (bytes) {
        memory_region_set_size(&s->tseg, bytes);
        memory_region_set_alias_offset(&s->tseg, top - bytes);
        memory_region_set_address(&s->tseg, top - bytes);
        memory_region_set_size(&s->tseg_hole, bytes);
        memory_region_set_address(&s->tseg_hole, top - bytes);
    }
}

static void update_smram(Mch *s)
{
    uint8_t control, extended;

    smram_update(&s->smram, &s->parent, SMRAM_AT);
    control = s->parent.config[SMRAM_AT];
    extended = s->parent.config[ESMRAMC_AT];
    s->parent.writable[ESMRAMC_AT] = control & SMRAM_D_LCK ? 0 : ESMRAMC_WRITABLE;
    memory_region_set_enabled(&s->high, (control & SMRAM_G_SMRAME) &&
                                        (extended & ESMRAMC_H_SMRAME));
    memory_region_set_enabled(&s->open_high, (control & SMRAM_D_OPEN) &&
                                             (extended & ESMRAMC_H_SMRAME));
    /* The range is one or the other's. */
    if (extended & ESMRAMC_H_SMRAME) {
        memory_region_set_enabled(&s->smram.low, false);
    }
    update_tseg(s);
}

static void update_ext_tseg(Mch *s)
{
    uint8_t *at = s->parent.config + EXT_TSEG_AT;

    if (s->ext_tseg_mbytes && load_le16(at) == EXT_TSEG_QUERY) {
        store_le16(at, s->ext_tseg_mbytes);
    }
}

/* 0: only the question is heard. 1: it is there, and may be locked. 2: locked. */
static void update_smbase(Mch *s)
{
    uint8_t *value = &s->parent.config[SMBASE_AT];
    uint8_t *writable = &s->parent.writable[SMBASE_AT];
    bool is_locked;

    if (!s->has_smbase_smram) {
        return;
    }
    if (*writable == 0xff) {
        *value = *value == SMBASE_QUERY ? SMBASE_IN_RAM : 0;
    } else if (*value & SMBASE_LOCKED) {
        *value = SMBASE_LOCKED;
    }
    is_locked = *value == SMBASE_LOCKED;
    *writable = is_locked ? 0 : *value == SMBASE_IN_RAM ? SMBASE_LOCKED : 0xff;
    memory_region_set_enabled(&s->smbase, is_locked);
    memory_region_set_enabled(&s->smbase_hole, is_locked);
}

static void update(Mch *s)
{
    memory_transaction_begin();
    update_ecam(s);
    pam_update(&s->pam, s->parent.config + PAM_AT);
    update_smram(s);
    update_smbase(s);
    memory_transaction_commit();
}

static void mch_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    pci_config_write_default(dev, at, value, bytes);
    if (pci_range_touches(at, bytes, EXT_TSEG_AT, 2)) {
        update_ext_tseg(MCH(dev));
    }
    if (pci_range_touches(at, bytes, PCIEXBAR_AT, 8) ||
        pci_range_touches(at, bytes, PAM_AT, ESMRAMC_AT + 1 - PAM_AT)) {
        update(MCH(dev));
    }
}

/* --- life --- */

static void map_smm(MemoryRegion *mr, Object *owner, const char *name, MemoryRegion *ram,
                    MemoryWindow window)
{
    memory_region_init_alias(mr, owner, name, ram, window);
    memory_region_set_enabled(mr, false);
    memory_region_add(smm_memory(), window.offset, mr);
}

static void map_hole(MemoryRegion *mr, Object *owner, const char *name, MemoryWindow window)
{
    memory_region_init_io(mr, owner, &hole_ops, name, window.size);
    memory_region_set_enabled(mr, false);
    memory_region_add_overlap(memory_region_system(), window.offset, mr, HOLE_PRIORITY);
}

static void map_all(Mch *s, PcHost *host)
{
    Object *owner = (Object *)s;
    MemoryWindow low = { SMRAM_BASE, SMRAM_BYTES }, smbase = { SMBASE_BASE, SMBASE_BYTES };
    MemoryWindow tseg = { host->below_4g_bytes, 0 };

    pam_map(&s->pam, owner, host->ram, &host->pci);
    smram_map(&s->smram, owner, host->ram, &host->pci);
    memory_region_init_alias(&s->high, owner, "smram-high", host->ram, low);
    memory_region_set_enabled(&s->high, false);
    memory_region_add(smm_memory(), HIGH_BASE, &s->high);
    memory_region_init_alias(&s->open_high, owner, "smram-open-high", host->ram, low);
    memory_region_set_enabled(&s->open_high, false);
    memory_region_add_overlap(memory_region_system(), HIGH_BASE, &s->open_high, HOLE_PRIORITY);
    map_smm(&s->tseg, owner, "tseg-window", host->ram, tseg);
    map_hole(&s->tseg_hole, owner, "tseg-blackhole", tseg);
    map_smm(&s->smbase, owner, "smbase-window", host->ram, smbase);
    map_hole(&s->smbase_hole, owner, "smbase-blackhole", smbase);
    s->is_mapped = true;
}

static bool mch_realize(Device *dev, Error **errp)
{
    Mch *s = MCH(dev);
    Object *owner = dev->bus->owner ? &dev->bus->owner->parent : NULL;

    if (!owner || !object_is_a(owner, TYPE_Q35_HOST)) {
        return error_set(errp, "mch: it is part of a " TYPE_Q35_HOST);
    }
    if (s->ext_tseg_mbytes > EXT_TSEG_MAX_MBYTES) {
        return error_set(errp, "invalid extended-tseg-mbytes value: %u", s->ext_tseg_mbytes);
    }
    object_unref(s->host);
    s->host = object_ref(owner);
    store_le64(s->parent.config + PCIEXBAR_AT, PCIEXBAR_RESET);
    memory_transaction_begin();
    map_all(s, PC_HOST(owner));
    memory_transaction_commit();
    return true;
}

static void mch_unrealize(Device *dev)
{
    Mch *s = MCH(dev);
    MemoryRegion *in_smm[] = { &s->high, &s->tseg, &s->smbase };
    MemoryRegion *outside[] = { &s->open_high, &s->tseg_hole, &s->smbase_hole };

    memory_transaction_begin();
    for (size_t i = 0; i < ARRAY_SIZE(in_smm); i++) {
        memory_region_remove(smm_memory(), in_smm[i]);
        memory_region_remove(memory_region_system(), outside[i]);
    }
    smram_unmap(&s->smram);
    pam_unmap(&s->pam);
    memory_transaction_commit();
}

static void mch_finalize(Object *obj)
{
    Mch *s = MCH(obj);
    MemoryRegion *own[] = { &s->high, &s->open_high, &s->tseg, &s->tseg_hole, &s->smbase,
                            &s->smbase_hole };

    for (size_t i = 0; s->is_mapped && i < ARRAY_SIZE(own); i++) {
        memory_region_clear(own[i]);
    }
    smram_clear(&s->smram);
    pam_clear(&s->pam);
    object_unref(s->host);
}

/*
 * SeaBIOS that wakes a guest reaches configuration space through this window alone, before it places it: by a write
 * of 0 through the window itself, so that the next ones are lost. It ends off, and wants to be on at the next waking.
 */
static void restore_ecam(Mch *s)
{
    if (vm_is_waking() && s->ecam) {
        store_le64(s->parent.config + PCIEXBAR_AT, s->ecam);
    } else {
        s->ecam = 0;
    }
}

static void mch_reset_enter(Device *dev)
{
    Mch *s = MCH(dev);

    restore_ecam(s);
    smram_reset_register(&s->parent, SMRAM_AT);
    s->parent.config[ESMRAMC_AT] = ESMRAMC_RESET;
    if (s->has_smbase_smram) {
        s->parent.config[SMBASE_AT] = 0;
    }
    if (s->ext_tseg_mbytes) {
        store_le16(s->parent.config + EXT_TSEG_AT, 0);
    }
}

static void mch_reset_hold(Device *dev)
{
    update(MCH(dev));
}

static bool mch_post_load(void *opaque, int version, Error **errp)
{
    update(opaque);
    return true;
}

static const VMField mch_fields[] = { VM_U64(Mch, ecam) };

static const Property mch_props[] = {
    PROP_U16("extended-tseg-mbytes", Mch, ext_tseg_mbytes, .initial = 16,
             .doc = "MiB of a TSEG of size 3; 0: there is none"),
    PROP_BOOL("smbase-smram", Mch, has_smbase_smram, .initial = true,
              .doc = "SMRAM at the first SMBASE can be locked"),
};

/* SeaBIOS sees by its copy in RAM that it ran before. */
static const PciConfigRange mch_kept_asleep[] = { { PAM_AT, PAM_REGISTERS }, { 0 } };

static const PciDeviceType mch_type = {
    .name = TYPE_MCH,
    .doc = "Host bridge",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(Mch),
    .vendor_id = 0x8086, .device_id = 0x29c0, .class_id = 0x0600,
    .category = DEVICE_CATEGORY_BRIDGE,
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
    .properties = PROPERTIES(mch_props),
    .kept_asleep = mch_kept_asleep,
    .config_write = mch_config_write,
    .finalize = mch_finalize,
    .realize = mch_realize,
    .unrealize = mch_unrealize,
    .reset_enter = mch_reset_enter,
    .reset_hold = mch_reset_hold,
    .vmstate = VMSTATE(mch_fields, .version = 1, .post_load = mch_post_load),
};
PCI_DEVICE_TYPE(mch_type)
