/*
 * What clients and users ask about Power CPU models.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu_models.h"
#include "system/target.h"
#include "target/ppc/cpu.h"

static const TargetInfo ppc_target = {
    .name = "ppc64", .is_big_endian = true, .page_bits = 12, .cpu_base = TYPE_PPC_CPU,
    .cpu_suffix = PPC_CPU_SUFFIX,
};

static const PpcModel *find_by_name(const char *name)
{
    for (size_t i = 0; i < ppc_model_count; i++) {
        if (!g_ascii_strcasecmp(ppc_models[i].name, name)) {
            return &ppc_models[i];
        }
    }
    return NULL;
}

/* PVRs are not unique: the first model that has it. */
static const PpcModel *find_by_pvr(const char *digits)
{
    char *end;
    uint64_t pvr = g_ascii_strtoull(digits, &end, 16);

    if (strlen(digits) != 8 || *end) {
        return NULL;
    }
    for (size_t i = 0; i < ppc_model_count; i++) {
        if (ppc_models[i].pvr == pvr) {
            return &ppc_models[i];
        }
    }
    return NULL;
}

const PpcModel *ppc_model_find(const char *name)
{
    const PpcModel *model = find_by_pvr(name);

    for (size_t i = 0; !model && i < ppc_alias_count; i++) {
        if (!g_ascii_strcasecmp(ppc_aliases[i].name, name)) {
            model = find_by_name(ppc_aliases[i].model);
            assert(model);
        }
    }
    return model ? model : find_by_name(name);
}

static const char *type_name_of(const PpcModel *model)
{
    g_autofree char *name = g_strconcat(model->name, PPC_CPU_SUFFIX, NULL);

    return type_name(type_find(name));
}

static const char *ppc_find(const char *name)
{
    const PpcModel *model = ppc_model_find(name);

    return model ? type_name_of(model) : NULL;
}

static void ppc_print(GString *out)
{
    for (size_t i = 0; i < ppc_model_count; i++) {
        const PpcModel *model = &ppc_models[i];

        g_string_append_printf(out, "PowerPC %-16s PVR %08" PRIx32 "\n", model->name, model->pvr);
        for (size_t j = 0; j < ppc_alias_count; j++) {
            if (!strcmp(ppc_aliases[j].model, model->name)) {
                g_string_append_printf(out, "PowerPC %-16s (alias for %s)\n",
                                       ppc_aliases[j].name, model->name);
            }
        }
    }
}

static CpuDefinitionInfoArray *ppc_definitions(void)
{
    CpuDefinitionInfoArray *list = g_new0(CpuDefinitionInfoArray, 1);

    for (size_t i = 0; i < ppc_alias_count; i++) {
        cpu_definition_add(list, ppc_aliases[i].name, ppc_find(ppc_aliases[i].name));
    }
    for (size_t i = 0; i < ppc_model_count; i++) {
        cpu_definition_add(list, ppc_models[i].name, type_name_of(&ppc_models[i]));
    }
    return list;
}

static const CpuModels ppc_models_ops = {
    .find = ppc_find, .print = ppc_print, .definitions = ppc_definitions,
};

static void CONSTRUCTOR register_ppc(void)
{
    target_set(&ppc_target);
    cpu_models_set(&ppc_models_ops);
}
