/*
 * Networks: ends that send each other Ethernet frames, in pairs. A device embeds NetPorts (one for
 * each pair of its queues) in a NetEnd; a back end under an id is the other NetEnd.
 *
 *     net_send(&port, &frame)        the other end takes it, or it waits for it there
 *     .receive(port, frame)          a frame has come; NET_WAIT keeps it until net_ready(port)
 *
 * A port that was told NET_WAIT stops its source until .go_on. A frame to a port without a link or a
 * peer is lost, as on a wire. Frames to a device wait while the machine is stopped.
 *
 * Machine lock, all of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <sys/uio.h>

#include "qom/error.h"
#include "util/json.h"

#define ETH_ADDR_BYTES   6
#define ETH_HEADER_BYTES 14
#define NET_MAX_QUEUES   256
#define NET_FRAME_MAX    (68 * 1024) /* with what is put before it, and 64 KiB to be cut in pieces */

typedef struct NetEnd NetEnd;
typedef struct NetPort NetPort;
struct RxFilterInfo;

/* What is not done yet, as virtio-net's header tells it (virtio 1.3, 5.1.6), by the host's bytes. */
typedef struct NetOffload {
    uint8_t flags, segment_kind;
    uint16_t header_bytes, segment_bytes, sum_start, sum_offset;
} NetOffload;

/* Kinds of it that ends agree on, as <linux/if_tun.h> numbers them. */
enum {
    NET_OFFLOAD_SUM = 0x01, NET_OFFLOAD_TSO4 = 0x02, NET_OFFLOAD_TSO6 = 0x04,
    NET_OFFLOAD_ECN = 0x08, NET_OFFLOAD_UFO = 0x10, NET_OFFLOAD_USO4 = 0x20,
    NET_OFFLOAD_USO6 = 0x40,
    /* Ours: nothing may be left undone, but TCP need not be cut: it comes with its sums, and need not fit a wire. */
    NET_TAKES_UNCUT = 0x100,
};

typedef struct NetFrame {
    const struct iovec *iov;
    unsigned count;
    size_t bytes;
    /* Checksum or segmentation left to do; NULL: it is complete. Only to ports that take such. */
    const NetOffload *offload;
} NetFrame;

/* A frame in one piece: `NetFrame frame = NET_FRAME(&piece);` */
#define NET_FRAME(piece) { .iov = (piece), .count = 1, .bytes = (piece)->iov_len }

typedef enum NetResult {
    NET_DONE, /* taken, or lost: the sender is rid of it */
    NET_WAIT, /* it waits for the receiver */
} NetResult;

/* A back end's state, in a form of its own. */
typedef struct NetSaved {
    uint32_t version, size;
    uint8_t *bytes; /* owned by whoever has it saved */
} NetSaved;

typedef struct NetOps {
    NetResult (*receive)(NetPort *port, const NetFrame *frame);
    /* Frames to this port come in bursts: until its end the port may keep them and what it tells others
     * of them, and then does so at once. NULL: it does each as it comes. */
    void (*burst)(NetPort *port, bool is_on);
    /* What this port sent was taken at last, or the machine runs again: it may send more. NULL: it never
     * stops. */
    void (*go_on)(NetPort *port);
    /* The link, or the other end, is another. NULL: it does not care. */
    void (*link_changed)(NetEnd *end);
    /* What stands behind "type=T," in "info network"; free it. NULL: nothing. */
    char *(*describe)(NetEnd *end);
    /* Back ends: it goes; frees the whole NetEnd. */
    void (*free)(NetEnd *end);
    /* Back ends: what of a frame may be left undone, both ways: NET_OFFLOAD_*. NULL: nothing. */
    unsigned (*offloads)(NetEnd *end);
    /* What the device lets the back end leave undone in frames to it. */
    void (*set_offload)(NetEnd *end, unsigned offloads);
    /* The device uses the first `count` of its ports. NULL: back ends of one, or that do not care. */
    void (*use_queues)(NetEnd *end, unsigned count);
    /* Back ends: what moves with the machine, and comes with it. NULL: nothing does. */
    void (*save)(NetEnd *end, NetSaved *saved);
    bool (*load)(NetEnd *end, const NetSaved *saved, Error **errp);
    /* Devices: what it takes, for query-rx-filter. Free it with rx_filter_info_free(). */
    struct RxFilterInfo *(*rx_filter)(NetEnd *end);
    /* Devices: it says who it is in a way of its own; false: it cannot now. */
    bool (*announce)(NetEnd *end);
} NetOps;

