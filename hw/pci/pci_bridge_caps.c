/*
 * What bridges alone have: subsystem ids (PCI-to-PCI Bridge 1.2, 3.2.5.13), the vendor's capability
 * that tells firmware how much to reserve, and the numbers of slots.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"
#include "hw/pci/pcie.h"

#define SSVID_BYTES  8
#define SSVID_VENDOR 4
#define SSVID_ID     6

bool pci_add_ssvid_capability(PciDevice *dev, unsigned at, uint16_t vendor, uint16_t id,
                              Error **errp)
{
    at = pci_add_capability(dev, PCI_CAP_ID_SSVID, at, SSVID_BYTES, errp);
    if (!at) {
        return false;
    }
    store_le16(dev->config + at + SSVID_VENDOR, vendor);
    store_le16(dev->config + at + SSVID_ID, id);
    return true;
}

/* --- reservations --- */

#define RESERVE_BYTES   32
#define RESERVE_LENGTH  2
#define RESERVE_TYPE    3  /* 1: resources */
#define RESERVE_BUS     4
#define RESERVE_IO      8
#define RESERVE_MEMORY  16
#define RESERVE_PREF_32 20
#define RESERVE_PREF_64 24

static bool check_32(const char *name, uint64_t bytes, Error **errp)
{
    return bytes == UINT64_MAX || bytes < 4 * GiB ||
           error_set(errp, "PCI resource reserve cap: %s must be less than 4G", name);
}

bool pci_add_reserve_capability(PciDevice *dev, unsigned at, const PciReserve *r, Error **errp)
{
    if (r->prefetch_32 != UINT64_MAX && r->prefetch_64 != UINT64_MAX) {
        return error_set(errp, "PCI resource reserve cap: PREF32 and PREF64 conflict");
    }
    if (!check_32("mem-reserve", r->memory, errp) ||
        !check_32("pref32-reserve", r->prefetch_32, errp)) {
        return false;
    }
    if (r->buses == UINT32_MAX &&
        (r->io & r->memory & r->prefetch_32 & r->prefetch_64) == UINT64_MAX) {
        return true;
    }
    at = pci_add_capability(dev, PCI_CAP_ID_VENDOR, at, RESERVE_BYTES, errp);
    if (!at) {
        return false;
    }
    dev->config[at + RESERVE_LENGTH] = RESERVE_BYTES;
    dev->config[at + RESERVE_TYPE] = 1;
    store_le32(dev->config + at + RESERVE_BUS, r->buses);
    store_le64(dev->config + at + RESERVE_IO, r->io);
    store_le32(dev->config + at + RESERVE_MEMORY, r->memory);
    store_le32(dev->config + at + RESERVE_PREF_32, r->prefetch_32);
    store_le64(dev->config + at + RESERVE_PREF_64, r->prefetch_64);
    return true;
}

uint32_t pci_bridge_reserved_buses(const PciDevice *bridge)
{
    unsigned at = pci_find_capability(bridge, PCI_CAP_ID_VENDOR);
    uint32_t buses = at && bridge->config[at + RESERVE_LENGTH] == RESERVE_BYTES &&
                             bridge->config[at + RESERVE_TYPE] == 1 ?
                         load_le32(bridge->config + at + RESERVE_BUS) : 0;

    return buses == UINT32_MAX ? 0 : buses;
}

/* --- slots --- */

typedef struct SlotSearch {
    const PciDevice *dev;
    uint32_t wanted;
    bool is_taken;
} SlotSearch;

static void match_slot(void *opaque, PciDevice *other)
{
    SlotSearch *search = opaque;

    search->is_taken |= other != search->dev && pcie_chassis_slot(other) == search->wanted;
}

bool pci_check_chassis_slot(const PciDevice *dev, uint8_t chassis, uint16_t slot, Error **errp)
{
    SlotSearch search = { dev, (uint32_t)chassis << 16 | slot, false };
    g_autoptr(GPtrArray) hosts = pci_hosts();

    for (guint i = 0; i < hosts->len; i++) {
        PciHost *host = hosts->pdata[i];

        if (host->bus) {
            pci_bus_each(host->bus, match_slot, &search);
        }
    }
    return !search.is_taken || error_set(errp, "Can't add chassis slot, error -16");
}
