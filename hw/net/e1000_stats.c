/*
 * e1000: statistics (82574L, 10.2.7). Counters stay at their highest value; reads clear them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

void e1000_count(E1000Nic *s, unsigned at)
{
    s->mac[at / 4] += s->mac[at / 4] < UINT32_MAX;
}

/* A counter of 64 bits, low half first. */
static void add(E1000Nic *s, unsigned at, uint64_t value)
{
    uint64_t old = s->mac[at / 4] | (uint64_t)s->mac[at / 4 + 1] << 32;
    uint64_t sum = old + value < old ? UINT64_MAX : old + value;

    s->mac[at / 4] = sum;
    s->mac[at / 4 + 1] = sum >> 32;
}

/* Of the counters for 64, 65 to 127, ... 1024 and more bytes. */
static unsigned by_size(unsigned first, size_t bytes)
{
    static const uint16_t limits[] = { 64, 127, 255, 511, 1023 };
    unsigned n = 0;

    while (n < ARRAY_SIZE(limits) && bytes > limits[n]) {
        n++;
    }
    return first + 4 * n;
}

static bool is_multicast(const uint8_t *address)
{
    return address[0] & 1;
}

static bool is_broadcast(const uint8_t *address)
{
    static const uint8_t all[ETH_ADDR_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    return !memcmp(address, all, sizeof(all));
}

void e1000_count_rx(E1000Nic *s, const uint8_t *bytes, size_t size)
{
    size_t on_wire = size + NET_CRC_BYTES;

    e1000_count(s, E1000_TPR);
    e1000_count(s, E1000_GPRC);
    add(s, E1000_TORL, on_wire);
    add(s, E1000_GORCL, on_wire);
    e1000_count(s, by_size(E1000_PRC64, on_wire));
    if (is_broadcast(bytes)) {
        e1000_count(s, E1000_BPRC);
    } else if (is_multicast(bytes)) {
        e1000_count(s, E1000_MPRC);
    }
}

void e1000_count_tx(E1000Nic *s, const uint8_t *bytes, size_t size)
{
    size_t on_wire = MAX(size, NET_WIRE_MIN) + NET_CRC_BYTES;

    e1000_count(s, E1000_TPT);
    e1000_count(s, E1000_GPTC);
    add(s, E1000_TOTL, on_wire);
    add(s, E1000_GOTCL, on_wire);
    e1000_count(s, by_size(E1000_PTC64, on_wire));
    if (is_broadcast(bytes)) {
        e1000_count(s, E1000_BPTC);
    } else if (is_multicast(bytes)) {
        e1000_count(s, E1000_MPTC);
    }
}
