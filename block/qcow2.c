/*
 * qcow2: opening and closing images, and what they say of themselves. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "block/backing.h"
#include "block/block_backend.h"
#include "block/qcow2_snapshot.h"
#include "qapi/qapi-events-block-core.h"
#include "util/byte_order.h"

#define L2_CACHE_BYTES    (32 * MiB)
#define REFBLOCKS_CACHED  4
#define SLICE_BYTES       (64 * KiB)
#define CLEAN_SECONDS     600

/* --- damage --- */

typedef struct Report {
    char *node, *text;
    int64_t offset, bytes;
    bool is_fatal;
    const char *device; /* borrowed */
} Report;

/* The drive's name, if it stands right on the image. */
static void find_device(void *opaque, BlockBackend *drive)
{
    Report *report = opaque;
    BlockNode *node = block_backend_node(drive);

    if (node && !strcmp(block_node_name(block_node_skip_filters(node)), report->node)) {
        report->device = block_backend_name(drive);
    }
}

static void tell(void *opaque)
{
    Report *report = opaque;

    report->device = "";
    block_backend_each(find_device, report);
    qapi_event_send_block_image_corrupted(report->device, report->node, report->text, report->offset >= 0,
                                          report->offset, report->bytes > 0, report->bytes,
                                          report->is_fatal);
    g_free(report->node);
    g_free(report->text);
    g_free(report);
}

int qcow2_corrupt(BlockQcow2 *image, uint64_t offset, uint64_t bytes, const char *fmt, ...)
{
    bool is_fatal = !image->parent.is_read_only;
    Report *report;
    va_list ap;

    if (image->is_failed || image->parent.is_check || (!is_fatal && image->has_told)) {
        return -EIO;
    }
    if (image->is_in_loop) {
        return QCOW2_WOULD_WAIT;
    }
    report = g_new0(Report, 1);
    va_start(ap, fmt);
    *report = (Report){ g_strdup(image->parent.name), g_strdup_vprintf(fmt, ap),
                        MIN(offset, INT64_MAX), MIN(bytes, INT64_MAX), is_fatal, NULL };
    va_end(ap);
    error_report(is_fatal ? "qcow2: Marking image as corrupt: %s; further corruption events will "
                            "be suppressed" :
                            "qcow2: Image is corrupt: %s; further non-fatal corruption events will "
                            "be suppressed", report->text);
    image->has_told = true;
    if (is_fatal) {
        image->is_failed = true;
        if (image->header.version > 2) {
            image->header.incompatible |= QCOW2_INCOMPAT_CORRUPT;
            qcow2_header_update(&image->header, image->parent.file);
        }
    }
    event_loop_defer(event_loop_main(), tell, report);
    return -EIO;
}

int qcow2_mark_dirty(BlockQcow2 *image)
{
    int err;

    if (!image->options.has_lazy || image->header.incompatible & QCOW2_INCOMPAT_DIRTY) {
        return 0;
    }
    image->header.incompatible |= QCOW2_INCOMPAT_DIRTY;
    err = qcow2_header_update(&image->header, image->parent.file);
    err = err ? err : qcow2_barrier(image);
    if (err) {
        image->header.incompatible &= ~(uint64_t)QCOW2_INCOMPAT_DIRTY;
    }
    return err;
}

/* --- tables --- */

static uint64_t *load_table(BlockNode *file, uint64_t offset, uint64_t entries, const char *what,
                            Error **errp)
{
    uint64_t *table = g_try_new0(uint64_t, MAX(entries, 1));
    int err = table ? block_read(file, offset, table, entries * 8) : -ENOMEM;

    if (err) {
        error_set_errno(errp, -err, "Could not read %s", what);
        g_free(table);
        return NULL;
    }
    for (uint64_t i = 0; i < entries; i++) {
        table[i] = GUINT64_FROM_BE(table[i]);
    }
    return table;
}

/* Two tables in one place would have one write over the other. */
static void note_tables(BlockQcow2 *image, const uint64_t *table, uint64_t entries, uint64_t mask)
{
    for (uint64_t i = 0; i < entries; i++) {
        uint64_t offset = table[i] & mask;

        if (!offset) {
            continue;
        }
        if (qcow2_is_metadata(image, offset, image->cluster)) {
            image->has_overlap = true;
        }
        g_hash_table_add(image->metadata, GSIZE_TO_POINTER(offset >> image->cluster_bits));
    }
}

