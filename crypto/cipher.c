/*
 * See crypto/cipher.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "crypto/cipher.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

bool aes_256_cbc_decrypt(const uint8_t *key, const uint8_t *iv, uint8_t *bytes, size_t size,
                         Error **errp)
{
    gnutls_datum_t key_datum = { (uint8_t *)key, AES_256_KEY_BYTES };
    gnutls_datum_t iv_datum = { (uint8_t *)iv, AES_BLOCK_BYTES };
    gnutls_cipher_hd_t cipher;
    int err = gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_CBC, &key_datum, &iv_datum);

    if (!err) {
        err = gnutls_cipher_decrypt(cipher, bytes, size);
        gnutls_cipher_deinit(cipher);
    }
    return !err || error_set(errp, "AES-256 does not decrypt: %s", gnutls_strerror(err));
}
