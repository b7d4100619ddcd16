/*
 * AML terms: encodings of lengths, names and data (ACPI 6.4, 20.2.1 to 20.2.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/aml_term.h"
#include "hw/acpi/pack.h"

#define ZERO_OP          0x00
#define ONE_OP           0x01
#define BYTE_PREFIX      0x0a
#define WORD_PREFIX      0x0b
#define DWORD_PREFIX     0x0c
#define STRING_PREFIX    0x0d
#define QWORD_PREFIX     0x0e
#define BUFFER_OP        0x11
#define PACKAGE_OP       0x12
#define VAR_PACKAGE_OP   0x13
#define DUAL_NAME_PREFIX 0x2e
#define MULTI_NAME_PREFIX 0x2f
#define ARG0_OP          0x68
#define LOCAL0_OP        0x60
#define DEBUG_OP         (AML_EXT | 0x31)
#define ONES_OP          0xff
#define END_TAG          0x79

#define MAX_PKG_LENGTH 0x0fffffff
#define NAME_SEG_BYTES 4
#define UUID_BYTES     16

static Aml end_of_list;
Aml *const aml_end = &end_of_list;

Aml *aml_new(AmlKind kind, uint16_t opcode)
{
    Aml *term = g_new0(Aml, 1);

    term->kind = kind;
    term->opcode = opcode;
    term->bytes = g_byte_array_new();
    return term;
}

void aml_free(Aml *term)
{
    if (term) {
        g_byte_array_unref(term->bytes);
        g_free(term);
    }
}

void aml_put_byte(Aml *term, uint8_t byte)
{
    g_byte_array_append(term->bytes, &byte, 1);
}

void aml_put_opcode(GByteArray *out, uint16_t opcode)
{
    uint8_t bytes[] = { opcode >> 8, opcode };

    g_byte_array_append(out, bytes + (bytes[0] == 0), bytes[0] ? 2 : 1);
}

Aml *aml_op(uint16_t opcode)
{
    Aml *term = aml_new(AML_PLAIN, 0);

    aml_put_opcode(term->bytes, opcode);
    return term;
}

/* A lead byte says how many follow; alone it has 6 bits of the length, else the lowest 4. */
void aml_put_length(GByteArray *out, uint32_t value)
{
    unsigned extra = value <= 0x3f ? 0 : value <= 0xfff ? 1 : value <= 0xfffff ? 2 : 3;

    assert(value <= MAX_PKG_LENGTH);
    if (extra == 0) {
        bytes_put_le(out, value, 1);
        return;
    }
    bytes_put_le(out, extra << 6 | (value & 0xf), 1);
    bytes_put_le(out, value >> 4, extra);
}

/* PkgLength counts itself. */
static void put_pkg_length(GByteArray *out, size_t body)
{
    unsigned own = body + 1 <= 0x3f ? 1 : body + 2 <= 0xfff ? 2 : body + 3 <= 0xfffff ? 3 : 4;

    assert(body <= MAX_PKG_LENGTH - own);
    if (own == 1) {
        aml_put_length(out, body + own);
        return;
    }
    bytes_put_le(out, (own - 1) << 6 | ((body + own) & 0xf), 1);
    bytes_put_le(out, (body + own) >> 4, own - 1);
}

static void put_body(GByteArray *out, const Aml *term)
{
    g_byte_array_append(out, term->bytes->data, term->bytes->len);
}

static void put_resources(GByteArray *out, Aml *term)
{
    static const uint8_t end_tag[] = { END_TAG, 0 };
    g_autoptr(GByteArray) size = g_byte_array_new();

    g_byte_array_append(term->bytes, end_tag, sizeof(end_tag));
    aml_put_int(size, term->bytes->len);
    aml_put_opcode(out, BUFFER_OP);
    put_pkg_length(out, size->len + term->bytes->len);
    g_byte_array_append(out, size->data, size->len);
    put_body(out, term);
}

