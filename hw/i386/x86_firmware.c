/*
 * Firmware of x86 boards: its image ends at 4 GiB, and its last 128 KiB are seen below 1 MiB too,
 * as the ISA bus has them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/data_files.h"
#include "hw/core/roms.h"
#include "x86_machine.h"

#define FIRMWARE_ALIGN   (64 * KiB)
#define ISA_BIOS_BYTES   (128 * KiB)
#define ISA_BIOS_PRIORITY 1
#define MIB_END          UINT64_C(0x100000)

static bool check_size(const X86Machine *x86, uint64_t bytes, const char *name, Error **errp)
{
    if (!bytes || bytes % FIRMWARE_ALIGN) {
        return error_set(errp, "could not load PC BIOS '%s': its size is not a multiple of %" PRIu64
                         " bytes", name, (uint64_t)FIRMWARE_ALIGN);
    }
    return !x86->firmware_max_bytes || bytes <= x86->firmware_max_bytes ||
           error_set(errp, "could not load PC BIOS '%s': it has more than %" PRIu64 " bytes", name,
                     x86->firmware_max_bytes);
}

static bool make_region(X86Machine *x86, uint64_t bytes, Error **errp)
{
    const X86MachineType *ops = object_ops(x86);
    Object *owner = (Object *)x86;

    return ops->has_writable_firmware ?
           memory_region_init_ram(&x86->firmware, owner, "pc.bios", bytes, errp) :
           memory_region_init_rom(&x86->firmware, owner, "pc.bios", bytes, errp);
}

static void map_alias(X86Machine *x86, MemoryRegion *memory)
{
    uint64_t bytes = MIN(x86->firmware_bytes, ISA_BIOS_BYTES);

    memory_region_init_alias(&x86->firmware_alias, (Object *)x86, "isa-bios", &x86->firmware,
                             (MemoryWindow){ x86->firmware_bytes - bytes, bytes });
    memory_region_add_overlap(memory, MIB_END - bytes, &x86->firmware_alias, ISA_BIOS_PRIORITY);
}

/* Resets bring it back: a guest may have written to one that is RAM. */
static bool keep_image(X86Machine *x86, const GByteArray *image, const char *name, Error **errp)
{
    RomSpec rom = {
        .name = name, .addr = 4 * GiB - image->len, .size_bytes = image->len,
        .bytes = image->data, .byte_count = image->len,
    };

    return rom_add(&rom, errp);
}

bool x86_load_firmware(X86Machine *x86, const char *initial, MemoryRegion *memory, Error **errp)
{
    const char *name = x86->parent.firmware ? x86->parent.firmware : initial;
    g_autofree char *base_name = g_path_get_basename(name);
    g_autoptr(GByteArray) image = NULL;

    if (!data_file_read(name, "PC BIOS", &image, errp) ||
        !check_size(x86, image->len, name, errp) || !make_region(x86, image->len, errp)) {
        return false;
    }
    x86->firmware_bytes = image->len;
    x86->firmware_home = memory->owner ? object_ref(memory->owner) : NULL;
    map_alias(x86, memory);
    memory_region_add(memory, 4 * GiB - image->len, &x86->firmware);
    return keep_image(x86, image, base_name, errp);
}
