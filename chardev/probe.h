/*
 * For tests: a front end that remembers what it was given, and chardevs from JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_PROBE_H
#define CHARDEV_PROBE_H

#include "chardev/backend.h"

typedef struct Probe {
    CharFrontend fe;
    GString *bytes;
    GString *events; /* O, C, B, I (mux in), U (mux out) */
    size_t room;
    unsigned changes;
    bool refuses_change;
} Probe;

static inline size_t probe_can_read(void *opaque)
{
    return ((Probe *)opaque)->room;
}

static inline void probe_read(void *opaque, const uint8_t *bytes, size_t size)
{
    Probe *p = opaque;

    g_assert_cmpuint(size, <=, p->room);
    g_string_append_len(p->bytes, (const char *)bytes, size);
}

static inline void probe_event(void *opaque, CharEvent event)
{
    g_string_append_c(((Probe *)opaque)->events, "OCBIU"[event]);
}

static inline bool probe_changed(void *opaque, Error **errp)
{
    Probe *p = opaque;

    p->changes++;
    return !p->refuses_change || error_set(errp, "probe refuses");
}

static const CharHandlers probe_handlers = {
    .can_read = probe_can_read,
    .read = probe_read,
    .event = probe_event,
    .changed = probe_changed,
};

static inline void probe_init(Probe *p, Chardev *chr)
{
    Error *err = NULL;

    *p = (Probe){ .bytes = g_string_new(NULL), .events = g_string_new(NULL), .room = 4096 };
    g_assert_nonnull(chr);
    char_frontend_attach(&p->fe, chr, &err);
    g_assert_null(err);
    char_frontend_set_handlers(&p->fe, &probe_handlers, p, NULL);
}

static inline void probe_clear(Probe *p)
{
    char_frontend_detach(&p->fe);
    g_string_free(p->bytes, TRUE);
    g_string_free(p->events, TRUE);
}

/* Turns the main loop till `*text` is as long as `expected`, then compares. */
static inline void probe_wait(GString *text, const char *expected)
{
    while (text->len < strlen(expected)) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static inline ChardevBackend *backend_from(const char *text, Error **errp)
{
    json_object *json = NULL;
    ChardevBackend *backend;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    backend = chardev_backend_from_json(json, QAPI_TYPED, errp);
    json_unref(json);
    return backend;
}

G_GNUC_PRINTF(2, 3)
static inline Chardev *try_add(const char *id, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    ChardevBackend *backend;
    Error *err = NULL;
    Chardev *chr;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    backend = backend_from(text, &err);
    g_assert_null(err);
    chr = chardev_add(id, backend, &err);
    chardev_backend_free(backend);
    if (err) {
        g_test_message("%s", error_text(err));
        error_free(err);
    }
    return chr;
}

static inline void remove_ok(const char *id)
{
    Error *err = NULL;

    chardev_remove(id, &err);
    g_assert_null(err);
}

static inline void expect_error(Error *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_text(err), ==, text);
    error_free(err);
}

static inline void add_fails(const char *id, const char *json, const char *text)
{
    Error *err = NULL;
    ChardevBackend *backend = backend_from(json, &err);

    g_assert_null(err);
    g_assert_null(chardev_add(id, backend, &err));
    expect_error(err, text);
    chardev_backend_free(backend);
}

#endif
