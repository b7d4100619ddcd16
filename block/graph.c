/*
 * The graph of block nodes: nodes, their children, those who use them. See block/driver.h; what
 * users may do is in permissions.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/bitmap.h"
#include "block/block_job.h"

#include "trace.h"

/* Newest first. Machine lock. */
static GPtrArray *nodes;
static unsigned names_made;
static __thread bool opens_as_check;

/* --- nodes --- */

static GPtrArray *all_nodes(void)
{
    if (!nodes) {
        nodes = g_ptr_array_new();
    }
    return nodes;
}

BlockNode *block_node_find(const char *name)
{
    for (guint i = 0; i < all_nodes()->len; i++) {
        BlockNode *node = nodes->pdata[i];

        if (!strcmp(node->name, name)) {
            return node;
        }
    }
    return NULL;
}

BlockNode *block_node_get(const char *name, Error **errp)
{
    BlockNode *node = block_node_find(name);

    if (!node) {
        error_set(errp, "Cannot find device='' nor node-name='%s'", name);
    }
    return node;
}

void block_node_each(void (*fn)(void *opaque, BlockNode *node), void *opaque)
{
    g_autoptr(GPtrArray) list = g_ptr_array_copy(all_nodes(), NULL, NULL);

    for (guint i = list->len; i > 0; i--) {
        fn(opaque, list->pdata[i - 1]);
    }
}

