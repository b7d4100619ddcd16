/*
 * Editing a line at a terminal: see readline.h. A line is bytes; the terminal is thought wide
 * enough. What is shown is kept up to date by writing the changed tail and moving back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "readline.h"

#define CTRL(letter) ((letter) & 0x1f)
#define KEY_ESCAPE 27
#define KEY_DELETE 127

enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI, ESCAPE_SS3 };

static void show(Readline *rl, const char *text)
{
    rl->handlers->show(rl->opaque, text, strlen(text));
}

static void move_back(Readline *rl, size_t columns)
{
    while (columns--) {
        show(rl, "\b");
    }
}

/* The line from the cursor on is new, and `gone` bytes shorter than what is shown. */
static void show_tail(Readline *rl, size_t gone)
{
    rl->handlers->show(rl->opaque, rl->line->str + rl->cursor, rl->line->len - rl->cursor);
    for (size_t i = 0; i < gone; i++) {
        show(rl, " ");
    }
    move_back(rl, rl->line->len - rl->cursor + gone);
}

static void insert(Readline *rl, const char *text)
{
    size_t size = MIN(strlen(text), READLINE_MAX_BYTES - rl->line->len);

    g_string_insert_len(rl->line, rl->cursor, text, size);
    rl->handlers->show(rl->opaque, text, size);
    rl->cursor += size;
    if (rl->cursor < rl->line->len) {
        show_tail(rl, 0);
    }
}

static void erase(Readline *rl, size_t from, size_t size)
{
    move_back(rl, rl->cursor - from);
    rl->cursor = from;
    g_string_erase(rl->line, from, size);
    show_tail(rl, size);
}

static void move_to(Readline *rl, size_t cursor)
{
    if (cursor < rl->cursor) {
        move_back(rl, rl->cursor - cursor);
    } else {
        rl->handlers->show(rl->opaque, rl->line->str + rl->cursor, cursor - rl->cursor);
    }
    rl->cursor = cursor;
}

static void replace(Readline *rl, const char *text)
{
    erase(rl, 0, rl->line->len);
    insert(rl, text);
}

/* --- words --- */

static size_t word_start(const Readline *rl)
{
    size_t at = rl->cursor;

    while (at > 0 && g_ascii_isspace(rl->line->str[at - 1])) {
        at--;
    }
    while (at > 0 && !g_ascii_isspace(rl->line->str[at - 1])) {
        at--;
    }
    return at;
}

static size_t word_end(const Readline *rl)
{
    size_t at = rl->cursor;

    while (at < rl->line->len && g_ascii_isspace(rl->line->str[at])) {
        at++;
    }
    while (at < rl->line->len && !g_ascii_isspace(rl->line->str[at])) {
        at++;
    }
    return at;
}

/* --- history --- */

static void history_add(Readline *rl)
{
    const char *line = rl->line->str;
    guint known;

    if (!*line) {
        return;
    }
    if (g_ptr_array_find_with_equal_func(rl->history, line, g_str_equal, &known)) {
        g_ptr_array_remove_index(rl->history, known);
    } else if (rl->history->len == READLINE_MAX_HISTORY) {
        g_ptr_array_remove_index(rl->history, 0);
    }
    g_ptr_array_add(rl->history, g_strdup(line));
}

static void history_go(Readline *rl, bool is_back)
{
    if (is_back ? rl->history_at == 0 : rl->history_at >= rl->history->len) {
        return;
    }
    if (rl->history_at == rl->history->len) {
        g_free(rl->unfinished);
        rl->unfinished = g_strdup(rl->line->str);
    }
    rl->history_at += is_back ? -1 : 1;
    replace(rl, rl->history_at == rl->history->len
            ? rl->unfinished : g_ptr_array_index(rl->history, rl->history_at));
}

/* --- completion --- */

static size_t common_length(char **found)
{
    size_t length = strlen(found[0]);

    for (char **p = found + 1; *p; p++) {
        size_t i = 0;

        while (i < length && (*p)[i] == found[0][i]) {
            i++;
        }
        length = i;
    }
    return length;
}

static void show_choices(Readline *rl, char **found)
{
    show(rl, "\r\n");
    for (char **p = found; *p; p++) {
        show(rl, *p);
        show(rl, p[1] ? "  " : "\r\n");
    }
    readline_show(rl);
}

static void complete(Readline *rl, bool is_again)
{
    g_autofree char *start = g_strndup(rl->line->str, rl->cursor);
    g_auto(GStrv) found = rl->handlers->complete
        ? rl->handlers->complete(rl->opaque, start) : NULL;
    size_t at = rl->cursor, typed, common;

    if (!found || !found[0]) {
        return;
    }
    while (at > 0 && !g_ascii_isspace(start[at - 1])) {
        at--;
    }
    typed = rl->cursor - at;
    common = common_length(found);
    if (common > typed) {
        g_autofree char *more = g_strndup(found[0] + typed, common - typed);

        insert(rl, more);
    }
    if (!found[1]) {
        if (!g_str_has_suffix(found[0], "/")) {
            insert(rl, " ");
        }
    } else if (is_again && common == typed) {
        show_choices(rl, found);
    }
}

/* --- keys --- */

