/*
 * HMP commands on drives and their images.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "block/block_drive.h"
#include "qapi/qapi-types-block-core.h"
#include "util/keyval.h"

/* --- info block --- */

char *hmp_size_text(uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = bytes;
    unsigned unit = 0;

    for (; value >= 1000; unit++) {
        value /= 1024;
    }
    return g_strdup_printf("%.3g %s", value, units[unit]);
}

static void show_image(Hmp *hmp, json_object *image)
{
    hmp_printf(hmp, "\nImages:\n");
    for (; image; image = json_member(image, "backing-image")) {
        g_autofree char *bytes = hmp_size_text(hmp_int(image, "virtual-size"));
        g_autofree char *taken = hmp_size_text(hmp_int(image, "actual-size"));

        hmp_printf(hmp, "image: %s\nfile format: %s\nvirtual size: %s (%" PRId64 " bytes)\n",
                   hmp_text(image, "filename"), hmp_text(image, "format"), bytes,
                   hmp_int(image, "virtual-size"));
        if (hmp_has(image, "actual-size")) {
            hmp_printf(hmp, "disk size: %s\n", taken);
        }
        if (hmp_has(image, "cluster-size")) {
            hmp_printf(hmp, "cluster_size: %" PRId64 "\n", hmp_int(image, "cluster-size"));
        }
        if (hmp_has(image, "backing-filename")) {
            hmp_printf(hmp, "backing file: %s\n", hmp_text(image, "backing-filename"));
        }
    }
}

static void show_node(Hmp *hmp, json_object *node)
{
    hmp_printf(hmp, ": %s (%s%s%s)\n", hmp_text(node, "file"), hmp_text(node, "drv"),
               hmp_bool(node, "ro") ? ", read-only" : "",
               hmp_bool(node, "encrypted") ? ", encrypted" : "");
}

static void show_limits(Hmp *hmp, json_object *node)
{
    static const char *const names[] = {
        "bps", "bps_rd", "bps_wr", "bps_max", "bps_rd_max", "bps_wr_max", "iops", "iops_rd",
        "iops_wr", "iops_max", "iops_rd_max", "iops_wr_max", "iops_size",
    };

    hmp_printf(hmp, "    I/O throttling:  ");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        hmp_printf(hmp, " %s=%" PRId64, names[i], hmp_int(node, names[i]));
    }
    hmp_printf(hmp, " group=%s\n", hmp_text(node, "group"));
}

static void show_inserted(Hmp *hmp, json_object *node, bool is_verbose)
{
    json_object *cache = json_member(node, "cache");

    hmp_printf(hmp, "    Cache mode:       %s%s%s\n",
               hmp_bool(cache, "writeback") ? "writeback" : "writethrough",
               hmp_bool(cache, "direct") ? ", direct" : "",
               hmp_bool(cache, "no-flush") ? ", ignore flushes" : "");
    if (hmp_has(node, "backing_file")) {
        hmp_printf(hmp, "    Backing file:     %s (chain depth: %" PRId64 ")\n",
                   hmp_text(node, "backing_file"), hmp_int(node, "backing_file_depth"));
    }
    if (strcmp(hmp_text(node, "detect_zeroes"), "off")) {
        hmp_printf(hmp, "    Detect zeroes:    %s\n", hmp_text(node, "detect_zeroes"));
    }
    if (hmp_has(node, "group")) {
        show_limits(hmp, node);
    }
    if (is_verbose) {
        show_image(hmp, json_member(node, "image"));
    }
}

static void show_drive(Hmp *hmp, json_object *drive, bool is_verbose)
{
    json_object *node = json_member(drive, "inserted");

    hmp_printf(hmp, "%s", *hmp_text(drive, "device") ? hmp_text(drive, "device") :
                                                       hmp_text(drive, "qdev"));
    if (!node) {
        hmp_printf(hmp, ": [not inserted]\n");
    } else {
        hmp_printf(hmp, " (%s)", hmp_text(node, "node-name"));
        show_node(hmp, node);
    }
    if (hmp_has(drive, "qdev")) {
        hmp_printf(hmp, "    Attached to:      %s\n", hmp_text(drive, "qdev"));
    }
    if (hmp_has(drive, "io-status") && strcmp(hmp_text(drive, "io-status"), "ok")) {
        hmp_printf(hmp, "    I/O status:       %s\n", hmp_text(drive, "io-status"));
    }
    if (hmp_bool(drive, "removable")) {
        hmp_printf(hmp, "    Removable device: %slocked, tray %s\n",
                   hmp_bool(drive, "locked") ? "" : "not ",
                   hmp_bool(drive, "tray_open") ? "open" : "closed");
    }
    if (node) {
        show_inserted(hmp, node, is_verbose);
    }
}

static void show_named(Hmp *hmp, json_object *node, bool is_verbose)
{
    hmp_printf(hmp, "%s", hmp_text(node, "node-name"));
    show_node(hmp, node);
    show_inserted(hmp, node, is_verbose);
}

