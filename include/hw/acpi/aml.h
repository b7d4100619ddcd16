/*
 * AML (ACPI 6.4, chapters 19 and 20), written so that it reads like ASL:
 *
 *     Aml *sb = aml_scope("\\_SB",
 *         aml_device("PWRB",
 *             aml_name("_HID", aml_eisaid("PNP0C0C")),
 *             aml_method("_STA", 0, AML_NOT_SERIALIZED, aml_return(aml_int(0xf)))));
 *     aml_append(sb, more);
 *
 * Every function makes a term that the caller owns and consumes the terms given to it. A NULL
 * among the terms of a list is left out; a NULL `target` means that the result is not stored.
 * Names are those of a board's author, never outside input: a bad one is an assertion. No lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_AML_H
#define HW_ACPI_AML_H

typedef struct Aml Aml;
extern Aml *const aml_end;

/* A list of terms; `{ aml_end, a, b, aml_end } + 1`: the list may be empty. */
#define AML_LIST(...) ((Aml *[]){ aml_end, ##__VA_ARGS__, aml_end } + 1)

/* Puts `child` at the end of a block, package, field or template. */
void aml_append(Aml *parent, Aml *child);
/* The term's bytes; frees it. */
GByteArray *aml_steal_bytes(Aml *term);
void aml_free(Aml *term);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Aml, aml_free)

/* A path made with printf: aml_path("S%02X", slot).text lasts to the end of the expression. */
typedef struct AmlPath {
    char text[128];
} AmlPath;
AmlPath aml_path(const char *fmt, ...) PRINTF(1, 2);

/* Terms in a row, without anything around them. */
#define aml_list(...) aml_list_of(AML_LIST(__VA_ARGS__))
Aml *aml_list_of(Aml **terms);

/* Data. A table of revision 1 has integers of 32 bits. */
Aml *aml_int(uint64_t value);
Aml *aml_string(const char *fmt, ...) PRINTF(1, 2);
Aml *aml_buffer(const void *data, size_t bytes); /* data NULL: zeros */
Aml *aml_buffer_sized(Aml *bytes);               /* Buffer (x) {}, its size known at run time */
Aml *aml_eisaid(const char *id);                 /* "PNP0A08" */
Aml *aml_uuid(const char *uuid);
#define aml_package(...) aml_package_of(AML_LIST(__VA_ARGS__))
Aml *aml_package_of(Aml **elements);

/* Names of things: objects, arguments, a call of a method. */
Aml *aml_ref(const char *path);
Aml *aml_arg(unsigned n);
Aml *aml_local(unsigned n);
Aml *aml_debug(void);
#define aml_call(path, ...) aml_call_of(path, AML_LIST(__VA_ARGS__))
Aml *aml_call_of(const char *path, Aml **arguments);

/* Named objects. */
typedef enum AmlSerialize { AML_NOT_SERIALIZED, AML_SERIALIZED } AmlSerialize;
#define aml_scope(path, ...)  aml_scope_of(path, AML_LIST(__VA_ARGS__))
#define aml_device(path, ...) aml_device_of(path, AML_LIST(__VA_ARGS__))
#define aml_thermal_zone(path, ...) aml_thermal_zone_of(path, AML_LIST(__VA_ARGS__))
#define aml_method(path, arguments, serialize, ...)                                                \
    aml_method_of(path, arguments, serialize, AML_LIST(__VA_ARGS__))
Aml *aml_scope_of(const char *path, Aml **terms);
Aml *aml_device_of(const char *path, Aml **terms);
Aml *aml_thermal_zone_of(const char *path, Aml **terms);
Aml *aml_method_of(const char *path, unsigned arguments, AmlSerialize serialize, Aml **terms);
Aml *aml_power_resource(const char *path, uint8_t level, uint16_t order);
Aml *aml_processor(const char *path, uint8_t id, uint32_t pblk, uint8_t pblk_bytes);
Aml *aml_name(const char *path, Aml *object);
Aml *aml_alias(const char *source, const char *path);
Aml *aml_external(const char *path, uint8_t object_type, uint8_t arguments);
Aml *aml_mutex(const char *path, uint8_t sync_level);
Aml *aml_event(const char *path);

/* Operation regions and their fields. */
typedef enum AmlSpace {
    AML_SYSTEM_MEMORY, AML_SYSTEM_IO, AML_PCI_CONFIG, AML_EMBEDDED_CONTROL, AML_SMBUS,
    AML_SYSTEM_CMOS, AML_PCI_BAR_TARGET, AML_IPMI, AML_GENERAL_PURPOSE_IO, AML_GENERIC_SERIAL_BUS,
    AML_PCC,
} AmlSpace;
typedef enum AmlAccess {
    AML_ANY_ACC, AML_BYTE_ACC, AML_WORD_ACC, AML_DWORD_ACC, AML_QWORD_ACC, AML_BUFFER_ACC,
} AmlAccess;
typedef enum AmlLock { AML_NO_LOCK, AML_LOCK } AmlLock;
typedef enum AmlUpdate { AML_PRESERVE, AML_WRITE_AS_ONES, AML_WRITE_AS_ZEROS } AmlUpdate;

Aml *aml_op_region(const char *path, AmlSpace space, Aml *offset, Aml *length);
#define aml_field(region, access, lock, update, ...)                                               \
    aml_field_of(region, AML_FIELD_FLAGS(access, lock, update), AML_LIST(__VA_ARGS__))
