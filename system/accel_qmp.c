/*
 * QMP commands about accelerators.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/accel.h"

#include "qapi/qapi-commands-machine.h"

KvmInfo *qmp_query_kvm(Error **errp)
{
    KvmInfo *info = g_new0(KvmInfo, 1);

    info->enabled = accel_is("kvm");
    info->present = accel_find("kvm");
    return info;
}
