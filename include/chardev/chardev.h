/*
 * Chardev: the host's side of a byte stream (a serial line, a monitor, a guest channel), an
 * object under /chardevs. What reads and writes it (a device, a monitor) holds a CharFrontend.
 *
 * Made from QMP (chardev-add), from -chardev, or from an old one-word form (-serial, -monitor).
 * Configuration is guarded by the machine lock; what moves bytes says what it needs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include "chardev/frontend.h"
#include "qom/object.h"

#define TYPE_CHARDEV "chardev"

typedef struct ChardevBackend ChardevBackend; /* qapi/char.json */

/* The chardev with this id, borrowed, or NULL. */
Chardev *chardev_find(const char *id);
/* As chardev_find(), with the error users know. */
Chardev *chardev_get(const char *id, Error **errp);

/*
 * Makes /chardevs/`id` and opens it. Borrowed result (the tree owns it), or NULL with nothing
 * left behind.
 */
Chardev *chardev_add(const char *id, const ChardevBackend *backend, Error **errp);
/*
 * From -chardev: an object of texts with "id" and "backend" ("mux": "on" puts a multiplexer
 * under the id). Start-up only: may wait for a client (server=on without wait=off).
 */
Chardev *chardev_add_from_options(json_object *options, Error **errp);

/*
 * From an old form: "null", "stdio", "pty", "vc", "file:P", "pipe:P", "tcp:[H]:P[,server=on]",
 * "telnet:...", "websocket:...", "udp:...", "unix:P[,server=on]", "/dev/...", and "chardev:ID",
 * which names one that is there. `label` becomes the id of a new one.
 * "mon:SPEC" puts a multiplexer in front and sets *wants_monitor (may be NULL: then refused):
 * the caller attaches a text monitor to the result as well.
 */
Chardev *chardev_add_from_spec(const char *label, const char *spec, bool *wants_monitor,
                               Error **errp);
/* The spec that asks for no line at all ("none"). */
bool chardev_spec_is_none(const char *spec);

/* Takes it away; fails when a front end or a multiplexer uses it. */
bool chardev_remove(const char *id, Error **errp);
/*
 * Puts a new back end behind the same id, keeping the front end, which may refuse. On failure the
 * old one is as it was.
 */
Chardev *chardev_change(const char *id, const ChardevBackend *backend, Error **errp);
/* The same from a text monitor: an object of texts with "backend", as above; an id is ignored. */
Chardev *chardev_change_from_options(const char *id, json_object *options, Error **errp);
/* At exit: terminals restored, sockets' files removed. */
void chardev_cleanup(void);

/* What it was made as: the id. Borrowed. */
const char *chardev_label(const Chardev *chr);
/* As query-chardev shows it: "pty:/dev/pts/3", "unix:/path,server=on". Free it. Any thread. */
char *chardev_filename(Chardev *chr);
/* The terminal's path if it is a pty, else NULL. Borrowed. */
const char *chardev_pty_path(const Chardev *chr);
/* Can its input be handled by a thread of its own (out-of-band QMP)? Not if multiplexed. */
bool chardev_has_own_context(const Chardev *chr);
/* Is it a multiplexer, which takes several front ends? */
bool chardev_is_mux(const Chardev *chr);
/* As though the line sent a break. */
void chardev_send_break(Chardev *chr);
/* Has some chardev the terminal? (-daemonize refuses then.) */
bool chardev_stdio_is_used(void);
/* What Ctrl-a x and Ctrl-a s of a multiplexer do; borrowed, any may be NULL. */
typedef struct ChardevMuxActions {
    void (*quit)(void);
    void (*save)(void);
} ChardevMuxActions;
void chardev_set_mux_actions(const ChardevMuxActions *actions);

/* The names -chardev takes, one per line; free it. */
char *chardev_help(void);
/* What "info chardev" prints; free it. */
char *chardev_info(void);

#endif
