/*
 * Ciphers, by GnuTLS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CRYPTO_CIPHER_H
#define CRYPTO_CIPHER_H

#include "qom/error.h"

#define AES_256_KEY_BYTES 32
#define AES_BLOCK_BYTES   16

/* In place; whole blocks. False: the library does not, or there is none. */
bool aes_256_cbc_decrypt(const uint8_t *key, const uint8_t *iv, uint8_t *bytes, size_t size,
                         Error **errp);

#endif
