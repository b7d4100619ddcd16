/*
 * See shpc.h. Slots have presence pins, an attention button, a latch (MRL) that closes and opens
 * with the device, and power: a device in a slot that is not enabled is not seen. Nothing draws power
 * here, so there are no power faults. Left out: SERR, and speeds other than 33 MHz conventional.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/pci/msi.h"
#include "shpc.h"
#include "util/log.h"

#define REGION_BYTES 0x100
#define CAP_BYTES    8
#define CAP_SELECT   2
#define CAP_PENDING  3
#define CAP_PENDING_IRQ 0x80
#define CAP_DATA     4

/* Working registers, by number of the doubleword */
enum { REG_BASE, REG_AVAILABLE, REG_AVAILABLE_2, REG_CONFIG, REG_BUS, REG_COMMAND, REG_LOCATOR,
       REG_SERR_LOCATOR, REG_CONTROL, REG_SLOTS, REG_COUNT = REG_SLOTS + SHPC_SLOTS };

/* 31 slots from device 1 on, numbered upwards from 1; buttons and latches. */
#define CONFIG       (SHPC_SLOTS | 1 << 8 | 1 << 16 | 7u << 29)
#define INTERFACE_1  (1u << 24)

#define STATUS_MRL_OPEN     0x2
#define STATUS_INVALID      0x4
#define STATUS_INVALID_MODE 0x8

#define CONTROL_MASKS       0x0000000f
#define CONTROL_MASK_ALL    0x00000001
#define CONTROL_MASK_DONE   0x00000004
#define CONTROL_DONE        0x00010000

#define SLOT_STATE          0x00000003
#define SLOT_POWERED        1
#define SLOT_ENABLED        2
#define SLOT_DISABLED       3
#define SLOT_PIC            0x0000000c
#define SLOT_PIC_ON         0x00000004
#define SLOT_PIC_BLINK      0x00000008
#define SLOT_PIC_OFF        0x0000000c
#define SLOT_AIC            0x00000030
#define SLOT_MRL_OPEN       0x00000100
#define SLOT_EMPTY          0x00000c00 /* PRSNT1#, PRSNT2# */
#define SLOT_PRESENCE       0x00010000 /* events, write 1 to clear */
#define SLOT_BUTTON         0x00040000
#define SLOT_MRL            0x00080000
#define SLOT_EVENTS         0x001f0000
#define SLOT_MASKS          0x7f000000
#define SLOT_MASK_SHIFT     8 /* an event's mask is so far up */

#define COMMAND_SLOT_LAST   0x3f
#define COMMAND_MODE_FIRST  0x40
#define COMMAND_MODE_LAST   0x47
#define COMMAND_POWER_ALL   0x48
#define COMMAND_ENABLE_ALL  0x49

#define PATIENCE_NS (5 * NS_PER_SEC)

static const VMField shpc_fields[] = {
    VM_U16(Shpc, command), VM_U16(Shpc, status), VM_U32(Shpc, control), VM_U32(Shpc, mode),
    VM_ARRAY(Shpc, slots),
};

/* --- slots --- */

static PciDevice *function(const Shpc *shpc, unsigned slot, unsigned n)
{
    return shpc->bridge->bus->devices[PCI_DEVFN(slot + 1, n)];
}

static bool is_enabled(const Shpc *shpc, unsigned slot)
{
    return (shpc->slots[slot] & SLOT_STATE) == SLOT_ENABLED;
}

static bool is_off(uint32_t slot)
{
    return (slot & SLOT_STATE) == SLOT_DISABLED && (slot & SLOT_PIC) == SLOT_PIC_OFF;
}

static void update_power(Shpc *shpc, unsigned slot)
{
    for (unsigned n = 0; n < 8; n++) {
        PciDevice *dev = function(shpc, slot, n);

        if (dev && dev->is_without_power == is_enabled(shpc, slot)) {
            pci_device_set_power(dev, is_enabled(shpc, slot));
        }
    }
}

static void let_go(Shpc *shpc, unsigned slot)
{
    for (int n = 7; n >= 0; n--) {
        if (function(shpc, slot, n)) {
            hotplug_unplug(&function(shpc, slot, n)->parent);
        }
    }
}

/* --- interrupts --- */

static uint32_t locator(const Shpc *shpc)
{
    uint32_t bits = (shpc->control & (CONTROL_DONE | CONTROL_MASK_DONE)) == CONTROL_DONE;

    for (unsigned slot = 0; slot < SHPC_SLOTS; slot++) {
        uint32_t masked = shpc->slots[slot] >> SLOT_MASK_SHIFT & SLOT_EVENTS;

        bits |= shpc->slots[slot] & SLOT_EVENTS & ~masked ? BIT(slot + 1) : 0;
    }
    return bits;
}

