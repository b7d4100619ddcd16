/*
 * Error: why something a user, an image, a client or the host asked for was not done.
 *
 * What can fail takes `Error **errp` last and returns bool (or a pointer). `errp` may be NULL
 * when the caller does not care for the reason. An Error is set once and owned by whoever
 * receives it; it is reported once, by whoever started the act.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QOM_ERROR_H
#define QOM_ERROR_H

#include <stdarg.h>

/* Classes are part of the QMP contract. */
typedef enum ErrorClass {
    ERROR_GENERIC,
    ERROR_COMMAND_NOT_FOUND,
    ERROR_DEVICE_NOT_ACTIVE,
    ERROR_DEVICE_NOT_FOUND,
    ERROR_KVM_MISSING_CAP,
    ERROR_CLASS_COUNT
} ErrorClass;

typedef struct Error Error;

/* All three return false, so that failing is one line. */
bool error_set(Error **errp, const char *fmt, ...) PRINTF(2, 3);
bool error_set_class(Error **errp, ErrorClass cls, const char *fmt, ...) PRINTF(3, 4);
/* Appends ": strerror(err)". */
bool error_set_errno(Error **errp, int err, const char *fmt, ...) PRINTF(3, 4);
bool error_set_va(Error **errp, ErrorClass cls, const char *fmt, va_list ap) PRINTF(3, 0);

/* Adds context in front; no effect when *errp is unset. */
void error_prefix(Error **errp, const char *fmt, ...) PRINTF(2, 3);
/* Adds a line for people, shown after the message on a terminal, never sent over QMP. */
void error_hint(Error **errp, const char *fmt, ...) PRINTF(2, 3);

/* Moves `err` (may be NULL) to *errp; frees it if errp is NULL. Returns false if there was one. */
bool error_propagate(Error **errp, Error *err);

const char *error_text(const Error *err);
const char *error_hint_text(const Error *err); /* "" when there is none */
ErrorClass error_class(const Error *err);
const char *error_class_name(ErrorClass cls);
Error *error_copy(const Error *err);
void error_free(Error *err); /* NULL is fine */

/*
 * Reports: one line on stderr, "PROG: MESSAGE" (hints on lines of their own), or into the
 * text monitor command that is being run by this thread (error_redirect()).
 */
void error_report(const char *fmt, ...) PRINTF(1, 2);
void warn_report(const char *fmt, ...) PRINTF(1, 2);
void info_report(const char *fmt, ...) PRINTF(1, 2);
/* Reports and frees; `fmt` is put in front. */
void error_report_err(Error *err);
void warn_report_err(Error *err);
void error_reportf_err(Error *err, const char *fmt, ...) PRINTF(2, 3);

/* Sets PROG (borrowed) and the "-msg" options. `guest_name` may be NULL. */
void error_set_program(const char *argv0);
const char *error_program(void);
void error_set_timestamps(bool is_on);
void error_set_guest_name(const char *guest_name);

/* Where this thread's reports go while a text command runs; NULL restores stderr. */
typedef void ErrorSink(void *opaque, const char *line);
void error_redirect(ErrorSink *sink, void *opaque);

/* "-OPTION ARG: " in front of reports while an option is parsed; NULL clears it. */
void error_set_location(const char *option, const char *argument);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Error, error_free)

#endif
