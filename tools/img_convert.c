/*
 * qemu-img convert, dd: copies of images, in another format or place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include "util/size.h"

#define DEFAULT_WORKERS 8
#define MAX_WORKERS     16
#define DEFAULT_SPARSE  4096

typedef struct Convert {
    ImgSource source, target;
    ImgNew new;
    char *options;
    const char *snapshot;
    char **names;     /* sources */
    size_t count;
    uint64_t sparse_bytes, rate, workers;
    bool is_compressed, has_target, is_zero, is_progress, is_quiet, is_unordered, is_salvage;
    bool with_bitmaps, skips_broken, has_sparse, has_backing_format, has_format;
    bool wants_offload;
} Convert;

/* --- sources --- */

/* "snapshot.name=NAME", "snapshot.id=ID" or either alone. */
static char *snapshot_of(const char *text)
{
    char *name = text ? img_option_of(text, "snapshot.name") : NULL;

    if (text && !name) {
        name = img_option_of(text, "snapshot.id");
    }
    return text && !name ? g_strdup(text) : name;
}

static void close_all(ImgImage *images, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        img_close(&images[i]);
    }
    g_free(images);
}

static ImgImage *open_sources(const Convert *job, uint64_t *bytes)
{
    ImgImage *images = g_new0(ImgImage, job->count);
    g_autofree char *snapshot = snapshot_of(job->snapshot);
    ImgSource source = job->source;

    *bytes = 0;
    source.snapshot = snapshot;
    for (size_t i = 0; i < job->count; i++) {
        source.name = job->names[i];
        if (!img_open(&images[i], &source)) {
            close_all(images, job->count);
            return NULL;
        }
        *bytes += ROUND_UP(block_node_bytes(images[i].node), BLOCK_SECTOR_BYTES);
    }
    return images;
}

/* --- the target --- */

static bool make_target(const Convert *job, uint64_t bytes)
{
    ImgNew new = job->new;
    new.name = job->target.name;
    new.options = job->options;
    new.is_quiet = true;
    new.has_bytes = new.is_conversion = true;
    new.bytes = bytes;
    return img_new(&new);
}

static bool check_target(const Convert *job, const ImgImage *target, uint64_t bytes)
{
    uint64_t room = block_node_bytes(target->node);

    if (job->is_compressed && !block_image_compressed_bytes(target->node)) {
        error_report("Compression not supported for this file format");
        return false;
    }
    if (job->has_target && room < bytes) {
        error_report("output file is smaller than input file");
        return false;
    }
    return true;
}

static int copy(const Convert *job, ImgImage *sources, ImgImage *target, uint64_t bytes)
{
    bool has_backing = job->new.backing != NULL;
    ImgCopy order = {
        .sources = sources, .source_count = job->count, .target = target,
        .bytes = MIN(bytes, block_node_bytes(target->node)), .sparse_bytes = job->sparse_bytes,
        .compressed_bytes = job->is_compressed ? block_image_compressed_bytes(target->node) : 0,
        .rate = job->rate, .workers = job->workers, .has_backing = has_backing,
        .is_zero = job->is_zero || (!job->has_target && !has_backing && job->sparse_bytes &&
                                    block_image_begins_with_zeroes(target->node)),
        .is_salvage = job->is_salvage,
        .is_unordered = job->is_unordered || !strcmp(block_node_driver(target->node), "raw"),
        .is_quiet = job->is_quiet, .wants_offload = job->wants_offload,
    };
    int err = img_copy(&order);

    if (!err) {
        err = block_flush(target->node);
        if (err) {
            error_report("error while flushing: %s", g_strerror(-err));
        }
    }
    return err;
}