/* A package of more than 255 elements says their number in a term. */
static void put_elements(GByteArray *out, const Aml *term)
{
    g_autoptr(GByteArray) count = g_byte_array_new();

    if (term->elements <= UINT8_MAX) {
        bytes_put_le(count, term->elements, 1);
    } else {
        aml_put_int(count, term->elements);
    }
    aml_put_opcode(out, term->elements <= UINT8_MAX ? PACKAGE_OP : VAR_PACKAGE_OP);
    put_pkg_length(out, count->len + term->bytes->len);
    g_byte_array_append(out, count->data, count->len);
    put_body(out, term);
}

static void put_complete(GByteArray *out, Aml *term)
{
    switch (term->kind) {
    case AML_BLOCK:
    case AML_UNITS:
        aml_put_opcode(out, term->opcode);
        put_pkg_length(out, term->bytes->len);
        put_body(out, term);
        break;
    case AML_ELEMENTS:
        put_elements(out, term);
        break;
    case AML_RESOURCES:
        put_resources(out, term);
        break;
    case AML_PLAIN:
    case AML_SEQUENCE:
    case AML_UNIT:
        put_body(out, term);
        break;
    case AML_SKIP_TO:
        g_assert_not_reached(); /* stands in a field only */
    }
}

void aml_put(Aml *term, Aml *part)
{
    put_complete(term->bytes, part);
    aml_free(part);
}

void aml_put_target(Aml *term, Aml *target)
{
    if (target) {
        aml_put(term, target);
    } else {
        aml_put_byte(term, 0);
    }
}

/* Offset (byte) is reserved bits up to there. */
static void skip_to(Aml *field, Aml *skip)
{
    assert(skip->bits >= field->bits);
    if (skip->bits > field->bits) {
        aml_put_byte(field, 0);
        aml_put_length(field->bytes, skip->bits - field->bits);
    }
    field->bits = skip->bits;
    aml_free(skip);
}

void aml_append(Aml *parent, Aml *child)
{
    assert(parent->kind != AML_PLAIN && parent->kind != AML_UNIT && parent != aml_end);
    if (!child) {
        return;
    }
    assert((parent->kind == AML_UNITS) == (child->kind == AML_UNIT || child->kind == AML_SKIP_TO));
    parent->elements++;
    if (child->kind == AML_SKIP_TO) {
        skip_to(parent, child);
        return;
    }
    parent->bits += child->bits;
    aml_put(parent, child);
}

Aml *aml_append_all(Aml *parent, Aml **terms)
{
    for (; *terms != aml_end; terms++) {
        aml_append(parent, *terms);
    }
    return parent;
}

Aml *aml_list_of(Aml **terms)
{
    return aml_append_all(aml_new(AML_SEQUENCE, 0), terms);
}

GByteArray *aml_steal_bytes(Aml *term)
{
    GByteArray *out = g_byte_array_new();

    put_complete(out, term);
    aml_free(term);
    return out;
}

AmlPath aml_path(const char *fmt, ...)
{
    AmlPath path;
    va_list ap;
    int length;

    va_start(ap, fmt);
    length = vsnprintf(path.text, sizeof(path.text), fmt, ap);
    va_end(ap);
    assert(length >= 0 && length < sizeof(path.text));
    return path;
}

/* One segment, filled up with '_'. Returns what is behind it and its dot. */
static const char *put_segment(Aml *term, const char *segment)
{
    size_t length = strcspn(segment, ".");

    assert(length >= 1 && length <= NAME_SEG_BYTES && !g_ascii_isdigit(segment[0]));
    for (size_t i = 0; i < NAME_SEG_BYTES; i++) {
        char c = i < length ? segment[i] : '_';

        assert(g_ascii_isupper(c) || g_ascii_isdigit(c) || c == '_');
        aml_put_byte(term, c);
    }
    segment += length;
    return *segment ? segment + 1 : segment;
}

