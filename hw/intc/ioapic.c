/*
 * ioapic: turns 24 lines into messages to local APICs. Intel 82093AA; the EOI register of version
 * 0x20 as in the ICH family's data sheets. Lines say whether an interrupt is wanted, so the
 * polarity bits of entries are kept and mean nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/apic_bus.h"
#include "hw/core/interrupt_stats.h"
#include "hw/core/mmio_device.h"
#include "trace.h"
#include "util/log.h"

#define PINS 24

enum { IOAPIC_ID = 0, IOAPIC_VERSION = 1, IOAPIC_ARBITRATION = 2, IOAPIC_ENTRIES = 0x10 };

/* Redirection entry. Bits 48-63 are a destination, or a vIOMMU's handle. */
#define ENTRY_DELIVERY(entry) ((entry) >> 8 & 7)
#define ENTRY_LOGICAL    BIT64(11)
#define ENTRY_REMOTE_IRR BIT64(14)
#define ENTRY_LEVEL      BIT64(15)
#define ENTRY_MASKED     BIT64(16)
#define ENTRY_WRITABLE   (UINT64_C(0xffff) << 48 | 0x1afff)

typedef struct Ioapic {
    MmioDevice parent;
    ApicEoiListener eoi;
    uint8_t version; /* property */
    uint32_t select, id;
    uint64_t entries[PINS];
    uint32_t levels; /* of the lines */
    uint64_t counts[PINS]; /* of requests, for people */
} Ioapic;
DECLARE_CAST(Ioapic, IOAPIC)

/* The destination fields lie in an entry as in an address, remappable format included. */
static void send(Ioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entries[pin];
    bool is_level = entry & ENTRY_LEVEL;
    ApicMsi msi = {
        .addr = APIC_WINDOW_ADDR | entry >> 56 << 12 | (entry >> 48 & 0xff) << 4 |
                (entry & ENTRY_LOGICAL ? BIT(2) : 0),
        .data = (entry & 0x7ff) | (is_level ? BIT(14) | BIT(15) : 0),
        .is_ioapic = true,
    };

    trace_ioapic_message(pin, entry);
    apic_bus_send(&msi);
}

/* A level that is wanted, not masked and not under way. */
static void serve_level(Ioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entries[pin];

    if ((entry & ENTRY_LEVEL) && (ioapic->levels & BIT(pin)) &&
        !(entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR))) {
        if (ENTRY_DELIVERY(entry) <= APIC_LOWEST_PRIORITY) {
            ioapic->entries[pin] |= ENTRY_REMOTE_IRR;
        }
        send(ioapic, pin);
    }
}

static void ioapic_line(void *opaque, unsigned pin, int level)
{
    Ioapic *ioapic = IOAPIC(opaque);
    bool is_edge = level && !(ioapic->levels & BIT(pin));

    ioapic->counts[pin] += is_edge;
    ioapic->levels = level ? ioapic->levels | BIT(pin) : ioapic->levels & ~BIT(pin);
    if (ioapic->entries[pin] & ENTRY_LEVEL) {
        serve_level(ioapic, pin);
    } else if (is_edge && !(ioapic->entries[pin] & ENTRY_MASKED)) {
        send(ioapic, pin);
    }
}

static void end_of_interrupt(Ioapic *ioapic, uint8_t vector)
{
    trace_ioapic_eoi(vector);
    for (unsigned pin = 0; pin < PINS; pin++) {
        uint64_t *entry = &ioapic->entries[pin];

        if ((*entry & ENTRY_REMOTE_IRR) && (*entry & 0xff) == vector) {
            *entry &= ~ENTRY_REMOTE_IRR;
            serve_level(ioapic, pin);
        }
    }
}

static void ioapic_eoi(ApicEoiListener *listener, uint8_t vector)
{
    end_of_interrupt(container_of(listener, Ioapic, eoi), vector);
}

/* --- registers --- */

static uint64_t ioapic_window_read(Device *dev, unsigned n)
{
    Ioapic *ioapic = IOAPIC(dev);
    unsigned entry = (ioapic->select - IOAPIC_ENTRIES) / 2;

    switch (ioapic->select) {
    case IOAPIC_ID:
    case IOAPIC_ARBITRATION:
        return ioapic->id;
    case IOAPIC_VERSION:
        return ioapic->version | (PINS - 1) << 16;
    }
    if (ioapic->select < IOAPIC_ENTRIES || entry >= PINS) {
        return 0;
    }
    return (uint32_t)(ioapic->entries[entry] >> (ioapic->select & 1 ? 32 : 0));
}

static void write_entry(Ioapic *ioapic, unsigned pin, bool is_high, uint32_t value)
{
    uint64_t *entry = &ioapic->entries[pin];
    uint64_t mask = ENTRY_WRITABLE & (is_high ? UINT64_C(0xffffffff) << 32 : 0xffffffff);

    *entry = (*entry & ~mask) | ((is_high ? (uint64_t)value << 32 : value) & mask);
    if (!(*entry & ENTRY_LEVEL)) {
        *entry &= ~ENTRY_REMOTE_IRR;
    }
    serve_level(ioapic, pin);
}

static void ioapic_window_write(Device *dev, unsigned n, uint64_t value)
{
    Ioapic *ioapic = IOAPIC(dev);
    unsigned entry = (ioapic->select - IOAPIC_ENTRIES) / 2;

    if (ioapic->select == IOAPIC_ID) {
        ioapic->id = value & 0x0f000000;
    } else if (ioapic->select >= IOAPIC_ENTRIES && entry < PINS) {
        write_entry(ioapic, entry, ioapic->select & 1, value);
    }
}

