/*
 * What secrets share: a format, and that they may be encrypted with another one (AES-256 in CBC
 * mode, padded as PKCS #7 has it).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "crypto/secret.h"

#include "crypto/cipher.h"
#include "qapi/qapi-types-crypto.h"
#include "qom/user_creatable.h"

static void forget(uint8_t *bytes, size_t size)
{
    if (bytes) {
        explicit_bzero(bytes, size);
        g_free(bytes);
    }
}

static const SecretCommon *find(const char *id, Error **errp)
{
    Object *obj = object_child(object_container("/objects"), id);

    if (!obj || !object_is_a(obj, TYPE_SECRET_COMMON) || !SECRET_COMMON(obj)->bytes) {
        error_set(errp, "No secret with id '%s'", id);
        return NULL;
    }
    return SECRET_COMMON(obj);
}

const uint8_t *secret_bytes(const char *id, size_t *size, Error **errp)
{
    const SecretCommon *secret = find(id, errp);

    *size = secret ? secret->size : 0;
    return secret ? secret->bytes : NULL;
}

const char *secret_text(const char *id, Error **errp)
{
    size_t size;
    const char *text = (const char *)secret_bytes(id, &size, errp);

    if (text && !g_utf8_validate(text, size, NULL)) {
        error_set(errp, "Data from secret %s is not valid UTF-8", id);
        return NULL;
    }
    return text;
}

/* To be freed; a zero behind it. Blanks are as good as none. */
static uint8_t *decode_base64(const char *text, size_t length, size_t *size, Error **errp)
{
    uint8_t *bytes;

    if (memchr(text, 0, length)) {
        error_set(errp, "Base64 data contains embedded NULs");
        return NULL;
    }
    if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n") != length) {
        error_set(errp, "Base64 data contains invalid characters");
        return NULL;
    }
    bytes = g_base64_decode(text, size);
    bytes = g_realloc(bytes, *size + 1);
    bytes[*size] = 0;
    return bytes;
}

/* In place. The last byte tells how many are padding. */
static bool decrypt(const SecretCommon *secret, uint8_t *bytes, size_t *size, Error **errp)
{
    g_autofree uint8_t *iv = NULL;
    size_t key_bytes, iv_bytes;
    const uint8_t *key = secret_bytes(secret->key_id, &key_bytes, errp);

    if (!key) {
        return false;
    }
    if (key_bytes != AES_256_KEY_BYTES) {
        return error_set(errp, "Key should be %d bytes in length", AES_256_KEY_BYTES);
    }
    if (!secret->iv) {
        return error_set(errp, "IV is required to decrypt secret");
    }
    iv = decode_base64(secret->iv, strlen(secret->iv), &iv_bytes, errp);
    if (!iv) {
        return false;
    }
    if (iv_bytes != AES_BLOCK_BYTES) {
        return error_set(errp, "IV should be %d bytes in length not %zu", AES_BLOCK_BYTES, iv_bytes);
    }
    if (*size % AES_BLOCK_BYTES) {
        return error_set(errp, "Length %zu must be a multiple of block size %d", *size,
                         AES_BLOCK_BYTES);
    }
    if (*size && !aes_256_cbc_decrypt(key, iv, bytes, *size, errp)) {
        return false;
    }
    if (*size && (!bytes[*size - 1] || bytes[*size - 1] > AES_BLOCK_BYTES)) {
        return error_set(errp, "Incorrect number of padding bytes (%d) found on decrypted data",
                         bytes[*size - 1]);
    }
    *size -= *size ? bytes[*size - 1] : 0;
    bytes[*size] = 0;
    return true;
}

static bool secret_common_complete(Object *obj, Error **errp)
{
    SecretCommon *secret = SECRET_COMMON(obj);
    size_t given_size, size;
    uint8_t *given = ((const SecretType *)object_ops(secret))->read(secret, &given_size, errp);
    uint8_t *bytes = given;

    if (!given) {
        return false;
    }
    size = given_size;
    if (secret->format == Q_CRYPTO_SECRET_FORMAT_BASE64) {
        bytes = decode_base64((char *)given, given_size, &size, errp);
        forget(given, given_size);
    }
    given_size = size;
    if (bytes && secret->key_id && !decrypt(secret, bytes, &size, errp)) {
        forget(bytes, given_size);
        return false;
    }
    secret->bytes = bytes;
    secret->size = size;
    return bytes;
}

static void secret_common_finalize(Object *obj)
{
    forget(SECRET_COMMON(obj)->bytes, SECRET_COMMON(obj)->size);
}

static json_object *get_loaded(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(SECRET_COMMON(obj)->bytes != NULL);
}

static const Property secret_common_props[] = {
    PROP_ENUM("format", SecretCommon, format, q_crypto_secret_format_names, .has_no_default = true,
              .doc = "How it is written: raw or base64"),
    PROP_STR("keyid", SecretCommon, key_id, .doc = "Id of the secret that it is encrypted with"),
    PROP_STR("iv", SecretCommon, iv, .doc = "Start vector of the encryption, in base64"),
    PROP_COMPUTED("loaded", "bool", .get = get_loaded, .is_read_only = true,
                  .doc = "It can be used"),
};
static const UserCreatable secret_common_creatable = { .complete = secret_common_complete };

static const SecretType secret_common_type = {
    .name = TYPE_SECRET_COMMON,
    .doc = "A password or key",
    .size = sizeof(SecretCommon),
    .is_abstract = true,
    .properties = PROPERTIES(secret_common_props),
    .finalize = secret_common_finalize,
    .interfaces =
        (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &secret_common_creatable }, { 0 } },
};
OBJECT_TYPE(secret_common_type)
