/*
 * query-qmp-schema: the commands and events of this target, and the types they reach, read
 * from the same tables that check and pack values. Made once, then shared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/command.h"
#include "qapi/event.h"
#include "qapi/qapi-commands-introspect.h"
#include "qapi/qapi-types-builtin.h"

#define EMPTY_NAME "q_empty" /* the object without members */

typedef struct Walk {
    json_object *out;
    GHashTable *seen; /* names of types, borrowed */
    GQueue todo;      /* of const QapiType * */
    bool has_empty;
} Walk;

static json_object *new_entity(Walk *w, const char *name, const char *meta_type)
{
    json_object *entity = json_object_new_object();

    json_set(entity, "name", json_string(name));
    json_set(entity, "meta-type", json_string(meta_type));
    json_object_array_add(w->out, entity);
    return entity;
}

/* The name to refer to `type` by; makes sure that it will be described. */
static json_object *refer(Walk *w, const QapiType *type)
{
    if (!type) {
        w->has_empty = true;
        return json_string(EMPTY_NAME);
    }
    if (g_hash_table_add(w->seen, (gpointer)type->name)) {
        g_queue_push_tail(&w->todo, (gpointer)type);
    }
    return json_string(type->name);
}

static void set_features(json_object *entity, const char *const *features)
{
    json_object *list;

    if (!features) {
        return;
    }
    list = json_object_new_array();
    for (; *features; features++) {
        json_object_array_add(list, json_string(*features));
    }
    json_set(entity, "features", list);
}

static void describe_enum(const QapiType *type, json_object *entity)
{
    json_object *members = json_object_new_array();
    json_object *values = json_object_new_array();

    for (int i = 0; i < type->values->count; i++) {
        const char *name = type->values->names[i];
        json_object *member;

        if (!name) {
            continue;
        }
        member = json_object_new_object();
        json_set(member, "name", json_string(name));
        set_features(member, type->value_features ? type->value_features[i] : NULL);
        json_object_array_add(members, member);
        json_object_array_add(values, json_string(name));
    }
    json_set(entity, "members", members);
    json_set(entity, "values", values);
}

static void describe_members(Walk *w, const QapiType *type, json_object *entity)
{
    json_object *members = json_object_new_array();

    for (size_t i = 0; i < type->member_count; i++) {
        const QapiMember *m = &type->members[i];
        json_object *member = json_object_new_object();

        json_set(member, "name", json_string(m->name));
        json_set(member, "type", refer(w, m->type));
        if (m->is_optional) {
            json_set(member, "default", NULL);
        }
        set_features(member, m->features);
        json_object_array_add(members, member);
    }
    json_set(entity, "members", members);
}

static void describe_variants(Walk *w, const QapiType *type, json_object *entity)
{
    const EnumTable *values = type->tag->type->values;
    json_object *variants = json_object_new_array();

    for (int i = 0; i < values->count; i++) {
        json_object *variant;

        if (!values->names[i]) {
            continue;
        }
        variant = json_object_new_object();
        json_set(variant, "case", json_string(values->names[i]));
        json_set(variant, "type", refer(w, type->branches[i].type));
        json_object_array_add(variants, variant);
    }
    json_set(entity, "tag", json_string(type->tag->name));
    json_set(entity, "variants", variants);
}

static void describe_alternate(Walk *w, const QapiType *type, json_object *entity)
{
    json_object *members = json_object_new_array();

    for (size_t i = 0; i < type->branch_count; i++) {
        if (type->branches[i].type) {
            json_object *member = json_object_new_object();

            json_set(member, "type", refer(w, type->branches[i].type));
            json_object_array_add(members, member);
        }
    }
    json_set(entity, "members", members);
}

static void describe_type(Walk *w, const QapiType *type)
{
    static const char *const meta_types[] = {
        [QAPI_ENUM] = "enum",           [QAPI_STRUCT] = "object", [QAPI_UNION] = "object",
        [QAPI_ALTERNATE] = "alternate", [QAPI_ARRAY] = "array",
    };
    json_object *entity =
        new_entity(w, type->name, type->kind < QAPI_ENUM ? "builtin" : meta_types[type->kind]);

    switch (type->kind) {
    case QAPI_ENUM:
        describe_enum(type, entity);
        break;
    case QAPI_UNION:
        describe_members(w, type, entity);
        describe_variants(w, type, entity);
        break;
    case QAPI_STRUCT:
        describe_members(w, type, entity);
        break;
    case QAPI_ALTERNATE:
        describe_alternate(w, type, entity);
        break;
    case QAPI_ARRAY:
        json_set(entity, "element-type", refer(w, type->element));
        break;
    default:
        json_set(entity, "json-type", json_string(type->json_name));
    }
    set_features(entity, type->features);
}

static void describe_command(Walk *w, const QmpCommand *command)
{
    json_object *entity = new_entity(w, command->name, "command");

    json_set(entity, "arg-type", refer(w, command->args));
    json_set(entity, "ret-type", refer(w, command->ret));
    if (command->flags & QMP_ALLOW_OOB) {
        json_set(entity, "allow-oob", json_object_new_boolean(true));
    }
    set_features(entity, command->features);
}

static void describe_event(Walk *w, const QapiEvent *event)
{
    json_object *entity = new_entity(w, event->name, "event");

    json_set(entity, "arg-type", refer(w, event->data));
    set_features(entity, event->features);
}

static json_object *make_schema(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    Walk w = { .out = json_object_new_array(), .seen = seen, .todo = G_QUEUE_INIT };
    const QapiType *type;

    for (const QmpCommand *c = qmp_command_next(NULL); c; c = qmp_command_next(c)) {
        describe_command(&w, c);
    }
    for (const QapiEvent *const *event = qapi_events; *event; event++) {
        if ((*event)->targets & qapi_target()) {
            describe_event(&w, *event);
        }
    }
    while ((type = g_queue_pop_head(&w.todo))) {
        describe_type(&w, type);
    }
    if (w.has_empty) {
        json_set(new_entity(&w, EMPTY_NAME, "object"), "members", json_object_new_array());
    }
    return w.out;
}

bool qmp_query_qmp_schema(json_object **ret, Error **errp)
{
    static json_object *schema; /* under the machine lock, like every command */

    if (!schema) {
        schema = make_schema();
    }
    *ret = json_ref(schema);
    return true;
}
