/*
 * See include/block/block_job.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_job.h"

#include "qapi/qapi-commands-job.h"
#include "qapi/qapi-events-job.h"
#include "util/event_loop.h"
#include "util/id.h"

typedef struct Job {
    char *id;
    const JobKind *kind;
    void *opaque;
    JobStatus status;
    Error *error;
    bool is_cancelled;
} Job;

static GPtrArray *jobs; /* oldest first; machine lock */

static GPtrArray *all_jobs(void)
{
    if (!jobs) {
        jobs = g_ptr_array_new();
    }
    return jobs;
}

static Job *find(const char *id)
{
    for (guint i = 0; i < all_jobs()->len; i++) {
        Job *job = jobs->pdata[i];

        if (!strcmp(job->id, id)) {
            return job;
        }
    }
    return NULL;
}

static void go(Job *job, JobStatus status)
{
    job->status = status;
    qapi_event_send_job_status_change(job->id, status);
}

static void job_free(Job *job)
{
    g_ptr_array_remove(all_jobs(), job);
    error_free(job->error);
    if (job->opaque) {
        job->kind->free(job->opaque);
    }
    g_free(job->id);
    g_free(job);
}

static void run(void *opaque)
{
    Job *job = opaque;
    bool is_done = job->is_cancelled ? error_set(&job->error, "Operation canceled") :
                                       job->kind->run(job->opaque, &job->error);

    job->kind->free(job->opaque);
    job->opaque = NULL;
    if (is_done) {
        go(job, JOB_STATUS_WAITING);
        go(job, JOB_STATUS_PENDING);
    } else {
        go(job, JOB_STATUS_ABORTING);
    }
    go(job, JOB_STATUS_CONCLUDED);
}

bool job_start(const char *id, const JobKind *kind, void *opaque, Error **errp)
{
    Job *job;

    if (!id_is_well_formed(id) || find(id)) {
        kind->free(opaque);
        return error_set(errp, find(id) ? "Job ID '%s' already in use" : "Invalid job ID '%s'",
                         id);
    }
    job = g_new0(Job, 1);
    *job = (Job){ .id = g_strdup(id), .kind = kind, .opaque = opaque };
    g_ptr_array_add(all_jobs(), job);
    go(job, JOB_STATUS_CREATED);
    go(job, JOB_STATUS_RUNNING);
    event_loop_defer(event_loop_main(), run, job);
    return true;
}

void job_cleanup(void)
{
    for (guint i = all_jobs()->len; i > 0; i--) {
        Job *job = jobs->pdata[i - 1];

        if (job->status == JOB_STATUS_CONCLUDED) {
            job_free(job);
        }
    }
    if (!jobs->len) {
        g_clear_pointer(&jobs, g_ptr_array_unref);
    }
}

/* --- commands --- */

JobInfoArray *qmp_query_jobs(Error **errp)
{
    JobInfoArray *list = g_new0(JobInfoArray, 1);

    for (guint i = 0; i < all_jobs()->len; i++) {
        const Job *job = jobs->pdata[i];
        JobInfo *info = g_new0(JobInfo, 1);

        info->id = g_strdup(job->id);
        info->type = job->kind->type;
        info->status = job->status;
        info->current_progress = job->status == JOB_STATUS_CONCLUDED;
        info->total_progress = 1;
        info->error = job->error ? g_strdup(error_text(job->error)) : NULL;
        job_info_array_add(list, info);
    }
    return list;
}

/* The job, if it is where a client may do that. */
static Job *find_for(const char *id, const char *verb, JobStatus status, Error **errp)
{
    Job *job = find(id);

    if (!job) {
        error_set(errp, "Job not found");
        return NULL;
    }
    if (job->status != status) {
        error_set(errp, "Job '%s' in state '%s' cannot accept command verb '%s'", id,
                  enum_table_name(&job_status_names, job->status), verb);
        return NULL;
    }
    return job;
}

bool qmp_job_cancel(const char *id, Error **errp)
{
    Job *job = find_for(id, "cancel", JOB_STATUS_RUNNING, errp);

    if (job) {
        job->is_cancelled = true;
    }
    return job;
}

bool qmp_job_dismiss(const char *id, Error **errp)
{
    Job *job = find_for(id, "dismiss", JOB_STATUS_CONCLUDED, errp);

    if (!job) {
        return false;
    }
    go(job, JOB_STATUS_NULL);
    job_free(job);
    return true;
}