static bool is_name(const char *name)
{
    if (!g_ascii_isalpha(*name) || strlen(name) > BLOCK_NAME_BYTES) {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
           strlen(name);
}

static bool check_name(const char *name, Error **errp)
{
    if (!is_name(name)) {
        return error_set(errp, "Invalid node-name: '%s'", name);
    }
    return !block_node_find(name) ||
           error_set(errp, "Duplicate nodes with node-name='%s'", name);
}

static char *make_name(void)
{
    for (;;) {
        char *name = g_strdup_printf("#block%03u", names_made++);

        if (!block_node_find(name)) {
            return name;
        }
        g_free(name);
    }
}

static void free_links(BlockNode *node)
{
    while (node->children->len) {
        block_link_free(g_ptr_array_steal_index(node->children, node->children->len - 1));
    }
    node->file = node->backing = NULL;
}

static void node_free(BlockNode *node)
{
    assert(!node->users->len);
    g_ptr_array_remove(all_nodes(), node);
    free_links(node);
    g_ptr_array_unref(node->children);
    g_ptr_array_unref(node->users);
    block_bitmaps_free(node);
    json_unref(node->given);
    g_free(node->name);
    g_free(node->filename);
    g_free(node);
}

BlockNode *block_node_ref(BlockNode *node)
{
    node->refs++;
    return node;
}

void block_node_unref(BlockNode *node)
{
    if (node && !--node->refs) {
        trace_block_close(node->name);
        if (node->driver->close) {
            node->driver->close(node);
        }
        node_free(node);
    }
}

void block_open_as_check(bool is_on)
{
    opens_as_check = is_on;
}

void block_node_take_flags(BlockNode *node, const BlockdevOptions *options)
{
    node->is_read_only = options->read_only;
    node->is_auto_read_only = options->auto_read_only;
    node->is_shared = options->force_share;
    node->has_discard = options->discard == BLOCKDEV_DISCARD_OPTIONS_UNMAP;
    node->is_direct = options->cache && options->cache->direct;
    node->is_unsafe = options->cache && options->cache->no_flush;
    node->detect_zeroes = options->detect_zeroes;
    node->is_check = opens_as_check;
}

bool block_check_flags(const BlockdevOptions *options, Error **errp)
{
    if (options->force_share && !options->read_only) {
        return error_set(errp, "force-share=on can only be used with read-only images");
    }
    if (options->detect_zeroes == BLOCKDEV_DETECT_ZEROES_OPTIONS_UNMAP &&
        options->discard != BLOCKDEV_DISCARD_OPTIONS_UNMAP) {
        return error_set(errp, "setting detect-zeroes to unmap is not allowed without setting "
                         "discard operation to unmap");
    }
    return true;
}

BlockNode *block_open(const BlockdevOptions *options, Error **errp)
{
    const BlockDriver *driver = block_driver_of(options->driver);
    BlockNode *node;

    if (!driver) {
        error_set(errp, "Unknown driver '%s'",
                  enum_table_name(&blockdev_driver_names, options->driver));
        return NULL;
    }
    if (!block_check_flags(options, errp) ||
        (options->node_name && !check_name(options->node_name, errp))) {
        return NULL;
    }
    node = g_malloc0(driver->size);
    node->driver = driver;
    node->refs = 1;
    node->alignment = 1;
    node->shared = BLOCK_PERM_ALL;
    node->name = options->node_name ? g_strdup(options->node_name) : make_name();
    node->children = g_ptr_array_new();
    node->users = g_ptr_array_new();
    node->given = blockdev_options_to_json(options);
    block_node_take_flags(node, options);
    g_ptr_array_insert(all_nodes(), 0, node);
    trace_block_open(node->name, driver->name);
    if (!driver->open(node, options, errp)) {
        node_free(node);
        return NULL;
    }
    return node;
}

const char *block_node_name(const BlockNode *node)
{
    return node->name;
}

uint64_t block_node_bytes(const BlockNode *node)
{
    return __atomic_load_n(&node->bytes, __ATOMIC_RELAXED);
}

bool block_node_is_read_only(const BlockNode *node)
{
    return node->is_read_only;
}

uint32_t block_node_alignment(const BlockNode *node)
{
    return node->alignment;
}

const char *block_node_filename(const BlockNode *node)
{
    return node->filename ? node->filename : node->file ? block_node_filename(node->file) : "";
}

void block_node_set_filename(BlockNode *node, const char *filename)
{
    g_free(node->filename);
    node->filename = g_strdup(filename);
}

const char *block_node_driver(const BlockNode *node)
{
    return node->driver->name;
}

BlockNode *block_node_skip_filters(BlockNode *node)
{
    while (node->driver->is_filter && node->file) {
        node = node->file;
    }
    return node;
}

void block_node_set_bytes(BlockNode *node, uint64_t bytes)
{
    if (block_node_bytes(node) == bytes) {
        return;
    }
    __atomic_store_n(&node->bytes, bytes, __ATOMIC_RELAXED);
    block_bitmaps_resize(node);
    for (guint i = 0; i < node->users->len; i++) {
        BlockLink *link = node->users->pdata[i];

        if (link->resized) {
            link->resized(link->opaque);
        }
    }
}

bool block_node_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp)
{
    if (!(node->perms & BLOCK_PERM_RESIZE)) {
        for (guint i = 0; i < node->users->len; i++) {
            const BlockLink *link = node->users->pdata[i];

            if (!(link->shared & BLOCK_PERM_RESIZE)) {
                return error_set(errp, "Node '%s' is used by %s, which does not allow to resize "
                                 "it", node->name, link->user);
            }
        }
    }
    if (node->is_read_only) {
        return error_set(errp, "Image is read-only");
    }
    if (!node->driver->resize) {
        return error_set(errp, "Image format driver does not support resize");
    }
    if (bytes > BLOCK_MAX_BYTES) {
        return error_set(errp, "Required too big image size, it must be not greater than %" PRIu64,
                         (uint64_t)BLOCK_MAX_BYTES);
    }
    return node->driver->resize(node, bytes, prealloc, errp);
}

/* --- what clients make --- */

bool block_node_add(const BlockdevOptions *options, Error **errp)
{
    BlockNode *node;

    if (!options->node_name) {
        return error_set(errp, "'node-name' must be specified for the root node");
    }
    node = block_open(options, errp);
    if (!node) {
        return false;
    }
    node->is_clients = true;
    return true;
}

