/*
 * blockdev-reopen: nodes get other options, flags and children while they are in use; all of
 * those that a client names, or none.
 *
 * What is new is put in place at once, with a note of what was there: flags, then links, then
 * permissions of all that is touched, then what drivers do with it, the lowest first. Whatever
 * fails, the notes lead back. Nodes that were made with the one above (and not by name) take their
 * flags from it again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/backend.h"

#include "qapi/qapi-commands-block-core.h"

typedef struct Step {
    BlockNode *node;          /* referenced */
    JsonObject *given;        /* what it will be said to have */
    BlockdevOptions *options; /* in full */
    BlockNode was;            /* its flags count */
    unsigned height;
    bool is_prepared;
} Step;

typedef struct Swap {
    BlockNode *node, *child;  /* borrowed, of a step; referenced, or NULL */
    const char *role;
    bool was_inherited;
} Swap;

typedef struct Reopen {
    GPtrArray *steps; /* Step */
    GArray *swaps;    /* Swap, in order */
} Reopen;

static const char *const common_changeable[] = { "node-name", "discard", "cache", "read-only",
                                                 "auto-read-only", "detect-zeroes", NULL };
static const char *const children[] = { "file", "backing", "data-file", "image" };

static bool take(Reopen *reopen, BlockNode *node, JsonObject *given,
                 const BlockdevOptions *options, Error **errp);

/* --- children --- */

/* How links call what an option calls so. */
static const char *role_of(const char *option)
{
    return strcmp(option, "image") ? option : "file";
}

static bool refuse(Error **errp, const char *before, const char *name)
{
    return error_set(errp, "Cannot change the option '%s%s'", before, name);
}

/* What the client says of a child itself. */
static bool take_definition(Reopen *reopen, BlockNode *node, const char *option,
                            JsonObject *given, Error **errp)
{
    const char *role = role_of(option);
    BlockNode *child = block_node_child(node, role);
    JsonObject *name = json_member(given, "node-name");
    g_autoptr(BlockdevOptions) plain = NULL, options = NULL;

    if (!child || !block_node_inherits(node, role)) {
        return error_set(errp, "Cannot change the option '%s.driver'", option);
    }
    if (name && strcmp(json_object_get_string(name), child->name)) {
        return refuse(errp, "", "node-name");
    }
    plain = blockdev_options_from_json(given, QAPI_TYPED, errp);
    if (!plain) {
        return false;
    }
    options = block_node_inherit(node, role, plain);
    return take(reopen, child, given, options, errp);
}

static bool set_child(Reopen *reopen, BlockNode *node, const char *role, BlockNode *child,
                      Error **errp)
{
    BlockNode *old = block_node_child(node, role);
    Swap swap = { node, old ? block_node_ref(old) : NULL, role, block_node_inherits(node, role) };

    if (child && !block_node_check_cycle(node, role, child, errp)) {
        block_node_unref(swap.child);
        return false;
    }
    g_array_append_val(reopen->swaps, swap);
    block_node_set_child(node, role, child);
    return true;
}

static bool take_reference(Reopen *reopen, BlockNode *node, const char *option, const char *name,
                           Error **errp)
{
    const char *role = role_of(option);
    BlockNode *old = block_node_child(node, role), *child = block_node_get(name, errp);

    if (!child) {
        return false;
    }
    if (child != old) {
        return !strcmp(option, "data-file") ? refuse(errp, "", option) :
                                              set_child(reopen, node, role, child, errp);
    }
    return !block_node_inherits(node, role) ||
           take_definition(reopen, node, option, child->given, errp);
}

static bool take_child(Reopen *reopen, BlockNode *node, const char *option, JsonObject *value,
                       Error **errp)
{
    if (!value) {
        return set_child(reopen, node, role_of(option), NULL, errp);
    }
    return json_object_is_type(value, json_type_string) ?
           take_reference(reopen, node, option, json_object_get_string(value), errp) :
           take_definition(reopen, node, option, value, errp);
}

static bool take_children(Reopen *reopen, BlockNode *node, JsonObject *given, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
        JsonObject *value;

        if (json_object_object_get_ex(given, children[i], &value) &&
            !take_child(reopen, node, children[i], value, errp)) {
            return false;
        }
    }
    return json_object_object_get_ex(given, "backing", NULL) || !node->backing ||
           error_set(errp, "backing is missing for '%s'", node->name);
}

