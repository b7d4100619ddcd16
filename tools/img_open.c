/*
 * Images as qemu-img's commands open them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include "util/keyval.h"

typedef struct CacheMode {
    const char *name;
    bool is_direct, is_unsafe, is_writethrough;
} CacheMode;

static const CacheMode cache_modes[] = {
    { "writeback", false, false, false }, { "none", true, false, false },
    { "off", true, false, false }, { "writethrough", false, false, true },
    { "directsync", true, false, true }, { "unsafe", false, true, false },
};

static const CacheMode *cache_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(cache_modes); i++) {
        if (!name || !strcmp(cache_modes[i].name, name)) {
            return &cache_modes[i];
        }
    }
    return NULL;
}

bool img_cache_is_known(const char *cache)
{
    return cache_of(cache) != NULL;
}

bool img_output(const char *text, bool *is_json)
{
    *is_json = text && !strcmp(text, "json");
    if (text && !*is_json && strcmp(text, "human")) {
        error_report("--output must be used with human or json as argument.");
        return false;
    }
    return true;
}

void img_print_json(json_object *value)
{
    g_autoptr(GString) text = g_string_new(NULL);

    json_append(text, value, true);
    puts(text->str);
}

int img_zero(BlockNode *node, uint64_t offset, uint64_t bytes, unsigned flags)
{
    BlockIo io = { BLOCK_ZERO, flags, offset, bytes, NULL, 0 };

    return block_io(node, &io);
}

/* --- opening --- */

static BlockNode *open_node(const ImgSource *source, const CacheMode *cache, Error **errp);

static void put_missing(json_object *options, const char *name, const char *value)
{
    if (!json_member(options, name)) {
        json_set(options, name, json_string(value));
    }
}

static void put_cache(json_object *options, const CacheMode *mode)
{
    json_object *cache = json_member(options, "cache");

    if (!cache) {
        cache = json_object_new_object();
        json_set(options, "cache", cache);
    }
    if (json_object_is_type(cache, json_type_object)) {
        put_missing(cache, "direct", mode->is_direct ? "on" : "off");
        put_missing(cache, "no-flush", mode->is_unsafe ? "on" : "off");
    }
}

/* Of the file, wherever the options have it. */
static void put_aio(json_object *options, const char *aio)
{
    json_object *file = json_member(options, "file");

    file = file ? file : options;
    if (json_object_is_type(file, json_type_object) && json_member(file, "filename")) {
        put_missing(file, "aio", aio);
    }
}

/* "file.filename=...": whatever format it looks like. */
static BlockNode *open_probed(const ImgSource *source, const CacheMode *cache, json_object *file,
                              Error **errp)
{
    g_autofree char *text = file ? json_to_string(file) : NULL;
    g_autofree char *name = text ? g_strdup_printf("json:%s", text) : NULL;
    ImgSource plain = *source;

    if (!file || !json_object_is_type(file, json_type_object)) {
        error_set(errp, "Must specify either driver or file");
        return NULL;
    }
    plain.name = json_object_object_length(file) == 2 && json_member(file, "filename") ?
                     json_object_get_string(json_member(file, "filename")) : name;
    plain.is_options = false;
    return open_node(&plain, cache, errp);
}

/* "driver=qcow2,file.filename=..." */
static BlockNode *open_options(const ImgSource *source, const CacheMode *cache, Error **errp)
{
    g_autofree char *why = NULL;
    g_autoptr(JsonObject) json = keyval_parse(source->name, &(KeyvalSyntax){ 0 }, &why);
    g_autoptr(BlockdevOptions) options = NULL;
    json_object *file;

    if (!json) {
        error_set(errp, "%s", why);
        return NULL;
    }
    put_missing(json, "read-only", source->is_writable ? "off" : "on");
    put_missing(json, "discard", "unmap");
    put_cache(json, cache);
    if (source->aio) {
        put_aio(json, source->aio);
    }
    if (source->is_shared) {
        put_missing(json, "force-share", "on");
    }
    file = json_member(json, "file");
    block_options_name_below(json);
    if (source->without_backing && json_member(json, "driver") &&
        !strcmp(json_object_get_string(json_member(json, "driver")), "qcow2") &&
        !json_object_object_get_ex(json, "backing", NULL)) {
        json_set(json, "backing", NULL);
    }
    if (!json_member(json, "driver")) {
        return open_probed(source, cache, file, errp);
    }
    options = blockdev_options_from_json(json, QAPI_TEXT, errp);
    return options ? block_open(options, errp) : NULL;
}

