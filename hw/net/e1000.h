/*
 * E1000Nic: what Intel's gigabit adapters with descriptor rings share, from the 82540EM (e1000) to
 * the 82574L (e1000e). A chip is a table of registers and an E1000Model.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_NET_E1000_H
#define HW_NET_E1000_H

#include "e1000_regs.h"
#include "hw/net/nic_conf.h"
#include "hw/pci/pci_device.h"
#include "net/packet.h"
#include "util/byte_order.h"

#define TYPE_E1000_BASE    "e1000-base"
#define E1000_MAX_QUEUES   2
#define E1000_VECTORS      5
#define E1000_NVM_WORDS    64
#define E1000_PHY_WORDS    32
#define E1000_PHY_PAGES    8
#define E1000_RX_MAX       16384 /* bytes of a frame, with its CRC */
#define E1000_DESC_BYTES   16

typedef struct E1000Nic E1000Nic;

/* What the chips differ in, besides their registers. */
typedef struct E1000Model {
    const RegisterMap *registers;
    unsigned queues;
    bool is_82574;           /* extended and split descriptors, more causes, SPI, MSI-X */
    uint32_t status;         /* STATUS without what changes */
    uint16_t phy_id_2;
    uint16_t nvm_compat, nvm_init_2; /* words 3 and 15 of the EEPROM */
    unsigned io_bar, io_bytes;
    unsigned eerd_shift;     /* of the address in EERD */
    uint32_t eerd_done;
} E1000Model;

typedef struct E1000Type {
    struct PciDeviceType;
    const E1000Model *model;
} E1000Type;

/* What descriptors said of one kind of frames (82574L, 7.2.7). */
typedef struct E1000Context {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen;
    uint16_t ipcse, tucse, mss;
    uint32_t paylen;
    bool is_tcp, is_ipv4;
} E1000Context;

typedef struct E1000TxQueue {
    E1000Context contexts[2]; /* without and with segmentation */
    uint8_t *frame;           /* NET_FRAME_MAX, a tag and a CRC: what is being put together */
    uint32_t used;            /* bytes of it */
    uint32_t options;         /* TXD_TSE, TXD_IXSM, TXD_TXSM of its first descriptor */
    bool has_begun, is_too_long;
    bool is_held;             /* the network told us to wait */
} E1000TxQueue;

/* The EEPROM's wires. */
typedef struct E1000Serial {
    uint32_t in;      /* bits that came since it was selected, or since the last word */
    uint32_t out;     /* bits to go, the highest first */
    uint8_t in_bits, out_bits, command;
    uint16_t addr;
    bool has_command, has_addr, is_write_enabled;
} E1000Serial;

struct E1000Nic {
    PciDevice parent;
    const E1000Model *model;
    MemoryRegion memory, flash, io, msix;
    NetEnd end;
    Deferred *more;       /* goes on with what is to be sent */
    uint8_t *rx_frame;    /* E1000_RX_MAX: what came, in one piece */
    /* properties */
    NicConf conf;
    uint16_t subsystem_vendor, subsystem;
    bool uses_mitigation, negotiates, has_vet;
    uint8_t has_no_offload;
    /* state */
    uint32_t mac[E1000_MAC_BYTES / 4]; /* registers by their place */
    uint16_t phy[E1000_PHY_WORDS], nvm[E1000_NVM_WORDS];
    uint16_t phy_pages[E1000_PHY_PAGES][6]; /* registers 16 to 21 of pages that are kept */
    E1000Serial serial;
    uint32_t serial_lines; /* EECD, as last written */
    E1000TxQueue tx[E1000_MAX_QUEUES];
    uint32_t io_addr;
    uint32_t rx_causes, tx_causes; /* that wait for a timer */
    unsigned sent;        /* frames of this turn */
    bool is_sending, is_taking; /* memory it reads or writes may be its own registers */
    uint32_t fired;       /* causes whose MSI-X message was sent */
    bool is_asserted;     /* the pin, or the MSI message was sent */
    bool is_negotiating, had_link;
    uint64_t systim;      /* of the moment at systim_ns */
    int64_t systim_ns;
    Timer itr, eitr[E1000_VECTORS], rdtr, radv, tidv, tadv, autoneg;
};
DECLARE_CAST(E1000Nic, E1000)

#define MAC(s, NAME)      ((s)->mac[E1000_##NAME / 4])
#define MAC_N(s, NAME, n) ((s)->mac[E1000_##NAME / 4 + (n)])
/* Of queue n. */
#define MAC_Q(s, NAME, n) ((s)->mac[(E1000_##NAME + E1000_QUEUE_STEP * (n)) / 4])

/* --- e1000_core.c --- */