/* --- options --- */

static bool is_in(const char *const *list, const char *name)
{
    while (list && *list) {
        if (!strcmp(*list++, name)) {
            return true;
        }
    }
    return false;
}

static bool is_child(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
        if (!strcmp(children[i], name)) {
            return true;
        }
    }
    return false;
}

static bool check_options(const BlockNode *node, JsonObject *given, Error **errp)
{
    json_object_object_foreach(given, name, value) {
        JsonObject *old;

        if (is_child(name) || is_in(common_changeable, name) ||
            is_in(node->driver->changeable, name)) {
            continue;
        }
        if (!json_object_object_get_ex(node->given, name, &old) ||
            !json_object_equal(old, value)) {
            return refuse(errp, "", name);
        }
    }
    return true;
}

static Step *step_of(Reopen *reopen, BlockNode *node)
{
    Step *step;

    for (guint i = 0; i < reopen->steps->len; i++) {
        step = reopen->steps->pdata[i];
        if (step->node == node) {
            return step;
        }
    }
    step = g_new0(Step, 1);
    step->node = block_node_ref(node);
    step->was = *node;
    g_ptr_array_add(reopen->steps, step);
    return step;
}

static bool take(Reopen *reopen, BlockNode *node, JsonObject *given,
                 const BlockdevOptions *options, Error **errp)
{
    Step *step;

    if (options->driver != node->driver->kind) {
        return refuse(errp, "", "driver");
    }
    if (!check_options(node, given, errp) || !block_check_flags(options, errp) ||
        !block_node_finish(node, errp)) {
        return false;
    }
    step = step_of(reopen, node);
    json_unref(step->given);
    blockdev_options_free(step->options);
    step->given = json_ref(given);
    step->options = blockdev_options_clone(options);
    block_node_take_flags(node, options);
    node->is_check = step->was.is_check;
    node->is_turning_read_only = !step->was.is_read_only;
    return take_children(reopen, node, given, errp);
}

static bool take_one(Reopen *reopen, const BlockdevOptions *options, Error **errp)
{
    g_autoptr(JsonObject) given = blockdev_options_to_json(options);
    BlockNode *node;

    if (!options->node_name) {
        return error_set(errp, "node-name not specified");
    }
    node = block_node_find(options->node_name);
    if (!node) {
        return error_set(errp, "Failed to find node with node-name='%s'", options->node_name);
    }
    return take(reopen, node, given, options, errp);
}

/* --- all of it, forth and back --- */

static unsigned height_of(const BlockNode *node)
{
    unsigned height = 0;

    for (guint i = 0; i < node->children->len; i++) {
        height = MAX(height, 1 + height_of(((BlockLink *)node->children->pdata[i])->node));
    }
    return height;
}

static gint compare_height(gconstpointer left, gconstpointer right)
{
    const Step *a = *(Step *const *)left, *b = *(Step *const *)right;

    return a->height < b->height ? -1 : a->height > b->height;
}

static bool refresh(const Reopen *reopen, Error **errp)
{
    g_autoptr(GPtrArray) nodes = g_ptr_array_new();

    for (guint i = 0; i < reopen->steps->len; i++) {
        g_ptr_array_add(nodes, ((Step *)reopen->steps->pdata[i])->node);
    }
    for (guint i = 0; i < reopen->swaps->len; i++) {
        const Swap *swap = &g_array_index(reopen->swaps, Swap, i);

        if (swap->child) {
            g_ptr_array_add(nodes, swap->child);
        }
    }
    return block_nodes_refresh_perms((BlockNode *const *)nodes->pdata, nodes->len, errp);
}

static bool prepare(Reopen *reopen, Error **errp)
{
    for (guint i = 0; i < reopen->steps->len; i++) {
        Step *step = reopen->steps->pdata[i];

        step->height = height_of(step->node);
    }
    g_ptr_array_sort(reopen->steps, compare_height);
    for (guint i = 0; i < reopen->steps->len; i++) {
        Step *step = reopen->steps->pdata[i];
        const BlockDriver *driver = step->node->driver;

        if (driver->reopen && !driver->reopen(step->node, step->options, errp)) {
            return false;
        }
        step->is_prepared = true;
    }
    return true;
}

