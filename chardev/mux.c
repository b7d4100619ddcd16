/*
 * chardev-mux: several front ends on one chardev. One of them has the focus and gets the input;
 * Ctrl-a and a key move the focus and do other things. Output of all goes out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/backend.h"
#include "chardev/kinds.h"

#define ESCAPE 0x01 /* Ctrl-a */
#define BUFFER_BYTES 32

/* One front end; while it has no room a little input waits, so that Ctrl-a keeps working. */
typedef struct Port {
    CharFrontend *fe; /* NULL: left */
    uint8_t waiting[BUFFER_BYTES];
    size_t waiting_count;
} Port;

typedef struct CharMux {
    Chardev parent;
    CharFrontend base;
    GArray *ports; /* of Port; the tag is the index */
    int focus;     /* -1: nobody */
    bool is_escaped;
    bool has_timestamps, is_at_line_start;
    gint64 first_us;
} CharMux;
DECLARE_CAST(CharMux, CHAR_MUX)

static const ChardevMuxActions *actions;

void chardev_set_mux_actions(const ChardevMuxActions *new_actions)
{
    actions = new_actions;
}

static Port *port_at(CharMux *s, int tag)
{
    return &g_array_index(s->ports, Port, tag);
}

static Port *focused(CharMux *s)
{
    return s->focus >= 0 && port_at(s, s->focus)->fe ? port_at(s, s->focus) : NULL;
}

static void tell(Port *port, CharEvent event)
{
    if (port && port->fe && port->fe->handlers && port->fe->handlers->event) {
        port->fe->handlers->event(port->fe->opaque, event);
    }
}

static void set_focus(CharMux *s, int tag)
{
    if (s->focus == tag) {
        return;
    }
    tell(focused(s), CHAR_EVENT_MUX_OUT);
    s->focus = tag;
    tell(focused(s), CHAR_EVENT_MUX_IN);
}

/* --- input --- */

static size_t port_room(const Port *port)
{
    const CharHandlers *handlers = port && port->fe ? port->fe->handlers : NULL;

    if (!handlers || !handlers->read) {
        return 0;
    }
    return handlers->can_read ? handlers->can_read(port->fe->opaque) : CHAR_CHUNK_BYTES;
}

static void drain(Port *port)
{
    size_t n;

    while (port && port->waiting_count && (n = MIN(port_room(port), port->waiting_count))) {
        uint8_t bytes[BUFFER_BYTES];

        memcpy(bytes, port->waiting, n);
        port->waiting_count -= n;
        memmove(port->waiting, port->waiting + n, port->waiting_count);
        port->fe->handlers->read(port->fe->opaque, bytes, n);
    }
}

/* To who has the focus; dropped when nobody has, or too much waits. */
static void put(CharMux *s, uint8_t byte)
{
    Port *port = focused(s);

    if (!port || port->waiting_count == BUFFER_BYTES) {
        return;
    }
    port->waiting[port->waiting_count++] = byte;
    drain(port);
}

static void show_help(CharMux *s)
{
    static const char text[] =
        "\r\n"
        "C-a h    print this help\r\n"
        "C-a x    exit emulator\r\n"
        "C-a s    save disk data back to file (if -snapshot)\r\n"
        "C-a t    toggle console timestamps\r\n"
        "C-a b    send break (magic sysrq)\r\n"
        "C-a c    switch between console and monitor\r\n"
        "C-a C-a  sends C-a\r\n";

    char_frontend_write_all(&s->base, text, strlen(text));
}

static void next_focus(CharMux *s)
{
    for (guint i = 1; i <= s->ports->len; i++) {
        int tag = (s->focus + (int)i) % (int)s->ports->len;

        if (port_at(s, tag)->fe) {
            set_focus(s, tag);
            return;
        }
    }
}

static void quit(CharMux *s)
{
    char_frontend_printf(&s->base, "QEMU: Terminated\r\n");
    if (actions && actions->quit) {
        actions->quit();
    }
}

static void command(CharMux *s, uint8_t key)
{
    switch (key) {
    case 'h':
    case '?':
        show_help(s);
        break;
    case 'x':
        quit(s);
        break;
    case 's':
        if (actions && actions->save) {
            actions->save();
        }
        break;
    case 'b':
        chardev_event(&s->parent, CHAR_EVENT_BREAK);
        break;
    case 'c':
        next_focus(s);
        break;
    case 't':
        s->has_timestamps = !s->has_timestamps;
        s->is_at_line_start = false;
        s->first_us = g_get_monotonic_time();
        break;
    case ESCAPE:
        put(s, ESCAPE);
        break;
    default:
        break;
    }
}

static size_t mux_can_read(void *opaque)
{
    CharMux *s = opaque;
    Port *port = focused(s);

    /* With nobody to read, keys still count. */
    return port ? BUFFER_BYTES - port->waiting_count : BUFFER_BYTES;
}

static void mux_read(void *opaque, const uint8_t *bytes, size_t size)
{
    CharMux *s = opaque;

    object_ref(s);
    for (size_t i = 0; i < size; i++) {
        if (s->is_escaped) {
            s->is_escaped = false;
            command(s, bytes[i]);
        } else if (bytes[i] == ESCAPE) {
            s->is_escaped = true;
        } else {
            put(s, bytes[i]);
        }
    }
    object_unref(s);
}

static void base_event(void *opaque, CharEvent event)
{
    chardev_event(opaque, event);
}

static const CharHandlers mux_handlers = {
    .can_read = mux_can_read,
    .read = mux_read,
    .event = base_event,
};

