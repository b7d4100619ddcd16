/*
 * See hw/core/block_conf.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/block_conf.h"

#include "block/block_drive.h"
#include "hw/core/device.h"

static const char *const on_error_names[] = {
    [BLOCK_ERROR_REPORT] = "report", [BLOCK_ERROR_IGNORE] = "ignore",
    [BLOCK_ERROR_ENOSPC] = "enospc", [BLOCK_ERROR_STOP] = "stop",
    [BLOCK_ERROR_AUTO] = "auto",
};
const EnumTable block_on_error_table = {
    "BlockdevOnError", on_error_names, ARRAY_SIZE(on_error_names),
};

static void *field(Object *obj, const Property *p)
{
    return (char *)obj + p->offset;
}

static BlockBackend **drive_of(Object *obj, const Property *p)
{
    return field(obj, p);
}

static json_object *drive_get(Object *obj, const Property *p, Error **errp)
{
    const BlockBackend *drive = *drive_of(obj, p);
    BlockNode *node = drive ? block_backend_node(drive) : NULL;

    if (drive && *block_backend_name(drive)) {
        return json_string(block_backend_name(drive));
    }
    return json_string(node ? block_node_name(node) : "");
}

/* A drive by its name, or a new one for a node; referenced. */
static BlockBackend *find_drive(Object *obj, const Property *p, const char *id, Error **errp)
{
    BlockBackend *drive = block_backend_find(id);
    BlockNode *node = drive ? NULL : block_node_find(id);

    if (drive && block_backend_has_device(drive)) {
        error_set(errp, "Drive '%s' is already in use by another device", id);
        return NULL;
    }
    if (drive) {
        return block_backend_ref(drive);
    }
    if (!node) {
        error_set(errp, "Property '%s.%s' can't find value '%s'", object_type_name(obj), p->name,
                  id);
        return NULL;
    }
    drive = block_backend_new(NULL, errp);
    if (drive && !block_backend_insert(drive, node, errp)) {
        g_clear_pointer(&drive, block_backend_unref);
    }
    return drive;
}

static bool drive_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                      Error **errp)
{
    BlockBackend *drive = NULL;
    const char *id;

    if (!property_value_text(p, value, &id, errp)) {
        return false;
    }
    if (*id && !(drive = find_drive(obj, p, id, errp))) {
        return false;
    }
    block_backend_unref(*drive_of(obj, p));
    *drive_of(obj, p) = drive;
    return true;
}

static void drive_clear(Object *obj, const Property *p)
{
    g_clear_pointer(drive_of(obj, p), block_backend_unref);
}

const PropertyKind property_drive = {
    .name = "str", .get = drive_get, .set = drive_set, .clear = drive_clear,
};

/* --- the device and its drive --- */

char *block_conf_device_name(void *dev)
{
    return DEVICE(dev)->id ? g_strdup(DEVICE(dev)->id) : object_path(dev);
}

static void take_policies(BlockConf *conf)
{
    BlockErrorPolicy on_read = conf->rerror, on_write = conf->werror;

    block_backend_set_policy(conf->drive,
                             on_read == BLOCK_ERROR_AUTO ?
                                 block_backend_policy(conf->drive, true) : on_read,
                             on_write == BLOCK_ERROR_AUTO ?
                                 block_backend_policy(conf->drive, false) : on_write);
}

static bool chosen(int value, bool otherwise)
{
    return value == ON_OFF_AUTO_VALUE_AUTO ? otherwise : value == ON_OFF_AUTO_VALUE_ON;
}

static void take_accounting(BlockConf *conf)
{
    bool of_invalid, of_failed;

    block_backend_accounting(conf->drive, &of_invalid, &of_failed);
    block_backend_set_accounting(conf->drive, chosen(conf->account_invalid, of_invalid),
                                 chosen(conf->account_failed, of_failed));
}

static bool take_perms(BlockConf *conf, const BlockConfUse *use, Error **errp)
{
    BlockNode *node = block_backend_node(conf->drive);
    bool is_read_only = use->is_read_only ||
                        (node && use->has_removable && block_node_is_read_only(node));
    unsigned perms = BLOCK_PERM_READ | (is_read_only ? 0 : BLOCK_PERM_WRITE);
    unsigned shared = BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED |
                      (use->is_resizable ? BLOCK_PERM_RESIZE : 0) |
                      (conf->is_shared ? BLOCK_PERM_WRITE : 0);

    return block_backend_set_perms(conf->drive, perms, shared, errp);
}

