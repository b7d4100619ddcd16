/*
 * Running a line of HMP: finding its command, reading its arguments, printing what comes of it;
 * help; completion.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp.h"
#include "monitor_state.h"
#include "qapi/command.h"

void hmp_session_init(HmpSession *session)
{
    *session = (HmpSession){ .cpu_index = -1 };
}

/* --- printing --- */

void hmp_printf(Hmp *hmp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(hmp->out, fmt, ap);
    va_end(ap);
}

void hmp_report(Hmp *hmp, Error *err)
{
    if (err) {
        hmp_printf(hmp, "Error: %s\n%s", error_text(err), error_hint_text(err));
        error_free(err);
    }
}

/* What error_report() and the like say while a command runs. */
static void hmp_redirected(void *opaque, const char *line)
{
    Hmp *hmp = opaque;

    g_string_append(hmp->out, line);
    if (!g_str_has_suffix(line, "\n")) {
        g_string_append_c(hmp->out, '\n');
    }
}

const char *hmp_text(json_object *object, const char *key)
{
    json_object *value = json_member(object, key);

    return value ? json_object_get_string(value) : "";
}

int64_t hmp_int(json_object *object, const char *key)
{
    return json_object_get_int64(json_member(object, key));
}

bool hmp_bool(json_object *object, const char *key)
{
    return json_object_get_boolean(json_member(object, key));
}

bool hmp_has(json_object *object, const char *key)
{
    return json_object_object_get_ex(object, key, NULL);
}

/* --- commands --- */

bool hmp_command_exists(const HmpCommand *command)
{
    return !command->qmp || qmp_command_find(command->qmp);
}

bool hmp_command_has_name(const HmpCommand *command, const char *name, size_t size)
{
    const char *p = command->name;

    while (true) {
        size_t length = strcspn(p, "|");

        if (length == size && !memcmp(p, name, size)) {
            return true;
        }
        if (!p[length]) {
            return false;
        }
        p += length + 1;
    }
}

static const HmpCommand *find_command(const HmpCommand *table, const char *name, size_t size)
{
    for (const HmpCommand *c = table; c->name; c++) {
        if (hmp_command_has_name(c, name, size)) {
            return hmp_command_exists(c) ? c : NULL;
        }
    }
    return NULL;
}

const HmpCommand *hmp_command_find(const HmpCommand *table, const char *name)
{
    return find_command(table, name, strlen(name));
}

bool hmp_call(Hmp *hmp, const char *qmp, json_object *args, json_object **value)
{
    const QmpCommand *command = qmp_command_find(qmp);
    json_object *returned = NULL;
    Error *err = NULL;

    if (!command) {
        error_set(&err, "The command %s has not been found", qmp);
    } else if (monitor_is_preconfig() && !(command->flags & QMP_ALLOW_PRECONFIG)) {
        error_set(&err, "The command '%s' is permitted only after machine initialization has "
                  "completed", qmp);
    } else {
        qmp_command_run(command, args, &returned, &err);
    }
    if (err) {
        hmp_report(hmp, err);
        json_unref(returned);
        return false;
    }
    if (value) {
        *value = returned;
    } else {
        json_unref(returned);
    }
    return true;
}

static void run_command(Hmp *hmp, const HmpCommand *command, json_object *args)
{
    g_autoptr(JsonObject) value = NULL;

    if (command->run) {
        command->run(hmp, args);
    } else if (hmp_call(hmp, command->qmp, args, &value) && command->show) {
        command->show(hmp, value);
    }
}

/* A name ends where '/', which begins a format, or a blank stands. */
static size_t name_length(const char *text)
{
    return strcspn(text, "/ \t\r\n\v\f");
}

static const char *skip_space(const char *text)
{
    while (g_ascii_isspace(*text)) {
        text++;
    }
    return text;
}

/* The command of a line and, for info, the one in its table; *args is what follows. */
static const HmpCommand *line_command(const char *line, const char **args, bool *is_sub)
{
    const char *at = skip_space(line);
    const HmpCommand *command = find_command(hmp_commands, at, name_length(at));

    at = skip_space(at + name_length(at));
    *is_sub = command && command->sub && *at;
    if (*is_sub) {
        command = find_command(command->sub, at, name_length(at));
        at = skip_space(at + name_length(at));
    }
    *args = at;
    return command;
}

static void print_unknown(Hmp *hmp, const char *line)
{
    const char *at = skip_space(line);
    size_t size = name_length(at);
    const HmpCommand *command = find_command(hmp_commands, at, size);

    if (command && command->sub) {
        const char *sub = skip_space(at + size);

        size = sub + name_length(sub) - at;
    }
    hmp_printf(hmp, "unknown command: '%.*s'\n", (int)size, at);
}

