/*
 * Registers of the controller as a whole (5.3 to 5.6) and where all of them are. Addresses of 64
 * bits are written in halves; what a pair starts, its upper half does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "xhci.h"

#include "util/log.h"

#define REGION_BYTES   0x4000
#define OPERATIONAL_AT 0x40
#define OPERATIONAL_BYTES 0x400
#define PORT_BYTES     0x10
#define RUNTIME_AT     0x1000
#define RUNTIME_BYTES(x) (0x20 + 0x20 * (x)->interrupter_count)
#define DOORBELLS_AT   0x2000
#define DOORBELLS_BYTES(x) (4 * ((x)->slot_count + 1))
#define VERSION        0x0100
#define MICROFRAME_NS  125000
#define MFINDEX_COUNT  0x4000

/* --- capabilities: constants --- */

enum { HCS2_IST = 0xf, HCC_AC64 = BIT(0), HCC_NSS = BIT(7), HCC_STREAMS_SHIFT = 12 };
#define EXTENDED_AT      0x20
#define PROTOCOL_BYTES   0x10
#define PROTOCOL_NAME    0x20425355 /* "USB " */
#define PROTOCOL_ID      2

/* Supported protocol capabilities (7.2): which ports are which. */
static uint32_t read_protocol(const Xhci *xhci, uint64_t at)
{
    bool is_usb3 = at >= PROTOCOL_BYTES;
    unsigned count = is_usb3 ? xhci->usb3_ports : xhci->usb2_ports;
    unsigned before = is_usb3 == xhci->has_usb3_first ? 0 :
                      is_usb3 ? xhci->usb2_ports : xhci->usb3_ports;

    switch (at % PROTOCOL_BYTES) {
    case 0x0:
        return is_usb3 ? 0x03000000 | PROTOCOL_ID :
                         0x02000000 | (PROTOCOL_BYTES / 4) << 8 | PROTOCOL_ID;
    case 0x4:
        return PROTOCOL_NAME;
    case 0x8:
        return count << 8 | (count ? before + 1 : 0);
    default:
        return 0;
    }
}

static uint64_t capabilities_read(void *opaque, uint64_t at, unsigned bytes)
{
    const Xhci *xhci = opaque;

    switch (at) {
    case 0x00:
        return VERSION << 16 | OPERATIONAL_AT;
    case 0x04:
        return xhci->port_count << 24 | xhci->interrupter_count << 8 | xhci->slot_count;
    case 0x08:
        return XHCI_ERST_BITS << 4 | HCS2_IST;
    case 0x10:
        return EXTENDED_AT / 4 << 16 | HCC_AC64 | HCC_NSS |
               (xhci->has_streams ? (XHCI_STREAM_BITS - 1) << HCC_STREAMS_SHIFT : 0);
    case 0x14:
        return DOORBELLS_AT;
    case 0x18:
        return RUNTIME_AT;
    case EXTENDED_AT ... EXTENDED_AT + 2 * PROTOCOL_BYTES - 1:
        return read_protocol(xhci, at - EXTENDED_AT);
    default:
        return 0;
    }
}

static void read_only(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    guest_error("xhci: write to a capability at 0x%" PRIx64, at);
}

/* --- operational registers --- */

enum {
    AT_USBCMD = 0x00, AT_USBSTS = 0x04, AT_PAGESIZE = 0x08, AT_DNCTRL = 0x14, AT_CRCR = 0x18,
    AT_DCBAAP = 0x30, AT_CONFIG = 0x38,
};
#define PAGE_4K 1

static void set_half(uint64_t *word, bool is_upper, uint32_t value)
{
    *word = is_upper ? (*word & UINT32_MAX) | (uint64_t)value << 32 :
                       (*word & ~(uint64_t)UINT32_MAX) | value;
}

static uint32_t half(uint64_t word, bool is_upper)
{
    return is_upper ? word >> 32 : word;
}

