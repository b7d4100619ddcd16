/*
 * Which TPM devices and back ends this build has, from the register of types.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "qapi/qapi-commands-tpm.h"

#define TYPE_TPM_DEVICE  "tpm-if"
#define TYPE_TPM_BACKEND "tpm-backend"

TpmModelArray *qmp_query_tpm_models(Error **errp)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_TPM_DEVICE, false);
    TpmModelArray *models = g_new0(TpmModelArray, 1);

    for (guint i = 0; i < types->len; i++) {
        int model = enum_table_find(&tpm_model_names, type_name(types->pdata[i]));

        if (model >= 0) {
            tpm_model_array_add(models, model);
        }
    }
    return models;
}

/* A back end's type is "tpm-" and its name. */
TpmTypeArray *qmp_query_tpm_types(Error **errp)
{
    g_autoptr(GPtrArray) types = type_list(TYPE_TPM_BACKEND, false);
    TpmTypeArray *names = g_new0(TpmTypeArray, 1);

    for (guint i = 0; i < types->len; i++) {
        const char *name = type_name(types->pdata[i]);
        int type = enum_table_find(&tpm_type_names, name + strlen("tpm-"));

        if (type >= 0) {
            tpm_type_array_add(names, type);
        }
    }
    return names;
}
