/*
 * The QMP commands of this binary. The table comes with the final link: a test that does not
 * link it sees no commands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_COMMAND_H
#define QAPI_COMMAND_H

#include "qapi/qapi.h"

enum {
    QMP_ALLOW_OOB = 1,       /* may run in the monitor's thread, ahead of others */
    QMP_ALLOW_PRECONFIG = 2, /* may run before the machine exists */
};

typedef struct QmpCommand {
    const char *name;
    const QapiType *args; /* NULL: takes none */
    const QapiType *ret;  /* NULL: returns {} */
    const char *const *features;
    unsigned flags;
    unsigned targets;                                                /* QAPI_TARGET_* */
    bool (*run)(json_object *args, json_object **ret, Error **errp); /* see qmp_command_run() */
} QmpCommand;

typedef struct QmpCommandTable {
    const QmpCommand *commands; /* by name, ended by a NULL name */
    size_t count;
    const uint16_t *slots; /* hash of the name: 1 + index, or 0 */
    size_t slot_count;     /* a power of two */
} QmpCommandTable;

/* Called by the generated table's constructor; `table` is borrowed for ever. */
void qmp_commands_set(const QmpCommandTable *table);

/* The command, or NULL if this target has none of that name. */
const QmpCommand *qmp_command_find(const char *name);

/* All commands of this target in order of name: NULL begins, NULL ends. */
const QmpCommand *qmp_command_next(const QmpCommand *command);

/*
 * Checks the arguments and runs the command under the machine lock (or not, if it may run out
 * of band). `args` is an object, or NULL for none. On success *ret is the reply's value, owned by
 * the caller; NULL is JSON null.
 */
bool qmp_command_run(const QmpCommand *command, json_object *args, json_object **ret, Error **errp);

/* For generated code: what handlers return as *ret, and commands that take no arguments. */
bool qmp_no_arguments(json_object *args, Error **errp);
bool qmp_return_str(char *text, json_object **ret);

#endif
