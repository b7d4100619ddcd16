/*
 * TpmBackend: what a TPM device is made of: a process that emulates one, or the host's. A device
 * attaches to it, starts it, and hands it one command at a time; the answer comes later, in the main
 * loop.
 *
 * Machine lock, in the main loop or a vCPU thread. Commands are carried out without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BACKENDS_TPM_H
#define BACKENDS_TPM_H

#include "qapi/qapi-types-tpm.h"
#include "qom/object.h"

#define TYPE_TPM_BACKEND      "tpm-backend"
#define TPM_HEADER_BYTES      10   /* tag, size, code; big-endian */
#define TPM_BUFFER_BYTES_MAX  4096
#define TPM_LOCALITIES        5
#define TPM_STATE_BYTES_MAX   (4 * MiB)

typedef struct TpmBackend TpmBackend;

typedef enum TpmVersion { TPM_VERSION_NONE, TPM_VERSION_1_2, TPM_VERSION_2_0 } TpmVersion;

/* A command and, once it is done, its answer in place. */
typedef struct TpmRequest {
    uint8_t locality;
    uint8_t *buffer;      /* the device's */
    size_t buffer_bytes;
    size_t command_bytes; /* of the buffer, when it is handed over */
    size_t answer_bytes;  /* when done: at least a header */
} TpmRequest;

/* What to migrate: of each part, as the back end calls them. */
enum { TPM_STATE_PERMANENT, TPM_STATE_VOLATILE, TPM_STATE_SAVE, TPM_STATE_PARTS };
typedef struct TpmStatePart {
    uint8_t *bytes; /* owned */
    uint32_t size, flags;
} TpmStatePart;

/* A family descriptor. */
typedef struct TpmBackendType {
    struct ObjectType;
    size_t kind; /* TpmType */
    /* With its properties set. What fails leaves nothing behind. */
    bool (*open)(TpmBackend *tpm, Error **errp);
    /* Begin anew, keeping what a TPM keeps; `is_resumed`: with the state that was just loaded. */
    bool (*start)(TpmBackend *tpm, bool is_resumed, Error **errp);
    /* In a worker. Always leaves an answer of at least a header; false: the TPM failed. */
    bool (*carry_out)(TpmBackend *tpm, TpmRequest *request);
    /* Any time, while a worker carries out: have it end soon. */
    void (*cancel)(TpmBackend *tpm);
    bool (*get_established)(TpmBackend *tpm);
    bool (*reset_established)(TpmBackend *tpm, uint8_t locality);
    /* NULL: such a TPM cannot be migrated. */
    bool (*save)(TpmBackend *tpm, TpmStatePart parts[TPM_STATE_PARTS], Error **errp);
    bool (*load)(TpmBackend *tpm, const TpmStatePart parts[TPM_STATE_PARTS], Error **errp);
    /* A migration did not happen after all: it is still ours. May be NULL. */
    void (*take_back)(TpmBackend *tpm);
    /* For query-tpm; the caller's. */
    TpmTypeOptions *(*options)(TpmBackend *tpm);
} TpmBackendType;

/* A device's side. */
typedef struct TpmUser {
    const char *model;   /* its type */
    size_t buffer_bytes; /* the longest command or answer it takes */
    void (*answered)(void *opaque, TpmRequest *request);
    void *opaque;
} TpmUser;

struct TpmBackend {
    Object parent;
    TpmVersion version;  /* set by open */
    const TpmUser *user; /* borrowed; NULL: no device is attached */
    struct TpmJob *job;  /* under way; NULL: it is idle */
};
DECLARE_CAST(TpmBackend, TPM_BACKEND)

static inline const TpmBackendType *tpm_backend_ops(const TpmBackend *tpm)
{
    return object_ops(tpm);
}

/* From -tpmdev: {"type": T, "id": ID, ...}, texts. One process has one. */
bool tpm_backend_add(json_object *options, Error **errp);
/* -tpmdev help. */
void tpm_backend_print_help(GString *out);
/* At exit: all go. */
void tpm_backend_cleanup(void);
TpmBackend *tpm_backend_find(const char *id);
const char *tpm_backend_id(const TpmBackend *tpm);

/* --- for devices --- */

/* Fails if it has a device. */
bool tpm_backend_attach(TpmBackend *tpm, const TpmUser *user, Error **errp);
/* Waits for what is under way, whose answer nobody hears. */
void tpm_backend_detach(TpmBackend *tpm);
bool tpm_backend_start(TpmBackend *tpm, bool is_resumed, Error **errp);
/* When it is idle. `request` and its buffer stay the device's, untouched till answered. */
void tpm_backend_hand_over(TpmBackend *tpm, TpmRequest *request);
static inline bool tpm_backend_is_busy(const TpmBackend *tpm)
{
    return tpm->job;
}
/* Waits for what is under way; it is answered before this returns. */
void tpm_backend_finish(TpmBackend *tpm);
/* As above, having it cancelled; its answer is not heard. */
void tpm_backend_abandon(TpmBackend *tpm);
/* Asks for its end; the answer comes as ever. */
void tpm_backend_cancel(TpmBackend *tpm);
bool tpm_backend_save(TpmBackend *tpm, TpmStatePart parts[TPM_STATE_PARTS], Error **errp);
bool tpm_backend_load(TpmBackend *tpm, const TpmStatePart parts[TPM_STATE_PARTS], Error **errp);
void tpm_state_clear(TpmStatePart parts[TPM_STATE_PARTS]);

/* --- for back ends --- */

/* The size in a header. */
uint32_t tpm_message_bytes(const uint8_t *header);
/* Of TPM_HEADER_BYTES: "it failed". */
void tpm_write_failure(TpmVersion version, uint8_t *buffer, size_t *bytes);
/* Which TPM a descriptor leads to, by what it answers to a command that only one of them knows. */
TpmVersion tpm_probe_version(int fd);
/* A command and its whole answer; false with a failure as the answer. */
bool tpm_exchange(int fd, TpmVersion version, TpmRequest *request);

#endif