#define aml_index_field(index, data, access, lock, update, ...)                                    \
    aml_index_field_of(index, data, AML_FIELD_FLAGS(access, lock, update), AML_LIST(__VA_ARGS__))
#define AML_FIELD_FLAGS(access, lock, update) ((access) | (lock) << 4 | (update) << 5)
Aml *aml_field_of(const char *region, uint8_t flags, Aml **units);
Aml *aml_index_field_of(const char *index, const char *data, uint8_t flags, Aml **units);
/* What a field lists. */
Aml *aml_unit(const char *name, uint32_t bits);
Aml *aml_reserved(uint32_t bits);
Aml *aml_offset(uint32_t byte); /* not behind where the list is */
Aml *aml_access_as(AmlAccess access);

Aml *aml_create_bit_field(Aml *buffer, Aml *bit, const char *name);
Aml *aml_create_byte_field(Aml *buffer, Aml *byte, const char *name);
Aml *aml_create_word_field(Aml *buffer, Aml *byte, const char *name);
Aml *aml_create_dword_field(Aml *buffer, Aml *byte, const char *name);
Aml *aml_create_qword_field(Aml *buffer, Aml *byte, const char *name);
Aml *aml_create_field(Aml *buffer, Aml *bit, Aml *bits, const char *name);

/* Statements. aml_else() follows its aml_if() as the next term. */
#define aml_if(predicate, ...)    aml_if_of(predicate, AML_LIST(__VA_ARGS__))
#define aml_else(...)             aml_else_of(AML_LIST(__VA_ARGS__))
#define aml_while(predicate, ...) aml_while_of(predicate, AML_LIST(__VA_ARGS__))
Aml *aml_if_of(Aml *predicate, Aml **terms);
Aml *aml_else_of(Aml **terms);
Aml *aml_while_of(Aml *predicate, Aml **terms);
Aml *aml_break(void);
Aml *aml_continue(void);
Aml *aml_noop(void);
Aml *aml_return(Aml *value);
Aml *aml_store(Aml *source, Aml *target);
Aml *aml_copy_object(Aml *source, Aml *target);
Aml *aml_increment(Aml *target);
Aml *aml_decrement(Aml *target);
Aml *aml_notify(Aml *object, Aml *value);
Aml *aml_acquire(Aml *mutex, uint16_t timeout_ms); /* 0xffff: for ever */
Aml *aml_release(Aml *mutex);
Aml *aml_signal(Aml *event);
Aml *aml_wait(Aml *event, Aml *timeout_ms);
Aml *aml_reset(Aml *event);
Aml *aml_sleep(Aml *ms);
Aml *aml_stall(Aml *us);
Aml *aml_fatal(uint8_t type, uint32_t code, Aml *argument);

/* Arithmetic, bits and logic. */
Aml *aml_add(Aml *a, Aml *b, Aml *target);
Aml *aml_subtract(Aml *a, Aml *b, Aml *target);
Aml *aml_multiply(Aml *a, Aml *b, Aml *target);
Aml *aml_divide(Aml *a, Aml *b, Aml *remainder, Aml *quotient);
Aml *aml_mod(Aml *a, Aml *b, Aml *target);
Aml *aml_and(Aml *a, Aml *b, Aml *target);
Aml *aml_nand(Aml *a, Aml *b, Aml *target);
Aml *aml_or(Aml *a, Aml *b, Aml *target);
Aml *aml_nor(Aml *a, Aml *b, Aml *target);
Aml *aml_xor(Aml *a, Aml *b, Aml *target);
Aml *aml_not(Aml *a, Aml *target);
Aml *aml_shift_left(Aml *a, Aml *bits, Aml *target);
Aml *aml_shift_right(Aml *a, Aml *bits, Aml *target);
Aml *aml_find_set_left_bit(Aml *a, Aml *target);
Aml *aml_find_set_right_bit(Aml *a, Aml *target);
Aml *aml_land(Aml *a, Aml *b);
Aml *aml_lor(Aml *a, Aml *b);
Aml *aml_lnot(Aml *a);
Aml *aml_lequal(Aml *a, Aml *b);
Aml *aml_lnot_equal(Aml *a, Aml *b);
Aml *aml_lgreater(Aml *a, Aml *b);
Aml *aml_lgreater_equal(Aml *a, Aml *b);
Aml *aml_lless(Aml *a, Aml *b);
Aml *aml_lless_equal(Aml *a, Aml *b);

/* Objects and their parts. */
Aml *aml_index(Aml *object, Aml *index); /* Object [index] */
Aml *aml_deref_of(Aml *reference);
Aml *aml_ref_of(Aml *object);
Aml *aml_cond_ref_of(Aml *object, Aml *target);
Aml *aml_size_of(Aml *object);
Aml *aml_object_type(Aml *object);
Aml *aml_concatenate(Aml *a, Aml *b, Aml *target);
Aml *aml_concatenate_res_template(Aml *a, Aml *b, Aml *target);
Aml *aml_mid(Aml *source, Aml *index, Aml *length, Aml *target);
Aml *aml_to_buffer(Aml *a, Aml *target);
Aml *aml_to_integer(Aml *a, Aml *target);
Aml *aml_to_string(Aml *a, Aml *length, Aml *target);
Aml *aml_to_hex_string(Aml *a, Aml *target);
Aml *aml_to_decimal_string(Aml *a, Aml *target);
Aml *aml_to_bcd(Aml *a, Aml *target);
Aml *aml_from_bcd(Aml *a, Aml *target);
Aml *aml_timer(void);

#endif
