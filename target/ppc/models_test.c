/*
 * Power models: names, aliases, PVRs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu_models.h"
#include "target/ppc/cpu.h"

static void test_find(void)
{
    g_assert_cmpstr(cpu_models()->find("POWER9"), ==, "power9_v2.0-powerpc64-cpu");
    g_assert_cmpstr(cpu_models()->find("power8e_v2.1"), ==, "power8e_v2.1-powerpc64-cpu");
    g_assert_cmpstr(cpu_models()->find("004d0200"), ==, "power8_v2.0-powerpc64-cpu");
    g_assert_null(cpu_models()->find("power9_v2.0-powerpc64-cpu"));
    g_assert_null(cpu_models()->find("host"));
    g_assert_null(cpu_models()->find(""));
    g_assert_null(cpu_models()->find("ffffffff"));
}

static void test_all_aliases(void)
{
    for (size_t i = 0; i < ppc_alias_count; i++) {
        const PpcModel *model = ppc_model_find(ppc_aliases[i].name);

        g_assert_nonnull(model);
        g_assert_cmpstr(model->name, ==, ppc_aliases[i].model);
    }
}

static void test_types(void)
{
    for (size_t i = 0; i < ppc_model_count; i++) {
        const Type *type = type_find(cpu_models()->find(ppc_models[i].name));
        g_autofree char *family =
            g_strconcat(ppc_models[i].family, "-family" PPC_CPU_SUFFIX, NULL);

        g_assert_cmpstr(type_name(type_parent(type)), ==, family);
        g_assert_true(type_is_a(type, TYPE_PPC_CPU));
    }
}

static void test_help(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    cpu_models()->print(out);
    g_assert_nonnull(strstr(out->str, "PowerPC power9_v2.0      PVR 004e1200\n"
                                      "PowerPC power9           (alias for power9_v2.0)\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ppc/models/find", test_find);
    g_test_add_func("/ppc/models/aliases", test_all_aliases);
    g_test_add_func("/ppc/models/types", test_types);
    g_test_add_func("/ppc/models/help", test_help);
    return g_test_run();
}
