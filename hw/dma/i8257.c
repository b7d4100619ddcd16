/*
 * i8257: Intel's 8237A DMA controller (data sheet 231466) with the PC's page registers. A PC has two:
 * channels 0 to 3 move bytes, 4 to 7 ("dshift" 1) words; channel 4 is the other controller's.
 *
 * A device's transfers happen when it asks, or when what kept its channel from them goes. Left out:
 * memory to memory, priorities (nobody waits), the timing modes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/isa/isa_dma.h"
#include "system/dma.h"
#include "util/log.h"

#define CHANNELS     4
#define PAGE_BYTES   0x10000 /* an address wraps within so much, in transfers */

#define COMMAND_DISABLE   BIT(2)
#define COMMAND_LEFT_OUT  0x03 /* memory to memory */
#define MODE_DIRECTION(m) ((m) >> 2 & 3)
#define MODE_AUTO_INIT    BIT(4)
#define MODE_DOWN         BIT(5)
#define MODE_CASCADE(m)   ((m) >> 6 == 3)
#define SELECT_SET        BIT(2) /* of a request or mask, one channel */

/* Offsets among the control registers; what a read or a write finds there. */
enum {
    CONT_COMMAND_STATUS, CONT_REQUEST, CONT_MASK_ONE, CONT_MODE, CONT_CLEAR_FLIP_FLOP,
    CONT_MASTER_CLEAR, CONT_CLEAR_MASK, CONT_MASK_ALL,
};

typedef struct DmaChannel {
    uint16_t base_address, base_count;
    uint32_t done; /* transfers, of base_count + 1 */
    uint8_t mode, page, page_high;
    IsaDmaTransfer *fn;
    void *opaque;
} DmaChannel;

typedef struct I8257 {
    IsaDevice parent;
    IsaDma dma;
    MemoryRegion channel_regs, control_regs, pages[2], pages_high[2];
    int32_t base, page_base, page_high_base, shift;
    DmaChannel channels[CHANNELS];
    uint8_t command, reached, mask; /* bits per channel: terminal count, masked */
    uint8_t lines, requests;        /* what devices and the guest ask for */
    bool is_high_byte;              /* the flip-flop */
    bool is_running;
} I8257;
DECLARE_CAST(I8257, DMA_CONTROLLER)

/* --- transfers --- */

static I8257 *controller_of(IsaDma *dma)
{
    return container_of(dma, I8257, dma);
}

static bool may_run(const I8257 *s, unsigned n)
{
    return !(s->command & COMMAND_DISABLE) && (s->lines | s->requests) & BIT(n) &&
           !(s->mask & BIT(n)) && !MODE_CASCADE(s->channels[n].mode) && s->channels[n].fn;
}

static void reach_end(I8257 *s, unsigned n)
{
    s->reached |= BIT(n);
    s->requests &= ~BIT(n);
    s->channels[n].done = 0;
    if (!(s->channels[n].mode & MODE_AUTO_INIT)) {
        s->channels[n].done = s->channels[n].base_count + 1;
        s->mask |= BIT(n);
    }
}

/* As much as the device wants to move now, at most to the block's end. */
static void run_channel(I8257 *s, unsigned n)
{
    DmaChannel *channel = &s->channels[n];
    uint32_t count = channel->base_count + 1;
    size_t done;

    if (channel->done >= count) {
        channel->done = 0;
    }
    done = channel->fn(channel->opaque, s->shift * CHANNELS + n,
                       (size_t)channel->done << s->shift, (size_t)count << s->shift);
    channel->done = MIN(done >> s->shift, count);
    if (channel->done == count) {
        reach_end(s, n);
    }
}

static void run(I8257 *s)
{
    if (s->is_running) {
        return;
    }
    s->is_running = true;
    for (unsigned n = 0; n < CHANNELS; n++) {
        if (may_run(s, n)) {
            run_channel(s, n);
        }
    }
    s->is_running = false;
}

/* Where transfer `i` of a channel's block is. */
static uint64_t memory_address(const I8257 *s, const DmaChannel *channel, uint32_t i)
{
    uint16_t low = channel->mode & MODE_DOWN ? channel->base_address - i
                                             : channel->base_address + i;
    uint64_t page = (uint64_t)channel->page_high << 24 | (channel->page & (s->shift ? ~1 : ~0)) << 16;

    return page + ((uint32_t)low << s->shift);
}

