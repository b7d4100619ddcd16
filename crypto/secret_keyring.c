/*
 * secret_keyring: a password or key in the kernel's key ring (keyctl(2)).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include "crypto/secret.h"

typedef struct SecretKeyring {
    SecretCommon parent;
    int32_t serial; /* property */
} SecretKeyring;
DECLARE_CAST(SecretKeyring, SECRET_KEYRING)

static long read_key(int32_t serial, uint8_t *bytes, size_t size)
{
    return syscall(SYS_keyctl, KEYCTL_READ, serial, bytes, size);
}

/* Asked again if it grew meanwhile. */
static uint8_t *secret_keyring_read(SecretCommon *common, size_t *size, Error **errp)
{
    int32_t serial = SECRET_KEYRING(common)->serial;
    uint8_t *bytes = NULL;
    long room = 0, got;

    while ((got = read_key(serial, bytes, room)) > room) {
        bytes = g_realloc(bytes, got + 1);
        room = got;
    }
    if (got < 0) {
        error_set_errno(errp, errno, "Unable to read serial key %08x", (uint32_t)serial);
        g_free(bytes);
        return NULL;
    }
    bytes = g_realloc(bytes, got + 1);
    bytes[got] = 0;
    *size = got;
    return bytes;
}

static const Property secret_keyring_props[] = {
    PROP_I32("serial", SecretKeyring, serial, .has_no_default = true, .doc = "Number of the key"),
};

static const SecretType secret_keyring_type = {
    .name = "secret_keyring",
    .doc = "A password or key in the kernel's key ring",
    .parent = TYPE_SECRET_COMMON,
    .size = sizeof(SecretKeyring),
    .properties = PROPERTIES(secret_keyring_props),
    .read = secret_keyring_read,
};
OBJECT_TYPE(secret_keyring_type)
