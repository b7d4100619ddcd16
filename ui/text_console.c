/*
 * See ui/text_console.h. A text console's picture is that of its characters; what differs from what was drawn last is
 * drawn anew. One is made when it is first looked at, and goes with its chardev.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/text_console.h"

#include "chardev/vc.h"
#include "ui/font.h"
#include "util/event_loop.h"

typedef struct TextConsole {
    Console *console;
    Chardev *vc;
    /* as it was drawn last; NULL: not at all */
    uint16_t *drawn;
    unsigned cols, rows;
} TextConsole;

/* The process's. */
static struct {
    GPtrArray *consoles; /* NULL: nobody has asked yet */
    Deferred *look;
} all;

/* Its chardev may go at any time; that is found out a moment later. */
static bool is_there(const Chardev *vc)
{
    for (unsigned n = 0; chardev_vc_nth(n); n++) {
        if (chardev_vc_nth(n) == vc) {
            return true;
        }
    }
    return false;
}

/* --- drawing --- */

static uint32_t color_of(unsigned vga)
{
    uint32_t level = vga & 8 ? 0xff : 0xaa;

    return (vga & 4 ? level << 16 : 0) | (vga & 2 ? level << 8 : 0) | (vga & 1 ? level : 0);
}

static void draw_cell(Surface *surface, unsigned x, unsigned y, uint16_t cell)
{
    uint32_t ink = color_of(cell >> 8 & 15), paper = color_of(cell >> 12 & 7);
    uint8_t c = cell;
    const uint8_t *glyph = font_glyphs[c >= FONT_FIRST && c <= FONT_LAST ? c - FONT_FIRST : 0];

    for (unsigned line = 0; line < FONT_HEIGHT; line++) {
        uint32_t *pixel = surface_line(surface, y * FONT_HEIGHT + line) + x * FONT_WIDTH;

        for (unsigned i = 0; i < FONT_WIDTH; i++) {
            pixel[i] = glyph[line] & 0x80 >> i ? ink : paper;
        }
    }
}

static void draw_line(TextConsole *tc, Surface *surface, unsigned y, const uint16_t *cells)
{
    const uint16_t *old = tc->drawn ? tc->drawn + (size_t)y * tc->cols : NULL;

    if (old && !memcmp(old, cells, tc->cols * sizeof(*cells))) {
        return;
    }
    for (unsigned x = 0; x < tc->cols; x++) {
        if (!old || old[x] != cells[x]) {
            draw_cell(surface, x, y, cells[x]);
        }
    }
    console_changed(tc->console, (SurfaceRect){ 0, y * FONT_HEIGHT, tc->cols * FONT_WIDTH, FONT_HEIGHT });
}

/* Ink and paper change places where the cursor is. */
static void draw_cursor(ChardevVcPicture *picture)
{
    uint16_t *cell = &picture->cells[(size_t)picture->y * picture->cols + picture->x];

    *cell = (*cell & 0xff) | (*cell >> 12 & 7) << 8 | (*cell >> 8 & 7) << 12;
}

static void invalidate(void *opaque)
{
    TextConsole *tc = opaque;

    g_free(tc->drawn);
    tc->drawn = NULL;
}

static void refresh(void *opaque)
{
    TextConsole *tc = opaque;
    ChardevVcPicture picture;
    Surface *surface;

    if (!is_there(tc->vc)) {
        return;
    }
    picture = chardev_vc_picture(tc->vc);
    surface = console_resize(tc->console, picture.cols * FONT_WIDTH, picture.rows * FONT_HEIGHT);
    if (!surface) {
        g_free(picture.cells);
        return; /* there is no memory for it */
    }
    if (picture.cols != tc->cols || picture.rows != tc->rows) {
        invalidate(tc);
    }
    tc->cols = picture.cols;
    tc->rows = picture.rows;
    draw_cursor(&picture);
    for (unsigned y = 0; y < tc->rows; y++) {
        draw_line(tc, surface, y, picture.cells + (size_t)y * tc->cols);
    }
    g_free(tc->drawn);
    tc->drawn = picture.cells;
}

