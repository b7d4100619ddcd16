/*
 * Telnet (RFC 854): what the two ends of a line say beside the bytes. A transparent, binary,
 * character-at-a-time line is offered; answers are read and dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_TELNET_H
#define CHARDEV_TELNET_H

typedef enum TelnetState {
    TELNET_DATA,
    TELNET_COMMAND,        /* after IAC */
    TELNET_OPTION,         /* after WILL, WONT, DO, DONT */
    TELNET_SUBNEGOTIATION, /* until IAC SE */
    TELNET_SUBNEGOTIATION_COMMAND,
} TelnetState;

typedef struct Telnet {
    TelnetState state;
} Telnet;

void telnet_reset(Telnet *t);
/* What is said first. */
void telnet_greet(GByteArray *out);
/*
 * Strips the protocol from `bytes` in place and returns how many remain. Stops after a break,
 * setting *is_break; *used says how many were looked at.
 */
size_t telnet_decode(Telnet *t, uint8_t *bytes, size_t size, size_t *used, bool *is_break);
void telnet_encode(const uint8_t *bytes, size_t size, GByteArray *out);

#endif
