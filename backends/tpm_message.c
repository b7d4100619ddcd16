/*
 * TPM messages as both families frame them (TPM Main Part 3; TPM 2.0 Part 3): a tag of two bytes,
 * the message's size and a code of four.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "backends/tpm.h"
#include "util/byte_order.h"

#define TAG_ANSWER_1_2     0x00c4
#define TAG_NO_SESSIONS    0x8001
#define CODE_FAIL_1_2      9
#define CODE_FAILURE_2_0   0x101
#define CODE_GET_CAPABILITY 0x17a

uint32_t tpm_message_bytes(const uint8_t *header)
{
    return load_be32(header + 2);
}

void tpm_write_failure(TpmVersion version, uint8_t *buffer, size_t *bytes)
{
    bool is_2 = version == TPM_VERSION_2_0;

    store_be16(buffer, is_2 ? TAG_NO_SESSIONS : TAG_ANSWER_1_2);
    store_be32(buffer + 2, TPM_HEADER_BYTES);
    store_be32(buffer + 6, is_2 ? CODE_FAILURE_2_0 : CODE_FAIL_1_2);
    *bytes = TPM_HEADER_BYTES;
}

static bool write_all(int fd, const uint8_t *bytes, size_t count)
{
    while (count) {
        ssize_t n = write(fd, bytes, count);

        if (n <= 0 && errno != EINTR) {
            return false;
        }
        bytes += MAX(n, 0);
        count -= MAX(n, 0);
    }
    return true;
}

/* A device gives the whole answer at once, a socket what has come. */
static bool read_answer(int fd, uint8_t *buffer, size_t room, size_t *bytes)
{
    size_t wanted = TPM_HEADER_BYTES;

    *bytes = 0;
    while (*bytes < wanted) {
        ssize_t n = read(fd, buffer + *bytes, room - *bytes);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        *bytes += MAX(n, 0);
        if (*bytes >= TPM_HEADER_BYTES) {
            wanted = tpm_message_bytes(buffer);
        }
        if (wanted < TPM_HEADER_BYTES || wanted > room) {
            return false;
        }
    }
    return *bytes == wanted;
}

bool tpm_exchange(int fd, TpmVersion version, TpmRequest *request)
{
    if (write_all(fd, request->buffer, request->command_bytes) &&
        read_answer(fd, request->buffer, request->buffer_bytes, &request->answer_bytes)) {
        return true;
    }
    tpm_write_failure(version, request->buffer, &request->answer_bytes);
    return false;
}

/* TPM 1.2 does not know the tag. */
TpmVersion tpm_probe_version(int fd)
{
    uint8_t buffer[TPM_BUFFER_BYTES_MAX] = { 0 };
    TpmRequest request = { .buffer = buffer, .buffer_bytes = sizeof(buffer), .command_bytes = 22 };

    store_be16(buffer, TAG_NO_SESSIONS);
    store_be32(buffer + 2, request.command_bytes);
    store_be32(buffer + 6, CODE_GET_CAPABILITY);
    store_be32(buffer + 10, 6);     /* TPM properties */
    store_be32(buffer + 14, 0x100); /* the family */
    store_be32(buffer + 18, 1);
    if (!tpm_exchange(fd, TPM_VERSION_NONE, &request)) {
        return TPM_VERSION_NONE;
    }
    switch (load_be16(buffer)) {
    case TAG_NO_SESSIONS: return TPM_VERSION_2_0;
    case TAG_ANSWER_1_2:  return TPM_VERSION_1_2;
    default:              return TPM_VERSION_NONE;
    }
}