static void update_irq(Shpc *shpc, bool is_told)
{
    PciDevice *dev = &shpc->bridge->parent;
    bool is_pending = locator(shpc);
    bool is_up = is_pending && !(shpc->control & CONTROL_MASK_ALL);

    dev->config[shpc->cap + CAP_PENDING] = is_pending ? CAP_PENDING_IRQ : 0;
    if (is_up && !shpc->is_irq_up && !is_told) {
        msi_notify(dev, 0);
    }
    shpc->is_irq_up = is_up;
    pci_intx_set(dev, is_up);
}

static bool post_load(void *opaque, int version, Error **errp)
{
    Shpc *shpc = opaque;

    for (unsigned slot = 0; slot < SHPC_SLOTS; slot++) {
        update_power(shpc, slot);
    }
    update_irq(shpc, true);
    return true;
}

static const VMState shpc_state = VMSTATE_INIT(shpc_fields, .version = 1, .post_load = post_load);

/* --- commands --- */

/* What a field of 0 leaves as it is. */
static uint32_t replace(uint32_t old, uint32_t new, uint32_t field)
{
    return new & field ? (old & ~field) | (new & field) : old;
}

static uint16_t slot_command(Shpc *shpc, unsigned slot, uint8_t bits)
{
    uint32_t old = shpc->slots[slot];
    uint32_t new = replace(replace(replace(old, bits, SLOT_STATE), bits, SLOT_PIC), bits,
                           SLOT_AIC);
    unsigned state = new & SLOT_STATE;

    if (old & SLOT_MRL_OPEN && state != SLOT_DISABLED) {
        return STATUS_MRL_OPEN;
    }
    if (state == SLOT_POWERED && (old & SLOT_STATE) == SLOT_ENABLED) {
        return STATUS_INVALID; /* it must be disabled first */
    }
    shpc->slots[slot] = new;
    update_power(shpc, slot);
    if (is_off(new) && !is_off(old)) {
        let_go(shpc, slot);
    }
    return 0;
}

/* Slots with a device in them; the others stay as they are. */
static uint16_t all_slots(Shpc *shpc, uint8_t state)
{
    for (unsigned slot = 0; slot < SHPC_SLOTS; slot++) {
        if (is_enabled(shpc, slot)) {
            return STATUS_INVALID;
        }
    }
    for (unsigned slot = 0; slot < SHPC_SLOTS; slot++) {
        if (!(shpc->slots[slot] & SLOT_MRL_OPEN)) {
            slot_command(shpc, slot, state | SLOT_PIC_ON);
        }
    }
    return 0;
}

static uint16_t run(Shpc *shpc, uint8_t code, unsigned target)
{
    if (code <= COMMAND_SLOT_LAST && target >= 1 && target <= SHPC_SLOTS) {
        return slot_command(shpc, target - 1, code);
    }
    if (code == COMMAND_MODE_FIRST) {
        shpc->mode = 0;
        return 0;
    }
    if (code > COMMAND_MODE_FIRST && code <= COMMAND_MODE_LAST) {
        return STATUS_INVALID_MODE;
    }
    if (code == COMMAND_POWER_ALL || code == COMMAND_ENABLE_ALL) {
        return all_slots(shpc, code == COMMAND_ENABLE_ALL ? SLOT_ENABLED : SLOT_POWERED);
    }
    guest_error("shpc: command 0x%x for slot %u", code, target);
    return STATUS_INVALID;
}

/* --- registers --- */

static uint32_t reg_read(const Shpc *shpc, unsigned n)
{
    switch (n) {
    case REG_AVAILABLE:
        return SHPC_SLOTS;
    case REG_CONFIG:
        return CONFIG;
    case REG_BUS:
        return INTERFACE_1 | shpc->mode;
    case REG_COMMAND:
        return shpc->command | (uint32_t)shpc->status << 16;
    case REG_LOCATOR:
        return locator(shpc);
    case REG_CONTROL:
        return shpc->control;
    }
    return n >= REG_SLOTS && n < REG_COUNT ? shpc->slots[n - REG_SLOTS] : 0;
}

/* `mask`: the bytes that are written. */
static uint32_t merge(uint32_t old, uint32_t value, uint32_t mask, uint32_t writable,
                      uint32_t clear_on_1)
{
    writable &= mask;
    return ((old & ~writable) | (value & writable)) & ~(value & mask & clear_on_1);
}

