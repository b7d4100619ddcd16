/*
 * The walker over VMState tables: one path through rows, elements and subsections that saves, and
 * its mirror that loads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/vmstate_kind.h"

static bool row_is_there(const VMField *f, void *opaque, int version)
{
    assert(f->kind != &vm_kind_registers);
    return version >= f->since && (!f->test || f->test(opaque, version));
}

/* Element `i` of the row, NULL for a pointer that is NULL. */
static void *element(const VMField *f, void *opaque, size_t i)
{
    char *field = (char *)opaque + f->offset;

    switch (f->shape) {
    case VM_POINTERS:
        return ((void **)field)[i];
    case VM_HELD:
    case VM_ALLOCATED:
        return *(char **)field + i * f->size;
    default:
        return field + i * f->size;
    }
}

static bool has_counter(const VMField *f)
{
    return f->shape == VM_PART || f->shape == VM_HELD || f->shape == VM_ALLOCATED;
}

static void prefix_element(const VMField *f, size_t i, Error **errp)
{
    if (f->shape == VM_ONE || f->count == 1) {
        error_prefix(errp, "%s: ", f->name);
    } else {
        error_prefix(errp, "%s[%zu]: ", f->name, i);
    }
}

/* --- save --- */

/* Adds an entry for the last `bytes` written; `nested` (may be NULL) holds a struct's own rows. */
static void describe(VMWriter *w, const char *name, const char *type, size_t bytes,
                     json_object *nested)
{
    json_object *row = json_object_new_object();

    json_set(row, "name", json_string(name));
    json_set(row, "type", json_string(type));
    json_set(row, "size", json_object_new_uint64(bytes));
    if (nested) {
        json_set(row, "struct", nested);
    }
    json_object_array_add(w->fields, row);
}

static json_object *begin_struct(const VMState *vm)
{
    json_object *nested = json_object_new_object();

    if (vm->name) {
        json_set(nested, "vmsd_name", json_string(vm->name));
    }
    json_set(nested, "version", json_object_new_int(vm->version));
    json_set(nested, "fields", json_object_new_array());
    return nested;
}

static bool save_element(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    VMWriter inner = *w;
    json_object *nested = NULL;
    size_t start = w->out->len;
    bool is_ok = true;

    if (w->fields && f->state) {
        nested = begin_struct(f->state);
        inner.fields = json_member(nested, "fields");
    }
    if (f->shape == VM_POINTERS) {
        vm_put(w, at != NULL, 1);
    }
    if (at || f->shape != VM_POINTERS) {
        is_ok = f->kind->save(f, at, &inner, errp);
    }
    if (nested) {
        describe(w, f->name, f->kind->name, w->out->len - start, nested);
    }
    return is_ok;
}

static bool save_count(const VMField *f, void *opaque, VMWriter *w, size_t *count, Error **errp)
{
    *count = f->count;
    if (!has_counter(f)) {
        return true;
    }
    *count = vm_counter(f, opaque);
    if (*count > (f->count ? f->count : UINT32_MAX)) {
        return error_set(errp, "%s: %zu elements are more than %zu", f->name, *count, f->count);
    }
    vm_put(w, *count, 4);
    if (w->fields && f->state) {
        describe(w, f->name, "count", 4, NULL);
    }
    return true;
}

static bool save_row(const VMField *f, void *opaque, VMWriter *w, Error **errp)
{
    size_t count, start = w->out->len;

    if (!save_count(f, opaque, w, &count, errp)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!save_element(f, element(f, opaque, i), w, errp)) {
            prefix_element(f, i, errp);
            return false;
        }
    }
    if (w->fields && !f->state) {
        describe(w, f->name, f->kind->name, w->out->len - start, NULL);
    }
    return true;
}

/* Sizes of parts are known only behind them. */
static void patch_size(GByteArray *out, size_t start)
{
    uint32_t size = GUINT32_TO_BE(out->len - start);

    memcpy(out->data + start - sizeof(size), &size, sizeof(size));
}

