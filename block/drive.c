/*
 * -drive: see include/block/block_drive.h. What says how the image is opened becomes options as
 * blockdev-add takes them; what says where the drive goes is kept.
 *
 * Left out: geometries (they are the device's).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_drive.h"
#include "block/block_image.h"

#include "block/accounting.h"
#include "block/create.h"
#include "block/open.h"
#include "block/raw.h"
#include "util/keyval.h"

static const char *const interface_texts[] = {
    [BLOCK_IF_NONE] = "none", [BLOCK_IF_IDE] = "ide", [BLOCK_IF_SCSI] = "scsi",
    [BLOCK_IF_FLOPPY] = "floppy", [BLOCK_IF_PFLASH] = "pflash", [BLOCK_IF_MTD] = "mtd",
    [BLOCK_IF_SD] = "sd", [BLOCK_IF_VIRTIO] = "virtio", [BLOCK_IF_XEN] = "xen",
};
const EnumTable block_interface_names = { "BlockInterface", interface_texts, BLOCK_IF_COUNT };

static const char *const policy_texts[] = {
    [BLOCK_ERROR_REPORT] = "report", [BLOCK_ERROR_IGNORE] = "ignore",
    [BLOCK_ERROR_ENOSPC] = "enospc", [BLOCK_ERROR_STOP] = "stop", [BLOCK_ERROR_AUTO] = "auto",
};
static const EnumTable policies = { "BlockdevOnError", policy_texts, ARRAY_SIZE(policy_texts) };

static unsigned units_of_bus[BLOCK_IF_COUNT] = { [BLOCK_IF_IDE] = 2, [BLOCK_IF_SCSI] = 7 };
static GPtrArray *drives; /* BlockDrive, as they came */

/* --- which there are --- */

static GPtrArray *all_drives(void)
{
    if (!drives) {
        drives = g_ptr_array_new();
    }
    return drives;
}

void block_drive_set_units(BlockInterface interface, unsigned units)
{
    units_of_bus[interface] = units;
}

BlockDrive *block_drive_find(BlockInterface interface, unsigned bus, unsigned unit)
{
    for (guint i = 0; i < all_drives()->len; i++) {
        BlockDrive *drive = drives->pdata[i];

        if (drive->interface == interface && drive->bus == bus && drive->unit == unit) {
            return drive;
        }
    }
    return NULL;
}

BlockDrive *block_drive_take(BlockInterface interface, unsigned bus, unsigned unit)
{
    BlockDrive *drive = block_drive_find(interface, bus, unit);

    if (drive) {
        drive->is_taken = true;
    }
    return drive;
}

BlockDrive *block_drive_nth(BlockInterface interface, unsigned n)
{
    for (guint i = 0; i < all_drives()->len; i++) {
        BlockDrive *drive = drives->pdata[i];

        if (drive->interface == interface && !n--) {
            return drive;
        }
    }
    return NULL;
}

bool block_drives_check(Error **errp)
{
    for (guint i = 0; i < all_drives()->len; i++) {
        const BlockDrive *drive = drives->pdata[i];

        if (!drive->is_default && !drive->is_taken && drive->interface != BLOCK_IF_NONE &&
            !block_backend_has_device(drive->backend)) {
            return error_set(errp, "machine type does not support if=%s,bus=%u,unit=%u",
                             interface_texts[drive->interface], drive->bus, drive->unit);
        }
    }
    return true;
}

void block_drives_cleanup(void)
{
    for (guint i = 0; i < all_drives()->len; i++) {
        BlockDrive *drive = drives->pdata[i];

        block_backend_unref(drive->backend);
        g_free(drive);
    }
    g_clear_pointer(&drives, g_ptr_array_unref);
}

static BlockDrive *drive_of(const BlockBackend *backend)
{
    for (guint i = 0; i < all_drives()->len; i++) {
        BlockDrive *drive = drives->pdata[i];

        if (drive->backend == backend) {
            return drive;
        }
    }
    return NULL;
}

bool block_drive_is_cdrom(const BlockBackend *backend)
{
    const BlockDrive *drive = drive_of(backend);

    return drive && drive->is_cdrom;
}

