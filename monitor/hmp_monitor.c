/*
 * A text monitor on a chardev: a prompt, lines, what they print.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "config-host.h"
#include "hmp.h"
#include "monitor_state.h"
#include "readline.h"

#define HMP_PROMPT "(qemu) "
#define HMP_READ_BYTES 256

typedef struct HmpMonitor {
    Monitor parent;
    Readline readline;
    HmpSession session;
    GByteArray *input;    /* read and not yet looked at, from input_done on */
    size_t input_done;
    bool is_connected;
    bool is_running;      /* a command, which may poll the main loop */
    bool is_focused;      /* of a multiplexer; true without */
    bool is_input_stopped;
} HmpMonitor;

/* The terminal is in raw mode: lines end CRLF. */
static void hmp_put(HmpMonitor *m, const GString *text)
{
    g_autoptr(GString) lines = g_string_sized_new(text->len + 64);

    for (size_t i = 0; i < text->len; i++) {
        if (text->str[i] == '\n') {
            g_string_append_c(lines, '\r');
        }
        g_string_append_c(lines, text->str[i]);
    }
    monitor_output_put(&m->parent.out, lines->str, lines->len, false);
}

static void hmp_show(void *opaque, const char *text, size_t size)
{
    HmpMonitor *m = opaque;

    monitor_output_put(&m->parent.out, text, size, false);
}

static void hmp_line(void *opaque, const char *line)
{
    HmpMonitor *m = opaque;
    g_autoptr(GString) out = g_string_new(NULL);
    Monitor *previous = monitor_set_current(&m->parent);

    m->is_running = true;
    hmp_run_line(&m->session, line, out);
    m->is_running = false;
    monitor_set_current(previous);
    hmp_put(m, out);
}

static char **hmp_complete(void *opaque, const char *start)
{
    return hmp_complete_line(start);
}

static const ReadlineHandlers hmp_readline_handlers = {
    .show = hmp_show,
    .line = hmp_line,
    .complete = hmp_complete,
};

/* --- input --- */

static bool may_read(HmpMonitor *m)
{
    bool may = !m->is_running && !monitor_output_is_congested(&m->parent.out);

    m->is_input_stopped |= !may;
    return may;
}

static size_t hmp_can_read(void *opaque)
{
    HmpMonitor *m = opaque;

    return may_read(m) && !m->input->len ? HMP_READ_BYTES : 0;
}

static void hmp_resume(void *opaque)
{
    HmpMonitor *m = opaque;
    bool was_stopped = m->is_input_stopped;

    m->is_input_stopped = false;
    while (m->input_done < m->input->len && may_read(m)) {
        readline_byte(&m->readline, m->input->data[m->input_done++]);
    }
    if (m->is_running) {
        return;
    }
    if (m->input_done == m->input->len) {
        g_byte_array_set_size(m->input, 0);
        m->input_done = 0;
    }
    if (was_stopped || m->is_input_stopped) {
        char_frontend_accept_input(&m->parent.fe);
    }
}

static void hmp_read(void *opaque, const uint8_t *bytes, size_t size)
{
    HmpMonitor *m = opaque;

    monitor_collect_fds(&m->parent);
    g_byte_array_append(m->input, bytes, size);
    hmp_resume(m);
}

static void hmp_opened(HmpMonitor *m)
{
    if (!m->is_connected) {
        const char *greeting =
            "QEMU " CONFIG_VERSION " monitor - type 'help' for more information\r\n";

        m->is_connected = true;
        m->is_focused = true;
        monitor_output_put(&m->parent.out, greeting, strlen(greeting), false);
        readline_start(&m->readline, HMP_PROMPT);
    }
}

static void hmp_closed(HmpMonitor *m)
{
    m->is_connected = false;
    monitor_output_reset(&m->parent.out);
    monitor_close_fds(&m->parent);
    g_byte_array_set_size(m->input, 0);
    m->input_done = 0;
}

static void hmp_event(void *opaque, CharEvent event)
{
    HmpMonitor *m = opaque;

    switch (event) {
    case CHAR_EVENT_OPENED:
        hmp_opened(m);
        break;
    case CHAR_EVENT_CLOSED:
        hmp_closed(m);
        break;
    case CHAR_EVENT_MUX_IN:
        if (!m->is_focused && m->is_connected) {
            m->is_focused = true;
            readline_show(&m->readline);
        }
        break;
    case CHAR_EVENT_MUX_OUT:
        if (m->is_focused) {
            m->is_focused = false;
            hmp_show(m, "\r\n", 2);
        }
        break;
    case CHAR_EVENT_BREAK:
        break;
    }
}

static const CharHandlers hmp_handlers = {
    .can_read = hmp_can_read,
    .read = hmp_read,
    .event = hmp_event,
};

/* --- the monitor --- */

static void hmp_start(Monitor *mon)
{
    mon->out.drained = hmp_resume;
    char_frontend_set_handlers(&mon->fe, &hmp_handlers, mon, NULL);
}

static void hmp_monitor_free(Monitor *mon)
{
    HmpMonitor *m = (HmpMonitor *)mon;

    readline_clear(&m->readline);
    g_byte_array_free(m->input, TRUE);
    g_free(m);
}

static const MonitorKind hmp_kind = {
    .start = hmp_start,
    .free = hmp_monitor_free,
};

Monitor *hmp_monitor_new(void)
{
    HmpMonitor *m = g_new0(HmpMonitor, 1);

    m->parent.kind = &hmp_kind;
    m->input = g_byte_array_new();
    readline_init(&m->readline, &hmp_readline_handlers, m);
    hmp_session_init(&m->session);
    m->session.history = m->readline.history;
    return &m->parent;
}
