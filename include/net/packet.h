/*
 * What is in an Ethernet frame: where IP and TCP or UDP begin, their checksums, hashes over their
 * addresses. Whatever the bytes are, nothing behind `size` is looked at.
 *
 * Any thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include "net/net.h"

#define NET_HASH_KEY_BYTES 40
#define NET_VLAN_BYTES     4
#define NET_CRC_BYTES      4
#define NET_WIRE_MIN       60 /* bytes of a frame without its CRC: shorter ones are padded */

enum { ETHER_TYPE_IPV4 = 0x0800, ETHER_TYPE_VLAN = 0x8100, ETHER_TYPE_IPV6 = 0x86dd };
enum { IP_PROTOCOL_TCP = 6, IP_PROTOCOL_UDP = 17 };

typedef enum NetL3 { NET_L3_OTHER, NET_L3_IPV4, NET_L3_IPV6 } NetL3;
typedef enum NetL4 { NET_L4_OTHER, NET_L4_TCP, NET_L4_UDP } NetL4;

typedef struct NetPacket {
    const uint8_t *bytes;
    size_t size;
    NetL3 l3;
    NetL4 l4;            /* OTHER also where a fragment or a cut header hides it */
    bool has_vlan;
    bool is_fragment;
    bool has_extensions; /* of IPv6 */
    uint16_t ether_type; /* behind the VLAN tag */
    uint16_t vlan;       /* the tag: priority and number */
    uint16_t ip_at, l4_at, payload_at; /* where there is such */
    uint32_t l4_bytes;   /* as IP says, at most what is there: without the padding of short frames */
    /* IPv6: in place of the header's addresses, from a home address option or a routing header;
     * 0: none. */
    uint16_t home_at, final_at;
} NetPacket;

/* `bytes` is borrowed for as long as the packet is used. One VLAN tag is looked through. */
void net_packet_parse(NetPacket *p, const uint8_t *bytes, size_t size);
/* False where there is none (l3 is not IPv4, l4 is OTHER), or it is wrong. */
bool net_packet_ip_sum_is_good(const NetPacket *p);
/* A UDP checksum of 0 over IPv4 is good: it was not made. */
bool net_packet_l4_sum_is_good(const NetPacket *p);

/* The ones' complement sum of 16-bit words, folded; `sum` is one to go on from. */
uint16_t net_sum(uint32_t sum, const uint8_t *bytes, size_t size);
/* Of addresses and protocol, what the checksums of TCP and UDP begin with. */
uint16_t net_packet_pseudo_sum(const NetPacket *p);
/* Puts the checksum that `offload` asks for in place; false: there is no room for it. */
bool net_fill_sum(uint8_t *bytes, size_t size, const NetOffload *offload);

/* Toeplitz hash; at most NET_HASH_KEY_BYTES - 4 bytes. */
uint32_t net_hash(const uint8_t *key, const uint8_t *input, size_t size);
typedef enum NetHashParts {
    NET_HASH_ADDRESSES = 1,
    NET_HASH_PORTS = 2,  /* with the addresses */
    NET_HASH_OPTIONS = 4 /* IPv6: home address and final destination, where there are such */
} NetHashParts;
/* Of an IP packet, which has ports if they are asked for. */
uint32_t net_packet_hash(const NetPacket *p, const uint8_t *key, unsigned parts);

/* The CRC of IEEE 802.3 at the end of a frame, as its last 4 bytes read in little-endian order. */
uint32_t net_crc(const uint8_t *bytes, size_t size);

#endif
