/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"

static const MachineType new_type = {
    .name = "new-machine", .parent = TYPE_MACHINE, .doc = "prefers cores", .max_cpus = 64,
    .supports_smp = BIT(TOPOLOGY_DIE),
};
MACHINE_TYPE(new_type)
static const MachineType old_type = {
    .name = "old-machine", .parent = TYPE_MACHINE, .doc = "prefers sockets", .max_cpus = 64,
    .prefers_sockets = true,
};
MACHINE_TYPE(old_type)

static void check(const char *type, const char *property, const char *json, const char *expected)
{
    g_autoptr(Object) machine = object_new_of(machine_type_find(type));
    g_autoptr(Error) err = NULL;
    g_autofree char *shown = NULL;
    json_object *value;
    char *why;

    g_assert_true(json_parse(json, strlen(json), &value, &why));
    if (object_set(machine, property, value, PROPERTY_TEXT, &err)) {
        json_unref(value);
        value = object_get(machine, property, NULL);
        shown = json_to_string(value);
    }
    json_unref(value);
    g_assert_cmpstr(err ? error_text(err) : shown, ==, expected);
}

#define SMP(c, s, d, cl, co, t, m)                                                                 \
    "{\"cpus\": " #c ", \"sockets\": " #s ", \"dies\": " #d ", \"clusters\": " #cl                 \
    ", \"cores\": " #co ", \"threads\": " #t ", \"maxcpus\": " #m "}"

static void test_smp(void)
{
    check("new", "smp", "{'cpus':'8'}", SMP(8, 1, 1, 1, 8, 1, 8));
    check("old", "smp", "{'cpus':'8'}", SMP(8, 8, 1, 1, 1, 1, 8));
    check("new", "smp", "{'cpus':'8','sockets':'2'}", SMP(8, 2, 1, 1, 4, 1, 8));
    check("new", "smp", "{'cpus':'8','cores':'2'}", SMP(8, 4, 1, 1, 2, 1, 8));
    check("new", "smp", "{'sockets':'2','cores':'2','dies':'2'}",
          SMP(8, 2, 2, 1, 2, 1, 8));
    check("new", "smp", "{'cpus':'2','maxcpus':'8','sockets':'2','cores':'2'}",
          SMP(2, 2, 1, 1, 2, 2, 8));
    check("new", "smp", "{'cpus':'4','sockets':'3'}",
          "Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (3) * cores "
          "(1) * threads (1) != maxcpus (4)");
    check("new", "smp", "{'cpus':'2','maxcpus':'1'}",
          "Invalid CPU topology: maxcpus must be equal to or greater than smp: sockets (1) * "
          "cores (1) * threads (1) == maxcpus (1) < smp_cpus (2)");
    check("new", "smp", "{'cpus':'65'}",
          "Invalid SMP CPUs 65. The max CPUs supported by machine 'new' is 64");
    check("new", "smp", "{'clusters':'2'}",
          "clusters not supported by this machine's CPU topology");
    check("new", "smp", "{'cpus':'x'}", "Parameter 'cpus' expects integer");
    check("new", "smp", "{'foo':'1'}", "Parameter 'foo' is unexpected");
}

static void test_memory(void)
{
    check("new", "memory", "{'size':'1G'}", "{\"size\": 1073741824}");
    check("new", "memory", "{'size':'1G','slots':'2'}",
          "slots specified but no max-size");
    check("new", "memory", "{'size':'1G','slots':'2','max-size':'2G'}",
          "{\"size\": 1073741824, \"max-size\": 2147483648, \"slots\": 2}");
}

static void test_boot(void)
{
    check("new", "boot", "{'order':'xyz'}", "Invalid boot device 'x'");
    check("new", "boot", "{'order':'cc'}", "Boot device 'c' was given twice");
    check("new", "boot", "{'order':'dc','menu':'on'}",
          "{\"order\": \"dc\", \"menu\": true, \"strict\": false}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/topology/smp", test_smp);
    g_test_add_func("/topology/memory", test_memory);
    g_test_add_func("/topology/boot", test_boot);
    return g_test_run();
}