bool block_conf_attach(BlockConf *conf, Device *dev, const BlockConfUse *use, void *opaque,
                       Error **errp)
{
    if (!conf->drive && use->has_removable) {
        conf->drive = block_backend_new(NULL, errp);
    } else if (!conf->drive) {
        return error_set(errp, "drive property not set");
    }
    if (conf->rerror == BLOCK_ERROR_ENOSPC) {
        return error_set(errp, "Read error policy cannot be 'enospc'");
    }
    if (!block_backend_node(conf->drive) && !use->has_removable) {
        return error_set(errp, "Device needs media, but drive is empty");
    }
    if (!take_perms(conf, use, errp) ||
        !block_backend_attach(conf->drive, use->ops, opaque, errp)) {
        return false;
    }
    if (conf->write_cache != ON_OFF_AUTO_VALUE_AUTO) {
        block_backend_set_write_cache(conf->drive, conf->write_cache == ON_OFF_AUTO_VALUE_ON);
    }
    take_accounting(conf);
    take_policies(conf);
    return true;
}

void block_conf_detach(BlockConf *conf)
{
    if (conf->drive && block_backend_has_device(conf->drive)) {
        block_backend_detach(conf->drive);
    }
}

void block_conf_release(BlockConf *conf)
{
    block_conf_detach(conf);
    if (conf->drive) {
        block_drive_forget(conf->drive);
    }
}

bool block_conf_check_sizes(BlockConf *conf, Error **errp)
{
    conf->logical_bytes = conf->logical_bytes ? conf->logical_bytes : BLOCK_SECTOR_BYTES;
    conf->physical_bytes = conf->physical_bytes ? conf->physical_bytes : BLOCK_SECTOR_BYTES;
    if (conf->logical_bytes > conf->physical_bytes) {
        return error_set(errp, "logical_block_size > physical_block_size not supported");
    }
    if (conf->min_io_bytes % conf->logical_bytes) {
        return error_set(errp, "min_io_size must be a multiple of logical_block_size");
    }
    if (conf->min_io_bytes / conf->logical_bytes > UINT16_MAX) {
        return error_set(errp, "min_io_size must not exceed %" PRIu64,
                         UINT16_MAX * conf->logical_bytes);
    }
    if (conf->opt_io_bytes % conf->logical_bytes) {
        return error_set(errp, "opt_io_size must be a multiple of logical_block_size");
    }
    if (conf->discard_bytes != BLOCK_SIZE_UNSET && conf->discard_bytes % conf->logical_bytes) {
        return error_set(errp, "discard_granularity must be a multiple of logical_block_size");
    }
    return true;
}

static json_object *block_size_get(Object *obj, const Property *p, Error **errp)
{
    return property_size.get(obj, p, errp);
}

static bool block_size_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                           Error **errp)
{
    uint64_t old = *(uint64_t *)field(obj, p), bytes;

    if (!property_size.set(obj, p, value, form, errp)) {
        return false;
    }
    bytes = *(uint64_t *)field(obj, p);
    if (bytes && (bytes < 512 || bytes > 2 * MiB || bytes & (bytes - 1))) {
        *(uint64_t *)field(obj, p) = old;
        return error_set(errp, "Property %s.%s doesn't take value %" PRIu64
                         " (a power of two between 512 and 2097152, or 0)",
                         object_type_name(obj), p->name, bytes);
    }
    return true;
}

static json_object *block_size_initial(const Property *p)
{
    return property_size.show_initial(p);
}

static void block_size_set_initial(Object *obj, const Property *p)
{
    *(uint64_t *)field(obj, p) = p->initial;
}

static char *block_size_print(Object *obj, const Property *p)
{
    return property_size.print(obj, p);
}

const PropertyKind property_block_size = {
    .print = block_size_print,
    .name = "size", .get = block_size_get, .set = block_size_set,
    .set_initial = block_size_set_initial, .show_initial = block_size_initial,
};

static json_object *boot_index_get(Object *obj, const Property *p, Error **errp)
{
    return property_i32.get(obj, p, errp);
}

static bool boot_index_set(Object *obj, const Property *p, json_object *value, PropertyForm form,
                           Error **errp)
{
    return property_i32.set(obj, p, value, form, errp);
}

static void boot_index_set_initial(Object *obj, const Property *p)
{
    *(int32_t *)field(obj, p) = p->initial;
}

/* It is shown where firmware is told of it, not in the device. */
static char *boot_index_print(Object *obj, const Property *p)
{
    return NULL;
}

const PropertyKind property_boot_index = {
    .print = boot_index_print,
    .name = "int32", .get = boot_index_get, .set = boot_index_set,
    .set_initial = boot_index_set_initial,
};
