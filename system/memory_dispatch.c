/*
 * Accesses to devices: what they may be asked, in which sizes, and in which byte order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

#include "system/machine_lock.h"
#include "system/ram_block.h"
#include "util/log.h"

/* --- the sizes a device declares --- */

static unsigned valid_max(const MemoryOps *ops)
{
    return ops->valid.max ? ops->valid.max : 8;
}

static unsigned impl_min(const MemoryOps *ops)
{
    return ops->impl.min ? ops->impl.min : 1;
}

static unsigned impl_max(const MemoryOps *ops)
{
    return ops->impl.max ? ops->impl.max : 4;
}

/* Regions that are answered by loads and stores of host memory: see ram_ops. */
static const MemoryOps *ops_of(const MemoryRegion *mr);

bool memory_dispatch_accepts(MemoryRegion *mr, uint64_t offset, unsigned bytes, bool is_write,
                             MemTxAttrs attrs)
{
    const MemoryOps *ops = ops_of(mr);

    if (!ops || bytes < ops->valid.min || bytes > valid_max(ops) ||
        (!ops->valid.unaligned && !IS_ALIGNED(offset, bytes))) {
        return false;
    }
    return !ops->valid.accepts ||
           ops->valid.accepts(mr->opaque, offset, bytes, is_write, attrs);
}

unsigned memory_dispatch_step(const MemoryRegion *mr, uint64_t offset, uint64_t bytes)
{
    const MemoryOps *ops = ops_of(mr);
    uint64_t max = ops && ops->valid.max ? ops->valid.max : 4;

    if (!ops || !ops->impl.unaligned) {
        max = offset ? MIN(max, offset & -offset) : max;
    }
    max = MIN(max, bytes);
    return 1u << (31 - __builtin_clz((unsigned)max));
}

/* --- a device-RAM region's ops: the host's loads and stores --- */

static MemTxResult ram_read(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                            uint64_t *value)
{
    *value = memory_host_load(ram_block_host(((MemoryRegion *)opaque)->ram) + offset,
                              mem_format(bytes, ENDIAN_LITTLE));
    return MEM_TX_OK;
}

static MemTxResult ram_write(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                             uint64_t value)
{
    memory_host_store(ram_block_host(((MemoryRegion *)opaque)->ram) + offset,
                      mem_format(bytes, ENDIAN_LITTLE), value);
    return MEM_TX_OK;
}

static const MemoryOps ram_ops = {
    .read_attrs = ram_read,
    .write_attrs = ram_write,
    .endian = ENDIAN_LITTLE,
    .is_lock_free = true,
    .valid = { .min = 1, .max = 8, .unaligned = true },
    .impl = { .min = 1, .max = 8 },
};

static const MemoryOps *ops_of(const MemoryRegion *mr)
{
    return mr->is_ram_device ? &ram_ops : mr->ops;
}

static void *opaque_of(MemoryRegion *mr)
{
    return mr->is_ram_device ? mr : mr->opaque;
}

/* --- one call of a device --- */

static MemTxResult call_read(MemoryRegion *mr, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                             uint64_t *value)
{
    const MemoryOps *ops = ops_of(mr);

    if (ops->read_attrs) {
        return ops->read_attrs(opaque_of(mr), offset, bytes, attrs, value);
    }
    if (!ops->read) {
        return MEM_TX_DECODE_ERROR;
    }
    *value = ops->read(opaque_of(mr), offset, bytes);
    return MEM_TX_OK;
}

static MemTxResult call_write(MemoryRegion *mr, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                              uint64_t value)
{
    const MemoryOps *ops = ops_of(mr);

    if (ops->write_attrs) {
        return ops->write_attrs(opaque_of(mr), offset, bytes, attrs, value);
    }
    if (!ops->write) {
        return MEM_TX_DECODE_ERROR;
    }
    ops->write(opaque_of(mr), offset, value, bytes);
    return MEM_TX_OK;
}

/* --- splitting and merging --- */

static uint64_t low_bytes(uint64_t value, unsigned bytes)
{
    return bytes < 8 ? value & (BIT64(8 * bytes) - 1) : value;
}

