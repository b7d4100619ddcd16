/*
 * How a term is held while it is built: its bytes without what goes around them, which is known
 * when it is complete, that is, when it is put into another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_AML_TERM_H
#define HW_ACPI_AML_TERM_H

#include "hw/acpi/aml.h"

#define AML_EXT 0x5b00 /* opcodes of two bytes */

typedef enum AmlKind {
    AML_PLAIN,     /* complete */
    AML_SEQUENCE,  /* terms, nothing around them */
    AML_BLOCK,     /* opcode, PkgLength, body */
    AML_ELEMENTS,  /* opcode, PkgLength, count, body */
    AML_UNITS,     /* a field: opcode, PkgLength, body */
    AML_UNIT,      /* a field's unit of `bits` */
    AML_SKIP_TO,   /* a field's Offset (bits / 8) */
    AML_RESOURCES, /* a buffer that ends with an end tag */
} AmlKind;

struct Aml {
    AmlKind kind;
    uint16_t opcode;
    unsigned elements;
    uint64_t bits; /* of a unit; in a field, where the next one begins */
    GByteArray *bytes;
};

Aml *aml_new(AmlKind kind, uint16_t opcode);
/* A complete term that begins with an opcode. */
Aml *aml_op(uint16_t opcode);
void aml_put_byte(Aml *term, uint8_t byte);
void aml_put_opcode(GByteArray *out, uint16_t opcode);
void aml_put_name(Aml *term, const char *path);
void aml_put_int(GByteArray *out, uint64_t value);
/* Consumes `part`, whatever the kind of `term`. */
void aml_put(Aml *term, Aml *part);
/* The same; NULL is a target that does not exist. */
void aml_put_target(Aml *term, Aml *target);
/* Appends a list. Returns `parent`. */
Aml *aml_append_all(Aml *parent, Aml **terms);
/* `value` as PkgLength encodes it. */
void aml_put_length(GByteArray *out, uint32_t value);

#endif
