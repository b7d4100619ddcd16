/*
 * The terminal as a display, by ncursesw: see ui/curses.h. Text is drawn where the machine's screen
 * shows text; of graphics the size is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/curses.h"

#include <curses.h>
#include <locale.h>

#include "ui/input.h"
#include "ui/text_console.h"
#include "util/event_loop.h"

#define ESC            27
#define VGA_COLORS     8
#define CODE_PAGE_HALF 128

/* The terminal's. */
static struct {
    bool is_on;
    SCREEN *screen;
    const Keymap *keymap;
    Console *shown;           /* NULL: there is nothing to show */
    ConsoleListener listener;
    FdWatch *typed;
    Deferred *redraw;
    cchar_t glyphs[256];      /* of code page 437 */
} terminal;

bool curses_is_built(void)
{
    return true;
}

/* --- drawing --- */

/* The picture may be larger than the terminal: the part around the cursor is shown. */
static int first_shown(int size, int room, int cursor)
{
    return size <= room || cursor < room ? 0 : MIN(cursor - room + 1, size - room);
}

static void draw_cell(int x, int y, uint16_t cell)
{
    unsigned attribute = cell >> 8;
    unsigned pair = (attribute & 7) + (attribute >> 4 & 7) * VGA_COLORS;
    cchar_t glyph = terminal.glyphs[cell & 0xff];

    glyph.attr = attribute & 8 ? A_BOLD : A_NORMAL;
    glyph.ext_color = pair + 1;
    mvadd_wch(y, x, &glyph);
}

static void draw_text(const ConsoleText *text)
{
    int left = first_shown(text->columns, COLS, text->cursor_x);
    int top = first_shown(text->rows, LINES, text->cursor_y);

    for (int y = 0; y < MIN(LINES, (int)text->rows); y++) {
        for (int x = 0; x < MIN(COLS, (int)text->columns); x++) {
            draw_cell(x, y, text->cells[(top + y) * text->columns + left + x]);
        }
    }
    curs_set(text->cursor_y >= 0);
    if (text->cursor_y >= 0) {
        move(text->cursor_y - top, text->cursor_x - left);
    }
}

static void draw_size(void)
{
    g_autofree char *words = terminal.shown
        ? g_strdup_printf("%u x %u Graphic mode", console_surface(terminal.shown)->width,
                          console_surface(terminal.shown)->height)
        : g_strdup("No screen");

    curs_set(0);
    mvaddstr(LINES / 2, MAX(0, (COLS - (int)strlen(words)) / 2), words);
}

static void show(Console *console)
{
    if (terminal.shown) {
        console_remove_listener(terminal.shown, &terminal.listener);
    }
    terminal.shown = console;
    if (console) {
        console_add_listener(console, &terminal.listener);
    }
}

static void draw(void *opaque)
{
    ConsoleText text;

    if (!terminal.shown) {
        show(console_choice(0));
    }
    erase();
    if (terminal.shown && console_text(terminal.shown, &text)) {
        draw_text(&text);
        g_free(text.cells);
    } else {
        draw_size();
    }
    refresh();
}

static void surface_changed(ConsoleListener *listener, Surface *surface)
{
    deferred_schedule(terminal.redraw);
}

static void pixels_changed(ConsoleListener *listener, SurfaceRect rect)
{
    deferred_schedule(terminal.redraw);
}

static void console_gone(ConsoleListener *listener)
{
    terminal.shown = NULL;
    deferred_schedule(terminal.redraw);
}

static void choose(int digit)
{
    Console *console = console_choice(digit - '1');

    if (console) {
        show(console);
    }
    clear();
    draw(NULL);
}

/* --- keys --- */

static const struct SpecialKey {
    int code; /* of curses */
    QKeyCode key;
} special_keys[] = {
    { KEY_UP, Q_KEY_CODE_UP }, { KEY_DOWN, Q_KEY_CODE_DOWN },
    { KEY_RIGHT, Q_KEY_CODE_RIGHT }, { KEY_LEFT, Q_KEY_CODE_LEFT },
    { KEY_HOME, Q_KEY_CODE_HOME }, { KEY_END, Q_KEY_CODE_END },
    { KEY_PPAGE, Q_KEY_CODE_PGUP }, { KEY_NPAGE, Q_KEY_CODE_PGDN },
    { KEY_IC, Q_KEY_CODE_INSERT }, { KEY_DC, Q_KEY_CODE_DELETE },
    { KEY_BACKSPACE, Q_KEY_CODE_BACKSPACE }, { 127, Q_KEY_CODE_BACKSPACE },
    { '\b', Q_KEY_CODE_BACKSPACE }, { '\r', Q_KEY_CODE_RET },
    { '\n', Q_KEY_CODE_RET }, { KEY_ENTER, Q_KEY_CODE_RET },
    { '\t', Q_KEY_CODE_TAB }, { ESC, Q_KEY_CODE_ESC },
    { KEY_F(1), Q_KEY_CODE_F1 }, { KEY_F(2), Q_KEY_CODE_F2 },
    { KEY_F(3), Q_KEY_CODE_F3 }, { KEY_F(4), Q_KEY_CODE_F4 },
    { KEY_F(5), Q_KEY_CODE_F5 }, { KEY_F(6), Q_KEY_CODE_F6 },
    { KEY_F(7), Q_KEY_CODE_F7 }, { KEY_F(8), Q_KEY_CODE_F8 },
    { KEY_F(9), Q_KEY_CODE_F9 }, { KEY_F(10), Q_KEY_CODE_F10 },
    { KEY_F(11), Q_KEY_CODE_F11 }, { KEY_F(12), Q_KEY_CODE_F12 },
};

