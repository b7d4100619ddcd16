/*
 * qemu-img info, check, snapshot: what images say of themselves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include <time.h>

/* --- for people --- */

char *img_size_text(uint64_t bytes)
{
    static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    double value = bytes;
    unsigned unit = 0;

    while (value >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    return g_strdup_printf("%0.3g %sB", value, units[unit]);
}

static char *date_text(int64_t seconds)
{
    time_t when = seconds;
    struct tm tm;
    char text[64];

    localtime_r(&when, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    return g_strdup(text);
}

static void print_snapshot(const SnapshotInfo *info)
{
    g_autofree char *size = img_size_text(info->vm_state_size);
    g_autofree char *date = date_text(info->date_sec);
    int64_t sec = info->vm_clock_sec;
    g_autofree char *clock = g_strdup_printf("%02d:%02d:%02d.%03d", (int)(sec / 3600),
                                             (int)(sec / 60 % 60), (int)(sec % 60),
                                             (int)(info->vm_clock_nsec / NS_PER_MS));
    g_autofree char *icount = info->has_icount ? g_strdup_printf("%" PRId64, info->icount) :
                                                 g_strdup("");

    printf("%-9s %-16s %8s%20s%13s%11s\n", info->id, info->name, size, date, clock, icount);
}

void img_print_snapshots(const ImageInfo *info)
{
    if (!info->snapshots || !info->snapshots->count) {
        return;
    }
    printf("Snapshot list:\n%-9s %-16s %8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE",
           "VM CLOCK", "ICOUNT");
    for (size_t i = 0; i < info->snapshots->count; i++) {
        print_snapshot(info->snapshots->items[i]);
    }
}

static const char *yes(bool is_true)
{
    return is_true ? "true" : "false";
}

static void print_bitmaps(const Qcow2BitmapInfoArray *bitmaps)
{
    printf("%s", bitmaps ? "    bitmaps:\n" : "");
    for (size_t i = 0; bitmaps && i < bitmaps->count; i++) {
        const Qcow2BitmapInfo *bitmap = bitmaps->items[i];

        printf("        [%zu]:\n            flags:\n", i);
        for (size_t n = 0; n < bitmap->flags->count; n++) {
            printf("                [%zu]: %s\n", n,
                   enum_table_name(&qcow2_bitmap_info_flags_names, bitmap->flags->items[n]));
        }
        printf("            name: %s\n            granularity: %u\n", bitmap->name,
               bitmap->granularity);
    }
}

static void print_qcow2(const ImageInfoSpecificQCow2 *own)
{
    printf("Format specific information:\n    compat: %s\n    compression type: %s\n", own->compat,
           enum_table_name(&qcow2_compression_type_names, own->compression_type));
    if (own->has_lazy_refcounts) {
        printf("    lazy refcounts: %s\n", yes(own->lazy_refcounts));
    }
    print_bitmaps(own->bitmaps);
    printf("    refcount bits: %" PRId64 "\n", own->refcount_bits);
    if (own->data_file) {
        printf("    data file: %s\n    data file raw: %s\n", own->data_file,
               yes(own->data_file_raw));
    }
    if (own->has_corrupt) {
        printf("    corrupt: %s\n", yes(own->corrupt));
    }
    if (own->has_extended_l2) {
        printf("    extended l2: %s\n", yes(own->extended_l2));
    }
}

static void print_backing(const ImageInfo *info)
{
    const char *full = info->full_backing_filename;

    if (!info->backing_filename) {
        return;
    }
    printf("backing file: %s", info->backing_filename);
    if (!full) {
        printf(" (cannot determine actual path)");
    } else if (strcmp(full, info->backing_filename)) {
        printf(" (actual path: %s)", full);
    }
    printf("\n");
    if (info->backing_filename_format) {
        printf("backing file format: %s\n", info->backing_filename_format);
    }
}

static void print_info(const ImageInfo *info)
{
    g_autofree char *virtual = img_size_text(info->virtual_size);
    g_autofree char *actual = info->has_actual_size ? img_size_text(info->actual_size) :
                                                      g_strdup("unavailable");

    printf("image: %s\nfile format: %s\nvirtual size: %s (%" PRId64 " bytes)\ndisk size: %s\n",
           info->filename, info->format, virtual, info->virtual_size, actual);
    if (info->has_dirty_flag && info->dirty_flag) {
        printf("cleanly shut down: no\n");
    }
    if (info->has_cluster_size) {
        printf("cluster_size: %" PRId64 "\n", info->cluster_size);
    }
    print_backing(info);
    img_print_snapshots(info);
    if (info->format_specific) {
        print_qcow2(info->format_specific->u.qcow2.data);
    }
}

/* --- info --- */

static bool was_seen(GPtrArray *names, const char *name)
{
    if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL)) {
        error_report("Backing file '%s' creates an infinite loop.", name);
        return true;
    }
    g_ptr_array_add(names, g_strdup(name));
    return false;
}

/* Each image by itself: one that is broken further down does not hide those above. */
static ImageInfo *read_info(const ImgSource *source)
{
    g_auto(ImgImage) image = { 0 };

    return img_open(&image, source) ? block_image_info(image.node, false) : NULL;
}