static bool load_tables(BlockQcow2 *image, Error **errp)
{
    Qcow2Header *header = &image->header;
    BlockNode *file = image->parent.file;

    image->reftable_entries = ((uint64_t)header->reftable_clusters << header->cluster_bits) / 8;
    image->l1 = load_table(file, header->l1_offset, header->l1_entries, "L1 table", errp);
    if (!image->l1) {
        return false;
    }
    block_event(file, BLKDEBUG_EVENT_REFTABLE_LOAD);
    image->reftable = load_table(file, header->reftable_offset, image->reftable_entries,
                                 "reference count table", errp);
    if (!image->reftable || !qcow2_snapshots_load(image, errp)) {
        return false;
    }
    note_tables(image, image->reftable, image->reftable_entries, QCOW2_REFTABLE_MASK);
    note_tables(image, image->l1, header->l1_entries, QCOW2_OFFSET_MASK);
    return true;
}

/* --- options --- */

static bool set_slice(const BlockdevOptionsQcow2 *own, uint64_t cluster, uint64_t *slice,
                      Error **errp)
{
    *slice = own->has_l2_cache_entry_size ? own->l2_cache_entry_size : MIN(cluster, SLICE_BYTES);
    if (*slice < BLOCK_SECTOR_BYTES || *slice > cluster || *slice & (*slice - 1)) {
        return error_set(errp, "L2 cache entry size must be a power of two between 512 and the "
                         "cluster size (%" PRIu64 ")", cluster);
    }
    return true;
}

static bool parse_caches(const BlockQcow2 *image, const BlockdevOptionsQcow2 *own,
                         Qcow2Options *to, Error **errp)
{
    uint64_t refs = own->refcount_cache_size, l2 = own->l2_cache_size, needed;

    if (own->has_cache_size && own->has_l2_cache_size && own->has_refcount_cache_size) {
        return error_set(errp, "cache-size, l2-cache-size and refcount-cache-size may not be set "
                         "at the same time");
    }
    if (own->has_cache_size && (l2 > own->cache_size || refs > own->cache_size)) {
        return error_set(errp, "%s may not exceed cache-size",
                         l2 > own->cache_size ? "l2-cache-size" : "refcount-cache-size");
    }
    if (!set_slice(own, image->cluster, &to->slice, errp)) {
        return false;
    }
    if (!own->has_refcount_cache_size) {
        refs = own->has_cache_size && own->has_l2_cache_size ? own->cache_size - l2 :
                                                               REFBLOCKS_CACHED * image->cluster;
    }
    if (!own->has_l2_cache_size) {
        l2 = own->has_cache_size ? own->cache_size - MIN(refs, own->cache_size) : L2_CACHE_BYTES;
    }
    needed = image->header.l1_entries << image->cluster_bits;
    to->l2_bytes = MIN(l2, MAX(needed, to->slice));
    to->refblocks_bytes = refs;
    return true;
}

static bool wants_overlap_checks(const BlockdevOptionsQcow2 *own)
{
    if (!own->overlap_check) {
        return true;
    }
    if (own->overlap_check->type == json_type_string) {
        return own->overlap_check->u.mode != QCOW2_OVERLAP_CHECK_MODE_NONE;
    }
    return own->overlap_check->u.flags->template != QCOW2_OVERLAP_CHECK_MODE_NONE;
}

static bool parse_options(const BlockQcow2 *image, const BlockdevOptionsQcow2 *own,
                          Qcow2Options *to, Error **errp)
{
    if (own->cache_clean_interval < 0 || own->cache_clean_interval > UINT32_MAX) {
        return error_set(errp, "Cache clean interval too big");
    }
    to->has_lazy = own->has_lazy_refcounts ? own->lazy_refcounts :
                                             image->header.compatible & QCOW2_COMPAT_LAZY;
    if (to->has_lazy && image->header.version < 3) {
        return error_set(errp, "Lazy refcounts require a qcow2 image with at least qemu 1.1 "
                         "compatibility level");
    }
    to->has_lazy &= !image->parent.is_read_only;
    to->discards[QCOW2_FREE_REQUEST] = own->has_pass_discard_request ?
                                           own->pass_discard_request : image->parent.has_discard;
    to->discards[QCOW2_FREE_SNAPSHOT] = !own->has_pass_discard_snapshot ||
                                        own->pass_discard_snapshot;
    to->discards[QCOW2_FREE_OTHER] = own->pass_discard_other;
    to->keeps_discarded = own->discard_no_unref;
    to->clean_us = (own->has_cache_clean_interval ? own->cache_clean_interval :
                                                    CLEAN_SECONDS) * G_USEC_PER_SEC;
    to->checks_overlap = wants_overlap_checks(own);
    return parse_caches(image, own, to, errp);
}