void hmp_info_block(Hmp *hmp, json_object *args)
{
    bool is_nodes = hmp_bool(args, "nodes"), is_verbose = hmp_bool(args, "verbose");
    const char *wanted = hmp_has(args, "device") ? hmp_text(args, "device") : NULL;
    json_object *list;
    unsigned shown = 0;

    if (!hmp_call(hmp, is_nodes ? "query-named-block-nodes" : "query-block", NULL, &list)) {
        return;
    }
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *row = json_object_array_get_idx(list, i);
        const char *name = hmp_text(row, is_nodes ? "node-name" : "device");

        if (wanted && strcmp(name, wanted) && strcmp(hmp_text(row, "qdev"), wanted)) {
            continue;
        }
        if (shown++) {
            hmp_printf(hmp, "\n");
        }
        if (is_nodes) {
            show_named(hmp, row, is_verbose);
        } else {
            show_drive(hmp, row, is_verbose);
        }
    }
    json_unref(list);
}

void show_blockstats(Hmp *hmp, json_object *value)
{
    static const char *const counts[] = {
        "rd_bytes", "wr_bytes", "rd_operations", "wr_operations", "flush_operations",
        "wr_total_time_ns", "rd_total_time_ns", "flush_total_time_ns", "rd_merged", "wr_merged",
        "idle_time_ns",
    };

    for (size_t i = 0; i < json_object_array_length(value); i++) {
        json_object *row = json_object_array_get_idx(value, i);

        if (!*hmp_text(row, "device")) {
            continue;
        }
        hmp_printf(hmp, "%s:", hmp_text(row, "device"));
        for (size_t k = 0; k < ARRAY_SIZE(counts); k++) {
            hmp_printf(hmp, " %s=%" PRId64, counts[k],
                       hmp_int(json_member(row, "stats"), counts[k]));
        }
        hmp_printf(hmp, "\n");
    }
}

/* --- drives without a device --- */

static bool put_key(void *opaque, const char *key, const char *value, char **why)
{
    json_set(opaque, key, json_string(value));
    return true;
}

/* As -drive's, with dots in their names. */
static bool add_drive(const char *text, Error **errp)
{
    g_autoptr(JsonObject) keys = json_object_new_object();
    KeyvalSyntax syntax = { .implied_key = "file" };
    g_autofree char *why = NULL;
    json_object *interface;

    if (!keyval_foreach(text, &syntax, put_key, keys, &why)) {
        return error_set(errp, "%s", why);
    }
    interface = json_member(keys, "if");
    if (!interface || strcmp(json_object_get_string(interface), "none")) {
        return error_set(errp, "Can't hot-add drive to type %s",
                         interface ? json_object_get_string(interface) : "default");
    }
    return block_drive_add(keys, BLOCK_IF_NONE, errp);
}

static bool add_node(Hmp *hmp, json_object *args, Error **errp)
{
    g_autoptr(JsonObject) keys = hmp_parse_options(hmp, args, NULL);
    g_autoptr(BlockdevOptions) options =
        keys ? blockdev_options_from_json(keys, QAPI_TEXT, errp) : NULL;

    return !keys || (options && block_node_add(options, errp));
}

void hmp_drive_add(Hmp *hmp, json_object *args)
{
    Error *err = NULL;

    if (hmp_bool(args, "node")) {
        if (!add_node(hmp, args, &err)) {
            hmp_report(hmp, err);
        }
    } else if (add_drive(hmp_text(args, "options"), &err)) {
        hmp_printf(hmp, "OK\n");
    } else {
        hmp_report(hmp, err);
    }
}

void hmp_drive_del(Hmp *hmp, json_object *args)
{
    Error *err = NULL;

    if (!block_drive_delete(hmp_text(args, "id"), &err)) {
        hmp_report(hmp, err);
    }
}

void hmp_commit(Hmp *hmp, json_object *args)
{
    Error *err = NULL;

    if (!block_drive_commit(hmp_text(args, "device"), &err)) {
        hmp_report(hmp, err);
    }
}

/* --- change --- */

/* The password stands where a medium's format does. */
static void change_vnc(Hmp *hmp, json_object *args)
{
    g_autoptr(JsonObject) password = json_object_new_object();
    const char *what = hmp_text(args, "filename");

    if (strcmp(what, "password") && strcmp(what, "passwd")) {
        hmp_printf(hmp, "Expected 'password' after 'vnc'\n");
    } else if (!hmp_has(args, "format")) {
        hmp_printf(hmp, "Expected a word after 'password'\n");
    } else {
        json_set(password, "password", json_object_new_string(hmp_text(args, "format")));
        hmp_call(hmp, "change-vnc-password", password, NULL);
    }
}

void hmp_change(Hmp *hmp, json_object *args)
{
    if (!strcmp(hmp_text(args, "device"), "vnc")) {
        change_vnc(hmp, args);
    } else {
        hmp_call(hmp, "blockdev-change-medium", args, NULL);
    }
}
