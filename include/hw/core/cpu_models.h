/*
 * CpuModels: what a target tells about the CPU models it has. -cpu and the QMP queries are
 * written once over it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_CPU_MODELS_H
#define HW_CORE_CPU_MODELS_H

#include "qapi/qapi-types-machine-target.h"
#include "qapi/qapi-types-misc-target.h"

typedef struct CpuModels {
    /* The QOM type of a model as users name it; NULL: there is none. */
    const char *(*find)(const char *model);
    /* -cpu help, whole. */
    void (*print)(GString *out);
    /* Never NULL; the caller frees it. */
    CpuDefinitionInfoArray *(*definitions)(void);
    /* NULL: the target has no such query. */
    CpuModelExpansionInfo *(*expand)(CpuModelExpansionType type, const CpuModelInfo *model,
                                     Error **errp);
    GICCapabilityArray *(*gic_capabilities)(void);
    /* "-cpu MODEL,+f,-f,f" besides f=value. */
    bool has_feature_signs;
} CpuModels;

/* Set by the binary's target before main(). */
void cpu_models_set(const CpuModels *models);
const CpuModels *cpu_models(void);

/* A row for definitions(). */
CpuDefinitionInfo *cpu_definition_add(CpuDefinitionInfoArray *list, const char *name,
                                      const char *type_name);

#endif