static uint64_t operational_read(void *opaque, uint64_t at, unsigned bytes)
{
    const Xhci *xhci = opaque;

    switch (at) {
    case AT_USBCMD:
        return xhci->usbcmd;
    case AT_USBSTS:
        return xhci->usbsts;
    case AT_PAGESIZE:
        return PAGE_4K;
    case AT_DNCTRL:
        return xhci->dnctrl;
    case AT_CRCR: /* what it points to is not told */
        return xhci->is_command_running ? CRCR_CRR : 0;
    case AT_DCBAAP: case AT_DCBAAP + 4:
        return half(xhci->dcbaap, at & 4);
    case AT_CONFIG:
        return xhci->config;
    default:
        return 0;
    }
}

static void write_usbcmd(Xhci *xhci, uint32_t value)
{
    static const uint32_t kept = USBCMD_RS | USBCMD_INTE | USBCMD_HSEE | USBCMD_EWE;

    if (value & USBCMD_HCRST) {
        xhci_reset(xhci);
        return;
    }
    if (value & USBCMD_CSS) {
        xhci->usbsts &= ~USBSTS_SRE;
        xhci->has_saved_state = true;
    }
    if (value & USBCMD_CRS) { /* what there was is still there, if nothing was reset */
        xhci->usbsts = (xhci->usbsts & ~USBSTS_SRE) | (xhci->has_saved_state ? 0 : USBSTS_SRE);
    }
    if (xhci->usbsts & (USBSTS_HSE | USBSTS_HCE)) {
        value &= ~USBCMD_RS;
    }
    xhci->usbcmd = value & kept;
    if (value & USBCMD_RS && !xhci_is_running(xhci)) {
        xhci_run(xhci);
    } else if (!(value & USBCMD_RS) && xhci_is_running(xhci)) {
        xhci_halt(xhci);
    }
    xhci_arm_wrap(xhci);
    xhci_update_interrupts(xhci);
}

static void write_crcr(Xhci *xhci, bool is_upper, uint32_t value)
{
    if (!is_upper && xhci->is_command_running) {
        if (value & (CRCR_CS | CRCR_CA)) {
            xhci_stop_commands(xhci, CC_COMMAND_RING_STOPPED);
        }
        return;
    }
    if (xhci->is_command_running) {
        return;
    }
    if (!is_upper) {
        xhci->commands.cycle = value & CRCR_RCS;
        value &= ~0x3fu;
    }
    set_half(&xhci->commands.at, is_upper, value);
}

static void operational_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Xhci *xhci = opaque;

    switch (at) {
    case AT_USBCMD:
        write_usbcmd(xhci, value);
        break;
    case AT_USBSTS:
        xhci->usbsts &= ~(value & (USBSTS_HSE | USBSTS_EINT | USBSTS_PCD | USBSTS_SRE));
        break;
    case AT_DNCTRL:
        xhci->dnctrl = value & 0xffff;
        break;
    case AT_CRCR: case AT_CRCR + 4:
        write_crcr(xhci, at & 4, value);
        break;
    case AT_DCBAAP: case AT_DCBAAP + 4:
        set_half(&xhci->dcbaap, at & 4, at & 4 ? value : value & ~0x3fu);
        break;
    case AT_CONFIG:
        xhci->config = value & 0xff;
        break;
    default:
        guest_error("xhci: write of 0x%" PRIx64 " at 0x%" PRIx64, value, at);
        break;
    }
}

/* --- runtime registers --- */

enum { AT_IMAN = 0x00, AT_IMOD = 0x04, AT_ERSTSZ = 0x08, AT_ERSTBA = 0x10, AT_ERDP = 0x18 };

uint32_t xhci_mfindex(const Xhci *xhci)
{
    int64_t now = clock_now_ns(CLOCK_VIRTUAL);

    return xhci_is_running(xhci) ? (now - xhci->started_ns) / MICROFRAME_NS % MFINDEX_COUNT : 0;
}