bool block_node_delete(const char *name, Error **errp)
{
    BlockNode *node = block_node_find(name);

    if (!node) {
        return error_set(errp, "Failed to find node with node-name='%s'", name);
    }
    if (node->users->len) {
        return error_set(errp, "Node '%s' is busy: node is used as '%s' of %s", name,
                         ((BlockLink *)node->users->pdata[0])->role,
                         ((BlockLink *)node->users->pdata[0])->user);
    }
    if (!node->is_clients) {
        return error_set(errp, "Node %s is not owned by the monitor", name);
    }
    if (node->refs > 1) {
        return error_set(errp, "Node %s is in use", name);
    }
    block_node_unref(node);
    return true;
}

void block_cleanup(void)
{
    for (guint i = 0; i < all_nodes()->len;) {
        BlockNode *node = nodes->pdata[i];

        if (node->is_clients) {
            node->is_clients = false;
            block_node_unref(node);
            i = 0; /* others went with it */
        } else {
            i++;
        }
    }
    job_cleanup();
    if (!nodes->len) {
        g_clear_pointer(&nodes, g_ptr_array_unref);
    }
}

/* --- links --- */

static BlockLink *link_new(BlockNode *node, BlockNode *owner, const char *role, const char *user)
{
    BlockLink *link = g_new0(BlockLink, 1);

    *link = (BlockLink){ .node = node, .owner = owner, .role = role, .user = g_strdup(user),
                         .shared = BLOCK_PERM_ALL };
    g_ptr_array_add(node->users, link);
    return link;
}

BlockLink *block_link_new(BlockNode *node, const char *user, unsigned perms, unsigned shared,
                          Error **errp)
{
    BlockLink *link = link_new(node, NULL, "root", user);

    if (!block_link_set_perms(link, perms, shared, errp)) {
        block_link_free(link);
        return NULL;
    }
    return link;
}

void block_link_free(BlockLink *link)
{
    if (!link) {
        return;
    }
    g_ptr_array_remove(link->node->users, link);
    if (link->perms || link->shared != BLOCK_PERM_ALL) {
        block_node_refresh_perms(link->node, NULL); /* less is always permitted */
    }
    block_node_unref(link->node);
    g_free(link->user);
    g_free(link);
}

BlockNode *block_link_node(const BlockLink *link)
{
    return link->node;
}

void block_link_set_resized(BlockLink *link, void (*resized)(void *opaque), void *opaque)
{
    link->resized = resized;
    link->opaque = opaque;
}

/* --- children --- */

static bool is_above(const BlockNode *node, const BlockNode *other)
{
    for (guint i = 0; i < node->children->len; i++) {
        const BlockLink *link = node->children->pdata[i];

        if (link->node == other || is_above(link->node, other)) {
            return true;
        }
    }
    return false;
}

static BlockLink *find_link(const BlockNode *node, const char *role)
{
    for (guint i = 0; i < node->children->len; i++) {
        BlockLink *link = node->children->pdata[i];

        if (!strcmp(link->role, role)) {
            return link;
        }
    }
    return NULL;
}

static void note_child(BlockNode *node, const char *role, BlockNode *child)
{
    if (!strcmp(role, "file")) {
        node->file = child;
    } else if (!strcmp(role, "backing")) {
        node->backing = child;
    }
}

static BlockLink *add_child(BlockNode *node, const char *role, BlockNode *child)
{
    g_autofree char *user = g_strdup_printf("node '%s'", node->name);
    BlockLink *link = link_new(child, node, role, user);

    g_ptr_array_add(node->children, link);
    return link;
}

bool block_node_check_cycle(const BlockNode *node, const char *role, const BlockNode *child,
                            Error **errp)
{
    return (child != node && !is_above(child, node)) ||
           error_set(errp, "Making '%s' a %s child of '%s' would create a cycle", child->name,
                     role, node->name);
}

