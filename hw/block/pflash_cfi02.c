/*
 * cfi.pflash02: NOR flash with the AMD command set. JEDEC JESD68.01 (CFI), AMD Am29LV and Spansion
 * S29GL data sheets. One device as wide as the bus; nothing takes time, so there is no suspending,
 * no status but "done", and the buffered write of newer chips is left out. With a drive that is
 * read-only, commands that change it have no effect.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "flash_memory.h"
#include "util/log.h"

enum { READ_ARRAY = 0xf0, UNLOCK_1 = 0xaa, UNLOCK_2 = 0x55, AUTOSELECT = 0x90, CFI_QUERY = 0x98,
       PROGRAM = 0xa0, ERASE = 0x80, ERASE_CHIP = 0x10, ERASE_SECTOR = 0x30, BYPASS = 0x20,
       BYPASS_RESET = 0x90 };

#define UNLOCK_MASK  0x7ff
#define CFI_AT       0x10
#define CFI_BYTES    0x50
#define MAX_REGIONS  4
#define MAX_MAPPINGS 64

/* How much of a sequence was seen. Reads are of the array unless `mode` says otherwise. */
typedef enum Phase { IDLE, UNLOCKED_1, UNLOCKED_2, PROGRAMMING, ERASING, ERASING_1, ERASING_2,
                     BYPASSED, BYPASS_PROGRAMMING, BYPASS_RESETTING, PHASES } Phase;

typedef struct EraseRegion {
    uint32_t blocks, block_bytes;
} EraseRegion;

typedef struct Pflash02 {
    MmioDevice parent;
    FlashMemory memory;
    MemoryRegion container, mirrors[MAX_MAPPINGS];
    EraseRegion uniform, regions[MAX_REGIONS]; /* properties */
    uint8_t mappings;
    uint16_t id[4], unlock[2];
    unsigned region_count;
    uint8_t cfi[CFI_BYTES];
    uint8_t phase, mode; /* state; mode: READ_ARRAY, AUTOSELECT or CFI_QUERY */
} Pflash02;
DECLARE_CAST(Pflash02, PFLASH02)

static void enter(Pflash02 *flash, uint8_t mode, Phase phase)
{
    flash->mode = mode;
    flash->phase = phase;
    memory_region_set_rom_mode(&flash->memory.region, mode == READ_ARRAY && phase == IDLE);
}

/* The address pins: those of a device of 16 bits leave out the lowest bit. */
static uint64_t pins(const Pflash02 *flash, uint64_t at)
{
    return at / flash->memory.width;
}

static uint64_t pflash_read(void *opaque, uint64_t at, unsigned bytes)
{
    Pflash02 *flash = opaque;
    uint64_t pin = pins(flash, at);

    switch (flash->mode) {
    case AUTOSELECT:
        return (pin & 0xff) < 2 ? flash->id[pin & 1] :
               (pin & 0xff) == 0x0e || (pin & 0xff) == 0x0f ? flash->id[2 + (pin & 1)] : 0;
    case CFI_QUERY:
        return (pin & 0xff) < CFI_BYTES ? flash->cfi[pin & 0xff] : 0;
    default:
        return flash_memory_load(&flash->memory, at, bytes);
    }
}

static void program(Pflash02 *flash, uint64_t at, uint64_t value, unsigned bytes)
{
    if (!flash_memory_is_read_only(&flash->memory)) {
        flash_memory_program(&flash->memory, at, value, bytes);
        flash_memory_store(&flash->memory, at, bytes);
    }
}

static void erase_bytes(Pflash02 *flash, uint64_t first, uint64_t bytes)
{
    if (!flash_memory_is_read_only(&flash->memory)) {
        flash_memory_erase(&flash->memory, first, bytes);
    }
}

static void erase_sector(Pflash02 *flash, uint64_t at)
{
    uint64_t first = 0;

    for (unsigned i = 0; i < flash->region_count; i++) {
        const EraseRegion *r = &flash->regions[i];
        uint64_t bytes = (uint64_t)r->blocks * r->block_bytes;

        if (at < first + bytes) {
            erase_bytes(flash, first + ROUND_DOWN(at - first, r->block_bytes), r->block_bytes);
            return;
        }
        first += bytes;
    }
}

static bool is_unlock(const Pflash02 *flash, uint64_t at, uint8_t value, unsigned n)
{
    return (pins(flash, at) & UNLOCK_MASK) == (flash->unlock[n] & UNLOCK_MASK) &&
           value == (n ? UNLOCK_2 : UNLOCK_1);
}

static void wrong(Pflash02 *flash, uint8_t value)
{
    guest_error("pflash '%s': 0x%02x in phase %u is no command", flash->memory.name, value, flash->phase);
    enter(flash, READ_ARRAY, IDLE);
}

