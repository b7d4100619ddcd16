/*
 * New qcow2 images: an empty one, which then grows. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "block/create.h"
#include "config-host.h"

#define DEFAULT_CLUSTER (64 * KiB)
#define DEFAULT_REFCOUNT_BITS 16

/* The header's own cluster, the reference table, a block of counts. */
enum { HEADER_CLUSTER, REFTABLE_CLUSTER, REFBLOCK_CLUSTER, FIRST_CLUSTERS };

static bool is_power_of_2(uint64_t n)
{
    return n && !(n & (n - 1));
}

static bool fill_sizes(Qcow2Header *header, const BlockdevCreateOptionsQcow2 *own, Error **errp)
{
    uint64_t cluster = own->has_cluster_size ? own->cluster_size : DEFAULT_CLUSTER;
    int64_t bits = own->has_refcount_bits ? own->refcount_bits : DEFAULT_REFCOUNT_BITS;

    if (!is_power_of_2(cluster) || cluster < BIT(QCOW2_MIN_CLUSTER_BITS) ||
        cluster > BIT(QCOW2_MAX_CLUSTER_BITS)) {
        return error_set(errp, "Cluster size must be a power of two between %d and %dk",
                         BIT(QCOW2_MIN_CLUSTER_BITS), BIT(QCOW2_MAX_CLUSTER_BITS) / 1024);
    }
    if (own->extended_l2 && cluster < BIT(QCOW2_MIN_SUB_BITS)) {
        return error_set(errp, "Extended L2 entries are only supported with cluster sizes of at "
                         "least %u bytes", BIT(QCOW2_MIN_SUB_BITS));
    }
    if (bits < 1 || bits > 64 || !is_power_of_2(bits)) {
        return error_set(errp, "Refcount width must be a power of two and may not exceed 64 bits");
    }
    header->cluster_bits = __builtin_ctzll(cluster);
    header->refcount_order = __builtin_ctzll(bits);
    return true;
}

static bool check_version(const Qcow2Header *header, const BlockdevCreateOptionsQcow2 *own,
                          Error **errp)
{
    if (header->version > 2) {
        return true;
    }
    if (own->lazy_refcounts) {
        return error_set(errp, "Lazy refcounts only supported with compatibility level 1.1 and "
                         "above (use version=v3 or greater)");
    }
    if (own->extended_l2) {
        return error_set(errp, "Extended L2 entries are only supported with compatibility level "
                         "1.1 and above (use version=v3 or greater)");
    }
    if (header->refcount_order != 4) {
        return error_set(errp, "Different refcount widths than 16 bits require compatibility "
                         "level 1.1 or above (use version=v3 or greater)");
    }
    if (own->data_file) {
        return error_set(errp, "External data files are only supported with compatibility level "
                         "1.1 and above (use version=v3 or greater)");
    }
    return !own->compression_type || error_set(errp, "Non-zlib compression type is only supported "
                                               "with compatibility level 1.1 and above (use "
                                               "version=v3 or greater)");
}

static bool check_mix(const BlockdevCreateOptionsQcow2 *own, Error **errp)
{
    bool is_prealloc = own->preallocation != PREALLOC_MODE_OFF;

    if (own->size % BLOCK_SECTOR_BYTES) {
        return error_set(errp, "Image size must be a multiple of %u bytes", BLOCK_SECTOR_BYTES);
    }
    if (own->backing_file && is_prealloc && !own->extended_l2) {
        return error_set(errp, "Backing file and preallocation can only be used at the same time "
                         "if extended_l2 is enabled");
    }
    if (own->has_backing_fmt && !own->backing_file) {
        return error_set(errp, "Backing format cannot be used without backing file");
    }
    if (own->backing_file && strlen(own->backing_file) > QCOW2_BACKING_BYTES) {
        return error_set(errp, "Backing file name too long");
    }
    if (own->data_file_raw && !own->data_file) {
        return error_set(errp, "data-file-raw requires data-file");
    }
    return !(own->data_file_raw && own->backing_file) ||
           error_set(errp, "Backing file and data-file-raw cannot be used at the same time");
}

static bool fill_header(Qcow2Header *header, const BlockdevCreateOptionsQcow2 *own, Error **errp)
{
    header->version = own->has_version && own->version == BLOCKDEV_QCOW2_VERSION_V2 ? 2 : 3;
    if (!fill_sizes(header, own, errp) || !check_version(header, own, errp) ||
        !check_mix(own, errp)) {
        return false;
    }
    header->reftable_offset = (uint64_t)REFTABLE_CLUSTER << header->cluster_bits;
    header->reftable_clusters = 1;
    header->compatible = own->lazy_refcounts ? QCOW2_COMPAT_LAZY : 0;
    header->incompatible = (own->extended_l2 ? QCOW2_INCOMPAT_EXTENDED_L2 : 0) |
                           (own->data_file ? QCOW2_INCOMPAT_DATA_FILE : 0) |
                           (own->compression_type ? QCOW2_INCOMPAT_COMPRESSION : 0);
    header->autoclear = own->data_file_raw ? QCOW2_AUTOCLEAR_RAW_DATA : 0;
    header->compression = own->compression_type;
#ifndef CONFIG_ZSTD
    if (own->compression_type) {
        return error_set(errp, "This build has no zstd");
    }
#endif
    return true;
}

