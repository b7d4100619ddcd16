/*
 * From what users call an image to nodes: "PATH", "file:PATH", "null-co://",
 * "blkdebug:RULES:IMAGE", "json:{...}"; and what format it has. See include/block/block_node.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/stat.h>

#include "block/block_image.h"
#include "block/driver.h"
#include "block/open.h"
#include "block/raw.h"

#define PROBE_BYTES 2048

/* --- the options of the node at the bottom --- */

static BlockdevDriver kind_of_path(const char *path)
{
    struct stat st;

    return !stat(path, &st) && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode)) &&
           !g_str_has_prefix(path, "/dev/fdset/") ? BLOCKDEV_DRIVER_HOST_DEVICE : BLOCKDEV_DRIVER_FILE;
}

static BlockdevOptions *protocol_of_path(const char *path)
{
    BlockdevOptions *options = g_new0(BlockdevOptions, 1);

    options->driver = kind_of_path(path);
    options->u.file.filename = g_strdup(path);
    return options;
}

void block_options_name_below(json_object *options)
{
    json_object_object_foreach (options, role, below) {
        json_object *filename;

        if (!json_object_is_type(below, json_type_object) || !strcmp(role, "backing")) {
            continue;
        }
        filename = json_member(below, "filename");
        if (filename && !json_member(below, "driver")) {
            json_set(below, "driver", json_string(enum_table_name(
                &blockdev_driver_names, kind_of_path(json_object_get_string(filename)))));
        }
        block_options_name_below(below);
    }
}

static BlockdevOptions *protocol_of_json(const char *text, Error **errp)
{
    g_autoptr(JsonObject) value = NULL;
    g_autofree char *why = NULL;

    if (!json_parse(text, strlen(text), &value, &why) ||
        !json_object_is_type(value, json_type_object)) {
        error_set(errp, "Could not parse the JSON options: %s", why ? why : "not an object");
        return NULL;
    }
    if (!json_member(value, "driver")) {
        json_set(value, "driver", json_string("file"));
    }
    block_options_name_below(value);
    return blockdev_options_from_json(value, QAPI_TYPED, errp);
}

/* "nbd:..." but not "./a:b" nor "/a:b". */
static size_t scheme_length(const char *filename)
{
    size_t length = strcspn(filename, ":/");

    return filename[length] == ':' ? length : 0;
}

/* "blkdebug:RULES:IMAGE" */
static BlockdevOptions *blkdebug_of(const char *text, Error **errp)
{
    const char *colon = strchr(text, ':');
    g_autoptr(BlockdevOptions) image = NULL;
    BlockdevOptions *options;

    if (!colon) {
        error_set(errp, "blkdebug requires both config file and image path");
        return NULL;
    }
    image = block_protocol_options(colon + 1, errp);
    if (!image) {
        return NULL;
    }
    options = g_new0(BlockdevOptions, 1);
    options->driver = BLOCKDEV_DRIVER_BLKDEBUG;
    options->u.blkdebug.config = g_strndup(text, colon - text);
    options->u.blkdebug.image = g_new0(BlockdevRef, 1);
    options->u.blkdebug.image->type = json_type_object;
    options->u.blkdebug.image->u.definition = g_steal_pointer(&image);
    return options;
}

BlockdevOptions *block_protocol_options(const char *filename, Error **errp)
{
    size_t scheme = scheme_length(filename);

    if (g_str_has_prefix(filename, "json:")) {
        return protocol_of_json(filename + strlen("json:"), errp);
    }
    if (g_str_has_prefix(filename, "null-co://") || g_str_has_prefix(filename, "null-aio://")) {
        BlockdevOptions *options = g_new0(BlockdevOptions, 1);

        options->driver = filename[5] == 'c' ? BLOCKDEV_DRIVER_NULL_CO : BLOCKDEV_DRIVER_NULL_AIO;
        return options;
    }
    if (g_str_has_prefix(filename, "blkdebug:")) {
        return blkdebug_of(filename + strlen("blkdebug:"), errp);
    }
    if (scheme == strlen("file") && g_str_has_prefix(filename, "file:")) {
        return protocol_of_path(filename + strlen("file:"));
    }
    if (scheme) {
        error_set(errp, "Unknown protocol '%.*s'", (int)scheme, filename);
        return NULL;
    }
    return protocol_of_path(filename);
}

/* --- formats --- */

const BlockDriver *block_probe_node(BlockNode *node, Error **errp)
{
    uint8_t head[PROBE_BYTES] = { 0 };
    size_t bytes = MIN(sizeof(head), block_node_bytes(node));
    int err = block_read(node, 0, head, bytes);

    if (err) {
        error_set_errno(errp, -err, "Could not read image for determining its format");
        return NULL;
    }
    return block_driver_probe(head, bytes, node->filename);
}

/* They were said of the whole. */
static void forget_flags(BlockNode *node)
{
    static const char *const names[] = { "read-only", "auto-read-only", "force-share", "cache",
                                         "discard" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        json_object_object_del(node->given, names[i]);
    }
}