void aml_put_name(Aml *term, const char *path)
{
    unsigned segments;

    while (*path == '\\' || *path == '^') {
        aml_put_byte(term, *path++);
    }
    segments = *path ? 1 : 0;
    for (const char *p = path; *p; p++) {
        segments += *p == '.';
    }
    assert(segments <= UINT8_MAX);
    if (segments == 0) {
        aml_put_byte(term, 0);
    } else if (segments == 2) {
        aml_put_byte(term, DUAL_NAME_PREFIX);
    } else if (segments > 2) {
        aml_put_byte(term, MULTI_NAME_PREFIX);
        aml_put_byte(term, segments);
    }
    for (; segments > 0; segments--) {
        path = put_segment(term, path);
    }
}

void aml_put_int(GByteArray *out, uint64_t value)
{
    if (value <= 1) {
        bytes_put_le(out, value ? ONE_OP : ZERO_OP, 1);
    } else if (value == UINT64_MAX) {
        bytes_put_le(out, ONES_OP, 1);
    } else if (value <= UINT8_MAX) {
        bytes_pack(out, "11", BYTE_PREFIX, value);
    } else if (value <= UINT16_MAX) {
        bytes_pack(out, "12", WORD_PREFIX, value);
    } else if (value <= UINT32_MAX) {
        bytes_pack(out, "14", DWORD_PREFIX, value);
    } else {
        bytes_pack(out, "18", QWORD_PREFIX, value);
    }
}

Aml *aml_int(uint64_t value)
{
    Aml *term = aml_new(AML_PLAIN, 0);

    aml_put_int(term->bytes, value);
    return term;
}

Aml *aml_string(const char *fmt, ...)
{
    Aml *term = aml_op(STRING_PREFIX);
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    assert(g_str_is_ascii(text));
    g_byte_array_append(term->bytes, (uint8_t *)text, strlen(text) + 1);
    return term;
}

Aml *aml_buffer(const void *data, size_t bytes)
{
    Aml *term = aml_buffer_sized(aml_int(bytes));

    if (data) {
        g_byte_array_append(term->bytes, data, bytes);
    }
    return term;
}

Aml *aml_buffer_sized(Aml *bytes)
{
    Aml *term = aml_new(AML_BLOCK, BUFFER_OP);

    aml_put(term, bytes);
    return term;
}

/* Three letters of 5 bits and four hex digits, as a big-endian number. */
Aml *aml_eisaid(const char *id)
{
    uint32_t value = 0;

    assert(strlen(id) == 7);
    for (unsigned i = 0; i < 7; i++) {
        assert(i < 3 ? g_ascii_isupper(id[i]) : g_ascii_isxdigit(id[i]));
        value = i < 3 ? value << 5 | (id[i] - 0x40) : value << 4 | g_ascii_xdigit_value(id[i]);
    }
    return aml_int(GUINT32_SWAP_LE_BE(value));
}

Aml *aml_uuid(const char *uuid)
{
    Aml *term = aml_buffer_sized(aml_int(UUID_BYTES));

    bytes_put_uuid(term->bytes, uuid);
    return term;
}

Aml *aml_package_of(Aml **elements)
{
    return aml_append_all(aml_new(AML_ELEMENTS, 0), elements);
}

Aml *aml_ref(const char *path)
{
    Aml *term = aml_new(AML_PLAIN, 0);

    aml_put_name(term, path);
    return term;
}

Aml *aml_arg(unsigned n)
{
    assert(n <= 6);
    return aml_op(ARG0_OP + n);
}

Aml *aml_local(unsigned n)
{
    assert(n <= 7);
    return aml_op(LOCAL0_OP + n);
}

Aml *aml_debug(void)
{
    return aml_op(DEBUG_OP);
}

Aml *aml_call_of(const char *path, Aml **arguments)
{
    Aml *term = aml_ref(path);

    for (; *arguments != aml_end; arguments++) {
        aml_put(term, *arguments);
    }
    return term;
}
