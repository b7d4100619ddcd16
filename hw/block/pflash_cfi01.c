/*
 * cfi.pflash01: NOR flash with the Intel command set. JEDEC JESD68.01 (CFI), Intel StrataFlash
 * (28F) data sheets. Suspend commands are left out: nothing here takes time. Other than silicon, a
 * cleared status has not even the ready bit until the next command: by that OVMF tells flash from
 * memory and from ROM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "flash_memory.h"

#define STATUS_READY       BIT(7)
#define STATUS_ERASE_ERROR BIT(5)
#define STATUS_WRITE_ERROR BIT(4)
#define STATUS_LOCKED      BIT(1)

enum { READ_ARRAY = 0xff, READ_STATUS = 0x70, CLEAR_STATUS = 0x50, READ_ID = 0x90,
       READ_CFI = 0x98, PROGRAM = 0x40, PROGRAM_OLD = 0x10, ERASE = 0x20, LOCK = 0x60,
       BUFFER = 0xe8, CONFIRM = 0xd0, LOCK_SET = 0x01 };

#define CFI_BYTES    0x40
#define BUFFER_BYTES 256
#define MAX_BLOCKS   65536

/* What a write means after a command's first. */
typedef enum Phase { COMMAND, DATA, COUNT, FILL, CONFIRMATION } Phase;

typedef struct Pflash01 {
    MmioDevice parent;
    FlashMemory memory;
    uint32_t block_count; /* properties */
    uint64_t block_bytes;
    uint8_t device_width, max_device_width;
    bool is_secure, has_old_chips;
    uint16_t id[4];
    uint8_t cfi[CFI_BYTES];
    uint8_t command, phase, status; /* state */
    uint32_t left;  /* of a buffered write, bytes to come */
    uint64_t first; /* its lowest address */
    uint8_t data[BUFFER_BYTES], used[BUFFER_BYTES];
    uint8_t *locked; /* by block */
} Pflash01;
DECLARE_CAST(Pflash01, PFLASH01)

static void enter(Pflash01 *flash, uint8_t command, Phase phase)
{
    flash->command = command;
    flash->phase = phase;
    memory_region_set_rom_mode(&flash->memory.region, command == READ_ARRAY);
}

/* A device's answer, for each of the devices side by side in the bank. */
static uint64_t replicate(const Pflash01 *flash, uint64_t value, unsigned bytes)
{
    uint64_t all = 0;

    for (unsigned at = 0; at < bytes; at += flash->device_width) {
        all |= value << at * 8;
    }
    return all;
}

/* Of an answer: a device in a mode narrower than it could be wired for skips addresses. */
static uint64_t index_of(const Pflash01 *flash, uint64_t at)
{
    return at / ((uint64_t)flash->memory.width * flash->max_device_width / flash->device_width);
}

static uint64_t read_id(const Pflash01 *flash, uint64_t at)
{
    uint64_t index = index_of(flash, at);
    uint64_t block = at / flash->block_bytes;

    switch (index & 0xff) {
    case 0:
        return (flash->id[0] & 0xff) << 8 | (flash->id[1] & 0xff);
    case 1:
        return (flash->id[2] & 0xff) << 8 | (flash->id[3] & 0xff);
    case 2:
        return flash->locked[block];
    default:
        return 0;
    }
}

static uint64_t pflash_read(void *opaque, uint64_t at, unsigned bytes)
{
    Pflash01 *flash = opaque;
    uint64_t index = index_of(flash, at);

    switch (flash->command) {
    case READ_ARRAY:
        return flash_memory_load(&flash->memory, at, bytes);
    case READ_ID:
        return replicate(flash, read_id(flash, at), bytes);
    case READ_CFI:
        return index < CFI_BYTES ? replicate(flash, flash->cfi[index], bytes) : 0;
    default:
        return replicate(flash, flash->status, bytes);
    }
}

static bool is_locked(Pflash01 *flash, uint64_t at)
{
    if (flash->locked[at / flash->block_bytes]) {
        flash->status |= STATUS_LOCKED;
        return true;
    }
    return false;
}

static void program(Pflash01 *flash, uint64_t at, uint64_t value, unsigned bytes)
{
    if (flash_memory_is_read_only(&flash->memory) || is_locked(flash, at)) {
        flash->status |= STATUS_WRITE_ERROR;
        return;
    }
    flash_memory_program(&flash->memory, at, value, bytes);
}

static void erase(Pflash01 *flash, uint64_t at)
{
    if (flash_memory_is_read_only(&flash->memory) || is_locked(flash, at)) {
        flash->status |= STATUS_ERASE_ERROR;
        return;
    }
    flash_memory_erase(&flash->memory, ROUND_DOWN(at, flash->block_bytes), flash->block_bytes);
}

