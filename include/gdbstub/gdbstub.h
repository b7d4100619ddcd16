/*
 * gdbstub: serves gdb's remote protocol on a chardev: the guest as a process, vCPUs as its threads.
 *
 * Main loop, machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GDBSTUB_GDBSTUB_H
#define GDBSTUB_GDBSTUB_H

#include "qom/error.h"

/*
 * "tcp:[HOST]:PORT" and "unix:PATH" listen; "chardev:ID" is one that is there; any other form of
 * chardev; "none" ends the service. There is one server: a new one takes the place of the old.
 */
bool gdbstub_start(const char *spec, Error **errp);
/* At exit: tells the client. */
void gdbstub_cleanup(void);

#endif
