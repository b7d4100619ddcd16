/*
 * The kinds of chardevs: their names and types.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_KINDS_H
#define CHARDEV_KINDS_H

#include "chardev/backend.h"

#define TYPE_CHARDEV_FD      "chardev-fd"
#define TYPE_CHARDEV_FILE    "chardev-file"
#define TYPE_CHARDEV_HUB     "chardev-hub"
#define TYPE_CHARDEV_MUX     "chardev-mux"
#define TYPE_CHARDEV_NULL    "chardev-null"
#define TYPE_CHARDEV_PIPE    "chardev-pipe"
#define TYPE_CHARDEV_PTY     "chardev-pty"
#define TYPE_CHARDEV_RINGBUF "chardev-ringbuf"
#define TYPE_CHARDEV_SERIAL  "chardev-serial"
#define TYPE_CHARDEV_SOCKET  "chardev-socket"
#define TYPE_CHARDEV_STDIO   "chardev-stdio"
#define TYPE_CHARDEV_UDP     "chardev-udp"
#define TYPE_CHARDEV_VC      "chardev-vc"

typedef struct ChardevKind {
    const char *name;
    const ChardevType *type;
    ChardevBackendKind kind;
    const char *deprecated_for; /* the name to use instead */
} ChardevKind;

extern const ChardevType chardev_file_type, chardev_hub_type, chardev_mux_type, chardev_null_type,
    chardev_pipe_type, chardev_pty_type, chardev_ringbuf_type, chardev_serial_type,
    chardev_socket_type, chardev_stdio_type, chardev_udp_type, chardev_vc_type;

/* Ends with a NULL name. */
extern const ChardevKind chardev_kinds[];
/* NULL when we do not have it. */
const ChardevKind *chardev_kind_of(ChardevBackendKind kind);
const ChardevKind *chardev_kind_find(const char *name);

#endif
