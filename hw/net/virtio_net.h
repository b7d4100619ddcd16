/*
 * virtio-net's parts: what goes out, what comes in, what the driver controls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_NET_VIRTIO_NET_H
#define HW_NET_VIRTIO_NET_H

#include "hw/net/nic_conf.h"
#include "hw/virtio/virtqueue.h"
#include "net/packet.h"
#include "system/timer.h"
#include "util/event_loop.h"
#include "virtio_net_defs.h"

#define MAC_TABLE_ROOM 64
#define MAX_VLAN       4096
#define NET_RSS_TABLE  128 /* entries */

typedef struct VirtioNet VirtioNet;

/* Segments of a connection that are held to be given as one (virtio_net_rsc.c). */
#define NET_FLOWS 8
typedef struct NetFlow {
    unsigned segments;     /* 0: the place is free */
    uint8_t *bytes;        /* the frame so far, NET_FRAME_MAX; NULL: not used yet */
    size_t size;
    NetPacket packet;      /* the first segment */
    size_t segment_bytes;  /* of data, in all but the last */
    uint32_t next_seq;
} NetFlow;

/* A pair of queues. */
typedef struct NetPair {
    VirtioNet *net;
    VirtQueue *rx, *tx;
    Deferred *more;        /* sends what is to be sent */
    Timer timer;           /* of tx=timer: does so later */
    bool is_held;          /* the network told us to wait */
    bool is_untold;        /* frames of a burst are in its buffers */
    NetFlow flows[NET_FLOWS];
    Timer interval;        /* at whose end they are given */
    bool is_blocked;       /* they wait for buffers */
} NetPair;

/* Which queue a frame goes to, by a hash of it. */
typedef struct NetRss {
    bool is_on;            /* else hashes are for the driver alone */
    uint32_t types;        /* bits VIRTIO_NET_HASH_TYPE_*; 0: there are no hashes */
    uint16_t mask, unclassified;
    uint16_t table[NET_RSS_TABLE];
    uint8_t key[NET_HASH_KEY_BYTES];
} NetRss;

typedef struct NetHash {
    uint32_t value;
    uint16_t report; /* VIRTIO_NET_HASH_REPORT_* */
} NetHash;

struct VirtioNet {
    VirtioDevice parent;
    NetEnd end;
    NetPair *pairs;
    unsigned max_pairs;
    VirtQueue *control;    /* where it is with VIRTIO_NET_F_MQ */
    unsigned bursts;       /* of frames to the driver, one for each port at most */
    uint8_t *frame;        /* NET_FRAME_MAX: what is being sent */
    /* properties */
    NicConf conf;
    uint64_t wanted;       /* VIRTIO_NET_F_* by number */
    uint16_t rx_size, tx_size, mtu;
    int32_t speed;
    char *duplex, *tx_mode;
    bool waits_for_more;   /* tx=timer */
    uint32_t tx_timer_ns;
    int32_t tx_burst;
    uint32_t rsc_interval_ns;
    /* state, for the driver to change */
    uint8_t mac[ETH_ADDR_BYTES];
    uint16_t status;       /* VIRTIO_NET_S_* */
    uint16_t used_pairs;
    bool is_promiscuous, takes_all_multicast, takes_all_unicast, takes_no_multicast,
        takes_no_unicast, takes_no_broadcast;
    bool unicast_overflow, multicast_overflow;
    uint32_t unicast_count, multicast_count; /* of `table`, in this order */
    uint8_t table[MAC_TABLE_ROOM * ETH_ADDR_BYTES];
    uint32_t vlans[MAX_VLAN / 32];
    uint64_t guest_offloads; /* VIRTIO_NET_F_GUEST_* by number */
    NetRss rss;
};
DECLARE_CAST(VirtioNet, VIRTIO_NET)

/* Bytes of the header before each frame. */
unsigned virtio_net_header_bytes(const VirtioNet *net);
/* The control queue comes after all of them. */
bool virtio_net_has_pairs(const VirtioNet *net);
unsigned virtio_net_pairs(const VirtioNet *net);
/* All queues take frames again, perhaps. */
void virtio_net_ready(VirtioNet *net);
/* What the back end may leave undone. */
void virtio_net_tell_offloads(VirtioNet *net);
/* How many pairs are in use. */
void virtio_net_tell_queues(VirtioNet *net);

/* --- virtio_net_rx.c --- */
NetResult virtio_net_receive(NetPort *port, const NetFrame *frame);
void virtio_net_burst(NetPort *port, bool is_on);
void virtio_net_reset_filter(VirtioNet *net);
struct RxFilterInfo *virtio_net_show_filter(NetEnd *end);

/* A frame that the driver wants, into the buffers of a queue: the pair's, or as hashes say. */
NetResult virtio_net_deliver(NetPair *pair, const NetFrame *frame);
/* Its first bytes; `bytes` are there. */
void virtio_net_copy_head(const NetFrame *frame, uint8_t *head, size_t bytes);

/* --- virtio_net_rsc.c --- */
/* The driver takes merged segments. */
bool virtio_net_merges(const VirtioNet *net);
/* As deliver, perhaps later and together with others. */
NetResult virtio_net_merge(NetPair *pair, const NetFrame *frame);
/* There may be buffers again. */
void virtio_net_merge_go_on(VirtioNet *net);
void virtio_net_merge_init(NetPair *pair);
/* What is held is lost. */
void virtio_net_merge_drop(NetPair *pair);
void virtio_net_merge_clear(NetPair *pair);

/* --- virtio_net_rss.c --- */
NetHash virtio_net_hash(VirtioNet *net, const NetFrame *frame);
/* The pair that takes it. */
unsigned virtio_net_queue_of(const VirtioNet *net, const NetHash *hash, unsigned otherwise);
/* The driver's words; false, and nothing changed: they make no sense. */
bool virtio_net_set_hash(VirtioNet *net, const uint8_t *data, size_t bytes);
bool virtio_net_set_rss(VirtioNet *net, const uint8_t *data, size_t bytes, unsigned *pairs);

/* --- virtio_net_tx.c --- */
void virtio_net_tx_kicked(NetPair *pair);
/* Of a pair: sends what there is, now. */
void virtio_net_transmit(void *pair);
void virtio_net_go_on(NetPort *port);

/* --- virtio_net_control.c --- */
void virtio_net_control(VirtioNet *net, VirtQueue *vq);

#endif
