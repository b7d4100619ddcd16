/*
 * FlashMemory: the bytes of a parallel flash, whatever its commands: memory that reads as a ROM
 * while no command is under way, kept in a drive if there is one. Programming only clears bits.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_FLASH_MEMORY_H
#define HW_BLOCK_FLASH_MEMORY_H

#include "hw/core/block_conf.h"
#include "hw/core/mmio_device.h"

#define FLASH_MAX_BYTES (256 * MiB)

typedef struct FlashMemory {
    MemoryRegion region;
    MemoryOps ops;
    uint64_t bytes;
    /* properties: FLASH_MEMORY_PROPS() */
    BlockConf conf; /* only the drive */
    char *name;
    uint8_t width;  /* bytes of the data bus */
    bool is_big_endian;
} FlashMemory;

#define FLASH_MEMORY_PROPS(S, f)                                                                   \
    PROP_(property_drive, "drive", S, f.conf.drive, .has_no_default = true,                        \
          .doc = "Node name or ID of a block device to use as a backend"),                         \
    PROP_STR("name", S, f.name, .doc = "Of its memory"),                                           \
    PROP_U8("width", S, f.width, .doc = "Bytes of the data bus"),                                  \
    PROP_BOOL("big-endian", S, f.is_big_endian, .doc = "Byte order of the bus")

/* Name and width, for the owner's checks. */
bool flash_memory_check(const FlashMemory *flash, Error **errp);
/* In realize, once `bytes` is set: memory with the drive's bytes, erased without one. `ops` has
 * reads and writes; what accesses are like is filled in. Nothing is left if it fails. */
bool flash_memory_realize(FlashMemory *flash, Device *owner, const MemoryOps *ops, Error **errp);
void flash_memory_unrealize(FlashMemory *flash);

uint64_t flash_memory_load(FlashMemory *flash, uint64_t at, unsigned bytes);
bool flash_memory_is_read_only(const FlashMemory *flash);
/* Bits that are 0 in `value` become 0; flash_memory_store() keeps it. */
void flash_memory_program(FlashMemory *flash, uint64_t at, uint64_t value, unsigned bytes);
/* And keeps it. */
void flash_memory_erase(FlashMemory *flash, uint64_t first, uint64_t bytes);
/* All of it, when a source's state is in and the drive may be written. */
void flash_memory_store_loaded(FlashMemory *flash);
/* Writes what changed to the drive. */
void flash_memory_store(FlashMemory *flash, uint64_t at, uint64_t bytes);

#endif
