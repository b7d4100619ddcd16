/*
 * Xhci: an xHCI 1.0 host controller (Extensible Host Controller Interface, 1.1), however it is
 * attached; what its files share. Sections are those of that specification.
 *
 * Work is done where a doorbell asks for it: TDs one after the other, one per endpoint at a time,
 * and no more than a guest can put into rings: what asks for more goes on in the main loop.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_USB_XHCI_H
#define HW_USB_XHCI_H

#include "util/event_loop.h"
#include "util/notifier.h"
#include "usb.h"

#define XHCI_SLOTS        64
#define XHCI_INTERRUPTERS 16
#define XHCI_PORTS        15  /* of each of USB 2 and USB 3 */
#define XHCI_ENDPOINTS    32  /* places of a device context: 0 is the slot's */
#define XHCI_STREAM_BITS  8   /* 2^n streams of an endpoint at most */
#define XHCI_TRB_BYTES    16
#define XHCI_CONTEXT_BYTES 32
#define XHCI_ERST_BITS    4   /* 2^n segments of an event ring at most */

/* --- registers (5.4, 5.5) --- */

enum {
    USBCMD_RS = BIT(0), USBCMD_HCRST = BIT(1), USBCMD_INTE = BIT(2), USBCMD_HSEE = BIT(3),
    USBCMD_CSS = BIT(8), USBCMD_CRS = BIT(9), USBCMD_EWE = BIT(10),
    USBSTS_HCH = BIT(0), USBSTS_HSE = BIT(2), USBSTS_EINT = BIT(3), USBSTS_PCD = BIT(4),
    USBSTS_SRE = BIT(10), USBSTS_HCE = BIT(12),
    CRCR_RCS = BIT(0), CRCR_CS = BIT(1), CRCR_CA = BIT(2), CRCR_CRR = BIT(3),
    IMAN_IP = BIT(0), IMAN_IE = BIT(1), ERDP_DESI = 7, ERDP_EHB = BIT(3),
};
#define PORTSC_CCS   BIT(0)
#define PORTSC_PED   BIT(1)
#define PORTSC_PR    BIT(4)
#define PORTSC_PLS   0x000001e0u
#define PORTSC_PP    BIT(9)
#define PORTSC_SPEED 0x00003c00u
#define PORTSC_LWS   BIT(16)
#define PORTSC_CSC   BIT(17)
#define PORTSC_PEC   BIT(18)
#define PORTSC_WRC   BIT(19)
#define PORTSC_PRC   BIT(21)
#define PORTSC_PLC   BIT(22)
#define PORTSC_CHANGES 0x00fe0000u /* bits that a 1 clears */
#define PORTSC_WAKES 0x0e000000u
#define PORTSC_WPR   BIT(31)
/* Link states */
enum { PLS_U0 = 0, PLS_U2 = 2, PLS_U3 = 3, PLS_DISABLED = 4, PLS_RX_DETECT = 5, PLS_POLLING = 7,
       PLS_RESUME = 15 };

/* --- TRBs (6.4) --- */

