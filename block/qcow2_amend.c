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

        err = qcow2_sync_some(image);
        g_mutex_lock(&image->lock);
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

bool qcow2_amend(BlockNode *node, const BlockAmend *amend, Error **errp)
{
    BlockQcow2 *image = qcow2_of(node);

    if (!amend_version(image, amend->version, errp)) {
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
