/*
 * What the parts of the qtest server share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QTEST_QTEST_H
#define QTEST_QTEST_H

#include "chardev/frontend.h"
#include "qom/object.h"

#define TYPE_QTEST "qtest"

typedef struct QtestServer {
    Object parent;
    char *chardev_id, *log_path; /* properties */
    CharFrontend fe;
    bool is_attached;
    FILE *log;
    int64_t opened_ns;
    GString *input;  /* an unfinished line */
    GString *output; /* of the commands that came together, sent together */
    bool is_serving;
} QtestServer;
DECLARE_CAST(QtestServer, QTEST)

/* A reply: "OK", "OK VALUE" or "FAIL ..."; one per command. */
void qtest_reply(QtestServer *server, const char *fmt, ...) PRINTF(2, 3);
/* An asynchronous line. */
void qtest_notify(QtestServer *server, const char *fmt, ...) PRINTF(2, 3);

/* A command: `words` are its arguments, `count` of them. */
typedef void QtestRun(QtestServer *server, char **words, unsigned count);
typedef struct QtestCommand {
    const char *name;
    unsigned min_words, max_words;
    QtestRun *run;
} QtestCommand;
typedef struct QtestFamily {
    const QtestCommand *commands;
    size_t count;
} QtestFamily;
extern const QtestFamily qtest_memory_family, qtest_line_family, qtest_clock_family;

/* C notation, 64 bits; false replies FAIL. */
bool qtest_number(QtestServer *server, const char *word, uint64_t *value);
void qtest_lines_release(void);

#endif
