/*
 * For fuzz targets: their input, taken a number at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_FUZZ_INPUT_H
#define UTIL_FUZZ_INPUT_H

typedef struct FuzzInput {
    const uint8_t *data;
    size_t left;
} FuzzInput;

/* Of so many bytes, the highest first; what is missing at the end is not there. */
static inline uint64_t fuzz_take(FuzzInput *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- && in->left) {
        value = value << 8 | *in->data++;
        in->left--;
    }
    return value;
}

#endif