/* Piece by piece, as far as the addresses run on. */
static void move(I8257 *s, unsigned n, size_t pos, uint8_t *buf, size_t bytes, bool is_write)
{
    const DmaChannel *channel = &s->channels[n];
    size_t block = (size_t)(channel->base_count + 1) << s->shift, piece;
    size_t unit = (size_t)1 << s->shift;

    for (bytes = pos < block ? MIN(bytes, block - pos) : 0; bytes;
         pos += piece, buf += piece, bytes -= piece) {
        uint64_t at = memory_address(s, channel, pos >> s->shift) + (pos & (unit - 1));
        size_t to_page_end = ((size_t)PAGE_BYTES << s->shift) -
                             (at & (((size_t)PAGE_BYTES << s->shift) - 1));

        piece = channel->mode & MODE_DOWN ? unit - (pos & (unit - 1)) : to_page_end;
        piece = MIN(piece, bytes);
        if (is_write) {
            dma_write(address_space_system(), at, MEM_TX_NONE, buf, piece);
        } else {
            dma_read(address_space_system(), at, MEM_TX_NONE, buf, piece);
        }
    }
}

static void dma_attach(IsaDma *dma, unsigned channel, IsaDmaTransfer *fn, void *opaque)
{
    controller_of(dma)->channels[channel % CHANNELS].fn = fn;
    controller_of(dma)->channels[channel % CHANNELS].opaque = opaque;
}

static void dma_request(IsaDma *dma, unsigned channel, bool is_up)
{
    I8257 *s = controller_of(dma);
    uint8_t bit = BIT(channel % CHANNELS);

    s->lines = is_up ? s->lines | bit : s->lines & ~bit;
    if (is_up) {
        run(s);
    }
}

static void dma_read_memory(IsaDma *dma, unsigned channel, size_t pos, void *buf, size_t bytes)
{
    memset(buf, 0, bytes);
    move(controller_of(dma), channel % CHANNELS, pos, buf, bytes, false);
}

static void dma_write_memory(IsaDma *dma, unsigned channel, size_t pos, const void *buf,
                             size_t bytes)
{
    move(controller_of(dma), channel % CHANNELS, pos, (uint8_t *)buf, bytes, true);
}

/* The type that is reserved moves nothing. */
static IsaDmaDirection dma_direction(IsaDma *dma, unsigned channel)
{
    static const IsaDmaDirection directions[] = { ISA_DMA_VERIFY, ISA_DMA_TO_MEMORY,
                                                  ISA_DMA_FROM_MEMORY, ISA_DMA_VERIFY };

    return directions[MODE_DIRECTION(controller_of(dma)->channels[channel % CHANNELS].mode)];
}

static bool dma_is_auto_init(IsaDma *dma, unsigned channel)
{
    return controller_of(dma)->channels[channel % CHANNELS].mode & MODE_AUTO_INIT;
}

static const IsaDma dma_ops = {
    dma_attach, dma_request, dma_read_memory, dma_write_memory, dma_direction, dma_is_auto_init,
};

/* --- registers --- */

static bool take_flip_flop(I8257 *s)
{
    s->is_high_byte = !s->is_high_byte;
    return !s->is_high_byte;
}

/* Address and count by turns, each low byte first. */
static uint64_t channel_read(void *opaque, uint64_t offset, unsigned bytes)
{
    I8257 *s = opaque;
    unsigned reg = offset >> s->shift;
    const DmaChannel *channel = &s->channels[reg / 2];
    uint16_t value = reg & 1 ? channel->base_count - channel->done
                             : channel->mode & MODE_DOWN ? channel->base_address - channel->done
                                                         : channel->base_address + channel->done;

    return take_flip_flop(s) ? value >> 8 : value & 0xff;
}

static void channel_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    I8257 *s = opaque;
    unsigned reg = offset >> s->shift;
    DmaChannel *channel = &s->channels[reg / 2];
    uint16_t *to = reg & 1 ? &channel->base_count : &channel->base_address;

    *to = take_flip_flop(s) ? (*to & 0xff) | (value & 0xff) << 8 : (*to & 0xff00) | (value & 0xff);
    channel->done = 0;
}

