/*
 * VMState tables as such: descriptions of them, tables made at run time, and what must hold for
 * every one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/vmstate_kind.h"

/* --- description --- */

static json_object *describe_row(const VMField *f)
{
    json_object *row = json_object_new_object();

    json_set(row, "field", json_string(f->name));
    json_set(row, "version_id", json_object_new_int(f->since));
    json_set(row, "field_exists", json_object_new_boolean(f->test != NULL));
    json_set(row, "size", json_object_new_uint64(f->size));
    if (f->shape == VM_FIXED || f->shape == VM_PART || f->shape == VM_POINTERS) {
        json_set(row, "num", json_object_new_uint64(f->count));
    }
    if (f->state) {
        json_set(row, "Description", vmstate_describe(f->state, f->name));
    }
    return row;
}

json_object *vmstate_describe(const VMState *vm, const char *name)
{
    json_object *shown = json_object_new_object(), *rows = json_object_new_array();
    int oldest = vm->minimum_version ? vm->minimum_version : vm->version;

    json_set(shown, "name", json_string(vm->name ? vm->name : name));
    json_set(shown, "version_id", json_object_new_int(vm->version));
    json_set(shown, "minimum_version_id", json_object_new_int(oldest));
    for (size_t i = 0; i < vm->count; i++) {
        json_object_array_add(rows, describe_row(&vm->fields[i]));
    }
    json_set(shown, "Fields", rows);
    if (vm->subsections) {
        json_object *subsections = json_object_new_array();

        for (size_t i = 0; vm->subsections[i]; i++) {
            json_object_array_add(subsections, vmstate_describe(vm->subsections[i], NULL));
        }
        json_set(shown, "Subsections", subsections);
    }
    return shown;
}

/* --- tables made at run time --- */

static size_t find_mark(const VMState *vm)
{
    size_t i;

    for (i = 0; i < vm->count && vm->fields[i].kind != &vm_kind_registers; i++) {
    }
    return i;
}

const VMState *vmstate_expand(const VMState *vm, const VMField *rows, size_t count)
{
    static const VMState none = { .version = 1 };
    VMState *made = g_memdup2(vm ? vm : &none, sizeof(*vm));
    size_t mark = find_mark(made);
    size_t behind = mark < made->count ? mark + 1 : mark;
    VMField *fields = g_new(VMField, made->count + count);

    if (mark) {
        memcpy(fields, made->fields, mark * sizeof(*fields));
    }
    if (count) {
        memcpy(fields + mark, rows, count * sizeof(*fields));
    }
    for (size_t i = behind; i < made->count; i++) {
        fields[mark + count + i - behind] = made->fields[i];
    }
    made->count += count - (behind - mark);
    made->fields = fields;
    return made;
}

VMField vmstate_uint_row(const char *name, size_t offset, size_t bytes, size_t count)
{
    static const VMKind *const kinds[] = {
        [1] = &vm_kind_u8, [2] = &vm_kind_u16, [4] = &vm_kind_u32, [8] = &vm_kind_u64,
    };

    assert(bytes < ARRAY_SIZE(kinds) && kinds[bytes]);
    return (VMField){
        .name = name, .kind = kinds[bytes], .offset = offset, .size = bytes,
        .shape = count > 1 ? VM_FIXED : VM_ONE, .count = count,
    };
}

VMField vmstate_base_row(const char *type_name, const VMState *vm)
{
    return (VMField){
        .name = type_name, .kind = &vm_kind_struct, .shape = VM_ONE, .count = 1, .state = vm,
    };
}

/* --- what must hold --- */

static bool needs_counter(const VMField *f)
{
    return f->shape == VM_PART || f->shape == VM_HELD || f->shape == VM_ALLOCATED ||
           f->kind == &vm_kind_bytes || f->kind == &vm_kind_held_bytes ||
           f->kind == &vm_kind_bitmap;
}

static void check_row(const VMField *f, const VMState *vm)
{
    assert(f->name && f->kind);
    assert(f->count || f->shape == VM_HELD);
    assert(f->since <= vm->version);
    assert(f->kind != &vm_kind_validate || f->test);
    assert(!needs_counter(f) || f->counter_size);
    if (f->kind == &vm_kind_struct) {
        vmstate_check(f->state);
    }
}

void vmstate_check(const VMState *vm)
{
    assert(vm->version >= 1 && vm->version <= UINT16_MAX);
    assert(vm->minimum_version <= vm->version);
    for (size_t i = 0; i < vm->count; i++) {
        check_row(&vm->fields[i], vm);
    }
    for (size_t i = 0; vm->subsections && vm->subsections[i]; i++) {
        const VMState *sub = vm->subsections[i];

        assert(i < UINT8_MAX && sub->name && strlen(sub->name) <= UINT8_MAX);
        vmstate_check(sub);
    }
}
