/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/record.h"
#include "util/crc32c.h"

#define MAGIC_BYTES (sizeof(STREAM_MAGIC) - 1)

/* In front of a body; behind it stands the CRC-32C of both. All big-endian. */
typedef struct RecordHeader {
    uint32_t type;
    uint32_t number;
    uint32_t bytes;    /* of the body */
    uint32_t checksum; /* CRC-32C of the above: a wrong length is seen before it is believed */
} RecordHeader;

void record_channel_init(RecordChannel *c, MigrationStream *stream)
{
    *c = (RecordChannel){ .stream = stream };
}

bool record_write_preamble(RecordChannel *c, Error **errp)
{
    uint32_t version = GUINT32_TO_BE(STREAM_VERSION);

    return migration_stream_write(c->stream, STREAM_MAGIC, MAGIC_BYTES, errp) &&
           migration_stream_write(c->stream, &version, sizeof(version), errp);
}

bool record_read_preamble(RecordChannel *c, Error **errp)
{
    char magic[MAGIC_BYTES];
    uint32_t version;

    if (!migration_stream_read(c->stream, magic, sizeof(magic), errp)) {
        return false;
    }
    if (memcmp(magic, STREAM_MAGIC, sizeof(magic))) {
        return error_set(errp, "Not a migration stream");
    }
    if (!migration_stream_read(c->stream, &version, sizeof(version), errp)) {
        return false;
    }
    version = GUINT32_FROM_BE(version);
    return version == STREAM_VERSION ||
           error_set(errp, "Unsupported migration stream version %" PRIu32, version);
}

/* Both sides count and sum up the same way. */
static void note_record(RecordChannel *c, uint32_t checksum)
{
    c->checksum = crc32c(c->checksum, &checksum, sizeof(checksum));
    c->number++;
}

bool record_write(RecordChannel *c, RecordType type, const GByteArray *body, Error **errp)
{
    RecordHeader header = {
        .type = GUINT32_TO_BE(type), .number = GUINT32_TO_BE(c->number),
        .bytes = GUINT32_TO_BE(body->len),
    };
    uint32_t checksum;

    if (body->len > RECORD_MAX_BYTES) {
        return error_set(errp, "%u bytes of state are more than %" PRIu64, body->len,
                         RECORD_MAX_BYTES);
    }
    header.checksum = GUINT32_TO_BE(crc32c(0, &header, offsetof(RecordHeader, checksum)));
    checksum = crc32c(crc32c(0, &header, sizeof(header)), body->data, body->len);
    checksum = GUINT32_TO_BE(checksum);
    note_record(c, checksum);
    return migration_stream_write(c->stream, &header, sizeof(header), errp) &&
           migration_stream_write(c->stream, body->data, body->len, errp) &&
           migration_stream_write(c->stream, &checksum, sizeof(checksum), errp);
}

static bool check_header(const RecordChannel *c, const RecordHeader *header, Error **errp)
{
    uint32_t number = GUINT32_FROM_BE(header->number), bytes = GUINT32_FROM_BE(header->bytes);

    if (crc32c(0, header, offsetof(RecordHeader, checksum)) != GUINT32_FROM_BE(header->checksum)) {
        return error_set(errp, "Record %" PRIu32 ": wrong checksum of the header", c->number);
    }
    if (number != c->number) {
        return error_set(errp, "Record %" PRIu32 ": has number %" PRIu32, c->number, number);
    }
    return bytes <= RECORD_MAX_BYTES ||
           error_set(errp, "Record %" PRIu32 ": %" PRIu32 " bytes are more than %" PRIu64, number,
                     bytes, RECORD_MAX_BYTES);
}

/* Memory grows as bytes arrive, not as the header promises. */
static bool read_body(RecordChannel *c, size_t bytes, GByteArray *body, Error **errp)
{
    g_byte_array_set_size(body, 0);
    while (body->len < bytes) {
        size_t at = body->len, part = MIN(bytes - at, RECORD_LIVE_BYTES);

        g_byte_array_set_size(body, at + part);
        if (!migration_stream_read(c->stream, body->data + at, part, errp)) {
            return false;
        }
    }
    return true;
}

bool record_read(RecordChannel *c, uint32_t *type, GByteArray *body, Error **errp)
{
    RecordHeader header;
    uint32_t checksum, found;

    if (!migration_stream_read(c->stream, &header, sizeof(header), errp)) {
        error_prefix(errp, "Record %" PRIu32 ": ", c->number);
        return false;
    }
    if (!check_header(c, &header, errp)) {
        return false;
    }
    if (!read_body(c, GUINT32_FROM_BE(header.bytes), body, errp) ||
        !migration_stream_read(c->stream, &checksum, sizeof(checksum), errp)) {
        error_prefix(errp, "Record %" PRIu32 ": ", c->number);
        return false;
    }
    found = crc32c(crc32c(0, &header, sizeof(header)), body->data, body->len);
    if (checksum != GUINT32_TO_BE(found)) {
        return error_set(errp, "Record %" PRIu32 ": wrong checksum", c->number);
    }
    note_record(c, checksum);
    *type = GUINT32_FROM_BE(header.type);
    return true;
}

bool record_write_end(RecordChannel *c, Error **errp)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    uint32_t words[] = { GUINT32_TO_BE(c->number), GUINT32_TO_BE(c->checksum) };

    g_byte_array_append(body, (uint8_t *)words, sizeof(words));
    return record_write(c, RECORD_END, body, errp);
}

bool record_check_end(const RecordChannel *before, const GByteArray *body, Error **errp)
{
    uint32_t words[] = { GUINT32_TO_BE(before->number), GUINT32_TO_BE(before->checksum) };

    if (body->len != sizeof(words) || memcmp(body->data, words, sizeof(words))) {
        return error_set(errp, "Record %" PRIu32 ": wrong checksum of the whole stream",
                         before->number);
    }
    return true;
}
