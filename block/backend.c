/*
 * Drives: what devices and users hold of them. Requests are in backend_io.c. See
 * include/block/block_backend.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/accounting.h"

#include "qapi/qapi-events-block.h"

static GPtrArray *drives; /* in order; machine lock */

static GPtrArray *all_drives(void)
{
    if (!drives) {
        drives = g_ptr_array_new();
    }
    return drives;
}

BlockBackend *block_backend_find(const char *name)
{
    for (guint i = 0; i < all_drives()->len; i++) {
        BlockBackend *drive = drives->pdata[i];

        if (drive->name && !strcmp(drive->name, name)) {
            return drive;
        }
    }
    return NULL;
}

BlockBackend *block_backend_of_device(const char *id, Error **errp)
{
    BlockBackend *found = block_backend_find(id);

    for (guint i = 0; i < all_drives()->len && !found; i++) {
        BlockBackend *drive = drives->pdata[i];
        g_autofree char *name = block_backend_device_name(drive);

        found = *name && !strcmp(name, id) ? drive : NULL;
    }
    if (!found) {
        error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", id);
    }
    return found;
}

void block_backend_each(void (*fn)(void *opaque, BlockBackend *drive), void *opaque)
{
    g_autoptr(GPtrArray) list = g_ptr_array_copy(all_drives(), NULL, NULL);

    for (guint i = 0; i < list->len; i++) {
        fn(opaque, list->pdata[i]);
    }
}

const char *block_backend_name(const BlockBackend *drive)
{
    return drive->name ? drive->name : "";
}

char *block_backend_device_name(const BlockBackend *drive)
{
    return drive->ops && drive->ops->name ? drive->ops->name(drive->opaque) : g_strdup("");
}

char *block_backend_label(const BlockBackend *drive)
{
    g_autofree char *device = block_backend_device_name(drive);

    return drive->name ? g_strdup_printf("block device '%s'", drive->name) :
           *device ? g_strdup_printf("device '%s'", device) : g_strdup("unnamed block device");
}

BlockBackend *block_backend_new(const char *name, Error **errp)
{
    BlockBackend *drive;

    if (name && block_backend_find(name)) {
        error_set(errp, "Device with id '%s' already exists", name);
        return NULL;
    }
    if (name && block_node_find(name)) {
        error_set(errp, "Device name '%s' conflicts with an existing node name", name);
        return NULL;
    }
    drive = g_new0(BlockBackend, 1);
    *drive = (BlockBackend){ .name = g_strdup(name), .refs = 1, .shared = BLOCK_PERM_ALL,
                             .on_read = BLOCK_ERROR_REPORT, .on_write = BLOCK_ERROR_ENOSPC,
                             .has_write_cache = true, .counts_invalid = true,
                             .counts_failed = true,
                             .was_read_only = !name }; /* a device's own never had a medium */
    g_mutex_init(&drive->lock);
    g_ptr_array_add(all_drives(), drive);
    return drive;
}

BlockBackend *block_backend_ref(BlockBackend *drive)
{
    drive->refs++;
    return drive;
}

void block_backend_unref(BlockBackend *drive)
{
    if (!drive || --drive->refs) {
        return;
    }
    assert(!drive->ops);
    block_backend_remove(drive);
    block_backend_set_limits(drive, NULL, NULL);
    block_counts_clear(drive);
    g_ptr_array_remove(all_drives(), drive);
    if (!drives->len) {
        g_clear_pointer(&drives, g_ptr_array_unref);
    }
    g_mutex_clear(&drive->lock);
    g_free(drive->name);
    g_free(drive);
}

void block_backend_hide(BlockBackend *drive)
{
    g_clear_pointer(&drive->name, g_free);
}

/* --- the medium --- */

static void node_resized(void *opaque)
{
    BlockBackend *drive = opaque;

    if (drive->ops && drive->ops->changed) {
        drive->ops->changed(drive->opaque);
    }
}

