/*
 * Tests of net/packet.h: published vectors of the Toeplitz hash, frames of every shape, and cut ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/packet.h"

#include "util/byte_order.h"

/* The key and the vectors of "Verifying the RSS Hash Calculation" (Microsoft's NDIS documents). */
static const uint8_t key[NET_HASH_KEY_BYTES] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

typedef struct Frame {
    uint8_t bytes[200];
    size_t size;
} Frame;

static uint8_t *add(Frame *f, const void *bytes, size_t size)
{
    uint8_t *at = f->bytes + f->size;

    if (size) {
        memcpy(at, bytes, size);
    }
    f->size += size;
    return at;
}

static void begin(Frame *f, bool has_vlan, uint16_t ether_type)
{
    uint8_t type[2];

    memset(f, 0, sizeof(*f));
    add(f, "\x52\x54\0\x12\x34\x56\x52\x54\0\x12\x34\x57", 12);
    if (has_vlan) {
        add(f, "\x81\0\x20\x07", 4);
    }
    store_be16(type, ether_type);
    add(f, type, 2);
}

static void add_tcp(Frame *f, uint16_t from, uint16_t to)
{
    uint8_t tcp[20 + 3] = { [12] = 0x50, [20] = 'a', 'b', 'c' };

    store_be16(tcp, from);
    store_be16(tcp + 2, to);
    add(f, tcp, sizeof(tcp));
}

static void make_ipv4(Frame *f, bool has_vlan)
{
    uint8_t ip[20] = { 0x45, [3] = 43, [8] = 64, IP_PROTOCOL_TCP, 0, 0, 66, 9, 149, 187,
                       161, 142, 100, 80 };

    begin(f, has_vlan, ETHER_TYPE_IPV4);
    store_be16(ip + 10, ~net_sum(0, ip, sizeof(ip)));
    add(f, ip, sizeof(ip));
    add_tcp(f, 2794, 1766);
}

static const uint8_t v6_from[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0, 0x1f, 0xff, [15] = 7 };
static const uint8_t v6_to[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0, 0, 3, [15] = 1 };

static void make_ipv6(Frame *f, uint8_t next, const uint8_t *extension, size_t bytes)
{
    uint8_t ip[8] = { 0x60, [5] = 23 + bytes, [6] = next, [7] = 64 };

    begin(f, false, ETHER_TYPE_IPV6);
    add(f, ip, sizeof(ip));
    add(f, v6_from, 16);
    add(f, v6_to, 16);
    add(f, extension, bytes);
    add_tcp(f, 2794, 1766);
}

static void test_ipv4(void)
{
    Frame f;
    NetPacket p;

    for (unsigned has_vlan = 0; has_vlan < 2; has_vlan++) {
        make_ipv4(&f, has_vlan);
        f.size += 5; /* padding */
        net_packet_parse(&p, f.bytes, f.size);
        g_assert_true(p.l3 == NET_L3_IPV4 && p.l4 == NET_L4_TCP && p.has_vlan == has_vlan);
        g_assert_cmpuint(p.vlan, ==, has_vlan ? 0x2007 : 0);
        g_assert_cmpuint(p.ip_at, ==, 14 + 4 * has_vlan);
        g_assert_cmpuint(p.payload_at, ==, p.ip_at + 40);
        g_assert_cmpuint(p.l4_bytes, ==, 23);
        g_assert_true(net_packet_ip_sum_is_good(&p) && !net_packet_l4_sum_is_good(&p));
        g_assert_cmphex(net_packet_hash(&p, key, NET_HASH_ADDRESSES), ==, 0x323e8fc2);
        g_assert_cmphex(net_packet_hash(&p, key, NET_HASH_PORTS), ==, 0x51ccc178);
    }
}

