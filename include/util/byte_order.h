/*
 * Byte order: integers of 1, 2, 4 or 8 bytes in memory of any alignment.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_BYTE_ORDER_H
#define UTIL_BYTE_ORDER_H

typedef enum Endian {
    ENDIAN_LITTLE,
    ENDIAN_BIG,
} Endian;

#define BYTE_ORDER_ACCESS(bits)                                                                    \
    static inline uint##bits##_t load_le##bits(const void *at)                                     \
    {                                                                                              \
        uint##bits##_t raw;                                                                        \
        memcpy(&raw, at, sizeof(raw));                                                             \
        return GUINT##bits##_FROM_LE(raw);                                                         \
    }                                                                                              \
    static inline uint##bits##_t load_be##bits(const void *at)                                     \
    {                                                                                              \
        uint##bits##_t raw;                                                                        \
        memcpy(&raw, at, sizeof(raw));                                                             \
        return GUINT##bits##_FROM_BE(raw);                                                         \
    }                                                                                              \
    static inline void store_le##bits(void *at, uint##bits##_t value)                              \
    {                                                                                              \
        value = GUINT##bits##_TO_LE(value);                                                        \
        memcpy(at, &value, sizeof(value));                                                         \
    }                                                                                              \
    static inline void store_be##bits(void *at, uint##bits##_t value)                              \
    {                                                                                              \
        value = GUINT##bits##_TO_BE(value);                                                        \
        memcpy(at, &value, sizeof(value));                                                         \
    }
BYTE_ORDER_ACCESS(16)
BYTE_ORDER_ACCESS(32)
BYTE_ORDER_ACCESS(64)
#undef BYTE_ORDER_ACCESS

/* `bytes` is 1, 2, 4 or 8. */
static inline uint64_t load_bytes(const void *at, unsigned bytes, Endian endian)
{
    bool is_big = endian == ENDIAN_BIG;

    switch (bytes) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        return is_big ? load_be16(at) : load_le16(at);
    case 4:
        return is_big ? load_be32(at) : load_le32(at);
    default:
        return is_big ? load_be64(at) : load_le64(at);
    }
}

static inline void store_bytes(void *at, unsigned bytes, Endian endian, uint64_t value)
{
    bool is_big = endian == ENDIAN_BIG;

    switch (bytes) {
    case 1:
        *(uint8_t *)at = value;
        break;
    case 2:
        is_big ? store_be16(at, value) : store_le16(at, value);
        break;
    case 4:
        is_big ? store_be32(at, value) : store_le32(at, value);
        break;
    default:
        is_big ? store_be64(at, value) : store_le64(at, value);
        break;
    }
}

/* The low `bytes` of `value` in the other order. */
static inline uint64_t swap_bytes(uint64_t value, unsigned bytes)
{
    return GUINT64_SWAP_LE_BE(value) >> (64 - 8 * bytes);
}

#endif
