/*
 * See block/create.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/create.h"

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