static void set_caches(BlockQcow2 *image)
{
    image->cleaned_us = g_get_monotonic_time();
    qcow2_cache_init(&image->l2, image->options.slice, image->options.l2_bytes);
    qcow2_cache_init(&image->refblocks, image->cluster, image->options.refblocks_bytes);
}

static bool set_options(BlockQcow2 *image, const BlockdevOptionsQcow2 *own, Error **errp)
{
    if (!parse_options(image, own, &image->options, errp)) {
        return false;
    }
    set_caches(image);
    return true;
}

void qcow2_set_geometry(BlockQcow2 *image)
{
    const Qcow2Header *header = &image->header;
    bool has_subs = header->incompatible & QCOW2_INCOMPAT_EXTENDED_L2;

    image->cluster_bits = header->cluster_bits;
    image->cluster = BIT64(header->cluster_bits);
    image->subs = has_subs ? QCOW2_SUBS : 1;
    image->sub_bits = header->cluster_bits - (has_subs ? 5 : 0);
    image->entry_bytes = has_subs ? 16 : 8;
    image->l2_bits = header->cluster_bits - (has_subs ? 4 : 3);
    image->refblock_bits = header->cluster_bits + 3 - header->refcount_order;
    image->refcount_max = header->refcount_order == 6 ? INT64_MAX :
                                                        BIT64(BIT(header->refcount_order)) - 1;
    image->has_data_file = header->incompatible & QCOW2_INCOMPAT_DATA_FILE;
    image->is_raw_data = header->autoclear & QCOW2_AUTOCLEAR_RAW_DATA && image->has_data_file;
}

/* --- nodes below --- */

static bool attach_file(BlockNode *node, const BlockdevRef *ref, Error **errp)
{
    Error *err = NULL;

    if (!block_node_attach(node, "file", ref, &err) && node->is_auto_read_only &&
        !node->is_read_only) {
        g_clear_pointer(&err, error_free);
        node->is_read_only = true;
        block_node_attach(node, "file", ref, &err);
    }
    return error_propagate(errp, err);
}

static bool attach_data_file(BlockQcow2 *image, const BlockdevRef *given, Error **errp)
{
    BlockNode *node = &image->parent;

    image->data = node->file;
    if (!image->has_data_file) {
        return !given || error_set(errp, "'data-file' can only be set for images with an external "
                                   "data file");
    }
    if (given ? !block_node_attach(node, "data-file", given, errp) :
                !block_backing_attach(node, "data-file", image->header.data_file, NULL, errp)) {
        return false;
    }
    image->data = block_node_child(node, "data-file");
    return true;
}

static bool attach_backing(BlockQcow2 *image, const BlockdevRefOrNull *given, Error **errp)
{
    BlockNode *node = &image->parent;
    BlockdevRef ref;

    if (given && given->type == json_type_null) {
        return true;
    }
    if (!given) {
        return !image->header.backing ||
               block_backing_attach(node, "backing", image->header.backing,
                                    image->header.backing_format, errp);
    }
    ref.type = given->type;
    if (given->type == json_type_string) {
        ref.u.reference = given->u.reference;
    } else {
        ref.u.definition = given->u.definition;
    }
    return block_node_attach(node, "backing", &ref, errp);
}

/* --- opening --- */

/* It was not closed: counts may be too low, or too high. */
static bool repair(BlockQcow2 *image, Error **errp)
{
    BlockCheck result = { 0 };
    int err = qcow2_check_alone(image, BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS, &result);

    return !err ? !result.errors && !result.corruptions ? true :
           error_set(errp, "Could not repair dirty image") :
           error_set_errno(errp, -err, "Could not repair dirty image");
}

