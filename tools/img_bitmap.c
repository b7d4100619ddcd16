/*
 * qemu-img bitmap, and bitmaps that go with an image where it is copied or measured.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include "qapi/qapi-commands-block-core.h"

typedef struct Bitmap {
    ImgSource source, merge;
    const char *name;
    uint64_t granularity; /* 0: as it comes */
    GPtrArray *acts;      /* ImgAct, in order */
} Bitmap;

/* --- acts --- */

static bool add(const char *node, const char *name, uint64_t granularity, bool is_on, Error **errp)
{
    BlockDirtyBitmapAdd args = {
        .node = (char *)node, .name = (char *)name, .has_granularity = granularity > 0,
        .granularity = MIN(granularity, UINT32_MAX), .has_persistent = true, .persistent = true,
        .has_disabled = true, .disabled = !is_on,
    };

    return qmp_block_dirty_bitmap_add(&args, errp);
}

static bool merge(const char *node, const char *name, const char *from_node, const char *from,
                  Error **errp)
{
    BlockDirtyBitmap external = { .node = (char *)from_node, .name = (char *)from };
    BlockDirtyBitmapOrStr source = { .type = json_type_object, .u.external = &external };
    BlockDirtyBitmapOrStr *sources[] = { &source };
    BlockDirtyBitmapOrStrArray list = { sources, 1 };
    BlockDirtyBitmapMerge args = { .node = (char *)node, .target = (char *)name,
                                   .bitmaps = &list };

    return qmp_block_dirty_bitmap_merge(&args, errp);
}

static bool act(const Bitmap *job, const ImgAct *one, BlockNode *node, BlockNode *from,
                Error **errp)
{
    const char *name = block_node_name(node);
    BlockDirtyBitmap args = { .node = (char *)name, .name = (char *)job->name };

    switch (one->name[0]) {
    case 'a':
        return add(name, job->name, job->granularity, true, errp);
    case 'r':
        return qmp_block_dirty_bitmap_remove(&args, errp);
    case 'c':
        return qmp_block_dirty_bitmap_clear(&args, errp);
    case 'e':
        return qmp_block_dirty_bitmap_enable(&args, errp);
    case 'd':
        return qmp_block_dirty_bitmap_disable(&args, errp);
    default:
        return merge(name, job->name, block_node_name(from), one->text, errp);
    }
}

static bool run(const Bitmap *job, ImgImage *image, ImgImage *from)
{
    int failed;

    for (guint i = 0; i < job->acts->len; i++) {
        const ImgAct *one = job->acts->pdata[i];
        Error *err = NULL;

        if (!act(job, one, image->node, from->node ? from->node : image->node, &err)) {
            error_reportf_err(err, "Operation %s on bitmap %s failed: ", one->name, job->name);
            return false;
        }
    }
    failed = block_image_finish(image->node);
    if (failed) {
        error_report("Could not store bitmap %s: %s", job->name, g_strerror(-failed));
    }
    return !failed;
}

/* --- the command --- */

static bool has_act(const Bitmap *job, const char *name)
{
    for (guint i = 0; i < job->acts->len; i++) {
        if (!strcmp(((ImgAct *)job->acts->pdata[i])->name, name)) {
            return true;
        }
    }
    return false;
}

static const char *refusal(const Bitmap *job, int left)
{
    if (job->source.format && job->source.is_options) {
        return "--image-opts and --format are mutually exclusive";
    }
    if (!job->acts->len) {
        return "Need at least one of --add, --remove, --clear, --enable, --disable, or --merge";
    }
    if (job->granularity && !has_act(job, "add")) {
        return "granularity only supported with --add";
    }
    if (job->merge.format && !job->merge.name) {
        return "-F only supported with -b";
    }
    if (job->merge.name && !has_act(job, "merge")) {
        return "Merge bitmap source file only supported with --merge";
    }
    return left != 2 ? "Expecting filename and bitmap name" : NULL;
}

static int open_and_run(const Bitmap *job)
{
    g_auto(ImgImage) image = { 0 }, from = { 0 };

    if (!img_open(&image, &job->source) ||
        (job->merge.name && !img_open(&from, &job->merge))) {
        return 1;
    }
    return run(job, &image, &from) ? 0 : 1;
}

