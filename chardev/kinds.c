/*
 * The kinds of chardevs: see chardev/kinds.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/kinds.h"

const ChardevKind chardev_kinds[] = {
    { "file", &chardev_file_type, CHARDEV_BACKEND_KIND_FILE },
    { "hub", &chardev_hub_type, CHARDEV_BACKEND_KIND_HUB },
    { "memory", &chardev_ringbuf_type, CHARDEV_BACKEND_KIND_MEMORY },
    { "mux", &chardev_mux_type, CHARDEV_BACKEND_KIND_MUX },
    { "null", &chardev_null_type, CHARDEV_BACKEND_KIND_NULL },
    { "pipe", &chardev_pipe_type, CHARDEV_BACKEND_KIND_PIPE },
    { "pty", &chardev_pty_type, CHARDEV_BACKEND_KIND_PTY },
    { "ringbuf", &chardev_ringbuf_type, CHARDEV_BACKEND_KIND_RINGBUF },
    { "serial", &chardev_serial_type, CHARDEV_BACKEND_KIND_SERIAL },
    { "socket", &chardev_socket_type, CHARDEV_BACKEND_KIND_SOCKET },
    { "stdio", &chardev_stdio_type, CHARDEV_BACKEND_KIND_STDIO },
    { "tty", &chardev_serial_type, CHARDEV_BACKEND_KIND_SERIAL, .deprecated_for = "serial" },
    { "udp", &chardev_udp_type, CHARDEV_BACKEND_KIND_UDP },
    { "vc", &chardev_vc_type, CHARDEV_BACKEND_KIND_VC },
    { NULL },
};

const ChardevKind *chardev_kind_of(ChardevBackendKind kind)
{
    for (const ChardevKind *row = chardev_kinds; row->name; row++) {
        if (row->kind == kind) {
            return row;
        }
    }
    return NULL;
}

const ChardevKind *chardev_kind_find(const char *name)
{
    for (const ChardevKind *row = chardev_kinds; row->name; row++) {
        if (!strcmp(row->name, name)) {
            return row;
        }
    }
    return NULL;
}

char *chardev_help(void)
{
    GString *text = g_string_new("Available chardev backend types: \n");

    for (const ChardevKind *row = chardev_kinds; row->name; row++) {
        if (!row->deprecated_for) {
            g_string_append_printf(text, "  %s\n", row->name);
        }
    }
    return g_string_free(text, FALSE);
}