/* The image without a size. */
static int write_empty(const Qcow2Header *header, BlockNode *file)
{
    uint64_t cluster = BIT64(header->cluster_bits);
    g_autofree uint8_t *table = g_malloc0(cluster);
    g_autofree uint8_t *block = g_malloc0(cluster);
    uint64_t entry = GUINT64_TO_BE((uint64_t)REFBLOCK_CLUSTER * cluster);
    int err;

    memcpy(table, &entry, sizeof(entry));
    for (unsigned i = 0; i < FIRST_CLUSTERS; i++) {
        qcow2_set_count(block, header->refcount_order, i, 1);
    }
    err = block_write(file, REFBLOCK_CLUSTER * cluster, block, cluster);
    err = err ? err : block_write(file, REFTABLE_CLUSTER * cluster, table, cluster);
    return err ? err : qcow2_header_write(header, file);
}

static BlockNode *open_empty(BlockNode *file, BlockNode *data, Error **errp)
{
    g_autoptr(BlockdevOptions) options = g_new0(BlockdevOptions, 1);

    options->driver = BLOCKDEV_DRIVER_QCOW2;
    options->u.qcow2.file = block_ref_to(file);
    options->u.qcow2.data_file = data ? block_ref_to(data) : NULL;
    options->u.qcow2.backing = g_new0(BlockdevRefOrNull, 1);
    options->u.qcow2.backing->type = json_type_null;
    options->cache = g_new0(BlockdevCacheOptions, 1);
    options->cache->has_no_flush = options->cache->no_flush = true;
    return block_open(options, errp);
}

static bool grow(BlockNode *node, uint64_t bytes, PreallocMode prealloc, Error **errp)
{
    BlockLink *link = block_link_new(block_node_ref(node), "image creation",
                                     BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE, BLOCK_PERM_ALL, errp);
    bool is_done = link && block_node_resize(node, bytes, (BlockPrealloc)prealloc, errp);

    block_link_free(link);
    return is_done;
}

/* Names come last: nothing looks behind before. */
static bool set_names(BlockNode *node, const BlockdevCreateOptionsQcow2 *own, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);
    Qcow2Header *header = &image->header;
    int err = qcow2_sync(image);

    header->backing = g_strdup(own->backing_file);
    header->backing_format = own->has_backing_fmt ?
                                 g_strdup(enum_table_name(&blockdev_driver_names,
                                                          own->backing_fmt)) : NULL;
    header->data_file = image->has_data_file ? g_strdup(block_node_filename(image->data)) : NULL;
    err = err ? err : qcow2_header_write(header, node->file);
    if (err == -ENOSPC) {
        return error_set(errp, "The names of files do not fit into the header");
    }
    return !err || error_set_errno(errp, -err, "Could not write qcow2 header");
}

static bool fill_image(BlockNode *file, BlockNode *data, const BlockdevCreateOptionsQcow2 *own,
                       Error **errp)
{
    g_autoptr(BlockNode) node = open_empty(file, data, errp);

    if (!node) {
        return false;
    }
    return grow(node, own->size, own->preallocation, errp) && set_names(node, own, errp);
}

static bool create_on(BlockNode *file, const BlockdevCreateOptionsQcow2 *own, Error **errp)
{
    g_autoptr(BlockNode) data = NULL;
    Qcow2Header header = { 0 };
    BlockLink *link;
    int err;

    if (!fill_header(&header, own, errp) ||
        (own->data_file && !(data = block_open_ref(own->data_file, errp)))) {
        return false;
    }
    link = block_link_new(block_node_ref(file), "image creation",
                          BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE, BLOCK_PERM_ALL, errp);
    if (!link || !block_node_resize(file, 0, BLOCK_PREALLOC_OFF, errp)) {
        block_link_free(link);
        return false;
    }
    err = write_empty(&header, file);
    block_link_free(link);
    if (err) {
        return error_set_errno(errp, -err, "Could not write qcow2 header");
    }
    return fill_image(file, data, own, errp);
}

bool qcow2_create(const BlockdevCreateOptions *options, Error **errp)
{
    const BlockdevCreateOptionsQcow2 *own = &options->u.qcow2;
    g_autoptr(BlockNode) file = block_open_ref(own->file, errp);

    return file && create_on(file, own, errp);
}
