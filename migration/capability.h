/*
 * Capabilities: what a client may switch on before a migration. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_CAPABILITY_H
#define MIGRATION_CAPABILITY_H

#include "qapi/qapi-types-migration.h"

bool capability_is_on(MigrationCapability capability);
/* Those switched on that change what is in the stream, by name, separated by commas. Free it. */
char *capability_stream_names(void);

#endif
