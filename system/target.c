/*
 * The binary's target: see system/target.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-machine.h"
#include "system/target.h"

static const TargetInfo *current;

void target_set(const TargetInfo *info)
{
    current = info;
}

const TargetInfo *target_info(void)
{
    assert(current);
    return current;
}

TargetArchInfo *qmp_query_target(Error **errp)
{
    int arch = enum_table_find(&sys_emu_target_names, target_info()->name);
    TargetArchInfo *info;

    assert(arch >= 0);
    info = g_new0(TargetArchInfo, 1);
    info->arch = arch;
    return info;
}
