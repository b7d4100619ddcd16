/*
 * Reading and writing address spaces: see system/address_space.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

#include "system/iommu_region.h"
#include "system/memory_log.h"

/* Accesses pass at most so many IOMMUs; more is a loop. */
#define MAX_TRANSLATIONS 8

/* --- finding --- */

static MemoryTarget nobody(MemTxResult result, uint64_t bytes)
{
    return (MemoryTarget){ .bytes = bytes, .result = result };
}

static MemoryTarget target_of(const FlatRange *range, GuestAddr addr)
{
    uint64_t skip = addr - range->first, left = range->last - addr;

    return (MemoryTarget){
        .region = range->region,
        .offset = range->offset + skip,
        .bytes = left == UINT64_MAX ? left : left + 1,
        .host = range->host ? range->host + skip : NULL,
        .is_writable = !range->is_read_only && range->region->kind == MEMORY_RAM,
    };
}

static MemoryTarget find_in(FlatView *view, GuestAddr addr)
{
    GuestAddr next;
    const FlatRange *range = flat_view_find(view, addr, &next);

    if (!range) {
        return nobody(MEM_TX_DECODE_ERROR, next ? next - addr : addr ? -addr : UINT64_MAX);
    }
    return target_of(range, addr);
}

static MemoryTarget find_translated(MemoryTarget target, MemTxAttrs attrs, bool is_write)
{
    uint64_t bytes = target.bytes;

    for (unsigned i = 0; i < MAX_TRANSLATIONS; i++) {
        IommuRegion *iommu = container_of(target.region, IommuRegion, region);
        IommuAccess access = is_write ? IOMMU_WRITE : IOMMU_READ;
        IommuEntry entry = iommu_region_translate(iommu, target.offset, access, attrs);
        uint64_t inside = entry.page_mask - (target.offset & entry.page_mask);
        GuestAddr addr = (entry.translated & ~entry.page_mask) |
                         (target.offset & entry.page_mask);

        bytes = MIN(bytes, inside == UINT64_MAX ? inside : inside + 1);
        if ((entry.access & access) != access || !entry.target) {
            return nobody(MEM_TX_ERROR, bytes);
        }
        target = find_in(rcu_get(entry.target->view), addr);
        bytes = target.bytes = MIN(bytes, target.bytes);
        if (!target.region || target.region->kind != MEMORY_IOMMU) {
            return target;
        }
    }
    return nobody(MEM_TX_ERROR, bytes);
}

MemoryTarget address_space_find(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, bool is_write)
{
    MemoryTarget target = find_in(rcu_get(as->view), addr);

    if (target.region && target.region->kind == MEMORY_IOMMU) {
        target = find_translated(target, attrs, is_write);
    }
    return target;
}

static bool is_refused(const MemoryTarget *target, MemTxAttrs attrs)
{
    return attrs.is_memory && !target->host;
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

    if (direct(target, false)) {
        memcpy(buf, target->host, bytes);
        return MEM_TX_OK;
    }
    if (target->region && !is_refused(target, attrs)) {
        return read_device(target, attrs, buf, bytes);
    }
    memset(buf, 0xff, bytes);
    return target->region ? MEM_TX_ACCESS_ERROR : result;
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
        MemoryTarget target = address_space_find(as, addr + done, attrs, false);
        size_t part = MIN(bytes - done, target.bytes);

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
        MemoryTarget target = address_space_find(as, addr + done, attrs, false);
        size_t part = MIN(bytes - done, target.bytes);
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
        MemoryTarget target = address_space_find(as, addr + done, attrs, true);
        size_t part = MIN(bytes - done, target.bytes);

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
        MemoryTarget target = address_space_find(as, addr + done, attrs, true);
        size_t part = MIN(bytes - done, target.bytes);

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

MemTxResult address_space_fill(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, uint8_t value,
                               uint64_t bytes)
{
    MemTxResult result = MEM_TX_OK;
    uint8_t block[512];

    memset(block, value, sizeof(block));
    while (bytes) {
        size_t part = MIN(bytes, sizeof(block));

        result |= address_space_write(as, addr, attrs, block, part);
        addr += part;
        bytes -= part;
    }
    return result;
}

/* --- single accesses --- */

/* One memory access, where the address permits. */
static uint64_t load_host(const void *at, MemFormat format)
{
    uint64_t raw;

    switch (mem_format_bytes(format)) {
    case 1:
        return *(const volatile uint8_t *)at;
    case 2:
        raw = GUINT16_FROM_LE(*(const volatile uint16_t *)at);
        break;
    case 4:
        raw = GUINT32_FROM_LE(*(const volatile uint32_t *)at);
        break;
    default:
        raw = GUINT64_FROM_LE(*(const volatile uint64_t *)at);
        break;
    }
    return format & MEM_BIG_ENDIAN ? swap_bytes(raw, mem_format_bytes(format)) : raw;
}

static void store_host(void *at, MemFormat format, uint64_t value)
{
    unsigned bytes = mem_format_bytes(format);

    if (format & MEM_BIG_ENDIAN) {
        value = swap_bytes(value, bytes);
    }
    switch (bytes) {
    case 1:
        *(volatile uint8_t *)at = value;
        break;
    case 2:
        *(volatile uint16_t *)at = GUINT16_TO_LE((uint16_t)value);
        break;
    case 4:
        *(volatile uint32_t *)at = GUINT32_TO_LE((uint32_t)value);
        break;
    default:
        *(volatile uint64_t *)at = GUINT64_TO_LE(value);
        break;
    }
}

MemTxResult address_space_load(AddressSpace *as, GuestAddr addr, MemFormat format,
                               MemTxAttrs attrs, uint64_t *value)
{
    unsigned bytes = mem_format_bytes(format);
    MemoryTarget target;
    uint8_t buf[8];
    MemTxResult result;

    RCU_GUARD();
    target = address_space_find(as, addr, attrs, false);
    if (target.bytes >= bytes && target.region && !is_refused(&target, attrs)) {
        if (!target.host) {
            return memory_dispatch_read(target.region, target.offset, format, attrs, value);
        }
        if (IS_ALIGNED((uintptr_t)target.host, bytes)) {
            *value = load_host(target.host, format);
            return MEM_TX_OK;
        }
    }
    result = address_space_read(as, addr, attrs, buf, bytes);
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
    target = address_space_find(as, addr, attrs, true);
    if (target.bytes >= bytes && target.region && !is_refused(&target, attrs)) {
        void *host = direct(&target, true);

        if (!host) {
            return memory_dispatch_write(target.region, target.offset, format, attrs, value);
        }
        if (IS_ALIGNED((uintptr_t)host, bytes)) {
            store_host(host, format, value);
            mark_written(&target, bytes);
            return MEM_TX_OK;
        }
    }
    store_bytes(buf, bytes, mem_format_endian(format), value);
    return address_space_write(as, addr, attrs, buf, bytes);
}

MemTxResult address_space_store64(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                  const uint8_t data[64])
{
    MemoryTarget target;

    RCU_GUARD();
    target = address_space_find(as, addr, attrs, true);
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
        MemoryTarget target = address_space_find(as, addr + done, attrs, is_write);
        uint64_t part = MIN(bytes - done, target.bytes);

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
