/*
 * Base address registers and the option ROM: where on the bus a function's regions are seen.
 *
 * As with the peer, a BAR at 0, or at the all ones of sizing, maps nothing: no firmware puts one
 * there, and the moment of sizing must not cover what lies below.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci_parts.h"
#include "hw/core/data_files.h"
#include "util/log.h"

static unsigned bar_offset(const PciDevice *dev, unsigned n)
{
    if (n != PCI_BAR_ROM) {
        return PCI_BAR0 + 4 * n;
    }
    return pci_device_ops(dev)->is_bridge ? PCI_BRIDGE_ROM_ADDRESS : PCI_ROM_ADDRESS;
}

void pci_add_bar(PciDevice *dev, unsigned n, uint8_t type, MemoryRegion *region)
{
    PciBar *bar = &dev->bars[n];
    unsigned at = bar_offset(dev, n);
    uint64_t size = region->size;

    assert(n < PCI_BAR_COUNT && !bar->region && size && !(size & (size - 1)));
    *bar = (PciBar){ .region = region, .size = size, .addr = PCI_UNMAPPED, .type = type };
    if (dev->pf) {
        return; /* the physical function has the register */
    }
    store_le32(dev->config + at, type);
    if (type & PCI_BAR_64 && !(type & PCI_BAR_IO)) {
        assert(n < 5 && size >= 16);
        store_le64(dev->writable + at, ~(size - 1));
        memset(dev->fixed + at, 0, 8);
    } else {
        assert(size <= UINT32_MAX);
        store_le32(dev->writable + at,
                   ~(size - 1) | (n == PCI_BAR_ROM ? PCI_ROM_ENABLE : 0));
        memset(dev->fixed + at, 0, 4);
    }
    dev->fixed[at] = n == PCI_BAR_ROM ? 0 : 0xf;
}

static uint64_t io_address(const PciDevice *dev, const PciBar *bar, unsigned at)
{
    uint64_t addr = load_le32(dev->config + at) & ~(bar->size - 1);
    uint64_t last = addr + bar->size - 1;

    return addr && last < UINT32_MAX ? addr : PCI_UNMAPPED;
}

static uint64_t memory_address(const PciDevice *dev, unsigned n)
{
    const PciBar *bar = &dev->bars[n];
    unsigned at = bar_offset(dev, n);
    bool is_64 = bar->type & PCI_BAR_64;
    uint64_t addr = is_64 ? load_le64(dev->config + at) : load_le32(dev->config + at);
    uint64_t last;

    if (n == PCI_BAR_ROM && !(addr & PCI_ROM_ENABLE)) {
        return PCI_UNMAPPED;
    }
    addr &= ~(bar->size - 1);
    last = addr + bar->size - 1;
    if (!addr || last < addr || last == UINT64_MAX || (!is_64 && last >= UINT32_MAX)) {
        return PCI_UNMAPPED;
    }
    return addr;
}

