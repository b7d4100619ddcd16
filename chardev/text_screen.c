/*
 * A terminal's screen: see chardev/text_screen.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/text_screen.h"

#define ESC 0x1b
#define TAB_COLUMNS 8
#define PARAM_MAX 9999

enum { STATE_TEXT, STATE_ESCAPE, STATE_CONTROL };
enum { VGA_BLACK = 0, VGA_GREY = 7, VGA_BRIGHT = 8 };

static uint16_t cell_of(const TextScreen *s, uint8_t c)
{
    uint8_t ink = s->is_inverse ? s->paper : s->ink, paper = s->is_inverse ? s->ink : s->paper;

    return c | (ink | (s->is_bright ? VGA_BRIGHT : 0)) << 8 | (paper & 7) << 12;
}

static void erase(TextScreen *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        s->cells[i] = cell_of(s, ' ');
    }
}

bool text_screen_init(TextScreen *screen, unsigned cols, unsigned rows)
{
    *screen = (TextScreen){ .cols = cols, .rows = rows, .ink = VGA_GREY, .paper = VGA_BLACK };
    screen->cells = g_try_malloc_n((size_t)cols * rows, sizeof(*screen->cells));
    if (screen->cells) {
        erase(screen, 0, (size_t)cols * rows);
    }
    return screen->cells;
}

void text_screen_clear(TextScreen *screen)
{
    g_free(screen->cells);
    screen->cells = NULL;
}

static size_t cursor(const TextScreen *s)
{
    return (size_t)s->y * s->cols + MIN(s->x, s->cols - 1);
}

static void line_feed(TextScreen *s)
{
    size_t size = (size_t)s->cols * s->rows;

    if (s->y + 1 < s->rows) {
        s->y++;
        return;
    }
    memmove(s->cells, s->cells + s->cols, (size - s->cols) * sizeof(*s->cells));
    erase(s, size - s->cols, size);
}

static void put(TextScreen *s, uint8_t c)
{
    if (s->x == s->cols) {
        s->x = 0;
        line_feed(s);
    }
    s->cells[cursor(s)] = cell_of(s, c);
    s->x++;
}

/* Missing and zero parameters are 1. */
static unsigned param(const TextScreen *s, unsigned n)
{
    return n < s->param_count && s->params[n] ? s->params[n] : 1;
}

static void erase_line(TextScreen *s)
{
    size_t start = (size_t)s->y * s->cols;
    unsigned what = s->param_count ? s->params[0] : 0;

    erase(s, what == 0 ? cursor(s) : start, what == 1 ? cursor(s) + 1 : start + s->cols);
}

static void erase_display(TextScreen *s)
{
    unsigned what = s->param_count ? s->params[0] : 0;

    erase(s, what == 0 ? cursor(s) : 0,
          what == 1 ? cursor(s) + 1 : (size_t)s->cols * s->rows);
}

/* ECMA-48 counts from red, a VGA from blue. */
static uint8_t color(unsigned n)
{
    return (n & 1) << 2 | (n & 2) | (n & 4) >> 2;
}

static void select_rendition(TextScreen *s, unsigned what)
{
    switch (what) {
    case 0:
        s->ink = VGA_GREY;
        s->paper = VGA_BLACK;
        s->is_bright = s->is_inverse = false;
        break;
    case 1:
    case 22:
        s->is_bright = what == 1;
        break;
    case 7:
    case 27:
        s->is_inverse = what == 7;
        break;
    case 30 ... 37:
        s->ink = color(what - 30);
        break;
    case 39:
        s->ink = VGA_GREY;
        break;
    case 40 ... 47:
        s->paper = color(what - 40);
        break;
    case 49:
        s->paper = VGA_BLACK;
        break;
    case 90 ... 97:
        s->ink = color(what - 90) | VGA_BRIGHT;
        break;
    }
}

static void control(TextScreen *s, uint8_t final)
{
    if (strchr("ABCDHf", final)) {
        s->x = MIN(s->x, s->cols - 1); /* who moves does not wrap */
    }
    switch (final) {
    case 'A':
        s->y -= MIN(s->y, param(s, 0));
        break;
    case 'B':
        s->y = MIN(s->y + param(s, 0), s->rows - 1);
        break;
    case 'C':
        s->x = MIN(s->x + param(s, 0), s->cols - 1);
        break;
    case 'D':
        s->x -= MIN(s->x, param(s, 0));
        break;
    case 'H':
    case 'f':
        s->y = MIN(param(s, 0), s->rows) - 1;
        s->x = MIN(param(s, 1), s->cols) - 1;
        break;
    case 'J':
        erase_display(s);
        break;
    case 'K':
        erase_line(s);
        break;
    case 'm':
        for (unsigned i = 0; i < s->param_count; i++) {
            select_rendition(s, s->params[i]);
        }
        break;
    }
}

static void control_byte(TextScreen *s, uint8_t c)
{
    if (g_ascii_isdigit(c)) {
        unsigned *value = &s->params[MIN(s->param_count, TEXT_SCREEN_PARAMS - 1)];

        *value = MIN(*value * 10 + (c - '0'), PARAM_MAX);
    } else if (c == ';') {
        s->param_count = MIN(s->param_count + 1, TEXT_SCREEN_PARAMS - 1);
    } else if (c >= 0x40) {
        s->param_count++;
        control(s, c);
        s->state = STATE_TEXT;
    }
}

static void text_byte(TextScreen *s, uint8_t c)
{
    switch (c) {
    case ESC:
        s->state = STATE_ESCAPE;
        break;
    case '\r':
        s->x = 0;
        break;
    case '\n':
        line_feed(s);
        break;
    case '\b':
        s->x -= s->x > 0;
        break;
    case '\t':
        s->x = MIN(ROUND_DOWN(s->x, TAB_COLUMNS) + TAB_COLUMNS, s->cols - 1);
        break;
    default:
        if (c >= ' ' && c != 0x7f) {
            put(s, c < 0x80 ? c : '?');
        }
    }
}

void text_screen_write(TextScreen *s, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (s->state) {
        case STATE_TEXT:
            text_byte(s, bytes[i]);
            break;
        case STATE_ESCAPE:
            s->state = bytes[i] == '[' ? STATE_CONTROL : STATE_TEXT;
            s->param_count = 0;
            memset(s->params, 0, sizeof(s->params));
            break;
        case STATE_CONTROL:
            control_byte(s, bytes[i]);
            break;
        }
    }
}

char *text_screen_text(const TextScreen *s)
{
    GString *text = g_string_new(NULL);

    for (unsigned y = 0; y < s->rows; y++) {
        const uint16_t *row = s->cells + (size_t)y * s->cols;
        size_t used = s->cols;

        while (used && (uint8_t)row[used - 1] == ' ') {
            used--;
        }
        for (size_t x = 0; x < used; x++) {
            g_string_append_c(text, (char)row[x]);
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