void block_drive_forget(BlockBackend *backend)
{
    BlockDrive *drive = drive_of(backend);

    if (drive) {
        g_ptr_array_remove(drives, drive);
        block_backend_hide(backend);
        block_backend_unref(backend);
        g_free(drive);
    }
}

bool block_drive_delete(const char *id, Error **errp)
{
    BlockBackend *backend = block_backend_find(id);

    if (!backend || !drive_of(backend)) {
        return block_node_find(id) ? block_node_delete(id, errp) :
                                     error_set(errp, "Device '%s' not found", id);
    }
    block_backend_remove(backend);
    block_drive_forget(backend);
    return true;
}

/* --- keys --- */

/* Takes one out; borrowed until the next. NULL: it was not given. */
typedef struct Keys {
    json_object *left;   /* what nobody took yet */
    json_object *taken;  /* keeps texts alive */
} Keys;

static const char *take(Keys *keys, const char *name)
{
    json_object *value = json_member(keys->left, name);

    if (!value) {
        return NULL;
    }
    json_set(keys->taken, name, json_ref(value));
    json_object_object_del(keys->left, name);
    return json_object_get_string(json_member(keys->taken, name));
}

static bool take_bool(Keys *keys, const char *name, bool *value, Error **errp)
{
    const char *text = take(keys, name);

    if (!text) {
        return true;
    }
    if (strcmp(text, "on") && strcmp(text, "off")) {
        return error_set(errp, "Parameter '%s' expects 'on' or 'off'", name);
    }
    *value = !strcmp(text, "on");
    return true;
}

static bool take_number(Keys *keys, const char *name, int64_t *value, Error **errp)
{
    const char *text = take(keys, name);
    guint64 number;

    if (!text) {
        return true;
    }
    if (!g_ascii_string_to_unsigned(text, 10, 0, 65535, &number, NULL)) {
        return error_set(errp, "Parameter '%s' expects a number", name);
    }
    *value = number;
    return true;
}

static bool take_enum(Keys *keys, const char *name, const EnumTable *table, int *value,
                      Error **errp)
{
    const char *text = take(keys, name);
    int found = text ? enum_table_find(table, text) : *value;

    if (found < 0) {
        return error_set(errp, "Parameter '%s' does not accept value '%s'", name, text);
    }
    *value = found;
    return true;
}

/* --- caching --- */

typedef struct CacheMode {
    const char *name;
    bool is_direct, is_unsafe, is_writethrough;
} CacheMode;

static const CacheMode cache_modes[] = {
    { "none", true, false, false }, { "off", true, false, false },
    { "directsync", true, false, true }, { "writeback", false, false, false },
    { "writethrough", false, false, true }, { "unsafe", false, true, false },
};

static bool take_cache(Keys *keys, CacheMode *mode, Error **errp)
{
    const char *text = take(keys, "cache");
    bool is_writeback;

    for (size_t i = 0; text && i < ARRAY_SIZE(cache_modes); i++) {
        if (!strcmp(text, cache_modes[i].name)) {
            *mode = cache_modes[i];
            text = NULL;
        }
    }
    if (text) {
        return error_set(errp, "invalid cache option");
    }
    is_writeback = !mode->is_writethrough;
    if (!take_bool(keys, "cache.direct", &mode->is_direct, errp) ||
        !take_bool(keys, "cache.no-flush", &mode->is_unsafe, errp) ||
        !take_bool(keys, "cache.writeback", &is_writeback, errp)) {
        return false;
    }
    mode->is_writethrough = !is_writeback;
    return true;
}

/* --- the image --- */

typedef struct Image {
    CacheMode cache;
    bool is_read_only, is_auto_read_only, is_shared, has_discard, is_snapshot, is_copy_on_read;
    const char *filename, *format, *aio, *detect_zeroes, *node_name;
} Image;

static void put_bool(json_object *object, const char *name, bool value)
{
    if (!json_member(object, name)) {
        json_set(object, name, json_string(value ? "on" : "off"));
    }
}

static void put_common(json_object *object, const Image *image, bool is_protocol)
{
    json_object *cache = json_member(object, "cache");

    if (!cache) {
        cache = json_object_new_object();
        json_set(object, "cache", cache);
    }
    put_bool(cache, "direct", image->cache.is_direct);
    put_bool(cache, "no-flush", image->cache.is_unsafe);
    put_bool(object, "read-only", image->is_read_only);
    put_bool(object, "auto-read-only", image->is_auto_read_only && !image->is_read_only);
    put_bool(object, "force-share", image->is_shared);
    if (!json_member(object, "discard")) {
        json_set(object, "discard", json_string(image->has_discard || is_protocol ? "unmap" :
                                                "ignore"));
    }
}

