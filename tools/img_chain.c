/*
 * qemu-img rebase, commit: images and what is behind them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#define CHUNK_BYTES (2 * MiB)

/* What `node` shows; behind its end there are zeroes. NULL: all is zero. */
static int read_padded(BlockNode *node, uint64_t at, uint8_t *buf, uint64_t bytes)
{
    uint64_t end = node ? block_node_bytes(node) : 0;
    uint64_t some = at < end ? MIN(bytes, end - at) : 0;

    memset(buf + some, 0, bytes - some);
    return some ? block_read(node, at, buf, some) : 0;
}

/* --- rebase --- */

typedef struct Rebase {
    ImgSource source;
    const char *cache, *backing, *backing_format;
    bool is_unsafe, is_progress, is_quiet;
    bool is_shared; /* of files behind it */
} Rebase;

/* Where the two backing files differ, the image gets what the old one shows. */
static int keep_difference(ImgImage *image, BlockNode *old, BlockNode *new, uint64_t at,
                           uint64_t bytes, uint8_t **bufs)
{
    int err = read_padded(old, at, bufs[0], bytes);

    err = err ? err : read_padded(new, at, bufs[1], bytes);
    for (uint64_t done = 0; done < bytes && !err; done += BLOCK_SECTOR_BYTES) {
        uint64_t some = MIN(BLOCK_SECTOR_BYTES, bytes - done);

        if (memcmp(bufs[0] + done, bufs[1] + done, some)) {
            err = block_write(image->node, at + done, bufs[0] + done, some);
        }
    }
    return err;
}

static int keep_all(ImgImage *image, BlockNode *old, BlockNode *new)
{
    uint64_t end = block_node_bytes(image->node), bytes;
    uint8_t *bufs[2] = { g_malloc(CHUNK_BYTES), g_malloc(CHUNK_BYTES) };
    int err = 0;

    for (uint64_t at = 0; at < end && !err; at += bytes) {
        BlockExtent extent;

        err = block_extent(image->node, at, MIN(end - at, CHUNK_BYTES), &extent);
        bytes = extent.bytes;
        if (!err && !(extent.flags & BLOCK_EXTENT_ALLOCATED)) {
            err = keep_difference(image, old, new, at, bytes, bufs);
        }
        img_progress(at + bytes, end);
    }
    g_free(bufs[0]);
    g_free(bufs[1]);
    if (err) {
        error_report("error while comparing with the new backing file: %s", g_strerror(-err));
    }
    return err;
}

static bool open_new_backing(const Rebase *job, ImgImage *new)
{
    Error *err = NULL;
    g_autofree char *path = block_image_backing_path(job->source.name, job->backing, &err);
    ImgSource source = { .name = path, .format = job->backing_format, .cache = job->cache,
                         .is_shared = job->is_shared };

    if (!path) {
        error_report_err(err);
        return false;
    }
    source.has_source_cache = true;
    return img_open_as(new, &source, "Could not open new backing file");
}

static int rebase(const Rebase *job)
{
    g_auto(ImgImage) image = { 0 }, new = { 0 };
    bool has_backing = job->backing && *job->backing;
    Error *err = NULL;

    if (!img_open(&image, &job->source) ||
        (!job->is_unsafe && has_backing && !open_new_backing(job, &new))) {
        return 1;
    }
    img_progress_begin(job->is_progress);
    if (!job->is_unsafe && keep_all(&image, block_node_child(image.node, "backing"), new.node)) {
        return 1;
    }
    img_progress_end();
    if (has_backing && !job->backing_format) {
        error_report("Could not change the backing file to '%s': backing format must be specified",
                     job->backing);
        return 1;
    }
    if (!block_image_set_backing(image.node, job->backing, job->backing_format, &err)) {
        error_reportf_err(err, "Could not change the backing file to '%s': ", job->backing);
        return 1;
    }
    return 0;
}

int img_rebase(int argc, char **argv)
{
    Rebase job = { .source = { .is_writable = true } };
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &job.source.format }, { 'b', NULL, IMG_TEXT, &job.backing },
        { 'F', NULL, IMG_TEXT, &job.backing_format }, { 'u', NULL, IMG_FLAG, &job.is_unsafe },
        { 't', NULL, IMG_TEXT, &job.source.cache }, { 'T', NULL, IMG_TEXT, &job.cache },
        { 'p', NULL, IMG_FLAG, &job.is_progress }, { 'q', NULL, IMG_FLAG, &job.is_quiet },
        { 'U', "force-share", IMG_FLAG, &job.is_shared },
        { 0, "image-opts", IMG_FLAG, &job.source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    if (first != argc - 1) {
        return img_usage("Expecting one image file name");
    }
    if (!job.is_unsafe && !job.backing) {
        return img_usage("Must specify backing file (-b) or use unsafe mode (-u)");
    }
    if (job.backing_format && !block_format_is_known(job.backing_format)) {
        error_report("Invalid format name: '%s'", job.backing_format);
        return 1;
    }
    job.source.name = argv[first];
    job.source.without_backing = job.is_unsafe;
    job.source.is_quiet = job.is_quiet;
    job.is_progress &= !job.is_quiet;
    return rebase(&job);
}

/* --- commit --- */

