/*
 * What moves with the machine of the user network: libslirp knows what. It believes what it reads, so
 * that buffers of any size are made; the form of its version 4 is looked at before:
 *
 *     42, a connection to a guestfwd= service; again for each; 0, 130 bytes
 *     a connection: 27 bytes, a buffer for each way, 119 bytes
 *     a buffer: bytes in it, its size, two offsets (u32 each), its bytes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/user.h"

#include <sys/socket.h>

#include "util/byte_order.h"
#include "util/event_loop.h"

#define VERSION        4
#define CONNECTION     42
#define HEAD_BYTES     27
#define FAMILIES_AT    { 4, 12 } /* in the head: what the stack knows is IPv4 */
#define SEGMENT_AT     16        /* in the tail: bytes of a segment, by which it divides */
#define TAIL_BYTES     119
#define END_BYTES      130
#define MAX_CONNECTION_BUFFER MiB

static ssize_t stack_puts(const void *bytes, size_t size, void *opaque)
{
    g_byte_array_append(opaque, bytes, size);
    return size;
}

void user_state_save(NetEnd *end, NetSaved *saved)
{
    GByteArray *bytes = g_byte_array_new();

    slirp_state_save(((UserNet *)end)->slirp, stack_puts, bytes);
    saved->version = slirp_state_version();
    saved->size = bytes->len;
    saved->bytes = g_byte_array_free(bytes, FALSE);
}

typedef struct StackReader {
    const NetSaved *saved;
    size_t at;
} StackReader;

static ssize_t stack_gets(void *bytes, size_t size, void *opaque)
{
    StackReader *r = opaque;
    size_t part = MIN(size, r->saved->size - r->at);

    memcpy(bytes, r->saved->bytes + r->at, part);
    memset((uint8_t *)bytes + part, 0, size - part);
    r->at += part;
    return part;
}

/* The next `size` bytes; NULL: they are not there. */
static const uint8_t *skip(StackReader *r, size_t size)
{
    const uint8_t *at = r->saved->bytes + r->at;

    if (r->saved->size - r->at < size) {
        return NULL;
    }
    r->at += size;
    return at;
}

static bool check_buffer(StackReader *r)
{
    const uint8_t *head = skip(r, 16);
    uint32_t size = head ? load_be32(head + 4) : 0;

    return size && size <= MAX_CONNECTION_BUFFER && load_be32(head) <= size &&
           load_be32(head + 8) < size && load_be32(head + 12) < size && skip(r, size);
}

static bool check_connection(StackReader *r)
{
    static const uint8_t families[] = FAMILIES_AT;
    const uint8_t *head = skip(r, HEAD_BYTES), *tail;

    for (unsigned n = 0; head && n < ARRAY_SIZE(families); n++) {
        if (load_be16(head + families[n]) != AF_INET) {
            return false;
        }
    }
    if (!head || !check_buffer(r) || !check_buffer(r)) {
        return false;
    }
    tail = skip(r, TAIL_BYTES);
    return tail && load_be16(tail + SEGMENT_AT);
}

static bool check(const NetSaved *saved)
{
    StackReader r = { saved };
    const uint8_t *tag;

    while ((tag = skip(&r, 1)) && *tag) {
        if (*tag != CONNECTION || !check_connection(&r)) {
            return false;
        }
    }
    return tag && skip(&r, END_BYTES) && r.at == saved->size;
}

bool user_state_load(NetEnd *end, const NetSaved *saved, Error **errp)
{
    StackReader r = { saved };

    if (saved->version != VERSION || slirp_state_version() != VERSION || !check(saved) ||
        slirp_state_load(((UserNet *)end)->slirp, saved->version, stack_gets, &r) < 0) {
        return error_set(errp, "netdev %s: a state (version %" PRIu32 ", %" PRIu32 " bytes) that "
                         "this libslirp does not take", end->name, saved->version, saved->size);
    }
    event_loop_wake(event_loop_main());
    return true;
}