/* What others left in the header, and we do not keep up. */
static bool begin_writing(BlockQcow2 *image, Error **errp)
{
    uint64_t kept = image->header.autoclear & (QCOW2_AUTOCLEAR_RAW_DATA |
                                               QCOW2_AUTOCLEAR_BITMAPS);
    int err;

    if (image->parent.is_check) {
        return true;
    }
    if (image->header.incompatible & QCOW2_INCOMPAT_CORRUPT) {
        return error_set(errp, "qcow2: Image is corrupt; cannot be opened read/write");
    }
    if (image->header.incompatible & QCOW2_INCOMPAT_DIRTY && !repair(image, errp)) {
        return false;
    }
    if (image->header.autoclear == kept) {
        return true;
    }
    image->header.autoclear = kept;
    err = qcow2_header_update(&image->header, image->parent.file);
    return !err || error_set_errno(errp, -err, "Could not update qcow2 header");
}

static bool begin_if_ours(BlockQcow2 *image, Error **errp)
{
    return image->parent.is_read_only || block_images_are_elsewhere() ||
           begin_writing(image, errp);
}

static void clear(BlockQcow2 *image)
{
    qcow2_snapshots_clear(image);
    qcow2_bitmaps_clear(image);
    qcow2_header_clear(&image->header);
    g_clear_pointer(&image->l1, g_free);
    g_clear_pointer(&image->reftable, g_free);
    if (image->l2.blocks) {
        qcow2_cache_clear(&image->l2);
        qcow2_cache_clear(&image->refblocks);
    }
    g_clear_pointer(&image->metadata, g_hash_table_unref);
    g_clear_pointer(&image->frees, g_array_unref);
    g_mutex_clear(&image->lock);
    g_mutex_clear(&image->sync_lock);
    g_cond_clear(&image->changed);
}

static void init(BlockQcow2 *image)
{
    g_mutex_init(&image->lock);
    g_mutex_init(&image->sync_lock);
    g_cond_init(&image->changed);
    image->metadata = g_hash_table_new(NULL, NULL);
    image->frees = g_array_new(FALSE, FALSE, sizeof(Qcow2Free));
    image->options.checks_overlap = true;
    qcow2_bitmaps_init(image);
    image->is_sparse = -1;
}

static bool open_image(BlockQcow2 *image, const BlockdevOptionsQcow2 *own, Error **errp)
{
    BlockNode *node = &image->parent;

    if (!attach_file(node, own->file, errp) ||
        !qcow2_header_read(&image->header, node->file, node->is_check, errp)) {
        return false;
    }
    qcow2_set_geometry(image);
    node->bytes = image->header.bytes;
    node->alignment = node->file->alignment;
    return attach_data_file(image, own->data_file, errp) && set_options(image, own, errp) &&
           load_tables(image, errp) &&
           begin_if_ours(image, errp) && qcow2_bitmaps_load(image, errp) &&
           attach_backing(image, own->backing, errp);
}

static bool qcow2_open(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);

    init(image);
    if (!open_image(image, &options->u.qcow2, errp)) {
        clear(image);
        return false;
    }
    return true;
}

static int finish_writing(BlockQcow2 *image)
{
    int lost = qcow2_bitmaps_store(image), err = qcow2_sync(image);

    if (lost) {
        error_report("qcow2: Bitmaps of '%s' are lost: %s", block_node_filename(&image->parent),
                     g_strerror(-lost));
    }
    if (!err) {
        err = qcow2_sync(image); /* counts that shrank */
    }
    if (!err && image->header.incompatible & QCOW2_INCOMPAT_DIRTY && !image->parent.is_check) {
        image->header.incompatible &= ~(uint64_t)QCOW2_INCOMPAT_DIRTY;
        err = qcow2_header_update(&image->header, image->parent.file);
    }
    if (err) {
        error_report("qcow2: Closing '%s': %s", block_node_filename(&image->parent),
                     g_strerror(-err));
    }
    return err ? err : lost;
}

static int qcow2_finish(BlockNode *node)
{
    BlockQcow2 *image = qcow2_of(node);
    int err;

    if (node->is_read_only || image->is_failed || block_images_are_elsewhere()) {
        return image->is_failed ? -EIO : 0;
    }
    qcow2_enter_alone(image);
    err = finish_writing(image);
    qcow2_leave_alone(image);
    return err;
}

