/*
 * See block/blkdebug.h. A file of rules has sections "[inject-error]" and "[set-state]" with lines
 * `key = "value"`, where keys are those of the options.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/blkdebug.h"

#define FIRST_STATE 1
#define ANY_SECTOR  (-1)

typedef struct BlkdebugRule {
    BlkdebugEvent event;
    int64_t state;     /* in which it applies; 0: any */
    bool sets_state;
    int64_t new_state;
    int err;
    int64_t sector;
    unsigned types;    /* bits: BlkdebugIOType */
    bool is_once, is_spent;
} BlkdebugRule;

/* --- rules --- */

static unsigned types_of(const BlkdebugInjectErrorOptions *options)
{
    unsigned all = BIT(BLKDEBUG_IO_TYPE_READ) | BIT(BLKDEBUG_IO_TYPE_WRITE) |
                   BIT(BLKDEBUG_IO_TYPE_WRITE_ZEROES) | BIT(BLKDEBUG_IO_TYPE_DISCARD) |
                   BIT(BLKDEBUG_IO_TYPE_FLUSH);

    return options->has_iotype ? BIT(options->iotype) : all;
}

static void add_error(BlkdebugRules *rules, const BlkdebugInjectErrorOptions *options)
{
    BlkdebugRule rule = { .event = options->event, .state = options->state,
                          .err = -(options->has_errno ? options->errno_ : EIO),
                          .sector = options->has_sector ? options->sector : ANY_SECTOR,
                          .types = types_of(options), .is_once = options->once };

    g_array_append_val(rules->all, rule);
}

static void add_state(BlkdebugRules *rules, const BlkdebugSetStateOptions *options)
{
    BlkdebugRule rule = { .event = options->event, .state = options->state, .sets_state = true,
                          .new_state = options->new_state };

    g_array_append_val(rules->all, rule);
}

/* --- a file of them --- */

static bool add_section(BlkdebugRules *rules, const char *name, json_object *values, Error **errp)
{
    if (!strcmp(name, "inject-error")) {
        g_autoptr(BlkdebugInjectErrorOptions) options =
            blkdebug_inject_error_options_from_json(values, QAPI_TEXT, errp);

        if (options) {
            add_error(rules, options);
        }
        return options != NULL;
    }
    if (!strcmp(name, "set-state")) {
        g_autoptr(BlkdebugSetStateOptions) options =
            blkdebug_set_state_options_from_json(values, QAPI_TEXT, errp);

        if (options) {
            add_state(rules, options);
        }
        return options != NULL;
    }
    return error_set(errp, "There is no option group '%s'", name);
}

/* `key = "value"` */
static bool add_line(json_object *values, char *line)
{
    char *equals = strchr(line, '='), *value;
    size_t length;

    if (!equals) {
        return false;
    }
    *equals = '\0';
    value = g_strstrip(equals + 1);
    length = strlen(value);
    if (length < 2 || value[0] != '"' || value[length - 1] != '"') {
        return false;
    }
    value[length - 1] = '\0';
    json_set(values, g_strstrip(line), json_string(value + 1));
    return true;
}

static bool end_section(BlkdebugRules *rules, char **name, JsonObject **values, Error **errp)
{
    bool is_good = !*name || add_section(rules, *name, *values, errp);

    g_clear_pointer(name, g_free);
    g_clear_pointer(values, json_unref);
    return is_good;
}

static bool parse_line(BlkdebugRules *rules, char *line, char **name, JsonObject **values,
                       Error **errp)
{
    size_t length = strlen(g_strstrip(line));

    if (!length || line[0] == '#') {
        return true;
    }
    if (line[0] == '[' && line[length - 1] == ']') {
        if (!end_section(rules, name, values, errp)) {
            return false;
        }
        *name = g_strndup(line + 1, length - 2);
        *values = json_object_new_object();
        return true;
    }
    return (*name && add_line(*values, line)) || error_set(errp, "parse error: '%s'", line);
}

