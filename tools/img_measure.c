/*
 * qemu-img measure: how large a file a new image takes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

typedef struct Measured {
    uint64_t required, full;
} Measured;

typedef struct Measure {
    ImgSource source;
    ImgNew new;
    char *options;
    const char *snapshot, *output;
    uint64_t size;
    bool has_size;
} Measure;

/* Bytes in clusters of `cluster` that have something in them. */
static int count_data(BlockNode *node, uint64_t cluster, uint64_t *data)
{
    uint64_t end = block_node_bytes(node), counted = 0, bytes;

    *data = 0;
    for (uint64_t at = 0; at < end; at += bytes) {
        BlockExtent extent;
        int err = block_extent_of_chain(node, at, end - at, &extent, NULL);

        if (err) {
            return err;
        }
        bytes = extent.bytes;
        if (!(extent.flags & BLOCK_EXTENT_ZERO)) {
            uint64_t from = MAX(ROUND_DOWN(at, cluster), counted);

            counted = MAX(counted, ROUND_UP(at + bytes, cluster));
            *data += counted - MIN(from, counted);
        }
    }
    return 0;
}

/* Tables of a qcow2 image of `size` bytes, all of which has data. */
static uint64_t count_tables(const BlockdevCreateOptionsQcow2 *own, uint64_t size, uint64_t cluster)
{
    uint64_t entry = own->extended_l2 ? 16 : 8;
    uint64_t bits = own->has_refcount_bits ? own->refcount_bits : 16;
    uint64_t data = own->data_file ? 0 : ROUND_UP(size, cluster) / cluster;
    uint64_t l2 = ROUND_UP(ROUND_UP(size, cluster) / cluster * entry, cluster) / cluster;
    uint64_t l1 = MAX(ROUND_UP(l2 * 8, cluster) / cluster, 1);
    uint64_t in_block = cluster * 8 / bits, blocks = 0, table = 1, last;

    do {
        uint64_t all = 1 + l1 + l2 + data + blocks + table;

        last = blocks;
        blocks = ROUND_UP(all, in_block) / in_block;
        table = ROUND_UP(blocks * 8, cluster) / cluster;
    } while (blocks != last);
    return 1 + l1 + l2 + blocks + table;
}

static int check_cluster(const BlockdevCreateOptionsQcow2 *own)
{
    uint64_t bytes = own->has_cluster_size ? own->cluster_size : 64 * KiB;

    if (bytes < 512 || bytes > 2 * MiB || bytes & (bytes - 1)) {
        error_report("Cluster size must be a power of two between 512 and 2048k");
        return 1;
    }
    return 0;
}

static int measure_qcow2(const BlockdevCreateOptions *options, BlockNode *node, Measured *result)
{
    const BlockdevCreateOptionsQcow2 *own = &options->u.qcow2;
    uint64_t cluster = own->has_cluster_size ? own->cluster_size : 64 * KiB;
    uint64_t full = own->data_file ? 0 : ROUND_UP(own->size, cluster);
    uint64_t data = 0, tables = count_tables(own, own->size, cluster) * cluster;
    int err = node ? count_data(node, cluster, &data) : 0;

    if (own->data_file) {
        data = 0;
    }
    if (own->preallocation == PREALLOC_MODE_FALLOC || own->preallocation == PREALLOC_MODE_FULL) {
        data = full;
    }
    *result = (Measured){ tables + data, tables + full };
    return err;
}

static int measure_raw(const BlockdevCreateOptions *options, Measured *result)
{
    *result = (Measured){ options->u.file.size, options->u.file.size };
    return 0;
}

/* `cluster`: of a target that can have bitmaps; 0: it cannot. */
static void print(const Measured *result, BlockNode *source, bool is_json, uint64_t cluster)
{
    g_autoptr(JsonObject) json = json_object_new_object();
    bool has_bitmaps = source && cluster && block_image_keeps_bitmaps(source);
    uint64_t bitmaps = has_bitmaps ? img_bitmaps_bytes(source, cluster) : 0;

    if (is_json) {
        if (has_bitmaps) {
            json_set(json, "bitmaps", json_object_new_uint64(bitmaps));
        }
        json_set(json, "required", json_object_new_uint64(result->required));
        json_set(json, "fully-allocated", json_object_new_uint64(result->full));
        img_print_json(json);
        return;
    }
    printf("required size: %" PRIu64 "\nfully allocated size: %" PRIu64 "\n", result->required,
           result->full);
    if (has_bitmaps) {
        printf("bitmaps size: %" PRIu64 "\n", bitmaps);
    }
}

static uint64_t bitmap_cluster(const BlockdevCreateOptionsQcow2 *own)
{
    bool is_v2 = own->has_version && own->version == BLOCKDEV_QCOW2_VERSION_V2;

    return is_v2 ? 0 : own->has_cluster_size ? own->cluster_size : 64 * KiB;
}

static int measure(Measure *job, bool is_json)
{
    g_autoptr(BlockdevCreateOptions) options = NULL;
    g_auto(ImgImage) image = { 0 };
    bool is_qcow2 = !strcmp(job->new.format, "qcow2");
    Measured result;
    int err;

    if (job->source.name && !img_open(&image, &job->source)) {
        return 1;
    }
    job->new.bytes = image.node ? block_node_bytes(image.node) : job->size;
    job->new.has_bytes = true;
    job->new.name = "measure";
    job->new.options = job->options;
    options = img_format_options(&job->new);
    if (!options || (is_qcow2 && check_cluster(&options->u.qcow2))) {
        return 1;
    }
    err = is_qcow2 ? measure_qcow2(options, image.node, &result) : measure_raw(options, &result);
    if (err) {
        error_report("Could not look at '%s': %s", job->source.name, g_strerror(-err));
        return 1;
    }
    print(&result, image.node, is_json, is_qcow2 ? bitmap_cluster(&options->u.qcow2) : 0);
    return 0;
}

static int check(const Measure *job, int left)
{
    if (!job->has_size && !left) {
        error_report("Either --size N or one filename must be specified.");
        return 1;
    }
    if (job->has_size && left) {
        error_report("--size N cannot be used together with a filename.");
        return 1;
    }
    if (left > 1) {
        error_report("At most one filename argument is allowed.");
        return 1;
    }
    if (!block_format_is_known(job->new.format)) {
        error_report("Unknown file format '%s'", job->new.format);
        return 1;
    }
    if (strcmp(job->new.format, "qcow2") && strcmp(job->new.format, "raw")) {
        error_report("Format driver '%s' does not support image creation", job->new.format);
        return 1;
    }
    return 0;
}

int img_measure(int argc, char **argv)
{
    Measure job = { .new = { .format = "raw" }, .size = UINT64_MAX };
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &job.source.format }, { 'O', NULL, IMG_TEXT, &job.new.format },
        { 'o', NULL, IMG_LIST, &job.options }, { 'l', NULL, IMG_TEXT, &job.source.snapshot },
        { 0, "size", IMG_SIZE, &job.size, "image size" }, { 0, "output", IMG_TEXT, &job.output },
        { 'U', "force-share", IMG_FLAG, &job.source.is_shared },
        { 0, "image-opts", IMG_FLAG, &job.source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    bool is_json;
    int first, status = 1;

    if (img_options(argc, argv, options, ARRAY_SIZE(options), &first) &&
        img_output(job.output, &is_json)) {
        job.has_size = job.size != UINT64_MAX;
        job.source.name = first < argc ? argv[first] : NULL;
        status = check(&job, argc - first) || measure(&job, is_json);
    }
    g_free(job.options);
    return status;
}
