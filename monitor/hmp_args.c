/*
 * Arguments of HMP commands: from what is typed to named JSON values, by the command's
 * declaration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp.h"

typedef struct ArgReader {
    const HmpSession *session;
    const HmpCommand *command;
    const char *at;
    json_object *result;
    char *why;
} ArgReader;

static bool fail(ArgReader *r, const char *fmt, ...) PRINTF(2, 3);
static bool fail(ArgReader *r, const char *fmt, ...)
{
    va_list ap;

    if (!r->why) {
        va_start(ap, fmt);
        r->why = g_strdup_vprintf(fmt, ap);
        va_end(ap);
    }
    return false;
}

static void skip_space(const char **at)
{
    while (g_ascii_isspace(**at)) {
        (*at)++;
    }
}

static bool is_at_end(ArgReader *r)
{
    skip_space(&r->at);
    return !*r->at;
}

static bool append_escape(GString *word, char c, char **why)
{
    static const char escapes[] = "n\nr\r\\\\''\"\"";

    for (const char *p = escapes; *p; p += 2) {
        if (*p == c) {
            g_string_append_c(word, p[1]);
            return true;
        }
    }
    *why = g_strdup_printf("unsupported escape code: '\\%c'", c);
    return false;
}

static char *next_quoted(const char **text, char **why)
{
    GString *word = g_string_new(NULL);
    const char *p = *text + 1;
    bool is_ok = true;

    while (is_ok && *p && *p != '"') {
        if (*p == '\\' && p[1]) {
            is_ok = append_escape(word, p[1], why);
            p += 2;
        } else {
            g_string_append_c(word, *p++);
        }
    }
    if (is_ok && *p != '"') {
        *why = g_strdup("unterminated string");
    }
    if (*why) {
        g_string_free(word, TRUE);
        return NULL;
    }
    *text = p + 1;
    return g_string_free(word, FALSE);
}

char *hmp_next_word(const char **text, char **why)
{
    const char *start;

    skip_space(text);
    if (**text == '"') {
        return next_quoted(text, why);
    }
    start = *text;
    while (**text && !g_ascii_isspace(**text)) {
        (*text)++;
    }
    return *text == start ? NULL : g_strndup(start, *text - start);
}

static bool read_word(ArgReader *r, const HmpArg *arg)
{
    g_autofree char *word = hmp_next_word(&r->at, &r->why);

    if (!word) {
        return fail(r, "%s: %s expected", r->command->name,
                    arg->kind == HMP_FILE ? "filename" : "string");
    }
    json_set(r->result, arg->name, json_string(word));
    return true;
}

static bool read_rest(ArgReader *r, const HmpArg *arg)
{
    if (is_at_end(r)) {
        return fail(r, "%s: string expected", r->command->name);
    }
    json_set(r->result, arg->name, json_string(r->at));
    r->at += strlen(r->at);
    return true;
}

static bool read_number(ArgReader *r, const HmpArg *arg)
{
    int64_t value;

    if (!hmp_evaluate(r->session, &r->at, &value, &r->why)) {
        return false;
    }
    if (arg->kind == HMP_INT && value != (int32_t)value && value != (uint32_t)value) {
        return fail(r, "'%s' has failed: integer is for 32-bit values", r->command->name);
    }
    json_set(r->result, arg->name, json_object_new_int64(value));
    return true;
}

static bool read_size(ArgReader *r, const HmpArg *arg)
{
    static const char suffixes[] = "bkmgtpe";
    g_autofree char *word = hmp_next_word(&r->at, &r->why);
    char *end = word;
    uint64_t value = 0;
    unsigned shift = arg->kind == HMP_MEGABYTES ? 20 : 0;

    errno = 0;
    if (word && *word != '-') {
        value = g_ascii_strtoull(word, &end, 0);
    }
    if (end != word && *end) {
        const char *suffix = strchr(suffixes, g_ascii_tolower(*end++));

        shift = suffix ? 10 * (suffix - suffixes) : 64;
    }
    if (end == word || *end || errno || shift == 64 || value << shift >> shift != value ||
        value << shift > INT64_MAX) {
        return fail(r, "invalid size");
    }
    json_set(r->result, arg->name, json_object_new_int64(value << shift));
    return true;
}

static bool read_bool(ArgReader *r, const HmpArg *arg)
{
    g_autofree char *word = hmp_next_word(&r->at, &r->why);

    if (!word || (strcmp(word, "on") && strcmp(word, "off"))) {
        return fail(r, "Expected 'on' or 'off'");
    }
    json_set(r->result, arg->name, json_object_new_boolean(!strcmp(word, "on")));
    return true;
}

/* "/", a count, letters: each is one of the formats or one of the sizes that `arg` declares. */
static bool read_format(ArgReader *r, const HmpArg *arg)
{
    const char *sizes = strchr(arg->format, '/');
    int64_t count = 1;

    if (*r->at == '/') {
        r->at++;
        if (g_ascii_isdigit(*r->at)) {
            count = g_ascii_strtoull(r->at, (char **)&r->at, 10);
            count = CLAMP(count, 0, INT32_MAX);
        }
        for (; *r->at && !g_ascii_isspace(*r->at); r->at++) {
            const char *found = strchr(arg->format, *r->at);

            if (!found || *r->at == '/') {
                return fail(r, "invalid char in format: '%c'", *r->at);
            }
            json_set(r->result, found > sizes ? "size" : "format",
                     json_object_new_string_len(r->at, 1));
        }
    }
    json_set(r->result, "count", json_object_new_int64(count));
    return true;
}

