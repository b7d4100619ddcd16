/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/section.h"

static void put_text(VMWriter *w, const char *text)
{
    vm_put(w, strlen(text), 1);
    vm_put_bytes(w, text, strlen(text));
}

void section_begin(GByteArray *body, const Migratable *m)
{
    VMWriter w = { .out = body };

    g_byte_array_set_size(body, 0);
    put_text(&w, m->id);
    vm_put(&w, m->instance, 4);
    put_text(&w, m->state_name);
}

/* Only what is fit to be shown. */
static char *get_text(VMReader *r, Error **errp)
{
    uint64_t size;
    const uint8_t *text = vm_get(r, &size, 1, errp) ? vm_get_bytes(r, size, errp) : NULL;

    if (!text) {
        return NULL;
    }
    for (uint64_t i = 0; i < size; i++) {
        if (!g_ascii_isprint(text[i])) {
            error_set(errp, "a name with the byte 0x%02x", text[i]);
            return NULL;
        }
    }
    return g_strndup((const char *)text, size);
}

Migratable *section_find(VMReader *r, Error **errp)
{
    g_autofree char *id = get_text(r, errp), *state_name = NULL;
    uint64_t instance;
    Migratable *m;

    if (!id || !vm_get(r, &instance, 4, errp)) {
        return NULL;
    }
    state_name = get_text(r, errp);
    if (!state_name) {
        return NULL;
    }
    m = migratable_find(id, instance);
    if (!m) {
        error_set(errp, "Unknown section '%s' (%" PRIu64 "): this machine has no such '%s'", id,
                  instance, state_name);
        return NULL;
    }
    if (strcmp(m->state_name, state_name)) {
        error_set(errp, "section '%s' is a '%s' in the stream, a '%s' in this machine", id,
                  state_name, m->state_name);
        return NULL;
    }
    return m;
}

void section_prefix(const Migratable *m, Error **errp)
{
    if (m->instance) {
        error_prefix(errp, "section '%s' (%" PRIu32 "): ", m->id, m->instance);
    } else {
        error_prefix(errp, "section '%s': ", m->id);
    }
}
