/*
 * Permissions in the graph: each link says what its holder does and what it lets others do. What is
 * wanted of a node by all its users is what it wants, by its kind, of its children; a driver at
 * the bottom tells other processes.
 *
 * A change goes down the graph as a whole: all links get what follows from it, then everything is
 * looked at, and put back if somebody is against it. So what is between two good states does not
 * matter, however many nodes change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

static const char *const perm_names[] = { "consistent read", "write", "write unchanged", "resize" };

/* --- what is asked for --- */

static void cumulate(const BlockNode *node, unsigned *perms, unsigned *shared)
{
    *perms = 0;
    *shared = BLOCK_PERM_ALL;
    for (guint i = 0; i < node->users->len; i++) {
        const BlockLink *link = node->users->pdata[i];

        *perms |= link->perms;
        *shared &= link->shared;
    }
}

static void format_perms(const BlockNode *node, unsigned *perms, unsigned *shared)
{
    *perms |= BLOCK_PERM_READ;
    if (!node->is_read_only) {
        *perms |= BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE;
    } else {
        *perms &= BLOCK_PERM_READ;
    }
    *shared &= ~(BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE);
}

/* What is behind is read as far as the node is, and must not change. */
static void backing_perms(unsigned *perms, unsigned *shared)
{
    *perms &= BLOCK_PERM_READ;
    *shared = *shared & BLOCK_PERM_WRITE ? BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE : 0;
    *shared |= BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED;
}

static void child_perms(BlockNode *node, const char *role, unsigned *perms, unsigned *shared)
{
    if (node->driver->child_perms) {
        node->driver->child_perms(node, role, perms, shared);
    } else if (!strcmp(role, "backing")) {
        backing_perms(perms, shared);
        *shared |= node->is_committing ? BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE : 0;
    } else if (!node->driver->is_filter) {
        format_perms(node, perms, shared);
    }
    if (node->is_shared) {
        *shared = BLOCK_PERM_ALL;
    }
}

/* --- a change --- */

typedef struct Held {
    BlockLink *link;
    unsigned perms, shared;
} Held;

typedef struct Change {
    GPtrArray *nodes;   /* parents before their children, and all that is below */
    GHashTable *seen;
    GArray *held;       /* Held: of links between them, as they were */
} Change;

static void collect(Change *change, BlockNode *node)
{
    if (!g_hash_table_add(change->seen, node)) {
        return;
    }
    for (guint i = 0; i < node->children->len; i++) {
        collect(change, ((BlockLink *)node->children->pdata[i])->node);
    }
    g_ptr_array_insert(change->nodes, 0, node);
}

static void push_down(Change *change, BlockNode *node)
{
    unsigned perms, shared;

    cumulate(node, &perms, &shared);
    for (guint i = 0; i < node->children->len; i++) {
        BlockLink *link = node->children->pdata[i];

        g_array_append_val(change->held, ((Held){ link, link->perms, link->shared }));
        link->perms = perms;
        link->shared = shared;
        child_perms(node, link->role, &link->perms, &link->shared);
    }
}

/* --- is it permitted? --- */

static char *perms_text(unsigned perms)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(perm_names); i++) {
        if (perms & BIT(i)) {
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", perm_names[i]);
        }
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool conflict(const BlockLink *wants, const BlockLink *denies, Error **errp)
{
    g_autofree char *what = perms_text(wants->perms & ~denies->shared);

    return error_set(errp, "Permission conflict on node '%s': permissions '%s' are both required "
                     "by %s (uses node '%s' as '%s' child) and unshared by %s (uses node '%s' as "
                     "'%s' child).", wants->node->name, what, wants->user, wants->node->name,
                     wants->role, denies->user, denies->node->name, denies->role);
}

static bool check_link(const BlockLink *link, Error **errp)
{
    for (guint i = 0; i < link->node->users->len; i++) {
        const BlockLink *other = link->node->users->pdata[i];

        if (other != link && link->perms & ~other->shared) {
            return conflict(link, other, errp);
        }
        if (other != link && other->perms & ~link->shared) {
            return conflict(other, link, errp);
        }
    }
    return true;
}

static bool check(const BlockNode *node, Error **errp)
{
    unsigned perms, shared;

    for (guint i = node->users->len; i > 0; i--) { /* the newest wants something */
        if (!check_link(node->users->pdata[i - 1], errp)) {
            return false;
        }
    }
    cumulate(node, &perms, &shared);
    if (!(perms & BLOCK_PERM_WRITE) || !node->is_read_only || node->is_auto_read_only) {
        return true;
    }
    return node->is_turning_read_only ?
           error_set(errp, "Read-only block node '%s' cannot support read-write users",
                     node->name) : error_set(errp, "Block node is read-only");
}

static bool tell(BlockNode *node, Error **errp)
{
    unsigned perms, shared;

    cumulate(node, &perms, &shared);
    if (node->driver->set_perms &&
        !(block_images_are_elsewhere() ? node->driver->set_perms(node, 0, BLOCK_PERM_ALL, errp) :
                                         node->driver->set_perms(node, perms, shared, errp))) {
        return false;
    }
    node->perms = perms;
    node->shared = shared;
    return true;
}

static bool check_all(const Change *change, Error **errp)
{
    for (guint i = 0; i < change->nodes->len; i++) {
        if (!check(change->nodes->pdata[i], errp)) {
            return false;
        }
    }
    return true;
}

static bool tell_all(const Change *change, Error **errp)
{
    for (guint i = 0; i < change->nodes->len; i++) {
        if (!tell(change->nodes->pdata[i], errp)) {
            return false;
        }
    }
    return true;
}

static void put_back(const Change *change)
{
    for (guint i = 0; i < change->held->len; i++) {
        const Held *held = &g_array_index(change->held, Held, i);

        held->link->perms = held->perms;
        held->link->shared = held->shared;
    }
}

/* `link` (may be NULL) is put back too. */
static bool update(BlockNode *const *nodes, size_t count, const Held *link, Error **errp)
{
    Change change = { g_ptr_array_new(), g_hash_table_new(NULL, NULL),
                      g_array_new(FALSE, FALSE, sizeof(Held)) };
    bool is_told = false, is_done;

    for (size_t i = 0; i < count; i++) {
        collect(&change, nodes[i]);
    }
    for (guint i = 0; i < change.nodes->len; i++) {
        push_down(&change, change.nodes->pdata[i]);
    }
    is_done = check_all(&change, errp) && (is_told = true) && tell_all(&change, errp);
    if (!is_done) {
        put_back(&change);
        if (link) {
            link->link->perms = link->perms;
            link->link->shared = link->shared;
        }
    }
    if (!is_done && is_told) {
        tell_all(&change, NULL); /* what they had */
    }
    g_ptr_array_unref(change.nodes);
    g_hash_table_unref(change.seen);
    g_array_unref(change.held);
    return is_done;
}

bool block_nodes_refresh_perms(BlockNode *const *nodes, size_t count, Error **errp)
{
    return update(nodes, count, NULL, errp);
}

bool block_node_refresh_perms(BlockNode *node, Error **errp)
{
    return update(&node, 1, NULL, errp);
}

bool block_link_set_perms(BlockLink *link, unsigned perms, unsigned shared, Error **errp)
{
    Held old = { link, link->perms, link->shared };

    if (perms == old.perms && shared == old.shared) {
        return true;
    }
    link->perms = perms;
    link->shared = shared;
    return update(&link->node, 1, &old, errp);
}
