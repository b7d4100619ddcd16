/*
 * Job: work that goes on after the command that began it, until a client takes note of its end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLOCK_JOB_H
#define BLOCK_BLOCK_JOB_H

#include "qapi/qapi-types-job.h"
#include "qom/error.h"

/* In the main loop, once; `opaque` is freed afterwards. */
typedef bool JobRun(void *opaque, Error **errp);

typedef struct JobKind {
    JobType type;
    JobRun *run;
    GDestroyNotify free;
} JobKind;

/* Begins soon. False: there is one of this name, or it is none; `opaque` was freed. */
bool job_start(const char *id, const JobKind *kind, void *opaque, Error **errp);
/* Those that are over, at the end of the process. */
void job_cleanup(void);

#endif
