/*
 * QMP commands on the session itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "config-host.h"
#include "qapi/qapi-commands-control.h"
#include "qmp.h"

bool qmp_qmp_capabilities(const QMPCapabilityArray *enable, Error **errp)
{
    bool wants_oob = false;

    for (size_t i = 0; enable && i < enable->count; i++) {
        wants_oob |= enable->items[i] == QMP_CAPABILITY_OOB;
    }
    return qmp_monitor_negotiate(wants_oob, errp);
}

VersionInfo *qmp_query_version(Error **errp)
{
    VersionInfo *result = g_new0(VersionInfo, 1);
    unsigned major = 0, minor = 0, micro = 0;

    sscanf(CONFIG_VERSION, "%u.%u.%u", &major, &minor, &micro);
    result->qemu = g_new0(VersionTriple, 1);
    result->qemu->major = major;
    result->qemu->minor = minor;
    result->qemu->micro = micro;
    result->package = g_strdup(QMP_PACKAGE);
    return result;
}
