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

/* A screen of characters: code page 437 in the low byte, a VGA's colours in the high one. */
typedef struct ConsoleText {
    uint32_t columns, rows;
    int cursor_x, cursor_y; /* -1: it is not to be seen */
    uint16_t *cells;        /* free it */
} ConsoleText;

typedef struct ConsoleOps {
    /* Brings the surface up to date, by console_set_surface() and console_changed(). */
    void (*refresh)(void *opaque);
    /* What was shown is lost: the next refresh draws and tells all. */
    void (*invalidate)(void *opaque);
    /* A user would like another size; the guest is told and may follow. May be NULL. */
    void (*suggest_size)(void *opaque, uint32_t width, uint32_t height);
    /* False: the screen shows pixels. May be NULL. */
    bool (*text)(void *opaque, ConsoleText *text);
} ConsoleOps;

/* A pointer's picture that the guest wants drawn over the screen. */
typedef struct ConsoleCursor {
    uint32_t width, height;
    uint32_t hot_x, hot_y;
    uint32_t pixels[];  /* a8r8g8b8, not premultiplied */
} ConsoleCursor;

#define CONSOLE_CURSOR_MAX 512 /* pixels of width and height */

typedef struct ConsoleListener ConsoleListener;

/* Who shows a console; embedded. What is NULL is of no interest. */
struct ConsoleListener {
    void (*surface_changed)(ConsoleListener *listener, Surface *surface);
    void (*pixels_changed)(ConsoleListener *listener, SurfaceRect rect);
    /* NULL: there is none. Borrowed. */
    void (*cursor_changed)(ConsoleListener *listener, const ConsoleCursor *cursor);
    /* The console goes away, and with it this listener's place. */
    void (*console_gone)(ConsoleListener *listener);
    /* It watches: the console is refreshed by itself, often while it changes, seldom while not. */
    bool is_watching;
};

/* `owner` is the device, borrowed; `head` numbers its screens. It starts with 640 x 480 black. Without a device (NULL)
 * it is nobody's screen: not among those of console_nth(). */
Console *console_new(Object *owner, unsigned head, const ConsoleOps *ops, void *opaque);
void console_free(Console *console); /* NULL is fine */

/* From now on somebody else draws it. */
void console_set_ops(Console *console, const ConsoleOps *ops, void *opaque);

Surface *console_surface(const Console *console);
/* Takes the surface, frees the old one. */
void console_set_surface(Console *console, Surface *surface);
/* The surface, in this size: made anew only if that differs. NULL: no memory, the old one stays. */
Surface *console_resize(Console *console, uint32_t width, uint32_t height);
void console_changed(Console *console, SurfaceRect rect);
void console_refresh(Console *console);
/* Something is about to change: a user types. */
void console_hurry(Console *console);
/* Copied. Without a picture (NULL) there is no pointer to be seen. */
void console_set_cursor(Console *console, const ConsoleCursor *cursor);
void console_add_listener(Console *console, ConsoleListener *listener);
void console_remove_listener(Console *console, ConsoleListener *listener);

bool console_text(Console *console, ConsoleText *text);
/* False: the device has no way to tell its guest. */
bool console_suggest_size(Console *console, uint32_t width, uint32_t height);

Object *console_owner(const Console *console);
unsigned console_head(const Console *console);
/* By number, in order of making; NULL: there are not so many. */
Console *console_nth(unsigned n);
/* NULL: the device has no such screen. */
Console *console_of(const Object *owner, unsigned head);
/* Of the device with this id or path. */
Console *console_find(const char *device, unsigned head, Error **errp);

#endif