enum {
    TRB_NORMAL = 1, TRB_SETUP = 2, TRB_DATA = 3, TRB_STATUS = 4, TRB_ISOCH = 5, TRB_LINK = 6,
    TRB_EVENT_DATA = 7, TRB_NO_OP = 8, TRB_ENABLE_SLOT = 9, TRB_DISABLE_SLOT = 10,
    TRB_ADDRESS_DEVICE = 11, TRB_CONFIGURE_ENDPOINT = 12, TRB_EVALUATE_CONTEXT = 13,
    TRB_RESET_ENDPOINT = 14, TRB_STOP_ENDPOINT = 15, TRB_SET_DEQUEUE = 16, TRB_RESET_DEVICE = 17,
    TRB_GET_BANDWIDTH = 21, TRB_NO_OP_COMMAND = 23, TRB_TRANSFER_EVENT = 32,
    TRB_COMMAND_COMPLETION = 33, TRB_PORT_CHANGE = 34, TRB_HOST_CONTROLLER = 37,
    TRB_MFINDEX_WRAP = 39,
};
enum {
    TRB_C = BIT(0), TRB_TC = BIT(1), TRB_ISP = BIT(2), TRB_ED = BIT(2), TRB_CH = BIT(4),
    TRB_IOC = BIT(5), TRB_IDT = BIT(6), TRB_BEI = BIT(9), TRB_BSR = BIT(9), TRB_DC = BIT(9),
    TRB_TSP = BIT(9),
};
typedef enum XhciCode {
    CC_INVALID = 0, CC_SUCCESS = 1, CC_DATA_BUFFER = 2, CC_BABBLE = 3, CC_TRANSACTION = 4,
    CC_TRB = 5, CC_STALL = 6, CC_RESOURCE = 7, CC_NO_SLOTS = 9, CC_STREAM_TYPE = 10,
    CC_SLOT_NOT_ENABLED = 11, CC_ENDPOINT_NOT_ENABLED = 12, CC_SHORT_PACKET = 13,
    CC_PARAMETER = 17, CC_CONTEXT_STATE = 19, CC_RING_FULL = 21, CC_COMMAND_RING_STOPPED = 24,
    CC_COMMAND_ABORTED = 25, CC_STOPPED = 26, CC_INVALID_STREAM_ID = 34,
} XhciCode;

typedef struct XhciTrb {
    uint64_t addr;  /* where it was */
    uint64_t parameter;
    uint32_t status, control;
} XhciTrb;

static inline unsigned xhci_trb_type(const XhciTrb *trb)
{
    return trb->control >> 10 & 0x3f;
}

/* Where a ring's consumer is. */
typedef struct XhciRing {
    uint64_t at;
    bool cycle;
} XhciRing;

/* --- state --- */

enum { SLOT_ENABLED = 0, SLOT_DEFAULT = 1, SLOT_ADDRESSED = 2, SLOT_CONFIGURED = 3 };
enum { EP_DISABLED = 0, EP_RUNNING = 1, EP_HALTED = 2, EP_STOPPED = 3, EP_ERROR = 4 };
enum { EP_TYPE_CONTROL = 4 };

typedef struct Xhci Xhci;
typedef struct XhciTransfer XhciTransfer;

typedef enum XhciControl { XHCI_CONTROL_IDLE, XHCI_CONTROL_SETUP, XHCI_CONTROL_DONE,
                           XHCI_CONTROL_STATES } XhciControl;

typedef struct XhciEndpoint {
    uint8_t state, type;
    uint8_t stream_bits;   /* 0: no streams; else 2^(n+1) of them */
    XhciRing ring;         /* without streams */
    uint64_t streams;      /* the stream context array */
    XhciControl control;   /* stages that were seen */
    uint8_t setup[8];
    /* of the process */
    XhciTransfer *transfer; /* the TD that waits for its device */
    bool is_running, is_due;
    uint64_t due_streams[BIT(XHCI_STREAM_BITS) / 64];
} XhciEndpoint;

typedef struct XhciSlot {
    bool is_enabled;
    uint8_t state;         /* SLOT_* */
    uint8_t port;          /* of the controller; 0: none yet */
    uint32_t route;
    uint16_t interrupter;
    uint64_t context;      /* the output device context */
    XhciEndpoint endpoints[XHCI_ENDPOINTS];
    UsbDevice *dev;        /* NULL: there is none, or none any more */
} XhciSlot;

typedef struct XhciInterrupter {
    uint32_t iman, imod, erstsz;
    uint64_t erstba, erdp;
    /* where events go */
    uint64_t segment_base;
    uint32_t segment_trbs; /* 0: there is no ring */
    uint32_t segment, index;
    bool cycle, is_full;
    bool has_event;        /* IPE: posted, and nobody interrupted for it */
    int64_t hold_until_ns; /* moderation, 4.17.2 */
} XhciInterrupter;

