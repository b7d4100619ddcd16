/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fake_chardev.h"

struct Chardev {
    char *id;
    bool has_thread, is_connected, was_dropped;
    CharFrontend *fe;
    GMutex lock; /* guards what follows */
    GString *input, *output;
    size_t room;
    GSource *accepting; /* delivers again */
    int fd, fd_arriving;
};

static GHashTable *fakes;

Chardev *fake_chardev_new(const char *id, bool has_thread)
{
    Chardev *chr = g_new0(Chardev, 1);

    chr->id = g_strdup(id);
    chr->has_thread = has_thread;
    chr->input = g_string_new(NULL);
    chr->output = g_string_new(NULL);
    chr->room = SIZE_MAX;
    chr->fd = chr->fd_arriving = -1;
    g_mutex_init(&chr->lock);
    if (!fakes) {
        fakes = g_hash_table_new(g_str_hash, g_str_equal);
    }
    g_hash_table_insert(fakes, chr->id, chr);
    return chr;
}

void fake_chardev_free(Chardev *chr)
{
    g_hash_table_remove(fakes, chr->id);
    g_assert_null(chr->fe);
    g_free(chr->id);
    g_string_free(chr->input, TRUE);
    g_string_free(chr->output, TRUE);
    g_mutex_clear(&chr->lock);
    g_free(chr);
}

/* --- what the client does, handed to the thread the front end lives in --- */

typedef struct Errand {
    Chardev *chr;
    void (*fn)(Chardev *chr);
    bool is_done;
} Errand;

static gboolean run_errand(gpointer opaque)
{
    Errand *errand = opaque;

    errand->fn(errand->chr);
    __atomic_store_n(&errand->is_done, true, __ATOMIC_RELEASE);
    return G_SOURCE_REMOVE;
}

static void in_context(Chardev *chr, void (*fn)(Chardev *chr))
{
    Errand errand = { chr, fn };

    if (!chr->fe->context) {
        fn(chr);
        return;
    }
    g_main_context_invoke(chr->fe->context, run_errand, &errand);
    while (!__atomic_load_n(&errand.is_done, __ATOMIC_ACQUIRE)) {
        g_usleep(100);
    }
}

static void deliver(Chardev *chr)
{
    CharFrontend *fe = chr->fe;
    size_t size;

    while (chr->is_connected && fake_chardev_waiting(chr) &&
           (size = fe->handlers->can_read(fe->opaque))) {
        g_autofree char *bytes = NULL;

        g_mutex_lock(&chr->lock);
        size = MIN(size, chr->input->len);
        bytes = g_memdup2(chr->input->str, size);
        g_string_erase(chr->input, 0, size);
        chr->fd_arriving = chr->fd;
        chr->fd = -1;
        g_mutex_unlock(&chr->lock);
        fe->handlers->read(fe->opaque, (uint8_t *)bytes, size);
    }
}

static void open_line(Chardev *chr)
{
    chr->is_connected = true;
    chr->fe->handlers->event(chr->fe->opaque, CHAR_EVENT_OPENED);
}

static void close_line(Chardev *chr)
{
    chr->is_connected = false;
    g_string_truncate(chr->input, 0);
    chr->fe->handlers->event(chr->fe->opaque, CHAR_EVENT_CLOSED);
}

void fake_chardev_connect(Chardev *chr)
{
    in_context(chr, open_line);
}

void fake_chardev_disconnect(Chardev *chr)
{
    in_context(chr, close_line);
}

void fake_chardev_send(Chardev *chr, const char *text)
{
    g_mutex_lock(&chr->lock);
    g_string_append(chr->input, text);
    g_mutex_unlock(&chr->lock);
    in_context(chr, deliver);
}

void fake_chardev_attach_fd(Chardev *chr, int fd)
{
    chr->fd = fd;
}

size_t fake_chardev_waiting(Chardev *chr)
{
    size_t size;

    g_mutex_lock(&chr->lock);
    size = chr->input->len;
    g_mutex_unlock(&chr->lock);
    return size;
}

void fake_chardev_set_room(Chardev *chr, size_t bytes)
{
    g_mutex_lock(&chr->lock);
    chr->room = bytes;
    g_mutex_unlock(&chr->lock);
}

char *fake_chardev_output(Chardev *chr)
{
    char *text;

    g_mutex_lock(&chr->lock);
    text = g_strdup(chr->output->str);
    g_string_truncate(chr->output, 0);
    g_mutex_unlock(&chr->lock);
    return text;
}

bool fake_chardev_has_output(Chardev *chr, const char *text)
{
    bool has;

    g_mutex_lock(&chr->lock);
    has = strstr(chr->output->str, text);
    g_mutex_unlock(&chr->lock);
    return has;
}

bool fake_chardev_was_dropped(Chardev *chr)
{
    return chr->was_dropped;
}

