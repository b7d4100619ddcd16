/*
 * Fuzzes JSON framing: any bytes, in pieces of any size, leave the stream usable, say the same
 * whatever the pieces, and what is emitted survives being written and read again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Emitted {
    GString *text; /* values and complaints, a line each */
} Emitted;

static char *reread(const char *text)
{
    g_autofree char *why = NULL;
    g_autoptr(JsonObject) value = NULL;
    bool is_read = json_parse(text, strlen(text), &value, &why);

    assert(is_read);
    return json_to_string(value);
}

/* A float may come back as an integer (-0.0 is written -0, read as 0), but only once. */
static void check_round_trip(const char *text)
{
    g_autofree char *second = reread(text);
    g_autofree char *third = reread(second);

    assert(!strcmp(second, third));
}

static void note(void *opaque, json_object *value, const char *why)
{
    Emitted *emitted = opaque;

    if (why) {
        g_string_append_printf(emitted->text, "error %s\n", why);
        return;
    }
    g_autofree char *text = json_to_string(value);
    check_round_trip(text);
    g_string_append_printf(emitted->text, "%s\n", text);
}

/* What the stream says of `data` fed in pieces of `step` bytes. */
static char *say(const uint8_t *data, size_t size, size_t step)
{
    Emitted emitted = { g_string_new(NULL) };
    JsonStream stream;

    json_stream_init(&stream, note, &emitted);
    for (size_t at = 0; at < size; at += step) {
        json_stream_feed(&stream, (const char *)data + at, MIN(step, size - at));
    }
    json_stream_finish(&stream);
    json_stream_clear(&stream);
    return g_string_free(emitted.text, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *whole = say(data, size, MAX(size, 1));
    g_autofree char *pieces = say(data, size, size ? 1 + data[0] % 7 : 1);

    assert(!strcmp(whole, pieces));
    return 0;
}
