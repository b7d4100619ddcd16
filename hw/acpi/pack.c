/*
 * Little-endian records into a byte array.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/pack.h"

void bytes_pack_values(GByteArray *out, const char *widths, const uint64_t *values)
{
    for (size_t i = 0; widths[i]; i++) {
        bytes_put_le(out, values[i], widths[i] - '0');
    }
}

static void store_le(uint8_t *to, uint64_t value, unsigned width)
{
    assert(width >= 1 && width <= 8);
    assert(width == 8 || value >> (8 * width) == 0);
    for (unsigned i = 0; i < width; i++) {
        to[i] = value >> (8 * i);
    }
}

void bytes_put_le(GByteArray *out, uint64_t value, unsigned width)
{
    uint8_t bytes[8];

    store_le(bytes, value, width);
    g_byte_array_append(out, bytes, width);
}

void bytes_set_le(GByteArray *out, size_t offset, uint64_t value, unsigned width)
{
    assert(offset + width <= out->len);
    store_le(out->data + offset, value, width);
}

uint64_t bytes_get_le(const GByteArray *in, size_t offset, unsigned width)
{
    uint64_t value = 0;

    assert(offset + width <= in->len && width <= 8);
    for (unsigned i = 0; i < width; i++) {
        value |= (uint64_t)in->data[offset + i] << (8 * i);
    }
    return value;
}

void bytes_put_zero(GByteArray *out, size_t count)
{
    guint old = out->len;

    g_byte_array_set_size(out, old + count);
    if (count) {
        memset(out->data + old, 0, count);
    }
}

void bytes_put_text(GByteArray *out, const char *text, size_t width, char pad)
{
    size_t length = strnlen(text, width);

    g_byte_array_append(out, (const uint8_t *)text, length);
    for (; length < width; length++) {
        g_byte_array_append(out, (const uint8_t *)&pad, 1);
    }
}

void bytes_put_uuid(GByteArray *out, const char *uuid)
{
    static const uint8_t places[] = {
        6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34,
    };

    assert(g_uuid_string_is_valid(uuid));
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        bytes_put_le(out,
                     g_ascii_xdigit_value(uuid[places[i]]) << 4 |
                         g_ascii_xdigit_value(uuid[places[i] + 1]),
                     1);
    }
}

void bytes_align(GByteArray *out, size_t align)
{
    bytes_put_zero(out, ROUND_UP(out->len, align) - out->len);
}

uint8_t bytes_checksum(const GByteArray *in, size_t start, size_t length)
{
    uint8_t sum = 0;

    assert(start + length <= in->len);
    for (size_t i = 0; i < length; i++) {
        sum += in->data[start + i];
    }
    return -sum;
}
