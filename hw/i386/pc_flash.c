/*
 * System flash of a PC: one or two chips whose end is at 4 GiB, the first highest, with firmware
 * and its variables. The last 128 KiB of the first are seen below 1 MiB too, as they were at the
 * start: a copy, for a chip that is being programmed does not show its bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_drive.h"
#include "hw/core/mmio_device.h"
#include "pc_flash.h"

#define SECTOR_BYTES      (4 * KiB)
#define ISA_BIOS_BYTES    (128 * KiB)
#define ISA_BIOS_PRIORITY 1
#define MIB_END           UINT64_C(0x100000)

/* -drive if=pflash and -pflash, where -machine says nothing. */
static bool take_drives(PcMachine *pc, Error **errp)
{
    for (unsigned n = 0; n < PC_FLASHES; n++) {
        BlockDrive *drive = pc->flash[n] ? NULL : block_drive_take(BLOCK_IF_PFLASH, 0, n);

        if (drive) {
            pc->flash[n] = block_backend_ref(drive->backend);
        }
        if (n && pc->flash[n] && !pc->flash[n - 1]) {
            return error_set(errp, "pflash%u requires pflash%u", n, n - 1);
        }
    }
    return true;
}

static bool check_size(const PcMachine *pc, unsigned n, uint64_t total, Error **errp)
{
    uint64_t bytes = block_backend_bytes(pc->flash[n]);
    uint64_t most = pc->parent.firmware_max_bytes;

    if (!block_backend_node(pc->flash[n])) {
        return error_set(errp, "system firmware block device has no medium (pflash%u)", n);
    }
    if (!bytes || bytes % SECTOR_BYTES) {
        return error_set(errp, "system firmware block device %s has invalid size %" PRIu64
                         ": its size must be a non-zero multiple of 0x%" PRIx64,
                         block_backend_name(pc->flash[n]), bytes, SECTOR_BYTES);
    }
    return bytes <= most - total ||
           error_set(errp, "combined size of system firmware exceeds %" PRIu64 " bytes", most);
}

static bool make_chip(PcMachine *pc, unsigned n, uint64_t end, Error **errp)
{
    g_autofree char *name = g_strdup_printf("system.flash%u", n);
    uint64_t bytes = block_backend_bytes(pc->flash[n]);
    BlockNode *node = block_backend_node(pc->flash[n]);
    const char *drive = *block_backend_name(pc->flash[n]) ? block_backend_name(pc->flash[n]) :
                                                            block_node_name(node);
    Device *dev = device_new("cfi.pflash01");

    object_add_child((Object *)pc, name, dev, NULL);
    object_set_text(dev, "name", name, NULL);
    object_set_int(dev, "num-blocks", bytes / SECTOR_BYTES, NULL);
    object_set_int(dev, "sector-length", SECTOR_BYTES, NULL);
    object_set_int(dev, "width", 1, NULL);
    if (!object_set_text(dev, "drive", drive, errp)) {
        object_unref(dev);
        return false;
    }
    if (!device_realize_and_unref(dev, bus_system(), errp)) {
        return false;
    }
    mmio_device_map(MMIO_DEVICE(dev), 0, end - bytes);
    return true;
}

static bool map_copy(PcMachine *pc, MemoryRegion *chip, uint64_t chip_bytes, MemoryRegion *memory,
                     Error **errp)
{
    MemoryRegion *copy = &pc->parent.firmware_alias;
    uint64_t bytes = MIN(chip_bytes, ISA_BIOS_BYTES);

    if (!memory_region_init_rom(copy, (Object *)pc, "isa-bios", bytes, errp)) {
        return false;
    }
    memcpy(memory_region_host(copy), (char *)memory_region_host(chip) + chip_bytes - bytes, bytes);
    memory_region_add_overlap(memory, MIB_END - bytes, copy, ISA_BIOS_PRIORITY);
    return true;
}

bool pc_find_flash(PcMachine *pc, Error **errp)
{
    return take_drives(pc, errp);
}

bool pc_make_flash(PcMachine *pc, MemoryRegion *memory, Error **errp)
{
    uint64_t total = 0, first = block_backend_bytes(pc->flash[0]);
    Device *dev;

    for (unsigned n = 0; n < PC_FLASHES && pc->flash[n]; n++) {
        uint64_t bytes = block_backend_bytes(pc->flash[n]);

        if (!check_size(pc, n, total, errp) || !make_chip(pc, n, 4 * GiB - total, errp)) {
            return false;
        }
        total += bytes;
    }
    dev = DEVICE(object_child((Object *)pc, "system.flash0"));
    pc->parent.firmware_bytes = total;
    pc->parent.firmware_home = memory->owner ? object_ref(memory->owner) : NULL;
    return map_copy(pc, MMIO_DEVICE(dev)->regions[0].region, first, memory, errp);
}
