/*
 * HMP: commands for people. Each is a row of a table; most are a QMP command and a function that
 * prints what it returns, and exist exactly when that QMP command does.
 *
 * Main loop, machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_HMP_H
#define MONITOR_HMP_H

#include "qom/error.h"
#include "util/json.h"

typedef struct HmpCommand HmpCommand;

/* What lasts from one command to the next. */
typedef struct HmpSession {
    int cpu_index;      /* of commands that look at a CPU; -1: the first there is */
    GPtrArray *history; /* of lines, the oldest first; NULL: none is kept */
} HmpSession;

/* A command that is being run. */
typedef struct Hmp {
    HmpSession *session;
    GString *out; /* what it prints; lines end LF */
} Hmp;

typedef enum HmpArgKind {
    HMP_WORD,    /* a word, or "text with \"escapes\"" */
    HMP_FILE,    /* the same, a file's name */
    HMP_REST,    /* all that is left of the line */
    HMP_INT,     /* an expression of 32 bits */
    HMP_LONG,    /* an expression of 64 bits */
    HMP_SIZE,    /* bytes: 4k, 1G */
    HMP_MEGABYTES, /* the same; a bare number is in MiB */
    HMP_BOOL,    /* on, off */
    HMP_FLAG,    /* -f; with `has_word`, -f WORD */
    HMP_FORMAT,  /* "/4xb": members "count", "format", "size" of the arguments */
} HmpArgKind;

typedef struct HmpWords HmpWords;
/* Offers what may stand for a word; hmp_offer() looks whether it begins as typed. */
typedef void HmpComplete(HmpWords *words);

typedef struct HmpArg {
    const char *name; /* in the arguments, so of the QMP command; NULL ends the list */
    HmpArgKind kind;
    bool is_optional;
    char flag;              /* HMP_FLAG */
    bool has_word;
    const char *format;     /* HMP_FORMAT: letters that may stand for a format, then '/', sizes */
    HmpComplete *complete;
} HmpArg;
#define HMP_ARGS(...) (const HmpArg[]){ __VA_ARGS__, { NULL } }

struct HmpCommand {
    const char *name;  /* "cont|c"; NULL ends a table */
    const char *params;
    const char *help;
    const HmpArg *args; /* NULL: none */
    const char *qmp;    /* what it runs, and without what it does not exist */
    /* In place of the QMP command. Absent arguments are absent members. */
    void (*run)(Hmp *hmp, json_object *args);
    /* What the QMP command returned. */
    void (*show)(Hmp *hmp, json_object *value);
    const HmpCommand *sub; /* the first argument names one of these */
    bool allow_preconfig;
};

extern const HmpCommand hmp_commands[], hmp_info_commands[];

void hmp_session_init(HmpSession *session);
/* Runs a line and appends what it prints; whatever is wrong with it is printed too. */
void hmp_run_line(HmpSession *session, const char *line, GString *out);
/* How words that begin as the last one of `line` go on, sorted. Free it. */
char **hmp_complete_line(const char *line);

bool hmp_command_exists(const HmpCommand *command);
bool hmp_command_has_name(const HmpCommand *command, const char *name, size_t size);
const HmpCommand *hmp_command_find(const HmpCommand *table, const char *name);

/* --- for commands --- */

void hmp_printf(Hmp *hmp, const char *fmt, ...) PRINTF(2, 3);
/* Prints "Error: ..." and frees it; NULL is fine. */
void hmp_report(Hmp *hmp, Error *err);
/*
 * Runs a QMP command with `args` (borrowed, may be NULL). True: *value (may be NULL if not
 * wanted) is what it returned; else the error has been printed.
 */
bool hmp_call(Hmp *hmp, const char *qmp, json_object *args, json_object **value);

/* Borrowed members of a known shape; "" or 0 when absent. */
const char *hmp_text(json_object *object, const char *key);
int64_t hmp_int(json_object *object, const char *key);
bool hmp_bool(json_object *object, const char *key);
bool hmp_has(json_object *object, const char *key);

/* The word to be completed, as far as it is typed. */
const char *hmp_word(const HmpWords *words);
/* The word before it, or NULL. */
const char *hmp_previous_word(const HmpWords *words);
void hmp_offer(HmpWords *words, const char *text);

/* --- arguments (hmp_args.c, hmp_expr.c) --- */

/* Reads what `args` declares from *text; NULL: *why (g_free) says what is wrong. */
json_object *hmp_parse_args(const HmpSession *session, const HmpCommand *command,
                            const char *text, char **why);
/* Evaluates at *text and moves behind it. */
bool hmp_evaluate(const HmpSession *session, const char **text, int64_t *value, char **why);
/* Of the CPU that the session looks at (hmp_cpu.c). */
bool hmp_find_register(const HmpSession *session, const char *name, uint64_t *value);
/* The next word, unquoted (g_free), or NULL at the end; *why set if its quotes do not close. */
char *hmp_next_word(const char **text, char **why);

#endif