static int convert(const Convert *job)
{
    uint64_t bytes;
    ImgImage *sources = open_sources(job, &bytes);
    g_auto(ImgImage) target = { 0 };
    int err = -EIO;

    if (!sources) {
        return 1;
    }
    if ((!job->with_bitmaps || img_bitmaps_check(sources[0].node, job->skips_broken)) &&
        (job->has_target || make_target(job, bytes)) && img_open(&target, &job->target) &&
        check_target(job, &target, bytes)) {
        img_progress_begin(job->is_progress);
        err = copy(job, sources, &target, bytes);
        if (!err && job->with_bitmaps && !img_bitmaps_copy(sources[0].node, target.node)) {
            err = -EIO;
        }
        if (!err) {
            img_progress_end();
        }
    }
    close_all(sources, job->count);
    return err ? 1 : 0;
}

/* --- the command --- */

static bool check_sparse(const char *text, Convert *job)
{
    uint64_t *bytes = &job->sparse_bytes;
    g_autofree char *why = NULL;

    job->has_sparse = text != NULL;
    if (!text) {
        return true;
    }
    if (!size_parse(text, 1, bytes, &why)) {
        return img_size(text, "buffer size for sparse output", bytes);
    }
    if (*bytes % BLOCK_SECTOR_BYTES || *bytes > 16 * MiB) {
        error_report("Invalid buffer size for sparse output specified. Valid sizes are multiples "
                     "of 512 up to 16777216. Select 0 to disable sparse detection (fully "
                     "allocates output).");
        return false;
    }
    return true;
}

static const char *refuse_offload(const Convert *job)
{
    if (!job->wants_offload) {
        return NULL;
    }
    return job->is_compressed ? "Cannot enable copy offloading when -c is used" :
           job->has_sparse ? "Cannot enable copy offloading when -S is used" :
           job->is_salvage ? "Cannot use copy offloading in salvaging mode" : NULL;
}

static const char *refuse_backing(const Convert *job)
{
    if (!job->new.backing || job->has_target) {
        return NULL;
    }
    return strcmp(job->new.format, "qcow2") ? "Backing file not supported for file format 'raw'" :
           !job->has_backing_format ? "Use of backing file requires explicit backing format" : NULL;
}

static bool check_workers(const char *text, uint64_t *workers)
{
    guint64 number = DEFAULT_WORKERS;

    if (text && !g_ascii_string_to_unsigned(text, 10, 1, MAX_WORKERS, &number, NULL)) {
        error_report("Invalid number of coroutines. Allowed number of coroutines is between 1 and "
                     "%d", MAX_WORKERS);
        return false;
    }
    *workers = number;
    return true;
}

static int refuse(const Convert *job)
{
    const char *why = refuse_offload(job);

    why = why ? why : refuse_backing(job);
    if (why) {
        error_report("%s", why);
        return 1;
    }
    if (!block_format_is_known(job->new.format) && !job->has_target) {
        error_report("Unknown file format '%s'", job->new.format);
        return 1;
    }
    if (job->is_compressed && !job->has_target && strcmp(job->new.format, "qcow2")) {
        error_report("Compression not supported for this file format");
        return 1;
    }
    if (job->skips_broken && !job->with_bitmaps) {
        error_report("Use of --skip-broken-bitmaps requires --bitmaps");
        return 1;
    }
    if (job->with_bitmaps && job->count > 1) {
        error_report("Copying bitmaps only possible with single source");
        return 1;
    }
    if (job->with_bitmaps && !job->has_target && strcmp(job->new.format, "qcow2")) {
        error_report("Format driver '%s' does not support bitmaps", job->new.format);
        return 1;
    }
    if (job->has_target && job->options) {
        error_report("-o has no effect when skipping image creation");
        return 1;
    }
    if (job->target.is_options && !job->has_target) {
        error_report("--target-image-opts requires use of -n flag");
        return 1;
    }
    if (job->is_zero && !job->has_target) {
        error_report("--target-is-zero requires use of -n flag");
        return 1;
    }
    if (job->snapshot && job->count > 1) {
        error_report("No support for concatenating multiple snapshot");
        return 1;
    }
    if (job->new.backing && job->count > 1) {
        error_report("Having a backing file for the target makes no sense when concatenating "
                     "multiple input images");
        return 1;
    }
    if (!img_cache_is_known(job->source.cache) || !img_cache_is_known(job->target.cache)) {
        if (img_cache_is_known(job->source.cache)) {
            error_report("Invalid cache option: %s", job->target.cache);
        } else {
            error_report("Invalid source cache option: %s", job->source.cache);
        }
        return 1;
    }
    return 0;
}

