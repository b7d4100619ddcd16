/*
 * Telnet: see chardev/telnet.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/telnet.h"

enum {
    SE = 240, BREAK = 243, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255,
    OPTION_BINARY = 0, OPTION_ECHO = 1, OPTION_SUPPRESS_GO_AHEAD = 3,
};

void telnet_reset(Telnet *t)
{
    t->state = TELNET_DATA;
}

void telnet_greet(GByteArray *out)
{
    static const uint8_t offers[] = {
        IAC, WILL, OPTION_ECHO,
        IAC, WILL, OPTION_SUPPRESS_GO_AHEAD,
        IAC, WILL, OPTION_BINARY,
        IAC, DO, OPTION_BINARY,
    };

    g_byte_array_append(out, offers, sizeof(offers));
}

static TelnetState after_command(uint8_t command)
{
    switch (command) {
    case WILL:
    case WONT:
    case DO:
    case DONT:
        return TELNET_OPTION;
    case SB:
        return TELNET_SUBNEGOTIATION;
    default:
        return TELNET_DATA;
    }
}

/* True when `byte` is data. */
static bool step(Telnet *t, uint8_t byte)
{
    switch (t->state) {
    case TELNET_DATA:
        if (byte != IAC) {
            return true;
        }
        t->state = TELNET_COMMAND;
        return false;
    case TELNET_COMMAND:
        t->state = after_command(byte);
        return byte == IAC;
    case TELNET_OPTION:
        t->state = TELNET_DATA;
        return false;
    case TELNET_SUBNEGOTIATION:
        if (byte == IAC) {
            t->state = TELNET_SUBNEGOTIATION_COMMAND;
        }
        return false;
    default:
        t->state = byte == SE ? TELNET_DATA : TELNET_SUBNEGOTIATION;
        return false;
    }
}

size_t telnet_decode(Telnet *t, uint8_t *bytes, size_t size, size_t *used, bool *is_break)
{
    size_t kept = 0;

    *is_break = false;
    for (*used = 0; *used < size && !*is_break; (*used)++) {
        uint8_t byte = bytes[*used];

        *is_break = t->state == TELNET_COMMAND && byte == BREAK;
        if (step(t, byte)) {
            bytes[kept++] = byte;
        }
    }
    return kept;
}

void telnet_encode(const uint8_t *bytes, size_t size, GByteArray *out)
{
    static const uint8_t iac = IAC;

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == IAC) {
            g_byte_array_append(out, &iac, 1);
        }
        g_byte_array_append(out, &bytes[i], 1);
    }
}
