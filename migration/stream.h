/*
 * MigrationStream: bytes over a descriptor (file, pipe, socket), in one direction, used by one
 * thread. The first error sticks: every later call fails with it. What blocks ends when any thread
 * cancels the stream. Wants no machine lock, and nobody should hold it while it blocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_STREAM_H
#define MIGRATION_STREAM_H

#include "qom/error.h"

typedef struct MigrationStream MigrationStream;

/* `name` stands in errors. */
MigrationStream *migration_stream_new(const char *name);
/* Takes over `fd` and makes it non-blocking; before anything is read or written. */
void migration_stream_attach(MigrationStream *s, int fd);
bool migration_stream_is_attached(const MigrationStream *s);
/* NULL is fine. What was not flushed is lost. */
void migration_stream_free(MigrationStream *s);

bool migration_stream_write(MigrationStream *s, const void *bytes, size_t size, Error **errp);
bool migration_stream_flush(MigrationStream *s, Error **errp);
/* Exactly `size` bytes. */
bool migration_stream_read(MigrationStream *s, void *bytes, size_t size, Error **errp);
/* Flushes and lets go of the descriptor: the other side sees the end. */
bool migration_stream_finish(MigrationStream *s, Error **errp);

/* Until another descriptor is ready for G_IO_IN or G_IO_OUT; for a time. False: cancelled. */
bool migration_stream_wait(MigrationStream *s, int fd, GIOCondition events, Error **errp);
bool migration_stream_wait_ms(MigrationStream *s, int ms, Error **errp);

/* Waits while more went out than the limit allows. False: cancelled. */
bool migration_stream_pace(MigrationStream *s, Error **errp);

/* --- any thread --- */

void migration_stream_cancel(MigrationStream *s);
bool migration_stream_is_cancelled(MigrationStream *s);
/* What pace() allows; 0: anything. */
void migration_stream_set_limit(MigrationStream *s, uint64_t bytes_per_second);
/* Written or read so far. */
uint64_t migration_stream_bytes(MigrationStream *s);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MigrationStream, migration_stream_free)

#endif
