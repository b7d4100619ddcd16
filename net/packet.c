/*
 * See net/packet.h. RFC 791, 8200 (IP), 9293 (TCP), 768 (UDP), 1071 (checksums), 6275 (home address).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/packet.h"

#include "util/byte_order.h"

#define MAX_EXTENSIONS 16 /* headers looked through */
enum { IPV6_HOP_BY_HOP = 0, IPV6_ROUTING = 43, IPV6_FRAGMENT = 44, IPV6_DESTINATION = 60 };
enum { OPTION_PAD1 = 0, OPTION_HOME_ADDRESS = 0xc9 };
#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define TCP_BYTES  20
#define UDP_BYTES  8

/* --- where things are --- */

static void find_l4(NetPacket *p, uint8_t protocol, size_t at, size_t end)
{
    size_t header;

    if (p->is_fragment || at > end) {
        return;
    }
    p->l4_at = at;
    p->l4_bytes = end - at;
    if (protocol == IP_PROTOCOL_TCP && p->l4_bytes >= TCP_BYTES) {
        header = (p->bytes[at + 12] >> 4) * 4u;
        if (header >= TCP_BYTES && header <= p->l4_bytes) {
            p->l4 = NET_L4_TCP;
            p->payload_at = at + header;
        }
    } else if (protocol == IP_PROTOCOL_UDP && p->l4_bytes >= UDP_BYTES) {
        p->l4 = NET_L4_UDP;
        p->payload_at = at + UDP_BYTES;
    }
}

static void parse_ipv4(NetPacket *p, size_t at)
{
    const uint8_t *ip = p->bytes + at;
    size_t header, total;

    if (p->size < at + IPV4_BYTES || ip[0] >> 4 != 4) {
        return;
    }
    header = (ip[0] & 0xf) * 4u;
    total = load_be16(ip + 2);
    if (header < IPV4_BYTES || total < header || p->size < at + total) {
        return;
    }
    p->l3 = NET_L3_IPV4;
    p->ip_at = at;
    p->is_fragment = load_be16(ip + 6) & 0x3fff;
    find_l4(p, ip[9], at + header, at + total);
}

/* A home address among the options of a destination header. */
static void parse_options(NetPacket *p, size_t at, size_t end)
{
    while (at + 2 <= end) {
        if (p->bytes[at] == OPTION_PAD1) {
            at++;
            continue;
        }
        if (p->bytes[at] == OPTION_HOME_ADDRESS && p->bytes[at + 1] == 16 && at + 18 <= end) {
            p->home_at = at + 2;
        }
        at += 2 + p->bytes[at + 1];
    }
}

static void parse_extension(NetPacket *p, uint8_t kind, size_t at, size_t bytes)
{
    if (kind == IPV6_DESTINATION) {
        parse_options(p, at + 2, at + bytes);
    } else if (kind == IPV6_ROUTING && p->bytes[at + 2] == 2 && p->bytes[at + 3] == 1 &&
               bytes >= 24) {
        p->final_at = at + 8;
    } else if (kind == IPV6_FRAGMENT) {
        p->is_fragment = load_be16(p->bytes + at + 2) & 0xfff9;
    }
}

static bool is_extension(uint8_t kind)
{
    return kind == IPV6_HOP_BY_HOP || kind == IPV6_ROUTING || kind == IPV6_FRAGMENT ||
           kind == IPV6_DESTINATION;
}

static void parse_ipv6(NetPacket *p, size_t at)
{
    const uint8_t *ip = p->bytes + at;
    size_t end, here = at + IPV6_BYTES;
    uint8_t kind;

    if (p->size < here || ip[0] >> 4 != 6 || p->size < here + load_be16(ip + 4)) {
        return;
    }
    p->l3 = NET_L3_IPV6;
    p->ip_at = at;
    end = here + load_be16(ip + 4);
    kind = ip[6];
    for (unsigned n = 0; n < MAX_EXTENSIONS && is_extension(kind); n++) {
        size_t bytes = here + 8 > end ? SIZE_MAX
                       : kind == IPV6_FRAGMENT ? 8 : (p->bytes[here + 1] + 1u) * 8;

        if (bytes > end - here) {
            return; /* cut */
        }
        p->has_extensions = true;
        parse_extension(p, kind, here, bytes);
        kind = p->bytes[here];
        here += bytes;
    }
    find_l4(p, kind, here, end);
}

void net_packet_parse(NetPacket *p, const uint8_t *bytes, size_t size)
{
    size_t at = ETH_HEADER_BYTES;

    *p = (NetPacket){ .bytes = bytes, .size = size };
    if (p->size < at) {
        return;
    }
    p->ether_type = load_be16(bytes + 12);
    if (p->ether_type == ETHER_TYPE_VLAN && p->size >= at + NET_VLAN_BYTES) {
        p->has_vlan = true;
        p->vlan = load_be16(bytes + 14);
        p->ether_type = load_be16(bytes + 16);
        at += NET_VLAN_BYTES;
    }
    if (p->ether_type == ETHER_TYPE_IPV4) {
        parse_ipv4(p, at);
    } else if (p->ether_type == ETHER_TYPE_IPV6) {
        parse_ipv6(p, at);
    }
}

