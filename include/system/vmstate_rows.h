/*
 * The macros that make rows of saved state; reached through system/vmstate.h. Each takes, behind
 * what it names, members of VMField: VM_U32(Alarm, delay, .since = 2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_VMSTATE_ROWS_H
#define SYSTEM_VMSTATE_ROWS_H

#include "system/vmstate.h"

extern const VMKind vm_kind_bool, vm_kind_u8, vm_kind_u16, vm_kind_u32, vm_kind_u64, vm_kind_i8,
    vm_kind_i16, vm_kind_i32, vm_kind_i64, vm_kind_enum, vm_kind_timer, vm_kind_struct,
    vm_kind_buffer, vm_kind_chars, vm_kind_string, vm_kind_bytes, vm_kind_held_bytes,
    vm_kind_bitmap, vm_kind_unused, vm_kind_validate, vm_kind_registers;

#define VM_MEMBER_(S, f) (((S *)NULL)->f)
/* The kind of an integer expression; any other type does not compile. */
#define VM_KIND_OF_(x)                                                                             \
    _Generic((x), bool: &vm_kind_bool, uint8_t: &vm_kind_u8, uint16_t: &vm_kind_u16,               \
             uint32_t: &vm_kind_u32, uint64_t: &vm_kind_u64, int8_t: &vm_kind_i8,                  \
             int16_t: &vm_kind_i16, int32_t: &vm_kind_i32, int64_t: &vm_kind_i64)
/* sizeof(x), if the condition holds. */
#define VM_SIZE_IF_(x, condition)                                                                  \
    (sizeof(x) + 0 * sizeof(struct { _Static_assert(condition, "type of field"); char c; }))
#define VM_ROW_(S, f, kind_, shape_, size_, ...)                                                   \
    { .name = #f, .kind = (kind_), .offset = offsetof(S, f), .shape = (shape_),                    \
      .size = (size_), __VA_ARGS__ }
#define VM_COUNTER_(S, n)                                                                          \
    .counter_offset = offsetof(S, n), .counter_size = sizeof(VM_MEMBER_(S, n))
#define VM_LENGTH_(S, f, element) (sizeof(VM_MEMBER_(S, f)) / sizeof(element))

/* --- single values --- */

#define VM_SCALAR_(S, f, type, kind, ...)                                                          \
    VM_ROW_(S, f, _Generic(VM_MEMBER_(S, f), type: &kind), VM_ONE, sizeof(type),                   \
            .count = 1, __VA_ARGS__)
#define VM_BOOL(S, f, ...) VM_SCALAR_(S, f, bool, vm_kind_bool, __VA_ARGS__)
#define VM_U8(S, f, ...)   VM_SCALAR_(S, f, uint8_t, vm_kind_u8, __VA_ARGS__)
#define VM_U16(S, f, ...)  VM_SCALAR_(S, f, uint16_t, vm_kind_u16, __VA_ARGS__)
#define VM_U32(S, f, ...)  VM_SCALAR_(S, f, uint32_t, vm_kind_u32, __VA_ARGS__)
#define VM_U64(S, f, ...)  VM_SCALAR_(S, f, uint64_t, vm_kind_u64, __VA_ARGS__)
#define VM_I8(S, f, ...)   VM_SCALAR_(S, f, int8_t, vm_kind_i8, __VA_ARGS__)
#define VM_I16(S, f, ...)  VM_SCALAR_(S, f, int16_t, vm_kind_i16, __VA_ARGS__)
#define VM_I32(S, f, ...)  VM_SCALAR_(S, f, int32_t, vm_kind_i32, __VA_ARGS__)
#define VM_I64(S, f, ...)  VM_SCALAR_(S, f, int64_t, vm_kind_i64, __VA_ARGS__)
#define VM_INT(S, f, ...)  VM_SCALAR_(S, f, int, vm_kind_i32, __VA_ARGS__)
/* int or enum, from 0 to values - 1; what is outside does not load. */
#define VM_ENUM(S, f, values, ...)                                                                 \
    VM_ROW_(S, f, &vm_kind_enum, VM_ONE,                                                           \
            VM_SIZE_IF_(VM_MEMBER_(S, f), sizeof(VM_MEMBER_(S, f)) == sizeof(int)),                \
            .count = 1, .limit = (values), __VA_ARGS__)
