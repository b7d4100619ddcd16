/*
 * New images of qemu-img: what "-o" takes, by format, and how it becomes what block_create()
 * wants.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include "util/keyval.h"

enum { OF_QCOW2 = BIT(0), OF_RAW = BIT(1), OF_FILE = BIT(2) };

typedef struct FormatOption {
    const char *name, *kind, *help;
    unsigned formats;
    const char *initial; /* shown when it is not given; NULL: it is not shown */
    const char *member;  /* of BlockdevCreateOptions; NULL: looked after apart */
} FormatOption;

/* In the order in which they are shown. */
static const FormatOption options_known[] = {
    { "cluster_size", "<size>", "qcow2 cluster size", OF_QCOW2, "65536", "cluster-size" },
    { "extended_l2", "<bool (on/off)>", "Extended L2 tables", OF_QCOW2, "off", "extended-l2" },
    { "preallocation", "<str>", "Preallocation mode (allowed values: off, metadata, falloc, full)",
      OF_QCOW2, NULL, "preallocation" },
    { "compression_type", "<str>", "Compression method used for image cluster compression",
      OF_QCOW2, "zlib", "compression-type" },
    { "size", "<size>", "Virtual disk size", OF_QCOW2 | OF_RAW, NULL, NULL },
    { "preallocation", "<str>", "Preallocation mode (allowed values: off, falloc, full)",
      OF_FILE, NULL, "preallocation" },
    { "compat", "<str>", "Compatibility level (v2 [0.10] or v3 [1.1])", OF_QCOW2, NULL, NULL },
    { "backing_file", "<str>", "File name of a base image", OF_QCOW2, NULL, "backing-file" },
    { "backing_fmt", "<str>", "Image format of the base image", OF_QCOW2, NULL, "backing-fmt" },
    { "data_file", "<str>", "File name of an external data file", OF_QCOW2, NULL, NULL },
    { "data_file_raw", "<bool (on/off)>", "The external data file must stay valid as a raw image",
      OF_QCOW2, NULL, "data-file-raw" },
    { "lazy_refcounts", "<bool (on/off)>", "Postpone refcount updates", OF_QCOW2, "off",
      "lazy-refcounts" },
    { "refcount_bits", "<num>", "Width of a reference count entry in bits", OF_QCOW2, "16",
      "refcount-bits" },
    { "nocow", "<bool (on/off)>", "Turn off copy-on-write (valid only on btrfs)", OF_FILE, NULL,
      "nocow" },
    { "extent_size_hint", "<size>", "Extent size hint for the image file, 0 to disable", OF_FILE,
      NULL, "extent-size-hint" },
};

static unsigned formats_of(const char *format)
{
    return !strcmp(format, "qcow2") ? OF_QCOW2 | OF_FILE :
           !strcmp(format, "raw") ? OF_RAW | OF_FILE : 0;
}

static const FormatOption *find(unsigned formats, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(options_known); i++) {
        if (options_known[i].formats & formats && !strcmp(options_known[i].name, name)) {
            return &options_known[i];
        }
    }
    return NULL;
}

/* --- help --- */

static bool is_help(void *opaque, const char *key, const char *value, char **why)
{
    *(bool *)opaque |= !strcmp(key, "help") || !strcmp(key, "?");
    return true;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const FormatOption *const *)a)->name, (*(const FormatOption *const *)b)->name);
}

static void print_help(const char *format, unsigned formats)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (size_t i = 0; i < ARRAY_SIZE(options_known); i++) {
        const FormatOption *option = &options_known[i];

        if (option->formats & formats && find(formats, option->name) == option) {
            g_ptr_array_add(list, (gpointer)option);
        }
    }
    g_ptr_array_sort(list, compare_names);
    printf("Supported %s options:\n", format);
    for (guint i = 0; i < list->len; i++) {
        const FormatOption *option = list->pdata[i];
        g_autofree char *head = g_strdup_printf("%s=%s", option->name, option->kind);

        printf("  %-22s - %s\n", head, option->help);
    }
}

bool img_format_help(const char *format, const char *options)
{
    g_autofree char *why = NULL;
    bool has_help = false;

    if (options) {
        keyval_foreach(options, &(KeyvalSyntax){ 0 }, is_help, &has_help, &why);
    }
    if (has_help) {
        print_help(format, formats_of(format));
    }
    return has_help;
}

bool img_format_knows(const char *format, const char *option)
{
    return find(formats_of(format), option) != NULL;
}

/* --- what was given --- */

typedef struct Given {
    unsigned formats;
    json_object *values; /* name -> text */
} Given;

static bool note(void *opaque, const char *key, const char *value, char **why)
{
    Given *given = opaque;

    if (!find(given->formats, key)) {
        *why = g_strdup_printf("Invalid parameter '%s'", key);
        return false;
    }
    json_set(given->values, key, json_string(value));
    return true;
}