static void qcow2_close(BlockNode *node)
{
    BlockQcow2 *image = qcow2_of(node);

    if (!node->is_read_only && !image->is_failed && !block_images_are_elsewhere()) {
        finish_writing(image);
    }
    clear(image);
}

/* --- opening anew --- */

/* Another way to the same bytes may be taken, not to others. */
static bool check_file(BlockQcow2 *image, Error **errp)
{
    const Qcow2Header *old = &image->header;
    Qcow2Header new;
    bool is_same;

    if (!qcow2_header_read(&new, image->parent.file, true, errp)) {
        return false;
    }
    is_same = new.bytes == old->bytes && new.cluster_bits == old->cluster_bits &&
              new.l1_offset == old->l1_offset && new.reftable_offset == old->reftable_offset &&
              new.incompatible == old->incompatible;
    qcow2_header_clear(&new);
    return is_same || error_set(errp, "Node '%s' has another image than '%s'",
                                image->parent.file->name, image->parent.name);
}

static bool qcow2_reopen(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);
    int err;

    if (!parse_options(image, &options->u.qcow2, &image->next_options, errp)) {
        return false;
    }
    if (image->data != node->file && !image->has_data_file && !check_file(image, errp)) {
        return false;
    }
    err = node->is_read_only ? 0 : qcow2_sync(image);
    if (err) {
        return error_set_errno(errp, -err, "Could not write what '%s' has cached", node->name);
    }
    return begin_if_ours(image, errp);
}

static void qcow2_reopen_end(BlockNode *node, bool is_done)
{
    BlockQcow2 *image = qcow2_of(node);
    Qcow2Options old = image->options;

    if (!is_done) {
        return;
    }
    image->options = image->next_options;
    if (!image->has_data_file) {
        image->data = node->file;
    }
    node->alignment = node->file->alignment;
    if (old.slice != image->options.slice || old.l2_bytes != image->options.l2_bytes ||
        old.refblocks_bytes != image->options.refblocks_bytes) {
        qcow2_cache_clear(&image->l2);
        qcow2_cache_clear(&image->refblocks);
        set_caches(image);
    }
}

/* --- another process had it --- */

/* All that was read of the file but its header; caches keep their room. */
static void forget(BlockQcow2 *image)
{
    qcow2_snapshots_clear(image);
    qcow2_bitmaps_forget(image);
    g_clear_pointer(&image->l1, g_free);
    g_clear_pointer(&image->reftable, g_free);
    qcow2_cache_empty(&image->l2);
    qcow2_cache_empty(&image->refblocks);
    g_hash_table_remove_all(image->metadata);
    g_array_set_size(image->frees, 0);
    image->free_hint = image->packed_at = 0;
    image->is_sparse = -1;
}

static bool take_header(BlockQcow2 *image, Error **errp)
{
    Qcow2Header new;

    if (!qcow2_header_read(&new, image->parent.file, false, errp)) {
        return false;
    }
    if (new.cluster_bits != image->header.cluster_bits) {
        qcow2_header_clear(&new);
        return error_set(errp, "Node '%s' has another image than before", image->parent.name);
    }
    image->has_other_backing |= g_strcmp0(new.backing, image->header.backing) ||
                                g_strcmp0(new.backing_format, image->header.backing_format);
    forget(image);
    qcow2_header_clear(&image->header);
    image->header = new;
    qcow2_set_geometry(image);
    block_node_set_bytes(&image->parent, new.bytes);
    return true;
}

/* What is behind it by its name alone; what a user put there stays. */
static bool take_backing(BlockQcow2 *image, Error **errp)
{
    BlockNode *node = &image->parent;

    if (!image->has_other_backing || json_object_object_get_ex(node->given, "backing", NULL)) {
        return true;
    }
    block_node_detach(node, "backing");
    image->has_other_backing = !attach_backing(image, NULL, errp);
    return !image->has_other_backing;
}

static bool qcow2_taken(BlockNode *node, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);

    if (!take_header(image, errp)) {
        return false;
    }
    image->is_failed = !load_tables(image, errp) || !begin_if_ours(image, errp) ||
                       !qcow2_bitmaps_load(image, errp) || !take_backing(image, errp);
    return !image->is_failed;
}

/* --- what it says of itself --- */