bool fake_chardev_is_threaded(Chardev *chr)
{
    return chr->fe->context;
}

/* --- what the monitor sees --- */

Chardev *chardev_get(const char *id, Error **errp)
{
    Chardev *chr = fakes ? g_hash_table_lookup(fakes, id) : NULL;

    if (!chr) {
        error_set(errp, "Chardev '%s' not found", id);
    }
    return chr;
}

Chardev *chardev_add_from_options(json_object *options, Error **errp)
{
    error_set(errp, "none here");
    return NULL;
}

Chardev *chardev_change_from_options(const char *id, json_object *options, Error **errp)
{
    error_set(errp, "none here");
    return NULL;
}

Chardev *chardev_add_from_spec(const char *label, const char *spec, bool *wants_monitor,
                               Error **errp)
{
    error_set(errp, "none here");
    return NULL;
}

bool chardev_remove(const char *id, Error **errp)
{
    return error_set(errp, "none here");
}

const char *chardev_label(const Chardev *chr)
{
    return chr->id;
}

bool chardev_has_own_context(const Chardev *chr)
{
    return chr->has_thread;
}

bool char_frontend_attach(CharFrontend *fe, Chardev *chr, Error **errp)
{
    if (chr->fe) {
        return error_set(errp, "Device '%s' is in use", chr->id);
    }
    fe->chardev = chr;
    chr->fe = fe;
    return true;
}

static void stop_accepting(Chardev *chr)
{
    g_mutex_lock(&chr->lock);
    if (chr->accepting) {
        g_source_destroy(chr->accepting);
        g_clear_pointer(&chr->accepting, g_source_unref);
    }
    g_mutex_unlock(&chr->lock);
}

void char_frontend_detach(CharFrontend *fe)
{
    if (fe->chardev) {
        stop_accepting(fe->chardev);
        fe->chardev->fe = NULL;
        fe->chardev = NULL;
    }
}

void char_frontend_set_handlers(CharFrontend *fe, const CharHandlers *handlers, void *opaque,
                                GMainContext *context)
{
    fe->handlers = handlers;
    fe->opaque = opaque;
    fe->context = context;
    if (handlers && fe->chardev->is_connected) {
        handlers->event(opaque, CHAR_EVENT_OPENED);
    }
}

ssize_t char_frontend_write(CharFrontend *fe, const void *bytes, size_t size)
{
    Chardev *chr = fe->chardev;

    g_mutex_lock(&chr->lock);
    size = MIN(size, chr->room);
    g_string_append_len(chr->output, bytes, size);
    chr->room -= chr->room == SIZE_MAX ? 0 : size;
    g_mutex_unlock(&chr->lock);
    return size ? (ssize_t)size : -EAGAIN;
}

typedef struct Room {
    Chardev *chr;
    CharWatch *fn;
    void *opaque;
} Room;

static gboolean look_for_room(gpointer opaque)
{
    Room *room = opaque;
    bool has_room;

    g_mutex_lock(&room->chr->lock);
    has_room = room->chr->room;
    g_mutex_unlock(&room->chr->lock);
    return has_room ? room->fn(room->opaque, G_IO_OUT) : G_SOURCE_CONTINUE;
}

bool char_frontend_write_all(CharFrontend *fe, const void *bytes, size_t size)
{
    return char_frontend_write(fe, bytes, size) == (ssize_t)size;
}

GSource *char_frontend_watch(CharFrontend *fe, GIOCondition condition, CharWatch *fn,
                             void *opaque)
{
    GSource *source = g_timeout_source_new(1);
    Room *room = g_new(Room, 1);

    *room = (Room){ fe->chardev, fn, opaque };
    g_source_set_callback(source, look_for_room, room, g_free);
    g_source_attach(source, fe->context);
    return source;
}

static gboolean deliver_again(gpointer opaque)
{
    stop_accepting(opaque);
    deliver(opaque);
    return G_SOURCE_REMOVE;
}

void char_frontend_accept_input(CharFrontend *fe)
{
    Chardev *chr = fe->chardev;

    g_mutex_lock(&chr->lock);
    if (!chr->accepting) {
        chr->accepting = g_idle_source_new();
        g_source_set_callback(chr->accepting, deliver_again, chr, NULL);
        g_source_attach(chr->accepting, fe->context);
    }
    g_mutex_unlock(&chr->lock);
}

size_t char_frontend_take_fds(CharFrontend *fe, int *fds, size_t max)
{
    Chardev *chr = fe->chardev;

    if (chr->fd_arriving < 0 || !max) {
        return 0;
    }
    fds[0] = chr->fd_arriving;
    chr->fd_arriving = -1;
    return 1;
}

void char_frontend_disconnect(CharFrontend *fe)
{
    fe->chardev->was_dropped = true;
    fake_chardev_disconnect(fe->chardev);
}
