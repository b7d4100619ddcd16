/*
 * i6300esb: the watchdog of Intel's 6300ESB I/O controller hub (data sheet 300641, chapter 16): two
 * stages, each counted down from a value of its own, an unlocking sequence, a lock that only a reset
 * opens. The first stage's end sets a status bit; the interrupt to an I/O APIC or SMI that it may
 * make as well is left out. The second stage's end does what -action watchdog= says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_device.h"
#include "system/run_state.h"
#include "util/byte_order.h"

#define VENDOR_INTEL         0x8086
#define DEVICE_6300ESB       0x25ab
#define CLASS_SYSTEM_OTHER   0x0880

/* Configuration space. */
#define CONFIG               0x60
#define CONFIG_WRITABLE      0x0027
#define CONFIG_FAST          BIT(2) /* 1 MHz, not 1 kHz */
#define CONFIG_NO_OUTPUT     BIT(5) /* the second stage's end is not told */
#define LOCK                 0x68
#define LOCK_LOCKED          BIT(0)
#define LOCK_ENABLE          BIT(1)
#define LOCK_FREE_RUN        BIT(2)
#define LOCK_WRITABLE        0x07

/* Memory. */
#define PRELOAD_MASK         0xfffff
#define STATUS_STAGE_1       BIT(0)
#define RELOAD_KEY_1         0x80
#define RELOAD_KEY_2         0x86
#define RELOAD_AGAIN         BIT(8)
#define RELOAD_TIMEOUT       BIT(9)
/* An old driver of Linux looks for it here. */
#define RELOAD_TIMEOUT_LINUX BIT(12)

#define PCI_CLOCK_MHZ        33

typedef struct I6300esb {
    PciDevice parent;
    RegisterBank bank;
    Timer timer;
    uint32_t preload[2], status;
    uint32_t reload;  /* RELOAD_TIMEOUT: it bit before the last reset */
    uint8_t stage;    /* being counted, from 0 */
    uint8_t keys;     /* how many of the two were given */
} I6300esb;
DECLARE_CAST(I6300esb, ESB)

/* --- counting --- */

/* A count is 2^15 PCI clocks, or 2^5. */
static void start_stage(I6300esb *s, unsigned stage)
{
    bool is_fast = load_le16(s->parent.config + CONFIG) & CONFIG_FAST;
    int64_t clocks = (int64_t)MAX(s->preload[stage], 1) << (is_fast ? 5 : 15);

    s->stage = stage;
    if (s->parent.config[LOCK] & LOCK_ENABLE) {
        timer_arm_after_ns(&s->timer, clocks * 1000 / PCI_CLOCK_MHZ);
    }
}

static void esb_expired(Device *dev)
{
    I6300esb *s = ESB(dev);

    if (s->stage == 0) {
        s->status |= STATUS_STAGE_1;
        start_stage(s, 1);
        return;
    }
    if (s->parent.config[LOCK] & LOCK_FREE_RUN) {
        start_stage(s, 0);
    }
    if (!(load_le16(s->parent.config + CONFIG) & CONFIG_NO_OUTPUT)) {
        s->reload = RELOAD_TIMEOUT;
        vm_watchdog_expired();
    }
}

/* --- registers --- */

static bool take_keys(I6300esb *s)
{
    bool is_open = s->keys == 2;

    s->keys = 0;
    return is_open;
}

static void preload_write(Device *dev, unsigned n, uint64_t value)
{
    if (take_keys(ESB(dev))) {
        ESB(dev)->preload[n] = value & PRELOAD_MASK;
    }
}

static uint64_t reload_read(Device *dev, unsigned n)
{
    return ESB(dev)->reload ? RELOAD_TIMEOUT | RELOAD_TIMEOUT_LINUX : 0;
}

static void reload_write(Device *dev, unsigned n, uint64_t value)
{
    I6300esb *s = ESB(dev);

    if (value == RELOAD_KEY_1) {
        s->keys = 1;
    } else if (value == RELOAD_KEY_2 && s->keys == 1) {
        s->keys = 2;
    } else if (take_keys(s)) {
        if (value & RELOAD_TIMEOUT) {
            s->reload = 0;
        }
        if (value & RELOAD_AGAIN) {
            start_stage(s, 0);
        }
    }
}

