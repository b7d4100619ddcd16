/*
 * HMP commands on snapshots of the machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "system/machine_snapshot.h"
#include "system/run_state.h"

static MachineSnapshot named(json_object *args)
{
    return (MachineSnapshot){ .name = hmp_text(args, "name"), .may_replace = true };
}

void hmp_savevm(Hmp *hmp, json_object *args)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *made = g_date_time_format(now, "vm-%Y%m%d%H%M%S");
    MachineSnapshot snapshot = named(args);
    Error *err = NULL;

    if (!hmp_has(args, "name")) {
        snapshot.name = made;
    }
    machine_snapshot_ops()->save(&snapshot, &err);
    hmp_report(hmp, err);
}

void hmp_loadvm(Hmp *hmp, json_object *args)
{
    MachineSnapshot snapshot = named(args);
    bool was_running = vm_is_running();
    Error *err = NULL;

    if (machine_snapshot_ops()->load(&snapshot, &err) && was_running) {
        vm_start();
    }
    hmp_report(hmp, err);
}

void hmp_delvm(Hmp *hmp, json_object *args)
{
    MachineSnapshot snapshot = named(args);
    Error *err = NULL;

    machine_snapshot_ops()->delete(&snapshot, &err);
    hmp_report(hmp, err);
}

/* --- info snapshots --- */

static json_object *snapshots_of(json_object *drive)
{
    json_object *node = json_member(drive, "inserted");
    json_object *image = node && !hmp_bool(node, "ro") ? json_member(node, "image") : NULL;

    return image ? json_member(image, "snapshots") : NULL;
}

static bool has_medium(json_object *drive)
{
    json_object *node = json_member(drive, "inserted");

    return node && !hmp_bool(node, "ro");
}

static bool is_in(json_object *snapshots, const char *name)
{
    for (size_t i = 0; snapshots && i < json_object_array_length(snapshots); i++) {
        if (!strcmp(hmp_text(json_object_array_get_idx(snapshots, i), "name"), name)) {
            return true;
        }
    }
    return false;
}

static bool is_everywhere(json_object *drives, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(drives); i++) {
        json_object *drive = json_object_array_get_idx(drives, i);

        if (has_medium(drive) && !is_in(snapshots_of(drive), name)) {
            return false;
        }
    }
    return true;
}

static void show_one(Hmp *hmp, json_object *snapshot)
{
    g_autofree char *size = hmp_size_text(hmp_int(snapshot, "vm-state-size"));
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(hmp_int(snapshot, "date-sec"));
    g_autofree char *day = g_date_time_format(date, "%Y-%m-%d %H:%M:%S");
    int64_t seconds = hmp_int(snapshot, "vm-clock-sec");
    g_autofree char *clock = g_strdup_printf("%02d:%02d:%02d.%03d", (int)(seconds / 3600),
                                             (int)(seconds / 60 % 60), (int)(seconds % 60),
                                             (int)(hmp_int(snapshot, "vm-clock-nsec") / 1000000));

    hmp_printf(hmp, "%-9s %-16s %8s%20s%13s%11s\n", "--", hmp_text(snapshot, "name"), size, day,
               clock, "");
}

static json_object *first_list(json_object *drives)
{
    for (size_t i = 0; i < json_object_array_length(drives); i++) {
        json_object *list = snapshots_of(json_object_array_get_idx(drives, i));

        if (list) {
            return list;
        }
    }
    return NULL;
}

void show_snapshots(Hmp *hmp, json_object *drives)
{
    json_object *list = first_list(drives);
    unsigned shown = 0;

    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        json_object *snapshot = json_object_array_get_idx(list, i);

        if (!is_everywhere(drives, hmp_text(snapshot, "name"))) {
            continue;
        }
        if (!shown++) {
            hmp_printf(hmp, "List of snapshots present on all disks:\n%-9s %-16s %8s%20s%13s%11s\n",
                       "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
        }
        show_one(hmp, snapshot);
    }
    if (!shown) {
        hmp_printf(hmp, "There is no snapshot available.\n");
    }
}