bool block_backend_insert(BlockBackend *drive, BlockNode *node, Error **errp)
{
    g_autofree char *label = block_backend_label(drive);
    unsigned perms = drive->perms;

    assert(!drive->link);
    if (block_node_is_read_only(node) && drive->ops && drive->ops->has_removable) {
        perms &= BLOCK_PERM_READ; /* the guest is told that it is */
    }
    drive->link = block_link_new(block_node_ref(node), label, perms, drive->shared, errp);
    if (!drive->link) {
        return false;
    }
    block_link_set_resized(drive->link, node_resized, drive);
    drive->was_read_only = block_node_is_read_only(node);
    node_resized(drive);
    return true;
}

void block_backend_remove(BlockBackend *drive)
{
    BlockLink *link = drive->link;

    if (link) {
        block_backend_drain(drive, true);
        if (!block_node_is_read_only(block_link_node(link)) && drive->perms & BLOCK_PERM_WRITE) {
            block_flush(block_link_node(link)); /* the guest took no note of a failure before */
        }
        drive->link = NULL;
        block_link_free(link);
        node_resized(drive);
    }
}

BlockNode *block_backend_node(const BlockBackend *drive)
{
    return drive->link ? block_link_node(drive->link) : NULL;
}

uint64_t block_backend_bytes(const BlockBackend *drive)
{
    return drive->link ? block_node_bytes(block_link_node(drive->link)) : 0;
}

bool block_backend_is_read_only(const BlockBackend *drive)
{
    return drive->link ? block_node_is_read_only(block_link_node(drive->link)) :
                         drive->was_read_only;
}

/* --- the device --- */

bool block_backend_attach(BlockBackend *drive, const BlockDeviceOps *ops, void *opaque,
                          Error **errp)
{
    if (drive->ops) {
        return error_set(errp, "Drive '%s' is already in use by another device",
                         block_backend_name(drive));
    }
    drive->ops = ops;
    drive->opaque = opaque;
    drive->has_io_status = true;
    drive->io_status = BLOCK_DEVICE_IO_STATUS_OK;
    return true;
}

void block_backend_detach(BlockBackend *drive)
{
    block_backend_drain(drive, true);
    drive->ops = NULL;
    drive->opaque = NULL;
    drive->has_io_status = false;
    block_backend_set_perms(drive, 0, BLOCK_PERM_ALL, NULL);
}

bool block_backend_has_device(const BlockBackend *drive)
{
    return drive->ops != NULL;
}

bool block_backend_set_perms(BlockBackend *drive, unsigned perms, unsigned shared, Error **errp)
{
    if (drive->link && !block_link_set_perms(drive->link, perms, shared, errp)) {
        return false;
    }
    drive->perms = perms;
    drive->shared = shared;
    return true;
}

void block_backend_set_write_cache(BlockBackend *drive, bool is_on)
{
    drive->has_write_cache = is_on;
}

bool block_backend_has_write_cache(const BlockBackend *drive)
{
    return drive->has_write_cache;
}

void block_backend_set_policy(BlockBackend *drive, BlockErrorPolicy on_read,
                              BlockErrorPolicy on_write)
{
    drive->on_read = on_read == BLOCK_ERROR_AUTO ? BLOCK_ERROR_REPORT : on_read;
    drive->on_write = on_write == BLOCK_ERROR_AUTO ? BLOCK_ERROR_ENOSPC : on_write;
}

BlockErrorPolicy block_backend_policy(const BlockBackend *drive, bool is_read)
{
    return is_read ? drive->on_read : drive->on_write;
}

bool block_backend_tells_status(const BlockBackend *drive)
{
    return drive->has_io_status &&
           (drive->on_read == BLOCK_ERROR_STOP || drive->on_write == BLOCK_ERROR_STOP ||
            drive->on_write == BLOCK_ERROR_ENOSPC);
}

void block_backend_set_accounting(BlockBackend *drive, bool of_invalid, bool of_failed)
{
    drive->counts_invalid = of_invalid;
    drive->counts_failed = of_failed;
}

void block_backend_accounting(const BlockBackend *drive, bool *of_invalid, bool *of_failed)
{
    *of_invalid = drive->counts_invalid;
    *of_failed = drive->counts_failed;
}

void block_backend_tray_moved(BlockBackend *drive, bool is_open)
{
    g_autofree char *id = block_backend_device_name(drive);

    qapi_event_send_device_tray_moved(block_backend_name(drive), id, is_open);
}