static void reg_write(Shpc *shpc, unsigned n, uint32_t value, uint32_t mask)
{
    if (n == REG_COMMAND) {
        shpc->command = merge(shpc->command, value, mask, 0x1fff, 0);
        if (mask & 0xff) {
            shpc->status = run(shpc, shpc->command, shpc->command >> 8);
            shpc->control |= CONTROL_DONE;
        }
    } else if (n == REG_CONTROL) {
        shpc->control = merge(shpc->control, value, mask, CONTROL_MASKS, CONTROL_DONE);
    } else if (n >= REG_SLOTS && n < REG_COUNT) {
        uint32_t *slot = &shpc->slots[n - REG_SLOTS];

        *slot = merge(*slot, value, mask, SLOT_MASKS, SLOT_EVENTS);
    }
    update_irq(shpc, false);
}

static uint64_t region_read(void *opaque, uint64_t at, unsigned bytes)
{
    return reg_read(opaque, at / 4) >> (at & 3) * 8;
}

static void region_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    unsigned shift = (at & 3) * 8;

    reg_write(opaque, at / 4, value << shift, (UINT32_MAX >> (32 - 8 * bytes)) << shift);
}

static const MemoryOps region_ops = {
    .read = region_read, .write = region_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 4 },
};

/* The other way to the registers: a number in the capability selects one. */
static void data_written(Shpc *shpc, unsigned at, unsigned bytes)
{
    PciDevice *dev = &shpc->bridge->parent;
    unsigned data = shpc->cap + CAP_DATA;

    if (pci_range_touches(at, bytes, data, 4)) {
        unsigned first = MAX(at, data) - data, end = MIN(at + bytes, data + 4) - data;
        uint32_t mask = (UINT32_MAX >> (32 - 8 * (end - first))) << 8 * first;

        reg_write(shpc, dev->config[shpc->cap + CAP_SELECT], load_le32(dev->config + data), mask);
    }
}

void shpc_bridge_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes)
{
    Shpc *shpc = &SHPC_BRIDGE(dev)->shpc;

    pci_bridge_config_write(dev, at, value, bytes);
    if (shpc->bridge) {
        data_written(shpc, at, bytes);
    }
}

uint32_t shpc_bridge_config_read(PciDevice *dev, unsigned at, unsigned bytes)
{
    Shpc *shpc = &SHPC_BRIDGE(dev)->shpc;

    if (shpc->bridge && pci_range_touches(at, bytes, shpc->cap + CAP_DATA, 4)) {
        store_le32(dev->config + shpc->cap + CAP_DATA,
                   reg_read(shpc, dev->config[shpc->cap + CAP_SELECT]));
    }
    return pci_config_read_default(dev, at, bytes);
}

/* --- plugging --- */

static unsigned slot_of(const Device *dev)
{
    return PCI_SLOT(PCI_DEVICE(dev)->devfn) - 1;
}

/* Slot 0, which the controller does not know. A device may be there from the start: where ACPI
 * takes over it can even be unplugged. */
static bool is_unknown(const Device *dev)
{
    return !PCI_SLOT(PCI_DEVICE(dev)->devfn);
}

static bool refuse_unknown(const Device *dev, Error **errp)
{
    return !is_unknown(dev) ||
           error_set(errp, "Unsupported PCI slot 0 for standard hotplug controller. Valid slots "
                     "are between 1 and %d.", SHPC_SLOTS);
}

static bool pre_plug(Object *handler, Device *dev, Error **errp)
{
    return !dev->is_hotplugged || refuse_unknown(dev, errp);
}

static void set_present(Shpc *shpc, unsigned slot, bool is_present, uint32_t events)
{
    uint32_t absent = SLOT_MRL_OPEN | SLOT_EMPTY;

    shpc->slots[slot] = (shpc->slots[slot] & ~absent) | (is_present ? 0 : absent) | events;
}

static void set_settled(Shpc *shpc, unsigned slot, bool is_there)
{
    uint32_t settled = is_there ? SLOT_ENABLED | SLOT_PIC_ON : SLOT_DISABLED | SLOT_PIC_OFF;

    shpc->slots[slot] = (shpc->slots[slot] & ~(SLOT_STATE | SLOT_PIC)) | settled;
    set_present(shpc, slot, is_there, 0);
    update_power(shpc, slot);
}

void shpc_bridge_show_in_slot(PciDevice *bridge, const PciDevice *dev, bool is_there)
{
    Shpc *shpc = &SHPC_BRIDGE(bridge)->shpc;

    if (shpc->bridge && !is_unknown(&dev->parent)) {
        set_settled(shpc, slot_of(&dev->parent), is_there);
    }
}

/* Function 0 comes last: then the button is pressed. */
static bool plug(Object *handler, Device *device, Error **errp)
{
    Shpc *shpc = &SHPC_BRIDGE(handler)->shpc;
    PciDevice *dev = PCI_DEVICE(device);
    unsigned slot = slot_of(device);

    if (is_unknown(device)) {
        return true;
    }
    if (!device->is_hotplugged) {
        set_settled(shpc, slot, true);
        return true;
    }
    if (!is_enabled(shpc, slot)) {
        pci_device_set_power(dev, false);
    }
    if (!PCI_FUNCTION(dev->devfn)) {
        set_present(shpc, slot, true, SLOT_PRESENCE | SLOT_BUTTON | SLOT_MRL);
        update_irq(shpc, false);
    }
    return true;
}