/* The third write of a sequence. */
static void command(Pflash02 *flash, uint8_t value)
{
    switch (value) {
    case AUTOSELECT:
        enter(flash, AUTOSELECT, IDLE);
        break;
    case PROGRAM:
        enter(flash, READ_ARRAY, PROGRAMMING);
        break;
    case ERASE:
        enter(flash, READ_ARRAY, ERASING);
        break;
    case BYPASS:
        enter(flash, READ_ARRAY, BYPASSED);
        break;
    case READ_ARRAY:
        enter(flash, READ_ARRAY, IDLE);
        break;
    default:
        wrong(flash, value);
        break;
    }
}

static void write_idle(Pflash02 *flash, uint64_t at, uint8_t value)
{
    if (value == READ_ARRAY) {
        enter(flash, READ_ARRAY, IDLE);
    } else if (value == CFI_QUERY && (pins(flash, at) & 0xff) == 0x55) {
        enter(flash, CFI_QUERY, IDLE);
    } else if (is_unlock(flash, at, value, 0)) {
        enter(flash, flash->mode, UNLOCKED_1);
    } else {
        wrong(flash, value);
    }
}

static void erase(Pflash02 *flash, uint64_t at, uint8_t value)
{
    if (value == ERASE_CHIP && (pins(flash, at) & UNLOCK_MASK) == (flash->unlock[0] & UNLOCK_MASK)) {
        erase_bytes(flash, 0, flash->memory.bytes);
    } else if (value == ERASE_SECTOR) {
        erase_sector(flash, at);
    } else {
        wrong(flash, value);
        return;
    }
    enter(flash, READ_ARRAY, IDLE);
}

static void write_bypassed(Pflash02 *flash, uint8_t value)
{
    if (value == PROGRAM) {
        flash->phase = BYPASS_PROGRAMMING;
    } else if (value == BYPASS_RESET) {
        flash->phase = BYPASS_RESETTING;
    } else {
        guest_error("pflash '%s': 0x%02x while unlock is bypassed", flash->memory.name, value);
    }
}

static void pflash_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Pflash02 *flash = opaque;

    switch ((Phase)flash->phase) {
    case IDLE:
        write_idle(flash, at, value);
        break;
    case UNLOCKED_1:
    case ERASING_1:
        if (is_unlock(flash, at, value, 1)) {
            flash->phase++;
        } else {
            wrong(flash, value);
        }
        break;
    case UNLOCKED_2:
        command(flash, value);
        break;
    case ERASING:
        if (is_unlock(flash, at, value, 0)) {
            flash->phase = ERASING_1;
        } else {
            wrong(flash, value);
        }
        break;
    case ERASING_2:
        erase(flash, at, value);
        break;
    case PROGRAMMING:
        program(flash, at, value, bytes);
        enter(flash, READ_ARRAY, IDLE);
        break;
    case BYPASSED:
        write_bypassed(flash, value);
        break;
    case BYPASS_PROGRAMMING:
        program(flash, at, value, bytes);
        flash->phase = BYPASSED;
        break;
    case BYPASS_RESETTING: /* 0x00, or 0xf0 of older drivers */
        enter(flash, READ_ARRAY, IDLE);
        break;
    case PHASES:
        break;
    }
}

/* --- life --- */

static void fill_cfi(Pflash02 *flash)
{
    static const uint8_t head[] = {
        'Q', 'R', 'Y', 2, 0, 0x31, 0, 0, 0, 0, 0,  /* 10: command set, extended table */
        0x27, 0x36, 0, 0, 7, 0, 9, 12, 1, 0, 10, 13, /* 1b: voltages, times */
    };
    uint8_t *cfi = flash->cfi;

    memcpy(cfi + CFI_AT, head, sizeof(head));
    cfi[0x27] = 63 - __builtin_clzll(flash->memory.bytes);
    cfi[0x28] = flash->memory.width == 1 ? 0 : 1; /* x8, x16 */
    cfi[0x2c] = flash->region_count;
    for (unsigned i = 0; i < flash->region_count; i++) {
        store_le16(cfi + 0x2d + 4 * i, flash->regions[i].blocks - 1);
        store_le16(cfi + 0x2f + 4 * i, flash->regions[i].block_bytes >> 8);
    }
    memcpy(cfi + 0x31 + 4 * (flash->region_count - 1), "PRI10", 5);
    cfi[0x15] = 0x31 + 4 * (flash->region_count - 1);
}

static bool take_regions(Pflash02 *flash, Error **errp)
{
    if (flash->uniform.blocks && flash->uniform.block_bytes && !flash->regions[0].blocks) {
        flash->regions[0] = flash->uniform;
    }
    while (flash->region_count < MAX_REGIONS && flash->regions[flash->region_count].blocks) {
        const EraseRegion *r = &flash->regions[flash->region_count++];

        if (!r->block_bytes || r->block_bytes % 256 || r->blocks > 65536 ||
            (uint64_t)r->blocks * r->block_bytes > FLASH_MAX_BYTES) {
            return error_set(errp, "pflash: %u sectors of %u bytes cannot be had", r->blocks,
                             r->block_bytes);
        }
        flash->memory.bytes += (uint64_t)r->blocks * r->block_bytes;
    }
    if (!flash->region_count) {
        return error_set(errp, "attribute \"%s\" not specified or zero.",
                         flash->uniform.block_bytes ? "num-blocks" : "sector-length");
    }
    return flash->memory.bytes <= FLASH_MAX_BYTES ||
           error_set(errp, "pflash: %" PRIu64 " bytes cannot be had", flash->memory.bytes);
}

