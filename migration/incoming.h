/*
 * The incoming migration: one in a process's life. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_INCOMING_H
#define MIGRATION_INCOMING_H

#include "qapi/qapi-types-migration.h"

/* False if -incoming was not given; *error (may be NULL: none) is borrowed. */
bool incoming_report(MigrationStatus *status, const char **error);
/* Where it listens, for query-migrate; NULL: nowhere. Borrowed. */
const SocketAddress *incoming_listening_at(void);
void incoming_cleanup(void);

#endif
