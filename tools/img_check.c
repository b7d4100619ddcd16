/*
 * qemu-img check.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

/* Exit statuses of the command, which scripts know. */
enum { CHECK_OK, CHECK_FAILED, CHECK_CORRUPT, CHECK_LEAKS, CHECK_UNSUPPORTED = 63 };

static int status_of(const BlockCheck *result)
{
    return result->errors ? CHECK_FAILED : result->corruptions ? CHECK_CORRUPT :
           result->leaks ? CHECK_LEAKS : CHECK_OK;
}

/* --- output --- */

static void put(json_object *to, const char *name, uint64_t value, bool is_wanted)
{
    if (is_wanted) {
        json_set(to, name, json_object_new_uint64(value));
    }
}

static void print_json(const ImgSource *source, BlockNode *node, const BlockCheck *result)
{
    g_autoptr(JsonObject) to = json_object_new_object();

    put(to, "image-end-offset", result->end, result->end);
    put(to, "total-clusters", result->clusters, result->clusters);
    put(to, "check-errors", result->errors, true);
    put(to, "corruptions", result->corruptions, result->corruptions);
    put(to, "corruptions-fixed", result->corruptions_fixed, result->corruptions_fixed);
    put(to, "leaks", result->leaks, result->leaks);
    put(to, "leaks-fixed", result->leaks_fixed, result->leaks_fixed);
    put(to, "allocated-clusters", result->allocated, result->allocated);
    put(to, "fragmented-clusters", result->fragmented, result->fragmented);
    put(to, "compressed-clusters", result->compressed, result->compressed);
    json_set(to, "filename", json_string(source->name));
    json_set(to, "format", json_string(block_node_driver(node)));
    img_print_json(to);
}

static void print_fixed(const BlockCheck *result)
{
    if (result->corruptions_fixed || result->leaks_fixed) {
        printf("The following inconsistencies were found and repaired:\n\n"
               "    %" PRIu64 " leaked clusters\n    %" PRIu64 " corruptions\n\n"
               "Double checking the fixed image now...\n",
               result->leaks_fixed, result->corruptions_fixed);
    }
}

static double percent(uint64_t part, uint64_t all)
{
    return all ? part * 100.0 / all : 0;
}

static void print_human(const BlockCheck *result)
{
    if (!(result->corruptions + result->leaks + result->errors)) {
        printf("No errors were found on the image.\n");
    }
    if (result->corruptions) {
        printf("\n%" PRIu64 " errors were found on the image.\n"
               "Data may be corrupted, or further writes to the image may corrupt it.\n",
               result->corruptions);
    }
    if (result->leaks) {
        printf("\n%" PRIu64 " leaked clusters were found on the image.\n"
               "This means waste of disk space, but no harm to data.\n", result->leaks);
    }
    if (result->errors) {
        printf("\n%" PRIu64 " internal errors have occurred during the check.\n", result->errors);
    }
    if (result->clusters && result->allocated) {
        printf("%" PRIu64 "/%" PRIu64 " = %0.2f%% allocated, %0.2f%% fragmented, %0.2f%% "
               "compressed clusters\n", result->allocated, result->clusters,
               percent(result->allocated, result->clusters),
               percent(result->fragmented, result->allocated),
               percent(result->compressed, result->allocated));
    }
    if (result->end) {
        printf("Image end offset: %" PRIu64 "\n", result->end);
    }
}

/* --- the command --- */

typedef struct CheckJob {
    ImgSource source;
    unsigned fixes;
    bool is_quiet, is_json;
} CheckJob;

static int report_failure(int err)
{
    if (err == -ENOTSUP) {
        error_report("This image format does not support checks");
        return CHECK_UNSUPPORTED;
    }
    error_report("Check failed: %s", g_strerror(-err));
    return CHECK_FAILED;
}

static int run(const CheckJob *job)
{
    g_auto(ImgImage) image = { 0 };
    BlockCheck result, fixed = { 0 };
    int err;

    if (!img_open(&image, &job->source)) {
        return CHECK_FAILED;
    }
    err = block_image_check(image.node, job->fixes, &result);
    if (!err && (result.corruptions_fixed || result.leaks_fixed)) {
        fixed = result;
        if (!job->is_quiet && !job->is_json) {
            print_fixed(&result);
        }
        err = block_image_check(image.node, 0, &result);
        result.corruptions_fixed = fixed.corruptions_fixed;
        result.leaks_fixed = fixed.leaks_fixed;
    }
    if (err) {
        return report_failure(err);
    }
    if (job->is_json) {
        print_json(&job->source, image.node, &result);
    } else if (!job->is_quiet) {
        print_human(&result);
    }
    return status_of(&result);
}

int img_check(int argc, char **argv)
{
    CheckJob job = { .source = { .is_check = true, .without_backing = true,
                                  .has_source_cache = true } };
    const char *output = NULL, *repair = NULL;
    const ImgOption options[] = {
        { 'f', "format", IMG_TEXT, &job.source.format }, { 'r', "repair", IMG_TEXT, &repair },
        { 0, "output", IMG_TEXT, &output }, { 'T', NULL, IMG_TEXT, &job.source.cache },
        { 'q', NULL, IMG_FLAG, &job.is_quiet },
        { 'U', "force-share", IMG_FLAG, &job.source.is_shared },
        { 0, "image-opts", IMG_FLAG, &job.source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first) ||
        !img_output(output, &job.is_json)) {
        return CHECK_FAILED;
    }
    if (repair && strcmp(repair, "leaks") && strcmp(repair, "all")) {
        return img_usage("Unknown option value for -r (expecting 'leaks' or 'all'): %s", repair);
    }
    if (first != argc - 1) {
        return img_usage("Expecting one image file name");
    }
    job.fixes = !repair ? 0 : !strcmp(repair, "all") ? BLOCK_FIX_LEAKS | BLOCK_FIX_ERRORS :
                                                       BLOCK_FIX_LEAKS;
    job.source.name = argv[first];
    job.source.is_writable = job.fixes;
    job.source.is_quiet = job.is_quiet;
    return run(&job);
}
