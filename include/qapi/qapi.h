/*
 * QAPI values: C structs described by const tables, moved from and to JSON by one walker.
 *
 * The tables and typed helpers (foo_from_json(), foo_to_json(), foo_free(), foo_clone()) are
 * made from qapi/ *.json by scripts/qapi-gen.py; see docs/devel/qapi.md. Every struct, union,
 * alternate and array value is owned by its holder and freed as a whole. Optional numbers,
 * booleans and enumerations have a has_NAME beside them; anything else optional is NULL.
 * No function here takes a lock; values are not shared between threads while written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_QAPI_H
#define QAPI_QAPI_H

#include "qom/error.h"
#include "util/enum_table.h"
#include "util/json.h"

typedef enum QapiKind {
    QAPI_STR,    /* char * */
    QAPI_BOOL,   /* bool */
    QAPI_INT,    /* intN_t */
    QAPI_UINT,   /* uintN_t */
    QAPI_SIZE,   /* uint64_t */
    QAPI_NUMBER, /* double */
    QAPI_ANY,    /* json_object * */
    QAPI_NULL,   /* nothing; a branch of an alternate */
    QAPI_ENUM,
    QAPI_STRUCT, /* the rest: a pointer to it */
    QAPI_UNION,
    QAPI_ALTERNATE,
    QAPI_ARRAY,
} QapiKind;

typedef struct QapiType QapiType;

typedef struct QapiMember {
    const char *name;
    const QapiType *type;
    uint32_t offset;
    uint32_t has_offset;
    bool has_indicator;
    bool is_optional;
    const char *const *features; /* NULL-ended, or NULL */
} QapiMember;

typedef struct QapiBranch {
    const char *name;
    const QapiType *type; /* NULL: no further members */
} QapiBranch;

struct QapiType {
    QapiKind kind;
    uint8_t bits;            /* of an integer */
    uint32_t slot_size;      /* bytes it takes as a member or array element */
    uint32_t struct_size;    /* bytes of what the slot points to */
    const char *name;        /* as introspection shows it */
    const char *json_name;   /* of a builtin */
    const EnumTable *values; /* of an enumeration */
    const char *const *const *value_features;
    const QapiType *element;   /* of an array */
    const QapiMember *members; /* of a struct or union, those of the base first */
    size_t member_count;
    const QapiMember *tag;      /* of a union: selects the branch */
    const QapiBranch *branches; /* by tag value (union) or by json_type (alternate) */
    size_t branch_count;
    uint32_t union_offset; /* where the branch is */
    const char *const *features;
};

typedef enum QapiForm {
    QAPI_TYPED, /* QMP: a number is a JSON number */
    QAPI_TEXT,  /* key=value: numbers, booleans and sizes are strings to be parsed */
} QapiForm;

#define QAPI_MAX_DEPTH JSON_MAX_DEPTH

/*
 * A new value (qapi_free()) of a struct, union, alternate or array, or NULL with *errp set,
 * which names the member by its path.
 */
void *qapi_from_json(const QapiType *type, json_object *in, QapiForm form, Error **errp);

/* A new JSON value. `value` is not NULL. */
json_object *qapi_to_json(const QapiType *type, const void *value);

void qapi_free(const QapiType *type, void *value); /* NULL is fine */
void *qapi_clone(const QapiType *type, const void *value);

/* The binary's target, as commands and events name it; set once at start, before use. */
enum {
    QAPI_TARGET_X86_64 = 1,
    QAPI_TARGET_AARCH64 = 2,
    QAPI_TARGET_PPC64 = 4,
};
void qapi_set_target(const char *name);
unsigned qapi_target(void);

#endif
