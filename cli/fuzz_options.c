/*
 * Fuzzes the collecting of options, a word a line, and of configuration files. What was collected
 * from text, given again as JSON, is the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"
#include "system/target.h"

#define MAX_WORDS 64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const TargetInfo sample_target = { .name = "x86_64" };

static void drop_line(void *opaque, const char *line)
{
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    target_set(&sample_target);
    error_redirect(drop_line, NULL); /* warnings of old spellings */
    return 0;
}

/* Files are read through option_read_config_text() alone. */
static bool names_file(const char *word)
{
    return strstr(word, "readconfig") != NULL;
}

/* Accepted, or an error says why not. */
static bool collect(OptionSet *set, char **words, int count)
{
    Error *err = NULL;
    bool is_ok = option_set_parse(set, count, words, &err);

    assert(is_ok == !err);
    error_free(err);
    error_set_location(NULL, NULL);
    return is_ok;
}

/* Each value that may be given as JSON gives itself; JSON is UTF-8. */
static void check_json(OptionSet *set)
{
    for (guint i = 0; i < set->order->len; i++) {
        OptionValue *value = set->order->pdata[i];
        OptionSet *again;
        Error *err = NULL;

        if (!value->def->takes_json || value->is_json ||
            !g_utf8_validate(json_object_to_json_string(value->keys), -1, NULL)) {
            continue;
        }
        again = option_set_new();
        if (!option_set_add(again, value->def->name, json_object_to_json_string(value->keys),
                            &err)) {
            g_error("%s: %s", json_object_to_json_string(value->keys), error_text(err));
        }
        assert(json_object_equal(option_keys(again, value->def->name), value->keys));
        option_set_free(again);
    }
}

static void fuzz_words(char *text)
{
    OptionSet *set = option_set_new();
    char name[] = "fuzz", *words[MAX_WORDS + 1] = { name }, *word;
    int count = 1;

    while (count < MAX_WORDS && (word = strsep(&text, "\n")) && !names_file(word)) {
        words[count++] = word;
    }
    if (collect(set, words, count)) {
        check_json(set);
    }
    option_set_free(set);
}

static void fuzz_config(char *text)
{
    OptionSet *set = option_set_new();
    Error *err = NULL;
    bool is_ok = option_read_config_text(set, "file", text, &err);

    assert(is_ok == !err);
    error_free(err);
    option_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);

    if (*text == '[' || *text == '#') {
        fuzz_config(text);
    } else {
        fuzz_words(text);
    }
    return 0;
}
