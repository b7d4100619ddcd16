/*
 * Addresses of migration streams: "tcp:HOST:PORT", "unix:PATH", "fd:NAME", "exec:COMMAND",
 * "file:PATH[,offset=N]", or the same as QMP's MigrationAddress.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_ADDRESS_H
#define MIGRATION_ADDRESS_H

#include "qapi/qapi-types-migration.h"

/* NULL with *errp set if it is none. */
MigrationAddress *migration_address_parse(const char *uri, Error **errp);
/* From a command's arguments, of which exactly one is to be there. */
MigrationAddress *migration_address_from(const char *uri, const MigrationChannelArray *channels,
                                         Error **errp);
/* For messages; free it. */
char *migration_address_text(const MigrationAddress *address);

#endif
