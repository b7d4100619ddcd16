/*
 * Name and UUID: see system/identity.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-machine.h"
#include "qapi/qapi-commands-misc.h"
#include "system/identity.h"

static struct {
    char *name;
    uint8_t uuid[16];
    bool has_uuid;
} identity;

void identity_set_name(const char *name)
{
    g_free(identity.name);
    identity.name = g_strdup(name);
}

const char *identity_name(void)
{
    return identity.name;
}

bool identity_set_uuid(const char *text, Error **errp)
{
    if (!g_uuid_string_is_valid(text)) {
        return error_set(errp, "failed to parse UUID string: wrong format");
    }
    for (int i = 0; i < 16; text++) {
        if (*text != '-') {
            identity.uuid[i++] =
                g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
            text++;
        }
    }
    identity.has_uuid = true;
    return true;
}

const uint8_t *identity_uuid(void)
{
    return identity.uuid;
}

bool identity_has_uuid(void)
{
    return identity.has_uuid;
}

char *identity_uuid_text(void)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < 16; i++) {
        g_string_append_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               identity.uuid[i]);
    }
    return g_string_free(text, FALSE);
}

NameInfo *qmp_query_name(Error **errp)
{
    NameInfo *info = g_new0(NameInfo, 1);

    info->name = g_strdup(identity.name);
    return info;
}

UuidInfo *qmp_query_uuid(Error **errp)
{
    UuidInfo *info = g_new0(UuidInfo, 1);

    info->uuid = identity_uuid_text();
    return info;
}
