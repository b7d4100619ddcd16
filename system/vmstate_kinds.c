/*
 * The kinds of saved values.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/vmstate_kind.h"

/* The struct a row of one element belongs to. */
static void *owner(const VMField *f, void *at)
{
    return (char *)at - f->offset;
}

/* --- integers --- */

static bool int_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    vm_put(w, vm_peek(at, f->size), f->kind->wire_bytes);
    return true;
}

static bool int_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint64_t value;

    if (!vm_get(r, &value, f->kind->wire_bytes, errp)) {
        return false;
    }
    vm_poke(at, value, f->size);
    return true;
}

static bool bool_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint64_t value;

    if (!vm_get(r, &value, 1, errp)) {
        return false;
    }
    if (value > 1) {
        return error_set(errp, "%" PRIu64 " is not a truth value", value);
    }
    *(bool *)at = value;
    return true;
}

#define INT_KIND(kind, name_, bytes, sign)                                                         \
    const VMKind vm_kind_##kind = {                                                                \
        .name = name_, .wire_bytes = bytes, .is_signed = sign, .save = int_save, .load = int_load, \
    };

INT_KIND(u8, "uint8", 1, false)
INT_KIND(u16, "uint16", 2, false)
INT_KIND(u32, "uint32", 4, false)
INT_KIND(u64, "uint64", 8, false)
INT_KIND(i8, "int8", 1, true)
INT_KIND(i16, "int16", 2, true)
INT_KIND(i32, "int32", 4, true)
INT_KIND(i64, "int64", 8, true)
const VMKind vm_kind_bool = {
    .name = "bool", .wire_bytes = 1, .save = int_save, .load = bool_load,
};

static bool enum_check(const VMField *f, uint64_t value, Error **errp)
{
    if (value >= f->limit) {
        return error_set(errp, "%" PRId32 " is not from 0 to %" PRIu64, (int32_t)value,
                         f->limit - 1);
    }
    return true;
}

static bool enum_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    return enum_check(f, vm_peek(at, f->size), errp) && int_save(f, at, w, errp);
}

static bool enum_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint64_t value;

    if (!vm_get(r, &value, f->kind->wire_bytes, errp) || !enum_check(f, value, errp)) {
        return false;
    }
    vm_poke(at, value, f->size);
    return true;
}

const VMKind vm_kind_enum = {
    .name = "enum", .wire_bytes = 4, .is_signed = true, .save = enum_save, .load = enum_load,
};

/* --- structs --- */

static bool struct_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    return vmstate_save(f->state, at, w, errp);
}

static bool struct_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    return vmstate_load(f->state, at, r, errp);
}

const VMKind vm_kind_struct = { .name = "struct", .save = struct_save, .load = struct_load };

/* --- bytes and text --- */

static bool buffer_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    vm_put_bytes(w, at, f->size);
    return true;
}

static bool buffer_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    const uint8_t *bytes = vm_get_bytes(r, f->size, errp);

    if (!bytes) {
        return false;
    }
    memcpy(at, bytes, f->size);
    return true;
}

const VMKind vm_kind_buffer = { .name = "buffer", .save = buffer_save, .load = buffer_load };

static bool check_text(const uint8_t *text, size_t size, Error **errp)
{
    return !memchr(text, 0, size) || error_set(errp, "text holds a zero byte");
}

static bool chars_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    const char *end = memchr(at, 0, f->size);

    if (!end) {
        return error_set(errp, "text has no end");
    }
    vm_put(w, end - (char *)at, 4);
    vm_put_bytes(w, at, end - (char *)at);
    return true;
}

/* Length and bytes of at most `limit`. */
static const uint8_t *get_counted(VMReader *r, uint64_t limit, uint64_t *size, Error **errp)
{
    if (!vm_get(r, size, 4, errp)) {
        return NULL;
    }
    if (*size > limit) {
        error_set(errp, "%" PRIu64 " bytes are more than %" PRIu64, *size, limit);
        return NULL;
    }
    return vm_get_bytes(r, *size, errp);
}

static bool chars_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint64_t size;
    const uint8_t *text = get_counted(r, f->size - 1, &size, errp);

    if (!text || !check_text(text, size, errp)) {
        return false;
    }
    memset(at, 0, f->size);
    memcpy(at, text, size);
    return true;
}

const VMKind vm_kind_chars = { .name = "chars", .save = chars_save, .load = chars_load };

static bool string_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    const char *text = *(char **)at;
    size_t size = text ? strlen(text) : 0;

    if (size > f->limit) {
        return error_set(errp, "%zu bytes are more than %" PRIu64, size, f->limit);
    }
    vm_put(w, text != NULL, 1);
    if (text) {
        vm_put(w, size, 4);
        vm_put_bytes(w, text, size);
    }
    return true;
}