static void end(BlockNode *node, bool is_done)
{
    if (node->driver->reopen_end) {
        node->driver->reopen_end(node, is_done);
    }
}

static void commit(Reopen *reopen)
{
    for (guint i = 0; i < reopen->steps->len; i++) {
        Step *step = reopen->steps->pdata[i];
        BlockNode *node = step->node;

        end(node, true);
        if (node->driver->is_filter && !node->driver->reopen_end) {
            block_filter_renew(node);
        }
        json_unref(node->given);
        node->given = json_ref(step->given);
    }
}

static void put_flags_back(BlockNode *node, const BlockNode *was)
{
    node->is_read_only = was->is_read_only;
    node->is_auto_read_only = was->is_auto_read_only;
    node->is_shared = was->is_shared;
    node->has_discard = was->has_discard;
    node->is_direct = was->is_direct;
    node->is_unsafe = was->is_unsafe;
    node->detect_zeroes = was->detect_zeroes;
}

static void undo(Reopen *reopen)
{
    for (guint i = reopen->steps->len; i > 0; i--) {
        Step *step = reopen->steps->pdata[i - 1];

        if (step->is_prepared) {
            end(step->node, false);
        }
        put_flags_back(step->node, &step->was);
    }
    for (guint i = reopen->swaps->len; i > 0; i--) {
        const Swap *swap = &g_array_index(reopen->swaps, Swap, i - 1);

        block_node_set_child(swap->node, swap->role, swap->child);
        block_node_set_inherits(swap->node, swap->role, swap->was_inherited);
    }
    refresh(reopen, NULL); /* they had it before */
}

static void clear(Reopen *reopen)
{
    for (guint i = 0; i < reopen->swaps->len; i++) {
        block_node_unref(g_array_index(reopen->swaps, Swap, i).child);
    }
    for (guint i = 0; i < reopen->steps->len; i++) {
        Step *step = reopen->steps->pdata[i];

        step->node->is_turning_read_only = false;
        json_unref(step->given);
        blockdev_options_free(step->options);
        block_node_unref(step->node);
        g_free(step);
    }
    g_array_unref(reopen->swaps);
    g_ptr_array_unref(reopen->steps);
}

static bool run(BlockdevOptions *const *options, size_t count, Error **errp)
{
    Reopen reopen = { g_ptr_array_new(), g_array_new(FALSE, FALSE, sizeof(Swap)) };
    bool is_done = true;

    block_begin_quiet_all();
    for (size_t i = 0; i < count && is_done; i++) {
        is_done = take_one(&reopen, options[i], errp);
    }
    is_done = is_done && refresh(&reopen, errp) && prepare(&reopen, errp);
    if (is_done) {
        commit(&reopen);
    } else {
        undo(&reopen);
    }
    block_end_quiet_all();
    clear(&reopen);
    return is_done;
}

bool qmp_blockdev_reopen(const BlockdevOptionsArray *options, Error **errp)
{
    return run(options->items, options->count, errp);
}

/* --- for the time of an act --- */

/* What the node has, its children by their names. */
static JsonObject *describe(const BlockNode *node)
{
    JsonObject *given = NULL;

    json_object_deep_copy(node->given, &given, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
        BlockNode *child = block_node_child(node, role_of(children[i]));

        if (child && (json_member(given, children[i]) || strcmp(children[i], "image"))) {
            json_set(given, children[i], json_string(child->name));
        }
    }
    if (node->driver == &block_blkdebug) {
        json_object_object_del(given, "file");
    }
    json_set(given, "node-name", json_string(node->name));
    return given;
}

bool block_node_set_read_only(BlockNode *node, bool is_on, Error **errp)
{
    g_autoptr(JsonObject) given = describe(node), before = json_ref(node->given);
    g_autoptr(BlockdevOptions) options = NULL;
    bool is_done;

    json_set(given, "read-only", json_object_new_boolean(is_on));
    options = blockdev_options_from_json(given, QAPI_TYPED, errp);
    is_done = options && run(&options, 1, errp);
    if (is_done) {
        json_unref(node->given);
        node->given = json_ref(before); /* as its user says it still */
    }
    return is_done;
}
