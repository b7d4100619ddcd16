/*
 * Monitors' descriptions, against known blocks and the rules every block obeys.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/display/edid.h"

/* 1280 x 800, as QEMU 7.2 tells it. */
static const char default_hex[] =
    "00ffffffffffff0049143412000000002a180104a520147806ee91a3544c99260f5054210800e1c0"
    "d1c0d100a940b300950081808140ea2900c051201c304026444045cb10000018000000f7000a0040"
    "82002820000000000000000000fd00327d1ea0ff010a202020202020000000fc0051454d55204d6f"
    "6e69746f720a013a02030b00467d6560591f61000000100000000000000000000000000000000000"
    "10000000000000000000000000000000000010000000000000000000000000000000000010000000"
    "00000000000000000000000000001000000000000000000000000000000000001000000000000000"
    "0000000000000000000000000000002f";

static void from_hex(uint8_t *to, const char *hex)
{
    for (; *hex; hex += 2) {
        *to++ = g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]);
    }
}

static void test_default(void)
{
    uint8_t want[256], got[256], base[128];

    from_hex(want, default_hex);
    g_assert_cmpuint(edid_generate(got, sizeof(got), &(EdidInfo){ 0 }), ==, 256);
    g_assert_cmpmem(got, sizeof(got), want, sizeof(want));
    g_assert_cmpuint(edid_generate(base, sizeof(base), &(EdidInfo){ 0 }), ==, 128);
    g_assert_cmpmem(base, 126, want, 126);
    g_assert_cmphex(base[126], ==, 0);
    g_assert_cmphex(base[127], ==, 0x3b);
}

static void test_large(void)
{
    static const char did_hex[] = "7013170300030014735b0288ff13ff06ff0498003f0b63000d000d00eb";
    uint8_t got[384], did[29];
    EdidInfo info = { .prefx = 5120, .prefy = 2880 };

    g_assert_cmpuint(edid_generate(got, sizeof(got), &info), ==, 384);
    g_assert_cmphex(got[21], ==, 0x82);
    g_assert_cmphex(got[22], ==, 0x49);
    g_assert_cmphex(got[54 + 3], ==, 0xf7);
    g_assert_cmphex(got[108 + 3], ==, 0x10);
    g_assert_cmphex(got[126], ==, 2);
    g_assert_cmphex(got[127], ==, 0x44);
    from_hex(did, did_hex);
    g_assert_cmpmem(got + 256, 29, did, 29);
    g_assert_cmphex(got[383], ==, 0x90);
    /* no room for the third block: no preferred timing at all */
    g_assert_cmpuint(edid_generate(got, 256, &info), ==, 256);
    g_assert_cmphex(got[54 + 3], ==, 0xf7);
}

/* Also: a buffer that held something else gives the same. */
static void test_limits(void)
{
    static const char timing_hex[] = "d25480a072382540e0395540e71211000018";
    uint8_t got[256], timing[18];
    EdidInfo info = { .prefx = 1920, .prefy = 1080, .maxx = 1920, .maxy = 1080 };

    edid_generate(got, sizeof(got), &(EdidInfo){ .serial = "0x12345678" });
    g_assert_cmphex(got[12], ==, 0x78);
    edid_generate(got, sizeof(got), &info);
    from_hex(timing, timing_hex);
    g_assert_cmpmem(got + 54, 18, timing, 18);
    g_assert_cmphex(got[127], ==, 0x0f);
    g_assert_cmphex(got[255], ==, 0x35);
}

static void check_blocks(const uint8_t *edid, size_t bytes)
{
    for (size_t block = 0; block < bytes; block += 128) {
        uint8_t sum = 0;

        for (unsigned i = 0; i < 128; i++) {
            sum += edid[block + i];
        }
        g_assert_cmphex(sum, ==, 0);
    }
}

static void test_random(void)
{
    for (unsigned round = 0; round < 500; round++) {
        size_t room = g_test_rand_int_range(128, 600);
        g_autofree uint8_t *edid = g_malloc(room);
        EdidInfo info = {
            .prefx = g_test_rand_int_range(0, 16000), .prefy = g_test_rand_int_range(0, 12000),
            .maxx = g_test_rand_int_range(0, 6000), .maxy = g_test_rand_int_range(0, 6000),
            .refresh_rate = g_test_rand_int_range(0, 200000),
            .serial = round & 1 ? "a rather long serial number" : NULL,
        };
        size_t bytes = edid_generate(edid, room, &info);

        g_assert_cmpuint(bytes, <=, room);
        g_assert_cmpuint(bytes, ==, 128 * (1 + edid[126]));
        check_blocks(edid, bytes);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/edid/default", test_default);
    g_test_add_func("/edid/large", test_large);
    g_test_add_func("/edid/limits", test_limits);
    g_test_add_func("/edid/random", test_random);
    return g_test_run();
}
