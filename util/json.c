/*
 * JSON framing and output: see util/json.h. A small scanner finds where values begin and end
 * and normalises quotes; json-c's tokener does the parsing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/json.h"

#include <math.h>

enum {
    S_START,  /* between values */
    S_WORD,   /* in a number or literal at top level */
    S_NESTED, /* inside brackets, outside strings */
    S_STRING,
    S_ESCAPE, /* after a backslash in a string */
    S_SKIP,   /* in garbage */
    S_STRAY,  /* behind a byte that begins nothing */
};

void json_stream_init(JsonStream *s, JsonStreamEmit *emit, void *opaque)
{
    *s = (JsonStream){
        .emit = emit,
        .opaque = opaque,
        .text = g_string_new(NULL),
        .nesting = g_byte_array_new(),
        .tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1),
    };
    json_tokener_set_flags(s->tokener, JSON_TOKENER_STRICT);
}

void json_stream_reset(JsonStream *s)
{
    if (s->text->allocated_len > 64 * KiB) {
        g_string_free(s->text, TRUE);
        s->text = g_string_new(NULL);
    }
    g_string_truncate(s->text, 0);
    g_byte_array_set_size(s->nesting, 0);
    s->colons = 0;
    s->skip_depth = 0;
    s->state = S_START;
}

void json_stream_clear(JsonStream *s)
{
    g_string_free(s->text, TRUE);
    g_byte_array_free(s->nesting, TRUE);
    json_tokener_free(s->tokener);
}

/* Counts members into *members; false if a number is too large or none (json-c reads NaN). */
static bool survey(json_object *value, size_t *members)
{
    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach (value, key, member) {
            (void)key;
            ++*members;
            if (!survey(member, members)) {
                return false;
            }
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            if (!survey(json_object_array_get_idx(value, i), members)) {
                return false;
            }
        }
    } else if (json_object_is_type(value, json_type_double)) {
        return isfinite(json_object_get_double(value));
    }
    return true;
}

static void make_valid_utf8(GString *text)
{
    if (!g_utf8_validate(text->str, text->len, NULL)) {
        g_autofree char *valid = g_utf8_make_valid(text->str, text->len);

        g_string_assign(text, valid);
    }
}

/* The value in s->text is complete: parse and emit it. */
static void stream_complete(JsonStream *s)
{
    json_object *value;
    enum json_tokener_error err;
    const char *why = NULL;
    size_t members = 0;

    make_valid_utf8(s->text);
    g_string_append_c(s->text, ' '); /* ends a bare number for the tokener */
    json_tokener_reset(s->tokener);
    value = json_tokener_parse_ex(s->tokener, s->text->str, s->text->len);
    err = json_tokener_get_error(s->tokener);
    if (err != json_tokener_success) {
        why = err == json_tokener_continue ? "premature end" : json_tokener_error_desc(err);
    } else if (!survey(value, &members)) {
        why = "number out of range";
    } else if (s->colons != members) {
        why = "duplicate key";
    }
    json_stream_reset(s);
    s->emit(s->opaque, why ? NULL : value, why);
    json_unref(value);
}

/* Something is wrong at this byte. Skips what is left of an open value. */
static void stream_broken(JsonStream *s, const char *why)
{
    unsigned depth = s->nesting->len;

    json_stream_reset(s);
    if (depth) {
        s->state = S_SKIP;
        s->skip_depth = depth;
    }
    s->emit(s->opaque, NULL, why);
}

static void stream_open(JsonStream *s, char c)
{
    guint8 byte = c;

    if (s->nesting->len >= JSON_MAX_DEPTH) {
        stream_broken(s, "nesting too deep");
        return;
    }
    g_byte_array_append(s->nesting, &byte, 1);
    g_string_append_c(s->text, c);
    s->state = S_NESTED;
}

static void stream_close(JsonStream *s, char c)
{
    guint8 open = s->nesting->len ? s->nesting->data[s->nesting->len - 1] : 0;

    if (open != (c == '}' ? '{' : '[')) {
        json_stream_reset(s);
        s->emit(s->opaque, NULL, "unbalanced brackets");
        return;
    }
    g_byte_array_set_size(s->nesting, s->nesting->len - 1);
    g_string_append_c(s->text, c);
    if (!s->nesting->len) {
        stream_complete(s);
    }
}

static bool is_word_byte(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '+' || c == '.';
}

