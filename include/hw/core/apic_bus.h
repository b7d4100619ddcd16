/*
 * ApicBus: the wires between x86 interrupt sources (IOAPICs, messages written to 0xfeexxxxx,
 * other CPUs) and local APICs. One per machine; a vIOMMU may stand between the sources and it, a
 * kernel may take it over.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_APIC_BUS_H
#define HW_CORE_APIC_BUS_H

#include "hw/core/device.h"
#include "system/memory.h"
#include "util/notifier.h"

#define APIC_WINDOW_ADDR  UINT64_C(0xfee00000)
#define APIC_WINDOW_BYTES UINT64_C(0x100000)
#define APIC_PAGE_BYTES   UINT64_C(0x1000)

typedef enum ApicDelivery {
    APIC_FIXED,
    APIC_LOWEST_PRIORITY,
    APIC_SMI,
    APIC_RESERVED,
    APIC_NMI,
    APIC_INIT,
    APIC_STARTUP,
    APIC_EXTINT,
} ApicDelivery;

/* An interrupt on its way to local APICs. */
typedef struct ApicMessage {
    uint32_t dest;
    uint8_t vector;
    uint8_t delivery;      /* ApicDelivery */
    bool is_logical;       /* dest is a set, by LDR and DFR */
    bool is_level;         /* trigger mode */
    bool is_deassert;      /* INIT: only synchronizes arbitration, which we have none of */
    bool has_wide_dest;    /* 32 bits, all ones is everybody; else 8 bits */
    const Device *except;  /* a broadcast's sender, if it is not meant; NULL: nobody */
} ApicMessage;

/* A message as written by a device. */
typedef struct ApicMsi {
    uint64_t addr;
    uint32_t data;
    MemTxAttrs attrs;
    bool is_ioapic; /* from a redirection entry: it has no requester id of its own */
} ApicMsi;

/* What each message passes on a machine with a vIOMMU. False: blocked (it has recorded why). */
typedef struct ApicRemap {
    bool (*translate)(void *opaque, const ApicMsi *msi, ApicMessage *message);
    void *opaque;
} ApicRemap;

/* Where messages end. NULL fields of the machine's: at the local APICs that joined. */
typedef struct ApicSink {
    void (*deliver)(void *opaque, const ApicMessage *message);
    void *opaque;
} ApicSink;

/* Who wants to know that a level interrupt was ended: IOAPICs. Embed it. */
typedef struct ApicEoiListener {
    void (*ended)(struct ApicEoiListener *listener, uint8_t vector);
    struct ApicEoiListener *next;
} ApicEoiListener;

/*
 * The window at 0xfee00000: writes are messages, or, from a CPU to its own page, registers. The
 * board maps it over RAM and PCI.
 */
MemoryRegion *apic_bus_window(void);

/* `apic` has the interface TYPE_LOCAL_APIC (hw/core/local_apic.h). */
void apic_bus_join(Device *apic);
void apic_bus_leave(Device *apic);
void apic_bus_add_eoi_listener(ApicEoiListener *listener);
void apic_bus_remove_eoi_listener(ApicEoiListener *listener);

/* NULL takes it away; tells the notifiers. Borrowed. */
void apic_bus_set_remap(const ApicRemap *remap);
void apic_bus_set_sink(const ApicSink *sink);
/* For who keeps translations (kernel routes): told when the table behind `remap` changed. */
void apic_bus_add_remap_notifier(Notifier *notifier);
void apic_bus_tell_remap_changed(void);
/* What a message says by itself, as if nothing stood between. */
void apic_bus_decode(const ApicMsi *msi, ApicMessage *message);
/* What a message means now; false: blocked. */
bool apic_bus_translate(const ApicMsi *msi, ApicMessage *message);

void apic_bus_send(const ApicMsi *msi);
void apic_bus_deliver(const ApicMessage *message);
void apic_bus_end_of_interrupt(uint8_t vector);

/* The 8259s' acknowledge cycle: the vector of the interrupt they hold. */
typedef uint8_t ApicPicFn(void *opaque);
void apic_bus_set_pic(ApicPicFn *acknowledge, void *opaque);
/* -1: there are no 8259s. */
int apic_bus_acknowledge_pic(void);

#endif
