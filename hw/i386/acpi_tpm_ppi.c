/*
 * Physical presence (TCG PC Client Platform Physical Presence Interface Specification 1.30): how an
 * operating system asks firmware for an operation on the TPM at the next boot. _DSM takes and tells
 * requests in the memory that firmware looks at; which operations there are is what firmware wrote
 * there, a byte for each. Another interface asks for memory to be overwritten before the next boot
 * (TCG PC Client Platform Reset Attack Mitigation Specification 1.10, 6).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_tpm.h"
#include "hw/tpm/tpm.h"

#define PPI_UUID "3DDDFAA6-361B-4EB4-A424-8D10089D1653"
#define MEMORY_CLEAR_UUID "376054ED-CC13-4675-901C-4756D7F2D45D"

/* Memory, from TPM_PPI_ADDRESS on: operations, then fields. */
#define OPERATIONS     0x100
#define RESPONSE_AT    0x05 /* of the last operation; behind them */
#define FIELDS_BYTES   0x15

/* What firmware says of an operation: 0 it is not there, 1 firmware's own menus alone, 2 blocked, 3
 * somebody has to confirm it, 4 nobody has to. */
enum { BLOCKED = 2, STATE_MASK = 7 };

enum {
    FN_QUERY, FN_VERSION, FN_SUBMIT, FN_PENDING, FN_TRANSITION, FN_RESPONSE, FN_LANGUAGE,
    FN_SUBMIT_2, FN_CONFIRMATION,
};
enum { FN_SET_MEMORY_CLEAR = 1 };
enum { SUBMITTED = 0, NOT_IMPLEMENTED = 1, FAILED = 2, IS_BLOCKED = 3 };
#define TRANSITION_REBOOT      2
#define LANGUAGE_NOT_SUPPORTED 3

static Aml *fields(void)
{
    return aml_list(
        aml_op_region("PPI", AML_SYSTEM_MEMORY, aml_int(TPM_PPI_ADDRESS + OPERATIONS),
                      aml_int(FIELDS_BYTES)),
        aml_field("PPI", AML_ANY_ACC, AML_NO_LOCK, AML_PRESERVE,
            aml_offset(RESPONSE_AT),
            aml_unit("PPRS", 32),   /* result of the last operation */
            aml_unit("PPRQ", 32),   /* operation to be done */
            aml_unit("PPRM", 32),   /* its parameter */
            aml_unit("PPLO", 32)),  /* the last operation */
        aml_op_region("PPMC", AML_SYSTEM_MEMORY,
                      aml_int(TPM_PPI_ADDRESS + TPM_PPI_MEMORY_CLEAR), aml_int(1)),
        aml_field("PPMC", AML_BYTE_ACC, AML_NO_LOCK, AML_PRESERVE,
            aml_unit("PPMV", 8)),   /* bit 0: clear memory, bit 4: not after an orderly shutdown */
        aml_name("PPQ1", aml_package(aml_int(0), aml_int(0))),
        aml_name("PPQ2", aml_package(aml_int(0), aml_int(0), aml_int(0))),
        aml_name("PPR3", aml_package(aml_int(0), aml_int(0), aml_int(0))));
}

/* PPST (operation): its state. */
static Aml *state_method(void)
{
    return aml_method("PPST", 1, AML_SERIALIZED,
        aml_if(aml_lgreater_equal(aml_arg(0), aml_int(OPERATIONS)),
            aml_return(aml_int(0))),
        aml_op_region("PPOP", AML_SYSTEM_MEMORY,
                      aml_add(aml_int(TPM_PPI_ADDRESS), aml_arg(0), NULL), aml_int(1)),
        aml_field("PPOP", AML_BYTE_ACC, AML_NO_LOCK, AML_PRESERVE,
            aml_unit("PPOS", 8)),
        aml_return(aml_and(aml_ref("PPOS"), aml_int(STATE_MASK), NULL)));
}