int img_bitmap(int argc, char **argv)
{
    g_autoptr(GPtrArray) acts = g_ptr_array_new_with_free_func(g_free);
    Bitmap job = { .source = { .is_writable = true, .without_backing = true },
                   .merge = { .without_backing = true }, .acts = acts };
    const ImgOption options[] = {
        { 0, "add", IMG_ACT, acts }, { 0, "remove", IMG_ACT, acts }, { 0, "clear", IMG_ACT, acts },
        { 0, "enable", IMG_ACT, acts }, { 0, "disable", IMG_ACT, acts },
        { 0, "merge", IMG_ACT_TEXT, acts }, { 'b', "source-file", IMG_TEXT, &job.merge.name },
        { 'F', "source-format", IMG_TEXT, &job.merge.format },
        { 'f', NULL, IMG_TEXT, &job.source.format },
        { 'g', "granularity", IMG_SIZE, &job.granularity, "granularity" },
        { 0, "image-opts", IMG_FLAG, &job.source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    const char *why;
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    why = refusal(&job, argc - first);
    if (why) {
        error_report("%s", why);
        return 1;
    }
    job.source.name = argv[first];
    job.name = argv[first + 1];
    return open_and_run(&job);
}

/* --- with a copy of an image --- */

static bool copy_one(BlockNode *from, BlockNode *to, const BlockDirtyInfo *info, Error **errp)
{
    const char *node = block_node_name(to);
    BlockDirtyBitmap args = { .node = (char *)node, .name = info->name };

    if (!add(node, info->name, info->granularity, false, errp) ||
        !merge(node, info->name, block_node_name(from), info->name, errp)) {
        error_prefix(errp, "Failed to populate bitmap %s: ", info->name);
        return false;
    }
    return !info->recording || qmp_block_dirty_bitmap_enable(&args, errp);
}

bool img_bitmaps_check(BlockNode *from, bool skips_broken)
{
    g_autoptr(BlockDirtyInfoArray) list = block_image_bitmaps(from);

    if (!block_image_keeps_bitmaps(from)) {
        error_report("Source lacks bitmap support");
        return false;
    }
    for (size_t i = 0; list && i < list->count && !skips_broken; i++) {
        if (list->items[i]->inconsistent) {
            error_report("Cannot copy inconsistent bitmap '%s'", list->items[i]->name);
            fprintf(stderr, "Try --skip-broken-bitmaps, or use 'qemu-img bitmap --remove'\n");
            return false;
        }
    }
    return true;
}

bool img_bitmaps_copy(BlockNode *from, BlockNode *to)
{
    g_autoptr(BlockDirtyInfoArray) list = block_image_bitmaps(from);
    Error *err = NULL;
    int failed;

    for (size_t i = 0; list && i < list->count; i++) {
        const BlockDirtyInfo *info = list->items[i];

        if (info->persistent && info->inconsistent) {
            warn_report("Skipping inconsistent bitmap '%s'", info->name);
        } else if (info->persistent && !copy_one(from, to, info, &err)) {
            error_report_err(err);
            return false;
        }
    }
    failed = block_image_finish(to);
    if (failed) {
        error_report("Could not store bitmaps: %s", g_strerror(-failed));
    }
    return !failed;
}

uint64_t img_bitmaps_bytes(BlockNode *from, uint64_t cluster)
{
    g_autoptr(BlockDirtyInfoArray) list = block_image_bitmaps(from);
    uint64_t bytes = 0, names = 0;

    for (size_t i = 0; list && i < list->count; i++) {
        const BlockDirtyInfo *info = list->items[i];
        uint64_t bits = (block_node_bytes(from) + info->granularity - 1) / info->granularity;
        uint64_t clusters = ROUND_UP((bits + 7) / 8, cluster) / cluster;

        if (info->persistent && !info->inconsistent) {
            bytes += clusters * cluster + ROUND_UP(clusters * 8, cluster);
            names += ROUND_UP(24 + strlen(info->name), 8);
        }
    }
    return bytes + ROUND_UP(names, cluster);
}