static void stream_token_byte(JsonStream *s, char c)
{
    switch (c) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        if (s->nesting->len) {
            g_string_append_c(s->text, ' ');
        }
        break;
    case '{':
    case '[':
        stream_open(s, c);
        break;
    case '}':
    case ']':
        stream_close(s, c);
        break;
    case '"':
    case '\'':
        s->quote = c;
        g_string_append_c(s->text, '"');
        s->state = S_STRING;
        break;
    case ':':
    case ',':
        if (!s->nesting->len) {
            stream_broken(s, "unexpected delimiter");
            break;
        }
        s->colons += c == ':';
        g_string_append_c(s->text, c);
        break;
    default:
        if (is_word_byte(c)) {
            g_string_append_c(s->text, c);
            s->state = s->nesting->len ? S_NESTED : S_WORD;
            break;
        }
        stream_broken(s, "invalid character");
        if (s->state != S_SKIP) {
            s->state = S_STRAY;
        } else if ((unsigned char)c < 0x20) {
            json_stream_reset(s);
        }
    }
}

static void stream_string_byte(JsonStream *s, char c)
{
    if ((unsigned char)c < 0x20) {
        json_stream_reset(s);
        s->emit(s->opaque, NULL, "control character in string");
    } else if (c == s->quote) {
        g_string_append_c(s->text, '"');
        s->state = S_NESTED;
        if (!s->nesting->len) {
            stream_complete(s);
        }
    } else if (c == '\\') {
        s->state = S_ESCAPE;
    } else if (c == '"') {
        g_string_append(s->text, "\\\"");
    } else {
        g_string_append_c(s->text, c);
    }
}

static void stream_escape_byte(JsonStream *s, char c)
{
    s->state = S_STRING;
    if (c == '\'') {
        g_string_append_c(s->text, c);
    } else if (c && strchr("\"\\/bfnrtu", c)) {
        g_string_append_c(s->text, '\\');
        g_string_append_c(s->text, c);
    } else {
        stream_broken(s, "invalid escape in string");
    }
}

static void stream_skip_byte(JsonStream *s, char c)
{
    if (c == '{' || c == '[') {
        s->skip_depth++;
    } else if (c == '}' || c == ']') {
        s->skip_depth--;
    }
    if (!s->skip_depth || (unsigned char)c < 0x20) {
        json_stream_reset(s);
    }
}

static void stream_byte(JsonStream *s, char c)
{
    if ((unsigned char)c == 0xff) {
        bool was_skipping = s->state == S_SKIP;

        json_stream_reset(s);
        if (!was_skipping) {
            s->emit(s->opaque, NULL, "invalid character");
        }
        return;
    }
    switch (s->state) {
    case S_WORD:
        if (is_word_byte(c)) {
            g_string_append_c(s->text, c);
            break;
        }
        stream_complete(s);
        stream_token_byte(s, c);
        break;
    case S_STRAY: /* "%s" is one mistake */
        if (is_word_byte(c)) {
            break;
        }
        json_stream_reset(s);
        G_GNUC_FALLTHROUGH;
    case S_START:
    case S_NESTED:
        stream_token_byte(s, c);
        break;
    case S_STRING:
        stream_string_byte(s, c);
        break;
    case S_ESCAPE:
        stream_escape_byte(s, c);
        break;
    case S_SKIP:
        stream_skip_byte(s, c);
        break;
    }
    if (s->text->len > JSON_MAX_BYTES) {
        stream_broken(s, "value too large");
    }
}

void json_stream_feed(JsonStream *s, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        stream_byte(s, bytes[i]);
    }
}

void json_stream_finish(JsonStream *s)
{
    if (s->state == S_WORD) {
        stream_complete(s);
    } else if (s->state != S_START && s->state != S_SKIP && s->state != S_STRAY) {
        json_stream_reset(s);
        s->emit(s->opaque, NULL, "premature end");
    }
    json_stream_reset(s);
}

typedef struct Document {
    json_object *value;
    char *why;
    unsigned count;
} Document;

static void document_emit(void *opaque, json_object *value, const char *why)
{
    Document *doc = opaque;

    if (doc->count++ == 0) {
        doc->value = json_ref(value);
    }
    if (!doc->why && (why || doc->count > 1)) {
        doc->why = g_strdup(why ? why : "text after the value");
    }
}

bool json_parse(const char *text, size_t size, json_object **value, char **why)
{
    Document doc = { 0 };
    JsonStream stream;

    json_stream_init(&stream, document_emit, &doc);
    json_stream_feed(&stream, text, size);
    json_stream_finish(&stream);
    json_stream_clear(&stream);
    if (!doc.count) {
        doc.why = g_strdup("no value");
    }
    if (doc.why) {
        json_unref(doc.value);
        *value = NULL;
        *why = doc.why;
        return false;
    }
    *value = doc.value;
    return true;
}