static bool save_subsection(const VMState *vm, void *opaque, VMWriter *w, Error **errp)
{
    VMWriter inner = *w;
    json_object *nested = NULL;
    size_t start;
    bool is_ok;

    vm_put(w, strlen(vm->name), 1);
    vm_put_bytes(w, vm->name, strlen(vm->name));
    vm_put(w, 0, 4);
    start = w->out->len;
    if (w->fields) {
        nested = begin_struct(vm);
        inner.fields = json_member(nested, "fields");
    }
    is_ok = vmstate_save(vm, opaque, &inner, errp);
    if (!is_ok) {
        error_prefix(errp, "%s: ", vm->name);
    }
    if (nested) {
        describe(w, vm->name, "subsection", w->out->len - start, nested);
    }
    patch_size(w->out, start);
    return is_ok;
}

static bool save_subsections(const VMState *vm, void *opaque, VMWriter *w, Error **errp)
{
    size_t count_at = w->out->len;

    vm_put(w, 0, 1);
    for (size_t i = 0; vm->subsections && vm->subsections[i]; i++) {
        const VMState *sub = vm->subsections[i];

        if (sub->needed && !sub->needed(opaque)) {
            continue;
        }
        w->out->data[count_at]++;
        if (!save_subsection(sub, opaque, w, errp)) {
            return false;
        }
    }
    return true;
}

static bool save_rows(const VMState *vm, void *opaque, VMWriter *w, Error **errp)
{
    for (size_t i = 0; i < vm->count; i++) {
        const VMField *f = &vm->fields[i];

        if (f->kind != &vm_kind_validate && row_is_there(f, opaque, vm->version) &&
            !save_row(f, opaque, w, errp)) {
            return false;
        }
    }
    return save_subsections(vm, opaque, w, errp);
}

bool vmstate_save(const VMState *vm, void *opaque, VMWriter *w, Error **errp)
{
    bool is_ok;

    if (vm->pre_save && !vm->pre_save(opaque, errp)) {
        return false;
    }
    vm_put(w, vm->version, 2);
    is_ok = save_rows(vm, opaque, w, errp);
    if (vm->post_save) {
        vm->post_save(opaque);
    }
    return is_ok;
}

/* --- load --- */

static bool load_equal(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint64_t value = 0;
    int64_t saved, here;

    if (!f->kind->load(f, &value, r, errp)) {
        return false;
    }
    if (vm_peek(&value, f->size) == vm_peek(at, f->size)) {
        return true;
    }
    saved = vm_peek(&value, f->size);
    here = vm_peek(at, f->size);
    if (!f->kind->is_signed) {
        return error_set(errp, "the stream has %" PRIu64 ", this machine %" PRIu64,
                         (uint64_t)saved, (uint64_t)here);
    }
    saved = (int64_t)((uint64_t)saved << (64 - 8 * f->size)) >> (64 - 8 * f->size);
    here = (int64_t)((uint64_t)here << (64 - 8 * f->size)) >> (64 - 8 * f->size);
    return error_set(errp, "the stream has %" PRId64 ", this machine %" PRId64, saved, here);
}

static bool load_element(const VMField *f, void *at, VMReader *r, Error **errp)
{
    if (f->shape == VM_POINTERS) {
        uint64_t is_there;

        if (!vm_get(r, &is_there, 1, errp)) {
            return false;
        }
        if (is_there != (at != NULL)) {
            return error_set(errp, "the stream has %s, this machine %s", is_there ? "one" : "none",
                             at ? "one" : "none");
        }
        if (!at) {
            return true;
        }
    }
    return f->must_equal ? load_equal(f, at, r, errp) : f->kind->load(f, at, r, errp);
}

/* Before anything is allocated for them: as many elements can still be in the stream. */
static bool check_room(const VMField *f, uint64_t count, VMReader *r, Error **errp)
{
    size_t least = f->kind->wire_bytes ? f->kind->wire_bytes : 1;

    if (count > f->count) {
        return error_set(errp, "%" PRIu64 " elements are more than %zu", count, f->count);
    }
    if (count > vm_left(r) / least) {
        return error_set(errp, "%" PRIu64 " elements in %zu bytes", count, vm_left(r));
    }
    return true;
}

static bool allocate(const VMField *f, void *opaque, size_t count, Error **errp)
{
    void **field = (void **)((char *)opaque + f->offset);
    void *fresh = count ? g_try_malloc0_n(count, f->size) : NULL;

    if (count && !fresh) {
        return error_set(errp, "no memory for %zu elements", count);
    }
    g_free(*field);
    *field = fresh;
    return true;
}