static void test_sums(void)
{
    Frame f;
    NetPacket p;
    NetOffload offload = { .sum_offset = 16 };

    make_ipv4(&f, false);
    net_packet_parse(&p, f.bytes, f.size);
    offload.sum_start = p.l4_at;
    store_be16(f.bytes + p.l4_at + 16, net_packet_pseudo_sum(&p));
    g_assert_true(net_fill_sum(f.bytes, f.size, &offload));
    g_assert_true(net_packet_l4_sum_is_good(&p));
    f.bytes[f.size - 1] ^= 1;
    g_assert_false(net_packet_l4_sum_is_good(&p));
    f.bytes[p.ip_at + 8]--;
    g_assert_false(net_packet_ip_sum_is_good(&p));
    offload.sum_offset = f.size;
    g_assert_false(net_fill_sum(f.bytes, f.size, &offload));
    /* RFC 1071, 3; an odd byte is the high one of a word. */
    g_assert_cmphex(net_sum(0, (const uint8_t *)"\0\x01\xf2\x03\xf4\xf5\xf6\xf7", 8), ==, 0xddf2);
    g_assert_cmphex(net_sum(0, (const uint8_t *)"\x12\x34\x56", 3), ==, 0x6834);
}

static void test_ipv6(void)
{
    static const uint8_t home[24] = { IP_PROTOCOL_TCP, 2, 0xc9, 16, 1, 2, 3, 4, [20] = 1, 2 };
    static const uint8_t fragment[8] = { IP_PROTOCOL_TCP, 0, 0, 1 };
    static const uint8_t jumbled[8] = { 60, 255 };
    Frame f;
    NetPacket p;

    make_ipv6(&f, IP_PROTOCOL_TCP, NULL, 0);
    net_packet_parse(&p, f.bytes, f.size);
    g_assert_true(p.l3 == NET_L3_IPV6 && p.l4 == NET_L4_TCP && !p.has_extensions);
    g_assert_cmphex(net_packet_hash(&p, key, NET_HASH_ADDRESSES), ==, 0x2cc18cd5);
    g_assert_cmphex(net_packet_hash(&p, key, NET_HASH_PORTS), ==, 0x40207d3d);
    make_ipv6(&f, 60, home, sizeof(home));
    net_packet_parse(&p, f.bytes, f.size);
    g_assert_true(p.has_extensions && p.l4 == NET_L4_TCP && p.home_at == 14 + 40 + 4);
    g_assert_cmphex(net_packet_hash(&p, key, NET_HASH_PORTS), ==, 0x40207d3d);
    g_assert_cmphex(net_packet_hash(&p, key, NET_HASH_PORTS | NET_HASH_OPTIONS), !=, 0x40207d3d);
    make_ipv6(&f, 44, fragment, sizeof(fragment));
    net_packet_parse(&p, f.bytes, f.size);
    g_assert_true(p.is_fragment && p.l4 == NET_L4_OTHER);
    make_ipv6(&f, 60, jumbled, sizeof(jumbled));
    net_packet_parse(&p, f.bytes, f.size);
    g_assert_true(p.l3 == NET_L3_IPV6 && p.l4 == NET_L4_OTHER);
}

/* Each in memory of its own size, so that a sanitizer sees a look too far. */
static void test_cut(void)
{
    static const uint8_t home[24] = { IP_PROTOCOL_TCP, 2, 0xc9, 16 };
    Frame frames[3];

    make_ipv4(&frames[0], true);
    make_ipv6(&frames[1], IP_PROTOCOL_TCP, NULL, 0);
    make_ipv6(&frames[2], 60, home, sizeof(home));
    for (unsigned n = 0; n < ARRAY_SIZE(frames); n++) {
        for (size_t size = 0; size < frames[n].size; size++) {
            g_autofree uint8_t *cut = g_memdup2(frames[n].bytes, size);
            NetPacket p;

            net_packet_parse(&p, cut, size);
            g_assert_true(p.l4 == NET_L4_OTHER && p.l3 == NET_L3_OTHER);
            g_assert_false(net_packet_l4_sum_is_good(&p) || net_packet_ip_sum_is_good(&p));
        }
    }
}

static void test_crc(void)
{
    g_assert_cmphex(net_crc((const uint8_t *)"123456789", 9), ==, 0xcbf43926);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/ipv4", test_ipv4);
    g_test_add_func("/packet/sums", test_sums);
    g_test_add_func("/packet/ipv6", test_ipv6);
    g_test_add_func("/packet/cut", test_cut);
    g_test_add_func("/packet/crc", test_crc);
    return g_test_run();
}
