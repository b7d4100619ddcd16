/*
 * Help of options: see cli/help.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "backends/tpm.h"
#include "chardev/chardev.h"
#include "cli/help.h"
#include "config-host.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "qom/user_creatable.h"
#include "system/accel.h"
#include "util/log.h"
#include "util/trace.h"

static void print_version(GString *out)
{
    g_string_append_printf(out, "QEMU emulator version %s (Tandem %s)\n", CONFIG_VERSION,
                           CONFIG_VERSION);
    g_string_append(out, "Tandem speaks QEMU's interfaces and is a program of its own.\n");
}

static bool asks_help(json_object *keys)
{
    return json_object_object_get_ex(keys, "help", NULL) ||
           json_object_object_get_ex(keys, "?", NULL);
}

static bool word_asks_help(const char *text)
{
    return text && (!strcmp(text, "help") || !strcmp(text, "?"));
}

static const char *member_text(json_object *keys, const char *name)
{
    json_object *value = keys ? json_member(keys, name) : NULL;

    return value ? json_object_get_string(value) : NULL;
}

static void no_such(const char *fmt, const char *what)
{
    error_report(fmt, what);
    exit(1);
}

static void print_type(GString *out, const Type *type, const char *title)
{
    g_string_append_printf(out, "%s options:\n", title);
    type_print_properties(out, type);
}

static void serve_machine(const OptionSet *set, GString *out)
{
    json_object *keys = option_keys(set, "machine");
    const char *name = member_text(keys, "type");
    const Type *type;

    if (!keys || (!asks_help(keys) && !word_asks_help(name))) {
        return;
    }
    if (!name || word_asks_help(name)) {
        machine_print_types(out);
    } else {
        type = machine_type_find(name);
        if (!type) {
            no_such("unsupported machine type '%s'", name);
        }
        print_type(out, type, type_name(type));
    }
    option_exit_with(out);
}

static void print_accels(GString *out)
{
    g_autoptr(GPtrArray) types = accel_list();

    g_string_append(out, "Accelerators supported by this build:\n");
    for (guint i = 0; i < types->len; i++) {
        g_autofree char *name = accel_name(types->pdata[i]);

        g_string_append_printf(out, "%s\n", name);
    }
}

static void serve_accel(const OptionSet *set, GString *out)
{
    json_object *keys = option_keys(set, "accel");
    const char *name = member_text(keys, "accel");

    if (!keys || (!asks_help(keys) && !word_asks_help(name))) {
        return;
    }
    if (name && !word_asks_help(name) && accel_find(name)) {
        print_type(out, accel_find(name), type_name(accel_find(name)));
    } else {
        print_accels(out);
    }
    option_exit_with(out);
}

static void serve_device(const OptionSet *set, GString *out)
{
    json_object *keys = option_keys(set, "device");
    const char *driver = member_text(keys, "driver");
    Error *err = NULL;

    if (!keys || (!asks_help(keys) && !word_asks_help(driver))) {
        return;
    }
    if (!driver || word_asks_help(driver)) {
        device_print_types(out, false);
    } else if (!device_print_help(out, driver, &err)) {
        error_report_err(err);
        exit(1);
    }
    option_exit_with(out);
}

static void serve_object(const OptionSet *set, GString *out)
{
    json_object *keys = option_keys(set, "object");
    const char *name = member_text(keys, "qom-type");
    g_autoptr(GPtrArray) types = NULL;

    if (!keys || (!asks_help(keys) && !word_asks_help(name))) {
        return;
    }
    if (name && !word_asks_help(name)) {
        const Type *type = type_find(name);

        if (!type || !type_is_a(type, TYPE_USER_CREATABLE)) {
            no_such("'%s' is not a type of object users can make", name);
        }
        print_type(out, type, name);
        option_exit_with(out);
    }
    types = type_list(TYPE_USER_CREATABLE, false);
    g_string_append(out, "List of user creatable objects:\n");
    for (guint i = 0; i < types->len; i++) {
        g_string_append_printf(out, "  %s\n", type_name(types->pdata[i]));
    }
    option_exit_with(out);
}

static void serve_chardev(const OptionSet *set, GString *out)
{
    json_object *keys = option_keys(set, "chardev");
    g_autofree char *list = NULL;

    if (keys && (asks_help(keys) || word_asks_help(member_text(keys, "backend")))) {
        list = chardev_help();
        g_string_append(out, list);
        g_clear_pointer(&list, g_free);
        option_exit_with(out);
    }
}

static void serve_tpm(const OptionSet *set, GString *out)
{
    json_object *keys = option_keys(set, "tpmdev");

    if (keys && (asks_help(keys) || word_asks_help(member_text(keys, "type")))) {
        tpm_backend_print_help(out);
        option_exit_with(out);
    }
}

static void serve_log(const OptionSet *set, GString *out)
{
    if (!word_asks_help(option_text(set, "d"))) {
        return;
    }
    g_string_append(out, "Log items (comma separated):\n");
    for (const LogItem *item = log_items; item->name; item++) {
        g_string_append_printf(out, "%-15s %s\n", item->name, item->help);
    }
    g_string_append(out, "trace:PATTERN   enable trace events\n");
    option_exit_with(out);
}

static void serve_general(const OptionSet *set, GString *out)
{
    if (option_given(set, "help")) {
        option_print_help();
        option_exit_with(out);
    }
    if (option_given(set, "version")) {
        print_version(out);
        option_exit_with(out);
    }
}

static void print_event(void *opaque, TraceEvent *event)
{
    g_string_append_printf(opaque, "%s\n", event->name);
}

static void serve_trace(const OptionSet *set, GString *out)
{
    json_object *keys = option_keys(set, "trace");

    if (keys && (asks_help(keys) || word_asks_help(member_text(keys, "enable")))) {
        trace_foreach(NULL, print_event, out);
        option_exit_with(out);
    }
}

void help_serve(const OptionSet *set)
{
    GString *out = g_string_new(NULL);

    serve_general(set, out);
    serve_machine(set, out);
    serve_accel(set, out);
    if (word_asks_help(option_text(set, "cpu-model"))) {
        cpu_print_models(out);
        option_exit_with(out);
    }
    serve_device(set, out);
    serve_object(set, out);
    serve_chardev(set, out);
    serve_tpm(set, out);
    serve_log(set, out);
    serve_trace(set, out);
    g_string_free(out, TRUE);
}
