/*
 * Saving: the registered state of the machine as a stream of records.
 *
 * All functions run in the migration thread and take the machine lock themselves where they need
 * it; they do not hold it while they wait for the stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_SAVE_H
#define MIGRATION_SAVE_H

#include "migration/stream.h"

typedef struct SaveSession SaveSession;

SaveSession *save_session_new(MigrationStream *stream); /* borrowed */
/* Ends live state that began, whether or not it was completed. NULL is fine. */
void save_session_free(SaveSession *s);

/* What goes ahead of everything: configuration, early state, announcement of live state. */
bool save_session_begin(SaveSession *s, Error **errp);
/* One part of each live state; *is_done when none has more to send now. */
bool save_session_iterate(SaveSession *s, bool *is_done, Error **errp);
/* Everything else and the end. The machine is stopped. */
bool save_session_complete(SaveSession *s, Error **errp);

/* Bytes of live state that are still to be sent. Machine lock. */
uint64_t save_session_pending(SaveSession *s);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SaveSession, save_session_free)

#endif
