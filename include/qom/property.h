/*
 * Property: one row that declares a named, typed, documented value of an object. What sets it
 * (command line, QMP, C), shows it (help, introspection, qom-get), checks and defaults it comes
 * from the row.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QOM_PROPERTY_H
#define QOM_PROPERTY_H

#include "qom/error.h"
#include "util/enum_table.h"
#include "util/json.h"

struct Object;
typedef struct Property Property;

typedef enum PropertyForm {
    PROPERTY_TYPED, /* QMP: a bool takes a JSON bool */
    PROPERTY_TEXT,  /* command line: strings */
    PROPERTY_ANY,   /* device_add: typed values, and the same as strings */
} PropertyForm;

typedef struct PropertyKind {
    const char *name; /* introspection's; NULL for link, child, enum, which compute it */
    json_object *(*get)(struct Object *obj, const Property *p, Error **errp);
    bool (*set)(struct Object *obj, const Property *p, json_object *value, PropertyForm form,
                Error **errp);
    void (*set_initial)(struct Object *obj, const Property *p);
    void (*clear)(struct Object *obj, const Property *p); /* frees what the field owns */
    json_object *(*show_initial)(const Property *p);
    /* For people, who read the value as JSON where this is NULL. Free it; NULL: say nothing. */
    char *(*print)(struct Object *obj, const Property *p);
} PropertyKind;

struct Property {
    const char *name;
    const char *doc;
    const PropertyKind *kind;
    size_t offset;
    uint8_t bit;             /* PROP_BIT: which one of the word */
    bool is_live;            /* may be written when the object is sealed (realized) */
    bool is_read_only;
    bool is_required;        /* str, link: must be set before it is completed or realized */
    bool has_no_default;     /* there is no initial value to show */
    int64_t initial;         /* bool, integers, enums */
    const char *initial_text; /* str */
    uint64_t min, max;       /* integers; max 0: the kind's own range. Signed kinds cast them */
    const EnumTable *values; /* enum */
    const char *target;      /* link, child: type or interface name */
    const char *type_text;   /* computed properties: introspection's type name */
    /* Called with the new value in place; failing brings the old one back. */
    bool (*check)(struct Object *obj, const Property *p, Error **errp);
    /* Called after a successful change. */
    void (*changed)(struct Object *obj, const Property *p);
    /* PROP_COMPUTED */
    json_object *(*get)(struct Object *obj, const Property *p, Error **errp);
    bool (*set)(struct Object *obj, const Property *p, json_object *value, PropertyForm form,
                Error **errp);
    void *opaque; /* properties of a single object: its owner's */
    /* Whose field it is: a part of the object that sets the initial value. NULL: its own. */
    struct Object *(*holder)(struct Object *obj);
};

typedef struct PropertyList {
    const Property *items;
    size_t count;
} PropertyList;
#define PROPERTIES(array) { (array), ARRAY_SIZE(array) }

extern const PropertyKind property_bool, property_bit32, property_bit64, property_u8, property_u16,
    property_u32, property_u64, property_i32, property_i64, property_size, property_str,
    property_enum, property_link, property_child, property_computed, property_uuid;

#define PROP_(kind_, name_, Struct, field, ...)                                                    \
    { .name = (name_), .kind = &(kind_), .offset = offsetof(Struct, field), __VA_ARGS__ }
#define PROP_BOOL(name, S, f, ...) PROP_(property_bool, name, S, f, __VA_ARGS__)
/* Bit `n` of a uint32_t or uint64_t field, shown as bool. */
#define PROP_BIT32(name, S, f, n, ...) PROP_(property_bit32, name, S, f, .bit = (n), __VA_ARGS__)
#define PROP_BIT64(name, S, f, n, ...) PROP_(property_bit64, name, S, f, .bit = (n), __VA_ARGS__)
#define PROP_U8(name, S, f, ...)   PROP_(property_u8, name, S, f, __VA_ARGS__)
#define PROP_U16(name, S, f, ...)  PROP_(property_u16, name, S, f, __VA_ARGS__)
#define PROP_U32(name, S, f, ...)  PROP_(property_u32, name, S, f, __VA_ARGS__)
#define PROP_U64(name, S, f, ...)  PROP_(property_u64, name, S, f, __VA_ARGS__)
#define PROP_I32(name, S, f, ...)  PROP_(property_i32, name, S, f, __VA_ARGS__)
#define PROP_I64(name, S, f, ...)  PROP_(property_i64, name, S, f, __VA_ARGS__)
/* uint64_t bytes; text takes suffixes. */
#define PROP_SIZE(name, S, f, ...) PROP_(property_size, name, S, f, __VA_ARGS__)
/* char *, owned; NULL when unset. */
#define PROP_STR(name, S, f, ...)  PROP_(property_str, name, S, f, __VA_ARGS__)
/* int or enum; `table` is an EnumTable. */
#define PROP_ENUM(name, S, f, table, ...)                                                          \
    PROP_(property_enum, name, S, f, .values = &(table), __VA_ARGS__)
/* Object pointer, referenced; given as path or id. */
#define PROP_LINK(name, S, f, type, ...)                                                           \
    PROP_(property_link, name, S, f, .target = (type), .has_no_default = true, __VA_ARGS__)
/* char[37]-free binary UUID: uint8_t[16]. */
#define PROP_UUID(name, S, f, ...)                                                                 \
    PROP_(property_uuid, name, S, f, .has_no_default = true, __VA_ARGS__)
/* No field: .get and/or .set compute it; .type_text names its type. */
#define PROP_COMPUTED(name_, type_, ...)                                                           \
    { .name = (name_), .kind = &property_computed, .type_text = (type_), .has_no_default = true,   \
      __VA_ARGS__ }

extern const EnumTable on_off_auto_table;
typedef enum OnOffAutoValue { ON_OFF_AUTO_VALUE_AUTO, ON_OFF_AUTO_VALUE_ON,
                              ON_OFF_AUTO_VALUE_OFF } OnOffAutoValue;
#define PROP_ON_OFF_AUTO(name, S, f, ...) PROP_ENUM(name, S, f, on_off_auto_table, __VA_ARGS__)

/* Helpers for .set hooks: the value under `form`, or an error that names the property. */
bool property_value_bool(const Property *p, json_object *value, PropertyForm form, bool *out,
                         Error **errp);
bool property_value_uint(const Property *p, json_object *value, PropertyForm form, uint64_t *out,
                         Error **errp);
bool property_value_text(const Property *p, json_object *value, const char **out, Error **errp);

#endif
