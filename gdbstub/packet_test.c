/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "packet.h"

static GdbInput feed(GdbParser *p, const char *bytes, size_t size)
{
    GdbInput input = GDB_INPUT_NONE;

    for (size_t i = 0; i < size; i++) {
        g_assert_cmpint(input, ==, GDB_INPUT_NONE);
        input = gdb_parse(p, bytes[i]);
    }
    return input;
}

static void test_packets(void)
{
    g_autofree GdbParser *p = g_new0(GdbParser, 1);

    g_assert_cmpint(feed(p, "$g#67", 5), ==, GDB_INPUT_PACKET);
    g_assert_cmpstr(p->data, ==, "g");
    g_assert_cmpint(feed(p, "$g#68", 5), ==, GDB_INPUT_BAD);
    g_assert_cmpint(feed(p, "$g#6x", 5), ==, GDB_INPUT_BAD);
    g_assert_cmpint(feed(p, "+", 1), ==, GDB_INPUT_ACK);
    g_assert_cmpint(feed(p, "-", 1), ==, GDB_INPUT_NAK);
    g_assert_cmpint(feed(p, "\003", 1), ==, GDB_INPUT_INTERRUPT);
    /* Noise between packets, and one that was cut off. */
    g_assert_cmpint(feed(p, "xyz$abc$g#67", 12), ==, GDB_INPUT_PACKET);
    g_assert_cmpstr(p->data, ==, "g");
    /* Byte 3 and the like are data within. */
    g_assert_cmpint(feed(p, "$\003+-#5b", 7), ==, GDB_INPUT_PACKET);
    g_assert_cmpint(p->size, ==, 3);
    g_assert_cmpint(feed(p, "$#00", 4), ==, GDB_INPUT_PACKET);
    g_assert_cmpint(p->size, ==, 0);
}

static void test_escapes(void)
{
    static const char raw[] = "a#b$c}d*e\0f";
    g_autofree GdbParser *p = g_new0(GdbParser, 1);
    g_autoptr(GString) packet = g_string_new(NULL);

    gdb_append_packet(packet, raw, sizeof(raw));
    g_assert_null(memchr(packet->str + 1, '$', packet->len - 1));
    g_assert_cmpint(feed(p, packet->str, packet->len), ==, GDB_INPUT_PACKET);
    g_assert_cmpmem(p->data, p->size, raw, sizeof(raw));
}

static void test_too_long(void)
{
    g_autofree GdbParser *p = g_new0(GdbParser, 1);
    g_autofree char *data = g_strnfill(GDB_PACKET_BYTES + 1, 'x');

    for (int extra = 0; extra < 2; extra++) {
        g_autoptr(GString) packet = g_string_new(NULL);

        gdb_append_packet(packet, data, GDB_PACKET_BYTES + extra);
        g_assert_cmpint(feed(p, packet->str, packet->len), ==,
                        extra ? GDB_INPUT_BAD : GDB_INPUT_PACKET);
    }
    g_assert_cmpint(feed(p, "$g#67", 5), ==, GDB_INPUT_PACKET);
}

static void test_numbers(void)
{
    const char *text = "ffffffffFFFFFFFF,10000000000000000";
    uint64_t value;
    uint8_t bytes[2];

    g_assert_true(gdb_read_number(&text, &value));
    g_assert_cmphex(value, ==, UINT64_MAX);
    g_assert_cmpint(*text++, ==, ',');
    g_assert_false(gdb_read_number(&text, &value));
    text = "";
    g_assert_false(gdb_read_number(&text, &value));
    g_assert_true(gdb_read_bytes("12aF", bytes, 2));
    g_assert_cmphex(bytes[1], ==, 0xaf);
    g_assert_false(gdb_read_bytes("12a", bytes, 2));
    g_assert_false(gdb_read_bytes("12a", bytes, 1));
    g_assert_false(gdb_read_bytes("1g", bytes, 1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gdbstub/packet/packets", test_packets);
    g_test_add_func("/gdbstub/packet/escapes", test_escapes);
    g_test_add_func("/gdbstub/packet/too-long", test_too_long);
    g_test_add_func("/gdbstub/packet/numbers", test_numbers);
    return g_test_run();
}