static void write_command(Pflash01 *flash, uint64_t at, uint8_t command)
{
    switch (command) {
    case PROGRAM:
    case PROGRAM_OLD:
        flash->status |= STATUS_READY;
        enter(flash, command, DATA);
        break;
    case ERASE:
    case LOCK:
        flash->status |= STATUS_READY;
        enter(flash, command, CONFIRMATION);
        break;
    case BUFFER:
        flash->status |= STATUS_READY;
        flash->first = ROUND_DOWN(at, BUFFER_BYTES);
        memset(flash->used, 0, BUFFER_BYTES);
        enter(flash, command, COUNT);
        break;
    case CLEAR_STATUS:
        flash->status = 0;
        enter(flash, READ_ARRAY, COMMAND);
        break;
    case READ_STATUS:
    case READ_ID:
    case READ_CFI:
        enter(flash, command, COMMAND);
        break;
    default:
        enter(flash, READ_ARRAY, COMMAND);
        break;
    }
}

static void fail(Pflash01 *flash)
{
    flash->status |= STATUS_WRITE_ERROR | STATUS_ERASE_ERROR; /* a wrong sequence */
    enter(flash, READ_STATUS, COMMAND);
}

static void fill(Pflash01 *flash, uint64_t at, uint64_t value, unsigned bytes)
{
    uint64_t offset = at - flash->first;

    if (at < flash->first || offset + bytes > BUFFER_BYTES || bytes > flash->left) {
        fail(flash);
        return;
    }
    store_bytes(flash->data + offset, bytes, flash->memory.ops.endian, value);
    memset(flash->used + offset, 1, bytes);
    flash->left -= bytes;
    if (!flash->left) {
        flash->phase = CONFIRMATION;
    }
}

static void flush(Pflash01 *flash)
{
    for (unsigned i = 0; i < BUFFER_BYTES; i++) {
        if (flash->used[i]) {
            program(flash, flash->first + i, flash->data[i], 1);
        }
    }
    flash_memory_store(&flash->memory, flash->first, BUFFER_BYTES);
}

static void confirm(Pflash01 *flash, uint64_t at, uint8_t value)
{
    if (flash->command == LOCK && (value == LOCK_SET || value == CONFIRM)) {
        flash->locked[at / flash->block_bytes] = value == LOCK_SET;
    } else if (flash->command == ERASE && value == CONFIRM) {
        erase(flash, at);
    } else if (flash->command == BUFFER && value == CONFIRM) {
        flush(flash);
    } else {
        fail(flash);
        return;
    }
    enter(flash, READ_STATUS, COMMAND);
}

static MemTxResult pflash_write(void *opaque, uint64_t at, unsigned bytes, MemTxAttrs attrs,
                                uint64_t value)
{
    Pflash01 *flash = opaque;

    if (flash->is_secure && !attrs.is_secure) {
        return MEM_TX_ERROR;
    }
    switch ((Phase)flash->phase) {
    case COMMAND:
        write_command(flash, at, value);
        break;
    case DATA:
        program(flash, at, value, bytes);
        flash_memory_store(&flash->memory, at, bytes);
        enter(flash, READ_STATUS, COMMAND);
        break;
    case COUNT:
        flash->left = ((value & 0xff) + 1) * flash->memory.width;
        flash->phase = FILL;
        break;
    case FILL:
        fill(flash, at, value, bytes);
        break;
    case CONFIRMATION:
        confirm(flash, at, value);
        break;
    }
    return MEM_TX_OK;
}

/* --- life --- */

static void fill_cfi(Pflash01 *flash)
{
    unsigned devices = flash->memory.width / flash->device_width;
    uint64_t block = flash->block_bytes / (flash->has_old_chips ? 1 : devices);
    uint64_t device = block * flash->block_count;
    const uint8_t table[] = {
        'Q', 'R', 'Y', 1, 0, 0x31, 0, 0, 0, 0, 0,      /* 10: command set, extended table */
        0x45, 0x55, 0, 0, 7, 7, 10, 0, 4, 4, 4, 0,     /* 1b: voltages, times */
        63 - __builtin_clzll(device), 2, 0,            /* 27: size, interface */
        8 - __builtin_ctz(devices), 0, 1,              /* 2a: buffer; regions */
        flash->block_count - 1, (flash->block_count - 1) >> 8, block >> 8, block >> 16,
        'P', 'R', 'I', '1', '0', 0, 0, 0, 0, 0, 0, 0, 0, 1,
    };

    G_STATIC_ASSERT(sizeof(table) <= CFI_BYTES - 0x10);
    memcpy(flash->cfi + 0x10, table, sizeof(table));
}

static bool is_power_of_2(uint64_t n)
{
    return n && !(n & (n - 1));
}

static bool check_widths(Pflash01 *flash, Error **errp)
{
    uint8_t width = flash->memory.width;

    flash->device_width = flash->device_width ? flash->device_width : width;
    flash->max_device_width = MAX(flash->max_device_width, flash->device_width);
    return (is_power_of_2(flash->device_width) && flash->device_width <= width) ||
           error_set(errp, "pflash '%s': 'width' is %u and 'device-width' %u", flash->memory.name,
                     width, flash->device_width);
}