/*
 * A piece of an access: `bytes` of it at `offset`, for which the device is called with `call_bytes`
 * at `call_offset`, at or below.
 */
typedef struct Piece {
    uint64_t offset, call_offset;
    unsigned bytes, call_bytes;
} Piece;

static Piece first_piece(const MemoryOps *ops, uint64_t offset, unsigned bytes)
{
    unsigned call_bytes = MIN(impl_max(ops), 1u << (31 - __builtin_clz(bytes)));
    Piece piece = { .offset = offset, .call_offset = offset };

    while (!ops->impl.unaligned && !IS_ALIGNED(offset, call_bytes)) {
        call_bytes /= 2;
    }
    if (call_bytes < impl_min(ops)) {
        call_bytes = impl_min(ops);
        piece.call_offset = ROUND_DOWN(offset, call_bytes);
    }
    piece.call_bytes = call_bytes;
    piece.bytes = MIN(bytes, call_bytes - (unsigned)(offset - piece.call_offset));
    return piece;
}

/* In bits: how far `part` bytes at `offset` of a value of `whole` are from its low end. */
static unsigned shift_of(Endian endian, unsigned offset, unsigned part, unsigned whole)
{
    return 8 * (endian == ENDIAN_BIG ? whole - offset - part : offset);
}

static MemTxResult read_pieces(MemoryRegion *mr, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                               uint64_t *value)
{
    const MemoryOps *ops = ops_of(mr);
    MemTxResult result = MEM_TX_OK;

    *value = 0;
    for (unsigned done = 0; done < bytes;) {
        Piece piece = first_piece(ops, offset + done, bytes - done);
        unsigned skip = piece.offset - piece.call_offset;
        uint64_t got = UINT64_MAX;

        result |= call_read(mr, piece.call_offset, piece.call_bytes, attrs, &got);
        got >>= shift_of(ops->endian, skip, piece.bytes, piece.call_bytes);
        *value |= low_bytes(got, piece.bytes) << shift_of(ops->endian, done, piece.bytes, bytes);
        done += piece.bytes;
    }
    return result;
}

static MemTxResult write_pieces(MemoryRegion *mr, uint64_t offset, unsigned bytes,
                                MemTxAttrs attrs, uint64_t value)
{
    const MemoryOps *ops = ops_of(mr);
    MemTxResult result = MEM_TX_OK;

    for (unsigned done = 0; done < bytes;) {
        Piece piece = first_piece(ops, offset + done, bytes - done);
        unsigned skip = piece.offset - piece.call_offset;
        uint64_t part = value >> shift_of(ops->endian, done, piece.bytes, bytes);

        part = low_bytes(part, piece.bytes)
               << shift_of(ops->endian, skip, piece.bytes, piece.call_bytes);
        result |= call_write(mr, piece.call_offset, piece.call_bytes, attrs, part);
        done += piece.bytes;
    }
    return result;
}

static bool is_one_call(const MemoryOps *ops, uint64_t offset, unsigned bytes)
{
    return bytes >= impl_min(ops) && bytes <= impl_max(ops) &&
           (ops->impl.unaligned || IS_ALIGNED(offset, bytes));
}

/* --- entering and leaving a device --- */

static void (*coalesced_flusher)(void);

void memory_set_coalesced_flusher(void (*flush)(void))
{
    coalesced_flusher = flush;
}

void memory_flush_coalesced(void)
{
    if (coalesced_flusher) {
        coalesced_flusher();
    }
}

typedef struct Entry {
    bool is_locked, is_guarded;
} Entry;

/* False: the device's ops are running already, called from themselves. */
static bool enter(MemoryRegion *mr, const MemoryOps *ops, Entry *entry)
{
    *entry = (Entry){ 0 };
    if (ops->is_lock_free) {
        return true;
    }
    if (!machine_lock_is_held()) {
        machine_lock();
        entry->is_locked = true;
    }
    if (*mr->guard) {
        guest_error("%s: accessed by its own device", mr->name);
        return false;
    }
    if (mr->flushes_coalesced) {
        memory_flush_coalesced();
    }
    *mr->guard = entry->is_guarded = true;
    return true;
}

