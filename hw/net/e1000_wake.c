/*
 * e1000: what is looked for while the function sleeps (82574L, 5.6): frames and changes of the link
 * that the driver wants to be woken by. They set PME_Status, and wake the machine if it sleeps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "system/run_state.h"

#define ETHER_TYPE_ARP  0x0806
#define ARP_TARGET_AT   (ETH_HEADER_BYTES + 24) /* of IPv4 */
#define MAGIC_SYNC      6
#define MAGIC_COPIES    16
#define WUPM_BYTES      128
#define IP4AT_COUNT     4
#define FLEXIBLE_COUNT  4
#define FLEXIBLE_BYTES  128
#define FLEXIBLE_LENGTH 0x7ff /* in FFLT */

/* Six bytes of ones, then sixteen times the address, anywhere (5.6.3.1.4). */
static bool is_magic(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    uint8_t wanted[MAGIC_SYNC + MAGIC_COPIES * ETH_ADDR_BYTES];

    memset(wanted, 0xff, MAGIC_SYNC);
    for (unsigned n = 0; n < MAGIC_COPIES; n++) {
        memcpy(wanted + MAGIC_SYNC + n * ETH_ADDR_BYTES, s->end.mac, ETH_ADDR_BYTES);
    }
    return memmem(bytes, size, wanted, sizeof(wanted));
}

static bool asks_for_us(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    if (size < ARP_TARGET_AT + 4 || load_be16(bytes + 12) != ETHER_TYPE_ARP) {
        return false;
    }
    for (unsigned n = 0; n < IP4AT_COUNT; n++) {
        if (MAC(s, IPAV) & BIT(n) && MAC_N(s, IP4AT, 2 * n) == load_le32(bytes + ARP_TARGET_AT)) {
            return true;
        }
    }
    return false;
}

/* What the driver wants to see at the frame's beginning (5.6.3.2): filter n is column n of the tables. */
static bool is_flexible(const E1000Nic *s, unsigned n, const uint8_t *bytes, size_t size)
{
    uint32_t length = MAC_N(s, FFLT, 2 * n) & FLEXIBLE_LENGTH;

    for (unsigned at = 0; at < MIN(length, FLEXIBLE_BYTES) && length <= size; at++) {
        if (MAC_N(s, FFMT, 2 * at) & BIT(n) && (MAC_N(s, FFVT, 2 * at) >> 8 * n & 0xff) != bytes[at]) {
            return false;
        }
    }
    return length <= size;
}

static uint32_t flexible_reasons(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    uint32_t found = 0;

    for (unsigned n = 0; n < FLEXIBLE_COUNT; n++) {
        found |= MAC(s, WUFC) & WU_FLX0 << n && is_flexible(s, n, bytes, size) ? WU_FLX0 << n : 0;
    }
    return found;
}

/* Bits of WUFC and WUS that the frame stands for. */
static uint32_t reasons(const E1000Nic *s, const uint8_t *bytes, size_t size)
{
    static const uint8_t all[ETH_ADDR_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    bool is_broadcast = !memcmp(bytes, all, sizeof(all)), is_group = bytes[0] & 1;
    bool is_taken = e1000_filter(s, bytes, size) != E1000_NO_MATCH;

    return (is_magic(s, bytes, size) ? WU_MAG : 0) | (is_broadcast ? WU_BC : 0) |
           (is_taken && !is_group ? WU_EX : 0) |
           (is_taken && is_group && !is_broadcast ? WU_MC : 0) |
           (asks_for_us(s, bytes, size) ? WU_ARP : 0) | flexible_reasons(s, bytes, size);
}

static void wake(E1000Nic *s, uint32_t why)
{
    PciDevice *dev = &s->parent;
    uint8_t *control = dev->config + dev->pm_cap + PCI_PM_CTRL;

    MAC(s, WUS) |= why;
    MAC(s, WUC) |= WUC_PME_STATUS;
    store_le16(control, load_le16(control) | PCI_PM_CTRL_PME_STATUS);
    if (load_le16(control) & PCI_PM_CTRL_PME_ENABLE) {
        vm_request_wakeup(WAKEUP_OTHER, NULL); /* nothing, if the machine is awake */
    }
}

static bool may_wake(const E1000Nic *s, uint32_t why)
{
    return s->parent.pm_cap && !pci_device_is_powered(&s->parent) &&
           MAC(s, WUC) & (WUC_PME_EN | WUC_APME) && MAC(s, WUFC) & why;
}

void e1000_wake_by_frame(E1000Nic *s, const uint8_t *bytes, size_t size)
{
    uint32_t why = reasons(s, bytes, size) & MAC(s, WUFC);

    if (may_wake(s, why)) {
        MAC(s, WUPL) = size;
        memset(&MAC(s, WUPM), 0, WUPM_BYTES);
        for (size_t n = 0; n < MIN(size, WUPM_BYTES); n++) {
            MAC_N(s, WUPM, n / 4) |= (uint32_t)bytes[n] << n % 4 * 8;
        }
        wake(s, why);
    }
}

void e1000_wake_by_link(E1000Nic *s)
{
    if (may_wake(s, WU_LNKC)) {
        wake(s, WU_LNKC);
    }
}