static bool read_arg(ArgReader *r, const HmpArg *arg)
{
    switch (arg->kind) {
    case HMP_WORD:
    case HMP_FILE:
        return read_word(r, arg);
    case HMP_REST:
        return read_rest(r, arg);
    case HMP_INT:
    case HMP_LONG:
        return read_number(r, arg);
    case HMP_SIZE:
    case HMP_MEGABYTES:
        return read_size(r, arg);
    case HMP_BOOL:
        return read_bool(r, arg);
    default:
        return read_format(r, arg);
    }
}

static bool is_flag(const ArgReader *r)
{
    return r->at[0] == '-' && g_ascii_isalpha(r->at[1]) &&
        (!r->at[2] || g_ascii_isspace(r->at[2]));
}

/* Flags that stand here, in any order; `*arg` moves behind the declared ones. */
static bool read_flags(ArgReader *r, const HmpArg **arg)
{
    const HmpArg *first = *arg;

    while ((*arg)->name && (*arg)->kind == HMP_FLAG) {
        (*arg)++;
    }
    while (first != *arg && !is_at_end(r) && is_flag(r)) {
        const HmpArg *flag = first;

        while (flag != *arg && flag->flag != r->at[1]) {
            flag++;
        }
        if (flag == *arg) {
            return fail(r, "%s: unsupported option -%c", r->command->name, r->at[1]);
        }
        r->at += 2;
        if (!flag->has_word) {
            json_set(r->result, flag->name, json_object_new_boolean(true));
        } else if (!read_word(r, flag)) {
            return false;
        }
    }
    return true;
}

static bool read_args(ArgReader *r)
{
    for (const HmpArg *arg = r->command->args; arg && arg->name; arg++) {
        if (arg->kind == HMP_FLAG) {
            if (!read_flags(r, &arg)) {
                return false;
            }
            arg--;
            continue;
        }
        if (is_at_end(r) && arg->is_optional) {
            continue;
        }
        if (!read_arg(r, arg)) {
            return false;
        }
    }
    return is_at_end(r) ||
        fail(r, "%s: extraneous characters at the end of line", r->command->name);
}

json_object *hmp_parse_args(const HmpSession *session, const HmpCommand *command,
                            const char *text, char **why)
{
    ArgReader r = { .session = session, .command = command, .at = text, .result = json_object_new_object() };

    if (!read_args(&r)) {
        json_unref(r.result);
        *why = r.why;
        return NULL;
    }
    return r.result;
}