static bool load_count(const VMField *f, void *opaque, VMReader *r, size_t *count, Error **errp)
{
    uint64_t here, saved;

    *count = f->count;
    if (!has_counter(f)) {
        return true;
    }
    if (!vm_get(r, &saved, 4, errp)) {
        return false;
    }
    here = vm_counter(f, opaque);
    if (f->shape == VM_HELD && saved != here) {
        return error_set(errp, "the stream has %" PRIu64 " elements, this machine %" PRIu64, saved,
                         here);
    }
    if (f->shape != VM_HELD && !check_room(f, saved, r, errp)) {
        return false;
    }
    if (f->shape == VM_ALLOCATED && !allocate(f, opaque, saved, errp)) {
        return false;
    }
    vm_set_counter(f, opaque, saved);
    *count = saved;
    return true;
}

static bool load_row(const VMField *f, void *opaque, VMReader *r, Error **errp)
{
    size_t count;

    if (!load_count(f, opaque, r, &count, errp)) {
        error_prefix(errp, "%s: ", f->name);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!load_element(f, element(f, opaque, i), r, errp)) {
            prefix_element(f, i, errp);
            return false;
        }
    }
    return true;
}

static bool load_rows(const VMState *vm, void *opaque, int version, VMReader *r, Error **errp)
{
    for (size_t i = 0; i < vm->count; i++) {
        const VMField *f = &vm->fields[i];

        if (f->kind == &vm_kind_validate) {
            if (!f->test(opaque, version)) {
                return error_set(errp, "%s: does not hold", f->name);
            }
        } else if (row_is_there(f, opaque, version) && !load_row(f, opaque, r, errp)) {
            return false;
        }
    }
    return true;
}

/* The subsection of that name at or behind *index, which then points behind it. */
static const VMState *find_subsection(const VMState *vm, const char *name, size_t *index)
{
    for (; vm->subsections && vm->subsections[*index]; ++*index) {
        if (!strcmp(vm->subsections[*index]->name, name)) {
            return vm->subsections[(*index)++];
        }
    }
    return NULL;
}

static bool load_subsection(const VMState *vm, void *opaque, VMReader *r, size_t *index,
                            Error **errp)
{
    g_autofree char *name = NULL;
    const uint8_t *bytes = NULL;
    const VMState *sub;
    uint64_t size;
    VMReader inner;

    if (vm_get(r, &size, 1, errp)) {
        bytes = vm_get_bytes(r, size, errp);
    }
    if (!bytes) {
        return false;
    }
    name = g_strndup((const char *)bytes, size);
    if (!vm_get(r, &size, 4, errp)) {
        return false;
    }
    bytes = vm_get_bytes(r, size, errp);
    if (!bytes) {
        return false;
    }
    sub = find_subsection(vm, name, index);
    if (!sub) {
        g_autofree char *shown = g_strescape(name, NULL);

        return error_set(errp, "unknown subsection '%s'", shown);
    }
    inner = (VMReader){ .data = bytes, .size = size };
    if (!vmstate_load(sub, opaque, &inner, errp)) {
        error_prefix(errp, "%s: ", name);
        return false;
    }
    return !vm_left(&inner) ||
           error_set(errp, "%s: %zu bytes too many", name, vm_left(&inner));
}

static bool load_subsections(const VMState *vm, void *opaque, VMReader *r, Error **errp)
{
    uint64_t count;
    size_t index = 0;

    if (!vm_get(r, &count, 1, errp)) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!load_subsection(vm, opaque, r, &index, errp)) {
            return false;
        }
    }
    return true;
}

bool vmstate_load(const VMState *vm, void *opaque, VMReader *r, Error **errp)
{
    int oldest = vm->minimum_version ? vm->minimum_version : vm->version;
    uint64_t version;

    if (!vm_get(r, &version, 2, errp)) {
        return false;
    }
    if (version > vm->version || version < oldest) {
        return error_set(errp, "version %" PRIu64 " is not from %d to %d", version, oldest,
                         vm->version);
    }
    return (!vm->pre_load || vm->pre_load(opaque, errp)) &&
           load_rows(vm, opaque, version, r, errp) && load_subsections(vm, opaque, r, errp) &&
           (!vm->post_load || vm->post_load(opaque, version, errp));
}
