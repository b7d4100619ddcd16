/*
 * The bus between x86 interrupt sources and local APICs: see hw/core/apic_bus.h. Message format:
 * Intel SDM volume 3, "Message Signalled Interrupts".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/apic_bus.h"
#include "hw/core/local_apic.h"
#include "system/vcpu.h"
#include "util/log.h"

/* The machine's. */
static struct {
    MemoryRegion window;
    bool has_window;
    GPtrArray *apics; /* borrowed */
    ApicEoiListener *listeners;
    ApicRemap remap;
    ApicSink sink;
    NotifierList remap_notifiers;
    ApicPicFn *pic;
    void *pic_opaque;
} bus;

/* --- sources --- */

void apic_bus_decode(const ApicMsi *msi, ApicMessage *message)
{
    *message = (ApicMessage){
        .dest = (msi->addr >> 12) & 0xff,
        .is_logical = msi->addr & BIT(2),
        .vector = msi->data & 0xff,
        .delivery = (msi->data >> 8) & 7,
        .is_level = msi->data & BIT(15),
        .is_deassert = (msi->data & BIT(15)) && !(msi->data & BIT(14)),
    };
}

bool apic_bus_translate(const ApicMsi *msi, ApicMessage *message)
{
    if (bus.remap.translate) {
        return bus.remap.translate(bus.remap.opaque, msi, message);
    }
    apic_bus_decode(msi, message);
    return true;
}

void apic_bus_send(const ApicMsi *msi)
{
    ApicMessage message;

    if (apic_bus_translate(msi, &message)) {
        apic_bus_deliver(&message);
    }
}

/* --- destinations --- */

/* The one with the lowest priority of those that match. */
static Device *arbitrate(const ApicMessage *message)
{
    Device *best = NULL;
    uint8_t lowest = 0, priority;

    for (guint i = 0; i < bus.apics->len; i++) {
        Device *apic = bus.apics->pdata[i];
        const LocalApic *ops = local_apic_ops(apic);

        if (ops->matches(apic, message) && ops->arbitrates(apic, &priority) &&
            (!best || priority < lowest)) {
            best = apic;
            lowest = priority;
        }
    }
    return best;
}

static void deliver_to_all(const ApicMessage *message)
{
    for (guint i = 0; i < bus.apics->len; i++) {
        Device *apic = bus.apics->pdata[i];

        if (local_apic_ops(apic)->matches(apic, message)) {
            local_apic_ops(apic)->deliver(apic, message);
        }
    }
}

void apic_bus_deliver(const ApicMessage *message)
{
    Device *apic;

    if (bus.sink.deliver) {
        bus.sink.deliver(bus.sink.opaque, message);
        return;
    }
    if (!bus.apics) {
        return;
    }
    if (message->delivery != APIC_LOWEST_PRIORITY) {
        deliver_to_all(message);
        return;
    }
    apic = arbitrate(message);
    if (apic) {
        local_apic_ops(apic)->deliver(apic, message);
    }
}

void apic_bus_end_of_interrupt(uint8_t vector)
{
    for (ApicEoiListener *l = bus.listeners, *next; l; l = next) {
        next = l->next;
        l->ended(l, vector);
    }
}

/* --- the window --- */

static Device *own_apic(void)
{
    Vcpu *vcpu = vcpu_current();

    for (guint i = 0; vcpu && bus.apics && i < bus.apics->len; i++) {
        Device *apic = bus.apics->pdata[i];

        if (local_apic_ops(apic)->vcpu(apic) == vcpu) {
            return apic;
        }
    }
    return NULL;
}

static MemTxResult window_read(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                               uint64_t *value)
{
    Device *apic = attrs.has_requester_id || offset >= APIC_PAGE_BYTES ? NULL : own_apic();

    *value = apic && bytes == 4 ? local_apic_ops(apic)->read(apic, offset) : 0;
    return MEM_TX_OK;
}

static MemTxResult window_write(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                                uint64_t value)
{
    ApicMsi msi = { .addr = APIC_WINDOW_ADDR + offset, .data = value, .attrs = attrs };
    bool is_register = offset >= 0x10 && offset < APIC_PAGE_BYTES && !attrs.has_requester_id;
    Device *apic = is_register ? own_apic() : NULL;

    if (bytes != 4) {
        guest_error("apic: write of %u bytes at 0x%" PRIx64, bytes, msi.addr);
    } else if (apic) {
        local_apic_ops(apic)->write(apic, offset, value);
    } else if (is_register) {
        guest_error("apic: write to a CPU's page at 0x%" PRIx64 " by nobody", msi.addr);
    } else {
        apic_bus_send(&msi);
    }
    return MEM_TX_OK;
}

static const MemoryOps window_ops = {
    .read_attrs = window_read,
    .write_attrs = window_write,
    .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 },
    .impl = { 1, 4 },
};

MemoryRegion *apic_bus_window(void)
{
    if (!bus.has_window) {
        memory_region_init_io(&bus.window, NULL, &window_ops, "apic-msi", APIC_WINDOW_BYTES);
        bus.has_window = true;
    }
    return &bus.window;
}

/* --- who is there --- */

void apic_bus_join(Device *apic)
{
    if (!bus.apics) {
        bus.apics = g_ptr_array_new();
    }
    g_ptr_array_add(bus.apics, apic);
}

void apic_bus_leave(Device *apic)
{
    g_ptr_array_remove(bus.apics, apic);
}

void apic_bus_add_eoi_listener(ApicEoiListener *listener)
{
    listener->next = bus.listeners;
    bus.listeners = listener;
}

void apic_bus_remove_eoi_listener(ApicEoiListener *listener)
{
    ApicEoiListener **at = &bus.listeners;

    while (*at && *at != listener) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = listener->next;
    }
}

void apic_bus_set_remap(const ApicRemap *remap)
{
    bus.remap = remap ? *remap : (ApicRemap){ NULL };
    apic_bus_tell_remap_changed();
}

void apic_bus_set_sink(const ApicSink *sink)
{
    bus.sink = sink ? *sink : (ApicSink){ NULL };
}

void apic_bus_add_remap_notifier(Notifier *notifier)
{
    notifier_add(&bus.remap_notifiers, notifier);
}

void apic_bus_tell_remap_changed(void)
{
    notifier_tell(&bus.remap_notifiers, NULL);
}

void apic_bus_set_pic(ApicPicFn *acknowledge, void *opaque)
{
    bus.pic = acknowledge;
    bus.pic_opaque = opaque;
}

int apic_bus_acknowledge_pic(void)
{
    return bus.pic ? bus.pic(bus.pic_opaque) : -1;
}

static const ObjectType local_apic_type = {
    .name = TYPE_LOCAL_APIC,
    .doc = "An x86 CPU's interrupt controller",
    .is_interface = true,
};
OBJECT_TYPE(local_apic_type)
