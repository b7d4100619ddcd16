/*
 * Ethernet addresses of devices: how they are written, and which are free.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net.h"

#define FIRST 0x56 /* 52:54:00:12:34:56, as users know it */

static const uint8_t prefix[] = { 0x52, 0x54, 0x00, 0x12, 0x34 };

static bool has_mac(void *opaque, NetEnd *end)
{
    return !end->is_device || memcmp(end->mac, opaque, ETH_ADDR_BYTES);
}

static bool is_free(uint8_t *mac)
{
    return net_each(has_mac, mac);
}

void net_pick_mac(uint8_t *mac)
{
    memcpy(mac, prefix, sizeof(prefix));
    for (unsigned n = 0; n < 0x100; n++) {
        mac[5] = FIRST + n;
        if (is_free(mac)) {
            return;
        }
    }
    mac[5] = FIRST;
}

char *net_show_mac(const uint8_t *mac)
{
    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                           mac[5]);
}

bool net_parse_mac(const char *text, uint8_t *mac)
{
    for (unsigned n = 0; n < ETH_ADDR_BYTES; n++, text += 3) {
        int high = g_ascii_xdigit_value(text[0]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);
        char end = low < 0 ? 0 : text[2];

        if (low < 0 || (n < ETH_ADDR_BYTES - 1 ? end != ':' && end != '-' : end)) {
            return false;
        }
        mac[n] = high << 4 | low;
    }
    return true;
}
