/*
 * Commands of clients: nodes, sizes, trays and media.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "qapi/qapi-commands-block-core.h"
#include "qapi/qapi-commands-block.h"

bool qmp_blockdev_add(const BlockdevOptions *args, Error **errp)
{
    return block_node_add(args, errp);
}

bool qmp_blockdev_del(const char *node_name, Error **errp)
{
    return block_node_delete(node_name, errp);
}

BlockNode *block_node_of(const char *device, const char *node_name, Error **errp)
{
    BlockBackend *drive = device ? block_backend_find(device) : NULL;
    BlockNode *node = node_name ? block_node_find(node_name) : NULL;

    if (drive && !block_backend_node(drive)) {
        error_set(errp, "Device '%s' has no medium", device);
        return NULL;
    }
    node = drive ? block_backend_node(drive) : node;
    if (!node) {
        error_set(errp, "Cannot find device='%s' nor node-name='%s'", device ? device : "",
                  node_name ? node_name : "");
    }
    return node;
}

static void begin_quiet(void *opaque, BlockBackend *drive)
{
    block_backend_begin_quiet(drive);
}

static void end_quiet(void *opaque, BlockBackend *drive)
{
    block_backend_end_quiet(drive);
}

void block_begin_quiet_all(void)
{
    block_backend_each(begin_quiet, NULL);
}

void block_end_quiet_all(void)
{
    block_backend_each(end_quiet, NULL);
}

bool qmp_block_resize(const char *device, const char *node_name, int64_t size, Error **errp)
{
    BlockNode *node = block_node_of(device, node_name, errp);
    bool is_done;

    if (!node || !block_images_check_ours(node, errp)) {
        return false;
    }
    if (size < 0) {
        return error_set(errp, "Parameter 'size' expects a >0 size");
    }
    block_begin_quiet_all();
    is_done = block_node_resize(node, size, BLOCK_PREALLOC_OFF, errp);
    block_end_quiet_all();
    return is_done;
}

static bool is_in_chain(const BlockNode *top, const BlockNode *node)
{
    while (top && top != node) {
        top = top->backing ? top->backing : top->driver->is_filter ? top->file : NULL;
    }
    return top != NULL;
}

/* An image below is opened read-only as a rule. */
static bool set_backing(BlockNode *node, const char *name, Error **errp)
{
    bool was_read_only = node->is_read_only, is_done;

    if (was_read_only && !block_node_set_read_only(node, false, errp)) {
        return false;
    }
    is_done = block_image_set_backing(node, name, block_node_driver(node->backing), errp);
    return (!was_read_only || block_node_set_read_only(node, true, is_done ? errp : NULL)) &&
           is_done;
}

bool qmp_change_backing_file(const char *device, const char *image_node_name,
                             const char *backing_file, Error **errp)
{
    BlockNode *top = block_node_of(device, device, errp);
    BlockNode *node = top ? block_node_get(image_node_name, errp) : NULL;
    bool is_done;

    if (!node || !block_images_check_ours(node, errp)) {
        return false;
    }
    if (!is_in_chain(top, node)) {
        return error_set(errp, "'%s' and image file are not in the same chain", device);
    }
    if (!node->backing) {
        return error_set(errp, "not allowing backing file change on an image without a backing "
                         "file");
    }
    block_begin_quiet_all();
    is_done = set_backing(node, backing_file, errp);
    block_end_quiet_all();
    return is_done;
}

/* --- trays --- */

BlockBackend *block_backend_named(const char *device, const char *id, Error **errp)
{
    BlockBackend *drive;

    if (!device == !id) {
        error_set(errp, "Need exactly one of 'device' and 'id'");
        return NULL;
    }
    if (id) {
        return block_backend_of_device(id, errp);
    }
    drive = block_backend_find(device);
    if (!drive) {
        error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", device);
    }
    return drive;
}

static const char *label_of(const char *device, const char *id)
{
    return device ? device : id;
}

static bool is_removable(const BlockBackend *drive)
{
    return !drive->ops || drive->ops->has_removable;
}

static bool is_open(const BlockBackend *drive)
{
    return drive->ops && drive->ops->is_tray_open && drive->ops->is_tray_open(drive->opaque);
}

static bool has_tray(const BlockBackend *drive)
{
    return drive->ops && drive->ops->is_tray_open;
}

typedef enum TrayResult { TRAY_OPEN, TRAY_NONE, TRAY_LOCKED, TRAY_FAILED } TrayResult;

static TrayResult open_tray(BlockBackend *drive, const char *label, bool is_forced, Error **errp)
{
    bool is_locked = drive->ops && drive->ops->is_locked && drive->ops->is_locked(drive->opaque);

    if (!is_removable(drive)) {
        error_set(errp, "Device '%s' is not removable", label);
        return TRAY_FAILED;
    }
    if (!has_tray(drive)) {
        return TRAY_NONE;
    }
    if (is_open(drive)) {
        return TRAY_OPEN;
    }
    if (is_locked && drive->ops->eject_request) {
        drive->ops->eject_request(drive->opaque, is_forced);
    }
    if (is_locked && !is_forced) {
        error_set(errp, "Device '%s' is locked and force was not specified, wait for tray to open "
                  "and try again", label);
        return TRAY_LOCKED;
    }
    drive->ops->load(drive->opaque, false);
    return TRAY_OPEN;
}

