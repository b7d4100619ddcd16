/*
 * Packets of gdb's remote protocol: see packet.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "packet.h"

#define ESCAPE     '}'
#define ESCAPE_BIT 0x20
#define INTERRUPT  3

static GdbInput begin(GdbParser *p, uint8_t byte)
{
    switch (byte) {
    case '$':
        p->state = GDB_DATA;
        p->size = p->sum = 0;
        p->is_too_long = false;
        return GDB_INPUT_NONE;
    case '+':
        return GDB_INPUT_ACK;
    case '-':
        return GDB_INPUT_NAK;
    case INTERRUPT:
        return GDB_INPUT_INTERRUPT;
    default:
        return GDB_INPUT_NONE;
    }
}

static void add(GdbParser *p, uint8_t byte)
{
    if (p->size < GDB_PACKET_BYTES) {
        p->data[p->size++] = byte;
    } else {
        p->is_too_long = true;
    }
}

static GdbInput take_data(GdbParser *p, uint8_t byte)
{
    bool was_escaped = p->state == GDB_ESCAPED;

    if (byte == '#' && !was_escaped) {
        p->state = GDB_SUM_HIGH;
    } else if (byte == '$' && !was_escaped) {
        /* The rest of the last one was lost. */
        return begin(p, byte);
    } else {
        p->sum += byte;
        p->state = byte == ESCAPE && !was_escaped ? GDB_ESCAPED : GDB_DATA;
        if (was_escaped) {
            add(p, byte ^ ESCAPE_BIT);
        } else if (p->state == GDB_DATA) {
            add(p, byte);
        }
    }
    return GDB_INPUT_NONE;
}

static GdbInput take_sum(GdbParser *p, uint8_t byte)
{
    int digit = g_ascii_xdigit_value(byte);

    if (digit < 0) {
        p->state = GDB_OUTSIDE;
        return GDB_INPUT_BAD;
    }
    if (p->state == GDB_SUM_HIGH) {
        p->told_sum = digit << 4;
        p->state = GDB_SUM_LOW;
        return GDB_INPUT_NONE;
    }
    p->state = GDB_OUTSIDE;
    p->data[p->size] = 0;
    return p->sum == (p->told_sum | digit) && !p->is_too_long ? GDB_INPUT_PACKET : GDB_INPUT_BAD;
}

GdbInput gdb_parse(GdbParser *p, uint8_t byte)
{
    switch (p->state) {
    case GDB_OUTSIDE:
        return begin(p, byte);
    case GDB_DATA:
    case GDB_ESCAPED:
        return take_data(p, byte);
    default:
        return take_sum(p, byte);
    }
}

void gdb_append_packet(GString *out, const char *data, size_t size)
{
    gsize start;
    uint8_t sum = 0;

    g_string_append_c(out, '$');
    start = out->len;
    for (size_t i = 0; i < size; i++) {
        if (data[i] && strchr("#$}*", data[i])) {
            g_string_append_c(out, ESCAPE);
            g_string_append_c(out, data[i] ^ ESCAPE_BIT);
        } else {
            g_string_append_c(out, data[i]);
        }
    }
    for (gsize i = start; i < out->len; i++) {
        sum += out->str[i];
    }
    g_string_append_printf(out, "#%02x", sum);
}

bool gdb_read_number(const char **text, uint64_t *value)
{
    const char *at = *text;

    *value = 0;
    for (; g_ascii_isxdigit(*at); at++) {
        if (*value >> 60) {
            return false;
        }
        *value = *value << 4 | g_ascii_xdigit_value(*at);
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    return true;
}

bool gdb_read_bytes(const char *text, uint8_t *out, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!g_ascii_isxdigit(text[2 * i]) || !g_ascii_isxdigit(text[2 * i + 1])) {
            return false;
        }
        out[i] = g_ascii_xdigit_value(text[2 * i]) << 4 | g_ascii_xdigit_value(text[2 * i + 1]);
    }
    return !text[2 * bytes];
}

void gdb_append_bytes(GString *out, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        g_string_append_c(out, digits[bytes[i] >> 4]);
        g_string_append_c(out, digits[bytes[i] & 15]);
    }
}
