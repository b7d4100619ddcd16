/*
 * The binary trace file: what the `simple` back end writes and scripts/simpletrace.py prints.
 *
 * While a trace file is open, enabled events go there and not to the log. The format stands in
 * docs/devel/tracing.md. Records of several threads never mix; they are kept in a buffer that
 * is written when it is full, on trace_file_flush(), before fork() and at exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_TRACE_FILE_H
#define UTIL_TRACE_FILE_H

#include "util/trace.h"

#define TRACE_RECORD_BYTES 4096
#define TRACE_STRING_BYTES 256 /* longer strings are cut */

/* Creates or empties `path`; `%d` once in it becomes the process id. Closes the file before. */
bool trace_file_open(const char *path, char **why);
/* False: an earlier write failed and tracing to the file has ended; *why (g_free) says why. */
bool trace_file_close(char **why);
void trace_file_flush(void);
/* A copy (g_free) of the open file's name, or NULL. */
char *trace_file_path(void);

/* For generated code. */
typedef struct TraceRecord {
    TraceEvent *event;
    size_t size;
    uint8_t bytes[TRACE_RECORD_BYTES];
} TraceRecord;

extern bool trace_file_is_open;

static inline bool trace_file_is_wanted(const TraceEvent *event)
{
    return trace_event_is_enabled(event) && __atomic_load_n(&trace_file_is_open, __ATOMIC_RELAXED);
}

static inline bool trace_log_is_wanted(const TraceEvent *event)
{
    return trace_event_is_enabled(event) && !__atomic_load_n(&trace_file_is_open, __ATOMIC_RELAXED);
}

void trace_record_begin(TraceRecord *record, TraceEvent *event);
void trace_record_number(TraceRecord *record, uint64_t value);
void trace_record_string(TraceRecord *record, const char *text); /* NULL is shown as (null) */
void trace_record_end(TraceRecord *record);

#endif
