/*
 * See cli/drives.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/drives.h"

#include "block/block_clock.h"
#include "block/block_drive.h"
#include "block/block_image.h"
#include "hw/core/bus.h"
#include "hw/core/machine.h"
#include "hw/pci/pci_bus.h"
#include "qapi/qapi-types-block-core.h"
#include "system/run_state.h"
#include "system/timer.h"

#define CDROM_INDEX "2"

/* --- the machine and its drives --- */

static void stop_machine(void)
{
    vm_stop(RUN_STATE_IO_ERROR);
}

static void state_changed(Notifier *notifier, void *data)
{
    const RunStateChange *change = data;

    if (change->is_running) {
        block_vm_runs();
    } else {
        block_vm_stopped();
    }
}

/* Under qtest drives wait as long as the guest does. */
static Clock drive_clock(void)
{
    return clock_qtest_is_enabled() ? CLOCK_VIRTUAL : CLOCK_REAL;
}

static int64_t drive_now_ns(void)
{
    return clock_now_ns(drive_clock());
}

struct BlockTimer {
    Timer timer;
    EventFn *fn;
    void *opaque;
};

static BlockTimer *drive_timer_new(EventFn *fn, void *opaque)
{
    BlockTimer *timer = g_new0(BlockTimer, 1);

    timer->fn = fn;
    timer->opaque = opaque;
    return timer;
}

static void drive_timer_free(BlockTimer *timer)
{
    timer_clear(&timer->timer);
    g_free(timer);
}

/* Which clock it is, is known only now. */
static void drive_timer_arm_after(BlockTimer *timer, int64_t delay_ns)
{
    if (!timer->timer.list) {
        timer_init(&timer->timer, drive_clock(), timer->fn, timer->opaque);
    }
    timer_arm_after_ns(&timer->timer, delay_ns);
}

void drives_prepare(void)
{
    static const BlockMachineOps ops = { stop_machine };
    static const BlockClock clock = { true, drive_now_ns, drive_timer_new, drive_timer_free,
                                      drive_timer_arm_after };
    static Notifier notifier = { .fn = state_changed };

    block_set_machine_ops(&ops);
    block_set_clock(&clock);
    vm_add_state_notifier(&notifier);
    vm_set_start_check(block_images_take); /* a migration's source goes on after all */
}

/* --- images --- */

static bool add_blockdev(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    g_autoptr(BlockdevOptions) options =
        blockdev_options_from_json(value->keys, value->is_json ? QAPI_TYPED : QAPI_TEXT, errp);

    return options && block_node_add(options, errp);
}

static bool add_drive(OptionSet *set, OptionValue *value, void *opaque, Error **errp)
{
    if (option_given(set, "snapshot") && !json_member(value->keys, "snapshot")) {
        json_set(value->keys, "snapshot", json_string("on"));
    }
    return block_drive_add(value->keys, machine_ops(machine_current())->block_interface, errp);
}

/* Who brings one, or a controller of its own, wants no other. */
static bool is_any_device_given(OptionSet *set, const char *const *drivers)
{
    GPtrArray *values = g_hash_table_lookup(set->values, "device");

    for (guint k = 0; values && k < values->len; k++) {
        const OptionValue *value = values->pdata[k];
        json_object *name = value->keys ? json_member(value->keys, "driver") : NULL;

        if (name && g_strv_contains(drivers, json_object_get_string(name))) {
            return true;
        }
    }
    return false;
}

static bool add_default(BlockInterface interface, const char *index, const char *media)
{
    g_autoptr(JsonObject) keys = json_object_new_object();
    Error *err = NULL;
    BlockDrive *drive;

    json_set(keys, "index", json_string(index));
    json_set(keys, "media", json_string(media));
    drive = block_drive_add(keys, interface, &err);
    if (!drive) {
        error_free(err); /* something else is there */
        return true;
    }
    drive->is_default = true;
    return true;
}

static bool add_defaults(OptionSet *set)
{
    static const char *const disks[] = { "ide-cd", "ide-hd", "scsi-cd", "scsi-hd", NULL };
    static const char *const floppies[] = { "isa-fdc", "floppy", NULL };
    const MachineType *ops = machine_ops(machine_current());

    if (option_given(set, "nodefaults")) {
        return true;
    }
    return (!ops->has_cdrom || is_any_device_given(set, disks) ||
            add_default(ops->block_interface, CDROM_INDEX, "cdrom")) &&
           (!ops->has_floppy_drive || is_any_device_given(set, floppies) ||
            add_default(BLOCK_IF_FLOPPY, "0", "disk"));
}

bool drives_add(OptionSet *set)
{
    const MachineType *ops = machine_ops(machine_current());

    if (ops->ide_units) {
        block_drive_set_units(BLOCK_IF_IDE, ops->ide_units);
    }
    return option_each(set, "blockdev", add_blockdev, NULL) &&
           option_each(set, "drive", add_drive, NULL) && add_defaults(set);
}

/* --- devices --- */

static bool add_virtio(BlockDrive *drive)
{
    g_autoptr(JsonObject) device = json_object_new_object();
    bool has_pci = bus_find_free(TYPE_PCI_BUS);
    Error *err = NULL;

    json_set(device, "driver", json_string(has_pci ? "virtio-blk-pci" : "virtio-blk-device"));
    json_set(device, "drive", json_string(block_backend_name(drive->backend)));
    drive->is_taken = true;
    if (!device_add(device, PROPERTY_TEXT, &err)) {
        error_report_err(err);
        return false;
    }
    return true;
}

bool drives_place(OptionSet *set)
{
    BlockDrive *drive;
    Error *err = NULL;

    for (unsigned n = 0; (drive = block_drive_nth(BLOCK_IF_VIRTIO, n)); n++) {
        if (!add_virtio(drive)) {
            return false;
        }
    }
    if (!block_drives_check(&err)) {
        error_report_err(err);
        return false;
    }
    return true;
}

void drives_cleanup(void)
{
    block_drives_cleanup();
    block_cleanup();
}