static int finish(Convert *job, int argc, char **argv, int first)
{
    g_autofree char *backing = img_option_of(job->options, "backing_file");
    g_autofree char *format = img_option_of(job->options, "backing_fmt");

    job->has_format = job->new.format != NULL;
    job->new.format = job->has_format ? job->new.format : "raw";
    if (img_format_help(job->new.format, job->options)) {
        return 0;
    }
    if (argc - first < 2) {
        error_report("Must specify image file name");
        return 1;
    }
    job->new.backing = job->new.backing ? job->new.backing : backing;
    job->has_backing_format = job->new.backing_format || format;
    job->names = argv + first;
    job->count = argc - first - 1;
    job->target.name = argv[argc - 1];
    job->target.format = job->target.is_options && !job->has_format ? NULL : job->new.format;
    job->source.has_source_cache = true;
    job->source.is_quiet = job->target.is_quiet = job->is_quiet;
    return refuse(job) ? 1 : convert(job);
}

int img_convert(int argc, char **argv)
{
    Convert job = {
        .target = { .is_writable = true, .cache = "unsafe" },
        .workers = DEFAULT_WORKERS, .sparse_bytes = DEFAULT_SPARSE,
    };
    const char *sparse = NULL, *workers = NULL;
    const ImgOption options[] = {
        { 'f', "source-format", IMG_TEXT, &job.source.format },
        { 'O', "target-format", IMG_TEXT, &job.new.format },
        { 'B', NULL, IMG_TEXT, &job.new.backing },
        { 'F', "backing-format", IMG_TEXT, &job.new.backing_format },
        { 'C', NULL, IMG_FLAG, &job.wants_offload },
        { 'c', "compress", IMG_FLAG, &job.is_compressed },
        { 'o', NULL, IMG_LIST, &job.options }, { 'l', NULL, IMG_TEXT, &job.snapshot },
        { 'S', NULL, IMG_TEXT, &sparse }, { 'p', "progress", IMG_FLAG, &job.is_progress },
        { 't', NULL, IMG_TEXT, &job.target.cache }, { 'T', NULL, IMG_TEXT, &job.source.cache },
        { 'q', "quiet", IMG_FLAG, &job.is_quiet }, { 'n', NULL, IMG_FLAG, &job.has_target },
        { 'm', NULL, IMG_TEXT, &workers }, { 'W', NULL, IMG_FLAG, &job.is_unordered },
        { 'U', "force-share", IMG_FLAG, &job.source.is_shared },
        { 'r', NULL, IMG_SIZE, &job.rate, "rate limit" }, { 0, "salvage", IMG_FLAG, &job.is_salvage },
        { 0, "image-opts", IMG_FLAG, &job.source.is_options },
        { 0, "target-image-opts", IMG_FLAG, &job.target.is_options },
        { 0, "target-is-zero", IMG_FLAG, &job.is_zero }, { 0, "object", IMG_OBJECT, NULL },
        { 0, "bitmaps", IMG_FLAG, &job.with_bitmaps },
        { 0, "skip-broken-bitmaps", IMG_FLAG, &job.skips_broken },
    };
    int first, status;

    status = !img_options(argc, argv, options, ARRAY_SIZE(options), &first) ||
             !check_sparse(sparse, &job) || !check_workers(workers, &job.workers) ? 1 : finish(&job, argc, argv, first);
    g_free(job.options);
    return status;
}

/* --- dd --- */

