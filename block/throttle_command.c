/*
 * Limits of drives, as users set and see them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "qapi/qapi-commands-block-core.h"

static bool is_in(const BlockBackend *drive, const char *group)
{
    return drive->throttle &&
           (!group || !strcmp(throttle_group_name(drive->throttle->group), group));
}

static void leave(BlockBackend *drive)
{
    if (drive->throttle) {
        throttle_member_clear(drive->throttle);
        g_clear_pointer(&drive->throttle, g_free);
    }
}

void block_backend_set_limits(BlockBackend *drive, const IoLimits *limits, const char *group)
{
    g_autofree char *own = *block_backend_name(drive) ? g_strdup(block_backend_name(drive)) :
                                                        block_backend_device_name(drive);

    if (!limits && !drive->throttle) {
        return;
    }
    block_backend_begin_quiet(drive);
    if (!limits || !io_limits_are_set(limits)) {
        leave(drive);
    } else if (!is_in(drive, group)) {
        leave(drive);
        drive->throttle = g_new0(ThrottleMember, 1);
        throttle_member_init_named(drive->throttle, group ? group : own);
    }
    if (drive->throttle) {
        throttle_group_set(drive->throttle->group, limits);
    }
    block_backend_end_quiet(drive);
}

bool qmp_block_set_io_throttle(const BlockIOThrottle *args, Error **errp)
{
    BlockBackend *drive = block_backend_named(args->device, args->id, errp);
    g_autoptr(JsonObject) values = block_io_throttle_to_json(args);
    IoLimits limits;

    if (!drive) {
        return false;
    }
    if (!block_backend_node(drive)) {
        return error_set(errp, "Device has no medium");
    }
    io_limits_init(&limits);
    io_limits_take(&limits, values, true);
    if (!io_limits_check(&limits, errp)) {
        return false;
    }
    block_backend_set_limits(drive, &limits, args->group);
    return true;
}

#define FILL(name, limit)                                                                          \
    info->name = (limit).rate;                                                                     \
    info->has_##name##_max = info->has_##name##_max_length = (limit).burst != 0;                   \
    info->name##_max = (limit).burst;                                                              \
    info->name##_max_length = (limit).seconds
void block_backend_fill_limits(const BlockBackend *drive, BlockDeviceInfo *info)
{
    IoLimits limits;

    if (!drive->throttle) {
        return;
    }
    throttle_group_limits(drive->throttle->group, &limits);
    FILL(bps, limits.bytes[IO_LIMIT_TOTAL]);
    FILL(bps_rd, limits.bytes[IO_LIMIT_READ]);
    FILL(bps_wr, limits.bytes[IO_LIMIT_WRITE]);
    FILL(iops, limits.requests[IO_LIMIT_TOTAL]);
    FILL(iops_rd, limits.requests[IO_LIMIT_READ]);
    FILL(iops_wr, limits.requests[IO_LIMIT_WRITE]);
    info->has_iops_size = limits.request_bytes != 0;
    info->iops_size = limits.request_bytes;
    info->group = g_strdup(throttle_group_name(drive->throttle->group));
}
