/*
 * See ui/console.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/console.h"
#include "ui/input.h"

#define FIRST_WIDTH  640
#define FIRST_HEIGHT 480

struct Console {
    Object parent;
    Object *owner;
    unsigned head;
    const ConsoleOps *ops;
    void *opaque;
    Surface *surface;
    GPtrArray *listeners;
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
    g_ptr_array_add(all_consoles(), console);
    object_add_child(object_container("/backend"), "console[*]", console, NULL);
    return console;
}

void console_free(Console *console)
{
    if (console) {
        g_ptr_array_remove(all_consoles(), console);
        input_forget_console(console);
        console->owner = NULL;
        console->ops = NULL;
        object_unparent(console);
        object_unref(console);
    }
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

        listener->surface_changed(listener, surface);
    }
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

        listener->pixels_changed(listener, rect);
    }
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
    listener->surface_changed(listener, console->surface);
    if (console->ops) {
        console->ops->invalidate(console->opaque);
    }
}

void console_remove_listener(Console *console, ConsoleListener *listener)
{
    g_ptr_array_remove(console->listeners, listener);
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