static void append_escaped(GString *out, gunichar c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (const char *p = letters; *p; p += 2) {
        if ((gunichar)*p == c) {
            g_string_append_c(out, '\\');
            g_string_append_c(out, p[1]);
            return;
        }
    }
    if (c >= 0x10000) {
        c -= 0x10000;
        g_string_append_printf(out, "\\u%04X", 0xd800 + (c >> 10));
        c = 0xdc00 + (c & 0x3ff);
    }
    g_string_append_printf(out, "\\u%04X", c);
}

static void append_string(GString *out, const char *text, size_t size)
{
    const char *end = text + size, *run = text;

    g_string_append_c(out, '"');
    while (text < end) {
        gunichar c = (unsigned char)*text;

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            text++;
            continue;
        }
        g_string_append_len(out, run, text - run);
        if (c >= 0x80) {
            c = g_utf8_get_char_validated(text, end - text);
            if (c >= (gunichar)-2) {
                c = 0xfffd;
                text++;
            } else {
                text = g_utf8_next_char(text);
            }
        } else {
            text++;
        }
        append_escaped(out, c);
        run = text;
    }
    g_string_append_len(out, run, text - run);
    g_string_append_c(out, '"');
}

static void append_break(GString *out, bool is_pretty, unsigned depth)
{
    if (is_pretty) {
        g_string_append_printf(out, "\n%*s", depth * 4, "");
    }
}

static void append_value(GString *out, json_object *value, bool is_pretty, unsigned depth);

static void append_object(GString *out, json_object *value, bool is_pretty, unsigned depth)
{
    bool is_first = true;

    g_string_append_c(out, '{');
    json_object_object_foreach (value, key, member) {
        if (!is_first) {
            g_string_append(out, is_pretty ? "," : ", ");
        }
        is_first = false;
        append_break(out, is_pretty, depth + 1);
        append_string(out, key, strlen(key));
        g_string_append(out, ": ");
        append_value(out, member, is_pretty, depth + 1);
    }
    if (!is_first) {
        append_break(out, is_pretty, depth);
    }
    g_string_append_c(out, '}');
}

static void append_array(GString *out, json_object *value, bool is_pretty, unsigned depth)
{
    size_t count = json_object_array_length(value);

    g_string_append_c(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i) {
            g_string_append(out, is_pretty ? "," : ", ");
        }
        append_break(out, is_pretty, depth + 1);
        append_value(out, json_object_array_get_idx(value, i), is_pretty, depth + 1);
    }
    if (count) {
        append_break(out, is_pretty, depth);
    }
    g_string_append_c(out, ']');
}

static void append_number(GString *out, json_object *value)
{
    int64_t number;
    uint64_t large;
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (json_object_is_type(value, json_type_double)) {
        g_string_append(out, g_ascii_formatd(text, sizeof(text), "%.17g",
                                             json_object_get_double(value)));
    } else if (json_get_int64(value, &number)) {
        g_string_append_printf(out, "%" PRId64, number);
    } else if (json_get_uint64(value, &large)) {
        g_string_append_printf(out, "%" PRIu64, large);
    }
}

static void append_value(GString *out, json_object *value, bool is_pretty, unsigned depth)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        g_string_append(out, "null");
        break;
    case json_type_boolean:
        g_string_append(out, json_object_get_boolean(value) ? "true" : "false");
        break;
    case json_type_double:
    case json_type_int:
        append_number(out, value);
        break;
    case json_type_string:
        append_string(out, json_object_get_string(value), json_object_get_string_len(value));
        break;
    case json_type_object:
        append_object(out, value, is_pretty, depth);
        break;
    case json_type_array:
        append_array(out, value, is_pretty, depth);
        break;
    }
}

void json_append(GString *out, json_object *value, bool is_pretty)
{
    append_value(out, value, is_pretty, 0);
}

char *json_to_string(json_object *value)
{
    GString *out = g_string_new(NULL);

    json_append(out, value, false);
    return g_string_free(out, FALSE);
}

bool json_get_int64(json_object *value, int64_t *out)
{
    if (!json_object_is_type(value, json_type_int)) {
        return false;
    }
    *out = json_object_get_int64(value);
    return *out != INT64_MAX || json_object_get_uint64(value) == INT64_MAX;
}

bool json_get_uint64(json_object *value, uint64_t *out)
{
    if (!json_object_is_type(value, json_type_int)) {
        return false;
    }
    *out = json_object_get_uint64(value);
    return json_object_get_int64(value) >= 0;
}

const char *json_type_word(json_object *value)
{
    static const char *const words[] = {
        [json_type_null] = "null",       [json_type_boolean] = "boolean",
        [json_type_double] = "number",   [json_type_int] = "integer",
        [json_type_object] = "object",   [json_type_array] = "array",
        [json_type_string] = "string",
    };

    return words[json_object_get_type(value)];
}
