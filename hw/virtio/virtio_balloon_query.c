/*
 * QMP commands and events of the machine's balloon.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_balloon.h"

#include "hw/core/device_memory.h"
#include "hw/core/machine.h"
#include "qapi/qapi-commands-machine.h"
#include "qapi/qapi-events-machine.h"

/* The machine's one balloon: commands name none. Machine lock. */
static VirtioBalloon *current;

bool virtio_balloon_set_current(VirtioBalloon *s, Error **errp)
{
    if (current) {
        return error_set(errp, "Only one balloon device is supported");
    }
    current = s;
    return true;
}

void virtio_balloon_clear_current(const VirtioBalloon *s)
{
    current = current == s ? NULL : current;
}

static uint64_t machine_bytes(void)
{
    const Machine *machine = machine_current();

    return machine->memory.size_bytes + device_memory_plugged_bytes(machine);
}

/* What is left to the guest, if it says the truth. */
static int64_t actual_bytes(const VirtioBalloon *s)
{
    uint64_t all = machine_bytes(), gone = s->actual_pages * VIRTIO_BALLOON_PAGE_BYTES;

    return all - MIN(all, gone);
}

void virtio_balloon_tell_actual(const VirtioBalloon *s)
{
    qapi_event_send_balloon_change(actual_bytes(s));
}

static VirtioBalloon *find_current(Error **errp)
{
    if (!current) {
        error_set_class(errp, ERROR_DEVICE_NOT_ACTIVE, "No balloon device has been activated");
    }
    return current;
}

bool qmp_balloon(int64_t value, Error **errp)
{
    VirtioBalloon *s = find_current(errp);
    uint64_t all = machine_bytes();

    if (!s) {
        return false;
    }
    if (value <= 0) {
        return error_set(errp, "Parameter 'target' expects a size");
    }
    s->target_pages = (all - MIN(all, (uint64_t)value)) / VIRTIO_BALLOON_PAGE_BYTES;
    virtio_config_changed(&s->parent);
    return true;
}

BalloonInfo *qmp_query_balloon(Error **errp)
{
    const VirtioBalloon *s = find_current(errp);
    BalloonInfo *info;

    if (!s) {
        return NULL;
    }
    info = g_new0(BalloonInfo, 1);
    info->actual = actual_bytes(s);
    return info;
}
