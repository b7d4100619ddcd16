/*
 * Loading: a stream of records into the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_LOAD_H
#define MIGRATION_LOAD_H

#include "migration/stream.h"

/*
 * The whole stream, up to its end record. Waits without the machine lock and takes it for each
 * record. After a failure the machine's state is undefined: it must not run.
 */
bool load_machine(MigrationStream *stream, Error **errp);

#endif