static void master_clear(I8257 *s)
{
    s->command = s->reached = s->requests = 0;
    s->is_high_byte = false;
    s->mask = BIT(CHANNELS) - 1;
}

static uint64_t control_read(void *opaque, uint64_t offset, unsigned bytes)
{
    I8257 *s = opaque;
    uint8_t status;

    switch (offset >> s->shift) {
    case CONT_COMMAND_STATUS:
        status = s->reached | (s->lines | s->requests) << 4;
        s->reached = 0;
        return status;
    case CONT_MASK_ALL:
        return s->mask;
    default: /* the temporary register, of memory to memory, and what can only be written */
        return 0;
    }
}

static uint8_t with_bit(uint8_t bits, uint8_t select)
{
    uint8_t bit = BIT(select % CHANNELS);

    return select & SELECT_SET ? bits | bit : bits & ~bit;
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    I8257 *s = opaque;

    switch (offset >> s->shift) {
    case CONT_COMMAND_STATUS:
        if (value & COMMAND_LEFT_OUT) {
            unimp("i8257: memory to memory");
        }
        s->command = value;
        break;
    case CONT_REQUEST:
        s->requests = with_bit(s->requests, value);
        break;
    case CONT_MASK_ONE:
        s->mask = with_bit(s->mask, value);
        break;
    case CONT_MODE:
        s->channels[value % CHANNELS].mode = value;
        break;
    case CONT_CLEAR_FLIP_FLOP:
        s->is_high_byte = false;
        break;
    case CONT_MASTER_CLEAR:
        master_clear(s);
        break;
    case CONT_CLEAR_MASK:
        s->mask = 0;
        break;
    case CONT_MASK_ALL:
        s->mask = value & (BIT(CHANNELS) - 1);
        break;
    }
    run(s);
}

/* By the port's offset from the base of the page registers. */
static const int8_t page_channels[8] = { -1, 2, 3, 1, -1, -1, -1, 0 };

static uint8_t *page_of(I8257 *s, const MemoryRegion *mr, uint64_t offset)
{
    bool is_high = mr == &s->pages_high[0] || mr == &s->pages_high[1];
    bool is_second = mr == &s->pages[1] || mr == &s->pages_high[1];
    DmaChannel *channel = &s->channels[page_channels[is_second ? 7 : offset + 1]];

    return is_high ? &channel->page_high : &channel->page;
}

#define PAGE_OPS(name, region)                                                                     \
    static uint64_t name##_read(void *opaque, uint64_t offset, unsigned bytes)                     \
    {                                                                                              \
        return *page_of(opaque, &DMA_CONTROLLER(opaque)->region, offset);                          \
    }                                                                                              \
    static void name##_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)        \
    {                                                                                              \
        *page_of(opaque, &DMA_CONTROLLER(opaque)->region, offset) = value;                         \
    }                                                                                              \
    static const MemoryOps name##_ops = {                                                          \
        .read = name##_read, .write = name##_write, .endian = ENDIAN_LITTLE, .impl.max = 1,        \
    };
PAGE_OPS(pages, pages[0])
PAGE_OPS(page0, pages[1])
PAGE_OPS(pages_high, pages_high[0])
PAGE_OPS(page0_high, pages_high[1])

static const MemoryOps channel_ops = {
    .read = channel_read, .write = channel_write, .endian = ENDIAN_LITTLE, .impl.max = 1,
};
static const MemoryOps control_ops = {
    .read = control_read, .write = control_write, .endian = ENDIAN_LITTLE, .impl.max = 1,
};

/* --- life --- */

static void i8257_init_regions(I8257 *s)
{
    Object *obj = &s->parent.parent.parent;

    memory_region_init_io(&s->channel_regs, obj, &channel_ops, "dma-chan", 8 << s->shift);
    memory_region_init_io(&s->control_regs, obj, &control_ops, "dma-cont", 8 << s->shift);
    memory_region_init_io(&s->pages[0], obj, &pages_ops, "dma-page", 3);
    memory_region_init_io(&s->pages[1], obj, &page0_ops, "dma-page", 1);
    memory_region_init_io(&s->pages_high[0], obj, &pages_high_ops, "dma-pageh", 3);
    memory_region_init_io(&s->pages_high[1], obj, &page0_high_ops, "dma-pageh", 1);
}

