/*
 * A chardev for tests of monitors, in place of the real ones: the test is the client.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_FAKE_CHARDEV_H
#define MONITOR_FAKE_CHARDEV_H

#include "chardev/chardev.h"

/* Listed for chardev_get(). `has_thread`: may be served by a thread of its own. */
Chardev *fake_chardev_new(const char *id, bool has_thread);
/* When the monitor is gone. */
void fake_chardev_free(Chardev *chr);
void fake_chardev_connect(Chardev *chr);
void fake_chardev_disconnect(Chardev *chr);
/* What the monitor does not yet take waits. Returns once what it takes was taken. */
void fake_chardev_send(Chardev *chr, const char *text);
/* `fd` comes with the next bytes sent; it is the monitor's then. */
void fake_chardev_attach_fd(Chardev *chr, int fd);
/* Bytes that wait. */
size_t fake_chardev_waiting(Chardev *chr);
/* How much the client reads before it stops; SIZE_MAX at first. */
void fake_chardev_set_room(Chardev *chr, size_t bytes);
/* What came since the last call. Free it. */
char *fake_chardev_output(Chardev *chr);
/* True: `text` is in what came. */
bool fake_chardev_has_output(Chardev *chr, const char *text);
/* The monitor dropped the client. */
bool fake_chardev_was_dropped(Chardev *chr);
/* Is it served by a thread now? */
bool fake_chardev_is_threaded(Chardev *chr);

#endif