static void ioapic_eoi_write(Device *dev, unsigned n, uint64_t value)
{
    if (IOAPIC(dev)->version >= 0x20) {
        end_of_interrupt(IOAPIC(dev), value);
    } else {
        guest_error("ioapic: version 0x%x has no EOI register", IOAPIC(dev)->version);
    }
}

static const RegDef ioapic_regs[] = {
    REG(0x00, "IOREGSEL", Ioapic, select, .writable = 0xff),
    REG_COMPUTED(0x10, "IOWIN", .read = ioapic_window_read, .write = ioapic_window_write),
    REG_COMPUTED(0x40, "EOI", .write = ioapic_eoi_write),
};

/* --- for people --- */

static const char *const delivery_names[] = {
    "fixed", "lowest", "SMI", "...", "NMI", "INIT", "...", "extINT",
};

static void print_pin(const Ioapic *ioapic, unsigned pin, GString *out)
{
    uint64_t entry = ioapic->entries[pin];
    unsigned destination = entry >> 56;

    g_string_append_printf(out, "  pin %-2u 0x%016" PRIx64 " dest=%X vec=%-3u %s %-5s %-6s %-6s %s\n",
                           pin, entry, destination, (unsigned)(entry & 0xff),
                           entry & BIT64(13) ? "active-lo" : "active-hi",
                           entry & ENTRY_LEVEL ? "level" : "edge",
                           entry & ENTRY_MASKED ? "masked" : "",
                           delivery_names[ENTRY_DELIVERY(entry)],
                           entry & ENTRY_LOGICAL ? "logical" : "physical");
}

static void print_pins(const char *name, uint32_t pins, GString *out)
{
    g_string_append_printf(out, "  %-8s", name);
    for (unsigned pin = 0; pin < PINS; pin++) {
        if (pins & BIT(pin)) {
            g_string_append_printf(out, " %u", pin);
        }
    }
    g_string_append(out, pins ? "\n" : " (none)\n");
}

static void ioapic_print(Object *obj, GString *out)
{
    const Ioapic *ioapic = IOAPIC(obj);
    uint32_t remote = 0;

    g_string_append_printf(out, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x", ioapic->version,
                           ioapic->id >> 24, ioapic->select);
    if (ioapic->select >= IOAPIC_ENTRIES) {
        g_string_append_printf(out, " (redir[%u])", (ioapic->select - IOAPIC_ENTRIES) / 2);
    }
    g_string_append_c(out, '\n');
    for (unsigned pin = 0; pin < PINS; pin++) {
        print_pin(ioapic, pin, out);
        remote |= ioapic->entries[pin] & ENTRY_REMOTE_IRR ? BIT(pin) : 0;
    }
    print_pins("IRR", ioapic->levels, out);
    print_pins("Remote IRR", remote, out);
}

static const uint64_t *ioapic_counts(Object *obj, unsigned *lines)
{
    *lines = PINS;
    return IOAPIC(obj)->counts;
}

static const InterruptStats ioapic_stats = { ioapic_print, ioapic_counts };
static const InterfaceImpl ioapic_interfaces[] = {
    { TYPE_INTERRUPT_STATS, &ioapic_stats }, { NULL },
};

/* --- life --- */

static void ioapic_reset_enter(Device *dev)
{
    Ioapic *ioapic = IOAPIC(dev);

    ioapic->id = 0;
    ioapic->levels = 0; /* who still wants something says so when its own reset ends */
    for (unsigned pin = 0; pin < PINS; pin++) {
        ioapic->entries[pin] = ENTRY_MASKED;
    }
}

static bool ioapic_realize(Device *dev, Error **errp)
{
    Ioapic *ioapic = IOAPIC(dev);

    if (ioapic->version != 0x11 && ioapic->version != 0x20) {
        return error_set(errp, "IOAPIC version 0x%x is neither 0x11 nor 0x20", ioapic->version);
    }
    ioapic->eoi.ended = ioapic_eoi;
    apic_bus_add_eoi_listener(&ioapic->eoi);
    ioapic_reset_enter(dev);
    return true;
}

static void ioapic_unrealize(Device *dev)
{
    apic_bus_remove_eoi_listener(&IOAPIC(dev)->eoi);
}

static const Property ioapic_props[] = {
    PROP_U8("version", Ioapic, version, .initial = 0x20, .doc = "0x11, or 0x20 with EOI register"),
};
static const VMField ioapic_fields[] = {
    VM_REGISTERS,
    VM_U32(Ioapic, id),
    VM_ARRAY(Ioapic, entries),
    VM_U32(Ioapic, levels),
};

static const DeviceType ioapic_type = {
    .name = "ioapic",
    .doc = "I/O APIC",
    .parent = TYPE_MMIO_DEVICE,
    .interfaces = ioapic_interfaces,
    .size = sizeof(Ioapic),
    .registers = REG_MAP(ioapic_regs, .size = 0x1000, .width = 4, .access_min = 1,
                         .endian = ENDIAN_LITTLE),
    .irqs = IRQ_IN(ioapic_line, PINS),
    .properties = PROPERTIES(ioapic_props),
    .vmstate = VMSTATE(ioapic_fields, .version = 1),
    .realize = ioapic_realize,
    .unrealize = ioapic_unrealize,
    .reset_enter = ioapic_reset_enter,
};
DEVICE_TYPE(ioapic_type)
