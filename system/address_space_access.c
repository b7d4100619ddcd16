/*
 * Reading and writing address spaces: see system/address_space.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

#include "iommu_front.h"
#include "system/memory_log.h"

/* Accesses pass at most so many IOMMUs; more is a loop. */
#define MAX_TRANSLATIONS 8

/* --- finding --- */

/* Filled in place: targets are returned on the fastest path. */
static void set_nobody(MemoryTarget *target, MemTxResult result, uint64_t bytes)
{
    *target = (MemoryTarget){ .bytes = bytes, .result = result };
}

/* One page serves all that read ones: what is found ends where its copy does. */
static void show_ones(MemoryTarget *target)
{
    static const uint8_t ones[DIRTY_PAGE_BYTES] = { [0 ... DIRTY_PAGE_BYTES - 1] = 0xff };
    uint64_t skip = target->offset & (DIRTY_PAGE_BYTES - 1);

    target->host = (uint8_t *)ones + skip; /* nothing is writable through it */
    target->bytes = MIN(target->bytes, DIRTY_PAGE_BYTES - skip);
}

static void use_range(const FlatRange *range, GuestAddr addr, MemoryTarget *target)
{
    uint64_t skip = addr - range->first, left = range->last - addr;

    target->region = range->region;
    target->offset = range->offset + skip;
    target->bytes = left == UINT64_MAX ? left : left + 1;
    target->host = range->host ? range->host + skip : NULL;
    target->is_writable = range->is_writable;
    target->result = MEM_TX_OK;
    if (G_UNLIKELY(!target->host && range->region->kind == MEMORY_ONES)) {
        show_ones(target);
    }
}

/* Nobody is there up to `next`; 0: the end. */
static void use_hole(GuestAddr addr, GuestAddr next, MemoryTarget *target)
{
    set_nobody(target, MEM_TX_DECODE_ERROR, next ? next - addr : addr ? -addr : UINT64_MAX);
}

static void find_in(FlatView *view, GuestAddr addr, MemoryTarget *target)
{
    GuestAddr next;
    const FlatRange *range = flat_view_find(view, addr, &next);

    if (range) {
        use_range(range, addr, target);
    } else {
        use_hole(addr, next, target);
    }
}

/* True: all pages on the way are of 4 KiB. */
static bool ask_owners(MemoryTarget *target, MemTxAttrs attrs, bool is_write)
{
    uint64_t bytes = target->bytes;
    bool is_small = true;

    for (unsigned i = 0; i < MAX_TRANSLATIONS; i++) {
        IommuRegion *iommu = container_of(target->region, IommuRegion, region);
        IommuAccess access = is_write ? IOMMU_WRITE : IOMMU_READ;
        IommuEntry entry = iommu_region_translate(iommu, target->offset, access, attrs);
        uint64_t inside = entry.page_mask - (target->offset & entry.page_mask);
        GuestAddr addr = (entry.translated & ~entry.page_mask) |
                         (target->offset & entry.page_mask);

        is_small &= entry.page_mask <= DIRTY_PAGE_BYTES - 1;
        bytes = MIN(bytes, inside == UINT64_MAX ? inside : inside + 1);
        if ((entry.access & access) != access || !entry.target) {
            break;
        }
        find_in(rcu_get(entry.target->view), addr, target);
        bytes = target->bytes = MIN(bytes, target->bytes);
        if (!target->region || target->region->kind != MEMORY_IOMMU) {
            return is_small;
        }
    }
    set_nobody(target, MEM_TX_ERROR, bytes);
    return is_small;
}

static void find_translated(MemoryTarget *target, MemTxAttrs attrs, bool is_write)
{
    IommuRegion *iommu = container_of(target->region, IommuRegion, region);
    IommuFrontKey key = { iommu_front_stamp(iommu, target->offset), target->offset, attrs,
                          is_write };

    key.is_large = !ask_owners(target, attrs, is_write);
    if (target->region) {
        iommu_front_keep(iommu, &key, target);
    }
}

void address_space_find(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, bool is_write,
                        MemoryTarget *target)
{
    GuestAddr next;
    const FlatRange *range = flat_view_find(rcu_get(as->view), addr, &next);

    if (!range) {
        use_hole(addr, next, target);
    } else if (range->region->kind != MEMORY_IOMMU) {
        use_range(range, addr, target);
    } else if (!iommu_front_find(container_of(range->region, IommuRegion, region),
                                 range->offset + (addr - range->first), attrs, is_write, target)) {
        use_range(range, addr, target);
        find_translated(target, attrs, is_write);
    }
}

static bool is_refused(const MemoryTarget *target, MemTxAttrs attrs)
{
    return attrs.is_memory && (!target->host || target->region->kind == MEMORY_ONES);
}

/* The bytes that a read or write goes to in place; NULL: ops must be asked. */
static void *direct(const MemoryTarget *target, bool is_write)
{
    return !is_write || target->is_writable ? target->host : NULL;
}

