/*
 * NicConf: the properties that all network adapters share: their address, and what they are plugged
 * into. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_NET_NIC_CONF_H
#define HW_NET_NIC_CONF_H

#include "hw/core/block_conf.h"
#include "net/net.h"

struct Device;

typedef struct NicConf {
    uint8_t mac[ETH_ADDR_BYTES]; /* all zero: one is picked */
    char *netdev;                /* id; NULL: none */
    int32_t boot_index;
} NicConf;

extern const PropertyKind property_mac, property_netdev;

/* In realize: `end` is the device's from now on, with a port for each queue. */
typedef struct NicUse {
    const NetOps *ops;
    unsigned queues;
} NicUse;
bool nic_conf_attach(NicConf *conf, struct Device *dev, const NicUse *use, NetEnd *end,
                     Error **errp);
/* The back end it will have, or NULL. */
NetEnd *nic_conf_backend(const NicConf *conf);

/* Rows for a table of properties; `f` is a NicConf. */
#define PROP_NIC_CONF(S, f)                                                                        \
    PROP_(property_mac, "mac", S, f.mac, .has_no_default = true,                                   \
          .doc = "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56"),                       \
    PROP_(property_netdev, "netdev", S, f.netdev, .has_no_default = true,                          \
          .doc = "ID of a netdev to use as a backend"),                                            \
    PROP_BOOT_INDEX("bootindex", S, f.boot_index, .opaque = (char *)"/ethernet-phy@0")

#endif
