/*
 * Migration, as the process starts, runs and ends it. Main thread, machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_MIGRATION_H
#define MIGRATION_MIGRATION_H

#include "qom/error.h"

/* Registers what every machine sends: clock, run state, guest memory. Before any device. */
void migration_init(void);

/*
 * -incoming: the VM waits in `inmigrate`. `uri` "defer" waits for migrate-incoming, any other is
 * opened by migration_incoming_start(); it is checked here and borrowed until then.
 */
bool migration_incoming_expect(const char *uri, Error **errp);
/*
 * The machine is made: opens what -incoming named and loads in the background. What fails later
 * is reported and ends the process with status 1.
 */
bool migration_incoming_start(Error **errp);

/* Before the process ends: cancels what is going on and waits for its threads. */
void migration_cleanup(void);

/* -dump-vmstate: what all registered types of devices save, as JSON, into a file. */
bool migration_dump_vmstate(const char *path, Error **errp);

#endif
