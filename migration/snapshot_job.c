/*
 * snapshot-save, snapshot-load, snapshot-delete: snapshots of the machine as jobs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_job.h"
#include "qapi/qapi-commands-migration.h"
#include "system/machine_snapshot.h"
#include "system/run_state.h"

typedef struct SnapshotJob {
    char *name, *vm_state; /* vm_state NULL: none is asked for */
    char **devices;
} SnapshotJob;

static void job_free(void *opaque)
{
    SnapshotJob *job = opaque;

    g_free(job->name);
    g_free(job->vm_state);
    g_strfreev(job->devices);
    g_free(job);
}

static MachineSnapshot snapshot_of(const SnapshotJob *job)
{
    return (MachineSnapshot){ .name = job->name, .vm_state = job->vm_state,
                              .devices = (const char *const *)job->devices };
}

static bool run_save(void *opaque, Error **errp)
{
    MachineSnapshot snapshot = snapshot_of(opaque);

    return machine_snapshot_ops()->save(&snapshot, errp);
}

static bool run_load(void *opaque, Error **errp)
{
    MachineSnapshot snapshot = snapshot_of(opaque);
    bool was_running = vm_is_running();

    if (!machine_snapshot_ops()->load(&snapshot, errp)) {
        return false;
    }
    if (was_running) {
        vm_start();
    }
    return true;
}

static bool run_delete(void *opaque, Error **errp)
{
    MachineSnapshot snapshot = snapshot_of(opaque);

    return machine_snapshot_ops()->delete(&snapshot, errp);
}

static bool start(const char *id, const JobKind *kind, const char *name, const char *vm_state,
                  const StrArray *devices, Error **errp)
{
    SnapshotJob *job = g_new0(SnapshotJob, 1);

    *job = (SnapshotJob){ g_strdup(name), g_strdup(vm_state), g_new0(char *, devices->count + 1) };
    for (size_t i = 0; i < devices->count; i++) {
        job->devices[i] = g_strdup(devices->items[i]);
    }
    return job_start(id, kind, job, errp);
}

bool qmp_snapshot_save(const char *job_id, const char *tag, const char *vmstate,
                       const StrArray *devices, Error **errp)
{
    static const JobKind kind = { JOB_TYPE_SNAPSHOT_SAVE, run_save, job_free };

    return start(job_id, &kind, tag, vmstate, devices, errp);
}

bool qmp_snapshot_load(const char *job_id, const char *tag, const char *vmstate,
                       const StrArray *devices, Error **errp)
{
    static const JobKind kind = { JOB_TYPE_SNAPSHOT_LOAD, run_load, job_free };

    return start(job_id, &kind, tag, vmstate, devices, errp);
}

bool qmp_snapshot_delete(const char *job_id, const char *tag, const StrArray *devices,
                         Error **errp)
{
    static const JobKind kind = { JOB_TYPE_SNAPSHOT_DELETE, run_delete, job_free };

    return start(job_id, &kind, tag, NULL, devices, errp);
}