static bool read_chain(ImgSource source, bool wants_chain, GPtrArray *list)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);

    while (source.name) {
        ImageInfo *info;

        if (was_seen(seen, source.name)) {
            return false;
        }
        info = read_info(&source);
        if (!info) {
            return false;
        }
        g_ptr_array_add(list, info);
        source.name = wants_chain ? info->full_backing_filename : NULL;
        source.format = info->backing_filename_format;
        source.is_options = false;
        if (wants_chain && info->backing_filename && !source.name) {
            error_report("Could not determine the backing file of '%s'", info->filename);
            return false;
        }
    }
    return true;
}

static void print_list(const GPtrArray *list, bool is_json, bool is_chain)
{
    g_autoptr(JsonObject) array = json_object_new_array();

    for (guint i = 0; i < list->len; i++) {
        if (is_json) {
            json_object_array_add(array, image_info_to_json(list->pdata[i]));
        } else {
            printf("%s", i ? "\n" : "");
            print_info(list->pdata[i]);
        }
    }
    if (is_json) {
        img_print_json(is_chain ? array : json_object_array_get_idx(array, 0));
    }
}

int img_info(int argc, char **argv)
{
    ImgSource source = { .without_backing = true };
    const char *output = NULL;
    bool wants_chain = false, is_json;
    const ImgOption options[] = {
        { 'f', "format", IMG_TEXT, &source.format }, { 0, "output", IMG_TEXT, &output },
        { 0, "backing-chain", IMG_FLAG, &wants_chain },
        { 'U', "force-share", IMG_FLAG, &source.is_shared },
        { 0, "image-opts", IMG_FLAG, &source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)image_info_free);
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first) ||
        !img_output(output, &is_json)) {
        return 1;
    }
    if (first != argc - 1) {
        return img_usage("Expecting one image file name");
    }
    source.name = argv[first];
    if (!read_chain(source, wants_chain, list)) {
        return 1;
    }
    print_list(list, is_json, wants_chain);
    return 0;
}

/* --- snapshot --- */

typedef struct SnapshotActs {
    bool lists;
    const char *apply, *create, *delete;
} SnapshotActs;

static int report_snapshot(int err, const char *verb, const char *name)
{
    if (err == -ENOENT && !strcmp(verb, "delete")) {
        error_report("Could not delete snapshot '%s': snapshot not found", name);
    } else if (err && !strcmp(verb, "apply")) {
        error_report("Could not apply snapshot '%s': %s%s", name,
                     err == -ENOENT ? "Failed to load snapshot: " : "", g_strerror(-err));
    } else if (err && !strcmp(verb, "delete")) {
        error_report("Could not delete snapshot '%s': %s", name, g_strerror(-err));
    } else if (err) {
        error_report("Could not create snapshot '%s': %d (%s)", name, err, g_strerror(-err));
    }
    return err ? 1 : 0;
}

static int act_on_snapshot(BlockNode *node, const SnapshotActs *acts)
{
    if (acts->create) {
        return report_snapshot(block_image_snapshot(node, BLOCK_SNAPSHOT_CREATE, NULL,
                                                    acts->create), "create", acts->create);
    }
    if (acts->apply) {
        return report_snapshot(block_image_snapshot(node, BLOCK_SNAPSHOT_APPLY, acts->apply,
                                                    acts->apply), "apply", acts->apply);
    }
    return report_snapshot(block_image_snapshot(node, BLOCK_SNAPSHOT_DELETE, NULL, acts->delete),
                           "delete", acts->delete);
}

static int list_snapshots(BlockNode *node)
{
    g_autoptr(ImageInfo) info = block_image_info(node, false);

    img_print_snapshots(info);
    return 0;
}

int img_snapshot(int argc, char **argv)
{
    ImgSource source = { 0 };
    SnapshotActs acts = { 0 };
    const ImgOption options[] = {
        { 'l', NULL, IMG_FLAG, &acts.lists }, { 'a', NULL, IMG_TEXT, &acts.apply },
        { 'c', NULL, IMG_TEXT, &acts.create }, { 'd', NULL, IMG_TEXT, &acts.delete },
        { 'f', "format", IMG_TEXT, &source.format }, { 'q', NULL, IMG_FLAG, &source.is_quiet },
        { 'U', "force-share", IMG_FLAG, &source.is_shared },
        { 0, "image-opts", IMG_FLAG, &source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    g_auto(ImgImage) image = { 0 };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    if (acts.lists + !!acts.apply + !!acts.create + !!acts.delete > 1) {
        return img_usage("Cannot mix '-l', '-a', '-c', '-d'");
    }
    if (first != argc - 1) {
        return img_usage("Expecting one image file name");
    }
    if (!acts.lists && !acts.apply && !acts.create && !acts.delete) {
        return 0;
    }
    source.name = argv[first];
    source.is_writable = acts.apply || acts.create || acts.delete;
    source.without_backing = !source.is_writable;
    if (!img_open(&image, &source)) {
        return 1;
    }
    return source.is_writable ? act_on_snapshot(image.node, &acts) : list_snapshots(image.node);
}
