/*
 * Readline: a line being typed at a terminal, with cursor keys, history and completion.
 *
 * Bytes go in, what the terminal is to show comes out of `show`, whole lines of `line`. Understands
 * the keys of VT100-like terminals and the usual control keys of shells.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_READLINE_H
#define MONITOR_READLINE_H

#define READLINE_MAX_BYTES 4095 /* of a line */
#define READLINE_MAX_HISTORY 64

typedef struct ReadlineHandlers {
    void (*show)(void *opaque, const char *text, size_t size);
    /* The line without its end; the prompt is shown again afterwards, unless it says no. */
    void (*line)(void *opaque, const char *line);
    /* What the last word of `start` may be; NULL-ended, freed by the caller. May be NULL. */
    char **(*complete)(void *opaque, const char *start);
} ReadlineHandlers;

typedef struct Readline {
    const ReadlineHandlers *handlers;
    void *opaque;
    const char *prompt;
    GString *line;
    size_t cursor;
    GPtrArray *history;    /* the oldest first */
    size_t history_at;     /* the one shown; its length: the line that is new */
    char *unfinished;      /* the new line, while an old one is shown */
    unsigned escape_state; /* of a key of several bytes */
    unsigned escape_number;
    bool was_tab;          /* twice shows what there is */
    char last;
} Readline;

void readline_init(Readline *rl, const ReadlineHandlers *handlers, void *opaque);
void readline_clear(Readline *rl);
/* An empty line behind a prompt. */
void readline_start(Readline *rl, const char *prompt);
void readline_byte(Readline *rl, char c);
/* Shows prompt and line again (something else was printed). */
void readline_show(Readline *rl);

#endif
