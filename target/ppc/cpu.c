/*
 * The Power CPU as a device, one type for each model below its family's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/ppc/cpu.h"

static void ppc_print_registers(Cpu *cpu, GString *out)
{
    g_string_append_printf(out, "PVR %08" PRIx32 "\n", ppc_cpu_ops(PPC_CPU(cpu))->model->pvr);
}

static const Property ppc_cpu_props[] = { PROP_CPU_NODE(PpcCpu) };

static const PpcCpuType ppc_cpu_type = {
    .name = TYPE_PPC_CPU,
    .doc = "Power CPU",
    .parent = TYPE_CPU,
    .size = sizeof(PpcCpu),
    .is_abstract = true,
    .properties = PROPERTIES(ppc_cpu_props),
    .print_registers = ppc_print_registers,
};
OBJECT_TYPE(ppc_cpu_type)

static void register_family(const char *family)
{
    PpcCpuType *type = g_new0(PpcCpuType, 1);

    type->name = g_strconcat(family, "-family" PPC_CPU_SUFFIX, NULL);
    type->doc = "A family of Power CPUs";
    type->parent = TYPE_PPC_CPU;
    type->is_abstract = true;
    type_register((const ObjectType *)type, sizeof(*type));
}

static void register_model(const PpcModel *model)
{
    PpcCpuType *type = g_new0(PpcCpuType, 1);

    type->name = g_strconcat(model->name, PPC_CPU_SUFFIX, NULL);
    type->doc = "Power CPU";
    type->parent = g_strconcat(model->family, "-family" PPC_CPU_SUFFIX, NULL);
    type->model = model;
    type_register((const ObjectType *)type, sizeof(*type));
}

/* Types live as long as the program. */
static void CONSTRUCTOR register_types(void)
{
    for (size_t i = 0; i < ppc_family_count; i++) {
        register_family(ppc_families[i]);
    }
    for (size_t i = 0; i < ppc_model_count; i++) {
        register_model(&ppc_models[i]);
    }
}
