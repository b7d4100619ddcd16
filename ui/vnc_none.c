/*
 * A build without LibVNCServer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/vnc.h"

bool vnc_is_built(void)
{
    return false;
}

bool vnc_server_add(json_object *options, const Keymap *keymap, Error **errp)
{
    json_object *where = json_member(options, "vnc");

    return (where && !strcmp(json_object_get_string(where), "none")) ||
           error_set(errp, "this build has no VNC");
}

void vnc_set_machine_name(const char *name)
{
}

void vnc_set_power(const VncPower *power)
{
}

bool vnc_add_client(int fd, bool needs_no_password, Error **errp)
{
    return error_set(errp, "this build has no VNC");
}

void vnc_cleanup(void)
{
}