/* --- checksums --- */

uint16_t net_sum(uint32_t sum, const uint8_t *bytes, size_t size)
{
    uint64_t total = sum;
    size_t n = 0;

    for (; n + 4 <= size; n += 4) {
        total += load_be32(bytes + n);
    }
    for (; n + 2 <= size; n += 2) {
        total += load_be16(bytes + n);
    }
    if (n < size) {
        total += (uint32_t)bytes[n] << 8;
    }
    while (total >> 16) {
        total = (total & 0xffff) + (total >> 16);
    }
    return total;
}

uint16_t net_packet_pseudo_sum(const NetPacket *p)
{
    const uint8_t *ip = p->bytes + p->ip_at;
    uint32_t rest = (p->l4 == NET_L4_TCP ? IP_PROTOCOL_TCP : IP_PROTOCOL_UDP) + p->l4_bytes;

    if (p->l3 == NET_L3_IPV4) {
        return net_sum(rest, ip + 12, 8);
    }
    rest = net_sum(rest, p->home_at ? p->bytes + p->home_at : ip + 8, 16);
    return net_sum(rest, p->final_at ? p->bytes + p->final_at : ip + 24, 16);
}

bool net_packet_ip_sum_is_good(const NetPacket *p)
{
    const uint8_t *ip = p->bytes + p->ip_at;

    return p->l3 == NET_L3_IPV4 && net_sum(0, ip, (ip[0] & 0xf) * 4u) == 0xffff;
}

bool net_packet_l4_sum_is_good(const NetPacket *p)
{
    const uint8_t *l4 = p->bytes + p->l4_at;

    if (p->l4 == NET_L4_OTHER) {
        return false;
    }
    if (p->l4 == NET_L4_UDP && p->l3 == NET_L3_IPV4 && !load_be16(l4 + 6)) {
        return true;
    }
    return net_sum(net_packet_pseudo_sum(p), l4, p->l4_bytes) == 0xffff;
}

bool net_fill_sum(uint8_t *bytes, size_t size, const NetOffload *offload)
{
    size_t from = offload->sum_start, at = from + offload->sum_offset;
    uint16_t sum;

    if (from >= size || at + 2 > size) {
        return false;
    }
    sum = ~net_sum(0, bytes + from, size - from);
    store_be16(bytes + at, sum ? sum : 0xffff);
    return true;
}

/* --- hashes --- */

uint32_t net_hash(const uint8_t *key, const uint8_t *input, size_t size)
{
    uint64_t window = load_be64(key);
    uint32_t hash = 0;

    assert(size <= NET_HASH_KEY_BYTES - 4);
    for (size_t n = 0; n < size; n++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if (input[n] & 0x80 >> bit) {
                hash ^= window << bit >> 32;
            }
        }
        /* The lowest byte of the window is used by the shifts above and stays behind. */
        window = window << 8 | (n + 8 < NET_HASH_KEY_BYTES ? key[n + 8] : 0);
    }
    return hash;
}

uint32_t net_packet_hash(const NetPacket *p, const uint8_t *key, unsigned parts)
{
    const uint8_t *ip = p->bytes + p->ip_at;
    bool is_v4 = p->l3 == NET_L3_IPV4, uses_options = parts & NET_HASH_OPTIONS;
    size_t one = is_v4 ? 4 : 16, used = 2 * one;
    uint8_t input[NET_HASH_KEY_BYTES - 4];

    memcpy(input, uses_options && p->home_at ? p->bytes + p->home_at : ip + (is_v4 ? 12 : 8), one);
    memcpy(input + one, uses_options && p->final_at ? p->bytes + p->final_at
                                                    : ip + (is_v4 ? 16 : 24), one);
    if (parts & NET_HASH_PORTS) {
        memcpy(input + used, p->bytes + p->l4_at, 4);
        used += 4;
    }
    return net_hash(key, input, used);
}

/* --- the CRC --- */

uint32_t net_crc(const uint8_t *bytes, size_t size)
{
    static uint32_t table[256];
    static gsize is_made;
    uint32_t crc = UINT32_MAX;

    if (g_once_init_enter(&is_made)) {
        for (unsigned n = 0; n < ARRAY_SIZE(table); n++) {
            table[n] = n;
            for (unsigned bit = 0; bit < 8; bit++) {
                table[n] = table[n] >> 1 ^ (table[n] & 1 ? 0xedb88320 : 0);
            }
        }
        g_once_init_leave(&is_made, 1);
    }
    for (size_t n = 0; n < size; n++) {
        crc = crc >> 8 ^ table[(uint8_t)(crc ^ bytes[n])];
    }
    return ~crc;
}
