/*
 * CharFrontend: the end of a chardev that a device or a monitor embeds. It is handed bytes and
 * events, and writes bytes and line settings.
 *
 * One chardev has one front end; a multiplexer has many, of which one has the focus.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_FRONTEND_H
#define CHARDEV_FRONTEND_H

#include "qom/error.h"

typedef struct Chardev Chardev;

typedef enum CharEvent {
    CHAR_EVENT_OPENED,  /* somebody is at the other end */
    CHAR_EVENT_CLOSED,
    CHAR_EVENT_BREAK,
    CHAR_EVENT_MUX_IN,  /* this front end has got the focus of its multiplexer */
    CHAR_EVENT_MUX_OUT,
} CharEvent;

/* All are called in the front end's context; any may be NULL. */
typedef struct CharHandlers {
    /* How many bytes read() would take now; 0 stops input until char_frontend_accept_input(). */
    size_t (*can_read)(void *opaque);
    void (*read)(void *opaque, const uint8_t *bytes, size_t size);
    void (*event)(void *opaque, CharEvent event);
    /* The chardev behind the front end was changed; failing brings the old one back. */
    bool (*changed)(void *opaque, Error **errp);
    /* The front end itself says when it is open (char_frontend_set_open()). */
    bool has_explicit_open;
} CharHandlers;

/* Zero-initialised: not attached. All fields are private. */
typedef struct CharFrontend {
    Chardev *chardev;             /* referenced */
    const CharHandlers *handlers;
    void *opaque;
    GMainContext *context;        /* referenced; NULL: the main loop's */
    int tag;                      /* which one of a multiplexer */
    bool is_open;
} CharFrontend;

/* Fails with "Device 'x' is in use" when another front end has it. */
bool char_frontend_attach(CharFrontend *fe, Chardev *chr, Error **errp);
/* Also when not attached. */
void char_frontend_detach(CharFrontend *fe);
/*
 * `handlers` is borrowed for as long as it is set; NULL stops input and closes. `context`
 * (NULL: the main loop's) is where they run from now on. When somebody is at the other end,
 * event(OPENED) is called before this returns.
 */
void char_frontend_set_handlers(CharFrontend *fe, const CharHandlers *handlers, void *opaque,
                                GMainContext *context);
static inline Chardev *char_frontend_chardev(const CharFrontend *fe)
{
    return fe->chardev;
}
/* Is somebody at the other end? False when not attached. */
bool char_frontend_is_connected(const CharFrontend *fe);

/*
 * Writing is safe from any thread. Without a chardev, or with nobody at the other end, bytes are
 * dropped and counted as written.
 */
/* Bytes taken, maybe fewer than `size` (then see char_frontend_watch()); or -errno. */
ssize_t char_frontend_write(CharFrontend *fe, const void *bytes, size_t size);
/* Waits till all are taken; false when the line broke. */
bool char_frontend_write_all(CharFrontend *fe, const void *bytes, size_t size);
bool char_frontend_printf(CharFrontend *fe, const char *fmt, ...) PRINTF(2, 3);
/*
 * A source, attached to the front end's context, that calls `fn` when the line has room (G_IO_OUT)
 * or is gone (G_IO_HUP), till it returns G_SOURCE_REMOVE. Owned by the caller: g_source_destroy()
 * and g_source_unref(). NULL when the back end never fills up.
 */
typedef gboolean CharWatch(void *opaque, GIOCondition condition);
GSource *char_frontend_watch(CharFrontend *fe, GIOCondition condition, CharWatch *fn,
                             void *opaque);
/* can_read() will say more than it last did. Any thread. */
void char_frontend_accept_input(CharFrontend *fe);

/*
 * Descriptors that came with the bytes last read. The caller owns what it takes; those not taken
 * are closed when the next come or the peer leaves. Returns how many.
 */
size_t char_frontend_take_fds(CharFrontend *fe, int *fds, size_t max);
/* Sends copies with the next byte written; false when the line cannot carry them. */
bool char_frontend_send_fds(CharFrontend *fe, const int *fds, size_t count);

/* "The guest has opened its port." */
void char_frontend_set_open(CharFrontend *fe, bool is_open);
void char_frontend_set_echo(CharFrontend *fe, bool is_on);
/* Of a multiplexer: this front end gets what is typed. */
void char_frontend_take_focus(CharFrontend *fe);
/* Drops the peer; a server then waits for the next. */
void char_frontend_disconnect(CharFrontend *fe);

/* Settings of a real line; all return false where there is none. */
typedef struct CharSerialParams {
    unsigned speed_bps;
    char parity; /* 'N', 'E' or 'O' */
    uint8_t data_bits, stop_bits;
} CharSerialParams;

enum {
    CHAR_MODEM_CTS = BIT(0), CHAR_MODEM_CAR = BIT(1), CHAR_MODEM_DSR = BIT(2),
    CHAR_MODEM_RI = BIT(3), CHAR_MODEM_DTR = BIT(4), CHAR_MODEM_RTS = BIT(5),
};

bool char_frontend_set_serial(CharFrontend *fe, const CharSerialParams *params);
bool char_frontend_set_break(CharFrontend *fe, bool is_on);
bool char_frontend_get_modem(CharFrontend *fe, unsigned *lines);
bool char_frontend_set_modem(CharFrontend *fe, unsigned lines);

#endif