/* An integer or bool that both sides set up; any difference is an error. */
#define VM_EQUAL(S, f, ...)                                                                        \
    VM_ROW_(S, f, VM_KIND_OF_(VM_MEMBER_(S, f)), VM_ONE, sizeof(VM_MEMBER_(S, f)),                 \
            .count = 1, .must_equal = true, __VA_ARGS__)
/* A `Timer` (system/timer.h): when it runs out, on its clock, or that it does not run. */
#define VM_TIMER(S, f, ...) VM_SCALAR_(S, f, struct Timer, vm_kind_timer, __VA_ARGS__)

/* --- arrays; the kind follows from the element's type --- */

#define VM_ARRAY_(S, f, element, kind, shape, ...)                                                 \
    VM_ROW_(S, f, kind, shape, sizeof(element), .count = VM_LENGTH_(S, f, element), __VA_ARGS__)
#define VM_ARRAY(S, f, ...)                                                                        \
    VM_ARRAY_(S, f, VM_MEMBER_(S, f)[0], VM_KIND_OF_(VM_MEMBER_(S, f)[0]), VM_FIXED, __VA_ARGS__)
#define VM_ARRAY_2D(S, f, ...)                                                                     \
    VM_ARRAY_(S, f, VM_MEMBER_(S, f)[0][0], VM_KIND_OF_(VM_MEMBER_(S, f)[0][0]), VM_FIXED,         \
              __VA_ARGS__)
#define VM_TIMER_ARRAY(S, f, ...)                                                                  \
    VM_ARRAY_(S, f, VM_MEMBER_(S, f)[0],                                                           \
              _Generic(VM_MEMBER_(S, f)[0], struct Timer: &vm_kind_timer), VM_FIXED, __VA_ARGS__)
/* In all of these the counter `n` is saved and loaded by the row: it needs none of its own. */
#define VM_ARRAY_PART(S, f, n, ...)                                                                \
    VM_ARRAY_(S, f, VM_MEMBER_(S, f)[0], VM_KIND_OF_(VM_MEMBER_(S, f)[0]), VM_PART,                \
              VM_COUNTER_(S, n), __VA_ARGS__)
#define VM_ARRAY_HELD(S, f, n, ...)                                                                \
    VM_ROW_(S, f, VM_KIND_OF_(VM_MEMBER_(S, f)[0]), VM_HELD, sizeof(VM_MEMBER_(S, f)[0]),          \
            VM_COUNTER_(S, n), __VA_ARGS__)
#define VM_ARRAY_ALLOCATED(S, f, n, most, ...)                                                     \
    VM_ROW_(S, f, VM_KIND_OF_(VM_MEMBER_(S, f)[0]), VM_ALLOCATED, sizeof(VM_MEMBER_(S, f)[0]),     \
            VM_COUNTER_(S, n), .count = (most), __VA_ARGS__)

/* --- structs; `vm` is a `const VMState` --- */

#define VM_STRUCT(S, f, vm, ...)                                                                   \
    VM_ROW_(S, f, &vm_kind_struct, VM_ONE, sizeof(VM_MEMBER_(S, f)), .count = 1,                   \
            .state = &(vm), __VA_ARGS__)
#define VM_STRUCT_POINTER(S, f, vm, ...)                                                           \
    VM_ROW_(S, f, &vm_kind_struct, VM_POINTERS, sizeof(*VM_MEMBER_(S, f)), .count = 1,             \
            .state = &(vm), __VA_ARGS__)
#define VM_STRUCT_ARRAY(S, f, vm, ...)                                                             \
    VM_ARRAY_(S, f, VM_MEMBER_(S, f)[0], &vm_kind_struct, VM_FIXED, .state = &(vm), __VA_ARGS__)
#define VM_STRUCT_PART(S, f, n, vm, ...)                                                           \
    VM_ARRAY_(S, f, VM_MEMBER_(S, f)[0], &vm_kind_struct, VM_PART, VM_COUNTER_(S, n),              \
              .state = &(vm), __VA_ARGS__)
