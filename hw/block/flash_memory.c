/*
 * The bytes of a parallel flash: see flash_memory.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "flash_memory.h"

#include "block/block_image.h"
#include "system/ram_block.h"

#define SECTOR_BYTES 512

static uint8_t *host(FlashMemory *flash)
{
    return memory_region_host(&flash->region);
}

uint64_t flash_memory_load(FlashMemory *flash, uint64_t at, unsigned bytes)
{
    return load_bytes(host(flash) + at, bytes, flash->ops.endian);
}

bool flash_memory_is_read_only(const FlashMemory *flash)
{
    return flash->conf.drive && block_backend_is_read_only(flash->conf.drive);
}

void flash_memory_program(FlashMemory *flash, uint64_t at, uint64_t value, unsigned bytes)
{
    store_bytes(host(flash) + at, bytes, flash->ops.endian,
                value & flash_memory_load(flash, at, bytes));
}

void flash_memory_erase(FlashMemory *flash, uint64_t first, uint64_t bytes)
{
    memset(host(flash) + first, 0xff, bytes);
    flash_memory_store(flash, first, bytes);
}

/* What is lost when the host fails is lost to the next process only; the guest has it. */
void flash_memory_store(FlashMemory *flash, uint64_t at, uint64_t bytes)
{
    uint64_t first = ROUND_DOWN(at, SECTOR_BYTES);
    uint64_t end = MIN(ROUND_UP(at + bytes, SECTOR_BYTES), flash->bytes);

    if (flash->conf.drive) {
        int err = block_backend_write(flash->conf.drive, first, host(flash) + first, end - first);

        if (err) {
            warn_report("pflash '%s': could not be written to its drive: %s", flash->name,
                        g_strerror(-err));
        }
    }
}

static void store_all(void *opaque)
{
    FlashMemory *flash = opaque;

    flash_memory_store(flash, 0, flash->bytes);
}

void flash_memory_store_loaded(FlashMemory *flash)
{
    if (!flash_memory_is_read_only(flash)) {
        block_images_when_ours(store_all, flash);
    }
}

/* --- life --- */

bool flash_memory_check(const FlashMemory *flash, Error **errp)
{
    if (!flash->name) {
        return error_set(errp, "attribute \"name\" not specified.");
    }
    return flash->width == 1 || flash->width == 2 || flash->width == 4 ||
           error_set(errp, "pflash '%s': 'width' is %u, not 1, 2 or 4", flash->name, flash->width);
}

static const BlockDeviceOps drive_ops = { .name = block_conf_device_name };

static bool check_drive(const FlashMemory *flash, Error **errp)
{
    uint64_t bytes = block_backend_bytes(flash->conf.drive);

    return bytes == flash->bytes ||
           error_set(errp, "pflash '%s' requires %" PRIu64 " bytes, its drive provides %" PRIu64
                     " bytes", flash->name, flash->bytes, bytes);
}

/* Memory as it leaves the factory, or as it was left. */
static bool fill(FlashMemory *flash, Device *owner, Error **errp)
{
    BlockConfUse use = { .ops = &drive_ops };
    int err;

    memset(host(flash), 0xff, flash->bytes);
    if (!flash->conf.drive) {
        return true;
    }
    use.is_read_only = block_backend_is_read_only(flash->conf.drive);
    if (!check_drive(flash, errp) || !block_conf_attach(&flash->conf, owner, &use, owner, errp)) {
        return false;
    }
    err = block_backend_read(flash->conf.drive, 0, host(flash), flash->bytes);
    if (err) {
        block_conf_detach(&flash->conf);
        return error_set_errno(errp, -err, "pflash '%s': could not read its drive", flash->name);
    }
    return true;
}

bool flash_memory_realize(FlashMemory *flash, Device *owner, const MemoryOps *ops, Error **errp)
{
    const RamSpec spec = { .name = flash->name, .bytes = flash->bytes };

    flash->ops = (MemoryOps){
        .read = ops->read, .write = ops->write, .write_attrs = ops->write_attrs,
        .endian = flash->is_big_endian ? ENDIAN_BIG : ENDIAN_LITTLE,
        .valid = { 1, 8 }, .impl = { 1, flash->width },
    };
    if (!memory_region_init_rom_device(&flash->region, &owner->parent, &flash->ops, &spec, errp)) {
        return false;
    }
    if (!ram_block_set_id(flash->region.ram, NULL, flash->name, errp) ||
        !fill(flash, owner, errp)) {
        memory_region_clear(&flash->region);
        return false;
    }
    ram_block_set_migratable(flash->region.ram, true);
    return true;
}

void flash_memory_unrealize(FlashMemory *flash)
{
    block_conf_detach(&flash->conf);
    memory_region_clear(&flash->region);
}