static bool read_config(BlkdebugRules *rules, const char *path, Error **errp)
{
    g_autofree char *text = NULL, *name = NULL;
    g_autoptr(JsonObject) values = NULL;
    g_autoptr(GError) why = NULL;
    g_auto(GStrv) lines = NULL;
    bool is_good = true;

    if (!g_file_get_contents(path, &text, NULL, &why)) {
        return error_set(errp, "Could not read blkdebug config file: %s", why->message);
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && is_good; line++) {
        is_good = parse_line(rules, *line, &name, &values, errp);
    }
    if (!is_good || !end_section(rules, &name, &values, errp)) {
        error_prefix(errp, "Could not parse blkdebug config file: ");
        return false;
    }
    return true;
}

/* --- life --- */

bool blkdebug_rules_init(BlkdebugRules *rules, const BlockdevOptionsBlkdebug *options,
                         Error **errp)
{
    g_mutex_init(&rules->lock);
    rules->state = FIRST_STATE;
    rules->all = g_array_new(false, false, sizeof(BlkdebugRule));
    rules->active = g_ptr_array_new();
    if (options->config && *options->config && !read_config(rules, options->config, errp)) {
        blkdebug_rules_clear(rules);
        return false;
    }
    for (size_t i = 0; options->inject_error && i < options->inject_error->count; i++) {
        add_error(rules, options->inject_error->items[i]);
    }
    for (size_t i = 0; options->set_state && i < options->set_state->count; i++) {
        add_state(rules, options->set_state->items[i]);
    }
    blkdebug_rules_event(rules, BLKDEBUG_EVENT_NONE);
    return true;
}

void blkdebug_rules_clear(BlkdebugRules *rules)
{
    g_array_unref(rules->all);
    g_ptr_array_unref(rules->active);
    g_mutex_clear(&rules->lock);
}

/* What an event brings takes the place of what the last one did. */
static void activate(BlkdebugRules *rules, BlkdebugEvent event)
{
    int64_t new_state = rules->state;
    bool is_first = true;

    for (guint i = 0; i < rules->all->len; i++) {
        BlkdebugRule *rule = &g_array_index(rules->all, BlkdebugRule, i);

        if (rule->event != event || (rule->state && rule->state != rules->state)) {
            continue;
        }
        if (rule->sets_state) {
            new_state = rule->new_state;
            continue;
        }
        if (is_first) {
            g_ptr_array_set_size(rules->active, 0);
        }
        is_first = false;
        if (!rule->is_spent) {
            g_ptr_array_add(rules->active, rule);
        }
    }
    rules->state = new_state;
}

void blkdebug_rules_event(BlkdebugRules *rules, BlkdebugEvent event)
{
    g_mutex_lock(&rules->lock);
    activate(rules, event);
    g_mutex_unlock(&rules->lock);
}

static bool hits(const BlkdebugRule *rule, BlkdebugIOType type, uint64_t offset, uint64_t bytes)
{
    uint64_t at = (uint64_t)rule->sector * BLOCK_SECTOR_BYTES;

    return rule->types & BIT(type) &&
           (rule->sector < 0 || (at >= offset && at - offset < MAX(bytes, 1)));
}

int blkdebug_rules_check(BlkdebugRules *rules, BlkdebugIOType type, uint64_t offset,
                         uint64_t bytes)
{
    int err = 0;

    g_mutex_lock(&rules->lock);
    for (guint i = 0; i < rules->active->len && !err; i++) {
        BlkdebugRule *rule = rules->active->pdata[i];

        if (hits(rule, type, offset, bytes)) {
            err = rule->err;
            rule->is_spent = rule->is_once;
            if (rule->is_once) {
                g_ptr_array_remove_index(rules->active, i);
            }
        }
    }
    g_mutex_unlock(&rules->lock);
    return err;
}