/* A break is for who has the focus, a peer for all. */
static void mux_event(Chardev *chr, CharEvent event)
{
    CharMux *s = CHAR_MUX(chr);

    if (event == CHAR_EVENT_BREAK) {
        tell(focused(s), event);
        return;
    }
    for (guint i = 0; i < s->ports->len; i++) {
        tell(port_at(s, i), event);
    }
}

/* --- output --- */

static void append_time(CharMux *s, GString *text)
{
    gint64 ms = (g_get_monotonic_time() - s->first_us) / 1000;

    g_string_append_printf(text, "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000),
                           (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
}

static ssize_t mux_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    CharMux *s = CHAR_MUX(chr);
    g_autoptr(GString) text = NULL;

    if (!s->has_timestamps) {
        return char_frontend_write(&s->base, bytes, size);
    }
    text = g_string_new(NULL);
    for (size_t i = 0; i < size; i++) {
        if (s->is_at_line_start) {
            append_time(s, text);
        }
        g_string_append_c(text, bytes[i]);
        s->is_at_line_start = bytes[i] == '\n';
    }
    char_frontend_write_all(&s->base, text->str, text->len);
    return size;
}

static GSource *mux_watch(Chardev *chr, GIOCondition condition)
{
    Chardev *base = CHAR_MUX(chr)->base.chardev;

    return chardev_ops(base)->watch(base, condition);
}

/* --- front ends --- */

static bool mux_attach(Chardev *chr, CharFrontend *fe, Error **errp)
{
    CharMux *s = CHAR_MUX(chr);
    Port port = { .fe = fe };

    fe->tag = 0;
    while (fe->tag < (int)s->ports->len && port_at(s, fe->tag)->fe) {
        fe->tag++;
    }
    if (fe->tag < (int)s->ports->len) {
        *port_at(s, fe->tag) = port;
    } else {
        g_array_append_val(s->ports, port);
    }
    chr->frontend = fe;
    return true;
}

static void mux_detach(Chardev *chr, CharFrontend *fe)
{
    CharMux *s = CHAR_MUX(chr);

    *port_at(s, fe->tag) = (Port){ 0 };
    if (s->focus == fe->tag) {
        next_focus(s);
        s->focus = focused(s) ? s->focus : -1;
    }
    chr->frontend = focused(s) ? focused(s)->fe : NULL;
}

static void mux_focus(Chardev *chr, CharFrontend *fe)
{
    set_focus(CHAR_MUX(chr), fe->tag);
    chr->frontend = fe;
}

static void mux_update(Chardev *chr)
{
    CharMux *s = CHAR_MUX(chr);

    for (guint i = 0; i < s->ports->len; i++) {
        drain(port_at(s, i));
    }
    chardev_call_update(s->base.chardev);
}

static void mux_handlers_set(Chardev *chr, CharFrontend *fe)
{
    if (fe->handlers) {
        tell(port_at(CHAR_MUX(chr), fe->tag), CHAR_EVENT_MUX_IN);
    }
}

static void mux_echo(Chardev *chr, bool is_on)
{
    char_frontend_set_echo(&CHAR_MUX(chr)->base, is_on);
}

static bool mux_set_serial(Chardev *chr, const CharSerialParams *params)
{
    return char_frontend_set_serial(&CHAR_MUX(chr)->base, params);
}

static bool mux_set_break(Chardev *chr, bool is_on)
{
    return char_frontend_set_break(&CHAR_MUX(chr)->base, is_on);
}

static bool mux_get_modem(Chardev *chr, unsigned *lines)
{
    return char_frontend_get_modem(&CHAR_MUX(chr)->base, lines);
}

static bool mux_set_modem(Chardev *chr, unsigned lines)
{
    return char_frontend_set_modem(&CHAR_MUX(chr)->base, lines);
}

static bool mux_wait(Chardev *chr, Error **errp)
{
    Chardev *base = CHAR_MUX(chr)->base.chardev;

    return chardev_ops(base)->wait(base, errp);
}

static bool mux_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const char *id = backend->u.mux.data->chardev;
    CharMux *s = CHAR_MUX(chr);
    Chardev *base = chardev_find(id);

    if (!base) {
        return error_set(errp, "mux: base chardev %s not found", id);
    }
    if (!char_frontend_attach(&s->base, base, errp)) {
        return false;
    }
    chr->is_open = base->is_open;
    char_frontend_set_handlers(&s->base, &mux_handlers, s, NULL);
    return true;
}

static void mux_init(Object *obj)
{
    CharMux *s = CHAR_MUX(obj);

    s->ports = g_array_new(FALSE, TRUE, sizeof(Port));
    s->focus = -1;
}

static void mux_finalize(Object *obj)
{
    CharMux *s = CHAR_MUX(obj);

    char_frontend_detach(&s->base);
    g_array_unref(s->ports);
}

const ChardevType chardev_mux_type = {
    .name = TYPE_CHARDEV_MUX,
    .doc = "Several front ends on one chardev",
    .parent = TYPE_CHARDEV,
    .size = sizeof(CharMux),
    .init = mux_init,
    .finalize = mux_finalize,
    .open = mux_open,
    .write = mux_write,
    .watch = mux_watch,
    .update = mux_update,
    .attach = mux_attach,
    .detach = mux_detach,
    .handlers_set = mux_handlers_set,
    .event = mux_event,
    .focus = mux_focus,
    .echo = mux_echo,
    .set_serial = mux_set_serial,
    .set_break = mux_set_break,
    .get_modem = mux_get_modem,
    .set_modem = mux_set_modem,
    .wait = mux_wait,
};
OBJECT_TYPE(chardev_mux_type)
