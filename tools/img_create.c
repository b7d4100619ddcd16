/*
 * qemu-img create, resize.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include "util/size.h"

int img_create(int argc, char **argv)
{
    ImgNew new = { .format = "raw" };
    g_autofree char *extra = NULL;
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &new.format }, { 'b', NULL, IMG_TEXT, &new.backing },
        { 'F', NULL, IMG_TEXT, &new.backing_format }, { 'o', NULL, IMG_LIST, &extra },
        { 'q', NULL, IMG_FLAG, &new.is_quiet }, { 'u', NULL, IMG_FLAG, &new.is_unsafe },
        { 0, "object", IMG_OBJECT, NULL },
    };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    new.options = extra;
    if (img_format_help(new.format, extra)) {
        if (first == argc) {
            printf("\nThe protocol level may support further options.\n"
                   "Specify the target filename to include those options.\n");
        }
        return 0;
    }
    if (first == argc) {
        return img_usage("Expecting image file name");
    }
    new.name = argv[first++];
    if (first < argc) {
        new.has_bytes = true;
        if (!img_size(argv[first++], "image size", &new.bytes)) {
            return 1;
        }
    }
    if (first < argc) {
        return img_usage("Unexpected argument: %s", argv[first]);
    }
    return img_new(&new) ? 0 : 1;
}

/* --- resize --- */

static bool parse_change(const char *text, uint64_t now, uint64_t *bytes)
{
    char sign = *text == '+' || *text == '-' ? *text : 0;
    g_autofree char *why = NULL;

    if (!size_parse(text + (sign != 0), 1, bytes, &why) || *bytes > INT64_MAX) {
        error_report("Parameter 'size' expects a non-negative number below 2^64\n"
                     "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
                     "and exabytes, respectively.");
        return false;
    }
    if (sign == '-' ? *bytes >= now : !sign && !*bytes) {
        error_report("New image size must be positive");
        return false;
    }
    *bytes = sign == '+' ? now + *bytes : sign ? now - *bytes : *bytes;
    return true;
}

static int resize(BlockNode *node, uint64_t bytes, bool may_shrink, BlockPrealloc prealloc)
{
    uint64_t now = block_node_bytes(node);
    Error *err = NULL;

    if (bytes < now && !may_shrink) {
        error_report("Use the --shrink option to perform a shrink operation.");
        warn_report("Shrinking an image will delete all data beyond the shrunken image's end. "
                    "Before performing such an operation, make sure there is no important data "
                    "there.");
        return 1;
    }
    if (bytes < now && prealloc != BLOCK_PREALLOC_OFF) {
        error_report("Preallocation can only be used for growing images");
        return 1;
    }
    if (!block_node_resize(node, bytes, prealloc, &err)) {
        error_report_err(err);
        return 1;
    }
    return 0;
}

int img_resize(int argc, char **argv)
{
    ImgSource source = { .is_writable = true };
    bool is_quiet = false, may_shrink = false;
    const char *prealloc = "off";
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &source.format }, { 'q', NULL, IMG_FLAG, &is_quiet },
        { 0, "preallocation", IMG_TEXT, &prealloc }, { 0, "shrink", IMG_FLAG, &may_shrink },
        { 0, "image-opts", IMG_FLAG, &source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    g_auto(ImgImage) image = { 0 };
    const char *size = argc > 1 ? argv[argc - 1] : NULL;
    uint64_t bytes;
    int first, mode, status;

    /* The size may begin with '-'. */
    if (argc < 3) {
        return img_usage("Not enough arguments");
    }
    if (!img_options(argc - 1, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    if (first != argc - 2) {
        return img_usage("Expecting image file name and size");
    }
    mode = enum_table_find(&prealloc_mode_names, prealloc);
    if (mode < 0) {
        error_report("Invalid preallocation mode '%s'", prealloc);
        return 1;
    }
    source.name = argv[first];
    source.is_quiet = is_quiet;
    if (!img_open(&image, &source) ||
        !parse_change(size, block_node_bytes(image.node), &bytes)) {
        return 1;
    }
    status = resize(image.node, bytes, may_shrink, (BlockPrealloc)mode);
    if (!status && !is_quiet) {
        printf("Image resized.\n");
    }
    return status;
}
