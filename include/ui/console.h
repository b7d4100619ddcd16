/*
 * Console: a screen. A display device owns one, keeps its surface up to date when asked, and says
 * which part changed; whoever shows it (a VNC server, a screen dump) listens.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include "qom/object.h"

#define TYPE_CONSOLE "qemu-graphic-console"

/* Pixels of 32 bits, blue in the lowest byte of the number, the highest without meaning. */
typedef struct Surface {
    uint32_t width, height;
    uint32_t stride;   /* bytes of a line */
    uint8_t *bytes;
    bool is_borrowed;  /* the bytes are guest memory */
} Surface;

typedef struct SurfaceRect {
    uint32_t x, y, width, height;
} SurfaceRect;

/* Black. NULL: the host has no memory for it. */
Surface *surface_new(uint32_t width, uint32_t height);
/* Of memory that outlives the surface: little-endian x8r8g8b8. */
Surface *surface_new_on(uint32_t width, uint32_t height, uint32_t stride, uint8_t *bytes);
void surface_free(Surface *surface); /* NULL is fine */
static inline uint32_t *surface_line(const Surface *surface, uint32_t y)
{
    return (uint32_t *)(surface->bytes + (size_t)y * surface->stride);
}

typedef struct Console Console;

typedef struct ConsoleOps {
    /* Brings the surface up to date, by console_set_surface() and console_changed(). */
    void (*refresh)(void *opaque);
    /* What was shown is lost: the next refresh draws and tells all. */
    void (*invalidate)(void *opaque);
} ConsoleOps;

/* Who shows a console; embedded. */
typedef struct ConsoleListener {
    void (*surface_changed)(struct ConsoleListener *listener, Surface *surface);
    void (*pixels_changed)(struct ConsoleListener *listener, SurfaceRect rect);
} ConsoleListener;

/* `owner` is the device, borrowed; `head` numbers its screens. It starts with 640 x 480 black. */
Console *console_new(Object *owner, unsigned head, const ConsoleOps *ops, void *opaque);
void console_free(Console *console); /* NULL is fine */

Surface *console_surface(const Console *console);
/* Takes the surface, frees the old one. */
void console_set_surface(Console *console, Surface *surface);
/* The surface, in this size: made anew only if that differs. NULL: no memory, the old one stays. */
Surface *console_resize(Console *console, uint32_t width, uint32_t height);
void console_changed(Console *console, SurfaceRect rect);
void console_refresh(Console *console);
void console_add_listener(Console *console, ConsoleListener *listener);
void console_remove_listener(Console *console, ConsoleListener *listener);

Object *console_owner(const Console *console);
unsigned console_head(const Console *console);
/* By number, in order of making; NULL: there are not so many. */
Console *console_nth(unsigned n);
/* NULL: the device has no such screen. */
Console *console_of(const Object *owner, unsigned head);
/* Of the device with this id or path. */
Console *console_find(const char *device, unsigned head, Error **errp);

#endif