/* PPSB (operation, parameter, what a blocked one gives) */
static Aml *submit_method(void)
{
    return aml_method("PPSB", 3, AML_SERIALIZED,
        aml_store(aml_call("PPST", aml_arg(0)), aml_local(0)),
        aml_if(aml_lequal(aml_local(0), aml_int(0)),
            aml_return(aml_int(NOT_IMPLEMENTED))),
        aml_if(aml_lless_equal(aml_local(0), aml_int(BLOCKED)),
            aml_return(aml_arg(2))),
        aml_store(aml_arg(0), aml_ref("PPRQ")),
        aml_store(aml_arg(1), aml_ref("PPRM")),
        aml_return(aml_int(SUBMITTED)));
}

static Aml *put(const char *package, unsigned index, const char *field)
{
    return aml_store(aml_ref(field), aml_index(aml_ref(package), aml_int(index)));
}

static Aml *argument(unsigned n)
{
    return aml_deref_of(aml_index(aml_arg(3), aml_int(n)));
}

/* Of a function's number in Local0; revision 2 knows parameters. */
static Aml *function(unsigned number, Aml *terms)
{
    return aml_if(aml_lequal(aml_local(0), aml_int(number)), terms);
}

static Aml *presence(void)
{
    static const uint8_t all[] = { 0xff, BIT(FN_CONFIRMATION - 8) };

    return aml_if(aml_lequal(aml_arg(0), aml_uuid(PPI_UUID)),
        aml_store(aml_to_integer(aml_arg(2), NULL), aml_local(0)),
        function(FN_QUERY, aml_return(aml_buffer(all, sizeof(all)))),
        function(FN_VERSION, aml_return(aml_string("1.3"))),
        function(FN_SUBMIT,
                 aml_return(aml_call("PPSB", argument(0), aml_int(0), aml_int(FAILED)))),
        function(FN_PENDING, aml_list(
            aml_if(aml_lless(aml_arg(1), aml_int(2)),
                put("PPQ1", 1, "PPRQ"), aml_return(aml_ref("PPQ1"))),
            put("PPQ2", 1, "PPRQ"), put("PPQ2", 2, "PPRM"), aml_return(aml_ref("PPQ2")))),
        function(FN_TRANSITION, aml_return(aml_int(TRANSITION_REBOOT))),
        function(FN_RESPONSE, aml_list(
            put("PPR3", 1, "PPLO"), put("PPR3", 2, "PPRS"), aml_return(aml_ref("PPR3")))),
        function(FN_LANGUAGE, aml_return(aml_int(LANGUAGE_NOT_SUPPORTED))),
        function(FN_SUBMIT_2, aml_list(
            aml_store(aml_int(0), aml_local(1)),
            aml_if(aml_lgreater_equal(aml_arg(1), aml_int(2)),
                aml_store(argument(1), aml_local(1))),
            aml_return(aml_call("PPSB", argument(0), aml_local(1), aml_int(IS_BLOCKED))))),
        function(FN_CONFIRMATION, aml_return(aml_call("PPST", argument(0)))));
}

static Aml *memory_clear(void)
{
    static const uint8_t all = BIT(FN_QUERY) | BIT(FN_SET_MEMORY_CLEAR);

    return aml_if(aml_lequal(aml_arg(0), aml_uuid(MEMORY_CLEAR_UUID)),
        aml_store(aml_to_integer(aml_arg(2), NULL), aml_local(0)),
        function(FN_QUERY, aml_return(aml_buffer(&all, 1))),
        function(FN_SET_MEMORY_CLEAR, aml_list(
            aml_store(argument(0), aml_ref("PPMV")), aml_return(aml_int(0)))));
}

static Aml *dsm_method(void)
{
    static const uint8_t none = 0;

    return aml_method("_DSM", 4, AML_SERIALIZED, presence(), memory_clear(),
                      aml_return(aml_buffer(&none, 1)));
}

Aml *acpi_tpm_ppi_terms(void)
{
    return aml_list(fields(), state_method(), submit_method(), dsm_method());
}
