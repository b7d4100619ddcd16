/*
 * Vectors: RFC 3720, appendix B.4; "123456789" is the catalogue's check value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/crc32c.h"

static void check(const uint8_t *bytes, size_t size, uint32_t crc)
{
    g_assert_cmphex(crc32c(0, bytes, size), ==, crc);
    g_assert_cmphex(crc32c_by_table(0, bytes, size), ==, crc);
    for (size_t cut = 0; cut <= size; cut++) {
        g_assert_cmphex(crc32c(crc32c(0, bytes, cut), bytes + cut, size - cut), ==, crc);
    }
}

static void test_vectors(void)
{
    uint8_t bytes[32] = { 0 };

    check((const uint8_t *)"123456789", 9, 0xe3069283);
    check(bytes, 32, 0x8a9136aa);
    memset(bytes, 0xff, 32);
    check(bytes, 32, 0x62a8ab43);
    for (int i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    check(bytes, 32, 0x46dd794e);
    g_assert_cmphex(crc32c(0, NULL, 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crc32c/vectors", test_vectors);
    return g_test_run();
}
