/*
 * Swtpm: the control channel of a TPM emulator (swtpm_ioctls(3)): commands and answers, big-endian,
 * one after the other, on a chardev whose input nobody else handles.
 *
 * Any thread; calls wait for each other and for the emulator, which has half a minute to answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BACKENDS_SWTPM_H
#define BACKENDS_SWTPM_H

#include "chardev/frontend.h"

typedef enum SwtpmCommand {
    SWTPM_GET_CAPABILITY = 1, SWTPM_INIT, SWTPM_SHUTDOWN, SWTPM_GET_ESTABLISHED,
    SWTPM_SET_LOCALITY, SWTPM_HASH_START, SWTPM_HASH_DATA, SWTPM_HASH_END, SWTPM_CANCEL,
    SWTPM_STORE_VOLATILE, SWTPM_RESET_ESTABLISHED, SWTPM_GET_STATEBLOB, SWTPM_SET_STATEBLOB,
    SWTPM_STOP, SWTPM_GET_CONFIG, SWTPM_SET_DATAFD, SWTPM_SET_BUFFERSIZE, SWTPM_GET_INFO,
    SWTPM_LOCK_STORAGE,
} SwtpmCommand;

enum {
    SWTPM_CAN_INIT = BIT(0), SWTPM_CAN_SHUTDOWN = BIT(1), SWTPM_CAN_GET_ESTABLISHED = BIT(2),
    SWTPM_CAN_SET_LOCALITY = BIT(3), SWTPM_CAN_CANCEL = BIT(5),
    SWTPM_CAN_RESET_ESTABLISHED = BIT(7), SWTPM_CAN_GET_STATEBLOB = BIT(8),
    SWTPM_CAN_SET_STATEBLOB = BIT(9), SWTPM_CAN_STOP = BIT(10), SWTPM_CAN_SET_DATAFD = BIT(12),
    SWTPM_CAN_SET_BUFFERSIZE = BIT(13), SWTPM_CAN_LOCK_STORAGE = BIT(16),
};

typedef struct Swtpm {
    CharFrontend chr;
    GMainContext *context; /* of its input; run by who waits */
    GMutex lock;           /* a call, from its first byte to its last */
    GByteArray *input;
    size_t wanted;         /* bytes of input that are waited for */
    bool is_open, is_late;
} Swtpm;

/* A piece of what is sent or received. */
typedef struct SwtpmBytes {
    void *bytes;
    size_t count;
} SwtpmBytes;

bool swtpm_open(Swtpm *s, Chardev *chr, Error **errp);
void swtpm_close(Swtpm *s); /* one that is not open is fine */

/* Sends `args` (two pieces, the second may be empty) and receives exactly `answer`. */
bool swtpm_call(Swtpm *s, SwtpmCommand command, const SwtpmBytes args[2], SwtpmBytes answer,
                Error **errp);
/* `count` words out and back, the answer's first being the result, which must be 0. */
bool swtpm_call_words(Swtpm *s, SwtpmCommand command, const uint32_t *args, size_t arg_count,
                      uint32_t *answer, size_t answer_count, Error **errp);
/* A call without arguments whose answer is the result. */
bool swtpm_call_plain(Swtpm *s, SwtpmCommand command, Error **errp);
/* Gives the emulator `fd` for TPM commands. */
bool swtpm_send_data_fd(Swtpm *s, int fd, Error **errp);
bool swtpm_get_capabilities(Swtpm *s, uint64_t *capabilities, Error **errp);
/* Part of the TPM's state, from 1; *bytes is the caller's. `longest` limits it. */
bool swtpm_get_blob(Swtpm *s, uint32_t part, uint32_t *flags, uint8_t **bytes, uint32_t *size,
                    uint32_t longest, Error **errp);
bool swtpm_set_blob(Swtpm *s, uint32_t part, uint32_t flags, const uint8_t *bytes, uint32_t size,
                    Error **errp);

#endif