bool qmp_blockdev_open_tray(const char *device, const char *id, bool has_force, bool force,
                            Error **errp)
{
    BlockBackend *drive = block_backend_named(device, id, errp);
    Error *err = NULL;
    TrayResult result;

    if (!drive) {
        return false;
    }
    result = open_tray(drive, label_of(device, id), force, &err);
    if (result == TRAY_NONE) {
        return error_set(errp, "Device '%s' does not have a tray", label_of(device, id));
    }
    return error_propagate(errp, err);
}

bool qmp_blockdev_close_tray(const char *device, const char *id, Error **errp)
{
    BlockBackend *drive = block_backend_named(device, id, errp);

    if (!drive) {
        return false;
    }
    if (!is_removable(drive)) {
        return error_set(errp, "Device '%s' is not removable", label_of(device, id));
    }
    if (!has_tray(drive)) {
        return error_set(errp, "Device '%s' does not have a tray", label_of(device, id));
    }
    if (is_open(drive)) {
        drive->ops->load(drive->opaque, true);
    }
    return true;
}

static bool remove_medium(BlockBackend *drive, const char *label, Error **errp)
{
    if (!is_removable(drive)) {
        return error_set(errp, "Device '%s' is not removable", label);
    }
    if (has_tray(drive) && !is_open(drive)) {
        return error_set(errp, "Tray of device '%s' is not open", label);
    }
    block_backend_remove(drive);
    if (drive->ops && !has_tray(drive) && drive->ops->load) {
        drive->ops->load(drive->opaque, false);
    }
    return true;
}

static bool insert_medium(BlockBackend *drive, const char *label, BlockNode *node, Error **errp)
{
    if (!is_removable(drive)) {
        return error_set(errp, "Device '%s' is not removable", label);
    }
    if (has_tray(drive) && !is_open(drive)) {
        return error_set(errp, "Tray of device '%s' is not open", label);
    }
    if (block_backend_node(drive)) {
        return error_set(errp, "There already is a medium in device '%s'", label);
    }
    if (!block_backend_insert(drive, node, errp)) {
        return false;
    }
    if (drive->ops && !has_tray(drive) && drive->ops->load) {
        drive->ops->load(drive->opaque, true);
    }
    return true;
}

bool qmp_blockdev_remove_medium(const char *id, Error **errp)
{
    BlockBackend *drive = block_backend_of_device(id, errp);

    return drive && remove_medium(drive, id, errp);
}

bool qmp_blockdev_insert_medium(const char *id, const char *node_name, Error **errp)
{
    BlockBackend *drive = block_backend_of_device(id, errp);
    BlockNode *node = block_node_find(node_name);

    if (!drive) {
        return false;
    }
    if (!node) {
        return error_set(errp, "Node '%s' not found", node_name);
    }
    if (node->users->len && ((BlockLink *)node->users->pdata[0])->owner == NULL) {
        return error_set(errp, "Node '%s' is already in use", node_name);
    }
    return insert_medium(drive, id, node, errp);
}

bool qmp_eject(const char *device, const char *id, bool has_force, bool force, Error **errp)
{
    BlockBackend *drive = block_backend_named(device, id, errp);
    Error *err = NULL;

    if (!drive) {
        return false;
    }
    open_tray(drive, label_of(device, id), force, &err);
    return error_propagate(errp, err) && remove_medium(drive, label_of(device, id), errp);
}

static bool wants_read_only(const BlockBackend *drive, bool has_mode,
                            BlockdevChangeReadOnlyMode mode)
{
    switch (has_mode ? mode : BLOCKDEV_CHANGE_READ_ONLY_MODE_RETAIN) {
    case BLOCKDEV_CHANGE_READ_ONLY_MODE_READ_ONLY:
        return true;
    case BLOCKDEV_CHANGE_READ_ONLY_MODE_READ_WRITE:
        return false;
    default:
        return block_backend_is_read_only(drive);
    }
}

bool qmp_blockdev_change_medium(const char *device, const char *id, const char *filename,
                                const char *format, bool has_force, bool force,
                                bool has_read_only_mode, BlockdevChangeReadOnlyMode read_only_mode,
                                Error **errp)
{
    BlockBackend *drive = block_backend_named(device, id, errp);
    const char *label = label_of(device, id);
    BlockOpenFile file = { .filename = filename, .format = format, .warns_of_raw = true };
    g_autoptr(BlockNode) node = NULL;
    Error *err = NULL;

    if (!drive) {
        return false;
    }
    file.is_read_only = wants_read_only(drive, has_read_only_mode, read_only_mode);
    node = block_open_file(&file, errp);
    if (!node) {
        return false;
    }
    open_tray(drive, label, force, &err);
    if (!error_propagate(errp, err) || !remove_medium(drive, label, errp) ||
        !insert_medium(drive, label, node, errp)) {
        return false;
    }
    if (is_open(drive)) {
        drive->ops->load(drive->opaque, true);
    }
    return true;
}
