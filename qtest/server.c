/*
 * The qtest server: lines in, one reply each, in order. See qtest/server.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "qom/user_creatable.h"
#include "qtest.h"
#include "qtest/server.h"
#include "system/clock.h"

#define MAX_LINE (512 * MiB)
#define MAX_WORDS 16
#define MAX_OUTPUT (64 * KiB)

static const QtestFamily *const families[] = {
    &qtest_memory_family, &qtest_line_family, &qtest_clock_family,
};

static void log_line(QtestServer *server, char kind, const char *text)
{
    int64_t passed = clock_now_ns(CLOCK_REAL) - server->opened_ns;

    if (server->log) {
        fprintf(server->log, "[%c +%" PRId64 ".%06" PRId64 "] %s\n", kind, passed / NS_PER_SEC,
                passed % NS_PER_SEC / NS_PER_US, text);
        fflush(server->log);
    }
}

static void flush(QtestServer *server)
{
    char_frontend_write_all(&server->fe, server->output->str, server->output->len);
    g_string_truncate(server->output, 0);
}

static void send_line(QtestServer *server, const char *fmt, va_list ap)
{
    size_t start = server->output->len;

    g_string_append_vprintf(server->output, fmt, ap);
    log_line(server, 'S', server->output->str + start);
    g_string_append_c(server->output, '\n');
    if (!server->is_serving || server->output->len > MAX_OUTPUT) {
        flush(server);
    }
}

void qtest_reply(QtestServer *server, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    send_line(server, fmt, ap);
    va_end(ap);
}

void qtest_notify(QtestServer *server, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    send_line(server, fmt, ap);
    va_end(ap);
}

bool qtest_number(QtestServer *server, const char *word, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoull(word, &end, 0);
    if (errno || end == word || *end) {
        qtest_reply(server, "FAIL Invalid number '%s'", word);
        return false;
    }
    return true;
}

static const QtestCommand *find_command(const char *name)
{
    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        for (size_t i = 0; i < families[f]->count; i++) {
            if (!strcmp(families[f]->commands[i].name, name)) {
                return &families[f]->commands[i];
            }
        }
    }
    return NULL;
}

/* Splits in place at blanks; what is beyond MAX_WORDS stays in the last. */
static unsigned split(char *line, char **words)
{
    unsigned count = 0;

    while (count < MAX_WORDS) {
        line += strspn(line, " \t\r");
        if (!*line) {
            break;
        }
        words[count++] = line;
        line += strcspn(line, " \t\r");
        if (*line) {
            *line++ = '\0';
        }
    }
    return count;
}

static void run_line(QtestServer *server, char *line)
{
    char *words[MAX_WORDS];
    unsigned count;
    const QtestCommand *command;

    log_line(server, 'R', line);
    count = split(line, words);
    if (!count) {
        return;
    }
    command = find_command(words[0]);
    if (!command || (command->run == NULL)) {
        qtest_reply(server, "FAIL Unknown command '%s'", words[0]);
    } else if (count - 1 < command->min_words || count - 1 > command->max_words) {
        qtest_reply(server, "FAIL %s takes %u to %u arguments", words[0], command->min_words,
                    command->max_words);
    } else {
        command->run(server, words + 1, count - 1);
    }
}

static size_t server_can_read(void *opaque)
{
    return 64 * KiB;
}

static void server_read(void *opaque, const uint8_t *bytes, size_t size)
{
    QtestServer *server = opaque;
    size_t scanned = server->input->len, start = 0;
    char *end;

    g_string_append_len(server->input, (const char *)bytes, size);
    server->is_serving = true;
    while ((end = memchr(server->input->str + scanned, '\n', server->input->len - scanned))) {
        *end = '\0';
        run_line(server, server->input->str + start);
        start = scanned = end + 1 - server->input->str;
    }
    server->is_serving = false;
    flush(server);
    g_string_erase(server->input, 0, start);
    if (server->input->len > MAX_LINE) {
        g_string_truncate(server->input, 0);
        qtest_reply(server, "FAIL Line too long");
    }
}

