/*
 * Bridges that look at the lowest 10 bits of a port's address, as ISA devices did: ISA enable and
 * VGA enable without 16-bit decode (PCI-to-PCI Bridge Architecture 1.2, 3.2.5.18 and 4.5).
 *
 * A region for each has what passes as pieces, made when it is first used: few guests do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_parts.h"

#define BLOCK_BYTES 0x400 /* what 10 bits tell apart */
#define BLOCKS      (64 * KiB / BLOCK_BYTES)
#define MAX_BANDS   2

/* Of each block. */
typedef struct Band {
    uint16_t at, bytes;
} Band;

static const struct {
    const char *name;
    Band bands[MAX_BANDS];
} decoders[PCI_PORTS_COUNT] = {
    [PCI_PORTS_ISA] = { "pci_bridge_isa_ports", { { 0, 0x100 } } },
    [PCI_PORTS_VGA] = { "pci_bridge_vga_ports", { { 0x3b0, 0xc }, { 0x3c0, 0x20 } } },
};

void pci_bridge_init_ports(PciBridge *bridge)
{
    for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
        memory_region_init(&bridge->ports[i], (Object *)bridge, decoders[i].name, 64 * KiB);
    }
}

void pci_bridge_fill_ports(PciBridge *bridge, unsigned which)
{
    MemoryRegion *piece = bridge->pieces[which];

    if (piece) {
        return;
    }
    bridge->pieces[which] = piece = g_new0(MemoryRegion, BLOCKS * MAX_BANDS);
    for (unsigned n = 0; n < BLOCKS * MAX_BANDS; n++, piece++) {
        const Band *band = &decoders[which].bands[n % MAX_BANDS];
        uint64_t at = n / MAX_BANDS * BLOCK_BYTES + band->at;

        if (band->bytes) {
            memory_region_init_alias(piece, (Object *)bridge, decoders[which].name, &bridge->io,
                                     (MemoryWindow){ at, band->bytes });
            memory_region_add(&bridge->ports[which], at, piece);
        }
    }
}

void pci_bridge_clear_ports(PciBridge *bridge)
{
    for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
        MemoryRegion *piece = bridge->pieces[i];

        for (unsigned n = 0; piece && n < BLOCKS * MAX_BANDS; n++, piece++) {
            if (piece->container) {
                memory_region_remove(&bridge->ports[i], piece);
                memory_region_clear(piece);
            }
        }
        g_free(bridge->pieces[i]);
        memory_region_clear(&bridge->ports[i]);
    }
}
