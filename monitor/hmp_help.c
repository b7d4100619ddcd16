/*
 * HMP commands about HMP, and `print`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"

static void print_row(Hmp *hmp, const char *prefix, const HmpCommand *command)
{
    hmp_printf(hmp, "%s%s %s -- %s\n", prefix, command->name, command->params, command->help);
}

static void print_table(Hmp *hmp, const char *prefix, const HmpCommand *table)
{
    for (const HmpCommand *c = table; c->name; c++) {
        if (hmp_command_exists(c)) {
            print_row(hmp, prefix, c);
        }
    }
}

void hmp_help(Hmp *hmp, json_object *args)
{
    const char *name = hmp_text(args, "command"), *sub_name = hmp_text(args, "subcommand");
    const HmpCommand *command = hmp_command_find(hmp_commands, name);
    const HmpCommand *sub = NULL;

    if (!*name) {
        print_table(hmp, "", hmp_commands);
        return;
    }
    if (command && *sub_name) {
        sub = command->sub ? hmp_command_find(command->sub, sub_name) : NULL;
    }
    if (!command || (*sub_name && !sub)) {
        hmp_printf(hmp, "unknown command: '%s%s%s'\n", name, *sub_name ? " " : "", sub_name);
    } else if (sub) {
        print_row(hmp, "info ", sub);
    } else if (command->sub) {
        print_table(hmp, "info ", command->sub);
    } else {
        print_row(hmp, "", command);
    }
}

void hmp_info_help(Hmp *hmp, json_object *args)
{
    print_table(hmp, "info ", hmp_info_commands);
}

void complete_command(HmpWords *words)
{
    for (const HmpCommand *c = hmp_commands; c->name; c++) {
        if (hmp_command_exists(c)) {
            g_auto(GStrv) names = g_strsplit(c->name, "|", -1);

            hmp_offer(words, names[0]);
        }
    }
}

void hmp_history(Hmp *hmp, json_object *args)
{
    GPtrArray *history = hmp->session->history;

    for (guint i = 0; history && i < history->len; i++) {
        hmp_printf(hmp, "%u: '%s'\n", i, (char *)g_ptr_array_index(history, i));
    }
}

static void print_char(Hmp *hmp, unsigned char c)
{
    static const char escapes[] = "''\\\\\nn\rr";

    for (const char *p = escapes; *p; p += 2) {
        if ((unsigned char)*p == c) {
            hmp_printf(hmp, "'\\%c'\n", p[1]);
            return;
        }
    }
    hmp_printf(hmp, g_ascii_isprint(c) ? "'%c'\n" : "'\\x%02x'\n", c);
}

void hmp_print(Hmp *hmp, json_object *args)
{
    const char *format = hmp_text(args, "format");
    int64_t value = hmp_int(args, "value");

    switch (*format) {
    case 'o':
        hmp_printf(hmp, "0%" PRIo64 "\n", value);
        break;
    case 'd':
        hmp_printf(hmp, "%" PRId64 "\n", value);
        break;
    case 'u':
        hmp_printf(hmp, "%" PRIu64 "\n", value);
        break;
    case 'c':
        print_char(hmp, value);
        break;
    default:
        hmp_printf(hmp, "%#" PRIx64 "\n", value);
    }
}