static uint64_t wanted_address(const PciDevice *dev, unsigned n)
{
    const PciBar *bar = &dev->bars[n];
    uint16_t command = load_le16(dev->config + PCI_COMMAND);
    bool is_io = bar->type & PCI_BAR_IO;

    if (dev->pf) {
        return pci_device_is_powered(dev) ? pcie_vf_bar_address(dev, n) : PCI_UNMAPPED;
    }
    if (!(command & (is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) ||
        !pci_device_is_powered(dev)) {
        return PCI_UNMAPPED;
    }
    return is_io ? io_address(dev, bar, bar_offset(dev, n)) : memory_address(dev, n);
}

static void move_bar(PciDevice *dev, unsigned n, uint64_t addr)
{
    PciBus *bus = pci_device_bus(dev);
    PciBar *bar = &dev->bars[n];
    MemoryRegion *space = bar->type & PCI_BAR_IO ? bus->io : bus->memory;

    if (addr == bar->addr) {
        return;
    }
    if (bar->addr != PCI_UNMAPPED) {
        memory_region_remove(space, bar->region);
    }
    bar->addr = addr;
    if (addr != PCI_UNMAPPED) {
        memory_region_add_overlap(space, addr, bar->region, 1);
    }
}

void pci_update_mappings(PciDevice *dev)
{
    memory_transaction_begin();
    for (unsigned n = 0; n < PCI_BAR_COUNT; n++) {
        if (dev->bars[n].region) {
            move_bar(dev, n, wanted_address(dev, n));
        }
    }
    memory_transaction_commit();
}

void pci_take_bar(PciDevice *dev, unsigned n)
{
    if (dev->bars[n].region) {
        move_bar(dev, n, PCI_UNMAPPED);
        dev->bars[n].region = NULL;
    }
}

void pci_bars_unmap(PciDevice *dev)
{
    for (unsigned n = 0; n < PCI_BAR_COUNT; n++) {
        pci_take_bar(dev, n);
    }
}

/* --- the option ROM (PCI Firmware 3.0, chapter 5) --- */

#define ROM_SIGNATURE 0xaa55
#define ROM_CHECKSUM  6
#define ROM_PCIR      0x18
#define PCIR_VENDOR   4
#define PCIR_DEVICE   6

static bool rom_bytes(PciDevice *dev, gsize length, uint64_t *size, Error **errp)
{
    if (!length) {
        return error_set(errp, "romfile \"%s\" is empty", dev->romfile);
    }
    if (length > 2 * GiB) {
        return error_set(errp, "romfile \"%s\" too large (size cannot exceed 2 GiB)",
                         dev->romfile);
    }
    *size = dev->romsize;
    if (*size == UINT32_MAX) {
        *size = 2048; /* the least a ROM BAR can ask for */
        while (*size < length) {
            *size *= 2;
        }
    }
    return *size >= length ||
           error_set(errp, "romfile \"%s\" (%zu bytes) is too large for ROM size %" PRIu64,
                     dev->romfile, (size_t)length, *size);
}

/* In place of two bytes; the byte that makes the image's sum 0 follows. */
static void replace_id(uint8_t *rom, unsigned at, uint16_t id)
{
    rom[ROM_CHECKSUM] += rom[at] + rom[at + 1] - (uint8_t)id - (uint8_t)(id >> 8);
    store_le16(rom + at, id);
}

/* One ROM serves several devices: firmware starts it only with the ids of the function it is in. */
void pci_rom_adopt(PciDevice *dev)
{
    const char *own = pci_device_ops(dev)->romfile;
    bool is_own = dev->bars[PCI_BAR_ROM].region && own && !strcmp(own, dev->romfile);
    uint8_t *rom = is_own ? memory_region_host(&dev->rom) : NULL;
    size_t length = is_own ? dev->rom.size : 0;
    unsigned pcir = length > ROM_PCIR + 1 ? load_le16(rom + ROM_PCIR) : 0;

    if (pcir > ROM_PCIR && load_le16(rom) == ROM_SIGNATURE && pcir + PCIR_DEVICE + 2 <= length &&
        !memcmp(rom + pcir, "PCIR", 4)) {
        replace_id(rom, pcir + PCIR_VENDOR, load_le16(dev->config + PCI_VENDOR_ID));
        replace_id(rom, pcir + PCIR_DEVICE, load_le16(dev->config + PCI_DEVICE_ID));
    }
}

static bool check_rom(const PciDevice *dev, Error **errp)
{
    if (dev->romsize != UINT32_MAX && (!dev->romsize || dev->romsize & (dev->romsize - 1))) {
        return error_set(errp, "ROM size %u is not a power of two", dev->romsize);
    }
    return !dev->romfile || !*dev->romfile || dev->rombar || !dev->parent.is_hotplugged ||
           error_set(errp, "Hot-plugged device without ROM bar can't have an option ROM");
}

bool pci_rom_load(PciDevice *dev, Error **errp)
{
    g_autofree char *name = g_strdup_printf("%s.rom", object_type_name(dev));
    g_autofree char *path = NULL, *bytes = NULL;
    gsize length;
    uint64_t size = 0;

    if (!check_rom(dev, errp)) {
        return false;
    }
    if (!dev->romfile || !*dev->romfile || !dev->rombar) {
        return true; /* without a BAR it is the board's to offer */
    }
    path = data_file_find(dev->romfile);
    if (!path || !g_file_get_contents(path, &bytes, &length, NULL)) {
        return error_set(errp, "failed to find romfile \"%s\"", dev->romfile);
    }
    if (!rom_bytes(dev, length, &size, errp) ||
        !memory_region_init_rom(&dev->rom, &dev->parent.parent, name, size, errp)) {
        return false;
    }
    memcpy(memory_region_host(&dev->rom), bytes, length);
    pci_add_bar(dev, PCI_BAR_ROM, 0, &dev->rom);
    pci_rom_adopt(dev);
    return true;
}
