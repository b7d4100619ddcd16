/*
 * Changes of what a qcow2 image's header says. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

static bool write_header(BlockQcow2 *image, Error **errp)
{
    int err = qcow2_sync(image);

    err = err ? err : qcow2_header_write(&image->header, image->parent.file);
    err = err ? err : qcow2_barrier(image);
    if (err == -ENOSPC) {
        return error_set(errp, "Could not change the backing file: No space left in the file "
                         "header");
    }
    return !err || error_set_errno(errp, -err, "Could not update the image header");
}

bool qcow2_set_backing(BlockNode *node, const char *name, const char *format, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);
    Qcow2Header *header = &image->header;
    char *old_name = header->backing, *old_format = header->backing_format;

    if (image->is_raw_data && name && *name) {
        return error_set(errp, "Cannot set a backing file for an image with a raw data file");
    }
    if (name && strlen(name) > QCOW2_BACKING_BYTES) {
        return error_set(errp, "Backing file name too long");
    }
    header->backing = name && *name ? g_strdup(name) : NULL;
    header->backing_format = header->backing ? g_strdup(format) : NULL;
    if (!write_header(image, errp)) {
        g_free(header->backing);
        g_free(header->backing_format);
        header->backing = old_name;
        header->backing_format = old_format;
        return false;
    }
    g_free(old_name);
    g_free(old_format);
    return true;
}

int qcow2_empty(BlockNode *node)
{
    BlockQcow2 *image = qcow2_of(node);
    int err;

    if (image->has_data_file || node->is_read_only) {
        return -ENOTSUP;
    }
    qcow2_enter_alone(image);
    block_event(image->parent.file, BLKDEBUG_EVENT_EMPTY_IMAGE_PREPARE);
    err = qcow2_drop(image, 0, ROUND_UP(image->header.bytes, image->cluster));
    qcow2_leave_alone(image);
    err = err ? err : qcow2_sync(image);
    return err ? err : qcow2_sync(image); /* counts that shrink */
}

/* --- versions --- */

/* Version 2 knows no zeroes without data; `entry` stands for a cluster that reads as such. */
static int expand_zero(BlockQcow2 *image, uint64_t offset)
{
    uint64_t bytes = MIN(image->cluster, image->header.bytes - offset);
    g_autofree uint8_t *zeroes = NULL;
    struct iovec iov;
    BlockIo io = { BLOCK_WRITE, 0, offset, bytes, &iov, 1 };

    if (!image->parent.backing || offset >= block_node_bytes(image->parent.backing)) {
        return qcow2_drop(image, offset, offset + image->cluster);
    }
    zeroes = g_try_malloc0(bytes);
    iov = (struct iovec){ zeroes, bytes };
    return zeroes ? qcow2_write(image, &io) : -ENOMEM;
}

static int expand_zeroes(BlockQcow2 *image)
{
    uint64_t end = ROUND_UP(image->header.bytes, image->cluster);
    int err = 0;

    for (uint64_t at = 0; at < end && !err;) {
        Qcow2Run run = { 0 };

        g_mutex_lock(&image->lock);
        err = qcow2_sync_some(image);
        err = err ? err : qcow2_find(image, at, end - at, &run);
        g_mutex_unlock(&image->lock);
        for (uint64_t done = 0; done < run.bytes && run.kind == QCOW2_ZERO && !err;
             done += image->cluster) {
            err = expand_zero(image, at + done);
        }
        at += run.bytes;
    }
    return err;
}

static bool check_downgrade(const BlockQcow2 *image, Error **errp)
{
    const Qcow2Header *header = &image->header;

    if (header->refcount_order != 4) {
        return error_set(errp, "compat=0.10 requires refcount_bits=16");
    }
    if (header->incompatible & ~(uint64_t)QCOW2_INCOMPAT_DIRTY) {
        return error_set(errp, "Cannot downgrade an image with incompatible features %#" PRIx64
                         " set", header->incompatible & ~(uint64_t)QCOW2_INCOMPAT_DIRTY);
    }
    return !header->snapshots ||
           error_set(errp, "Cannot downgrade an image that has internal snapshots");
}

static bool downgrade(BlockQcow2 *image, Error **errp)
{
    int err;

    if (!check_downgrade(image, errp)) {
        return false;
    }
    qcow2_enter_alone(image);
    err = expand_zeroes(image);
    err = err ? err : qcow2_bitmaps_drop(image);
    qcow2_leave_alone(image);
    err = err ? err : qcow2_sync(image);
    if (err) {
        return error_set_errno(errp, -err, "Could not turn zeroes into data");
    }
    image->header.version = 2;
    image->header.incompatible = image->header.compatible = image->header.autoclear = 0;
    image->options.has_lazy = false;
    return true;
}

static bool amend_version(BlockQcow2 *image, int version, Error **errp)
{
    if (!version || version == image->header.version) {
        return true;
    }
    if (version == 2) {
        return downgrade(image, errp);
    }
    image->header.version = 3;
    return true;
}

/* --- counts --- */

static bool amend_counts(BlockQcow2 *image, const BlockAmend *amend, Error **errp)
{
    unsigned bits = amend->refcount_bits, version = amend->version ? amend->version :
                                                                     image->header.version;
    bool is_done;

    if (!bits || bits == BIT(image->header.refcount_order)) {
        return true;
    }
    if (bits != 16 && version < 3) {
        return error_set(errp, "Refcount widths other than 16 bits require compatibility level 1.1 "
                         "or above (use compat=1.1 or greater)");
    }
    qcow2_enter_alone(image);
    is_done = qcow2_recount(image, __builtin_ctz(bits), errp);
    qcow2_leave_alone(image);
    return is_done;
}

/* --- the data file --- */

static bool amend_data_file(BlockQcow2 *image, const BlockAmend *amend, Error **errp)
{
    if (amend->data_file && !image->has_data_file) {
        return error_set(errp, "data-file can only be set for images that use an external data "
                         "file");
    }
    if (amend->data_file_raw > 0 && !image->is_raw_data) {
        return error_set(errp, "data-file-raw cannot be set on existing images");
    }
    if (amend->data_file_raw == 0) {
        image->header.autoclear &= ~(uint64_t)QCOW2_AUTOCLEAR_RAW_DATA;
        image->is_raw_data = false;
    }
    if (amend->data_file) {
        g_free(image->header.data_file);
        image->header.data_file = *amend->data_file ? g_strdup(amend->data_file) : NULL;
    }
    return true;
}

/* --- all of it --- */

bool qcow2_amend(BlockNode *node, const BlockAmend *amend, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);

    if (amend->version != 2 && !amend_version(image, amend->version, errp)) {
        return false;
    }
    if (!amend_counts(image, amend, errp) || !amend_data_file(image, amend, errp) ||
        (amend->version == 2 && !amend_version(image, 2, errp))) {
        return false;
    }
    if (amend->lazy_refcounts > 0 && image->header.version < 3) {
        return error_set(errp, "Lazy refcounts only supported with compatibility level 1.1 and "
                         "above (use compat=1.1 or greater)");
    }
    if (amend->lazy_refcounts >= 0) {
        image->header.compatible = amend->lazy_refcounts ? QCOW2_COMPAT_LAZY : 0;
    }
    return write_header(image, errp);
}
