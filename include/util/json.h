/*
 * JSON on json-c: values are json-c's own `json_object *` (NULL is JSON null). This adds what
 * the wire needs: framing of a byte stream into values with exact recovery from garbage, and
 * pure-ASCII output.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_JSON_H
#define UTIL_JSON_H

#include <json-c/json.h>

#define JSON_MAX_DEPTH 1024
#define JSON_MAX_BYTES (64u * 1024 * 1024)

/*
 * Called once per value, in stream order. `why` is NULL for a good value (`value` is then
 * borrowed: take a reference to keep it), else the reason, and the stream has resynchronised.
 */
typedef void JsonStreamEmit(void *opaque, json_object *value, const char *why);

/*
 * Single or double quoted strings, any white space between values. A byte that cannot start a
 * token is one error; after a broken value the stream goes on behind the next control
 * character (newline) or where its brackets balance. 0xff always resets the stream.
 */
typedef struct JsonStream {
    JsonStreamEmit *emit;
    void *opaque;
    GString *text;       /* the value so far, quotes normalised */
    GByteArray *nesting; /* open brackets */
    size_t colons;       /* members seen: tells duplicate keys */
    unsigned skip_depth; /* brackets open while skipping garbage */
    unsigned char state;
    char quote;
    struct json_tokener *tokener;
} JsonStream;

void json_stream_init(JsonStream *s, JsonStreamEmit *emit, void *opaque);
void json_stream_feed(JsonStream *s, const char *bytes, size_t size);
/* The end of input: a value that stands at the end without a delimiter is emitted. */
void json_stream_finish(JsonStream *s);
void json_stream_reset(JsonStream *s);
void json_stream_clear(JsonStream *s);

/* One whole document. False: *why (g_free) says what is wrong. *value is owned by the caller. */
bool json_parse(const char *text, size_t size, json_object **value, char **why);

/* Appends `value` as ASCII JSON; pretty uses four blanks an indent and LF. */
void json_append(GString *out, json_object *value, bool is_pretty);
char *json_to_string(json_object *value);

static inline void json_unref(json_object *value)
{
    json_object_put(value);
}

static inline json_object *json_ref(json_object *value)
{
    return json_object_get(value);
}

/* Adds a member, taking over `value`. */
static inline void json_set(json_object *object, const char *key, json_object *value)
{
    json_object_object_add(object, key, value);
}

static inline json_object *json_string(const char *text)
{
    return json_object_new_string(text);
}

/* Borrowed member or NULL; use json_object_object_get_ex() to tell null from absent. */
static inline json_object *json_member(json_object *object, const char *key)
{
    return json_object_object_get(object, key);
}

/* True for a number that fits int64_t (uint64_t); doubles never do. */
bool json_get_int64(json_object *value, int64_t *out);
bool json_get_uint64(json_object *value, uint64_t *out);
/* "string", "integer", "number", "boolean", "object", "array" or "null". */
const char *json_type_word(json_object *value);

typedef json_object JsonObject;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonObject, json_unref)

#endif