/* Locked, nothing changes; enabled, it starts; disabled, it stops. */
static void esb_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    uint8_t before = dev->config[LOCK], after;

    pci_config_write_default(dev, at, value, bytes);
    after = dev->config[LOCK];
    if (after & LOCK_LOCKED) {
        dev->writable[LOCK] = 0;
        store_le16(dev->writable + CONFIG, 0);
    }
    if (~before & after & LOCK_ENABLE) {
        start_stage(ESB(dev), 0);
    } else if (before & ~after & LOCK_ENABLE) {
        timer_cancel(&ESB(dev)->timer);
    }
}

static void set_unlocked(PciDevice *dev)
{
    dev->writable[LOCK] = LOCK_WRITABLE;
    store_le16(dev->writable + CONFIG, CONFIG_WRITABLE);
}

/* --- life --- */

static const RegDef esb_regs[] = {
    REG_BANK(0x0, "PRELOAD", I6300esb, preload, 2, .reset = PRELOAD_MASK, .write = preload_write),
    REG(0x8, "STATUS", I6300esb, status, .clear_on_1 = STATUS_STAGE_1),
    REG(0xc, "RELOAD", I6300esb, reload, .keeps_on_reset = true, .read = reload_read,
        .write = reload_write),
};

static void esb_init(Object *obj)
{
    register_bank_init(&ESB(obj)->bank, DEVICE(obj), &device_ops(DEVICE(obj))->registers, "i6300esb");
}

static void esb_finalize(Object *obj)
{
    register_bank_clear(&ESB(obj)->bank);
}

static bool esb_realize(Device *dev, Error **errp)
{
    I6300esb *s = ESB(dev);

    memset(s->parent.fixed + CONFIG, 0, 2);
    s->parent.fixed[LOCK] = 0;
    set_unlocked(&s->parent);
    pci_add_bar(&s->parent, 0, 0, &s->bank.region);
    return true;
}

static void esb_reset(Device *dev)
{
    I6300esb *s = ESB(dev);

    s->stage = s->keys = 0;
    store_le16(s->parent.config + CONFIG, 0);
    s->parent.config[LOCK] = 0;
    set_unlocked(&s->parent);
}

static bool esb_post_load(void *opaque, int version, Error **errp)
{
    I6300esb *s = opaque;

    s->preload[0] &= PRELOAD_MASK;
    s->preload[1] &= PRELOAD_MASK;
    s->stage = s->stage != 0;
    set_unlocked(&s->parent);
    if (s->parent.config[LOCK] & LOCK_LOCKED) {
        s->parent.writable[LOCK] = 0;
        store_le16(s->parent.writable + CONFIG, 0);
    }
    return true;
}

static const VMField esb_fields[] = {
    VM_REGISTERS, VM_TIMER(I6300esb, timer), VM_U8(I6300esb, stage), VM_U8(I6300esb, keys),
};

static const PciDeviceType esb_type = {
    .name = "i6300esb",
    .doc = "Intel 6300ESB watchdog",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(I6300esb),
    .category = DEVICE_CATEGORY_WATCHDOG,
    .vendor_id = VENDOR_INTEL, .device_id = DEVICE_6300ESB, .class_id = CLASS_SYSTEM_OTHER,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },
    .registers = REG_MAP(esb_regs, .size = 16, .width = 4, .access_min = 1,
                         .endian = ENDIAN_LITTLE),
    .timers = TIMER_ON(CLOCK_VIRTUAL, I6300esb, timer, esb_expired),
    .vmstate = VMSTATE(esb_fields, .version = 1, .post_load = esb_post_load),
    .config_write = esb_config_write,
    .init = esb_init,
    .finalize = esb_finalize,
    .realize = esb_realize,
    .reset_enter = esb_reset,
};
PCI_DEVICE_TYPE(esb_type)
