/*
 * qemu-img amend.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include "util/keyval.h"
#include "util/size.h"

static const char help[] =
    "Amend options for 'qcow2':\n"
    "  backing_file=<str>     - File name of a base image\n"
    "  backing_fmt=<str>      - Image format of the base image\n"
    "  compat=<str>           - Compatibility level (v2 [0.10] or v3 [1.1])\n"
    "  data_file=<str>        - File name of an external data file\n"
    "  data_file_raw=<bool (on/off)> - The external data file must stay valid as a raw image\n"
    "  lazy_refcounts=<bool (on/off)> - Postpone refcount updates\n"
    "  refcount_bits=<num>    - Width of a reference count entry in bits\n"
    "  size=<size>            - Virtual disk size\n";

typedef struct Amend {
    BlockAmend format;
    char *backing, *backing_format, *data_file;
    uint64_t bytes;
    bool has_bytes, has_help;
} Amend;

static bool set_version(Amend *amend, const char *value, char **why)
{
    amend->format.version = !strcmp(value, "0.10") || !strcmp(value, "v2") ? 2 :
                            !strcmp(value, "1.1") || !strcmp(value, "v3") ? 3 : 0;
    if (!amend->format.version) {
        *why = g_strdup_printf("Unknown compatibility level %s", value);
    }
    return amend->format.version;
}

static bool set_bool(const char *key, const char *value, int *to, char **why)
{
    *to = !strcmp(value, "on") ? 1 : !strcmp(value, "off") ? 0 : -1;
    if (*to < 0) {
        *why = g_strdup_printf("Parameter '%s' expects 'on' or 'off'", key);
        return false;
    }
    return true;
}

static bool set_bits(Amend *amend, const char *value, char **why)
{
    g_autofree char *reason = NULL;
    uint64_t bits;

    if (!number_parse(value, &bits, &reason)) {
        *why = g_strdup("Parameter 'refcount_bits' expects a number");
        return false;
    }
    if (!bits || bits > 64 || bits & (bits - 1)) {
        *why = g_strdup("Refcount width must be a power of two and may not exceed 64 bits");
        return false;
    }
    amend->format.refcount_bits = bits;
    return true;
}

/* Those of which the last one given counts. */
static char **text_of(Amend *amend, const char *key)
{
    return !strcmp(key, "backing_file") ? &amend->backing :
           !strcmp(key, "backing_fmt") ? &amend->backing_format :
           !strcmp(key, "data_file") ? &amend->data_file : NULL;
}

static bool set(void *opaque, const char *key, const char *value, char **why)
{
    Amend *amend = opaque;
    char **text = text_of(amend, key);

    if (!strcmp(key, "help") || !strcmp(key, "?")) {
        amend->has_help = true;
        return true;
    }
    if (!strcmp(key, "compat")) {
        return set_version(amend, value, why);
    }
    if (!strcmp(key, "lazy_refcounts")) {
        return set_bool(key, value, &amend->format.lazy_refcounts, why);
    }
    if (!strcmp(key, "data_file_raw")) {
        return set_bool(key, value, &amend->format.data_file_raw, why);
    }
    if (!strcmp(key, "refcount_bits")) {
        return set_bits(amend, value, why);
    }
    if (text) {
        g_free(*text);
        *text = g_strdup(value);
        return true;
    }
    if (!strcmp(key, "size")) {
        amend->has_bytes = true;
        if (!img_size(value, NULL, &amend->bytes)) {
            *why = g_strdup("Parameter 'size' expects a non-negative number below 2^64");
            return false;
        }
        return true;
    }
    *why = g_strdup_printf("Invalid parameter '%s'%s", key, img_format_knows("qcow2", key) ?
                           "\nThis option is only supported for image creation" : "");
    return false;
}

/* What is behind is another command's. */
static bool check_backing(BlockNode *node, const Amend *amend, Error **errp)
{
    g_autoptr(ImageInfo) info = block_image_info(node, false);
    const BlockNodeInfo *own = (const BlockNodeInfo *)info;
    bool is_file = amend->backing && g_strcmp0(amend->backing, own->backing_filename);

    if (!is_file && (!amend->backing_format ||
                     !g_strcmp0(amend->backing_format, own->backing_filename_format))) {
        return true;
    }
    error_set(errp, "Cannot amend the backing %s", is_file ? "file" : "format");
    error_hint(errp, "You can use 'qemu-img rebase' instead.");
    return false;
}

static bool apply(BlockNode *node, Amend *amend, Error **errp)
{
    uint64_t bytes = ROUND_UP(amend->bytes, BLOCK_SECTOR_BYTES);

    if (!check_backing(node, amend, errp)) {
        return false;
    }
    amend->format.data_file = amend->data_file;
    if (!block_image_amend(node, &amend->format, errp)) {
        return false;
    }
    return !amend->has_bytes || bytes == block_node_bytes(node) ||
           block_node_resize(node, bytes, BLOCK_PREALLOC_OFF, errp);
}

static int run(const ImgSource *source, Amend *amend, bool is_progress)
{
    g_auto(ImgImage) image = { 0 };
    Error *err = NULL;

    if (!img_open(&image, source)) {
        return 1;
    }
    img_progress_begin(is_progress);
    if (!apply(image.node, amend, &err)) {
        error_report_err(err);
        return 1;
    }
    img_progress_end();
    return 0;
}

int img_amend(int argc, char **argv)
{
    ImgSource source = { .is_writable = true };
    Amend amend = { .format = { .lazy_refcounts = -1, .data_file_raw = -1 } };
    g_autofree char *text = NULL, *why = NULL;
    bool is_progress = false, is_forced = false; /* force: nothing here is dangerous */
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &source.format }, { 'o', NULL, IMG_LIST, &text },
        { 't', NULL, IMG_TEXT, &source.cache }, { 'p', NULL, IMG_FLAG, &is_progress },
        { 'q', NULL, IMG_FLAG, &source.is_quiet }, { 0, "force", IMG_FLAG, &is_forced },
        { 0, "image-opts", IMG_FLAG, &source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    int first, status = 1;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    if (!text) {
        return img_usage("Must specify options (-o)");
    }
    if (!keyval_foreach(text, &(KeyvalSyntax){ 0 }, set, &amend, &why)) {
        error_report("%s", why);
    } else if (amend.has_help) {
        printf("%s", help);
        status = 0;
    } else if (first != argc - 1) {
        img_usage("Expecting one image file name");
    } else {
        source.name = argv[first];
        status = run(&source, &amend, is_progress && !source.is_quiet);
    }
    g_free(amend.backing);
    g_free(amend.backing_format);
    g_free(amend.data_file);
    return status;
}
