/*
 * Little-endian records into a byte array: what firmware tables and AML are made of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_PACK_H
#define HW_ACPI_PACK_H

/*
 * Appends values, each as wide as its digit of `widths` says (bytes, '1' to '8'):
 * bytes_pack(out, "1124", type, length, flags, address). A value must fit its width.
 */
#define bytes_pack(out, widths, ...)                                                               \
    do {                                                                                           \
        const uint64_t bytes_pack_[] = { __VA_ARGS__ };                                            \
        _Static_assert(ARRAY_SIZE(bytes_pack_) == sizeof("" widths) - 1, "a width per value");     \
        bytes_pack_values(out, widths, bytes_pack_);                                               \
    } while (0)
void bytes_pack_values(GByteArray *out, const char *widths, const uint64_t *values);

void bytes_put_le(GByteArray *out, uint64_t value, unsigned width);
/* Overwrites what is there. */
void bytes_set_le(GByteArray *out, size_t offset, uint64_t value, unsigned width);
uint64_t bytes_get_le(const GByteArray *in, size_t offset, unsigned width);
void bytes_put_zero(GByteArray *out, size_t count);
/* Exactly `width` bytes of `text`, filled up with `pad`, cut if it is longer. */
void bytes_put_text(GByteArray *out, const char *text, size_t width, char pad);
/* A UUID's 16 bytes; the first three of its groups are little-endian numbers. */
void bytes_put_uuid(GByteArray *out, const char *uuid);
/* Zeros up to the next multiple of `align`. */
void bytes_align(GByteArray *out, size_t align);
/* What makes the sum of [start, start + length) zero, if the byte at it is zero now. */
uint8_t bytes_checksum(const GByteArray *in, size_t start, size_t length);

#endif