static bool string_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    char **field = at;
    const uint8_t *text;
    uint64_t is_set, size;

    if (!vm_get(r, &is_set, 1, errp)) {
        return false;
    }
    if (is_set > 1) {
        return error_set(errp, "%" PRIu64 " is not a truth value", is_set);
    }
    if (!is_set) {
        g_clear_pointer(field, g_free);
        return true;
    }
    text = get_counted(r, f->limit, &size, errp);
    if (!text || !check_text(text, size, errp)) {
        return false;
    }
    g_free(*field);
    *field = g_strndup((const char *)text, size);
    return true;
}

const VMKind vm_kind_string = { .name = "string", .save = string_save, .load = string_load };

static bool bytes_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    uint64_t size = vm_counter(f, owner(f, at));

    if (f->limit && size > f->limit) {
        return error_set(errp, "%" PRIu64 " bytes are more than %" PRIu64, size, f->limit);
    }
    vm_put(w, size, 4);
    vm_put_bytes(w, *(uint8_t **)at, size);
    return true;
}

static bool bytes_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint8_t **field = at, *copy = NULL;
    uint64_t size;
    const uint8_t *bytes = get_counted(r, f->limit, &size, errp);

    if (!bytes) {
        return false;
    }
    if (size) {
        copy = g_try_malloc(size);
        if (!copy) {
            return error_set(errp, "no memory for %" PRIu64 " bytes", size);
        }
        memcpy(copy, bytes, size);
    }
    g_free(*field);
    *field = copy;
    vm_set_counter(f, owner(f, at), size);
    return true;
}

const VMKind vm_kind_bytes = { .name = "bytes", .save = bytes_save, .load = bytes_load };

static bool check_held(uint64_t saved, uint64_t here, const char *unit, Error **errp)
{
    return saved == here || error_set(errp, "the stream has %" PRIu64 " %s, this machine %" PRIu64,
                                      saved, unit, here);
}

static bool held_bytes_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    uint64_t size, here = vm_counter(f, owner(f, at));
    const uint8_t *bytes;

    if (!vm_get(r, &size, 4, errp) || !check_held(size, here, "bytes", errp)) {
        return false;
    }
    bytes = vm_get_bytes(r, size, errp);
    if (bytes && size) {
        memcpy(*(uint8_t **)at, bytes, size);
    }
    return bytes != NULL;
}

const VMKind vm_kind_held_bytes = {
    .name = "bytes", .save = bytes_save, .load = held_bytes_load,
};

/* --- bits: their number (u64), then words of 64, the first bit lowest --- */

static uint64_t bitmap_word(const unsigned long *map, uint64_t word, uint64_t bits)
{
    uint64_t left = bits - word * 64;

    return left < 64 ? map[word] & (BIT64(left) - 1) : map[word];
}

static bool bitmap_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    const unsigned long *map = *(unsigned long **)at;
    uint64_t bits = vm_counter(f, owner(f, at));

    G_STATIC_ASSERT(sizeof(*map) == 8);
    vm_put(w, bits, 8);
    for (uint64_t i = 0; i < (bits + 63) / 64; i++) {
        vm_put(w, bitmap_word(map, i, bits), 8);
    }
    return true;
}

static bool bitmap_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    unsigned long *map = *(unsigned long **)at;
    uint64_t bits, word, here = vm_counter(f, owner(f, at));

    if (!vm_get(r, &bits, 8, errp) || !check_held(bits, here, "bits", errp)) {
        return false;
    }
    for (uint64_t i = 0; i < (bits + 63) / 64; i++) {
        if (!vm_get(r, &word, 8, errp)) {
            return false;
        }
        map[i] = word;
        if (bitmap_word(map, i, bits) != word) {
            return error_set(errp, "bits behind the last of %" PRIu64 " are set", bits);
        }
    }
    return true;
}

const VMKind vm_kind_bitmap = { .name = "bitmap", .save = bitmap_save, .load = bitmap_load };

/* --- marks --- */

static bool unused_save(const VMField *f, void *at, VMWriter *w, Error **errp)
{
    for (size_t i = 0; i < f->size; i++) {
        vm_put(w, 0, 1);
    }
    return true;
}

static bool unused_load(const VMField *f, void *at, VMReader *r, Error **errp)
{
    return vm_get_bytes(r, f->size, errp) != NULL;
}

const VMKind vm_kind_unused = { .name = "unused_buffer", .save = unused_save, .load = unused_load };

/* The walker calls the row's test itself. */
const VMKind vm_kind_validate = { .name = "validate" };

/* vmstate_expand() has replaced it by then. */
const VMKind vm_kind_registers = { .name = "registers" };
