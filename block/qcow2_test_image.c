/*
 * See block/qcow2_test_image.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2_test_image.h"

#include "block/create.h"

static char *folder;

char *image_path(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

void image_make_file(const char *path)
{
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static json_object *parse(const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    json_object *json = NULL;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    return json;
}

BlockNode *image_open_text(Error **errp, const char *fmt, ...)
{
    g_autoptr(BlockdevOptions) options = NULL;
    g_autoptr(JsonObject) json = NULL;
    va_list ap;

    va_start(ap, fmt);
    json = parse(fmt, ap);
    va_end(ap);
    options = blockdev_options_from_json(json, QAPI_TYPED, errp);
    g_assert_nonnull(options);
    return block_open(options, errp);
}

bool image_create(Error **errp, const char *path, uint64_t bytes, const char *rest)
{
    g_autoptr(BlockdevCreateOptions) options = NULL;
    g_autofree char *text = g_strdup_printf("{'driver':'qcow2','size':%" PRIu64 ",'file':{"
                                            "'driver':'file','filename':'%s'}%s}", bytes, path,
                                            rest);
    g_autoptr(JsonObject) json = NULL;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    options = blockdev_create_options_from_json(json, QAPI_TYPED, errp);
    g_assert_nonnull(options);
    return block_create(options, errp);
}

BlockNode *image_open(const char *path, const char *rest)
{
    g_autoptr(Error) err = NULL;
    BlockNode *node = image_open_text(&err, "{'driver':'qcow2','discard':'unmap',"
                                "'cache':{'no-flush':true},'file':{'driver':'file','filename':"
                                "'%s'}%s}", path, rest);

    if (!node) {
        g_error("%s", error_text(err));
    }
    return node;
}

char *image_new(const char *name, uint64_t bytes, const char *rest)
{
    char *path = image_path(name);
    g_autoptr(Error) err = NULL;

    image_make_file(path);
    if (!image_create(&err, path, bytes, rest)) {
        g_error("%s", error_text(err));
    }
    return path;
}

void check_error(Error *err, const char *words)
{
    g_assert_nonnull(err);
    if (!strstr(error_text(err), words)) {
        g_error("'%s' does not say '%s'", error_text(err), words);
    }
    error_free(err);
}

/* Nothing is wrong, not even a leak. */
void image_check(const char *path)
{
    g_autoptr(Error) err = NULL;
    BlockNode *node = image_open_text(&err, "{'driver':'qcow2','read-only':true,'file':{'driver':'file',"
                                "'filename':'%s'}}", path);
    BlockCheck result;

    g_assert_null(err);
    g_assert_cmpint(block_image_check(node, 0, &result), ==, 0);
    g_assert_cmpuint(result.corruptions, ==, 0);
    g_assert_cmpuint(result.leaks, ==, 0);
    g_assert_cmpuint(result.errors, ==, 0);
    block_node_unref(node);
}

void shadow_check(const Shadow *shadow)
{
    g_autofree uint8_t *got = g_malloc(shadow->size);

    g_assert_cmpint(block_read(shadow->node, 0, got, shadow->size), ==, 0);
    g_assert_cmpmem(got, shadow->size, shadow->bytes, shadow->size);
}

/* As it is on the disk; and the end of it. */
void shadow_check_reopened(Shadow *shadow, const char *path)
{
    block_node_unref(shadow->node);
    shadow->node = image_open(path, "");
    shadow_check(shadow);
    block_node_unref(shadow->node);
    g_free(shadow->bytes);
}

void image_test_add(const char *name, const char *rest, void (*fn)(gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/qcow2/%s%s%s", name, *rest ? ":" : "", rest);

    for (char *at = path; *at; at++) {
        *at = strchr("'{},", *at) ? '.' : *at;
    }
    g_test_add_data_func(path, rest, fn);
}

void image_tests_begin(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    folder = g_dir_make_tmp("qcow2-test-XXXXXX", NULL);
}

int image_tests_run(void)
{
    int result = g_test_run();

    if (!result) {
        g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);

        g_assert_cmpint(system(command), ==, 0);
    }
    g_free(folder);
    return result;
}