void block_node_join(BlockNode *node, BlockNode *protocol)
{
    forget_flags(node);
    forget_flags(protocol);
    block_node_set_inherits(node, "file", true);
}

static void warn_of_raw(const char *filename)
{
    warn_report("Image format was not specified for '%s' and probing guessed raw.\n"
                "         Automatically detecting the format is dangerous for raw images, write "
                "operations on block 0 will be restricted.\n"
                "         Specify the 'raw' format explicitly to remove the restrictions.",
                filename);
}

static void set_common(BlockdevOptions *options, const BlockOpenFile *file)
{
    options->has_read_only = options->has_auto_read_only = true;
    options->read_only = file->is_read_only;
    options->auto_read_only = file->is_auto_read_only && !file->is_read_only;
    options->has_force_share = true;
    options->force_share = file->is_shared;
    options->has_discard = true;
    options->discard = file->has_discard ? BLOCKDEV_DISCARD_OPTIONS_UNMAP :
                                           BLOCKDEV_DISCARD_OPTIONS_IGNORE;
    if (!options->cache) {
        options->cache = g_new0(BlockdevCacheOptions, 1);
        options->cache->has_direct = options->cache->has_no_flush = true;
        options->cache->direct = file->is_direct;
        options->cache->no_flush = file->is_unsafe;
    }
}

/* Where the name does not say it itself. */
static bool set_aio(BlockdevOptions *options, const char *aio, Error **errp)
{
    bool is_device = options->driver == BLOCKDEV_DRIVER_HOST_DEVICE;
    BlockdevOptionsFile *own = is_device ? &options->u.host_device : &options->u.file;
    int value;

    if (!aio || own->has_aio || (!is_device && options->driver != BLOCKDEV_DRIVER_FILE)) {
        return true;
    }
    value = enum_table_find(&blockdev_aio_options_names, aio);
    if (value < 0) {
        return error_set(errp, "Invalid AIO option: %s", aio);
    }
    own->has_aio = true;
    own->aio = value;
    return true;
}

static BlockNode *open_protocol(const BlockOpenFile *file, Error **errp)
{
    g_autoptr(BlockdevOptions) options = block_protocol_options(file->filename, errp);

    if (!options) {
        return NULL;
    }
    set_common(options, file);
    options->discard = BLOCKDEV_DISCARD_OPTIONS_UNMAP;
    if (!set_aio(options, file->aio, errp)) {
        return NULL;
    }
    return block_open(options, errp);
}

/* Which format; *was_raw: it only looks raw. */
static const BlockDriver *choose_format(const BlockOpenFile *file, BlockNode *protocol,
                                        bool *was_raw, Error **errp)
{
    const BlockDriver *driver;

    *was_raw = false;
    if (file->format) {
        driver = block_driver_find(file->format);
        if (!driver) {
            error_set(errp, "Unknown driver '%s'", file->format);
        }
        return driver;
    }
    driver = block_probe_node(protocol, errp);
    *was_raw = driver == &block_raw && file->warns_of_raw &&
               protocol->driver == &block_file;
    return driver;
}

/* The "file" of a format's options. */
static BlockdevRef *ref_to(const BlockNode *node)
{
    BlockdevRef *ref = g_new0(BlockdevRef, 1);

    ref->type = json_type_string;
    ref->u.reference = g_strdup(node->name);
    return ref;
}

static BlockdevOptions *format_options(const BlockDriver *driver, const BlockOpenFile *file,
                                       const BlockNode *protocol, Error **errp)
{
    BlockdevOptions *options = g_new0(BlockdevOptions, 1);

    options->driver = driver->kind;
    options->node_name = g_strdup(file->node_name);
    if (driver == &block_raw) {
        options->u.raw.file = ref_to(protocol);
    } else if (driver->kind == BLOCKDEV_DRIVER_QCOW2) {
        options->u.qcow2.file = ref_to(protocol);
        if (file->without_backing) {
            options->u.qcow2.backing = g_new0(BlockdevRefOrNull, 1);
            options->u.qcow2.backing->type = json_type_null;
        }
    } else {
        error_set(errp, "'%s' is not a format", driver->name);
        blockdev_options_free(options);
        return NULL;
    }
    set_common(options, file);
    return options;
}

BlockNode *block_open_file(const BlockOpenFile *file, Error **errp)
{
    g_autoptr(BlockNode) protocol = open_protocol(file, errp);
    g_autoptr(BlockdevOptions) options = NULL;
    const BlockDriver *driver;
    BlockNode *node;
    bool was_raw;

    if (!protocol) {
        return NULL;
    }
    if (!protocol->driver->is_protocol) {
        return g_steal_pointer(&protocol); /* json: named a format */
    }
    driver = choose_format(file, protocol, &was_raw, errp);
    if (!driver || !(options = format_options(driver, file, protocol, errp))) {
        return NULL;
    }
    block_open_as_check(file->is_check);
    node = block_open(options, errp);
    block_open_as_check(false);
    if (node) {
        block_node_join(node, protocol);
    }
    if (node && was_raw) {
        warn_of_raw(file->filename);
        block_raw_set_probed(node);
    }
    return node;
}
