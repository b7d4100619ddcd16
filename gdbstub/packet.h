/*
 * Packets of gdb's remote protocol: "$data#checksum", acknowledged by '+' or '-'; byte 3 outside of
 * one interrupts. gdb manual, appendix "Remote Protocol", "Overview".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GDBSTUB_PACKET_H
#define GDBSTUB_PACKET_H

#define GDB_PACKET_BYTES 0x4000 /* longest data */

typedef enum GdbInput {
    GDB_INPUT_NONE,
    GDB_INPUT_PACKET,    /* .data, .size; a 0 follows */
    GDB_INPUT_BAD,       /* a packet that came broken, or too long */
    GDB_INPUT_ACK,
    GDB_INPUT_NAK,
    GDB_INPUT_INTERRUPT,
} GdbInput;

typedef struct GdbParser {
    enum { GDB_OUTSIDE, GDB_DATA, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } state;
    uint8_t sum, told_sum;
    bool is_too_long;
    size_t size;
    char data[GDB_PACKET_BYTES + 1];
} GdbParser;

/* Takes a byte; what it completes. */
GdbInput gdb_parse(GdbParser *parser, uint8_t byte);

/* Appends the packet that holds these bytes, which may be any. */
void gdb_append_packet(GString *out, const char *data, size_t size);

/* --- numbers and bytes in packets --- */

/* Hexadecimal digits at *text, which moves behind them; false: none, or too many. */
bool gdb_read_number(const char **text, uint64_t *value);
/* Two digits to a byte, exactly `bytes` of them, and nothing behind. */
bool gdb_read_bytes(const char *text, uint8_t *out, size_t bytes);
void gdb_append_bytes(GString *out, const uint8_t *bytes, size_t count);

#endif
