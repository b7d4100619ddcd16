/*
 * secret: a password or key that stands in the options, or in a file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "crypto/secret.h"

typedef struct Secret {
    SecretCommon parent;
    char *data, *file; /* properties */
} Secret;
DECLARE_CAST(Secret, SECRET)

static uint8_t *secret_read(SecretCommon *common, size_t *size, Error **errp)
{
    const Secret *secret = SECRET(common);
    g_autoptr(GError) why = NULL;
    char *bytes;

    if (secret->data && secret->file) {
        error_set(errp, "'file' and 'data' are mutually exclusive");
        return NULL;
    }
    if (!secret->data && !secret->file) {
        error_set(errp, "Either 'file' or 'data' must be provided");
        return NULL;
    }
    if (secret->data) {
        *size = strlen(secret->data);
        return (uint8_t *)g_strdup(secret->data);
    }
    if (!g_file_get_contents(secret->file, &bytes, size, &why)) {
        error_set(errp, "Unable to read %s: %s", secret->file, why->message);
        return NULL;
    }
    return (uint8_t *)bytes;
}

static const Property secret_props[] = {
    PROP_STR("data", Secret, data, .doc = "The secret itself"),
    PROP_STR("file", Secret, file, .doc = "File that holds it"),
};

static const SecretType secret_type = {
    .name = "secret",
    .doc = "A password or key, in a file or here",
    .parent = TYPE_SECRET_COMMON,
    .size = sizeof(Secret),
    .properties = PROPERTIES(secret_props),
    .read = secret_read,
};
OBJECT_TYPE(secret_type)