static int qcow2_probe(const uint8_t *head, size_t bytes, const char *filename)
{
    return bytes >= 8 && load_be32(head) == QCOW2_MAGIC && load_be32(head + 4) >= 2 ? 100 : 0;
}

static int64_t qcow2_host_bytes(BlockNode *node)
{
    BlockNode *data = qcow2_of(node)->data;
    int64_t bytes = node->file->driver->host_bytes ? node->file->driver->host_bytes(node->file) :
                                                     -1;

    if (bytes >= 0 && data != node->file) {
        int64_t more = data->driver->host_bytes ? data->driver->host_bytes(data) : -1;

        bytes = more < 0 ? more : bytes + more;
    }
    return bytes;
}

static void qcow2_info(BlockNode *node, BlockNodeInfo *info)
{
    const BlockQcow2 *image = qcow2_of(node);
    const Qcow2Header *header = &image->header;
    ImageInfoSpecific *specific = g_new0(ImageInfoSpecific, 1);
    ImageInfoSpecificQCow2 *own = g_new0(ImageInfoSpecificQCow2, 1);
    bool is_v3 = header->version > 2;

    info->has_cluster_size = true;
    info->cluster_size = image->cluster;
    info->dirty_flag = !!(header->incompatible & QCOW2_INCOMPAT_DIRTY);
    info->backing_filename = g_strdup(header->backing);
    info->backing_filename_format = header->backing ? g_strdup(header->backing_format) : NULL;
    info->full_backing_filename = header->backing ?
                                      block_backing_path(node, header->backing, NULL) : NULL;
    info->snapshots = qcow2_snapshots_info(image);
    own->compat = g_strdup(is_v3 ? "1.1" : "0.10");
    own->data_file = image->has_data_file ? g_strdup(block_node_filename(image->data)) : NULL;
    own->has_data_file_raw = image->has_data_file;
    own->data_file_raw = image->is_raw_data;
    own->has_extended_l2 = own->has_lazy_refcounts = own->has_corrupt = is_v3;
    own->extended_l2 = image->subs > 1;
    own->lazy_refcounts = !!(header->compatible & QCOW2_COMPAT_LAZY);
    own->corrupt = !!(header->incompatible & QCOW2_INCOMPAT_CORRUPT);
    own->refcount_bits = BIT(header->refcount_order);
    own->compression_type = header->compression;
    own->bitmaps = qcow2_bitmaps_info(image);
    specific->type = IMAGE_INFO_SPECIFIC_KIND_QCOW2;
    specific->u.qcow2.data = own;
    info->format_specific = specific;
}

static uint64_t qcow2_compressed_bytes(BlockNode *node)
{
    const BlockQcow2 *image = qcow2_of(node);

    return image->has_data_file ? 0 : image->cluster;
}

static const char *const qcow2_changeable[] = {
    "lazy-refcounts", "pass-discard-request", "pass-discard-snapshot", "pass-discard-other",
    "discard-no-unref", "overlap-check", "cache-size", "l2-cache-size", "l2-cache-entry-size",
    "refcount-cache-size", "cache-clean-interval", NULL
};

const BlockDriver block_qcow2 = {
    .name = "qcow2", .kind = BLOCKDEV_DRIVER_QCOW2, .size = sizeof(BlockQcow2),
    .has_backing = true, .probe = qcow2_probe, .open = qcow2_open, .close = qcow2_close,
    .changeable = qcow2_changeable, .reopen = qcow2_reopen, .reopen_end = qcow2_reopen_end,
    .taken = qcow2_taken,
    .create = qcow2_create,
    .io = qcow2_io, .submit = qcow2_submit, .extent = qcow2_extent, .resize = qcow2_resize,
    .host_bytes = qcow2_host_bytes, .info = qcow2_info, .check = qcow2_check,
    .snapshot = qcow2_snapshot,
    .snapshot_new = qcow2_snapshot_new, .vm_state = qcow2_vm_state,
    .vm_state_drop = qcow2_vm_state_drop, .set_backing = qcow2_set_backing, .empty = qcow2_empty,
    .amend = qcow2_amend, .compressed_bytes = qcow2_compressed_bytes, .finish = qcow2_finish,
    .bitmap_can_be_kept = qcow2_bitmap_can_be_kept,
};