struct NetPort {
    NetEnd *end;
    unsigned index;
    NetPort *peer;
    GQueue waiting;      /* frames to this port */
    bool is_delivering;  /* .receive is being called */
    bool is_burst;       /* frames to this port come in one */
    bool has_told_wait;  /* the sender, which wants to be told when it is over */
};

struct NetEnd {
    const NetOps *ops;
    char *name;
    const char *type;   /* as "info network" shows it */
    NetPort *ports;
    unsigned count;
    bool is_link_down;
    bool is_device;
    void *owner;        /* the device */
    GPtrArray *filters; /* NetFilter; NULL: none */
    /* devices */
    const char *model;
    char *path;
    uint8_t mac[ETH_ADDR_BYTES];
    bool is_told;       /* NIC_RX_FILTER_CHANGED was sent */
};

/* --- sending --- */

NetResult net_send(NetPort *port, const NetFrame *frame);
/* Shorthand. */
NetResult net_send_bytes(NetPort *port, const void *bytes, size_t size);
/* Around several net_send() from the port, within one call. False: it is within another, whose end is
 * that of both; pass that on. */
bool net_burst_begin(NetPort *port);
void net_burst_end(NetPort *port, bool has_begun);
/* The port takes frames again: those that wait are given to it. */
void net_ready(NetPort *port);
/* Frames that wait for the port are lost. */
void net_drop_waiting(NetPort *port);
/* Whether frames sent now have somewhere to go. */
bool net_has_link(const NetEnd *end);
/* The other end, or NULL. */
NetEnd *net_peer(const NetEnd *end);
/* What `end` can take undone; `end` may be NULL. */
unsigned net_offloads(NetEnd *end);

/* --- ends --- */

/* A back end; `end` is the first member of what `ops->free` frees. `id` is checked already. */
void net_backend_add(NetEnd *end, const NetOps *ops, const char *type, const char *id,
                     unsigned queues);
/* A device, which embeds `end`; its other end is `backend` (NULL: there is none), which is free. */
typedef struct NetDeviceInfo {
    const char *model, *name, *path;
    unsigned queues;
    NetEnd *backend;
} NetDeviceInfo;
void net_device_attach(NetEnd *end, const NetOps *ops, const NetDeviceInfo *info, void *owner);
/* Also when it was not attached. */
void net_device_detach(NetEnd *end);
/* As users see its address from now on. */
void net_device_set_mac(NetEnd *end, const uint8_t *mac);
/* What it takes is another: tells clients, once until they ask. */
void net_device_filter_changed(NetEnd *end);
/* A back end, or any end, of this name; NULL: there is none. */
NetEnd *net_backend_get(const char *id);
NetEnd *net_find(const char *name);
/* All ends in order of their making; stops at the first false. */
bool net_each(bool (*fn)(void *opaque, NetEnd *end), void *opaque);
/* An address that no device has yet, as users know them. */
void net_pick_mac(uint8_t *mac);
/* Six pairs of digits with ':' or '-' between them; free it. */
char *net_show_mac(const uint8_t *mac);
bool net_parse_mac(const char *text, uint8_t *mac);

/* --- management --- */

typedef struct Netdev Netdev;
/* From -netdev: an object of texts or typed values; `text` (may be NULL) as the user wrote it. */
bool net_add_from_options(json_object *keys, const char *text, bool is_typed, Error **errp);
/* The options of one are a question for help: "help", "type=help". */
bool net_options_ask_help(json_object *keys);
/* Kinds that -netdev takes, one per line; free it. */
char *net_help(void);
/* What "info network" and "info usernet" print; free it. */
char *net_info(void);
char *net_user_info(void);
/* [tcp|udp]:[HOSTADDR]:PORT-[GUESTADDR]:PORT; `id` NULL: the only one. */
bool net_user_add_forward(const char *id, const char *rule, Error **errp);
bool net_user_remove_forward(const char *id, const char *rule, Error **errp);
/* The machine stops and goes on. */
void net_machine_runs(bool is_running);
/* Complains about ends that lead nowhere. */
void net_check(void);
/* At exit: scripts run, sockets' files removed. */
void net_cleanup(void);

#endif
