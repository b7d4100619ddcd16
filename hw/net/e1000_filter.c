/*
 * e1000: which frames are taken (82574L, 7.1.1), and which queue they go to (7.1.8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "qapi/qapi-types-net.h"

#define VLAN_CFI BIT(12)
#define VLAN_ID  0xfff

bool e1000_is_vlan(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    return size >= ETH_HEADER_BYTES + NET_VLAN_BYTES &&
           load_be16(bytes + 2 * ETH_ADDR_BYTES) == (MAC(s, VET) & 0xffff);
}

static bool is_wanted_vlan(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    uint32_t rctl = MAC(s, RCTL);
    unsigned tag;

    if (!(rctl & RCTL_VFE) || !e1000_is_vlan(s, bytes, size)) {
        return true;
    }
    tag = load_be16(bytes + ETH_HEADER_BYTES);
    if (rctl & RCTL_CFIEN && !(tag & VLAN_CFI) != !(rctl & RCTL_CFI)) {
        return false;
    }
    return MAC_N(s, VFTA, (tag & VLAN_ID) / 32) & BIT(tag % 32);
}

static bool is_own_address(const E1000Nic *s, const uint8_t *address)
{
    for (unsigned n = 0; n < E1000_RA_COUNT; n++) {
        if (MAC_N(s, RAH, 2 * n) & RAH_AV && MAC_N(s, RAL, 2 * n) == load_le32(address) &&
            (MAC_N(s, RAH, 2 * n) & 0xffff) == load_le16(address + 4)) {
            return true;
        }
    }
    return false;
}

static bool is_in_table(const E1000Nic *s, const uint8_t *address)
{
    static const uint8_t shifts[] = { 4, 3, 2, 0 };
    unsigned shift = shifts[MAC(s, RCTL) >> RCTL_MO_SHIFT & 3];
    unsigned bit = load_le16(address + 4) >> shift & 0xfff;

    return MAC_N(s, MTA, bit / 32) & BIT(bit % 32);
}

E1000Match e1000_filter(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    static const uint8_t all[ETH_ADDR_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint32_t rctl = MAC(s, RCTL);
    bool is_multicast = bytes[0] & 1;

    if (!is_wanted_vlan(s, bytes, size)) {
        return E1000_NO_MATCH;
    }
    if (is_own_address(s, bytes)) {
        return E1000_EXACT;
    }
    if (!memcmp(bytes, all, sizeof(all)) && rctl & RCTL_BAM) {
        return E1000_EXACT;
    }
    if (rctl & (is_multicast ? RCTL_MPE : RCTL_UPE)) {
        return E1000_INEXACT;
    }
    return is_multicast && is_in_table(s, bytes) ? E1000_INEXACT : E1000_NO_MATCH;
}

/* --- queues --- */

static unsigned hash_kind(const E1000Nic *s, const NetPacket *p)
{
    uint32_t mrqc = MAC(s, MRQC), rfctl = MAC(s, RFCTL);
    bool has_options = p->has_extensions && (p->home_at || p->final_at);

    if (p->l3 == NET_L3_IPV4) {
        return p->l4 == NET_L4_TCP && mrqc & MRQC_TCP_IPV4 ? RSS_TCP_IPV4
               : mrqc & MRQC_IPV4 ? RSS_IPV4 : RSS_NONE;
    }
    if (p->l3 != NET_L3_IPV6 || rfctl & RFCTL_IPV6_DIS) {
        return RSS_NONE;
    }
    if (p->l4 == NET_L4_TCP && mrqc & MRQC_TCP_IPV6 &&
        !(has_options && rfctl & RFCTL_IPV6_EX_DIS)) {
        return RSS_TCP_IPV6;
    }
    return mrqc & MRQC_IPV6_EX && !(rfctl & RFCTL_IPV6_EX_DIS) ? RSS_IPV6_EX
           : mrqc & MRQC_IPV6 ? RSS_IPV6 : RSS_NONE;
}

static uint32_t make_hash(const E1000Nic *s, const NetPacket *p, unsigned kind)
{
    static const uint8_t parts[] = {
        [RSS_TCP_IPV4] = NET_HASH_PORTS, [RSS_IPV4] = NET_HASH_ADDRESSES,
        [RSS_TCP_IPV6] = NET_HASH_PORTS | NET_HASH_OPTIONS,
        [RSS_IPV6_EX] = NET_HASH_ADDRESSES | NET_HASH_OPTIONS, [RSS_IPV6] = NET_HASH_ADDRESSES,
    };
    uint8_t key[NET_HASH_KEY_BYTES];

    for (unsigned n = 0; n < E1000_RSSRK_WORDS; n++) {
        store_le32(key + 4 * n, MAC_N(s, RSSRK, n));
    }
    return net_packet_hash(p, key, parts[kind]);
}

unsigned e1000_hash(const E1000Nic *s, const NetPacket *p, uint32_t *hash, unsigned *queue)
{
    unsigned kind = RSS_NONE;

    *hash = *queue = 0;
    if (s->model->queues > 1 && (MAC(s, MRQC) & 3) == MRQC_RSS && MAC(s, RXCSUM) & RXCSUM_PCSD) {
        kind = hash_kind(s, p);
    }
    if (kind != RSS_NONE) {
        unsigned entry;

        *hash = make_hash(s, p, kind);
        entry = *hash & (4 * E1000_RETA_WORDS - 1);
        *queue = MAC_N(s, RETA, entry / 4) >> (entry % 4 * 8 + 7) & 1;
    }
    return kind;
}

/* --- for people --- */

static StrArray *show_own(const E1000Nic *s)
{
    StrArray *list = g_new0(StrArray, 1);

    for (unsigned n = 0; n < E1000_RA_COUNT; n++) {
        uint8_t address[ETH_ADDR_BYTES];

        store_le32(address, MAC_N(s, RAL, 2 * n));
        store_le16(address + 4, MAC_N(s, RAH, 2 * n));
        if (MAC_N(s, RAH, 2 * n) & RAH_AV && !(address[0] & 1)) {
            str_array_add(list, net_show_mac(address));
        }
    }
    return list;
}

static IntArray *show_vlans(const E1000Nic *s)
{
    IntArray *list = g_new0(IntArray, 1);

    for (unsigned tag = 0; tag <= VLAN_ID; tag++) {
        if (MAC_N(s, VFTA, tag / 32) & BIT(tag % 32)) {
            int_array_add(list, tag);
        }
    }
    return list;
}

RxFilterInfo *e1000_show_filter(NetEnd *end)
{
    const E1000Nic *s = end->owner;
    uint32_t rctl = MAC(s, RCTL);
    RxFilterInfo *info = g_new0(RxFilterInfo, 1);

    info->name = g_strdup(end->name);
    info->promiscuous = rctl & RCTL_UPE && rctl & RCTL_MPE;
    info->unicast = rctl & RCTL_UPE ? RX_STATE_ALL : RX_STATE_NORMAL;
    info->multicast = rctl & RCTL_MPE ? RX_STATE_ALL : RX_STATE_NORMAL;
    info->vlan = rctl & RCTL_VFE ? RX_STATE_NORMAL : RX_STATE_ALL;
    info->broadcast_allowed = rctl & RCTL_BAM;
    info->main_mac = net_show_mac(end->mac);
    info->vlan_table = show_vlans(s);
    info->unicast_table = show_own(s);
    info->multicast_table = g_new0(StrArray, 1);
    return info;
}
