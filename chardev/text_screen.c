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

bool text_screen_init(TextScreen *screen, unsigned cols, unsigned rows)
{
    *screen = (TextScreen){ .cols = cols, .rows = rows };
    screen->cells = g_try_malloc((size_t)cols * rows);
    if (screen->cells) {
        memset(screen->cells, ' ', (size_t)cols * rows);
    }
    return screen->cells;
}

void text_screen_clear(TextScreen *screen)
{
    g_free(screen->cells);
    screen->cells = NULL;
}

static void erase(TextScreen *s, size_t from, size_t to)
{
    memset(s->cells + from, ' ', to - from);
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
    memmove(s->cells, s->cells + s->cols, size - s->cols);
    erase(s, size - s->cols, size);
}

static void put(TextScreen *s, uint8_t c)
{
    if (s->x == s->cols) {
        s->x = 0;
        line_feed(s);
    }
    s->cells[cursor(s)] = c;
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
        const char *row = s->cells + (size_t)y * s->cols;
        size_t used = s->cols;

        while (used && row[used - 1] == ' ') {
            used--;
        }
        g_string_append_len(text, row, used);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
