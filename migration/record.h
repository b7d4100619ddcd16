/*
 * Records: what a migration stream consists of, each numbered, bounded and with checksums of its
 * own. docs/devel/migration.md draws them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_RECORD_H
#define MIGRATION_RECORD_H

#include "migration/stream.h"

#define STREAM_MAGIC   "TANDEM\x1a\n"
#define STREAM_VERSION 1
/* Of a record's body: more is not sent and not read. */
#define RECORD_MAX_BYTES (64 * MiB)
/* What live state is cut into. */
#define RECORD_LIVE_BYTES (1 * MiB)

typedef enum RecordType {
    RECORD_CONFIGURATION = 1, /* what both machines must agree on */
    RECORD_LIVE_SETUP,
    RECORD_LIVE_PART,
    RECORD_LIVE_END,
    RECORD_STATE,       /* a VMState */
    RECORD_DESCRIPTION, /* JSON: what the states consist of, for tools */
    RECORD_END,
} RecordType;

/* One end of a stream of records. */
typedef struct RecordChannel {
    MigrationStream *stream; /* borrowed */
    uint32_t number;         /* of the next record */
    uint32_t checksum;       /* over the checksums of all before it */
} RecordChannel;

void record_channel_init(RecordChannel *c, MigrationStream *stream);
/* Magic and version. */
bool record_write_preamble(RecordChannel *c, Error **errp);
bool record_read_preamble(RecordChannel *c, Error **errp);
bool record_write(RecordChannel *c, RecordType type, const GByteArray *body, Error **errp);
/* `body` is replaced. The type can be any number. */
bool record_read(RecordChannel *c, uint32_t *type, GByteArray *body, Error **errp);
/* The last record, with the checksum of the whole. */
bool record_write_end(RecordChannel *c, Error **errp);
/* Checks the body of the last record; *c is as before it was read. */
bool record_check_end(const RecordChannel *before, const GByteArray *body, Error **errp);

#endif
