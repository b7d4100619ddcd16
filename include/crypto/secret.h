/*
 * Secrets: passwords and keys that users hand over as objects (-object secret), so that they need
 * not stand on command lines. Others name them by id. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "qom/error.h"
#include "qom/object.h"

#define TYPE_SECRET_COMMON "secret_common"

/* The bytes of the secret `id`, borrowed as long as it lives and followed by a zero; or NULL. */
const uint8_t *secret_bytes(const char *id, size_t *size, Error **errp);
/* The same as text: UTF-8 without zeros. */
const char *secret_text(const char *id, Error **errp);

/* --- for kinds of secrets --- */

typedef struct SecretCommon {
    Object parent;
    int format; /* properties: how it is written, and by what it is encrypted */
    char *key_id, *iv;
    uint8_t *bytes;
    size_t size;
} SecretCommon;
DECLARE_CAST(SecretCommon, SECRET_COMMON)

typedef struct SecretType {
    struct ObjectType;
    /* What the user gave, as it is written: to be freed, a zero behind it. NULL: an error. */
    uint8_t *(*read)(SecretCommon *secret, size_t *size, Error **errp);
} SecretType;

#endif
