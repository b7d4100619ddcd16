/*
 * Loads and stores of guest memory in place: in one access where the address is aligned, for others
 * watch; byte by byte elsewhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

static uint64_t load_aligned(const void *at, unsigned bytes)
{
    switch (bytes) {
    case 1:
        return *(const volatile uint8_t *)at;
    case 2:
        return GUINT16_FROM_LE(*(const volatile uint16_t *)at);
    case 4:
        return GUINT32_FROM_LE(*(const volatile uint32_t *)at);
    default:
        return GUINT64_FROM_LE(*(const volatile uint64_t *)at);
    }
}

static void store_aligned(void *at, unsigned bytes, uint64_t value)
{
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

uint64_t memory_host_load(const void *at, MemFormat format)
{
    unsigned bytes = mem_format_bytes(format);
    uint64_t value;

    if (!IS_ALIGNED((uintptr_t)at, bytes)) {
        return load_bytes(at, bytes, mem_format_endian(format));
    }
    value = load_aligned(at, bytes);
    return format & MEM_BIG_ENDIAN ? swap_bytes(value, bytes) : value;
}

void memory_host_store(void *at, MemFormat format, uint64_t value)
{
    unsigned bytes = mem_format_bytes(format);

    if (!IS_ALIGNED((uintptr_t)at, bytes)) {
        store_bytes(at, bytes, mem_format_endian(format), value);
        return;
    }
    store_aligned(at, bytes, format & MEM_BIG_ENDIAN ? swap_bytes(value, bytes) : value);
}
