/*
 * See ui/console.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/console.h"
#include "ui/input.h"
#include "util/event_loop.h"

#define FIRST_WIDTH  640
#define FIRST_HEIGHT 480
/* Between refreshes of a screen that is watched. When some found nothing new, each more doubles it. */
#define REFRESH_MS_MIN  30
#define REFRESH_MS_MAX  480
#define REFRESHES_EMPTY 10

struct Console {
    Object parent;
    Object *owner;
    unsigned head;
    const ConsoleOps *ops;
    void *opaque;
    Surface *surface;
    GPtrArray *listeners;
    ConsoleCursor *cursor;
    GSource *next_refresh; /* NULL: nobody watches */
    unsigned refresh_ms;
    unsigned empty_count;  /* of refreshes by itself, one after the other */
    bool has_changed;      /* since the last refresh by itself */
};
DECLARE_CAST(Console, CONSOLE)

/* All consoles of the process, as they were made: what "the first screen" means. */
static GPtrArray *all_consoles(void)
{
    static GPtrArray *consoles;

    if (!consoles) {
        consoles = g_ptr_array_new();
    }
    return consoles;
}

/* --- surfaces --- */

Surface *surface_new_on(uint32_t width, uint32_t height, uint32_t stride, uint8_t *bytes)
{
    Surface *surface = g_new(Surface, 1);

    *surface = (Surface){ width, height, stride, bytes, true };
    return surface;
}

Surface *surface_new(uint32_t width, uint32_t height)
{
    uint32_t stride = width * sizeof(uint32_t);
    uint8_t *bytes = g_try_malloc0((size_t)stride * height);
    Surface *surface = bytes ? g_new(Surface, 1) : NULL;

    if (surface) {
        *surface = (Surface){ width, height, stride, bytes, false };
    }
    return surface;
}

void surface_free(Surface *surface)
{
    if (surface && !surface->is_borrowed) {
        g_free(surface->bytes);
    }
    g_free(surface);
}

/* --- consoles --- */

Console *console_new(Object *owner, unsigned head, const ConsoleOps *ops, void *opaque)
{
    Console *console = CONSOLE(object_new(TYPE_CONSOLE));

    console->owner = owner;
    console->head = head;
    console->ops = ops;
    console->opaque = opaque;
    console->surface = surface_new(FIRST_WIDTH, FIRST_HEIGHT);
    if (owner) {
        g_ptr_array_add(all_consoles(), console);
    }
    object_add_child(object_container("/backend"), "console[*]", console, NULL);
    return console;
}

/* --- refreshing by itself --- */

static bool is_watched(const Console *console)
{
    for (guint i = 0; i < console->listeners->len; i++) {
        if (((ConsoleListener *)console->listeners->pdata[i])->is_watching) {
            return true;
        }
    }
    return false;
}

static void stop_refreshing(Console *console)
{
    if (console->next_refresh) {
        g_source_destroy(console->next_refresh);
        console->next_refresh = NULL;
    }
}

static void refresh_by_itself(void *opaque);

static void plan_refresh(Console *console, unsigned ms)
{
    stop_refreshing(console);
    if (is_watched(console)) {
        console->refresh_ms = ms;
        console->next_refresh = event_loop_defer_ms(event_loop_main(), ms, refresh_by_itself,
                                                    console);
    }
}

static void refresh_by_itself(void *opaque)
{
    Console *console = opaque;

    console->next_refresh = NULL;
    console->has_changed = false;
    console_refresh(console);
    console->empty_count = console->has_changed ? 0 : console->empty_count + 1;
    plan_refresh(console, console->empty_count <= REFRESHES_EMPTY ? REFRESH_MS_MIN
                          : MIN(2 * console->refresh_ms, REFRESH_MS_MAX));
}

void console_hurry(Console *console)
{
    console->empty_count = 0;
    if (console->next_refresh && console->refresh_ms > REFRESH_MS_MIN) {
        plan_refresh(console, REFRESH_MS_MIN);
    }
}

/* --- life, what is shown --- */

static void tell_gone(Console *console)
{
    while (console->listeners->len) {
        ConsoleListener *listener = console->listeners->pdata[0];

        g_ptr_array_remove_index(console->listeners, 0);
        if (listener->console_gone) {
            listener->console_gone(listener);
        }
    }
    stop_refreshing(console);
}

void console_free(Console *console)
{
    if (console) {
        tell_gone(console);
        g_ptr_array_remove(all_consoles(), console);
        input_forget_console(console);
        console->owner = NULL;
        console->ops = NULL;
        object_unparent(console);
        object_unref(console);
    }
}

void console_set_ops(Console *console, const ConsoleOps *ops, void *opaque)
{
    console->ops = ops;
    console->opaque = opaque;
    ops->invalidate(opaque);
}

Surface *console_surface(const Console *console)
{
    return console->surface;
}