void xhci_arm_wrap(Xhci *xhci)
{
    static const int64_t period = (int64_t)MFINDEX_COUNT * MICROFRAME_NS;
    int64_t passed = clock_now_ns(CLOCK_VIRTUAL) - xhci->started_ns;

    if (xhci_is_running(xhci) && xhci->usbcmd & USBCMD_EWE) {
        timer_arm_at_ns(&xhci->wrap, xhci->started_ns + (passed / period + 1) * period);
    } else {
        timer_cancel(&xhci->wrap);
    }
}

void xhci_wrapped(Xhci *xhci)
{
    static const XhciTrb event = { .status = CC_SUCCESS << 24, .control = TRB_MFINDEX_WRAP << 10 };

    if (xhci_has_room(xhci, 0)) {
        xhci_post(xhci, 0, &event, false);
    }
    xhci_arm_wrap(xhci);
}

static uint64_t runtime_read(void *opaque, uint64_t at, unsigned bytes)
{
    const Xhci *xhci = opaque;
    const XhciInterrupter *i = at < 0x20 ? NULL : &xhci->interrupters[at / 0x20 - 1];

    if (!i) {
        return at ? 0 : xhci_mfindex(xhci);
    }
    switch (at % 0x20) {
    case AT_IMAN:
        return i->iman;
    case AT_IMOD:
        return i->imod;
    case AT_ERSTSZ:
        return i->erstsz;
    case AT_ERSTBA: case AT_ERSTBA + 4:
        return half(i->erstba, at & 4);
    case AT_ERDP: case AT_ERDP + 4:
        return half(i->erdp, at & 4);
    default:
        return 0;
    }
}

/* The halves of a pointer come one by one: the consumer is where the upper one says. */
static void write_erdp(Xhci *xhci, unsigned n, bool is_upper, uint32_t value)
{
    XhciInterrupter *i = &xhci->interrupters[n];
    uint64_t erdp = i->erdp;

    if (is_upper) {
        set_half(&erdp, true, value);
        xhci_set_erdp(xhci, n, erdp & ~(uint64_t)ERDP_EHB);
    } else {
        set_half(&erdp, false, value);
        xhci_set_erdp(xhci, n, erdp);
    }
}

static void write_interrupter(Xhci *xhci, unsigned n, uint64_t at, uint32_t value)
{
    XhciInterrupter *i = &xhci->interrupters[n];

    switch (at) {
    case AT_IMAN:
        i->iman = (i->iman & IMAN_IP & ~value) | (value & IMAN_IE);
        xhci_update_interrupts(xhci);
        break;
    case AT_IMOD: /* with a counter that software sets to 0 */
        i->imod = value;
        i->hold_until_ns = MIN(i->hold_until_ns, clock_now_ns(CLOCK_VIRTUAL) +
                               (int64_t)(value & 0xffff) * 250);
        xhci_update_interrupts(xhci);
        break;
    case AT_ERSTSZ:
        i->erstsz = value & 0xffff;
        break;
    case AT_ERSTBA: case AT_ERSTBA + 4:
        set_half(&i->erstba, at & 4, at & 4 ? value : value & ~0x3fu);
        if (at & 4) {
            xhci_set_event_ring(xhci, n);
        }
        break;
    case AT_ERDP: case AT_ERDP + 4:
        write_erdp(xhci, n, at & 4, value);
        break;
    default:
        guest_error("xhci: write of 0x%x to interrupter %u at 0x%" PRIx64, value, n, at);
        break;
    }
}

static void runtime_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    if (at < 0x20) {
        guest_error("xhci: write of 0x%" PRIx64 " to MFINDEX", value);
        return;
    }
    write_interrupter(opaque, at / 0x20 - 1, at % 0x20, value);
}

/* --- doorbells --- */