static void leave(MemoryRegion *mr, const Entry *entry)
{
    if (entry->is_guarded) {
        *mr->guard = false;
    }
    if (entry->is_locked) {
        machine_unlock();
    }
}

static MemTxResult refuse(const MemoryRegion *mr, uint64_t offset, unsigned bytes,
                          const char *access)
{
    guest_error("%s: invalid %s of %u bytes at 0x%" PRIx64, mr->name, access, bytes, offset);
    return MEM_TX_DECODE_ERROR;
}

MemTxResult memory_dispatch_read(MemoryRegion *mr, uint64_t offset, MemFormat format,
                                 MemTxAttrs attrs, uint64_t *value)
{
    const MemoryOps *ops = ops_of(mr);
    unsigned bytes = mem_format_bytes(format);
    MemTxResult result = MEM_TX_ACCESS_ERROR;
    uint64_t got = UINT64_MAX;
    Entry entry;

    if (!memory_dispatch_accepts(mr, offset, bytes, false, attrs)) {
        *value = low_bytes(UINT64_MAX, bytes);
        return refuse(mr, offset, bytes, "read");
    }
    if (enter(mr, ops, &entry)) {
        result = is_one_call(ops, offset, bytes) ? call_read(mr, offset, bytes, attrs, &got)
                                                 : read_pieces(mr, offset, bytes, attrs, &got);
    }
    leave(mr, &entry);
    *value = mem_format_endian(format) == ops->endian ? low_bytes(got, bytes)
                                                      : swap_bytes(got, bytes);
    return result;
}

MemTxResult memory_dispatch_write(MemoryRegion *mr, uint64_t offset, MemFormat format,
                                  MemTxAttrs attrs, uint64_t value)
{
    const MemoryOps *ops = ops_of(mr);
    unsigned bytes = mem_format_bytes(format);
    MemTxResult result = MEM_TX_ACCESS_ERROR;
    Entry entry;

    if (!memory_dispatch_accepts(mr, offset, bytes, true, attrs)) {
        return refuse(mr, offset, bytes, "write");
    }
    value = mem_format_endian(format) == ops->endian ? low_bytes(value, bytes)
                                                     : swap_bytes(value, bytes);
    if (mr->eventfds && memory_ring_eventfds(mr, offset, bytes, value)) {
        return MEM_TX_OK;
    }
    if (enter(mr, ops, &entry)) {
        result = is_one_call(ops, offset, bytes) ? call_write(mr, offset, bytes, attrs, value)
                                                 : write_pieces(mr, offset, bytes, attrs, value);
    }
    leave(mr, &entry);
    return result;
}

static MemTxResult write64_in_eight(MemoryRegion *mr, uint64_t offset, MemTxAttrs attrs,
                                    const uint8_t data[64])
{
    MemTxResult result = MEM_TX_OK;

    for (unsigned i = 0; i < 64; i += 8) {
        result |= memory_dispatch_write(mr, offset + i, MEM_LE64, attrs, load_le64(data + i));
    }
    return result;
}

bool memory_dispatch_takes_64(const MemoryRegion *mr, uint64_t offset)
{
    const MemoryOps *ops = ops_of(mr);

    return ops && ops->write64 && IS_ALIGNED(offset, 64);
}

MemTxResult memory_dispatch_write64(MemoryRegion *mr, uint64_t offset, MemTxAttrs attrs,
                                    const uint8_t data[64])
{
    const MemoryOps *ops = ops_of(mr);
    MemTxResult result = MEM_TX_ACCESS_ERROR;
    Entry entry;

    if (!ops) {
        return MEM_TX_DECODE_ERROR;
    }
    if (!ops->write64) {
        return attrs.is_deferrable ? MEM_TX_RETRY : write64_in_eight(mr, offset, attrs, data);
    }
    if (enter(mr, ops, &entry)) {
        result = ops->write64(opaque_of(mr), offset, data, attrs);
    }
    leave(mr, &entry);
    return result;
}
