/*
 * Fuzzes a QMP session: the input is what a client sends over a socket, in pieces at 0xfe bytes.
 * The commands are a few that touch nothing outside.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/socket.h>

#include "chardev/chardev.h"
#include "monitor/monitor.h"
#include "qapi/command.h"
#include "qapi/qapi-commands-qom.h"
#include "qapi/qapi-types-char.h"
#include "qmp.h"
#include "system/machine_lock.h"
#include "util/event_loop.h"

#define PIECE_END 0xfe
#define SLOTS 16

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *text(json_object *args, const char *key)
{
    json_object *value = json_member(args, key);

    return value ? json_object_get_string(value) : "";
}

static bool run_negotiate(json_object *args, json_object **ret, Error **errp)
{
    return qmp_monitor_negotiate(json_member(args, "enable"), errp);
}

static bool run_echo(json_object *args, json_object **ret, Error **errp)
{
    *ret = json_ref(args);
    return true;
}

static bool run_get(json_object *args, json_object **ret, Error **errp)
{
    Error *err = NULL;

    *ret = qmp_qom_get(text(args, "path"), text(args, "property"), &err);
    return !err || error_propagate(errp, err);
}

static const QapiType any_type = { .kind = QAPI_ANY, .name = "any", .json_name = "value" };
static const QmpCommand commands[] = {
    { .name = "e", .run = run_echo, .ret = &any_type, .targets = 1 },
    { .name = "o", .run = run_echo, .ret = &any_type, .targets = 1, .flags = QMP_ALLOW_OOB },
    { .name = "qmp_capabilities", .run = run_negotiate, .targets = 1 },
    { .name = "qom-get", .run = run_get, .ret = &any_type, .targets = 1 },
    { NULL },
};

static void register_commands(void)
{
    static uint16_t slots[SLOTS];
    static const QmpCommandTable table = { commands, ARRAY_SIZE(commands) - 1, slots, SLOTS };

    for (size_t i = 0; commands[i].name; i++) {
        uint32_t at = 0x811c9dc5; /* FNV-1a, as qmp_command_find() */

        for (const char *p = commands[i].name; *p; p++) {
            at = (at ^ (unsigned char)*p) * 0x01000193;
        }
        while (slots[at % SLOTS]) {
            at++;
        }
        slots[at % SLOTS] = i + 1;
    }
    qapi_set_target("x86_64");
    qmp_commands_set(&table);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    error_set_program("fuzz");
    machine_lock_init_main();
    register_commands();
    return 0;
}

static void add_line(int fd)
{
    g_autofree char *json = g_strdup_printf(
        "{'type': 'socket', 'data': {'addr': {'type': 'fd', 'data': {'str': '%d'}}, "
        "'server': false}}", fd);
    g_autoptr(JsonObject) value = NULL;
    g_autoptr(ChardevBackend) backend = NULL;
    char *why;

    if (!json_parse(json, strlen(json), &value, &why)) {
        abort();
    }
    backend = chardev_backend_from_json(value, QAPI_TYPED, NULL);
    if (!backend || !chardev_add("line", backend, NULL) ||
        !monitor_new("line", MONITOR_QMP, NULL)) {
        abort();
    }
}

/* Reads what came, for a client that does not would be given no more replies. */
static void settle(int fd)
{
    char reply[4096];
    bool is_busy = true;

    while (is_busy) {
        is_busy = event_loop_run_once(event_loop_main(), false);
        while (recv(fd, reply, sizeof(reply), MSG_DONTWAIT) > 0) {
            is_busy = true;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        abort();
    }
    monitor_init();
    add_line(fds[1]);
    while (size) {
        const uint8_t *end = memchr(data, PIECE_END, size);
        size_t piece = MIN(end ? (size_t)(end - data) : size, 64 * KiB);

        if (send(fds[0], data, piece, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
            break;
        }
        settle(fds[0]);
        data += piece;
        size -= piece;
        if (size && *data == PIECE_END) {
            data++;
            size--;
        }
    }
    close(fds[0]);
    settle(-1);
    monitor_cleanup();
    if (!chardev_remove("line", NULL)) {
        abort();
    }
    return 0;
}
