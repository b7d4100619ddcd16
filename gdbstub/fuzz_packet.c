/*
 * Fuzzes the parser of gdb's packets, and the numbers in them: what comes out is packed again, and
 * must be read as the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const GdbParser *p)
{
    g_autoptr(GString) packet = g_string_new(NULL);
    g_autofree GdbParser *again = g_new0(GdbParser, 1);
    GdbInput input = GDB_INPUT_NONE;

    gdb_append_packet(packet, p->data, p->size);
    for (gsize i = 0; i < packet->len; i++) {
        assert(input == GDB_INPUT_NONE);
        input = gdb_parse(again, packet->str[i]);
    }
    assert(input == GDB_INPUT_PACKET && again->size == p->size &&
           !memcmp(again->data, p->data, p->size));
}

static void read_numbers(const char *text)
{
    uint8_t bytes[64];
    uint64_t value;

    gdb_read_bytes(text, bytes, MIN(strlen(text) / 2, sizeof(bytes)));
    while (*text) {
        if (!gdb_read_number(&text, &value)) {
            text++;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree GdbParser *p = g_new0(GdbParser, 1);

    for (size_t i = 0; i < size; i++) {
        if (gdb_parse(p, data[i]) == GDB_INPUT_PACKET) {
            check_again(p);
            read_numbers(p->data);
        }
    }
    return 0;
}
