/*
 * Fuzzing the QAPI walker: any JSON document against types that together have every kind of
 * member, in both forms. What is accepted must survive writing, copying and reading again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-types-char.h"
#include "qapi/qapi-types-machine.h"
#include "qapi/qapi-types-migration.h"
#include "qapi/qapi-types-qom.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const QapiType *const types[] = {
    &qapi_type_chardev_backend, &qapi_type_migrate_set_parameters, &qapi_type_migration_info,
    &qapi_type_numa_options,    &qapi_type_object_options,         &qapi_type_object_property_info,
};

/* Doubles may lose digits in text, so equality is asked of the second round. */
static void check_round_trip(const QapiType *type, const void *value)
{
    g_autoptr(JsonObject) first = qapi_to_json(type, value);
    void *again = qapi_from_json(type, first, QAPI_TYPED, NULL);
    void *copy = qapi_clone(type, again);
    g_autoptr(JsonObject) second = NULL;

    assert(again);
    second = qapi_to_json(type, copy);
    assert(json_object_equal(first, second));
    qapi_free(type, again);
    qapi_free(type, copy);
}

static void try_type(const QapiType *type, QapiForm form, json_object *in)
{
    Error *err = NULL;
    void *value = qapi_from_json(type, in, form, &err);

    assert(!value == !!err);
    if (value) {
        check_round_trip(type, value);
    }
    qapi_free(type, value);
    error_free(err);
}

/* The first byte chooses type and form, the rest is JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonObject) in = NULL;
    g_autofree char *why = NULL;

    if (!size || !json_parse((const char *)data + 1, size - 1, &in, &why)) {
        return 0;
    }
    try_type(types[data[0] / 2 % ARRAY_SIZE(types)], data[0] & 1 ? QAPI_TEXT : QAPI_TYPED, in);
    return 0;
}