typedef struct Commit {
    ImgSource source;
    const char *base;
    uint64_t rate;
    bool keeps_data, is_progress, is_quiet;
} Commit;

/* One image of a chain, by itself. */
typedef struct Level {
    char *name, *format;
    ImgImage image;
} Level;

static void clear_level(gpointer level)
{
    img_close(&((Level *)level)->image);
    g_free(((Level *)level)->name);
    g_free(((Level *)level)->format);
    g_free(level);
}

static bool is_base(const Commit *job, const Level *level, guint depth)
{
    if (!job->base) {
        return depth == 1;
    }
    return depth && (!strcmp(level->name, job->base) ||
                     (g_str_has_suffix(level->name, job->base) &&
                      level->name[strlen(level->name) - strlen(job->base) - 1] == '/'));
}

static Level *level_new(const char *name, const char *format)
{
    Level *level = g_new0(Level, 1);

    level->name = g_strdup(name);
    level->format = g_strdup(format);
    return level;
}

/* What is behind this one; NULL: nothing. */
static Level *next_level(const Level *level)
{
    g_autoptr(ImageInfo) info = block_image_info(level->image.node, false);

    return info->full_backing_filename ? level_new(info->full_backing_filename,
                                                   info->backing_filename_format) : NULL;
}

/* From the image down to the base, each opened without what is behind it. */
static bool open_levels(const Commit *job, GPtrArray *levels)
{
    Level *level = level_new(job->source.name, job->source.format);

    for (guint depth = 0; level; depth++) {
        ImgSource source = job->source;
        bool is_last = is_base(job, level, depth);

        g_ptr_array_add(levels, level);
        source.name = level->name;
        source.format = level->format;
        source.is_writable = is_last || !depth;
        source.without_backing = !is_last;
        source.is_options = job->source.is_options && !depth;
        if (!img_open(&level->image, &source)) {
            return false;
        }
        if (is_last) {
            return true;
        }
        level = next_level(level);
    }
    if (job->base) {
        error_report("Did not find '%s' in the backing chain of '%s'", job->base,
                     job->source.name);
    } else {
        error_report("Image does not have a backing file");
    }
    return false;
}

typedef struct Pace {
    uint64_t rate;
    int64_t start_us;
} Pace;

static void note_progress(void *opaque, uint64_t done, uint64_t all, uint64_t copied)
{
    const Pace *pace = opaque;
    int64_t due = pace->rate ? pace->start_us + copied * G_USEC_PER_SEC / pace->rate : 0;
    int64_t now = g_get_monotonic_time();

    img_progress(done, all);
    if (due > now) {
        g_usleep(due - now);
    }
}

static int commit_all(const Commit *job, GPtrArray *levels, BlockNode *base)
{
    g_autofree BlockNode **nodes = g_new(BlockNode *, levels->len);
    Pace pace = { job->rate, g_get_monotonic_time() };
    BlockCommit commit = { nodes, levels->len - 1, base, note_progress, &pace };

    for (guint i = 0; i < levels->len; i++) {
        nodes[i] = ((Level *)levels->pdata[i])->image.node;
    }
    return block_commit(&commit);
}

static bool grow_base(GPtrArray *levels, BlockNode *base)
{
    uint64_t bytes = block_node_bytes(((Level *)levels->pdata[0])->image.node);
    Error *err = NULL;

    if (block_node_bytes(base) < bytes &&
        !block_node_resize(base, bytes, BLOCK_PREALLOC_OFF, &err)) {
        error_report_err(err);
        return false;
    }
    return true;
}

static int commit(const Commit *job)
{
    g_autoptr(GPtrArray) levels = g_ptr_array_new_with_free_func(clear_level);
    BlockNode *base;
    int err;

    if (!open_levels(job, levels)) {
        return 1;
    }
    base = ((Level *)levels->pdata[levels->len - 1])->image.node;
    if (!grow_base(levels, base)) {
        return 1;
    }
    img_progress_begin(job->is_progress);
    err = commit_all(job, levels, base);
    if (!err && !job->keeps_data && !job->base) {
        err = block_image_empty(((Level *)levels->pdata[0])->image.node);
        err = err == -ENOTSUP ? 0 : err;
    }
    if (err) {
        error_report("Could not commit: %s", g_strerror(-err));
        return 1;
    }
    img_progress_end();
    if (!job->is_quiet) {
        printf("Image committed.\n");
    }
    return 0;
}

int img_commit(int argc, char **argv)
{
    Commit job = { 0 };
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &job.source.format }, { 'b', NULL, IMG_TEXT, &job.base },
        { 't', NULL, IMG_TEXT, &job.source.cache }, { 'd', NULL, IMG_FLAG, &job.keeps_data },
        { 'p', NULL, IMG_FLAG, &job.is_progress }, { 'q', NULL, IMG_FLAG, &job.is_quiet },
        { 'r', NULL, IMG_SIZE, &job.rate, "rate limit" },
        { 0, "image-opts", IMG_FLAG, &job.source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    if (first != argc - 1) {
        return img_usage("Expecting one image file name");
    }
    job.source.name = argv[first];
    job.source.is_quiet = job.is_quiet;
    job.is_progress &= !job.is_quiet;
    return commit(&job);
}
