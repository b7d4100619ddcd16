/*
 * What tests of parallel flash share: a board's flash bank, accessed as by a CPU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_PFLASH_TEST_H
#define HW_BLOCK_PFLASH_TEST_H

#include "hw/core/mmio_device.h"
#include "system/address_space.h"

#define PFLASH_TEST_BASE UINT64_C(0xffc00000)

/* Realized, mapped and reset; the same. */
Device *pflash_test_place(Device *dev);
void pflash02_add_tests(void);

static inline uint32_t get(uint64_t at, unsigned bytes)
{
    uint64_t value;

    address_space_load(address_space_system(), PFLASH_TEST_BASE + at,
                       mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE, &value);
    return value;
}

static inline void put(uint64_t at, unsigned bytes, uint32_t value)
{
    address_space_store(address_space_system(), PFLASH_TEST_BASE + at,
                        mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE, value);
}

#endif