static BlockNode *open_node(const ImgSource *source, const CacheMode *cache, Error **errp)
{
    BlockOpenFile file = {
        .filename = source->name, .format = source->format, .aio = source->aio,
        .is_read_only = !source->is_writable, .is_shared = source->is_shared,
        .is_direct = cache->is_direct, .is_unsafe = cache->is_unsafe, .has_discard = true,
        .warns_of_raw = source->is_writable && !source->is_quiet,
        .without_backing = source->without_backing, .is_check = source->is_check,
    };

    return source->is_options ? open_options(source, cache, errp) : block_open_file(&file, errp);
}

bool img_source_check(const ImgSource *source)
{
    if (source->is_options && source->format) {
        error_report("--image-opts and --format are mutually exclusive");
        return false;
    }
    return true;
}

static bool take(ImgImage *image, const ImgSource *source, Error **errp)
{
    unsigned perms = BLOCK_PERM_READ;
    unsigned shared = BLOCK_PERM_ALL & ~(unsigned)BLOCK_PERM_RESIZE;

    if (source->is_writable) {
        perms |= BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE;
    }
    image->link = block_link_new(block_node_ref(image->node), "this program", perms,
                                 source->is_shared ? BLOCK_PERM_ALL : shared, errp);
    return image->link != NULL;
}

static bool show_snapshot(ImgImage *image, const ImgSource *source, Error **errp)
{
    int err = source->snapshot ? block_image_snapshot(image->node, BLOCK_SNAPSHOT_SHOW,
                                                      source->snapshot, source->snapshot) : 0;

    if (err == -ENOTSUP) {
        return error_set(errp, "Failed to load snapshot: Block format '%s' used by device '' does "
                         "not support temporarily loading internal snapshots",
                         block_node_driver(image->node));
    }
    return !err || (err == -ENOENT ?
                    error_set(errp, "Failed to load snapshot: Can't find snapshot") :
                    error_set_errno(errp, -err, "Failed to load snapshot"));
}

bool img_open(ImgImage *image, const ImgSource *source)
{
    return img_open_as(image, source, "Could not open");
}

bool img_open_as(ImgImage *image, const ImgSource *source, const char *verb)
{
    const CacheMode *cache = cache_of(source->cache);
    Error *err = NULL;

    *image = (ImgImage){ 0 };
    if (!img_source_check(source)) {
        return false;
    }
    if (!cache) {
        error_report("Invalid %scache option: %s", source->has_source_cache ? "source " : "",
                     source->cache);
        return false;
    }
    if (source->aio && enum_table_find(&blockdev_aio_options_names, source->aio) < 0) {
        error_report("Invalid aio option: %s", source->aio);
        return false;
    }
    image->is_writethrough = cache->is_writethrough;
    image->node = open_node(source, cache, &err);
    if (!image->node || !take(image, source, &err)) {
        error_reportf_err(err, "%s '%s': ", verb, source->name);
        img_close(image);
        return false;
    }
    if (!show_snapshot(image, source, &err)) {
        error_report_err(err);
        img_close(image);
        return false;
    }
    return true;
}

void img_close(ImgImage *image)
{
    g_clear_pointer(&image->link, block_link_free);
    g_clear_pointer(&image->node, block_node_unref);
}
