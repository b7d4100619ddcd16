/*
 * The outgoing migration, of which there is one at a time. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_OUTGOING_H
#define MIGRATION_OUTGOING_H

#include "qapi/qapi-types-migration.h"

/* How the last or present one goes; times in ns of CLOCK_MONOTONIC, 0: not yet. */
typedef struct OutgoingReport {
    MigrationStatus status;
    const char *error;       /* borrowed; NULL: none */
    int64_t start_ns;        /* migrate was asked for */
    int64_t active_ns;       /* connected */
    int64_t stop_ns;         /* the machine was stopped */
    int64_t end_ns;
    uint64_t bytes;          /* sent */
    int64_t passes;
} OutgoingReport;

void outgoing_report(OutgoingReport *report);
/* Cancels it and waits until it is over. */
void outgoing_cleanup(void);

/* The stages that a client is told of; shared with the incoming side. */
void migration_send_status(MigrationStatus status);
/* The migration threads that run, as query-migrationthreads shows them. */
void migration_thread_enter(const char *name);
void migration_thread_leave(void);

#endif
