/*
 * Ciphers in a build without GnuTLS. See crypto/cipher.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "crypto/cipher.h"

bool aes_256_cbc_decrypt(const uint8_t *key, const uint8_t *iv, uint8_t *bytes, size_t size,
                         Error **errp)
{
    return error_set(errp, "this program is built without GnuTLS: nothing can be decrypted");
}