#define VM_STRUCT_HELD(S, f, n, vm, ...)                                                           \
    VM_ROW_(S, f, &vm_kind_struct, VM_HELD, sizeof(VM_MEMBER_(S, f)[0]), VM_COUNTER_(S, n),        \
            .state = &(vm), __VA_ARGS__)
/* The load zeroes them; what they point to is freed by .pre_load. */
#define VM_STRUCT_ALLOCATED(S, f, n, most, vm, ...)                                                \
    VM_ROW_(S, f, &vm_kind_struct, VM_ALLOCATED, sizeof(VM_MEMBER_(S, f)[0]), VM_COUNTER_(S, n),   \
            .count = (most), .state = &(vm), __VA_ARGS__)
#define VM_STRUCT_POINTERS(S, f, vm, ...)                                                          \
    VM_ROW_(S, f, &vm_kind_struct, VM_POINTERS, sizeof(*VM_MEMBER_(S, f)[0]),                      \
            .count = VM_LENGTH_(S, f, VM_MEMBER_(S, f)[0]), .state = &(vm), __VA_ARGS__)

/* --- bytes, text, bits --- */

/* An array, as it lies in memory; for bytes only. */
#define VM_BUFFER(S, f, ...)                                                                       \
    VM_ROW_(S, f, &vm_kind_buffer, VM_ONE,                                                         \
            VM_SIZE_IF_(VM_MEMBER_(S, f), sizeof(VM_MEMBER_(S, f)[0]) == 1), .count = 1,           \
            __VA_ARGS__)
/* A char array that holds a terminated string. */
#define VM_CHARS(S, f, ...)                                                                        \
    VM_ROW_(S, f, &vm_kind_chars, VM_ONE,                                                          \
            VM_SIZE_IF_(VM_MEMBER_(S, f), sizeof(VM_MEMBER_(S, f)[0]) == 1), .count = 1,           \
            __VA_ARGS__)
/* `char *`, owned, may be NULL; at most `longest` bytes without the end. */
#define VM_STRING(S, f, longest, ...)                                                              \
    VM_ROW_(S, f, _Generic(VM_MEMBER_(S, f), char *: &vm_kind_string), VM_ONE, sizeof(char *),     \
            .count = 1, .limit = (longest), __VA_ARGS__)
/* `uint8_t *`, owned: the load frees it and allocates `n` bytes, at most `longest`. */
#define VM_BYTES(S, f, n, longest, ...)                                                            \
    VM_ROW_(S, f, _Generic(VM_MEMBER_(S, f), uint8_t *: &vm_kind_bytes), VM_ONE,                   \
            sizeof(uint8_t *), .count = 1, VM_COUNTER_(S, n), .limit = (longest), __VA_ARGS__)
/* The same where the target has it already, of the same length. */
#define VM_BYTES_HELD(S, f, n, ...)                                                                \
    VM_ROW_(S, f, _Generic(VM_MEMBER_(S, f), uint8_t *: &vm_kind_held_bytes), VM_ONE,              \
            sizeof(uint8_t *), .count = 1, VM_COUNTER_(S, n), __VA_ARGS__)
/* `unsigned long *` with `n` bits, the same number on both sides. */
#define VM_BITMAP(S, f, n, ...)                                                                    \
    VM_ROW_(S, f, _Generic(VM_MEMBER_(S, f), unsigned long *: &vm_kind_bitmap), VM_ONE,            \
            sizeof(unsigned long *), .count = 1, VM_COUNTER_(S, n), __VA_ARGS__)

/* --- marks --- */

/* Bytes of the stream that mean nothing any more. */
#define VM_UNUSED(bytes, ...)                                                                      \
    { .name = "unused", .kind = &vm_kind_unused, .size = (bytes), .count = 1, __VA_ARGS__ }
/* No bytes: the load fails unless test(opaque, version) holds for the rows above. */
#define VM_VALIDATE(what, test_)                                                                   \
    { .name = (what), .kind = &vm_kind_validate, .count = 1, .test = (test_) }
/* All registers of the device's register map that hold state; hw/core puts their rows here. */
#define VM_REGISTERS { .name = "registers", .kind = &vm_kind_registers, .count = 1 }

#endif