typedef struct Dd {
    ImgSource source;
    const char *format, *input, *output;
    uint64_t block, count, skip;
    bool has_count;
} Dd;

static bool set_dd(Dd *dd, const char *text)
{
    static const char *const names[] = { "bs", "count", "skip", "if", "of" };
    const char *value = strchr(text, '=');
    uint64_t *numbers[] = { &dd->block, &dd->count, &dd->skip };

    for (size_t i = 0; value && i < ARRAY_SIZE(names); i++) {
        if (strncmp(text, names[i], value - text) || names[i][value - text]) {
            continue;
        }
        if (i < ARRAY_SIZE(numbers)) {
            g_autofree char *why = NULL;

            dd->has_count |= i == 1;
            if (size_parse(value + 1, 1, numbers[i], &why) && (i || *numbers[i])) {
                return true;
            }
            return img_size(value + 1, names[i], numbers[i]) &&
                   (error_report("Invalid %s specified. Must be between 1 and %d.", names[i],
                                 INT_MAX), false);
        }
        *(i == 3 ? &dd->input : &dd->output) = value + 1;
        return true;
    }
    error_report("unrecognized operand %.*s", (int)(value ? value - text : strlen(text)), text);
    return false;
}

static int copy_blocks(const Dd *dd, ImgImage *from, ImgImage *to, uint64_t at, uint64_t bytes)
{
    g_autofree uint8_t *buf = g_try_malloc(dd->block);
    int err = buf ? 0 : -ENOMEM;

    for (uint64_t done = 0; done < bytes && !err; done += dd->block) {
        uint64_t some = MIN(dd->block, bytes - done);

        err = block_read(from->node, at + done, buf, some);
        if (err) {
            error_report("error while reading from input image file: %s", g_strerror(-err));
            return err;
        }
        err = block_write(to->node, done, buf, some);
    }
    if (err) {
        error_report("error while writing to output image file: %s", g_strerror(-err));
    }
    return err;
}

static int run_dd(const Dd *dd)
{
    g_auto(ImgImage) from = { 0 }, to = { 0 };
    ImgSource target = { .name = dd->output, .format = dd->format, .is_writable = true };
    ImgNew new = { .name = dd->output, .format = dd->format, .is_quiet = true, .has_bytes = true };
    uint64_t bytes, at;

    if (!img_open(&from, &dd->source)) {
        return 1;
    }
    bytes = block_node_bytes(from.node);
    if (dd->has_count && dd->count <= INT64_MAX / dd->block) {
        uint64_t wanted = dd->skip > INT64_MAX / dd->block ? bytes :
                          dd->count * dd->block + dd->skip * dd->block;

        bytes = MIN(bytes, wanted);
    }
    at = dd->skip > INT64_MAX / dd->block ? UINT64_MAX : dd->skip * dd->block;
    if (at > bytes) {
        error_report("%s: cannot skip to specified offset", dd->input);
        at = bytes;
    }
    bytes -= at;
    new.bytes = bytes;
    if (!img_new(&new) || !img_open(&to, &target)) {
        return 1;
    }
    return copy_blocks(dd, &from, &to, at, bytes) ? 1 : 0;
}

int img_dd(int argc, char **argv)
{
    Dd dd = { .format = "raw", .block = BLOCK_SECTOR_BYTES };
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &dd.source.format }, { 'O', NULL, IMG_TEXT, &dd.format },
        { 'U', "force-share", IMG_FLAG, &dd.source.is_shared },
        { 0, "image-opts", IMG_FLAG, &dd.source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    for (; first < argc; first++) {
        if (!set_dd(&dd, argv[first])) {
            return 1;
        }
    }
    if (!dd.input || !dd.output) {
        error_report("Must specify both input and output files");
        return 1;
    }
    if (!block_format_is_known(dd.format)) {
        error_report("Unknown file format");
        return 1;
    }
    dd.source.name = dd.input;
    return run_dd(&dd);
}