static void mark_written(const MemoryTarget *target, uint64_t bytes)
{
    ram_block_mark_written(target->region->ram, target->offset, bytes);
}

/* --- buffers --- */

static MemTxResult read_device(const MemoryTarget *target, MemTxAttrs attrs, uint8_t *buf,
                               size_t bytes)
{
    MemTxResult result = MEM_TX_OK;

    for (size_t done = 0; done < bytes;) {
        unsigned step = memory_dispatch_step(target->region, target->offset + done, bytes - done);
        uint64_t value;

        result |= memory_dispatch_read(target->region, target->offset + done, (MemFormat)step,
                                       attrs, &value);
        store_bytes(buf + done, step, ENDIAN_LITTLE, value);
        done += step;
    }
    return result;
}

static MemTxResult write_device(const MemoryTarget *target, MemTxAttrs attrs, const uint8_t *buf,
                                size_t bytes)
{
    MemTxResult result = MEM_TX_OK;

    for (size_t done = 0; done < bytes;) {
        unsigned step = memory_dispatch_step(target->region, target->offset + done, bytes - done);

        if (bytes - done >= 64 &&
            memory_dispatch_takes_64(target->region, target->offset + done)) {
            result |= memory_dispatch_write64(target->region, target->offset + done, attrs,
                                              buf + done);
            done += 64;
            continue;
        }
        result |= memory_dispatch_write(target->region, target->offset + done, (MemFormat)step,
                                        attrs, load_bytes(buf + done, step, ENDIAN_LITTLE));
        done += step;
    }
    return result;
}

static MemTxResult read_part(const MemoryTarget *target, MemTxAttrs attrs, uint8_t *buf,
                             size_t bytes)
{
    MemTxResult result = target->result;

    if (!target->region || is_refused(target, attrs)) {
        memset(buf, 0xff, bytes);
        return target->region ? MEM_TX_ACCESS_ERROR : result;
    }
    if (direct(target, false)) {
        memcpy(buf, target->host, bytes);
        return MEM_TX_OK;
    }
    return read_device(target, attrs, buf, bytes);
}

static MemTxResult write_part(const MemoryTarget *target, MemTxAttrs attrs, const uint8_t *buf,
                              size_t bytes)
{
    if (direct(target, true)) {
        memcpy(target->host, buf, bytes);
        mark_written(target, bytes);
        return MEM_TX_OK;
    }
    if (!target->region) {
        return target->result;
    }
    return is_refused(target, attrs) ? MEM_TX_ACCESS_ERROR
                                     : write_device(target, attrs, buf, bytes);
}

MemTxResult address_space_read(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, void *buf,
                               size_t bytes)
{
    MemTxResult result = MEM_TX_OK;
    size_t done = 0;

    RCU_GUARD();
    while (done < bytes) {
        MemoryTarget target;
        size_t part;

        address_space_find(as, addr + done, attrs, false, &target);
        part = MIN(bytes - done, target.bytes);

        result |= read_part(&target, attrs, (uint8_t *)buf + done, part);
        done += part;
    }
    return result;
}

MemTxResult address_space_read_or_zero(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                       void *buf, size_t bytes)
{
    MemTxResult result = MEM_TX_OK;
    size_t done = 0;

    RCU_GUARD();
    while (done < bytes) {
        MemoryTarget target;
        size_t part;

        address_space_find(as, addr + done, attrs, false, &target);
        part = MIN(bytes - done, target.bytes);
        MemTxResult part_result = read_part(&target, attrs, (uint8_t *)buf + done, part);

        if (part_result != MEM_TX_OK) {
            memset((uint8_t *)buf + done, 0, part);
        }
        result |= part_result;
        done += part;
    }
    return result;
}

MemTxResult address_space_write(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                const void *buf, size_t bytes)
{
    MemTxResult result = MEM_TX_OK;
    size_t done = 0;

    RCU_GUARD();
    while (done < bytes) {
        MemoryTarget target;
        size_t part;

        address_space_find(as, addr + done, attrs, true, &target);
        part = MIN(bytes - done, target.bytes);

        result |= write_part(&target, attrs, (const uint8_t *)buf + done, part);
        done += part;
    }
    return result;
}

MemTxResult address_space_write_rom(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                    const void *buf, size_t bytes)
{
    MemTxResult result = MEM_TX_OK;
    size_t done = 0;

    RCU_GUARD();
    while (done < bytes) {
        MemoryTarget target;
        size_t part;

        address_space_find(as, addr + done, attrs, true, &target);
        part = MIN(bytes - done, target.bytes);

        if (target.region && target.region->ram && !target.region->is_ram_device) {
            memcpy(ram_block_host(target.region->ram) + target.offset,
                   (const uint8_t *)buf + done, part);
            mark_written(&target, part);
        } else {
            result |= target.region ? MEM_TX_ACCESS_ERROR : target.result;
        }
        done += part;
    }
    return result;
}

