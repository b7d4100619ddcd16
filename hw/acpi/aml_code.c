/*
 * AML: statements and operators (ACPI 6.4, 20.2.5.3 and 20.2.5.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/aml_term.h"
#include "hw/acpi/pack.h"

#define INDEX_OP       0x88
#define DIVIDE_OP      0x78
#define MID_OP         0x9e
#define TO_STRING_OP   0x9c
#define LNOT_OP        0x92
#define IF_OP          0xa0
#define ELSE_OP        0xa1
#define WHILE_OP       0xa2
#define ACQUIRE_OP     (AML_EXT | 0x23)
#define FATAL_OP       (AML_EXT | 0x32)

static Aml *op_1(uint16_t opcode, Aml *a)
{
    Aml *term = aml_op(opcode);

    aml_put(term, a);
    return term;
}

static Aml *op_1_target(uint16_t opcode, Aml *a, Aml *target)
{
    Aml *term = op_1(opcode, a);

    aml_put_target(term, target);
    return term;
}

static Aml *op_2(uint16_t opcode, Aml *a, Aml *b)
{
    Aml *term = op_1(opcode, a);

    aml_put(term, b);
    return term;
}

static Aml *op_2_target(uint16_t opcode, Aml *a, Aml *b, Aml *target)
{
    Aml *term = op_2(opcode, a, b);

    aml_put_target(term, target);
    return term;
}

#define OP_0(name, opcode)                                                                         \
    Aml *aml_##name(void)                                                                          \
    {                                                                                              \
        return aml_op(opcode);                                                                     \
    }
#define OP_1(name, opcode)                                                                         \
    Aml *aml_##name(Aml *a)                                                                        \
    {                                                                                              \
        return op_1(opcode, a);                                                                    \
    }
#define OP_1_TARGET(name, opcode)                                                                  \
    Aml *aml_##name(Aml *a, Aml *target)                                                           \
    {                                                                                              \
        return op_1_target(opcode, a, target);                                                     \
    }
#define OP_2(name, opcode)                                                                         \
    Aml *aml_##name(Aml *a, Aml *b)                                                                \
    {                                                                                              \
        return op_2(opcode, a, b);                                                                 \
    }
#define OP_2_TARGET(name, opcode)                                                                  \
    Aml *aml_##name(Aml *a, Aml *b, Aml *target)                                                   \
    {                                                                                              \
        return op_2_target(opcode, a, b, target);                                                  \
    }

OP_0(break, 0xa5)
OP_0(continue, 0x9f)
OP_0(noop, 0xa3)
OP_0(timer, AML_EXT | 0x33)

OP_1(return, 0xa4)
OP_1(increment, 0x75)
OP_1(decrement, 0x76)
OP_1(release, AML_EXT | 0x27)
OP_1(signal, AML_EXT | 0x24)
OP_1(reset, AML_EXT | 0x26)
OP_1(sleep, AML_EXT | 0x22)
OP_1(stall, AML_EXT | 0x21)
OP_1(lnot, LNOT_OP)
OP_1(deref_of, 0x83)
OP_1(ref_of, 0x71)
OP_1(size_of, 0x87)
OP_1(object_type, 0x8e)

OP_1_TARGET(not, 0x80)
OP_1_TARGET(find_set_left_bit, 0x81)
OP_1_TARGET(find_set_right_bit, 0x82)
OP_1_TARGET(cond_ref_of, AML_EXT | 0x12)
OP_1_TARGET(to_buffer, 0x96)
OP_1_TARGET(to_decimal_string, 0x97)
OP_1_TARGET(to_hex_string, 0x98)
OP_1_TARGET(to_integer, 0x99)
OP_1_TARGET(from_bcd, AML_EXT | 0x28)
OP_1_TARGET(to_bcd, AML_EXT | 0x29)

OP_2(store, 0x70)
OP_2(copy_object, 0x9d)
OP_2(notify, 0x86)
OP_2(wait, AML_EXT | 0x25)
OP_2(land, 0x90)
OP_2(lor, 0x91)
OP_2(lequal, 0x93)
OP_2(lgreater, 0x94)
OP_2(lless, 0x95)

OP_2_TARGET(add, 0x72)
OP_2_TARGET(concatenate, 0x73)
OP_2_TARGET(subtract, 0x74)
OP_2_TARGET(multiply, 0x77)
OP_2_TARGET(shift_left, 0x79)
OP_2_TARGET(shift_right, 0x7a)
OP_2_TARGET(and, 0x7b)
OP_2_TARGET(nand, 0x7c)
OP_2_TARGET(or, 0x7d)
OP_2_TARGET(nor, 0x7e)
OP_2_TARGET(xor, 0x7f)
OP_2_TARGET(concatenate_res_template, 0x84)
OP_2_TARGET(mod, 0x85)

/* These three have no opcode of their own. */
Aml *aml_lnot_equal(Aml *a, Aml *b)
{
    return aml_lnot(aml_lequal(a, b));
}

Aml *aml_lgreater_equal(Aml *a, Aml *b)
{
    return aml_lnot(aml_lless(a, b));
}

Aml *aml_lless_equal(Aml *a, Aml *b)
{
    return aml_lnot(aml_lgreater(a, b));
}

Aml *aml_index(Aml *object, Aml *index)
{
    return op_2_target(INDEX_OP, object, index, NULL);
}

Aml *aml_divide(Aml *a, Aml *b, Aml *remainder, Aml *quotient)
{
    Aml *term = op_2_target(DIVIDE_OP, a, b, remainder);

    aml_put_target(term, quotient);
    return term;
}

Aml *aml_mid(Aml *source, Aml *index, Aml *length, Aml *target)
{
    Aml *term = op_2(MID_OP, source, index);

    aml_put(term, length);
    aml_put_target(term, target);
    return term;
}

Aml *aml_to_string(Aml *a, Aml *length, Aml *target)
{
    return op_2_target(TO_STRING_OP, a, length, target);
}

Aml *aml_acquire(Aml *mutex, uint16_t timeout_ms)
{
    Aml *term = op_1(ACQUIRE_OP, mutex);

    bytes_put_le(term->bytes, timeout_ms, 2);
    return term;
}

Aml *aml_fatal(uint8_t type, uint32_t code, Aml *argument)
{
    Aml *term = aml_op(FATAL_OP);

    bytes_pack(term->bytes, "14", type, code);
    aml_put(term, argument);
    return term;
}

Aml *aml_if_of(Aml *predicate, Aml **terms)
{
    Aml *term = aml_new(AML_BLOCK, IF_OP);

    aml_put(term, predicate);
    return aml_append_all(term, terms);
}

Aml *aml_else_of(Aml **terms)
{
    return aml_append_all(aml_new(AML_BLOCK, ELSE_OP), terms);
}

Aml *aml_while_of(Aml *predicate, Aml **terms)
{
    Aml *term = aml_new(AML_BLOCK, WHILE_OP);

    aml_put(term, predicate);
    return aml_append_all(term, terms);
}
