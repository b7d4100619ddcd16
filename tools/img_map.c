/*
 * qemu-img map: where an image, and those behind it, have their data.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

typedef struct Entry {
    uint64_t start, bytes;
    bool is_zero, has_data, is_present, has_offset, is_compressed;
    uint64_t offset;
    unsigned depth;
    const char *file;
} Entry;

static bool continues(const Entry *a, const Entry *b)
{
    return a->bytes && a->is_zero == b->is_zero && a->has_data == b->has_data &&
           a->is_present == b->is_present && a->has_offset == b->has_offset &&
           a->is_compressed == b->is_compressed && a->depth == b->depth &&
           g_strcmp0(a->file, b->file) == 0 &&
           (!a->has_offset || a->offset + a->bytes == b->offset);
}

static int find(BlockNode *node, uint64_t offset, uint64_t bytes, Entry *entry)
{
    BlockExtent extent;
    int err = block_extent_of_chain(node, offset, bytes, &extent, &entry->depth);

    *entry = (Entry){
        .start = offset, .bytes = extent.bytes, .depth = entry->depth,
        .is_zero = extent.flags & BLOCK_EXTENT_ZERO, .has_data = extent.flags & BLOCK_EXTENT_DATA,
        .is_present = extent.flags & BLOCK_EXTENT_ALLOCATED,
        .has_offset = extent.flags & BLOCK_EXTENT_OFFSET,
        .is_compressed = extent.flags & BLOCK_EXTENT_COMPRESSED, .offset = extent.host_offset,
        .file = extent.host ? block_node_filename(extent.host) : NULL,
    };
    return err;
}

static const char *yes(bool is_true)
{
    return is_true ? "true" : "false";
}

static void print_json(const Entry *entry)
{
    printf("{ \"start\": %" PRIu64 ", \"length\": %" PRIu64 ", \"depth\": %u, \"present\": %s, "
           "\"zero\": %s, \"data\": %s", entry->start, entry->bytes, entry->depth,
           yes(entry->is_present), yes(entry->is_zero), yes(entry->has_data));
    if (entry->has_offset) {
        printf(", \"offset\": %" PRIu64, entry->offset);
    }
    printf("}");
}

/* False: people cannot be told. */
static bool print_human(const Entry *entry)
{
    if (entry->has_data && !entry->has_offset) {
        error_report("File contains external, encrypted or compressed clusters.");
        return false;
    }
    if (entry->has_data && !entry->is_zero) {
        g_autofree char *start = g_strdup_printf("%#" PRIx64, entry->start);
        g_autofree char *bytes = g_strdup_printf("%#" PRIx64, entry->bytes);
        g_autofree char *offset = g_strdup_printf("%#" PRIx64, entry->offset);

        printf("%-16s%-16s%-16s%s\n", entry->start ? start : "0", bytes,
               entry->offset ? offset : "0", entry->file ? entry->file : "");
    }
    return true;
}

static bool print(const Entry *entry, bool is_json, bool is_last)
{
    if (!is_json) {
        return print_human(entry);
    }
    print_json(entry);
    printf(is_last ? "]\n" : ",\n");
    return true;
}

static int map(BlockNode *node, uint64_t from, uint64_t to, bool is_json)
{
    Entry last = { .start = from }, next;

    if (is_json) {
        printf("[");
    } else {
        printf("%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    }
    for (uint64_t at = from; at < to; at += next.bytes) {
        int err = find(node, at, to - at, &next);

        if (err) {
            error_report("Failed to read image metadata: %s", g_strerror(-err));
            return 1;
        }
        if (continues(&last, &next)) {
            last.bytes += next.bytes;
            continue;
        }
        if (last.bytes && !print(&last, is_json, false)) {
            return 1;
        }
        last = next;
    }
    /* Of nothing there is one entry, too. */
    return print(&last, is_json, true) ? 0 : 1;
}

int img_map(int argc, char **argv)
{
    ImgSource source = { 0 };
    const char *output = NULL;
    uint64_t from = 0, bytes = UINT64_MAX, end;
    bool is_json;
    const ImgOption options[] = {
        { 'f', "format", IMG_TEXT, &source.format }, { 0, "output", IMG_TEXT, &output },
        { 's', "start-offset", IMG_SIZE, &from, "start offset" },
        { 'l', "max-length", IMG_SIZE, &bytes, "max length" },
        { 'U', "force-share", IMG_FLAG, &source.is_shared },
        { 0, "image-opts", IMG_FLAG, &source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    g_auto(ImgImage) image = { 0 };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first) ||
        !img_output(output, &is_json)) {
        return 1;
    }
    if (first != argc - 1) {
        return img_usage("Expecting one image file name");
    }
    source.name = argv[first];
    if (!img_open(&image, &source)) {
        return 1;
    }
    end = MAX(block_node_bytes(image.node), from);
    return map(image.node, from, from + MIN(bytes, end - from), is_json);
}