static void i8257_finalize(Object *obj)
{
    I8257 *s = DMA_CONTROLLER(obj);
    MemoryRegion *const regions[] = {
        &s->channel_regs, &s->control_regs, &s->pages[0], &s->pages[1], &s->pages_high[0],
        &s->pages_high[1],
    };

    for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
        if (regions[i]->name) {
            memory_region_clear(regions[i]);
        }
    }
}

static bool map_pages(I8257 *s, MemoryRegion regions[2], int32_t base, Error **errp)
{
    return base < 0 || (isa_device_map(&s->parent, &regions[0], base + 1, errp) &&
                        isa_device_map(&s->parent, &regions[1], base + 7, errp));
}

static bool i8257_realize(Device *dev, Error **errp)
{
    I8257 *s = DMA_CONTROLLER(dev);
    IsaBus *bus = isa_device_bus(&s->parent);

    if (s->shift < 0 || s->shift > 1) {
        return error_set(errp, "i8257: 'dshift' must be 0 or 1");
    }
    if (bus->dma[s->shift]) {
        return error_set(errp, "i8257: the bus has controller %" PRId32 " already", s->shift);
    }
    if (!s->channel_regs.name) {
        i8257_init_regions(s);
    }
    if (!isa_device_map(&s->parent, &s->channel_regs, s->base, errp) ||
        !isa_device_map(&s->parent, &s->control_regs, s->base + (8 << s->shift), errp) ||
        !map_pages(s, s->pages, s->page_base, errp) ||
        !map_pages(s, s->pages_high, s->page_high_base, errp)) {
        return false;
    }
    s->dma = dma_ops;
    bus->dma[s->shift] = &s->dma;
    return true;
}

static void i8257_unrealize(Device *dev)
{
    I8257 *s = DMA_CONTROLLER(dev);

    isa_device_bus(&s->parent)->dma[s->shift] = NULL;
}

/* Devices lower their lines themselves. */
static void i8257_reset(Device *dev)
{
    I8257 *s = DMA_CONTROLLER(dev);

    master_clear(s);
    for (unsigned n = 0; n < CHANNELS; n++) {
        DmaChannel *channel = &s->channels[n];

        *channel = (DmaChannel){ .fn = channel->fn, .opaque = channel->opaque };
    }
}

static const VMField channel_fields[] = {
    VM_U16(DmaChannel, base_address), VM_U16(DmaChannel, base_count), VM_U32(DmaChannel, done),
    VM_U8(DmaChannel, mode), VM_U8(DmaChannel, page), VM_U8(DmaChannel, page_high),
};
static const VMState channel_state = VMSTATE_INIT(channel_fields, .version = 1);
static const VMField i8257_fields[] = {
    VM_STRUCT_ARRAY(I8257, channels, channel_state), VM_U8(I8257, command),
    VM_U8(I8257, reached), VM_U8(I8257, mask), VM_U8(I8257, lines), VM_U8(I8257, requests),
    VM_BOOL(I8257, is_high_byte),
};
static const Property i8257_props[] = {
    PROP_I32("base", I8257, base, .initial = 0, .doc = "First of its ports"),
    PROP_I32("page-base", I8257, page_base, .initial = 0x80,
             .doc = "Base of the page registers; -1: there are none"),
    PROP_I32("pageh-base", I8257, page_high_base, .initial = 0x480,
             .doc = "Base of EISA's high page registers; -1: there are none"),
    PROP_I32("dshift", I8257, shift, .initial = 0, .doc = "1: it moves words"),
};

static const DeviceType i8257_type = {
    .name = "i8257",
    .doc = "DMA controller with page registers",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(I8257),
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(i8257_props),
    .vmstate = VMSTATE(i8257_fields, .version = 1),
    .finalize = i8257_finalize,
    .realize = i8257_realize,
    .unrealize = i8257_unrealize,
    .reset_enter = i8257_reset,
};
DEVICE_TYPE(i8257_type)