typedef struct XhciPort {
    Xhci *xhci;
    unsigned number;       /* of the controller, from 1 */
    bool is_usb3;
    UsbPort *usb;
    uint32_t portsc, portpmsc;
    bool is_untold;        /* a change without an event yet */
    MemoryRegion region;
} XhciPort;

/* What it is attached by. */
typedef struct XhciOps {
    AddressSpace *(*space)(Xhci *xhci);
    MemTxAttrs (*attrs)(Xhci *xhci);
    /* An interrupter's wish. True: it was sent as a message, and the wish is gone. */
    bool (*interrupt)(Xhci *xhci, unsigned n, bool is_up);
} XhciOps;

struct Xhci {
    Device *dev;
    const XhciOps *ops;
    /* properties */
    uint32_t slot_count, interrupter_count, usb2_ports, usb3_ports;
    bool has_streams, has_usb3_first;
    /* registers */
    uint32_t usbcmd, usbsts, dnctrl, config;
    uint64_t dcbaap;
    XhciRing commands;
    bool is_command_running, has_saved_state;
    int64_t started_ns;    /* MFINDEX was 0 */
    XhciInterrupter interrupters[XHCI_INTERRUPTERS];
    XhciPort ports[2 * XHCI_PORTS];
    XhciSlot slots[XHCI_SLOTS + 1]; /* by id, from 1 */
    /* of the process */
    unsigned port_count, lines; /* lines: bit, an interrupter's wish as it was told */
    UsbPort usb_ports[XHCI_PORTS];
    UsbBus *bus;
    MemoryRegion region, capabilities, operational, runtime, doorbells;
    Timer moderation, wrap;
    Deferred *work;
    Notifier run_state_notifier;
    bool is_busy;          /* no register is touched by what goes on */
    bool is_work_due;
    bool is_loaded;        /* and did not run since */
};

/* Rows for properties, saved state and timers of who embeds it as `f`. */
#define XHCI_PROPERTIES(S, f)                                                                      \
    PROP_U32("p2", S, f.usb2_ports, .initial = 4, .doc = "Ports of USB 2"),                        \
    PROP_U32("p3", S, f.usb3_ports, .initial = 4, .doc = "Ports of USB 3"),                        \
    PROP_BOOL("streams", S, f.has_streams, .initial = true, .doc = "Endpoints can have streams")
#define XHCI_COUNTS(S, f)                                                                          \
    PROP_U32("intrs", S, f.interrupter_count, .initial = XHCI_INTERRUPTERS,                        \
             .doc = "Interrupters"),                                                               \
    PROP_U32("slots", S, f.slot_count, .initial = XHCI_SLOTS, .doc = "Devices at most")
#define XHCI_TIMERS(S, f, moderate, wrap_)                                                         \
    TIMER_ROW(CLOCK_VIRTUAL, S, f.moderation, moderate),                                           \
    TIMER_ROW(CLOCK_VIRTUAL, S, f.wrap, wrap_)
extern const VMState xhci_state;

/* --- xhci.c --- */

bool xhci_realize(Xhci *xhci, Device *dev, const XhciOps *ops, Error **errp);
void xhci_unrealize(Xhci *xhci);
void xhci_finalize(Xhci *xhci);
void xhci_reset(Xhci *xhci);
/* In its own post_load. */
void xhci_run(Xhci *xhci);
void xhci_halt(Xhci *xhci);
static inline bool xhci_is_running(const Xhci *xhci)
{
    return !(xhci->usbsts & USBSTS_HCH);
}
/* Memory it needs is not there, or makes no sense: nothing goes on before a reset. */
void xhci_die(Xhci *xhci, uint32_t why);
/* Goes on in the main loop. */
void xhci_defer(Xhci *xhci);
bool xhci_read(Xhci *xhci, uint64_t addr, void *data, size_t bytes);
bool xhci_write(Xhci *xhci, uint64_t addr, const void *data, size_t bytes);

/* --- xhci_registers.c --- */

void xhci_init_regions(Xhci *xhci);
void xhci_clear_regions(Xhci *xhci);
uint32_t xhci_mfindex(const Xhci *xhci);
void xhci_arm_wrap(Xhci *xhci);
/* MFINDEX went round. */
void xhci_wrapped(Xhci *xhci);

