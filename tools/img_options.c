/*
 * Options of qemu-img's commands, from their tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include <getopt.h>

#include "qom/user_creatable.h"
#include "util/keyval.h"
#include "util/size.h"

#define FIRST_LONG 256 /* values of options without a letter */

int img_usage(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    error_report("%s", text);
    fprintf(stderr, "Try 'qemu-img --help' for more information\n");
    return 1;
}

/* Then it was too large. */
static bool is_number(const char *text)
{
    g_autofree char *end = NULL;
    size_t digits = strspn(text, "0123456789.");

    end = g_ascii_strdown(text + digits, -1);
    return digits && (!*end || (strchr("bkmgtpe", *end) && !end[1]));
}

bool img_size(const char *text, const char *what, uint64_t *bytes)
{
    g_autofree char *why = NULL;

    if (size_parse(text, 1, bytes, &why) && *bytes <= INT64_MAX) {
        return true;
    }
    if (what && is_number(text)) {
        error_report("Invalid %s specified. Must be between 0 and %" PRId64 ".", what, INT64_MAX);
    } else if (what) {
        error_report("Invalid %s specified. You may use k, M, G, T, P or E suffixes for", what);
        error_report("kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
    }
    return false;
}

static bool has_argument(const ImgOption *option)
{
    return option->kind != IMG_FLAG && option->kind != IMG_UNFLAG &&
           option->kind != IMG_ACT;
}

static void add_text(char **list, const char *text)
{
    char *old = *list;

    *list = old ? g_strdup_printf("%s,%s", old, text) : g_strdup(text);
    g_free(old);
}

static void add_act(GPtrArray *acts, const char *name, const char *text)
{
    ImgAct *act = g_new0(ImgAct, 1);

    *act = (ImgAct){ name, text };
    g_ptr_array_add(acts, act);
}

static bool set_number(const ImgOption *option, const char *text)
{
    g_autofree char *why = NULL;

    if (option->kind == IMG_SIZE && option->what) {
        return img_size(text, option->what, option->value);
    }
    if (option->kind == IMG_SIZE ? size_parse(text, 1, option->value, &why) :
                                   number_parse(text, option->value, &why)) {
        return true;
    }
    if (option->what) {
        error_report("Invalid %s specified", option->what);
    } else if (option->name) {
        error_report("Invalid value '%s' for --%s", text, option->name);
    } else {
        error_report("Invalid value '%s' for -%c", text, option->letter);
    }
    return false;
}

/* As -object of a machine. */
static bool add_object(const char *text)
{
    bool is_json = text[0] == '{';
    g_autoptr(JsonObject) options = NULL;
    g_autofree char *why = NULL;
    Error *err = NULL;

    if (is_json) {
        json_parse(text, strlen(text), &options, &why);
    } else {
        options = keyval_parse(text, &(KeyvalSyntax){ .implied_key = "qom-type" }, &why);
    }
    if (!options || !json_object_is_type(options, json_type_object)) {
        error_report("--object %s: %s", text, why ? why : "not an object");
        return false;
    }
    if (!user_creatable_add(options, is_json ? PROPERTY_TYPED : PROPERTY_TEXT, &err)) {
        error_report_err(err);
        return false;
    }
    return true;
}

static bool set(const ImgOption *option, const char *text)
{
    switch (option->kind) {
    case IMG_FLAG:
    case IMG_UNFLAG:
        *(bool *)option->value = option->kind == IMG_FLAG;
        return true;
    case IMG_TEXT:
        *(const char **)option->value = text;
        return true;
    case IMG_LIST:
        add_text(option->value, text);
        return true;
    case IMG_ACT:
    case IMG_ACT_TEXT:
        add_act(option->value, option->name, text);
        return true;
    case IMG_OBJECT:
        return add_object(text);
    case IMG_REFUSED:
        error_report("--%s is not supported by this build", option->name);
        return false;
    default:
        return set_number(option, text);
    }
}

static const ImgOption *find(const ImgOption *options, size_t count, int value)
{
    for (size_t i = 0; i < count; i++) {
        if (value >= FIRST_LONG ? value == FIRST_LONG + (int)i : options[i].letter == value) {
            return &options[i];
        }
    }
    return NULL;
}

static struct option *make_table(const ImgOption *options, size_t count, GString *letters)
{
    struct option *table = g_new0(struct option, count + 2);
    size_t used = 0;

    g_string_append(letters, ":h");
    for (size_t i = 0; i < count; i++) {
        bool takes = has_argument(&options[i]);

        if (options[i].letter) {
            g_string_append_printf(letters, "%c%s", options[i].letter, takes ? ":" : "");
        }
        if (options[i].name) {
            table[used++] = (struct option){ options[i].name, takes, NULL, FIRST_LONG + (int)i };
        }
    }
    table[used] = (struct option){ "help", 0, NULL, 'h' };
    return table;
}

static bool refuse(int value, char **argv)
{
    if (value == ':') {
        img_usage("missing argument for option '%s'", argv[optind - 1]);
    } else {
        img_usage("unrecognized option '%s'", argv[optind - 1]);
    }
    return false;
}

bool img_options(int argc, char **argv, const ImgOption *options, size_t count, int *first)
{
    g_autoptr(GString) letters = g_string_new(NULL);
    g_autofree struct option *table = make_table(options, count, letters);
    int value;

    optind = 0; /* from the start, in an order of their own */
    while ((value = getopt_long(argc, argv, letters->str, table, NULL)) != -1) {
        const ImgOption *option = find(options, count, value);

        if (value == 'h' && !option) {
            img_help();
        }
        if (!option) {
            return refuse(value, argv);
        }
        if (!set(option, optarg)) {
            return false;
        }
    }
    *first = optind;
    return true;
}
