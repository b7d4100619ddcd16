/*
 * Fuzz: what a VNC client says, to its end. The first byte chooses the door.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/vnc_parts.h"

#include <glib-unix.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DOOR_WEBSOCKET BIT(0)
#define DOOR_PASSWORD  BIT(1)
#define SIZE_MAX_BYTES 16384 /* what a socket holds without a reader */

static VncServer *start(void)
{
    g_autoptr(JsonObject) options = json_object_new_object();

    event_loop_main();
    json_set(options, "vnc", json_string("none"));
    json_set(options, "key-delay-ms", json_string("0"));
    assert(vnc_server_add(options, keymap_find(KEYMAP_DEFAULT, NULL), NULL));
    return vnc_server_find(NULL);
}

static bool has_no_clients(void *opaque)
{
    return !((VncServer *)opaque)->clients->len;
}

static void swallow(void *opaque, GIOCondition events)
{
    static uint8_t bytes[65536];

    (void)!read(*(int *)opaque, bytes, sizeof(bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static VncServer *server;
    FdWatch *watch;
    int pair[2];

    if (!server) {
        server = start();
    }
    if (!size || size > SIZE_MAX_BYTES || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        return 0;
    }
    g_unix_set_fd_nonblocking(pair[0], TRUE, NULL);
    g_unix_set_fd_nonblocking(pair[1], TRUE, NULL);
    (void)!write(pair[0], data + 1, size - 1);
    shutdown(pair[0], SHUT_WR);
    watch = fd_watch_new(event_loop_main(), pair[0], G_IO_IN, swallow, &pair[0]);
    vnc_server_accept(server, pair[1], data[0] & DOOR_WEBSOCKET, data[0] & DOOR_PASSWORD);
    event_loop_run_until(event_loop_main(), has_no_clients, server);
    fd_watch_free(watch);
    close(pair[0]);
    return 0;
}