extern const VMState e1000_state;
void e1000_soft_reset(E1000Nic *s);
/* For rows of registers. */
void e1000_ctrl_written(Device *dev);
void e1000_address_written(Device *dev);
uint64_t e1000_read_status(Device *dev, unsigned n);
uint64_t e1000_read_systim(Device *dev, unsigned n);
void e1000_write_systim(Device *dev, unsigned n, uint64_t value);
void e1000_write_systimh(Device *dev, unsigned n, uint64_t value);
void e1000_write_timinca(Device *dev, unsigned n, uint64_t value);

/* --- e1000_irq.c --- */

void e1000_raise(E1000Nic *s, uint32_t causes);
void e1000_update_irq(Device *dev);
/* A frame was taken or sent: `causes` at once, or when the timers run out. */
void e1000_rx_done(E1000Nic *s, uint32_t causes);
void e1000_tx_done(E1000Nic *s, uint32_t causes, bool may_wait);
void e1000_rx_timer(Device *dev);
void e1000_tx_timer(Device *dev);
void e1000_irq_reset(E1000Nic *s);
uint64_t e1000_read_icr(Device *dev, unsigned n);
void e1000_write_icr(Device *dev, unsigned n, uint64_t value);
void e1000_write_ics(Device *dev, unsigned n, uint64_t value);
void e1000_write_imc(Device *dev, unsigned n, uint64_t value);
void e1000_rdtr_written(Device *dev);

/* --- e1000_nvm.c --- */

/* As it comes from the factory. */
void e1000_nvm_init(E1000Nic *s);
void e1000_eecd_written(Device *dev);
void e1000_eerd_written(Device *dev);
void e1000_eewr_written(Device *dev);

/* --- e1000_phy.c --- */

void e1000_phy_reset(E1000Nic *s);
void e1000_mdic_written(Device *dev);
void e1000_autoneg_done(Device *dev);
bool e1000_phy_loops(const E1000Nic *s);
bool e1000_has_link(const E1000Nic *s);
/* Something of it changed: tells the driver if the link did. */
void e1000_update_link(E1000Nic *s);

/* --- e1000_filter.c --- */

typedef enum E1000Match { E1000_NO_MATCH, E1000_EXACT, E1000_INEXACT } E1000Match;
E1000Match e1000_filter(const E1000Nic *s, const uint8_t *bytes, size_t size);
bool e1000_is_vlan(const E1000Nic *s, const uint8_t *bytes, size_t size);
struct RxFilterInfo *e1000_show_filter(NetEnd *end);
/* What the hash is over (RSS_*), the hash, and the queue. */
unsigned e1000_hash(const E1000Nic *s, const NetPacket *p, uint32_t *hash, unsigned *queue);

/* --- e1000_rx.c --- */

NetResult e1000_receive(NetPort *port, const NetFrame *frame);
/* From the port, or looped back: `bytes` may be written to. */
NetResult e1000_take_frame(E1000Nic *s, uint8_t *bytes, size_t size);
void e1000_rx_ready(Device *dev);

/* --- e1000_rx_write.c --- */

typedef struct E1000Rx {
    E1000Nic *s;
    unsigned queue;
    NetPacket packet;
    const uint8_t *bytes;
    size_t size;
    uint32_t status, errors; /* RXD_* */
    uint32_t hash;
    unsigned hash_kind;
    uint16_t sum, vlan, ip_id;
    bool has_ip_id;
} E1000Rx;
/* NET_WAIT: there are too few descriptors. */
NetResult e1000_rx_write(E1000Rx *rx);

/* --- e1000_tx.c --- */

void e1000_transmit(Device *dev);
void e1000_transmit_more(void *opaque);
void e1000_go_on(NetPort *port);
/* One frame goes out; true: no more for now. */
bool e1000_tx_send(E1000Nic *s, const NetFrame *frame);
bool e1000_loops(const E1000Nic *s);
void e1000_tx_reset(E1000Nic *s);

/* --- e1000_segment.c --- */

/* Cuts the queue's frame in pieces of MSS bytes behind its header, and sends them. */
bool e1000_segment(E1000Nic *s, E1000TxQueue *queue, const E1000Context *c);
/* Sums as the options say, of a frame with these headers. */
void e1000_fill_sums(uint8_t *bytes, size_t size, const E1000Context *c, uint32_t options);

/* --- e1000_wake.c --- */

/* While it sleeps; `bytes` has at least a header. */
void e1000_wake_by_frame(E1000Nic *s, const uint8_t *bytes, size_t size);
void e1000_wake_by_link(E1000Nic *s);

/* --- e1000_stats.c --- */

void e1000_count_rx(E1000Nic *s, const uint8_t *bytes, size_t size);
void e1000_count_tx(E1000Nic *s, const uint8_t *bytes, size_t size);
void e1000_count(E1000Nic *s, unsigned at);

#endif
