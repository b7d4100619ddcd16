/*
 * CRC-32C: eight bytes a step by tables, or by the host's instruction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/crc32c.h"

#define POLYNOMIAL 0x82f63b78

/* table[n][b]: what byte b contributes when n more bytes of the step follow it. */
static uint32_t table[8][256];

static void CONSTRUCTOR crc32c_make_tables(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;

        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        }
        table[0][b] = crc;
    }
    for (uint32_t b = 0; b < 256; b++) {
        for (int n = 1; n < 8; n++) {
            table[n][b] = table[n - 1][b] >> 8 ^ table[0][table[n - 1][b] & 0xff];
        }
    }
}

static uint64_t load_le64(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return GUINT64_FROM_LE(word);
}

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    crc = ~crc;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word = load_le64(at) ^ crc;

        crc = 0;
        for (int n = 0; n < 8; n++) {
            crc ^= table[7 - n][word >> 8 * n & 0xff];
        }
    }
    for (; size; size--) {
        crc = crc >> 8 ^ table[0][(crc ^ *at++) & 0xff];
    }
    return ~crc;
}

#if defined(__x86_64__)
static uint32_t __attribute__((target("sse4.2")))
crc32c_by_instruction(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t wide = ~crc;

    wide &= UINT32_MAX;
    for (; size >= 8; size -= 8, at += 8) {
        wide = __builtin_ia32_crc32di(wide, load_le64(at));
    }
    for (; size; size--) {
        wide = __builtin_ia32_crc32qi(wide, *at++);
    }
    return ~(uint32_t)wide;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_by_instruction(crc, bytes, size) :
                                              crc32c_by_table(crc, bytes, size);
}
#else
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    return crc32c_by_table(crc, bytes, size);
}
#endif