/* Holes of any size take no time. */
static MemTxResult fill_part(const MemoryTarget *target, MemTxAttrs attrs, uint8_t value,
                             uint64_t *bytes)
{
    uint8_t block[512];

    if (!target->region || is_refused(target, attrs)) {
        return target->region ? MEM_TX_ACCESS_ERROR : target->result;
    }
    if (direct(target, true)) {
        memset(target->host, value, *bytes);
        mark_written(target, *bytes);
        return MEM_TX_OK;
    }
    *bytes = MIN(*bytes, sizeof(block));
    memset(block, value, *bytes);
    return write_part(target, attrs, block, *bytes);
}

MemTxResult address_space_fill(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, uint8_t value,
                               uint64_t bytes)
{
    MemTxResult result = MEM_TX_OK;

    while (bytes) {
        MemoryTarget target;
        uint64_t part;

        RCU_GUARD();
        address_space_find(as, addr, attrs, true, &target);
        part = MIN(bytes, target.bytes);
        result |= fill_part(&target, attrs, value, &part);
        addr += part;
        bytes -= part;
    }
    return result;
}

/* --- single accesses --- */

/*
 * Can it be done in one piece? A device decodes the address an access starts at: it gets all of
 * it, even where another region covers its further bytes (port 0xcf9 of the PC, in the middle of
 * the doubleword 0xcf8). What lies in another page may be translated elsewhere.
 */
static bool is_whole(const MemoryTarget *target, GuestAddr addr, unsigned bytes)
{
    return target->region &&
           (target->bytes >= bytes ||
            (!target->host && target->region->kind == MEMORY_IO &&
             target->region->size - target->offset >= bytes &&
             (addr & (DIRTY_PAGE_BYTES - 1)) + bytes <= DIRTY_PAGE_BYTES));
}

MemTxResult address_space_load(AddressSpace *as, GuestAddr addr, MemFormat format,
                               MemTxAttrs attrs, uint64_t *value)
{
    unsigned bytes = mem_format_bytes(format);
    MemoryTarget target;
    uint8_t buf[8];
    MemTxResult result;

    RCU_GUARD();
    address_space_find(as, addr, attrs, false, &target);
    if (is_whole(&target, addr, bytes) && !is_refused(&target, attrs)) {
        if (!target.host) {
            return memory_dispatch_read(target.region, target.offset, format, attrs, value);
        }
        *value = memory_host_load(target.host, format);
        return MEM_TX_OK;
    }
    /* What was refused once is not asked again: an IOMMU has noted it. */
    result = target.bytes >= bytes ? read_part(&target, attrs, buf, bytes) :
                                     address_space_read(as, addr, attrs, buf, bytes);
    *value = load_bytes(buf, bytes, mem_format_endian(format));
    return result;
}

MemTxResult address_space_store(AddressSpace *as, GuestAddr addr, MemFormat format,
                                MemTxAttrs attrs, uint64_t value)
{
    unsigned bytes = mem_format_bytes(format);
    MemoryTarget target;
    uint8_t buf[8];

    RCU_GUARD();
    address_space_find(as, addr, attrs, true, &target);
    if (is_whole(&target, addr, bytes) && !is_refused(&target, attrs)) {
        void *host = direct(&target, true);

        if (!host) {
            return memory_dispatch_write(target.region, target.offset, format, attrs, value);
        }
        memory_host_store(host, format, value);
        mark_written(&target, bytes);
        return MEM_TX_OK;
    }
    store_bytes(buf, bytes, mem_format_endian(format), value);
    return target.bytes >= bytes ? write_part(&target, attrs, buf, bytes) :
                                   address_space_write(as, addr, attrs, buf, bytes);
}

MemTxResult address_space_store64(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                  const uint8_t data[64])
{
    MemoryTarget target;

    RCU_GUARD();
    address_space_find(as, addr, attrs, true, &target);
    if (!target.region || !IS_ALIGNED(addr, 64) || target.bytes < 64) {
        return target.region ? MEM_TX_DECODE_ERROR : target.result;
    }
    if (attrs.is_deferrable && target.host) {
        return MEM_TX_RETRY; /* memory takes no enqueued commands */
    }
    if (is_refused(&target, attrs)) {
        return MEM_TX_ACCESS_ERROR;
    }
    return direct(&target, true) ? write_part(&target, attrs, data, 64)
                                 : memory_dispatch_write64(target.region, target.offset, attrs,
                                                           data);
}

bool address_space_accepts(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, uint64_t bytes,
                           bool is_write)
{
    uint64_t done = 0;

    RCU_GUARD();
    while (done < bytes) {
        MemoryTarget target;
        uint64_t part;

        address_space_find(as, addr + done, attrs, is_write, &target);
        part = MIN(bytes - done, target.bytes);

        if (!target.region || is_refused(&target, attrs)) {
            return false;
        }
        if (!direct(&target, is_write)) {
            part = memory_dispatch_step(target.region, target.offset, part);
            if (!memory_dispatch_accepts(target.region, target.offset, part, is_write, attrs)) {
                return false;
            }
        }
        done += part;
    }
    return true;
}