static bool check(Pflash02 *flash, Error **errp)
{
    flash->memory.bytes = flash->region_count = 0;
    if (!flash_memory_check(&flash->memory, errp)) {
        return false;
    }
    if (flash->mappings > MAX_MAPPINGS) {
        return error_set(errp, "pflash '%s': 'mappings' is %u, at most %d", flash->memory.name,
                         flash->mappings, MAX_MAPPINGS);
    }
    flash->mappings = MAX(flash->mappings, 1);
    return take_regions(flash, errp);
}

/* The same chip at addresses one after the other. */
static void add_mirrors(Pflash02 *flash, Object *owner)
{
    memory_region_init(&flash->container, owner, flash->memory.name, flash->memory.bytes * flash->mappings);
    for (unsigned i = 0; i < flash->mappings; i++) {
        memory_region_init_alias(&flash->mirrors[i], owner, "pflash-alias", &flash->memory.region,
                                 (MemoryWindow){ 0, flash->memory.bytes });
        memory_region_add(&flash->container, flash->memory.bytes * i, &flash->mirrors[i]);
    }
    mmio_device_add_region(&flash->parent, &flash->container);
}

static bool pflash_realize(Device *dev, Error **errp)
{
    static const MemoryOps ops = { .read = pflash_read, .write = pflash_write };
    Pflash02 *flash = PFLASH02(dev);

    if (!check(flash, errp) || !flash_memory_realize(&flash->memory, dev, &ops, errp)) {
        return false;
    }
    fill_cfi(flash);
    add_mirrors(flash, &dev->parent);
    enter(flash, READ_ARRAY, IDLE);
    return true;
}

static void pflash_unrealize(Device *dev)
{
    Pflash02 *flash = PFLASH02(dev);

    mmio_device_unmap(&flash->parent, 0);
    flash->parent.region_count = 0;
    for (unsigned i = 0; i < flash->mappings; i++) {
        memory_region_remove(&flash->container, &flash->mirrors[i]);
        memory_region_clear(&flash->mirrors[i]);
    }
    memory_region_clear(&flash->container);
    flash_memory_unrealize(&flash->memory);
}

static void pflash_reset_hold(Device *dev)
{
    enter(PFLASH02(dev), READ_ARRAY, IDLE);
}

static bool pflash_post_load(void *opaque, int version, Error **errp)
{
    Pflash02 *flash = opaque;

    if (flash->phase >= PHASES) {
        return error_set(errp, "pflash '%s': there is no such state", flash->memory.name);
    }
    enter(flash, flash->mode, flash->phase);
    flash_memory_store_loaded(&flash->memory); /* what the source programmed */
    return true;
}

#define PROP_REGION(n)                                                                             \
    PROP_U32("num-blocks" #n, Pflash02, regions[n].blocks, .doc = "Blocks of an erase region"),    \
    PROP_U32("sector-length" #n, Pflash02, regions[n].block_bytes, .doc = "Bytes of such a block")

static const Property pflash_props[] = {
    PROP_U32("num-blocks", Pflash02, uniform.blocks,
             .doc = "How many blocks are erased on their own, if they are all alike"),
    PROP_U32("sector-length", Pflash02, uniform.block_bytes, .doc = "Bytes of a block"),
    PROP_REGION(0), PROP_REGION(1), PROP_REGION(2), PROP_REGION(3),
    PROP_U8("mappings", Pflash02, mappings, .doc = "How often it is seen, one after the other"),
    PROP_U16("id0", Pflash02, id[0], .doc = "Manufacturer"),
    PROP_U16("id1", Pflash02, id[1], .doc = "Device"),
    PROP_U16("id2", Pflash02, id[2], .doc = "Device, second word"),
    PROP_U16("id3", Pflash02, id[3], .doc = "Device, third word"),
    PROP_U16("unlock-addr0", Pflash02, unlock[0], .doc = "Where the first unlock cycle goes"),
    PROP_U16("unlock-addr1", Pflash02, unlock[1], .doc = "Where the second one goes"),
    FLASH_MEMORY_PROPS(Pflash02, memory),
};
static const VMField pflash_fields[] = { VM_U8(Pflash02, phase), VM_U8(Pflash02, mode) };

static const DeviceType pflash_type = {
    .name = "cfi.pflash02",
    .doc = "NOR flash, AMD command set",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(Pflash02),
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(pflash_props),
    .vmstate = VMSTATE(pflash_fields, .version = 1, .post_load = pflash_post_load),
    .realize = pflash_realize,
    .unrealize = pflash_unrealize,
    .reset_hold = pflash_reset_hold,
};
DEVICE_TYPE(pflash_type)
