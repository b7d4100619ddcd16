/*
 * VNC: servers of the remote frame buffer protocol (RFC 6143), each of which shows one console.
 *
 * Machine lock. Clients are served by threads of their own, which know copies of the picture and
 * hand what users do to the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_VNC_H
#define UI_VNC_H

#include "qom/error.h"
#include "ui/keymap.h"
#include "util/json.h"

/* Is there VNC in this build? */
bool vnc_is_built(void);
/*
 * A server as VncOptions describes it, in texts. Consoles must be there. `keymap` is for clients
 * without scan codes.
 */
bool vnc_server_add(json_object *options, const Keymap *keymap, Error **errp);
/* What clients of servers with power-control=on ask for. Before servers are made. */
typedef struct VncPower {
    void (*shut_down)(void);
    void (*reset)(void);
} VncPower;
void vnc_set_power(const VncPower *power);
/* What clients call the machine: "QEMU" or, with a name, "QEMU (NAME)". Before servers are made. */
void vnc_set_machine_name(const char *name);
/* Hands over a connected socket, which is the server's from now on, or stays open: false. */
bool vnc_add_client(int fd, bool needs_no_password, Error **errp);
/* At exit. */
void vnc_cleanup(void);

#endif