static bool unplug_request(Object *handler, Device *dev, Error **errp)
{
    Shpc *shpc = &SHPC_BRIDGE(handler)->shpc;
    unsigned slot = slot_of(dev);

    if (!refuse_unknown(dev, errp)) {
        return false;
    }
    if (is_off(shpc->slots[slot])) {
        let_go(shpc, slot);
        return true;
    }
    if ((shpc->slots[slot] & SLOT_PIC) == SLOT_PIC_BLINK) {
        return error_set(errp, "Hot-unplug failed: guest is busy (power indicator blinking)");
    }
    dev->unplug_repeat_ns = clock_now_ns(CLOCK_VIRTUAL) + PATIENCE_NS;
    shpc->slots[slot] |= SLOT_BUTTON;
    update_irq(shpc, false);
    return true;
}

static void unplug(Object *handler, Device *dev)
{
    Shpc *shpc = &SHPC_BRIDGE(handler)->shpc;

    if (!PCI_FUNCTION(PCI_DEVICE(dev)->devfn)) {
        set_present(shpc, slot_of(dev), false, SLOT_PRESENCE | SLOT_MRL);
        update_irq(shpc, false);
    }
}

const HotplugHandler shpc_bridge_handler = { pre_plug, plug, unplug_request, unplug };

/* --- life --- */

static bool is_occupied(const Shpc *shpc, unsigned slot)
{
    for (unsigned n = 0; n < 8; n++) {
        if (function(shpc, slot, n)) {
            return true;
        }
    }
    return false;
}

static void reset(Shpc *shpc)
{
    shpc->command = shpc->status = 0;
    shpc->mode = 0;
    shpc->control = CONTROL_MASKS;
    for (unsigned slot = 0; slot < SHPC_SLOTS; slot++) {
        shpc->slots[slot] = SLOT_MASKS;
        set_settled(shpc, slot, is_occupied(shpc, slot));
    }
    shpc->is_irq_up = false;
    update_irq(shpc, false);
}

void shpc_bridge_reset_hold(Device *dev)
{
    if (SHPC_BRIDGE(dev)->shpc.bridge) {
        reset(&SHPC_BRIDGE(dev)->shpc);
    }
}

void shpc_bridge_finalize(Object *obj)
{
    if (SHPC_BRIDGE(obj)->shpc.bridge) {
        memory_region_clear(&SHPC_BRIDGE(obj)->shpc.region);
        SHPC_BRIDGE(obj)->shpc.bridge = NULL;
    }
}

bool shpc_bridge_init(ShpcBridge *bridge, Error **errp)
{
    Shpc *shpc = &bridge->shpc;
    PciDevice *dev = &bridge->parent.parent;
    Object *obj = &dev->parent.parent;

    shpc_bridge_finalize(obj); /* of a life before */
    shpc->cap = pci_add_capability(dev, PCI_CAP_ID_SHPC, 0, CAP_BYTES, errp);
    if (!shpc->cap) {
        return false;
    }
    dev->config[PCI_INTERRUPT_PIN] = 1;
    dev->writable[shpc->cap + CAP_SELECT] = 0xff;
    store_le32(dev->writable + shpc->cap + CAP_DATA, UINT32_MAX);
    memset(dev->fixed + shpc->cap + CAP_SELECT, 0, 6);
    shpc->bridge = &bridge->parent;
    memory_region_init_io(&shpc->region, obj, &region_ops, "shpc-mmio", REGION_BYTES);
    memory_region_set_opaque(&shpc->region, shpc);
    pci_add_bar(dev, 0, PCI_BAR_64, &shpc->region);
    for (unsigned slot = 0; slot < SHPC_SLOTS; slot++) {
        shpc->slots[slot] = SLOT_MASKS | SLOT_DISABLED | SLOT_PIC_OFF | SLOT_MRL_OPEN | SLOT_EMPTY;
    }
    bus_set_hotplug_handler(&bridge->parent.bus->parent, obj);
    return true;
}

static bool has_shpc(void *opaque)
{
    return SHPC_BRIDGE(opaque)->shpc.bridge;
}

static const VMField section_fields[] = { VM_STRUCT(ShpcBridge, shpc, shpc_state) };
static const VMState section =
    VMSTATE_INIT(section_fields, .name = "shpc", .version = 1, .needed = has_shpc);
const VMState shpc_bridge_state = { .version = 1, .subsections = VM_SUBSECTIONS(&section) };
