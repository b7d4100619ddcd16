/*
 * See block/create.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/create.h"

#include "block/block_job.h"
#include "qapi/qapi-commands-block-core.h"

bool block_create(const BlockdevCreateOptions *options, Error **errp)
{
    const BlockDriver *driver = block_driver_of(options->driver);

    if (!driver || !driver->create) {
        return error_set(errp, "Driver '%s' does not support image creation",
                         enum_table_name(&blockdev_driver_names, options->driver));
    }
    return driver->create(options, errp);
}

BlockdevRef *block_ref_to(const BlockNode *node)
{
    BlockdevRef *ref = g_new0(BlockdevRef, 1);

    ref->type = json_type_string;
    ref->u.reference = g_strdup(node->name);
    return ref;
}

BlockNode *block_open_ref(const BlockdevRef *ref, Error **errp)
{
    BlockNode *node;

    if (ref->type == json_type_string) {
        node = block_node_get(ref->u.reference, errp);
        return node ? block_node_ref(node) : NULL;
    }
    return block_open(ref->u.definition, errp);
}

/* --- as a job --- */

static bool run(void *opaque, Error **errp)
{
    return block_create(opaque, errp);
}

static void free_options(gpointer options)
{
    blockdev_create_options_free(options);
}

bool qmp_blockdev_create(const char *job_id, const BlockdevCreateOptions *options, Error **errp)
{
    static const JobKind kind = { JOB_TYPE_CREATE, run, free_options };
    const BlockDriver *driver = block_driver_of(options->driver);

    if (!driver || !driver->create) {
        return error_set(errp, "Driver does not support blockdev-create");
    }
    return job_start(job_id, &kind, blockdev_create_options_clone(options), errp);
}
