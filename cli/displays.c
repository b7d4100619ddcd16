/*
 * See cli/displays.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/displays.h"

#include "chardev/chardev.h"
#include "qapi/qapi-commands-ui.h"
#include "system/identity.h"
#include "system/run_state.h"
#include "ui/curses.h"
#include "ui/text_console.h"
#include "ui/vnc.h"
#include "util/keyval.h"

/* Kinds of -display. */
static const struct DisplayKind {
    const char *name;
    bool (*is_built)(void); /* NULL: always */
    DisplayType type;       /* a VNC server is none: it shows nothing here */
} kinds[] = {
    { "none", NULL, DISPLAY_TYPE_NONE },
    { "curses", curses_is_built, DISPLAY_TYPE_CURSES },
    { "vnc", vnc_is_built, DISPLAY_TYPE_NONE },
};
static DisplayType chosen = DISPLAY_TYPE_NONE;

static void print_help(void)
{
    GString *text = g_string_new("Available display backend types:\n");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!kinds[i].is_built || kinds[i].is_built()) {
            g_string_append_printf(text, "%s\n", kinds[i].name);
        }
    }
    option_exit_with(text);
}

static const struct DisplayKind *find_kind(const char *text, Error **errp)
{
    g_autofree char *name = g_strndup(text, strcspn(text, ",="));

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(kinds[i].name, name)) {
            if (kinds[i].is_built && !kinds[i].is_built()) {
                error_set(errp, "this build has no display '%s'", name);
                return NULL;
            }
            return &kinds[i];
        }
    }
    error_set(errp, "Parameter 'type' does not accept value '%s'", name);
    return NULL;
}

/* "vnc=WHERE,..." is -vnc WHERE,... */
static bool take_display(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    const struct DisplayKind *kind;

    if (!strcmp(value->text, "help") || !strcmp(value->text, "?")) {
        print_help();
    }
    kind = find_kind(value->text, errp);
    if (!kind) {
        return false;
    }
    chosen = kind->type;
    if (g_str_has_prefix(value->text, "vnc=")) {
        return option_set_add(set, "vnc", value->text + strlen("vnc="), errp);
    }
    if (!strcmp(kind->name, "vnc")) {
        return error_set(errp, "VNC requires a display argument vnc=<display>");
    }
    return value->text[strlen(kind->name)]
        ? error_set(errp, "Parameter '%s' is unexpected", value->text + strlen(kind->name) + 1)
        : true;
}

static const Keymap *keymap_of(OptionSet *set, Error **errp)
{
    const char *name = option_text(set, "k");

    return keymap_find(name ? name : KEYMAP_DEFAULT, errp);
}

bool displays_check(OptionSet *set)
{
    Error *err = NULL;

    if (!keymap_of(set, &err)) {
        error_set_location("k", option_text(set, "k"));
        error_report_err(err);
        return false;
    }
    return option_each(set, "display", take_display, NULL);
}

DisplayOptions *qmp_query_display_options(Error **errp)
{
    DisplayOptions *options = g_new0(DisplayOptions, 1);

    options->type = chosen;
    return options;
}

static bool add_vnc(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    return vnc_server_add(value->keys, opaque, errp);
}

static bool start_curses(OptionSet *set)
{
    Error *err = NULL;

    if (chosen != DISPLAY_TYPE_CURSES) {
        return true;
    }
    error_set_location("display", "curses");
    if (chardev_stdio_is_used()) {
        error_report("cannot be used with a chardev on the terminal");
        return false;
    }
    if (!curses_start(keymap_of(set, NULL), &err)) {
        error_report_err(err);
        return false;
    }
    error_set_location(NULL, NULL);
    return true;
}

static void reset_machine(void)
{
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
}

static const VncPower machine_power = { vm_request_powerdown, reset_machine };

bool displays_start(OptionSet *set)
{
    vnc_set_power(&machine_power);
    vnc_set_machine_name(identity_name());
    return start_curses(set) && option_each(set, "vnc", add_vnc, (void *)keymap_of(set, NULL));
}

void displays_cleanup(void)
{
    vnc_cleanup();
    curses_cleanup();
    text_consoles_cleanup();
}
