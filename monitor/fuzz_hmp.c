/*
 * Fuzzes HMP's reading of lines: arguments, expressions, completion. Only commands that touch
 * nothing outside are run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp.h"
#include "system/target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const HmpCommand every_kind = {
    .name = "sample",
    .args = HMP_ARGS({ "flag", HMP_FLAG, .flag = 'a' },
                     { "kind", HMP_FLAG, .flag = 'k', .has_word = true },
                     { "format", HMP_FORMAT, .format = "cdoux/bhwg" }, { "word", HMP_WORD },
                     { "bytes", HMP_SIZE, true }, { "mb", HMP_MEGABYTES, true },
                     { "on", HMP_BOOL, true }, { "int", HMP_INT, true }, { "rest", HMP_REST, true }),
};

static bool is_harmless(const char *line)
{
    static const char *const names[] = { "p", "help", "info", "qom-list", "qom-get", "xp" };
    g_autofree char *copy = g_strdup(line);
    g_auto(GStrv) words = g_strsplit_set(g_strstrip(copy), " /\t\n\r\v\f", 2);

    for (size_t i = 0; words[0] && i < ARRAY_SIZE(names); i++) {
        if (!strcmp(words[0], names[i])) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const TargetInfo target = { .name = "x86_64", .page_bits = 12 };

    target_set(&target);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *line = g_strndup((const char *)data, size), *why = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) found = NULL;
    HmpSession session;

    json_unref(hmp_parse_args(&(HmpSession){ .cpu_index = -1 }, &every_kind, line, &why));
    hmp_session_init(&session);
    if (is_harmless(line)) {
        hmp_run_line(&session, line, out);
    }
    if (!strchr(line, '.') && !strchr(line, '/')) { /* of files only those that are here */
        found = hmp_complete_line(line);
    }
    return 0;
}
