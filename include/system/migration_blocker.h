/*
 * MigrationBlocker: a reason why the machine cannot be migrated now, held by whoever has it.
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MIGRATION_BLOCKER_H
#define SYSTEM_MIGRATION_BLOCKER_H

#include "qom/error.h"

typedef struct MigrationBlocker MigrationBlocker;

/*
 * `reason` is a sentence a user reads when the migration is refused. NULL with *errp set while a
 * migration is going on, and under -only-migratable.
 */
MigrationBlocker *migration_blocker_add(const char *reason, Error **errp) MUST_USE;
void migration_blocker_remove(MigrationBlocker *blocker); /* NULL is fine */
/* False with the first reason in *errp if there is any. */
bool migration_blocker_check(Error **errp);
/* For each reason, oldest first. */
void migration_blocker_each(void (*fn)(void *opaque, const char *reason), void *opaque);

/* -only-migratable */
void migration_set_only_migratable(bool is_on);
bool migration_is_only_migratable(void);

/* From `migrate` until it ended, and while a stream is being loaded. Any thread may ask. */
bool migration_is_active(void);
void migration_set_active(bool is_active);

#endif