static bool text(void *opaque, ConsoleText *found)
{
    Chardev *vc = ((TextConsole *)opaque)->vc;
    ChardevVcPicture picture;

    if (!is_there(vc)) {
        return false;
    }
    picture = chardev_vc_picture(vc);
    *found = (ConsoleText){ picture.cols, picture.rows, picture.x, picture.y, picture.cells };
    return true;
}

static const ConsoleOps ops = { refresh, invalidate, NULL, text };

/* --- life --- */

static void console_end(void *opaque)
{
    TextConsole *tc = opaque;

    console_free(tc->console);
    g_free(tc->drawn);
    g_free(tc);
}

/* Something was written, or one is gone. */
static void look(void *opaque)
{
    for (guint i = all.consoles->len; i-- > 0; ) {
        TextConsole *tc = all.consoles->pdata[i];

        if (!is_there(tc->vc)) {
            g_ptr_array_remove_index(all.consoles, i);
        } else {
            console_hurry(tc->console);
        }
    }
}

static void vc_changed(void)
{
    deferred_schedule(all.look);
}

static void start(void)
{
    all.consoles = g_ptr_array_new_with_free_func(console_end);
    all.look = deferred_new(event_loop_main(), look, NULL);
    chardev_vc_set_watcher(vc_changed);
}

void text_consoles_cleanup(void)
{
    if (all.consoles) {
        chardev_vc_set_watcher(NULL);
        deferred_free(all.look);
        g_ptr_array_unref(all.consoles);
        all.consoles = NULL;
    }
}

static Console *console_on(Chardev *vc)
{
    TextConsole *tc;

    if (!all.consoles) {
        start();
    }
    for (guint i = 0; i < all.consoles->len; i++) {
        tc = all.consoles->pdata[i];
        if (tc->vc == vc) {
            return tc->console;
        }
    }
    tc = g_new0(TextConsole, 1);
    tc->vc = vc;
    tc->console = console_new(NULL, 0, &ops, tc);
    g_ptr_array_add(all.consoles, tc);
    return tc->console;
}

Console *console_choice(unsigned n)
{
    unsigned screens = 0;
    Chardev *vc;

    while (console_nth(screens)) {
        if (screens == n) {
            return console_nth(n);
        }
        screens++;
    }
    vc = chardev_vc_nth(n - screens);
    return vc ? console_on(vc) : NULL;
}

/* --- typing --- */

static TextConsole *text_console_of(const Console *console)
{
    for (guint i = 0; all.consoles && i < all.consoles->len; i++) {
        TextConsole *tc = all.consoles->pdata[i];

        if (tc->console == console) {
            return tc;
        }
    }
    return NULL;
}

bool console_is_text(const Console *console)
{
    return text_console_of(console);
}

static const char *bytes_of(QKeyCode key)
{
    static const struct {
        QKeyCode key;
        const char *bytes;
    } keys[] = {
        { Q_KEY_CODE_UP, "\033[A" }, { Q_KEY_CODE_DOWN, "\033[B" }, { Q_KEY_CODE_RIGHT, "\033[C" },
        { Q_KEY_CODE_LEFT, "\033[D" }, { Q_KEY_CODE_HOME, "\033[1~" }, { Q_KEY_CODE_INSERT, "\033[2~" },
        { Q_KEY_CODE_DELETE, "\033[3~" }, { Q_KEY_CODE_END, "\033[4~" }, { Q_KEY_CODE_PGUP, "\033[5~" },
        { Q_KEY_CODE_PGDN, "\033[6~" }, { Q_KEY_CODE_BACKSPACE, "\b" }, { Q_KEY_CODE_RET, "\r" },
        { Q_KEY_CODE_KP_ENTER, "\r" }, { Q_KEY_CODE_TAB, "\t" }, { Q_KEY_CODE_ESC, "\033" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].key == key) {
            return keys[i].bytes;
        }
    }
    return NULL;
}

void text_console_type(Console *console, QKeyCode key, uint8_t character)
{
    TextConsole *tc = text_console_of(console);
    const char *bytes = bytes_of(key);

    if (tc && bytes && is_there(tc->vc)) {
        chardev_vc_input(tc->vc, (const uint8_t *)bytes, strlen(bytes));
    } else if (tc && character && is_there(tc->vc)) {
        chardev_vc_input(tc->vc, &character, 1);
    }
}