static uint64_t doorbell_read(void *opaque, uint64_t at, unsigned bytes)
{
    return 0;
}

static void doorbell_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Xhci *xhci = opaque;
    unsigned target = value & 0xff;

    if (!xhci_is_running(xhci)) {
        guest_error("xhci: a doorbell while it is halted");
    } else if (!at && !target) {
        xhci->is_command_running = true;
        xhci_run_commands(xhci);
    } else if (at && target && target < XHCI_ENDPOINTS) {
        xhci_doorbell(xhci, at / 4, target, value >> 16);
    } else {
        guest_error("xhci: 0x%" PRIx64 " at doorbell %" PRIu64, value, at / 4);
    }
}

/* --- where they are --- */

#define OPS(read_, write_)                                                                         \
    { .read = (read_), .write = (write_), .endian = ENDIAN_LITTLE, .valid = { 1, 8 },              \
      .impl = { 4, 4 } }
static const MemoryOps capabilities_ops = OPS(capabilities_read, read_only);
static const MemoryOps operational_ops = OPS(operational_read, operational_write);
static const MemoryOps runtime_ops = OPS(runtime_read, runtime_write);
static const MemoryOps doorbell_ops = OPS(doorbell_read, doorbell_write);

static void add_region(Xhci *xhci, MemoryRegion *mr, const MemoryOps *ops, const char *name,
                       MemoryWindow where)
{
    memory_region_init_io(mr, &xhci->dev->parent, ops, name, where.size);
    memory_region_set_opaque(mr, xhci);
    memory_region_set_guard(mr, &xhci->is_busy);
    memory_region_add(&xhci->region, where.offset, mr);
}

static void add_port(Xhci *xhci, unsigned n)
{
    XhciPort *port = &xhci->ports[n];
    unsigned before = port->is_usb3 == xhci->has_usb3_first ? 0 :
                      port->is_usb3 ? xhci->usb2_ports : xhci->usb3_ports;
    g_autofree char *name = g_strdup_printf("usb%d port #%u", port->is_usb3 ? 3 : 2,
                                            port->number - before);

    add_region(xhci, &port->region, &xhci_port_ops, name,
               (MemoryWindow){ OPERATIONAL_AT + OPERATIONAL_BYTES + n * PORT_BYTES, PORT_BYTES });
    memory_region_set_opaque(&port->region, port);
}

void xhci_init_regions(Xhci *xhci)
{
    memory_region_init(&xhci->region, &xhci->dev->parent, "xhci", REGION_BYTES);
    add_region(xhci, &xhci->capabilities, &capabilities_ops, "capabilities",
               (MemoryWindow){ 0, OPERATIONAL_AT });
    add_region(xhci, &xhci->operational, &operational_ops, "operational",
               (MemoryWindow){ OPERATIONAL_AT, OPERATIONAL_BYTES });
    add_region(xhci, &xhci->runtime, &runtime_ops, "runtime",
               (MemoryWindow){ RUNTIME_AT, RUNTIME_BYTES(xhci) });
    add_region(xhci, &xhci->doorbells, &doorbell_ops, "doorbell",
               (MemoryWindow){ DOORBELLS_AT, DOORBELLS_BYTES(xhci) });
    for (unsigned n = 0; n < xhci->port_count; n++) {
        add_port(xhci, n);
    }
}

static void clear_region(Xhci *xhci, MemoryRegion *mr)
{
    memory_region_remove(&xhci->region, mr);
    memory_region_clear(mr);
}

void xhci_clear_regions(Xhci *xhci)
{
    for (unsigned n = 0; n < xhci->port_count; n++) {
        clear_region(xhci, &xhci->ports[n].region);
    }
    clear_region(xhci, &xhci->capabilities);
    clear_region(xhci, &xhci->operational);
    clear_region(xhci, &xhci->runtime);
    clear_region(xhci, &xhci->doorbells);
    memory_region_clear(&xhci->region);
}
