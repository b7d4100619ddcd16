/*
 * What clients ask about memory back ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_backend.h"

#include "qapi/qapi-commands-machine.h"
#include "util/bitmap.h"

static Memdev *describe(const MemoryBackend *b)
{
    Memdev *info = g_new0(Memdev, 1);

    info->id = g_strdup(b->parent.name);
    info->size = b->size_bytes;
    info->merge = b->is_merged;
    info->dump = b->is_dumped;
    info->prealloc = b->is_preallocated;
    info->share = b->is_shared;
    info->has_reserve = true;
    info->reserve = b->is_reserved;
    info->policy = (HostMemPolicy)b->policy;
    info->host_nodes = g_new0(Uint16Array, 1);
    for (unsigned node = 0; node < HOST_NODES; node++) {
        if (bitmap_test(b->host_nodes, node)) {
            uint16_array_add(info->host_nodes, node);
        }
    }
    return info;
}

static void add_one(void *opaque, Object *obj)
{
    if (object_is_a(obj, TYPE_MEMORY_BACKEND)) {
        memdev_array_add(opaque, describe(MEMORY_BACKEND(obj)));
    }
}

MemdevArray *qmp_query_memdev(Error **errp)
{
    MemdevArray *list = g_new0(MemdevArray, 1);

    object_each_child(object_container("/objects"), add_one, list);
    return list;
}