/* Nested, as QAPI reads it: "file.locking" is a member of "file". */
static json_object *nest(json_object *flat, Error **errp)
{
    g_autoptr(JsonObject) tree = json_object_new_object();
    g_autofree char *why = NULL;
    json_object *whole;

    json_object_object_foreach (flat, key, value) {
        if (!keyval_put(tree, key, json_object_get_string(value), &why)) {
            error_set(errp, "%s", why);
            return NULL;
        }
    }
    whole = keyval_finish(tree, &why);
    if (!whole) {
        error_set(errp, "%s", why);
        return NULL;
    }
    block_options_name_below(whole);
    return whole;
}

/* Also what is missing in nodes below that both name. */
static void merge_missing(json_object *into, json_object *from)
{
    json_object_object_foreach (from, key, value) {
        json_object *there = json_member(into, key);

        if (!there) {
            json_set(into, key, json_ref(value));
        } else if (json_object_is_type(there, json_type_object) &&
                   json_object_is_type(value, json_type_object)) {
            merge_missing(there, value);
        }
    }
}

/* What "file=" and "file.*" say of the node at the bottom; NULL with no error: nothing. */
static json_object *protocol_of(const Image *image, json_object *options, Error **errp)
{
    json_object *given = json_member(options, "file");
    g_autoptr(BlockdevOptions) parsed = NULL;
    g_autoptr(JsonObject) named = NULL;

    given = given ? json_ref(given) : image->filename ? json_object_new_object() : NULL;
    json_object_object_del(options, "file");
    if (!image->filename) {
        return given;
    }
    parsed = block_protocol_options(image->filename, errp);
    named = parsed ? blockdev_options_to_json(parsed) : NULL;
    if (!named) {
        json_unref(given);
        return NULL;
    }
    merge_missing(given, named);
    return given;
}

static BlockNode *open_json(json_object *options, Error **errp)
{
    g_autoptr(BlockdevOptions) parsed = blockdev_options_from_json(options, QAPI_TEXT, errp);

    return parsed ? block_open(parsed, errp) : NULL;
}

/* The format; probed if nobody said it. */
static const char *format_of(const Image *image, BlockNode *protocol, bool *was_raw, Error **errp)
{
    const BlockDriver *driver;

    if (image->format) {
        return image->format;
    }
    driver = block_probe_node(protocol, errp);
    *was_raw = driver == &block_raw && protocol->driver == &block_file;
    return driver ? driver->name : NULL;
}

static BlockNode *open_format(const Image *image, json_object *options, BlockNode *protocol,
                              Error **errp)
{
    bool was_raw = false;
    const char *format = format_of(image, protocol, &was_raw, errp);
    BlockNode *node;

    if (!format) {
        return NULL;
    }
    json_set(options, "driver", json_string(format));
    json_set(options, "file", json_string(block_node_name(protocol)));
    put_common(options, image, false);
    if (image->detect_zeroes) {
        json_set(options, "detect-zeroes", json_string(image->detect_zeroes));
    }
    if (image->node_name) {
        json_set(options, "node-name", json_string(image->node_name));
    }
    node = open_json(options, errp);
    if (node && was_raw) {
        warn_report("Image format was not specified for '%s' and probing guessed raw.\n"
                    "         Automatically detecting the format is dangerous for raw images, "
                    "write operations on block 0 will be restricted.\n"
                    "         Specify the 'raw' format explicitly to remove the restrictions.",
                    image->filename ? image->filename : block_node_filename(protocol));
        block_raw_set_probed(node);
    }
    return node;
}

/* "driver=null-co,size=1G": there is nothing below. */
static BlockNode *open_root(const Image *image, json_object *options, Error **errp)
{
    json_set(options, "driver", json_string(image->format));
    put_common(options, image, false);
    if (image->node_name) {
        json_set(options, "node-name", json_string(image->node_name));
    }
    return open_json(options, errp);
}

