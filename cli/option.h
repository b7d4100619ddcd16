/*
 * Command-line options as tables: what each is called, takes and means. Parsing, help, checks of
 * unknown keys, -readconfig, -set, query-command-line-options and shell completion come from
 * the rows. Values are collected first; cli/startup.c acts on them in its own order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "qom/error.h"
#include "util/json.h"
#include "util/option_group.h"

typedef struct OptionDef OptionDef;
typedef struct OptionSet OptionSet;

typedef enum OptionStyle {
    OPTION_FLAG,    /* no argument */
    OPTION_TEXT,    /* an argument; each occurrence is kept */
    OPTION_KEYS,    /* a=b,c=d; each occurrence is kept */
    OPTION_MERGED,  /* a=b,c=d; occurrences merge key by key, the last wins */
} OptionStyle;

struct OptionDef {
    const char *name;
    const char *reported_as;    /* in errors; NULL: the name */
    OptionStyle style;
    const char *implied_key;    /* of the first element without '=' */
    const char *group;          /* as introspection and -readconfig know it; NULL: none */
    const OptionParam *params;  /* the keys it takes, NULL name ends; NULL: any */
    const OptionParam *shown;   /* what introspection names of any; NULL: nothing */
    bool is_flat;               /* dots in keys are no structure */
    bool takes_json;            /* an argument that starts with '{' */
    bool is_hidden;             /* accepted, not shown */
    const char *targets;        /* "x86_64 aarch64"; NULL: all */
    const char *syntax;         /* what follows the name in help */
    const char *help;
    /* Acts at once, in place of collecting: prints help, turns into another option. */
    bool (*apply)(OptionSet *set, const char *arg, Error **errp);
};

/* A table of one family, under a heading of the help text. */
typedef struct OptionFamily {
    const char *heading;
    const OptionDef *defs;
    size_t count;
} OptionFamily;
extern const OptionFamily options_standard, options_block, options_network, options_display, options_host,
    options_machine, options_character, options_debug;

/* One occurrence, as collected. */
typedef struct OptionValue {
    const OptionDef *def;
    char *text;          /* as given */
    json_object *keys;   /* OPTION_KEYS, OPTION_MERGED */
    bool is_json;        /* typed values */
} OptionValue;

struct OptionSet {
    GHashTable *values;  /* option name -> GPtrArray of OptionValue */
    GPtrArray *order;    /* all of them as they came */
};

OptionSet *option_set_new(void);
void option_set_free(OptionSet *set);
/* Collects argv and does nothing else, but for -readconfig. A failure is to be reported at once:
 * its option is the location of errors. */
bool option_set_parse(OptionSet *set, int argc, char **argv, Error **errp);
/* As though the user had given -`name` `arg` (NULL for flags). */
bool option_set_add(OptionSet *set, const char *name, const char *arg, Error **errp);
/* As above with keys at hand, which are taken over; `arg` (may be NULL) is for messages. */
bool option_set_add_keys(OptionSet *set, const OptionDef *def, json_object *keys, const char *arg,
                         Error **errp);
const OptionDef *option_find(const char *name);
const OptionDef *option_find_group(const char *group);

bool option_given(const OptionSet *set, const char *name);
/* The last text given, or NULL. Borrowed. */
const char *option_text(const OptionSet *set, const char *name);
/* The merged keys, or NULL. Borrowed. */
json_object *option_keys(const OptionSet *set, const char *name);
/* A member of the merged keys as text, or NULL. */
const char *option_key(const OptionSet *set, const char *name, const char *key);
bool option_key_bool(const OptionSet *set, const char *name, const char *key, bool initial);
/* Calls for each occurrence, with the option as location of errors; stops at a failure. */
typedef bool OptionEach(OptionSet *set, OptionValue *value, void *opaque, Error **errp);
bool option_each(OptionSet *set, const char *name, OptionEach *fn, void *opaque);

/* -readconfig FILE; -set GROUP.ID.KEY=VALUE. */
bool option_read_config(OptionSet *set, const char *path, Error **errp);
/* What such a file holds; it is taken to pieces. `path` is for messages. */
bool option_read_config_text(OptionSet *set, const char *path, char *text, Error **errp);
bool option_set_key(OptionSet *set, const char *spec, Error **errp);

void option_print_help(void);
/* All groups for query-command-line-options. */
void option_register_groups(void);

/* Prints the text and ends the process well. */
void option_exit_with(GString *text) __attribute__((noreturn));

#endif
