/*
 * Saving and loading by VMState tables, and how one kind of value is written.
 *
 * In the stream a state is: version (u16), its rows, the number of subsections (u8), each with its
 * name (u8 length, text), size (u32) and again a state. Integers are big-endian. Which row is
 * there follows from the version and the rows above; docs/devel/migration.md has it all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_VMSTATE_KIND_H
#define SYSTEM_VMSTATE_KIND_H

#include "system/vmstate.h"
#include "util/json.h"

/* Where a load is; `data` is borrowed. */
typedef struct VMReader {
    const uint8_t *data;
    size_t size;
    size_t pos;
} VMReader;

/* Where a save goes; `fields` (may be NULL) is a JSON array that gets the rows' descriptions. */
typedef struct VMWriter {
    GByteArray *out;
    json_object *fields;
} VMWriter;

struct VMKind {
    const char *name;  /* in descriptions */
    size_t wire_bytes; /* of an element in the stream; 0: it varies */
    bool is_signed;
    bool (*save)(const VMField *f, void *at, VMWriter *w, Error **errp);
    bool (*load)(const VMField *f, void *at, VMReader *r, Error **errp);
};

/*
 * Everything that is declared for `opaque`, with its hooks. post_save runs also if saving failed.
 * Errors start with the path of the row ("timers[2].control: ...").
 */
bool vmstate_save(const VMState *vm, void *opaque, VMWriter *w, Error **errp);
/* Leaves `r` behind the state; whether bytes remain is for the caller to judge. */
bool vmstate_load(const VMState *vm, void *opaque, VMReader *r, Error **errp);

/*
 * What is declared, as JSON: {"name", "version_id", "minimum_version_id", "Fields",
 * "Subsections"}. `name` stands in for a missing VMState.name. The caller owns it.
 */
json_object *vmstate_describe(const VMState *vm, const char *name);

/*
 * A table of our own with `rows` in place of VM_REGISTERS (at its end if there is none), for the
 * life of the process. `vm` may be NULL: then the rows are all there is, version 1.
 */
const VMState *vmstate_expand(const VMState *vm, const VMField *rows, size_t count);
/* A row made at run time: an unsigned integer of 1, 2, 4 or 8 bytes, or `count` of them in a row. */
VMField vmstate_uint_row(const char *name, size_t offset, size_t bytes, size_t count);
/* A row for what a base type declares about the same object. */
VMField vmstate_base_row(const char *type_name, const VMState *vm);
/* All rows' counters, sizes and versions make sense; asserts otherwise. For tests of all types. */
void vmstate_check(const VMState *vm);

/* --- for kinds --- */

void vm_put(VMWriter *w, uint64_t value, size_t bytes);
void vm_put_bytes(VMWriter *w, const void *bytes, size_t size);
bool vm_get(VMReader *r, uint64_t *value, size_t bytes, Error **errp);
/* The next `size` bytes, borrowed; NULL with *errp set if there are fewer. */
const uint8_t *vm_get_bytes(VMReader *r, size_t size, Error **errp);
static inline size_t vm_left(const VMReader *r)
{
    return r->size - r->pos;
}
/* The row's counter in the struct at `opaque`. */
uint64_t vm_counter(const VMField *f, const void *opaque);
void vm_set_counter(const VMField *f, void *opaque, uint64_t value);
/* An integer in memory. */
uint64_t vm_peek(const void *at, size_t bytes);
void vm_poke(void *at, uint64_t value, size_t bytes);

#endif