static BlockNode *open_image(const Image *image, json_object *options, Error **errp)
{
    Error *err = NULL;
    g_autoptr(JsonObject) below = protocol_of(image, options, &err);
    g_autoptr(BlockNode) protocol = NULL;
    BlockNode *node;

    if (err) {
        error_propagate(errp, err);
        return NULL;
    }
    if (!below) {
        return open_root(image, options, errp);
    }
    if (json_object_is_type(below, json_type_string)) {
        protocol = block_node_get(json_object_get_string(below), errp);
        protocol = protocol ? block_node_ref(protocol) : NULL;
    } else {
        if (image->aio && !json_member(below, "aio")) {
            json_set(below, "aio", json_string(image->aio));
        }
        put_common(below, image, true);
        protocol = open_json(below, errp);
    }
    if (!protocol) {
        return NULL;
    }
    if (image->filename && !protocol->driver->is_protocol && !image->format) {
        return g_steal_pointer(&protocol);
    }
    node = open_format(image, options, protocol, errp);
    if (node && !json_object_is_type(below, json_type_string)) {
        block_node_join(node, protocol);
    }
    return node;
}

/* A filter before the image. */
static BlockNode *put_copy_on_read(BlockNode *node, Error **errp)
{
    g_autoptr(BlockdevOptions) options = g_new0(BlockdevOptions, 1);

    options->driver = BLOCKDEV_DRIVER_COPY_ON_READ;
    options->u.copy_on_read.file = block_ref_to(node);
    options->has_detect_zeroes = true;
    options->detect_zeroes = node->detect_zeroes;
    options->has_discard = true;
    options->discard = node->has_discard ? BLOCKDEV_DISCARD_OPTIONS_UNMAP :
                                           BLOCKDEV_DISCARD_OPTIONS_IGNORE;
    return block_open(options, errp);
}

/* What stands before the image; takes over `node`. */
static BlockNode *put_before(const Image *image, BlockNode *node, Error **errp)
{
    g_autoptr(BlockNode) top = node;

    if (image->is_snapshot) {
        BlockNode *overlay = block_snapshot_temporary(top, errp);

        block_node_unref(top);
        top = overlay;
    }
    if (top && image->is_copy_on_read) {
        BlockNode *filter = put_copy_on_read(top, errp);

        block_node_unref(top);
        top = filter;
    }
    return g_steal_pointer(&top);
}

static bool take_image(Keys *keys, Image *image, bool is_cdrom, Error **errp)
{
    bool has_discard_text;
    const char *discard;

    image->is_read_only = is_cdrom;
    image->is_auto_read_only = true;
    image->filename = take(keys, "file");
    image->format = take(keys, "format");
    if (!image->format) {
        image->format = take(keys, "driver");
    }
    image->aio = take(keys, "aio");
    image->detect_zeroes = take(keys, "detect-zeroes");
    image->node_name = take(keys, "node-name");
    discard = take(keys, "discard");
    has_discard_text = discard && (!strcmp(discard, "unmap") || !strcmp(discard, "on"));
    if (discard && !has_discard_text && strcmp(discard, "ignore") && strcmp(discard, "off")) {
        return error_set(errp, "Invalid discard option");
    }
    image->has_discard = has_discard_text;
    return take_cache(keys, &image->cache, errp) &&
           take_bool(keys, "read-only", &image->is_read_only, errp) &&
           take_bool(keys, "readonly", &image->is_read_only, errp) &&
           take_bool(keys, "auto-read-only", &image->is_auto_read_only, errp) &&
           take_bool(keys, "force-share", &image->is_shared, errp);
}

/* --- the place --- */

typedef struct Place {
    int interface;
    int64_t index, bus, unit; /* -1: not given */
    bool is_cdrom;
} Place;

static bool take_place(Keys *keys, Place *place, Error **errp)
{
    const char *media;

    if (!take_enum(keys, "if", &block_interface_names, &place->interface, errp) ||
        !take_number(keys, "index", &place->index, errp) ||
        !take_number(keys, "bus", &place->bus, errp) ||
        !take_number(keys, "unit", &place->unit, errp)) {
        return false;
    }
    media = take(keys, "media");
    if (media && strcmp(media, "disk") && strcmp(media, "cdrom")) {
        return error_set(errp, "'%s' invalid media", media);
    }
    place->is_cdrom = media && !strcmp(media, "cdrom");
    if (place->index >= 0 && (place->bus >= 0 || place->unit >= 0)) {
        return error_set(errp, "index cannot be used with bus and unit");
    }
    return true;
}