static json_object *parse(const ImgNew *new)
{
    Given given = { formats_of(new->format), json_object_new_object() };
    g_autofree char *why = NULL;

    if (new->options && !keyval_foreach(new->options, &(KeyvalSyntax){ 0 }, note, &given, &why)) {
        error_report("%s: %s", new->name, why);
        json_unref(given.values);
        return NULL;
    }
    if (new->backing) {
        json_set(given.values, "backing_file", json_string(new->backing));
    }
    if (new->backing_format) {
        json_set(given.values, "backing_fmt", json_string(new->backing_format));
    }
    if (new->has_bytes && !new->is_conversion && json_member(given.values, "size")) {
        error_report("%s: The image size must be specified only once", new->name);
        json_unref(given.values);
        return NULL;
    }
    if (new->has_bytes) {
        g_autofree char *size = g_strdup_printf("%" PRIu64, new->bytes);

        json_set(given.values, "size", json_string(size));
    }
    return given.values;
}

static const char *text_of(json_object *values, const char *name)
{
    json_object *value = json_member(values, name);

    return value ? json_object_get_string(value) : NULL;
}

typedef struct Wanted {
    const char *key;
    char *value;
} Wanted;

static bool pick(void *opaque, const char *key, const char *value, char **why)
{
    Wanted *wanted = opaque;

    if (!strcmp(key, wanted->key)) {
        g_free(wanted->value);
        wanted->value = g_strdup(value);
    }
    return true;
}

char *img_option_of(const char *options, const char *key)
{
    Wanted wanted = { key, NULL };
    g_autofree char *why = NULL;

    if (options) {
        keyval_foreach(options, &(KeyvalSyntax){ 0 }, pick, &wanted, &why);
    }
    return wanted.value;
}

/* --- the backing file --- */

static BlockNode *open_backing(const ImgNew *new, const char *backing, const char *format,
                               Error **errp)
{
    g_autofree char *path = block_image_backing_path(new->name, backing, errp);
    BlockOpenFile file = { .filename = path, .format = format, .is_read_only = true,
                           .is_shared = true };

    return path ? block_open_file(&file, errp) : NULL;
}

/* Without a size the new image has the backing file's. */
static bool look_at_backing(const ImgNew *new, json_object *values)
{
    const char *backing = text_of(values, "backing_file"), *format = text_of(values, "backing_fmt");
    bool has_size = text_of(values, "size");
    g_autoptr(BlockNode) node = NULL;
    g_autofree char *size = NULL;
    Error *err = NULL;

    if (!backing || new->is_unsafe || new->is_conversion) {
        return true;
    }
    node = open_backing(new, backing, format, &err);
    if (!node && has_size) {
        warn_report("Could not verify backing image. This may become an error in future versions.");
        warn_report_err(err);
        return true;
    }
    if (!node) {
        error_reportf_err(err, "%s: ", new->name);
        fprintf(stderr, "Could not open backing image.\n");
        return false;
    }
    if (!format) {
        error_report("%s: Backing file specified without backing format", new->name);
        fprintf(stderr, "Detected format of %s.\n", block_node_driver(node));
        return false;
    }
    if (!has_size) {
        size = g_strdup_printf("%" PRIu64, block_node_bytes(node));
        json_set(values, "size", json_string(size));
    }
    return true;
}

static bool check_backing(const ImgNew *new, json_object *values)
{
    const char *backing = text_of(values, "backing_file"), *format = text_of(values, "backing_fmt");

    if (backing && strcmp(new->format, "qcow2")) {
        error_report("%s: Backing file not supported for file format '%s'", new->name,
                     new->format);
        return false;
    }
    if (backing && !strcmp(backing, new->name)) {
        error_report("%s: Error: Trying to create an image with the same filename as the backing "
                     "file", new->name);
        return false;
    }
    if (format && !block_format_is_known(format)) {
        error_report("%s: Unknown driver '%s'", new->name, format);
        fprintf(stderr, "Could not open backing image.\n");
        return false;
    }
    return look_at_backing(new, values);
}

/* --- options for the block layer --- */

static const char *version_of(const char *compat)
{
    return !strcmp(compat, "0.10") ? "v2" : !strcmp(compat, "1.1") ? "v3" : compat;
}

static void put_members(unsigned formats, json_object *values, json_object *to)
{
    json_object_object_foreach (values, name, value) {
        const FormatOption *option = find(formats, name);

        if (option && option->member) {
            json_set(to, option->member, json_ref(value));
        }
    }
}

static json_object *file_definition(const char *name)
{
    json_object *file = json_object_new_object();

    json_set(file, "driver", json_string("file"));
    json_set(file, "filename", json_string(g_str_has_prefix(name, "file:") ?
                                               name + strlen("file:") : name));
    return file;
}

static bool put_size(const char *size, json_object *to, Error **errp)
{
    uint64_t bytes;
    g_autofree char *text = NULL;

    if (!img_size(size, NULL, &bytes)) {
        return error_set(errp, "Parameter 'size' expects a non-negative number below 2^64");
    }
    text = g_strdup_printf("%" PRIu64, ROUND_UP(bytes, BLOCK_SECTOR_BYTES));
    json_set(to, "size", json_string(text));
    return true;
}