static const struct SpecialKey *find_special(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(special_keys); i++) {
        if (special_keys[i].code == code) {
            return &special_keys[i];
        }
    }
    return NULL;
}

static void type_into_text(int code)
{
    const struct SpecialKey *special = find_special(code);

    text_console_type(terminal.shown, special ? special->key : Q_KEY_CODE_UNMAPPED, code < 0x80 ? code : 0);
}

/* With what is held meanwhile. */
static void press(KeymapKey key, bool has_control, bool has_alt)
{
    const struct { bool is_held; QKeyCode key; } modifiers[] = {
        { key.needs_shift, Q_KEY_CODE_SHIFT }, { key.needs_altgr, Q_KEY_CODE_ALT_R },
        { has_control, Q_KEY_CODE_CTRL }, { has_alt, Q_KEY_CODE_ALT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++) {
        if (modifiers[i].is_held) {
            input_send_key(modifiers[i].key, true);
        }
    }
    input_send_key(key.key, true);
    input_send_key(key.key, false);
    for (size_t i = ARRAY_SIZE(modifiers); i-- > 0; ) {
        if (modifiers[i].is_held) {
            input_send_key(modifiers[i].key, false);
        }
    }
}

static void type_into_guest(int code, bool has_alt)
{
    const struct SpecialKey *special = find_special(code);
    bool has_control = !special && code < ' ';
    KeymapKey key;

    if (special) {
        press((KeymapKey){ .key = special->key }, false, has_alt);
    } else if (code < 0x100 &&
               keymap_lookup(terminal.keymap, has_control ? code + 'a' - 1 : code, &key)) {
        press(key, has_control, has_alt);
    }
    if (terminal.shown) {
        console_hurry(terminal.shown);
    }
}

/* ESC with something right behind it is Alt. */
static void take_key(int code)
{
    bool has_alt = false;

    if (code == ESC) {
        int next = getch();

        has_alt = next != ERR;
        code = has_alt ? next : code;
    }
    if (has_alt && code >= '1' && code <= '9') {
        choose(code);
    } else if (code == KEY_RESIZE) {
        clear();
        draw(NULL);
    } else if (console_is_text(terminal.shown)) {
        type_into_text(code);
    } else {
        type_into_guest(code, has_alt);
    }
}

static void keys_come(void *opaque, GIOCondition events)
{
    int code;

    while ((code = getch()) != ERR) {
        take_key(code);
    }
    if (events & (G_IO_HUP | G_IO_ERR)) {
        fd_watch_set_events(terminal.typed, 0); /* the terminal is gone */
    }
}

/* --- life --- */

static void make_glyphs(void)
{
    static const wchar_t low[] = L" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
    char upper[CODE_PAGE_HALF];
    g_autofree gunichar *wide = NULL;
    g_autofree char *utf8 = NULL;

    for (unsigned i = 0; i < CODE_PAGE_HALF; i++) {
        upper[i] = i + CODE_PAGE_HALF;
    }
    utf8 = g_convert(upper, sizeof(upper), "UTF-8", "IBM437", NULL, NULL, NULL);
    wide = utf8 ? g_utf8_to_ucs4_fast(utf8, -1, NULL) : NULL;
    for (unsigned i = 0; i < 256; i++) {
        wchar_t c = i < ' ' ? low[i] : i == 127 ? L'⌂' : i < CODE_PAGE_HALF ? (wchar_t)i :
                    wide && wide[i - CODE_PAGE_HALF] != 0xa0 ? (wchar_t)wide[i - CODE_PAGE_HALF] :
                    L' ';
        wchar_t text[] = { c, 0 };

        setcchar(&terminal.glyphs[i], text, 0, 0, NULL);
    }
}

static void make_colors(void)
{
    static const short order[VGA_COLORS] = { /* a VGA has blue in the lowest bit */
        COLOR_BLACK, COLOR_BLUE, COLOR_GREEN, COLOR_CYAN, COLOR_RED, COLOR_MAGENTA, COLOR_YELLOW,
        COLOR_WHITE,
    };

    start_color();
    for (int i = 0; i < VGA_COLORS * VGA_COLORS; i++) {
        init_pair(i + 1, order[i % VGA_COLORS], order[i / VGA_COLORS]);
    }
}

bool curses_start(const Keymap *keymap, Error **errp)
{
    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
        return error_set(errp, "We need a terminal output");
    }
    setlocale(LC_CTYPE, "");
    terminal.screen = newterm(NULL, stdout, stdin);
    if (!terminal.screen) {
        return error_set(errp, "curses does not know this terminal");
    }
    terminal.is_on = true;
    terminal.keymap = keymap;
    raw();
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_escdelay(25);
    make_glyphs();
    make_colors();
    terminal.redraw = deferred_new(event_loop_main(), draw, NULL);
    terminal.typed = fd_watch_new(event_loop_main(), STDIN_FILENO, G_IO_IN, keys_come, NULL);
    terminal.listener = (ConsoleListener){ surface_changed, pixels_changed, NULL, console_gone,
                                           true };
    draw(NULL);
    return true;
}

void curses_cleanup(void)
{
    if (!terminal.is_on) {
        return;
    }
    show(NULL);
    fd_watch_free(terminal.typed);
    deferred_free(terminal.redraw);
    endwin();
    delscreen(terminal.screen);
    terminal.is_on = false;
}