static void find_free(Place *place, unsigned units)
{
    place->bus = MAX(place->bus, 0);
    place->unit = 0;
    while (block_drive_find(place->interface, place->bus, place->unit)) {
        place->unit++;
        if (units && place->unit >= units) {
            place->unit = 0;
            place->bus++;
        }
    }
}

static bool settle_place(Place *place, Error **errp)
{
    unsigned units = units_of_bus[place->interface];

    if (place->index >= 0) {
        place->bus = units ? place->index / units : 0;
        place->unit = units ? place->index % units : place->index;
    } else if (place->unit < 0) {
        find_free(place, units);
    }
    place->bus = MAX(place->bus, 0);
    if (units && place->unit >= units) {
        return error_set(errp, "unit %d too big (max is %u)", (int)place->unit, units - 1);
    }
    return !block_drive_find(place->interface, place->bus, place->unit) ||
           error_set(errp, "drive with bus=%d, unit=%d (index=%d) exists", (int)place->bus,
                     (int)place->unit, (int)MAX(place->index, 0));
}

static char *make_name(const Place *place)
{
    const char *interface = interface_texts[place->interface];

    if (units_of_bus[place->interface]) {
        return g_strdup_printf("%s%d-%s%d", interface, (int)place->bus,
                               place->is_cdrom ? "cd" : "hd", (int)place->unit);
    }
    return g_strdup_printf("%s%s%d", interface, place->is_cdrom ? "-cd" : "", (int)place->unit);
}

/* --- limits --- */

typedef struct Limits {
    IoLimits values;
    char *group; /* NULL: its own */
} Limits;

/* By its name, or by an old one. */
static bool take_limit_text(Keys *keys, const char *name, const char *old, const char **text,
                            Error **errp)
{
    const char *by_old = old ? take(keys, old) : NULL;

    *text = take(keys, name);
    if (*text && by_old) {
        return error_set(errp, "'%s' and its alias '%s' can't be used at the same time", name, old);
    }
    *text = *text ? *text : by_old;
    return true;
}

static bool take_limit(Keys *keys, const IoLimitName *row, int64_t *value, Error **errp)
{
    g_autofree char *name = g_strdup_printf("throttling.%s", row->name);
    bool has_old = !g_str_has_suffix(row->name, "-max-length");
    const char *text;

    if (!take_limit_text(keys, name, has_old ? row->old : NULL, &text, errp)) {
        return false;
    }
    return !text || g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, value, NULL) ||
           error_set(errp, "Parameter '%s' expects a number", name);
}

static void limits_clear(Limits *limits)
{
    g_free(limits->group);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Limits, limits_clear)

static bool take_limits(Keys *keys, Limits *limits, Error **errp)
{
    const char *group;

    io_limits_init(&limits->values);
    for (unsigned n = 0; n < IO_LIMIT_NAMES; n++) {
        if (!take_limit(keys, &io_limit_names[n], io_limit(&limits->values, n), errp)) {
            return false;
        }
    }
    if (!take_limit_text(keys, "throttling.group", "group", &group, errp)) {
        return false;
    }
    limits->group = g_strdup(group);
    return io_limits_check(&limits->values, errp);
}

/* --- the drive --- */

static bool refuse_rest(Keys *keys, Error **errp)
{
    json_object_object_foreach (keys->left, key, value) {
        (void)value;
        return error_set(errp, "Block format does not support the option '%s'", key);
    }
    return true;
}

static bool insert_image(BlockBackend *backend, Keys *keys, const Image *image, Error **errp)
{
    g_autoptr(JsonObject) options = NULL;
    g_autoptr(BlockNode) node = NULL;

    if (!image->filename && !image->format && !json_object_object_length(keys->left)) {
        return true; /* no medium */
    }
    options = nest(keys->left, errp);
    if (!options) {
        return false;
    }
    if (!image->filename && !image->format && !json_member(options, "file")) {
        return refuse_rest(keys, errp);
    }
    node = open_image(image, options, errp);
    node = node ? put_before(image, node, errp) : NULL;
    if (!node) {
        if (image->filename) {
            error_prefix(errp, "%s: ", image->filename);
        }
        return false;
    }
    return block_backend_insert(backend, node, errp);
}