static json_object *qcow2_json(const ImgNew *new, json_object *values, Error **errp)
{
    json_object *to = json_object_new_object();

    json_set(to, "driver", json_string("qcow2"));
    put_members(OF_QCOW2, values, to);
    json_set(to, "file", file_definition(new->name));
    if (text_of(values, "compat")) {
        json_set(to, "version", json_string(version_of(text_of(values, "compat"))));
    }
    if (text_of(values, "data_file")) {
        json_set(to, "data-file", file_definition(text_of(values, "data_file")));
    }
    if (!put_size(text_of(values, "size"), to, errp)) {
        g_clear_pointer(&to, json_unref);
    }
    return to;
}

static json_object *file_json(const char *name, json_object *values, const char *size, Error **errp)
{
    json_object *to = file_definition(name);

    put_members(OF_FILE, values, to);
    if (!put_size(size, to, errp)) {
        g_clear_pointer(&to, json_unref);
    }
    return to;
}

static BlockdevCreateOptions *read_json(json_object *json, Error **errp)
{
    BlockdevCreateOptions *options = json ? blockdev_create_options_from_json(json, QAPI_TEXT,
                                                                              errp) : NULL;

    json_unref(json);
    return options;
}

BlockdevCreateOptions *img_format_options(const ImgNew *new)
{
    g_autoptr(JsonObject) values = parse(new);
    BlockdevCreateOptions *options;
    Error *err = NULL;

    if (!values) {
        return NULL;
    }
    options = read_json(!strcmp(new->format, "qcow2") ?
                            qcow2_json(new, values, &err) :
                            file_json(new->name, values, text_of(values, "size"), &err), &err);
    if (!options) {
        error_report_err(err);
    }
    return options;
}

/* --- making it --- */

static bool make_plain_file(const char *name, json_object *values, const char *size, Error **errp)
{
    g_autoptr(BlockdevCreateOptions) options = read_json(file_json(name, values, size, errp),
                                                         errp);

    return options && block_create(options, errp);
}

/* What only the format knows must not reach the file. */
static json_object *file_values(json_object *values)
{
    json_object *kept = json_object_new_object();

    json_object_object_foreach (values, name, value) {
        if (find(OF_FILE, name) && !find(OF_QCOW2, name)) {
            json_set(kept, name, json_ref(value));
        }
    }
    return kept;
}

static bool make_qcow2(const ImgNew *new, json_object *values, Error **errp)
{
    g_autoptr(BlockdevCreateOptions) options = read_json(qcow2_json(new, values, errp), errp);
    g_autoptr(JsonObject) of_file = file_values(values);
    const char *data = text_of(values, "data_file");

    if (!options || !make_plain_file(options->u.qcow2.file->u.definition->u.file.filename, of_file,
                                     "0", errp) ||
        (data && !make_plain_file(data, of_file, text_of(values, "size"), errp))) {
        return false;
    }
    if (!block_create(options, errp)) {
        unlink(options->u.qcow2.file->u.definition->u.file.filename); /* it is none */
        return false;
    }
    return true;
}

/* Sizes are shown in bytes. */
static char *shown(const FormatOption *option, const char *value)
{
    uint64_t bytes;

    if (!strcmp(option->kind, "<size>") && img_size(value, NULL, &bytes)) {
        return g_strdup_printf("%" PRIu64, bytes);
    }
    return g_strdup(value);
}

static void announce(const ImgNew *new, json_object *values)
{
    unsigned formats = formats_of(new->format);

    printf("Formatting '%s', fmt=%s", new->name, new->format);
    for (size_t i = 0; i < ARRAY_SIZE(options_known); i++) {
        const FormatOption *option = &options_known[i];
        const char *value = text_of(values, option->name);

        if (find(formats, option->name) == option && (value || option->initial)) {
            g_autofree char *text = shown(option, value ? value : option->initial);

            printf(" %s=%s", option->name, text);
        }
    }
    printf("\n");
    fflush(stdout);
}

bool img_new(const ImgNew *new)
{
    g_autoptr(JsonObject) values = NULL;
    Error *err = NULL;
    bool is_done;

    if (!formats_of(new->format)) {
        error_report("%s: Unknown file format '%s'", new->name, new->format);
        return false;
    }
    values = parse(new);
    if (!values || !check_backing(new, values)) {
        return false;
    }
    if (!text_of(values, "size")) {
        error_report("%s: Image creation needs a size parameter", new->name);
        return false;
    }
    if (!new->is_quiet) {
        announce(new, values);
    }
    is_done = !strcmp(new->format, "qcow2") ? make_qcow2(new, values, &err) :
              make_plain_file(new->name, values, text_of(values, "size"), &err);
    if (!is_done && new->is_conversion) {
        error_reportf_err(err, "%s: error while converting %s: ", new->name, new->format);
    } else if (!is_done) {
        error_reportf_err(err, "%s: ", new->name);
    }
    return is_done;
}
