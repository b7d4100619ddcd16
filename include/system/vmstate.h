/*
 * Saved state, declared: a const table of rows (VMField) beside the struct it describes says what
 * of it goes into a migration stream. Saving, loading, checking, the description for tools and
 * the all-types tests come from the table. A device names its table with VMSTATE() in its type.
 *
 * The stream is a contract. A row is never moved or changed; state that an older stream does not
 * have comes as a subsection with .needed (left out, it loads everywhere), or as a row with
 * .since and a higher .version (that older targets refuse).
 *
 * Rows are checked against the C type of their field when compiled. All hooks run with the machine
 * lock held, the machine stopped. What a load changes before it fails stays changed: a target that
 * failed to load never runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_VMSTATE_H
#define SYSTEM_VMSTATE_H

#include "qom/error.h"

typedef struct VMField VMField;
typedef struct VMState VMState;
typedef struct VMKind VMKind; /* how a value is written: system/vmstate_kind.h */

/* Where a row's elements are. */
typedef enum VMShape {
    VM_ONE,       /* the field is the value */
    VM_FIXED,     /* the field is an array, all `count` elements are saved */
    VM_PART,      /* the field is an array of `count`; a counter field says how many are in use */
    VM_HELD,      /* the field points to as many as the counter says; the target must have as many */
    VM_ALLOCATED, /* likewise, but the load allocates them with g_malloc(), `count` at most */
    VM_POINTERS,  /* the field is one or more pointers (may be NULL, alike on both sides) */
} VMShape;

struct VMField {
    const char *name;
    const VMKind *kind;
    size_t offset;
    size_t size;           /* of an element, in memory */
    VMShape shape;
    size_t count;          /* elements, or their limit, see VMShape */
    size_t counter_offset; /* an unsigned integer of counter_size bytes */
    size_t counter_size;
    uint64_t limit;        /* VM_ENUM: values; VM_STRING, VM_BYTES: longest */
    const VMState *state;  /* VM_STRUCT */
    bool must_equal;       /* not loaded: the stream's value must be what the target has */
    int since;             /* the version that brought it */
    /* The row is there only if this holds; on loading, rows above are loaded already. */
    bool (*test)(void *opaque, int version);
};

struct VMState {
    const VMField *fields;
    size_t count;
    const char *name;     /* subsections: their name. Devices: NULL, their type's */
    int version;          /* as saved, from 1 */
    int minimum_version;  /* the oldest that loads; 0: `version` */
    int priority;         /* devices: higher ones are saved and loaded first */
    bool is_early;        /* devices: before guest memory */
    bool is_unmigratable; /* such a device forbids migration while it exists */
    bool (*needed)(void *opaque); /* NULL: always. False leaves the section out */
    bool (*pre_save)(void *opaque, Error **errp);
    void (*post_save)(void *opaque);
    bool (*pre_load)(void *opaque, Error **errp);
    /* With rows and subsections in place; checks what the rows alone cannot say. */
    bool (*post_load)(void *opaque, int version, Error **errp);
    const VMState *const *subsections; /* ends with NULL */
};

/* VMSTATE(rows, .version = 1, ...): a VMState to point to; VMSTATE_INIT(...): to name one. */
#define VMSTATE_INIT(rows, ...) { .fields = (rows), .count = ARRAY_SIZE(rows), __VA_ARGS__ }
#define VMSTATE(rows, ...)      (&(const VMState)VMSTATE_INIT(rows, __VA_ARGS__))
/* .subsections = VM_SUBSECTIONS(&one, &two) */
#define VM_SUBSECTIONS(...) ((const VMState *const[]){ __VA_ARGS__, NULL })

#include "system/vmstate_rows.h"

#endif