static bool check(Pflash01 *flash, Error **errp)
{
    if (!flash->block_bytes || !flash->block_count) {
        return error_set(errp, "attribute \"%s\" not specified or zero.",
                         flash->block_bytes ? "num-blocks" : "sector-length");
    }
    if (!flash_memory_check(&flash->memory, errp) || !check_widths(flash, errp)) {
        return false;
    }
    if (flash->block_count > MAX_BLOCKS || flash->block_bytes > FLASH_MAX_BYTES ||
        flash->block_bytes * flash->block_count > FLASH_MAX_BYTES ||
        flash->block_bytes % BUFFER_BYTES) {
        return error_set(errp, "pflash '%s': %u sectors of %" PRIu64 " bytes cannot be had",
                         flash->memory.name, flash->block_count, flash->block_bytes);
    }
    flash->memory.bytes = flash->block_bytes * flash->block_count;
    return true;
}

static bool pflash_realize(Device *dev, Error **errp)
{
    static const MemoryOps ops = { .read = pflash_read, .write_attrs = pflash_write };
    Pflash01 *flash = PFLASH01(dev);

    if (!check(flash, errp) || !flash_memory_realize(&flash->memory, dev, &ops, errp)) {
        return false;
    }
    flash->locked = g_malloc0(flash->block_count);
    flash->status = STATUS_READY;
    flash->command = READ_ARRAY;
    fill_cfi(flash);
    mmio_device_add_region(&flash->parent, &flash->memory.region);
    return true;
}

/* The region is taken from the list of those to map before its memory goes. */
static void pflash_unrealize(Device *dev)
{
    Pflash01 *flash = PFLASH01(dev);

    mmio_device_unmap(&flash->parent, 0);
    flash->parent.region_count = 0;
    flash_memory_unrealize(&flash->memory);
    g_clear_pointer(&flash->locked, g_free);
}

static void pflash_reset_hold(Device *dev)
{
    PFLASH01(dev)->status = STATUS_READY;
    PFLASH01(dev)->left = 0;
    PFLASH01(dev)->first = 0;
    memset(PFLASH01(dev)->data, 0, BUFFER_BYTES);
    memset(PFLASH01(dev)->used, 0, BUFFER_BYTES);
    memset(PFLASH01(dev)->locked, 0, PFLASH01(dev)->block_count);
    enter(PFLASH01(dev), READ_ARRAY, COMMAND);
}

static bool pflash_post_load(void *opaque, int version, Error **errp)
{
    Pflash01 *flash = opaque;

    if (flash->phase > CONFIRMATION || flash->first > flash->memory.bytes - BUFFER_BYTES) {
        return error_set(errp, "pflash '%s': there is no such state", flash->memory.name);
    }
    enter(flash, flash->command, flash->phase);
    flash_memory_store_loaded(&flash->memory); /* what the source programmed */
    return true;
}

static const Property pflash_props[] = {
    FLASH_MEMORY_PROPS(Pflash01, memory),
    PROP_U32("num-blocks", Pflash01, block_count, .doc = "How many blocks are erased on their own"),
    PROP_U64("sector-length", Pflash01, block_bytes, .doc = "Bytes of a block"),
    PROP_U8("device-width", Pflash01, device_width, .doc = "Bytes of each device; 0: the bank's"),
    PROP_U8("max-device-width", Pflash01, max_device_width,
            .doc = "What the devices could be wired for; 0: as they are"),
    PROP_BOOL("secure", Pflash01, is_secure, .doc = "Only secure accesses can write"),
    PROP_BOOL("old-multiple-chip-handling", Pflash01, has_old_chips,
              .doc = "CFI speaks of the bank, not of one device"),
    PROP_U16("id0", Pflash01, id[0], .doc = "Manufacturer, high byte"),
    PROP_U16("id1", Pflash01, id[1], .doc = "Manufacturer"),
    PROP_U16("id2", Pflash01, id[2], .doc = "Device, high byte"),
    PROP_U16("id3", Pflash01, id[3], .doc = "Device"),
};
static const VMField pflash_fields[] = {
    VM_U8(Pflash01, command), VM_U8(Pflash01, phase), VM_U8(Pflash01, status),
    VM_U32(Pflash01, left), VM_U64(Pflash01, first), VM_ARRAY(Pflash01, data),
    VM_ARRAY(Pflash01, used), VM_BYTES_HELD(Pflash01, locked, block_count),
};

static const DeviceType pflash_type = {
    .name = "cfi.pflash01",
    .doc = "NOR flash, Intel command set",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(Pflash01),
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(pflash_props),
    .vmstate = VMSTATE(pflash_fields, .version = 1, .post_load = pflash_post_load),
    .realize = pflash_realize,
    .unrealize = pflash_unrealize,
    .reset_hold = pflash_reset_hold,
};
DEVICE_TYPE(pflash_type)