/* --- xhci_ring.c --- */

typedef enum XhciFetch { XHCI_FETCHED, XHCI_EMPTY, XHCI_BROKEN } XhciFetch;
/* The next TRB that is no link; the ring moves behind it. XHCI_BROKEN: the controller is dead. */
XhciFetch xhci_fetch(Xhci *xhci, XhciRing *ring, XhciTrb *trb);

/* --- xhci_event.c --- */

void xhci_post(Xhci *xhci, unsigned interrupter, const XhciTrb *event, bool blocks_interrupt);
/* There is a ring, and it is not full. */
bool xhci_has_room(Xhci *xhci, unsigned interrupter);
void xhci_interrupter_reset(Xhci *xhci, unsigned n);
void xhci_set_event_ring(Xhci *xhci, unsigned n);
void xhci_set_erdp(Xhci *xhci, unsigned n, uint64_t value);
void xhci_update_interrupts(Xhci *xhci);
void xhci_moderation_expired(Xhci *xhci);

/* --- xhci_port.c --- */

void xhci_init_ports(Xhci *xhci);
void xhci_add_usb_ports(Xhci *xhci);
void xhci_reset_ports(Xhci *xhci);
/* Events for changes that had none yet. */
void xhci_tell_ports(Xhci *xhci);
extern const MemoryOps xhci_port_ops;
/* Behind a port, by the ports of hubs (8.9): four bits each, the first lowest. NULL: none. */
UsbDevice *xhci_find_device(const Xhci *xhci, unsigned port, uint32_t route);

/* --- xhci_command.c --- */

void xhci_run_commands(Xhci *xhci);
void xhci_stop_commands(Xhci *xhci, XhciCode code);

/* --- xhci_slot.c: commands on contexts --- */

XhciCode xhci_enable_slot(Xhci *xhci, uint8_t *id);
void xhci_disable_slot(Xhci *xhci, unsigned id);
XhciCode xhci_address_device(Xhci *xhci, unsigned id, const XhciTrb *trb);
XhciCode xhci_configure(Xhci *xhci, unsigned id, const XhciTrb *trb);
XhciCode xhci_evaluate(Xhci *xhci, unsigned id, const XhciTrb *trb);
XhciCode xhci_reset_device(Xhci *xhci, unsigned id);

/* --- xhci_endpoint.c --- */

XhciCode xhci_reset_endpoint(Xhci *xhci, unsigned id, unsigned dci, bool keeps_state);
XhciCode xhci_stop_endpoint(Xhci *xhci, unsigned id, unsigned dci);
XhciCode xhci_set_dequeue(Xhci *xhci, unsigned id, unsigned dci, const XhciTrb *trb);
/* In memory too; and where its ring is, when it no longer runs. */
void xhci_stop_at(Xhci *xhci, unsigned id, unsigned dci, unsigned state);
void xhci_set_endpoint_state(Xhci *xhci, unsigned id, unsigned dci, unsigned state);
/* Of the endpoint, or of its stream; XhciCode of what is wrong. */
XhciCode xhci_load_ring(Xhci *xhci, unsigned id, unsigned dci, unsigned stream, XhciRing *ring);
void xhci_store_ring(Xhci *xhci, unsigned id, unsigned dci, unsigned stream, XhciRing ring);

/* --- xhci_transfer.c --- */

void xhci_doorbell(Xhci *xhci, unsigned id, unsigned dci, unsigned stream);
/* What is due, or of all endpoints that run. */
void xhci_run_due(Xhci *xhci);
void xhci_mark_all_due(Xhci *xhci);
void xhci_wake(Xhci *xhci, UsbDevice *dev, uint8_t endpoint);
/* What waits is given back; `code` CC_INVALID: without an event, and the ring stays before it. */
void xhci_give_up(Xhci *xhci, unsigned id, unsigned dci, XhciCode code);
void xhci_device_gone(Xhci *xhci, UsbDevice *dev);

#endif
