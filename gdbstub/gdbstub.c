/*
 * The gdb server's life and its line: see include/gdbstub/gdbstub.h. A client that connects stops
 * the guest; one that goes without detaching leaves it stopped.
 *
 * Left out: non-stop mode, reverse execution, file I/O.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "gdbstub/gdbstub.h"

#include "chardev/chardev.h"
#include "stub.h"
#include "system/run_state.h"
#include "util/notifier.h"

#define CHARDEV_ID "gdb"

/* The one server; NULL: none. */
static GdbStub *server;
static Notifier state_notifier;

/* --- out --- */

static void transmit(GdbStub *s, const GString *bytes)
{
    char_frontend_write_all(&s->line, bytes->str, bytes->len);
}

void gdb_send(GdbStub *s, const char *data, size_t size)
{
    g_string_truncate(s->sent, 0);
    gdb_append_packet(s->sent, data, size);
    transmit(s, s->sent);
}

void gdb_send_text(GdbStub *s, const char *text)
{
    gdb_send(s, text, strlen(text));
}

void gdb_send_error(GdbStub *s, unsigned number)
{
    g_autofree char *text = g_strdup_printf("E%02u", number);

    gdb_send_text(s, text);
}

static void acknowledge(GdbStub *s, bool is_good)
{
    if (s->has_acks) {
        char_frontend_write_all(&s->line, is_good ? "+" : "-", 1);
    }
}

/* --- in --- */

/* While the guest runs, it has no registers or memory to show: anything the client says stops it. */
static void stop_guest(GdbStub *s)
{
    if (vm_is_running()) {
        vm_stop(RUN_STATE_PAUSED);
    }
}

static void take_input(GdbStub *s, GdbInput input)
{
    switch (input) {
    case GDB_INPUT_PACKET:
        acknowledge(s, true);
        s->is_waiting = false;
        stop_guest(s);
        gdb_run_packet(s, s->parser.data, s->parser.size);
        break;
    case GDB_INPUT_BAD:
        acknowledge(s, false);
        break;
    case GDB_INPUT_NAK:
        transmit(s, s->sent);
        break;
    case GDB_INPUT_INTERRUPT:
        stop_guest(s);
        break;
    default:
        break;
    }
}

static size_t line_can_read(void *opaque)
{
    return GDB_PACKET_BYTES;
}

static void line_read(void *opaque, const uint8_t *bytes, size_t size)
{
    GdbStub *s = opaque;

    for (size_t i = 0; i < size; i++) {
        take_input(s, gdb_parse(&s->parser, bytes[i]));
    }
}

static void begin_session(GdbStub *s)
{
    Vcpu *first = vcpu_first();

    s->parser.state = GDB_OUTSIDE;
    s->has_acks = true;
    s->is_waiting = s->is_physical = s->tells_break_kind = false;
    s->step_flags = VCPU_STEP | VCPU_STEP_NO_IRQ | VCPU_STEP_NO_TIMER;
    s->general_cpu = s->continue_cpu = first ? first->index : 0;
    g_string_truncate(s->sent, 0);
    if (vm_is_running()) {
        vm_stop(RUN_STATE_PAUSED);
    }
}

static void line_event(void *opaque, CharEvent event)
{
    GdbStub *s = opaque;

    if (event == CHAR_EVENT_OPENED) {
        begin_session(s);
    } else if (event == CHAR_EVENT_CLOSED) {
        s->is_waiting = false;
        gdb_forget_points();
    }
}

static void state_changed(Notifier *notifier, void *data)
{
    const RunStateChange *change = data;

    if (server && !change->is_running) {
        gdb_stopped(server, change->state);
    }
}

/* --- life --- */

static void end_server(void)
{
    if (!server) {
        return;
    }
    gdb_forget_points();
    char_frontend_detach(&server->line);
    if (server->own_chardev) {
        chardev_remove(server->own_chardev, NULL);
    }
    g_free(server->own_chardev);
    g_string_free(server->sent, TRUE);
    if (server->xml) {
        g_string_free(server->xml, TRUE);
    }
    g_clear_pointer(&server, g_free);
}

/* Sockets listen, without anybody having to say so. */
static char *full_spec(const char *spec)
{
    bool is_socket = g_str_has_prefix(spec, "tcp:") || g_str_has_prefix(spec, "unix:");

    return is_socket && !strstr(spec, ",server") ? g_strdup_printf("%s,server=on,wait=off", spec)
                                                 : g_strdup(spec);
}

bool gdbstub_start(const char *spec, Error **errp)
{
    static const CharHandlers handlers = { .can_read = line_can_read, .read = line_read,
                                           .event = line_event };
    g_autofree char *full = full_spec(spec);
    bool is_own = !g_str_has_prefix(spec, "chardev:");
    Chardev *chr;

    end_server();
    if (!strcmp(spec, "none")) {
        return true;
    }
    chr = chardev_add_from_spec(CHARDEV_ID, full, NULL, errp);
    if (!chr) {
        return false;
    }
    server = g_new0(GdbStub, 1);
    server->sent = g_string_new(NULL);
    server->own_chardev = is_own ? g_strdup(CHARDEV_ID) : NULL;
    if (!char_frontend_attach(&server->line, chr, errp)) {
        end_server();
        return false;
    }
    if (!state_notifier.fn) {
        state_notifier.fn = state_changed;
        vm_add_state_notifier(&state_notifier);
    }
    char_frontend_set_handlers(&server->line, &handlers, server, NULL);
    return true;
}

void gdbstub_cleanup(void)
{
    if (server && char_frontend_is_connected(&server->line)) {
        gdb_send_text(server, "W00");
    }
    end_server();
}