void console_set_surface(Console *console, Surface *surface)
{
    Surface *old = console->surface;

    console->surface = surface;
    for (guint i = 0; i < console->listeners->len; i++) {
        ConsoleListener *listener = console->listeners->pdata[i];

        if (listener->surface_changed) {
            listener->surface_changed(listener, surface);
        }
    }
    console->has_changed = true;
    surface_free(old);
}

Surface *console_resize(Console *console, uint32_t width, uint32_t height)
{
    Surface *surface = console->surface;

    if (surface->is_borrowed || surface->width != width || surface->height != height) {
        surface = surface_new(width, height);
        if (surface) {
            console_set_surface(console, surface);
        }
    }
    return surface;
}

void console_changed(Console *console, SurfaceRect rect)
{
    for (guint i = 0; i < console->listeners->len; i++) {
        ConsoleListener *listener = console->listeners->pdata[i];

        if (listener->pixels_changed) {
            listener->pixels_changed(listener, rect);
        }
    }
    console->has_changed = true;
}

static size_t cursor_bytes(const ConsoleCursor *cursor)
{
    return sizeof(*cursor) + (size_t)cursor->width * cursor->height * sizeof(cursor->pixels[0]);
}

void console_set_cursor(Console *console, const ConsoleCursor *cursor)
{
    g_free(console->cursor);
    console->cursor = cursor ? g_memdup2(cursor, cursor_bytes(cursor)) : NULL;
    for (guint i = 0; i < console->listeners->len; i++) {
        ConsoleListener *listener = console->listeners->pdata[i];

        if (listener->cursor_changed) {
            listener->cursor_changed(listener, console->cursor);
        }
    }
}

bool console_text(Console *console, ConsoleText *text)
{
    return console->ops && console->ops->text && console->ops->text(console->opaque, text);
}

bool console_suggest_size(Console *console, uint32_t width, uint32_t height)
{
    if (!console->ops || !console->ops->suggest_size) {
        return false;
    }
    console->ops->suggest_size(console->opaque, width, height);
    return true;
}

void console_refresh(Console *console)
{
    if (console->ops) {
        console->ops->refresh(console->opaque);
    }
}

/* It has seen nothing yet: it is told of everything at the next refresh. */
void console_add_listener(Console *console, ConsoleListener *listener)
{
    g_ptr_array_add(console->listeners, listener);
    if (listener->surface_changed) {
        listener->surface_changed(listener, console->surface);
    }
    if (listener->cursor_changed) {
        listener->cursor_changed(listener, console->cursor);
    }
    if (console->ops) {
        console->ops->invalidate(console->opaque);
    }
    plan_refresh(console, REFRESH_MS_MIN);
}

void console_remove_listener(Console *console, ConsoleListener *listener)
{
    g_ptr_array_remove(console->listeners, listener);
    plan_refresh(console, REFRESH_MS_MIN);
}

Object *console_owner(const Console *console)
{
    return console->owner;
}

unsigned console_head(const Console *console)
{
    return console->head;
}

Console *console_nth(unsigned n)
{
    return n < all_consoles()->len ? all_consoles()->pdata[n] : NULL;
}

Console *console_of(const Object *owner, unsigned head)
{
    for (guint i = 0; i < all_consoles()->len; i++) {
        Console *console = all_consoles()->pdata[i];

        if (console->owner == owner && console->head == head) {
            return console;
        }
    }
    return NULL;
}

Console *console_find(const char *device, unsigned head, Error **errp)
{
    Object *owner = object_child(object_container("/machine/peripheral"), device);
    Console *console;

    if (!owner) {
        owner = object_resolve(device, "device", NULL);
    }
    if (!owner) {
        error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", device);
        return NULL;
    }
    console = console_of(owner, head);
    if (!console) {
        error_set(errp, "Device %s (head %u) is not bound to a QemuConsole", device, head);
    }
    return console;
}

static void console_init(Object *obj)
{
    CONSOLE(obj)->listeners = g_ptr_array_new();
}

static void console_finalize(Object *obj)
{
    surface_free(CONSOLE(obj)->surface);
    g_free(CONSOLE(obj)->cursor);
    g_ptr_array_unref(CONSOLE(obj)->listeners);
}

static json_object *get_device(Object *obj, const Property *p, Error **errp)
{
    g_autofree char *path = CONSOLE(obj)->owner ? object_path(CONSOLE(obj)->owner) : NULL;

    return json_string(path ? path : "");
}

static json_object *get_head(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_int64(CONSOLE(obj)->head);
}

static const Property console_props[] = {
    PROP_COMPUTED("device", "link<device>", .get = get_device, .doc = "Whose screen it is"),
    PROP_COMPUTED("head", "uint32", .get = get_head, .doc = "Which of the device's screens"),
};

static const ObjectType console_type = {
    .name = TYPE_CONSOLE,
    .doc = "A screen",
    .size = sizeof(Console),
    .properties = PROPERTIES(console_props),
    .init = console_init,
    .finalize = console_finalize,
};
OBJECT_TYPE(console_type)