static void run_line(Hmp *hmp, const char *line)
{
    g_autoptr(JsonObject) args = NULL;
    g_autofree char *why = NULL;
    const char *text;
    bool is_sub;
    const HmpCommand *command = line_command(line, &text, &is_sub);

    if (!command) {
        print_unknown(hmp, line);
        return;
    }
    if (monitor_is_preconfig() && !command->allow_preconfig) {
        hmp_printf(hmp, "Command '%.*s' not available with -preconfig until after exit_preconfig."
                   "\n", (int)strcspn(command->name, "|"), command->name);
        return;
    }
    args = hmp_parse_args(hmp->session, command, text, &why);
    if (!args) {
        hmp_printf(hmp, "%s\nTry \"help %s%.*s\" for more information\n", why,
                   is_sub ? "info " : "", (int)strcspn(command->name, "|"), command->name);
        return;
    }
    run_command(hmp, command, args);
}

void hmp_run_line(HmpSession *session, const char *line, GString *out)
{
    Hmp hmp = { session, out };

    if (!*skip_space(line)) {
        return;
    }
    error_redirect(hmp_redirected, &hmp);
    run_line(&hmp, line);
    error_redirect(NULL, NULL);
}

/* --- completion --- */

struct HmpWords {
    char *word;
    char *previous; /* NULL: there is none */
    GPtrArray *found;
};

const char *hmp_word(const HmpWords *words)
{
    return words->word;
}

const char *hmp_previous_word(const HmpWords *words)
{
    return words->previous;
}

void hmp_offer(HmpWords *words, const char *text)
{
    if (g_str_has_prefix(text, words->word)) {
        g_ptr_array_add(words->found, g_strdup(text));
    }
}

static void offer_commands(HmpWords *words, const HmpCommand *table)
{
    for (const HmpCommand *c = table; c->name; c++) {
        if (hmp_command_exists(c)) {
            g_auto(GStrv) names = g_strsplit(c->name, "|", -1);

            for (char **name = names; *name; name++) {
                hmp_offer(words, *name);
            }
        }
    }
}

static void offer_files(HmpWords *words)
{
    const char *slash = strrchr(words->word, '/');
    g_autofree char *folder = g_strndup(words->word, slash ? slash + 1 - words->word : 0);
    GDir *dir = g_dir_open(slash ? folder : ".", 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_strconcat(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            g_autofree char *inside = g_strconcat(path, "/", NULL);

            hmp_offer(words, inside);
        } else {
            hmp_offer(words, path);
        }
    }
    g_clear_pointer(&dir, g_dir_close);
}

/* The declared argument that word `n` (from 0) stands for; flags may or may not be there. */
static const HmpArg *arg_at(const HmpCommand *command, unsigned n, unsigned flags)
{
    n -= flags;
    for (const HmpArg *arg = command->args; arg && arg->name; arg++) {
        if (arg->kind != HMP_FLAG && arg->kind != HMP_FORMAT && n-- == 0) {
            return arg;
        }
    }
    return NULL;
}

/* A flag that is declared, or a format; a path of objects is neither. */
static bool is_flag(const HmpCommand *command, const char *word)
{
    for (const HmpArg *arg = command->args; arg && arg->name; arg++) {
        if ((arg->kind == HMP_FORMAT && word[0] == '/') ||
            (arg->kind == HMP_FLAG && word[0] == '-' && word[1] == arg->flag && !word[2])) {
            return true;
        }
    }
    return false;
}

static void offer_args(HmpWords *words, const HmpCommand *command, const char *text)
{
    unsigned n = 0, flags = 0;
    const HmpArg *arg;
    g_autofree char *why = NULL;

    while (true) {
        g_autofree char *word = hmp_next_word(&text, &why);

        if (!word || !*text) {
            break;
        }
        flags += is_flag(command, word);
        n++;
        g_free(words->previous);
        words->previous = g_steal_pointer(&word);
    }
    arg = arg_at(command, n, flags);
    if (arg && arg->complete) {
        arg->complete(words);
    } else if (arg && arg->kind == HMP_FILE) {
        offer_files(words);
    } else if (arg && arg->kind == HMP_BOOL) {
        hmp_offer(words, "on");
        hmp_offer(words, "off");
    }
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **hmp_complete_line(const char *line)
{
    const char *start = skip_space(line), *last = line + strlen(line), *text;
    HmpWords words = { .found = g_ptr_array_new() };
    bool is_sub;
    const HmpCommand *command = line_command(line, &text, &is_sub);

    while (last > start && !g_ascii_isspace(last[-1])) {
        last--;
    }
    words.word = g_strdup(last);
    if (last == start) {
        offer_commands(&words, hmp_commands);
    } else if (command && command->sub) {
        offer_commands(&words, command->sub);
    } else if (command && last >= text) {
        offer_args(&words, command, text);
    } else if (is_sub) {
        offer_commands(&words, hmp_info_commands);
    }
    g_free(words.word);
    g_free(words.previous);
    g_ptr_array_sort(words.found, compare_names);
    g_ptr_array_add(words.found, NULL);
    return (char **)g_ptr_array_free(words.found, FALSE);
}
