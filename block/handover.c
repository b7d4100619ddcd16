/*
 * Images that another process has: the source of a migration until it is over here, its target
 * from then on. Meanwhile nodes hold no locks, nothing is written, and what was read of tables may
 * be out of date by the time the images are ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"
#include "block/driver.h"

static bool are_elsewhere; /* changes while no request is under way */

typedef struct Later {
    void (*fn)(void *opaque);
    void *opaque;
} Later;
static GArray *later; /* NULL: nothing waits */

bool block_images_are_elsewhere(void)
{
    return __atomic_load_n(&are_elsewhere, __ATOMIC_RELAXED);
}

bool block_images_check_ours(const BlockNode *node, Error **errp)
{
    return !block_images_are_elsewhere() ||
           error_set(errp, "Node '%s' is inactive: until a migration has ended here, its image is "
                     "another process's", node->name);
}

void block_images_expect(void)
{
    __atomic_store_n(&are_elsewhere, true, __ATOMIC_RELAXED);
}

void block_images_when_ours(void (*fn)(void *opaque), void *opaque)
{
    if (!block_images_are_elsewhere()) {
        fn(opaque);
        return;
    }
    if (!later) {
        later = g_array_new(FALSE, FALSE, sizeof(Later));
    }
    g_array_append_val(later, ((Later){ fn, opaque }));
}

static void do_what_waited(void)
{
    for (guint i = 0; later && i < later->len; i++) {
        const Later *l = &g_array_index(later, Later, i);

        l->fn(l->opaque);
    }
    g_clear_pointer(&later, g_array_unref);
}

static void collect(void *opaque, BlockNode *node)
{
    g_ptr_array_add(opaque, block_node_ref(node));
}

static GPtrArray *all_nodes(void)
{
    GPtrArray *nodes = g_ptr_array_new_with_free_func((GDestroyNotify)block_node_unref);

    block_node_each(collect, nodes);
    return nodes;
}

static bool finish_all(const GPtrArray *nodes, Error **errp)
{
    for (guint i = 0; i < nodes->len; i++) {
        BlockNode *node = nodes->pdata[i];

        if (!node->is_read_only && !block_node_finish(node, errp)) {
            return false;
        }
    }
    return true;
}

/* Locks are let go of, or held again, by what permissions there are. */
static bool set_elsewhere(bool is_on, const GPtrArray *nodes, Error **errp)
{
    __atomic_store_n(&are_elsewhere, is_on, __ATOMIC_RELAXED);
    if (block_nodes_refresh_perms((BlockNode *const *)nodes->pdata, nodes->len, errp)) {
        return true;
    }
    __atomic_store_n(&are_elsewhere, !is_on, __ATOMIC_RELAXED);
    block_nodes_refresh_perms((BlockNode *const *)nodes->pdata, nodes->len, NULL);
    return false;
}

bool block_images_give(Error **errp)
{
    g_autoptr(GPtrArray) nodes = NULL;

    if (block_images_are_elsewhere()) {
        return true;
    }
    nodes = all_nodes();
    block_drain_all();
    return finish_all(nodes, errp) && set_elsewhere(true, nodes, errp);
}

/* What is below first. */
static bool read_anew(GHashTable *seen, BlockNode *node, Error **errp)
{
    if (!g_hash_table_add(seen, node)) {
        return true;
    }
    for (guint i = 0; i < node->children->len; i++) {
        if (!read_anew(seen, ((BlockLink *)node->children->pdata[i])->node, errp)) {
            return false;
        }
    }
    return !node->driver->taken || node->driver->taken(node, errp);
}

bool block_images_take(Error **errp)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) nodes = NULL;

    if (!block_images_are_elsewhere()) {
        return true;
    }
    nodes = all_nodes();
    if (!set_elsewhere(false, nodes, errp)) {
        return false;
    }
    for (guint i = 0; i < nodes->len; i++) {
        if (!read_anew(seen, nodes->pdata[i], errp)) {
            set_elsewhere(true, nodes, NULL);
            return false;
        }
    }
    do_what_waited();
    return true;
}
