/*
 * Error values and reports: see qom/error.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/error.h"

struct Error {
    ErrorClass cls;
    char *text;
    GString *hint;
};

static const char *const class_names[ERROR_CLASS_COUNT] = {
    [ERROR_GENERIC] = "GenericError",
    [ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
    [ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
    [ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
    [ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
};

/* The process's voice: who speaks, and how. Written during start-up only. */
static struct {
    const char *program;
    const char *guest_name;
    bool has_timestamps;
} voice = { .program = "tandem" };

static __thread struct {
    ErrorSink *sink;
    void *opaque;
    char *location;
} here;

bool error_set_va(Error **errp, ErrorClass cls, const char *fmt, va_list ap)
{
    Error *err;

    if (!errp) {
        return false;
    }
    assert(!*errp);
    err = g_new0(Error, 1);
    err->cls = cls;
    err->text = g_strdup_vprintf(fmt, ap);
    *errp = err;
    return false;
}

bool error_set(Error **errp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_set_va(errp, ERROR_GENERIC, fmt, ap);
    va_end(ap);
    return false;
}

bool error_set_class(Error **errp, ErrorClass cls, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_set_va(errp, cls, fmt, ap);
    va_end(ap);
    return false;
}

bool error_set_errno(Error **errp, int err, const char *fmt, ...)
{
    va_list ap;
    g_autofree char *text = NULL;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return error_set(errp, "%s: %s", text, g_strerror(err));
}

void error_prefix(Error **errp, const char *fmt, ...)
{
    va_list ap;
    g_autofree char *prefix = NULL;
    char *text;

    if (!errp || !*errp) {
        return;
    }
    va_start(ap, fmt);
    prefix = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    text = g_strconcat(prefix, (*errp)->text, NULL);
    g_free((*errp)->text);
    (*errp)->text = text;
}

void error_hint(Error **errp, const char *fmt, ...)
{
    va_list ap;

    if (!errp || !*errp) {
        return;
    }
    if (!(*errp)->hint) {
        (*errp)->hint = g_string_new(NULL);
    }
    va_start(ap, fmt);
    g_string_append_vprintf((*errp)->hint, fmt, ap);
    va_end(ap);
}

bool error_propagate(Error **errp, Error *err)
{
    if (!err) {
        return true;
    }
    if (errp) {
        assert(!*errp);
        *errp = err;
    } else {
        error_free(err);
    }
    return false;
}

const char *error_text(const Error *err)
{
    return err->text;
}

const char *error_hint_text(const Error *err)
{
    return err->hint ? err->hint->str : "";
}

ErrorClass error_class(const Error *err)
{
    return err->cls;
}

const char *error_class_name(ErrorClass cls)
{
    assert(cls < ERROR_CLASS_COUNT);
    return class_names[cls];
}

Error *error_copy(const Error *err)
{
    Error *copy = g_new0(Error, 1);

    copy->cls = err->cls;
    copy->text = g_strdup(err->text);
    copy->hint = err->hint ? g_string_new(err->hint->str) : NULL;
    return copy;
}

void error_free(Error *err)
{
    if (!err) {
        return;
    }
    g_free(err->text);
    if (err->hint) {
        g_string_free(err->hint, TRUE);
    }
    g_free(err);
}

void error_set_program(const char *argv0)
{
    voice.program = argv0;
}

const char *error_program(void)
{
    return voice.program;
}

void error_set_timestamps(bool is_on)
{
    voice.has_timestamps = is_on;
}

void error_set_guest_name(const char *guest_name)
{
    voice.guest_name = guest_name;
}

void error_redirect(ErrorSink *sink, void *opaque)
{
    here.sink = sink;
    here.opaque = opaque;
}

void error_set_location(const char *option, const char *argument)
{
    g_free(here.location);
    here.location = !option ? NULL :
                    argument ? g_strdup_printf("-%s %s: ", option, argument) :
                               g_strdup_printf("-%s: ", option);
}

static void append_timestamp(GString *line)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *text = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");

    g_string_append_printf(line, "%s.%06dZ ", text, g_date_time_get_microsecond(now));
}

static void report(const char *kind, const char *text, const char *hint)
{
    g_autoptr(GString) line = g_string_new(NULL);

    if (here.sink) {
        g_string_append_printf(line, "%s%s\n%s", kind, text, hint);
        here.sink(here.opaque, line->str);
        return;
    }
    if (voice.has_timestamps) {
        append_timestamp(line);
    }
    if (voice.guest_name) {
        g_string_append_printf(line, "%s ", voice.guest_name);
    }
    g_string_append_printf(line, "%s: %s%s%s\n%s", voice.program,
                           here.location ? here.location : "", kind, text, hint);
    fputs(line->str, stderr);
}

static void report_va(const char *kind, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);

    report(kind, text, "");
}

void error_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report_va("", fmt, ap);
    va_end(ap);
}

void warn_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report_va("warning: ", fmt, ap);
    va_end(ap);
}

void info_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report_va("info: ", fmt, ap);
    va_end(ap);
}

void error_report_err(Error *err)
{
    report("", error_text(err), error_hint_text(err));
    error_free(err);
}

void warn_report_err(Error *err)
{
    report("warning: ", error_text(err), error_hint_text(err));
    error_free(err);
}

void error_reportf_err(Error *err, const char *fmt, ...)
{
    va_list ap;
    g_autofree char *prefix = NULL;

    va_start(ap, fmt);
    prefix = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    error_prefix(&err, "%s", prefix);
    error_report_err(err);
}
