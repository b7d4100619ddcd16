/*
 * AML: objects with names, operation regions and fields (ACPI 6.4, 20.2.5.1 and 20.2.5.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/aml_term.h"
#include "hw/acpi/pack.h"

#define ALIAS_OP              0x06
#define NAME_OP               0x08
#define SCOPE_OP              0x10
#define METHOD_OP             0x14
#define EXTERNAL_OP           0x15
#define CREATE_DWORD_FIELD_OP 0x8a
#define CREATE_WORD_FIELD_OP  0x8b
#define CREATE_BYTE_FIELD_OP  0x8c
#define CREATE_BIT_FIELD_OP   0x8d
#define CREATE_QWORD_FIELD_OP 0x8f
#define MUTEX_OP              (AML_EXT | 0x01)
#define EVENT_OP              (AML_EXT | 0x02)
#define CREATE_FIELD_OP       (AML_EXT | 0x13)
#define OP_REGION_OP          (AML_EXT | 0x80)
#define FIELD_OP              (AML_EXT | 0x81)
#define DEVICE_OP             (AML_EXT | 0x82)
#define PROCESSOR_OP          (AML_EXT | 0x83)
#define POWER_RES_OP          (AML_EXT | 0x84)
#define THERMAL_ZONE_OP       (AML_EXT | 0x85)
#define INDEX_FIELD_OP        (AML_EXT | 0x86)

#define METHOD_SERIALIZED BIT(3)
#define FIELD_RESERVED    0
#define FIELD_ACCESS      1

static Aml *named(AmlKind kind, uint16_t opcode, const char *path)
{
    Aml *term = kind == AML_PLAIN ? aml_op(opcode) : aml_new(kind, opcode);

    aml_put_name(term, path);
    return term;
}

Aml *aml_scope_of(const char *path, Aml **terms)
{
    return aml_append_all(named(AML_BLOCK, SCOPE_OP, path), terms);
}

Aml *aml_device_of(const char *path, Aml **terms)
{
    return aml_append_all(named(AML_BLOCK, DEVICE_OP, path), terms);
}

Aml *aml_thermal_zone_of(const char *path, Aml **terms)
{
    return aml_append_all(named(AML_BLOCK, THERMAL_ZONE_OP, path), terms);
}

Aml *aml_method_of(const char *path, unsigned arguments, AmlSerialize serialize, Aml **terms)
{
    Aml *term = named(AML_BLOCK, METHOD_OP, path);

    assert(arguments <= 7);
    aml_put_byte(term, arguments | (serialize == AML_SERIALIZED ? METHOD_SERIALIZED : 0));
    return aml_append_all(term, terms);
}

Aml *aml_power_resource(const char *path, uint8_t level, uint16_t order)
{
    Aml *term = named(AML_BLOCK, POWER_RES_OP, path);

    bytes_pack(term->bytes, "12", level, order);
    return term;
}

Aml *aml_processor(const char *path, uint8_t id, uint32_t pblk, uint8_t pblk_bytes)
{
    Aml *term = named(AML_BLOCK, PROCESSOR_OP, path);

    bytes_pack(term->bytes, "141", id, pblk, pblk_bytes);
    return term;
}

Aml *aml_name(const char *path, Aml *object)
{
    Aml *term = named(AML_PLAIN, NAME_OP, path);

    aml_put(term, object);
    return term;
}

Aml *aml_alias(const char *source, const char *path)
{
    Aml *term = named(AML_PLAIN, ALIAS_OP, source);

    aml_put_name(term, path);
    return term;
}

Aml *aml_external(const char *path, uint8_t object_type, uint8_t arguments)
{
    Aml *term = named(AML_PLAIN, EXTERNAL_OP, path);

    bytes_pack(term->bytes, "11", object_type, arguments);
    return term;
}

Aml *aml_mutex(const char *path, uint8_t sync_level)
{
    Aml *term = named(AML_PLAIN, MUTEX_OP, path);

    assert(sync_level <= 15);
    aml_put_byte(term, sync_level);
    return term;
}

Aml *aml_event(const char *path)
{
    return named(AML_PLAIN, EVENT_OP, path);
}

Aml *aml_op_region(const char *path, AmlSpace space, Aml *offset, Aml *length)
{
    Aml *term = named(AML_PLAIN, OP_REGION_OP, path);

    aml_put_byte(term, space);
    aml_put(term, offset);
    aml_put(term, length);
    return term;
}

Aml *aml_field_of(const char *region, uint8_t flags, Aml **units)
{
    Aml *term = named(AML_UNITS, FIELD_OP, region);

    aml_put_byte(term, flags);
    return aml_append_all(term, units);
}

Aml *aml_index_field_of(const char *index, const char *data, uint8_t flags, Aml **units)
{
    Aml *term = named(AML_UNITS, INDEX_FIELD_OP, index);

    aml_put_name(term, data);
    aml_put_byte(term, flags);
    return aml_append_all(term, units);
}

Aml *aml_unit(const char *name, uint32_t bits)
{
    Aml *term = aml_new(AML_UNIT, 0);

    assert(!strpbrk(name, "\\^."));
    aml_put_name(term, name);
    aml_put_length(term->bytes, bits);
    term->bits = bits;
    return term;
}

Aml *aml_reserved(uint32_t bits)
{
    Aml *term = aml_new(AML_UNIT, 0);

    aml_put_byte(term, FIELD_RESERVED);
    aml_put_length(term->bytes, bits);
    term->bits = bits;
    return term;
}

Aml *aml_offset(uint32_t byte)
{
    Aml *term = aml_new(AML_SKIP_TO, 0);

    term->bits = (uint64_t)byte * 8;
    return term;
}

Aml *aml_access_as(AmlAccess access)
{
    Aml *term = aml_new(AML_UNIT, 0);

    bytes_pack(term->bytes, "111", FIELD_ACCESS, access, 0);
    return term;
}

static Aml *create_field(uint16_t opcode, Aml *buffer, Aml *index, const char *name)
{
    Aml *term = aml_op(opcode);

    aml_put(term, buffer);
    aml_put(term, index);
    aml_put_name(term, name);
    return term;
}

Aml *aml_create_bit_field(Aml *buffer, Aml *bit, const char *name)
{
    return create_field(CREATE_BIT_FIELD_OP, buffer, bit, name);
}

Aml *aml_create_byte_field(Aml *buffer, Aml *byte, const char *name)
{
    return create_field(CREATE_BYTE_FIELD_OP, buffer, byte, name);
}

Aml *aml_create_word_field(Aml *buffer, Aml *byte, const char *name)
{
    return create_field(CREATE_WORD_FIELD_OP, buffer, byte, name);
}

Aml *aml_create_dword_field(Aml *buffer, Aml *byte, const char *name)
{
    return create_field(CREATE_DWORD_FIELD_OP, buffer, byte, name);
}

Aml *aml_create_qword_field(Aml *buffer, Aml *byte, const char *name)
{
    return create_field(CREATE_QWORD_FIELD_OP, buffer, byte, name);
}

Aml *aml_create_field(Aml *buffer, Aml *bit, Aml *bits, const char *name)
{
    Aml *term = aml_op(CREATE_FIELD_OP);

    aml_put(term, buffer);
    aml_put(term, bit);
    aml_put(term, bits);
    aml_put_name(term, name);
    return term;
}