static void enter(Readline *rl)
{
    g_autofree char *line = g_strdup(rl->line->str);

    history_add(rl);
    show(rl, "\r\n");
    g_string_truncate(rl->line, 0);
    rl->cursor = 0;
    rl->history_at = rl->history->len;
    rl->handlers->line(rl->opaque, line);
    readline_show(rl);
}

static void left(Readline *rl)
{
    if (rl->cursor > 0) {
        move_to(rl, rl->cursor - 1);
    }
}

static void right(Readline *rl)
{
    if (rl->cursor < rl->line->len) {
        move_to(rl, rl->cursor + 1);
    }
}

static void backspace(Readline *rl)
{
    if (rl->cursor > 0) {
        erase(rl, rl->cursor - 1, 1);
    }
}

static void delete(Readline *rl)
{
    if (rl->cursor < rl->line->len) {
        erase(rl, rl->cursor, 1);
    }
}

static void control_key(Readline *rl, char c)
{
    switch (c) {
    case CTRL('A'):
        move_to(rl, 0);
        break;
    case CTRL('B'):
        left(rl);
        break;
    case CTRL('D'):
        delete(rl);
        break;
    case CTRL('E'):
        move_to(rl, rl->line->len);
        break;
    case CTRL('F'):
        right(rl);
        break;
    case CTRL('H'):
    case KEY_DELETE:
        backspace(rl);
        break;
    case CTRL('I'):
        complete(rl, rl->was_tab);
        break;
    case CTRL('K'):
        erase(rl, rl->cursor, rl->line->len - rl->cursor);
        break;
    case CTRL('L'):
        show(rl, "\033[2J\033[H");
        readline_show(rl);
        break;
    case CTRL('N'):
        history_go(rl, false);
        break;
    case CTRL('P'):
        history_go(rl, true);
        break;
    case CTRL('U'):
        erase(rl, 0, rl->cursor);
        break;
    case CTRL('W'):
        erase(rl, word_start(rl), rl->cursor - word_start(rl));
        break;
    case KEY_ESCAPE:
        rl->escape_state = ESCAPE_BEGUN;
        break;
    }
}

/* ESC b, ESC f, ESC d; ESC [ and ESC O begin a cursor key. */
static void escape_key(Readline *rl, char c)
{
    rl->escape_state = c == '[' ? ESCAPE_CSI : c == 'O' ? ESCAPE_SS3 : ESCAPE_NONE;
    rl->escape_number = 0;
    if (c == 'b') {
        move_to(rl, word_start(rl));
    } else if (c == 'f') {
        move_to(rl, word_end(rl));
    } else if (c == 'd') {
        erase(rl, rl->cursor, word_end(rl) - rl->cursor);
    }
}

static void cursor_key(Readline *rl, char c)
{
    if (g_ascii_isdigit(c)) {
        rl->escape_number = MIN(rl->escape_number * 10 + (c - '0'), 1000);
        return;
    }
    if (c == ';') {
        rl->escape_number = 0;
        return;
    }
    rl->escape_state = ESCAPE_NONE;
    if (c == '~') {
        c = rl->escape_number == 1 || rl->escape_number == 7 ? 'H'
            : rl->escape_number == 4 || rl->escape_number == 8 ? 'F'
            : rl->escape_number == 3 ? 'x' : 0;
    }
    switch (c) {
    case 'A':
        history_go(rl, true);
        break;
    case 'B':
        history_go(rl, false);
        break;
    case 'C':
        right(rl);
        break;
    case 'D':
        left(rl);
        break;
    case 'H':
        move_to(rl, 0);
        break;
    case 'F':
        move_to(rl, rl->line->len);
        break;
    case 'x':
        delete(rl);
        break;
    }
}

void readline_byte(Readline *rl, char c)
{
    bool is_second_of_crlf = c == '\n' && rl->last == '\r';

    rl->last = c;
    if (rl->escape_state == ESCAPE_BEGUN) {
        escape_key(rl, c);
    } else if (rl->escape_state != ESCAPE_NONE) {
        cursor_key(rl, c);
    } else if (c == '\n' || c == '\r') {
        if (!is_second_of_crlf) {
            enter(rl);
        }
    } else if ((unsigned char)c < 0x20 || c == KEY_DELETE) {
        control_key(rl, c);
    } else {
        insert(rl, (const char[]){ c, 0 });
    }
    rl->was_tab = c == CTRL('I');
}

/* --- */

void readline_init(Readline *rl, const ReadlineHandlers *handlers, void *opaque)
{
    *rl = (Readline){
        .handlers = handlers,
        .opaque = opaque,
        .prompt = "",
        .line = g_string_new(NULL),
        .history = g_ptr_array_new_with_free_func(g_free),
    };
}

void readline_clear(Readline *rl)
{
    g_string_free(rl->line, TRUE);
    g_ptr_array_free(rl->history, TRUE);
    g_free(rl->unfinished);
}

void readline_show(Readline *rl)
{
    show(rl, rl->prompt);
    rl->handlers->show(rl->opaque, rl->line->str, rl->line->len);
    move_back(rl, rl->line->len - rl->cursor);
}

void readline_start(Readline *rl, const char *prompt)
{
    rl->prompt = prompt;
    g_string_truncate(rl->line, 0);
    rl->cursor = 0;
    rl->history_at = rl->history->len;
    rl->escape_state = ESCAPE_NONE;
    readline_show(rl);
}