bool block_node_attach_node(BlockNode *node, const char *role, BlockNode *child, Error **errp)
{
    if (!block_node_check_cycle(node, role, child, errp)) {
        block_node_unref(child);
        return false;
    }
    add_child(node, role, child);
    if (!block_node_refresh_perms(node, errp)) {
        block_node_detach(node, role);
        return false;
    }
    note_child(node, role, child);
    return true;
}

void block_node_detach(BlockNode *node, const char *role)
{
    BlockLink *link = find_link(node, role);

    if (link) {
        note_child(node, role, NULL);
        g_ptr_array_remove(node->children, link);
        block_link_free(link);
    }
}

void block_link_move(BlockLink *link, BlockNode *to)
{
    BlockNode *from = link->node;

    g_ptr_array_remove(from->users, link);
    g_ptr_array_add(to->users, link);
    link->node = block_node_ref(to);
    link->is_inherited = false;
    if (link->owner) {
        note_child(link->owner, link->role, to);
    }
    block_node_unref(from);
}

void block_node_set_child(BlockNode *node, const char *role, BlockNode *child)
{
    BlockLink *link = find_link(node, role);

    if (link && child) {
        block_link_move(link, child);
    } else if (child) {
        add_child(node, role, block_node_ref(child));
        note_child(node, role, child);
    } else if (link) {
        link->perms = 0; /* so that nothing is looked at yet */
        link->shared = BLOCK_PERM_ALL;
        block_node_detach(node, role);
    }
}

BlockNode *block_node_child(const BlockNode *node, const char *role)
{
    BlockLink *link = find_link(node, role);

    return link ? link->node : NULL;
}

bool block_node_inherits(const BlockNode *node, const char *role)
{
    BlockLink *link = find_link(node, role);

    return link && link->is_inherited;
}

void block_node_set_inherits(BlockNode *node, const char *role, bool is_on)
{
    BlockLink *link = find_link(node, role);

    if (link) {
        link->is_inherited = is_on;
    }
}

/* What a child's definition does not say it takes from the node above. */
BlockdevOptions *block_node_inherit(const BlockNode *node, const char *role,
                                    const BlockdevOptions *given)
{
    BlockdevOptions *options = blockdev_options_clone(given);
    bool is_backing = !strcmp(role, "backing");

    if (!options->has_read_only && !options->has_auto_read_only) {
        options->has_read_only = options->has_auto_read_only = true;
        options->read_only = is_backing || node->is_read_only;
        options->auto_read_only = !is_backing && node->is_auto_read_only;
    }
    if (!options->has_force_share) {
        options->has_force_share = true;
        options->force_share = node->is_shared && options->read_only;
    }
    if (!options->has_discard && !is_backing) {
        options->has_discard = true;
        options->discard = BLOCKDEV_DISCARD_OPTIONS_UNMAP;
    }
    if (!options->cache) {
        options->cache = g_new0(BlockdevCacheOptions, 1);
    }
    if (!options->cache->has_direct) {
        options->cache->has_direct = true;
        options->cache->direct = node->is_direct;
    }
    if (!options->cache->has_no_flush) {
        options->cache->has_no_flush = true;
        options->cache->no_flush = node->is_unsafe;
    }
    return options;
}

bool block_node_attach(BlockNode *node, const char *role, const BlockdevRef *ref, Error **errp)
{
    g_autoptr(BlockdevOptions) options = NULL;
    BlockNode *child;

    if (ref->type == json_type_string) {
        child = block_node_get(ref->u.reference, errp);
        return child && block_node_attach_node(node, role, block_node_ref(child), errp);
    }
    options = block_node_inherit(node, role, ref->u.definition);
    child = block_open(options, errp);
    if (!child || !block_node_attach_node(node, role, child, errp)) {
        return false;
    }
    json_unref(child->given);
    child->given = blockdev_options_to_json(ref->u.definition);
    block_node_set_inherits(node, role, true);
    return true;
}