static void server_event(void *opaque, CharEvent event)
{
    QtestServer *server = opaque;

    if (event == CHAR_EVENT_OPENED) {
        server->opened_ns = clock_now_ns(CLOCK_REAL);
        log_line(server, 'I', "OPENED");
    } else if (event == CHAR_EVENT_CLOSED) {
        log_line(server, 'I', "CLOSED");
        g_string_truncate(server->input, 0);
    }
}

static const CharHandlers handlers = {
    .can_read = server_can_read, .read = server_read, .event = server_event,
};

/* The one server of the process: lines and time cannot be shared. */
static QtestServer *current;

static bool open_log(QtestServer *server, Error **errp)
{
    /* Test programs name /dev/null when nobody reads it: a write per line would be for nothing. */
    if (!server->log_path || !strcmp(server->log_path, "none") ||
        !strcmp(server->log_path, "/dev/null")) {
        return true;
    }
    server->log = fopen(server->log_path, "we");
    return server->log ||
           error_set_errno(errp, errno, "cannot open qtest log '%s'", server->log_path);
}

static bool server_complete(Object *obj, Error **errp)
{
    QtestServer *server = QTEST(obj);
    Chardev *chr;

    if (current) {
        return error_set(errp, "Only one instance of qtest can be created");
    }
    if (!server->chardev_id) {
        return error_set(errp, "No backend specified");
    }
    chr = chardev_get(server->chardev_id, errp);
    if (!chr || !open_log(server, errp) || !char_frontend_attach(&server->fe, chr, errp)) {
        return false;
    }
    current = server;
    server->opened_ns = clock_now_ns(CLOCK_REAL);
    char_frontend_set_handlers(&server->fe, &handlers, server, NULL);
    return true;
}

static void server_init(Object *obj)
{
    QTEST(obj)->input = g_string_new(NULL);
    QTEST(obj)->output = g_string_new(NULL);
}

static void server_finalize(Object *obj)
{
    QtestServer *server = QTEST(obj);

    if (current == server) {
        qtest_lines_release();
        current = NULL;
    }
    char_frontend_detach(&server->fe);
    g_string_free(server->input, TRUE);
    g_string_free(server->output, TRUE);
    if (server->log) {
        fclose(server->log);
    }
}

static bool server_is_late(const Type *type)
{
    return true;
}

static const UserCreatable server_creatable = {
    .complete = server_complete, .is_late = server_is_late,
};
static const Property server_props[] = {
    PROP_STR("chardev", QtestServer, chardev_id, .doc = "Id of the chardev that is served"),
    PROP_STR("log", QtestServer, log_path, .doc = "File for the dialogue, or \"none\""),
};
static const ObjectType server_type = {
    .name = TYPE_QTEST,
    .doc = "Serves the qtest protocol",
    .size = sizeof(QtestServer),
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &server_creatable }, { 0 } },
    .properties = PROPERTIES(server_props),
    .init = server_init,
    .finalize = server_finalize,
};
OBJECT_TYPE(server_type)

bool qtest_server_start(const char *spec, const char *log, Error **errp)
{
    Chardev *chr = chardev_add_from_spec("qtest", spec, NULL, errp);
    g_autoptr(JsonObject) options = json_object_new_object();

    if (!chr) {
        return false;
    }
    json_set(options, "qom-type", json_string(TYPE_QTEST));
    json_set(options, "id", json_string("qtest0"));
    json_set(options, "chardev", json_string(chardev_label(chr)));
    /* Without -qtest-log the dialogue goes to stderr. */
    json_set(options, "log", json_string(log ? log : "/dev/fd/2"));
    return user_creatable_add(options, PROPERTY_TYPED, errp);
}

void qtest_server_cleanup(void)
{
    if (current) {
        object_unparent(current);
    }
}