static bool take_policies(Keys *keys, BlockBackend *backend, Error **errp)
{
    int on_read = BLOCK_ERROR_AUTO, on_write = BLOCK_ERROR_AUTO;

    if (!take_enum(keys, "rerror", &policies, &on_read, errp) ||
        !take_enum(keys, "werror", &policies, &on_write, errp)) {
        return false;
    }
    if (on_read == BLOCK_ERROR_ENOSPC) {
        return error_set(errp, "'enospc' invalid read error action");
    }
    block_backend_set_policy(backend, on_read, on_write);
    return true;
}

static bool take_filters(Keys *keys, Image *image, Error **errp)
{
    if (!take_bool(keys, "snapshot", &image->is_snapshot, errp) ||
        !take_bool(keys, "copy-on-read", &image->is_copy_on_read, errp)) {
        return false;
    }
    if (image->is_copy_on_read && image->is_read_only && !image->is_snapshot) {
        return error_set(errp, "copy-on-read needs an image that can be written");
    }
    image->is_read_only |= image->is_snapshot;
    return true;
}

/* "stats-intervals.0", ".1" and so on. */
static bool take_intervals(Keys *keys, BlockBackend *backend, Error **errp)
{
    for (unsigned n = 0;; n++) {
        g_autofree char *name = g_strdup_printf("stats-intervals.%u", n);
        const char *text = take(keys, name);
        guint64 seconds;

        if (!text) {
            return true;
        }
        if (!g_ascii_string_to_unsigned(text, 10, 1, UINT32_MAX, &seconds, NULL)) {
            return error_set(errp, "Invalid interval length: %s", text);
        }
        block_intervals_add(backend, seconds);
    }
}

static bool fill(BlockBackend *backend, Keys *keys, bool is_cdrom, Error **errp)
{
    bool counts_invalid = true, counts_failed = true;
    Image image = { 0 };
    g_auto(Limits) limits = { .group = NULL };

    if (!take_bool(keys, "stats-account-invalid", &counts_invalid, errp) ||
        !take_bool(keys, "stats-account-failed", &counts_failed, errp) ||
        !take_intervals(keys, backend, errp) || !take_policies(keys, backend, errp) ||
        !take_limits(keys, &limits, errp) || !take_image(keys, &image, is_cdrom, errp) ||
        !take_filters(keys, &image, errp) ||
        !insert_image(backend, keys, &image, errp)) {
        return false;
    }
    if (!block_backend_node(backend)) {
        backend->was_read_only = image.is_read_only; /* so is the medium that comes */
    }
    block_backend_set_write_cache(backend, !image.cache.is_writethrough);
    block_backend_set_limits(backend, &limits.values, limits.group);
    block_backend_set_accounting(backend, counts_invalid, counts_failed);
    return true;
}

static BlockDrive *add(Keys *keys, BlockInterface interface, Error **errp)
{
    Place place = { interface, -1, -1, -1, false };
    g_autoptr(BlockBackend) backend = NULL;
    g_autofree char *name = NULL;
    BlockDrive *drive;

    if (!take_place(keys, &place, errp) || !settle_place(&place, errp)) {
        return NULL;
    }
    name = g_strdup(take(keys, "id"));
    name = name ? name : make_name(&place);
    backend = block_backend_new(name, errp);
    if (!backend || !fill(backend, keys, place.is_cdrom, errp)) {
        return NULL;
    }
    drive = g_new0(BlockDrive, 1);
    *drive = (BlockDrive){ g_steal_pointer(&backend), place.interface, place.bus, place.unit,
                           place.is_cdrom, false, false };
    g_ptr_array_add(all_drives(), drive);
    return drive;
}

BlockDrive *block_drive_add(json_object *given, BlockInterface interface, Error **errp)
{
    g_autoptr(JsonObject) left = json_object_new_object();
    g_autoptr(JsonObject) taken = json_object_new_object();
    Keys keys = { left, taken };

    merge_missing(left, given);
    return add(&keys, interface, errp);
}
